"""Changes of size. Images are [H, W, C]; normalised coordinates do not change.

Each function returns [picture, (masks,) true shape [3] int32].
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.preprocessor.random_calls import apply_if, chance, one_of
from object_detection.errors import ConfigError


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


def _scaled(
    image: tf.Tensor, masks: tf.Tensor | None, size: tf.Tensor, method: Any
) -> list[tf.Tensor]:
    """Picture, masks and true shape at a size [2]."""
    resized = _resized(image, size, method)
    resized.set_shape([None, None, image.shape[2]])
    result = [resized] if masks is None else [resized, _resized_masks(masks, size)]
    return [*result, tf.concat([size, [tf.shape(image)[2]]], axis=0)]


def resize_to_min_dimension(
    image: tf.Tensor,
    masks: tf.Tensor | None = None,
    min_dimension: int = 600,
    method: Any = tf.image.ResizeMethod.BILINEAR,
) -> list[tf.Tensor]:
    """Enlarges until the shorter side has `min_dimension` pixels; a larger picture stays.

    Raises:
        ValueError: not a picture.
    """
    if image.shape.rank != 3:
        raise ValueError(f"An image should be [H, W, C], got {image.shape}.")
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    factor = tf.maximum(min_dimension / tf.reduce_min(size), 1.0)
    return _scaled(image, masks, tf.cast(tf.round(size * factor), tf.int32), method)


def resize_to_max_dimension(
    image: tf.Tensor,
    masks: tf.Tensor | None = None,
    max_dimension: int = 600,
    method: Any = tf.image.ResizeMethod.BILINEAR,
) -> list[tf.Tensor]:
    """Shrinks until the longer side has `max_dimension` pixels; a smaller picture stays.

    Raises:
        ValueError: not a picture.
    """
    if image.shape.rank != 3:
        raise ValueError(f"An image should be [H, W, C], got {image.shape}.")
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    factor = tf.minimum(max_dimension / tf.reduce_max(size), 1.0)
    new_size = tf.maximum(tf.cast(tf.round(size * factor), tf.int32), 1)
    return _scaled(image, masks, new_size, method)


def resize_pad_to_multiple(
    image: tf.Tensor, masks: tf.Tensor | None = None, multiple: int = 1
) -> list[tf.Tensor]:
    """Zeros below and at the right up to multiples of `multiple`; the true shape is the old one.

    Raises:
        ValueError: not a picture.
    """
    if image.shape.rank != 3:
        raise ValueError(f"An image should be [H, W, C], got {image.shape}.")
    shape = tf.shape(image)
    margin = -shape[:2] % multiple
    around = tf.stack([tf.zeros_like(margin), margin], axis=1)
    padded = tf.pad(image, tf.concat([around, [[0, 0]]], axis=0))
    padded.set_shape([None, None, image.shape[2]])
    result = [padded]
    if masks is not None:
        result.append(tf.pad(masks, tf.concat([[[0, 0]], around], axis=0)))
    return [*result, shape]


def random_resize_method(
    image: tf.Tensor, target_size: Sequence[int], preprocess_vars_cache: Any = None
) -> tf.Tensor:
    """Resizes to (height, width) with an interpolation chosen at random."""
    del preprocess_vars_cache
    methods = (
        tf.image.ResizeMethod.BILINEAR,
        tf.image.ResizeMethod.NEAREST_NEIGHBOR,
        tf.image.ResizeMethod.BICUBIC,
        tf.image.ResizeMethod.AREA,
    )
    choices = [
        lambda method=method: [tf.image.resize_images(image, list(target_size), method=method)]
        for method in methods
    ]
    return one_of(choices)[0]


def random_downscale_to_target_pixels(
    image: tf.Tensor,
    masks: tf.Tensor | None = None,
    min_target_pixels: int = 300000,
    max_target_pixels: int = 800000,
    random_coef: float = 0.0,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tuple[tf.Tensor, ...]:
    """Shrinks to a random number of pixels; a picture with fewer stays as it is.

    Args:
        image: [H, W, C].
        masks: [M, H, W].
        min_target_pixels: least number of pixels.
        max_target_pixels: largest number of pixels.
        random_coef: probability of leaving the picture as it is.
        seed: of the choices.
        preprocess_vars_cache: no effect.

    Returns:
        Image and, if given, masks.

    Raises:
        ConfigError: bounds that contradict each other.
    """
    del preprocess_vars_cache
    if not 0 < min_target_pixels <= max_target_pixels:
        raise ConfigError(
            f"min_target_pixels {min_target_pixels} and max_target_pixels {max_target_pixels} "
            "should be positive and in this order."
        )
    target = tf.random.uniform(
        [], min_target_pixels, max_target_pixels + 1, dtype=tf.int32, seed=seed
    )
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    factor = tf.sqrt(tf.cast(target, tf.float32) / tf.reduce_prod(size))
    new_size = tf.maximum(tf.cast(size * factor, tf.int32), 1)
    given = [image] if masks is None else [image, masks]

    def shrink(picture: tf.Tensor, *more: tf.Tensor) -> list[tf.Tensor]:
        resized = _resized(picture, new_size, tf.image.ResizeMethod.BILINEAR)
        return [resized, *(_resized_masks(one, new_size) for one in more)]

    wanted = (factor < 1.0) & chance(1.0 - random_coef, seed)
    return tuple(apply_if(wanted, shrink, *given))
