"""A loss of keypoints by themselves, beside that of boxes.

Axes:   B images, N anchors, K keypoints; `...` any leading axes.
Frames: an error is (dy, dx), either in units of the code, where 1 is the anchor's size divided by
        the coder's scale factor, or in pixels of the network's input.

A keypoint counts if its target is there (not NaN) and its anchor has a weight. The error of one
that does not count is 0 before anything is computed of it, so that whatever numbers it holds reach
neither value nor gradient.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core.box_coder import BoxCoder
from object_detection.errors import ConfigError

BOX_NUMBERS = 4  # of a code, before those of the keypoints


class KeypointErrors(NamedTuple):
    """How far predicted keypoints are from their targets."""

    codes: tf.Tensor  # [..., K, 2], in units of the code; 0 where the keypoint does not count
    pixels: tf.Tensor  # [..., K, 2], in pixels; 0 likewise
    areas: tf.Tensor  # [...], of the target boxes, in square pixels; 0 where no keypoint counts
    weights: tf.Tensor  # [..., K], the anchor's weight; 0 where the keypoint does not count
    occluded: tf.Tensor | None = None  # [..., K] booleans; None for no keypoint


def huber(errors: tf.Tensor, delta: float = 1.0) -> tf.Tensor:
    """x^2 / 2 up to delta, then delta * (|x| - delta / 2), summed: [..., K, 2] -> [..., K]."""
    size = tf.abs(errors)
    near = tf.minimum(size, delta)
    return tf.reduce_sum(near * (size - 0.5 * near), axis=-1)


def absolute(errors: tf.Tensor) -> tf.Tensor:
    """|x|, summed over both coordinates: [..., K, 2] -> [..., K]."""
    return tf.reduce_sum(tf.abs(errors), axis=-1)


def wing(errors: tf.Tensor, width: float = 1.0, curvature: float = 0.2) -> tf.Tensor:
    """Wing loss (arXiv:1711.06753, equation 5), summed: [..., K, 2] -> [..., K].

    w * log(1 + |x| / c) where |x| < w, else |x| - w + w * log(1 + w / c): continuous at w, and
    near 0 as steep as w / c.

    Args:
        errors: [..., K, 2].
        width: w, in the unit of the errors.
        curvature: c, in the unit of the errors.
    """
    size = tf.abs(errors)
    near = width * tf.math.log1p(size / curvature)
    far = size - width + width * math.log1p(width / curvature)
    return tf.reduce_sum(tf.where(size < width, near, far), axis=-1)


def one_minus_oks(errors: tf.Tensor, areas: tf.Tensor, sigmas: Sequence[float]) -> tf.Tensor:
    """1 - exp(-d^2 / (2 * area * (2 * sigma)^2)) of each keypoint: [..., K, 2] -> [..., K].

    The mean over the visible keypoints of an object is 1 - its OKS (COCO's keypoint evaluation),
    with the box's area for the segment's.

    Args:
        errors: [..., K, 2], in pixels.
        areas: [...], in square pixels; where one is 0, so is the loss.
        sigmas: K numbers.
    """
    variances = tf.square(2.0 * tf.constant(sigmas, errors.dtype))
    squares = tf.reduce_sum(tf.square(errors), axis=-1)
    exponents = tf.math.divide_no_nan(squares, 2.0 * areas[..., tf.newaxis] * variances)
    return -tf.math.expm1(-exponents)


def keypoint_errors(
    codes: tf.Tensor,
    target_codes: tf.Tensor,
    anchors: tf.Tensor,
    anchor_weights: tf.Tensor,
    box_coder: BoxCoder,
    picture_size: tf.Tensor,
    *,
    occluded: tf.Tensor | None = None,
) -> KeypointErrors:
    """Errors of the keypoints in codes.

    Args:
        codes: [B, N, 4 + 2K], predicted.
        target_codes: [B, N, 4 + 2K]; NaN where there is no such keypoint.
        anchors: [N, 4], normalised.
        anchor_weights: [B, N]; 0 where nothing is matched.
        box_coder: of the codes.
        picture_size: [2] height and width in pixels of what the anchors are normalised to.
        occluded: [B, N, K] booleans of targets that are hidden by something; None for no target.
    """
    boxes, truth = box_coder.decode_tensors(target_codes, anchors)
    _, predicted = box_coder.decode_tensors(codes, anchors)
    truth_codes, predicted_codes = (
        _pairs(one[..., BOX_NUMBERS:], box_coder) for one in (target_codes, codes)
    )
    # One lost coordinate loses the point.
    there = ~tf.reduce_any(tf.math.is_nan(truth_codes), axis=-1)
    weights = tf.cast(there, codes.dtype) * anchor_weights[..., tf.newaxis]
    counts = weights > 0
    size = tf.cast(picture_size, codes.dtype)
    areas = tf.reduce_prod((boxes[..., 2:] - boxes[..., :2]) * size, axis=-1)
    return KeypointErrors(
        codes=_differences(predicted_codes, truth_codes, counts),
        pixels=_differences(predicted, truth, counts) * size,
        areas=tf.where(tf.reduce_any(counts, axis=-1), areas, tf.zeros_like(areas)),
        weights=weights,
        occluded=tf.zeros_like(there) if occluded is None else occluded,
    )


def _pairs(numbers: tf.Tensor, box_coder: BoxCoder) -> tf.Tensor:
    """[..., 2K] -> [..., K, 2]."""
    count = (box_coder.code_size - BOX_NUMBERS) // 2
    pairs = tf.reshape(numbers, tf.concat([tf.shape(numbers)[:-1], [count, 2]], axis=0))
    pairs.set_shape([*numbers.shape.as_list()[:-1], count, 2])
    return pairs


def _differences(predicted: tf.Tensor, truth: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """How far [..., K, 2] are apart where [..., K] is true, 0 elsewhere."""
    difference = predicted - truth
    kept = tf.broadcast_to(counts[..., tf.newaxis], tf.shape(difference))
    return tf.where(kept, difference, tf.zeros_like(difference))


class KeypointLoss:
    """What keypoints cost, as one number for a batch.

    The sum over all keypoints that count of

        anchor's weight * visibility's weight * keypoint's weight * cost,

    divided by the sum of the first two, which is their number if all weigh 1. The divisor is at
    least 1, as that of boxes; without a keypoint the loss is 0.
    """

    def __init__(
        self,
        cost: Callable[[KeypointErrors], tf.Tensor],
        weight: float = 1.0,
        per_keypoint_weights: Sequence[float] | None = None,
        occluded_weight: float = 1.0,
    ) -> None:
        """Takes the settings.

        Args:
            cost: errors -> [..., K], what each keypoint costs; 0 for the error 0.
            weight: factor of the loss.
            per_keypoint_weights: K factors of the keypoints; None for 1 each. They do not change
                the divisor.
            occluded_weight: visibility's weight of occluded keypoints; that of others is 1.

        Raises:
            ConfigError: a weight that is not above 0, or one of keypoints that is below.
        """
        if not 0 < weight < math.inf:
            raise ConfigError(f"keypoint_loss: weight is {weight}, must be above 0.")
        for one in per_keypoint_weights or ():
            if not 0 <= one < math.inf:
                raise ConfigError(f"keypoint_loss: per_keypoint_weights has {one}, below 0.")
        if not 0 <= occluded_weight < math.inf:
            raise ConfigError(f"keypoint_loss: occluded_weight is {occluded_weight}, below 0.")
        self._cost = cost
        self._weight = weight
        self._per_keypoint_weights = list(per_keypoint_weights or ()) or None
        self._occluded_weight = occluded_weight

    def __call__(self, errors: KeypointErrors) -> tf.Tensor:
        """The loss, a scalar."""
        weights = errors.weights
        if errors.occluded is not None and self._occluded_weight != 1.0:
            weights = tf.where(errors.occluded, self._occluded_weight * weights, weights)
        costs = self._cost(errors) * weights
        if self._per_keypoint_weights:
            costs *= tf.constant(self._per_keypoint_weights, costs.dtype)
        count = tf.maximum(tf.reduce_sum(weights), 1.0)
        return self._weight * tf.reduce_sum(costs) / count
