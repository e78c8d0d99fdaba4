"""Crops out of feature maps, by hand and against TensorFlow's own."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.utils import spatial_transform_ops as crops

BOXES = np.array(
    [
        [[0, 0, 1, 1], [0.1, 0.2, 0.7, 0.8], [0.3, 0.3, 0.3, 0.3]],
        [[-0.2, 0.1, 0.5, 1.3], [0.9, 0.9, 0.1, 0.1], [0.5, 0, 0.5, 1]],
    ],
    np.float32,
)


def _image(height=7, width=5, channels=2, seed=0):
    return np.random.RandomState(seed).uniform(size=[2, height, width, channels]).astype(np.float32)


def _reference(image, boxes, size, value=0.0):
    picture = tf.repeat(tf.range(boxes.shape[0]), boxes.shape[1])
    result = tf.image.crop_and_resize(
        image, boxes.reshape(-1, 4), picture, size, extrapolation_value=value
    )
    return tf.reshape(result, [*boxes.shape[:2], *size, image.shape[3]])


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 5)])
@pytest.mark.parametrize("value", [0.0, 5.0])
def test_matmul_crops_are_those_of_tensorflow(size, value, run):
    image = _image()
    ours = crops.matmul_crop_and_resize(
        tf.constant(image), tf.constant(BOXES), size, extrapolation_value=value
    )
    assert ours.shape.as_list() == [2, 3, *size, 2]
    ours, theirs = run((ours, _reference(image, BOXES, size, value)))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("function", ["matmul_crop_and_resize", "native_crop_and_resize"])
def test_sizes_known_later(function, run):
    image = tf.placeholder(tf.float32, [None, None, None, 2])
    boxes = tf.placeholder(tf.float32, [None, None, 4])
    ours = getattr(crops, function)(image, boxes, [3, 2])
    assert ours.shape.as_list() == [None, None, 3, 2, 2]
    feed = {image: _image(), boxes: BOXES}
    values, theirs = run((ours, _reference(_image(), BOXES, [3, 2])), feed)
    np.testing.assert_allclose(values, theirs, atol=1e-5)
    assert run(ours, {image: _image(), boxes: BOXES[:, :0]}).shape == (2, 0, 3, 2, 2)


def test_other_float_types(run):
    result = crops.matmul_crop_and_resize(tf.cast(_image(), tf.float16), tf.constant(BOXES), [2, 2])
    assert result.dtype == tf.float16
    values, theirs = run((result, _reference(_image(), BOXES, [2, 2])))
    np.testing.assert_allclose(values, theirs, atol=1e-2)


@pytest.mark.parametrize(
    ("image", "boxes", "size"),
    [
        pytest.param([5, 5, 2], [1, 1, 4], [2, 2], id="image"),
        pytest.param([1, 5, 5, 2], [1, 4], [2, 2], id="boxes"),
        pytest.param([1, 5, 5, 2], [1, 1, 3], [2, 2], id="three numbers a box"),
        pytest.param([1, 5, 5, 2], [1, 1, 4], [2], id="one side"),
        pytest.param([1, 5, 5, 2], [1, 1, 4], 2, id="no list"),
        pytest.param([1, 5, 5, 2], [1, 1, 4], [0, 2], id="no pixels"),
    ],
)
def test_shapes_that_are_refused(image, boxes, size):
    with pytest.raises(ValueError, match="should be"):
        crops.matmul_crop_and_resize(tf.zeros(image), tf.zeros(boxes), size)


@pytest.mark.parametrize("kind", ["matmul", "native"])
def test_crops_out_of_several_maps(kind, run):
    maps = [_image(7, 5), _image(4, 3, seed=1)]
    levels = np.array([[0, 1, 0], [1, 1, 0]])
    single = getattr(crops, f"{kind}_crop_and_resize")
    several = getattr(crops, f"multilevel_{kind}_crop_and_resize")
    tensors = [tf.constant(one) for one in maps]
    chosen, of_first, each = run([
        several(tensors, tf.constant(BOXES), tf.constant(levels), [3, 3]),
        several(tensors, tf.constant(BOXES), None, [3, 3]),
        [single(one, tf.constant(BOXES), [3, 3]) for one in tensors],
    ])  # fmt: skip
    np.testing.assert_array_equal(of_first, each[0])
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(chosen[index], each[levels[index]][index])


@pytest.mark.parametrize(
    ("align", "expected"), [(False, [0.75, 2.25, 3.75, 5.25]), (True, [0, 2, 4, 6])]
)
def test_points_over_boxes(align, expected, run):
    boxes = tf.constant([[[0.0, 0.0, 6.0, 6.0], [1.0, -6.0, 7.0, 0.0]]])
    y, x = run(crops.box_grid_coordinate_vectors(boxes, 4, 4, align_corners=align))
    np.testing.assert_allclose(y[0], [expected, np.add(expected, 1)], atol=1e-6)
    np.testing.assert_allclose(x[0], [expected, np.subtract(expected, 6)], atol=1e-6)


@pytest.mark.parametrize("align", [False, True])
def test_one_point_over_a_box_is_its_middle(align, run):
    boxes = tf.constant([[[0.0, 2.0, 6.0, 6.0]]])
    points = run(crops.box_grid_coordinate_vectors(boxes, 1, 1, align_corners=align))
    assert [value.tolist() for value in points] == [[[[3]]], [[[4]]]]


def test_pixels_around_points(run):
    y0, x0, y1, x1 = run(
        crops.feature_grid_coordinate_vectors(tf.constant([[[1.5, -0.2]]]), tf.constant([[[2.0]]]))
    )
    assert y0.dtype == np.int32
    assert (y0.tolist(), y1.tolist()) == ([[[1, -1]]], [[[2, 0]]])
    assert (x0.tolist(), x1.tolist()) == ([[[2]]], [[[3]]])


def test_rows_of_flat_features(run):
    y, x = np.array([[[1, 2]], [[0, 3]]]), np.array([[[0, 4, 1]], [[2, 2, 3]]])
    levels = np.array([[1], [0]])
    indices = crops.ravel_indices(
        tf.constant(y, tf.int32), tf.constant(x, tf.int32), 2, 6, 5, tf.constant(levels, tf.int32)
    )
    expected = [
        np.ravel_multi_index((b, levels[b, 0], y[b, 0, i], x[b, 0, j]), (2, 2, 6, 5))
        for b in range(2)
        for i in range(2)
        for j in range(3)
    ]
    assert run(indices).tolist() == expected


def test_maps_padded_to_one_size(run):
    maps = [_image(2, 5), _image(3, 4)]
    later = tf.placeholder_with_default(maps[1], [None, None, None, 2])
    for second in (tf.constant(maps[1]), later):
        stacked, sizes = crops.pad_to_max_size([tf.constant(maps[0]), second])
        assert stacked.shape.rank == 5
        values, sizes = run((stacked, sizes))
        assert values.shape == (2, 2, 3, 5, 2)
        assert sizes.tolist() == [[2, 5], [3, 4]]
        np.testing.assert_array_equal(values[:, 0, :2], maps[0])
        np.testing.assert_array_equal(values[:, 1, :, :4], maps[1])
        assert not values[:, 0, 2:].any()
        assert not values[:, 1, :, 4:].any()
    single, sizes = run(crops.pad_to_max_size([tf.constant(maps[0])]))
    assert single.shape == (2, 1, 2, 5, 2)
    assert sizes.tolist() == [[2, 5]]


def test_aligned_cells_meet_pixels(run):
    image = np.arange(25, dtype=np.float32).reshape(1, 5, 5, 1)
    whole = tf.constant([[[0.0, 0.0, 1.0, 1.0]]])
    result = crops.multilevel_roi_align(
        [tf.constant(image)], whole, tf.constant([[0]]), output_size=[2, 2]
    )
    np.testing.assert_allclose(run(result)[0, 0, :, :, 0], [[6, 8], [16, 18]])


@pytest.mark.parametrize("samples", [(1, 1), (2, 3)])
@pytest.mark.parametrize("align", [False, True])
def test_means_of_samples(samples, align, run):
    """Against bilinear interpolation by hand, sample for sample."""
    maps = [_image(7, 5), _image(4, 6, seed=1)]
    levels = np.array([[0, 1, 0], [1, 1, 0]])
    height, width, outside = 2, 3, 0.5

    def pixel(image, y, x):
        inside = 0 <= y < image.shape[0] and 0 <= x < image.shape[1]
        return image[int(y), int(x)] if inside else np.full(image.shape[2], outside)

    def sample(image, y, x):
        y0, x0 = np.floor(y), np.floor(x)
        ly, lx = y - y0, x - x0
        return (
            pixel(image, y0, x0) * (1 - ly) * (1 - lx)
            + pixel(image, y0, x0 + 1) * (1 - ly) * lx
            + pixel(image, y0 + 1, x0) * ly * (1 - lx)
            + pixel(image, y0 + 1, x0 + 1) * ly * lx
        )

    def points(low, high, count):
        if align:
            return low + (high - low) * np.arange(count) / (count - 1)
        return low + (high - low) * (np.arange(count) + 0.5) / count

    expected = np.zeros([2, 3, height, width, 2])
    for b, n in np.ndindex(2, 3):
        image = maps[levels[b, n]][b]
        ymin, xmin, ymax, xmax = BOXES[b, n] * np.tile(np.array(image.shape[:2]) - 1, 2)
        ys = points(ymin, ymax, height * samples[0])
        xs = points(xmin, xmax, width * samples[1])
        grid = np.array([[sample(image, y, x) for x in xs] for y in ys])
        expected[b, n] = grid.reshape(height, samples[0], width, samples[1], 2).mean((1, 3))
    result = crops.multilevel_roi_align(
        [tf.constant(one) for one in maps],
        tf.constant(BOXES),
        tf.constant(levels),
        [height, width],
        *samples,
        align_corners=align,
        extrapolation_value=outside,
    )
    assert result.shape.as_list() == [2, 3, height, width, 2]
    np.testing.assert_allclose(run(result), expected, atol=2e-4)
