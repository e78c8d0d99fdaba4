"""Suppression against a plain numpy twin."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.post_processing import batched

THRESHOLD, IOU = 0.1, 0.5


def _iou(box, others):
    corner = np.maximum(box[:2], others[:, :2])
    sides = np.maximum(np.minimum(box[2:], others[:, 2:]) - corner, 0)
    common = sides.prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    return common / np.maximum((box[2:] - box[:2]).prod() + areas - common, 1e-12)


def _twin(boxes, scores, per_class, total):
    """[(row, class, score)] of one picture, best first."""
    kept = []
    for category in range(scores.shape[1]):
        chosen = []
        for row in np.argsort(-scores[:, category], kind="stable"):
            if scores[row, category] <= THRESHOLD or len(chosen) == per_class:
                break
            if not chosen or (_iou(boxes[row], boxes[chosen]) <= IOU).all():
                chosen.append(row)
        kept += [(row, category, scores[row, category]) for row in chosen]
    return sorted(kept, key=lambda one: -one[2])[:total]


def _random(seed, batch=3, count=60, classes=2):
    random = np.random.RandomState(seed)
    corner = random.uniform(0, 0.7, [batch, count, 2])
    boxes = np.concatenate([corner, corner + random.uniform(0.05, 0.3, [batch, count, 2])], -1)
    return boxes.astype(np.float32), random.uniform(size=[batch, count, classes]).astype(np.float32)


@pytest.mark.parametrize(("per_class", "total"), [(5, 8), (100, 100), (3, 0)])
@pytest.mark.parametrize("known_batch", [True, False], ids=["batch known", "batch open"])
def test_equals_the_twin(per_class, total, known_batch, run):
    boxes, scores = _random(1)
    points = np.random.RandomState(2).uniform(size=[3, 60, 5, 2]).astype(np.float32)
    shape = [3 if known_batch else None]
    tensors = [
        tf.placeholder_with_default(value, shape + list(value.shape[1:]))
        for value in (boxes[:, :, None], scores, points)
    ]
    found = batched.batch_multiclass_non_max_suppression(
        tensors[0],
        tensors[1],
        THRESHOLD,
        IOU,
        per_class,
        total,
        additional_fields={"keypoints": tensors[2]},
    )
    width = total or per_class * 2
    assert found[0].shape.as_list()[1:] == [width, 4]
    kept_boxes, kept_scores, classes, fields, counts = run([*found[:3], found[4], found[5]])
    for picture in range(3):
        expected = _twin(boxes[picture], scores[picture], per_class, width)
        count = counts[picture]
        assert count == len(expected)
        rows = [row for row, _, _ in expected]
        np.testing.assert_array_equal(kept_boxes[picture, :count], boxes[picture, rows])
        np.testing.assert_array_equal(classes[picture, :count], [one for _, one, _ in expected])
        np.testing.assert_allclose(kept_scores[picture, :count], [one for _, _, one in expected])
        np.testing.assert_array_equal(fields["keypoints"][picture, :count], points[picture, rows])
        assert not kept_boxes[picture, count:].any()
        assert not kept_scores[picture, count:].any()


def _one(run, boxes, scores, **options):
    boxes = np.array(boxes, np.float32).reshape(1, -1, 1, 4)
    scores = np.array(scores, np.float32).reshape(1, -1, 1)
    found = batched.batch_multiclass_non_max_suppression(
        tf.constant(boxes), tf.constant(scores), THRESHOLD, IOU, 3, 3, **options
    )
    kept, _, _, count = run([*found[:3], found[5]])
    return kept[0, : count[0]].tolist()


NAN = float("nan")
BOX = [0.0, 0.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("boxes", "scores", "expected"),
    [
        pytest.param([], [], [], id="no box"),
        pytest.param([BOX], [0.05], [], id="below the threshold"),
        pytest.param([BOX, [NAN] * 4], [0.5, 0.9], [BOX], id="NaN box"),
        pytest.param([BOX, [0.6, 0.6, 0.9, 0.9]], [0.5, NAN], [BOX], id="NaN score"),
        pytest.param([BOX, BOX], [0.5, 0.5], [BOX], id="twice the same"),
    ],
)
def test_degenerate_boxes(boxes, scores, expected, run):
    assert _one(run, boxes, scores) == expected


def test_boxes_are_cut_after_suppression(run):
    # Whole, they hardly overlap; cut at the window, they would be the same box.
    boxes = [[0.0, 0.0, 0.5, 1.0], [0.0, 0.0, 0.5, 3.0]]
    window = tf.constant([0.0, 0.0, 1.0, 1.0])
    assert _one(run, boxes, [0.9, 0.8], clip_window=window) == [boxes[0], boxes[0]]


def test_boxes_without_area_go_where_there_is_a_window(run):
    boxes, scores = [BOX, [0.75, 0.75, 0.75, 1.0]], [0.5, 0.9]
    assert _one(run, boxes, scores) == boxes[::-1]
    assert _one(run, boxes, scores, clip_window=tf.constant([0.0, 0.0, 1.0, 1.0])) == [BOX]


def test_boxes_outside_the_window_go(run):
    window = tf.constant([0.0, 0.0, 1.0, 1.0])
    assert _one(run, [BOX, [2, 2, 3, 3]], [0.5, 0.9], clip_window=window) == [BOX]


def test_change_of_frame_takes_boxes_and_keypoints_along(run):
    points = np.array([[[[0.25, 0.25], [0.1, 0.5]]]], np.float32)
    found = batched.batch_multiclass_non_max_suppression(
        tf.constant([[[[0.1, 0.1, 0.4, 0.6]]]]),
        tf.constant([[[0.9]]]),
        THRESHOLD,
        IOU,
        1,
        1,
        clip_window=tf.constant([[0.0, 0.0, 0.5, 0.5]]),
        change_coordinate_frame=True,
        additional_fields={"keypoints": tf.constant(points)},
    )
    boxes, fields = run([found[0], found[4]])
    np.testing.assert_allclose(boxes, [[[0.2, 0.2, 0.8, 1.0]]], atol=1e-6)
    np.testing.assert_allclose(fields["keypoints"], points * 2, atol=1e-6)


def test_only_valid_rows_count(run):
    found = _one(run, [BOX, [0.6, 0.6, 0.9, 0.9]], [0.5, 0.9], num_valid_boxes=tf.constant([1]))
    assert found == [BOX]


def test_suppression_over_all_classes(run):
    boxes = np.array([[BOX, BOX, [0.6, 0.6, 0.9, 0.9]]], np.float32)[:, :, None]
    scores = np.array([[[0.9, 0.2], [0.1, 0.8], [0.3, 0.4]]], np.float32)
    found = batched.batch_multiclass_non_max_suppression(
        tf.constant(boxes), tf.constant(scores), 0.0, IOU, 3, 3, use_class_agnostic_nms=True
    )
    kept_scores, classes, count = run([found[1], found[2], found[5]])
    assert count[0] == 2
    np.testing.assert_allclose(kept_scores[0, :2], [0.9, 0.4])
    assert classes[0, :2].tolist() == [0, 1]


def test_suppression_over_all_of_one_class_knows_the_total_only(run):
    boxes = tf.constant([[[[0.0, 0.0, 1.0, 1.0]], [[2.0, 2.0, 3.0, 3.0]]]])
    found = batched.batch_multiclass_non_max_suppression(
        boxes, tf.constant([[[0.9], [0.8]]]), 0.1, IOU, 1, 2, use_class_agnostic_nms=True
    )
    assert run(found[5]).tolist() == [2]


def test_soft_suppression_lowers_scores(run):
    # The penalty is exp(-iou^2 / (2 * sigma)), here of IoU 1/3.
    boxes = np.array([[[0, 0, 1, 1], [0, 0.5, 1, 1.5]]], np.float32)[:, :, None]
    found = batched.batch_multiclass_non_max_suppression(
        tf.constant(boxes),
        tf.constant([[[0.9], [0.8]]]),
        0.0,
        1.0,
        2,
        2,
        soft_nms_sigma=0.5,
    )
    scores = run(found[1])[0]
    np.testing.assert_allclose(scores, [0.9, 0.8 * np.exp(-(1 / 9) / 1.0)], rtol=1e-4)


def test_a_frame_needs_a_window():
    with pytest.raises(ValueError, match="needs a clip_window"):
        batched.batch_multiclass_non_max_suppression(
            tf.zeros([1, 1, 1, 4]), tf.zeros([1, 1, 1]), 0.1, 0.5, 1, change_coordinate_frame=True
        )


def _combined(**options):
    return batched.batch_multiclass_non_max_suppression(
        tf.constant([[[[0.0, 0.0, 0.5, 1.0]], [[0.0, 0.0, 0.5, 3.0]]]]),
        tf.constant([[[0.9], [0.8]]]),
        THRESHOLD,
        IOU,
        2,
        2,
        use_combined_nms=True,
        **options,
    )


def test_combined_suppression_compares_cut_boxes(run):
    found = _combined(
        clip_window=tf.constant([0.0, 0.0, 1.0, 1.0]),
        additional_fields={"row": tf.constant([[5, 6]])},
    )
    boxes, fields, count = run([found[0], found[4], found[5]])
    assert count.tolist() == [1]
    assert boxes[0, 0].tolist() == [0, 0, 0.5, 1]
    assert fields["row"].tolist() == [[5, 0]]
    assert run(_combined()[5]).tolist() == [2]


@pytest.mark.parametrize(
    "options",
    [
        {"change_coordinate_frame": True, "clip_window": [0.0, 0.0, 1.0, 1.0]},
        {"num_valid_boxes": [2]},
        {"masks": np.zeros([1, 2, 1, 2, 2], np.float32)},
        {"soft_nms_sigma": 0.5},
        {"use_class_agnostic_nms": True},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_combined_suppression_excludes(options):
    with pytest.raises(ValueError, match=f"excludes {next(iter(options))}"):
        _combined(**options)


@pytest.mark.parametrize("size", [1, None], ids=["batch known", "batch open"])
def test_shapes_are_known(size):
    found = batched.batch_multiclass_non_max_suppression(
        tf.placeholder(tf.float32, [size, None, 2, 4]),
        tf.placeholder(tf.float32, [size, None, 2]),
        THRESHOLD,
        IOU,
        3,
        4,
        masks=tf.placeholder(tf.float32, [size, None, 2, 7, 7]),
        additional_fields={"keypoints": tf.placeholder(tf.float32, [size, None, 5, 2])},
        clip_window=tf.placeholder(tf.float32, [size, 4]),
    )
    assert [tensor.shape.as_list() for tensor in (*found[:4], found[4]["keypoints"], found[5])] == [
        [size, 4, 4],
        [size, 4],
        [size, 4],
        [size, 4, 7, 7],
        [size, 4, 5, 2],
        [size],
    ]
    assert [tensor.dtype for tensor in (*found[:3], found[5])] == [tf.float32] * 3 + [tf.int32]


def test_windows_of_each_picture(run):
    boxes = tf.constant([[[[0.0, 0.0, 1.0, 1.0]]]] * 2)
    found = batched.batch_multiclass_non_max_suppression(
        boxes,
        tf.constant([[[0.9]]] * 2),
        THRESHOLD,
        IOU,
        1,
        1,
        clip_window=tf.constant([[0.0, 0.0, 0.5, 1.0], [0.0, 0.25, 1.0, 1.0]]),
    )
    assert found[3] is None
    assert found[4] is None
    assert run(found[0]).tolist() == [[[0, 0, 0.5, 1]], [[0, 0.25, 1, 1]]]


@pytest.mark.parametrize("known_window", [True, False])
def test_combined_suppression_equals_tensorflow_s(known_window, run):
    boxes, scores = _random(4, batch=2, count=50, classes=3)
    boxes = boxes * 1.4 - 0.2
    ours = batched.batch_multiclass_non_max_suppression(
        tf.constant(boxes[:, :, None]),
        tf.constant(scores),
        THRESHOLD,
        IOU,
        6,
        15,
        clip_window=tf.constant([0.0, 0.0, 1.0, 1.0]) if known_window else None,
        use_combined_nms=True,
    )
    if known_window:
        boxes = boxes.clip(0.0, 1.0)
    theirs = tf.image.combined_non_max_suppression(
        boxes[:, :, None], scores, 6, 15, IOU, THRESHOLD, clip_boxes=False
    )
    ours, theirs = run([(*ours[:3], ours[5]), tuple(theirs)])
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6)


def test_soft_suppression_equals_tensorflow_s(run):
    boxes, scores = _random(5, batch=1, count=30, classes=1)
    ours = batched.batch_multiclass_non_max_suppression(
        tf.constant(boxes[:, :, None]), tf.constant(scores), 0.2, 0.6, 30, soft_nms_sigma=0.3
    )
    indices, theirs = tf.image.non_max_suppression_with_scores(
        boxes[0], scores[0, :, 0], 30, 0.6, 0.2, 0.3
    )
    kept, values, count, indices, theirs = run([ours[0], ours[1], ours[5], indices, theirs])
    assert count[0] == len(indices)
    np.testing.assert_allclose(values[0, : count[0]], np.sort(theirs)[::-1], atol=1e-6)
    order = np.argsort(-theirs, kind="stable")
    np.testing.assert_allclose(kept[0, : count[0]], boxes[0][indices[order]])
