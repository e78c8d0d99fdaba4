"""What in an `EvalConfig` message contradicts itself or is not available.

Part of `config_check`. Needs no TensorFlow.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any


def problems(evaluation: Any, readers: Sequence[Any], names: Sequence[str]) -> Iterator[str]:
    """What is wrong with an evaluation.

    Args:
        evaluation: `EvalConfig` message.
        readers: `InputReader` messages of its pictures.
        names: of each reader, its path in the pipeline.
    """
    for field, why in (
        ("eval_master", "evaluation runs in one process"),
        ("export_path", "the program writes metrics.json and pictures"),
        ("ignore_groundtruth", "metrics need the truth; inference/detect_pictures.py does without"),
        ("eval_instance_masks", "the program judges boxes and keypoints"),
    ):
        if getattr(evaluation, field):
            yield f"eval_config.{field}: not available ({why}); leave it out."
    yield from _keypoint_metric_problems(evaluation)
    for reader, name in zip(readers, names, strict=True):
        yield from _keypoint_count_problems(evaluation, reader, name)


def _keypoint_metric_problems(evaluation: Any) -> Iterator[str]:
    wrong = [sigma for sigma in evaluation.oks_sigmas if not 0 < sigma < 1]
    if wrong:
        yield (
            f"eval_config.oks_sigmas: {wrong[0]:g} should be a share of the object's size, above 0 "
            "and below 1."
        )
    names = list(evaluation.keypoint_names)
    if len(set(names)) < len(names) or "" in names:
        yield f"eval_config.keypoint_names: {names} should all differ, and none be empty."
    if evaluation.oks_max_detections < 1:
        yield "eval_config.oks_max_detections: is 0, must be at least 1 (COCO: 20)."
    if evaluation.max_detections < 100:
        yield (
            f"eval_config.max_detections: is {evaluation.max_detections}, must be at least 100, "
            "COCO's number; crowds need more."
        )
    wrong = [share for share in evaluation.pck_thresholds if not 0 < share < math.inf]
    if wrong:
        yield f"eval_config.pck_thresholds: {wrong[0]:g} must be above 0, for example 0.1."
    if not 0 < evaluation.keypoint_failure_threshold < math.inf:
        yield (
            "eval_config.keypoint_failure_threshold: is "
            f"{evaluation.keypoint_failure_threshold:g}, must be above 0, for example 0.1."
        )
    between = list(evaluation.keypoint_size_between)
    if between and (len(between) != 2 or between[0] == between[1]):
        yield (
            f"eval_config.keypoint_size_between: {between} should be two different keypoints, for "
            "example 'left_eye' and 'right_eye'."
        )


def _keypoint_count_problems(evaluation: Any, reader: Any, name: str) -> Iterator[str]:
    """Lists of `eval_config` that do not have one entry for each keypoint of a reader."""
    for field in ("oks_sigmas", "keypoint_names"):
        found = len(getattr(evaluation, field))
        if found and reader.num_keypoints and found != reader.num_keypoints:
            yield (
                f"eval_config.{field}: has {found} entries, but {name}.num_keypoints is "
                f"{reader.num_keypoints}; give one for each."
            )
