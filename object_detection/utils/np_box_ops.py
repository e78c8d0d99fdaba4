"""Overlaps of boxes under the OD API's import path; the code is in `metrics.np_boxes`."""

from object_detection.metrics.np_boxes import (
    area,
    intersection,
    ioa,
    iou,
)

__all__ = [
    "area",
    "intersection",
    "ioa",
    "iou",
]
