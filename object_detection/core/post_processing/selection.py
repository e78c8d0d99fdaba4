"""Which boxes stay, with which class and score, and what goes along with them.

Axes: B images, N boxes, q box sets (1, or one a class), C classes, R candidates, D detections,
K keypoints.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core import standard_fields as fields
from object_detection.core.post_processing import blending, nms

KEYPOINTS = fields.BoxListFields.keypoints
# Fields of boxes that a mean makes sense of: places in the picture, and how likely each can be seen.
BLENDED = (KEYPOINTS, fields.BoxListFields.keypoint_scores)

# `blending.blend` with its settings and the scores.
Blender = Callable[..., tuple[tf.Tensor, dict[str, tf.Tensor]]]


class Candidates(NamedTuple):
    """Kept boxes, of which those with `real` count: each [B, R]."""

    indices: tf.Tensor  # int32, row of N
    classes: tf.Tensor  # int32
    scores: tf.Tensor
    real: tf.Tensor  # bool


class Thresholds(NamedTuple):
    """What suppression compares with."""

    iou: float
    score: float
    soft_nms_sigma: float = 0.0


def check_thresholds(iou_thresh: float, change_coordinate_frame: bool, clip_window: Any) -> None:
    """Refuses what no suppression can work with; a `ValueError`."""
    if not 0 <= iou_thresh <= 1.0:
        raise ValueError(f"iou_thresh should lie in [0, 1], got {iou_thresh}.")
    if change_coordinate_frame and clip_window is None:
        raise ValueError("change_coordinate_frame needs a clip_window: its frame is meant.")


def check_sets(boxes: tf.Tensor, scores: tf.Tensor) -> None:
    """Refuses shapes that contradict each other; a `ValueError`.

    Args:
        boxes: [..., N, q, 4].
        scores: [..., N, C].
    """
    if boxes.shape.rank != scores.shape.rank + 1:
        raise ValueError(
            f"boxes should have one axis more than scores, got {boxes.shape} and {scores.shape}."
        )
    if boxes.shape[-1] != 4:
        raise ValueError(f"The last axis of boxes should be 4, got {boxes.shape}.")
    q, num_classes = boxes.shape.as_list()[-2], scores.shape.as_list()[-1]
    if num_classes is None:
        raise ValueError(f"The number of classes should be known, got scores {scores.shape}.")
    if q not in (1, num_classes):
        raise ValueError(
            f"boxes has {q} sets; that should be 1 or the number of classes {num_classes}."
        )


def per_class(
    boxes: tf.Tensor, scores: tf.Tensor, size: Any, thresholds: Thresholds, drop_empty: bool
) -> Candidates:
    """Suppression of each class by itself: C * size candidates."""
    num_classes = scores.shape.as_list()[2]
    shape = tf.shape(scores)
    by_class = tf.transpose(scores, [0, 2, 1])
    boxes_by_class = tf.transpose(boxes, [0, 2, 1, 3])
    boxes_by_class = tf.broadcast_to(boxes_by_class, [shape[0], num_classes, shape[1], 4])
    static_rows = scores.shape.as_list()[0]
    rows = shape[0] * num_classes if static_rows is None else static_rows * num_classes
    indices, kept, valid = nms.keep_best(
        tf.reshape(boxes_by_class, [rows, shape[1], 4]),
        tf.reshape(by_class, [rows, shape[1]]),
        size,
        thresholds.iou,
        thresholds.score,
        thresholds.soft_nms_sigma,
        drop_empty,
    )
    together = [shape[0], num_classes * size]
    real = tf.range(size)[tf.newaxis] < valid[:, tf.newaxis]
    classes = tf.range(num_classes)[tf.newaxis, :, tf.newaxis] + tf.zeros(
        [shape[0], 1, size], tf.int32
    )
    return Candidates(*(tf.reshape(one, together) for one in (indices, classes, kept, real)))


def over_all_classes(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    size: Any,
    thresholds: Thresholds,
    drop_empty: bool,
    classes_per_box: int,
) -> Candidates:
    """Suppression by each box's best class; then the best classes of each kept box."""
    classes_per_box = min(classes_per_box, scores.shape.as_list()[2])
    # NaN has no place in an order: it would hide the classes that have a score.
    lowest = tf.fill(tf.shape(scores), tf.constant(-float("inf"), scores.dtype))
    scores = tf.where(tf.math.is_nan(scores), lowest, scores)
    top, classes = tf.nn.top_k(scores, classes_per_box)
    whole = boxes[:, :, 0]
    if boxes.shape.as_list()[2] != 1:
        whole = tf.gather(boxes, classes[..., 0], batch_dims=2)
    indices, best, valid = nms.keep_best(
        whole,
        top[..., 0],
        size,
        thresholds.iou,
        thresholds.score,
        thresholds.soft_nms_sigma,
        drop_empty,
    )
    kept = _rows(top, indices)
    if thresholds.soft_nms_sigma:
        # The other classes of a box stand where they stood below its best.
        kept *= tf.math.divide_no_nan(best, kept[..., 0])[..., tf.newaxis]
    kept_classes = _rows(classes, indices)
    real = (tf.range(size)[tf.newaxis] < valid[:, tf.newaxis])[..., tf.newaxis]
    real &= kept > thresholds.score
    together = [tf.shape(scores)[0], size * classes_per_box]
    repeated = tf.tile(indices[..., tf.newaxis], [1, 1, classes_per_box])
    return Candidates(*(tf.reshape(one, together) for one in (repeated, kept_classes, kept, real)))


