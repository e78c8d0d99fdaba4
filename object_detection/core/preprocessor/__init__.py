"""Augmentations: functions on a picture, its boxes and what travels with them."""

from object_detection.core.preprocessor.cropping import random_crop_image, ssd_random_crop
from object_detection.core.preprocessor.geometric import random_horizontal_flip
from object_detection.core.preprocessor.padding import random_pad_image
from object_detection.core.preprocessor.photometric import (
    random_adjust_brightness,
    random_adjust_contrast,
    random_adjust_hue,
    random_adjust_saturation,
    random_distort_color,
    random_pixel_value_scale,
    random_rgb_to_gray,
)
from object_detection.core.preprocessor.pipeline import preprocess
from object_detection.core.preprocessor.resizing import resize_image, resize_to_range

__all__ = [
    "preprocess",
    "random_adjust_brightness",
    "random_adjust_contrast",
    "random_adjust_hue",
    "random_adjust_saturation",
    "random_crop_image",
    "random_distort_color",
    "random_horizontal_flip",
    "random_pad_image",
    "random_pixel_value_scale",
    "random_rgb_to_gray",
    "resize_image",
    "resize_to_range",
    "ssd_random_crop",
]
