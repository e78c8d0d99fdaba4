"""Shapes: padding and cutting, static where they are known, checks."""

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.errors import ShapeError


def _with_first_size(t: tf.Tensor, length: Any, model: tf.Tensor) -> tf.Tensor:
    """`t` with the static shape of `model` but for its first axis, which is `length` if a number."""
    first = length if isinstance(length, numbers.Integral) else None
    t.set_shape([first, *model.shape.as_list()[1:]])
    return t


def pad_tensor(t: tf.Tensor, length: Any) -> tf.Tensor:
    """Adds zeros along the first axis up to `length`, a number or a scalar tensor."""
    t = tf.convert_to_tensor(t)
    margin = tf.maximum(length - tf.shape(t)[0], 0)
    paddings = [[0, margin]] + [[0, 0]] * (t.shape.rank - 1)
    return _with_first_size(tf.pad(t, tf.convert_to_tensor(paddings)), length, t)


def clip_tensor(t: tf.Tensor, length: Any) -> tf.Tensor:
    """The first `length` rows; `length` is a number or a scalar tensor."""
    t = tf.convert_to_tensor(t)
    return _with_first_size(tf.gather(t, tf.range(length)), length, t)


def pad_or_clip_tensor(t: tf.Tensor, length: Any) -> tf.Tensor:
    """Exactly `length` rows: zeros added or rows cut; `length` is a number or a scalar tensor."""
    t = tf.convert_to_tensor(t)
    return pad_tensor(t[:length], length)


def pad_or_clip_nd(tensor: tf.Tensor, output_shape: Sequence[Any]) -> tf.Tensor:
    """Cuts and pads the end of every axis to the given size, a number or a scalar tensor.

    Args:
        tensor: of the rank that `output_shape` has entries.
        output_shape: sizes; None leaves an axis as it is.
    """
    tensor = tf.convert_to_tensor(tensor)
    if tensor.shape.rank == 0 and not output_shape:
        return tensor  # a scalar has no axis
    cut = tensor[tuple(slice(0, size) for size in output_shape)]
    paddings = [
        [0, 0 if size is None else size - tf.shape(cut)[axis]]
        for axis, size in enumerate(output_shape)
    ]
    padded = tf.pad(cut, tf.convert_to_tensor(paddings))
    padded.set_shape(
        [
            known if size is None else size if isinstance(size, numbers.Integral) else None
            for known, size in zip(tensor.shape.as_list(), output_shape, strict=True)
        ]
    )
    return padded


def combined_static_and_dynamic_shape(tensor: tf.Tensor) -> list[Any]:
    """The shape as a list: numbers where they are known, scalar tensors elsewhere."""
    tensor = tf.convert_to_tensor(tensor)
    dynamic = tf.shape(tensor)
    return [
        size if size is not None else dynamic[axis]
        for axis, size in enumerate(tensor.shape.as_list())
    ]


def static_or_dynamic_map_fn(
    fn: Callable[[Any], Any],
    elems: tf.Tensor | list[tf.Tensor],
    dtype: Any = None,
    parallel_iterations: int = 32,
    back_prop: bool = True,
) -> tf.Tensor | list[tf.Tensor]:
    """`tf.map_fn` over the first axis, without a loop in the graph where its size is known.

    Args:
        fn: takes what one row of `elems` is, a tensor or a list, and returns a tensor or a list of
            tensors.
        elems: a tensor, or a list of tensors whose first sizes are the same.
        dtype: of the results, if their structure is not that of `elems`.
        parallel_iterations: of the loop.
        back_prop: whether the loop is differentiable.

    Returns:
        What `fn` returns, stacked.

    Raises:
        ValueError: `elems` or a result of `fn` is neither a tensor nor a list of tensors.
    """
    if not isinstance(elems, tf.Tensor) and not _is_list_of_tensors(elems):
        raise ValueError(f"elems should be a tensor or a list of tensors, got {elems!r}.")
    first = elems if isinstance(elems, tf.Tensor) else elems[0]
    count = first.shape.as_list()[0] if first.shape.rank else None
    if not count:
        return tf.map_fn(fn, elems, dtype, parallel_iterations, back_prop)
    if isinstance(elems, tf.Tensor):
        rows: list[Any] = tf.unstack(elems)
    else:
        rows = [list(row) for row in zip(*(tf.unstack(one) for one in elems), strict=True)]
    outputs = [fn(row) for row in rows]
    if all(isinstance(output, tf.Tensor) for output in outputs):
        return tf.stack(outputs)
    if all(_is_list_of_tensors(output) for output in outputs):
        return [tf.stack(column) for column in zip(*outputs, strict=True)]
    raise ValueError(f"fn should return a tensor or a list of tensors, got {outputs[0]!r}.")