def _rows(tensor: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    """[B, N, ...] at [B, D] -> [B, D, ...]; zeros where there are no rows at all."""
    if not tensor.shape.as_list()[1]:
        # One row more, so that there is something to look up when N is 0.
        tensor = tf.pad(tensor, [[0, 0], [0, 1]] + [[0, 0]] * (tensor.shape.rank - 2))
    return tf.gather(tensor, indices, batch_dims=1)


class Detections(NamedTuple):
    """The best of all candidates, those that count first, then zeros."""

    boxes: tf.Tensor  # [B, D, 4]
    scores: tf.Tensor  # [B, D]
    classes: tf.Tensor  # [B, D] float32, from 0
    of_sets: dict[str, tf.Tensor]  # [B, D, ...], what each set of boxes has
    of_boxes: dict[str, tf.Tensor]  # [B, D, ...], what each box has
    count: tf.Tensor  # [B] int32


def best(
    candidates: Candidates,
    boxes: tf.Tensor,
    of_sets: dict[str, tf.Tensor],
    of_boxes: dict[str, tf.Tensor],
    total: Any,
    clip_window: tf.Tensor | None,
    change_coordinate_frame: bool,
    blender: Blender | None = None,
) -> Detections:
    """The `total` best of all candidates of each picture, padded with zeros.

    Boxes are cut only now: suppression compares them whole, as published models were tuned with.

    Args:
        candidates: of suppression.
        boxes: [B, N, q, 4].
        of_sets: name -> [B, N, q, ...], with the q of the boxes or one of its own.
        of_boxes: name -> [B, N, ...].
        total: D.
        clip_window: [B, 4] at which boxes are cut; those outside do not count.
        change_coordinate_frame: give boxes and keypoints in the frame of `clip_window`.
        blender: what averages boxes and keypoints of the D best with others; None for no such.
    """
    indices, classes, scores, real = candidates
    whole_boxes = boxes

    def of_set(tensor: tf.Tensor) -> tf.Tensor:
        """[B, N, q, ...] -> [B, D, ...]: the class's set, or the common one."""
        picked = _rows(tensor, indices)
        if tensor.shape.as_list()[2] == 1:
            return picked[:, :, 0]
        return tf.gather(picked, classes, batch_dims=2)

    if clip_window is not None:
        boxes = box_list_ops.cut(boxes, clip_window[:, tf.newaxis, tf.newaxis])
        real &= box_list_ops.box_area(of_set(boxes)) > 0.0
    width = indices.shape.as_list()[1]
    if width is None or not isinstance(total, int) or width < total:
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
        known = total if isinstance(total, int) else None
        tensor.set_shape([boxes.shape[0], known, *tensor.shape.as_list()[2:]])
        return tensor

    kept_boxes = of_set(boxes)
    kept_fields = {name: _rows(tensor, indices) for name, tensor in of_boxes.items()}
    if blender is not None:
        points = [name for name in of_boxes if name in BLENDED]
        kept_boxes, blended = blender(
            kept=blending.Kept(
                indices,
                classes,
                scores,
                of_set(whole_boxes),
                kept_boxes,
                {name: kept_fields[name] for name in points},
            ),
            whole_boxes=whole_boxes,
            boxes=boxes,
            points={name: of_boxes[name] for name in points},
        )
        kept_fields.update(blended)
    if change_coordinate_frame and clip_window is not None:
        kept_boxes = box_list_ops.frame_change(kept_boxes, clip_window[:, tf.newaxis])
        if KEYPOINTS in kept_fields:
            window = clip_window[:, tf.newaxis, tf.newaxis]
            kept_fields[KEYPOINTS] = (kept_fields[KEYPOINTS] - window[..., :2]) / (
                window[..., 2:] - window[..., :2]
            )
    count = tf.reduce_sum(tf.cast(real, tf.int32), axis=1)
    count.set_shape([boxes.shape[0]])
    return Detections(
        only_real(kept_boxes),
        only_real(scores),
        only_real(tf.cast(classes, tf.float32)),
        {name: only_real(of_set(tensor)) for name, tensor in of_sets.items()},
        {name: only_real(tensor) for name, tensor in kept_fields.items()},
        count,
    )
