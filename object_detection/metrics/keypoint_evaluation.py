"""Keypoint metrics of detections: normalised mean error and failure rate.

Axes:   M groundtruth boxes, D detections, K keypoints.
Frames: as in `detection_evaluator`.

A groundtruth box with at least one labelled keypoint is an instance. Detections take, best score
first, the free instance of their class that they overlap most, if IoU >= 0.5. The error of a
matched instance is `measures.normalized_mean_errors` with the square root of the groundtruth box's
area as size. Instances that were not found have no error; `Keypoints/Matched` tells their share.
"""

from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from pycocotools import mask

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError, ShapeError
from object_detection.keypoints import measures
from object_detection.metrics import in_graph
from object_detection.metrics.detection_evaluator import (
    Array,
    Category,
    DetectionEvaluator,
    wide_enough,
)

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

FAILURE_THRESHOLD = 0.1

_LAYOUT = in_graph.Layout(
    truth=(Inputs.groundtruth_boxes, Inputs.groundtruth_classes, Inputs.groundtruth_keypoints),
    optional_truth=(Inputs.groundtruth_keypoint_visibilities,),
    found=(
        Detections.detection_boxes,
        Detections.detection_scores,
        Detections.detection_classes,
        Detections.detection_keypoints,
    ),
)


def pairwise_iou(boxes: Array, others: Array) -> Array:
    """IoU of [N, 4] and [M, 4] boxes -> [N, M]."""
    if not len(boxes) or not len(others):
        return np.zeros([len(boxes), len(others)])

    def to_coco(corners: Array) -> Array:
        corners = np.asarray(corners, np.float64)
        return np.concatenate([corners[:, 1::-1], (corners[:, 2:] - corners[:, :2])[:, ::-1]], 1)

    return np.asarray(mask.iou(to_coco(boxes), to_coco(others), [0] * len(others)))


def match_greedily(iou: Array, scores: Array, min_iou: float) -> Array:
    """For each of M columns the row that takes it, or -1; rows choose in the order of scores.

    Args:
        iou: [D, M].
        scores: [D].
        min_iou: what a match needs.
    """
    taken = np.full(iou.shape[1], -1)
    for row in np.argsort(-scores, kind="stable"):
        free = np.where(taken < 0, iou[row], -1.0)
        if free.size and free.max() >= min_iou:
            taken[free.argmax()] = row
    return taken


