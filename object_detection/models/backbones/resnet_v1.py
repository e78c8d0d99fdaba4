"""ResNet v1 with bottlenecks (arXiv:1512.03385, table 1), with slim's scopes.

tf-slim's own network gives each block's output after its stride; a pyramid needs it before.
"""

import functools
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core.batch_norm import batch_norm
from object_detection.errors import ConfigError
from object_detection.utils import ops

# Mean red, green and blue of ImageNet, which the published weights expect to be subtracted.
CHANNEL_MEANS = (123.68, 116.779, 103.939)

# (base depth, units) of the four blocks; the stride between blocks is 2.
UNITS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
_DEPTHS = (64, 128, 256, 512)
_EXPANSION = 4
_STEM_DEPTH = 64
_BOUND = 6.0
BLOCKS = ("block1", "block2", "block3", "block4")


def subtract_channel_means(images: tf.Tensor) -> tf.Tensor:
    """[B, H, W, 3] in [0, 255] -> what the network takes; other numbers of channels stay."""
    images = tf.convert_to_tensor(images)
    if images.shape.as_list()[3] != len(CHANNEL_MEANS):
        return images
    return images - tf.constant(CHANNEL_MEANS, images.dtype)


@slim.add_arg_scope  # type: ignore[untyped-decorator]
def bottleneck(net: tf.Tensor, depth: int, use_bounded_activations: bool = False) -> tf.Tensor:
    """1x1, 3x3, 1x1 convolutions beside a shortcut (figure 5).

    Args:
        net: [B, H, W, C].
        depth: channels of the inner convolutions; the result has four times as many.
        use_bounded_activations: keep everything in [-6, 6], for networks to be quantised.
    """
    with tf.variable_scope("bottleneck_v1"):
        if net.shape.as_list()[-1] == depth * _EXPANSION:
            shortcut = net
        else:
            shortcut = slim.conv2d(
                net,
                depth * _EXPANSION,
                [1, 1],
                activation_fn=tf.nn.relu6 if use_bounded_activations else None,
                scope="shortcut",
            )
        residual = slim.conv2d(net, depth, [1, 1], scope="conv1")
        residual = slim.conv2d(residual, depth, [3, 3], scope="conv2")
        residual = slim.conv2d(
            residual, depth * _EXPANSION, [1, 1], activation_fn=None, scope="conv3"
        )
        if use_bounded_activations:
            return tf.nn.relu6(shortcut + tf.clip_by_value(residual, -_BOUND, _BOUND))
        return tf.nn.relu(shortcut + residual)


def _resnet_v1(
    layers: int,
    inputs: tf.Tensor,
    num_classes: int | None = None,
    is_training: bool | None = None,
    global_pool: bool = False,
    output_stride: int | None = None,
    store_non_strided_activations: bool = False,
    min_base_depth: int = 8,
    depth_multiplier: float = 1.0,
    reuse: Any = None,
    scope: Any = None,
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """The network without its classifier.

    Args:
        layers: 50, 101 or 152.
        inputs: [B, H, W, 3], channel means subtracted.
        num_classes: must be None.
        is_training: whether batch norm trains; None leaves it to the arg scope.
        global_pool: must be False.
        output_stride: 4, 8, 16 or 32: where it is reached, further strides become dilations; None
            for 32.
        store_non_strided_activations: whether a block's end point is its output before the
            stride to the next block.
        min_base_depth: least number of channels of the inner convolutions.
        depth_multiplier: factor of these; the first convolution keeps its 64 channels.
        reuse: whether to reuse the variables.
        scope: variable scope, `resnet_v1_<layers>` by default.

    Returns:
        The last block's output, and `block1` to `block4`, behind the name of the variable scope.

    Raises:
        ConfigError: the classifier is asked for, or another stride.
    """
    if num_classes is not None or global_pool or output_stride not in (None, 4, 8, 16, 32):
        raise ConfigError(
            f"resnet_v1_{layers}: num_classes {num_classes}, global_pool {global_pool}, "
            f"output_stride {output_stride}; available: None, False, and None, 4, 8, 16 or 32."
        )

    def depth_fn(depth: int) -> int:
        return max(int(depth * depth_multiplier), min_base_depth)

    training = {} if is_training is None else {"is_training": is_training}
    end_points: dict[str, tf.Tensor] = {}
    with (
        tf.variable_scope(scope, f"resnet_v1_{layers}", [inputs], reuse=reuse) as outer,
        slim.arg_scope([batch_norm], **training),
    ):
        # Padded by hand, so that the grid does not shift with the parity of the size.
        net = slim.conv2d(
            ops.fixed_padding(inputs, 7),
            _STEM_DEPTH,
            [7, 7],
            stride=2,
            padding="VALID",
            scope="conv1",
        )
        net = slim.max_pool2d(net, [3, 3], stride=2, padding="SAME", scope="pool1")
        stride, rate = 4, 1
        for block, (depth, units) in enumerate(zip(_DEPTHS, UNITS[layers], strict=True), start=1):
            for unit in range(1, units + 1):
                with (
                    tf.variable_scope(f"block{block}/unit_{unit}"),
                    slim.arg_scope([slim.conv2d], rate=rate),
                ):
                    net = bottleneck(net, depth_fn(depth))
            whole = net
            if block < len(_DEPTHS) and stride == output_stride:
                # Dilated kernels see what they would see after a stride (arXiv:1606.00915, 3.1).
                rate *= 2
            elif block < len(_DEPTHS):
                # A stride within the last unit's 3x3 convolution picks the same pixels.
                net, stride = net[:, ::2, ::2], stride * 2
            kept = whole if store_non_strided_activations else net
            end_points[f"{outer.name}/block{block}"] = kept
    return net, end_points


resnet_v1_50 = functools.partial(_resnet_v1, 50)
resnet_v1_101 = functools.partial(_resnet_v1, 101)
resnet_v1_152 = functools.partial(_resnet_v1, 152)


def blocks_of(end_points: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """`block1` to `block4` of a residual network's end points, whatever scope they name."""
    blocks = {name.rpartition("/")[2]: net for name, net in end_points.items()}
    return {name: blocks[name] for name in BLOCKS if name in blocks}


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
