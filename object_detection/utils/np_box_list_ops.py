"""Operations on numpy box lists, for users; the code is in `metrics.np_box_list_ops`."""

from object_detection.metrics.np_box_list_ops import (
    SortOrder,
    area,
    change_coordinate_frame,
    clip_to_window,
    concatenate,
    filter_scores_greater_than,
    gather,
    intersection,
    ioa,
    iou,
    multi_class_non_max_suppression,
    non_max_suppression,
    prune_non_overlapping_boxes,
    prune_outside_window,
    scale,
    sort_by_field,
)

__all__ = [
    "SortOrder",
    "area",
    "change_coordinate_frame",
    "clip_to_window",
    "concatenate",
    "filter_scores_greater_than",
    "gather",
    "intersection",
    "ioa",
    "iou",
    "multi_class_non_max_suppression",
    "non_max_suppression",
    "prune_non_overlapping_boxes",
    "prune_outside_window",
    "scale",
    "sort_by_field",
]
