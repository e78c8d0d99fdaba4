"""Samples -> batches that a model takes.

Axes: B images, M groundtruth boxes, C classes, K keypoints.
"""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.builders import (
    dataset_builder,
    image_resizer_builder,
    preprocessor_builder,
)
from object_detection.core import preprocessor
from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.errors import ConfigError
from object_detection.utils import config_util

Inputs = fields.InputDataFields
Boxes = fields.BoxListFields
Sample = dict[str, tf.Tensor]

# The ids of a label map start at 1; the model's classes start at 0.
_LABEL_OFFSET = 1

# Fields with one row a box.
_PER_BOX = (
    Inputs.groundtruth_boxes,
    Inputs.groundtruth_classes,
    Inputs.groundtruth_weights,
    Inputs.groundtruth_keypoints,
    Inputs.groundtruth_keypoint_visibilities,
    Inputs.groundtruth_difficult,
    Inputs.groundtruth_group_of,
    Inputs.groundtruth_is_crowd,
    Inputs.groundtruth_area,
)


def select_rows(sample: Sample, rows: Callable[[tf.Tensor], tf.Tensor]) -> Sample:
    """The sample with `rows` applied to every field that has one row a box."""
    return {key: rows(value) if key in _PER_BOX else value for key, value in sample.items()}


def prune_unusable_boxes(sample: Sample) -> Sample:
    """Leaves out boxes with NaN coordinates or without area: nothing can be learnt from them."""
    ymin, xmin, ymax, xmax = tf.unstack(sample[Inputs.groundtruth_boxes], num=4, axis=1)
    # NaN fails both comparisons.
    usable = tf.where((ymax > ymin) & (xmax > xmin))[:, 0]
    return select_rows(sample, lambda value: tf.gather(value, usable))


def augment_input_data(
    tensor_dict: Sample, data_augmentation_options: list[preprocessor_builder.Step]
) -> Sample:
    """Applies the augmentations to a sample whose picture is [H, W, C] float."""
    return preprocessor.preprocess(tensor_dict, data_augmentation_options)


def _reframe(sample: Sample, true_shape: tf.Tensor, padded: tf.Tensor) -> Sample:
    """Coordinates in the frame of the padded picture; the picture lies in its top left corner."""
    share = tf.cast(true_shape[:2], tf.float32) / tf.cast(tf.shape(padded)[:2], tf.float32)
    sample[Inputs.groundtruth_boxes] *= tf.tile(share, [2])
    if Inputs.groundtruth_keypoints in sample:
        sample[Inputs.groundtruth_keypoints] *= share
    return sample


def resize_and_normalise(
    sample: Sample, model: DetectionModel, resize: Callable[..., list[tf.Tensor]], num_classes: int
) -> Sample:
    """Makes a sample what the model takes.

    Args:
        sample: with the picture [H, W, 3] in [0, 255] and classes [M] as label map ids.
        model: gives `preprocess`.
        resize: see `image_resizer_builder`.
        num_classes: C.

    Returns:
        `image` [h, w, 3] for the network, `true_image_shape` [3], one-hot
        `groundtruth_classes` [M, C], coordinates in the frame of the padded picture.
    """
    sample = dict(sample)
    image = tf.cast(sample[Inputs.image], tf.float32)
    resized, true_shape = resize(image)
    sample = _reframe(sample, true_shape, resized)
    normalised, _ = model.preprocess(resized[tf.newaxis])
    sample[Inputs.image] = normalised[0]
    sample[Inputs.true_image_shape] = true_shape
    sample[Inputs.groundtruth_classes] = tf.one_hot(
        sample[Inputs.groundtruth_classes] - _LABEL_OFFSET, num_classes
    )
    sample[Inputs.num_groundtruth_boxes] = tf.shape(sample[Inputs.groundtruth_boxes])[0]
    return sample


def _keep(sample: Sample, keys: tuple[str, ...]) -> Sample:
    return {key: sample[key] for key in keys if key in sample}


_TRAINING_FIELDS = (
    Inputs.image,
    Inputs.true_image_shape,
    Inputs.groundtruth_boxes,
    Inputs.groundtruth_classes,
    Inputs.groundtruth_weights,
    Inputs.groundtruth_keypoints,
    Inputs.groundtruth_keypoint_visibilities,
    Inputs.num_groundtruth_boxes,
    Inputs.source_id,
)
_EVALUATION_FIELDS = (
    *_TRAINING_FIELDS,
    Inputs.original_image,
    Inputs.original_image_spatial_shape,
    Inputs.groundtruth_difficult,
    Inputs.groundtruth_is_crowd,
    Inputs.groundtruth_area,
)


