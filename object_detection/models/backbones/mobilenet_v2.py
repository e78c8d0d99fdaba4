"""MobileNet v2 (arXiv:1801.04381, table 2), with the scopes of the published checkpoints.

Axes: B images, H x W pixels, C channels. Layers are called `layer_1` to `layer_19`; within a block
also `layer_n/expansion_output` and `layer_n/depthwise_output`.
"""

from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.models.backbones.inverted_residual import (
    Block,
    inverted_residual,
    mobilenet_arg_scope,
    scaled_depth,
)
from object_detection.utils import ops

STEM_DEPTH, TOP_DEPTH = 32, 1280

# Expansion, channels, repetitions and stride of the first, as in the paper.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip

BLOCKS = tuple(
    Block(expansion, depth, stride if index == 0 else 1)
    for expansion, depth, count, stride in _STAGES
    for index in range(count)
)


def mobilenet_v2_base(
    inputs: tf.Tensor,
    final_endpoint: str = "layer_19",
    min_depth: int = 8,
    depth_multiplier: float = 1.0,
    use_explicit_padding: bool = False,
    scope: Any = None,
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """The network up to `final_endpoint`.

    Args:
        inputs: [B, H, W, 3] in [-1, 1].
        final_endpoint: name of the last layer to build.
        min_depth: least number of channels.
        depth_multiplier: factor of the number of channels.
        use_explicit_padding: pad by hand and convolve without padding.
        scope: variable scope, `MobilenetV2` by default.

    Returns:
        The last layer's output, and name -> output of each layer.

    Raises:
        ValueError: no layer of that name.
    """
    end_points: dict[str, tf.Tensor] = {}
    with tf.variable_scope(scope, "MobilenetV2", [inputs]):
        net, padding = inputs, "SAME"
        if use_explicit_padding:
            net, padding = ops.fixed_padding(net, 3), "VALID"
        net = slim.conv2d(
            net,
            scaled_depth(STEM_DEPTH, depth_multiplier, min_depth),
            [3, 3],
            stride=2,
            padding=padding,
            scope="Conv",
        )
        end_points["layer_1"] = net
        for index, block in enumerate(BLOCKS):
            if final_endpoint in end_points:
                break
            net = inverted_residual(
                net,
                block,
                scaled_depth(block.depth, depth_multiplier, min_depth),
                "expanded_conv" + (f"_{index}" if index else ""),
                use_explicit_padding,
                end_points,
                f"layer_{index + 2}",
            )
        top = f"layer_{len(BLOCKS) + 2}"
        if final_endpoint == top:
            net = slim.conv2d(
                net, scaled_depth(TOP_DEPTH, depth_multiplier, min_depth), [1, 1], scope="Conv_1"
            )
            end_points[top] = net
    if final_endpoint not in end_points:
        raise ValueError(
            f"MobileNet v2 has no layer {final_endpoint!r}; it has {list(end_points)}."
        )
    return end_points[final_endpoint], end_points


def mobilenet_v2_arg_scope(
    is_training: bool | None = None,
    weight_decay: float = 0.00004,
    stddev: float = 0.09,
    batch_norm_decay: float = 0.9997,
) -> Any:
    """See `inverted_residual.mobilenet_arg_scope`; activations are ReLU6."""
    return mobilenet_arg_scope(tf.nn.relu6, is_training, weight_decay, stddev, batch_norm_decay)
