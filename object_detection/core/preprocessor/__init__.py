"""Augmentations: functions on a picture, its boxes and what travels with them."""

from object_detection.core.preprocessor.autoaugment import (
    autoaugment_image,
)
from object_detection.core.preprocessor.concatenation import (
    random_self_concat_image,
)
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
from object_detection.core.preprocessor.geometric import (
    random_horizontal_flip,
    random_rotation90,
    random_vertical_flip,
)
from object_detection.core.preprocessor.labels import (
    convert_class_logits_to_softmax,
    drop_label_probabilistically,
    one_hot_encoding,
    random_jitter_boxes,
    remap_labels,
    retain_boxes_above_threshold,
    scale_boxes_to_pixel_coordinates,
)
from object_detection.core.preprocessor.occlusion import (
    random_black_patches,
    random_patch_gaussian,
)
from object_detection.core.preprocessor.padding import (
    random_absolute_pad_image,
    random_pad_image,
    random_pad_to_aspect_ratio,
)
from object_detection.core.preprocessor.photometric import (
    adjust_gamma,
    image_to_float,
    normalize_image,
    random_adjust_brightness,
    random_adjust_contrast,
    random_adjust_hue,
    random_adjust_saturation,
    random_distort_color,
    random_jpeg_quality,
    random_pixel_value_scale,
    random_rgb_to_gray,
    rgb_to_gray,
    subtract_channel_mean,
)
from object_detection.core.preprocessor.pipeline import (
    get_default_func_arg_map,
    preprocess,
)
from object_detection.core.preprocessor.resizing import (
    random_downscale_to_target_pixels,
    random_image_scale,
    random_resize_method,
    resize_image,
    resize_pad_to_multiple,
    resize_to_max_dimension,
    resize_to_min_dimension,
    resize_to_range,
)
from object_detection.core.preprocessor.rotation import (
    random_rotation,
)
from object_detection.core.preprocessor.square_crops import (
    random_scale_crop_and_pad_to_square,
    random_square_crop,
    random_square_crop_by_scale,
)

__all__ = [
    "adjust_gamma",
    "autoaugment_image",
    "convert_class_logits_to_softmax",
    "drop_label_probabilistically",
    "get_default_func_arg_map",
    "image_to_float",
    "normalize_image",
    "one_hot_encoding",
    "preprocess",
    "random_absolute_pad_image",
    "random_adjust_brightness",
    "random_adjust_contrast",
    "random_adjust_hue",
    "random_adjust_saturation",
    "random_black_patches",
    "random_crop_image",
    "random_crop_pad_image",
    "random_crop_to_aspect_ratio",
    "random_distort_color",
    "random_downscale_to_target_pixels",
    "random_horizontal_flip",
    "random_image_scale",
    "random_jitter_boxes",
    "random_jpeg_quality",
    "random_pad_image",
    "random_pad_to_aspect_ratio",
    "random_patch_gaussian",
    "random_pixel_value_scale",
    "random_resize_method",
    "random_rgb_to_gray",
    "random_rotation",
    "random_rotation90",
    "random_scale_crop_and_pad_to_square",
    "random_self_concat_image",
    "random_square_crop",
    "random_square_crop_by_scale",
    "random_vertical_flip",
    "remap_labels",
    "resize_image",
    "resize_pad_to_multiple",
    "resize_to_max_dimension",
    "resize_to_min_dimension",
    "resize_to_range",
    "retain_boxes_above_threshold",
    "rgb_to_gray",
    "scale_boxes_to_pixel_coordinates",
    "ssd_random_crop",
    "ssd_random_crop_fixed_aspect_ratio",
    "ssd_random_crop_pad",
    "ssd_random_crop_pad_fixed_aspect_ratio",
    "subtract_channel_mean",
]
