"""COCO's mask metrics from detections picture by picture.

Axes:  M groundtruth masks, D detections, H x W pixels.
Masks: [N, H, W] in the frame of the picture; above 0 is inside.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError, ShapeError
from object_detection.metrics import coco_tools, in_graph
from object_detection.metrics.coco_evaluation.boxes import metric_names, optional_rows
from object_detection.metrics.coco_tools import export
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
    truth=(
        Inputs.groundtruth_boxes,
        Inputs.groundtruth_classes,
        Inputs.groundtruth_instance_masks,
    ),
    optional_truth=(Inputs.groundtruth_is_crowd, Inputs.groundtruth_area),
    found=(
        Detections.detection_scores,
        Detections.detection_classes,
        Detections.detection_masks,
    ),
)


def convert_masks_to_binary(masks: Array) -> Array:
    """1 where a mask is above 0, else 0, as uint8."""
    return (np.asarray(masks) > 0).astype(np.uint8)


def binary_masks(dictionary: dict[str, Any], key: str) -> Array:
    """The masks of a key, as 0 and 1.

    Raises:
        DataError: there are none.
    """
    if dictionary.get(key) is None:
        raise DataError(
            f"There are no {key}, which metrics of masks need; leave these metrics out."
        )
    return convert_masks_to_binary(dictionary[key])


def check_size(image_id: Any, truth_size: tuple[int, ...], masks: Array) -> None:
    """Refuses detected masks of another size than the truth's.

    Raises:
        ShapeError: the sizes differ.
    """
    if masks.shape[1:] != truth_size:
        raise ShapeError(
            f"detection_masks of picture {image_id} are {list(masks.shape[1:])} pixels, but its "
            f"groundtruth_instance_masks are {list(truth_size)}."
        )


class CocoMaskEvaluator(DetectionEvaluator):
    """AP and AR of instance masks, by pycocotools.

    The metrics are named `DetectionMasks_Precision/mAP`, ...
    (`coco_tools.COCO_METRIC_NAMES_AND_INDEX`); -1 stands for "nothing to find".
    """

    def __init__(
        self,
        categories: list[Category],
        include_metrics_per_category: bool = False,
        all_metrics_per_category: bool = False,
        super_categories: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each.
            include_metrics_per_category: also the AP of each class.
            all_metrics_per_category: also the other metrics of each class.
            super_categories: name -> names of classes whose mean AP is wanted too.
        """
        super().__init__(categories)
        self._category_ids = {category["id"] for category in categories}
        self._include_metrics_per_category = include_metrics_per_category
        self._all_metrics_per_category = all_metrics_per_category
        self._super_categories = super_categories
        self.clear()

    def clear(self) -> None:
        self._groundtruth_list: list[dict[str, Any]] = []
        self._detection_masks_list: list[dict[str, Any]] = []
        self._annotation_id = 1
        self._image_id_to_mask_shape_map: dict[Any, tuple[int, ...]] = {}
        self._image_ids_with_detections: set[Any] = set()

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture; a picture that is there already is left out with a warning.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `groundtruth_boxes` [M, 4], `groundtruth_classes` [M],
                `groundtruth_instance_masks` [M, H, W]; optional `groundtruth_is_crowd` [M],
                `groundtruth_area` [M].

        Raises:
            DataError: there are no masks.
        """
        if image_id in self._image_id_to_mask_shape_map:
            logger.warning("Groundtruth of picture %s was added before; ignored.", image_id)
            return
        masks = binary_masks(groundtruth_dict, Inputs.groundtruth_instance_masks)
        self._groundtruth_list += coco_tools.ExportSingleImageGroundtruthToCoco(
            image_id,
            self._annotation_id,
            self._category_ids,
            np.asarray(groundtruth_dict[Inputs.groundtruth_boxes], np.float64),
            np.asarray(groundtruth_dict[Inputs.groundtruth_classes]),
            groundtruth_masks=masks,
            groundtruth_is_crowd=optional_rows(groundtruth_dict, Inputs.groundtruth_is_crowd),
            groundtruth_area=optional_rows(groundtruth_dict, Inputs.groundtruth_area),
        )
        self._annotation_id += len(masks)
        self._image_id_to_mask_shape_map[image_id] = masks.shape

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Adds the detections of a picture; a second time they are left out with a warning.

        Args:
            image_id: identity of the picture.
            detections_dict: `detection_scores` [D], `detection_classes` [D], `detection_masks`
                [D, H, W].

        Raises:
            DataError: there are no masks, or the picture's truth was not added.
            ShapeError: the masks have another size than the truth's.
        """
        check_truth_is_there(image_id, self._image_id_to_mask_shape_map)
        if image_id in self._image_ids_with_detections:
            logger.warning("Detections of picture %s were added before; ignored.", image_id)
            return
        masks = binary_masks(detections_dict, Detections.detection_masks)
        check_size(image_id, self._image_id_to_mask_shape_map[image_id][1:], masks)
        self._detection_masks_list += coco_tools.ExportSingleImageDetectionMasksToCoco(
            image_id,
            self._category_ids,
            masks,
            np.asarray(detections_dict[Detections.detection_scores]),
            np.asarray(detections_dict[Detections.detection_classes]),
        )
        self._image_ids_with_detections.add(image_id)

    def dump_detections_to_json_file(self, json_output_path: str | None) -> None:
        """Writes the detections in COCO's results format, with four decimals; no path, no file."""
        if json_output_path:
            export.write_json(self._detection_masks_list, json_output_path)

    def evaluate(self) -> dict[str, float]:
        groundtruth = coco_tools.COCOWrapper(
            {
                "annotations": self._groundtruth_list,
                "images": [
                    {"id": image_id, "height": shape[1], "width": shape[2]}
                    for image_id, shape in self._image_id_to_mask_shape_map.items()
                ],
                "categories": self._categories,
            },
            detection_type="segmentation",
        )
        detections = groundtruth.LoadAnnotations(self._detection_masks_list)
        metrics, per_category = coco_tools.COCOEvalWrapper(
            groundtruth, detections, iou_type="segm"
        ).ComputeMetrics(
            include_metrics_per_category=self._include_metrics_per_category,
            all_metrics_per_category=self._all_metrics_per_category,
            super_categories=self._super_categories,
        )
        return {
            f"DetectionMasks_{name}": value for name, value in {**metrics, **per_category}.items()
        }

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

        Args:
            eval_dict: as in `CocoDetectionEvaluator`, with the masks; in a padded batch
                `original_image_spatial_shape` [B, 2] says how much of each mask is its picture's.
        """
        names = metric_names(
            "DetectionMasks_",
            self._categories,
            self._include_metrics_per_category,
            self._all_metrics_per_category,
            self._super_categories,
        )
        return in_graph.metric_ops(self, names, self.add_eval_dict(eval_dict))
