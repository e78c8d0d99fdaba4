"""Which metrics an evaluation computes."""

import functools
from collections.abc import Iterable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError
from object_detection.metrics import (
    coco_evaluation,
    keypoint_evaluation,
    keypoint_visibility_evaluation,
    open_images_evaluation,
    pascal_evaluation,
    size_evaluation,
)
from object_detection.metrics.detection_evaluator import Category, DetectionEvaluator
from object_detection.protos import eval_pb2
from object_detection.registry import Table

EVAL_DEFAULT_METRIC = "coco_detection_metrics"
# Is made of a class and its keypoints, which `eval_config.parameterized_metric` names.
EVAL_KEYPOINT_METRIC = "coco_keypoint_metrics"
KEYPOINT_ERROR_METRIC = "keypoint_error_metrics"
KEYPOINT_OKS_METRIC = "keypoint_oks_metrics"
KEYPOINT_VISIBILITY_METRIC = "keypoint_visibility_metrics"
OBJECT_SIZE_METRIC = "object_size_metrics"

_COCO_MASK_METRIC = "coco_mask_metrics"
_PRECISION_AT_RECALL = "precision_at_recall_detection_metrics"

# Name in `eval_config.metrics_set` -> class; users add their own.
EVAL_METRICS_CLASS_DICT = Table("metric in eval_config.metrics_set")
EVAL_METRICS_CLASS_DICT.update(
    {
        EVAL_DEFAULT_METRIC: coco_evaluation.CocoDetectionEvaluator,
        EVAL_KEYPOINT_METRIC: coco_evaluation.CocoKeypointEvaluator,
        _COCO_MASK_METRIC: coco_evaluation.CocoMaskEvaluator,
        "coco_panoptic_metrics": coco_evaluation.CocoPanopticSegmentationEvaluator,
        KEYPOINT_ERROR_METRIC: keypoint_evaluation.KeypointErrorEvaluator,
        KEYPOINT_OKS_METRIC: coco_evaluation.OksEvaluator,
        KEYPOINT_VISIBILITY_METRIC: keypoint_visibility_evaluation.KeypointVisibilityEvaluator,
        OBJECT_SIZE_METRIC: size_evaluation.SizeEvaluator,
        "oid_challenge_detection_metrics": (
            open_images_evaluation.OpenImagesDetectionChallengeEvaluator
        ),
        "oid_challenge_segmentation_metrics": (
            open_images_evaluation.OpenImagesInstanceSegmentationChallengeEvaluator
        ),
        "oid_V2_detection_metrics": open_images_evaluation.OpenImagesDetectionEvaluator,
        "oid_V2_segmentation_metrics": functools.partial(
            open_images_evaluation.OpenImagesDetectionEvaluator, evaluate_masks=True
        ),
        "pascal_voc_detection_metrics": pascal_evaluation.PascalDetectionEvaluator,
        "weighted_pascal_voc_detection_metrics": pascal_evaluation.WeightedPascalDetectionEvaluator,
        "pascal_voc_instance_segmentation_metrics": (
            pascal_evaluation.PascalInstanceSegmentationEvaluator
        ),
        "weighted_pascal_voc_instance_segmentation_metrics": (
            pascal_evaluation.WeightedPascalInstanceSegmentationEvaluator
        ),
        _PRECISION_AT_RECALL: pascal_evaluation.PrecisionAtRecallDetectionEvaluator,
    }
)


def _coco_options(eval_config: Any) -> dict[str, Any]:
    options: dict[str, Any] = {
        "include_metrics_per_category": eval_config.include_metrics_per_category
    }
    if eval_config.all_metrics_per_category:
        options["all_metrics_per_category"] = True
    if eval_config.super_categories:
        options["super_categories"] = {
            name: [member.strip() for member in members.split(",")]
            for name, members in eval_config.super_categories.items()
        }
    return options


def _own_fields(eval_config: Any) -> Any:
    """The message, or the defaults of our own fields for an object with the OD API's alone."""
    return eval_config if hasattr(eval_config, "oks_sigmas") else eval_pb2.EvalConfig()


def _shares(values: Iterable[float]) -> list[float]:
    # Fields have single precision; 0.1 should compare as people write it.
    return [round(float(value), 6) for value in values]


def _width_options(eval_config: Any) -> dict[str, Any]:
    width = float(_own_fields(eval_config).min_object_width)
    return {"min_object_width": width} if width > 0 else {}


def _keypoint_error_options(eval_config: Any) -> dict[str, Any]:
    own = _own_fields(eval_config)
    options: dict[str, Any] = _width_options(eval_config)
    if own.keypoint_names:
        options["keypoint_names"] = list(own.keypoint_names)
    if own.pck_thresholds:
        options["pck_thresholds"] = _shares(own.pck_thresholds)
    if own.HasField("keypoint_failure_threshold"):
        (options["failure_threshold"],) = _shares([own.keypoint_failure_threshold])
    if own.keypoint_size_between:
        options["size_between"] = list(own.keypoint_size_between)
    return options


