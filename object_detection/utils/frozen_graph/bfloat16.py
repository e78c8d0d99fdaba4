"""The convolutions of a frozen graph in bfloat16, all else in float32.

bfloat16 has the exponent of float32 and 8 bits of precision: enough for activations (arXiv:1905.12322),
not for codes and scores. So the last convolutions, those that no other follows, stay in float32, as
in training.
"""

import tensorflow.compat.v1 as tf

from object_detection.utils.frozen_graph import editing
from object_detection.utils.frozen_graph.editing import FrozenGraph

_FLOAT32 = tf.float32.as_datatype_enum
_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")
# Number of first inputs that take the type of the result; None: all but what is no float.
_FOLLOWING = {
    "AddV2": 2,
    "Add": 2,
    "AvgPool": 1,
    "BiasAdd": 2,
    "ConcatV2": None,
    "FusedBatchNormV3": 1,
    "MaxPool": 1,
    "Mul": 2,
    "Pad": 1,
    "Relu": 1,
    "Relu6": 1,
    "ResizeNearestNeighbor": 1,
}


def use_bfloat16(graph: FrozenGraph) -> int:
    """Lets convolutions, and what stands between them, compute in bfloat16.

    Kernels and biases become constants of bfloat16. Casts stand only where the types meet, one for
    each tensor. Fold batch normalisation first.

    Returns:
        How many convolutions compute in bfloat16.
    """
    order = _in_order(graph)
    lowered = _lowered(graph, order)
    narrow = _Casts(graph, tf.bfloat16)
    wide = _Casts(graph, tf.float32)
    for name in order:
        node = graph.nodes[name]
        if name in lowered:
            node.attr["T"].type = tf.bfloat16.as_datatype_enum
        for index in range(len(editing.data_inputs(node))):
            tensor = editing.plain(node.input[index])
            from_lowered = editing.node_of(tensor) in lowered
            if name in lowered and index < _narrow_inputs(node):
                if not from_lowered:
                    node.input[index] = narrow.of(tensor)
            elif from_lowered:
                node.input[index] = wide.of(tensor)
    return sum(graph.nodes[name].op in _CONVOLUTIONS for name in lowered)


class _Casts:
    """Tensors in another type, each made once."""

    def __init__(self, graph: FrozenGraph, dtype: tf.DType) -> None:
        self._graph = graph
        self._dtype = dtype
        self._made: dict[str, str] = {}

    def of(self, tensor: str) -> str:
        if tensor not in self._made:
            name = f"{editing.node_of(tensor)}/{self._dtype.name}"
            self._made[tensor] = (
                self._graph.add_constant(
                    name, self._graph.constant(tensor).astype(self._dtype.as_numpy_dtype)
                )
                if self._graph.is_constant(tensor)
                else self._graph.add(
                    name,
                    "Cast",
                    [tensor],
                    SrcT=tf.float32 if self._dtype == tf.bfloat16 else tf.bfloat16,
                    DstT=self._dtype,
                )
            )
        return self._made[tensor]


def _narrow_inputs(node: tf.NodeDef) -> int:
    """How many of the first inputs have the type of the result."""
    if node.op in _CONVOLUTIONS:
        return 2
    number = _FOLLOWING[node.op]
    return len(editing.data_inputs(node)) - 1 if number is None else number


def _in_order(graph: FrozenGraph) -> list[str]:
    """Names with inputs before readers, but for what closes a loop."""
    order: list[str] = []
    seen: set[str] = set()
    for start in graph.nodes:
        waiting = [(start, False)]
        while waiting:
            name, inputs_done = waiting.pop()
            if inputs_done:
                order.append(name)
            elif name not in seen:
                seen.add(name)
                waiting.append((name, True))
                node = graph.nodes[name]
                if node.op != "NextIteration":
                    waiting += [(editing.node_of(tensor), False) for tensor in node.input]
    return order


def _before_convolutions(graph: FrozenGraph, order: list[str]) -> set[str]:
    """Nodes whose results reach a convolution."""
    found: set[str] = set()
    for name in reversed(order):
        node = graph.nodes[name]
        if name in found or node.op in _CONVOLUTIONS:
            found.update(editing.node_of(tensor) for tensor in node.input)
    return found


def _is_slow(graph: FrozenGraph, node: tf.NodeDef) -> bool:
    """Whether float32 is faster: several outputs of each channel by itself have no fast kernel."""
    if node.op != "DepthwiseConv2dNative":
        return False
    return bool(graph.constant(editing.data_inputs(node)[1]).shape[3] > 1)


def _lowered(graph: FrozenGraph, order: list[str]) -> set[str]:
    """Nodes that compute in bfloat16."""
    before = _before_convolutions(graph, order)
    found: set[str] = set()
    for name in order:
        node = graph.nodes[name]
        if name in graph.outputs or editing.attribute(node, "T").type != _FLOAT32:
            continue
        inputs = editing.data_inputs(node)
        if node.op in _CONVOLUTIONS:
            if name in before and graph.is_constant(inputs[1]) and not _is_slow(graph, node):
                found.add(name)
        elif node.op in _FOLLOWING:
            sources = [
                tensor for tensor in inputs[: _narrow_inputs(node)] if not graph.is_constant(tensor)
            ]
            if sources and all(editing.node_of(tensor) in found for tensor in sources):
                found.add(name)
    return found
