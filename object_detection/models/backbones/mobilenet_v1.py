"""MobileNet v1 (arXiv:1704.04861, table 1), with the scopes of the published checkpoints.

Axes: B images, H x W pixels, C channels.
"""

from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core.batch_norm import batch_norm
from object_detection.utils import ops


class Conv(NamedTuple):
    """A 3x3 convolution."""

    stride: int
    depth: int


class Separable(NamedTuple):
    """A 3x3 depthwise convolution, then a 1x1 convolution."""

    stride: int
    depth: int


CONV_DEFS: tuple[Conv | Separable, ...] = (
    Conv(2, 32),
    Separable(1, 64),
    Separable(2, 128),
    Separable(1, 128),
    Separable(2, 256),
    Separable(1, 256),
    Separable(2, 512),
    *(Separable(1, 512),) * 5,
    Separable(2, 1024),
    Separable(1, 1024),
)


def mobilenet_v1_base(
    inputs: tf.Tensor,
    final_endpoint: str = "Conv2d_13_pointwise",
    min_depth: int = 8,
    depth_multiplier: float = 1.0,
    conv_defs: tuple[Conv | Separable, ...] | None = None,
    use_explicit_padding: bool = False,
    scope: Any = None,
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """The network up to `final_endpoint`.

    Args:
        inputs: [B, H, W, 3] in [-1, 1].
        final_endpoint: name of the last layer to build, such as `Conv2d_11_pointwise`.
        min_depth: least number of channels.
        depth_multiplier: factor of the number of channels.
        conv_defs: the layers; those of the paper by default.
        use_explicit_padding: pad by hand and convolve without padding.
        scope: variable scope, `MobilenetV1` by default.

    Returns:
        The last layer's output, and name -> output of each layer.

    Raises:
        ValueError: no layer of that name.
    """
    padding = "VALID" if use_explicit_padding else "SAME"
    end_points: dict[str, tf.Tensor] = {}
    net = inputs
    with (
        tf.variable_scope(scope, "MobilenetV1", [inputs]),
        slim.arg_scope([slim.conv2d, slim.separable_conv2d], padding=padding),
    ):
        for index, layer in enumerate(CONV_DEFS if conv_defs is None else conv_defs):
            depth = max(int(layer.depth * depth_multiplier), min_depth)
            name = f"Conv2d_{index}"
            if use_explicit_padding:
                net = ops.fixed_padding(net, 3)
            if isinstance(layer, Conv):
                net = slim.conv2d(net, depth, [3, 3], stride=layer.stride, scope=name)
            else:
                net = slim.separable_conv2d(
                    net, None, [3, 3], stride=layer.stride, scope=f"{name}_depthwise"
                )
                end_points[f"{name}_depthwise"] = net
                if f"{name}_depthwise" == final_endpoint:
                    return net, end_points
                name = f"{name}_pointwise"
                net = slim.conv2d(net, depth, [1, 1], scope=name)
            end_points[name] = net
            if name == final_endpoint:
                return net, end_points
    raise ValueError(f"MobileNet v1 has no layer {final_endpoint!r}; it has {list(end_points)}.")


def mobilenet_v1_arg_scope(
    is_training: bool | None = None,
    weight_decay: float = 0.00004,
    stddev: float = 0.09,
    regularize_depthwise: bool = False,
    batch_norm_decay: float = 0.9997,
    batch_norm_epsilon: float = 0.001,
) -> Any:
    """The arg scope that published checkpoints were trained with.

    Args:
        is_training: as for batch norm; None leaves it to the scope around.
        weight_decay: factor of the weights' L2 norm.
        stddev: of the initial weights.
        regularize_depthwise: whether weight decay also acts on depthwise weights.
        batch_norm_decay: of the moving averages.
        batch_norm_epsilon: added to the variance.
    """
    norm: dict[str, Any] = {
        "center": True,
        "scale": True,
        "decay": batch_norm_decay,
        "epsilon": batch_norm_epsilon,
    }
    if is_training is not None:
        norm["is_training"] = is_training
    regularizer = slim.l2_regularizer(weight_decay)
    with (
        slim.arg_scope([batch_norm], **norm),
        slim.arg_scope(
            [slim.conv2d, slim.separable_conv2d],
            weights_initializer=tf.truncated_normal_initializer(stddev=stddev),
            activation_fn=tf.nn.relu6,
            normalizer_fn=batch_norm,
        ),
        slim.arg_scope([slim.conv2d], weights_regularizer=regularizer),
        slim.arg_scope(
            [slim.separable_conv2d],
            weights_regularizer=regularizer if regularize_depthwise else None,
        ) as scope,
    ):
        return scope


def mobilenet_v1(inputs: tf.Tensor, num_classes: int, scope: str = "MobilenetV1") -> tf.Tensor:
    """[B, H, W, 3] in [-1, 1] -> class logits [B, num_classes]."""
    net, _ = mobilenet_v1_base(inputs, scope=scope)
    with tf.variable_scope(f"{scope}/Logits"):
        net = tf.reduce_mean(net, axis=[1, 2], keepdims=True)
        logits = slim.conv2d(
            net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope="Conv2d_1c_1x1"
        )
    return tf.squeeze(logits, [1, 2])
