"""Targets on grids of pixels, by hand and against loops in numpy."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.box_list import BoxList
from object_detection.utils import target_assigner_utils as grids

NAN = float("nan")


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (3, 2)])
def test_grids_hold_their_own_indices(height, width, run):
    y_grid, x_grid = grids.image_shape_to_grids(height, width)
    assert y_grid.dtype == x_grid.dtype == tf.float32
    assert y_grid.shape.as_list() == [height, width]
    values = run((y_grid, x_grid))
    np.testing.assert_array_equal(values, np.indices([height, width]))


def test_grids_of_sizes_known_later(run):
    height = tf.placeholder(tf.int32, [])
    y_grid, _ = grids.image_shape_to_grids(height, 2)
    assert run(y_grid, {height: 3}).tolist() == [[0, 0], [1, 1], [2, 2]]


def _heatmap_by_loops(points, sigmas, onehot, weights, height, width):
    heatmap = np.zeros([height, width, onehot.shape[1]])
    for (y, x), sigma, channels, weight in zip(points, sigmas, onehot, weights, strict=True):
        for row, column in np.ndindex(height, width):
            squared = (row - np.floor(y)) ** 2 + (column - np.floor(x)) ** 2
            value = np.exp(-squared / (2 * sigma**2)) * weight
            heatmap[row, column] = np.maximum(heatmap[row, column], value * channels)
    return heatmap


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("count", [0, 1, 4])
def test_gaussians(count, sparse, run):
    random = np.random.RandomState(count)
    points = random.uniform(-1, 6, [count, 2]).astype(np.float32)
    sigmas = random.uniform(0.3, 2, [count]).astype(np.float32)
    onehot = np.eye(3, dtype=np.float32)[random.randint(0, 3, [count])]
    weights = random.uniform(0, 1, [count]).astype(np.float32)
    y_grid, x_grid = grids.image_shape_to_grids(5, 6)
    heatmap = grids.coordinates_to_heatmap(
        y_grid, x_grid, tf.constant(points[:, 0]), tf.constant(points[:, 1]), tf.constant(sigmas),
        tf.constant(onehot), tf.constant(weights), sparse,
    )  # fmt: skip
    assert heatmap.shape.as_list() == [5, 6, 3]
    expected = _heatmap_by_loops(points, sigmas, onehot, weights, 5, 6)
    np.testing.assert_allclose(run(heatmap), expected, atol=1e-6)


def test_gaussians_without_weights_reach_one(run):
    y_grid, x_grid = grids.image_shape_to_grids(3, 3)
    heatmap = run(
        grids.coordinates_to_heatmap(
            y_grid, x_grid, tf.constant([1.9]), tf.constant([0.2]), tf.constant([1.0]),
            tf.constant([[1.0]]),
        )
    )  # fmt: skip
    assert heatmap[1, 0, 0] == 1
    np.testing.assert_allclose(heatmap[2, 1, 0], np.exp(-1), rtol=1e-6)


@pytest.mark.parametrize("as_boxlist", [True, False])
def test_iou_of_moved_boxes(as_boxlist, run):
    boxes = tf.constant([[0.0, 0.0, 4.0, 2.0], [1.0, 1.0, 1.0, 1.0]])
    y_grid, x_grid = grids.image_shape_to_grids(5, 4)
    heatmap = grids.coordinates_to_iou(
        y_grid, x_grid, BoxList(boxes) if as_boxlist else boxes, tf.eye(2), tf.constant([0.5, 1.0])
    )
    values = run(heatmap)
    assert values[2, 1, 0] == 0.5
    np.testing.assert_allclose(values[3, 1, 0], 0.5 * 6 / 10)
    np.testing.assert_allclose(values[0, 0, 0], 0.5 * 2 / 14)
    assert values[2, 3, 0] == 0
    assert not values[..., 1].any()  # a box without area overlaps nothing


def test_offsets_from_pixels(run):
    y, x = tf.constant([1.2, -0.5]), tf.constant([2.75, 3.0])
    offsets, pixels = run(grids.compute_floor_offsets_with_indices(y, x))
    np.testing.assert_allclose(offsets, [[0.2, 0.75], [0.5, 0.0]], atol=1e-6)
    assert pixels.dtype == np.int32
    assert pixels.tolist() == [[1, 2], [-1, 3]]


def test_offsets_from_several_pixels_to_one_target(run):
    sources = tf.constant([[1.0, 2.5], [3.0, 4.0]])
    offsets, pixels = run(
        grids.compute_floor_offsets_with_indices(
            sources, sources + 1.0, tf.constant([1.5, 3.5]), tf.constant([2.0, 4.0])
        )
    )
    np.testing.assert_allclose(
        offsets, [[[0.5, 0.0], [-0.5, -1.0]], [[0.5, 0.0], [-0.5, -1.0]]], atol=1e-6
    )
    assert pixels.tolist() == [[[1, 2], [2, 3]], [[3, 4], [4, 5]]]
    with pytest.raises(ValueError, match="do not fit"):
        grids.compute_floor_offsets_with_indices(sources, sources, tf.zeros([3]), tf.zeros([3]))


def test_mask_of_valid_keypoints(run):
    keypoints = tf.constant([[[0.1, 0.2], [NAN, NAN]], [[NAN, 0.5], [0.3, 0.4]]])
    onehot = tf.constant([[0.0, 1.0], [0.0, 1.0]])
    mask, points = run(grids.get_valid_keypoint_mask_for_class(keypoints, 1, onehot))
    assert mask.tolist() == [[1, 0], [0, 1]]
    np.testing.assert_allclose(points, [[[0.1, 0.2], [0, 0]], [[0, 0.5], [0.3, 0.4]]])
    mask, points = run(
        grids.get_valid_keypoint_mask_for_class(
            keypoints, 1, onehot, tf.constant([0.5, 0.25]), keypoint_indices=[1]
        )
    )
    assert mask.tolist() == [[0], [0.25]]
    assert points.shape == (2, 1, 2)
    other, _ = run(grids.get_valid_keypoint_mask_for_class(keypoints, 0, onehot))
    assert not other.any()


def test_weights_of_pixels(run):
    boxes = tf.constant([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 4.0, 2.0], [3.0, 0.0, 4.0, 4.0]])
    blackout = tf.constant([False, False, True])
    weighted, plain, none = run([
        grids.blackout_pixel_weights_by_box_regions(4, 4, boxes, blackout, tf.constant([4.0, 3.0, 2.0])),
        grids.blackout_pixel_weights_by_box_regions(4, 4, boxes, blackout),
        grids.blackout_pixel_weights_by_box_regions(2, 3, tf.zeros([0, 4]), tf.zeros([0], tf.bool)),
    ])  # fmt: skip
    assert weighted.tolist() == [[4, 4, 1, 1], [4, 4, 1, 1], [3, 3, 1, 1], [0, 0, 0, 0]]
    assert plain.tolist() == [[1, 1, 1, 1]] * 3 + [[0, 0, 0, 0]]
    assert none.tolist() == [[1, 1, 1]] * 2


def test_weights_of_pixels_in_larger_boxes(run):
    box = tf.constant([[1.0, 1.0, 3.0, 3.0]])
    scaled = grids.blackout_pixel_weights_by_box_regions(
        5, 5, box, tf.constant([True]), boxes_scale=2.0
    )
    expected = np.ones([5, 5])
    expected[:4, :4] = 0
    np.testing.assert_array_equal(run(scaled), expected)


@pytest.mark.parametrize(
    ("radius", "steps"),
    [
        pytest.param(0, [(0, 0)], id="the pixel"),
        pytest.param(1, [(-1, 0), (0, -1), (0, 0), (0, 1), (1, 0)], id="a cross"),
    ],
)
def test_pixels_around_points(radius, steps, run):
    points = np.array([[1.4, 2.9], [0.0, 0.5], [3.9, 4.0]], np.float32)
    y, x, valid = run(
        grids.get_surrounding_grids(
            4, 5, tf.constant(points[:, 0]), tf.constant(points[:, 1]), radius
        )
    )
    for index, (row, column) in enumerate(np.floor(points)):
        for neighbour, (dy, dx) in enumerate(steps):
            inside = 0 <= row + dy < 4 and 0 <= column + dx < 5
            assert valid[index, neighbour] == inside
            expected = (row + dy, column + dx) if inside else (0, 0)
            assert (y[index, neighbour], x[index, neighbour]) == expected
