"""Changes of size. Images are [H, W, C]; normalised coordinates do not change.

Each function returns [picture, (masks,) true shape [3] int32].
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf


def _resized(image: tf.Tensor, size: Any, method: Any) -> tf.Tensor:
    result = tf.image.resize_images(image, size, method=method)
    return tf.cast(result, image.dtype)


def _resized_masks(masks: tf.Tensor, size: Any) -> tf.Tensor:
    nearest = tf.image.ResizeMethod.NEAREST_NEIGHBOR
    return tf.squeeze(tf.image.resize_images(masks[..., tf.newaxis], size, method=nearest), -1)


def resize_image(
    image: tf.Tensor,
    masks: tf.Tensor | None = None,
    new_height: int = 600,
    new_width: int = 1024,
    method: Any = tf.image.ResizeMethod.BILINEAR,
    align_corners: bool = False,
) -> list[tf.Tensor]:
    """Resizes to one size, whatever the aspect ratio; `masks` is [M, H, W]."""
    del align_corners
    size = [new_height, new_width]
    result = [_resized(image, size, method)]
    if masks is not None:
        result.append(_resized_masks(masks, size))
    return [*result, tf.stack([new_height, new_width, tf.shape(image)[2]])]


def resize_to_range(
    image: tf.Tensor,
    masks: tf.Tensor | None = None,
    min_dimension: int | None = None,
    max_dimension: int | None = None,
    method: Any = tf.image.ResizeMethod.BILINEAR,
    align_corners: bool = False,
    pad_to_max_dimension: bool = False,
    per_channel_pad_value: Sequence[float] = (0, 0, 0),
) -> list[tf.Tensor]:
    """Keeps the aspect ratio: short side `min_dimension`, unless the long one would be too long.

    Args:
        image: [H, W, C].
        masks: [M, H, W].
        min_dimension: of the short side.
        max_dimension: bound of the long side.
        method: of the interpolation.
        align_corners: no effect.
        pad_to_max_dimension: pad below and to the right to a square of `max_dimension`.
        per_channel_pad_value: colour of the padding.

    Raises:
        ValueError: not a picture.
    """
    del align_corners
    if image.shape.rank != 3:
        raise ValueError(f"An image should be [H, W, C], got {image.shape}.")
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    short, long = tf.reduce_min(size), tf.reduce_max(size)
    factor = tf.cast(min_dimension or 0, tf.float32) / short
    if max_dimension:
        factor = tf.minimum(factor, max_dimension / long) if min_dimension else max_dimension / long
    new_size = tf.maximum(tf.cast(tf.round(size * factor), tf.int32), 1)
    resized = _resized(image, new_size, method)
    channels = image.shape.as_list()[2]
    true_shape = tf.concat([new_size, [tf.shape(image)[2]]], axis=0)
    result = [resized]
    if masks is not None:
        result.append(_resized_masks(masks, new_size))
    if pad_to_max_dimension and max_dimension:
        margin = max_dimension - new_size
        color = tf.constant(per_channel_pad_value, image.dtype)
        around = tf.stack([tf.zeros_like(margin), margin], axis=1)
        padded = tf.pad(resized - color, tf.concat([around, [[0, 0]]], axis=0)) + color
        padded.set_shape([max_dimension, max_dimension, channels])
        result[0] = padded
        if masks is not None:
            result[1] = tf.pad(result[1], tf.concat([[[0, 0]], around], axis=0))
    else:
        resized.set_shape([None, None, channels])
    return [*result, true_shape]


def random_image_scale(
    image: tf.Tensor,
    masks: tf.Tensor | None = None,
    min_scale_ratio: float = 0.5,
    max_scale_ratio: float = 2.0,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tuple[tf.Tensor, ...]:
    """Resizes by a random factor, the same for height and width.

    Args:
        image: [H, W, C].
        masks: [M, H, W].
        min_scale_ratio: least factor.
        max_scale_ratio: largest factor.
        seed: of the choice.
        preprocess_vars_cache: no effect.

    Returns:
        Image and, if given, masks.
    """
    del preprocess_vars_cache
    factor = tf.random.uniform([], min_scale_ratio, max_scale_ratio, seed=seed)
    size = tf.cast(tf.cast(tf.shape(image)[:2], tf.float32) * factor, tf.int32)
    size = tf.maximum(size, 1)
    resized = _resized(image, size, tf.image.ResizeMethod.BILINEAR)
    return (resized,) if masks is None else (resized, _resized_masks(masks, size))
