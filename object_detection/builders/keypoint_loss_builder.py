"""`keypoint_loss` message -> the losses of keypoints: of their places, and of their visibility."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.builders import cases
from object_detection.core import keypoint_loss
from object_detection.core.keypoint_loss import KeypointErrors, KeypointLoss
from object_detection.core.keypoint_visibility import KeypointVisibilityLoss
from object_detection.errors import ConfigError
from object_detection.keypoints.schema import DEFAULT_SIGMA
from object_detection.protos import losses_pb2
from object_detection.registry import Table
from object_detection.utils import config_check

Cost = Callable[[KeypointErrors], tf.Tensor]

# Case -> function of its message and K.
KEYPOINT_LOSSES = Table("keypoint_loss")


@KEYPOINT_LOSSES.entry("huber")
def _huber(config: Any, _: int) -> Cost:
    delta = config.delta
    return lambda errors: keypoint_loss.huber(errors.codes, delta)


@KEYPOINT_LOSSES.entry("l1")
def _l1(_: Any, __: int) -> Cost:
    return lambda errors: keypoint_loss.absolute(errors.codes)


@KEYPOINT_LOSSES.entry("wing")
def _wing(config: Any, _: int) -> Cost:
    width, curvature = config.width, config.curvature
    return lambda errors: keypoint_loss.wing(errors.codes, width, curvature)


@KEYPOINT_LOSSES.entry("oks")
def _oks(config: Any, num_keypoints: int) -> Cost:
    sigmas = list(config.sigmas) or [DEFAULT_SIGMA] * num_keypoints
    return lambda errors: keypoint_loss.one_minus_oks(errors.pixels, errors.areas, sigmas)


def build(loss_config: Any, num_keypoints: int) -> KeypointLoss | None:
    """Builds the keypoint loss of a `Loss` message; None without one.

    Args:
        loss_config: the message.
        num_keypoints: K of the box coder; 0 if its codes hold no keypoints.

    Raises:
        ConfigError: another message, codes without keypoints, or a setting that cannot be used.
    """
    cases.check_message(loss_config, losses_pb2.Loss)
    problems = list(config_check.keypoint_loss_problems(loss_config, num_keypoints))
    if problems:
        raise ConfigError("\n  ".join(problems))
    if not loss_config.HasField("keypoint_loss"):
        return None
    config = loss_config.keypoint_loss
    case = config.WhichOneof("kind") or "huber"
    return KeypointLoss(
        KEYPOINT_LOSSES[case](getattr(config, case), num_keypoints),
        weight=config.weight,
        per_keypoint_weights=list(config.per_keypoint_weights),
        occluded_weight=config.occluded_weight,
    )


def predicts_visibility(loss_config: Any) -> bool:
    """Whether a `Loss` message wants the keypoints' visibility predicted."""
    return bool(
        loss_config.HasField("keypoint_loss") and loss_config.keypoint_loss.HasField("visibility")
    )


def build_visibility(loss_config: Any) -> KeypointVisibilityLoss | None:
    """Builds the loss of the keypoints' visibility of a `Loss` message; None without one.

    Raises:
        ConfigError: a weight that is not above 0.
    """
    if not predicts_visibility(loss_config):
        return None
    return KeypointVisibilityLoss(loss_config.keypoint_loss.visibility.weight)