def _oks_options(eval_config: Any) -> dict[str, Any]:
    own = _own_fields(eval_config)
    options: dict[str, Any] = {}
    if own.oks_sigmas:
        options["oks_sigmas"] = _shares(own.oks_sigmas)
    if own.HasField("oks_max_detections"):
        options["max_detections"] = own.oks_max_detections
    return options


def _crowd_options(eval_config: Any) -> dict[str, Any]:
    own = _own_fields(eval_config)
    return {"max_detections": own.max_detections} if own.HasField("max_detections") else {}


def evaluator_options_from_eval_config(eval_config: Any) -> dict[str, dict[str, Any]]:
    """Name of a metric in `metrics_set` -> keyword arguments of its class.

    Args:
        eval_config: `EvalConfig` message.
    """
    options: dict[str, dict[str, Any]] = {}
    for name in eval_config.metrics_set:
        if name == EVAL_DEFAULT_METRIC:
            options[name] = {
                **_coco_options(eval_config),
                "skip_predictions_for_unlabeled_class": (
                    eval_config.skip_predictions_for_unlabeled_class
                ),
                **_width_options(eval_config),
                **_crowd_options(eval_config),
            }
        elif name == _COCO_MASK_METRIC:
            options[name] = _coco_options(eval_config)
        elif name == _PRECISION_AT_RECALL:
            options[name] = {
                "recall_lower_bound": eval_config.recall_lower_bound,
                "recall_upper_bound": eval_config.recall_upper_bound,
            }
        elif name == KEYPOINT_ERROR_METRIC:
            options[name] = _keypoint_error_options(eval_config)
        elif name == KEYPOINT_OKS_METRIC:
            options[name] = _oks_options(eval_config)
        elif name == OBJECT_SIZE_METRIC:
            options[name] = _crowd_options(eval_config)
    return options


def _keypoint_evaluator(settings: Any, categories: list[Category]) -> DetectionEvaluator | None:
    """The evaluator of a `CocoKeypointMetrics` message; None if its class is not there.

    Raises:
        ConfigError: the class has no keypoints.
    """
    label = settings.class_label
    category = next((one for one in categories if one["name"] == label), None)
    if category is None:
        return None
    if not category.get("keypoints"):
        raise ConfigError(
            f"eval_config.parameterized_metric: the label map has no keypoints of {label!r}. Give "
            "its item keypoints { id: 0 label: 'nose' }, ..., or leave the metric out."
        )
    evaluator: DetectionEvaluator = EVAL_METRICS_CLASS_DICT[EVAL_KEYPOINT_METRIC](
        category["id"],
        [{"id": number, "name": name} for name, number in category["keypoints"].items()],
        label,
        dict(settings.keypoint_label_to_sigmas),
    )
    return evaluator


def get_evaluators(
    eval_config: Any,
    categories: list[Category],
    evaluator_options: dict[str, dict[str, Any]] | None = None,
) -> list[DetectionEvaluator]:
    """The evaluators that `eval_config.metrics_set` and `parameterized_metric` name.

    Args:
        eval_config: `EvalConfig` message.
        categories: `{"id", "name"}` each, for keypoint metrics with `"keypoints"`, name -> number.
        evaluator_options: name of a metric -> keyword arguments of its class.

    Returns:
        The evaluators, those of `metrics_set` first; a parameterised metric of a class that is not
        among the categories is left out.

    Raises:
        ConfigError: a metric is not known, or needs parameters.
    """
    names = list(eval_config.metrics_set) or [EVAL_DEFAULT_METRIC]
    if EVAL_KEYPOINT_METRIC in names:
        raise ConfigError(
            f"eval_config.metrics_set: {EVAL_KEYPOINT_METRIC} needs a class and its keypoints; use "
            "parameterized_metric { coco_keypoint_metrics { class_label: 'person' } }."
        )
    options = evaluator_options or {}
    evaluators: list[DetectionEvaluator] = [
        EVAL_METRICS_CLASS_DICT[name](categories, **options.get(name, {}))
        for name in dict.fromkeys(names)
    ]
    for metric in getattr(eval_config, "parameterized_metric", ()):
        if metric.WhichOneof("parameterized_metric") != EVAL_KEYPOINT_METRIC:
            raise ConfigError("eval_config.parameterized_metric names no metric; leave it out.")
        evaluator = _keypoint_evaluator(metric.coco_keypoint_metrics, categories)
        if evaluator is not None:
            evaluators.append(evaluator)
    return evaluators


def get_eval_metric_ops_for_evaluators(
    eval_config: Any, categories: list[Category], eval_dict: dict[str, Any]
) -> dict[str, tuple[tf.Tensor, tf.Operation]]:
    """Name of a metric -> (its value, the operation that adds the pictures), of all evaluators.

    Args:
        eval_config: `EvalConfig` message.
        categories: as `get_evaluators` takes them.
        eval_dict: tensors, as `result_dict_for_single_example` or its batched sister makes them.
    """
    options = evaluator_options_from_eval_config(eval_config)
    operations: dict[str, tuple[tf.Tensor, tf.Operation]] = {}
    for evaluator in get_evaluators(eval_config, categories, options):
        operations.update(evaluator.get_estimator_eval_metric_ops(eval_dict))
    return operations
