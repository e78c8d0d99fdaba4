"""COCO's box metrics from detections picture by picture.

Axes:   M groundtruth boxes, D detections, K keypoints, C classes.
Frames: as in `detection_evaluator`.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import ShapeError
from object_detection.metrics import coco_tools, in_graph
from object_detection.metrics.coco_tools import export
from object_detection.metrics.detection_evaluator import (
    Array,
    Category,
    DetectionEvaluator,
    check_truth_is_there,
    wide_enough,
)

logger = logging.getLogger(__name__)

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

_LAYOUT = in_graph.Layout(
    truth=(Inputs.groundtruth_boxes, Inputs.groundtruth_classes),
    optional_truth=(Inputs.groundtruth_is_crowd, Inputs.groundtruth_area),
    found=(
        Detections.detection_boxes,
        Detections.detection_scores,
        Detections.detection_classes,
    ),
)


def optional_rows(dictionary: dict[str, Any], key: str) -> Array | None:
    """The array of a key; None if it is not there or has no rows."""
    values = dictionary.get(key)
    return None if values is None or not len(values) else np.asarray(values)


def metric_names(
    prefix: str,
    categories: Sequence[Category],
    include_metrics_per_category: bool,
    all_metrics_per_category: bool,
    super_categories: Mapping[str, Sequence[str]] | None,
    max_detections: int = coco_tools.DEFAULT_MAX_DETECTIONS,
) -> list[str]:
    """Names of all that `ComputeMetrics` reports of boxes or masks."""
    summary = coco_tools.box_metric_names(max_detections)
    names = list(summary)
    if include_metrics_per_category:
        for category in categories:
            names.append(f"PerformanceByCategory/mAP/{category['name']}")
            if all_metrics_per_category:
                names += [
                    f"{name.replace('/', ' ')} ByCategory/{category['name']}" for name in summary
                ]
        names += [f"PerformanceBySuperCategory/{group}" for group in super_categories or ()]
    return [prefix + name for name in names]


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
        super_categories: Mapping[str, Sequence[str]] | None = None,
        *,
        min_object_width: float = 0.0,
        max_detections: int = coco_tools.DEFAULT_MAX_DETECTIONS,
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each.
            include_metrics_per_category: also the AP of each class.
            all_metrics_per_category: also the other metrics of each class.
            skip_predictions_for_unlabeled_class: leave out detections of classes that
                `groundtruth_labeled_classes` does not mark for the picture.
            super_categories: name -> names of classes whose mean AP is wanted too.
            min_object_width: if above 0, AP@.50 is also computed over objects at least so wide in
                the network's input; the groundtruth must hold what `wide_enough` reads.
            max_detections: of a picture that count, best first. Above COCO's 100, for crowds,
                recalls at that number are reported too.
        """
        super().__init__(categories)
        self._category_ids = {category["id"] for category in categories}
        self._include_metrics_per_category = include_metrics_per_category
        self._all_metrics_per_category = all_metrics_per_category
        self._skip_predictions_for_unlabeled_class = skip_predictions_for_unlabeled_class
        self._super_categories = super_categories
        self._min_object_width = min_object_width
        self._max_detections = max_detections
        self.clear()

    def clear(self) -> None:
        self._groundtruth_list: list[dict[str, Any]] = []
        self._detection_boxes_list: list[dict[str, Any]] = []
        self._annotation_id = 1
        self._image_ids: dict[Any, bool] = {}  # whether its detections were added
        self._labeled_classes: dict[Any, set[int]] = {}
        self._sizes: dict[Any, dict[str, Any]] = {}  # what `wide_enough` reads

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture; a picture that is there already is left out with a warning.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `groundtruth_boxes` [M, 4] and `groundtruth_classes` [M]; optional
                `groundtruth_is_crowd` [M], `groundtruth_area` [M], `groundtruth_keypoints`
                [M, K, 2] with `groundtruth_keypoint_visibilities` [M, K],
                `groundtruth_labeled_classes` [1 + C], where 1 marks a class, by its id, that the
                picture was searched for.

        Raises:
            ShapeError: rows do not fit, or the labelled classes are not [1 + C].
        """
        if image_id in self._image_ids:
            logger.warning("Groundtruth of picture %s was added before; ignored.", image_id)
            return
        boxes = np.asarray(groundtruth_dict[Inputs.groundtruth_boxes], np.float64)
        rows = coco_tools.ExportSingleImageGroundtruthToCoco(
            image_id,
            self._annotation_id,
            self._category_ids,
            boxes,
            np.asarray(groundtruth_dict[Inputs.groundtruth_classes]),
            groundtruth_keypoints=optional_rows(groundtruth_dict, Inputs.groundtruth_keypoints),
            groundtruth_keypoint_visibilities=optional_rows(
                groundtruth_dict, Inputs.groundtruth_keypoint_visibilities
            ),
            groundtruth_is_crowd=optional_rows(groundtruth_dict, Inputs.groundtruth_is_crowd),
            groundtruth_area=optional_rows(groundtruth_dict, Inputs.groundtruth_area),
        )
        labelled = groundtruth_dict.get(Inputs.groundtruth_labeled_classes)
        if self._skip_predictions_for_unlabeled_class and labelled is not None:
            self._labeled_classes[image_id] = self._marked_classes(np.asarray(labelled))
        self._groundtruth_list += rows
        self._annotation_id += len(boxes)
        self._image_ids[image_id] = False
        self._sizes[image_id] = {
            key: groundtruth_dict[key]
            for key in (Inputs.true_image_shape, Inputs.original_image_spatial_shape)
            if groundtruth_dict.get(key) is not None
        }

    def _marked_classes(self, marks: Array) -> set[int]:
        wanted = (1 + len(self._category_ids),)
        if marks.shape != wanted:
            raise ShapeError(
                f"groundtruth_labeled_classes should be {list(wanted)}, a mark for the background "
                f"and each class, got {list(marks.shape)}."
            )
        return {int(number) for number in np.flatnonzero(marks == 1)}

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Adds the detections of a picture; a second time they are left out with a warning.

        Args:
            image_id: identity of the picture.
            detections_dict: `detection_boxes` [D, 4], `detection_scores` [D],
                `detection_classes` [D]; optional `detection_keypoints` [D, K, 2].

        Raises:
            DataError: the picture's truth was not added.
        """
        check_truth_is_there(image_id, self._image_ids)
        if self._image_ids[image_id]:
            logger.warning("Detections of picture %s were added before; ignored.", image_id)
            return
        self._detection_boxes_list += coco_tools.ExportSingleImageDetectionBoxesToCoco(
            image_id,
            self._category_ids & self._labeled_classes.get(image_id, self._category_ids),
            np.asarray(detections_dict[Detections.detection_boxes], np.float64),
            np.asarray(detections_dict[Detections.detection_scores]),
            np.asarray(detections_dict[Detections.detection_classes]),
            detection_keypoints=optional_rows(detections_dict, Detections.detection_keypoints),
        )
        self._image_ids[image_id] = True

    def dump_detections_to_json_file(self, json_output_path: str | None) -> None:
        """Writes the detections in COCO's results format, with four decimals; no path, no file."""
        if json_output_path:
            export.write_json(self._detection_boxes_list, json_output_path)

    def _dataset(self, annotations: list[dict[str, Any]]) -> coco_tools.COCOWrapper:
        return coco_tools.COCOWrapper(
            {
                "annotations": annotations,
                "images": [{"id": image_id} for image_id in self._image_ids],
                "categories": self._categories,
            }
        )

    def evaluate(self) -> dict[str, float]:
        groundtruth = self._dataset(self._groundtruth_list)
        detections = groundtruth.LoadAnnotations(self._detection_boxes_list)
        metrics, per_category = coco_tools.COCOEvalWrapper(
            groundtruth, detections, max_detections=self._max_detections
        ).ComputeMetrics(
            include_metrics_per_category=self._include_metrics_per_category,
            all_metrics_per_category=self._all_metrics_per_category,
            super_categories=self._super_categories,
        )
        metrics |= per_category
        if self._min_object_width > 0:
            metrics[self._wide_name()] = self._wide_average_precision()
        return {f"DetectionBoxes_{name}": value for name, value in metrics.items()}

    def add_eval_dict(self, eval_dict: dict[str, Any]) -> tf.Operation:
        """The operation that adds the pictures of a dict of tensors.

        Args:
            eval_dict: as `get_estimator_eval_metric_ops` takes it.
        """
        return in_graph.update_op(self, eval_dict, _LAYOUT)

    def get_estimator_eval_metric_ops(
        self, eval_dict: dict[str, Any]
    ) -> dict[str, tuple[tf.Tensor, tf.Operation]]:
        """Name of a metric -> (its value, the operation that adds the pictures).

        Fetch all values in one run: that evaluates, then forgets the pictures.

        Args:
            eval_dict: tensors of a picture (`key` scalar) or a batch, as
                `eval_util.result_dict_for_single_example` and its batched sister make them; for a
                padded batch with `num_groundtruth_boxes_per_image` [B] and
                `num_det_boxes_per_image` [B]. Pictures whose `is_annotated` is false are left out.
        """
        names = metric_names(
            "DetectionBoxes_",
            self._categories,
            self._include_metrics_per_category,
            self._all_metrics_per_category,
            self._super_categories,
            self._max_detections,
        )
        if self._min_object_width > 0:
            names.append(f"DetectionBoxes_{self._wide_name()}")
        return in_graph.metric_ops(self, names, self.add_eval_dict(eval_dict))

    def _wide_name(self) -> str:
        return f"Precision/mAP@.50IOU (width >= {self._min_object_width:g})"

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
                wide = wide_enough(box, self._sizes[row["image_id"]], self._min_object_width)
                marked_rows.append({**row, "area": float(wide[0])})
            return marked_rows

        groundtruth = self._dataset(marked(self._groundtruth_list))
        evaluation = coco_tools.COCOEvalWrapper(
            groundtruth,
            groundtruth.LoadAnnotations(marked(self._detection_boxes_list)),
            max_detections=self._max_detections,
        )
        evaluation.params.areaRng[0] = [0.5, 2.0]
        metrics, _ = evaluation.ComputeMetrics()
        return metrics["Precision/mAP@.50IOU"]
