"""Panoptic quality (Kirillov et al., Panoptic Segmentation, arXiv:1801.00868, sec. 4).

Axes:  M groundtruth masks, D detections, H x W pixels.
Masks: [N, H, W] in the frame of the picture; above 0 is inside. Those of one picture should not
       overlap.

A segment is found if a detection of its class overlaps it with IoU above the threshold. Over all
pictures, of each class: SQ = sum of IoU / TP, RQ = TP / (TP + FP / 2 + FN / 2), PQ = SQ * RQ.
"""

import dataclasses
import logging
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.metrics import in_graph, np_masks
from object_detection.metrics.coco_evaluation.boxes import optional_rows
from object_detection.metrics.coco_evaluation.masks import binary_masks, check_size
from object_detection.metrics.detection_evaluator import (
    Array,
    Category,
    DetectionEvaluator,
    check_truth_is_there,
)

logger = logging.getLogger(__name__)

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

_LAYOUT = in_graph.Layout(
    truth=(Inputs.groundtruth_classes, Inputs.groundtruth_instance_masks),
    optional_truth=(Inputs.groundtruth_is_crowd,),
    found=(Detections.detection_classes, Detections.detection_masks),
)
_QUALITIES = ("PanopticQuality", "SegmentationQuality", "RecognitionQuality")


@dataclasses.dataclass
class _Tally:
    """What was counted of a class."""

    iou: float = 0.0
    found: int = 0
    false: int = 0
    missed: int = 0

    @property
    def seen(self) -> bool:
        return self.found + self.false + self.missed > 0

    def qualities(self) -> tuple[float, float, float]:
        """PQ, SQ, RQ."""
        if not self.found:
            return 0.0, 0.0, 0.0
        segmentation = self.iou / self.found
        recognition = self.found / (self.found + 0.5 * self.false + 0.5 * self.missed)
        return segmentation * recognition, segmentation, recognition


def _matches(iou: Array, threshold: float) -> list[tuple[int, int]]:
    """Pairs above the threshold, largest overlap first, each row and column once."""
    pairs = []
    rest = np.where(iou > threshold, iou, 0.0)
    while rest.size and rest.max() > 0:
        row, column = np.unravel_index(rest.argmax(), rest.shape)
        pairs.append((int(row), int(column)))
        rest[row], rest[:, column] = 0.0, 0.0
    return pairs


