"""Targets of detectors of centres, by hand."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import target_assigner as targets
from object_detection.errors import ConfigError

NAN = float("nan")


def _corner_ious(height, width, distance):
    """IoUs of a box with itself moved, shrunk and grown by `distance` at each corner."""
    area = height * width
    shifted = max(height - distance, 0) * max(width - distance, 0)
    shrunk = max(height - 2 * distance, 0) * max(width - 2 * distance, 0)
    grown = (height + 2 * distance) * (width + 2 * distance)
    return shifted / (2 * area - shifted), shrunk / area, area / grown


@pytest.mark.parametrize(
    ("height", "width", "iou"),
    [(10, 5, 0.5), (10, 10, 0.7), (3, 40, 0.3), (1, 1, 0.9), (7, 7, 1.0)],
)
def test_distance_is_the_largest_that_keeps_the_overlap(height, width, iou, run):
    distance = run(targets.max_distance_for_overlap(height, width, iou))
    assert min(_corner_ious(height, width, distance)) == pytest.approx(iou, abs=1e-4)
    assert min(_corner_ious(height, width, distance + 0.05)) < iou


def test_distances_of_several_boxes(run):
    distances = targets.max_distance_for_overlap(
        tf.constant([0.0, 10.0]), tf.constant([0.0, 5.0]), 0.5
    )
    values = run(distances)
    assert values.shape == (2,)
    assert values[0] == 0


def _sigma(height, width, iou=0.7):
    """The Gaussian's deviation by search, not by the quadratic formulas."""
    distance = 0.0
    while min(_corner_ious(height, width, distance + 1e-3)) > iou:
        distance += 1e-3
    return (2 * np.floor(distance) + 1) / 6


BOXES = [[0.0, 0.0, 0.5, 0.25], [0.25, 0.5, 0.75, 1.0]]


@pytest.mark.parametrize("sparse", [False, True])
def test_heatmaps_of_boxes(sparse, run):
    assigner = targets.CenterNetCenterHeatmapTargetAssigner(4, compute_heatmap_sparse=sparse)
    heatmaps = assigner.assign_center_targets_from_boxes(
        160, 320, [tf.constant(BOXES), tf.zeros([0, 4])], [tf.eye(2), tf.zeros([0, 2])]
    )
    assert heatmaps.shape.as_list() == [2, 40, 80, 2]
    values = run(heatmaps)
    assert not values[1].any()
    # Boxes of 20 x 20 and 20 x 40 pixels of the output around (10, 10) and (20, 60).
    for channel, (y, x, height, width) in enumerate([(10, 10, 20, 20), (20, 60, 20, 40)]):
        sigma = _sigma(height, width)
        rows, columns = np.indices([40, 80])
        expected = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2))
        np.testing.assert_allclose(values[0, ..., channel], expected, atol=1e-5)


def test_heatmaps_with_weights_exponent_and_iou(run):
    boxes, classes = [tf.constant(BOXES)], [tf.eye(2)]
    weights = [tf.constant([1.0, 0.0])]
    plain, squared, iou = run([
        targets.CenterNetCenterHeatmapTargetAssigner(4, **options).assign_center_targets_from_boxes(
            160, 320, boxes, classes, weights
        )
        for options in ({}, {"heatmap_exponent": 2.0}, {"box_heatmap_type": "iou"})
    ])  # fmt: skip
    assert not plain[..., 1].any()
    np.testing.assert_allclose(squared, plain**2, atol=1e-6)
    assert iou[0, 10, 10, 0] == 1
    np.testing.assert_allclose(iou[0, 15, 10, 0], 0.6, rtol=1e-5)


def test_pictures_smaller_than_the_stride_keep_a_pixel(run):
    assigner = targets.CenterNetCenterHeatmapTargetAssigner(4)
    size = tf.placeholder(tf.int32, [])
    heatmaps = [
        assigner.assign_center_targets_from_boxes(
            side, 3, [tf.constant([[0.0, 0.0, 1.0, 1.0]])], [tf.ones([1, 1])]
        )
        for side in (3, size)
    ]
    first, second = run(heatmaps, {size: 3})
    assert first.tolist() == second.tolist() == [[[[1]]]]


