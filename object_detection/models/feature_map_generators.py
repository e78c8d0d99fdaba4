"""Feature maps beyond a backbone's: coarser ones for SSD, and feature pyramids."""

import collections
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.utils import ops, shape_utils

# Bound of activations that are to be quantised.
ACTIVATION_BOUND = 6.0


def get_depth_fn(depth_multiplier: float, min_depth: int) -> Callable[[float], int]:
    """Number of channels -> that number times the multiplier, at least `min_depth`."""

    def multiply_depth(depth: float) -> int:
        return max(int(depth * depth_multiplier), min_depth)

    return multiply_depth


def _padded(net: tf.Tensor, kernel: int, explicit: bool) -> tuple[tf.Tensor, str]:
    """The input of a convolution or pooling, and the padding that it is left to do itself."""
    return (ops.fixed_padding(net, kernel), "VALID") if explicit else (net, "SAME")


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
        pool_residual: add the average-pooled map below to each new one of as many channels.

    Returns:
        Name -> feature map, finest first. The name of a new map is also its variable scope.
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
        if layer:
            base = layer
            maps.append((layer, image_features[layer]))
            continue
        kernel = kernels[index] if kernels else 3
        below = net = maps[-1][1]
        depth, half = depth_fn(layer_depth), depth_fn(layer_depth / 2)
        if insert_1x1_conv:
            name = f"{base}_1_Conv2d_{index}_1x1_{half}"
            net = slim.conv2d(net, half, [1, 1], padding="SAME", scope=name)
        name = f"{base}_2_Conv2d_{index}_{kernel}x{kernel}_s2_{depth}"
        net, padding = _padded(net, kernel, explicit_padding)
        how: dict[str, Any] = {"stride": 2, "padding": padding}
        if use_depthwise:
            net = slim.separable_conv2d(
                net, None, [kernel, kernel], scope=f"{name}_depthwise", **how
            )
            net = slim.conv2d(net, depth, [1, 1], padding="SAME", scope=name)
        else:
            net = slim.conv2d(net, depth, [kernel, kernel], scope=name, **how)
        if pool_residual and below.shape.as_list()[-1] == depth:
            below, _ = _padded(below, kernel, explicit_padding)
            net += slim.avg_pool2d(below, [kernel, kernel], scope=f"{name}_pool", **how)
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
        scope: name scope of the operations; variables stand in the variable scope around.
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

    def smooth(net: tf.Tensor, level: int) -> tf.Tensor:
        convolve = slim.separable_conv2d if use_depthwise else slim.conv2d
        net, padding = _padded(net, 3, use_explicit_padding)
        return convolve(net, depth, [3, 3], padding=padding, scope=f"smoothing_{level + 1}")

    levels = len(image_features)
    with tf.name_scope(scope, "top_down"):
        top_down = project(levels - 1)
        outputs = [(f"top_down_{image_features[-1][0]}", top_down)]
        for level in reversed(range(levels - 1)):
            residual = project(level)
            enlarged = enlarge(top_down, 2, use_native_resize_op)
            top_down = bounded(cut_to(enlarged, residual) + residual)
            outputs.append((f"top_down_{image_features[level][0]}", smooth(top_down, level)))
    return collections.OrderedDict(reversed(outputs))


def enlarge(net: tf.Tensor, scale: int, use_native_resize_op: bool) -> tf.Tensor:
    """[B, H, W, C] -> [B, scale * H, scale * W, C], each pixel repeated.

    Args:
        net: the map.
        scale: how often a pixel is repeated, each way.
        use_native_resize_op: whether TensorFlow's resize does it.
    """
    if not use_native_resize_op:
        return ops.nearest_neighbor_upsampling(net, scale=scale)
    _, height, width, _ = shape_utils.combined_static_and_dynamic_shape(net)
    return tf.image.resize_nearest_neighbor(net, [height * scale, width * scale])


def cut_to(net: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """The upper left part of a map that is as high and wide as `other`.

    A level of odd size is one row or column short of twice the coarser one.
    """
    size, wanted = net.shape.as_list()[1:3], other.shape.as_list()[1:3]
    if None not in size and size == wanted:
        return net
    shape = tf.shape(other)
    cut = net[:, : shape[1], : shape[2]]
    cut.set_shape([net.shape.as_list()[0], *wanted, net.shape.as_list()[3]])
    return cut


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
        net, padding = _padded(maps[-1], 3, use_explicit_padding)
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
        net = slim.conv2d(net, base_feature_map_depth, [1, 1], padding="SAME", scope=name)
    maps = [(name, net)]
    depth = base_feature_map_depth or net.shape.as_list()[-1]
    for level in range(num_layers - 1):
        if replace_pool_with_conv:
            name = f"Conv2d_{level}_3x3_s2_{depth}"
            net = slim.conv2d(net, depth, [3, 3], stride=2, padding="SAME", scope=name)
        else:
            name = f"MaxPool2d_{level}_2x2"
            net = slim.max_pool2d(net, [2, 2], stride=2, padding="SAME", scope=name)
        maps.append((name, net))
    return collections.OrderedDict(maps)
