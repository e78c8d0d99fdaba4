"""`PreprocessingStep` message -> augmentation function and its keyword arguments."""

from collections.abc import Callable
from typing import Any

from object_detection.core import preprocessor
from object_detection.registry import Table

Step = tuple[Callable[..., Any], dict[str, Any]]

PREPROCESSING_STEPS = Table("data_augmentation_options")

# Steps whose fields are the function's keyword arguments.
_PLAIN = (
    preprocessor.random_pixel_value_scale,
    preprocessor.random_rgb_to_gray,
    preprocessor.random_adjust_brightness,
    preprocessor.random_adjust_contrast,
    preprocessor.random_adjust_hue,
    preprocessor.random_adjust_saturation,
    preprocessor.random_distort_color,
)


def _plain(function: Callable[..., Any]) -> Callable[[Any], Step]:
    def translate(config: Any) -> Step:
        names = [field.name for field in config.DESCRIPTOR.fields]
        return function, {name: getattr(config, name) for name in names}

    return translate


for _function in _PLAIN:
    PREPROCESSING_STEPS[_function.__name__] = _plain(_function)


@PREPROCESSING_STEPS.entry("random_horizontal_flip")
def _random_horizontal_flip(config: Any) -> Step:
    return preprocessor.random_horizontal_flip, {
        "keypoint_flip_permutation": tuple(config.keypoint_flip_permutation) or None,
        "probability": config.probability,
    }


def _crop(config: Any) -> dict[str, Any]:
    return {
        "min_object_covered": config.min_object_covered,
        "aspect_ratio_range": (config.min_aspect_ratio, config.max_aspect_ratio),
        "area_range": (config.min_area, config.max_area),
        "overlap_thresh": config.overlap_thresh,
        "clip_boxes": config.clip_boxes,
        "random_coef": config.random_coef,
    }


@PREPROCESSING_STEPS.entry("random_crop_image")
def _random_crop_image(config: Any) -> Step:
    return preprocessor.random_crop_image, _crop(config)


@PREPROCESSING_STEPS.entry("ssd_random_crop")
def _ssd_random_crop(config: Any) -> Step:
    if not config.operations:
        return preprocessor.ssd_random_crop, {}
    crops = [_crop(operation) for operation in config.operations]
    return preprocessor.ssd_random_crop, {name: [crop[name] for crop in crops] for name in crops[0]}


@PREPROCESSING_STEPS.entry("random_pad_image")
def _random_pad_image(config: Any) -> Step:
    def size(which: str) -> tuple[int, int] | None:
        names = (f"{which}_image_height", f"{which}_image_width")
        if not all(config.HasField(name) for name in names):
            return None
        return getattr(config, names[0]), getattr(config, names[1])

    return preprocessor.random_pad_image, {
        "min_image_size": size("min"),
        "max_image_size": size("max"),
        "pad_color": list(config.pad_color) or None,
    }


def build(preprocessor_step_config: Any) -> Step:
    """Builds what a `PreprocessingStep` message says.

    Returns:
        A function of `core.preprocessor`, and its keyword arguments.

    Raises:
        ConfigError: no step is set, or one that is not available.
    """
    case = preprocessor_step_config.WhichOneof("preprocessing_step")
    translate = PREPROCESSING_STEPS[case]
    step: Step = translate(getattr(preprocessor_step_config, case))
    return step
