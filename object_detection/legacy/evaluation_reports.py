"""What an evaluation leaves behind: drawn pictures, files, the table on the console."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from object_detection import eval_util
from object_detection.core import standard_fields as fields
from object_detection.eval_util.sheets import Sheet
from object_detection.legacy.evaluation_graph import Picture
from object_detection.metrics.detection_evaluator import Array
from object_detection.visualization import drawing, side_by_side

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields


@dataclasses.dataclass(frozen=True)
class Result:
    """What an evaluation found."""

    checkpoint: str
    step: int
    num_pictures: int
    metrics: dict[str, float]
    pictures: list[str]  # paths of drawn pictures
    metrics_file: str
    sheets: list[Sheet]  # tables and curves
    files: list[str]  # paths of their CSV files and plots
    warning: str = ""  # of objects that no metric can count as found
    num_not_finite: int = 0  # detections that were left out, because they are no numbers

    def words_of_not_finite(self) -> str:
        """What should be said of such detections; empty without any."""
        if not self.num_not_finite:
            return ""
        return (
            f"{self.num_not_finite} detections are not finite and count for nothing: look at the "
            "losses of the training, and at the checkpoint."
        )


def draw(
    picture: Picture,
    category_index: drawing.CategoryIndex,
    eval_config: Any,
    keypoint_colors: Sequence[str] | None = None,
) -> Array:
    """The picture with its truth, beside itself with the detections: [H, 2 W, 3] uint8.

    Args:
        picture: with pixels.
        category_index: id -> category.
        eval_config: `EvalConfig` message; says what is drawn.
        keypoint_colors: of each of the K keypoints; all alike if None.
    """
    truth, detections = picture.truth, picture.detections
    size = truth[Inputs.original_image_spatial_shape]
    names = Inputs.groundtruth_keypoints, Detections.detection_keypoints
    keypoints: Array | None = truth.get(names[0])
    if keypoints is not None and Inputs.groundtruth_keypoint_visibilities in truth:
        visible = truth[Inputs.groundtruth_keypoint_visibilities]
        keypoints = np.where(visible[..., None] > 0, keypoints, np.nan)
    left = {
        "boxes": truth[Inputs.groundtruth_boxes] / np.tile(size, 2),
        "classes": truth[Inputs.groundtruth_classes],
    }
    right = {
        "boxes": detections[Detections.detection_boxes] / np.tile(size, 2),
        "classes": detections[Detections.detection_classes],
        "scores": detections[Detections.detection_scores],
    }
    if keypoints is not None:
        left["keypoints"] = keypoints / size
    if names[1] in detections:
        right["keypoints"] = detections[names[1]] / size
    return side_by_side.truth_beside_detections(
        picture.image,
        left,
        right,
        category_index,
        max_boxes_to_draw=eval_config.max_num_boxes_to_visualize,
        min_score_thresh=eval_config.min_score_threshold,
        skip_scores=eval_config.skip_scores,
        skip_labels=eval_config.skip_labels,
        keypoint_edges=[(edge.start, edge.end) for edge in eval_config.keypoint_edge],
        keypoint_colors=keypoint_colors,
    )


_MOST_IN_A_NAME = 60


def file_name(picture: Picture, number: int) -> str:
    """Name of the file of a drawn picture, the number-th of its evaluation."""
    stem = os.path.splitext(os.path.basename(picture.name))[0]
    # Records may come from strangers: names of files hold no control characters, and are short.
    stem = "".join(one for one in stem if one.isprintable())[:_MOST_IN_A_NAME] or "picture"
    return f"{number:03d}_{stem}.jpg"


def summary_lines(result: Result) -> list[str]:
    """The result as a table for the console."""
    lines = [f"{result.num_pictures} pictures, {result.checkpoint} (step {result.step}):", ""]
    lines += eval_util.results_table(result.metrics, result.sheets)
    lines.append("")
    if result.pictures:
        lines.append(f"pictures: {os.path.dirname(result.pictures[0])}")
    if result.files:
        plots = any(path.endswith(".png") for path in result.files)
        what = "plots, curves, tables" if plots else "curves, tables"
        lines.append(f"{what}: {os.path.dirname(result.files[0])}")
        if not plots:
            lines.append(f"({eval_util.HOW_TO_GET_PLOTS})")
    lines.append(f"metrics: {result.metrics_file}")
    return [*lines, *filter(None, (result.words_of_not_finite(), result.warning))]
