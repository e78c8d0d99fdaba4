"""What every head offers: features -> predictions of the anchors of a map, or of regions."""

import abc
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import mixed_precision, randomness
from object_detection.core.batch_norm import with_this_layer
from object_detection.errors import ConfigError
from object_detection.utils import shape_utils


class Head(abc.ABC):
    """Predicts something for each anchor."""

    def __init__(self) -> None:
        """Has no settings of its own."""
        super().__init__()

    @abc.abstractmethod
    def predict(self, features: tf.Tensor, num_predictions_per_location: int) -> tf.Tensor:
        """[B, h, w, C] -> predictions, the anchors of a map on axis 1."""


def layer_arg_scope(hyperparams_fn: Callable[[], Any] | None) -> Any:
    """The context in which a predictor's layers are made.

    Args:
        hyperparams_fn: returns an arg scope; None for the scope around.
    """
    if hyperparams_fn is None:
        return slim.arg_scope([])
    return slim.arg_scope(with_this_layer(hyperparams_fn()))


def check_one_prediction(num_predictions_per_location: int) -> None:
    """Heads of regions predict once for each.

    Raises:
        ConfigError: another number than 1.
    """
    if num_predictions_per_location != 1:
        raise ConfigError(
            f"num_predictions_per_location is {num_predictions_per_location}; a head of regions "
            "predicts once for each, so it must be 1."
        )


def pooled(
    features: tf.Tensor, use_dropout: bool, dropout_keep_prob: float, is_training: bool
) -> tf.Tensor:
    """[N, h, w, C] features of regions -> [N, C] averages, some of them dropped in training."""
    averages = tf.reduce_mean(features, [1, 2], name="AvgPool")
    if not use_dropout:
        return averages
    return randomness.dropout(averages, dropout_keep_prob, is_training)


def convolve(
    features: tf.Tensor,
    channels: int,
    kernel_size: int,
    use_depthwise: bool,
    scope: str,
    biases_initializer: Any = None,
) -> tf.Tensor:
    """A linear convolution; a depthwise layer and a 1x1 layer above it if so asked."""
    if use_depthwise:
        features = slim.separable_conv2d(
            features,
            None,
            [kernel_size, kernel_size],
            padding="SAME",
            scope=f"{scope}_depthwise",
        )
        kernel_size = 1
    return _linear(slim.conv2d, features, channels, kernel_size, scope, biases_initializer)


def convolve_in_one(
    features: tf.Tensor,
    channels: int,
    kernel_size: int,
    use_depthwise: bool,
    scope: str,
    biases_initializer: Any = None,
) -> tf.Tensor:
    """A linear convolution; depthwise and 1x1 in a single layer if so asked."""
    layer = slim.separable_conv2d if use_depthwise else slim.conv2d
    return _linear(layer, features, channels, kernel_size, scope, biases_initializer)


def _linear(
    layer: Callable[..., tf.Tensor],
    features: tf.Tensor,
    channels: int,
    kernel_size: int,
    scope: str,
    biases_initializer: Any,
) -> tf.Tensor:
    return layer(
        # Codes and logits need more than the 8 bits of bfloat16.
        mixed_precision.full_precision(features),
        channels,
        [kernel_size, kernel_size],
        padding="SAME",
        activation_fn=None,
        normalizer_fn=None,
        biases_initializer=biases_initializer or tf.zeros_initializer(),
        scope=scope,
    )


def per_anchor(predictions: tf.Tensor, anchors: int, shape: list[int]) -> tf.Tensor:
    """[B, h, w, anchors * size] -> [B, h * w * anchors, *shape]."""
    batch, height, width, _ = shape_utils.combined_static_and_dynamic_shape(predictions)
    # The count is given, not left to -1, which has no meaning for an empty batch.
    count = height * width * anchors
    flat = tf.reshape(predictions, tf.stack([batch, count, *shape]))
    flat.set_shape([one if isinstance(one, int) else None for one in (batch, count, *shape)])
    return flat
