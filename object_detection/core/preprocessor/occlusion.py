"""Augmentations that hide parts of the picture. Images are [H, W, C] float in [0, 255].

Boxes and keypoints stay: what is hidden is still there.
"""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.preprocessor.random_calls import apply_if, chance


def _square(image: tf.Tensor, side: tf.Tensor, seed: int | None) -> tf.Tensor:
    """[H, W, 1] booleans: a square of `side` pixels at a random place, cut at the edges."""
    height, width = tf.unstack(tf.shape(image)[:2])
    y = tf.random.uniform([], 0, height, dtype=tf.int32, seed=seed)
    x = tf.random.uniform([], 0, width, dtype=tf.int32, seed=seed)
    rows, columns = tf.range(height), tf.range(width)
    inside = ((rows >= y) & (rows < y + side))[:, tf.newaxis]
    inside &= ((columns >= x) & (columns < x + side))[tf.newaxis]
    return inside[..., tf.newaxis]


def random_black_patches(
    image: tf.Tensor,
    max_black_patches: int = 10,
    probability: float = 0.5,
    size_to_image_ratio: float = 0.1,
    random_seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tf.Tensor:
    """Paints up to so many black squares.

    Args:
        image: [H, W, C].
        max_black_patches: squares to try.
        probability: of each square.
        size_to_image_ratio: side of a square, as share of the picture's shorter side.
        random_seed: of the choices.
        preprocess_vars_cache: no effect.
    """
    del preprocess_vars_cache
    shorter = tf.cast(tf.reduce_min(tf.shape(image)[:2]), tf.float32)
    side = tf.cast(shorter * size_to_image_ratio, tf.int32)
    for _ in range(max_black_patches):
        hidden = _square(image, side, random_seed) & chance(probability, random_seed)
        image = tf.where(tf.broadcast_to(hidden, tf.shape(image)), tf.zeros_like(image), image)
    return image


def random_patch_gaussian(
    image: tf.Tensor,
    min_patch_size: int = 1,
    max_patch_size: int = 250,
    min_gaussian_stddev: float = 0.0,
    max_gaussian_stddev: float = 1.0,
    random_coef: float = 0.0,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tf.Tensor:
    """Adds normal noise in a square (arXiv:1906.02611, section 3).

    Args:
        image: [H, W, C].
        min_patch_size: least side of the square, in pixels.
        max_patch_size: largest side; the square is cut at the edges.
        min_gaussian_stddev: least deviation of the noise, as share of the range of pixels.
        max_gaussian_stddev: largest deviation.
        random_coef: probability of leaving the picture as it is.
        seed: of the choices.
        preprocess_vars_cache: no effect.
    """
    del preprocess_vars_cache

    def disturb(picture: tf.Tensor) -> tf.Tensor:
        side = tf.random.uniform([], min_patch_size, max_patch_size + 1, dtype=tf.int32, seed=seed)
        deviation = tf.random.uniform([], min_gaussian_stddev, max_gaussian_stddev, seed=seed)
        noise = tf.random.normal(tf.shape(picture), stddev=deviation * 255.0, seed=seed)
        noisy = tf.clip_by_value(picture + noise, 0.0, 255.0)
        inside = tf.broadcast_to(_square(picture, side, seed), tf.shape(picture))
        return tf.where(inside, noisy, picture)

    return apply_if(chance(1.0 - random_coef, seed), disturb, image)[0]