class CocoPanopticSegmentationEvaluator(DetectionEvaluator):
    """Panoptic, segmentation and recognition quality.

    The metrics are `PanopticQuality@0.50IOU`, `SegmentationQuality@0.50IOU` and
    `RecognitionQuality@0.50IOU`, each the mean over the classes that occur; of such a class
    `PanopticQuality@0.50IOU_ByCategory/<name>`, ...; `NumValidClasses` says how many occur, of
    `NumTotalClasses`.
    """

    def __init__(
        self,
        categories: list[Category],
        include_metrics_per_category: bool = False,
        iou_threshold: float = 0.5,
        ioa_threshold: float = 0.5,
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each.
            include_metrics_per_category: also the qualities of each class.
            iou_threshold: overlap above which a segment is found.
            ioa_threshold: an unmatched detection with more than this share of it in crowds of its
                class is not counted as false.
        """
        super().__init__(categories)
        self._include_metrics_per_category = include_metrics_per_category
        self._iou_threshold = iou_threshold
        self._ioa_threshold = ioa_threshold
        self.clear()

    def clear(self) -> None:
        self._groundtruth: dict[Any, dict[str, Array]] = {}
        self._detections: dict[Any, dict[str, Array]] = {}

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture; a picture that is there already is left out with a warning.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `groundtruth_classes` [M], `groundtruth_instance_masks` [M, H, W];
                optional `groundtruth_is_crowd` [M].

        Raises:
            DataError: there are no masks.
        """
        if image_id in self._groundtruth:
            logger.warning("Groundtruth of picture %s was added before; ignored.", image_id)
            return
        classes = np.asarray(groundtruth_dict[Inputs.groundtruth_classes])
        crowd = optional_rows(groundtruth_dict, Inputs.groundtruth_is_crowd)
        self._groundtruth[image_id] = {
            "classes": classes,
            "masks": binary_masks(groundtruth_dict, Inputs.groundtruth_instance_masks),
            "crowd": np.zeros(len(classes), bool) if crowd is None else crowd.astype(bool),
        }

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Adds the detections of a picture; a second time they are left out with a warning.

        Args:
            image_id: identity of the picture.
            detections_dict: `detection_classes` [D], `detection_masks` [D, H, W].

        Raises:
            DataError: there are no masks, or the picture's truth was not added.
            ShapeError: the masks have another size than the truth's.
        """
        check_truth_is_there(image_id, self._groundtruth)
        if image_id in self._detections:
            logger.warning("Detections of picture %s were added before; ignored.", image_id)
            return
        masks = binary_masks(detections_dict, Detections.detection_masks)
        check_size(image_id, self._groundtruth[image_id]["masks"].shape[1:], masks)
        self._detections[image_id] = {
            "classes": np.asarray(detections_dict[Detections.detection_classes]),
            "masks": masks,
        }

    def _tally(self, category_id: int) -> _Tally:
        tally = _Tally()
        for image_id, truth in self._groundtruth.items():
            mine = truth["classes"] == category_id
            segments = truth["masks"][mine & ~truth["crowd"]]
            crowd = truth["masks"][mine & truth["crowd"]].any(axis=0, keepdims=True)
            found = self._detections.get(image_id)
            masks = (
                segments[:0] if found is None else found["masks"][found["classes"] == category_id]
            )
            iou = np_masks.iou(masks, segments)
            pairs = _matches(iou, self._iou_threshold)
            free = np.delete(masks, [row for row, _ in pairs], axis=0)
            in_crowd = np_masks.ioa(crowd.astype(np.uint8), free)[0] > self._ioa_threshold
            tally.iou += sum(float(iou[pair]) for pair in pairs)
            tally.found += len(pairs)
            tally.false += int((~in_crowd).sum())
            tally.missed += len(segments) - len(pairs)
        return tally

    def _names(self, suffix: str = "") -> list[str]:
        return [f"{quality}@{self._iou_threshold:.2f}IOU{suffix}" for quality in _QUALITIES]

    def evaluate(self) -> dict[str, float]:
        tallies = {one["name"]: self._tally(one["id"]) for one in self._categories}
        tallies = {name: tally for name, tally in tallies.items() if tally.seen}
        qualities = [tally.qualities() for tally in tallies.values()]
        means = np.mean(qualities, axis=0) if qualities else np.zeros(len(_QUALITIES))
        metrics = {name: float(value) for name, value in zip(self._names(), means, strict=True)}
        metrics["NumValidClasses"] = float(len(tallies))
        metrics["NumTotalClasses"] = float(len(self._categories))
        if self._include_metrics_per_category:
            for category, tally in tallies.items():
                names = self._names(f"_ByCategory/{category}")
                metrics.update(zip(names, tally.qualities(), strict=True))
        return metrics

    def get_estimator_eval_metric_ops(
        self, eval_dict: dict[str, Any]
    ) -> dict[str, tuple[tf.Tensor, tf.Operation]]:
        """Name of a metric -> (its value, the operation that adds the pictures).

        Args:
            eval_dict: tensors of a picture (`key` scalar) or a batch; in a padded batch with
                `num_gt_masks_per_image` [B], `num_det_masks_per_image` [B] and
                `original_image_spatial_shape` [B, 2].
        """
        names = [*self._names(), "NumValidClasses", "NumTotalClasses"]
        if self._include_metrics_per_category:
            for category in self._categories:
                names += self._names(f"_ByCategory/{category['name']}")
        update = in_graph.update_op(self, eval_dict, _LAYOUT)
        return in_graph.metric_ops(self, names, update)
