"""Greedy suppression of overlapping boxes, over the batch axis and with fixed sizes.

Axes: R rows (a picture and a class, or a picture), N boxes, D kept.
"""

import contextlib
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops

# Boxes that the OD API compares at a time; for code that reads it. TensorFlow's own operation,
# which is used here, needs no tiles.
_NMS_TILE_SIZE = 512


class NullContextmanager(contextlib.nullcontext[None]):
    """A `with` block that changes nothing, where a device block is one of two cases."""


def keep_best(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    max_output_size: Any,
    iou_threshold: float,
    score_threshold: float,
    soft_nms_sigma: float = 0.0,
    drop_empty: bool = True,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Greedy suppression of each row by itself.

    Boxes whose score or a coordinate is NaN are never kept.

    Args:
        boxes: [R, N, 4].
        scores: [R, N].
        max_output_size: D.
        iou_threshold: overlap above which the worse box goes.
        score_threshold: boxes need a higher score.
        soft_nms_sigma: sigma of Gaussian soft suppression (arXiv:1704.04503, section 3), which
            multiplies the scores of worse boxes by exp(-iou^2 / (2 * sigma)); 0 for hard.
        drop_empty: boxes without area are not kept either.

    Returns:
        Indices [R, D] int32, scores [R, D] (of soft suppression: the lowered ones) and the
        number of kept boxes [R] int32. Rows beyond that number are index 0, score 0.
    """
    if drop_empty:
        usable = (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])
    else:
        usable = ~tf.reduce_any(tf.math.is_nan(boxes), axis=-1)
    usable &= ~tf.math.is_nan(scores)
    boxes = tf.where(
        tf.broadcast_to(usable[..., tf.newaxis], tf.shape(boxes)), boxes, tf.zeros_like(boxes)
    )
    lowest = tf.fill(tf.shape(scores), tf.constant(-float("inf"), scores.dtype))
    scores = tf.where(usable, scores, lowest)

    def one(row: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        indices, kept_scores, valid = tf.raw_ops.NonMaxSuppressionV5(
            boxes=row[0],
            scores=row[1],
            max_output_size=max_output_size,
            iou_threshold=iou_threshold,
            score_threshold=score_threshold,
            soft_nms_sigma=soft_nms_sigma,
            pad_to_max_output_size=True,
        )
        real = tf.range(max_output_size) < valid
        return (
            tf.where(real, indices, tf.zeros_like(indices)),
            tf.where(real, kept_scores, tf.zeros_like(kept_scores)),
            valid,
        )

    def first() -> list[tf.Tensor]:
        return [tensor[tf.newaxis] for tensor in one((boxes[0], scores[0]))]

    def every() -> list[tf.Tensor]:
        return list(
            tf.map_fn(one, (boxes, scores), fn_output_signature=(tf.int32, tf.float32, tf.int32))
        )

    rows = scores.shape.as_list()[0]
    if rows == 1:
        indices, kept, valid = first()
    elif rows is None:
        # One picture and one class is the usual case of inference, and needs no loop.
        indices, kept, valid = tf.cond(tf.equal(tf.shape(scores)[0], 1), first, every)
    else:
        indices, kept, valid = every()
    width = max_output_size if isinstance(max_output_size, int) else None
    indices.set_shape([rows, width])
    kept.set_shape([rows, width])
    return indices, kept, valid


def batch_iou(boxes1: tf.Tensor, boxes2: tf.Tensor) -> tf.Tensor:
    """Intersection over union of each picture's pairs.

    Args:
        boxes1: [B, N, 4].
        boxes2: [B, M, 4]; rows without a coordinate of 0 or more are padding.

    Returns:
        [B, N, M]; -1 for padding.
    """
    boxes1, boxes2 = tf.convert_to_tensor(boxes1), tf.convert_to_tensor(boxes2)
    overlap = box_list_ops.pairwise_iou(boxes1, boxes2)
    padding = tf.reduce_max(boxes2, axis=-1)[:, tf.newaxis] < 0.0
    return tf.where(
        tf.broadcast_to(padding, tf.shape(overlap)), tf.fill(tf.shape(overlap), -1.0), overlap
    )


def partitioned_non_max_suppression_padded(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    max_output_size: int,
    iou_threshold: float = 0.5,
    score_threshold: float = float("-inf"),
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Suppression of sorted boxes, padded to a known size.

    Args:
        boxes: [N, 4].
        scores: [N].
        max_output_size: D.
        iou_threshold: overlap above which the worse box goes.
        score_threshold: boxes need a higher score.

    Returns:
        Indices of the kept boxes among the sorted ones [D] int32, how many of those count, the
        boxes sorted by falling score [N, 4], their scores [N], and the place of each of them in
        the input [N] int32.
    """
    boxes, scores = tf.convert_to_tensor(boxes), tf.convert_to_tensor(scores)
    sorted_scores, order = tf.nn.top_k(scores, k=tf.shape(scores)[0])
    sorted_scores.set_shape(scores.shape)
    order.set_shape(scores.shape)
    sorted_boxes = tf.gather(boxes, order)
    indices, _, valid = keep_best(
        sorted_boxes[tf.newaxis],
        sorted_scores[tf.newaxis],
        max_output_size,
        iou_threshold,
        score_threshold,
        drop_empty=False,
    )
    return indices[0], valid[0], sorted_boxes, sorted_scores, order
