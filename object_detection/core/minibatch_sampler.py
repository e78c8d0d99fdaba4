"""What every sampler of anchors offers: which of them take part in a loss."""

import abc
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import randomness


class MinibatchSampler(abc.ABC):
    """Chooses among N candidates."""

    @abc.abstractmethod
    def subsample(self, indicator: tf.Tensor, batch_size: int | None, **params: Any) -> tf.Tensor:
        """[N] booleans: at most `batch_size` of the candidates that `indicator` [N] allows."""

    @staticmethod
    def subsample_indicator(indicator: tf.Tensor, num_samples: tf.Tensor) -> tf.Tensor:
        """[N] booleans: `num_samples` of those that `indicator` [N] has, at random; all if fewer."""
        indicator = tf.convert_to_tensor(indicator)
        allowed = randomness.shuffled(tf.where(indicator)[:, 0])
        chosen = allowed[: tf.minimum(tf.size(allowed), tf.cast(num_samples, tf.int32))]
        marks = tf.scatter_nd(
            chosen[:, tf.newaxis], tf.ones_like(chosen), tf.cast([tf.size(indicator)], tf.int64)
        )
        result = marks > 0
        result.set_shape(indicator.shape)
        return result
