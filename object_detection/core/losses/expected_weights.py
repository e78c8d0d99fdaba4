"""How much foreground and background losses count when targets are probabilities.

Instead of drawing negatives at random, each anchor counts with the share that it would have on
average. With p the probability that an anchor is foreground, M = sum(p), N anchors and the
desired ratio K of negatives to positives, the loss is

    sum(p * L_foreground + w * L_background),

where the background weights w add up to K * M (or to a minimum), as far as there are that many.

Axes: B images, N anchors, C classes.
"""

import tensorflow.compat.v1 as tf


def _foreground(batch_cls_targets: tf.Tensor) -> tf.Tensor:
    """[B, N] probability of each anchor to be foreground."""
    return 1.0 - batch_cls_targets[:, :, 0]


def _wanted(foreground: tf.Tensor, ratio: float, least: float) -> tf.Tensor:
    """[B, 1] sum that the background weights should have."""
    total = tf.reduce_sum(foreground, axis=1, keepdims=True)
    return tf.maximum(ratio * total, least)


def by_expected_sampling(
    batch_cls_targets: tf.Tensor,
    min_num_negative_samples: float = 0.0,
    desired_negative_sampling_ratio: float = 3.0,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Weights as if negatives were drawn from all anchors, each with the same chance.

    Args:
        batch_cls_targets: [B, N, 1 + C] probabilities, background first.
        min_num_negative_samples: least sum of a picture's background weights.
        desired_negative_sampling_ratio: K.

    Returns:
        Weights of the foreground losses and of the background losses, [B, N] each.
    """
    foreground = _foreground(batch_cls_targets)
    background = 1.0 - foreground
    wanted = _wanted(foreground, desired_negative_sampling_ratio, min_num_negative_samples)
    there = tf.reduce_sum(background, axis=1, keepdims=True)
    chance = tf.clip_by_value(tf.math.divide_no_nan(wanted, there), 0.0, 1.0)
    return foreground, chance * background


def by_reweighting_unmatched_anchors(
    batch_cls_targets: tf.Tensor,
    min_num_negative_samples: float = 0.0,
    desired_negative_sampling_ratio: float = 3.0,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Weights as if negatives were drawn from the anchors without any foreground.

    Anchors that are partly foreground keep the background weight 1 - p; those without any share
    what is left of the desired sum.

    Args:
        batch_cls_targets: [B, N, 1 + C] probabilities, background first.
        min_num_negative_samples: least sum of a picture's background weights.
        desired_negative_sampling_ratio: K.

    Returns:
        Weights of the foreground losses and of the background losses, [B, N] each.
    """
    foreground = _foreground(batch_cls_targets)
    unmatched = tf.cast(foreground <= 0.0, foreground.dtype)
    own = (1.0 - unmatched) * (1.0 - foreground)
    wanted = _wanted(foreground, desired_negative_sampling_ratio, min_num_negative_samples)
    left = wanted - tf.reduce_sum(own, axis=1, keepdims=True)
    there = tf.reduce_sum(unmatched, axis=1, keepdims=True)
    share = tf.clip_by_value(tf.math.divide_no_nan(left, there), 0.0, 1.0)
    return foreground, own + share * unmatched
