"""Evaluators in the manner of Open Images: groups of objects, and classes nobody looked for.

Axes:   M groundtruth boxes, D detections, C classes, H x W pixels.
Frames: as in `detection_evaluator`; classes are label map ids, which start at 1.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from object_detection.core import standard_fields as fields
from object_detection.metrics.detection_evaluator import Category
from object_detection.metrics.pascal_evaluation import (
    ObjectDetectionEvaluator,
    box_flags,
    labels_from_0,
)

Array = npt.NDArray[Any]

Inputs = fields.InputDataFields


class OpenImagesDetectionEvaluator(ObjectDetectionEvaluator):
    """AP as in Open Images V2, `OpenImagesV2_...`: a box may stand for a group."""

    def __init__(
        self,
        categories: list[Category],
        matching_iou_threshold: float = 0.5,
        evaluate_masks: bool = False,
        evaluate_corlocs: bool = False,
        metric_prefix: str = "OpenImagesV2",
        group_of_weight: float = 0.0,
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each; ids from 1.
            matching_iou_threshold: overlap that makes a match; also the share of a detection that
                must lie in a group.
            evaluate_masks: masks are compared, not boxes.
            evaluate_corlocs: also the share of pictures whose best detection of a class is right.
            metric_prefix: begins the metrics' names.
            group_of_weight: how much finding a group counts; 0 leaves groups out.
        """
        super().__init__(
            categories,
            matching_iou_threshold=matching_iou_threshold,
            evaluate_corlocs=evaluate_corlocs,
            metric_prefix=metric_prefix,
            evaluate_masks=evaluate_masks,
            group_of_weight=group_of_weight,
        )

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `groundtruth_boxes` [M, 4] and `groundtruth_classes` [M]; optional
                `groundtruth_group_of` [M]; `groundtruth_instance_masks` [M, H, W] uint8 if masks
                are evaluated. Nothing is difficult in Open Images.

        Raises:
            DataError: the picture was added before, or masks are absent.
        """
        self._add_groundtruth(
            image_id,
            groundtruth_dict,
            groundtruth_is_group_of_list=box_flags(groundtruth_dict, Inputs.groundtruth_group_of),
        )


class OpenImagesChallengeEvaluator(OpenImagesDetectionEvaluator):
    """AP as in the Open Images Challenge: only classes with a verdict on the picture count.

    A class has one if the picture has a box of it, or `groundtruth_image_classes` names it as
    verified to be there or not to be there.
    """

    def __init__(
        self,
        categories: list[Category],
        evaluate_masks: bool = False,
        matching_iou_threshold: float = 0.5,
        evaluate_corlocs: bool = False,
        group_of_weight: float = 1.0,
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each; ids from 1.
            evaluate_masks: masks are compared, not boxes.
            matching_iou_threshold: as in the base class.
            evaluate_corlocs: also the share of pictures whose best detection of a class is right.
            group_of_weight: how much finding a group counts.
        """
        kind = "InstanceSegmentation" if evaluate_masks else "Detection"
        super().__init__(
            categories,
            matching_iou_threshold,
            evaluate_masks=evaluate_masks,
            evaluate_corlocs=evaluate_corlocs,
            metric_prefix=f"OpenImages{kind}Challenge",
            group_of_weight=group_of_weight,
        )
        self._evaluatable_labels: dict[Any, Array] = {}

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: as in the base class; optional `groundtruth_image_classes` [C'], or
                `groundtruth_labeled_classes` [C'], ids of the classes with a verdict.

        Raises:
            DataError: the picture was added before, or masks are absent.
        """
        super().add_single_ground_truth_image_info(image_id, groundtruth_dict)
        labels = labels_from_0(groundtruth_dict, Inputs.groundtruth_classes)
        for key in (Inputs.groundtruth_image_classes, Inputs.groundtruth_labeled_classes):
            if groundtruth_dict.get(key) is not None:
                labels = np.concatenate([labels, labels_from_0(groundtruth_dict, key)])
                break
        self._evaluatable_labels[image_id] = np.unique(labels)

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Adds the detections of a picture; those of classes without a verdict do not count.

        Args:
            image_id: identity of the picture. If its truth was not added, no class has a verdict.
            detections_dict: as in the base class.

        Raises:
            DataError: masks are absent.
            ShapeError: the lengths differ.
        """
        self._image_ids.add(image_id)
        labels = self._evaluatable_labels.pop(image_id, np.zeros([0], np.int64))
        self._add_detections(image_id, detections_dict, labels)

    def clear(self) -> None:
        super().clear()
        self._evaluatable_labels.clear()


class OpenImagesDetectionChallengeEvaluator(OpenImagesChallengeEvaluator):
    """The challenge's AP of boxes, `OpenImagesDetectionChallenge_...`."""

    def __init__(
        self,
        categories: list[Category],
        matching_iou_threshold: float = 0.5,
        evaluate_corlocs: bool = False,
    ) -> None:
        super().__init__(
            categories,
            evaluate_masks=False,
            matching_iou_threshold=matching_iou_threshold,
            evaluate_corlocs=evaluate_corlocs,
        )


class OpenImagesInstanceSegmentationChallengeEvaluator(OpenImagesChallengeEvaluator):
    """The challenge's AP of masks, `OpenImagesInstanceSegmentationChallenge_...`."""

    def __init__(
        self,
        categories: list[Category],
        matching_iou_threshold: float = 0.5,
        evaluate_corlocs: bool = False,
    ) -> None:
        super().__init__(
            categories,
            evaluate_masks=True,
            matching_iou_threshold=matching_iou_threshold,
            evaluate_corlocs=evaluate_corlocs,
        )
