"""Losses of each anchor, and the choice of the anchors that count.

Axes: B images, N anchors, C classes; a code has `code_size` numbers.

Localisation losses are summed over the code, [B, N]; classification losses stay [B, N, C]
(softmax: [B, N]). Reduction over anchors is the caller's.
"""

import abc
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError


def hide_nan_targets(prediction: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Replaces both by 0 where the target is NaN: no loss and, through `where`, no gradient."""
    absent = tf.math.is_nan(target)
    return (
        tf.where(absent, tf.zeros_like(prediction), prediction),
        tf.where(absent, tf.zeros_like(target), target),
    )


class Loss(abc.ABC):
    """A loss of predictions against targets."""

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
            ignore_nan_targets: NaN in the target adds nothing to value and gradient.
            losses_mask: [B] booleans; pictures where it is false have loss 0.
            scope: name scope.
            **params: further arguments of the loss, among them `weights`.
        """
        with tf.name_scope(scope, "Loss"):
            if ignore_nan_targets:
                prediction_tensor, target_tensor = hide_nan_targets(
                    prediction_tensor, target_tensor
                )
            losses = self._compute_loss(prediction_tensor, target_tensor, **params)
            if losses_mask is not None:
                shape = [-1] + [1] * (losses.shape.rank - 1)
                losses *= tf.reshape(tf.cast(losses_mask, losses.dtype), shape)
            return losses

    @abc.abstractmethod
    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, *args: Any, **params: Any
    ) -> tf.Tensor:
        """The losses, weighted."""


def _per_number(weights: Any, losses: tf.Tensor) -> tf.Tensor:
    """Weights of any leading part of the losses' axes, made to broadcast over the rest."""
    weights = tf.convert_to_tensor(weights, losses.dtype)
    while 0 < weights.shape.rank < losses.shape.rank:
        weights = weights[..., tf.newaxis]
    return weights


class WeightedL2LocalizationLoss(Loss):
    """Half the squared difference."""

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        difference = prediction_tensor - target_tensor
        losses = 0.5 * tf.square(difference * _per_number(weights, difference))
        return tf.reduce_sum(losses, axis=2)


class WeightedSmoothL1LocalizationLoss(Loss):
    """Huber loss: x^2 / 2 up to delta, then delta * (|x| - delta / 2)."""

    def __init__(self, delta: float = 1.0) -> None:
        super().__init__()
        self._delta = delta

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        size = tf.abs(prediction_tensor - target_tensor)
        near = tf.minimum(size, self._delta)
        losses = near * (size - 0.5 * near)
        return tf.reduce_sum(losses * _per_number(weights, losses), axis=2)


class L1LocalizationLoss(Loss):
    """The absolute difference."""

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        losses = tf.abs(prediction_tensor - target_tensor)
        return tf.reduce_sum(losses * _per_number(weights, losses), axis=2)


class WeightedSigmoidClassificationLoss(Loss):
    """Cross entropy of each class by itself."""

    def _compute_loss(
        self,
        prediction_tensor: tf.Tensor,
        target_tensor: tf.Tensor,
        weights: Any = 1.0,
        class_indices: tf.Tensor | None = None,
    ) -> tf.Tensor:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(
            labels=target_tensor, logits=prediction_tensor
        )
        return losses * _per_number(weights, losses) * _of_classes(class_indices, losses)


