import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor

Method = tf.image.ResizeMethod


# Size, settings of resize_to_range, new size. Halves round to even, as numbers do everywhere here.
RANGES = [
    pytest.param((60, 40), {"min_dimension": 50, "max_dimension": 100}, (75, 50), id="min side"),
    pytest.param((40, 30), {"min_dimension": 50, "max_dimension": 100}, (67, 50), id="rounded"),
    pytest.param((15, 50), {"min_dimension": 50, "max_dimension": 100}, (30, 100), id="max side"),
    pytest.param((60, 30), {"min_dimension": 50, "max_dimension": 100}, (100, 50), id="both"),
    pytest.param((20, 20), {"min_dimension": 50, "max_dimension": 50}, (50, 50), id="one size"),
    pytest.param((60, 30), {"min_dimension": 5, "max_dimension": 100}, (10, 5), id="smaller"),
    pytest.param((1, 300), {"min_dimension": 3, "max_dimension": 30}, (1, 30), id="thin"),
    pytest.param((60, 30), {"min_dimension": 50}, (100, 50), id="no bound"),
    pytest.param((60, 30), {"max_dimension": 20}, (20, 10), id="only a bound"),
]


@pytest.mark.parametrize(("size", "settings", "expected"), RANGES)
def test_sizes_in_a_range(size, settings, expected, run):
    image = tf.random_uniform([*size, 3])
    known, known_shape = preprocessor.resize_to_range(image, **settings)
    assert known.shape.as_list() == [*expected, 3]
    unknown = tf.placeholder_with_default(image, [None, None, 3])
    masks = tf.placeholder_with_default(tf.ones([2, *size]), [None, None, None])
    resized, resized_masks, shape = preprocessor.resize_to_range(unknown, masks, **settings)
    assert resized.shape.as_list() == [None, None, 3]
    results = run([resized, resized_masks, shape, known_shape])
    assert results[0].shape == (*expected, 3)
    assert results[1].shape == (2, *expected)
    assert results[2].tolist() == results[3].tolist() == [*expected, 3]


def test_padding_to_a_square(run):
    image = tf.ones([20, 10, 3]) * [10.0, 20.0, 30.0]
    padded, masks, shape = preprocessor.resize_to_range(
        image, tf.ones([1, 20, 10]), 15, 30, pad_to_max_dimension=True,
        per_channel_pad_value=(1.5, 2.5, 0.1),
    )  # fmt: skip
    assert padded.shape.as_list() == [30, 30, 3]
    padded, masks, shape = run([padded, masks, shape])
    assert shape.tolist() == [30, 15, 3]
    np.testing.assert_allclose(padded[:, :15], np.broadcast_to([10, 20, 30], [30, 15, 3]))
    color = np.array([1.5, 2.5, 0.1], np.float32)
    np.testing.assert_array_equal(padded[:, 15:], np.broadcast_to(color, [30, 15, 3]))
    assert masks[0].sum(axis=0).tolist() == [30] * 15 + [0] * 15


@pytest.mark.parametrize(
    "call",
    [
        lambda image: preprocessor.resize_to_range(image, None, 5, 10),
        lambda image: preprocessor.resize_to_min_dimension(image, None, 5),
        lambda image: preprocessor.resize_to_max_dimension(image, None, 5),
        lambda image: preprocessor.resize_pad_to_multiple(image, None, 5),
    ],
    ids=["range", "min", "max", "multiple"],
)
def test_batches_are_no_pictures(call):
    with pytest.raises(ValueError, match=r"\[H, W, C\]"):
        call(tf.zeros([1, 4, 4, 3]))


def test_what_a_range_cannot_do():
    with pytest.raises(ValueError, match="each of the 1 channels"):
        preprocessor.resize_to_range(tf.zeros([4, 4, 1]), None, 5, 10, pad_to_max_dimension=True)
    with pytest.raises(ValueError, match="needs max_dimension"):
        preprocessor.resize_to_range(tf.zeros([4, 4, 3]), None, 5, pad_to_max_dimension=True)
    with pytest.raises(ValueError, match="min_dimension, max_dimension or both"):
        preprocessor.resize_to_range(tf.zeros([4, 4, 3]))


SIDES = [
    (preprocessor.resize_to_min_dimension, {"min_dimension": 50}, (60, 55), (60, 55)),
    (preprocessor.resize_to_min_dimension, {"min_dimension": 50}, (15, 30), (50, 100)),
    (preprocessor.resize_to_min_dimension, {"min_dimension": 50}, (60, 40), (75, 50)),
    (preprocessor.resize_to_min_dimension, {"min_dimension": 50}, (30, 47), (50, 78)),
    (preprocessor.resize_to_max_dimension, {"max_dimension": 50}, (60, 30), (50, 25)),
    (preprocessor.resize_to_max_dimension, {"max_dimension": 50}, (30, 60), (25, 50)),
    (preprocessor.resize_to_max_dimension, {"max_dimension": 50}, (50, 20), (50, 20)),
    (preprocessor.resize_to_max_dimension, {"max_dimension": 50}, (70, 47), (50, 33)),
    (preprocessor.resize_pad_to_multiple, {"multiple": 16}, (16, 33), (16, 48)),
]


