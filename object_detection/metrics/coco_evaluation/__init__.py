"""COCO's metrics of boxes, keypoints and masks, and panoptic quality, as evaluators."""

from object_detection.metrics.coco_evaluation.boxes import CocoDetectionEvaluator
from object_detection.metrics.coco_evaluation.keypoints import CocoKeypointEvaluator
from object_detection.metrics.coco_evaluation.masks import (
    CocoMaskEvaluator,
    convert_masks_to_binary,
)
from object_detection.metrics.coco_evaluation.oks import OksEvaluator
from object_detection.metrics.coco_evaluation.panoptic import CocoPanopticSegmentationEvaluator

__all__ = [
    "CocoDetectionEvaluator",
    "CocoKeypointEvaluator",
    "CocoMaskEvaluator",
    "CocoPanopticSegmentationEvaluator",
    "OksEvaluator",
    "convert_masks_to_binary",
]