class SigmoidFocalClassificationLoss(Loss):
    """Focal loss (arXiv:1708.02002, equation 5): alpha_t * (1 - p_t)^gamma * cross entropy."""

    def __init__(self, gamma: float = 2.0, alpha: float | None = 0.25) -> None:
        super().__init__()
        self._gamma = gamma
        self._alpha = alpha

    def _compute_loss(
        self,
        prediction_tensor: tf.Tensor,
        target_tensor: tf.Tensor,
        weights: Any = 1.0,
        class_indices: tf.Tensor | None = None,
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
        return losses * _per_number(weights, losses) * _of_classes(class_indices, losses)


class WeightedSoftmaxClassificationLoss(Loss):
    """Cross entropy over all classes, of logits divided by a temperature -> [B, N]."""

    def __init__(self, logit_scale: float = 1.0) -> None:
        super().__init__()
        self._logit_scale = logit_scale

    def _compute_loss(
        self, prediction_tensor: tf.Tensor, target_tensor: tf.Tensor, weights: Any = 1.0
    ) -> tf.Tensor:
        losses = tf.nn.softmax_cross_entropy_with_logits(
            labels=target_tensor, logits=prediction_tensor / self._logit_scale
        )
        weights = tf.convert_to_tensor(weights, losses.dtype)
        # One weight a class says how much the anchor counts; all are equal.
        return losses * (tf.reduce_mean(weights, axis=-1) if weights.shape.rank == 3 else weights)


def _of_classes(class_indices: tf.Tensor | None, losses: tf.Tensor) -> tf.Tensor:
    """1 for the classes named, 0 for the others; all without a list."""
    if class_indices is None:
        return tf.constant(1.0, losses.dtype)
    chosen = tf.one_hot(class_indices, tf.shape(losses)[-1], dtype=losses.dtype)
    return tf.reduce_max(chosen, axis=0)


class HardExampleMiner:
    """Keeps the anchors of highest loss that do not overlap, with few negatives a positive.

    Source: SSD, arXiv:1512.02325, section 2.2; online hard example mining, arXiv:1604.03540.
    """

    LOSS_TYPES = ("both", "cls", "loc")

    def __init__(
        self,
        num_hard_examples: int | None = 64,
        iou_threshold: float = 0.7,
        loss_type: str = "both",
        cls_loss_weight: float = 0.05,
        loc_loss_weight: float = 0.06,
        max_negatives_per_positive: float | None = None,
        min_negatives_per_image: int = 0,
    ) -> None:
        """Takes the settings.

        Args:
            num_hard_examples: anchors to keep of each picture; None for all.
            iou_threshold: decoded boxes that overlap more than this with one of higher loss are
                left out.
            loss_type: what ranks the anchors: `both`, `cls` or `loc`.
            cls_loss_weight: factor of the classification loss in the ranking.
            loc_loss_weight: factor of the localisation loss in the ranking.
            max_negatives_per_positive: bound of the negatives; None for none.
            min_negatives_per_image: negatives to keep even without positives.

        Raises:
            ConfigError: another loss type.
        """
        if loss_type not in self.LOSS_TYPES:
            raise ConfigError(f"loss_type is {loss_type!r}; allowed: {', '.join(self.LOSS_TYPES)}.")
        self._num_hard_examples = num_hard_examples
        self._iou_threshold = iou_threshold
        self._loss_type = loss_type
        self._cls_loss_weight = cls_loss_weight
        self._loc_loss_weight = loc_loss_weight
        self._max_negatives_per_positive = max_negatives_per_positive
        self._min_negatives_per_image = min_negatives_per_image
        self._kept: tuple[tf.Tensor, tf.Tensor] | None = None

    def _rank(self, location_losses: tf.Tensor, cls_losses: tf.Tensor) -> tf.Tensor:
        if self._loss_type == "loc":
            return location_losses
        if self._loss_type == "cls":
            return cls_losses
        return self._loc_loss_weight * location_losses + self._cls_loss_weight * cls_losses

    def mine(
        self,
        location_losses: tf.Tensor,
        cls_losses: tf.Tensor,
        decoded_boxes: tf.Tensor,
        match: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sums of the losses of the chosen anchors.

        Args:
            location_losses: [B, N].
            cls_losses: [B, N].
            decoded_boxes: [B, N, 4].
            match: [B, N], needed with `max_negatives_per_positive`.

        Returns:
            Localisation loss and classification loss, scalars.
        """
        anchors = location_losses.shape.as_list()[1]
        count = tf.shape(location_losses)[1]
        wanted = count if self._num_hard_examples is None else self._num_hard_examples
        limit = tf.minimum(wanted, count)
        if self._max_negatives_per_positive is None or match is None:
            negatives_allowed = tf.fill(tf.shape(location_losses)[:1], count)
            positive = tf.ones_like(location_losses, tf.bool)
            negative = tf.zeros_like(positive)
        else:
            positive, negative = match >= 0, tf.equal(match, -1)
            negatives_allowed = None
        scores = tf.stop_gradient(self._rank(location_losses, cls_losses))
        scores = tf.where(tf.math.is_finite(scores), scores, tf.zeros_like(scores))

        def select(row: tuple[tf.Tensor, ...]) -> tf.Tensor:
            boxes, score, is_positive, is_negative = row
            chosen = tf.image.non_max_suppression(boxes, score, limit, self._iou_threshold)
            hard = tf.scatter_nd(chosen[:, tf.newaxis], tf.ones_like(chosen), [count]) > 0
            if negatives_allowed is not None:
                return hard
            positives = tf.reduce_sum(tf.cast(is_positive & hard, tf.int32))
            allowed = tf.maximum(
                tf.cast(
                    tf.cast(positives, tf.float32) * float(self._max_negatives_per_positive or 0),
                    tf.int32,
                ),
                self._min_negatives_per_image,
            )
            # In the order of falling loss, the first `allowed` negatives stay.
            ordered = tf.gather(is_negative, chosen)
            place = tf.cumsum(tf.cast(ordered, tf.int32))
            kept = tf.gather(is_positive, chosen) | (ordered & (place <= allowed))
            kept_indices = tf.boolean_mask(chosen, kept)
            return (
                tf.scatter_nd(kept_indices[:, tf.newaxis], tf.ones_like(kept_indices), [count]) > 0
            )

        mask = tf.map_fn(
            select, (decoded_boxes, scores, positive, negative), fn_output_signature=tf.bool
        )
        mask.set_shape([None, anchors])
        self._kept = (
            tf.reduce_sum(tf.cast(mask & positive, tf.float32)),
            tf.reduce_sum(tf.cast(mask & negative, tf.float32)),
        )
        zeros = tf.zeros_like(location_losses)
        return (
            tf.reduce_sum(tf.where(mask, location_losses, zeros)),
            tf.reduce_sum(tf.where(mask, cls_losses, zeros)),
        )

    def __call__(
        self,
        location_losses: Any,
        cls_losses: Any,
        decoded_boxlist_list: list[Any],
        match_list: list[Any] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """`mine` for lists with one entry a picture.

        Args:
            location_losses: [B, N], or B tensors [N].
            cls_losses: [B, N], or B tensors [N].
            decoded_boxlist_list: B BoxLists of N decoded boxes.
            match_list: B `Match`es, needed with `max_negatives_per_positive`.

        Raises:
            ValueError: `match_list` is missing or of another length.
        """
        if self._max_negatives_per_positive and match_list is None:
            raise ValueError("max_negatives_per_positive needs match_list.")
        if match_list is not None and len(match_list) != len(decoded_boxlist_list):
            raise ValueError(f"{len(match_list)} matches for {len(decoded_boxlist_list)} pictures.")
        boxes = tf.stack([boxlist.get() for boxlist in decoded_boxlist_list])
        match = None
        if match_list is not None:
            match = tf.stack([one.match_results for one in match_list])
        return self.mine(
            tf.convert_to_tensor(location_losses), tf.convert_to_tensor(cls_losses), boxes, match
        )

    def summarize(self) -> None:
        """Adds scalars of the number of kept positives and negatives to the summaries."""
        if self._kept is None:
            return
        for name, value in zip(("NumPositives", "NumNegatives"), self._kept, strict=True):
            tf.summary.scalar(name, value, family="HardExampleMiner")
