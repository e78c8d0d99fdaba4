"""Means of detections and of what they suppressed: by hand, and against a plain numpy twin."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.post_processing import batched
from object_detection.core.post_processing.blending import Blending

NAN, INF = float("nan"), float("inf")
SCORE, IOU = 0.1, 0.5
DEFAULT = Blending()
BOX = [0.0, 0.0, 0.5, 0.5]
NEAR = [0.0, 0.0, 0.5, 0.4]  # IoU with BOX: 0.8
HALF = [0.0, 0.0, 0.5, 0.2]  # IoU with BOX: 0.4, with NEAR: 0.5
APART = [0.6, 0.6, 0.9, 0.9]


def _found(run, boxes, scores, points=None, blend=DEFAULT, size=3, **options):
    """Boxes, scores, classes, points and rows of the detections of one picture that count."""
    boxes = np.array(boxes, np.float32).reshape(1, len(boxes), -1, 4)
    scores = np.array(scores, np.float32).reshape(1, boxes.shape[1], -1)
    points = np.zeros([boxes.shape[1], 2]) if points is None else np.array(points)
    points = points.reshape(1, boxes.shape[1], -1, 2)
    fields = {
        "keypoints": tf.constant(points, tf.float32),
        "row": tf.range(boxes.shape[1], dtype=tf.float32)[tf.newaxis],
        "keypoint_scores": tf.constant(points[..., 0], tf.float32),
    }
    found = batched.batch_multiclass_non_max_suppression(
        tf.constant(boxes),
        tf.constant(scores),
        SCORE,
        IOU,
        size,
        size,
        additional_fields=fields,
        blend=blend,
        **options,
    )
    assert found[0].shape.as_list() == [1, size, 4]
    assert found[4]["keypoints"].shape.as_list() == [1, size, points.shape[2], 2]
    kept, scores, count = run(
        [
            [*found[:3], found[4]["keypoints"], found[4]["row"]],
            found[4]["keypoint_scores"],
            found[5],
        ]
    )
    for one in kept:
        assert not one[0, count[0] :].any()
    if not options:
        # They were given the numbers of y, and are averaged alike.
        np.testing.assert_allclose(scores, kept[3][..., 0], rtol=1e-6)
    return [one[0, : count[0]] for one in kept]


@pytest.mark.parametrize(
    ("boxes", "scores", "expected", "kept"),
    [
        pytest.param([BOX], [0.05], [], [], id="below the threshold"),
        pytest.param([BOX], [0.7], [BOX], [0.7], id="one"),
        pytest.param([BOX, BOX], [0.7, 0.7], [BOX], [0.7], id="twice the same"),
        pytest.param([BOX, APART], [0.7, 0.8], [APART, BOX], [0.8, 0.7], id="apart"),
        pytest.param([BOX, NEAR], [0.6, 0.6], [[0, 0, 0.5, 0.45]], [0.6], id="equal scores"),
        # (0.6 * 0.5 + 0.2 * 0.4) / 0.8
        pytest.param([NEAR, BOX], [0.2, 0.6], [[0, 0, 0.5, 0.475]], [0.6], id="weights"),
        pytest.param([BOX, NEAR], [0.6, 0.1], [BOX], [0.6], id="the other does not pass"),
        pytest.param([BOX, HALF], [0.6, 0.5], [BOX, HALF], [0.6, 0.5], id="too little overlap"),
        pytest.param([BOX, [NAN] * 4, NEAR], [0.6, 0.9, NAN], [BOX], [0.6], id="NaN"),
        pytest.param([BOX, [0, 0, INF, INF]], [0.6, 0.05], [BOX], [0.6], id="infinity"),
    ],
)
def test_boxes_by_hand(boxes, scores, expected, kept, run):
    found, kept_scores, *_ = _found(run, boxes, scores)
    np.testing.assert_allclose(found, np.reshape(expected, [-1, 4]), rtol=1e-6)
    np.testing.assert_array_equal(kept_scores, np.array(kept, np.float32))


def test_no_box_at_all(run):
    found = batched.batch_multiclass_non_max_suppression(
        tf.zeros([1, 0, 1, 4]), tf.zeros([1, 0, 1]), SCORE, IOU, 3, 3, blend=DEFAULT
    )
    boxes, count = run([found[0], found[5]])
    assert boxes.tolist() == [[[0.0] * 4] * 3]
    assert count.tolist() == [0]


def test_keypoints_move_with_the_weights_of_boxes(run):
    points = [[[0.1, 0.2], [0.3, 0.3]], [[0.2, 0.4], [0.3, 0.7]], [[0.9, 0.9], [0.9, 0.9]]]
    _, _, _, kept, rows = _found(run, [NEAR, BOX, APART], [0.2, 0.6, 0.5], points)
    np.testing.assert_allclose(
        kept[0], [[0.25 * 0.1 + 0.75 * 0.2, 0.25 * 0.2 + 0.75 * 0.4], [0.3, 0.25 * 0.3 + 0.75 * 0.7]],
        rtol=1e-6,
    )  # fmt: skip
    np.testing.assert_array_equal(kept[1], np.array(points[2], np.float32))
    # What is no place in the picture stays that of the kept box.
    assert rows.tolist() == [1, 2]


@pytest.mark.parametrize("bad", [NAN, INF])
def test_candidates_with_bad_keypoints_do_not_count(bad, run):
    points = [[0.25, 0.25], [0.3, bad]]
    boxes, _, _, kept, _ = _found(run, [BOX, NEAR], [0.6, 0.5], points)
    np.testing.assert_array_equal(boxes, [np.array(BOX, np.float32)])
    np.testing.assert_array_equal(kept[0], np.array([points[0]], np.float32))


@pytest.mark.parametrize(
    ("settings", "right"),
    [
        pytest.param({"score_power": 0.0}, 0.45, id="all alike"),
        pytest.param({"score_power": 2.0}, (0.36 * 0.5 + 0.04 * 0.4) / 0.4, id="squares"),
        pytest.param({"iou_threshold": 0.79}, 0.475, id="overlap enough"),
        pytest.param({"iou_threshold": 0.81}, 0.5, id="overlap too small"),
        pytest.param({"iou_threshold": 1.0}, 0.5, id="only the same"),
        pytest.param({"max_candidates": 1}, 0.5, id="one candidate, itself"),
        pytest.param({"max_candidates": 2}, 0.475, id="two candidates"),
    ],
)
def test_settings(settings, right, run):
    found, *_ = _found(run, [NEAR, BOX], [0.2, 0.6], blend=Blending(**settings))
    np.testing.assert_allclose(found, [[0, 0, 0.5, right]], rtol=1e-6)


def test_a_low_threshold_takes_in_what_was_not_suppressed(run):
    found, *_ = _found(run, [BOX, HALF], [0.6, 0.2], blend=Blending(iou_threshold=0.39))
    mean = [0, 0, 0.5, (0.6 * 0.5 + 0.2 * 0.2) / 0.8]
    np.testing.assert_allclose(found, [mean, mean], rtol=1e-6)


def test_a_detection_that_is_no_candidate_counts_itself(run):
    """Of three boxes apart only the two best are candidates; the third stays as it is."""
    third = [0.0, 0.6, 0.3, 0.9]
    found, *_ = _found(run, [third, BOX, APART], [0.2, 0.6, 0.5], blend=Blending(max_candidates=2))
    np.testing.assert_array_equal(found, np.array([BOX, APART, third], np.float32))


def test_classes_keep_apart(run):
    """Each class has its own scores of the same boxes."""
    scores = [[0.6, 0.2], [0.2, 0.6]]
    found, _, classes, *_ = _found(run, [BOX, NEAR], scores, size=2)
    assert sorted(classes) == [0, 1]
    expected = {0: 0.475, 1: (0.2 * 0.5 + 0.6 * 0.4) / 0.8}
    np.testing.assert_allclose(found[:, 3], [expected[one] for one in classes], rtol=1e-6)
    # The second box has a score of the second class alone.
    found, _, classes, *_ = _found(run, [BOX, NEAR], [[0.6, 0.0], [0.0, 0.5]], size=2)
    np.testing.assert_array_equal(found, np.array([BOX, NEAR], np.float32))


def test_each_class_has_its_box(run):
    boxes = [[BOX, APART], [NEAR, [0.6, 0.6, 0.9, 0.8]]]
    found, *_ = _found(run, boxes, [[0.6, 0.3], [0.2, 0.3]], blend=Blending(0.5), size=2)
    np.testing.assert_allclose(found, [[0, 0, 0.5, 0.475], [0.6, 0.6, 0.9, 0.85]], rtol=1e-6)


def test_suppression_over_all_classes(run):
    """The one detection left takes the scores of its class."""
    found, _, classes, *_ = _found(
        run, [BOX, NEAR], [[0.6, 0.1], [0.2, 0.5]], size=1, use_class_agnostic_nms=True
    )
    assert classes.tolist() == [0]
    np.testing.assert_allclose(found, [[0, 0, 0.5, 0.475]], rtol=1e-6)


def test_padding_never_counts(run):
    found, *_ = _found(run, [BOX, NEAR], [0.6, 0.6], num_valid_boxes=tf.constant([1]))
    np.testing.assert_array_equal(found, [np.array(BOX, np.float32)])


def test_boxes_are_compared_whole_and_averaged_cut(run):
    """Whole, IoU 0.8; the second ends below the window's edge, where it is cut."""
    window = tf.constant([0.0, 0.0, 0.45, 1.0])
    points = [[[0.45, 0.2]], [[0.25, 0.4]]]
    boxes, _, _, kept, _ = _found(
        run,
        [BOX, [0.0, 0.0, 0.4, 0.5]],
        [0.6, 0.2],
        points,
        clip_window=window,
        change_coordinate_frame=True,
    )
    mean = 0.75 * 0.45 + 0.25 * 0.4
    np.testing.assert_allclose(boxes, [[0, 0, mean / 0.45, 0.5]], rtol=1e-6)
    np.testing.assert_allclose(kept[0], [[0.4 / 0.45, 0.25]], rtol=1e-6)


