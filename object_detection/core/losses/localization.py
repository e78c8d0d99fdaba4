"""Localisation losses of codes or boxes.

Axes: B images, N anchors; a code has `code_size` numbers.
"""

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


class WeightedIOULocalizationLoss(Loss):
    """1 - IoU of predicted and target boxes [B, N, 4] -> [B, N]."""

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        overlap = box_list_ops.paired(box_list_ops.pairwise_iou, prediction_tensor, target_tensor)
        losses = 1.0 - overlap
        return losses * per_number(weights, losses)


class WeightedGIOULocalizationLoss(Loss):
    """1 - generalised IoU (arXiv:1902.09630) of boxes [B, N, 4] -> [B, N]."""

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        overlap = box_list_ops.paired(box_list_ops.pairwise_giou, prediction_tensor, target_tensor)
        losses = 1.0 - overlap
        return losses * per_number(weights, losses)
