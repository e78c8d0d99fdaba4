"""Small convolutions of one tensor as one convolution.

A predictor of classes has few channels, of which processors compute sixteen and more at a time:
beside the predictor of boxes, in one convolution, its channels cost little.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.utils.frozen_graph import editing
from object_detection.utils.frozen_graph.editing import FrozenGraph

# Output channels from which a convolution does well by itself.
_ENOUGH = 64
_SETTINGS = ("T", "strides", "padding", "explicit_paddings", "dilations", "data_format")


class _Biased(NamedTuple):
    """A convolution and the bias that alone reads it."""

    convolution: tf.NodeDef
    bias: tf.NodeDef


def merge_small_convolutions(graph: FrozenGraph) -> int:
    """Makes one convolution of those that read the same tensor in the same way, if one is small.

    Each has to be followed by its bias alone. The nodes of the biases become slices of the common
    result, so that their names stay.

    Returns:
        How many convolutions are less.
    """
    readers = graph.readers()
    groups: dict[tuple[object, ...], list[_Biased]] = defaultdict(list)
    for bias in graph.nodes.values():
        if bias.op != "BiasAdd" or editing.has_control_inputs(bias):
            continue
        source, numbers = editing.data_inputs(bias)
        convolution = graph.nodes[editing.node_of(source)]
        if convolution.op != "Conv2D" or editing.has_control_inputs(convolution):
            continue
        if convolution.name in graph.outputs or readers.get(f"^{convolution.name}"):
            continue
        inputs = editing.data_inputs(convolution)
        if not graph.is_constant(inputs[1]) or not graph.is_constant(numbers):
            continue
        if len(readers[source]) == 1 and editing.data_format(convolution) == b"NHWC":
            key = (inputs[0], graph.constant(inputs[1]).shape[:3], *_settings(convolution))
            groups[key].append(_Biased(convolution, bias))
    less = 0
    for members in groups.values():
        channels = [_channels(graph, one) for one in members]
        if len(members) > 1 and min(channels) < _ENOUGH:
            _merge(graph, members, channels)
            less += len(members) - 1
    return less


def _settings(convolution: tf.NodeDef) -> list[bytes]:
    return [editing.attribute(convolution, name).SerializeToString() for name in _SETTINGS]


def _channels(graph: FrozenGraph, one: _Biased) -> int:
    return int(graph.constant(editing.data_inputs(one.bias)[1]).size)


def _merge(graph: FrozenGraph, members: list[_Biased], channels: list[int]) -> None:
    first = members[0]
    kernels = [graph.constant(editing.data_inputs(one.convolution)[1]) for one in members]
    biases = [graph.constant(editing.data_inputs(one.bias)[1]) for one in members]
    convolution, bias = tf.NodeDef(), tf.NodeDef()
    convolution.CopyFrom(first.convolution)
    bias.CopyFrom(first.bias)
    convolution.name = graph.new_name(f"{first.convolution.name}/merged")
    convolution.input[1] = graph.add_constant(
        f"{first.convolution.name}/merged_kernel", np.concatenate(kernels, axis=3)
    )
    graph.nodes[convolution.name] = convolution
    bias.name = graph.new_name(f"{first.bias.name}/merged")
    bias.input[0] = convolution.name
    bias.input[1] = graph.add_constant(f"{first.bias.name}/merged_bias", np.concatenate(biases))
    graph.nodes[bias.name] = bias
    begin = 0
    for one, count in zip(members, channels, strict=True):
        node = one.bias
        corner = graph.add_constant(f"{node.name}/begin", np.array([0, 0, 0, begin], np.int32))
        size = graph.add_constant(f"{node.name}/size", np.array([-1, -1, -1, count], np.int32))
        node.op = "Slice"
        del node.input[:]
        node.input.extend([bias.name, corner, size])
        node.attr.clear()
        node.attr["T"].CopyFrom(bias.attr["T"])
        node.attr["Index"].type = tf.int32.as_datatype_enum
        begin += count
