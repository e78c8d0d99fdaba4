"""Augmentations: functions on a picture, its boxes and what travels with them."""

from object_detection.core.preprocessor.crop_and_pad import (
    random_crop_pad_image,
    ssd_random_crop_pad,
    ssd_random_crop_pad_fixed_aspect_ratio,
)
from object_detection.core.preprocessor.cropping import (
    random_crop_image,
    random_crop_to_aspect_ratio,
    ssd_random_crop,
    ssd_random_crop_fixed_aspect_ratio,
)
from object_detection.core.preprocessor.geometric import random_horizontal_flip
from object_detection.core.preprocessor.padding import (
    random_absolute_pad_image,
    random_pad_image,
    random_pad_to_aspect_ratio,
)
from object_detection.core.preprocessor.photometric import (
    adjust_gamma,
    random_adjust_brightness,
    random_adjust_contrast,
    random_adjust_hue,
    random_adjust_saturation,
    random_distort_color,
    random_jpeg_quality,
    random_pixel_value_scale,
    random_rgb_to_gray,
    rgb_to_gray,
)
from object_detection.core.preprocessor.pipeline import preprocess
from object_detection.core.preprocessor.resizing import (
    random_image_scale,
    resize_image,
    resize_to_range,
)

__all__ = [
    "adjust_gamma",
    "preprocess",
    "random_absolute_pad_image",
    "random_adjust_brightness",
    "random_adjust_contrast",
    "random_adjust_hue",
    "random_adjust_saturation",
    "random_crop_image",
    "random_crop_pad_image",
    "random_crop_to_aspect_ratio",
    "random_distort_color",
    "random_horizontal_flip",
    "random_image_scale",
    "random_jpeg_quality",
    "random_pad_image",
    "random_pad_to_aspect_ratio",
    "random_pixel_value_scale",
    "random_rgb_to_gray",
    "resize_image",
    "resize_to_range",
    "rgb_to_gray",
    "ssd_random_crop",
    "ssd_random_crop_fixed_aspect_ratio",
    "ssd_random_crop_pad",
    "ssd_random_crop_pad_fixed_aspect_ratio",
]
