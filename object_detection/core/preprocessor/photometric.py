"""Augmentations that change colours only. Images are [H, W, C] float in [0, 255].

Channels after the first three are no colours: what adjusts colours leaves them as they are.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.preprocessor.random_calls import (
    apply_if,
    chance,
    integer,
    nth_seed,
    uniform,
)
from object_detection.core.preprocessor_cache import PreprocessorCache as Cache


def _in_unit_range(image: tf.Tensor, change: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Applies a change that is defined on [0, 1], and cuts what leaves the range."""
    return tf.clip_by_value(change(image / 255.0), 0.0, 1.0) * 255.0


def adjust_colours(image: tf.Tensor, change: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Applies a change to the first three channels."""
    image = tf.convert_to_tensor(image)
    channels = image.shape.as_list()[-1] if image.shape.rank else None
    if channels is None or channels <= 3:
        return change(image)
    return tf.concat([change(image[..., :3]), image[..., 3:]], axis=-1)


def random_adjust_brightness(
    image: tf.Tensor,
    max_delta: float = 0.2,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tf.Tensor:
    """Adds a number of [-max_delta, max_delta), in units of the full range."""
    delta = uniform(
        preprocess_vars_cache,
        Cache.ADJUST_BRIGHTNESS,
        minval=-max_delta,
        maxval=max_delta,
        seed=seed,
    )
    return adjust_colours(image, lambda rgb: _in_unit_range(rgb, lambda t: t + delta))


def random_adjust_contrast(
    image: tf.Tensor,
    min_delta: float = 0.8,
    max_delta: float = 1.25,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tf.Tensor:
    """Scales the distance from each channel's mean by a factor of the range."""
    factor = uniform(
        preprocess_vars_cache, Cache.ADJUST_CONTRAST, minval=min_delta, maxval=max_delta, seed=seed
    )
    return adjust_colours(
        image, lambda rgb: _in_unit_range(rgb, lambda t: tf.image.adjust_contrast(t, factor))
    )


def random_adjust_hue(
    image: tf.Tensor,
    max_delta: float = 0.02,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tf.Tensor:
    """Turns the hue by up to `max_delta` of the circle."""
    delta = uniform(
        preprocess_vars_cache, Cache.ADJUST_HUE, minval=-max_delta, maxval=max_delta, seed=seed
    )
    return adjust_colours(
        image, lambda rgb: _in_unit_range(rgb, lambda t: tf.image.adjust_hue(t, delta))
    )


def random_adjust_saturation(
    image: tf.Tensor,
    min_delta: float = 0.8,
    max_delta: float = 1.25,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tf.Tensor:
    """Scales the saturation by a factor of the range."""
    factor = uniform(
        preprocess_vars_cache,
        Cache.ADJUST_SATURATION,
        minval=min_delta,
        maxval=max_delta,
        seed=seed,
    )
    return adjust_colours(
        image, lambda rgb: _in_unit_range(rgb, lambda t: tf.image.adjust_saturation(t, factor))
    )


def random_distort_color(
    image: tf.Tensor, color_ordering: int = 0, preprocess_vars_cache: Any = None
) -> tf.Tensor:
    """Brightness, saturation, hue and contrast, in one of two orders.

    Args:
        image: [H, W, 3].
        color_ordering: 0 or 1; contrast is the last, or the second.
        preprocess_vars_cache: repeats earlier choices.

    Raises:
        ValueError: another order.
    """
    if color_ordering not in (0, 1):
        raise ValueError(f"color_ordering should be 0 or 1, got {color_ordering}.")
    cache = preprocess_vars_cache

    def contrast(picture: tf.Tensor) -> tf.Tensor:
        return random_adjust_contrast(picture, 0.5, 1.5, preprocess_vars_cache=cache)

    image = random_adjust_brightness(image, 32.0 / 255.0, preprocess_vars_cache=cache)
    if color_ordering == 1:
        image = contrast(image)
    image = random_adjust_saturation(image, 0.5, 1.5, preprocess_vars_cache=cache)
    image = random_adjust_hue(image, 0.2, preprocess_vars_cache=cache)
    return contrast(image) if color_ordering == 0 else image


def random_rgb_to_gray(
    image: tf.Tensor,
    probability: float = 0.1,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tf.Tensor:
    """Takes the colour away with a probability; three equal channels remain."""

    def gray(picture: tf.Tensor) -> tf.Tensor:
        return adjust_colours(
            picture, lambda rgb: tf.image.grayscale_to_rgb(tf.image.rgb_to_grayscale(rgb))
        )

    wanted = chance(probability, seed, preprocess_vars_cache, Cache.RGB_TO_GRAY)
    return apply_if(wanted, gray, tf.convert_to_tensor(image))[0]


def random_pixel_value_scale(
    image: tf.Tensor,
    minval: float = 0.9,
    maxval: float = 1.1,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tf.Tensor:
    """Multiplies each number by a factor of its own."""
    factors = uniform(
        preprocess_vars_cache,
        Cache.PIXEL_VALUE_SCALE,
        tf.shape(image),
        minval,
        maxval,
        seed=seed,
    )
    return tf.clip_by_value(image * factors, 0.0, 255.0)


def rgb_to_gray(image: tf.Tensor) -> tf.Tensor:
    """The picture in grey, as one channel [H, W, 1]."""
    return tf.image.rgb_to_grayscale(image)


def image_to_float(image: tf.Tensor) -> tf.Tensor:
    """The same numbers as float32."""
    return tf.cast(image, tf.float32)


def adjust_gamma(image: tf.Tensor, gamma: float = 1.0, gain: float = 1.0) -> tf.Tensor:
    """Gain * image^gamma, on the range from 0 to 1."""
    return adjust_colours(image, lambda rgb: _in_unit_range(rgb, lambda t: gain * tf.pow(t, gamma)))


def random_jpeg_quality(
    image: tf.Tensor,
    min_jpeg_quality: int = 0,
    max_jpeg_quality: int = 100,
    random_coef: float = 0.0,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tf.Tensor:
    """Encodes the picture as JPEG of a random quality and decodes it.

    Args:
        image: [H, W, 3].
        min_jpeg_quality: 0 to 100.
        max_jpeg_quality: 0 to 100.
        random_coef: probability of leaving the picture as it is.
        seed: of the choices.
        preprocess_vars_cache: repeats earlier choices.
    """
    cache, name = preprocess_vars_cache, Cache.JPEG_QUALITY
    quality = integer(cache, name, min_jpeg_quality, max_jpeg_quality + 1, seed=seed, key="quality")

    def encode(picture: tf.Tensor) -> tf.Tensor:
        pixels = tf.cast(tf.clip_by_value(picture, 0.0, 255.0), tf.uint8)
        changed = tf.cast(tf.image.adjust_jpeg_quality(pixels, quality), picture.dtype)
        changed.set_shape(picture.shape)
        return changed

    def compress(picture: tf.Tensor) -> tf.Tensor:
        return adjust_colours(picture, encode)

    wanted = chance(1.0 - random_coef, nth_seed(seed, 1), cache, name, "wanted")
    return apply_if(wanted, compress, tf.convert_to_tensor(image))[0]


def normalize_image(
    image: tf.Tensor,
    original_minval: float,
    original_maxval: float,
    target_minval: float,
    target_maxval: float,
) -> tf.Tensor:
    """Moves pixels linearly from one range to another."""
    image = tf.cast(image, tf.float32)
    share = (image - float(original_minval)) / (float(original_maxval) - float(original_minval))
    return share * (float(target_maxval) - float(target_minval)) + float(target_minval)


def subtract_channel_mean(image: tf.Tensor, means: Sequence[float] | None = None) -> tf.Tensor:
    """[H, W, C] less one number for each channel.

    Raises:
        ValueError: another rank, or another number of channels.
    """
    image = tf.convert_to_tensor(image)
    if image.shape.rank != 3:
        raise ValueError(f"An image should be [H, W, C], got {image.shape}.")
    channels = image.shape.as_list()[-1]
    if means is None or len(means) != (channels or len(means)):
        raise ValueError(f"means {means} should be one number for each channel of {image.shape}.")
    return image - tf.constant(list(means), image.dtype)
