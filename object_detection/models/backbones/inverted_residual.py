"""Inverted residual blocks, of which MobileNet v2, v3 and their kin are made.

Sources: MobileNet v2, arXiv:1801.04381, section 3.3; squeeze-and-excitation as in MobileNet v3,
arXiv:1905.02244, section 5.2. Scopes are those of the published checkpoints.

Axes: B images, H x W pixels, C channels.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core.batch_norm import batch_norm
from object_detection.utils import ops

Activation = Callable[[tf.Tensor], tf.Tensor]

# Channels are multiples of this, for the sake of hardware.
DIVISOR = 8


def make_divisible(value: float, divisor: int = DIVISOR, min_value: int | None = None) -> int:
    """The nearest multiple of `divisor`, but never less than nine tenths of `value`."""
    least = divisor if min_value is None else min_value
    rounded = max(least, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def scaled_depth(depth: int, multiplier: float, min_depth: int = DIVISOR) -> int:
    """Number of channels times the multiplier, made divisible, at least `min_depth`."""
    return make_divisible(depth * multiplier, DIVISOR, min_depth)


def hard_sigmoid(tensor: tf.Tensor) -> tf.Tensor:
    """relu6(x + 3) / 6 (arXiv:1905.02244, section 5.2)."""
    return tf.nn.relu6(tensor + 3.0) * (1.0 / 6.0)


def hard_swish(tensor: tf.Tensor) -> tf.Tensor:
    """X * hard_sigmoid(x)."""
    return tensor * hard_sigmoid(tensor)


class Block(NamedTuple):
    """An inverted residual: 1x1 expansion, depthwise convolution, 1x1 projection."""

    expansion: float  # factor of the input's channels; 1 for no expansion
    depth: int  # channels of the output
    stride: int = 1
    kernel: int = 3
    activation: Activation = tf.nn.relu6
    squeeze: bool = False  # squeeze-and-excitation after the depthwise convolution
    residual: bool = True  # add the input where the shapes allow


class FusedBlock(NamedTuple):
    """One full convolution for expansion and depthwise convolution, then a 1x1 projection."""

    expansion: float  # factor of the input's channels; 1 for the projection alone
    depth: int  # channels of the output
    stride: int = 1
    kernel: int = 3
    activation: Activation = tf.nn.relu
    residual: bool = True


def squeeze_excite(net: tf.Tensor, scope: str = "squeeze_excite") -> tf.Tensor:
    """Weighs each channel by a gate computed from all channels' means (arXiv:1709.01507)."""
    channels = net.shape.as_list()[-1]
    with tf.variable_scope(scope), slim.arg_scope([slim.conv2d], normalizer_fn=None):
        gate = tf.reduce_mean(net, axis=[1, 2], keepdims=True)
        gate = slim.conv2d(
            gate, make_divisible(channels / 4), [1, 1], activation_fn=tf.nn.relu, scope="Conv"
        )
        gate = slim.conv2d(gate, channels, [1, 1], activation_fn=hard_sigmoid, scope="Conv_1")
    return net * gate


def inverted_residual(
    net: tf.Tensor,
    block: Block,
    depth: int,
    scope: str,
    use_explicit_padding: bool = False,
    end_points: dict[str, tf.Tensor] | None = None,
    name: str = "",
) -> tf.Tensor:
    """Applies a block.

    Args:
        net: [B, H, W, C].
        block: the settings.
        depth: channels of the output, multiplied already.
        scope: variable scope.
        use_explicit_padding: pad by hand and convolve without padding.
        end_points: gets `<name>/expansion_output`, `<name>/depthwise_output` and `<name>`.
        name: of the layer.

    Returns:
        [B, H / stride, W / stride, depth].
    """
    before = net
    outputs = {} if end_points is None else end_points
    channels = net.shape.as_list()[-1]
    with tf.variable_scope(scope):
        # Also a block without expansion has an expansion output: what its convolution sees.
        if block.expansion != 1:
            net = slim.conv2d(
                net,
                make_divisible(channels * block.expansion),
                [1, 1],
                activation_fn=block.activation,
                scope="expand",
            )
        outputs[f"{name}/expansion_output"] = net
        padding = "SAME"
        if use_explicit_padding:
            net, padding = ops.fixed_padding(net, block.kernel), "VALID"
        net = slim.separable_conv2d(
            net,
            None,
            [block.kernel, block.kernel],
            depth_multiplier=1,
            stride=block.stride,
            padding=padding,
            activation_fn=block.activation,
            scope="depthwise",
        )
        outputs[f"{name}/depthwise_output"] = net
        if block.squeeze:
            net = squeeze_excite(net)
        net = slim.conv2d(net, depth, [1, 1], activation_fn=None, scope="project")
        if block.residual and block.stride == 1 and channels == depth:
            net += before
    outputs[name] = net
    return net


def fused_residual(
    net: tf.Tensor,
    block: FusedBlock,
    depth: int,
    scope: str,
    use_explicit_padding: bool = False,
    end_points: dict[str, tf.Tensor] | None = None,
    name: str = "",
) -> tf.Tensor:
    """Applies a fused block; arguments and result are those of `inverted_residual`."""
    before = net
    outputs = {} if end_points is None else end_points
    channels = net.shape.as_list()[-1]
    with tf.variable_scope(scope):
        if block.expansion != 1:
            padding = "SAME"
            if use_explicit_padding:
                net, padding = ops.fixed_padding(net, block.kernel), "VALID"
            net = slim.conv2d(
                net,
                make_divisible(channels * block.expansion),
                [block.kernel, block.kernel],
                stride=block.stride,
                padding=padding,
                activation_fn=block.activation,
                scope="expand",
            )
        outputs[f"{name}/expansion_output"] = net
        net = slim.conv2d(net, depth, [1, 1], activation_fn=None, scope="project")
        if block.residual and block.stride == 1 and channels == depth:
            net += before
    outputs[name] = net
    return net


def batch_norm_params(is_training: bool | None, decay: float) -> dict[str, Any]:
    """Settings of batch norm in these networks; `is_training` None leaves it to outer scopes."""
    params: dict[str, Any] = {"center": True, "scale": True, "decay": decay, "epsilon": 0.001}
    if is_training is not None:
        params["is_training"] = is_training
    return params


def mobilenet_arg_scope(
    activation_fn: Activation,
    is_training: bool | None = None,
    weight_decay: float = 0.00004,
    stddev: float = 0.09,
    batch_norm_decay: float = 0.9997,
) -> Any:
    """The arg scope that published checkpoints were trained with.

    Args:
        activation_fn: of all layers.
        is_training: as for batch norm; None leaves it to the scope around.
        weight_decay: factor of the weights' L2 norm; depthwise weights have none.
        stddev: of the initial weights.
        batch_norm_decay: of the moving averages.
    """
    with (
        slim.arg_scope([batch_norm], **batch_norm_params(is_training, batch_norm_decay)),
        slim.arg_scope(
            [slim.conv2d, slim.separable_conv2d],
            weights_initializer=tf.truncated_normal_initializer(stddev=stddev),
            activation_fn=activation_fn,
            normalizer_fn=batch_norm,
        ),
        slim.arg_scope([slim.conv2d], weights_regularizer=slim.l2_regularizer(weight_decay)),
        slim.arg_scope([slim.separable_conv2d], weights_regularizer=None) as scope,
    ):
        return scope
