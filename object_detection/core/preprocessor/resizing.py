"""Changes of size. Images are [H, W, C], masks [M, H, W]; normalised coordinates do not change.

The functions whose names begin with `resize` return a list [picture, (masks,) true shape [3]],
where the true shape is that of the picture before padding. Sizes that are known when the graph is
built are known of the results, too.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.preprocessor.padding import placed, placed_masks
from object_detection.core.preprocessor.random_calls import (
    apply_if,
    chance,
    integer,
    nth_seed,
    one_of,
    uniform,
)
from object_detection.core.preprocessor_cache import PreprocessorCache as Cache
from object_detection.errors import ConfigError
from object_detection.utils import shape_utils

Method = tf.image.ResizeMethod

# Height and width: numbers where they are known, else scalar tensors.
Size = Sequence[Any]


def _resized(
    image: tf.Tensor,
    masks: tf.Tensor | None,
    size: Size,
    method: Any,
    align_corners: bool = False,
) -> list[tf.Tensor]:
    """Picture and, if given, masks, which keep their values, of a height and width."""
    result = [
        tf.image.resize_images(image, tf.stack(size), method=method, align_corners=align_corners)
    ]
    if masks is not None:
        larger = tf.image.resize_images(
            tf.ensure_shape(masks, [None, None, None])[..., tf.newaxis],
            tf.stack(size),
            method=Method.NEAREST_NEIGHBOR,
            align_corners=align_corners,
        )
        result.append(tf.squeeze(larger, -1))
    return result


def _picture_size(image: tf.Tensor) -> list[Any]:
    """Height, width and channels, as numbers where they are known.

    Raises:
        ValueError: not a picture.
    """
    if image.shape.rank != 3:
        raise ValueError(f"An image should be [H, W, C], got {image.shape}.")
    return shape_utils.combined_static_and_dynamic_shape(image)


def _least(one: Any, other: Any) -> Any:
    return tf.minimum(one, other) if tf.is_tensor(one) or tf.is_tensor(other) else min(one, other)


def _most(one: Any, other: Any) -> Any:
    return tf.maximum(one, other) if tf.is_tensor(one) or tf.is_tensor(other) else max(one, other)


def _known(*sizes: Any) -> bool:
    return not any(tf.is_tensor(size) for size in sizes)


def resize_image(
    image: tf.Tensor,
    masks: tf.Tensor | None = None,
    new_height: int = 600,
    new_width: int = 1024,
    method: Any = tf.image.ResizeMethod.BILINEAR,
    align_corners: bool = False,
) -> list[tf.Tensor]:
    """Resizes to one size, whatever the aspect ratio.

    Args:
        image: [H, W, C].
        masks: [M, H, W]; they take the nearest pixel.
        new_height: in pixels.
        new_width: in pixels.
        method: of the interpolation of the picture.
        align_corners: whether the middles of the corner pixels stay in the corners.

    Returns:
        Image, masks if given, and the new shape [3].
    """
    image = tf.convert_to_tensor(image)
    size = [new_height, new_width]
    channels = shape_utils.combined_static_and_dynamic_shape(image)[2]
    result = _resized(image, masks, size, method, align_corners)
    return [*result, tf.stack([*size, channels])]


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
        masks: [M, H, W]; they take the nearest pixel and are padded with 0.
        min_dimension: of the short side.
        max_dimension: bound of the long side; none by default.
        method: of the interpolation of the picture.
        align_corners: whether the middles of the corner pixels stay in the corners.
        pad_to_max_dimension: pad below and to the right to a square of `max_dimension`.
        per_channel_pad_value: colour of the padding, [C].

    Returns:
        Image, masks if given, and the shape [3] before padding.

    Raises:
        ValueError: not a picture, no size at all, or a colour with another number of channels.
    """
    image = tf.convert_to_tensor(image)
    height, width, channels = _picture_size(image)
    size = _size_in_range(height, width, min_dimension, max_dimension)
    result = _resized(image, masks, size, method, align_corners)
    if pad_to_max_dimension:
        if max_dimension is None:
            raise ValueError("pad_to_max_dimension needs max_dimension.")
        if _known(channels) and len(per_channel_pad_value) != channels:
            raise ValueError(
                f"per_channel_pad_value {tuple(per_channel_pad_value)} should have one number for "
                f"each of the {channels} channels."
            )
        corner, canvas = tf.zeros([2], tf.int32), tf.stack([max_dimension, max_dimension])
        color = None
        if any(value != 0 for value in per_channel_pad_value):
            color = tf.constant(list(per_channel_pad_value), tf.float32)
        result[0] = placed(result[0], corner, canvas, color)
        if masks is not None:
            result[1] = placed_masks(result[1], corner, canvas)
    return [*result, tf.stack([*size, channels])]