class KeypointErrorEvaluator(DetectionEvaluator):
    """NME, failure rate and share of instances found.

    The metrics are `Keypoints/NME`, `Keypoints/FailureRate@.10`, `Keypoints/Matched` and
    `Keypoints/Instances`; NaN where there is no instance.
    """

    def __init__(
        self, categories: list[Category], min_iou: float = 0.5, *, min_object_width: float = 0.0
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each.
            min_iou: overlap that makes a match.
            min_object_width: if above 0, the metrics are also computed over objects at least so
                wide in the network's input.
        """
        super().__init__(categories)
        self._category_ids = [category["id"] for category in categories]
        self._min_iou = min_iou
        self._min_object_width = min_object_width
        self.clear()

    def clear(self) -> None:
        self._groundtruth: dict[Any, dict[str, Any]] = {}
        self._errors: dict[Any, Array] = {}  # of each instance; inf where it was not found
        self._wide: dict[Any, Array] = {}

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `groundtruth_boxes` [M, 4], `groundtruth_classes` [M],
                `groundtruth_keypoints` [M, K, 2]; optional `groundtruth_keypoint_visibilities`
                [M, K].

        Raises:
            DataError: there are no keypoints.
        """
        if Inputs.groundtruth_keypoints not in groundtruth_dict:
            raise DataError(
                f"Groundtruth of picture {image_id} has no {Inputs.groundtruth_keypoints}; set "
                "num_keypoints in the input reader, or leave keypoint_error_metrics out."
            )
        keypoints = np.array(groundtruth_dict[Inputs.groundtruth_keypoints], np.float64)
        visibilities = groundtruth_dict.get(Inputs.groundtruth_keypoint_visibilities)
        if visibilities is not None:
            keypoints[~(np.asarray(visibilities) > 0)] = np.nan
        labelled = (~np.isnan(keypoints).any(axis=-1)).any(axis=-1)
        boxes = np.asarray(groundtruth_dict[Inputs.groundtruth_boxes], np.float64)
        self._groundtruth[image_id] = {
            "boxes": boxes[labelled],
            "classes": np.asarray(groundtruth_dict[Inputs.groundtruth_classes])[labelled],
            "keypoints": keypoints[labelled],
        }
        self._errors[image_id] = np.full(int(labelled.sum()), np.inf)
        if self._min_object_width > 0:
            self._wide[image_id] = wide_enough(
                boxes[labelled], groundtruth_dict, self._min_object_width
            )

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Adds the detections of a picture.

        Args:
            image_id: identity of the picture.
            detections_dict: `detection_boxes` [D, 4], `detection_scores` [D],
                `detection_classes` [D], `detection_keypoints` [D, K, 2].

        Raises:
            DataError: the picture's truth was not added.
            ShapeError: the detections have another number of keypoints than the truth.
        """
        if image_id not in self._groundtruth:
            raise DataError(
                f"Detections of picture {image_id} came before its groundtruth; add that first."
            )
        truth = self._groundtruth[image_id]
        keypoints = np.asarray(detections_dict[Detections.detection_keypoints], np.float64)
        if len(keypoints) and keypoints.shape[1:] != truth["keypoints"].shape[1:]:
            raise ShapeError(
                f"detection_keypoints are {list(keypoints.shape)}, but the groundtruth has "
                f"{truth['keypoints'].shape[1]} keypoints."
            )
        boxes = np.asarray(detections_dict[Detections.detection_boxes], np.float64)
        scores = np.asarray(detections_dict[Detections.detection_scores])
        iou = pairwise_iou(boxes, truth["boxes"])
        classes = np.asarray(detections_dict[Detections.detection_classes])
        iou = np.where(classes[:, None] == truth["classes"][None], iou, 0.0)
        matched = match_greedily(iou, scores, self._min_iou)
        found = matched >= 0
        sizes = np.sqrt(np.prod(truth["boxes"][:, 2:] - truth["boxes"][:, :2], axis=1))
        errors = np.full(len(matched), np.inf)
        errors[found] = measures.normalized_mean_errors(
            keypoints[matched[found]], truth["keypoints"][found], sizes[found]
        )
        self._errors[image_id] = errors

    def evaluate(self) -> dict[str, float]:
        errors = _joined(self._errors.values(), float)
        metrics = self._summary(errors, "")
        if self._min_object_width > 0:
            wide = _joined(self._wide.values(), bool)
            metrics |= self._summary(errors[wide], self._wide_suffix())
        return metrics

    def _wide_suffix(self) -> str:
        return f" (width >= {self._min_object_width:g})"

    def get_estimator_eval_metric_ops(
        self, eval_dict: dict[str, Any]
    ) -> dict[str, tuple[tf.Tensor, tf.Operation]]:
        """Name of a metric -> (its value, the operation that adds the pictures).

        Args:
            eval_dict: as in `CocoDetectionEvaluator`, with the keypoints.
        """
        none = np.zeros(0)
        names = list(self._summary(none, ""))
        if self._min_object_width > 0:
            names += self._summary(none, self._wide_suffix())
        update = in_graph.update_op(self, eval_dict, _LAYOUT)
        return in_graph.metric_ops(self, names, update)

    @staticmethod
    def _summary(errors: Array, suffix: str) -> dict[str, float]:
        found = errors[np.isfinite(errors)]
        nan = float("nan")
        return {
            f"Keypoints/NME{suffix}": float(found.mean()) if found.size else nan,
            f"Keypoints/FailureRate@.10{suffix}": measures.failure_rate(found, FAILURE_THRESHOLD),
            f"Keypoints/Matched{suffix}": float(found.size / errors.size) if errors.size else nan,
            f"Keypoints/Instances{suffix}": float(errors.size),
        }


def _joined(parts: Any, dtype: Any) -> Array:
    parts = list(parts)
    return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)
