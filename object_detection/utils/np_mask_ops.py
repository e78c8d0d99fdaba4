"""Overlaps of masks under the OD API's import path; the code is in `metrics.np_masks`."""

from object_detection.metrics.np_masks import (
    EPSILON,
    area,
    intersection,
    ioa,
    iou,
)

__all__ = [
    "EPSILON",
    "area",
    "intersection",
    "ioa",
    "iou",
]
