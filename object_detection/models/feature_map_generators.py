"""Feature maps beyond a backbone's: coarser ones for SSD, and feature pyramids."""

import collections
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.utils import ops

# Bound of activations that are to be quantised.
ACTIVATION_BOUND = 6.0


def get_depth_fn(depth_multiplier: float, min_depth: int) -> Callable[[int], int]:
    """Number of channels -> that number times the multiplier, at least `min_depth`."""

    def multiply_depth(depth: int) -> int:
        return max(int(depth * depth_multiplier), min_depth)

    return multiply_depth


def _convolution(
    net: tf.Tensor, depth: int, kernel: int, stride: int, use_depthwise: bool, scope: str
) -> tf.Tensor:
    """A convolution, or a depthwise one followed by a 1x1 convolution."""
    if use_depthwise:
        net = slim.separable_conv2d(
            net, None, [kernel, kernel], stride=stride, scope=f"{scope}_depthwise"
        )
        return slim.conv2d(net, depth, [1, 1], scope=scope)
    return slim.conv2d(net, depth, [kernel, kernel], stride=stride, scope=scope)


def multi_resolution_feature_maps(
    feature_map_layout: dict[str, Any],
    depth_multiplier: float,
    min_depth: int,
    insert_1x1_conv: bool,
    image_features: dict[str, tf.Tensor],
    pool_residual: bool = False,
) -> "collections.OrderedDict[str, tf.Tensor]":
    """Feature maps of a backbone, and coarser ones made from its last (arXiv:1512.02325).

    Args:
        feature_map_layout: `from_layer`, names of the backbone's layers, '' for a new map;
            `layer_depth`, channels of new maps, -1 for the backbone's; optionally
            `use_depthwise`, `use_explicit_padding`, `conv_kernel_size` (a list).
        depth_multiplier: factor of the channels of new maps.
        min_depth: least number of channels.
        insert_1x1_conv: put a 1x1 convolution of half the channels before each new map.
        image_features: name -> output of the backbone's layer.
        pool_residual: add the average-pooled map below to each new one.

    Returns:
        Name -> feature map, finest first.
    """
    depth_fn = get_depth_fn(depth_multiplier, min_depth)
    use_depthwise = feature_map_layout.get("use_depthwise", False)
    explicit_padding = feature_map_layout.get("use_explicit_padding", False)
    kernels = feature_map_layout.get("conv_kernel_size")
    maps: list[tuple[str, tf.Tensor]] = []
    base = ""
    for index, (layer, layer_depth) in enumerate(
        zip(feature_map_layout["from_layer"], feature_map_layout["layer_depth"], strict=True)
    ):
        kernel = 3 if not kernels or kernels[index] == -1 else kernels[index]
        if layer:
            base, net = layer, image_features[layer]
            maps.append((layer, net))
            continue
        below = net = maps[-1][1]
        depth = depth_fn(layer_depth)
        if insert_1x1_conv:
            half = depth_fn(layer_depth // 2)
            net = slim.conv2d(net, half, [1, 1], scope=f"{base}_1_Conv2d_{index}_1x1_{half}")
        name = f"{base}_2_Conv2d_{index}_{kernel}x{kernel}_s2_{depth}"
        padding = "SAME"
        if explicit_padding:
            net, padding = ops.fixed_padding(net, kernel), "VALID"
        with slim.arg_scope([slim.conv2d, slim.separable_conv2d], padding=padding):
            net = _convolution(net, depth, kernel, 2, use_depthwise, name)
        if pool_residual and below.shape[-1] == depth:
            net += slim.avg_pool2d(below, [3, 3], stride=2, padding="SAME", scope=f"{name}_pool")
        maps.append((name, net))
    return collections.OrderedDict(maps)


def fpn_top_down_feature_maps(
    image_features: list[tuple[str, tf.Tensor]],
    depth: int,
    use_depthwise: bool = False,
    use_explicit_padding: bool = False,
    use_bounded_activations: bool = False,
    scope: str | None = None,
    use_native_resize_op: bool = False,
) -> "collections.OrderedDict[str, tf.Tensor]":
    """The top-down path of a feature pyramid (arXiv:1612.03144, section 3).

    Args:
        image_features: name and map of each level, finest first, each half the size of the last.
        depth: channels of every level.
        use_depthwise: smooth with depthwise separable convolutions.
        use_explicit_padding: pad by hand and convolve without padding.
        use_bounded_activations: cut sums at +-6.
        scope: name and variable scope.
        use_native_resize_op: enlarge with TensorFlow's resize instead of repetition.

    Returns:
        `top_down_<name>` -> map, finest first.
    """

    def bounded(tensor: tf.Tensor) -> tf.Tensor:
        if not use_bounded_activations:
            return tensor
        return tf.clip_by_value(tensor, -ACTIVATION_BOUND, ACTIVATION_BOUND)

    def project(level: int) -> tf.Tensor:
        return bounded(
            slim.conv2d(
                image_features[level][1],
                depth,
                [1, 1],
                activation_fn=None,
                normalizer_fn=None,
                scope=f"projection_{level + 1}",
            )
        )

    levels = len(image_features)
    with tf.variable_scope(scope, "top_down"):
        top_down = project(levels - 1)
        outputs = [(f"top_down_{image_features[-1][0]}", top_down)]
        for level in reversed(range(levels - 1)):
            residual = project(level)
            if use_native_resize_op:
                top_down = tf.image.resize_nearest_neighbor(top_down, tf.shape(residual)[1:3])
            else:
                # Maps of odd size are one row or column short of twice the coarser one.
                shape = tf.shape(residual)
                enlarged = ops.nearest_neighbor_upsampling(top_down, scale=2)
                top_down = enlarged[:, : shape[1], : shape[2]]
            top_down = bounded(top_down + residual)
            top_down.set_shape(residual.shape)
            smoothed, padding = top_down, "SAME"
            if use_explicit_padding:
                smoothed, padding = ops.fixed_padding(top_down, 3), "VALID"
            with slim.arg_scope([slim.conv2d, slim.separable_conv2d], padding=padding):
                smoothed = _convolution(
                    smoothed, depth, 3, 1, use_depthwise, f"smoothing_{level + 1}"
                )
            outputs.append((f"top_down_{image_features[level][0]}", smoothed))
    return collections.OrderedDict(reversed(outputs))


def extend_pyramid(
    maps: list[tf.Tensor],
    depth: int,
    scopes: list[str],
    use_depthwise: bool = False,
    use_explicit_padding: bool = False,
) -> list[tf.Tensor]:
    """Adds coarser levels above a pyramid: each a 3x3 convolution of stride 2 on the one below.

    Args:
        maps: the pyramid, finest first.
        depth: channels of the new levels.
        scopes: variable scope of each new level.
        use_depthwise: convolve depthwise, then pointwise, in one layer.
        use_explicit_padding: pad by hand and convolve without padding.
    """
    maps = list(maps)
    for scope in scopes:
        net, padding = maps[-1], "SAME"
        if use_explicit_padding:
            net, padding = ops.fixed_padding(net, 3), "VALID"
        if use_depthwise:
            net = slim.separable_conv2d(
                net, depth, [3, 3], depth_multiplier=1, stride=2, padding=padding, scope=scope
            )
        else:
            net = slim.conv2d(net, depth, [3, 3], stride=2, padding=padding, scope=scope)
        maps.append(net)
    return maps


def pooling_pyramid_feature_maps(
    base_feature_map_depth: int,
    num_layers: int,
    image_features: dict[str, tf.Tensor],
    replace_pool_with_conv: bool = False,
) -> "collections.OrderedDict[str, tf.Tensor]":
    """A pyramid by repeated pooling of one map (arXiv:1807.03284).

    All levels share their features, so that one predictor can serve them all.

    Args:
        base_feature_map_depth: channels of a 1x1 convolution before; 0 for none.
        num_layers: levels.
        image_features: one map by name.
        replace_pool_with_conv: 3x3 convolutions of stride 2 instead of pooling.

    Returns:
        Name -> map, finest first.

    Raises:
        ValueError: not exactly one map.
    """
    if len(image_features) != 1:
        raise ValueError(f"image_features should hold one map, got {list(image_features)}.")
    ((_, net),) = image_features.items()
    name = f"Base_Conv2d_1x1_{base_feature_map_depth}"
    if base_feature_map_depth > 0:
        net = slim.conv2d(net, base_feature_map_depth, [1, 1], scope=name)
    maps = [(name, net)]
    depth = net.shape.as_list()[-1]
    for level in range(1, num_layers):
        if replace_pool_with_conv:
            name = f"Conv2d_{level}_3x3_s2_{depth}"
            net = slim.conv2d(net, depth, [3, 3], stride=2, padding="SAME", scope=name)
        else:
            name = f"MaxPool2d_{level}_2x2"
            net = slim.max_pool2d(net, [2, 2], stride=2, padding="SAME", scope=name)
        maps.append((name, net))
    return collections.OrderedDict(maps)
