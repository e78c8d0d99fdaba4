"""Detections averaged with the boxes that they suppressed.

BlazeFace (arXiv:1907.05047, section 4.2): of several boxes of one object suppression picks the best,
and which one that is changes with every little change of the picture; a mean weighted by scores is
steadier.

Axes: B images, N boxes, P of them as candidates, q box sets (1, or one a class), C classes,
D detections, F numbers of a field.
"""

import math
from typing import NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops


class Blending(NamedTuple):
    """Which candidates of a detection's class count, and how much."""

    iou_threshold: float = 0.7  # least overlap with the kept box
    score_power: float = 1.0  # weights are scores to this power
    max_candidates: int = 1000  # P: of a picture, those of the best scores


class Kept(NamedTuple):
    """What suppression kept."""

    indices: tf.Tensor  # [B, D] int32, row of N
    classes: tf.Tensor  # [B, D] int32
    scores: tf.Tensor  # [B, D]
    whole_boxes: tf.Tensor  # [B, D, 4]
    boxes: tf.Tensor  # [B, D, 4], cut
    points: dict[str, tf.Tensor]  # [B, D, ...]


def check(settings: Blending, soft_nms_sigma: float) -> None:
    """Refuses settings that no mean can be made of; a `ValueError`."""
    if not 0 < settings.iou_threshold <= 1:
        raise ValueError(
            f"blending: iou_threshold should be above 0 and at most 1, got {settings.iou_threshold}."
        )
    if not 0 <= settings.score_power < math.inf:
        raise ValueError(f"blending: score_power should be 0 or more, got {settings.score_power}.")
    if settings.max_candidates < 1:
        raise ValueError(
            f"blending: max_candidates should be at least 1, got {settings.max_candidates}."
        )
    if soft_nms_sigma:
        raise ValueError(
            "blending excludes soft suppression, which keeps the boxes to be averaged as "
            "detections of their own; set soft_nms_sigma to 0."
        )


def blend(
    settings: Blending,
    score_threshold: float,
    kept: Kept,
    whole_boxes: tf.Tensor,
    boxes: tf.Tensor,
    scores: tf.Tensor,
    points: dict[str, tf.Tensor],
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Means of the kept boxes and of the candidates that overlap them, weighted by scores.

    A candidate's weight comes from its score of the detection's class. One that does not pass the
    score threshold, has no area or holds NaN or infinity does not count. The kept box counts in
    any case, and stays as it is, to the bit, where nothing else does.

    Args:
        settings: of the blending.
        score_threshold: candidates need a higher score.
        kept: the D detections.
        whole_boxes: [B, N, q, 4], whose overlap is compared, as suppression does.
        boxes: [B, N, q, 4], cut at the window; averaged.
        scores: [B, N, C]; NaN where a row does not count.
        points: name -> [B, N, ...], averaged with the boxes' weights.

    Returns:
        Boxes [B, D, 4] and, by name, points [B, D, ...].
    """
    lowest = tf.fill(tf.shape(scores), tf.constant(-float("inf"), scores.dtype))
    scores = tf.where(tf.math.is_nan(scores), lowest, scores)
    count = tf.minimum(settings.max_candidates, tf.shape(scores)[1])
    _, chosen = tf.nn.top_k(tf.reduce_max(scores, axis=2), count)

    def candidates(tensor: tf.Tensor) -> tf.Tensor:
        return tf.gather(tensor, chosen, batch_dims=1)

    whole_boxes = _of_classes(candidates(whole_boxes), kept.classes)
    boxes = _of_classes(candidates(boxes), kept.classes)
    flat = {name: _flat(candidates(tensor)) for name, tensor in points.items()}
    scores = tf.gather(
        tf.transpose(candidates(scores), [0, 2, 1]), kept.classes, batch_dims=1
    )  # [B, D, P]
    overlap = box_list_ops.pairwise_iou(kept.whole_boxes[:, :, tf.newaxis], whole_boxes)
    usable = (box_list_ops.box_area(boxes) > 0.0) & _finite(boxes)
    for tensor in flat.values():
        usable &= _finite(tensor)
    counts = (overlap[:, :, 0] >= settings.iou_threshold) & (scores > score_threshold) & usable
    # The detection's own share is added below: it may not be among the candidates.
    counts &= tf.not_equal(chosen[:, tf.newaxis], kept.indices[..., tf.newaxis])
    weights = tf.where(counts, _weight(scores, settings), tf.zeros_like(scores))
    own = _weight(kept.scores, settings)
    total = own + tf.reduce_sum(weights, axis=2)
    shares = tf.math.divide_no_nan(weights, total[..., tf.newaxis])
    alone = ~tf.reduce_any(shares > 0.0, axis=2)
    own = tf.where(alone, tf.ones_like(own), tf.math.divide_no_nan(own, total))

    def mean(mine: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        """[B, D, ...] of detections and [B, 1 or D, P, F] of candidates -> [B, D, ...]."""
        # Not left to their weight of 0: 0 * NaN is NaN.
        others = tf.where(tf.math.is_finite(others), others, tf.zeros_like(others))
        if others.shape.as_list()[1] == 1:
            pull = tf.matmul(shares, others[:, 0])
        else:
            pull = tf.matmul(shares[:, :, tf.newaxis], others)[:, :, 0]
        shape = tf.shape(mine)
        blended = own[..., tf.newaxis] * tf.reshape(mine, tf.shape(pull)) + pull
        blended = tf.reshape(blended, shape)
        blended.set_shape(mine.shape)
        return blended

    return (
        mean(kept.boxes, boxes),
        {name: mean(kept.points[name], tensor) for name, tensor in flat.items()},
    )


def _weight(scores: tf.Tensor, settings: Blending) -> tf.Tensor:
    """Weights of scores; those below 0, which only raw logits have, weigh nothing."""
    scores = tf.maximum(scores, 0.0)
    return scores if settings.score_power == 1.0 else tf.pow(scores, settings.score_power)


def _of_classes(tensor: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """[B, P, q, F] -> [B, 1 or D, P, F]: the set of each detection's class, or the common one."""
    by_set = tf.transpose(tensor, [0, 2, 1, 3])
    if tensor.shape.as_list()[2] == 1:
        return by_set
    return tf.gather(by_set, classes, batch_dims=1)


def _flat(tensor: tf.Tensor) -> tf.Tensor:
    """[B, P, ...] -> [B, 1, P, F]."""
    shape = tf.shape(tensor)
    numbers = tf.reduce_prod(shape[2:])
    flat = tf.reshape(tensor, [shape[0], 1, shape[1], numbers])
    rest = tensor.shape[2:]
    flat.set_shape([tensor.shape[0], 1, tensor.shape[1], rest.num_elements()])
    return flat


def _finite(tensor: tf.Tensor) -> tf.Tensor:
    """[..., F] -> [...]."""
    return tf.reduce_all(tf.math.is_finite(tensor), axis=-1)
