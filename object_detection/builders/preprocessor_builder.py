"""`PreprocessingStep` message -> augmentation function and its keyword arguments."""

import inspect
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor
from object_detection.errors import ConfigError
from object_detection.protos import preprocessor_pb2
from object_detection.registry import Table

Step = tuple[Callable[..., Any], dict[str, Any]]

PREPROCESSING_STEPS = Table("data_augmentation_options")

# Steps whose fields are the function's keyword arguments, by name.
PREPROCESSING_FUNCTION_MAP: dict[str, Callable[..., Any]] = {
    "normalize_image": preprocessor.normalize_image,
    "random_pixel_value_scale": preprocessor.random_pixel_value_scale,
    "random_image_scale": preprocessor.random_image_scale,
    "random_rgb_to_gray": preprocessor.random_rgb_to_gray,
    "random_adjust_brightness": preprocessor.random_adjust_brightness,
    "random_adjust_contrast": preprocessor.random_adjust_contrast,
    "random_adjust_hue": preprocessor.random_adjust_hue,
    "random_adjust_saturation": preprocessor.random_adjust_saturation,
    "random_distort_color": preprocessor.random_distort_color,
    "random_crop_to_aspect_ratio": preprocessor.random_crop_to_aspect_ratio,
    "random_black_patches": preprocessor.random_black_patches,
    "random_jpeg_quality": preprocessor.random_jpeg_quality,
    "random_downscale_to_target_pixels": preprocessor.random_downscale_to_target_pixels,
    "random_patch_gaussian": preprocessor.random_patch_gaussian,
    "rgb_to_gray": preprocessor.rgb_to_gray,
    "scale_boxes_to_pixel_coordinates": preprocessor.scale_boxes_to_pixel_coordinates,
    "subtract_channel_mean": preprocessor.subtract_channel_mean,
    "convert_class_logits_to_softmax": preprocessor.convert_class_logits_to_softmax,
}

_Method = preprocessor_pb2.ResizeImage.Method
RESIZE_METHOD_MAP = {
    _Method.Value("AREA"): tf.image.ResizeMethod.AREA,
    _Method.Value("BICUBIC"): tf.image.ResizeMethod.BICUBIC,
    _Method.Value("BILINEAR"): tf.image.ResizeMethod.BILINEAR,
    _Method.Value("NEAREST_NEIGHBOR"): tf.image.ResizeMethod.NEAREST_NEIGHBOR,
}


def _plain(function: Callable[..., Any], config: Any) -> Step:
    """The fields that are set; for the others the function's defaults hold, if it has any."""
    required = {
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty
    }
    settings: dict[str, Any] = {}
    for field in config.DESCRIPTOR.fields:
        value = getattr(config, field.name)
        if isinstance(value, int | float | str):
            if field.name in required or config.HasField(field.name):
                settings[field.name] = value
        elif value:
            settings[field.name] = list(value)
    return function, settings


def _all_fields(function: Callable[..., Any]) -> Callable[[Any], Step]:
    """A step whose fields are the function's arguments, set or not."""

    def translate(config: Any) -> Step:
        names = [field.name for field in config.DESCRIPTOR.fields]
        return function, {name: getattr(config, name) for name in names}

    return translate


for _function in (
    preprocessor.adjust_gamma,
    preprocessor.autoaugment_image,
    preprocessor.random_self_concat_image,
    preprocessor.random_square_crop_by_scale,
    preprocessor.random_scale_crop_and_pad_to_square,
):
    PREPROCESSING_STEPS[_function.__name__] = _all_fields(_function)


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


def get_random_jitter_kwargs(proto: Any) -> dict[str, Any]:
    """Keyword arguments of `random_jitter_boxes` for a `RandomJitterBoxes` message."""
    return {
        "ratio": proto.ratio,
        "jitter_mode": proto.JitterMode.Name(proto.jitter_mode).lower(),
    }


@PREPROCESSING_STEPS.entry("random_rotation")
def _random_rotation(config: Any) -> Step:
    return preprocessor.random_rotation, {
        "min_angle": config.min_angle,
        "max_angle": config.max_angle,
        "probability": config.probability,
        "expand": config.expand,
        "box_shape": config.BoxShape.Name(config.box_shape).lower(),
        "overlap_thresh": config.overlap_thresh,
        "pad_color": _color(config),
    }


