"""`post_processing` message -> suppression function and score converter."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.builders import calibration_builder, cases
from object_detection.core import post_processing
from object_detection.core.post_processing import blending, score_conversion
from object_detection.errors import ConfigError
from object_detection.protos import post_processing_pb2
from object_detection.utils.config_check import detection_check

_CONVERTERS = {
    post_processing_pb2.PostProcessing.IDENTITY: score_conversion.identity,
    post_processing_pb2.PostProcessing.SIGMOID: score_conversion.sigmoid,
    post_processing_pb2.PostProcessing.SOFTMAX: score_conversion.softmax,
}


def build(
    post_processing_config: Any,
) -> tuple[Callable[..., tuple[Any, ...]], score_conversion.ScoreConverter]:
    """Builds what a `PostProcessing` message says.

    Returns:
        A function of (boxes, scores, clip_window=, additional_fields=, masks=,
        num_valid_boxes=), see `batch_multiclass_non_max_suppression`, and one of logits.

    Raises:
        ConfigError: another message, or settings that contradict each other.
    """
    cases.check_message(post_processing_config, post_processing_pb2.PostProcessing)
    convert = score_conversion.scaled(
        _CONVERTERS[post_processing_config.score_converter], post_processing_config.logit_scale
    )
    if post_processing_config.HasField("calibration_config"):
        convert = _calibrated(convert, post_processing_config.calibration_config)
    return _suppression(post_processing_config.batch_non_max_suppression), convert


def _calibrated(convert: score_conversion.ScoreConverter, config: Any) -> Any:
    """The conversion, then the calibration of scores; a temperature is for logits: it goes first."""
    calibrate = calibration_builder.build(config)
    case = config.WhichOneof("calibrator")
    temperature = case == "temperature_scaling_calibration"
    first, second = (calibrate, convert) if temperature else (convert, calibrate)

    def convert_calibrated(logits: tf.Tensor) -> tf.Tensor:
        return second(first(logits))

    convert_calibrated.__name__ = f"calibrate_with_{case}"
    return convert_calibrated


def _suppression(config: Any) -> Callable[..., tuple[Any, ...]]:
    where = "post_processing.batch_non_max_suppression"
    if not 0 <= config.iou_threshold <= 1:
        raise ConfigError(f"{where}.iou_threshold is {config.iou_threshold}; allowed: 0 to 1.")
    if config.max_detections_per_class > config.max_total_detections:
        raise ConfigError(
            f"{where}.max_detections_per_class {config.max_detections_per_class} is above "
            f"max_total_detections {config.max_total_detections}; raise the latter."
        )
    if config.soft_nms_sigma < 0:
        raise ConfigError(f"{where}.soft_nms_sigma is {config.soft_nms_sigma}; give 0 or more.")
    if config.use_combined_nms and config.use_class_agnostic_nms:
        raise ConfigError(f"{where}: use_combined_nms excludes use_class_agnostic_nms.")
    problems = list(detection_check.blending_problems(config, where))
    if problems:
        raise ConfigError("\n  ".join(problems))
    return functools.partial(
        post_processing.batch_multiclass_non_max_suppression,
        score_thresh=config.score_threshold,
        iou_thresh=config.iou_threshold,
        max_size_per_class=config.max_detections_per_class,
        max_total_size=config.max_total_detections,
        use_static_shapes=config.use_static_shapes,
        use_partitioned_nms=config.use_partitioned_nms,
        use_combined_nms=config.use_combined_nms,
        use_class_agnostic_nms=config.use_class_agnostic_nms,
        max_classes_per_detection=config.max_classes_per_detection,
        soft_nms_sigma=config.soft_nms_sigma,
        change_coordinate_frame=config.change_coordinate_frame,
        use_hard_nms=config.use_hard_nms,
        use_cpu_nms=config.use_cpu_nms,
        blend=_blending(config),
    )


def _blending(config: Any) -> blending.Blending | None:
    if not config.HasField("blend_overlapping"):
        return None
    blend = config.blend_overlapping
    return blending.Blending(
        iou_threshold=blend.iou_threshold,
        score_power=blend.score_power,
        max_candidates=blend.max_candidates,
    )
