"""COCO's box metrics from detections picture by picture.

Axes:   M groundtruth boxes, D detections.
Frames: as in `detection_evaluator`.
"""

import logging
from typing import Any

import numpy as np

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError
from object_detection.metrics import coco_tools
from object_detection.metrics.detection_evaluator import Category, DetectionEvaluator, wide_enough
from object_detection.utils import files

logger = logging.getLogger(__name__)

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields


class CocoDetectionEvaluator(DetectionEvaluator):
    """AP and AR of boxes, by pycocotools.

    The metrics are named `DetectionBoxes_Precision/mAP`, `DetectionBoxes_Precision/mAP@.50IOU`, ...
    (`coco_tools.COCO_METRIC_NAMES_AND_INDEX`); -1 stands for "nothing to find".
    """

    def __init__(
        self,
        categories: list[Category],
        include_metrics_per_category: bool = False,
        all_metrics_per_category: bool = False,
        skip_predictions_for_unlabeled_class: bool = False,
        super_categories: dict[str, list[str]] | None = None,
        *,
        min_object_width: float = 0.0,
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each.
            include_metrics_per_category: also the AP of each class.
            all_metrics_per_category: also the other metrics of each class.
            skip_predictions_for_unlabeled_class: leave out detections of classes that
                `groundtruth_labeled_classes` does not name for the picture.
            super_categories: name -> names of classes whose mean AP is wanted too.
            min_object_width: if above 0, AP@.50 is also computed over objects at least so wide in
                the network's input; the groundtruth must hold what `wide_enough` reads.
        """
        super().__init__(categories)
        self._category_ids = {category["id"] for category in categories}
        self._include_metrics_per_category = include_metrics_per_category
        self._all_metrics_per_category = all_metrics_per_category
        self._skip_unlabeled = skip_predictions_for_unlabeled_class
        self._super_categories = super_categories
        self._min_object_width = min_object_width
        self.clear()

    def clear(self) -> None:
        self._groundtruth: list[dict[str, Any]] = []
        self._detections: list[dict[str, Any]] = []
        self._pictures: dict[Any, dict[str, Any]] = {}  # image id -> what later calls need of it
        self._detected: set[Any] = set()

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture; a picture that is there already is left out with a warning.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `groundtruth_boxes` [M, 4] and `groundtruth_classes` [M]; optional
                `groundtruth_is_crowd` [M], `groundtruth_area` [M], `groundtruth_keypoints`
                [M, K, 2] with `groundtruth_keypoint_visibilities` [M, K],
                `groundtruth_labeled_classes` [C].
        """
        if image_id in self._pictures:
            logger.warning("Groundtruth of picture %s was added before; ignored.", image_id)
            return
        boxes = np.asarray(groundtruth_dict[Inputs.groundtruth_boxes], np.float64)
        rows = coco_tools.ExportSingleImageGroundtruthToCoco(
            image_id,
            len(self._groundtruth) + 1,
            self._category_ids,
            boxes,
            np.asarray(groundtruth_dict[Inputs.groundtruth_classes]),
            groundtruth_is_crowd=groundtruth_dict.get(Inputs.groundtruth_is_crowd),
            groundtruth_area=groundtruth_dict.get(Inputs.groundtruth_area),
        )
        self._groundtruth += rows
        self._pictures[image_id] = {
            key: groundtruth_dict[key]
            for key in (
                Inputs.true_image_shape,
                Inputs.original_image_spatial_shape,
                Inputs.groundtruth_labeled_classes,
            )
            if groundtruth_dict.get(key) is not None
        }

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
        """
        if image_id not in self._pictures:
            raise DataError(
                f"Detections of picture {image_id} came before its groundtruth; add that first."
            )
        if image_id in self._detected:
            logger.warning("Detections of picture %s were added before; ignored.", image_id)
            return
        self._detected.add(image_id)
        categories = self._category_ids
        labelled = self._pictures[image_id].get(Inputs.groundtruth_labeled_classes)
        if self._skip_unlabeled and labelled is not None:
            categories = categories & {int(number) for number in labelled}
        self._detections += coco_tools.ExportSingleImageDetectionBoxesToCoco(
            image_id,
            categories,
            np.asarray(detections_dict[Detections.detection_boxes], np.float64),
            np.asarray(detections_dict[Detections.detection_scores]),
            np.asarray(detections_dict[Detections.detection_classes]),
        )

    def dump_detections_to_json_file(self, json_output_path: str) -> None:
        """Writes the detections in COCO's results format."""
        files.write_json(json_output_path, self._detections)

    def _dataset(self, annotations: list[dict[str, Any]]) -> coco_tools.COCOWrapper:
        return coco_tools.COCOWrapper(
            {
                "annotations": annotations,
                "images": [{"id": image_id} for image_id in self._pictures],
                "categories": self._categories,
            }
        )

    def evaluate(self) -> dict[str, float]:
        groundtruth = self._dataset(self._groundtruth)
        detections = groundtruth.LoadAnnotations(self._detections)
        metrics, per_category = coco_tools.COCOEvalWrapper(groundtruth, detections).ComputeMetrics(
            include_metrics_per_category=self._include_metrics_per_category,
            all_metrics_per_category=self._all_metrics_per_category,
            super_categories=self._super_categories,
        )
        metrics |= per_category
        if self._min_object_width > 0:
            name = f"Precision/mAP@.50IOU (width >= {self._min_object_width:g})"
            metrics[name] = self._wide_average_precision()
        return {f"DetectionBoxes_{name}": value for name, value in metrics.items()}

    def _wide_average_precision(self) -> float:
        """AP@.50 over wide objects; narrow ones, and unmatched narrow detections, do not count.

        COCO ignores what lies outside its range of areas, on either side, in just this way; so
        each area here is 1 for a wide box and 0 for a narrow one, and the range begins between.
        """

        def marked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            marked_rows = []
            for row in rows:
                x, y, width, height = row["bbox"]
                box = np.array([[y, x, y + height, x + width]])
                wide = wide_enough(box, self._pictures[row["image_id"]], self._min_object_width)
                marked_rows.append({**row, "area": float(wide[0])})
            return marked_rows

        groundtruth = self._dataset(marked(self._groundtruth))
        evaluation = coco_tools.COCOEvalWrapper(
            groundtruth, groundtruth.LoadAnnotations(marked(self._detections))
        )
        evaluation.params.areaRng[0] = [0.5, 2.0]
        metrics, _ = evaluation.ComputeMetrics()
        return metrics["Precision/mAP@.50IOU"]
