"""Suppression of overlapping boxes, and conversion of logits to scores."""

from object_detection.core.post_processing.batched import batch_multiclass_non_max_suppression
from object_detection.core.post_processing.nms import (
    _NMS_TILE_SIZE,
    NullContextmanager,
    batch_iou,
    partitioned_non_max_suppression_padded,
)
from object_detection.core.post_processing.single import (
    class_agnostic_non_max_suppression,
    multiclass_non_max_suppression,
)

__all__ = [
    "_NMS_TILE_SIZE",
    "NullContextmanager",
    "batch_iou",
    "batch_multiclass_non_max_suppression",
    "class_agnostic_non_max_suppression",
    "multiclass_non_max_suppression",
    "partitioned_non_max_suppression_padded",
]
