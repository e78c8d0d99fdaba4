"""Which metrics an evaluation computes, and where its numbers go."""

import os
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError
from object_detection.metrics import (
    coco_evaluation,
    keypoint_evaluation,
    open_images_evaluation,
    pascal_evaluation,
)
from object_detection.metrics.detection_evaluator import Category, DetectionEvaluator
from object_detection.registry import Table
from object_detection.utils import files

EVAL_DEFAULT_METRIC = "coco_detection_metrics"
KEYPOINT_ERROR_METRIC = "keypoint_error_metrics"
PRECISION_AT_RECALL_METRIC = "precision_at_recall_detection_metrics"

# Name in `eval_config.metrics_set` -> class; users add their own.
EVAL_METRICS_CLASS_DICT = Table("metric in eval_config.metrics_set")
EVAL_METRICS_CLASS_DICT.update(
    {
        EVAL_DEFAULT_METRIC: coco_evaluation.CocoDetectionEvaluator,
        KEYPOINT_ERROR_METRIC: keypoint_evaluation.KeypointErrorEvaluator,
        "pascal_voc_detection_metrics": pascal_evaluation.PascalDetectionEvaluator,
        "weighted_pascal_voc_detection_metrics": (
            pascal_evaluation.WeightedPascalDetectionEvaluator
        ),
        PRECISION_AT_RECALL_METRIC: pascal_evaluation.PrecisionAtRecallDetectionEvaluator,
        "pascal_voc_instance_segmentation_metrics": (
            pascal_evaluation.PascalInstanceSegmentationEvaluator
        ),
        "weighted_pascal_voc_instance_segmentation_metrics": (
            pascal_evaluation.WeightedPascalInstanceSegmentationEvaluator
        ),
        "oid_V2_detection_metrics": open_images_evaluation.OpenImagesDetectionEvaluator,
        "oid_challenge_detection_metrics": (
            open_images_evaluation.OpenImagesDetectionChallengeEvaluator
        ),
        "oid_challenge_segmentation_metrics": (
            open_images_evaluation.OpenImagesInstanceSegmentationChallengeEvaluator
        ),
    }
)


def evaluator_options_from_eval_config(eval_config: Any) -> dict[str, dict[str, Any]]:
    """Name of a metric -> keyword arguments of its class, as an `EvalConfig` message says."""
    width = float(eval_config.min_object_width)
    groups: dict[str, list[str]] = {
        name: [member.strip() for member in members.split(",")]
        for name, members in eval_config.super_categories.items()
    }
    return {
        EVAL_DEFAULT_METRIC: {
            "include_metrics_per_category": eval_config.include_metrics_per_category,
            "all_metrics_per_category": eval_config.all_metrics_per_category,
            "skip_predictions_for_unlabeled_class": (
                eval_config.skip_predictions_for_unlabeled_class
            ),
            "super_categories": groups or None,
            "min_object_width": width,
        },
        KEYPOINT_ERROR_METRIC: {"min_object_width": width},
        PRECISION_AT_RECALL_METRIC: {
            "recall_lower_bound": eval_config.recall_lower_bound,
            "recall_upper_bound": eval_config.recall_upper_bound,
            "skip_predictions_for_unlabeled_class": (
                eval_config.skip_predictions_for_unlabeled_class
            ),
        },
    }


def get_evaluators(
    eval_config: Any,
    categories: list[Category],
    evaluator_options: dict[str, dict[str, Any]] | None = None,
) -> list[DetectionEvaluator]:
    """The evaluators that `eval_config.metrics_set` names.

    Args:
        eval_config: `EvalConfig` message.
        categories: `{"id", "name"}` each.
        evaluator_options: name of a metric -> keyword arguments of its class.

    Raises:
        ConfigError: a metric is not known, or its parameters are not available.
    """
    if eval_config.parameterized_metric:
        raise ConfigError("eval_config.parameterized_metric: not available; leave it out.")
    names = list(eval_config.metrics_set) or [EVAL_DEFAULT_METRIC]
    options = evaluator_options or {}
    return [
        EVAL_METRICS_CLASS_DICT[name](categories, **options.get(name, {}))
        for name in dict.fromkeys(names)
    ]


def write_metrics(metrics: dict[str, float], global_step: int, summary_dir: str) -> None:
    """Writes metrics for TensorBoard.

    Args:
        metrics: by name.
        global_step: training step that they belong to.
        summary_dir: directory of TensorBoard files.
    """
    writer = tf.summary.FileWriter(summary_dir)
    writer.add_summary(
        tf.Summary(
            value=[
                tf.Summary.Value(tag=name, simple_value=value)
                for name, value in sorted(metrics.items())
            ]
        ),
        global_step,
    )
    writer.close()


def write_metrics_file(content: dict[str, Any], eval_dir: str) -> str:
    """Writes `metrics.json`, whole or not at all; NaN becomes null. Returns its path."""
    path = os.path.join(eval_dir, "metrics.json")
    metrics = {
        name: value if value == value else None for name, value in content["metrics"].items()
    }
    files.write_json(path, {**content, "metrics": metrics})
    return path
