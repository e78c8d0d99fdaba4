"""A list of augmentations, applied to a sample one after the other."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import encoded_image
from object_detection.core import standard_fields as fields
from object_detection.core.preprocessor import (
    autoaugment,
    concatenation,
    crop_and_pad,
    cropping,
    geometric,
    labels,
    occlusion,
    padding,
    photometric,
    resizing,
    rotation,
    square_crops,
)
from object_detection.errors import ConfigError
from object_detection.keypoints import geometry
from object_detection.utils.ops.groundtruth import PER_BOX

Inputs = fields.InputDataFields
Sample = dict[str, tf.Tensor]
Function = Callable[..., Any]
FuncArgMap = Mapping[Function, Sequence[str | None]]

# Parameter of an augmentation -> key of the sample.
FIELD_OF_PARAMETER = {
    "image": Inputs.image,
    "boxes": Inputs.groundtruth_boxes,
    "labels": Inputs.groundtruth_classes,
    "label_weights": Inputs.groundtruth_weights,
    "label_confidences": Inputs.groundtruth_confidences,
    "multiclass_scores": Inputs.multiclass_scores,
    "masks": Inputs.groundtruth_instance_masks,
    "mask_weights": Inputs.groundtruth_instance_mask_weights,
    "keypoints": Inputs.groundtruth_keypoints,
    "keypoint_visibilities": Inputs.groundtruth_keypoint_visibilities,
    "keypoint_flags": Inputs.groundtruth_keypoint_flags,
    "keypoint_depths": Inputs.groundtruth_keypoint_depths,
    "keypoint_depth_weights": Inputs.groundtruth_keypoint_depth_weights,
    "densepose_num_points": Inputs.groundtruth_dp_num_points,
    "densepose_part_ids": Inputs.groundtruth_dp_part_ids,
    "densepose_surface_coords": Inputs.groundtruth_dp_surface_coords,
}

# A decoder lists scores flat; once they have a row for each box, they follow.
_PER_BOX = (*sorted(PER_BOX), Inputs.multiclass_scores)
_DENSEPOSE = ("densepose_num_points", "densepose_part_ids", "densepose_surface_coords")

_FUNCTIONS: tuple[Function, ...] = (
    photometric.normalize_image,
    photometric.random_pixel_value_scale,
    photometric.random_rgb_to_gray,
    photometric.random_adjust_brightness,
    photometric.random_adjust_contrast,
    photometric.random_adjust_hue,
    photometric.random_adjust_saturation,
    photometric.random_distort_color,
    photometric.random_jpeg_quality,
    photometric.adjust_gamma,
    photometric.image_to_float,
    photometric.rgb_to_gray,
    photometric.subtract_channel_mean,
    geometric.random_horizontal_flip,
    geometric.random_vertical_flip,
    geometric.random_rotation90,
    rotation.random_rotation,
    cropping.random_crop_image,
    cropping.random_crop_to_aspect_ratio,
    cropping.ssd_random_crop,
    cropping.ssd_random_crop_fixed_aspect_ratio,
    crop_and_pad.random_crop_pad_image,
    crop_and_pad.ssd_random_crop_pad,
    crop_and_pad.ssd_random_crop_pad_fixed_aspect_ratio,
    square_crops.random_square_crop_by_scale,
    square_crops.random_scale_crop_and_pad_to_square,
    square_crops.random_square_crop,
    padding.random_pad_image,
    padding.random_absolute_pad_image,
    padding.random_pad_to_aspect_ratio,
    concatenation.random_self_concat_image,
    autoaugment.autoaugment_image,
    occlusion.random_black_patches,
    occlusion.random_patch_gaussian,
    resizing.random_image_scale,
    resizing.random_downscale_to_target_pixels,
    resizing.random_resize_method,
    resizing.resize_to_range,
    resizing.resize_to_min_dimension,
    resizing.resize_to_max_dimension,
    resizing.resize_pad_to_multiple,
    resizing.resize_image,
    labels.random_jitter_boxes,
    labels.retain_boxes_above_threshold,
    labels.drop_label_probabilistically,
    labels.remap_labels,
    labels.scale_boxes_to_pixel_coordinates,
    labels.one_hot_encoding,
    labels.convert_class_logits_to_softmax,
)

# What looks at the size of a picture only, so it may not be decoded yet.
_TAKE_ENCODED_IMAGES = frozenset(
    {
        geometric.random_horizontal_flip,
        geometric.random_vertical_flip,
        cropping.random_crop_image,
        cropping.random_crop_to_aspect_ratio,
        cropping.ssd_random_crop,
        cropping.ssd_random_crop_fixed_aspect_ratio,
    }
)


def _field(function: Function, parameter: str) -> str | None:
    """Key of the sample that a parameter stands for; None if it is a setting."""
    if function is labels.one_hot_encoding and parameter == "labels":
        return Inputs.groundtruth_image_classes
    return FIELD_OF_PARAMETER.get(parameter)


def get_default_func_arg_map(
    include_label_weights: bool = True,
    include_label_confidences: bool = False,
    include_multiclass_scores: bool = False,
    include_instance_masks: bool = False,
    include_instance_mask_weights: bool = False,
    include_keypoints: bool = False,
    include_keypoint_visibilities: bool = False,
    include_dense_pose: bool = False,
    include_keypoint_depths: bool = False,
) -> dict[Function, tuple[str | None, ...]]:
    """Which fields of a sample each augmentation takes by position; extend it with functions of yours.

    Args:
        include_label_weights: whether the samples have `groundtruth_weights`, and so on.
        include_label_confidences: `groundtruth_confidences`.
        include_multiclass_scores: `multiclass_scores`.
        include_instance_masks: `groundtruth_instance_masks`.
        include_instance_mask_weights: `groundtruth_instance_mask_weights`.
        include_keypoints: `groundtruth_keypoints`.
        include_keypoint_visibilities: `groundtruth_keypoint_visibilities`.
        include_dense_pose: the three fields `groundtruth_dp_*`.
        include_keypoint_depths: `groundtruth_keypoint_depths` and their weights.

    Returns:
        Function -> keys of the sample in the order of its parameters; None for what is left out.
    """
    included = {
        "label_weights": include_label_weights,
        "label_confidences": include_label_confidences,
        "multiclass_scores": include_multiclass_scores,
        "masks": include_instance_masks,
        "mask_weights": include_instance_mask_weights,
        "keypoints": include_keypoints,
        "keypoint_visibilities": include_keypoint_visibilities,
        "keypoint_depths": include_keypoint_depths,
        "keypoint_depth_weights": include_keypoint_depths,
        **dict.fromkeys(_DENSEPOSE, include_dense_pose),
    }
    return {
        function: tuple(
            _field(function, parameter.name) if included.get(parameter.name, True) else None
            for parameter in inspect.signature(function).parameters.values()
            if _field(function, parameter.name) and parameter.kind is not parameter.KEYWORD_ONLY
        )
        for function in _FUNCTIONS
    }


def preprocess(
    tensor_dict: Sample,
    preprocess_options: Sequence[tuple[Function, dict[str, Any]]],
    func_arg_map: FuncArgMap | None = None,
    preprocess_vars_cache: Any = None,
) -> Sample:
    """Applies augmentations to a sample.

    Each function gets those of the sample's tensors that it has parameters for, and returns them
    in the same order. All else that has a row for each box follows the choice of boxes.

    Before the first step and after each one, float32 boxes and keypoints are rounded to the grid of
    `geometry.on_grid`, by at most 2^-24: so flips and quarter turns are exactly undone by others.

    Args:
        tensor_dict: a sample; the picture, if there is one, is [1, H, W, C], float in [0, 255], or
            an `EncodedImage`, which is decoded before the first step that changes pixels.
        preprocess_options: pairs of function and keyword arguments.
        func_arg_map: function -> keys of the sample that it takes by position, or None where it
            gets None; see `get_default_func_arg_map`. By default the names of the parameters say
            what a function takes, and it gets all that the sample has.
        preprocess_vars_cache: `PreprocessorCache` that repeats the random choices of an earlier
            call.

    Returns:
        The sample with its changed tensors; an `EncodedImage` stays one if no step decoded it.

    Raises:
        ValueError: the picture is not one, or a function lacks its entry in the map or a field.
    """
    sample = dict(tensor_dict)
    if Inputs.image in sample and not _is_encoded(sample):
        image = tf.convert_to_tensor(sample[Inputs.image])
        if image.shape.rank != 4:
            raise ConfigError(f"The picture of a sample should be [1, H, W, C], got {image.shape}.")
        if image.shape.as_list()[0] not in (1, None):
            raise ConfigError(f"One picture at a time: expected [1, H, W, C], got {image.shape}.")
        sample[Inputs.image] = tf.squeeze(image, 0)
    _put_on_grid(sample)
    for function, settings in preprocess_options:
        _apply(function, dict(settings), sample, func_arg_map, preprocess_vars_cache)
        _put_on_grid(sample)
    if Inputs.image in sample and not _is_encoded(sample):
        sample[Inputs.image] = sample[Inputs.image][tf.newaxis]
    return sample


def _is_encoded(sample: Sample) -> bool:
    return isinstance(sample[Inputs.image], encoded_image.EncodedImage)


def _put_on_grid(sample: Sample) -> None:
    """Rounds the coordinates of boxes and keypoints of a sample, in place."""
    for field in (Inputs.groundtruth_boxes, Inputs.groundtruth_keypoints):
        if field in sample:
            coordinates = tf.convert_to_tensor(sample[field])
            if coordinates.dtype == tf.float32:
                sample[field] = geometry.on_grid(coordinates)


def _apply(
    function: Function,
    settings: dict[str, Any],
    sample: Sample,
    func_arg_map: FuncArgMap | None,
    cache: Any,
) -> None:
    """Applies one function to a sample in place."""
    parameters = inspect.signature(function).parameters
    # Expressions, not branches: AutoGraph, which tf.data applies, refuses annotated names in those.
    by_position = [] if func_arg_map is None else _mapped(function, sample, func_arg_map)
    by_name = (_all_that_fits if func_arg_map is None else _companions)(function, settings, sample)
    if cache is not None and "preprocess_vars_cache" in parameters:
        settings.setdefault("preprocess_vars_cache", cache)
    if Inputs.image in (*by_position, *by_name.values()) and function not in _TAKE_ENCODED_IMAGES:
        sample[Inputs.image] = encoded_image.float_pixels(sample[Inputs.image])
    named = {name: sample[field] for name, field in by_name.items() if field is not None}
    absent = dict.fromkeys(name for name, field in by_name.items() if field is None)
    boxes_before = sample.get(Inputs.groundtruth_boxes)
    follows = "more_rows" in parameters and boxes_before is not None
    if follows:
        # The numbers of the rows tell, afterwards, which boxes are left.
        more = {
            "row": tf.range(tf.shape(boxes_before)[0]),
            **{
                name: sample[FIELD_OF_PARAMETER[name]]
                for name in _DENSEPOSE
                if name not in parameters and FIELD_OF_PARAMETER[name] in sample
            },
        }
        settings["more_rows"] = more
    results = function(
        *(None if field is None else sample[field] for field in by_position),
        **named,
        **absent,
        **settings,
    )
    if not isinstance(results, list | tuple):
        results = (results,)
    changed = [field for field in (*by_position, *by_name.values()) if field is not None]
    if follows:
        changed += [FIELD_OF_PARAMETER[name] for name in more if name != "row"]
        # `row` comes before the fields of DensePose, as it went.
        row_at = len(changed) - (len(more) - 1)
        row = results[row_at]
        results = [*results[:row_at], *results[row_at + 1 :]]
    if len(results) < len(changed):
        raise ConfigError(
            f"{_name(function)} took {', '.join(changed)} and returned {len(results)} tensors; it "
            "should return as many as it takes."
        )
    # Resizers return the true shape on top of what they took.
    sample.update(zip(changed, results, strict=False))
    if follows:
        _follow(sample, set(changed), row, tf.shape(boxes_before)[0])


def _follow(sample: Sample, changed: set[str], row: tf.Tensor, num_before: tf.Tensor) -> None:
    """Chooses the rows of all fields that a function did not take itself."""
    for field in _PER_BOX:
        if field in sample and field not in changed:
            rows = sample[field]
            # Records without such a field decode to one without rows.
            sample[field] = tf.cond(
                tf.equal(tf.shape(rows)[0], num_before),
                lambda rows=rows: tf.gather(rows, row),
                lambda rows=rows: tf.identity(rows),
            )


def _all_that_fits(
    function: Function, settings: dict[str, Any], sample: Sample
) -> dict[str, str | None]:
    """Parameter -> key of the sample, for all that a function can take.

    None stands for weights that a sample does not have.
    """
    found: dict[str, str | None] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        field = _field(function, name)
        if field is None or name in settings:
            continue
        if field in sample:
            found[name] = field
        elif name == "label_weights":
            found[name] = None
        elif parameter.default is parameter.empty:
            raise ConfigError(f"{_name(function)} needs {field!r}, which the sample does not have.")
    return found


def _mapped(function: Function, sample: Sample, func_arg_map: FuncArgMap) -> list[str | None]:
    """The entry of a map, checked against the sample."""
    if function not in func_arg_map:
        raise ConfigError(
            f"{_name(function)} has no entry in func_arg_map; add one: the keys of the sample that "
            "it takes."
        )
    entry = list(func_arg_map[function])
    missing = [field for field in entry if field is not None and field not in sample]
    if missing:
        raise ConfigError(
            f"func_arg_map: {_name(function)} takes {', '.join(map(repr, missing))}, which the "
            f"sample does not have. It has {', '.join(sorted(sample))}."
        )
    return entry


def _companions(
    function: Function, settings: dict[str, Any], sample: Sample
) -> dict[str, str | None]:
    """What functions of this package take by name only: a map has no place for it."""
    if function not in _FUNCTIONS:
        return {}
    return {
        name: FIELD_OF_PARAMETER[name]
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
        and FIELD_OF_PARAMETER.get(name) in sample
        and name not in settings
    }


def _name(function: Function) -> str:
    return getattr(function, "__name__", repr(function))
