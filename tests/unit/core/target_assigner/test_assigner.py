"""Targets of anchors for single pictures and lists of them, by hand."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.box_coders.faster_rcnn_box_coder import FasterRcnnBoxCoder
from object_detection.box_coders.keypoint_box_coder import KeypointBoxCoder
from object_detection.box_coders.mean_stddev_box_coder import MeanStddevBoxCoder
from object_detection.builders import target_assigner_builder
from object_detection.core import standard_fields as fields
from object_detection.core import target_assigner as targets
from object_detection.core.box_list import BoxList
from object_detection.core.region_similarity_calculator import (
    IouSimilarity,
    RegionSimilarityCalculator,
)
from object_detection.matchers.argmax_matcher import ArgMaxMatcher
from object_detection.matchers.bipartite_matcher import GreedyBipartiteMatcher
from object_detection.protos import target_assigner_pb2

ANCHORS = [[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 0.8], [0.0, 0.5, 0.5, 1.0], [0.75, 0.0, 1.0, 0.25]]
NAN = float("nan")


def _assigner(**options):
    matcher = ArgMaxMatcher(matched_threshold=0.5, unmatched_threshold=0.3)
    return targets.TargetAssigner(IouSimilarity(), matcher, MeanStddevBoxCoder(0.1), **options)


def _boxes(rows):
    return BoxList(tf.reshape(tf.constant(rows, tf.float32), [-1, 4]))


def test_classes_are_one_without_labels(run):
    classes, weights, codes, code_weights, match = run(
        _assigner().assign(_boxes(ANCHORS), _boxes([[0, 0, 0.5, 0.5], [0.5, 0.5, 0.9, 0.9]]))
    )
    # IoU of the second box with the second anchor: 0.12 / (0.16 + 0.15 - 0.12) = 0.63.
    assert match.tolist() == [0, 1, -1, -1]
    assert match.dtype == np.int32
    assert classes.tolist() == [[1], [1], [0], [0]]
    assert weights.tolist() == [[1], [1], [1], [1]]
    np.testing.assert_allclose(codes, [[0] * 4, [0, 0, -1, 1], [0] * 4, [0] * 4], atol=1e-5)
    assert code_weights.tolist() == [1, 1, 0, 0]


def test_labels_weights_and_ignored_anchors(run):
    # IoU with the first anchor: 0.1 / 0.25 = 0.4, between the thresholds.
    boxes = _boxes([[0, 0, 0.2, 0.5], [0, 0.5, 0.5, 1.0]])
    classes, weights, _, code_weights, match = run(
        _assigner(negative_class_weight=0.5).assign(
            _boxes(ANCHORS),
            boxes,
            tf.constant([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
            tf.constant([1.0, 0.0, 0.0]),
            tf.constant([1.0, 0.25]),
        )
    )
    assert match.tolist() == [-2, -1, 1, -1]
    assert classes.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]]
    np.testing.assert_allclose(weights, np.repeat([[0], [0.5], [0.25], [0.5]], 3, axis=1))
    assert code_weights.tolist() == [0, 0, 0.25, 0]


def test_labels_of_more_axes(run):
    labels = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    classes, weights, _, _, _ = run(
        _assigner().assign(
            _boxes(ANCHORS),
            _boxes([[0, 0, 0.5, 0.5], [0, 0.5, 0.5, 1.0]]),
            tf.constant(labels),
            tf.zeros([2, 2]),
        )
    )
    np.testing.assert_array_equal(
        classes, [labels[0], np.zeros([2, 2]), labels[1], np.zeros([2, 2])]
    )
    assert weights.shape == (4, 2, 2)


def test_no_boxes(run):
    rows = tf.placeholder_with_default(np.zeros([0, 4], np.float32), [None, 4])
    classes, weights, codes, code_weights, match = run(
        _assigner().assign(
            _boxes(ANCHORS), BoxList(rows), tf.zeros([0, 3]), tf.constant([1.0, 0.0, 0.0])
        )
    )
    assert match.tolist() == [-1] * 4
    assert classes.tolist() == [[1, 0, 0]] * 4
    assert (weights == 1).all()
    assert not codes.any()
    assert not code_weights.any()


def test_static_shapes():
    result = _assigner().assign(_boxes(ANCHORS), _boxes([[0, 0, 0.5, 0.5]]))
    assert [tensor.shape.as_list() for tensor in result] == [[4, 1], [4, 1], [4, 4], [4], [4]]


def test_keypoints_go_with_their_box(run):
    coder = KeypointBoxCoder(num_keypoints=2, scale_factors=[1.0] * 4)
    boxes = _boxes([[0, 0, 0.5, 0.5]])
    boxes.add_field(fields.BoxListFields.keypoints, tf.constant([[[0.25, 0.25], [NAN, NAN]]]))
    matcher = ArgMaxMatcher(matched_threshold=0.5)
    assigner = targets.TargetAssigner(IouSimilarity(), matcher, coder)
    codes = run(assigner.assign(_boxes(ANCHORS), boxes))[2]
    np.testing.assert_allclose(codes[0], [0] * 6 + [NAN] * 2, atol=1e-5)
    assert not codes[1:].any()


class _Scores(RegionSimilarityCalculator):
    """Each row's score, whatever the boxes are."""

    def _compare(self, boxlist1, boxlist2):
        scores = boxlist1.get_field(fields.BoxListFields.scores)
        return tf.tile(scores[:, tf.newaxis], [1, boxlist2.num_boxes()])


