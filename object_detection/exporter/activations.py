"""Compares what an exported graph and its network have between the layers.

For networks whose results hardly depend on the picture, as those that were not trained: what the
picture does fades from layer to layer, but the first ones have it, and each activation is compared
by its own largest number, however small.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.exporter import comparison
from object_detection.exporter.comparison import Array, Record
from object_detection.exporter.running_graphs import RunningGraph

_KINDS = frozenset({"Relu", "Relu6", "Elu", "Selu", "Sigmoid", "HardSwish"})
# A picture has to change some activation by this share of its largest number.
_DEPENDS = 1e-2


def common(graph: tf.Graph, other: tf.Graph) -> list[str]:
    """Names of the activations that two graphs have, of feature maps."""
    kinds = {operation.name: operation.type for operation in other.get_operations()}
    return [
        operation.name
        for operation in graph.get_operations()
        if operation.type in _KINDS
        and kinds.get(operation.name) == operation.type
        and operation.outputs[0].shape.rank == 4
    ]


def compare(
    network: RunningGraph,
    exported: RunningGraph,
    names: Collection[str],
    feeds: Sequence[Mapping[str, Any]],
    limit: float,
    by_mean: bool,
) -> Record:
    """Compares activations on some batches; the record's `spread` is that of the liveliest.

    Args:
        network: the graph with variables.
        exported: the graph that was made of it.
        names: see `common`.
        feeds: of the placeholders, for each batch.
        limit: for differences, as shares of the largest number of an activation.
        by_mean: whether the mean of the differences is judged.
    """
    record = Record(limit, by_mean=by_mean)
    before: dict[str, Array] = {}
    for feed in feeds:
        expected, found = (graph.run(names, feed) for graph in (network, exported))
        for name in names:
            mine, theirs = (values[name].astype(np.float32) for values in (expected, found))
            size = max(float(np.abs(mine).max(initial=0.0)), np.finfo(np.float32).tiny)
            record.compare(mine / size, theirs / size)
            if name in before:
                record.spread = max(record.spread, comparison.spread(before[name], mine[:1] / size))
            before[name] = mine[:1] / size
    return record


def depends_on_pictures(record: Record) -> bool:
    """Whether pictures change the activations, so that comparing them shows something."""
    return record.spread > _DEPENDS
