"""Augmentations that hide parts of the picture. Images are [H, W, C] float in [0, 255].

Boxes and keypoints stay: what is hidden is still there.
"""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import randomness
from object_detection.core.preprocessor.random_calls import (
    apply_if,
    chance,
    integer,
    nth_seed,
    remembered,
    uniform,
)
from object_detection.core.preprocessor_cache import PreprocessorCache as Cache
from object_detection.utils import patch_ops


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
        preprocess_vars_cache: repeats earlier choices.
    """
    image = tf.convert_to_tensor(image)
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    side = tf.cast(tf.reduce_min(size) * size_to_image_ratio, tf.int32)
    for number in range(max_black_patches):
        # In shares of the picture, so that a replay fits a picture of another size.
        place = uniform(
            preprocess_vars_cache,
            Cache.ADD_BLACK_PATCH,
            [2],
            maxval=max(1.0 - size_to_image_ratio, 0.0),
            seed=nth_seed(random_seed, 2 * number),
            key=number,
        )
        wanted = chance(
            probability,
            nth_seed(random_seed, 2 * number + 1),
            preprocess_vars_cache,
            Cache.BLACK_PATCHES,
            number,
        )
        begin = tf.cast(place * size, tf.int32)
        hidden = tf.logical_and(_square(image, begin, side), wanted)
        image = tf.where(tf.broadcast_to(hidden, tf.shape(image)), tf.zeros_like(image), image)
    return image


def _square(image: tf.Tensor, begin: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    """[H, W, 1] booleans: a square of `side` pixels from the pixel `begin` [2] on."""
    end = begin + side
    rows, columns = (tf.range(tf.shape(image)[axis]) for axis in (0, 1))
    inside = ((rows >= begin[0]) & (rows < end[0]))[:, tf.newaxis]
    inside &= ((columns >= begin[1]) & (columns < end[1]))[tf.newaxis]
    return inside[..., tf.newaxis]


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
        max_patch_size: largest side; the middle lies in the picture, the square is cut at its
            edges.
        min_gaussian_stddev: least deviation of the noise, as share of the range of pixels.
        max_gaussian_stddev: largest deviation.
        random_coef: probability of leaving the picture as it is.
        seed: of the choices.
        preprocess_vars_cache: repeats earlier choices.
    """
    image = tf.convert_to_tensor(image)
    cache, name = preprocess_vars_cache, Cache.PATCH_GAUSSIAN
    size = tf.shape(image)
    side = integer(cache, name, min_patch_size, max_patch_size + 1, seed=seed, key="side")
    y = integer(cache, name, 0, size[0], seed=nth_seed(seed, 1), key="y")
    x = integer(cache, name, 0, size[1], seed=nth_seed(seed, 2), key="x")
    deviation = uniform(
        cache,
        name,
        minval=min_gaussian_stddev,
        maxval=max_gaussian_stddev,
        seed=nth_seed(seed, 3),
        key="deviation",
    )
    noise = remembered(
        cache,
        name,
        lambda: randomness.normal(size, 255.0 * deviation, nth_seed(seed, 4)),
        "noise",
    )

    def disturb(picture: tf.Tensor) -> tf.Tensor:
        noisy = tf.clip_by_value(picture + noise, 0.0, 255.0)
        inside = patch_ops.get_patch_mask(y, x, side, size)[..., tf.newaxis]
        changed = tf.where(tf.broadcast_to(inside, tf.shape(picture)), noisy, picture)
        # Channels after the colours have no range that noise could be a share of.
        return tf.concat([changed[..., :3], picture[..., 3:]], axis=-1)

    wanted = chance(1.0 - random_coef, nth_seed(seed, 5), cache, name, "wanted")
    return apply_if(wanted, disturb, image)[0]
