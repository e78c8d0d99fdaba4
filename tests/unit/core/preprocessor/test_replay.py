"""A cache repeats random choices, with placeholders of unknown size as with constants."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor
from object_detection.core import standard_fields as fields
from object_detection.core.preprocessor_cache import PreprocessorCache

Inputs = fields.InputDataFields
MIRROR = {"keypoint_flip_permutation": np.array([0, 2, 1])}

OPTIONS = {
    "random_horizontal_flip": MIRROR,
    "random_vertical_flip": MIRROR,
    "random_rotation90": {},
    "random_pixel_value_scale": {},
    "random_image_scale": {},
    "random_rgb_to_gray": {"probability": 0.5},
    "random_adjust_brightness": {},
    "random_adjust_contrast": {},
    "random_adjust_hue": {},
    "random_adjust_saturation": {},
    "random_distort_color": {},
    "random_crop_image": {"random_coef": 0.3},
    "random_pad_image": {},
    "random_absolute_pad_image": {"max_height_padding": 9, "max_width_padding": 5},
    "random_crop_pad_image": {"random_coef": 0.3},
    "random_crop_to_aspect_ratio": {},
    "random_pad_to_aspect_ratio": {},
    "random_black_patches": {},
    "random_jpeg_quality": {"random_coef": 0.2},
    "random_downscale_to_target_pixels": {"min_target_pixels": 100, "max_target_pixels": 900},
    "random_patch_gaussian": {"max_patch_size": 20},
    "random_resize_method": {"target_size": (11, 12)},
    "random_self_concat_image": {
        "concat_vertical_probability": 0.5,
        "concat_horizontal_probability": 0.5,
    },
    "ssd_random_crop": {},
    "ssd_random_crop_pad": {},
    "ssd_random_crop_fixed_aspect_ratio": {},
    "ssd_random_crop_pad_fixed_aspect_ratio": {},
    "random_square_crop_by_scale": {"max_border": 8},
    "random_square_crop": {"probability": 0.8},
    "random_rotation": {"min_angle": -180.0, "max_angle": 180.0, "expand": True},
}


@pytest.fixture
def sample():
    generator = np.random.RandomState(0)
    corners = np.array([[0.1, 0.1, 0.8, 0.3], [0.2, 0.4, 0.75, 0.75], [0.3, 0.1, 0.4, 0.7]])
    points = generator.uniform(size=[3, 3, 2]) * (corners[:, None, 2:] - corners[:, None, :2])
    return {
        Inputs.image: generator.uniform(0, 255, [1, 32, 48, 3]).astype(np.float32),
        Inputs.groundtruth_boxes: corners.astype(np.float32),
        Inputs.groundtruth_classes: np.array([1, 7, 11]),
        Inputs.groundtruth_weights: np.ones([3], np.float32),
        Inputs.groundtruth_instance_masks: generator.randint(0, 2, [3, 32, 48]).astype(np.uint8),
        Inputs.groundtruth_keypoints: (points + corners[:, None, :2]).astype(np.float32),
        Inputs.groundtruth_keypoint_visibilities: np.ones([3, 3], bool),
    }


def _placeholders(sample):
    """One of which nothing is known, not even the rank, for each field but the picture."""
    return {
        key: tf.placeholder(value.dtype, [None] * 4 if key == Inputs.image else None)
        for key, value in sample.items()
    }


@pytest.mark.parametrize("with_map", [False, True], ids=["by name", "by map"])
@pytest.mark.parametrize("name", OPTIONS)
def test_a_second_call_repeats_the_first(name, with_map, sample):
    tensors = _placeholders(sample)
    feed = {tensors[key]: value for key, value in sample.items()}
    mapped = preprocessor.get_default_func_arg_map(
        include_instance_masks=True, include_keypoints=True, include_keypoint_visibilities=True
    )
    steps = [(getattr(preprocessor, name), OPTIONS[name])]
    cache = PreprocessorCache()
    pair = [
        preprocessor.preprocess(tensors, steps, mapped if with_map else None, cache)
        for _ in range(2)
    ]
    pictures = set()
    with tf.Session() as session:
        for _ in range(8):
            first, second = session.run(pair, feed)
            for key, value in first.items():
                np.testing.assert_array_equal(value, second[key], err_msg=key)
            assert len({len(value) for key, value in first.items() if key != Inputs.image}) == 1
            points = first[Inputs.groundtruth_keypoints]
            visible = first[Inputs.groundtruth_keypoint_visibilities]
            np.testing.assert_array_equal(visible, ~np.isnan(points).any(-1))
            assert not ((points < 0) | (points > 1)).any()
            pictures.add(first[Inputs.image].tobytes())
    assert len(pictures) > 1, "each run draws anew"


def test_without_a_cache_each_call_draws_for_itself(run):
    image = tf.zeros([1, 4, 4, 3]) + 100.0
    steps = [(preprocessor.random_adjust_brightness, {})]
    first, second = (preprocessor.preprocess({Inputs.image: image}, steps) for _ in range(2))
    values = run([first[Inputs.image], second[Inputs.image]])
    assert abs(values[0].mean() - values[1].mean()) > 0


def test_what_a_cache_remembers():
    cache = PreprocessorCache()
    assert cache.get(PreprocessorCache.ROTATION90, "key") is None
    cache.update(PreprocessorCache.ROTATION90, "key", 3)
    cache.update(PreprocessorCache.HORIZONTAL_FLIP, "key", 4)
    assert cache.get(PreprocessorCache.ROTATION90, "key") == 3
    assert cache.get(PreprocessorCache.ROTATION90, "other") is None
    assert cache.get(PreprocessorCache.HORIZONTAL_FLIP, "key") == 4
    cache.clear()
    assert cache.get(PreprocessorCache.ROTATION90, "key") is None


def test_a_cache_knows_its_functions():
    cache = PreprocessorCache()
    with pytest.raises(ValueError, match="'wobble' is no function"):
        cache.get("wobble", "key")
    with pytest.raises(ValueError, match="'wobble' is no function"):
        cache.update("wobble", "key", 1)
