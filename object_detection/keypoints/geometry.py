"""Geometry of keypoints.

Axes: K keypoints; `...` any leading axes. Keypoints are (y, x); NaN stays NaN throughout.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError


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
    flip_permutation: Sequence[int] | None = None,
    scope: str | None = None,
) -> tf.Tensor:
    """Mirrors [..., K, 2] at the vertical line x = `flip_point`; partners change places."""
    with tf.name_scope(scope, "FlipHorizontal"):
        if flip_permutation:
            keypoints = tf.gather(keypoints, list(flip_permutation), axis=-2)
        y, x = tf.unstack(keypoints, num=2, axis=-1)
        return tf.stack([y, 2.0 * flip_point - x], axis=-1)


def change_coordinate_frame(
    keypoints: tf.Tensor, window: tf.Tensor, scope: str | None = None
) -> tf.Tensor:
    """[..., K, 2] with the window's corner as origin and its size as unit; `window` is [4]."""
    with tf.name_scope(scope, "ChangeCoordinateFrame"):
        return (keypoints - window[:2]) / (window[2:] - window[:2])


def prune_outside_window(
    keypoints: tf.Tensor, window: tf.Tensor, scope: str | None = None
) -> tf.Tensor:
    """[..., K, 2] with NaN for the keypoints outside the window [4]; its edges are inside."""
    with tf.name_scope(scope, "PruneOutsideWindow"):
        inside = tf.reduce_all(
            (keypoints >= window[:2]) & (keypoints <= window[2:]), axis=-1, keepdims=True
        )
        return tf.where(
            tf.broadcast_to(inside, tf.shape(keypoints)),
            keypoints,
            tf.fill(tf.shape(keypoints), np.float32("nan")),
        )


def present(keypoints: tf.Tensor) -> tf.Tensor:
    """[..., K] booleans: the keypoint [..., K, 2] is not NaN."""
    return ~tf.reduce_any(tf.math.is_nan(keypoints), axis=-1)
