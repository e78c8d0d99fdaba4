"""The second stage's result: boxes refined for each class, suppressed.

Axes:   B images, P proposals, q box sets (1, or one a class), C classes, D detections.
Frames: boxes in pixels of the padded picture, those of the results in units of the true one.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core import standard_fields as fields
from object_detection.meta_architectures.faster_rcnn import frames, regions

Detections = fields.DetectionResultFields


class Refined(NamedTuple):
    """What the second stage says of the proposals."""

    boxes: tf.Tensor  # [B, P, q, 4], absolute
    scores: tf.Tensor  # [B, P, 1 + C], background first
    masks: tf.Tensor | None  # [B, P, 1 or C, height, width], probabilities


def _same_sets(boxes: tf.Tensor, masks: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Boxes and masks with as many sets as the one that has more."""
    if masks is None:
        return boxes, masks
    of_boxes, of_masks = boxes.shape.as_list()[2], masks.shape.as_list()[2]
    if of_masks == 1 and of_boxes > 1:
        masks = tf.tile(masks, [1, 1, of_boxes, 1, 1])
    if of_boxes == 1 and of_masks > 1:
        boxes = tf.tile(boxes, [1, 1, of_masks, 1])
    return boxes, masks


def _likeliest(refined: Refined, true_sizes: tf.Tensor) -> tf.Tensor:
    """[B, P, 4]: each proposal's box for its best class, normalised and cut at the picture."""
    classes = tf.argmax(refined.scores[..., 1:], axis=-1, output_type=tf.int32)
    boxes = frames.normalized(regions.of_class(refined.boxes, classes), true_sizes)
    return box_list_ops.cut(boxes, tf.constant([0.0, 0.0, 1.0, 1.0]))


def suppressed(
    refined: Refined,
    num_proposals: tf.Tensor,
    true_image_shapes: tf.Tensor,
    non_max_suppression_fn: Callable[..., tuple[Any, ...]],
) -> dict[str, tf.Tensor]:
    """Detections, keyed by `DetectionResultFields`.

    Args:
        refined: of the second stage.
        num_proposals: [B] int32, the proposals that count.
        true_image_shapes: [B, 3].
        non_max_suppression_fn: see `builders.post_processing_builder`.
    """
    shape = tf.shape(refined.scores)
    places = tf.tile(tf.cast(tf.range(shape[1]), tf.float32)[tf.newaxis], [shape[0], 1])
    boxes, masks = _same_sets(refined.boxes, refined.masks)
    kept_boxes, scores, classes, kept_masks, more, count = non_max_suppression_fn(
        boxes,
        refined.scores[..., 1:],
        clip_window=frames.window(true_image_shapes),
        change_coordinate_frame=True,
        num_valid_boxes=num_proposals,
        additional_fields={"multiclass_scores": refined.scores, "anchor_indices": places},
        masks=masks,
    )
    detections = {
        Detections.detection_boxes: kept_boxes,
        Detections.detection_scores: scores,
        Detections.detection_classes: classes,
        Detections.detection_multiclass_scores: more["multiclass_scores"],
        Detections.detection_anchor_indices: tf.cast(more["anchor_indices"], tf.int32),
        Detections.num_detections: tf.cast(count, tf.float32),
        Detections.raw_detection_boxes: _likeliest(refined, frames.corner_of(true_image_shapes)),
        Detections.raw_detection_scores: refined.scores,
    }
    if kept_masks is not None:
        detections[Detections.detection_masks] = kept_masks
    return detections
