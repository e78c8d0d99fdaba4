"""Sizes of [B, H, W, C] shapes that the graph knows."""

import tensorflow.compat.v1 as tf


def get_dim_as_int(dim: tf.Dimension | int | None) -> int | None:
    """A dimension as a number, None if it is not known."""
    return getattr(dim, "value", dim)


def _dimension(tensor_shape: tf.TensorShape, index: int) -> int | None:
    shape = tf.TensorShape(tensor_shape)
    shape.assert_has_rank(4)
    return get_dim_as_int(shape.with_rank(4)[index])


def get_batch_size(tensor_shape: tf.TensorShape) -> int | None:
    """B; a `ValueError` unless the shape has rank 4."""
    return _dimension(tensor_shape, 0)


def get_height(tensor_shape: tf.TensorShape) -> int | None:
    """H; a `ValueError` unless the shape has rank 4."""
    return _dimension(tensor_shape, 1)


def get_width(tensor_shape: tf.TensorShape) -> int | None:
    """W; a `ValueError` unless the shape has rank 4."""
    return _dimension(tensor_shape, 2)


def get_depth(tensor_shape: tf.TensorShape) -> int | None:
    """C; a `ValueError` unless the shape has rank 4."""
    return _dimension(tensor_shape, 3)
