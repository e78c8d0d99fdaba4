"""Suppression in NumPy, for graphs that were exported without it (`export_config.raw_detections`).

It gives what the graph with suppression gives. For programs that choose thresholds while they run,
or whose accelerator has no suppression.

Axes:   N anchors, D detections, K keypoints.
Frames: as the graph gives them: normalised to the resized and padded picture. What comes out is
        normalised to the picture without padding, unless `change_coordinate_frame` is off.
"""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError
from object_detection.metrics import np_box_list_ops, np_boxes
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_util, export_manifest
from object_detection.utils.label_map_util import LABEL_OFFSET

Array = np.ndarray[Any, Any]
Keys = fields.DetectionResultFields


class Suppression(NamedTuple):
    """How boxes of one class suppress each other."""

    score_threshold: float = 0.0  # boxes need a higher score
    iou_threshold: float = 0.6  # overlap above which the worse box goes
    max_per_class: int = 100
    max_total: int = 100
    has_background: bool = True  # whether the first column of scores is the background
    change_coordinate_frame: bool = True


class Detections(NamedTuple):
    """What is left of a picture, best first."""

    boxes: Array  # [D, 4]
    scores: Array  # [D]
    classes: Array  # [D] int64, ids of the label map
    keypoints: Array | None  # [D, K, 2], or None if the model has none
    keypoint_scores: Array | None  # [D, K], or None if the model does not score them
    anchors: Array  # [D] int64, rows of N


def settings_of(config: pipeline_pb2.TrainEvalPipelineConfig) -> Suppression:
    """The suppression of an SSD's config.

    Args:
        config: as it lies beside the exported graph.

    Raises:
        ConfigError: the model is no SSD, or has a kind of suppression that is not done here.
    """
    if not config.model.HasField("ssd"):
        raise ConfigError("Raw detections are those of model.ssd; the config has another model.")
    ssd = config.model.ssd
    message = ssd.post_processing.batch_non_max_suppression
    unknown = [
        name
        for name, is_set in {
            "blend_overlapping": message.HasField("blend_overlapping"),
            "soft_nms_sigma": bool(message.soft_nms_sigma) and not message.use_hard_nms,
            "use_class_agnostic_nms": message.use_class_agnostic_nms and ssd.num_classes > 1,
            "use_combined_nms": message.use_combined_nms,
        }.items()
        if is_set
    ]
    if unknown:
        raise ConfigError(
            f"batch_non_max_suppression: {', '.join(unknown)} is done by graphs with suppression "
            "only; leave it out, or export without export_config.raw_detections."
        )
    return Suppression(
        message.score_threshold,
        message.iou_threshold,
        # Over all classes of one, the limit of a class has no say.
        message.max_total_detections
        if message.use_class_agnostic_nms
        else message.max_detections_per_class,
        message.max_total_detections,
        ssd.add_background_class or ssd.explicit_background_class,
        message.change_coordinate_frame,
    )


def settings_beside(model: str) -> Suppression:
    """The suppression of the `pipeline.config` beside an exported graph.

    Args:
        model: export directory or frozen graph.

    Raises:
        CheckpointError: the file is not the one that `export.json` beside it describes.
        ConfigError: there is no such file, or see `settings_of`.
    """
    folder = model if os.path.isdir(model) else os.path.dirname(model)
    path = os.path.join(folder, export_manifest.CONFIG)
    text = config_util.read_text(path)
    export_manifest.verify_file(path)
    return settings_of(config_util.parse_text(text, pipeline_pb2.TrainEvalPipelineConfig(), path))


def detections_of(raw: Mapping[str, Array], index: int, settings: Suppression) -> Detections:
    """Suppresses the boxes of one picture.

    Args:
        raw: outputs of the graph by name: `raw_detection_boxes` [B, N, 4], `raw_detection_scores`
            [B, N, classes], `raw_detection_windows` [B, 4]; `raw_detection_keypoints`
            [B, N, K, 2] and `raw_detection_keypoint_scores` [B, N, K] if it has them.
        index: of the picture in the batch.
        settings: of the suppression.
    """
    boxes, scores = raw[Keys.raw_detection_boxes][index], raw[Keys.raw_detection_scores][index]
    window = raw[Keys.raw_detection_windows][index]
    if settings.has_background:
        scores = scores[:, 1:]
    # NaN in a coordinate compares as false, so that such boxes go too.
    with np.errstate(invalid="ignore"):
        has_area = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    chosen = [
        _kept_of_class(boxes, column, has_area, settings) for column in np.moveaxis(scores, 1, 0)
    ]
    anchors = np.concatenate(chosen)
    classes = np.repeat(np.arange(len(chosen)), [len(rows) for rows in chosen])
    # Boxes are cut only now: suppression compares them whole.
    cut = np.clip(boxes[anchors], np.tile(window[:2], 2), np.tile(window[2:], 2))
    within = np_boxes.area(cut) > 0.0
    anchors, classes, cut = anchors[within], classes[within], cut[within]
    best = np.argsort(-scores[anchors, classes], kind="stable")[: settings.max_total]
    anchors, classes, cut = anchors[best], classes[best], cut[best]
    keypoints = _rows(raw.get(Keys.raw_detection_keypoints), index, anchors)
    if settings.change_coordinate_frame:
        origin, size = window[:2], window[2:] - window[:2]
        cut = (cut - np.tile(origin, 2)) / np.tile(size, 2)
        keypoints = None if keypoints is None else (keypoints - origin) / size
    return Detections(
        cut,
        scores[anchors, classes],
        classes + LABEL_OFFSET,
        keypoints,
        _rows(raw.get(Keys.raw_detection_keypoint_scores), index, anchors),
        anchors,
    )


def _rows(values: Array | None, index: int, anchors: Array) -> Array | None:
    return None if values is None else values[index][anchors]


def _kept_of_class(boxes: Array, scores: Array, has_area: Array, settings: Suppression) -> Array:
    """Rows of N that one class keeps, best first; of equal scores, the first row."""
    # A threshold is rounded like the scores: the graph compares float32.
    candidates = np.flatnonzero(has_area & (scores > np.float32(settings.score_threshold)))
    ranked = candidates[np.argsort(-scores[candidates], kind="stable")]
    kept = np_box_list_ops.greedy_choice(
        len(ranked),
        lambda best, others: np_boxes.iou(boxes[ranked[[best]]], boxes[ranked[others]])[0],
        settings.max_per_class,
        np.float32(settings.iou_threshold),
    )
    return ranked[kept]
