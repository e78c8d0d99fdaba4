"""Whether a keypoint can be seen: from annotation to target, and the loss of its prediction.

Axes:   B images, N anchors, M groundtruth boxes (padded), K keypoints; `...` any leading axes.
Frames: keypoints are normalised to the picture as the network sees it.

A flag is what the annotator said, as COCO's v: 0 placed no such keypoint, 1 an occluded one, 2 a
visible one. It stays when a keypoint leaves the picture, so it tells an object whose keypoints
nobody labelled, of which nothing is known, from one whose keypoints are elsewhere.
"""

import math
from typing import NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError
from object_detection.keypoints import geometry

ABSENT, OCCLUDED, VISIBLE = 0, 1, 2


class VisibilityTargets(NamedTuple):
    """What is known of the keypoints' visibility."""

    visible: tf.Tensor  # [..., K], 1 if the keypoint can be seen, else 0
    weights: tf.Tensor  # [...]; 0 where nothing is known


def flags_of(keypoints: tf.Tensor) -> tf.Tensor:
    """Flags [..., K] int32 of data without any: keypoints [..., K, 2] that are there are visible."""
    there = geometry.present(keypoints)
    return tf.where(there, tf.fill(tf.shape(there), VISIBLE), tf.fill(tf.shape(there), ABSENT))


def can_be_seen(keypoints: tf.Tensor, flags: tf.Tensor) -> tf.Tensor:
    """[..., K] booleans: flagged as visible, there (not NaN), and within the picture.

    Args:
        keypoints: [..., K, 2].
        flags: [..., K].
    """
    inside = tf.reduce_all((keypoints >= 0.0) & (keypoints <= 1.0), axis=-1)  # NaN is neither
    return tf.equal(flags, VISIBLE) & inside


def is_annotated(flags: tf.Tensor) -> tf.Tensor:
    """[...] booleans: somebody placed a keypoint of the object with flags [..., K]."""
    return tf.reduce_any(flags > ABSENT, axis=-1)


class KeypointVisibilityLoss:
    """Sigmoid cross-entropy of visibilities, as one number for a batch.

    The sum over the keypoints of all anchors that count of

        anchor's weight * cross-entropy,

    divided by their number, an anchor of weight 1/2 counting its keypoints as halves; the divisor is
    at least 1.
    """

    def __init__(self, weight: float = 1.0) -> None:
        """Takes the factor of the loss.

        Raises:
            ConfigError: a weight that is not above 0.
        """
        if not 0 < weight < math.inf:
            raise ConfigError(f"keypoint_loss.visibility: weight is {weight}, must be above 0.")
        self._weight = weight

    def __call__(self, logits: tf.Tensor, targets: VisibilityTargets) -> tf.Tensor:
        """The loss, a scalar, of logits [..., K].

        Logits of anchors of weight 0 are replaced before anything is computed of them, so that
        whatever numbers they hold reach neither value nor gradient.
        """
        counts = tf.broadcast_to(targets.weights[..., tf.newaxis] > 0, tf.shape(logits))
        costs = tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.cast(targets.visible, logits.dtype),
            logits=tf.where(counts, logits, tf.zeros_like(logits)),
        )
        weights = tf.broadcast_to(targets.weights[..., tf.newaxis], tf.shape(logits))
        count = tf.maximum(tf.reduce_sum(weights), 1.0)
        return self._weight * tf.reduce_sum(costs * weights) / count