@pytest.mark.parametrize("batched", [False, True])
def test_similarities_may_read_how_little_background_there_is(batched, run):
    assigner = targets.TargetAssigner(
        _Scores(), ArgMaxMatcher(matched_threshold=0.5), FasterRcnnBoxCoder()
    )
    labels = tf.constant([[0.8, 0.2], [0.1, 0.9]])
    boxes = _boxes([[0, 0, 0.5, 0.5], [0, 0, 0.4, 0.4]])
    if batched:
        match = assigner.assign_batch(
            tf.constant(ANCHORS), boxes.get()[tf.newaxis], labels[tf.newaxis], tf.zeros([2]), tf.ones([1, 2])
        ).match[0]  # fmt: skip
    else:
        match = assigner.assign(_boxes(ANCHORS), boxes, labels, tf.zeros([2]))[4]
    assert run(match).tolist() == [1] * 4


def test_rows_keep_their_number_when_one_before_is_padding(run):
    assigner = targets.TargetAssigner(
        IouSimilarity(), GreedyBipartiteMatcher(), MeanStddevBoxCoder()
    )
    boxes = _boxes([[0, 0, 0.5, 0.5], [0, 0.5, 0.5, 1.0]])
    match = assigner.assign(_boxes(ANCHORS), boxes, groundtruth_weights=tf.constant([0.0, 1.0]))[4]
    assert run(match).tolist() == [-1, -1, 1, -1]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(lambda a, b: (a.get(), b), id="anchors are no BoxList"),
        pytest.param(lambda a, b: (a, b.get()), id="boxes are no BoxList"),
        pytest.param(lambda a, b: (a, b, tf.zeros([2, 3]), tf.zeros([3])), id="labels of others"),
        pytest.param(lambda a, b: (a, b, tf.zeros([1, 3]), tf.zeros([2])), id="another background"),
    ],
)
def test_what_cannot_be_assigned(arguments):
    with pytest.raises(ValueError, match="should"):
        _assigner().assign(*arguments(_boxes(ANCHORS), _boxes([[0, 0, 1, 1]])))


def _batch():
    return [_boxes([[0, 0, 0.5, 0.5]]), _boxes([[0.5, 0.5, 1, 0.8], [0, 0.5, 0.5, 1]])]


@pytest.mark.parametrize("anchors_each", [False, True])
def test_lists_of_pictures(anchors_each, run):
    anchors = _boxes(ANCHORS)
    labels = [tf.constant([[0.0, 1.0]]), tf.constant([[0.0, 1.0], [0.0, 2.0]])]
    classes, weights, codes, code_weights, match = run(
        targets.batch_assign(
            _assigner(),
            [anchors, anchors] if anchors_each else anchors,
            _batch(),
            labels,
            tf.constant([1.0, 0.0]),
            [tf.constant([1.0]), tf.constant([0.5, 1.0])],
        )
    )
    assert match.tolist() == [[0, -1, -1, -1], [-1, 0, 1, -1]]
    assert classes.tolist() == [
        [[0, 1], [1, 0], [1, 0], [1, 0]],
        [[1, 0], [0, 1], [0, 2], [1, 0]],
    ]
    assert weights[..., 0].tolist() == [[1, 1, 1, 1], [1, 0.5, 1, 1]]
    assert codes.shape == (2, 4, 4)
    assert code_weights.tolist() == [[1, 0, 0, 0], [0, 0.5, 1, 0]]


