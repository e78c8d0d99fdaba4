"""Localisation losses of codes or boxes.

Axes: B images, N anchors; a code has `code_size` numbers.
"""

import abc
import math
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core.losses.base import Loss, per_number


class WeightedL2LocalizationLoss(Loss):
    """Half the squared weighted difference, summed over the code -> [B, N].

    `weights` [B, N] are squared too: they scale the difference.
    """

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        difference = prediction_tensor - target_tensor
        losses = 0.5 * tf.square(difference * per_number(weights, difference))
        return tf.reduce_sum(losses, axis=2)


class WeightedSmoothL1LocalizationLoss(Loss):
    """Huber loss: x^2 / 2 up to delta, then delta * (|x| - delta / 2), summed -> [B, N]."""

    def __init__(self, delta: float = 1.0) -> None:
        """Takes the difference from which on the loss is linear."""
        super().__init__()
        self._delta = delta

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        size = tf.abs(prediction_tensor - target_tensor)
        near = tf.minimum(size, self._delta)
        losses = near * (size - 0.5 * near)
        return tf.reduce_sum(losses * per_number(weights, losses), axis=2)


class L1LocalizationLoss(Loss):
    """The absolute difference of each number: [B, N, ...] -> the same shape."""

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        losses = tf.abs(prediction_tensor - target_tensor)
        return losses * per_number(weights, losses)


class _OverlapLoss(Loss):
    """1 - a likeness of predicted and target boxes [B, N, 4] -> [B, N].

    Values and gradients are finite for all boxes whose squared sides are, those without area and
    inverted ones included.
    """

    of_boxes = True

    @abc.abstractmethod
    def _likeness(self, boxes: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """At most 1, for the same box: [B, N, 4], [B, N, 4] -> [B, N]."""

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        losses = 1.0 - self._likeness(prediction_tensor, target_tensor)
        return losses * per_number(weights, losses)


class WeightedIOULocalizationLoss(_OverlapLoss):
    """1 - IoU, in [0, 1]; without a gradient where boxes do not overlap."""

    def _likeness(self, boxes: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        return box_list_ops.paired(box_list_ops.pairwise_iou, boxes, targets)


class WeightedGIOULocalizationLoss(_OverlapLoss):
    """1 - generalised IoU (arXiv:1902.09630, algorithm 1), in [0, 2]."""

    def _likeness(self, boxes: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        return box_list_ops.paired(box_list_ops.pairwise_giou, boxes, targets)


class WeightedDIOULocalizationLoss(_OverlapLoss):
    """1 - distance IoU (arXiv:1911.08287, equation 7), in [0, 2]."""

    def _likeness(self, boxes: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        return distance_iou(boxes, targets)


class WeightedCIOULocalizationLoss(_OverlapLoss):
    """1 - complete IoU (arXiv:1911.08287, equation 10), in [0, 3]."""

    def _likeness(self, boxes: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        return complete_iou(boxes, targets)


def distance_iou(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """IoU - d^2 / c^2 of each box with its partner: [..., 4], [..., 4] -> [...].

    d is the distance of the centres, c the diagonal of the smallest box around both
    (arXiv:1911.08287, equation 6). It encloses the corners of an inverted box too, so that d never
    exceeds c. Two equal points have 0.
    """
    corners = tf.stack([boxes[..., :2], boxes[..., 2:], others[..., :2], others[..., 2:]], axis=-1)
    sides = tf.reduce_max(corners, axis=-1) - tf.reduce_min(corners, axis=-1)
    apart = 0.5 * ((boxes[..., :2] + boxes[..., 2:]) - (others[..., :2] + others[..., 2:]))
    distance = tf.math.divide_no_nan(
        tf.reduce_sum(tf.square(apart), axis=-1), tf.reduce_sum(tf.square(sides), axis=-1)
    )
    return box_list_ops.paired(box_list_ops.pairwise_iou, boxes, others) - distance


def complete_iou(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Distance IoU less alpha * v of each box with its partner: [..., 4], [..., 4] -> [...].

    v = 4 / pi^2 * (difference of arctan(w / h))^2 and alpha = v / (1 - IoU + v), which has no
    gradient (arXiv:1911.08287, equations 8, 9, 11, and section 3.3). That section also puts 1 for
    w^2 + h^2 below the gradient of v by w and h, which grows as boxes get smaller. That is not
    needed here: coders predict logarithms of sizes, whose gradient does not.
    """
    overlap = box_list_ops.paired(box_list_ops.pairwise_iou, boxes, others)
    turn = _aspect_angle(boxes) - _aspect_angle(others)
    unlike = 4.0 / math.pi**2 * tf.square(turn)
    alpha = tf.stop_gradient(tf.math.divide_no_nan(unlike, tf.maximum(1.0 - overlap, 0.0) + unlike))
    return distance_iou(boxes, others) - alpha * unlike


# The least side that has an aspect ratio; far below a pixel, normalised or not.
_LEAST_SIDE = 1e-6


def _aspect_angle(boxes: tf.Tensor) -> tf.Tensor:
    """arctan(width / height), in (0, pi / 2); smaller sides count as `_LEAST_SIDE`."""
    sides = tf.maximum(boxes[..., 2:] - boxes[..., :2], _LEAST_SIDE)
    return tf.math.atan2(sides[..., 1], sides[..., 0])
