"""Changes of a graph that stands: new operations between a tensor and who reads it."""

from collections.abc import Callable

import numpy as np
import tensorflow.compat.v1 as tf


def redirect(source: tf.Tensor, target: tf.Tensor, readers: list[tf.Operation]) -> None:
    """Lets `readers` read `target` where they read `source`."""
    for reader in readers:
        for index, tensor in enumerate(reader.inputs):
            if tensor is source:
                reader._update_input(index, target)


def insert_after(tensor: tf.Tensor, make: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Lets all who read `tensor` read `make(tensor)`, which is returned."""
    readers = list(tensor.consumers())
    changed = make(tensor)
    redirect(tensor, changed, readers)
    return changed


def _repeated_input(operation: tf.Operation, axis: int) -> tuple[tf.Tensor, int] | None:
    """What a stack of copies of one tensor along `axis` copies, and how often."""
    if operation.type != "Pack" or operation.get_attr("axis") != axis:
        return None
    copies = list(operation.inputs)
    return (copies[0], len(copies)) if all(one is copies[0] for one in copies) else None


def _stacked_twice(operation: tf.Operation) -> tuple[tf.Tensor, int, int] | None:
    """Enlarging by a stack of columns, and then of rows."""
    rows = _repeated_input(operation, axis=2)
    columns = _repeated_input(rows[0].op, axis=3) if rows else None
    return (columns[0], rows[1], columns[1]) if rows and columns else None


def _multiplied_by_ones(operation: tf.Operation) -> tuple[tf.Tensor, int, int] | None:
    """Enlarging by a product of [B, H, 1, W, 1, C] and ones [1, 1, h, 1, w, 1]."""
    if operation.type != "Mul" or operation.inputs[0].op.type != "Reshape":
        return None
    ones = tf.get_static_value(operation.inputs[1])
    source = operation.inputs[0].op.inputs[0]
    if ones is None or ones.ndim != 6 or source.shape.rank != 4 or not np.all(ones == 1):
        return None
    if any(ones.shape[axis] != 1 for axis in (0, 1, 3, 5)):
        return None
    return source, int(ones.shape[2]), int(ones.shape[4])


def rewrite_nearest_neighbor_upsampling() -> int:
    """Makes each enlargement of a feature map in the default graph one ResizeNearestNeighbor.

    Enlargements are built of several operations, which is fast in training; converters for
    phones know the one operation. What is left of the old ones nobody reads.

    Returns:
        How many were rewritten.
    """
    count = 0
    for operation in tf.get_default_graph().get_operations():
        if operation.type != "Reshape":
            continue
        repeated = operation.inputs[0].op
        found = _stacked_twice(repeated) or _multiplied_by_ones(repeated)
        if found is None:
            continue
        source, height_scale, width_scale = found
        enlarged = operation.outputs[0]
        readers = list(enlarged.consumers())
        size = tf.shape(source)[1:3] * [height_scale, width_scale]
        static = enlarged.shape.as_list()[1:3] if enlarged.shape.rank == 4 else [None, None]
        resized = tf.image.resize_nearest_neighbor(
            source,
            size if None in static else static,
            name=f"{operation.name}/resize_nearest_neighbor",
        )
        resized.set_shape(enlarged.shape)
        redirect(enlarged, resized, readers)
        count += 1
    return count
