"""Checks of the losses of boxes and of suppression. Needs no TensorFlow.

Part of `config_check`; builders use it too.
"""

import math
from collections.abc import Iterator
from typing import Any

# Losses of decoded boxes, not of codes.
BOX_LOSSES = ("weighted_iou", "weighted_giou", "weighted_diou", "weighted_ciou")


def box_loss_problems(loss: Any, keypoints: int) -> Iterator[str]:
    """What is wrong with the localisation loss of an SSD's `Loss` message.

    Args:
        loss: the message.
        keypoints: K of the box coder; 0 if its codes hold no keypoints.
    """
    case = loss.localization_loss.WhichOneof("localization_loss")
    if case in BOX_LOSSES and keypoints and not loss.HasField("keypoint_loss"):
        yield (
            f"model.ssd.loss.localization_loss.{case}: is a loss of boxes alone, so that the "
            f"{keypoints} keypoints of model.ssd.box_coder would have none; add "
            "model.ssd.loss.keypoint_loss {}, or use a loss of codes, for example "
            "weighted_smooth_l1."
        )


def blending_problems(suppression: Any, where: str) -> Iterator[str]:
    """What is wrong with the blending of a `BatchNonMaxSuppression` message.

    Args:
        suppression: the message.
        where: its path in the config.
    """
    if not suppression.HasField("blend_overlapping"):
        return
    config, where = suppression.blend_overlapping, f"{where}.blend_overlapping"
    if not 0 < config.iou_threshold <= 1:
        yield f"{where}.iou_threshold: is {config.iou_threshold:g}, must be above 0 and at most 1."
    if not 0 <= config.score_power < math.inf:
        yield f"{where}.score_power: is {config.score_power:g}, must be a number of 0 or more."
    if config.max_candidates < 1:
        yield f"{where}.max_candidates: is {config.max_candidates}, must be at least 1."
    if suppression.soft_nms_sigma and not suppression.use_hard_nms:
        yield (
            f"{where}: excludes soft_nms_sigma, which keeps the boxes to be averaged as detections "
            "of their own; leave one of them out."
        )