def test_boxes_beyond_the_window_do_not_count(run):
    """The second overlaps by more than half, but lies outside."""
    window = tf.constant([0.0, 0.0, 0.1, 1.0])
    found, *_ = _found(run, [[0, 0, 0.5, 0.5], [0.1, 0, 0.5, 0.5]], [0.6, 0.5], clip_window=window)
    np.testing.assert_allclose(found, [[0, 0, 0.1, 0.5]], rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "options", "message"),
    [
        ({"iou_threshold": 0.0}, {}, "iou_threshold"),
        ({"iou_threshold": NAN}, {}, "iou_threshold"),
        ({"score_power": -1.0}, {}, "score_power"),
        ({"max_candidates": 0}, {}, "max_candidates"),
        ({}, {"soft_nms_sigma": 0.5}, "soft"),
    ],
)
def test_settings_that_make_no_mean(settings, options, message, run):
    with pytest.raises(ValueError, match=message):
        _found(run, [BOX], [0.5], blend=Blending(**settings), **options)


def _iou(box, others):
    corner = np.maximum(box[:2], others[..., :2])
    common = np.maximum(np.minimum(box[2:], others[..., 2:]) - corner, 0).prod(axis=-1)
    areas = (others[..., 2:] - others[..., :2]).prod(axis=-1) + (box[2:] - box[:2]).prod()
    return common / (areas - common)


