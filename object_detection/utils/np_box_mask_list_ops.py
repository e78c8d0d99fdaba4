"""Operations on boxes with masks, for users; the code is in `metrics.np_box_mask_list_ops`."""

from object_detection.metrics import np_box_list_ops
from object_detection.metrics.np_box_mask_list_ops import (
    area,
    box_list_to_box_mask_list,
    concatenate,
    filter_scores_greater_than,
    gather,
    intersection,
    ioa,
    iou,
    multi_class_non_max_suppression,
    non_max_suppression,
    prune_non_overlapping_masks,
    sort_by_field,
)

__all__ = [
    "area",
    "box_list_to_box_mask_list",
    "concatenate",
    "filter_scores_greater_than",
    "gather",
    "intersection",
    "ioa",
    "iou",
    "multi_class_non_max_suppression",
    "non_max_suppression",
    "np_box_list_ops",
    "prune_non_overlapping_masks",
    "sort_by_field",
]
