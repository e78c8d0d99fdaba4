"""Reads graphs that others may have made: none that is too large, none that touches the machine.

A graph is a program. It can read and write files, open connections and call Python; detecting
needs nothing of that. Operations without state are taken, but for the few that reach outside all
the same; of those with state only what inference needs, so that kinds to come are refused.
"""

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow.compat.v1 as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry

from object_detection.errors import CheckpointError

# Protocol buffers hold no more.
MAX_BYTES = (1 << 31) - 1
_SAVED_MODEL = "saved_model.pb"

# Without state by TensorFlow's book, but they name files, code, or another program as a constant.
_REACHES_OUTSIDE = re.compile(
    r"Dataset|Iterator|Reader|^Debug|PyFunc|File|ImmutableConst|Vocab|^(De|En)codeProto"
    r"|Remote|Mlir|^_?(Xla|DTensor|Infeed|Ifrt|Tfrt|TRT|TPU|Rpc|Host|Nccl)|Collective|Session"
)
_STATE_OF_INFERENCE = re.compile(
    r"Assert|CheckNumerics(V2)?|Print|GuaranteeConst|_Arg|_Retval|Empty"
    r"|(Partial|Stateful)?PartitionedCall|_?(If|While)|Case"
    r"|TensorArray\w*|Stack(Push|Pop|Close)?(V2)?"
    r"|(Anonymous)?HashTable(V2)?|LookupTable(Find|Size)(V2)?|InitializeTable(V2)?"
    r"|Variable(V2)?|TemporaryVariable|VarHandleOp|VarIsInitializedOp|VariableShape"
    r"|ReadVariableOp|Assign(Add|Sub)?VariableOp|ResourceGather(Nd)?"
    r"|Random(Uniform|UniformInt|StandardNormal|Shuffle)|(Parameterized)?TruncatedNormal"
    r"|Multinomial|SampleDistortedBoundingBox(V2)?"
)


def _problem(name: str, known: Any) -> str | None:
    """Why graphs with an operation are refused; None if they are not.

    Args:
        name: of the operation.
        known: its `OpDef`; None if TensorFlow has none.
    """
    if known is None:
        return "TensorFlow has no such operation here"
    if _REACHES_OUTSIDE.search(name):
        return "it can reach files, code or other programs"
    if known.is_stateful and not _STATE_OF_INFERENCE.fullmatch(name):
        return "it has effects that inference does not need"
    return None


def _nodes(graph_def: tf.GraphDef) -> Iterator[tf.NodeDef]:
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def


def refuse_foreign(graph_def: tf.GraphDef, where: str) -> None:
    """Refuses a graph with an operation that detecting does not need.

    Args:
        graph_def: nothing of it has run.
        where: begins the message.

    Raises:
        CheckpointError: it holds one; the message names the first and says why.
    """
    own = {function.signature.name for function in graph_def.library.function}
    found: dict[str, str] = {}
    for node in _nodes(graph_def):
        if node.op in own or node.op in found:
            continue
        problem = _problem(node.op, op_def_registry.get(node.op))
        if problem:
            found[node.op] = f"operation {node.op} (node {node.name!r}): {problem}"
    if found:
        first, *others = found.values()
        more = f", and {len(others)} more such operations" if others else ""
        raise CheckpointError(
            f"{where}: {first}{more}. The graph is not run. Export the model again from its "
            "checkpoint with export_inference_graph.py, or ask who made it for a graph without them."
        )


def read_bounded(path: str, advice: str = "") -> bytes:
    """The bytes of a file that holds a graph.

    Args:
        path: of the file.
        advice: ends the message if there is no file.

    Raises:
        CheckpointError: it cannot be read, or is too large for a graph.
    """
    try:
        size = os.path.getsize(path)
        if size > MAX_BYTES:
            raise CheckpointError(
                f"{path}: has {size} bytes; a graph has {MAX_BYTES} at most. It is none."
            )
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror}.{advice}") from error


def parse_graph(content: bytes, path: str) -> tf.GraphDef:
    """A graph from the bytes of its file.

    Args:
        content: of the file.
        path: begins messages.

    Raises:
        CheckpointError: they are none, or it holds operations that detecting does not need.
    """
    graph = tf.GraphDef()
    try:
        graph.ParseFromString(content)
    except DecodeError as error:
        raise CheckpointError(f"{path}: is not a frozen graph, or is damaged.") from error
    refuse_foreign(graph, path)
    return graph


def check_saved_model(directory: str) -> None:
    """Looks at a SavedModel before TensorFlow loads it.

    Args:
        directory: that holds `saved_model.pb`.

    Raises:
        CheckpointError: it cannot be read, or holds operations that detecting does not need.
    """
    path = os.path.join(directory, _SAVED_MODEL)
    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString(read_bounded(path))
    except DecodeError as error:
        raise CheckpointError(f"{path}: is not a SavedModel, or is damaged.") from error
    graphs: Iterable[Any] = saved.meta_graphs
    if not saved.meta_graphs:
        raise CheckpointError(f"{path}: holds no graph.")
    for meta in graphs:
        refuse_foreign(meta.graph_def, path)
