"""What an SSD's losses do with targets: choose, weigh and count.

Axes: B images, N anchors, M groundtruth boxes (padded), C classes.
"""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import randomness
from object_detection.core.target_assigner import Targets


def sampled(targets: Targets, sampler: Any, has_background: bool) -> Targets:
    """The targets with weight 0 at the anchors that a sampler does not keep.

    Args:
        targets: of B pictures.
        sampler: a `MinibatchSampler`; anchors that have a class are the positives.
        has_background: whether the first class is the background.
    """
    classes = targets.classes[..., 1:] if has_background else targets.classes
    positive = tf.not_equal(tf.reduce_sum(classes, axis=-1), 0)
    counts = tf.not_equal(tf.reduce_mean(targets.class_weights, axis=-1), 0)

    def sample(row: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
        with randomness.each(row[2]):
            return sampler.subsample(row[0], batch_size=None, labels=row[1])

    pictures = tf.range(tf.shape(counts)[0])
    kept = tf.map_fn(sample, (counts, positive, pictures), fn_output_signature=tf.bool)
    kept = tf.cast(kept, tf.float32)
    return targets._replace(
        class_weights=targets.class_weights * kept[..., tf.newaxis],
        code_weights=targets.code_weights * kept,
    )


def expected_losses(
    location_losses: tf.Tensor,
    class_losses: tf.Tensor,
    background_losses: tf.Tensor,
    classes: tf.Tensor,
    weights_fn: Callable[..., Any],
) -> tuple[tf.Tensor, tf.Tensor]:
    """Sums of losses over what a random choice of anchors would keep on average.

    Each anchor counts as its target and as background, as much as `weights_fn` says. Losses of
    single classes are so many two-class problems, each with its own weights.

    Args:
        location_losses: [B, N].
        class_losses: [B, N], or [B, N, 1 + C], against the targets.
        background_losses: the same shape, against the background.
        classes: [B, N, 1 + C] targets, the background first.
        weights_fn: targets -> weights of the losses against them, and against the background.

    Returns:
        Localisation loss and classification loss, scalars.
    """
    if class_losses.shape.rank == 3:
        pictures, columns = tf.shape(classes)[0], tf.shape(classes)[2]
        class_losses = tf.reshape(class_losses, [pictures, -1])
        background_losses = tf.reshape(background_losses, [pictures, -1])
        location_losses = tf.repeat(location_losses, columns, axis=1)
        classes = tf.reshape(classes, [pictures, -1, 1])
        classes = tf.concat([1.0 - classes, classes], axis=-1)
    of_target, of_background = weights_fn(classes)
    return (
        tf.reduce_sum(of_target * location_losses),
        tf.reduce_sum(of_target * class_losses + of_background * background_losses),
    )


def summarize(targets: Targets, groundtruth_weights: tf.Tensor) -> None:
    """Adds the mean numbers of boxes [B, M] and of anchors of each kind to the summaries."""
    pictures = tf.cast(tf.shape(targets.match)[0], tf.float32)
    for name, mask in (
        ("AvgNumGroundtruthBoxesPerImage", groundtruth_weights > 0),
        ("AvgNumPositiveAnchorsPerImage", targets.match >= 0),
        ("AvgNumNegativeAnchorsPerImage", tf.equal(targets.match, -1)),
        ("AvgNumIgnoredAnchorsPerImage", tf.equal(targets.match, -2)),
    ):
        total = tf.reduce_sum(tf.cast(mask, tf.float32))
        tf.summary.scalar(name, total / pictures, family="TargetAssignment")
