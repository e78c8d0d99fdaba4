"""Greedy suppression of overlapping boxes, over the batch axis and with fixed sizes.

Axes: R rows (a picture and a class, or a picture), N boxes, D kept.
"""

import tensorflow.compat.v1 as tf


def keep_best(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    max_output_size: int,
    iou_threshold: float,
    score_threshold: float,
    soft_nms_sigma: float = 0.0,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Greedy suppression of each row by itself.

    Boxes without area, and those whose score or a coordinate is NaN, are never kept.

    Args:
        boxes: [R, N, 4].
        scores: [R, N].
        max_output_size: D.
        iou_threshold: overlap from which the worse box goes.
        score_threshold: boxes need a higher score.
        soft_nms_sigma: sigma of Gaussian soft suppression (arXiv:1704.04503); 0 for hard.

    Returns:
        Indices [R, D] int32, scores [R, D] (of soft suppression: the lowered ones) and the
        number of kept boxes [R] int32. Rows beyond that number are index 0, score 0.
    """
    usable = (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])
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
            soft_nms_sigma=soft_nms_sigma / 2.0,
            pad_to_max_output_size=True,
        )
        real = tf.range(max_output_size) < valid
        return (
            tf.where(real, indices, tf.zeros_like(indices)),
            tf.where(real, kept_scores, tf.zeros_like(kept_scores)),
            valid,
        )

    rows = scores.shape.as_list()[0]
    if rows == 1:
        indices, kept, valid = (tensor[tf.newaxis] for tensor in one((boxes[0], scores[0])))
    else:
        indices, kept, valid = tf.map_fn(
            one, (boxes, scores), fn_output_signature=(tf.int32, tf.float32, tf.int32)
        )
    indices.set_shape([rows, max_output_size])
    kept.set_shape([rows, max_output_size])
    return indices, kept, valid
