"""Suppression of one picture's boxes by hand; the numpy twin is in `test_batched.py`."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import post_processing
from object_detection.core.post_processing import (
    class_agnostic_non_max_suppression,
    multiclass_non_max_suppression,
)

# Three groups: around 0, around 10 and around 100; and one box far away.
BOXES = [
    [0, 0, 1, 1],
    [0, 0.1, 1, 1.1],
    [0, -0.1, 1, 0.9],
    [0, 10, 1, 11],
    [0, 10.1, 1, 11.1],
    [0, 100, 1, 101],
    [0, 1000, 1, 1002],
    [0, 1000, 1, 1002.1],
]
SCORES = [
    [0.9, 0.01],
    [0.75, 0.05],
    [0.6, 0.01],
    [0.95, 0],
    [0.5, 0.01],
    [0.3, 0.01],
    [0.01, 0.85],
    [0.01, 0.5],
]
KEPT = [3, 0, 6, 5]


def _tensors(known):
    boxes = np.array(BOXES, np.float32)[:, None]
    scores = np.array(SCORES, np.float32)
    if known:
        return tf.constant(boxes), tf.constant(scores)
    return (
        tf.placeholder_with_default(boxes, [None, 1, 4]),
        tf.placeholder_with_default(scores, [None, 2]),
    )


@pytest.mark.parametrize("known", [True, False], ids=["known", "found out later"])
@pytest.mark.parametrize(
    "suppress",
    [
        lambda *tensors, **options: multiclass_non_max_suppression(
            *tensors, 0.1, 0.5, 4, **options
        ),
        lambda *tensors, **options: class_agnostic_non_max_suppression(
            *tensors, 0.1, 0.5, **options
        ),
    ],
    ids=["each class", "all classes"],
)
@pytest.mark.parametrize("padded", [True, False], ids=["padded", "as many as there are"])
def test_what_stays(suppress, known, padded, run):
    boxes, scores = _tensors(known)
    points = tf.reshape(tf.range(8 * 6, dtype=tf.float32), [8, 3, 2])
    masks = tf.reshape(tf.range(8 * 4, dtype=tf.float32), [8, 1, 2, 2])
    found, count = suppress(
        boxes,
        scores,
        masks=masks,
        boundaries=-masks,
        additional_fields={"keypoints": points, "row": tf.range(8)},
        pad_to_max_output_size=padded,
        max_total_size=5,
    )
    assert sorted(found.get_extra_fields()) == sorted(
        ["scores", "classes", "masks", "boundaries", "keypoints", "row"]
    )
    assert not padded or found.num_boxes_static() == 5
    values, count, points, masks = run([found.as_tensor_dict(), count, points, masks])
    assert count == 4
    assert len(values["boxes"]) == (5 if padded else 4)
    first = {name: value[:4] for name, value in values.items()}
    np.testing.assert_allclose(first["boxes"], np.array(BOXES)[KEPT], rtol=1e-6)
    np.testing.assert_allclose(first["scores"], [0.95, 0.9, 0.85, 0.3])
    assert first["classes"].tolist() == [0, 0, 1, 0]
    assert first["row"].tolist() == KEPT
    np.testing.assert_array_equal(first["keypoints"], points[KEPT])
    np.testing.assert_array_equal(first["masks"], masks[KEPT, 0])
    np.testing.assert_array_equal(first["boundaries"], -masks[KEPT, 0])
    assert (values["scores"][4:] == -1).all()


def test_limits(run):
    boxes, scores = _tensors(True)
    one_each, _ = multiclass_non_max_suppression(boxes, scores, 0.1, 0.5, 1)
    three, _ = multiclass_non_max_suppression(boxes, scores, 0.1, 0.5, 4, max_total_size=3)
    two, _ = class_agnostic_non_max_suppression(boxes, scores, 0.1, 0.5, max_total_size=2)
    none, count = multiclass_non_max_suppression(boxes, scores, 0.99, 0.5, 4)
    values = run([one.get_field("scores") for one in (one_each, three, two, none)] + [count])
    np.testing.assert_allclose(values[0], [0.95, 0.85])
    np.testing.assert_allclose(values[1], [0.95, 0.9, 0.85])
    np.testing.assert_allclose(values[2], [0.95, 0.9])
    assert len(values[3]) == values[4] == 0


@pytest.mark.parametrize("known", [True, False])
def test_no_boxes(known, run):
    shape = 0 if known else None
    boxes = tf.placeholder_with_default(np.zeros([0, 1, 4], np.float32), [shape, 1, 4])
    scores = tf.placeholder_with_default(np.zeros([0, 2], np.float32), [shape, 2])
    fields = {"keypoints": tf.zeros([0, 5, 2])}
    each, count = multiclass_non_max_suppression(
        boxes,
        scores,
        0.1,
        0.5,
        3,
        additional_fields=fields,
        clip_window=tf.constant([0.0, 0, 1, 1]),
    )
    every, _ = class_agnostic_non_max_suppression(boxes, scores, 0.1, 0.5, additional_fields=fields)
    batch = post_processing.batch_multiclass_non_max_suppression(
        boxes[tf.newaxis],
        scores[tf.newaxis],
        0.1,
        0.5,
        3,
        3,
        additional_fields={"keypoints": tf.zeros([1, 0, 5, 2])},
    )
    each, count, every, padded, number = run([each.get(), count, every.get(), batch[4], batch[5]])
    assert each.shape == every.shape == (0, 4)
    assert count == number[0] == 0
    assert padded["keypoints"].shape == (1, 3, 5, 2)


def test_boxes_of_each_class(run):
    boxes = np.array([[[0, 0, 1, 1], [4, 4, 5, 5]], [[0, 0, 1, 1.1], [8, 8, 9, 9]]], np.float32)
    scores = tf.constant([[0.9, 0.8], [0.7, 0.6]])
    masks = tf.constant(boxes[..., :1, np.newaxis])
    found, _ = multiclass_non_max_suppression(tf.constant(boxes), scores, 0.1, 0.5, 4, masks=masks)
    best, _ = class_agnostic_non_max_suppression(tf.constant(boxes), scores, 0.1, 0.5)
    shared, _ = multiclass_non_max_suppression(
        tf.constant(boxes), scores, 0.1, 0.5, 4, masks=tf.reshape([7.0, 8.0], [2, 1, 1, 1])
    )
    found, best, shared = run([found.as_tensor_dict(), best.get(), shared.get_field("masks")])
    assert shared[:, 0, 0].tolist() == [7, 7, 8]
    np.testing.assert_allclose(found["boxes"], [boxes[0, 0], boxes[0, 1], boxes[1, 1]])
    assert found["classes"].tolist() == [0, 1, 1]
    np.testing.assert_allclose(found["masks"][:, 0, 0], [0, 4, 8])
    np.testing.assert_allclose(best, [boxes[0, 0]])


def test_a_class_without_a_score_hides_no_other(run):
    found, _ = class_agnostic_non_max_suppression(
        tf.constant([[[0.0, 0, 1, 1]]]), tf.constant([[np.nan, 0.4, 0.3]]), 0.1, 0.5
    )
    scores, classes = run([found.get_field("scores"), found.get_field("classes")])
    np.testing.assert_allclose(scores, [0.4])
    assert classes.tolist() == [1]


def test_several_classes_of_a_box(run):
    scores = tf.constant([[0.9, 0.5, 0.05], [0.3, 0.8, 0.6]])
    boxes = tf.constant([[[0.0, 0, 1, 1]], [[4.0, 4, 5, 5]]])
    found, count = class_agnostic_non_max_suppression(boxes, scores, 0.1, 0.5, 2)
    found, count = run([found.as_tensor_dict(), count])
    np.testing.assert_allclose(found["scores"], [0.9, 0.8, 0.6, 0.5])
    assert found["classes"].tolist() == [0, 1, 2, 1]
    assert found["boxes"][:, 0].tolist() == [0, 4, 4, 0]
    assert count == 4


def test_windows(run):
    boxes = tf.constant([[[0.0, 0.0, 2.0, 2.0]], [[4.0, 4.0, 5.0, 5.0]]])
    scores = tf.constant([[0.5], [0.9]])
    window = tf.constant([0.0, 1.0, 4.0, 3.0])
    points = {"keypoints": tf.constant([[[1.0, 1.0]], [[4.5, 4.5]]])}
    tensors = {}
    for framed in (False, True):
        found, count = multiclass_non_max_suppression(
            boxes,
            scores,
            0.1,
            0.5,
            2,
            clip_window=window,
            change_coordinate_frame=framed,
            additional_fields=points,
        )
        tensors[framed] = (found.get(), found.get_field("keypoints"), count)
    plain, framed = run([tensors[False], tensors[True]])
    assert [one.tolist() for one in plain] == [[[0, 1, 2, 2]], [[[1, 1]]], 1]
    assert [one.tolist() for one in framed] == [[[0, 0, 0.5, 0.5]], [[[0.25, 0]]], 1]


def test_soft_and_hard(run):
    # IoU of both is 1/3: the second score falls by exp(-(1/9) / (2 * 0.5)).
    boxes = tf.constant([[[0.0, 0.0, 1.0, 1.0]], [[0.0, 0.5, 1.0, 1.5]]])
    scores = tf.constant([[0.9], [0.8]])
    tensors = []
    for hard in (False, True):
        found, _ = multiclass_non_max_suppression(
            boxes, scores, 0.1, 1.0, 2, soft_nms_sigma=0.5, use_hard_nms=hard
        )
        tensors.append(found.get_field("scores"))
    soft, hard = run(tensors)
    np.testing.assert_allclose(soft, [0.9, 0.8 * np.exp(-(1 / 9) / 1.0)], rtol=1e-4)
    np.testing.assert_allclose(hard, [0.9, 0.8])


@pytest.mark.parametrize("suppress", [multiclass_non_max_suppression, None])
@pytest.mark.parametrize(
    ("boxes", "scores", "options"),
    [
        pytest.param([2, 1, 4], [2, 1], {"iou_thresh": 1.1}, id="threshold above 1"),
        pytest.param([2, 1, 4], [2, 1], {"iou_thresh": -0.1}, id="threshold below 0"),
        pytest.param([2, 1, 4], [2], {}, id="scores without classes"),
        pytest.param([2, 4], [2, 1], {}, id="boxes without sets"),
        pytest.param([2, 2, 4], [2, 3], {}, id="two sets, three classes"),
        pytest.param([2, 1, 5], [2, 1], {}, id="five coordinates"),
        pytest.param([2, 1, 4], [2, None], {}, id="unknown classes"),
        pytest.param([2, 1, 4], [2, 1], {"change_coordinate_frame": True}, id="no window"),
    ],
)
def test_what_cannot_be(suppress, boxes, scores, options):
    tensors = tf.placeholder(tf.float32, boxes), tf.placeholder(tf.float32, scores)
    settings = {"score_thresh": 0.1, "iou_thresh": 0.5, **options}
    if suppress is not None:
        settings["max_size_per_class"] = 3
    with pytest.raises(ValueError, match=r"should|needs"):
        (suppress or class_agnostic_non_max_suppression)(*tensors, **settings)