def _size_in_range(height: Any, width: Any, min_dimension: Any, max_dimension: Any) -> list[Any]:
    """Size whose short side is `min_dimension`, or, where that is too long, whose long side is max."""
    if min_dimension is None and max_dimension is None:
        raise ValueError("resize_to_range needs min_dimension, max_dimension or both.")
    known = _known(height, width, min_dimension, max_dimension)

    def scaled(target: Any, side: Any) -> list[Any]:
        if known:
            return [max(round(length * (target / side)), 1) for length in (height, width)]
        factor = tf.cast(target, tf.float64) / tf.cast(side, tf.float64)
        lengths = [tf.cast(length, tf.float64) * factor for length in (height, width)]
        return [tf.maximum(tf.cast(tf.round(length), tf.int32), 1) for length in lengths]

    if min_dimension is None:
        return scaled(max_dimension, _most(height, width))
    large = scaled(min_dimension, _least(height, width))
    if max_dimension is None:
        return large
    small = scaled(max_dimension, _most(height, width))
    if known:
        return small if max(large) > max_dimension else large
    too_large = _most(*large) > max_dimension
    return [tf.where(too_large, less, more) for less, more in zip(small, large, strict=True)]


def _scaled_by_side(
    image: tf.Tensor,
    masks: tf.Tensor | None,
    size: Size,
    side: Any,
    target: Any,
    method: Any,
) -> list[tf.Tensor]:
    """Resizes so that `side` becomes `target`; all are whole numbers, so nothing is rounded off."""
    height, width, channels = size
    new_size = [_most(length * target // side, 1) for length in (height, width)]
    result = _resized(image, masks, new_size, method, align_corners=True)
    return [*result, tf.stack([*new_size, channels])]


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
    image = tf.convert_to_tensor(image)
    size = _picture_size(image)
    side = _least(size[0], size[1])
    return _scaled_by_side(image, masks, size, side, _most(side, min_dimension), method)


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
    image = tf.convert_to_tensor(image)
    size = _picture_size(image)
    side = _most(size[0], size[1])
    return _scaled_by_side(image, masks, size, side, _least(side, max_dimension), method)


def resize_pad_to_multiple(
    image: tf.Tensor, masks: tf.Tensor | None = None, multiple: int = 1
) -> list[tf.Tensor]:
    """Zeros below and at the right up to multiples of `multiple`; the true shape is the old one.

    Raises:
        ValueError: not a picture.
    """
    image = tf.convert_to_tensor(image)
    height, width, channels = _picture_size(image)
    corner = tf.zeros([2], tf.int32)
    canvas = tf.stack([length + -length % multiple for length in (height, width)])
    result = [placed(image, corner, canvas)]
    if masks is not None:
        result.append(placed_masks(tf.convert_to_tensor(masks), corner, canvas))
    return [*result, tf.stack([height, width, channels])]


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
        preprocess_vars_cache: repeats an earlier choice.

    Returns:
        Image and, if given, masks.
    """
    factor = uniform(
        preprocess_vars_cache,
        Cache.IMAGE_SCALE,
        minval=min_scale_ratio,
        maxval=max_scale_ratio,
        seed=seed,
    )
    size = tf.cast(tf.cast(tf.shape(image)[:2], tf.float32) * factor, tf.int32)
    size = tf.unstack(tf.maximum(size, 1))
    return tuple(_resized(image, masks, size, Method.BILINEAR, align_corners=True))


def random_resize_method(
    image: tf.Tensor, target_size: Sequence[int], preprocess_vars_cache: Any = None
) -> tf.Tensor:
    """Resizes to (height, width) with an interpolation chosen at random."""
    methods = (Method.BILINEAR, Method.NEAREST_NEIGHBOR, Method.BICUBIC, Method.AREA)
    choices = [
        lambda method=method: [
            tf.cast(_resized(image, None, list(target_size), method)[0], tf.float32)
        ]
        for method in methods
    ]
    return one_of(choices, None, preprocess_vars_cache, Cache.RESIZE_METHOD)[0]


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
        max_target_pixels: the number of pixels is less than this, if it can be.
        random_coef: probability of leaving the picture as it is.
        seed: of the choices.
        preprocess_vars_cache: repeats earlier choices.

    Returns:
        Image and, if given, masks.

    Raises:
        ConfigError: bounds that contradict each other.
    """
    if not 0 < min_target_pixels <= max_target_pixels:
        raise ConfigError(
            f"min_target_pixels {min_target_pixels} and max_target_pixels {max_target_pixels} "
            "should be positive and in this order."
        )
    cache, name = preprocess_vars_cache, Cache.DOWNSCALE_TO_TARGET_PIXELS
    target = integer(cache, name, min_target_pixels, max_target_pixels, seed=seed, key="target")
    given = [tf.convert_to_tensor(t) for t in (image, masks) if t is not None]
    size = tf.cast(tf.shape(given[0])[:2], tf.float32)
    factor = tf.sqrt(tf.cast(target, tf.float32) / tf.reduce_prod(size))
    # A whole number of pixels must not lose one to the rounding of the factor.
    new_size = tf.unstack(tf.maximum(tf.cast(size * factor + 1e-3, tf.int32), 1))

    def shrink(picture: tf.Tensor, *more: tf.Tensor) -> list[tf.Tensor]:
        resized = _resized(picture, more[0] if more else None, new_size, Method.BILINEAR)
        return [tf.cast(new, old.dtype) for new, old in zip(resized, (picture, *more), strict=True)]

    wanted = chance(1.0 - random_coef, nth_seed(seed, 1), cache, name, "wanted")
    return tuple(apply_if((factor < 1.0) & wanted, shrink, *given))
