"""Remembers the random numbers of augmentations, so that a second call repeats the first.

Two pictures of one scene, two frames of a film say, stay comparable when both are flipped or
neither is: give both calls of `preprocessor.preprocess` the same cache.
"""

from typing import Any

from object_detection.errors import ConfigError


class PreprocessorCache:
    """Random numbers (tensors of one graph) by function and, within a function, by key."""

    ROTATION90 = "rotation90"
    HORIZONTAL_FLIP = "horizontal_flip"
    VERTICAL_FLIP = "vertical_flip"
    PIXEL_VALUE_SCALE = "pixel_value_scale"
    IMAGE_SCALE = "image_scale"
    RGB_TO_GRAY = "rgb_to_gray"
    ADJUST_BRIGHTNESS = "adjust_brightness"
    ADJUST_CONTRAST = "adjust_contrast"
    ADJUST_HUE = "adjust_hue"
    ADJUST_SATURATION = "adjust_saturation"
    DISTORT_COLOR = "distort_color"
    STRICT_CROP_IMAGE = "strict_crop_image"
    CROP_IMAGE = "crop_image"
    PAD_IMAGE = "pad_image"
    CROP_TO_ASPECT_RATIO = "crop_to_aspect_ratio"
    RESIZE_METHOD = "resize_method"
    PAD_TO_ASPECT_RATIO = "pad_to_aspect_ratio"
    BLACK_PATCHES = "black_patches"
    ADD_BLACK_PATCH = "add_black_patch"
    SELECTOR = "selector"
    SELECTOR_TUPLES = "selector_tuples"
    SELF_CONCAT_IMAGE = "self_concat_image"
    SSD_CROP_SELECTOR_ID = "ssd_crop_selector_id"
    SSD_CROP_PAD_SELECTOR_ID = "ssd_crop_pad_selector_id"
    JPEG_QUALITY = "jpeg_quality"
    DOWNSCALE_TO_TARGET_PIXELS = "downscale_to_target_pixels"
    PATCH_GAUSSIAN = "patch_gaussian"
    SQUARE_CROP_BY_SCALE = "square_crop_scale"
    ROTATION = "rotation"
    SQUARE_CROP = "square_crop"

    def __init__(self) -> None:
        self._values: dict[str, dict[Any, Any]] = {}
        self._functions = frozenset(
            value
            for name, value in vars(PreprocessorCache).items()
            if name.isupper() and isinstance(value, str)
        )

    def clear(self) -> None:
        """Forgets everything."""
        self._values = {}

    def get(self, function_id: str, key: Any) -> Any:
        """The remembered value, or None.

        Args:
            function_id: one of the constants of this class.
            key: of the value within the function.

        Raises:
            ConfigError: a `function_id` that is none of the constants.
        """
        self._check(function_id)
        return self._values.get(function_id, {}).get(key)

    def update(self, function_id: str, key: Any, value: Any) -> None:
        """Remembers a value.

        Args:
            function_id: one of the constants of this class.
            key: of the value within the function.
            value: replaces what was remembered.

        Raises:
            ConfigError: a `function_id` that is none of the constants.
        """
        self._check(function_id)
        self._values.setdefault(function_id, {})[key] = value

    def _check(self, function_id: str) -> None:
        if function_id not in self._functions:
            raise ConfigError(
                f"PreprocessorCache: {function_id!r} is no function; known are "
                f"{', '.join(sorted(self._functions))}."
            )