@pytest.mark.parametrize("sets", [1, 3])
def test_equals_the_twin(sets, run):
    """Three pictures, three classes, boxes in heaps; a candidate has a score above 0.1."""
    random = np.random.RandomState(5)
    corner = random.uniform(0, 0.3, [3, 50, sets, 2])
    boxes = np.concatenate([corner, corner + random.uniform(0.3, 0.5, [3, 50, sets, 2])], axis=-1)
    boxes, scores = boxes.astype(np.float32), random.uniform(size=[3, 50, 3]).astype(np.float32)
    points = random.uniform(size=[3, 50, 2, 2]).astype(np.float32)
    values = (boxes, scores, points)
    feeds = [tf.placeholder(tf.float32, [None, None, *one.shape[2:]]) for one in values]
    rows = tf.constant(np.tile(np.arange(50, dtype=np.float32), [3, 1]))

    def suppressed(blend):
        found = batched.batch_multiclass_non_max_suppression(
            feeds[0],
            feeds[1],
            SCORE,
            IOU,
            8,
            12,
            additional_fields={"keypoints": feeds[2], "row": rows},
            blend=blend,
        )
        return [*found[:3], found[4], found[5]]

    plain, blended = run(
        [suppressed(None), suppressed(Blending(0.4, 2.0, 1000))],
        dict(zip(feeds, values, strict=True)),
    )
    for number in (1, 2, 4):
        np.testing.assert_array_equal(plain[number], blended[number])
    for picture in range(3):
        for detection in range(plain[4][picture]):
            category = int(plain[2][picture, detection])
            mine = boxes[picture, :, category if sets > 1 else 0]
            own = mine[int(plain[3]["row"][picture, detection])]
            weights = scores[picture, :, category] ** 2
            weights = weights * (scores[picture, :, category] > SCORE) * (_iou(own, mine) >= 0.4)
            weights /= weights.sum()
            np.testing.assert_allclose(
                blended[0][picture, detection], weights @ mine, rtol=1e-4, atol=1e-6
            )
            np.testing.assert_allclose(
                blended[3]["keypoints"][picture, detection],
                np.einsum("n,nkd->kd", weights, points[picture]),
                rtol=1e-4,
            )
    assert np.abs(plain[0] - blended[0]).max() > 0.01
