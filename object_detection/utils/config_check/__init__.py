"""Checks of a whole config before anything starts. Needs no TensorFlow.

`pipeline` joins them; there is a page for each part of a config, and one for the ranges of all
numbers. A check gives problems that begin with the path of a field; builders that are given parts
of a config use some of them by themselves.
"""

from object_detection.utils.config_check.model_check import (
    code_size_problems,
    keypoint_loss_problems,
    num_keypoints,
)
from object_detection.utils.config_check.pipeline import check_pipeline, checkpoint_problems

__all__ = [
    "check_pipeline",
    "checkpoint_problems",
    "code_size_problems",
    "keypoint_loss_problems",
    "num_keypoints",
]
