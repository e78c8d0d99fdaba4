import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import preprocessor_builder
from object_detection.core import preprocessor
from object_detection.core import standard_fields as fields
from object_detection.protos import preprocessor_pb2

Inputs = fields.InputDataFields

STEPS = (
    "random_pixel_value_scale {}",
    "random_rgb_to_gray { probability: 1 }",
    "random_adjust_brightness { max_delta: 0.5 }",
    "random_adjust_contrast { max_delta: 3 }",
    "random_adjust_hue { max_delta: 0.3 }",
    "random_adjust_saturation { max_delta: 3 }",
    "random_distort_color { color_ordering: 0 }",
    "random_distort_color { color_ordering: 1 }",
    "random_jpeg_quality { min_jpeg_quality: 5 max_jpeg_quality: 20 }",
    "adjust_gamma { gamma: 2 }",
    "random_black_patches { probability: 0.9 size_to_image_ratio: 0.3 }",
    "random_patch_gaussian { min_patch_size: 8 max_patch_size: 30 }",
)


@pytest.fixture
def picture():
    return np.random.RandomState(4).uniform(0, 255, [24, 32, 3]).astype(np.float32)


def _step(text):
    return preprocessor_builder.build(text_format.Parse(text, preprocessor_pb2.PreprocessingStep()))


@pytest.mark.parametrize("text", STEPS)
def test_pictures_change_and_stay_in_range(text, picture, run):
    sample = {Inputs.image: tf.constant(picture[np.newaxis])}
    images = [preprocessor.preprocess(sample, [_step(text)])[Inputs.image] for _ in range(4)]
    values = run(images)
    assert max(np.abs(value - picture).max() for value in values) > 1
    for value in values:
        assert value.shape == (1, *picture.shape)
        assert value.min() >= 0
        assert value.max() <= 255


def test_gamma_by_hand(run):
    image = tf.fill([1, 1, 3], 127.5)
    np.testing.assert_allclose(run(preprocessor.adjust_gamma(image, 2.0)), 0.25 * 255)


def test_grey_has_equal_channels(picture, run):
    image = run(preprocessor.random_rgb_to_gray(tf.constant(picture), 1.0))
    np.testing.assert_allclose(image[..., 0], image[..., 1])
    # The weights of ITU-R BT.601.
    np.testing.assert_allclose(image[..., 0], picture @ [0.2989, 0.587, 0.114], rtol=1e-3)


def test_brightness_moves_all_pixels_alike(run):
    image = run(preprocessor.random_adjust_brightness(tf.fill([2, 2, 3], 100.0), 0.1))
    assert np.ptp(image) < 1e-3
    assert abs(image[0, 0, 0] - 100) <= 25.5 + 1e-3


@pytest.mark.parametrize("function", [
    preprocessor.random_adjust_brightness, preprocessor.random_adjust_contrast,
    preprocessor.random_adjust_hue, preprocessor.random_adjust_saturation,
    lambda image: preprocessor.random_rgb_to_gray(image, 1.0),
    lambda image: preprocessor.adjust_gamma(image, 2.0),
    preprocessor.random_distort_color,
    preprocessor.random_jpeg_quality,
    lambda image: preprocessor.random_patch_gaussian(image, 99, 99, 0.5, 0.5),
], ids=["brightness", "contrast", "hue", "saturation", "gray", "gamma", "all", "jpeg", "noise"])  # fmt: skip
def test_only_the_first_three_channels_are_colours(function, picture, run):
    depth = np.arange(24 * 32, dtype=np.float32).reshape(24, 32, 1)
    image = function(tf.constant(np.concatenate([picture, depth], axis=-1)))
    assert image.shape.as_list() == [24, 32, 4]
    value = run(image)
    np.testing.assert_array_equal(value[..., 3:], depth)
    assert np.abs(value[..., :3] - picture).max() > 0


