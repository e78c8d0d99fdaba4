"""A list of augmentations, applied to a sample one after the other."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields

Inputs = fields.InputDataFields

# Parameter of an augmentation -> key of the sample.
FIELD_OF_PARAMETER = {
    "image": Inputs.image,
    "boxes": Inputs.groundtruth_boxes,
    "labels": Inputs.groundtruth_classes,
    "label_weights": Inputs.groundtruth_weights,
    "label_confidences": Inputs.groundtruth_confidences,
    "multiclass_scores": Inputs.multiclass_scores,
    "masks": Inputs.groundtruth_instance_masks,
    "keypoints": Inputs.groundtruth_keypoints,
    "keypoint_visibilities": Inputs.groundtruth_keypoint_visibilities,
}


def preprocess(
    tensor_dict: dict[str, tf.Tensor],
    preprocess_options: Sequence[tuple[Callable[..., Any], dict[str, Any]]],
    func_arg_map: Any = None,
    preprocess_vars_cache: Any = None,
) -> dict[str, tf.Tensor]:
    """Applies augmentations to a sample.

    Each function gets those of the sample's tensors that it has parameters for, and returns
    them in the order of its parameters that were given.

    Args:
        tensor_dict: a sample; the picture is [1, H, W, C] or [H, W, C], float in [0, 255].
        preprocess_options: pairs of function and keyword arguments.
        func_arg_map: not needed: the parameters' names say what a function takes.
        preprocess_vars_cache: passed on to functions that take it.

    Returns:
        The sample with its changed tensors; the picture's rank is kept.

    Raises:
        ValueError: the picture has another rank, or a batch of more than 1.
    """
    del func_arg_map
    sample = dict(tensor_dict)
    batched = False
    if Inputs.image in sample:
        image = sample[Inputs.image]
        batched = image.shape.rank == 4
        if batched:
            if image.shape.as_list()[0] not in (1, None):
                raise ValueError(
                    f"One picture at a time: expected [1, H, W, C], got {image.shape}."
                )
            sample[Inputs.image] = tf.squeeze(image, 0)
        elif image.shape.rank != 3:
            raise ValueError(f"The picture should be [1, H, W, C], got {image.shape}.")
    for function, settings in preprocess_options:
        parameters = inspect.signature(function).parameters
        taken = [
            (name, FIELD_OF_PARAMETER[name])
            for name in FIELD_OF_PARAMETER
            if name in parameters and FIELD_OF_PARAMETER[name] in sample
        ]
        # The order of the function's own parameters is that of its results, but for
        # visibilities, which some take last and all return after the keypoints.
        arguments: dict[str, Any] = {name: sample[field] for name, field in taken}
        if "preprocess_vars_cache" in parameters:
            arguments["preprocess_vars_cache"] = preprocess_vars_cache
        if "label_weights" in parameters and "label_weights" not in arguments:
            arguments["label_weights"] = None
        results = function(**arguments, **settings)
        if not isinstance(results, list | tuple):
            results = (results,)
        for (_, field), result in zip(taken, results, strict=True):
            sample[field] = result
        _drop_stale(sample, {field for _, field in taken})
    if batched:
        sample[Inputs.image] = sample[Inputs.image][tf.newaxis]
    return sample


def _drop_stale(sample: dict[str, tf.Tensor], changed: set[str]) -> None:
    """Keeps visibilities in step with keypoints when a function moved only the latter."""
    both = Inputs.groundtruth_keypoints in sample
    both &= Inputs.groundtruth_keypoint_visibilities in sample
    if both and Inputs.groundtruth_keypoint_visibilities not in changed:
        absent = tf.reduce_any(tf.math.is_nan(sample[Inputs.groundtruth_keypoints]), axis=-1)
        sample[Inputs.groundtruth_keypoint_visibilities] = tf.logical_and(
            sample[Inputs.groundtruth_keypoint_visibilities], tf.logical_not(absent)
        )