def test_lists_that_do_not_fit():
    with pytest.raises(ValueError, match="different lengths"):
        targets.batch_assign(_assigner(), _boxes(ANCHORS), _batch(), [None])
    with pytest.raises(ValueError, match="BoxList"):
        targets.batch_assign(_assigner(), tf.constant(ANCHORS), _batch(), [None, None])
    with pytest.raises(ValueError, match="different lengths"):
        targets.batch_get_targets(tf.zeros([2, 3], tf.int32), [tf.zeros([1])], [], 0.0, 0.0)


def test_any_groundtruth_of_matched_anchors(run):
    masks = [tf.fill([1, 2, 2], 5.0), tf.stack([tf.fill([2, 2], 6.0), tf.fill([2, 2], 7.0)])]
    weights = [tf.constant([0.3]), tf.constant([0.6, 0.5])]
    result, counts = run(
        targets.batch_get_targets(
            tf.constant([[-1, 0, -2], [1, -2, 0]]),
            masks,
            weights,
            tf.zeros([2, 2]),
            tf.constant(0.1),
        )
    )
    np.testing.assert_allclose(result[..., 0, 0], [[0, 5, 0], [7, 0, 6]])
    assert result.shape == (2, 3, 2, 2)
    np.testing.assert_allclose(counts, [[0.1, 0.3, 0], [0.5, 0, 0.6]])


@pytest.mark.parametrize("background", [True, False])
def test_confidences(background, run):
    # Both pictures have the anchors 1 and 2; class 0 is certain, doubtful, absent, unlabelled.
    confidences = np.array([[[1, 0], [-1, 0]], [[0, 0], [0, 1]]], np.float32)
    labels = np.pad(confidences, [[0, 0], [0, 0], [1, 0]]) if background else confidences
    boxes = [[0.5, 0.5, 1, 0.8], [0, 0.5, 0.5, 1]]
    classes, weights, codes, code_weights, match = run(
        targets.batch_assign_confidences(
            _assigner(),
            _boxes(ANCHORS),
            [_boxes(boxes), _boxes(boxes)],
            [tf.constant(one) for one in labels],
            unmatched_class_label=tf.constant([1.0, 0, 0] if background else [0.0, 0]),
            include_background_class=background,
            implicit_class_weight=0.5,
        )
    )
    assert match.tolist() == [[-1, 0, 1, -1]] * 2
    assert code_weights.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]]
    assert codes.shape == (2, 4, 4)
    foreground = classes[..., 1:] if background else classes
    assert foreground.tolist() == [
        [[0, 0], [1, 0], [0, 0], [0, 0]],
        [[0, 0], [0, 0], [0, 1], [0, 0]],
    ]
    of_classes = weights[..., 1:] if background else weights
    assert of_classes.tolist() == [
        [[0.5, 0.5], [1, 0.5], [1, 0.5], [0.5, 0.5]],
        [[0.5, 0.5], [0.5, 0.5], [0.5, 1], [0.5, 0.5]],
    ]
    if background:
        assert classes[..., 0].tolist() == [[1, 0, 1, 1], [1, 1, 0, 1]]
        assert weights[..., 0].tolist() == [[0.5, 1, 0.5, 0.5], [0.5, 0.5, 1, 0.5]]