def test_settings_that_change_nothing(picture, run):
    image = tf.constant(picture)
    same = run([
        preprocessor.random_adjust_brightness(image, 0.0),
        preprocessor.random_adjust_contrast(image, 1.0, 1.0),
        preprocessor.random_adjust_hue(image, 0.0),
        preprocessor.random_adjust_saturation(image, 1.0, 1.0),
        preprocessor.random_pixel_value_scale(image, 1.0, 1.0),
        preprocessor.random_rgb_to_gray(image, 0.0),
        preprocessor.random_jpeg_quality(image, random_coef=1.0),
        preprocessor.random_patch_gaussian(image, random_coef=1.0),
        preprocessor.random_black_patches(image, probability=0.0),
        preprocessor.adjust_gamma(image),
    ])  # fmt: skip
    for value in same:
        np.testing.assert_allclose(value, picture, atol=2e-3)


def test_contrast_and_pixel_scale_by_hand(run):
    image = tf.constant([[[100.0] * 3, [200.0] * 3]])
    contrast = preprocessor.random_adjust_contrast(image, 0.5, 0.5)
    np.testing.assert_allclose(run(contrast)[0, :, 0], [125, 175], rtol=1e-5)
    scaled = preprocessor.random_pixel_value_scale(image, 1.5, 1.5)
    np.testing.assert_allclose(run(scaled)[0, :, 0], [150, 255], rtol=1e-5)


def test_unknown_order_of_colours():
    with pytest.raises(ValueError, match="0 or 1"):
        preprocessor.random_distort_color(tf.zeros([2, 2, 3]), color_ordering=2)


def test_types(run):
    pixels = tf.constant([[[1, 2, 255]]], tf.uint8)
    assert run(preprocessor.image_to_float(pixels)).dtype == np.float32
    np.testing.assert_allclose(run(preprocessor.image_to_float(pixels)), [[[1, 2, 255]]])
    gray = run(preprocessor.rgb_to_gray(tf.constant([[[100.0, 50.0, 200.0]]])))
    np.testing.assert_allclose(gray, [[[0.2989 * 100 + 0.587 * 50 + 0.114 * 200]]], rtol=1e-3)


def test_black_patches_lie_within_the_picture():
    """One square of a quarter of the shorter side, 6 of 24 pixels."""
    image = preprocessor.random_black_patches(
        tf.ones([24, 32, 3]), max_black_patches=1, probability=1.0, size_to_image_ratio=0.25
    )
    with tf.Session() as session:
        holes = [np.argwhere(session.run(image)[..., 0] == 0) for _ in range(20)]
    for hole in holes:
        assert len(hole) == 36
        assert (np.ptp(hole, axis=0) == 5).all()
    assert len({tuple(hole[0]) for hole in holes}) > 5


def test_noise_stays_in_its_square():
    image = preprocessor.random_patch_gaussian(
        tf.zeros([20, 30, 3]) + 100.0, 5, 5, min_gaussian_stddev=0.1, max_gaussian_stddev=0.1
    )
    with tf.Session() as session:
        noises = [session.run(image)[..., 0] - 100 for _ in range(20)]
    for noise in noises:
        places = np.argwhere(noise)
        assert (np.ptp(places, axis=0) <= 4).all()
        assert len(places) >= 9, "the middle lies in the picture"
    assert 15 < np.std(np.concatenate([noise[noise != 0] for noise in noises])) < 36


def test_quality_of_a_jpeg(picture, run):
    """As TensorFlow's own encoder does it."""
    pixels = tf.cast(tf.constant(picture), tf.uint8)
    expected = tf.image.decode_jpeg(tf.image.encode_jpeg(pixels, quality=30))
    distorted = tf.image.adjust_jpeg_quality(pixels, 30)
    values = run(
        [preprocessor.random_jpeg_quality(tf.constant(picture), 30, 30), distorted, expected]
    )
    assert values[0].dtype == np.float32
    np.testing.assert_array_equal(values[0], values[1])
    assert np.abs(values[0] - values[2]).mean() < 10
