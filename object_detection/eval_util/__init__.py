"""Evaluation: which metrics, of which tensors, of which checkpoints, and where the numbers go."""

from object_detection.eval_util.checkpoint_runs import repeated_checkpoint_run
from object_detection.eval_util.evaluators import (
    EVAL_DEFAULT_METRIC,
    EVAL_KEYPOINT_METRIC,
    EVAL_METRICS_CLASS_DICT,
    KEYPOINT_ERROR_METRIC,
    KEYPOINT_OKS_METRIC,
    KEYPOINT_VISIBILITY_METRIC,
    OBJECT_SIZE_METRIC,
    evaluator_options_from_eval_config,
    get_eval_metric_ops_for_evaluators,
    get_evaluators,
)
from object_detection.eval_util.report_files import write_sheets
from object_detection.eval_util.reports import (
    visualize_detection_results,
    write_metrics,
    write_metrics_file,
)
from object_detection.eval_util.result_dicts import (
    has_densepose,
    resize_detection_masks,
    result_dict_for_batched_example,
    result_dict_for_single_example,
)
from object_detection.eval_util.results_table import results_table
from object_detection.eval_util.sheets import Sheet
from object_detection.eval_util.sheets import collect as collect_sheets
from object_detection.visualization.curve_plots import HOW_TO_GET_PLOTS

__all__ = [
    "EVAL_DEFAULT_METRIC",
    "EVAL_KEYPOINT_METRIC",
    "EVAL_METRICS_CLASS_DICT",
    "HOW_TO_GET_PLOTS",
    "KEYPOINT_ERROR_METRIC",
    "KEYPOINT_OKS_METRIC",
    "KEYPOINT_VISIBILITY_METRIC",
    "OBJECT_SIZE_METRIC",
    "Sheet",
    "collect_sheets",
    "evaluator_options_from_eval_config",
    "get_eval_metric_ops_for_evaluators",
    "get_evaluators",
    "has_densepose",
    "repeated_checkpoint_run",
    "resize_detection_masks",
    "result_dict_for_batched_example",
    "result_dict_for_single_example",
    "results_table",
    "visualize_detection_results",
    "write_metrics",
    "write_metrics_file",
    "write_sheets",
]
