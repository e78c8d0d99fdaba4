"""What every loss offers: masks of pictures, absent targets, weights that broadcast.

Axes: B images, N anchors.
"""

import abc
from typing import Any

import tensorflow.compat.v1 as tf


class Loss(abc.ABC):
    """A loss of predictions against targets."""

    # Whether it is one of boxes [B, N, 4]: whoever calls it has to decode codes first.
    of_boxes: bool = False

    def __call__(
        self,
        prediction_tensor: tf.Tensor,
        target_tensor: tf.Tensor,
        ignore_nan_targets: bool = False,
        losses_mask: tf.Tensor | None = None,
        scope: str | None = None,
        **params: Any,
    ) -> tf.Tensor:
        """Element-wise losses.

        Args:
            prediction_tensor: [B, N, ...].
            target_tensor: the same shape.
            ignore_nan_targets: where the target is NaN, the prediction itself is the target: the
                difference, its loss and its gradient are 0.
            losses_mask: [B] booleans; pictures where it is false have loss 0.
            scope: name scope.
            **params: further arguments of the loss, among them `weights`.
        """
        with tf.name_scope(scope, "Loss"):
            prediction = tf.convert_to_tensor(prediction_tensor)
            target = target_tensor
            if not tf.is_tensor(target):
                target = tf.convert_to_tensor(target, prediction.dtype)
            if ignore_nan_targets:
                target = tf.where(tf.math.is_nan(target), prediction, target)
            losses = self._compute_loss(prediction, target, **params)
            return losses if losses_mask is None else _of_pictures(losses, losses_mask)

    @abc.abstractmethod
    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, *args: Any, **params: Any
    ) -> tf.Tensor:
        """The losses, weighted."""


def _of_pictures(losses: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Losses [B, ...] where the mask [B] is true, 0 elsewhere, NaN or not."""
    mask = tf.cast(mask, tf.bool)
    mask = tf.reshape(mask, tf.concat([tf.shape(mask), [1] * (losses.shape.rank - 1)], axis=0))
    kept = tf.where(tf.broadcast_to(mask, tf.shape(losses)), losses, tf.zeros_like(losses))
    kept.set_shape(losses.shape)
    return kept


def per_number(weights: Any, losses: tf.Tensor) -> tf.Tensor:
    """Weights of any leading part of the losses' axes, made to broadcast over the rest."""
    weights = tf.convert_to_tensor(weights, losses.dtype)
    while 0 < weights.shape.rank < losses.shape.rank:
        weights = weights[..., tf.newaxis]
    return weights