@PREPROCESSING_STEPS.entry("random_square_crop")
def _random_square_crop(config: Any) -> Step:
    return preprocessor.random_square_crop, {
        "factors": tuple(config.factor),
        "min_factor": config.min_factor,
        "max_factor": config.max_factor,
        "max_attempts": config.max_attempts,
        "probability": config.probability,
        "pad_color": _color(config),
    }


@PREPROCESSING_STEPS.entry("mosaic")
def _mosaic(config: Any) -> Step:
    raise ConfigError(
        "data_augmentation_options.mosaic puts several samples together, so it is no step of one "
        "sample: build the whole list with `inputs.mosaic.build`, as training does. Programs that "
        f"take samples one by one cannot have it. Found: {{{str(config).strip()}}}"
    )


@PREPROCESSING_STEPS.entry("random_jitter_boxes")
def _random_jitter_boxes(config: Any) -> Step:
    return preprocessor.random_jitter_boxes, get_random_jitter_kwargs(config)


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


@PREPROCESSING_STEPS.entry("resize_image")
def _resize_image(config: Any) -> Step:
    return preprocessor.resize_image, {
        "new_height": config.new_height,
        "new_width": config.new_width,
        "method": RESIZE_METHOD_MAP[config.method],
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
    if not config.operations and not config.HasField("aspect_ratio"):
        return preprocessor.ssd_random_crop_fixed_aspect_ratio, {}
    settings = {"aspect_ratio": config.aspect_ratio}
    if config.operations:
        names = ("min_object_covered", "overlap_thresh", "clip_boxes", "random_coef")
        settings |= {name: [getattr(one, name) for one in config.operations] for name in names}
        settings["area_range"] = [(one.min_area, one.max_area) for one in config.operations]
    return preprocessor.ssd_random_crop_fixed_aspect_ratio, settings


def _color(config: Any) -> tuple[float, ...] | None:
    """C numbers; None, the picture's mean, where none is set."""
    return tuple(config.pad_color) or None


def _pad_color(config: Any) -> tf.Tensor | None:
    """[C] float32; None, the picture's mean, where none is set."""
    return tf.constant(list(config.pad_color), tf.float32) if config.pad_color else None


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
    settings = _crop(config) | _canvas(config) | {"pad_color": _pad_color(config)}
    return preprocessor.random_crop_pad_image, settings


@PREPROCESSING_STEPS.entry("ssd_random_crop_pad")
def _ssd_random_crop_pad(config: Any) -> Step:
    if not config.operations:
        return preprocessor.ssd_random_crop_pad, {}
    defaults = {"min_padded_size_ratio": (1.0, 1.0), "max_padded_size_ratio": (2.0, 2.0)}
    crops = []
    for one in config.operations:
        color = (one.pad_color_r, one.pad_color_g, one.pad_color_b)
        crops.append(_crop(one) | defaults | _canvas(one) | {"pad_color": color})
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
        "max_height_padding": config.max_height_padding or 1,
        "max_width_padding": config.max_width_padding or 1,
        "pad_color": _pad_color(config),
    }


@PREPROCESSING_STEPS.entry("random_pad_image")
def _random_pad_image(config: Any) -> Step:
    def size(which: str) -> tuple[int, int] | None:
        names = (f"{which}_image_height", f"{which}_image_width")
        are_set = [config.HasField(name) for name in names]
        if any(are_set) and not all(are_set):
            raise ConfigError(f"random_pad_image: set both of {' and '.join(names)}, or neither.")
        if not any(are_set):
            return None
        return getattr(config, names[0]), getattr(config, names[1])

    return preprocessor.random_pad_image, {
        "min_image_size": size("min"),
        "max_image_size": size("max"),
        "pad_color": _pad_color(config),
    }


def build(preprocessor_step_config: Any) -> Step:
    """Builds what a `PreprocessingStep` message says.

    Returns:
        A function of `core.preprocessor`, and its keyword arguments.

    Raises:
        ConfigError: no step is set, or one that is not available.
    """
    case = preprocessor_step_config.WhichOneof("preprocessing_step")
    if case in PREPROCESSING_FUNCTION_MAP:
        return _plain(PREPROCESSING_FUNCTION_MAP[case], getattr(preprocessor_step_config, case))
    translate = PREPROCESSING_STEPS[case]
    step: Step = translate(getattr(preprocessor_step_config, case))
    return step
