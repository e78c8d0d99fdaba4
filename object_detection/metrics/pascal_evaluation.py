"""Evaluators in the manner of PASCAL VOC: AP at one overlap, for boxes or masks.

Axes:   M groundtruth boxes, D detections, C classes, H x W pixels.
Frames: as in `detection_evaluator`; classes are label map ids, which start at 1.
"""

import logging
import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError, DataError
from object_detection.metrics import in_graph
from object_detection.metrics.average_precision import (
    ObjectDetectionEvaluation,
    ObjectDetectionEvaluationState,
)
from object_detection.metrics.detection_evaluator import Category, DetectionEvaluator
from object_detection.utils.label_map_util import LABEL_OFFSET

logger = logging.getLogger(__name__)

Array = npt.NDArray[Any]

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

# What `add_eval_dict` takes of the tensors it is given.
LAYOUT = in_graph.Layout(
    truth=(Inputs.groundtruth_boxes, Inputs.groundtruth_classes),
    found=(
        Detections.detection_boxes,
        Detections.detection_scores,
        Detections.detection_classes,
    ),
    optional_truth=(
        Inputs.groundtruth_difficult,
        Inputs.groundtruth_group_of,
        Inputs.groundtruth_instance_masks,
    ),
    optional_found=(Detections.detection_masks,),
)


