"""Suppression of one picture's boxes, with a `BoxList` as the result.

Axes: N boxes, q box sets (1, or one a class), C classes, D detections, K keypoints.
"""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import box_list, box_list_ops
from object_detection.core import standard_fields as fields
from object_detection.core.post_processing import selection

Fields = fields.BoxListFields


def multiclass_non_max_suppression(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    score_thresh: float,
    iou_thresh: float,
    max_size_per_class: int,
    max_total_size: int = 0,
    clip_window: tf.Tensor | None = None,
    change_coordinate_frame: bool = False,
    masks: tf.Tensor | None = None,
    boundaries: tf.Tensor | None = None,
    pad_to_max_output_size: bool = False,
    use_partitioned_nms: bool = False,
    additional_fields: dict[str, tf.Tensor] | None = None,
    soft_nms_sigma: float = 0.0,
    use_hard_nms: bool = False,
    use_cpu_nms: bool = False,
    scope: str | None = None,
) -> tuple[box_list.BoxList, tf.Tensor]:
    """Keeps the best boxes of each class.

    Args:
        boxes: [N, q, 4], q = 1 if the classes share their boxes, else C.
        scores: [N, C].
        score_thresh: boxes need a higher score.
        iou_thresh: overlap above which the worse box of a class goes.
        max_size_per_class: boxes of a class to keep.
        max_total_size: boxes to keep; 0 for all that are left.
        clip_window: [4] window at which boxes are cut; those without area then go.
        change_coordinate_frame: give boxes and keypoints in the frame of `clip_window`.
        masks: [N, q, height, width].
        boundaries: [N, q, height, width].
        pad_to_max_output_size: give D = min(max_total_size, C * max_size_per_class) rows.
        use_partitioned_nms: no effect: the results would be the same.
        additional_fields: name -> [N, ...].
        soft_nms_sigma: sigma of Gaussian soft suppression; 0 for hard.
        use_hard_nms: hard suppression whatever `soft_nms_sigma` says.
        use_cpu_nms: no effect: devices are TensorFlow's choice.
        scope: name scope.

    Returns:
        Boxes with `scores`, `classes` (float, from 0) and all further fields, by falling score;
        and how many of them count, a scalar. With `pad_to_max_output_size` the rows beyond have
        score -1.

    Raises:
        ValueError: shapes that contradict each other, a change of frame without a window, or a
            threshold outside [0, 1].
    """
    del use_partitioned_nms, use_cpu_nms
    boxes, scores = _checked(boxes, scores, iou_thresh, change_coordinate_frame, clip_window)
    thresholds = selection.Thresholds(
        iou_thresh, score_thresh, 0.0 if use_hard_nms else soft_nms_sigma
    )
    with tf.name_scope(scope, "MultiClassNonMaxSuppression"):
        candidates = selection.per_class(
            boxes, scores, max_size_per_class, thresholds, drop_empty=clip_window is not None
        )
        return _as_list(
            candidates,
            boxes,
            {Fields.masks: masks, Fields.boundaries: boundaries},
            additional_fields,
            _at_most(max_total_size, max_size_per_class * scores.shape.as_list()[2]),
            clip_window,
            change_coordinate_frame,
            pad_to_max_output_size,
        )


