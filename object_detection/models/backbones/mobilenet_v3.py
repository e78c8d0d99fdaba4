"""MobileNet v3 and MobileNet EdgeTPU as detectors use them, with the published scopes.

Sources: MobileNet v3, arXiv:1905.02244, tables 1 and 2; for detection the channels between strides
16 and 32 are halved (section 6.3.1). MobileNet EdgeTPU replaces the expansions of its first blocks
by full 3x3 convolutions.

Axes: B images, H x W pixels, C channels. Layers are called `layer_1`, `layer_2`, ...; within a
block also `layer_n/expansion_output` and `layer_n/depthwise_output`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.models.backbones.inverted_residual import (
    Activation,
    Block,
    FusedBlock,
    fused_residual,
    hard_swish,
    inverted_residual,
    mobilenet_arg_scope,
    scaled_depth,
)
from object_detection.utils import ops


def _relu(expansion: float, depth: int, stride: int = 1, kernel: int = 3, squeeze: bool = False,
          residual: bool = True) -> Block:  # fmt: skip
    return Block(expansion, depth, stride, kernel, tf.nn.relu, squeeze, residual)


def _swish(
    expansion: float, depth: int, stride: int = 1, kernel: int = 3, squeeze: bool = False
) -> Block:
    return Block(expansion, depth, stride, kernel, hard_swish, squeeze)


LARGE: tuple[Block | FusedBlock, ...] = (
    _relu(1, 16),
    _relu(4, 24, stride=2),
    _relu(3, 24),
    _relu(3, 40, stride=2, kernel=5, squeeze=True),
    *(_relu(3, 40, kernel=5, squeeze=True),) * 2,
    _swish(6, 80, stride=2),
    _swish(2.5, 80),
    *(_swish(184 / 80, 80),) * 2,
    *(_swish(6, 112, squeeze=True),) * 2,
    _swish(6, 80, stride=2, kernel=5, squeeze=True),
    *(_swish(6, 80, kernel=5, squeeze=True),) * 2,
)
SMALL: tuple[Block | FusedBlock, ...] = (
    _relu(1, 16, stride=2, squeeze=True),
    _relu(72 / 16, 24, stride=2),
    _relu(88 / 24, 24),
    _swish(4, 40, stride=2, kernel=5, squeeze=True),
    *(_swish(6, 40, kernel=5, squeeze=True),) * 2,
    *(_swish(3, 48, kernel=5, squeeze=True),) * 2,
    _swish(6, 48, stride=2, kernel=5, squeeze=True),
    *(_swish(6, 48, kernel=5, squeeze=True),) * 2,
)
EDGETPU: tuple[Block | FusedBlock, ...] = (
    FusedBlock(1, 16),
    FusedBlock(8, 32, stride=2),
    *(FusedBlock(4, 32),) * 3,
    FusedBlock(8, 48, stride=2),
    *(FusedBlock(4, 48),) * 3,
    _relu(8, 96, stride=2),
    *(_relu(4, 96),) * 3,
    _relu(8, 96, residual=False),
    *(_relu(4, 96),) * 3,
    _relu(8, 160, stride=2, kernel=5),
    *(_relu(4, 160, kernel=5),) * 3,
    _relu(8, 192),
)


class ConvDefs(NamedTuple):
    """A network: first convolution, blocks, 1x1 convolution on top."""

    blocks: Sequence[Block | FusedBlock]
    stem_depth: int = 16
    stem_activation: Activation | None = hard_swish  # None for the arg scope's
    top_depth: int | None = None  # None for no convolution on top


# The convolution on top is halved like the blocks before it.
V3_LARGE_DETECTION = ConvDefs(LARGE, top_depth=480)
V3_SMALL_DETECTION = ConvDefs(SMALL, top_depth=288)
EDGETPU_DETECTION = ConvDefs(EDGETPU, stem_depth=32, stem_activation=None)


def mobilenet_v3_base(
    inputs: tf.Tensor,
    conv_defs: ConvDefs,
    min_depth: int = 8,
    depth_multiplier: float = 1.0,
    use_explicit_padding: bool = False,
    scope: Any = None,
) -> dict[str, tf.Tensor]:
    """Name -> output of each layer.

    Args:
        inputs: [B, H, W, 3] in [-1, 1].
        conv_defs: such as `V3_LARGE_DETECTION`.
        min_depth: least number of channels.
        depth_multiplier: factor of the number of channels.
        use_explicit_padding: pad by hand and convolve without padding.
        scope: variable scope, `MobilenetV3` by default.
    """
    blocks, stem_depth, stem_activation, top_depth = conv_defs
    end_points: dict[str, tf.Tensor] = {}
    given = {} if stem_activation is None else {"activation_fn": stem_activation}
    with tf.variable_scope(scope, "MobilenetV3", [inputs]):
        net, padding = inputs, "SAME"
        if use_explicit_padding:
            net, padding = ops.fixed_padding(net, 3), "VALID"
        depth = scaled_depth(stem_depth, depth_multiplier, min_depth)
        net = slim.conv2d(net, depth, [3, 3], stride=2, padding=padding, scope="Conv", **given)
        end_points["layer_1"] = net
        for index, block in enumerate(blocks):
            depth = scaled_depth(block.depth, depth_multiplier, min_depth)
            name, layer = "expanded_conv" + (f"_{index}" if index else ""), f"layer_{index + 2}"
            if isinstance(block, FusedBlock):
                net = fused_residual(
                    net, block, depth, name, use_explicit_padding, end_points, layer
                )
            else:
                net = inverted_residual(
                    net, block, depth, name, use_explicit_padding, end_points, layer
                )
        if top_depth:
            depth = scaled_depth(top_depth, depth_multiplier, min_depth)
            net = slim.conv2d(net, depth, [1, 1], scope="Conv_1", **given)
            end_points[f"layer_{len(blocks) + 2}"] = net
    return end_points


def mobilenet_v3_arg_scope(
    is_training: bool | None = None,
    weight_decay: float = 0.00004,
    stddev: float = 0.09,
    batch_norm_decay: float = 0.9997,
) -> Any:
    """See `inverted_residual.mobilenet_arg_scope`; activations are ReLU, but where a block has its own."""
    return mobilenet_arg_scope(tf.nn.relu, is_training, weight_decay, stddev, batch_norm_decay)
