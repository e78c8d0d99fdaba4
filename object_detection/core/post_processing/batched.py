"""Suppression of a batch's boxes of several classes; further fields go along.

Axes: B images, N boxes, q box sets (1, or one a class), C classes, D detections, K keypoints.
"""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core import standard_fields as fields
from object_detection.core.post_processing import nms

KEYPOINTS = fields.BoxListFields.keypoints


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
) -> tuple[
    tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor | None, dict[str, tf.Tensor] | None, tf.Tensor
]:
    """Keeps the best boxes of each class of each picture.

    Args:
        boxes: [B, N, q, 4], q = 1 if the classes share their boxes, else C.
        scores: [B, N, C].
        score_thresh: boxes need a higher score.
        iou_thresh: overlap from which the worse box of a class goes.
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
        use_combined_nms: no effect: the results would be the same.
        use_hard_nms: hard suppression whatever `soft_nms_sigma` says.
        use_cpu_nms: no effect: devices are TensorFlow's choice.

    Returns:
        Boxes [B, D, 4], scores [B, D], classes [B, D] (float, from 0), masks
        [B, D, height, width] or None, fields [B, D, ...] or None, and the number of detections
        [B] int32; what lies beyond that number is 0.

    Raises:
        ValueError: shapes that contradict each other, a change of frame without a window, or a
            threshold outside [0, 1].
    """
    del use_static_shapes, use_partitioned_nms, parallel_iterations, use_dynamic_map_fn
    del use_combined_nms, use_cpu_nms
    if not 0 <= iou_thresh <= 1.0:
        raise ValueError(f"iou_thresh should lie in [0, 1], got {iou_thresh}.")
    q, num_classes = boxes.shape.as_list()[2], scores.shape.as_list()[2]
    if q not in (1, num_classes):
        raise ValueError(
            f"boxes has {q} sets; that should be 1 or the number of classes {num_classes}."
        )
    if change_coordinate_frame and clip_window is None:
        raise ValueError("change_coordinate_frame needs a clip_window: its frame is meant.")
    if use_hard_nms:
        soft_nms_sigma = 0.0
    with tf.name_scope(scope, "BatchMultiClassNonMaxSuppression"):
        batch, count = tf.shape(boxes)[0], tf.shape(boxes)[1]
        if clip_window is not None:
            clip_window = tf.broadcast_to(clip_window, [batch, 4])
        if num_valid_boxes is not None:
            real = tf.range(count)[tf.newaxis] < num_valid_boxes[:, tf.newaxis]
            scores = tf.where(
                tf.broadcast_to(real[..., tf.newaxis], tf.shape(scores)),
                scores,
                tf.fill(tf.shape(scores), float("nan")),
            )
        if use_class_agnostic_nms and num_classes > 1:
            rows = _agnostic(
                boxes,
                scores,
                max_total_size or max_size_per_class,
                iou_thresh,
                score_thresh,
                soft_nms_sigma,
                max_classes_per_detection,
            )
        else:
            rows = _per_class(
                boxes, scores, max_size_per_class, iou_thresh, score_thresh, soft_nms_sigma
            )
        total = max_total_size or max_size_per_class * (num_classes or 1)
        return _collect(
            rows, boxes, masks, additional_fields, total, clip_window, change_coordinate_frame
        )


