"""SpaghettiNet: networks whose nodes take maps of several levels, found by search for the Edge TPU.

A node sums what its edges bring to its level, then applies layers. Blocks are those of MobileDet
(arXiv:2004.14525, section 3): inverted bottlenecks, and fused ones with grouped convolutions. Level
L has stride 2^L. Scopes are those of the published checkpoints.

Axes: B images, H x W pixels, C channels.
"""

import collections
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core.batch_norm import batch_norm
from object_detection.core.mixed_precision import full_precision
from object_detection.errors import ConfigError
from object_detection.models.feature_map_generators import cut_to, enlarge
from object_detection.utils import ops

Activation = Callable[[tf.Tensor], tf.Tensor]


class InvertedBottleneck(NamedTuple):
    """1x1 expansion, depthwise convolution, 1x1 projection (arXiv:1801.04381)."""

    kernel_size: int
    expansion: int  # factor of the output's channels
    stride: int = 1
    residual: bool = True


class GroupedBottleneck(NamedTuple):
    """A grouped full convolution that expands, then a 1x1 projection."""

    kernel_size: int
    expansion: int  # factor of the input's channels
    stride: int
    groups: int
    residual: bool = True


class Separable(NamedTuple):
    """A depthwise convolution, then a 1x1 convolution."""

    kernel_size: int
    stride: int = 1
    residual: bool = True


class Passthrough(NamedTuple):
    """An edge that brings a node's map as it is."""

    node: str


class Resample(NamedTuple):
    """An edge that brings a node's map to the level and depth of its end."""

    node: str


class Stem(NamedTuple):
    """The convolution that reads the picture, with stride 2."""

    kernel_size: int
    num_filters: int
    level: int = 1


class Node(NamedTuple):
    """The sum of some edges, and layers on it."""

    num_filters: int
    level: int
    layers: Sequence[InvertedBottleneck | GroupedBottleneck | Separable]
    edges: Sequence[Passthrough | Resample]


class Architecture(NamedTuple):
    """Nodes by name, each after those that it takes; and which of them are feature maps."""

    nodes: "collections.OrderedDict[str, Stem | Node]"
    outputs: tuple[str, ...]


def _resampled(*nodes: str) -> tuple[Resample, ...]:
    return tuple(Resample(node) for node in nodes)


def _edgetpu_s() -> Architecture:
    down, fused = InvertedBottleneck, GroupedBottleneck
    four, eight = InvertedBottleneck(3, 4), InvertedBottleneck(3, 8)
    nodes = collections.OrderedDict[str, Stem | Node](
        s0=Stem(5, 24),
        n0=Node(48, 2, [fused(3, 8, 2, 3, False)], [Passthrough("s0")]),
        n1=Node(
            64,
            3,
            [fused(3, 4, 2, 4, False), fused(3, 4, 1, 4), fused(3, 4, 1, 4)],
            [Passthrough("n0")],
        ),
        n2=Node(
            72,
            4,
            [down(3, 8, 2, False), fused(3, 8, 1, 4), eight, four],
            [Passthrough("n1")],
        ),
        n3=Node(88, 5, [down(3, 8, 2, False), eight, four, four], [Passthrough("n2")]),
        n4=Node(
            88,
            6,
            [down(3, 8, 2, False), Separable(5), Separable(5), Separable(5)],
            [Passthrough("n3")],
        ),
        n5=Node(88, 7, [Separable(5, 2, False), Separable(3)], [Passthrough("n4")]),
        c0n0=Node(144, 5, [four] * 4, _resampled("n3", "n4")),
        c0n1=Node(120, 4, [eight, four, four, four], _resampled("n2", "c0n0")),
        c0n2=Node(168, 5, [four], _resampled("c0n1", "c0n0")),
        c0n3=Node(136, 6, [four, Separable(3)], _resampled("n5", "c0n0")),
        c0n4=Node(136, 7, [four], _resampled("n5", "c0n0")),
        c0n5=Node(64, 8, [Separable(3, 2, False), Separable(3)], [Passthrough("c0n4")]),
    )
    return Architecture(nodes, ("c0n1", "c0n2", "c0n3", "c0n4", "c0n5"))