class ObjectDetectionEvaluator(DetectionEvaluator):
    """Average precision of each class and their mean; on request CorLoc and whole curves.

    The metrics are named, after `metric_prefix` and an underscore, `Precision/mAP@0.5IOU`,
    `PerformanceByCategory/AP@0.5IOU/<class>` and so on; NaN for classes without groundtruth.
    """

    def __init__(
        self,
        categories: list[Category],
        matching_iou_threshold: float = 0.5,
        recall_lower_bound: float = 0.0,
        recall_upper_bound: float = 1.0,
        evaluate_corlocs: bool = False,
        evaluate_precision_recall: bool = False,
        metric_prefix: str | None = None,
        use_weighted_mean_ap: bool = False,
        evaluate_masks: bool = False,
        group_of_weight: float = 0.0,
        nms_iou_threshold: float = 1.0,
        nms_max_output_boxes: int = 10000,
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each; ids from 1.
            matching_iou_threshold: overlap that makes a match.
            recall_lower_bound: only the curve from this recall on counts.
            recall_upper_bound: only the curve up to this recall counts.
            evaluate_corlocs: also the share of pictures whose best detection of a class is right.
            evaluate_precision_recall: also precision and recall, an array for each class.
            metric_prefix: begins the metrics' names.
            use_weighted_mean_ap: the mean is the AP of all classes' detections in one ranking.
            evaluate_masks: masks are compared, not boxes.
            group_of_weight: how much finding a group counts; 0 leaves groups out.
            nms_iou_threshold: detections of a class that overlap a better one more are dropped.
            nms_max_output_boxes: most detections of a class in one picture.

        Raises:
            ConfigError: no class, or an id below 1.
        """
        super().__init__(categories)
        ids = [category["id"] for category in categories]
        if not ids or min(ids) < LABEL_OFFSET:
            raise ConfigError(
                f"categories have the ids {sorted(ids)}; at least one is needed, and they start "
                "at 1 (0 is the background)."
            )
        self._num_classes = max(ids)
        self._matching_iou_threshold = matching_iou_threshold
        self._recall_lower_bound = recall_lower_bound
        self._recall_upper_bound = recall_upper_bound
        self._use_weighted_mean_ap = use_weighted_mean_ap
        self._evaluate_masks = evaluate_masks
        self._group_of_weight = group_of_weight
        self._nms_iou_threshold = nms_iou_threshold
        self._nms_max_output_boxes = nms_max_output_boxes
        self._evaluate_corlocs = evaluate_corlocs
        self._evaluate_precision_recall = evaluate_precision_recall
        self._metric_prefix = f"{metric_prefix}_" if metric_prefix else ""
        self._image_ids: set[Any] = set()
        self._evaluation = self._new_evaluation()
        self._metric_names = self._names_of_metrics()

    def get_internal_state(self) -> ObjectDetectionEvaluationState:
        """What was found so far, for another evaluator to merge."""
        return self._evaluation.get_internal_state()

    def merge_internal_state(
        self, image_ids: list[Any], state_tuple: ObjectDetectionEvaluationState
    ) -> None:
        """Adds what another evaluator found; a warning names pictures that now count twice.

        Args:
            image_ids: of its pictures.
            state_tuple: what its `get_internal_state` gave; of the same categories.
        """
        twice = [image_id for image_id in image_ids if image_id in self._image_ids]
        if twice:
            logger.warning("Pictures %s were added before; they count twice now.", twice)
        self._image_ids.update(image_ids)
        self._evaluation.merge_internal_state(state_tuple)

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `groundtruth_boxes` [M, 4] and `groundtruth_classes` [M]; optional
                `groundtruth_difficult` [M]; `groundtruth_instance_masks` [M, H, W] uint8 if masks
                are evaluated.

        Raises:
            DataError: the picture was added before, or masks are absent.
        """
        self._add_groundtruth(
            image_id,
            groundtruth_dict,
            groundtruth_is_difficult_list=box_flags(groundtruth_dict, Inputs.groundtruth_difficult),
        )

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Adds the detections of a picture whose truth has been added.

        Args:
            image_id: identity of the picture.
            detections_dict: `detection_boxes` [D, 4], `detection_scores` [D],
                `detection_classes` [D]; `detection_masks` [D, H, W] uint8 if masks are evaluated.

        Raises:
            DataError: masks are absent.
            ShapeError: the lengths differ.
        """
        self._add_detections(image_id, detections_dict, None)

    def evaluate(self) -> dict[str, Any]:
        found = self._evaluation.evaluate()
        metrics: dict[str, Any] = {self._metric_names[0]: found.mean_ap}
        if self._evaluate_corlocs:
            metrics[self._metric_names[1]] = found.mean_corloc
        for index, class_name in self._named_classes():
            metrics[self._class_metric("AP", class_name)] = found.average_precisions[index]
            if self._evaluate_precision_recall:
                metrics[self._class_metric("Precision", class_name)] = found.precisions[index]
                metrics[self._class_metric("Recall", class_name)] = found.recalls[index]
            if self._evaluate_corlocs:
                metrics[self._class_metric("CorLoc", class_name)] = found.corlocs[index]
        return metrics

    def clear(self) -> None:
        self._evaluation = self._new_evaluation()
        self._image_ids.clear()

    def add_eval_dict(self, eval_dict: dict[str, Any]) -> tf.Operation:
        """Operation that adds a step's pictures.

        Args:
            eval_dict: tensors of one picture, or of B pictures: `key`, and those that
                `add_single_ground_truth_image_info` and `add_single_detected_image_info` take. In
                a batch, `num_groundtruth_boxes_per_image` and `num_det_boxes_per_image` [B] tell
                where padding begins.
        """
        return in_graph.update_op(self, eval_dict, LAYOUT)

    def get_estimator_eval_metric_ops(
        self, eval_dict: dict[str, Any]
    ) -> dict[str, tuple[tf.Tensor, tf.Operation]]:
        """The metrics as operations of the graph; reading the values starts anew.

        Args:
            eval_dict: as in `add_eval_dict`.

        Returns:
            Name of a metric -> (scalar float32, operation that adds the pictures).
        """
        return in_graph.metric_ops(self, self._metric_names, self.add_eval_dict(eval_dict))

    def _add_groundtruth(
        self, image_id: Any, groundtruth_dict: dict[str, Any], **flags: Array | None
    ) -> None:
        if image_id in self._image_ids:
            raise DataError(
                f"Groundtruth of picture {image_id!r} was added before; each picture counts once."
            )
        masks = None
        if self._evaluate_masks:
            masks = self._masks(image_id, groundtruth_dict, Inputs.groundtruth_instance_masks)
        self._evaluation.add_single_ground_truth_image_info(
            image_key=image_id,
            groundtruth_boxes=groundtruth_dict[Inputs.groundtruth_boxes],
            groundtruth_class_labels=labels_from_0(groundtruth_dict, Inputs.groundtruth_classes),
            groundtruth_masks=masks,
            **flags,
        )
        self._image_ids.add(image_id)

    def _add_detections(
        self, image_id: Any, detections_dict: dict[str, Any], only_labels: Array | None
    ) -> None:
        """Adds detections; those of other classes than `only_labels`, which start at 0, go."""
        labels = labels_from_0(detections_dict, Detections.detection_classes)
        columns = [
            np.asarray(detections_dict[Detections.detection_boxes]),
            np.asarray(detections_dict[Detections.detection_scores]),
            labels,
        ]
        if self._evaluate_masks:
            columns.append(self._masks(image_id, detections_dict, Detections.detection_masks))
        if only_labels is not None:
            wanted = np.isin(labels, only_labels)
            columns = [column[wanted] for column in columns]
        self._evaluation.add_single_detected_image_info(image_id, *columns)

    def _masks(self, image_id: Any, values: dict[str, Any], key: str) -> Array:
        if values.get(key) is None:
            raise DataError(
                f"Picture {image_id} has no {key}; {type(self).__name__} compares masks."
            )
        return np.asarray(values[key])

    def _new_evaluation(self) -> ObjectDetectionEvaluation:
        return ObjectDetectionEvaluation(
            num_groundtruth_classes=self._num_classes,
            matching_iou_threshold=self._matching_iou_threshold,
            nms_iou_threshold=self._nms_iou_threshold,
            nms_max_output_boxes=self._nms_max_output_boxes,
            recall_lower_bound=self._recall_lower_bound,
            recall_upper_bound=self._recall_upper_bound,
            use_weighted_mean_ap=self._use_weighted_mean_ap,
            label_id_offset=LABEL_OFFSET,
            group_of_weight=self._group_of_weight,
        )

    def _named_classes(self) -> list[tuple[int, str]]:
        """Position and name of each class, by rising id; the last of one id counts."""
        names = {category["id"]: _plain(category["name"]) for category in self._categories}
        return [(number - LABEL_OFFSET, names[number]) for number in sorted(names)]

    def _class_metric(self, kind: str, class_name: str) -> str:
        threshold = self._matching_iou_threshold
        return f"{self._metric_prefix}PerformanceByCategory/{kind}@{threshold}IOU/{class_name}"

    def _names_of_metrics(self) -> list[str]:
        """Names of the metrics that are single numbers, the mean AP first."""
        low, high = self._recall_lower_bound, self._recall_upper_bound
        within = f"@[{low:.1f},{high:.1f}]Recall" if low > 0.0 or high < 1.0 else ""
        means = {"mAP": within} | ({"meanCorLoc": ""} if self._evaluate_corlocs else {})
        kinds = ["AP"] + (["CorLoc"] if self._evaluate_corlocs else [])
        return [
            f"{self._metric_prefix}Precision/{mean}@{self._matching_iou_threshold}IOU{suffix}"
            for mean, suffix in means.items()
        ] + [self._class_metric(kind, name) for _, name in self._named_classes() for kind in kinds]


class PascalDetectionEvaluator(ObjectDetectionEvaluator):
    """AP of boxes, `PascalBoxes_...`; classes weigh alike."""

    def __init__(
        self,
        categories: list[Category],
        matching_iou_threshold: float = 0.5,
        nms_iou_threshold: float = 1.0,
        nms_max_output_boxes: int = 10000,
    ) -> None:
        super().__init__(
            categories,
            matching_iou_threshold=matching_iou_threshold,
            metric_prefix="PascalBoxes",
            nms_iou_threshold=nms_iou_threshold,
            nms_max_output_boxes=nms_max_output_boxes,
        )


class WeightedPascalDetectionEvaluator(ObjectDetectionEvaluator):
    """AP of boxes, `WeightedPascalBoxes_...`; classes weigh by how often they occur."""

    def __init__(self, categories: list[Category], matching_iou_threshold: float = 0.5) -> None:
        super().__init__(
            categories,
            matching_iou_threshold=matching_iou_threshold,
            metric_prefix="WeightedPascalBoxes",
            use_weighted_mean_ap=True,
        )


class PascalInstanceSegmentationEvaluator(ObjectDetectionEvaluator):
    """AP of masks, `PascalMasks_...`; classes weigh alike."""

    def __init__(self, categories: list[Category], matching_iou_threshold: float = 0.5) -> None:
        super().__init__(
            categories,
            matching_iou_threshold=matching_iou_threshold,
            metric_prefix="PascalMasks",
            evaluate_masks=True,
        )


class WeightedPascalInstanceSegmentationEvaluator(ObjectDetectionEvaluator):
    """AP of masks, `WeightedPascalMasks_...`; classes weigh by how often they occur."""

    def __init__(self, categories: list[Category], matching_iou_threshold: float = 0.5) -> None:
        super().__init__(
            categories,
            matching_iou_threshold=matching_iou_threshold,
            metric_prefix="WeightedPascalMasks",
            use_weighted_mean_ap=True,
            evaluate_masks=True,
        )


class PrecisionAtRecallDetectionEvaluator(ObjectDetectionEvaluator):
    """AP of boxes over a part of the curve, `PrecisionAtRecallBoxes_...`."""

    def __init__(
        self,
        categories: list[Category],
        matching_iou_threshold: float = 0.5,
        recall_lower_bound: float = 0.0,
        recall_upper_bound: float = 1.0,
        skip_predictions_for_unlabeled_class: bool = False,
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each; ids from 1.
            matching_iou_threshold: overlap that makes a match.
            recall_lower_bound: only the curve from this recall on counts.
            recall_upper_bound: only the curve up to this recall counts.
            skip_predictions_for_unlabeled_class: leave out detections of classes that neither
                `groundtruth_labeled_classes` nor the boxes of the picture name.
        """
        super().__init__(
            categories,
            matching_iou_threshold=matching_iou_threshold,
            recall_lower_bound=recall_lower_bound,
            recall_upper_bound=recall_upper_bound,
            metric_prefix="PrecisionAtRecallBoxes",
        )
        self._skip_unlabeled = skip_predictions_for_unlabeled_class
        self._labeled: dict[Any, Array] = {}

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: as in the base class; optional `groundtruth_labeled_classes` [C'],
                ids of the classes that the annotators looked for. Without it, all were.
        """
        super().add_single_ground_truth_image_info(image_id, groundtruth_dict)
        if (
            self._skip_unlabeled
            and groundtruth_dict.get(Inputs.groundtruth_labeled_classes) is not None
        ):
            self._labeled[image_id] = np.union1d(
                labels_from_0(groundtruth_dict, Inputs.groundtruth_labeled_classes),
                labels_from_0(groundtruth_dict, Inputs.groundtruth_classes),
            )

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        self._add_detections(image_id, detections_dict, self._labeled.get(image_id))

    def clear(self) -> None:
        super().clear()
        self._labeled.clear()


def labels_from_0(values: dict[str, Any], key: str) -> Array:
    """Class ids as numbers from 0."""
    return np.asarray(values[key]).astype(np.int64) - LABEL_OFFSET


def box_flags(values: dict[str, Any], key: str) -> Array | None:
    """A flag for each box; None if the record says nothing, or no word about its boxes."""
    given = values.get(key)
    if given is None or (np.size(given) == 0 and np.size(values[Inputs.groundtruth_classes])):
        return None
    return np.asarray(given)


def _plain(name: str | bytes) -> str:
    """A class name in letters and separate accents, as metrics have always been called."""
    text = name.decode("utf-8") if isinstance(name, bytes) else name
    return unicodedata.normalize("NFKD", text)
