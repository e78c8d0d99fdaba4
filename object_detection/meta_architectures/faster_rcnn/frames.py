"""Frames of boxes: pixels of the padded picture, and the units of the padded or the true one.

A picture is resized and then padded below and to the right; its true size is that before padding.
"""

from typing import Any

import tensorflow.compat.v1 as tf


def corner_of(sizes: Any) -> tf.Tensor:
    """(height, width, ...) [..., 2 or 3] -> [height, width, height, width] float [..., 4]."""
    size = tf.cast(tf.convert_to_tensor(sizes)[..., :2], tf.float32)
    return tf.concat([size, size], axis=-1)


def padded_size(image_shape: tf.Tensor) -> tf.Tensor:
    """[height, width, height, width] of the padded picture, from the shape [B, H, W, C] of a batch."""
    return corner_of(tf.convert_to_tensor(image_shape)[1:3])


def window(sizes: Any) -> tf.Tensor:
    """[0, 0, height, width] float [..., 4] of pictures of sizes [..., 2 or 3]."""
    size = tf.cast(tf.convert_to_tensor(sizes)[..., :2], tf.float32)
    return tf.concat([tf.zeros_like(size), size], axis=-1)


def normalized(boxes_absolute: tf.Tensor, sizes: tf.Tensor) -> tf.Tensor:
    """Boxes in units of their picture.

    Args:
        boxes_absolute: [..., 4], or [B, ..., 4] where each picture has its own size.
        sizes: [4] or [B, 4], see `corner_of`.
    """
    while 1 < sizes.shape.rank < boxes_absolute.shape.rank:
        sizes = sizes[:, tf.newaxis]
    return boxes_absolute / sizes


def from_true_to_padded(
    boxes: tf.Tensor, true_image_shapes: tf.Tensor, image_shape: tf.Tensor
) -> tf.Tensor:
    """[B, N, 4] boxes in units of the true picture -> in units of the padded one."""
    share = corner_of(true_image_shapes) / padded_size(image_shape)
    return boxes * share[:, tf.newaxis]
