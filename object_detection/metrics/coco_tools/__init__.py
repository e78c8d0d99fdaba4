"""Between our arrays and pycocotools: exports to COCO's format, and its evaluation by names."""

from object_detection.metrics.coco_tools.export import (
    ExportDetectionsToCOCO,
    ExportGroundtruthToCOCO,
    ExportKeypointsToCOCO,
    ExportSegmentsToCOCO,
    ExportSingleImageDetectionBoxesToCoco,
    ExportSingleImageDetectionMasksToCoco,
    ExportSingleImageGroundtruthToCoco,
)
from object_detection.metrics.coco_tools.wrappers import (
    COCO_KEYPOINT_METRIC_NAMES_AND_INDEX,
    COCO_METRIC_NAMES_AND_INDEX,
    DEFAULT_MAX_DETECTIONS,
    OKS_METRICS,
    COCOEvalWrapper,
    COCOWrapper,
    box_metric_names,
)

__all__ = [
    "COCO_KEYPOINT_METRIC_NAMES_AND_INDEX",
    "COCO_METRIC_NAMES_AND_INDEX",
    "DEFAULT_MAX_DETECTIONS",
    "OKS_METRICS",
    "COCOEvalWrapper",
    "COCOWrapper",
    "ExportDetectionsToCOCO",
    "ExportGroundtruthToCOCO",
    "ExportKeypointsToCOCO",
    "ExportSegmentsToCOCO",
    "ExportSingleImageDetectionBoxesToCoco",
    "ExportSingleImageDetectionMasksToCoco",
    "ExportSingleImageGroundtruthToCoco",
    "box_metric_names",
]
