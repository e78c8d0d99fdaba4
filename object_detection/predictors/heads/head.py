"""What every head offers: features -> predictions of all anchors of a feature map."""

import abc

import tensorflow.compat.v1 as tf
import tf_slim as slim


class Head(abc.ABC):
    """Predicts something for each anchor."""

    @abc.abstractmethod
    def predict(self, features: tf.Tensor, num_predictions_per_location: int) -> tf.Tensor:
        """[B, h, w, C] -> predictions, the anchors of a map on axis 1."""


def convolve(
    features: tf.Tensor,
    channels: int,
    kernel_size: int,
    use_depthwise: bool,
    scope: str,
    biases_initializer: tf.keras.initializers.Initializer | None = None,
) -> tf.Tensor:
    """A linear convolution; depthwise and 1x1 if so asked."""
    if use_depthwise:
        features = slim.separable_conv2d(
            features, None, [kernel_size, kernel_size], scope=f"{scope}_depthwise"
        )
        kernel_size = 1
    return slim.conv2d(
        features,
        channels,
        [kernel_size, kernel_size],
        activation_fn=None,
        normalizer_fn=None,
        biases_initializer=biases_initializer or tf.zeros_initializer(),
        scope=scope,
    )


def per_anchor(predictions: tf.Tensor, anchors: int, shape: list[int]) -> tf.Tensor:
    """[B, h, w, anchors * size] -> [B, h * w * anchors, *shape]."""
    height, width = predictions.shape.as_list()[1:3]
    count = height * width * anchors if height is not None and width is not None else -1
    # -1 may stand once: the batch is given, so that an empty or unknown batch reshapes too.
    flat = tf.reshape(predictions, tf.stack([tf.shape(predictions)[0], count, *shape]))
    flat.set_shape([predictions.shape[0], None if count == -1 else count, *shape])
    return flat
