"""Samples with faults, mended in the graph, against rows chosen by hand."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.standard_fields import InputDataFields as F
from object_detection.inputs import mending

NAN, INF = float("nan"), float("inf")


def sample(boxes, classes=None, **more):
    """As the decoder gives it; `more` replaces fields."""
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    count = len(boxes)
    return {
        F.image: np.zeros([2, 3, 3], np.uint8),
        F.source_id: b"a",
        F.groundtruth_boxes: boxes,
        F.groundtruth_classes: np.array(
            [1] * count if classes is None else classes, np.int64
        ).reshape(-1),
        F.groundtruth_weights: np.arange(count, dtype=np.float32),
        F.groundtruth_difficult: np.arange(count) % 2 == 0,
        F.groundtruth_track_ids: np.zeros([0], np.int64),  # the record lacks it
        **more,
    }


def mended(given, num_classes=2):
    tensors = {name: tf.placeholder_with_default(value, None) for name, value in given.items()}
    for name, value in given.items():
        tensors[name].set_shape([None] * np.ndim(value))
    with tf.Session() as session:
        return session.run(mending.mend(tensors, num_classes))


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, name)


WHOLE = [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize("boxes", [[], [WHOLE], [[0, 0, 1, 1], WHOLE], [[-1e-4, 0, 1.0009, 1]]])
def test_what_can_be_used_stays_bit_for_bit(boxes):
    given = sample(boxes)
    assert_same(mended(given), given)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param([NAN, 0, 1, 1], id="NaN"),
        pytest.param([0, 0, INF, 1], id="infinite"),
        pytest.param([-INF, 0, 1, 1], id="minus infinite"),
        pytest.param([0.5, 0.5, 0.5, 0.6], id="no height"),
        pytest.param([0.5, 0.5, 0.6, 0.5], id="no width"),
        pytest.param([1.2, 0, 1.5, 1], id="below the picture"),
        pytest.param([0, -0.5, 1, -0.1], id="left of the picture"),
        pytest.param([0, 1, 1, 1.5], id="at the edge"),
        pytest.param([0, 1.0001, 1, 1.0009], id="outside by little"),
    ],
)
def test_a_box_without_use_is_left_out_with_its_rows(box):
    given = sample([WHOLE, box, [0, 0, 1, 1]])
    expected = {
        name: value[[0, 2]] if name.startswith("groundtruth_") and len(value) else value
        for name, value in given.items()
    }
    found = mended(given)
    assert found[F.groundtruth_weights].tolist() == [0, 2]
    assert_same(found, expected)


def test_corners_in_the_wrong_order_change_places():
    found = mended(sample([[0.6, 0, 0.5, 1], [0.1, 0.9, 0.2, 0.8], [0.7, 1.5, -0.2, 0.4], WHOLE]))
    np.testing.assert_array_equal(
        found[F.groundtruth_boxes],
        np.array([[0.5, 0, 0.6, 1], [0.1, 0.8, 0.2, 0.9], [0, 0.4, 0.7, 1], WHOLE], np.float32),
    )
    assert found[F.groundtruth_weights].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("number", [0, -1, 3, 2**40])
def test_a_class_that_there_is_not(number):
    found = mended(sample([WHOLE] * 3, [2, number, 1]))
    assert found[F.groundtruth_classes].tolist() == [2, 1]
    assert found[F.groundtruth_weights].tolist() == [0, 2]


def test_all_boxes_may_be_left_out():
    found = mended(sample([WHOLE, [1.2, 1, 1.5, 2]], [9, 1]))
    assert found[F.groundtruth_boxes].shape == (0, 4)
    assert found[F.groundtruth_difficult].shape == (0,)


def test_a_box_partly_outside_is_cut_at_the_edge():
    boxes = [[-0.5, 0.2, 0.5, 1.5], [0.5, -1e-4, 2, 1.00005], [0.1, 0.1, 1.0005, 0.5]]
    found = mended(sample(boxes))
    np.testing.assert_array_equal(
        found[F.groundtruth_boxes],
        np.array([[0, 0.2, 0.5, 1], [0.5, 0, 1, 1], [0.1, 0.1, 1.0005, 0.5]], np.float32),
    )
    assert found[F.groundtruth_weights].tolist() == [0, 1, 2]


def keypoints(points):
    """Fields of M x K points as a decoder gives them: what has no NaN is there."""
    points = np.array(points, np.float32)
    there = ~np.isnan(points).any(axis=2)
    return {
        F.groundtruth_keypoints: points,
        F.groundtruth_keypoint_visibilities: there,
        F.groundtruth_keypoint_flags: there.astype(np.int32) * 2,
        F.groundtruth_keypoint_depths: np.ones(there.shape, np.float32),
    }


def test_absent_keypoints_are_no_fault():
    given = sample([WHOLE], **keypoints([[[NAN, NAN], [0.5, 0.5]]]))
    assert_same(mended(given), given)


def test_half_and_infinite_keypoints_become_absent():
    points = [[[NAN, 0.5], [0.5, 0.5]], [[0.1, INF], [-INF, NAN]], [[0.2, 0.2], [NAN, NAN]]]
    found = mended(sample([WHOLE, [0, 0, 0, 1], WHOLE], **keypoints(points)))
    assert found[F.groundtruth_weights].tolist() == [0, 2]
    np.testing.assert_array_equal(
        found[F.groundtruth_keypoints],
        np.array([[[NAN, NAN], [0.5, 0.5]], [[0.2, 0.2], [NAN, NAN]]], np.float32),
    )
    assert found[F.groundtruth_keypoint_visibilities].tolist() == [[False, True], [True, False]]
    assert found[F.groundtruth_keypoint_flags].tolist() == [[0, 2], [2, 0]]
    assert found[F.groundtruth_keypoint_depths].tolist() == [[0, 1], [1, 1]]


def test_an_infinite_keypoint_of_a_good_box_is_found():
    found = mended(sample([WHOLE], **keypoints([[[INF, 0.5], [0.5, 0.5]]])))
    assert np.isnan(found[F.groundtruth_keypoints][0, 0]).all()
    assert found[F.groundtruth_keypoint_flags].tolist() == [[0, 2]]


def test_scores_of_all_classes_go_with_their_boxes():
    scores = np.arange(9, dtype=np.float32)
    found = mended(
        sample([WHOLE, [0, 0, 0, 0], WHOLE], **{F.multiclass_scores: scores}), num_classes=2
    )
    assert found[F.multiclass_scores].tolist() == [0, 1, 2, 6, 7, 8]
    empty = np.zeros([0], np.float32)
    found = mended(sample([WHOLE, [0, 0, 0, 0]], **{F.multiclass_scores: empty}))
    assert found[F.multiclass_scores].shape == (0,)
    assert len(found[F.groundtruth_boxes]) == 1


def test_masks_go_with_their_boxes():
    masks = np.arange(3 * 2 * 3, dtype=np.float32).reshape(3, 2, 3)
    found = mended(sample([WHOLE, [0, 0, 0, 0], WHOLE], **{F.groundtruth_instance_masks: masks}))
    np.testing.assert_array_equal(found[F.groundtruth_instance_masks], masks[[0, 2]])
