"""Leaving out groundtruth that cannot be used. A sample is keyed by `InputDataFields`."""

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields

Inputs = fields.InputDataFields
Sample = dict[str, tf.Tensor]

# Fields with one row a box: the one list of what travels with boxes. All that chooses, repeats,
# cuts or joins boxes reads it; a new field needs its line here, and a place in `static_shapes`.
PER_BOX = frozenset(
    {
        Inputs.groundtruth_boxes,
        Inputs.groundtruth_classes,
        Inputs.groundtruth_confidences,
        Inputs.groundtruth_weights,
        Inputs.groundtruth_keypoints,
        Inputs.groundtruth_keypoint_visibilities,
        Inputs.groundtruth_keypoint_flags,
        Inputs.groundtruth_keypoint_weights,
        Inputs.groundtruth_keypoint_depths,
        Inputs.groundtruth_keypoint_depth_weights,
        Inputs.groundtruth_instance_masks,
        Inputs.groundtruth_instance_mask_weights,
        Inputs.groundtruth_instance_boundaries,
        Inputs.groundtruth_is_crowd,
        Inputs.groundtruth_area,
        Inputs.groundtruth_difficult,
        Inputs.groundtruth_group_of,
        Inputs.groundtruth_label_types,
        Inputs.groundtruth_label_weights,
        Inputs.groundtruth_track_ids,
        Inputs.groundtruth_temporal_offset,
        Inputs.groundtruth_track_match_flags,
        Inputs.groundtruth_dp_num_points,
        Inputs.groundtruth_dp_part_ids,
        Inputs.groundtruth_dp_surface_coords,
    }
)


def _required(sample: Sample, key: str) -> tf.Tensor:
    if key not in sample:
        raise ValueError(f"The sample has no {key!r}; it has {sorted(sample)}.")
    return sample[key]


def retain_groundtruth(tensor_dict: Sample, valid_indices: tf.Tensor) -> Sample:
    """The sample with only the boxes at `valid_indices` and what belongs to them.

    Args:
        tensor_dict: with `groundtruth_boxes` [M, 4]; a field of no row stays without one.
        valid_indices: [N] or [N, 1].

    Raises:
        ValueError: indices of another shape, or no boxes.
    """
    valid_indices = tf.convert_to_tensor(valid_indices)
    shape = valid_indices.shape
    if shape.rank not in (1, 2) or (shape.rank == 2 and shape[1] not in (1, None)):
        raise ValueError(f"valid_indices should be [N] or [N, 1], got {shape}.")
    indices = tf.cast(tf.reshape(valid_indices, [-1]), tf.int32)
    count = tf.shape(_required(tensor_dict, Inputs.groundtruth_boxes))[0]
    number = tf.size(indices)

    def pick(value: tf.Tensor) -> tf.Tensor:
        # Decoders give no row at all for a field that the record lacks.
        there = tf.equal(tf.shape(value)[0], count)
        return tf.gather(value, indices[: tf.where(there, number, 0)])

    return {key: pick(value) if key in PER_BOX else value for key, value in tensor_dict.items()}


def _where(mask: tf.Tensor) -> tf.Tensor:
    return tf.where(mask)[:, 0]


def retain_groundtruth_with_positive_classes(tensor_dict: Sample) -> Sample:
    """Leaves out boxes of the background, whose class is 0 or below.

    Raises:
        ValueError: there are no classes.
    """
    classes = _required(tensor_dict, Inputs.groundtruth_classes)
    return retain_groundtruth(tensor_dict, _where(classes > 0))


def replace_nan_groundtruth_label_scores_with_ones(label_scores: tf.Tensor) -> tf.Tensor:
    """Scores with 1 where they are NaN."""
    return tf.where(tf.math.is_nan(label_scores), tf.ones_like(label_scores), label_scores)


def filter_groundtruth_with_crowd_boxes(tensor_dict: Sample) -> Sample:
    """Leaves out boxes around crowds; without `groundtruth_is_crowd` nothing."""
    if Inputs.groundtruth_is_crowd not in tensor_dict:
        return tensor_dict
    single = ~tf.cast(tensor_dict[Inputs.groundtruth_is_crowd], tf.bool)
    return retain_groundtruth(tensor_dict, _where(single))


def filter_groundtruth_with_nan_box_coordinates(tensor_dict: Sample) -> Sample:
    """Leaves out boxes with a NaN coordinate."""
    boxes = _required(tensor_dict, Inputs.groundtruth_boxes)
    return retain_groundtruth(tensor_dict, _where(~tf.reduce_any(tf.math.is_nan(boxes), axis=1)))


def filter_unrecognized_classes(tensor_dict: Sample) -> Sample:
    """Leaves out boxes of classes that the label map does not know: class -1 or below.

    Raises:
        ValueError: there are no classes.
    """
    classes = _required(tensor_dict, Inputs.groundtruth_classes)
    return retain_groundtruth(tensor_dict, _where(classes > -1))
