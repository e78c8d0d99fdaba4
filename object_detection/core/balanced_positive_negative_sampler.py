"""Samples with a bounded share of positives (Faster R-CNN, arXiv:1506.01497, section 3.1.3)."""

import tensorflow.compat.v1 as tf

from object_detection.core.minibatch_sampler import MinibatchSampler


class BalancedPositiveNegativeSampler(MinibatchSampler):
    """At most a share of positives; negatives fill what is left."""

    def __init__(self, positive_fraction: float = 0.5, is_static: bool = False) -> None:
        """Keeps the settings.

        Args:
            positive_fraction: largest share of positives.
            is_static: insist on known sizes, and choose exactly `batch_size`: where fewer may be
                chosen, the first of the others fill up; where negatives run short, positives.

        Raises:
            ValueError: a share outside [0, 1].
        """
        super().__init__()
        if not 0 <= positive_fraction <= 1:
            raise ValueError(f"positive_fraction should lie in [0, 1], got {positive_fraction}.")
        self._positive_fraction = positive_fraction
        self._is_static = is_static

    def subsample(  # type: ignore[override]  # `labels` is one of the base's **params
        self,
        indicator: tf.Tensor,
        batch_size: int | None,
        labels: tf.Tensor,
        scope: str | None = None,
    ) -> tf.Tensor:
        """Chooses anchors.

        Args:
            indicator: [N] booleans of those that may be chosen.
            batch_size: how many; None for all positives and as many negatives as their share
                then allows.
            labels: [N] booleans, true for positives.
            scope: name scope.

        Returns:
            [N] booleans.

        Raises:
            ValueError: something else than booleans; or, with `is_static`, an unknown size.
        """
        indicator, labels = tf.convert_to_tensor(indicator), tf.convert_to_tensor(labels)
        for name, tensor in (("indicator", indicator), ("labels", labels)):
            if tensor.dtype != tf.bool or tensor.shape.rank != 1:
                raise ValueError(f"{name} should be [N] booleans, got {tensor}.")
            if self._is_static and not tensor.shape.is_fully_defined():
                raise ValueError(f"is_static needs a known size, got {name} {tensor.shape}.")
        if self._is_static and not isinstance(batch_size, int):
            raise ValueError(f"is_static needs a whole number as batch_size, got {batch_size!r}.")
        with tf.name_scope(scope, "BalancedPositiveNegativeSampler"):
            if self._is_static:
                indicator |= _first(~indicator, batch_size - _count(indicator))
            positive, negative = indicator & labels, indicator & ~labels
            if batch_size is None:
                ratio = (1 - self._positive_fraction) / max(self._positive_fraction, 1e-9)
                count = tf.reduce_sum(tf.cast(positive, tf.float32))
                wanted = tf.cast(ratio * count, tf.int32)
                return positive | self.subsample_indicator(negative, wanted)
            kept = self.subsample_indicator(positive, int(self._positive_fraction * batch_size))
            kept |= self.subsample_indicator(negative, batch_size - _count(kept))
            if self._is_static:
                kept |= self.subsample_indicator(indicator & ~kept, batch_size - _count(kept))
            return kept


def _count(mask: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(mask, tf.int32))


def _first(mask: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """[N] booleans: the first `number` true ones of the mask [N]."""
    return mask & (tf.cumsum(tf.cast(mask, tf.int32)) <= number)
