"""Shapes, grids and types of tensors, and the one layer that normalises to a learnt length."""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields

Inputs = fields.InputDataFields


def expanded_shape(orig_shape: tf.Tensor, start_dim: int, num_dims: int) -> tf.Tensor:
    """A shape [rank] with `num_dims` ones put in before position `start_dim`."""
    with tf.name_scope("ExpandedShape"):
        ones = tf.ones([num_dims], tf.int32)
        shape = tf.cast(orig_shape, tf.int32)
        return tf.concat([shape[:start_dim], ones, shape[start_dim:]], axis=0)


def meshgrid(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Grids of the shape of y followed by that of x; the first varies with x, the second with y."""
    with tf.name_scope("Meshgrid"):
        x, y = tf.convert_to_tensor(x), tf.convert_to_tensor(y)
        shape = tf.concat([tf.shape(y), tf.shape(x)], axis=0)
        static = y.shape.concatenate(x.shape)
        grid_x = tf.broadcast_to(x, shape)
        grid_y = tf.broadcast_to(
            tf.reshape(y, expanded_shape(tf.shape(y), y.shape.rank, x.shape.rank)), shape
        )
        grid_x.set_shape(static)
        grid_y.set_shape(static)
        return grid_x, grid_y


def reduce_sum_trailing_dimensions(tensor: tf.Tensor, ndims: int) -> tf.Tensor:
    """Sums over all axes from `ndims` on."""
    tensor = tf.convert_to_tensor(tensor)
    return tf.reduce_sum(tensor, axis=tuple(range(ndims, tensor.shape.rank)))


def normalize_to_target(
    inputs: tf.Tensor,
    target_norm_value: float | Sequence[float],
    dim: int,
    epsilon: float = 1e-7,
    trainable: bool = True,
    scope: str = "NormalizeToTarget",
    summarize: bool = True,
) -> tf.Tensor:
    """Divides by the L2 norm along an axis, and multiplies by learnt lengths (arXiv:1506.04579).

    Args:
        inputs: of rank 4 or another known one.
        target_norm_value: first length, one or one for each entry along `dim`.
        dim: axis of the norm.
        epsilon: least squared norm.
        trainable: whether the lengths are learnt.
        scope: variable scope; the lengths are `weights`.
        summarize: whether to add the mean length to the summaries.

    Raises:
        ValueError: lengths that are no numbers or of another number, an axis out of range, or an
            open size along it.
    """
    with tf.variable_scope(scope, "NormalizeToTarget", [inputs]):
        if inputs.shape.rank is None or not 0 <= dim < inputs.shape.rank:
            raise ValueError(f"dim {dim} is not an axis of inputs {inputs.shape}.")
        depth = inputs.shape.as_list()[dim]
        if depth is None:
            raise ValueError(f"inputs {inputs.shape} should have a known size along axis {dim}.")
        given: Any = target_norm_value
        if isinstance(given, str) or not isinstance(given, int | float | Sequence):
            raise ValueError(f"target_norm_value should be numbers, got {target_norm_value!r}.")
        lengths = (
            [float(target_norm_value)] * depth
            if isinstance(target_norm_value, int | float)
            else [float(value) for value in target_norm_value]
        )
        if len(lengths) != depth:
            raise ValueError(f"{len(lengths)} lengths for {depth} entries along axis {dim}.")
        weights = tf.get_variable(
            "weights", [depth], initializer=tf.constant_initializer(lengths), trainable=trainable
        )
        if summarize:
            tf.summary.scalar("mean_length", tf.reduce_mean(weights))
        shape = [1] * inputs.shape.rank
        shape[dim] = depth
        return tf.nn.l2_normalize(inputs, dim, epsilon=epsilon) * tf.reshape(weights, shape)


def bfloat16_to_float32_nested(input_nested: Any) -> Any:
    """The structure with its bfloat16 tensors as float32; all else stays."""

    def convert(tensor: Any) -> Any:
        if isinstance(tensor, tf.Tensor) and tensor.dtype == tf.bfloat16:
            return tf.cast(tensor, tf.float32)
        return tensor

    return tf.nest.map_structure(convert, input_nested)


def tile_context_tensors(tensor_dict: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The sample with what it has once (`SEQUENCE_FIELDS` has the rest) repeated for each frame.

    Args:
        tensor_dict: with the picture of each frame [T, ...].
    """
    frames = tf.shape(tensor_dict[Inputs.image])[0]

    def tiled(value: tf.Tensor) -> tf.Tensor:
        return tf.repeat(value[tf.newaxis], frames, axis=0)

    return {
        key: value if key in fields.SEQUENCE_FIELDS else tiled(value)
        for key, value in tensor_dict.items()
    }


def decode_image(tensor_dict: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The sample with its encoded picture decoded: [H, W, 3] uint8."""
    image = tf.io.decode_image(tensor_dict[Inputs.image], channels=3, expand_animations=False)
    image.set_shape([None, None, 3])
    return {**tensor_dict, Inputs.image: image}