def class_agnostic_non_max_suppression(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    score_thresh: float,
    iou_thresh: float,
    max_classes_per_detection: int = 1,
    max_total_size: int = 0,
    clip_window: tf.Tensor | None = None,
    change_coordinate_frame: bool = False,
    masks: tf.Tensor | None = None,
    boundaries: tf.Tensor | None = None,
    pad_to_max_output_size: bool = False,
    use_partitioned_nms: bool = False,
    additional_fields: dict[str, tf.Tensor] | None = None,
    soft_nms_sigma: float = 0.0,
    scope: str | None = None,
) -> tuple[box_list.BoxList, tf.Tensor]:
    """Keeps the best boxes over all classes together, by each box's best score.

    Args:
        boxes: [N, q, 4], q = 1 if the classes share their boxes, else C.
        scores: [N, C].
        score_thresh: boxes need a higher score.
        iou_thresh: overlap above which the worse box goes, whatever its class.
        max_classes_per_detection: best classes of a kept box to report, each as a row.
        max_total_size: boxes to keep; 0 for all that are left.
        clip_window: [4] window at which boxes are cut; those without area then go.
        change_coordinate_frame: give boxes and keypoints in the frame of `clip_window`.
        masks: [N, q, height, width].
        boundaries: [N, q, height, width].
        pad_to_max_output_size: give D = `max_total_size` rows.
        use_partitioned_nms: no effect: the results would be the same.
        additional_fields: name -> [N, ...].
        soft_nms_sigma: sigma of Gaussian soft suppression; 0 for hard.
        scope: name scope.

    Returns:
        As of `multiclass_non_max_suppression`.

    Raises:
        ValueError: shapes that contradict each other, a change of frame without a window, or a
            threshold outside [0, 1].
    """
    del use_partitioned_nms
    boxes, scores = _checked(boxes, scores, iou_thresh, change_coordinate_frame, clip_window)
    with tf.name_scope(scope, "ClassAgnosticNonMaxSuppression"):
        known = boxes.shape.as_list()[1]
        size = max_total_size or (tf.shape(boxes)[1] if known is None else known)
        candidates = selection.over_all_classes(
            boxes,
            scores,
            size,
            selection.Thresholds(iou_thresh, score_thresh, soft_nms_sigma),
            clip_window is not None,
            max_classes_per_detection,
        )
        rows = size * min(max_classes_per_detection, scores.shape.as_list()[2])
        return _as_list(
            candidates,
            boxes,
            {Fields.masks: masks, Fields.boundaries: boundaries},
            additional_fields,
            _at_most(max_total_size, rows),
            clip_window,
            change_coordinate_frame,
            pad_to_max_output_size,
        )


def _checked(
    boxes: Any, scores: Any, iou_thresh: float, change_coordinate_frame: bool, clip_window: Any
) -> tuple[tf.Tensor, tf.Tensor]:
    """Boxes [1, N, q, 4] and scores [1, N, C], if they are what suppression takes."""
    boxes, scores = tf.convert_to_tensor(boxes), tf.convert_to_tensor(scores)
    selection.check_thresholds(iou_thresh, change_coordinate_frame, clip_window)
    if scores.shape.rank != 2:
        raise ValueError(f"scores should be [N, C], got {scores.shape}.")
    selection.check_sets(boxes, scores)
    return boxes[tf.newaxis], scores[tf.newaxis]


def _at_most(limit: Any, rows: Any) -> Any:
    """The smaller number, a limit of 0 meaning none; a Python number if both are."""
    if isinstance(limit, int) and isinstance(rows, int):
        return min(limit, rows) if limit else rows
    return tf.where(tf.equal(limit, 0), rows, tf.minimum(limit, rows))


def _as_list(
    candidates: selection.Candidates,
    boxes: tf.Tensor,
    of_sets: dict[str, tf.Tensor | None],
    of_boxes: dict[str, tf.Tensor] | None,
    total: Any,
    clip_window: tf.Tensor | None,
    change_coordinate_frame: bool,
    padded: bool,
) -> tuple[box_list.BoxList, tf.Tensor]:
    """The best candidates of the one picture, and how many count."""
    if clip_window is not None:
        clip_window = tf.reshape(tf.cast(clip_window, boxes.dtype), [1, 4])
    found = selection.best(
        candidates,
        boxes,
        {
            name: tf.convert_to_tensor(tensor)[tf.newaxis]
            for name, tensor in of_sets.items()
            if tensor is not None
        },
        {
            name: tf.convert_to_tensor(tensor)[tf.newaxis]
            for name, tensor in (of_boxes or {}).items()
        },
        total,
        clip_window,
        change_coordinate_frame,
    )
    count = found.count[0]
    real = tf.range(total) < count
    scores = found.scores[0]
    result = box_list.BoxList(found.boxes[0])
    result.add_field(Fields.scores, tf.where(real, scores, -tf.ones_like(scores)))
    result.add_field(Fields.classes, found.classes[0])
    for name, tensor in {**found.of_sets, **found.of_boxes}.items():
        result.add_field(name, tensor[0])
    if not padded:
        result = box_list_ops.gather(result, tf.range(count))
    return result, count
