"""`calibration_config` message -> function of scores.

Axes: B images, N anchors, C classes.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.builders import cases
from object_detection.errors import ConfigError
from object_detection.protos import calibration_pb2
from object_detection.registry import Table

Calibration = Callable[[tf.Tensor], tf.Tensor]

CALIBRATIONS = Table("calibrator")


def interpolated(values: tf.Tensor, x: np.ndarray, y: np.ndarray) -> tf.Tensor:
    """Linear interpolation at `values` [...] between the points (x, y), constant beyond the ends.

    Where several points share an x, the last one counts from there on.
    """
    values = tf.convert_to_tensor(values)
    flat = tf.reshape(values, [-1])
    right = tf.searchsorted(tf.constant(x), flat, side="right")
    left = tf.maximum(right - 1, 0)
    right = tf.minimum(right, len(x) - 1)
    x0, x1, y0, y1 = (
        tf.gather(tf.constant(points), place) for points in (x, y) for place in (left, right)
    )
    share = tf.clip_by_value(tf.math.divide_no_nan(flat - x0, x1 - x0), 0.0, 1.0)
    result = tf.reshape(y0 + share * (y1 - y0), tf.shape(values))
    result.set_shape(values.shape)
    return result


def _points(pairs: Any, where: str) -> tuple[np.ndarray, np.ndarray]:
    """The x [P] and y [P] of an `XYPairs` message."""
    x = np.array([pair.x for pair in pairs.x_y_pair], np.float32)
    y = np.array([pair.y for pair in pairs.x_y_pair], np.float32)
    if not len(x):
        raise ConfigError(f"calibration_config.{where} has no x_y_pair; give at least one.")
    if any(one > following for one, following in itertools.pairwise(x)):
        raise ConfigError(f"calibration_config.{where}: x should rise, got {x.tolist()}.")
    return x, y


@CALIBRATIONS.entry("function_approximation")
def _function_approximation(config: Any) -> Calibration:
    return _interpolation(config.x_y_pairs, "function_approximation")


@CALIBRATIONS.entry("sigmoid_calibration")
def _sigmoid(config: Any) -> Calibration:
    return _platt(config.sigmoid_parameters)


def platt_scaled(values: tf.Tensor, a: float, b: float) -> tf.Tensor:
    """1 / (1 + exp(a * value + b)) (Platt, 1999, "Probabilistic outputs for SVMs", section 2)."""
    return tf.sigmoid(-(a * values + b))


def _each_class(by_class: dict[int, Calibration]) -> Calibration:
    """A calibration for each place of the last axis; places without one stay as they are."""

    def calibrate(scores: tf.Tensor) -> tf.Tensor:
        scores = tf.convert_to_tensor(scores)
        columns = tf.unstack(scores, axis=-1)
        return tf.stack(
            [
                by_class[index](column) if index in by_class else column
                for index, column in enumerate(columns)
            ],
            axis=-1,
        )

    return calibrate


@CALIBRATIONS.entry("class_id_function_approximations")
def _function_approximation_of_classes(config: Any) -> Calibration:
    where = "class_id_function_approximations"
    return _each_class(
        {
            number: _interpolation(pairs, f"{where}, class {number}")
            for number, pairs in config.class_id_xy_pairs_map.items()
        }
    )


def _interpolation(pairs: Any, where: str) -> Calibration:
    x, y = _points(pairs, where)
    return lambda scores: interpolated(scores, x, y)


@CALIBRATIONS.entry("class_id_sigmoid_calibrations")
def _sigmoid_of_classes(config: Any) -> Calibration:
    return _each_class(
        {
            number: _platt(parameters)
            for number, parameters in config.class_id_sigmoid_parameters_map.items()
        }
    )


def _platt(parameters: Any) -> Calibration:
    return lambda scores: platt_scaled(scores, parameters.a, parameters.b)


@CALIBRATIONS.entry("temperature_scaling_calibration")
def _temperature(config: Any) -> Calibration:
    def calibrate(logits: tf.Tensor) -> tf.Tensor:
        if not config.scaler:
            raise ConfigError("temperature_scaling_calibration.scaler is 0; give a temperature.")
        return tf.divide(logits, config.scaler, name="calibrate_score")

    return calibrate


def build(calibration_config: Any) -> Calibration:
    """Builds what a `CalibrationConfig` message says.

    Returns:
        A function of scores [B, N, 1 + C] with the background first (of logits, for the
        temperature), to the same shape. Numbers of classes are places of the last axis.

    Raises:
        ConfigError: no calibrator, or points that are absent or not sorted.
    """
    return cases.build_case(
        CALIBRATIONS, calibration_config, calibration_pb2.CalibrationConfig, "calibrator"
    )
