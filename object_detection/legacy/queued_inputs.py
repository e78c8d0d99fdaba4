"""Batches of samples that a function gives, through queues of the graph, and their losses.

Axes: M groundtruth boxes, C classes, K keypoints; one entry a picture, because pictures and
numbers of boxes differ.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection import inputs
from object_detection.builders import preprocessor_builder
from object_detection.core import batcher
from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.errors import ConfigError
from object_detection.utils import ops
from object_detection.utils.label_map_util import LABEL_OFFSET

Inputs = fields.InputDataFields
Sample = dict[str, tf.Tensor]


def create_input_queue(
    batch_size_per_clone: int,
    create_tensor_dict_fn: Callable[[], Sample],
    batch_queue_capacity: int,
    num_batch_queue_threads: int,
    prefetch_queue_capacity: int,
    data_augmentation_options: Sequence[preprocessor_builder.Step],
) -> batcher.BatchQueue:
    """A queue of batches of augmented samples.

    Args:
        batch_size_per_clone: samples of a batch.
        create_tensor_dict_fn: gives the tensors of one sample, with `image` [H, W, C].
        batch_queue_capacity: samples that wait to be batched.
        num_batch_queue_threads: threads that fill the batches.
        prefetch_queue_capacity: batches that wait to be taken.
        data_augmentation_options: see `preprocessor_builder`.

    Returns:
        The queue; its samples have `image` [1, H, W, C] float32.
    """
    sample = inputs.augment_input_data(create_tensor_dict_fn(), data_augmentation_options)
    sample[Inputs.image] = sample[Inputs.image][tf.newaxis]
    return batcher.BatchQueue(
        sample,
        batch_size=batch_size_per_clone,
        batch_queue_capacity=batch_queue_capacity,
        num_batch_queue_threads=num_batch_queue_threads,
        prefetch_queue_capacity=prefetch_queue_capacity,
    )


class QueuedInputs(NamedTuple):
    """One entry for each picture of a batch; None where the samples lack the field."""

    images: tuple[tf.Tensor, ...]  # [1, H, W, C]
    keys: tuple[Any, ...]  # `source_id`, or ""
    boxes: tuple[tf.Tensor, ...]  # [M, 4]
    classes: tuple[tf.Tensor, ...]  # [M, C]
    masks: tuple[tf.Tensor | None, ...]  # [M, H, W]
    keypoints: tuple[tf.Tensor | None, ...]  # [M, K, 2]
    weights: tuple[tf.Tensor | None, ...]  # [M]


def _classes_of(
    sample: Sample, num_classes: int, merge: bool, use_scores: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """Boxes and class targets [M, C] of one sample."""
    boxes = sample[Inputs.groundtruth_boxes]
    class_ids = tf.cast(sample[Inputs.groundtruth_classes], tf.int32) - LABEL_OFFSET
    if merge:
        boxes, classes, *_ = ops.merge_boxes_with_multiple_labels(
            boxes, class_ids, tf.ones_like(class_ids, tf.float32), num_classes
        )
        return boxes, tf.cast(classes, tf.float32)
    if use_scores:
        return boxes, tf.cast(sample[Inputs.multiclass_scores], tf.float32)
    return boxes, tf.one_hot(class_ids, num_classes)


def _check_targets(sample: Sample, merge: bool, use_scores: bool) -> None:
    if merge and use_scores:
        raise ConfigError(
            "merge_multiple_label_boxes and use_multiclass_scores exclude each other; set one."
        )
    rows = [
        key
        for key in (Inputs.groundtruth_instance_masks, Inputs.groundtruth_keypoints)
        if key in sample
    ]
    if merge and rows:
        raise NotImplementedError(
            f"merge_multiple_label_boxes: boxes that are one have several {', '.join(rows)}."
        )


def _targets(
    samples: Sequence[Sample], num_classes: int, merge: bool, scores: bool
) -> QueuedInputs:
    rows = []
    for sample in samples:
        _check_targets(sample, merge, scores)
        rows.append(
            (
                sample[Inputs.image],
                sample.get(Inputs.source_id, ""),
                *_classes_of(sample, num_classes, merge, scores),
                sample.get(Inputs.groundtruth_instance_masks),
                sample.get(Inputs.groundtruth_keypoints),
                None if merge else sample.get(Inputs.groundtruth_weights),
            )
        )
    return QueuedInputs(*zip(*rows, strict=True))


def get_inputs(
    input_queue: batcher.BatchQueue,
    num_classes: int,
    merge_multiple_label_boxes: bool = False,
    use_multiclass_scores: bool = False,
) -> QueuedInputs:
    """The next batch of a queue, a list a field.

    Args:
        input_queue: see `create_input_queue`.
        num_classes: C.
        merge_multiple_label_boxes: whether boxes that are the same become one with several
            classes; only without masks and keypoints.
        use_multiclass_scores: whether `multiclass_scores` [M, C] are the class targets.

    Raises:
        ConfigError: both options are set.
        NotImplementedError: boxes with masks or keypoints cannot be merged.
    """
    return _targets(
        input_queue.dequeue(), num_classes, merge_multiple_label_boxes, use_multiclass_scores
    )


def _all_or_none(values: Sequence[Any]) -> list[Any] | None:
    return None if any(value is None for value in values) else list(values)


def losses_of_samples(
    model: DetectionModel, samples: Sequence[Sample], train_config: Any
) -> dict[str, tf.Tensor]:
    """Losses of a model on a batch whose pictures may differ in size before `preprocess`."""
    batch = _targets(
        samples,
        model.num_classes,
        train_config.merge_multiple_label_boxes,
        train_config.use_multiclass_scores,
    )
    preprocessed = [model.preprocess(image) for image in batch.images]
    images = tf.concat([image for image, _ in preprocessed], axis=0)
    true_shapes = tf.concat([shape for _, shape in preprocessed], axis=0)
    visibilities, flags = (
        [sample.get(field) for sample in samples]
        for field in (Inputs.groundtruth_keypoint_visibilities, Inputs.groundtruth_keypoint_flags)
    )
    model.provide_groundtruth(
        list(batch.boxes),
        list(batch.classes),
        groundtruth_masks_list=_all_or_none(batch.masks),
        groundtruth_keypoints_list=_all_or_none(batch.keypoints),
        groundtruth_keypoint_visibilities_list=_all_or_none(visibilities),
        groundtruth_keypoint_flags_list=_all_or_none(flags),
        groundtruth_weights_list=_all_or_none(batch.weights),
    )
    return model.loss(model.predict(images, true_shapes), true_shapes)


def flat(samples: Sequence[Sample]) -> Sample:
    """The tensors of a batch of samples in one dict, by the sample's number and the field."""
    return {
        f"{number}/{key}": one
        for number, sample in enumerate(samples)
        for key, one in sample.items()
    }


@contextlib.contextmanager
def filled_queues(session: tf.Session) -> Iterator[None]:
    """Runs the threads that fill the graph's queues, if it has any."""
    if not tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS):
        yield
        return
    coordinator = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(session, coordinator)
    try:
        yield
    finally:
        coordinator.request_stop()
        coordinator.join(threads, stop_grace_period_secs=20, ignore_live_threads=True)