def training_dataset(
    train_config: Any,
    input_config: Any,
    model_config: Any,
    model: DetectionModel,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Augmented, padded batches without end.

    Args:
        train_config: `TrainConfig` message.
        input_config: `InputReader` message.
        model_config: `DetectionModel` message.
        model: gives `preprocess`.
        seed: of order and augmentation.

    Returns:
        Batches: `image` [B, h, w, 3], `true_image_shape` [B, 3], `groundtruth_boxes`
        [B, M, 4], `groundtruth_classes` [B, M, C], `groundtruth_weights` [B, M] (0 on
        padding), `groundtruth_keypoints` [B, M, K, 2], `groundtruth_keypoint_visibilities`
        [B, M, K], `num_groundtruth_boxes` [B], `source_id` [B]; M is the batch's largest number
        of boxes, at most `train_config.max_number_of_boxes`.

    Raises:
        ConfigError: pictures of different sizes could not be batched.
    """
    resizer_config = config_util.get_image_resizer_config(model_config)
    if -1 in config_util.get_spatial_image_size(resizer_config) and train_config.batch_size > 1:
        raise ConfigError(
            "train_config.batch_size is above 1, but the image resizer gives pictures of different "
            "sizes. Use fixed_shape_resizer, or keep_aspect_ratio_resizer with "
            "pad_to_max_dimension: true."
        )
    steps = [preprocessor_builder.build(step) for step in train_config.data_augmentation_options]
    resize = image_resizer_builder.build(resizer_config)
    num_classes = config_util.get_number_of_classes(model_config)
    limit = train_config.max_number_of_boxes

    def transform(sample: Sample) -> Sample:
        sample = prune_unusable_boxes(sample)
        sample = _keep(sample, (*_TRAINING_FIELDS, Inputs.image))
        sample[Inputs.image] = tf.cast(sample[Inputs.image], tf.float32)
        sample = augment_input_data(sample, steps)
        sample = prune_unusable_boxes(sample)
        if limit > 0:
            sample = select_rows(sample, lambda value: value[:limit])
        sample = resize_and_normalise(sample, model, resize, num_classes)
        return _keep(sample, _TRAINING_FIELDS)

    return dataset_builder.build(
        input_config, train_config.batch_size, transform, drop_remainder=True, seed=seed
    )


def evaluation_dataset(
    eval_config: Any,
    input_config: Any,
    model_config: Any,
    model: DetectionModel,
    batch_size: int | None = None,
) -> tf.data.Dataset:
    """One pass over the pictures, in order, without augmentation.

    Args:
        eval_config: `EvalConfig` message.
        input_config: `InputReader` message.
        model_config: `DetectionModel` message.
        model: gives `preprocess`.
        batch_size: pictures a batch; `eval_config.batch_size` by default.

    Returns:
        Batches as of `training_dataset`, with `original_image` [B, H, W, 3] uint8 (padded to the
        largest of the batch), `original_image_spatial_shape` [B, 2] and, for each box,
        `groundtruth_difficult`, `groundtruth_is_crowd`, `groundtruth_area`.
    """
    batch_size = batch_size or max(eval_config.batch_size, 1)
    resize = image_resizer_builder.build(config_util.get_image_resizer_config(model_config))
    num_classes = config_util.get_number_of_classes(model_config)
    reader = type(input_config)()
    reader.CopyFrom(input_config)
    reader.shuffle = False
    reader.num_epochs = 1

    def transform(sample: Sample) -> Sample:
        sample = prune_unusable_boxes(sample)
        sample[Inputs.original_image] = sample[Inputs.image]
        sample = resize_and_normalise(sample, model, resize, num_classes)
        return _keep(sample, _EVALUATION_FIELDS)

    return dataset_builder.build(reader, batch_size, transform, drop_remainder=False)


def provide_batch(model: DetectionModel, batch: dict[str, tf.Tensor]) -> None:
    """Hands the groundtruth of a batch (as `training_dataset` gives it) to the model."""
    groundtruth = {
        Boxes.boxes: batch[Inputs.groundtruth_boxes],
        Boxes.classes: batch[Inputs.groundtruth_classes],
        Boxes.weights: batch[Inputs.groundtruth_weights],
    }
    for field, key in (
        (Boxes.keypoints, Inputs.groundtruth_keypoints),
        (Boxes.keypoint_visibilities, Inputs.groundtruth_keypoint_visibilities),
    ):
        if key in batch:
            groundtruth[field] = batch[key]
    model.provide_groundtruth_batch(groundtruth)
