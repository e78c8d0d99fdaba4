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
    COCOEvalWrapper,
    COCOWrapper,
)

__all__ = [
    "COCO_KEYPOINT_METRIC_NAMES_AND_INDEX",
    "COCO_METRIC_NAMES_AND_INDEX",
    "COCOEvalWrapper",
    "COCOWrapper",
    "ExportDetectionsToCOCO",
    "ExportGroundtruthToCOCO",
    "ExportKeypointsToCOCO",
    "ExportSegmentsToCOCO",
    "ExportSingleImageDetectionBoxesToCoco",
    "ExportSingleImageDetectionMasksToCoco",
    "ExportSingleImageGroundtruthToCoco",
]
