"""Average precision and recall of boxes by the width of the object in the network's input.

Axes:   M groundtruth boxes, D detections, S ranges of widths, R recalls.
Frames: as in `detection_evaluator`.

What a detector can find depends on how many pixels of an object it sees, and not on those of the
picture as recorded, which COCO's small, medium and large count. The rules are COCO's otherwise
(cocodataset.org/#detection-eval), at IoU 0.5: an object outside a range is ignored, and so is a
detection of a width outside it that finds nothing.
"""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError
from object_detection.metrics import coco_tools, in_graph
from object_detection.metrics.coco_evaluation.boxes import optional_rows
from object_detection.metrics.detection_evaluator import (
    Array,
    Category,
    DetectionEvaluator,
    check_truth_is_there,
    input_widths,
)

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

# Pixels of the network's input.
WIDTH_EDGES = (0.0, 8.0, 16.0, 32.0, 96.0, np.inf)
IOU_THRESHOLD = 0.5

_LAYOUT = in_graph.Layout(
    truth=(Inputs.groundtruth_boxes, Inputs.groundtruth_classes),
    optional_truth=(Inputs.groundtruth_is_crowd,),
    found=(
        Detections.detection_boxes,
        Detections.detection_scores,
        Detections.detection_classes,
    ),
)


def range_name(low: float, high: float) -> str:
    """A range of widths as people read it.

    >>> range_name(0.0, 8.0), range_name(8.0, 16.0), range_name(96.0, float("inf"))
    ('< 8', '8-16', '>= 96')
    """
    if low <= 0:
        return f"< {high:g}"
    return f">= {low:g}" if high == np.inf else f"{low:g}-{high:g}"


class SizeRow(NamedTuple):
    """Objects of one range of widths; -1 stands for "nothing to find"."""

    name: str
    objects: int  # without crowds
    average_precision: float  # at IoU 0.5
    recall: float  # at IoU 0.5, with detections of any score


class PrecisionRecall(NamedTuple):
    """A precision-recall curve at IoU 0.5, mean of the classes that occur."""

    recalls: Array  # [R], 0 to 1
    precisions: Array  # [R], COCO's: the best at this or a larger recall
    scores: Array  # [R] score from which on detections count there; 0 beyond the last recall


