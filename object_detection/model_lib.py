"""Batches of (features, labels) handed to a model, for training loops written for the OD API.

Axes: B images, M groundtruth boxes (padded), C classes, K keypoints.
"""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection import inputs
from object_detection.builders import model_builder
from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.errors import DataError
from object_detection.utils import config_util
from object_detection.utils.ops.groundtruth import PER_BOX

Inputs = fields.InputDataFields

# Users put their own functions in.
MODEL_BUILD_UTIL_MAP: dict[str, Callable[..., Any]] = {
    "get_configs_from_pipeline_file": config_util.get_configs_from_pipeline_file,
    "create_pipeline_proto_from_configs": config_util.create_pipeline_proto_from_configs,
    "merge_external_params_with_configs": config_util.merge_external_params_with_configs,
    "create_train_input_fn": inputs.create_train_input_fn,
    "create_eval_input_fn": inputs.create_eval_input_fn,
    "create_predict_input_fn": inputs.create_predict_input_fn,
    "detection_model_fn_base": model_builder.build,
}

# Parameter of `DetectionModel.provide_groundtruth` -> key of the labels.
_LABEL_OF_ARGUMENT = {
    "groundtruth_boxes_list": Inputs.groundtruth_boxes,
    "groundtruth_classes_list": Inputs.groundtruth_classes,
    "groundtruth_masks_list": Inputs.groundtruth_instance_masks,
    "groundtruth_mask_weights_list": Inputs.groundtruth_instance_mask_weights,
    "groundtruth_keypoints_list": Inputs.groundtruth_keypoints,
    "groundtruth_keypoint_visibilities_list": Inputs.groundtruth_keypoint_visibilities,
    "groundtruth_keypoint_flags_list": Inputs.groundtruth_keypoint_flags,
    "groundtruth_keypoint_depths_list": Inputs.groundtruth_keypoint_depths,
    "groundtruth_keypoint_depth_weights_list": Inputs.groundtruth_keypoint_depth_weights,
    "groundtruth_dp_num_points_list": Inputs.groundtruth_dp_num_points,
    "groundtruth_dp_part_ids_list": Inputs.groundtruth_dp_part_ids,
    "groundtruth_dp_surface_coords_list": Inputs.groundtruth_dp_surface_coords,
    "groundtruth_track_ids_list": Inputs.groundtruth_track_ids,
    "groundtruth_temporal_offsets_list": Inputs.groundtruth_temporal_offset,
    "groundtruth_track_match_flags_list": Inputs.groundtruth_track_match_flags,
    "groundtruth_weights_list": Inputs.groundtruth_weights,
    "groundtruth_confidences_list": Inputs.groundtruth_confidences,
    "groundtruth_is_crowd_list": Inputs.groundtruth_is_crowd,
    "groundtruth_group_of_list": Inputs.groundtruth_group_of,
    "groundtruth_area_list": Inputs.groundtruth_area,
    "is_annotated_list": Inputs.is_annotated,
    "groundtruth_labeled_classes": Inputs.groundtruth_labeled_classes,
    "groundtruth_verified_neg_classes": Inputs.groundtruth_verified_neg_classes,
    "groundtruth_not_exhaustive_classes": Inputs.groundtruth_not_exhaustive_classes,
    "groundtruth_image_classes": Inputs.groundtruth_image_classes,
}


def unstack_batch(
    tensor_dict: dict[str, tf.Tensor], unpad_groundtruth_tensors: bool = True
) -> dict[str, list[tf.Tensor]]:
    """A batch as one tensor a picture.

    Args:
        tensor_dict: features or labels [B, ...], keyed by `InputDataFields`; B must be known.
        unpad_groundtruth_tensors: whether fields with one row a box lose the rows beyond
            `num_groundtruth_boxes`.

    Returns:
        The same keys; each value a list of B tensors.

    Raises:
        DataError: the number of boxes is needed, but not there.
    """
    unstacked = {key: tf.unstack(tensor) for key, tensor in tensor_dict.items()}
    if not unpad_groundtruth_tensors:
        return unstacked
    if Inputs.num_groundtruth_boxes not in unstacked:
        raise DataError(
            f"{Inputs.num_groundtruth_boxes!r} is needed to take padding off, but the batch has "
            f"only {sorted(unstacked)}."
        )
    counts = unstacked[Inputs.num_groundtruth_boxes]
    return {
        key: [value[:count] for value, count in zip(values, counts, strict=True)]
        if key in PER_BOX
        else values
        for key, values in unstacked.items()
    }


def provide_groundtruth(
    model: DetectionModel, labels: dict[str, list[tf.Tensor]], training_step: Any = None
) -> None:
    """Hands labels, as `unstack_batch` gives them, to a model.

    Args:
        model: gets what the labels hold, and nothing for what they do not.
        labels: lists of one tensor a picture; boxes and classes are required.
        training_step: number of the step, for losses that change with it.
    """
    given = {argument: labels[key] for argument, key in _LABEL_OF_ARGUMENT.items() if key in labels}
    for key in (Inputs.groundtruth_boxes, Inputs.groundtruth_classes):
        if key not in labels:
            raise KeyError(f"The labels have no {key!r}; they have {sorted(labels)}.")
    model.provide_groundtruth(**given, training_step=training_step)
