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
