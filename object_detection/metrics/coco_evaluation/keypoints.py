"""COCO's keypoint metrics of one class.

Axes:   M groundtruth boxes, D detections, A keypoints in the arrays, K of the class.
Frames: as in `detection_evaluator`.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError, DataError
from object_detection.metrics import coco_tools, in_graph
from object_detection.metrics.coco_evaluation.boxes import CocoDetectionEvaluator, optional_rows
from object_detection.metrics.detection_evaluator import Array

logger = logging.getLogger(__name__)

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

# Of keypoints whose sigma nobody gave: about the mean of COCO's 17, as the OD API has it.
_DEFAULT_SIGMA = 0.05

# What evaluators of keypoints take from a graph.
LAYOUT = in_graph.Layout(
    truth=(Inputs.groundtruth_boxes, Inputs.groundtruth_classes, Inputs.groundtruth_keypoints),
    optional_truth=(
        Inputs.groundtruth_is_crowd,
        Inputs.groundtruth_area,
        Inputs.groundtruth_keypoint_visibilities,
    ),
    found=(
        Detections.detection_boxes,
        Detections.detection_scores,
        Detections.detection_classes,
        Detections.detection_keypoints,
    ),
)


class CocoKeypointEvaluator(CocoDetectionEvaluator):
    """AP and AR of keypoints of one class by object keypoint similarity, by pycocotools.

    The metrics are named `Keypoints_Precision/mAP ByCategory/<class>`, ...
    (`coco_tools.COCO_KEYPOINT_METRIC_NAMES_AND_INDEX`); -1 stands for "nothing to find".
    """

    def __init__(
        self,
        category_id: int,
        category_keypoints: Sequence[dict[str, Any]],
        class_text: str,
        oks_sigmas: Mapping[str, float] | None = None,
    ) -> None:
        """Keeps the settings.

        Args:
            category_id: id of the class.
            category_keypoints: `{"id", "name"}` of each keypoint of the class; the id is its
                position among the A of the arrays.
            class_text: name of the class.
            oks_sigmas: name of a keypoint -> its standard deviation, as a share of the object's
                size (cocodataset.org/#keypoints-eval); 0.05 each if absent.

        Raises:
            ConfigError: a keypoint has no sigma, though some are given.
        """
        self._category_id = category_id
        self._category_name = class_text
        names = {keypoint["id"]: keypoint["name"] for keypoint in category_keypoints}
        self._keypoint_ids = sorted(names)
        if oks_sigmas:
            absent = [name for name in names.values() if name not in oks_sigmas]
            if absent:
                raise ConfigError(
                    f"The keypoints {', '.join(absent)} of {class_text} have no sigma; there are "
                    f"sigmas of {', '.join(sorted(oks_sigmas))}."
                )
            self._oks_sigmas = np.array([oks_sigmas[names[one]] for one in self._keypoint_ids])
        else:
            self._oks_sigmas = np.full(len(names), _DEFAULT_SIGMA)
            logger.warning(
                "No OKS sigmas of the keypoints of %s; %s each.", class_text, _DEFAULT_SIGMA
            )
        super().__init__([{"id": category_id, "name": class_text}])

    def _rows_of_class(self, dictionary: dict[str, Any], keys: Sequence[str], classes: str) -> Any:
        """The dict with the rows of the class and, where there are keypoints, those of the class.

        Args:
            dictionary: of truth or detections.
            keys: that have one row a box; the last two may be of keypoints.
            classes: key of the classes.
        """
        mine = np.asarray(dictionary[classes]) == self._category_id
        rows: dict[str, Any] = dict(dictionary)
        for key in keys:
            values = optional_rows(dictionary, key)
            if values is None:
                rows.pop(key, None)
                continue
            rows[key] = values[mine]
            if key in _OF_KEYPOINTS:
                rows[key] = self._of_class(key, rows[key])
        # Where there was no row at all, the required ones stay, empty.
        for key in set(keys) & set(_EMPTY):
            rows.setdefault(key, np.zeros(_EMPTY[key]))
        return rows

    def _of_class(self, key: str, values: Array) -> Array:
        if max(self._keypoint_ids, default=-1) >= values.shape[1]:
            raise DataError(
                f"{key} has {values.shape[1]} keypoints, but {self._category_name} has one with "
                f"id {max(self._keypoint_ids)}; ids count from 0."
            )
        return values[:, self._keypoint_ids]

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture; other classes are left out.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `groundtruth_boxes` [M, 4], `groundtruth_classes` [M],
                `groundtruth_keypoints` [M, A, 2]; optional `groundtruth_keypoint_visibilities`
                [M, A], `groundtruth_is_crowd` [M], `groundtruth_area` [M].

        Raises:
            DataError: there are no keypoints, or too few.
        """
        if Inputs.groundtruth_keypoints not in groundtruth_dict:
            raise DataError(f"Groundtruth of picture {image_id} has no groundtruth_keypoints.")
        super().add_single_ground_truth_image_info(
            image_id,
            self._rows_of_class(
                groundtruth_dict,
                (*LAYOUT.truth, *LAYOUT.optional_truth),
                Inputs.groundtruth_classes,
            ),
        )

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Adds the detections of a picture; other classes are left out.

        Args:
            image_id: identity of the picture.
            detections_dict: `detection_boxes` [D, 4], `detection_scores` [D],
                `detection_classes` [D], `detection_keypoints` [D, A, 2].

        Raises:
            DataError: there are no keypoints, or too few; or the truth was not added.
        """
        if Detections.detection_keypoints not in detections_dict:
            raise DataError(f"Detections of picture {image_id} have no detection_keypoints.")
        super().add_single_detected_image_info(
            image_id,
            self._rows_of_class(detections_dict, LAYOUT.found, Detections.detection_classes),
        )

    def evaluate(self) -> dict[str, float]:
        groundtruth = self._dataset(self._groundtruth_list)
        detections = groundtruth.LoadAnnotations(self._detection_boxes_list)
        metrics, _ = coco_tools.COCOEvalWrapper(
            groundtruth, detections, iou_type="keypoints", oks_sigmas=self._oks_sigmas
        ).ComputeMetrics()
        return {f"Keypoints_{name}": value for name, value in metrics.items()}

    def add_eval_dict(self, eval_dict: dict[str, Any]) -> tf.Operation:
        """The operation that adds the pictures of a dict of tensors.

        Args:
            eval_dict: as `get_estimator_eval_metric_ops` takes it.
        """
        return in_graph.update_op(self, eval_dict, LAYOUT)

    def get_estimator_eval_metric_ops(
        self, eval_dict: dict[str, Any]
    ) -> dict[str, tuple[tf.Tensor, tf.Operation]]:
        """Name of a metric -> (its value, the operation that adds the pictures).

        Args:
            eval_dict: as in `CocoDetectionEvaluator`, with the keypoints.
        """
        names = [
            f"Keypoints_{name} ByCategory/{self._category_name}"
            for name, _ in coco_tools.COCO_KEYPOINT_METRIC_NAMES_AND_INDEX
        ]
        return in_graph.metric_ops(self, names, self.add_eval_dict(eval_dict))


_OF_KEYPOINTS = (
    Inputs.groundtruth_keypoints,
    Inputs.groundtruth_keypoint_visibilities,
    Detections.detection_keypoints,
)
# Required keys -> what they are without rows.
_EMPTY = {
    Inputs.groundtruth_boxes: (0, 4),
    Inputs.groundtruth_classes: (0,),
    Detections.detection_boxes: (0, 4),
    Detections.detection_scores: (0,),
    Detections.detection_classes: (0,),
}
