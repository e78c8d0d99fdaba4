"""Picking rows by index, and the reverse."""

import numbers
from typing import Any

import tensorflow.compat.v1 as tf


def indices_to_dense_vector(
    indices: tf.Tensor,
    size: Any,
    indices_value: Any = 1.0,
    default_value: Any = 0,
    dtype: Any = tf.float32,
) -> tf.Tensor:
    """[size] vector with `indices_value` at the indices [N] and `default_value` elsewhere."""
    size = tf.cast(size, tf.int32)
    there = tf.scatter_nd(
        tf.cast(indices, tf.int32)[:, tf.newaxis], tf.ones_like(indices, tf.int32), [size]
    )
    values = tf.cast(indices_value, dtype), tf.cast(default_value, dtype)
    return tf.where(there > 0, tf.fill([size], values[0]), tf.fill([size], values[1]))


def padded_one_hot_encoding(indices: tf.Tensor, depth: int, left_pad: int) -> tf.Tensor | None:
    """One-hot rows after `left_pad` columns of zeros.

    Args:
        indices: [N] whole numbers.
        depth: columns of the one-hot part.
        left_pad: columns of zeros before.

    Returns:
        [N, left_pad + depth] float, or None if `depth` is 0.

    Raises:
        ValueError: a negative number, something else than whole numbers, or indices of another
            rank.
    """
    for name, value in (("depth", depth), ("left_pad", left_pad)):
        if not isinstance(value, numbers.Integral) or value < 0:
            raise ValueError(f"{name} should be a whole number from 0 on, got {value!r}.")
    if depth == 0:
        return None
    indices = tf.convert_to_tensor(indices)
    if indices.shape.rank != 1:
        raise ValueError(f"indices should be one-dimensional, got {indices.shape}.")
    one_hot = tf.one_hot(tf.cast(indices, tf.int64), depth, dtype=tf.float32)
    return tf.pad(one_hot, [[0, 0], [left_pad, 0]])


def matmul_gather_on_zeroth_axis(
    params: tf.Tensor, indices: tf.Tensor, scope: str | None = None
) -> tf.Tensor:
    """`tf.gather(params, indices)` by a matrix product, for hardware on which that is faster."""
    with tf.name_scope(scope, "MatMulGather"):
        params, indices = tf.convert_to_tensor(params), tf.convert_to_tensor(indices)
        shape = tf.shape(params)
        flat = tf.reshape(params, [shape[0], -1])
        chosen = tf.one_hot(indices, shape[0], dtype=params.dtype)
        picked = tf.matmul(tf.reshape(chosen, [-1, shape[0]]), flat)
        result = tf.reshape(picked, tf.concat([tf.shape(indices), shape[1:]], axis=0))
        result.set_shape(indices.shape.concatenate(params.shape[1:]))
        return result


def gather_with_padding_values(
    input_tensor: tf.Tensor, indices: tf.Tensor, padding_value: tf.Tensor
) -> tf.Tensor:
    """Rows of [N, ...] at the indices [M]; `padding_value` [...] where the index is -1."""
    padded = tf.concat([tf.expand_dims(padding_value, 0), input_tensor], axis=0)
    return tf.gather(padded, tf.cast(indices, tf.int32) + 1)
