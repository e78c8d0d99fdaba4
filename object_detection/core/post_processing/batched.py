"""Suppression of a batch's boxes of several classes; further fields go along.

Axes: B images, N boxes, q box sets (1, or one a class), C classes, D detections, K keypoints.
"""

import functools

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core.post_processing import blending, selection
from object_detection.errors import ConfigError

MASKS = "masks"


def batch_multiclass_non_max_suppression(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    score_thresh: float,
    iou_thresh: float,
    max_size_per_class: int,
    max_total_size: int = 0,
    clip_window: tf.Tensor | None = None,
    change_coordinate_frame: bool = False,
    num_valid_boxes: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    additional_fields: dict[str, tf.Tensor] | None = None,
    soft_nms_sigma: float = 0.0,
    scope: str | None = None,
    use_static_shapes: bool = False,
    use_partitioned_nms: bool = False,
    parallel_iterations: int = 32,
    use_class_agnostic_nms: bool = False,
    max_classes_per_detection: int = 1,
    use_dynamic_map_fn: bool = False,
    use_combined_nms: bool = False,
    use_hard_nms: bool = False,
    use_cpu_nms: bool = False,
    *,
    blend: blending.Blending | None = None,
) -> tuple[
    tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor | None, dict[str, tf.Tensor] | None, tf.Tensor
]:
    """Keeps the best boxes of each class of each picture.

    Args:
        boxes: [B, N, q, 4], q = 1 if the classes share their boxes, else C.
        scores: [B, N, C].
        score_thresh: boxes need a higher score.
        iou_thresh: overlap above which the worse box of a class goes.
        max_size_per_class: boxes of a class to keep.
        max_total_size: D, boxes of a picture to keep; 0 for `max_size_per_class` * C.
        clip_window: [4] or [B, 4] window at which boxes are cut; None for no cut.
        change_coordinate_frame: give boxes and keypoints in the frame of `clip_window`.
        num_valid_boxes: [B] int32, rows of N that count; all by default.
        masks: [B, N, q, height, width].
        additional_fields: name -> [B, N, ...].
        soft_nms_sigma: sigma of Gaussian soft suppression; 0 for hard.
        scope: name scope.
        use_static_shapes: no effect: shapes are always static.
        use_partitioned_nms: no effect: the results would be the same.
        parallel_iterations: no effect.
        use_class_agnostic_nms: suppress over all classes together, by each box's best score.
        max_classes_per_detection: classes reported of a box when suppressing over all classes.
        use_dynamic_map_fn: no effect.
        use_combined_nms: boxes are cut at the window before suppression, not after it, as
            `tf.image.combined_non_max_suppression` does; further fields go along all the same.
        use_hard_nms: hard suppression whatever `soft_nms_sigma` says.
        use_cpu_nms: no effect: devices are TensorFlow's choice.
        blend: average each kept box, and the fields `keypoints` and `keypoint_scores`, with those
            of its class that overlap it; its score and other fields stay. None for no such.

    Returns:
        Boxes [B, D, 4], scores [B, D], classes [B, D] (float, from 0), masks
        [B, D, height, width] or None, fields [B, D, ...] or None, and the number of detections
        [B] int32; what lies beyond that number is 0.

    Raises:
        ValueError: shapes that contradict each other, a change of frame without a window, or a
            threshold outside [0, 1]; or, with `use_combined_nms` or `blend`, an option that it
            excludes.
    """
    del use_static_shapes, use_partitioned_nms, parallel_iterations, use_dynamic_map_fn
    del use_cpu_nms
    boxes, scores = tf.convert_to_tensor(boxes), tf.convert_to_tensor(scores)
    selection.check_thresholds(iou_thresh, change_coordinate_frame, clip_window)
    selection.check_sets(boxes, scores)
    if use_combined_nms:
        _check_combined(
            change_coordinate_frame=change_coordinate_frame,
            num_valid_boxes=num_valid_boxes is not None,
            masks=masks is not None,
            soft_nms_sigma=soft_nms_sigma != 0.0,
            use_class_agnostic_nms=use_class_agnostic_nms,
        )
    thresholds = selection.Thresholds(
        iou_thresh, score_thresh, 0.0 if use_hard_nms else soft_nms_sigma
    )
    if blend is not None:
        blending.check(blend, thresholds.soft_nms_sigma)
    num_classes = scores.shape.as_list()[2]
    with tf.name_scope(scope, "BatchMultiClassNonMaxSuppression"):
        batch, count = tf.shape(boxes)[0], tf.shape(boxes)[1]
        if clip_window is not None:
            clip_window = tf.broadcast_to(tf.cast(clip_window, boxes.dtype), [batch, 4])
        if use_combined_nms and clip_window is not None:
            boxes = box_list_ops.cut(boxes, clip_window[:, tf.newaxis, tf.newaxis])
            clip_window = None
        if num_valid_boxes is not None:
            real = tf.range(count)[tf.newaxis] < tf.cast(num_valid_boxes, tf.int32)[:, tf.newaxis]
            scores = tf.where(
                tf.broadcast_to(real[..., tf.newaxis], tf.shape(scores)),
                scores,
                tf.fill(tf.shape(scores), float("nan")),
            )
        drop_empty = clip_window is not None
        if use_class_agnostic_nms:
            candidates = selection.over_all_classes(
                boxes,
                scores,
                max_total_size or max_size_per_class,
                thresholds,
                drop_empty,
                max_classes_per_detection,
            )
        else:
            candidates = selection.per_class(
                boxes, scores, max_size_per_class, thresholds, drop_empty
            )
        found = selection.best(
            candidates,
            boxes,
            {} if masks is None else {MASKS: tf.convert_to_tensor(masks)},
            {
                name: tf.convert_to_tensor(tensor)
                for name, tensor in (additional_fields or {}).items()
            },
            max_total_size or max_size_per_class * num_classes,
            clip_window,
            change_coordinate_frame,
            blender=(
                functools.partial(blending.blend, blend, score_thresh, scores=scores)
                if blend is not None
                else None
            ),
        )
        return (
            found.boxes,
            found.scores,
            found.classes,
            found.of_sets.get(MASKS),
            None if additional_fields is None else found.of_boxes,
            found.count,
        )


def _check_combined(**options: bool) -> None:
    """Refuses the options that the combined suppression excludes."""
    for name, is_set in options.items():
        if is_set:
            raise ConfigError(f"use_combined_nms excludes {name}: leave one of them out.")