class SizeEvaluator(DetectionEvaluator):
    """AP and recall at IoU 0.5 for ranges of widths, and precision-recall curves.

    The metrics are `BySize/AP@.50 (8-16 px)`, `BySize/Recall@.50 (8-16 px)` and
    `BySize/Objects (8-16 px)`, ...
    """

    def __init__(
        self,
        categories: list[Category],
        width_edges: Sequence[float] = WIDTH_EDGES,
        max_detections: int = coco_tools.DEFAULT_MAX_DETECTIONS,
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each.
            width_edges: S + 1 rising widths in pixels of the network's input; range i goes from
                edge i up to, not including, edge i + 1.
            max_detections: of a picture that count, best first.
        """
        super().__init__(categories)
        self._category_ids = {category["id"] for category in categories}
        self._edges = np.asarray(width_edges, np.float64)
        self._max_detections = max_detections
        self.clear()

    def clear(self) -> None:
        self._annotations: list[dict[str, Any]] = []
        self._results: list[dict[str, Any]] = []
        self._sizes: dict[Any, dict[str, Any]] = {}
        self._next_id = 1
        self._evaluated: coco_tools.COCOEvalWrapper | None = None

    @property
    def width_edges(self) -> list[float]:
        """The edges of the ranges."""
        return [float(edge) for edge in self._edges]

    def _range_of(self, boxes: Array, image_id: Any) -> Array:
        """Number [N] of the range that each box belongs to."""
        widths = input_widths(boxes, self._sizes[image_id])
        return np.searchsorted(self._edges, widths, side="right") - 1

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `groundtruth_boxes` [M, 4], `groundtruth_classes` [M],
                `original_image_spatial_shape` [2], `true_image_shape` [3]; optional
                `groundtruth_is_crowd` [M].

        Raises:
            DataError: a size is absent.
            ShapeError: rows do not fit.
        """
        names = (Inputs.original_image_spatial_shape, Inputs.true_image_shape)
        absent = [name for name in names if groundtruth_dict.get(name) is None]
        if absent:
            raise DataError(
                f"Groundtruth of picture {image_id} lacks {', '.join(absent)}, by which widths in "
                "the network's input are known."
            )
        self._evaluated = None
        self._sizes[image_id] = {name: np.array(groundtruth_dict[name]) for name in names}
        boxes = np.asarray(groundtruth_dict[Inputs.groundtruth_boxes], np.float64)
        self._annotations += coco_tools.ExportSingleImageGroundtruthToCoco(
            image_id,
            self._next_id,
            self._category_ids,
            boxes,
            np.asarray(groundtruth_dict[Inputs.groundtruth_classes]),
            groundtruth_is_crowd=optional_rows(groundtruth_dict, Inputs.groundtruth_is_crowd),
            # What COCO calls an area is the number of the range here.
            groundtruth_area=self._range_of(boxes, image_id),
        )
        self._next_id += len(boxes)

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Adds the detections of a picture.

        Args:
            image_id: identity of the picture.
            detections_dict: `detection_boxes` [D, 4], `detection_scores` [D],
                `detection_classes` [D].

        Raises:
            DataError: the picture's truth was not added.
            ShapeError: rows do not fit.
        """
        check_truth_is_there(image_id, self._sizes)
        self._evaluated = None
        boxes = np.asarray(detections_dict[Detections.detection_boxes], np.float64)
        rows = coco_tools.ExportSingleImageDetectionBoxesToCoco(
            image_id,
            self._category_ids,
            boxes,
            np.asarray(detections_dict[Detections.detection_scores]),
            np.asarray(detections_dict[Detections.detection_classes]),
        )
        mine = np.isin(detections_dict[Detections.detection_classes], list(self._category_ids))
        ranges = self._range_of(boxes[mine], image_id)
        self._results += [
            {**row, "area": float(number)} for row, number in zip(rows, ranges, strict=True)
        ]

    def _evaluation(self) -> coco_tools.COCOEvalWrapper:
        """What COCO found at IoU 0.5: of everything, then of each range."""
        if self._evaluated is None:
            groundtruth = coco_tools.COCOWrapper(
                {
                    "annotations": self._annotations,
                    "images": [{"id": image_id} for image_id in self._sizes],
                    "categories": self._categories,
                }
            )
            evaluation = coco_tools.COCOEvalWrapper(
                groundtruth,
                groundtruth.LoadAnnotations(self._results),
                max_detections=self._max_detections,
            )
            count = len(self._edges) - 1
            evaluation.accumulate_at(
                IOU_THRESHOLD,
                [[-1.0, float(count)], *([i - 0.5, i + 0.5] for i in range(count))],
            )
            self._evaluated = evaluation
        return self._evaluated

    def rows(self) -> list[SizeRow]:
        """The ranges, in order."""
        found = self._evaluation().eval
        objects = [int(one["area"]) for one in self._annotations if not one["iscrowd"]]
        return [
            SizeRow(
                range_name(low, high),
                objects.count(number),
                _mean_of_classes(found["precision"][0, :, :, number + 1, -1].mean(axis=0)),
                _mean_of_classes(found["recall"][0, :, number + 1, -1]),
            )
            for number, (low, high) in enumerate(itertools.pairwise(self.width_edges))
        ]

    def curves(self) -> dict[str, PrecisionRecall]:
        """`all` and the names of the ranges -> their curves, of those where there is something."""
        evaluation = self._evaluation()
        names = ["all", *(row.name for row in self.rows())]
        curves = {}
        for number, name in enumerate(names):
            precisions = evaluation.eval["precision"][0, :, :, number, -1]
            there = precisions[0] > -1
            if there.any():
                curves[name] = PrecisionRecall(
                    np.array(evaluation.params.recThrs),
                    precisions[:, there].mean(axis=1),
                    evaluation.eval["scores"][0, :, there, number, -1].mean(axis=0),
                )
        return curves

    def evaluate(self) -> dict[str, float]:
        metrics = {}
        for row in self.rows():
            metrics[f"BySize/AP@.50 ({row.name} px)"] = row.average_precision
            metrics[f"BySize/Recall@.50 ({row.name} px)"] = row.recall
            metrics[f"BySize/Objects ({row.name} px)"] = float(row.objects)
        return metrics

    def get_estimator_eval_metric_ops(
        self, eval_dict: dict[str, Any]
    ) -> dict[str, tuple[tf.Tensor, tf.Operation]]:
        """Name of a metric -> (its value, the operation that adds the pictures).

        Args:
            eval_dict: as in `CocoDetectionEvaluator`, with the sizes of the pictures.
        """
        names = [
            f"BySize/{metric} ({range_name(low, high)} px)"
            for low, high in itertools.pairwise(self.width_edges)
            for metric in ("AP@.50", "Recall@.50", "Objects")
        ]
        return in_graph.metric_ops(self, names, in_graph.update_op(self, eval_dict, _LAYOUT))


def _mean_of_classes(values: Array) -> float:
    """Mean over the classes that occur; -1 if none does."""
    values = values[values > -1]
    return float(values.mean()) if values.size else -1.0
