"""Groundtruth as the losses of a two-stage detector need it: padded, in pixels.

Axes:   B images, M groundtruth boxes (padded), C classes.
Frames: boxes in pixels of the resized and padded picture.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.meta_architectures.faster_rcnn import frames
from object_detection.utils import shape_utils

Boxes = fields.BoxListFields


class Groundtruth(NamedTuple):
    """The groundtruth of a batch; weight 0 on padding."""

    boxes: tf.Tensor  # [B, M, 4], absolute
    labels: tf.Tensor  # [B, M, 1 + C], background first
    weights: tf.Tensor  # [B, M]
    masks: tf.Tensor | None  # [B, M, H, W]
    annotated: tf.Tensor | None  # [B] booleans; losses of the others do not count


def of_batch(
    batch: dict[str, tf.Tensor], image_shape: tf.Tensor, masks: tf.Tensor | None
) -> Groundtruth:
    """Groundtruth from what `DetectionModel.groundtruth_batch` gives.

    Args:
        batch: field -> [B, M, ...].
        image_shape: [4] int32, shape of the padded batch of pictures.
        masks: [B, M, H, W] or None.
    """
    labels = tf.cast(batch[Boxes.classes], tf.float32)
    return Groundtruth(
        boxes=tf.cast(batch[Boxes.boxes], tf.float32) * frames.padded_size(image_shape),
        labels=tf.pad(labels, [[0, 0], [0, 0], [1, 0]]),
        weights=tf.cast(batch[Boxes.weights], tf.float32),
        masks=masks,
        annotated=batch.get(fields.InputDataFields.is_annotated),
    )


def _resized(masks: tf.Tensor, image_resizer_fn: Callable[..., list[tf.Tensor]]) -> tf.Tensor:
    """[M, H, W] masks of a raw picture -> resized as the picture is."""
    size = tf.shape(masks)[1:]
    stand_in = tf.zeros(tf.concat([size, [1]], axis=0))
    return image_resizer_fn(image=stand_in, masks=masks)[1]


def stacked_masks(
    masks: Sequence[Any] | tf.Tensor, image_resizer_fn: Callable[..., list[tf.Tensor]] | None
) -> tf.Tensor:
    """Masks [B, M, H, W] of a batch, zeros below each picture's own.

    Args:
        masks: B tensors [M_i, H_i, W_i]; or [B, M, H, W], which have their final size.
        image_resizer_fn: resizes the masks with their picture; None if that has been done.
    """
    if not isinstance(masks, list | tuple):
        return tf.cast(masks, tf.float32)
    rows = [tf.cast(one, tf.float32) for one in masks]
    if image_resizer_fn is not None:
        rows = [_resized(one, image_resizer_fn) for one in rows]
    longest = tf.reduce_max(tf.stack([tf.shape(one)[0] for one in rows]))
    return tf.stack([shape_utils.pad_tensor(one, longest) for one in rows])
