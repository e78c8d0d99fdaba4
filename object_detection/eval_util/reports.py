"""Where the numbers and pictures of an evaluation go: TensorBoard, files."""

import math
import os
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError
from object_detection.metrics.detection_evaluator import Category
from object_detection.utils import event_file, files
from object_detection.visualization import drawing, encoding

Array = np.ndarray[Any, Any]
Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields


def write_summary(values: list[Any], global_step: int, summary_dir: str) -> None:
    """Writes summary values for TensorBoard.

    Args:
        values: `tf.Summary.Value` each.
        global_step: training step that they belong to.
        summary_dir: directory of TensorBoard files.
    """
    event_file.of_folder(summary_dir).add_summary(tf.Summary(value=values), global_step)


def write_metrics(metrics: dict[str, float], global_step: int, summary_dir: str) -> None:
    """Writes metrics for TensorBoard.

    Args:
        metrics: by name.
        global_step: training step that they belong to.
        summary_dir: directory of TensorBoard files.
    """
    values = [
        tf.Summary.Value(tag=name, simple_value=value) for name, value in sorted(metrics.items())
    ]
    write_summary(values, global_step, summary_dir)


def write_metrics_file(content: dict[str, Any], eval_dir: str) -> str:
    """Writes `metrics.json`, whole or not at all; NaN and infinity become null. Returns its path."""
    path = os.path.join(eval_dir, "metrics.json")
    metrics = {
        name: value if math.isfinite(value) else None for name, value in content["metrics"].items()
    }
    files.write_json(path, {**content, "metrics": metrics})
    return path


def _export_name(tag: str, key: Any) -> str:
    if isinstance(key, bytes | np.bytes_):
        key = key.decode("utf-8", "replace")
    # An identity may be a path.
    own = str(key).replace("/", "_") if key else ""
    return f"export-{tag}-{own}.png" if own else f"export-{tag}.png"


def visualize_detection_results(
    result_dict: dict[str, Any],
    tag: str,
    global_step: int,
    categories: list[Category],
    summary_dir: str = "",
    export_dir: str = "",
    agnostic_mode: bool = False,
    show_groundtruth: bool = False,
    groundtruth_box_visualization_color: str = "black",
    min_score_thresh: float = 0.5,
    max_num_predictions: int | None = 20,
    skip_scores: bool = False,
    skip_labels: bool = False,
    keep_image_id_for_visualization_export: bool = False,
) -> None:
    """Draws the detections of a picture, for TensorBoard and as a file.

    Args:
        result_dict: arrays: `original_image` [1, H, W, 3], `detection_boxes` [D, 4] in pixels,
            `detection_scores` [D], `detection_classes` [D]; optional `detection_masks` [D, H, W],
            `detection_keypoints` [D, K, 2]; to show them, `groundtruth_boxes` [M, 4] in pixels and
            optional `groundtruth_instance_masks`, `groundtruth_keypoints`;
            `key`, the identity of the picture.
        tag: name of the summary, and part of the file's name.
        global_step: training step that the picture belongs to.
        categories: `{"id", "name"}` each.
        summary_dir: directory of TensorBoard files; empty for none.
        export_dir: directory of `export-<tag>.png`; empty for none.
        agnostic_mode: all classes look alike and are not named.
        show_groundtruth: draw the groundtruth too.
        groundtruth_box_visualization_color: of groundtruth.
        min_score_thresh: only detections above it are drawn.
        max_num_predictions: at most so many.
        skip_scores: write no scores.
        skip_labels: write no names.
        keep_image_id_for_visualization_export: name the file `export-<tag>-<key>.png`.

    Raises:
        DataError: a required array is absent.
    """
    required = [
        Inputs.original_image,
        Detections.detection_boxes,
        Detections.detection_scores,
        Detections.detection_classes,
        *([Inputs.groundtruth_boxes] if show_groundtruth else []),
    ]
    absent = [name for name in required if result_dict.get(name) is None]
    if absent:
        raise DataError(f"result_dict lacks {', '.join(absent)}; nothing can be drawn.")
    image = _color_copy(np.asarray(result_dict[Inputs.original_image])[0])
    index = {category["id"]: category for category in categories}
    common: dict[str, Any] = {"category_index": index, "use_normalized_coordinates": False}
    if show_groundtruth:
        drawing.visualize_boxes_and_labels_on_image_array(
            image,
            result_dict[Inputs.groundtruth_boxes],
            # Truth is drawn without names, so that its classes do not matter.
            np.ones(len(result_dict[Inputs.groundtruth_boxes]), np.int64),
            None,
            instance_masks=_masks(result_dict.get(Inputs.groundtruth_instance_masks)),
            keypoints=result_dict.get(Inputs.groundtruth_keypoints),
            max_boxes_to_draw=None,
            groundtruth_box_visualization_color=groundtruth_box_visualization_color,
            **common,
        )
    drawing.visualize_boxes_and_labels_on_image_array(
        image,
        result_dict[Detections.detection_boxes],
        result_dict[Detections.detection_classes],
        result_dict[Detections.detection_scores],
        instance_masks=_masks(result_dict.get(Detections.detection_masks)),
        keypoints=result_dict.get(Detections.detection_keypoints),
        max_boxes_to_draw=max_num_predictions,
        min_score_thresh=min_score_thresh,
        agnostic_mode=agnostic_mode,
        skip_scores=skip_scores,
        skip_labels=skip_labels,
        **common,
    )
    if export_dir:
        key = result_dict.get(Inputs.key) if keep_image_id_for_visualization_export else None
        path = os.path.join(export_dir, _export_name(tag, key))
        encoding.save_image_array_as_png(image, path)
    if summary_dir:
        picture = tf.Summary.Image(
            height=image.shape[0],
            width=image.shape[1],
            colorspace=3,
            encoded_image_string=encoding.encode_image_array_as_png_str(image),
        )
        write_summary([tf.Summary.Value(tag=tag, image=picture)], global_step, summary_dir)


def _color_copy(image: Array) -> Array:
    """[H, W, C] -> [H, W, 3] uint8: grey becomes colour, further channels are left out."""
    color = image.repeat(3, axis=2) if image.shape[2] == 1 else image[..., :3]
    return color.astype(np.uint8)


def _masks(masks: Array | None) -> Array | None:
    return None if masks is None else (np.asarray(masks) > 0).astype(np.uint8)
