"""Padding and enlarging of feature maps."""

import tensorflow.compat.v1 as tf

from object_detection.utils import shape_utils


def fixed_padding(inputs: tf.Tensor, kernel_size: int, rate: int = 1) -> tf.Tensor:
    """[B, H, W, C] with the zeros that a convolution of that kernel needs, whatever H and W are."""
    total = (kernel_size - 1) * rate
    before = total // 2
    margin = [before, total - before]
    return tf.pad(inputs, [[0, 0], margin, margin, [0, 0]])


def pad_to_multiple(tensor: tf.Tensor, multiple: int) -> tf.Tensor:
    """[B, H, W, C] with zeros below and to the right up to multiples of `multiple`."""
    if multiple == 1:
        return tensor
    _, height, width, _ = shape_utils.combined_static_and_dynamic_shape(tensor)
    padded = tf.pad(tensor, [[0, 0], [0, -height % multiple], [0, -width % multiple], [0, 0]])
    return padded


def nearest_neighbor_upsampling(
    input_tensor: tf.Tensor,
    scale: int | None = None,
    height_scale: int | None = None,
    width_scale: int | None = None,
    name: str = "nearest_neighbor_upsampling",
) -> tf.Tensor:
    """Repeats each pixel of [B, H, W, C] `height_scale` x `width_scale` times.

    Raises:
        ValueError: neither `scale` nor both other factors are given.
    """
    if not scale and (height_scale is None or width_scale is None):
        raise ValueError("Give scale, or both height_scale and width_scale.")
    with tf.name_scope(name):
        h_factor, w_factor = height_scale or scale, width_scale or scale
        b, h, w, c = shape_utils.combined_static_and_dynamic_shape(input_tensor)
        tiled = tf.reshape(input_tensor, tf.stack([b, h, 1, w, 1, c]))
        tiled *= tf.ones([1, 1, h_factor, 1, w_factor, 1], input_tensor.dtype)
        result = tf.reshape(tiled, tf.stack([b, h * h_factor, w * w_factor, c]))
        result.set_shape(
            [size if isinstance(size, int) else None for size in (b, h * h_factor, w * w_factor, c)]
        )
        return result
