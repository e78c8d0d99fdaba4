"""Classification losses of logits.

Axes: B images, N anchors (or pixels), C classes. `weights` are [B, N, C], or [B, N, 1] for all
classes alike.
"""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.losses.base import Loss, per_number
from object_detection.errors import ConfigError


def _of_classes(class_indices: Any, losses: tf.Tensor) -> tf.Tensor:
    """1 for the classes named, 0 for the others; all without a list."""
    if class_indices is None:
        return tf.constant(1.0, losses.dtype)
    # The cast is for an empty Python list, which becomes a float tensor.
    indices = tf.cast(tf.convert_to_tensor(class_indices), tf.int32)
    chosen = tf.one_hot(indices, tf.shape(losses)[-1], True, False, dtype=tf.bool)
    return tf.cast(tf.reduce_any(chosen, axis=0), losses.dtype)


class WeightedSigmoidClassificationLoss(Loss):
    """Cross entropy of each class by itself -> [B, N, C]."""

    def _compute_loss(
        self,
        prediction_tensor: tf.Tensor,
        target_tensor: tf.Tensor,
        weights: Any = 1.0,
        class_indices: Any = None,
    ) -> tf.Tensor:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(
            labels=target_tensor, logits=prediction_tensor
        )
        return losses * per_number(weights, losses) * _of_classes(class_indices, losses)


class SigmoidFocalClassificationLoss(Loss):
    """Focal loss (arXiv:1708.02002, equation 5): alpha_t * (1 - p_t)^gamma * cross entropy."""

    def __init__(self, gamma: float = 2.0, alpha: float | None = 0.25) -> None:
        """Takes the exponent, and the weight of positives (None for no balance)."""
        super().__init__()
        self._gamma = gamma
        self._alpha = alpha

    def _compute_loss(
        self,
        prediction_tensor: tf.Tensor,
        target_tensor: tf.Tensor,
        weights: Any = 1.0,
        class_indices: Any = None,
    ) -> tf.Tensor:
        entropy = tf.nn.sigmoid_cross_entropy_with_logits(
            labels=target_tensor, logits=prediction_tensor
        )
        probability = tf.sigmoid(prediction_tensor)
        wrong = target_tensor * (1 - probability) + (1 - target_tensor) * probability
        losses = entropy
        if self._gamma:
            losses *= tf.pow(wrong, self._gamma)
        if self._alpha is not None:
            losses *= target_tensor * self._alpha + (1 - target_tensor) * (1 - self._alpha)
        return losses * per_number(weights, losses) * _of_classes(class_indices, losses)


class WeightedDiceClassificationLoss(Loss):
    """1 - Dice coefficient of the masks of each class -> [B, C].

    The coefficient is 2 * sum(p * t) / (sum(p) + sum(t)) over the pixels N, or with the squares
    of p and t below the line (V-Net, arXiv:1606.04797, section 3); where neither prediction nor
    target has weight it is 0, so that a class that does not count has the constant loss 1.
    """

    def __init__(
        self, squared_normalization: bool, is_prediction_probability: bool = False
    ) -> None:
        """Takes the settings.

        Args:
            squared_normalization: squares below the line.
            is_prediction_probability: predictions are probabilities, not logits.
        """
        super().__init__()
        self._squared_normalization = squared_normalization
        self._is_prediction_probability = is_prediction_probability

    def _compute_loss(
        self,
        prediction_tensor: tf.Tensor,
        target_tensor: tf.Tensor,
        weights: Any = 1.0,
        class_indices: Any = None,
    ) -> tf.Tensor:
        probability = prediction_tensor
        if not self._is_prediction_probability:
            probability = tf.sigmoid(prediction_tensor)
        weights = per_number(weights, probability) * _of_classes(class_indices, probability)
        common = tf.reduce_sum(weights * probability * target_tensor, axis=1)
        if self._squared_normalization:
            probability, target_tensor = tf.square(probability), tf.square(target_tensor)
        size = tf.reduce_sum(weights * (probability + target_tensor), axis=1)
        return 1.0 - tf.math.divide_no_nan(2.0 * common, size)


