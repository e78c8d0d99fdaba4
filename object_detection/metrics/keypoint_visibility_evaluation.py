"""How well the visibility of keypoints is told: accuracy, and the area under the ROC curve.

Axes:   M groundtruth boxes, D detections, K keypoints.
Frames: as in `detection_evaluator`.

A groundtruth box of which somebody placed a keypoint is an instance; detections take instances as
in `keypoint_evaluation`. A keypoint is visible if its flag is 2 (`core/keypoint_visibility.py`),
else hidden, be it occluded or not there at all. All keypoints of the instances that were found
count.
"""

from typing import Any

import numpy as np

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError, ShapeError
from object_detection.metrics.average_precision import mean_of_known
from object_detection.metrics.detection_evaluator import (
    Array,
    Category,
    DetectionEvaluator,
    check_truth_is_there,
)
from object_detection.metrics.keypoint_evaluation import match_greedily, pairwise_iou

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

_VISIBLE = 2
_PREFIX = "KeypointVisibility/"


def area_under_roc(scores: Array, positive: Array) -> float:
    """How often a positive has a higher score than a negative; a draw counts half.

    The area under the receiver operating characteristic (Mann and Whitney's U, divided by the
    number of pairs).

    Args:
        scores: [N].
        positive: [N] booleans.

    Returns:
        In [0, 1]; NaN without a positive or a negative.
    """
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    # Equal scores share the mean of their ranks.
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    above = ranks[positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


class KeypointVisibilityEvaluator(DetectionEvaluator):
    """Accuracy of `detection_keypoint_scores`, of visible and of hidden keypoints, and their AUC.

    The metrics are `KeypointVisibility/Accuracy`, `KeypointVisibility/Visible` and
    `KeypointVisibility/Hidden` (the shares of these that are told right),
    `KeypointVisibility/AUC` and `KeypointVisibility/Keypoints`, their number; NaN where there is
    none.
    """

    def __init__(
        self, categories: list[Category], min_iou: float = 0.5, threshold: float = 0.5
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each.
            min_iou: overlap that makes a match.
            threshold: score from which on a keypoint is said to be visible.
        """
        super().__init__(categories)
        self._min_iou = min_iou
        self._threshold = threshold
        self.clear()

    def clear(self) -> None:
        self._groundtruth: dict[Any, dict[str, Array]] = {}
        self._scores: list[Array] = []
        self._visible: list[Array] = []

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `groundtruth_boxes` [M, 4], `groundtruth_classes` [M],
                `groundtruth_keypoint_flags` [M, K].

        Raises:
            DataError: there are no flags.
        """
        if Inputs.groundtruth_keypoint_flags not in groundtruth_dict:
            raise DataError(
                f"Groundtruth of picture {image_id} has no {Inputs.groundtruth_keypoint_flags}; set "
                "num_keypoints in the input reader, or leave keypoint_visibility_metrics out."
            )
        flags = np.asarray(groundtruth_dict[Inputs.groundtruth_keypoint_flags])
        known = (flags > 0).any(axis=-1)
        self._groundtruth[image_id] = {
            "boxes": np.asarray(groundtruth_dict[Inputs.groundtruth_boxes], np.float64)[known],
            "classes": np.asarray(groundtruth_dict[Inputs.groundtruth_classes])[known],
            "visible": flags[known] == _VISIBLE,
        }

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Adds the detections of a picture.

        Args:
            image_id: identity of the picture.
            detections_dict: `detection_boxes` [D, 4], `detection_scores` [D],
                `detection_classes` [D], `detection_keypoint_scores` [D, K].

        Raises:
            DataError: the picture's truth was not added, or the model does not score keypoints.
            ShapeError: the detections have another number of keypoints than the truth.
        """
        check_truth_is_there(image_id, self._groundtruth)
        if Detections.detection_keypoint_scores not in detections_dict:
            raise DataError(
                f"Detections of picture {image_id} have no {Detections.detection_keypoint_scores}; "
                "set model.ssd.loss.keypoint_loss.visibility, or leave keypoint_visibility_metrics "
                "out."
            )
        truth = self._groundtruth[image_id]
        of_keypoints = np.asarray(detections_dict[Detections.detection_keypoint_scores])
        if len(of_keypoints) and of_keypoints.shape[1] != truth["visible"].shape[1]:
            raise ShapeError(
                f"detection_keypoint_scores are {list(of_keypoints.shape)}, but the groundtruth has "
                f"{truth['visible'].shape[1]} keypoints."
            )
        boxes = np.asarray(detections_dict[Detections.detection_boxes], np.float64)
        classes = np.asarray(detections_dict[Detections.detection_classes])
        iou = pairwise_iou(boxes, truth["boxes"])
        iou = np.where(classes[:, None] == truth["classes"][None], iou, 0.0)
        scores = np.asarray(detections_dict[Detections.detection_scores])
        taken = match_greedily(iou, scores, self._min_iou)
        found = taken >= 0
        self._scores.append(of_keypoints[taken[found]].ravel())
        self._visible.append(truth["visible"][found].ravel())

    def evaluate(self) -> dict[str, float]:
        scores = np.concatenate([np.zeros(0), *self._scores])
        visible = np.concatenate([np.zeros(0, bool), *self._visible])
        right = (scores >= self._threshold) == visible
        return {
            f"{_PREFIX}Accuracy": mean_of_known(right),
            f"{_PREFIX}Visible": mean_of_known(right[visible]),
            f"{_PREFIX}Hidden": mean_of_known(right[~visible]),
            f"{_PREFIX}AUC": area_under_roc(scores, visible),
            f"{_PREFIX}Keypoints": float(len(right)),
        }
