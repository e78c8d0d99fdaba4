"""Geometry of keypoints.

Axes: K keypoints; `...` any leading axes. Keypoints are (y, x); NaN stays NaN throughout.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError

# The order of K keypoints: numbers, or a rank 1 integer tensor. None, or nothing in it: as it is.
Permutation: TypeAlias = Sequence[int] | tf.Tensor | None


def permuted(tensor: tf.Tensor, permutation: Permutation, axis: int = -1) -> tf.Tensor:
    """A tensor with one axis, that of the K keypoints, in another order."""
    if permutation is None or (not tf.is_tensor(permutation) and len(permutation) == 0):
        return tf.convert_to_tensor(tensor)
    return tf.gather(tensor, tf.cast(permutation, tf.int32), axis=axis)


def check_flip_permutation(permutation: Sequence[int], num_keypoints: int | None = None) -> None:
    """Refuses a permutation that does not pair the keypoints.

    Args:
        permutation: for each keypoint the number of its mirror partner.
        num_keypoints: K, if it is known.

    Raises:
        ConfigError: not a permutation of 0..K-1, or applied twice it is not the identity.
    """
    pairs = list(permutation)
    if num_keypoints is not None and len(pairs) != num_keypoints:
        raise ConfigError(
            f"keypoint_flip_permutation {pairs} has {len(pairs)} entries for {num_keypoints} keypoints."
        )
    if sorted(pairs) != list(range(len(pairs))):
        raise ConfigError(
            f"keypoint_flip_permutation {pairs} should hold each of 0..{len(pairs) - 1} once."
        )
    wrong = [i for i, partner in enumerate(pairs) if pairs[partner] != i]
    if wrong:
        raise ConfigError(
            f"keypoint_flip_permutation {pairs}: keypoint {wrong[0]} becomes {pairs[wrong[0]]}, but "
            f"{pairs[wrong[0]]} becomes {pairs[pairs[wrong[0]]]}; partners must name each other."
        )


def flip_horizontal(
    keypoints: tf.Tensor,
    flip_point: float,
    flip_permutation: Permutation = None,
    scope: str | None = None,
) -> tf.Tensor:
    """Mirrors [..., K, 2] at the vertical line x = `flip_point`; partners change places."""
    with tf.name_scope(scope, "FlipHorizontal"):
        keypoints = permuted(keypoints, flip_permutation, axis=-2)
        y, x = tf.unstack(keypoints, num=2, axis=-1)
        return tf.stack([y, 2.0 * flip_point - x], axis=-1)


def _pair(keypoints: Any, window: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Both as tensors of one type."""
    keypoints = tf.convert_to_tensor(keypoints)
    return keypoints, tf.cast(window, keypoints.dtype)


def on_grid(coordinates: tf.Tensor) -> tf.Tensor:
    """Normalised coordinates rounded to the grid on which a mirror image is exact.

    In float32, 1 - (1 - x) is x only if 1 - x needs no rounding. Numbers of [1/2, 1] are 2^-24
    apart, those near 0 lie closer: several of them have one mirror image, and nothing could tell
    them apart again. Multiples of 2^-24 in [0, 1] have a mirror image of their own, that is one, too;
    so have, below 0, the multiples of what numbers around 1 - x are apart, and all numbers above
    1. In the picture a coordinate moves by at most 2^-25: in one of 1000 pixels a 30000th of a pixel.

    Args:
        coordinates: float32 of any shape; what is not finite stays.
    """
    coordinates = tf.convert_to_tensor(coordinates)
    # The exponent alone is the power of 2 at or below a number; products with it are exact.
    exponent = tf.bitwise.bitwise_and(tf.bitcast(1.0 - coordinates, tf.int32), 0x7F800000)
    steps = 2.0**23 / tf.maximum(tf.bitcast(exponent, tf.float32), 0.5)
    rounded = tf.round(coordinates * steps) / steps
    return tf.where(tf.math.is_finite(coordinates), rounded, coordinates)


