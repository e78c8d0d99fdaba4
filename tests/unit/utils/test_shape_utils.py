"""Shapes of tensors, known when the graph is made and known later."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import image_resizer_builder
from object_detection.protos import image_resizer_pb2
from object_detection.utils import shape_utils, static_shape

ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)


@pytest.mark.parametrize(
    ("function", "length", "expected"),
    [
        pytest.param("pad_tensor", 3, ROWS, id="pad nothing"),
        pytest.param("pad_tensor", 4, [*ROWS.tolist(), [0, 0]], id="pad"),
        pytest.param("clip_tensor", 3, ROWS, id="clip nothing"),
        pytest.param("clip_tensor", 1, ROWS[:1], id="clip"),
        pytest.param("pad_or_clip_tensor", 0, np.zeros([0, 2]), id="clip all"),
        pytest.param("pad_or_clip_tensor", 2, ROWS[:2], id="either, clip"),
        pytest.param("pad_or_clip_tensor", 5, [*ROWS.tolist(), [0, 0], [0, 0]], id="either, pad"),
    ],
)
@pytest.mark.parametrize("dynamic", [False, True])
def test_rows_padded_and_cut(function, length, expected, dynamic, run):
    rows = tf.placeholder_with_default(ROWS, [None, 2])
    size = tf.constant(length) if dynamic else length
    result = getattr(shape_utils, function)(rows, size)
    if not dynamic:
        assert result.shape.as_list() == [length, 2]
    assert result.shape.rank == 2
    np.testing.assert_array_equal(run(result), expected)


def test_vectors_are_padded_too(run):
    assert run(shape_utils.pad_or_clip_tensor(tf.constant([1, 2]), 3)).tolist() == [1, 2, 0]
    assert run(shape_utils.pad_tensor(tf.zeros([0], tf.int32), 1)).tolist() == [0]


def test_all_axes_padded_and_cut(run):
    value = np.arange(24).reshape(2, 3, 4)
    tensor = tf.placeholder_with_default(value, [None, 3, 4])
    result = shape_utils.pad_or_clip_nd(tensor, [None, 5, tf.constant(2)])
    assert result.shape.as_list()[:2] == [None, 5]
    expected = np.zeros([2, 5, 2])
    expected[:, :3] = value[:, :, :2]
    np.testing.assert_array_equal(run(result), expected)
    assert shape_utils.pad_or_clip_nd(tensor, [1, None, 7]).shape.as_list() == [1, 3, 7]


def test_a_scalar_has_no_axis_to_pad(run):
    assert run(shape_utils.pad_or_clip_nd(tf.constant(3.0), [])) == 3.0


def test_shape_as_numbers_and_tensors(run):
    tensor = tf.placeholder_with_default(np.zeros([2, 3, 4]), [None, 3, 4])
    shape = shape_utils.combined_static_and_dynamic_shape(tensor)
    assert isinstance(shape[0], tf.Tensor)
    assert shape[1:] == [3, 4]
    assert run(shape[0]) == 2


def _mapped(static):
    value = np.arange(6, dtype=np.float32).reshape(3, 2)
    return tf.constant(value) if static else tf.placeholder_with_default(value, [None, 2])


@pytest.mark.parametrize("static", [True, False])
def test_mapping_over_rows(static, run):
    rows = _mapped(static)
    total = shape_utils.static_or_dynamic_map_fn(tf.reduce_sum, rows)
    two = shape_utils.static_or_dynamic_map_fn(
        lambda row: [row[0] + row[1], tf.cast(row[0][0], tf.int32)],
        [rows, rows],
        dtype=[tf.float32, tf.int32],
    )
    has_loop = any(op.name.startswith("map") for op in tf.get_default_graph().get_operations())
    assert has_loop != static
    assert isinstance(two, list)
    sums, (doubled, firsts) = run((total, two))
    assert sums.tolist() == [1, 5, 9]
    np.testing.assert_array_equal(doubled, 2 * np.arange(6).reshape(3, 2))
    assert firsts.tolist() == [0, 2, 4]


def test_mapping_over_no_rows(run):
    mapped = shape_utils.static_or_dynamic_map_fn(tf.reduce_sum, tf.zeros([0, 2]))
    assert run(mapped).shape == (0,)


@pytest.mark.parametrize(
    ("elems", "fn"),
    [
        pytest.param(lambda: [[tf.zeros([2])], tf.zeros([2])], lambda row: row, id="nested"),
        pytest.param(lambda: 3, lambda row: row, id="a number"),
        pytest.param(lambda: tf.zeros([2]), lambda row: 5, id="result is no tensor"),
        pytest.param(lambda: tf.zeros([2]), lambda row: [row, [row]], id="result is nested"),
    ],
)
def test_mapping_what_cannot_be(elems, fn):
    with pytest.raises(ValueError, match="tensor or a list of tensors"):
        shape_utils.static_or_dynamic_map_fn(fn, elems())


def test_least_size_of_pictures(run):
    picture = tf.zeros([1, 8, 10, 3])
    assert run(shape_utils.check_min_image_dim(8, picture)).shape == (1, 8, 10, 3)
    with pytest.raises(ValueError, match="at least 9"):
        shape_utils.check_min_image_dim(9, picture)
    later = tf.placeholder(tf.float32, [1, None, None, 3])
    checked = shape_utils.check_min_image_dim(8, later)
    assert run(checked, {later: np.zeros([1, 8, 10, 3])}).shape == (1, 8, 10, 3)
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(checked, {later: np.zeros([1, 8, 7, 3])})


@pytest.mark.parametrize(
    ("function", "first", "second", "fine"),
    [
        ("assert_shape_equal", [2, 3], [2, 3], True),
        ("assert_shape_equal", [], [], True),
        ("assert_shape_equal", [2, 3], [2, 4], False),
        ("assert_shape_equal", [2], [2, 3], False),
        ("assert_shape_equal_along_first_dimension", [2, 3], [2, 4, 5], True),
        ("assert_shape_equal_along_first_dimension", [2, 3], [3, 3], False),
    ],
)
def test_equal_shapes(function, first, second, fine, run):
    check = getattr(shape_utils, function)
    if fine:
        run(check(first, second))
    else:
        with pytest.raises(ValueError, match="Shapes should"):
            check(first, second)
    if len(first) != len(second) or not first:
        return
    later = check([tf.placeholder_with_default(size, []) for size in first], second)
    if fine:
        run(later)
    else:
        with pytest.raises(tf.errors.InvalidArgumentError):
            run(later)


@pytest.mark.parametrize(
    ("boxes", "options", "fine"),
    [
        (np.zeros([0, 4]), {}, True),
        ([[0, 0, 1.05, 1.1]], {}, True),
        ([[0, 0, 1.2, 1]], {}, False),
        ([[-0.1, 0, 1, 1]], {}, False),
        ([[0, 0, 1.2, 1]], {"maximum_normalized_coordinate": 1.3}, True),
    ],
)
def test_normalised_boxes(boxes, options, fine, run):
    check = shape_utils.assert_box_normalized(tf.constant(boxes, tf.float32), **options)
    if fine:
        run(check)
    else:
        with pytest.raises(tf.errors.InvalidArgumentError):
            run(check)


def test_joining_and_splitting_axes(run):
    value = np.arange(24).reshape(2, 3, 4)
    tensor = tf.placeholder_with_default(value, [None, 3, 4])
    results = [
        shape_utils.flatten_dimensions(tensor, 1, 3),
        shape_utils.flatten_dimensions(tensor, 0, 2),
        shape_utils.flatten_first_n_dimensions(tensor, 3),
        shape_utils.expand_first_dimension(tensor, [1, 2]),
        shape_utils.expand_first_dimension(tensor, [tf.placeholder_with_default(2, []), 1]),
    ]
    shapes = [[None, 12], [None, 4], [None], [1, 2, 3, 4], [None, 1, 3, 4]]
    assert [result.shape.as_list() for result in results] == shapes
    expected = [(2, 12), (6, 4), (24,), (1, 2, 3, 4), (2, 1, 3, 4)]
    for result, shape in zip(run(results), expected, strict=True):
        np.testing.assert_array_equal(result, value.reshape(shape))
    for first, last in ((3, 4), (0, 4), (2, 2)):
        with pytest.raises(ValueError, match="No axes"):
            shape_utils.flatten_dimensions(tensor, first, last)


@pytest.mark.parametrize("batch", [1, 2, None])
def test_resizing_pictures(batch, run):
    def resizer(image):
        return [image[:2], tf.shape(image)]

    images = tf.placeholder_with_default(
        np.zeros([batch or 2, 4, 6, 3], np.float32), [batch, 4, 6, 3]
    )
    resized, shapes = shape_utils.resize_images_and_return_shapes(images, resizer)
    assert resized.shape.as_list()[1:] == [2, 6, 3]
    assert shapes.dtype == tf.int32
    values = run((resized, shapes))
    assert values[0].shape == (batch or 2, 2, 6, 3)
    assert values[1].tolist() == [[4, 6, 3]] * (batch or 2)
    with pytest.raises(ValueError, match="float32 or uint8, got int32"):
        shape_utils.resize_images_and_return_shapes(tf.cast(images, tf.int32), resizer)


@pytest.mark.parametrize("method", ["BILINEAR", "NEAREST_NEIGHBOR", "BICUBIC", "AREA"])
@pytest.mark.parametrize("resizer", ["fixed_shape_resizer", "keep_aspect_ratio_resizer"])
def test_bytes_are_resized_as_the_same_numbers(resizer, method, run):
    sizes = {"fixed_shape_resizer": "height: 5 width: 9", "keep_aspect_ratio_resizer": ""}
    config = text_format.Parse(
        f"{resizer} {{ {sizes[resizer]} resize_method: {method} }}",
        image_resizer_pb2.ImageResizer(),
    )
    if not sizes[resizer]:
        config.keep_aspect_ratio_resizer.min_dimension = 5
        config.keep_aspect_ratio_resizer.max_dimension = 9
        config.keep_aspect_ratio_resizer.pad_to_max_dimension = True
        config.keep_aspect_ratio_resizer.per_channel_pad_value[:] = [1.5, 2.5, 3.5]
    pictures = np.random.RandomState(0).randint(0, 256, [2, 13, 7, 3]).astype(np.uint8)
    resize = image_resizer_builder.build(config)
    of_bytes, of_numbers = (
        shape_utils.resize_images_and_return_shapes(tf.constant(given), resize)
        for given in (pictures, pictures.astype(np.float32))
    )
    assert of_bytes[0].dtype == tf.float32
    found, expected = run((of_bytes, of_numbers))
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


def test_static_sizes():
    shape = tf.TensorShape([2, None, 4, 5])
    sizes = [
        static_shape.get_batch_size(shape),
        static_shape.get_height(shape),
        static_shape.get_width(shape),
        static_shape.get_depth(shape),
    ]
    assert sizes == [2, None, 4, 5]
    assert static_shape.get_dim_as_int(tf.Dimension(3)) == static_shape.get_dim_as_int(3) == 3
    for function in (static_shape.get_batch_size, static_shape.get_depth):
        with pytest.raises(ValueError, match="rank 4"):
            function(tf.TensorShape([2, 3]))
