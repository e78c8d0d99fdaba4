"""Evaluators under the OD API's import path; the code is in `metrics`."""

from object_detection.metrics.average_precision import (
    ObjectDetectionEvalMetrics,
    ObjectDetectionEvaluation,
    ObjectDetectionEvaluationState,
)
from object_detection.metrics.detection_evaluator import DetectionEvaluator
from object_detection.metrics.open_images_evaluation import (
    OpenImagesChallengeEvaluator,
    OpenImagesDetectionChallengeEvaluator,
    OpenImagesDetectionEvaluator,
    OpenImagesInstanceSegmentationChallengeEvaluator,
)
from object_detection.metrics.pascal_evaluation import (
    ObjectDetectionEvaluator,
    PascalDetectionEvaluator,
    PascalInstanceSegmentationEvaluator,
    PrecisionAtRecallDetectionEvaluator,
    WeightedPascalDetectionEvaluator,
    WeightedPascalInstanceSegmentationEvaluator,
)

__all__ = [
    "DetectionEvaluator",
    "ObjectDetectionEvalMetrics",
    "ObjectDetectionEvaluation",
    "ObjectDetectionEvaluationState",
    "ObjectDetectionEvaluator",
    "OpenImagesChallengeEvaluator",
    "OpenImagesDetectionChallengeEvaluator",
    "OpenImagesDetectionEvaluator",
    "OpenImagesInstanceSegmentationChallengeEvaluator",
    "PascalDetectionEvaluator",
    "PascalInstanceSegmentationEvaluator",
    "PrecisionAtRecallDetectionEvaluator",
    "WeightedPascalDetectionEvaluator",
    "WeightedPascalInstanceSegmentationEvaluator",
]