@pytest.mark.parametrize(("function", "settings", "size", "expected"), SIDES)
def test_sizes_by_one_side(function, settings, size, expected, run):
    known, masks, true_shape = function(tf.ones([*size, 3]), tf.ones([0, *size]), **settings)
    assert known.shape.as_list() == [*expected, 3]
    unknown = tf.placeholder_with_default(tf.ones([*size, 3]), [None, None, 3])
    results = run([known, masks, true_shape, *function(unknown, **settings)])
    assert results[0].shape == results[3].shape == (*expected, 3)
    assert results[1].shape == (0, *expected)
    true = size if function is preprocessor.resize_pad_to_multiple else expected
    assert results[2].tolist() == results[4].tolist() == [*true, 3]


def test_a_multiple_is_filled_with_zeros(run):
    image, masks, _ = run(
        preprocessor.resize_pad_to_multiple(tf.ones([3, 5, 1]), tf.ones([1, 3, 5]), multiple=4)
    )
    expected = np.zeros([4, 8])
    expected[:3, :5] = 1
    np.testing.assert_array_equal(image[..., 0], expected)
    np.testing.assert_array_equal(masks[0], expected)


def test_fixed_size(run):
    image = tf.reshape(tf.range(4.0), [2, 2, 1])
    masks = tf.constant([[[1, 0], [0, 1]]])
    results = preprocessor.resize_image(image, masks, 4, 4, Method.NEAREST_NEIGHBOR)
    assert isinstance(results, list)
    assert results[0].shape.as_list() == [4, 4, 1]
    resized, resized_masks, shape = run(results)
    np.testing.assert_array_equal(resized[..., 0], np.kron([[0, 1], [2, 3]], np.ones([2, 2])))
    np.testing.assert_array_equal(resized_masks[0], np.kron([[1, 0], [0, 1]], np.ones([2, 2])))
    assert resized_masks.dtype == np.int32
    assert shape.tolist() == [4, 4, 1]
    assert len(preprocessor.resize_image(image, None, 4, 4)) == 2


def test_corners_stay_in_the_corners(run):
    image = tf.constant([[[0.0], [3.0]]])
    aligned = preprocessor.resize_image(image, None, 1, 4, align_corners=True)[0]
    assert run(aligned).ravel().tolist() == [0, 1, 2, 3]


def test_a_random_scale(run):
    results = preprocessor.random_image_scale(
        tf.ones([10, 20, 3]), tf.ones([2, 10, 20]), min_scale_ratio=1.5, max_scale_ratio=1.5
    )
    image, masks = run(results)
    assert image.shape == (15, 30, 3)
    assert masks.shape == (2, 15, 30)
    assert len(preprocessor.random_image_scale(tf.ones([10, 20, 3]))) == 1


@pytest.mark.parametrize(
    ("size", "pixels", "coefficient", "expected"),
    [
        pytest.param((25, 100), (100, 101), 0.0, (5, 20), id="by hand"),
        pytest.param((25, 100), (100, 100), 0.0, (5, 20), id="one number"),
        pytest.param((25, 100), (100, 101), 1.0, (25, 100), id="never"),
        pytest.param((10, 10), (1000, 1001), 0.0, (10, 10), id="small enough"),
    ],
)
def test_downscaling_to_a_number_of_pixels(size, pixels, coefficient, expected, run):
    image, masks = run(
        preprocessor.random_downscale_to_target_pixels(
            tf.ones([*size, 3]), tf.ones([2, *size]), *pixels, random_coef=coefficient
        )
    )
    assert image.shape == (*expected, 3)
    assert masks.shape == (2, *expected)


def test_contradicting_numbers_of_pixels():
    with pytest.raises(ValueError, match="in this order"):
        preprocessor.random_downscale_to_target_pixels(tf.ones([4, 4, 3]), None, 100, 50)


def test_a_random_interpolation(run):
    image = tf.constant(np.random.RandomState(0).uniform(0, 255, [8, 8, 3]), tf.float32)
    resized = preprocessor.random_resize_method(image, (5, 6))
    assert resized.shape.as_list() == [5, 6, 3]
    with tf.Session() as session:
        results = {session.run(resized).tobytes() for _ in range(25)}
        ways = {
            session.run(tf.image.resize_images(image, (5, 6), method=way)).tobytes()
            for way in (Method.BILINEAR, Method.NEAREST_NEIGHBOR, Method.BICUBIC, Method.AREA)
        }
    assert results == ways