_ARCHITECTURES: dict[str, Callable[[], Architecture]] = {"spaghettinet_edgetpu_s": _edgetpu_s}
# They exist, but neither a paper nor a list of their variables says what they are made of.
_UNPUBLISHED = ("spaghettinet_edgetpu_m", "spaghettinet_edgetpu_l")


def check_spaghetti_arch(arch: str) -> None:
    """Refuses architectures that cannot be built.

    Raises:
        ConfigError: no such architecture, or one whose structure is not published.
    """
    if arch in _ARCHITECTURES:
        return
    why = "has no published structure" if arch in _UNPUBLISHED else "is unknown"
    raise ConfigError(
        f"spaghettinet_arch_name {arch!r} {why}. Available: {', '.join(_ARCHITECTURES)}."
    )


def lookup_spaghetti_arch(arch: str) -> Architecture:
    """The nodes and outputs of an architecture.

    Args:
        arch: such as `spaghettinet_edgetpu_s`.

    Raises:
        ConfigError: no such architecture, or one whose structure is not published.
    """
    check_spaghetti_arch(arch)
    return _ARCHITECTURES[arch]()


# Range that an activation is taken to have before training has seen any, and its share of the old
# value at each step.
_INITIAL_RANGE = {"min": 0.0, "max": 6.0}
_RANGE_DECAY = 0.999


def quantized_concat(parts: Sequence[tf.Tensor], is_training: bool) -> tf.Tensor:
    """Concatenates the channels of [B, H, W, C_i] maps that share one 8-bit range.

    Integer hardware copies bytes when it concatenates, so that all parts must have one scale.
    The range follows the values in training (arXiv:1712.05877, section 3.1) and always holds 0.

    Args:
        parts: the maps.
        is_training: whether the range follows the values.
    """
    with tf.variable_scope("concat"):
        limits = {
            name: tf.get_variable(
                name, [], tf.float32, tf.constant_initializer(initial), trainable=False
            )
            for name, initial in _INITIAL_RANGE.items()
        }
        whole = full_precision(tf.concat(parts, axis=3))
        lowest, highest = limits["min"], limits["max"]
        if is_training:
            found = {
                "min": tf.minimum(tf.reduce_min(whole), 0.0),
                "max": tf.maximum(tf.reduce_max(whole), 0.0),
            }
            moved = {
                name: limit * _RANGE_DECAY + tf.stop_gradient(found[name]) * (1.0 - _RANGE_DECAY)
                for name, limit in limits.items()
            }
            for name, limit in limits.items():
                tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, limit.assign(moved[name]))
            lowest, highest = moved["min"], moved["max"]
        quantized = tf.quantization.fake_quant_with_min_max_vars(whole, lowest, highest)
        return tf.cast(quantized, parts[0].dtype)


