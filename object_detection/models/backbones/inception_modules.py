"""Modules of parallel branches, as the Inception networks have them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf
import tf_slim as slim

_POOLING = {"MaxPool": slim.max_pool2d, "AvgPool": slim.avg_pool2d}


class Layer(NamedTuple):
    """A layer of a branch; `depth` 0 marks a pooling."""

    scope: str
    kernel: tuple[int, int]
    depth: int
    stride: int = 1
    stddev: float | None = None  # of the initial weights, where the network has its own


Branches = tuple[tuple[Layer, ...], ...]


def conv(scope: str, depth: int, stride: int = 1, stddev: float | None = None) -> Layer:
    """A convolution whose kernel its scope tells, such as `Conv2d_0b_1x7`."""
    height, width = scope.rpartition("_")[2].split("x")
    return Layer(scope, (int(height), int(width)), depth, stride, stddev)


def pool(scope: str, stride: int = 1) -> Layer:
    """A pooling over 3x3 pixels, `MaxPool_...` or `AvgPool_...`."""
    return Layer(scope, (3, 3), 0, stride)


def apply_layers(
    net: tf.Tensor, layers: tuple[Layer, ...], depth_fn: Callable[[int], int] = int
) -> tf.Tensor:
    """Layers one after the other; `depth_fn` gives the channels of a layer of so many."""
    for layer in layers:
        kernel = list(layer.kernel)
        if not layer.depth:
            pooling = _POOLING[layer.scope.partition("_")[0]]
            net = pooling(net, kernel, stride=layer.stride, scope=layer.scope)
            continue
        own: dict[str, Any] = {}
        if layer.stddev is not None:
            own["weights_initializer"] = tf.truncated_normal_initializer(stddev=layer.stddev)
        net = slim.conv2d(
            net, depth_fn(layer.depth), kernel, stride=layer.stride, scope=layer.scope, **own
        )
    return net


def module(
    net: tf.Tensor, branches: Branches, scope: str, depth_fn: Callable[[int], int] = int
) -> tf.Tensor:
    """The results of all branches, their channels one after the other."""
    with tf.variable_scope(scope):
        results = []
        for index, layers in enumerate(branches):
            with tf.variable_scope(f"Branch_{index}"):
                results.append(apply_layers(net, layers, depth_fn))
        return tf.concat(results, axis=3)
