"""`PreprocessingStep` message -> augmentation function and its keyword arguments."""

from collections.abc import Callable
from typing import Any

from object_detection.core import preprocessor
from object_detection.errors import ConfigError
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
    preprocessor.random_image_scale,
    preprocessor.random_jpeg_quality,
    preprocessor.adjust_gamma,
    preprocessor.normalize_image,
    preprocessor.random_black_patches,
    preprocessor.random_patch_gaussian,
    preprocessor.random_downscale_to_target_pixels,
    preprocessor.rgb_to_gray,
    preprocessor.scale_boxes_to_pixel_coordinates,
    preprocessor.convert_class_logits_to_softmax,
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


@PREPROCESSING_STEPS.entry("random_vertical_flip")
def _random_vertical_flip(config: Any) -> Step:
    return preprocessor.random_vertical_flip, {
        "keypoint_flip_permutation": tuple(config.keypoint_flip_permutation) or None,
        "probability": config.probability,
    }


@PREPROCESSING_STEPS.entry("random_rotation90")
def _random_rotation90(config: Any) -> Step:
    return preprocessor.random_rotation90, {
        "keypoint_rot_permutation": tuple(config.keypoint_rot_permutation) or None,
        "probability": config.probability,
    }


@PREPROCESSING_STEPS.entry("random_jitter_boxes")
def _random_jitter_boxes(config: Any) -> Step:
    mode = config.JitterMode.Name(config.jitter_mode).lower()
    return preprocessor.random_jitter_boxes, {"ratio": config.ratio, "jitter_mode": mode}


@PREPROCESSING_STEPS.entry("subtract_channel_mean")
def _subtract_channel_mean(config: Any) -> Step:
    return preprocessor.subtract_channel_mean, {"means": list(config.means)}


@PREPROCESSING_STEPS.entry("remap_labels")
def _remap_labels(config: Any) -> Step:
    return preprocessor.remap_labels, {
        "original_labels": list(config.original_labels),
        "new_label": config.new_label,
    }


@PREPROCESSING_STEPS.entry("drop_label_probabilistically")
def _drop_label_probabilistically(config: Any) -> Step:
    return preprocessor.drop_label_probabilistically, {
        "dropped_label": config.label,
        "drop_probability": config.drop_probability,
    }


@PREPROCESSING_STEPS.entry("random_resize_method")
def _random_resize_method(config: Any) -> Step:
    return preprocessor.random_resize_method, {
        "target_size": [config.target_height, config.target_width]
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


@PREPROCESSING_STEPS.entry("ssd_random_crop_fixed_aspect_ratio")
def _ssd_random_crop_fixed_aspect_ratio(config: Any) -> Step:
    settings = {"aspect_ratio": config.aspect_ratio}
    if config.operations:
        names = ("min_object_covered", "overlap_thresh", "clip_boxes", "random_coef")
        settings |= {name: [getattr(one, name) for one in config.operations] for name in names}
        settings["area_range"] = [(one.min_area, one.max_area) for one in config.operations]
    return preprocessor.ssd_random_crop_fixed_aspect_ratio, settings


@PREPROCESSING_STEPS.entry("random_crop_to_aspect_ratio")
def _random_crop_to_aspect_ratio(config: Any) -> Step:
    return preprocessor.random_crop_to_aspect_ratio, {
        "aspect_ratio": config.aspect_ratio,
        "overlap_thresh": config.overlap_thresh,
        "clip_boxes": config.clip_boxes,
    }


def _canvas(config: Any) -> dict[str, Any]:
    """Bounds of the canvas that a message sets; the function's defaults hold for the others."""
    names = ("min_padded_size_ratio", "max_padded_size_ratio")
    sizes: dict[str, Any] = {name: tuple(getattr(config, name)) for name in names}
    for name, ratio in sizes.items():
        if ratio and len(ratio) != 2:
            raise ConfigError(f"{name}: give height and width, got {list(ratio)}.")
    return {name: ratio for name, ratio in sizes.items() if ratio}


@PREPROCESSING_STEPS.entry("random_crop_pad_image")
def _random_crop_pad_image(config: Any) -> Step:
    settings = _crop(config) | _canvas(config)
    if config.pad_color:
        settings["pad_color"] = list(config.pad_color)
    return preprocessor.random_crop_pad_image, settings


@PREPROCESSING_STEPS.entry("ssd_random_crop_pad")
def _ssd_random_crop_pad(config: Any) -> Step:
    if not config.operations:
        return preprocessor.ssd_random_crop_pad, {}
    defaults = {"min_padded_size_ratio": (1.0, 1.0), "max_padded_size_ratio": (2.0, 2.0)}
    crops = []
    for one in config.operations:
        colors = (one.pad_color_r, one.pad_color_g, one.pad_color_b)
        is_set = any(one.HasField(f"pad_color_{channel}") for channel in "rgb")
        crops.append(
            _crop(one) | defaults | _canvas(one) | {"pad_color": colors if is_set else None}
        )
    names = list(crops[0])
    return preprocessor.ssd_random_crop_pad, {
        name: [crop[name] for crop in crops] for name in names
    }


@PREPROCESSING_STEPS.entry("ssd_random_crop_pad_fixed_aspect_ratio")
def _ssd_random_crop_pad_fixed_aspect_ratio(config: Any) -> Step:
    settings = {"aspect_ratio": config.aspect_ratio, **_canvas(config)}
    if config.operations:
        crops = [_crop(one) for one in config.operations]
        settings |= {name: [crop[name] for crop in crops] for name in crops[0]}
    return preprocessor.ssd_random_crop_pad_fixed_aspect_ratio, settings


@PREPROCESSING_STEPS.entry("random_absolute_pad_image")
def _random_absolute_pad_image(config: Any) -> Step:
    return preprocessor.random_absolute_pad_image, {
        "max_height_padding": config.max_height_padding,
        "max_width_padding": config.max_width_padding,
        "pad_color": list(config.pad_color) or None,
    }


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
