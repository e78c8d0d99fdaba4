"""What each place that predicts should predict, and how much it counts.

`assigner` has the targets of anchors, `detr` those of queries, and `center_net`, `keypoints`,
`masks` and `tracking` those of the pixels of a grid.
"""

from object_detection.core.target_assigner.assigner import (
    TargetAssigner,
    Targets,
    batch_assign,
    batch_assign_confidences,
    batch_get_targets,
    confidence_targets,
    create_target_assigner,
    gather_rows,
    usable_boxes,
)
from object_detection.core.target_assigner.center_net import (
    CenterNetBoxTargetAssigner,
    CenterNetCenterHeatmapTargetAssigner,
    get_batch_predictions_from_indices,
    max_distance_for_overlap,
)
from object_detection.core.target_assigner.detr import DETRTargetAssigner
from object_detection.core.target_assigner.keypoints import (
    _DEFAULT_KEYPOINT_OFFSET_STD_DEV,
    CenterNetKeypointTargetAssigner,
)
from object_detection.core.target_assigner.masks import (
    CenterNetCornerOffsetTargetAssigner,
    CenterNetDensePoseTargetAssigner,
    CenterNetMaskTargetAssigner,
    ResizeMethod,
    filter_mask_overlap,
    filter_mask_overlap_min_area,
)
from object_detection.core.target_assigner.tracking import (
    CenterNetTemporalOffsetTargetAssigner,
    CenterNetTrackTargetAssigner,
)

__all__ = [
    "_DEFAULT_KEYPOINT_OFFSET_STD_DEV",
    "CenterNetBoxTargetAssigner",
    "CenterNetCenterHeatmapTargetAssigner",
    "CenterNetCornerOffsetTargetAssigner",
    "CenterNetDensePoseTargetAssigner",
    "CenterNetKeypointTargetAssigner",
    "CenterNetMaskTargetAssigner",
    "CenterNetTemporalOffsetTargetAssigner",
    "CenterNetTrackTargetAssigner",
    "DETRTargetAssigner",
    "ResizeMethod",
    "TargetAssigner",
    "Targets",
    "batch_assign",
    "batch_assign_confidences",
    "batch_get_targets",
    "confidence_targets",
    "create_target_assigner",
    "filter_mask_overlap",
    "filter_mask_overlap_min_area",
    "gather_rows",
    "get_batch_predictions_from_indices",
    "max_distance_for_overlap",
    "usable_boxes",
]