def _per_class(
    boxes: tf.Tensor, scores: tf.Tensor, size: int, iou: float, threshold: float, sigma: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Box index, class, score and validity, each [B, C * size]."""
    num_classes = scores.shape.as_list()[2]
    shape = tf.shape(scores)
    by_class = tf.transpose(scores, [0, 2, 1])
    boxes_by_class = tf.transpose(boxes, [0, 2, 1, 3])
    boxes_by_class = tf.broadcast_to(boxes_by_class, [shape[0], num_classes, shape[1], 4])
    static_rows = scores.shape.as_list()[0]
    rows = -1 if static_rows is None else static_rows * num_classes
    indices, kept, valid = nms.keep_best(
        tf.reshape(boxes_by_class, [rows, shape[1], 4]),
        tf.reshape(by_class, [rows, shape[1]]),
        size,
        iou,
        threshold,
        sigma,
    )
    together = [shape[0], num_classes * size]
    real = tf.range(size)[tf.newaxis] < valid[:, tf.newaxis]
    classes = tf.range(num_classes)[tf.newaxis, :, tf.newaxis] + tf.zeros(
        [shape[0], 1, size], tf.int32
    )
    return (
        tf.reshape(indices, together),
        tf.reshape(classes, together),
        tf.reshape(kept, together),
        tf.reshape(real, together),
    )


def _agnostic(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    size: int,
    iou: float,
    threshold: float,
    sigma: float,
    classes_per_box: int,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Suppression by each box's best class; then its best classes are reported."""
    if boxes.shape.as_list()[2] != 1:
        raise ValueError("Suppression over all classes needs one box for all of them (q = 1).")
    classes_per_box = min(classes_per_box, scores.shape.as_list()[2])
    top, classes = tf.nn.top_k(scores, classes_per_box)
    indices, _, valid = nms.keep_best(boxes[:, :, 0], top[..., 0], size, iou, threshold, sigma)
    kept = tf.gather(top, indices, batch_dims=1)
    kept_classes = tf.gather(classes, indices, batch_dims=1)
    real = (tf.range(size)[tf.newaxis] < valid[:, tf.newaxis])[..., tf.newaxis]
    real &= kept > threshold
    together = [tf.shape(scores)[0], size * classes_per_box]
    repeated = tf.tile(indices[..., tf.newaxis], [1, 1, classes_per_box])
    return (
        tf.reshape(repeated, together),
        tf.reshape(kept_classes, together),
        tf.reshape(kept, together),
        tf.reshape(real, together),
    )


def _collect(
    rows: tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
    boxes: tf.Tensor,
    masks: tf.Tensor | None,
    additional_fields: dict[str, tf.Tensor] | None,
    total: int,
    clip_window: tf.Tensor | None,
    change_coordinate_frame: bool,
) -> tuple[Any, ...]:
    """The `total` best of all kept rows of each picture, padded with zeros.

    Boxes are cut only now: suppression compares them whole, as published models were tuned with.
    """
    indices, classes, scores, real = rows
    q = boxes.shape.as_list()[2]

    def of_boxes(tensor: tf.Tensor) -> tf.Tensor:
        """[B, N, q, ...] -> [B, D, ...]: the class's set, or the common one."""
        picked = tf.gather(tensor, indices, batch_dims=1)
        if q == 1:
            return picked[:, :, 0]
        return tf.gather(picked, classes, batch_dims=2)

    if clip_window is not None:
        boxes = box_list_ops.cut(boxes, clip_window[:, tf.newaxis, tf.newaxis])
        real &= box_list_ops.box_area(of_boxes(boxes)) > 0.0
    width = indices.shape.as_list()[1]
    if width is None or width < total:
        margin = tf.maximum(total - tf.shape(indices)[1], 0)
        indices, classes, scores, real = (
            tf.pad(tensor, tf.convert_to_tensor([[0, 0], [0, margin]]))
            for tensor in (indices, classes, scores, real)
        )
    ranked = tf.where(real, scores, tf.fill(tf.shape(scores), -float("inf")))
    _, order = tf.nn.top_k(ranked, total)
    indices, classes, scores, real = (
        tf.gather(tensor, order, batch_dims=1) for tensor in (indices, classes, scores, real)
    )

    def only_real(tensor: tf.Tensor) -> tf.Tensor:
        mask = tf.reshape(real, tf.concat([tf.shape(real), [1] * (tensor.shape.rank - 2)], 0))
        tensor = tf.where(tf.broadcast_to(mask, tf.shape(tensor)), tensor, tf.zeros_like(tensor))
        tensor.set_shape([boxes.shape[0], total, *tensor.shape.as_list()[2:]])
        return tensor

    kept_boxes = of_boxes(boxes)
    kept_fields = None
    if additional_fields is not None:
        kept_fields = {
            name: tf.gather(tensor, indices, batch_dims=1)
            for name, tensor in additional_fields.items()
        }
    if change_coordinate_frame and clip_window is not None:
        kept_boxes = box_list_ops.frame_change(kept_boxes, clip_window[:, tf.newaxis])
        if kept_fields and KEYPOINTS in kept_fields:
            window = clip_window[:, tf.newaxis, tf.newaxis]
            kept_fields[KEYPOINTS] = (kept_fields[KEYPOINTS] - window[..., :2]) / (
                window[..., 2:] - window[..., :2]
            )
    return (
        only_real(kept_boxes),
        only_real(scores),
        only_real(tf.cast(classes, tf.float32)),
        None if masks is None else only_real(of_boxes(masks)),
        kept_fields and {name: only_real(tensor) for name, tensor in kept_fields.items()},
        tf.reduce_sum(tf.cast(real, tf.int32), axis=1),
    )
