"""What an SSD's losses know of the keypoints of anchors.

Axes: B images, N anchors, M groundtruth boxes (padded), K keypoints.
"""

from typing import NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core import keypoint_loss, keypoint_visibility
from object_detection.core import standard_fields as fields
from object_detection.core.box_coder import BoxCoder
from object_detection.core.keypoint_visibility import VisibilityTargets
from object_detection.core.target_assigner import Targets
from object_detection.core.target_assigner.assigner import gather_rows

Boxes = fields.BoxListFields


class KeypointTruth(NamedTuple):
    """The keypoints of the groundtruth."""

    keypoints: tf.Tensor  # [B, M, K, 2], NaN where there is none
    given_flags: tf.Tensor | None  # [B, M, K], see `core.keypoint_visibility`

    @property
    def flags(self) -> tf.Tensor:
        """[B, M, K] int32; without any given, what is there can be seen."""
        if self.given_flags is None:
            return keypoint_visibility.flags_of(self.keypoints)
        return tf.cast(self.given_flags, tf.int32)


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


def truth_of(groundtruth: dict[str, tf.Tensor]) -> KeypointTruth | None:
    """The keypoints of a padded batch by `BoxListFields` name; None if it has none."""
    keypoints = groundtruth.get(Boxes.keypoints)
    if keypoints is None:
        return None
    keypoints = hide_invisible_keypoints(keypoints, groundtruth.get(Boxes.keypoint_visibilities))
    return KeypointTruth(keypoints, groundtruth.get(Boxes.keypoint_flags))


def _anchor_weights(targets: Targets, annotated: tf.Tensor | None) -> tf.Tensor:
    if annotated is None:
        return targets.code_weights
    return targets.code_weights * tf.cast(annotated, targets.code_weights.dtype)[:, tf.newaxis]


def keypoint_errors(
    targets: Targets,
    truth: KeypointTruth,
    codes: tf.Tensor,
    anchors: tf.Tensor,
    box_coder: BoxCoder,
    picture_size: tf.Tensor,
    annotated: tf.Tensor | None,
) -> keypoint_loss.KeypointErrors:
    """Errors of the keypoints of all matched anchors of the pictures that count.

    Args:
        targets: of B pictures.
        truth: that the targets come from.
        codes: [B, N, 4 + 2K], predicted.
        anchors: [N, 4], normalised.
        box_coder: of the codes.
        picture_size: [2] height and width in pixels of the network's input.
        annotated: [B] booleans, false where a picture does not count; None if all do.
    """
    flags = gather_rows(truth.flags, targets.match, tf.constant(keypoint_visibility.ABSENT))
    return keypoint_loss.keypoint_errors(
        codes,
        targets.codes,
        anchors,
        _anchor_weights(targets, annotated),
        box_coder,
        picture_size,
        occluded=tf.equal(flags, keypoint_visibility.OCCLUDED),
    )


def visibility_targets(
    targets: Targets, truth: KeypointTruth, annotated: tf.Tensor | None
) -> VisibilityTargets:
    """Which keypoints of the matched anchors can be seen: visible [B, N, K], weights [B, N].

    Args:
        targets: of B pictures.
        truth: that the targets come from.
        annotated: [B] booleans, false where a picture does not count; None if all do.
    """
    flags = truth.flags
    visible = tf.cast(keypoint_visibility.can_be_seen(truth.keypoints, flags), tf.float32)
    known = tf.cast(keypoint_visibility.is_annotated(flags), tf.float32)
    zero = tf.constant(0.0)
    return VisibilityTargets(
        gather_rows(visible, targets.match, zero),
        _anchor_weights(targets, annotated) * gather_rows(known, targets.match, zero),
    )