def test_coordinates_that_are_not_normalised_fail(run):
    assigner = targets.CenterNetCenterHeatmapTargetAssigner(4)
    arguments = 40, 40, [tf.constant([[0.0, 0.0, 1.5, 1.5]])], [tf.ones([1, 1])]
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(assigner.assign_center_targets_from_boxes(*arguments))
    run(assigner.assign_center_targets_from_boxes(*arguments, maximum_normalized_coordinate=2.0))


def test_settings_that_are_refused():
    with pytest.raises(ConfigError, match="adaptive_gaussian, iou"):
        targets.CenterNetCenterHeatmapTargetAssigner(4, box_heatmap_type="circle")
    with pytest.raises(ConfigError, match="keypoint_class_id"):
        targets.CenterNetCenterHeatmapTargetAssigner(4).assign_center_targets_from_keypoints(
            8, 8, [], []
        )
    with pytest.raises(ConfigError, match="1 values for 2"):
        targets.CenterNetKeypointTargetAssigner(4, 0, [0, 1], [1.0])
    with pytest.raises(ValueError, match="different lengths"):
        targets.CenterNetBoxTargetAssigner(4).assign_size_and_offset_targets(
            8, 8, [tf.zeros([1, 4])], [tf.ones([1]), tf.ones([1])]
        )


def test_heatmaps_of_keypoints(run):
    assigner = targets.CenterNetCenterHeatmapTargetAssigner(
        4,
        keypoint_class_id=1,
        keypoint_indices=[0, 2],
        keypoint_weights_for_center=[1.0, 3.0],
    )
    keypoints = [[[0.2, 0.2], [NAN, NAN], [0.6, 0.6]], [[NAN] * 2] * 3, [[0.5, 0.5]] * 3]
    classes = [[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]
    heatmap = run(
        assigner.assign_center_targets_from_keypoints(
            400, 400, [tf.constant(classes)], [tf.constant(keypoints)]
        )
    )[0]
    # (20 + 3 * 60) / 4 = 50; mean distance (1 * 30 + 3 * 10) / 4 = 15, times sqrt(2).
    sigma = _sigma(2 * 15 * 2**0.5, 2 * 15 * 2**0.5)
    rows, columns = np.indices([100, 100])
    expected = np.exp(-((rows - 50) ** 2 + (columns - 50) ** 2) / (2 * sigma**2))
    np.testing.assert_allclose(heatmap[..., 1], expected, atol=1e-4)
    assert not heatmap[..., 0].any()


def test_sizes_and_offsets(run):
    assigner = targets.CenterNetBoxTargetAssigner(4)
    boxes = [tf.constant([[0.0, 0.0, 0.5, 0.25], [0.1, 0.1, 0.2, 0.3]]), tf.zeros([1, 4])]
    places, sizes, offsets, weights = run(
        assigner.assign_size_and_offset_targets(
            160, 320, boxes, [tf.constant([1.0, 0.5]), tf.zeros([1])]
        )
    )
    assert places.dtype == np.int32
    assert places.tolist() == [[0, 10, 10], [0, 6, 16], [1, 0, 0]]
    np.testing.assert_allclose(sizes, [[20, 20], [4, 16], [0, 0]], atol=1e-4)
    np.testing.assert_allclose(offsets, [[0, 0], [0, 0], [0, 0]], atol=1e-4)
    np.testing.assert_allclose(weights, [1, 0.5, 0])
    _, _, offsets, weights = run(
        assigner.assign_size_and_offset_targets(160, 320, [tf.constant([[0.0, 0.0, 0.05, 0.01]])])
    )
    np.testing.assert_allclose(offsets, [[0, 0.4]], atol=1e-4)
    assert weights.tolist() == [1]


def test_predictions_at_indices(run):
    single = np.arange(2 * 3 * 4 * 2, dtype=np.float32).reshape(2, 3, 4, 2)
    classes = np.arange(2 * 3 * 4 * 5 * 2, dtype=np.float32).reshape(2, 3, 4, 5, 2)
    picked = targets.get_batch_predictions_from_indices(
        tf.constant(single), tf.constant([[0, 1, 2], [1, 0, 3]])
    )
    of_class = targets.get_batch_predictions_from_indices(
        tf.constant(classes), tf.constant([[1, 2, 3, 4]])
    )
    first, second = run((picked, of_class))
    np.testing.assert_array_equal(first, [single[0, 1, 2], single[1, 0, 3]])
    np.testing.assert_array_equal(second, [classes[1, 2, 3, 4]])