def change_coordinate_frame(
    keypoints: tf.Tensor, window: tf.Tensor, scope: str | None = None
) -> tf.Tensor:
    """[..., K, 2] with the window's corner as origin and its size as unit; `window` is [4]."""
    with tf.name_scope(scope, "ChangeCoordinateFrame"):
        keypoints, window = _pair(keypoints, window)
        return (keypoints - window[:2]) / (window[2:] - window[:2])


def prune_outside_window(
    keypoints: tf.Tensor, window: tf.Tensor, scope: str | None = None
) -> tf.Tensor:
    """[..., K, 2] with NaN for the keypoints outside the window [4]; its edges are inside."""
    with tf.name_scope(scope, "PruneOutsideWindow"):
        keypoints, window = _pair(keypoints, window)
        inside = tf.reduce_all(
            (keypoints >= window[:2]) & (keypoints <= window[2:]), axis=-1, keepdims=True
        )
        return tf.where(
            tf.broadcast_to(inside, tf.shape(keypoints)),
            keypoints,
            tf.fill(tf.shape(keypoints), tf.constant(np.nan, keypoints.dtype)),
        )


def present(keypoints: tf.Tensor) -> tf.Tensor:
    """[..., K] booleans: the keypoint [..., K, 2] is not NaN."""
    return tf.logical_not(tf.reduce_any(tf.math.is_nan(keypoints), axis=-1))


def scale(
    keypoints: tf.Tensor, y_scale: float, x_scale: float, scope: str | None = None
) -> tf.Tensor:
    """[..., K, 2] with y and x multiplied."""
    with tf.name_scope(scope, "Scale"):
        keypoints = tf.convert_to_tensor(keypoints)
        return keypoints * tf.stack(
            [tf.cast(y_scale, keypoints.dtype), tf.cast(x_scale, keypoints.dtype)]
        )


def clip_to_window(keypoints: tf.Tensor, window: tf.Tensor, scope: str | None = None) -> tf.Tensor:
    """[..., K, 2] moved to the nearest place in the window [4]; `prune_outside_window` drops them."""
    with tf.name_scope(scope, "ClipToWindow"):
        keypoints, window = _pair(keypoints, window)
        return tf.maximum(tf.minimum(keypoints, window[2:]), window[:2])


def keypoints_to_enclosing_bounding_boxes(
    keypoints: tf.Tensor, keypoints_axis: int = 1
) -> tf.Tensor:
    """The smallest box around the keypoints that are there.

    Args:
        keypoints: [..., K, ..., 2].
        keypoints_axis: which axis is K.

    Returns:
        The shape without K and with 4 boxes' coordinates instead of 2; NaN without any keypoint.
    """
    keypoints = tf.convert_to_tensor(keypoints)
    absent = tf.broadcast_to(
        tf.reduce_any(tf.math.is_nan(keypoints), axis=-1, keepdims=True), tf.shape(keypoints)
    )
    infinity = tf.fill(tf.shape(keypoints), tf.constant(np.inf, keypoints.dtype))
    least = tf.reduce_min(tf.where(absent, infinity, keypoints), axis=keypoints_axis)
    most = tf.reduce_max(tf.where(absent, -infinity, keypoints), axis=keypoints_axis)
    boxes = tf.concat([least, most], axis=-1)
    nothing = tf.fill(tf.shape(boxes), tf.constant(np.nan, boxes.dtype))
    return tf.where(tf.math.is_inf(boxes), nothing, boxes)


def _largest(keypoints: tf.Tensor) -> tf.Tensor:
    """The largest coordinate; -infinity without any."""
    low = tf.fill(tf.shape(keypoints), tf.constant(-np.inf, keypoints.dtype))
    return tf.reduce_max(tf.where(tf.math.is_nan(keypoints), low, keypoints))


def to_normalized_coordinates(
    keypoints: tf.Tensor,
    height: tf.Tensor,
    width: tf.Tensor,
    check_range: bool = True,
    scope: str | None = None,
) -> tf.Tensor:
    """Pixels -> shares of the picture; with `check_range` the input must not be shares already."""
    with tf.name_scope(scope, "ToNormalizedCoordinates"):
        if check_range:
            keypoints = tf.convert_to_tensor(keypoints)
            largest = _largest(keypoints)
            fine = (largest > 1.01) | tf.math.is_inf(largest)
            check = tf.Assert(fine, ["keypoints seem to be normalised already"])
            with tf.control_dependencies([check]):
                keypoints = tf.identity(keypoints)
        keypoints = tf.convert_to_tensor(keypoints)
        height, width = tf.cast(height, keypoints.dtype), tf.cast(width, keypoints.dtype)
        return scale(keypoints, 1.0 / height, 1.0 / width)


