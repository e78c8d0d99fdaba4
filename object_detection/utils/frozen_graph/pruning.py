"""What a frozen graph computes anew in each run though it is known, and what it only passes on."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.utils.frozen_graph import editing
from object_detection.utils.frozen_graph.editing import Array, FrozenGraph

_PASSING_ON = ("Identity", "StopGradient", "PreventGradient", "Snapshot")
# A constant larger than this has to be no larger than what it is made of.
_SMALL = 4 << 20  # bytes


def prune(graph: FrozenGraph) -> None:
    """Makes constants of what is constant, and removes what has no effect.

    Results stay the same to the bit. Checks stay, but for those that are known to pass.
    """
    graph.drop_unneeded()
    # First of all: a copy of a constant would become a second constant.
    _remove_passing_on(graph)
    _write_known_shapes(graph)
    _write_constants(graph)
    _remove_controls_without_effect(graph)
    # What waited for something may be a mere copy now.
    _remove_passing_on(graph)
    graph.drop_unneeded()


def _imported(graph: FrozenGraph) -> tf.Graph:
    with tf.Graph().as_default() as imported:
        tf.import_graph_def(graph.graph_def(), name="")
    return imported


class _KnownNumbers:
    """The entries of small integer tensors as far as shapes tell them; None for the others."""

    def __init__(self, graph: FrozenGraph, imported: tf.Graph) -> None:
        self._graph = graph
        self._imported = imported
        self._found: dict[str, list[int | None] | int | None] = {}

    def of(self, tensor: str) -> Any:
        """A list of entries, or one for a scalar; None if nothing is known."""
        if tensor not in self._found:
            self._found[tensor] = None  # ends loops
            self._found[tensor] = self._compute(tensor)
        return self._found[tensor]

    def _compute(self, tensor: str) -> Any:
        node = self._graph.nodes[editing.node_of(tensor)]
        inputs = editing.data_inputs(node)
        if node.op == "Shape":
            shape = self._imported.get_tensor_by_name(_full(inputs[0])).shape
            return None if shape.rank is None else shape.as_list()
        if node.op == "Const" and not editing.has_control_inputs(node):
            if node.attr["dtype"].type not in (
                tf.int32.as_datatype_enum,
                tf.int64.as_datatype_enum,
            ):
                return None
            return tf.make_ndarray(node.attr["value"].tensor).tolist()
        if node.op == "Identity":
            return self.of(inputs[0])
        if node.op == "StridedSlice":
            return self._slice(node, inputs)
        if node.op == "Pack" and editing.attribute(node, "axis").i == 0:
            entries = [self.of(one) for one in inputs]
            return None if any(isinstance(one, list) for one in entries) else entries
        if node.op == "ConcatV2":
            parts = [self.of(one) for one in inputs[:-1]]
            if all(isinstance(part, list) for part in parts):
                return [entry for part in parts for entry in part]
        return None

    def _slice(self, node: tf.NodeDef, inputs: list[str]) -> Any:
        entries, *bounds = (self.of(one) for one in inputs)
        if not isinstance(entries, list) or editing.attribute(node, "ellipsis_mask").i:
            return None
        if any(not isinstance(bound, list) or len(bound) != 1 for bound in bounds):
            return None
        if editing.attribute(node, "new_axis_mask").i or any(bound[0] is None for bound in bounds):
            return None
        (begin,), (end,), (step,) = bounds
        if editing.attribute(node, "shrink_axis_mask").i:
            return entries[begin]
        return entries[
            None if editing.attribute(node, "begin_mask").i else begin : None
            if editing.attribute(node, "end_mask").i
            else end : step
        ]


def _full(tensor: str) -> str:
    return f"{editing.node_of(tensor)}:{editing.port_of(tensor)}"


def _is_known(value: Any) -> bool:
    return None not in value if isinstance(value, list) else value is not None


def _write_known_shapes(graph: FrozenGraph) -> None:
    """Sizes that follow from the shapes of inputs and constants become constants."""
    imported = _imported(graph)
    numbers = _KnownNumbers(graph, imported)
    known: dict[str, Array] = {}
    for node in graph.nodes.values():
        if node.op in ("Shape", "StridedSlice", "Pack", "ConcatV2"):
            value = numbers.of(node.name)
            flat = (
                not any(isinstance(entry, list) for entry in value or [])
                if isinstance(value, list)
                else True
            )
            if _is_known(value) and flat:
                dtype = imported.get_tensor_by_name(_full(node.name)).dtype.as_numpy_dtype
                known[node.name] = np.array(value, dtype)
    for name, value in known.items():
        _make_constant(graph.nodes[name], value)


def _make_constant(node: tf.NodeDef, value: Array) -> None:
    """The node becomes a constant; what it waits for, it still waits for."""
    controls = [tensor for tensor in node.input if editing.is_control(tensor)]
    node.op = "Const"
    del node.input[:]
    node.input.extend(controls)
    node.attr.clear()
    node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))


def _constant_only(graph: FrozenGraph, imported: tf.Graph) -> set[str]:
    """Nodes that depend on constants alone, in no loop or branch."""
    found: set[str] = set()
    for operation in imported.get_operations():
        # Operations come in an order of dependency, but for loops, which are left out.
        node = graph.nodes[operation.name]
        if node.op == "Placeholder" or node.op in editing.CONTROL_FLOW or operation.control_inputs:
            continue
        if operation.op_def.is_stateful or not operation.outputs:
            continue
        if all(tensor.op.name in found for tensor in operation.inputs):
            found.add(operation.name)
    return found


def _worth_it(graph: FrozenGraph, operation: tf.Operation, value: Array) -> bool:
    """Whether the constant does not make the file much larger than what it is made of."""
    if value.nbytes <= _SMALL:
        return True
    used = sum(
        graph.constant(tensor.op.name).nbytes
        for tensor in operation.inputs
        if graph.is_constant(tensor.op.name)
    )
    return value.nbytes <= used


def _write_constants(graph: FrozenGraph) -> None:
    """What constants alone determine becomes a constant."""
    imported = _imported(graph)
    known = _constant_only(graph, imported)
    wanted = []
    for name in sorted(known):
        operation = imported.get_operation_by_name(name)
        if operation.type == "Const":
            continue
        for tensor in operation.outputs:
            read = any(reader.name not in known for reader in tensor.consumers())
            if read or name in graph.outputs:
                wanted.append(tensor)
    if not wanted:
        return
    with tf.Session(graph=imported, config=tf.ConfigProto(device_count={"GPU": 0})) as session:
        values = session.run(wanted)
    readers = graph.readers()
    for tensor, value in zip(wanted, values, strict=True):
        if value.dtype == object or not _worth_it(graph, tensor.op, value):
            continue
        if len(tensor.op.outputs) == 1:
            _make_constant(graph.nodes[tensor.op.name], value)
            continue
        constant = graph.add_constant(f"{tensor.op.name}/output_{tensor.value_index}", value)
        for reader in readers[editing.plain(tensor.name)]:
            _replace_input(reader, editing.plain(tensor.name), constant)


def _replace_input(node: tf.NodeDef, old: str, new: str) -> None:
    for index, tensor in enumerate(node.input):
        if editing.plain(tensor) == old:
            node.input[index] = new


def _passes(graph: FrozenGraph, node: tf.NodeDef) -> bool:
    """Whether waiting for the node has no effect."""
    if any(editing.is_control(tensor) for tensor in node.input):
        return False
    if node.op in ("Const", "NoOp"):
        return not editing.data_inputs(node)
    if node.op == "Assert":
        condition = editing.data_inputs(node)[0]
        return graph.is_constant(condition) and bool(np.all(graph.constant(condition)))
    return False


def _remove_controls_without_effect(graph: FrozenGraph) -> None:
    changed = True
    while changed:
        changed = False
        for node in graph.nodes.values():
            kept = [
                tensor
                for tensor in node.input
                if not (
                    editing.is_control(tensor)
                    and _passes(graph, graph.nodes[editing.node_of(tensor)])
                )
            ]
            if len(kept) < len(node.input):
                del node.input[:]
                node.input.extend(kept)
                changed = True


def _removable(graph: FrozenGraph, readers: dict[str, list[tf.NodeDef]]) -> Iterator[tf.NodeDef]:
    for node in graph.nodes.values():
        if node.op not in _PASSING_ON or node.name in graph.outputs:
            continue
        if editing.has_control_inputs(node) or readers.get(f"^{node.name}"):
            continue
        if graph.nodes[editing.node_of(node.input[0])].op not in editing.CONTROL_FLOW:
            yield node


def _remove_passing_on(graph: FrozenGraph) -> None:
    """Lets who reads a copy read what is copied."""
    goes = {node.name: node for node in _removable(graph, graph.readers())}

    def source(tensor: str) -> str:
        while editing.node_of(tensor) in goes:
            tensor = editing.plain(goes[editing.node_of(tensor)].input[0])
        return tensor

    for node in graph.nodes.values():
        for index, tensor in enumerate(node.input):
            if not editing.is_control(tensor):
                node.input[index] = source(editing.plain(tensor))
