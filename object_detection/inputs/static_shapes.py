"""Padding a sample to sizes that are the same for all samples.

Axes: M boxes (padded), C classes, K keypoints, P points of a surface, L rows of context.
"""

from collections.abc import Callable, Sequence

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import ShapeError
from object_detection.utils import shape_utils

Inputs = fields.InputDataFields
Sample = dict[str, tf.Tensor]
Size = int | None
# Of one axis: a size, or what finds it.
Axis = Size | Callable[[tf.Tensor], Size]


def _channels(sample: Sample) -> tuple[int | None, int]:
    """Channels of the picture, and how many of them are additional; checks that they are joined."""
    image = sample[Inputs.image].shape.as_list()[2] if Inputs.image in sample else 3
    if Inputs.image_additional_channels not in sample:
        return image, 0
    additional = sample[Inputs.image_additional_channels].shape.as_list()[2]
    if not additional:
        return image, additional
    if image is not None and additional >= image:
        raise ShapeError(
            f"image has {image} channels, image_additional_channels {additional}: join them to the "
            "picture first, as transform_input_data does."
        )
    original = sample.get(Inputs.original_image)
    if original is not None and original.shape.as_list()[2] == image:
        raise ShapeError(
            f"original_image has {image} channels, as many as image with its {additional} "
            "additional ones; it should have those of the picture alone."
        )
    return image, additional


def _own(axis: int) -> Callable[[tf.Tensor], Size]:
    """The tensor's own size along an axis."""

    def size(tensor: tf.Tensor) -> Size:
        known: Size = tensor.shape.as_list()[axis]
        return known

    return size


def pad_input_data_to_static_shapes(
    tensor_dict: Sample,
    max_num_boxes: int,
    num_classes: int,
    spatial_image_shape: Sequence[int] | None = None,
    max_num_context_features: int | None = None,
    context_feature_length: int | None = None,
    max_dp_points: int = 336,
) -> Sample:
    """Pads with zeros, and cuts what is longer, so that samples can be batched.

    Args:
        tensor_dict: a sample as `transform_input_data` gives it.
        max_num_boxes: M.
        num_classes: C.
        spatial_image_shape: [height, width] of the picture; None or [-1, -1] leaves it as it is.
        max_num_context_features: L; needed with `context_features`.
        context_feature_length: length of each row of context.
        max_dp_points: P.

    Returns:
        The sample with static shapes; `num_groundtruth_boxes` is at most M, and with context
        features `valid_context_size` says how many rows there were.

    Raises:
        ShapeError: additional channels that are not joined to the picture, context features of
            unknown number, or a field of unknown shape.
    """
    sample = dict(tensor_dict)
    height, width = (
        (None, None)
        if spatial_image_shape is None or list(spatial_image_shape) in ([-1, -1], [])
        else spatial_image_shape
    )
    image_channels, additional_channels = _channels(sample)
    if Inputs.context_features in sample:
        if max_num_context_features is None:
            raise ShapeError(
                "The sample has context_features, so max_num_context_features must be given; it is "
                "a setting of the model's context_config."
            )
        sample[Inputs.valid_context_size] = tf.shape(sample[Inputs.context_features])[0]
    boxes, classes = max_num_boxes, num_classes
    per_keypoint: list[Axis] = [boxes, _own(1)]
    shapes: dict[str, list[Axis]] = {
        Inputs.image: [height, width, image_channels],
        Inputs.original_image: [height, width, _own(2)],
        Inputs.original_image_spatial_shape: [2],
        Inputs.image_additional_channels: [height, width, additional_channels],
        Inputs.true_image_shape: [3],
        Inputs.source_id: [],
        Inputs.filename: [],
        Inputs.key: [],
        Inputs.num_groundtruth_boxes: [],
        Inputs.is_annotated: [],
        Inputs.groundtruth_boxes: [boxes, 4],
        Inputs.groundtruth_classes: [boxes, classes],
        Inputs.groundtruth_confidences: [boxes, classes],
        Inputs.groundtruth_weights: [boxes],
        Inputs.groundtruth_difficult: [boxes],
        Inputs.groundtruth_is_crowd: [boxes],
        Inputs.groundtruth_group_of: [boxes],
        Inputs.groundtruth_area: [boxes],
        Inputs.groundtruth_label_types: [boxes],
        Inputs.groundtruth_label_weights: [boxes],
        Inputs.groundtruth_instance_masks: [boxes, height, width],
        Inputs.groundtruth_instance_mask_weights: [boxes],
        Inputs.groundtruth_keypoints: [*per_keypoint, _own(2)],
        Inputs.groundtruth_keypoint_visibilities: per_keypoint,
        Inputs.groundtruth_keypoint_flags: per_keypoint,
        Inputs.groundtruth_keypoint_weights: per_keypoint,
        Inputs.groundtruth_keypoint_depths: per_keypoint,
        Inputs.groundtruth_keypoint_depth_weights: per_keypoint,
        Inputs.groundtruth_dp_num_points: [boxes],
        Inputs.groundtruth_dp_part_ids: [boxes, max_dp_points],
        Inputs.groundtruth_dp_surface_coords: [boxes, max_dp_points, 4],
        Inputs.groundtruth_track_ids: [boxes],
        Inputs.groundtruth_temporal_offset: [boxes, 2],
        Inputs.groundtruth_track_match_flags: [boxes],
        Inputs.groundtruth_image_classes: [classes],
        Inputs.groundtruth_image_confidences: [classes],
        Inputs.groundtruth_labeled_classes: [classes],
        Inputs.groundtruth_verified_neg_classes: [classes],
        Inputs.groundtruth_not_exhaustive_classes: [classes],
        Inputs.context_features: [max_num_context_features, context_feature_length],
        Inputs.context_feature_length: [],
        Inputs.valid_context_size: [],
        Inputs.context_features_image_id_list: [max_num_context_features],
    }
    unknown = sorted(set(sample) - set(shapes))
    if unknown:
        raise ShapeError(f"The static shape of {unknown} is not known; leave these fields out.")
    padded = {
        key: (
            shape_utils.pad_or_clip_nd(
                value, [size(value) if callable(size) else size for size in shapes[key]]
            )
            if shapes[key]
            else value
        )
        for key, value in sample.items()
    }
    if Inputs.num_groundtruth_boxes in padded:
        padded[Inputs.num_groundtruth_boxes] = tf.minimum(
            padded[Inputs.num_groundtruth_boxes], max_num_boxes
        )
    return padded
