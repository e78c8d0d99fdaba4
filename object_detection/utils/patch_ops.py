"""Square parts of a picture."""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf


def get_patch_mask(
    y: Any, x: Any, patch_size: Any, image_shape: tf.Tensor | Sequence[int]
) -> tf.Tensor:
    """[H, W] booleans that are true in a square around a pixel.

    Args:
        y: row of the middle; of the two middle rows of an even side, the lower one.
        x: column of the middle.
        patch_size: side of the square, which may reach beyond the picture.
        image_shape: height, width, and more that does not matter.

    Raises:
        tf.errors.InvalidArgumentError: the middle lies outside of the picture; when the graph is
            built if the numbers are known then, else when it runs.
    """
    size = tf.convert_to_tensor(image_shape, tf.int32)
    known = tf.get_static_value(size)
    size = size[:2] if known is None else tf.constant(known[:2], tf.int32)
    middle = tf.stack([tf.cast(y, tf.int32), tf.cast(x, tf.int32)])
    known_middle = tf.get_static_value(middle)
    if known_middle is not None:
        middle = tf.constant(known_middle, tf.int32)
    checks = [
        tf.debugging.assert_greater_equal(
            middle, 0, message="(y, x) is above or left of the image"
        ),
        tf.debugging.assert_less(middle, size, message="(y, x) is below or right of the image"),
    ]
    with tf.control_dependencies([check for check in checks if check is not None]):
        begin = middle - tf.cast(patch_size, tf.int32) // 2
    end = begin + tf.cast(patch_size, tf.int32)
    sides = [
        (pixels >= begin[axis]) & (pixels < end[axis])
        for axis, pixels in enumerate((tf.range(size[0]), tf.range(size[1])))
    ]
    mask = tf.logical_and(sides[0][:, tf.newaxis], sides[1][tf.newaxis, :])
    if known is not None:
        mask.set_shape(known[:2].tolist())
    return mask