def _softmax_losses(logits: tf.Tensor, targets: tf.Tensor, weights: Any) -> tf.Tensor:
    """Weighted cross entropy over the classes, [B, N]."""
    losses = tf.nn.softmax_cross_entropy_with_logits_v2(tf.stop_gradient(targets), logits)
    weights = tf.convert_to_tensor(weights, losses.dtype)
    # One weight a class says how much the anchor counts: their mean.
    return losses * (tf.reduce_mean(weights, axis=-1) if weights.shape.rank == 3 else weights)


class WeightedSoftmaxClassificationLoss(Loss):
    """Cross entropy over all classes, of logits divided by a temperature -> [B, N]."""

    def __init__(self, logit_scale: float = 1.0) -> None:
        """Takes the temperature: logits are divided by it."""
        super().__init__()
        self._logit_scale = logit_scale

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        return _softmax_losses(prediction_tensor / self._logit_scale, target_tensor, weights)


class WeightedSoftmaxClassificationAgainstLogitsLoss(Loss):
    """Cross entropy against the softmax of target logits -> [B, N].

    Prediction and target logits are both divided by the temperature (knowledge distillation,
    arXiv:1503.02531, section 2).
    """

    def __init__(self, logit_scale: float = 1.0) -> None:
        """Takes the temperature: logits are divided by it."""
        super().__init__()
        self._logit_scale = logit_scale

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        targets = tf.nn.softmax(target_tensor / self._logit_scale)
        return _softmax_losses(prediction_tensor / self._logit_scale, targets, weights)


class BootstrappedSigmoidClassificationLoss(Loss):
    """Cross entropy against a blend of the label and the model's own answer -> [B, N, C].

    Source: arXiv:1412.6596, section 3.2: alpha * label + (1 - alpha) * answer, the answer being
    the predicted probability (soft) or whether it is above one half (hard).
    """

    def __init__(self, alpha: float, bootstrap_type: str = "soft") -> None:
        """Takes the share of the label, and `soft` or `hard`.

        Raises:
            ConfigError: another type.
        """
        super().__init__()
        if bootstrap_type not in ("soft", "hard"):
            raise ConfigError(f"bootstrap_type is {bootstrap_type!r}; allowed: soft, hard.")
        self._alpha = alpha
        self._bootstrap_type = bootstrap_type

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        answer = tf.sigmoid(prediction_tensor)
        if self._bootstrap_type == "hard":
            answer = tf.cast(answer > 0.5, answer.dtype)
        blend = self._alpha * target_tensor + (1.0 - self._alpha) * answer
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=blend, logits=prediction_tensor)
        return losses * per_number(weights, losses)


class PenaltyReducedLogisticFocalLoss(Loss):
    """Focal loss for heatmaps (CenterNet, arXiv:1904.07850, equation 1) -> [B, N, C].

    -(1 - p)^alpha * log(p) where the target is 1, else -(1 - t)^beta * p^alpha * log(1 - p).
    """

    def __init__(
        self, alpha: float = 2.0, beta: float = 4.0, sigmoid_clip_value: float = 1e-4
    ) -> None:
        """Takes the settings.

        Args:
            alpha: exponent of the focus on hard examples.
            beta: exponent of the mercy with places near a centre.
            sigmoid_clip_value: probabilities stay that far from 0 and 1.
        """
        super().__init__()
        self._alpha = alpha
        self._beta = beta
        self._sigmoid_clip_value = sigmoid_clip_value

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        margin = self._sigmoid_clip_value
        probability = tf.clip_by_value(tf.sigmoid(prediction_tensor), margin, 1.0 - margin)
        centre = tf.pow(1.0 - probability, self._alpha) * tf.math.log(probability)
        around = (
            tf.pow(1.0 - target_tensor, self._beta)
            * tf.pow(probability, self._alpha)
            * tf.math.log(1.0 - probability)
        )
        losses = -tf.where(tf.equal(target_tensor, 1.0), centre, around)
        return losses * per_number(weights, losses)
