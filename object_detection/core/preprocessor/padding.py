"""Augmentations that put the picture on a larger canvas.

Axes: M boxes, K keypoints. Coordinates are normalised.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.keypoints import geometry


def random_pad_image(
    image: tf.Tensor,
    boxes: tf.Tensor,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    min_image_size: Any = None,
    max_image_size: Any = None,
    pad_color: Sequence[float] | None = None,
    center_pad: bool = False,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tuple[tf.Tensor, ...]:
    """Puts the picture at a random place of a larger one.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        min_image_size: (height, width) of the canvas at least; the picture's by default.
        max_image_size: (height, width) at most; twice the picture's by default.
        pad_color: of the margin; the picture's mean colour by default.
        center_pad: put the picture in the middle.
        seed: of the choices.
        preprocess_vars_cache: no effect.

    Returns:
        Image, boxes and, in the order of the arguments, what else was given.
    """
    del preprocess_vars_cache
    size = tf.shape(image)[:2]
    smallest = size if min_image_size is None else tf.cast(min_image_size, tf.int32)
    largest = 2 * size if max_image_size is None else tf.cast(max_image_size, tf.int32)
    smallest = tf.maximum(smallest, size)
    largest = tf.maximum(largest, smallest)
    share = tf.random.uniform([2], seed=seed)
    room = tf.cast(largest - smallest, tf.float32)
    target = smallest + tf.cast(tf.floor(share * (room + 1.0)), tf.int32)
    target = tf.minimum(target, largest)
    margin = target - size
    if center_pad:
        offset = margin // 2
    else:
        place = tf.random.uniform([2], seed=seed)
        offset = tf.cast(tf.floor(place * (tf.cast(margin, tf.float32) + 1.0)), tf.int32)
        offset = tf.minimum(offset, margin)
    color = tf.reduce_mean(image, axis=[0, 1]) if pad_color is None else tf.constant(pad_color)
    around = tf.stack([offset, margin - offset], axis=1)
    inside = tf.pad(tf.ones(size), around)[..., tf.newaxis]
    padded = tf.pad(image, tf.concat([around, [[0, 0]]], axis=0))
    padded += (1.0 - inside) * tf.cast(color, image.dtype)
    padded.set_shape([None, None, image.shape[2]])
    # The canvas, seen from the picture.
    old, new, corner = (tf.cast(t, tf.float32) for t in (size, target, offset))
    window = tf.concat([-corner / old, (new - corner) / old], axis=0)
    result = [padded, box_list_ops.frame_change(boxes, window)]
    if masks is not None:
        result.append(tf.pad(masks, tf.concat([[[0, 0]], around], axis=0)))
    if keypoints is not None:
        result.append(geometry.change_coordinate_frame(keypoints, window))
    return tuple(result)
