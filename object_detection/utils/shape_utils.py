"""Shapes: padding and cutting, static where they are known, checks."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf


def pad_tensor(t: tf.Tensor, length: Any) -> tf.Tensor:
    """Adds zeros along the first axis up to `length`."""
    rows = tf.shape(t)[0]
    paddings = [[0, tf.maximum(length - rows, 0)]] + [[0, 0]] * (t.shape.rank - 1)
    padded = tf.pad(t, tf.convert_to_tensor(paddings))
    if isinstance(length, int):
        padded.set_shape([length, *t.shape.as_list()[1:]])
    return padded


def clip_tensor(t: tf.Tensor, length: Any) -> tf.Tensor:
    """The first `length` rows."""
    clipped = t[:length]
    if isinstance(length, int):
        clipped.set_shape([length, *t.shape.as_list()[1:]])
    return clipped


def pad_or_clip_tensor(t: tf.Tensor, length: Any) -> tf.Tensor:
    """Exactly `length` rows: zeros added or rows cut."""
    return pad_tensor(t[:length], length)


def pad_or_clip_nd(tensor: tf.Tensor, output_shape: Sequence[int | None]) -> tf.Tensor:
    """Cuts and pads every axis to the given size; None leaves an axis as it is."""
    cut = tensor[tuple(slice(0, size) for size in output_shape)]
    paddings = [
        [0, 0 if size is None else size - tf.shape(cut)[axis]]
        for axis, size in enumerate(output_shape)
    ]
    padded = tf.pad(cut, tf.convert_to_tensor(paddings))
    padded.set_shape(
        [
            known if size is None else size
            for known, size in zip(tensor.shape.as_list(), output_shape, strict=True)
        ]
    )
    return padded


def combined_static_and_dynamic_shape(tensor: tf.Tensor) -> list[Any]:
    """The shape as a list: numbers where they are known, scalar tensors elsewhere."""
    dynamic = tf.shape(tensor)
    return [
        size if size is not None else dynamic[axis]
        for axis, size in enumerate(tensor.shape.as_list())
    ]


def check_min_image_dim(min_dim: int, image_tensor: tf.Tensor) -> tf.Tensor:
    """[B, H, W, C] pictures, checked that both sides reach `min_dim`.

    Raises:
        ValueError: a known size is too small; sizes known later are checked in the graph.
    """
    height, width = image_tensor.shape.as_list()[1:3]
    message = f"Pictures should be at least {min_dim} pixels high and wide"
    if height is not None and width is not None:
        if min(height, width) < min_dim:
            raise ValueError(f"{message}, got {height} x {width}.")
        return image_tensor
    dynamic = tf.shape(image_tensor)
    enough = (dynamic[1] >= min_dim) & (dynamic[2] >= min_dim)
    with tf.control_dependencies([tf.Assert(enough, [message, dynamic])]):
        return tf.identity(image_tensor)


def flatten_dimensions(inputs: tf.Tensor, first: int, last: int) -> tf.Tensor:
    """Makes the axes `first` to `last - 1` one.

    Raises:
        ValueError: no such range of axes.
    """
    if first >= inputs.shape.rank or last > inputs.shape.rank or first >= last:
        raise ValueError(f"No axes {first} to {last} in {inputs.shape}.")
    shape = combined_static_and_dynamic_shape(inputs)
    flat = shape[first]
    for size in shape[first + 1 : last]:
        flat = flat * size
    return tf.reshape(inputs, tf.stack([*shape[:first], flat, *shape[last:]]))


def flatten_first_n_dimensions(inputs: tf.Tensor, n: int) -> tf.Tensor:
    """Makes the first n axes one."""
    return flatten_dimensions(inputs, first=0, last=n)


def expand_first_dimension(inputs: tf.Tensor, dims: Sequence[Any]) -> tf.Tensor:
    """Splits the first axis into axes of the sizes `dims`."""
    shape = combined_static_and_dynamic_shape(inputs)
    expanded = tf.reshape(inputs, tf.stack([*dims, *shape[1:]]))
    expanded.set_shape(
        [size if isinstance(size, int) else None for size in dims] + inputs.shape.as_list()[1:]
    )
    return expanded


def resize_images_and_return_shapes(
    inputs: tf.Tensor, image_resizer_fn: Callable[..., list[tf.Tensor]]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Resizes each of [B, H, W, C] float pictures -> [B, h, w, C] and true shapes [B, 3] int32.

    Raises:
        ValueError: pictures of another type than float32.
    """
    if inputs.dtype != tf.float32:
        raise ValueError(f"Pictures should be float32, got {inputs.dtype.name}.")
    if inputs.shape.as_list()[0] == 1:
        # The usual case of inference needs no loop in the graph.
        image, shape = image_resizer_fn(inputs[0])[-2:]
        return image[tf.newaxis], shape[tf.newaxis]
    images, shapes = tf.map_fn(
        lambda image: tuple(image_resizer_fn(image)[-2:]),
        inputs,
        fn_output_signature=(tf.float32, tf.int32),
    )
    return images, shapes
