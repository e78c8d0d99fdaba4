"""ResNet v1 with bottlenecks (arXiv:1512.03385, table 1), with slim's scopes.

tf-slim's own network gives each block's output after its stride; a pyramid needs it before.
"""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core.batch_norm import batch_norm
from object_detection.utils import ops

# Mean red, green and blue of ImageNet, which the published weights expect to be subtracted.
CHANNEL_MEANS = (123.68, 116.779, 103.939)

# (base depth, units) of the four blocks; the stride between blocks is 2.
UNITS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
_DEPTHS = (64, 128, 256, 512)
_EXPANSION = 4


def subtract_channel_means(images: tf.Tensor) -> tf.Tensor:
    """[B, H, W, 3] in [0, 255] -> what the network takes; other numbers of channels stay."""
    if images.shape.as_list()[3] != len(CHANNEL_MEANS):
        return images
    return images - tf.constant(CHANNEL_MEANS, images.dtype)


def _bottleneck(net: tf.Tensor, depth: int) -> tf.Tensor:
    """1x1, 3x3, 1x1 convolutions beside a shortcut (figure 5)."""
    with tf.variable_scope("bottleneck_v1"):
        if net.shape[-1] == depth * _EXPANSION:
            shortcut = net
        else:
            shortcut = slim.conv2d(
                net, depth * _EXPANSION, [1, 1], activation_fn=None, scope="shortcut"
            )
        residual = slim.conv2d(net, depth, [1, 1], scope="conv1")
        residual = slim.conv2d(residual, depth, [3, 3], scope="conv2")
        residual = slim.conv2d(
            residual, depth * _EXPANSION, [1, 1], activation_fn=None, scope="conv3"
        )
        return tf.nn.relu(shortcut + residual)


def resnet_v1_blocks(
    inputs: tf.Tensor,
    layers: int,
    depth_fn: Callable[[int], int] = int,
    scope: Any = None,
) -> list[tf.Tensor]:
    """Outputs of the four blocks, of strides 4, 8, 16 and 32.

    Args:
        inputs: [B, H, W, 3], channel means subtracted.
        layers: 50, 101 or 152.
        depth_fn: number of channels -> number of channels to build.
        scope: variable scope, `resnet_v1_<layers>` by default.
    """
    outputs = []
    with tf.variable_scope(scope, f"resnet_v1_{layers}", [inputs]):
        # Padded by hand, so that the grid does not shift with the parity of the size.
        net = slim.conv2d(
            ops.fixed_padding(inputs, 7),
            depth_fn(64),
            [7, 7],
            stride=2,
            padding="VALID",
            scope="conv1",
        )
        net = slim.max_pool2d(net, [3, 3], stride=2, padding="SAME", scope="pool1")
        for block, (depth, units) in enumerate(zip(_DEPTHS, UNITS[layers], strict=True), start=1):
            if block > 1:
                # A stride within the last unit's 3x3 convolution picks the same pixels.
                net = net[:, ::2, ::2]
            for unit in range(1, units + 1):
                with tf.variable_scope(f"block{block}/unit_{unit}"):
                    net = _bottleneck(net, depth_fn(depth))
            outputs.append(net)
    return outputs


def resnet_arg_scope(
    weight_decay: float = 0.0001, batch_norm_decay: float = 0.997, batch_norm_epsilon: float = 1e-5
) -> Any:
    """The arg scope that published checkpoints were trained with."""
    with (
        slim.arg_scope(
            [batch_norm], decay=batch_norm_decay, epsilon=batch_norm_epsilon, scale=True
        ),
        slim.arg_scope(
            [slim.conv2d],
            weights_regularizer=slim.l2_regularizer(weight_decay),
            weights_initializer=slim.variance_scaling_initializer(),
            activation_fn=tf.nn.relu,
            normalizer_fn=batch_norm,
        ) as scope,
    ):
        return scope