def _is_list_of_tensors(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(one, tf.Tensor) for one in value)
    )


def assert_shape_equal(shape_a: Sequence[Any], shape_b: Sequence[Any]) -> tf.Operation:
    """An operation that fails unless two shapes are the same.

    Args:
        shape_a: numbers and scalar tensors, as `combined_static_and_dynamic_shape` gives them.
        shape_b: the same.

    Raises:
        ValueError: they differ already in what is known.
    """
    shape_a, shape_b = list(shape_a), list(shape_b)
    if all(isinstance(size, numbers.Integral) for size in shape_a + shape_b):
        if shape_a != shape_b:
            raise ValueError(f"Shapes should be equal, got {shape_a} and {shape_b}.")
        return tf.no_op()
    if len(shape_a) != len(shape_b):
        raise ValueError(f"Shapes should have one rank, got {shape_a} and {shape_b}.")
    return tf.assert_equal(tf.stack(shape_a), tf.stack(shape_b))


def assert_shape_equal_along_first_dimension(
    shape_a: Sequence[Any], shape_b: Sequence[Any]
) -> tf.Operation:
    """An operation that fails unless the first sizes of two shapes are the same.

    Args:
        shape_a: numbers and scalar tensors, as `combined_static_and_dynamic_shape` gives them.
        shape_b: the same.

    Raises:
        ValueError: both are known and differ.
    """
    return assert_shape_equal(list(shape_a)[:1], list(shape_b)[:1])


def assert_box_normalized(
    boxes: tf.Tensor, maximum_normalized_coordinate: float = 1.1
) -> tf.Operation:
    """An operation that fails unless the coordinates of boxes lie in [0, maximum]."""
    boxes = tf.convert_to_tensor(boxes)
    fine = tf.reduce_all((boxes >= 0) & (boxes <= maximum_normalized_coordinate))
    return tf.Assert(fine, ["boxes are not normalised:", boxes])


def check_min_image_dim(min_dim: int, image_tensor: tf.Tensor) -> tf.Tensor:
    """[B, H, W, C] pictures, checked that both sides reach `min_dim`.

    Raises:
        ShapeError: a known size is too small; sizes known later are checked in the graph.
    """
    height, width = image_tensor.shape.as_list()[1:3]
    message = f"Pictures should be at least {min_dim} pixels high and wide"
    if height is not None and width is not None:
        if min(height, width) < min_dim:
            raise ShapeError(f"{message}, got {height} x {width}; see the model's image_resizer.")
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
    """Splits the first axis into axes of the sizes `dims`, numbers or scalar tensors."""
    shape = combined_static_and_dynamic_shape(inputs)
    expanded = tf.reshape(inputs, tf.stack([*dims, *shape[1:]]))
    known = [size if isinstance(size, numbers.Integral) else None for size in dims]
    expanded.set_shape(known + inputs.shape.as_list()[1:])
    return expanded


def resize_images_and_return_shapes(
    inputs: tf.Tensor, image_resizer_fn: Callable[..., list[tf.Tensor]]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Resizes each of [B, H, W, C] pictures -> [B, h, w, C] float32 and true shapes [B, 3] int32.

    Args:
        inputs: the pictures, float32 or uint8.
        image_resizer_fn: of one picture [H, W, C]; its attribute `of_batch`, if it has one, does
            the same for all pictures at once, without a loop in the graph.

    Raises:
        ValueError: pictures of another type.
    """
    if inputs.dtype not in (tf.float32, tf.uint8):
        raise ValueError(f"Pictures should be float32 or uint8, got {inputs.dtype.name}.")
    of_batch = getattr(image_resizer_fn, "of_batch", None)
    if of_batch is not None:
        # Bytes are interpolated as they are: there are fewer pixels to convert afterwards.
        images, shapes = of_batch(inputs)
        return tf.cast(images, tf.float32), shapes
    inputs = tf.cast(inputs, tf.float32)

    def resize(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        resized, shape = image_resizer_fn(image)[-2:]
        return resized, shape

    if inputs.shape.as_list()[0] == 1:
        # The usual case of inference needs no loop in the graph.
        image, shape = resize(inputs[0])
        return image[tf.newaxis], shape[tf.newaxis]
    images, shapes = tf.map_fn(resize, inputs, fn_output_signature=(tf.float32, tf.int32))
    return images, shapes
