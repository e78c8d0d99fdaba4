"""What an SSD's losses do with targets: hide, choose, weigh and count.

Axes: B images, N anchors, M groundtruth boxes (padded), C classes, K keypoints.
"""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import keypoint_loss
from object_detection.core.box_coder import BoxCoder
from object_detection.core.target_assigner import Targets


def hide_invisible_keypoints(keypoints: tf.Tensor, visibilities: tf.Tensor | None) -> tf.Tensor:
    """Keypoints [..., K, 2] with NaN where the visibility [..., K] is false.

    NaN is the one sign of absence that coders and losses understand, so whatever number an
    invisible keypoint holds can never reach a loss.
    """
    if visibilities is None:
        return keypoints
    visible = tf.cast(visibilities, tf.bool)[..., tf.newaxis]
    return tf.where(
        tf.broadcast_to(visible, tf.shape(keypoints)),
        keypoints,
        tf.fill(tf.shape(keypoints), tf.constant(float("nan"), keypoints.dtype)),
    )


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

    def sample(row: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        return sampler.subsample(row[0], batch_size=None, labels=row[1])

    kept = tf.map_fn(sample, (counts, positive), fn_output_signature=tf.bool)
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


def keypoint_errors(
    targets: Targets,
    codes: tf.Tensor,
    anchors: tf.Tensor,
    box_coder: BoxCoder,
    picture_size: tf.Tensor,
    annotated: tf.Tensor | None,
) -> keypoint_loss.KeypointErrors:
    """Errors of the keypoints of all matched anchors of the pictures that count.

    Args:
        targets: of B pictures.
        codes: [B, N, 4 + 2K], predicted.
        anchors: [N, 4], normalised.
        box_coder: of the codes.
        picture_size: [2] height and width in pixels of the network's input.
        annotated: [B] booleans, false where a picture does not count; None if all do.
    """
    weights = targets.code_weights
    if annotated is not None:
        weights *= tf.cast(annotated, weights.dtype)[:, tf.newaxis]
    return keypoint_loss.keypoint_errors(
        codes, targets.codes, anchors, weights, box_coder, picture_size
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
