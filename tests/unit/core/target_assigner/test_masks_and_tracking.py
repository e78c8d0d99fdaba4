"""Targets of masks, surfaces, corners, identities and movements, by hand."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import target_assigner as targets
from object_detection.errors import ConfigError


def _square(size, ymin, xmin, ymax, xmax):
    mask = np.zeros([size, size], np.float32)
    mask[ymin:ymax, xmin:xmax] = 1
    return mask


def test_segmentation_targets(run):
    masks = np.stack([_square(8, 0, 0, 4, 4), _square(8, 4, 4, 8, 8), _square(8, 0, 4, 2, 8)])
    classes = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    boxes = np.array([[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1], [0, 0.5, 0.25, 1]], np.float32)
    assigner = targets.CenterNetMaskTargetAssigner(2)
    plain, weighted = run([
        assigner.assign_segmentation_targets([tf.constant(masks)], [tf.constant(classes)]),
        assigner.assign_segmentation_targets(
            [tf.constant(masks)], [tf.constant(classes)], [tf.constant(boxes)],
            [tf.constant([0.0, 0.5, 1.0])], tf.image.ResizeMethod.NEAREST_NEIGHBOR,
        ),
    ])  # fmt: skip
    small = _square(4, 0, 0, 2, 2) + _square(4, 0, 2, 1, 4)
    for target, _ in (plain, weighted):
        np.testing.assert_allclose(target[0, ..., 0], small)
        np.testing.assert_allclose(target[0, ..., 1], _square(4, 2, 2, 4, 4))
    assert (plain[1] == 1).all()
    expected = [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0.5, 0.5], [1, 1, 0.5, 0.5]]
    np.testing.assert_allclose(weighted[1][0], expected)
    with pytest.raises(ConfigError, match="gt_boxes_list"):
        assigner.assign_segmentation_targets(
            [tf.constant(masks)], [tf.constant(classes)], gt_mask_weights_list=[tf.ones([3])]
        )


def test_segmentation_of_no_masks(run):
    assigner = targets.CenterNetMaskTargetAssigner(2)
    masks = tf.placeholder(tf.float32, [None, None, None])
    target, weights = run(
        assigner.assign_segmentation_targets([masks], [tf.zeros([0, 3])]),
        {masks: np.zeros([0, 8, 6])},
    )
    assert target.tolist() == np.zeros([1, 4, 3, 3]).tolist()
    assert weights.shape == (1, 4, 3)


def test_bilinear_masks_take_pixels_for_squares(run):
    # The mean of each 2 x 2 block; resizing that takes pixels for points gives 1, 0.
    masks = tf.constant([[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]])
    target, _ = targets.CenterNetMaskTargetAssigner(2).assign_segmentation_targets(
        [masks], [tf.ones([1, 1])]
    )
    np.testing.assert_allclose(run(target)[0, :, :, 0], [[0.25, 0]])


def test_surface_points(run):
    coordinates = np.zeros([2, 2, 4], np.float32)
    coordinates[0] = [[0.5, 0.25, 0.1, 0.2], [0.26, 0.99, 0.3, 0.4]]
    coordinates[1, 0] = [0.0, 1.0, 0.5, 0.6]
    assigner = targets.CenterNetDensePoseTargetAssigner(4)
    places, parts, surface, weights = run(
        assigner.assign_part_and_coordinate_targets(
            40,
            80,
            [tf.constant([2, 1])],
            [tf.constant([[0, 23], [4, 0]])],
            [tf.constant(coordinates)],
            [tf.constant([1.0, 0.5])],
        )
    )
    assert places.tolist() == [[0, 5, 5, 0], [0, 2, 19, 23], [0, 0, 20, 4], [0, 0, 0, 0]]
    np.testing.assert_array_equal(parts, np.eye(24)[[0, 23, 4, 0]])
    np.testing.assert_allclose(surface, [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0, 0]])
    np.testing.assert_allclose(weights, [1, 1, 0.5, 0])


def test_identities(run):
    assigner = targets.CenterNetTrackTargetAssigner(4, num_track_ids=3)
    boxes = [
        tf.constant([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0]]),
        tf.constant([[0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]),
    ]
    places, weights, identities = run(
        assigner.assign_track_targets(
            40,
            80,
            [tf.constant([2, -1]), tf.constant([0, 1])],
            boxes,
            [tf.constant([1.0, 0.0]), tf.ones([2])],
        )
    )
    assert places.tolist() == [[[0, 2, 5], [0, 0, 0]], [[1, 7, 15], [1, 5, 10]]]
    assert weights.tolist() == [[1, 0], [1, 1]]
    assert identities.tolist() == [[[0, 0, 1], [0, 0, 0]], [[1, 0, 0], [0, 1, 0]]]


def test_movements(run):
    assigner = targets.CenterNetTemporalOffsetTargetAssigner(4)
    boxes = [tf.constant([[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]]), tf.zeros([0, 4])]
    offsets = [tf.constant([[0.5, 0.4], [1.1, -1.2]]), tf.zeros([0, 2])]
    places, moved, weights = run(
        assigner.assign_temporal_offset_targets(
            40,
            80,
            boxes,
            offsets,
            [tf.constant([1.0, 0.0]), tf.zeros([0])],
            [tf.constant([0.5, 1.0]), tf.zeros([0])],
        )
    )
    assert places.tolist() == [[0, 2, 5], [0, 7, 15]]
    np.testing.assert_allclose(moved, [[0.5, 0.4], [1.1, -1.2]])
    np.testing.assert_allclose(weights, [0.5, 0])


def test_overlap_goes_to_the_smallest_mask(run):
    masks = np.stack([_square(4, 0, 0, 4, 4), _square(4, 1, 1, 3, 3), _square(4, 2, 2, 4, 4)])
    filtered, none = run([
        targets.filter_mask_overlap(tf.constant(masks)),
        targets.filter_mask_overlap_min_area(tf.zeros([0, 2, 3])),
    ])  # fmt: skip
    expected = masks.copy()
    expected[0, 1:3, 1:3] = expected[0, 2:, 2:] = 0
    expected[2, 2, 2] = 0  # both have four pixels: the first gets it
    np.testing.assert_array_equal(filtered, expected)
    assert none.shape == (0, 2, 3)
    with pytest.raises(ConfigError, match="min_area"):
        targets.filter_mask_overlap(tf.zeros([1, 2, 2]), method="max_area")


def test_corner_offsets(run):
    masks = np.stack([_square(4, 0, 0, 2, 2), np.zeros([4, 4])]).astype(np.float32)
    boxes = np.array([[0.0, 0.0, 0.5, 0.75], [0, 0, 1, 1]], np.float32)
    offsets, foreground = run(
        targets.CenterNetCornerOffsetTargetAssigner(1).assign_corner_offset_targets(
            [tf.constant(boxes), tf.zeros([0, 4])], [tf.constant(masks), tf.zeros([0, 4, 4])]
        )
    )
    np.testing.assert_array_equal(foreground[0], masks[0])
    for y, x in np.ndindex(4, 4):
        expected = np.array([-y, -x, 2 - y, 3 - x]) * masks[0, y, x]
        np.testing.assert_allclose(offsets[0, y, x], expected)
    assert not offsets[1].any()
    assert not foreground[1].any()
