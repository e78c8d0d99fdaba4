"""One decoded sample -> what a model takes: augmented, resized, classes as vectors.

Axes: M groundtruth boxes, C classes, K keypoints, A additional channels.
Frames: coordinates are normalised to the picture; afterwards to the resized, padded one.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import encoded_image, preprocessor
from object_detection.core import standard_fields as fields
from object_detection.keypoints import geometry
from object_detection.utils import ops
from object_detection.utils.label_map_util import LABEL_OFFSET
from object_detection.utils.ops.groundtruth import PER_BOX

Inputs = fields.InputDataFields
Sample = dict[str, tf.Tensor]

# What a decoder gives for a name that the label map does not have.
_UNRECOGNIZED = -1


def select_rows(sample: Sample, rows: Callable[[tf.Tensor], tf.Tensor]) -> Sample:
    """The sample with `rows` applied to every field that has one row a box."""
    return {key: rows(value) if key in PER_BOX else value for key, value in sample.items()}


def usable_rows(boxes: tf.Tensor) -> tf.Tensor:
    """Numbers of the boxes [M, 4] that have an area and no NaN: from others nothing is learnt."""
    # NaN fails the comparison.
    return tf.where(tf.reduce_all(boxes[:, 2:] > boxes[:, :2], axis=1))[:, 0]


def prune_unusable_boxes(sample: Sample) -> Sample:
    """Leaves out boxes with NaN coordinates or without area; see `usable_rows`."""
    usable = usable_rows(sample[Inputs.groundtruth_boxes])
    return select_rows(sample, lambda value: tf.gather(value, usable))


def augment_input_data(
    tensor_dict: Sample,
    data_augmentation_options: Sequence[tuple[Callable[..., Any], dict[str, Any]]],
    keep_bytes: bool = False,
) -> Sample:
    """Applies augmentations to a sample.

    Args:
        tensor_dict: its picture is [H, W, C] or an `EncodedImage`.
        data_augmentation_options: functions and their settings, as `preprocess` takes them.
        keep_bytes: whether the pixels of an `EncodedImage` that no step needed stay uint8.

    Returns:
        The sample; its picture is a float tensor, but for `keep_bytes`.
    """
    sample = dict(tensor_dict)
    if not isinstance(sample[Inputs.image], encoded_image.EncodedImage):
        sample[Inputs.image] = tf.cast(sample[Inputs.image], tf.float32)[tf.newaxis]
    sample = preprocessor.preprocess(sample, data_augmentation_options)
    if isinstance(sample[Inputs.image], encoded_image.EncodedImage):
        decode = encoded_image.pixels if keep_bytes else encoded_image.float_pixels
        sample[Inputs.image] = decode(sample[Inputs.image])
    else:
        sample[Inputs.image] = tf.squeeze(sample[Inputs.image], axis=0)
    return sample


def convert_labeled_classes_to_k_hot(
    groundtruth_labeled_classes: tf.Tensor, num_classes: int, map_empty_to_ones: bool = False
) -> tf.Tensor:
    """Ids of a label map as a vector of zeros and ones.

    Args:
        groundtruth_labeled_classes: [L] integers from 1; others are left out.
        num_classes: C.
        map_empty_to_ones: whether no id at all stands for every class.

    Returns:
        [C] float32.
    """
    ids = tf.convert_to_tensor(groundtruth_labeled_classes)
    khot = tf.reduce_max(
        # The row of zeros gives the maximum over no id at all a value.
        tf.pad(tf.one_hot(ids - LABEL_OFFSET, num_classes), [[0, 1], [0, 0]]),
        axis=0,
    )
    if not map_empty_to_ones:
        return khot
    return tf.where(tf.fill([num_classes], tf.size(ids) > 0), khot, tf.ones_like(khot))


def assert_or_prune_invalid_boxes(boxes: tf.Tensor) -> tf.Tensor:
    """[M, 4] boxes, checked in the graph: ymax is at least ymin, xmax at least xmin."""
    ymin, xmin, ymax, xmax = tf.unstack(boxes, num=4, axis=1)
    checks = [
        tf.Assert(tf.reduce_all(high >= low), [f"Boxes with {name}max below {name}min:", low, high])
        for name, low, high in (("y", ymin, ymax), ("x", xmin, xmax))
    ]
    with tf.control_dependencies(checks):
        return tf.identity(boxes)


def _class_vectors(
    sample: Sample, map_empty_image_classes_to_ones: bool, num_classes: int
) -> Sample:
    """Turns the fields that list classes of the whole picture into vectors [C]."""
    if Inputs.groundtruth_labeled_classes in sample and Inputs.groundtruth_image_classes in sample:
        raise KeyError(
            "groundtruth_labeled_classes and groundtruth_image_classes are both in the sample, but "
            "they say the same: give one of them."
        )
    for field, empty_to_ones in (
        (Inputs.groundtruth_labeled_classes, True),
        (Inputs.groundtruth_image_classes, map_empty_image_classes_to_ones),
        (Inputs.groundtruth_verified_neg_classes, False),
        (Inputs.groundtruth_not_exhaustive_classes, False),
    ):
        if field in sample:
            ids = tf.convert_to_tensor(sample[field])
            known = tf.boolean_mask(ids, ids > _UNRECOGNIZED)
            sample[field] = convert_labeled_classes_to_k_hot(known, num_classes, empty_to_ones)
    return sample


def _scores_or_one_hot(sample: Sample, num_classes: int) -> tf.Tensor:
    """[M, C] scores of the boxes; column i is that of label map id i.

    A sample without scores says with certainty what its boxes are.
    """
    scores = tf.convert_to_tensor(sample[Inputs.multiclass_scores])
    count = tf.shape(sample[Inputs.groundtruth_boxes])[0]
    return tf.cond(
        tf.size(scores) > 0,
        lambda: tf.reshape(tf.cast(scores, tf.float32), [count, num_classes]),
        lambda: tf.one_hot(sample[Inputs.groundtruth_classes], num_classes),
    )


def _keep_usable(sample: Sample) -> Sample:
    """Leaves out boxes with a NaN coordinate, and those of classes that are not known."""
    usable = ~tf.reduce_any(tf.math.is_nan(sample[Inputs.groundtruth_boxes]), axis=1)
    if Inputs.groundtruth_classes in sample:
        usable &= tf.not_equal(sample[Inputs.groundtruth_classes], _UNRECOGNIZED)
    rows = tf.where(usable)[:, 0]
    kept = ops.retain_groundtruth(sample, rows)
    if Inputs.multiclass_scores in sample:
        kept[Inputs.multiclass_scores] = tf.gather(sample[Inputs.multiclass_scores], rows)
    return kept


def _reframe(sample: Sample, true_shape: tf.Tensor, padded: tf.Tensor) -> Sample:
    """Coordinates in the frame of the padded picture; the picture lies in its top left corner."""
    share = tf.cast(true_shape[:2], tf.float32) / tf.cast(tf.shape(padded)[:2], tf.float32)
    if Inputs.groundtruth_boxes in sample:
        sample[Inputs.groundtruth_boxes] = assert_or_prune_invalid_boxes(
            sample[Inputs.groundtruth_boxes] * tf.tile(share, [2])
        )
    if Inputs.groundtruth_keypoints in sample:
        sample[Inputs.groundtruth_keypoints] *= share
    if Inputs.groundtruth_dp_surface_coords in sample:
        y, x, v, u = tf.unstack(sample[Inputs.groundtruth_dp_surface_coords], num=4, axis=-1)
        sample[Inputs.groundtruth_dp_surface_coords] = tf.stack(
            [y * share[0], x * share[1], v, u], axis=-1
        )
    return sample


def _weigh_keypoints(sample: Sample, type_weight: Sequence[float] | None) -> Sample:
    """Adds visibilities where there are none, and the weight of each keypoint [M, K]."""
    visible = geometry.set_keypoint_visibilities(
        sample[Inputs.groundtruth_keypoints], sample.get(Inputs.groundtruth_keypoint_visibilities)
    )
    sample[Inputs.groundtruth_keypoint_visibilities] = visible
    sample[Inputs.groundtruth_keypoint_weights] = geometry.keypoint_weights_from_visibilities(
        visible, list(type_weight) if type_weight else None
    )
    return sample


def _encode_classes(sample: Sample, num_classes: int, use_multiclass_scores: bool) -> Sample:
    """Classes and confidences as [M, C]; the plain class numbers are gone."""
    one_hot = tf.one_hot(sample[Inputs.groundtruth_classes] - LABEL_OFFSET, num_classes)
    classes = sample[Inputs.multiclass_scores] if use_multiclass_scores else one_hot
    sample[Inputs.groundtruth_classes] = classes
    confidences = sample.get(Inputs.groundtruth_confidences)
    sample[Inputs.groundtruth_confidences] = (
        classes if confidences is None else tf.reshape(confidences, [-1, 1]) * classes
    )
    return sample


def _merge_equal_boxes(
    sample: Sample, class_ids: tf.Tensor, confidences: tf.Tensor, num_classes: int
) -> Sample:
    """Makes boxes that are the same one row with several classes."""
    boxes, classes, merged, first = ops.merge_boxes_with_multiple_labels(
        sample[Inputs.groundtruth_boxes], class_ids, confidences, num_classes
    )
    # What else belongs to the boxes is that of the first of each.
    sample = select_rows(sample, lambda value: tf.gather(value, first))
    sample[Inputs.groundtruth_boxes] = boxes
    sample[Inputs.groundtruth_classes] = tf.cast(classes, tf.float32)
    sample[Inputs.groundtruth_confidences] = tf.cast(merged, tf.float32)
    return sample


def transform_input_data(
    tensor_dict: Sample,
    model_preprocess_fn: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    image_resizer_fn: Callable[..., Sequence[tf.Tensor]],
    num_classes: int,
    data_augmentation_fn: Callable[[Sample], Sample] | None = None,
    merge_multiple_boxes: bool = False,
    retain_original_image: bool = False,
    use_multiclass_scores: bool = False,
    use_bfloat16: bool = False,
    retain_original_image_additional_channels: bool = False,
    keypoint_type_weight: Sequence[float] | None = None,
    image_classes_field_map_empty_to_ones: bool = True,
    cast_image: bool = True,
) -> Sample:
    """Makes a decoded sample what a model takes.

    Boxes with NaN coordinates or of classes that the label map does not have are left out first,
    with all that belongs to them.

    Args:
        tensor_dict: `image` [H, W, 3] in [0, 255], `groundtruth_classes` [M] from 1, and other
            `InputDataFields`; `image_additional_channels` [H, W, A] are joined to the picture.
        model_preprocess_fn: [1, H, W, C] float -> (network input [1, h, w, C], true shape [1, 3]).
        image_resizer_fn: see `image_resizer_builder`; for masks and pictures that are kept.
        num_classes: C.
        data_augmentation_fn: sample -> sample, before the model's part.
        merge_multiple_boxes: whether boxes that are the same become one with several classes.
        retain_original_image: adds `original_image`, resized but else as it was, uint8.
        use_multiclass_scores: whether `multiclass_scores` [M * C] stand in for the classes.
        use_bfloat16: gives the picture, masks and context features as bfloat16.
        retain_original_image_additional_channels: keeps `image_additional_channels`, resized.
        keypoint_type_weight: [K] weights of visible keypoints; 1 by default.
        image_classes_field_map_empty_to_ones: whether no `groundtruth_image_classes` at all stands
            for every class.
        cast_image: whether `model_preprocess_fn` is given float pictures whatever augmentation
            leaves; otherwise it has to take uint8, too.

    Returns:
        The sample with `image` [h, w, C], `true_image_shape` [3], coordinates in the frame of the
        network input, `groundtruth_classes` and `groundtruth_confidences` [M, C],
        `num_groundtruth_boxes`; with keypoints `groundtruth_keypoint_visibilities` and
        `groundtruth_keypoint_weights` [M, K]; class lists of the picture as [C].

    Raises:
        KeyError: both `groundtruth_labeled_classes` and `groundtruth_image_classes` are given.
    """
    sample = _class_vectors(dict(tensor_dict), image_classes_field_map_empty_to_ones, num_classes)
    if Inputs.multiclass_scores in sample:
        sample[Inputs.multiclass_scores] = _scores_or_one_hot(sample, num_classes)
    if Inputs.groundtruth_boxes in sample:
        sample = _keep_usable(sample)
    if retain_original_image:
        sample[Inputs.original_image] = tf.cast(
            image_resizer_fn(sample[Inputs.image], None)[0], tf.uint8
        )
    if Inputs.image_additional_channels in sample:
        channels = sample[Inputs.image_additional_channels]
        image = sample[Inputs.image]
        sample[Inputs.image] = tf.concat([image, tf.cast(channels, image.dtype)], axis=2)
        if retain_original_image_additional_channels:
            sample[Inputs.image_additional_channels] = tf.cast(
                image_resizer_fn(channels, None)[0], tf.uint8
            )
    if data_augmentation_fn is not None:
        sample = data_augmentation_fn(sample)

    image = sample[Inputs.image]
    image = tf.cast(image, tf.float32) if cast_image else image
    network_input, true_shapes = model_preprocess_fn(image[tf.newaxis])
    network_input = tf.squeeze(network_input, axis=0)
    true_shape = tf.squeeze(true_shapes, axis=0)
    sample = _reframe(sample, true_shape, network_input)
    if Inputs.groundtruth_keypoints in sample:
        sample = _weigh_keypoints(sample, keypoint_type_weight)
    if Inputs.groundtruth_instance_masks in sample:
        sample[Inputs.groundtruth_instance_masks] = image_resizer_fn(
            image, sample[Inputs.groundtruth_instance_masks]
        )[1]
    sample[Inputs.image] = network_input
    sample[Inputs.true_image_shape] = true_shape
    if use_bfloat16:
        for field in (
            Inputs.image,
            Inputs.groundtruth_instance_masks,
            Inputs.context_features,
        ):
            if field in sample:
                sample[field] = tf.cast(sample[field], tf.bfloat16)

    if Inputs.groundtruth_classes in sample:
        class_ids = sample[Inputs.groundtruth_classes] - LABEL_OFFSET
        confidences = sample.get(
            Inputs.groundtruth_confidences, tf.ones_like(class_ids, dtype=tf.float32)
        )
        sample = _encode_classes(sample, num_classes, use_multiclass_scores)
        if merge_multiple_boxes:
            sample = _merge_equal_boxes(sample, class_ids, confidences, num_classes)
    sample.pop(Inputs.multiclass_scores, None)
    if Inputs.groundtruth_boxes in sample:
        sample[Inputs.num_groundtruth_boxes] = tf.shape(sample[Inputs.groundtruth_boxes])[0]
    return sample