def test_queries(run):
    assigner = targets.DETRTargetAssigner()
    predicted = [[0.4, 0.4, 0.9, 0.9], [0.0, 0.0, 0.4, 0.5], [0.7, 0.7, 0.9, 0.9]]
    truth = [[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 0.9, 0.9]]
    labels = tf.constant([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    # A query that is a little further off but sure of the class may win; here none is.
    logits = tf.zeros([3, 3])
    plain = assigner.assign(_boxes(predicted), _boxes(truth), logits, labels)
    weighted = assigner.assign(
        _boxes(predicted), _boxes(truth), logits, labels, tf.constant([0.0, 0.5]), tf.zeros([3])
    )
    batch = assigner.batch_assign(
        tf.constant([predicted, predicted]),
        tf.constant([truth, truth]),
        [logits, logits],
        [labels, labels],
        [tf.constant([1.0, 1.0]), tf.constant([1.0, 0.0])],
    )
    plain, weighted, batch = run((plain, weighted, batch))
    classes, class_weights, boxes, box_weights = plain
    assert classes.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert (class_weights == np.ones([3, 3])).all()
    np.testing.assert_allclose(
        boxes, [[0.7, 0.7, 0.4, 0.4], [0.25, 0.25, 0.5, 0.5], [0, 0, 0, 0]], atol=1e-6
    )
    assert box_weights.tolist() == [1, 1, 0]
    assert weighted[0].tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert weighted[1][:, 0].tolist() == [0.5, 1, 1]
    assert weighted[3].tolist() == [0.5, 0, 0]
    for ours, theirs in zip(batch, plain, strict=True):
        np.testing.assert_array_equal(ours[0], theirs)
    assert batch[3][1].tolist() == [0, 1, 0]


def test_queries_that_cannot_be_assigned():
    assigner = targets.DETRTargetAssigner()
    with pytest.raises(ValueError, match="BoxLists"):
        assigner.assign(tf.zeros([1, 4]), _boxes([[0, 0, 1, 1]]), tf.zeros([1, 2]), tf.ones([1, 2]))
    with pytest.raises(ValueError, match="different lengths"):
        assigner.batch_assign(tf.zeros([2, 1, 4]), [], [], [])


@pytest.mark.parametrize(
    ("reference", "stage"),
    [
        ("Multibox", "proposal"),
        ("FasterRCNN", "proposal"),
        ("FasterRCNN", "detection"),
        ("FastRCNN", None),
    ],
)
def test_assigners_of_published_detectors(reference, stage, run):
    assigner = targets.create_target_assigner(reference, stage, negative_class_weight=0.5)
    one = _boxes([[0, 0, 1, 1]])
    classes, weights, codes, code_weights, match = run(assigner.assign(one, one))
    assert (classes.tolist(), weights.tolist(), match.tolist()) == ([[1]], [[1]], [0])
    assert code_weights.tolist() == [1]
    np.testing.assert_allclose(codes, np.zeros([1, 4]), atol=1e-5)


@pytest.mark.parametrize(
    ("reference", "stage", "iou", "expected"),
    [
        ("FasterRCNN", "proposal", 0.6, [0, -2]),  # the best anchor is taken, the other ignored
        ("FasterRCNN", "detection", 0.4, [-1, -1]),
        ("FastRCNN", None, 0.05, [-2, -2]),
        ("FastRCNN", None, 0.4, [-1, -1]),
        ("FastRCNN", None, 0.5, [0, 0]),
    ],
)
def test_thresholds_of_published_detectors(reference, stage, iou, expected, run):
    assigner = targets.create_target_assigner(reference, stage)
    anchors = _boxes([[0, 0, 1, iou], [0, 0, 1, iou]])
    assert run(assigner.assign(anchors, _boxes([[0, 0, 1, 1]])))[4].tolist() == expected


@pytest.mark.parametrize("stage", [None, "detection"])
def test_detectors_that_nobody_published(stage):
    with pytest.raises(ValueError, match="FasterRCNN"):
        targets.create_target_assigner("Multibox", stage)


def test_assigner_of_a_config(run):
    config = text_format.Parse(
        """matcher { argmax_matcher { matched_threshold: 0.5 } }
        similarity_calculator { iou_similarity {} }
        box_coder { faster_rcnn_box_coder {} }""",
        target_assigner_pb2.TargetAssigner(),
    )
    assigner = target_assigner_builder.build(config)
    assert isinstance(assigner, targets.TargetAssigner)
    assert isinstance(assigner.box_coder, FasterRcnnBoxCoder)
    assert assigner.get_box_coder() is assigner.box_coder
    match = assigner.assign(_boxes([[0, 0, 1, 0.4], [0, 0, 1, 0.6]]), _boxes([[0, 0, 1, 1]]))[4]
    assert run(match).tolist() == [-1, 0]
