"""Samples -> batches, as the programs of this package take them.

Axes: B images, M groundtruth boxes, C classes, K keypoints.
"""

import copy
import functools
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.builders import (
    dataset_builder,
    image_resizer_builder,
)
from object_detection.builders.record_selection import Selection
from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.errors import ConfigError
from object_detection.inputs import image_reading, mending, mosaic
from object_detection.inputs.transform import (
    augment_input_data,
    prune_unusable_boxes,
    select_rows,
    transform_input_data,
    usable_rows,
)
from object_detection.utils import config_util, crowd_config
from object_detection.utils.as_written import as_written

Inputs = fields.InputDataFields
Boxes = fields.BoxListFields
Sample = dict[str, tf.Tensor]

# Key of the number of boxes that a picture had before those beyond the limit were cut.
NUM_BOXES_BEFORE_CUT = "num_boxes_before_cut"


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
    Inputs.groundtruth_keypoint_flags,
    Inputs.groundtruth_instance_masks,
    Inputs.num_groundtruth_boxes,
    NUM_BOXES_BEFORE_CUT,
    Inputs.source_id,
)
# What makes these, and is needed no longer then.
_TRANSFORMED_FIELDS = (
    *_TRAINING_FIELDS,
    Inputs.image_additional_channels,
    Inputs.multiclass_scores,
    Inputs.groundtruth_confidences,
)
_EVALUATION_FIELDS = (
    *_TRAINING_FIELDS,
    Inputs.original_image,
    Inputs.original_image_spatial_shape,
    Inputs.groundtruth_difficult,
    Inputs.groundtruth_is_crowd,
    Inputs.groundtruth_area,
)


def cleaning(selection: Selection | None, num_classes: int) -> Callable[[Sample], Sample]:
    """What is done to a decoded sample before anything else."""
    if selection is None:
        return prune_unusable_boxes
    return functools.partial(mending.mend, num_classes=num_classes)


def training_dataset(
    train_config: Any,
    input_config: Any,
    model_config: Any,
    model: DetectionModel,
    seed: int | None = None,
    start: int = 0,
    selection: Selection | None = None,
) -> tf.data.Dataset:
    """Augmented, padded batches without end.

    Args:
        train_config: `TrainConfig` message.
        input_config: `InputReader` message.
        model_config: `DetectionModel` message.
        model: gives `preprocess`.
        seed: of order and augmentation.
        start: number of the first sample to give, counted over all epochs.
        selection: the records that are read, whose samples are mended, too; None: all, as they are.

    Returns:
        Batches: `image` [B, h, w, 3], `true_image_shape` [B, 3], `groundtruth_boxes`
        [B, M, 4], `groundtruth_classes` [B, M, C], `groundtruth_weights` [B, M] (0 on
        padding), `groundtruth_keypoints` [B, M, K, 2], `groundtruth_keypoint_visibilities`
        and `groundtruth_keypoint_flags` [B, M, K], `num_groundtruth_boxes` [B],
        `num_boxes_before_cut` [B], `source_id` [B]; M is the batch's largest number of boxes, at
        most `max_number_of_boxes` of the reader, or of `train_config` where the reader does not
        set it.

    Raises:
        ConfigError: pictures of different sizes could not be batched, or `fast_jpeg_scaling` cannot
            be done.
    """
    resizer_config = config_util.get_image_resizer_config(model_config)
    if -1 in config_util.get_spatial_image_size(resizer_config) and train_config.batch_size > 1:
        raise ConfigError(
            "train_config.batch_size is above 1, but the image resizer gives pictures of different "
            "sizes. Use fixed_shape_resizer, or keep_aspect_ratio_resizer with "
            "pad_to_max_dimension: true."
        )
    joiner, steps = mosaic.build(train_config.data_augmentation_options, model_config)
    limit, _ = crowd_config.training_limit(train_config, input_config)
    num_classes = config_util.get_number_of_classes(model_config)

    def augment(sample: Sample) -> Sample:
        sample = augment_input_data(sample, steps, keep_bytes=model.takes_bytes)
        usable = usable_rows(sample[Inputs.groundtruth_boxes])
        kept = usable[:limit] if limit > 0 else usable
        sample = select_rows(sample, lambda value: tf.gather(value, kept))
        return {**sample, NUM_BOXES_BEFORE_CUT: tf.size(usable)}

    finish = functools.partial(
        transform_input_data,
        model_preprocess_fn=model.preprocess,
        image_resizer_fn=image_resizer_builder.build(resizer_config),
        num_classes=num_classes,
        data_augmentation_fn=augment,
        merge_multiple_boxes=train_config.merge_multiple_label_boxes,
        use_multiclass_scores=train_config.use_multiclass_scores,
        cast_image=not model.takes_bytes,
    )

    @as_written
    def transform(sample: Sample) -> Sample:
        if joiner:
            # What is cut at the edges of its quarter may have no area left.
            sample = prune_unusable_boxes(sample)
        return _keep(finish(_keep(sample, _TRANSFORMED_FIELDS)), _TRAINING_FIELDS)

    clean = cleaning(selection, num_classes)

    return dataset_builder.build(
        input_config,
        train_config.batch_size,
        transform,
        drop_remainder=True,
        seed=seed,
        mosaic=joiner,
        read_image=image_reading.image_reader(train_config, input_config, model_config),
        start=start,
        in_order=None if seed is None else train_config.deterministic_input,
        selection=selection,
        # Operations on fields that nothing needs would be run, where they lie in a branch.
        mend=lambda sample: clean(_keep(sample, _TRANSFORMED_FIELDS)),
    )


def evaluation_dataset(
    eval_config: Any,
    input_config: Any,
    model_config: Any,
    model: DetectionModel,
    batch_size: int | None = None,
    selection: Selection | None = None,
) -> tf.data.Dataset:
    """One pass over the pictures, in order, without augmentation.

    Args:
        eval_config: `EvalConfig` message.
        input_config: `InputReader` message.
        model_config: `DetectionModel` message.
        model: gives `preprocess`.
        batch_size: pictures a batch; `eval_config.batch_size` by default.
        selection: the records that are read, whose samples are mended, too; None: all, as they are.

    Returns:
        Batches as of `training_dataset`, with `original_image` [B, H, W, 3] uint8 (padded to the
        largest of the batch), `original_image_spatial_shape` [B, 2] and, for each box,
        `groundtruth_difficult`, `groundtruth_is_crowd`, `groundtruth_area`.
    """
    batch_size = batch_size or max(eval_config.batch_size, 1)
    num_classes = config_util.get_number_of_classes(model_config)
    finish = functools.partial(
        transform_input_data,
        model_preprocess_fn=model.preprocess,
        image_resizer_fn=image_resizer_builder.build(
            config_util.get_image_resizer_config(model_config)
        ),
        num_classes=num_classes,
    )
    reader = copy.deepcopy(input_config)
    reader.shuffle = False
    reader.num_epochs = 1

    @as_written
    def transform(sample: Sample) -> Sample:
        original = sample[Inputs.image]
        sample = finish(sample)
        sample[Inputs.original_image] = original
        return _keep(sample, _EVALUATION_FIELDS)

    return dataset_builder.build(
        reader,
        batch_size,
        transform,
        drop_remainder=False,
        selection=selection,
        mend=cleaning(selection, num_classes),
    )


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
        (Boxes.keypoint_flags, Inputs.groundtruth_keypoint_flags),
        (Boxes.masks, Inputs.groundtruth_instance_masks),
    ):
        if key in batch:
            groundtruth[field] = batch[key]
    model.provide_groundtruth_batch(groundtruth)
