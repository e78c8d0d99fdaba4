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


def random_absolute_pad_image(
    image: tf.Tensor,
    boxes: tf.Tensor,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    max_height_padding: int | None = None,
    max_width_padding: int | None = None,
    pad_color: Sequence[float] | None = None,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tuple[tf.Tensor, ...]:
    """`random_pad_image` by up to a number of pixels; at least one, 1 by default.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        max_height_padding: rows at most.
        max_width_padding: columns at most.
        pad_color: of the margin; the picture's mean colour by default.
        seed: of the choices.
        preprocess_vars_cache: no effect.

    Returns:
        Image, boxes and, in the order of the arguments, what else was given.
    """
    size = tf.shape(image)[:2]
    margin = [max(max_height_padding or 1, 1), max(max_width_padding or 1, 1)]
    return random_pad_image(
        image,
        boxes,
        masks,
        keypoints,
        min_image_size=size,
        max_image_size=size + margin,
        pad_color=pad_color,
        seed=seed,
        preprocess_vars_cache=preprocess_vars_cache,
    )


def random_pad_to_aspect_ratio(
    image: tf.Tensor,
    boxes: tf.Tensor,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    aspect_ratio: float = 1.0,
    min_padded_size_ratio: Sequence[float] = (1.0, 1.0),
    max_padded_size_ratio: Sequence[float] = (2.0, 2.0),
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tuple[tf.Tensor, ...]:
    """Pads with zeros below and at the right, to an aspect ratio and a random size.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        aspect_ratio: of the canvas, width/height.
        min_padded_size_ratio: height and width of the canvas at least, as share of the picture's.
        max_padded_size_ratio: the same at most, as far as the aspect ratio allows.
        seed: of the choices.
        preprocess_vars_cache: no effect.

    Returns:
        Image, boxes and, in the order of the arguments, what else was given.
    """
    del preprocess_vars_cache
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    height, width = tf.unstack(size)
    # The smallest canvas of this aspect ratio that holds the picture.
    least = tf.stack(
        [tf.maximum(height, width / aspect_ratio), tf.maximum(width, height * aspect_ratio)]
    )
    most_scale = tf.reduce_min(tf.maximum(size * list(max_padded_size_ratio), least) / least)
    least_scale = tf.reduce_max(tf.maximum(size * list(min_padded_size_ratio), least) / least)
    least_scale = tf.minimum(least_scale, most_scale)
    scale = least_scale + (most_scale - least_scale) * tf.random.uniform([], seed=seed)
    target = tf.maximum(tf.cast(tf.round(least * scale), tf.int32), tf.shape(image)[:2])
    margin = target - tf.shape(image)[:2]
    around = tf.stack([tf.zeros_like(margin), margin], axis=1)
    padded = tf.pad(image, tf.concat([around, [[0, 0]]], axis=0))
    padded.set_shape([None, None, image.shape[2]])
    window = tf.concat([tf.zeros([2]), tf.cast(target, tf.float32) / size], axis=0)
    result = [padded, box_list_ops.frame_change(boxes, window)]
    if masks is not None:
        result.append(tf.pad(masks, tf.concat([[[0, 0]], around], axis=0)))
    if keypoints is not None:
        result.append(geometry.change_coordinate_frame(keypoints, window))
    return tuple(result)
