"""`PerImageEvaluation` under the OD API's import path; the code is in `metrics`."""

from object_detection.metrics.per_image_evaluation import PerImageEvaluation

__all__ = ["PerImageEvaluation"]
