"""A frozen graph as nodes by name, with who reads them.

A tensor is written as in a `GraphDef`: `name` is the first output of a node, `name:1` the second;
`^name` is a control input.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

Array = np.ndarray[Any, Any]

# Ends and beginnings of branches and loops: what stands beside them may not be moved.
CONTROL_FLOW = frozenset(
    {"Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond", "ControlTrigger"}
)


def node_of(tensor: str) -> str:
    """Name of the node of a tensor or control input."""
    return tensor.removeprefix("^").split(":")[0]


def port_of(tensor: str) -> int:
    """Which output of its node a tensor is."""
    return int(tensor.partition(":")[2] or 0)


def is_control(tensor: str) -> bool:
    """Whether an input only says what runs first."""
    return tensor.startswith("^")


def plain(tensor: str) -> str:
    """The one way to write a tensor: `name:0` is `name`."""
    return tensor.removesuffix(":0")


def data_inputs(node: tf.NodeDef) -> list[str]:
    """The inputs of a node that carry values, in order."""
    return [plain(tensor) for tensor in node.input if not is_control(tensor)]


def has_control_inputs(node: tf.NodeDef) -> bool:
    """Whether something else has to run before the node."""
    return any(is_control(tensor) for tensor in node.input)


def attribute(node: tf.NodeDef, name: str) -> Any:
    """An attribute, empty if the node has none; asking the map itself would add it."""
    return node.attr[name] if name in node.attr else tf.AttrValue()


def data_format(node: tf.NodeDef) -> bytes:
    """The order of axes of a convolution, normalisation or bias."""
    return bytes(attribute(node, "data_format").s) or b"NHWC"


class FrozenGraph:
    """Nodes of a copy of a `GraphDef`, in their order."""

    def __init__(self, graph_def: tf.GraphDef, outputs: Collection[str]) -> None:
        """Takes the graph.

        Args:
            graph_def: without variables; stays as it is.
            outputs: names of nodes that stay, under their names, with the same results.
        """
        self._rest = tf.GraphDef()
        self._rest.CopyFrom(graph_def)
        self.nodes: dict[str, tf.NodeDef] = {}
        for node in graph_def.node:
            copy = tf.NodeDef()
            copy.CopyFrom(node)
            self.nodes[node.name] = copy
        del self._rest.node[:]
        self.outputs = frozenset(outputs)

    def graph_def(self) -> tf.GraphDef:
        """The graph as it is now, without nodes that no output needs; placeholders stay."""
        result = tf.GraphDef()
        result.CopyFrom(self._rest)
        needed = self._needed()
        result.node.extend(node for name, node in self.nodes.items() if name in needed)
        return result

    def _needed(self) -> set[str]:
        found: set[str] = set()
        waiting = [*self.outputs]
        # Inputs are fed by name, whether anything reads them or not.
        waiting += [name for name, node in self.nodes.items() if node.op == "Placeholder"]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += [node_of(tensor) for tensor in self.nodes[name].input]
        return found

    def drop_unneeded(self) -> None:
        """Removes the nodes that no output needs."""
        needed = self._needed()
        self.nodes = {name: node for name, node in self.nodes.items() if name in needed}

    def readers(self) -> dict[str, list[tf.NodeDef]]:
        """Tensor -> nodes that read it, one entry a reading; `^name` -> nodes that wait for it."""
        found: dict[str, list[tf.NodeDef]] = defaultdict(list)
        for node in self.nodes.values():
            for tensor in node.input:
                found[plain(tensor)].append(node)
        return found

    def origin(self, tensor: str) -> tf.NodeDef:
        """The node of a tensor, or that which `Identity` copies."""
        node = self.nodes[node_of(tensor)]
        while node.op == "Identity":
            node = self.nodes[node_of(node.input[0])]
        return node

    def is_constant(self, tensor: str) -> bool:
        """Whether a tensor is a constant, or `Identity` of one."""
        return bool(self.origin(tensor).op == "Const")

    def constant(self, tensor: str) -> Array:
        """The value of a tensor that is a constant.

        Raises:
            ValueError: it is none.
        """
        node = self.origin(tensor)
        if node.op != "Const":
            raise ValueError(f"{tensor} should be a constant, is a {node.op}.")
        return tf.make_ndarray(node.attr["value"].tensor)

    def add_constant(self, name: str, value: Array) -> str:
        """Adds a constant; returns its name, which has a number behind it if it was taken."""
        node = tf.NodeDef(name=self.new_name(name), op="Const")
        node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        self.nodes[node.name] = node
        return str(node.name)

    def add(self, name: str, op: str, inputs: list[str], **attributes: Any) -> str:
        """Adds a node; returns its name, which has a number behind it if it was taken.

        Args:
            name: wished name.
            op: its operation.
            inputs: its tensors.
            **attributes: numbers, or `DType` for a type.
        """
        node = tf.NodeDef(name=self.new_name(name), op=op, input=inputs)
        for key, value in attributes.items():
            if isinstance(value, tf.DType):
                node.attr[key].type = value.as_datatype_enum
            else:
                node.attr[key].i = value
        self.nodes[node.name] = node
        return str(node.name)

    def new_name(self, name: str) -> str:
        """The name, with a number behind it if a node has it."""
        if name not in self.nodes:
            return name
        number = 1
        while f"{name}_{number}" in self.nodes:
            number += 1
        return f"{name}_{number}"
