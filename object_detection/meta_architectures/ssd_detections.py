"""From what an SSD decodes for each anchor to its detections.

Axes:   B images, N anchors, C classes, K keypoints, D detections.
Frames: all is normalised to the resized and padded picture.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields

Boxes = fields.BoxListFields
Detections = fields.DetectionResultFields

_SCORES, _ANCHORS = "multiclass_scores", "anchor_indices"


class Decoded(NamedTuple):
    """What is predicted of each anchor."""

    boxes: tf.Tensor  # [B, N, 4]
    keypoints: tf.Tensor | None  # [B, N, K, 2]
    keypoint_scores: tf.Tensor | None  # [B, N, K] in [0, 1]
    scores: tf.Tensor  # [B, N, C], the background left out
    scores_with_background: tf.Tensor  # [B, N, classes]


def clip_windows(preprocessed_inputs: tf.Tensor, true_image_shapes: tf.Tensor | None) -> tf.Tensor:
    """[B, 4] windows of the true picture in the padded one, normalised to the padded one.

    Without `true_image_shapes` nothing is padded: [4], the whole picture.
    """
    if true_image_shapes is None:
        return tf.constant([0.0, 0.0, 1.0, 1.0])
    padded = tf.cast(tf.shape(preprocessed_inputs)[1:3], tf.float32)
    corner = tf.cast(true_image_shapes[:, :2], tf.float32) / padded
    return tf.concat([tf.zeros_like(corner), corner], axis=1)


def suppressed(
    decoded: Decoded, clip_window: tf.Tensor, non_max_suppression_fn: Callable[..., tuple[Any, ...]]
) -> dict[str, tf.Tensor]:
    """Suppresses boxes that overlap; what belongs to a box goes along.

    Args:
        decoded: of all anchors.
        clip_window: [B, 4] or [4]; boxes end there.
        non_max_suppression_fn: see `builders.post_processing_builder`.

    Returns:
        By `DetectionResultFields` name, see `SSDMetaArch.postprocess`.
    """
    batch, anchors = tf.shape(decoded.boxes)[0], tf.shape(decoded.boxes)[1]
    every = tf.tile(tf.cast(tf.range(anchors), tf.float32)[tf.newaxis], [batch, 1])
    additional = {_SCORES: decoded.scores_with_background, _ANCHORS: every}
    if decoded.keypoints is not None:
        additional[Boxes.keypoints] = decoded.keypoints
    if decoded.keypoint_scores is not None:
        additional[Boxes.keypoint_scores] = decoded.keypoint_scores
    boxes, scores, classes, _, others, count = non_max_suppression_fn(
        decoded.boxes[:, :, tf.newaxis],
        decoded.scores,
        clip_window=clip_window,
        additional_fields=additional,
    )
    detections = {
        Detections.detection_boxes: boxes,
        Detections.detection_scores: scores,
        Detections.detection_classes: classes,
        Detections.detection_multiclass_scores: others[_SCORES],
        Detections.detection_anchor_indices: tf.cast(others[_ANCHORS], tf.int32),
        Detections.num_detections: tf.cast(count, tf.float32),
        Detections.raw_detection_boxes: decoded.boxes,
        Detections.raw_detection_scores: decoded.scores_with_background,
        Detections.raw_detection_windows: tf.broadcast_to(clip_window, [batch, 4]),
    }
    if decoded.keypoints is not None:
        detections[Detections.detection_keypoints] = others[Boxes.keypoints]
        detections[Detections.raw_detection_keypoints] = decoded.keypoints
    if decoded.keypoint_scores is not None:
        detections[Detections.detection_keypoint_scores] = others[Boxes.keypoint_scores]
        detections[Detections.raw_detection_keypoint_scores] = decoded.keypoint_scores
    return detections
