"""Average precision of keypoints by object keypoint similarity, with any K and any sigmas.

Axes:   M groundtruth boxes, D detections, K keypoints.
Frames: as in `detection_evaluator`.

The evaluation is pycocotools', of a detection's keypoints and score as in COCO's results format:
the area of a detection is that of the rectangle around its keypoints, and its box does not matter.
"""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError, DataError, ShapeError
from object_detection.keypoints import schema
from object_detection.metrics import coco_tools, in_graph
from object_detection.metrics.coco_evaluation.boxes import optional_rows
from object_detection.metrics.coco_evaluation.keypoints import LAYOUT
from object_detection.metrics.detection_evaluator import (
    Array,
    Category,
    DetectionEvaluator,
    check_truth_is_there,
)

logger = logging.getLogger(__name__)

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

# Detections of a picture that count (cocodataset.org/#keypoints-eval).
DEFAULT_MAX_DETECTIONS = 20


class OksEvaluator(DetectionEvaluator):
    """OKS-AP and OKS-AR over all classes.

    The metrics are `OKS/AP`, `OKS/AP@.50`, ... (`coco_tools.OKS_METRICS`); -1 stands for "nothing
    to find". Objects without a labelled keypoint, and crowds, are ignored: what is found there
    counts neither way.
    """

    def __init__(
        self,
        categories: list[Category],
        oks_sigmas: Sequence[float] = (),
        max_detections: int = DEFAULT_MAX_DETECTIONS,
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each.
            oks_sigmas: of each of the K keypoints, as a share of the object's size; 0.025 each if
                there are none.
            max_detections: of a picture that count, best first.

        Raises:
            ConfigError: `max_detections` is below 1.
        """
        super().__init__(categories)
        if max_detections < 1:
            raise ConfigError(f"max_detections is {max_detections}; give at least 1.")
        self._category_ids = {category["id"] for category in categories}
        self._oks_sigmas = np.array(oks_sigmas, np.float64)
        self._max_detections = max_detections
        self.clear()

    def clear(self) -> None:
        self._annotations: list[dict[str, Any]] = []
        self._results: list[dict[str, Any]] = []
        self._pictures: dict[Any, bool] = {}  # whether its detections were added
        self._next_id = 1
        self._size: int | None = None if not len(self._oks_sigmas) else len(self._oks_sigmas)

    def _check_size(self, name: str, image_id: Any, keypoints: Any) -> None:
        """Raises if the keypoints are not K; the first picture says how many, if no sigmas do."""
        found = np.shape(keypoints)
        if self._size is None and len(found) == 3:
            self._size = found[1]
        if len(found) != 3 or found[1:] != (self._size, 2):
            raise ShapeError(
                f"{name} of picture {image_id} should be [N, K={self._size}, 2], got "
                f"{list(found)}. With sigmas, give one for each keypoint (eval_config.oks_sigmas)."
            )

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture; a picture that is there already is left out with a warning.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `groundtruth_boxes` [M, 4], `groundtruth_classes` [M],
                `groundtruth_keypoints` [M, K, 2], NaN for absent ones; optional
                `groundtruth_keypoint_visibilities` [M, K], above 0 where a keypoint is labelled,
                `groundtruth_is_crowd` [M], `groundtruth_area` [M]. Without areas those of the
                boxes are taken.

        Raises:
            DataError: there are no keypoints.
            ShapeError: rows do not fit, or the keypoints are not K.
        """
        if Inputs.groundtruth_keypoints not in groundtruth_dict:
            raise DataError(
                f"Groundtruth of picture {image_id} has no {Inputs.groundtruth_keypoints}; set "
                "num_keypoints in the input reader, or leave keypoint_oks_metrics out."
            )
        if image_id in self._pictures:
            logger.warning("Groundtruth of picture %s was added before; ignored.", image_id)
            return
        keypoints = groundtruth_dict[Inputs.groundtruth_keypoints]
        self._check_size("groundtruth_keypoints", image_id, keypoints)
        boxes = np.asarray(groundtruth_dict[Inputs.groundtruth_boxes], np.float64)
        self._annotations += coco_tools.ExportSingleImageGroundtruthToCoco(
            image_id,
            self._next_id,
            self._category_ids,
            boxes,
            np.asarray(groundtruth_dict[Inputs.groundtruth_classes]),
            groundtruth_keypoints=np.asarray(keypoints, np.float64),
            groundtruth_keypoint_visibilities=optional_rows(
                groundtruth_dict, Inputs.groundtruth_keypoint_visibilities
            ),
            groundtruth_is_crowd=optional_rows(groundtruth_dict, Inputs.groundtruth_is_crowd),
            groundtruth_area=optional_rows(groundtruth_dict, Inputs.groundtruth_area),
        )
        self._next_id += len(boxes)
        self._pictures[image_id] = False

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Adds the detections of a picture; a second time they are left out with a warning.

        Args:
            image_id: identity of the picture.
            detections_dict: `detection_boxes` [D, 4], `detection_scores` [D],
                `detection_classes` [D], `detection_keypoints` [D, K, 2].

        Raises:
            DataError: the picture's truth was not added.
            ShapeError: rows do not fit, or the keypoints are not K.
        """
        check_truth_is_there(image_id, self._pictures)
        if self._pictures[image_id]:
            logger.warning("Detections of picture %s were added before; ignored.", image_id)
            return
        keypoints = detections_dict[Detections.detection_keypoints]
        self._check_size("detection_keypoints", image_id, keypoints)
        scores = np.asarray(detections_dict[Detections.detection_scores])
        classes = np.asarray(detections_dict[Detections.detection_classes])
        if not len(scores) == len(classes) == len(keypoints):
            raise ShapeError(
                f"Detections of picture {image_id}: {len(scores)} scores, {len(classes)} classes and "
                f"keypoints of {len(keypoints)}; they should be as many."
            )
        best = _best_of_each_class(scores, classes, self._max_detections)
        rows = coco_tools.ExportSingleImageDetectionBoxesToCoco(
            image_id,
            self._category_ids,
            np.asarray(detections_dict[Detections.detection_boxes], np.float64)[best],
            scores[best],
            classes[best],
            detection_keypoints=np.asarray(keypoints, np.float64)[best],
        )
        self._results += [
            {key: value for key, value in row.items() if key != "bbox"} for row in rows
        ]
        self._pictures[image_id] = True

    def evaluate(self) -> dict[str, float]:
        groundtruth = coco_tools.COCOWrapper(
            {
                "annotations": self._annotations,
                "images": [{"id": image_id} for image_id in self._pictures],
                "categories": self._categories,
            },
            detection_type="keypoints",
        )
        sigmas = self._oks_sigmas
        if not len(sigmas):
            sigmas = np.full(self._size or 0, schema.DEFAULT_SIGMA)
        metrics = coco_tools.COCOEvalWrapper(
            groundtruth,
            groundtruth.LoadAnnotations(self._results),
            iou_type="keypoints",
            oks_sigmas=sigmas,
            max_detections=self._max_detections,
        ).OksSummary()
        return {f"OKS/{name}": value for name, value in metrics.items()}

    def get_estimator_eval_metric_ops(
        self, eval_dict: dict[str, Any]
    ) -> dict[str, tuple[tf.Tensor, tf.Operation]]:
        """Name of a metric -> (its value, the operation that adds the pictures).

        Args:
            eval_dict: as in `CocoDetectionEvaluator`, with the keypoints.
        """
        names = [f"OKS/{name}" for name, *_ in coco_tools.OKS_METRICS]
        update = in_graph.update_op(self, eval_dict, LAYOUT)
        return in_graph.metric_ops(self, names, update)


def _best_of_each_class(scores: Array, classes: Array, most: int) -> Array:
    """Rows, rising, of the best detections of each class; COCO looks at no others."""
    order = np.argsort(-scores, kind="stable")
    best = [order[classes[order] == one][:most] for one in np.unique(classes)]
    return np.sort(np.concatenate([np.zeros(0, np.int64), *best]))