def to_absolute_coordinates(
    keypoints: tf.Tensor,
    height: tf.Tensor,
    width: tf.Tensor,
    check_range: bool = True,
    scope: str | None = None,
) -> tf.Tensor:
    """Shares of the picture -> pixels; with `check_range` no share may be above 1.01."""
    with tf.name_scope(scope, "ToAbsoluteCoordinates"):
        if check_range:
            keypoints = tf.convert_to_tensor(keypoints)
            check = tf.Assert(_largest(keypoints) <= 1.01, ["keypoints are not normalised"])
            with tf.control_dependencies([check]):
                keypoints = tf.identity(keypoints)
        keypoints = tf.convert_to_tensor(keypoints)
        height, width = tf.cast(height, keypoints.dtype), tf.cast(width, keypoints.dtype)
        return scale(keypoints, height, width)


def flip_vertical(
    keypoints: tf.Tensor,
    flip_point: float,
    flip_permutation: Permutation = None,
    scope: str | None = None,
) -> tf.Tensor:
    """Mirrors [..., K, 2] at the horizontal line y = `flip_point`; partners change places."""
    with tf.name_scope(scope, "FlipVertical"):
        keypoints = permuted(keypoints, flip_permutation, axis=-2)
        y, x = tf.unstack(keypoints, num=2, axis=-1)
        return tf.stack([2.0 * flip_point - y, x], axis=-1)


def rot90(
    keypoints: tf.Tensor,
    rotation_permutation: Permutation = None,
    scope: str | None = None,
) -> tf.Tensor:
    """Turns normalised [..., K, 2] counter-clockwise by 90 degrees, as `tf.image.rot90` does."""
    with tf.name_scope(scope, "Rot90"):
        keypoints = permuted(keypoints, rotation_permutation, axis=-2)
        y, x = tf.unstack(keypoints, num=2, axis=-1)
        return tf.stack([1.0 - x, y], axis=-1)


def rotate(
    keypoints: tf.Tensor,
    cosine: tf.Tensor,
    sine: tf.Tensor,
    from_size: tf.Tensor,
    to_size: tf.Tensor,
    scope: str | None = None,
) -> tf.Tensor:
    """Turns normalised [..., 2] counter-clockwise about the centre of the picture.

    The angle is one in the picture as it is seen, so its height and width matter. The new frame
    has the same centre.

    Args:
        keypoints: [..., 2].
        cosine: of the angle.
        sine: of the angle.
        from_size: height and width of the old frame in pixels, [2].
        to_size: height and width of the new frame, [2].
        scope: name scope of the operations.
    """
    with tf.name_scope(scope, "Rotate"):
        y, x = tf.unstack((keypoints - 0.5) * from_size, num=2, axis=-1)
        turned = tf.stack([y * cosine - x * sine, x * cosine + y * sine], axis=-1)
        return turned / to_size + 0.5


def keypoint_weights_from_visibilities(
    keypoint_visibilities: tf.Tensor,
    per_keypoint_weights: Sequence[float] | tf.Tensor | None = None,
) -> tf.Tensor:
    """[..., K] weights: 0 for invisible keypoints, for others 1 or their own [K] weight."""
    weights = tf.cast(keypoint_visibilities, tf.float32)
    if per_keypoint_weights is None:
        return weights
    return weights * tf.cast(per_keypoint_weights, tf.float32)


def set_keypoint_visibilities(
    keypoints: tf.Tensor, initial_keypoint_visibilities: tf.Tensor | None = None
) -> tf.Tensor:
    """[..., K] booleans: visible to begin with (all by default) and not NaN."""
    there = present(keypoints)
    if initial_keypoint_visibilities is None:
        return there
    return there & tf.cast(initial_keypoint_visibilities, tf.bool)