class SpaghettiNet:
    """Builds a network from the specification of its nodes."""

    def __init__(
        self,
        node_specs: Mapping[str, Stem | Node],
        is_training: bool = False,
        use_native_resize_op: bool = False,
        use_explicit_padding: bool = False,
        activation_fn: Activation = tf.nn.relu6,
        normalization_fn: Any = slim.batch_norm,
        name: str = "spaghetti_node",
    ) -> None:
        """Takes the settings.

        Args:
            node_specs: name -> specification, each node after those that it takes.
            is_training: whether batch norm may train; the arg scope around may forbid it.
            use_native_resize_op: enlarge with TensorFlow's resize instead of repetition.
            use_explicit_padding: pad by hand and convolve without padding.
            activation_fn: of all but the projections.
            normalization_fn: of all but the depthwise convolutions of separable layers.
                `slim.batch_norm` stands for this package's layer, which current TensorFlow runs.
            name: name scope of the operations.
        """
        self._node_specs = node_specs
        self._is_training = is_training
        self._use_native_resize_op = use_native_resize_op
        self._use_explicit_padding = use_explicit_padding
        self._activation_fn = activation_fn
        self._normalization_fn = (
            batch_norm if normalization_fn is slim.batch_norm else normalization_fn
        )
        self._name = name

    def apply(self, net: tf.Tensor, scope: str = "spaghetti_net") -> dict[str, tf.Tensor]:
        """[B, H, W, 3] in [-1, 1] -> name -> output [B, h, w, C] of each node.

        Args:
            net: pictures.
            scope: variable scope of the nodes; those of the edges stand beside it.
        """
        nodes: dict[str, tf.Tensor] = {}
        training = {} if self._is_training else {"is_training": False}
        with tf.name_scope(self._name), slim.arg_scope([batch_norm], **training):
            for name, spec in self._node_specs.items():
                if isinstance(spec, Stem):
                    with tf.variable_scope(f"{scope}/stem_node"):
                        nodes[name] = self._conv(net, spec.num_filters, spec.kernel_size, 2, "stem")
                    continue
                merged = None
                for edge in spec.edges:
                    brought = self._edge(nodes, edge, name)
                    merged = brought if merged is None else merged + brought
                for index, layer in enumerate(spec.layers):
                    with tf.variable_scope(f"{scope}/{name}_{index}"):
                        merged = self._layer(merged, layer, spec.num_filters)
                nodes[name] = merged
        return nodes

    def _padded(self, net: tf.Tensor, kernel: int) -> tuple[tf.Tensor, str]:
        if self._use_explicit_padding:
            return ops.fixed_padding(net, kernel), "VALID"
        return net, "SAME"

    def _conv(
        self,
        net: tf.Tensor,
        filters: int,
        kernel: int,
        stride: int,
        scope: str,
        linear: bool = False,
    ) -> tf.Tensor:
        net, padding = self._padded(net, kernel)
        return slim.conv2d(
            net,
            filters,
            [kernel, kernel],
            stride=stride,
            padding=padding,
            activation_fn=None if linear else self._activation_fn,
            normalizer_fn=self._normalization_fn,
            scope=scope,
        )

    def _depthwise(self, net: tf.Tensor, kernel: int, stride: int, plain: bool) -> tf.Tensor:
        """A depthwise convolution; a plain one is neither normalised nor activated."""
        net, padding = self._padded(net, kernel)
        return slim.separable_conv2d(
            net,
            None,
            [kernel, kernel],
            stride=stride,
            padding=padding,
            activation_fn=None if plain else self._activation_fn,
            normalizer_fn=None if plain else self._normalization_fn,
            scope="depthwise",
        )

    def _layer(
        self,
        net: tf.Tensor,
        layer: InvertedBottleneck | GroupedBottleneck | Separable,
        filters: int,
    ) -> tf.Tensor:
        before = net
        if isinstance(layer, Separable):
            net = self._depthwise(net, layer.kernel_size, layer.stride, plain=True)
            net = self._conv(net, filters, 1, 1, "pointwise")
        elif isinstance(layer, GroupedBottleneck):
            expanded = net.shape.as_list()[-1] * layer.expansion // layer.groups
            net = quantized_concat(
                [
                    self._conv(part, expanded, layer.kernel_size, layer.stride, f"slice_{index}")
                    for index, part in enumerate(tf.split(net, layer.groups, axis=3))
                ],
                self._is_training,
            )
            net = self._conv(net, filters, 1, 1, "projection", linear=True)
        else:
            net = self._conv(net, filters * layer.expansion, 1, 1, "expansion")
            net = self._depthwise(net, layer.kernel_size, layer.stride, plain=False)
            net = self._conv(net, filters, 1, 1, "projection", linear=True)
        return net + before if layer.residual else net

    def _edge(
        self, nodes: dict[str, tf.Tensor], edge: Passthrough | Resample, end: str
    ) -> tf.Tensor:
        net, target = nodes[edge.node], self._node_specs[end]
        if isinstance(edge, Passthrough):
            return net
        steps = target.level - self._node_specs[edge.node].level
        with tf.variable_scope(f"edge_{edge.node}_{end}"):
            if steps == 0:
                return self._conv(net, target.num_filters, 1, 1, "1x1_no_resampling", linear=True)
            if steps > 0:
                net, padding = self._padded(net, 3)
                net = slim.max_pool2d(net, [3, 3], stride=2**steps, padding=padding)
                return self._conv(
                    net, target.num_filters, 1, 1, "1x1_after_downsampling", linear=True
                )
            net = self._conv(net, target.num_filters, 1, 1, "1x1_before_upsample", linear=True)
            net = enlarge(net, 2**-steps, self._use_native_resize_op)
            # The first node of a level has the size that this level has.
            same = (name for name in nodes if self._node_specs[name].level == target.level)
            return cut_to(net, nodes[next(same)])
