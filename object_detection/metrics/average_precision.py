"""Average precision and CorLoc over pictures that are added one by one.

Axes:  D detections and M groundtruth boxes of a picture, C classes, H x W pixels.
Boxes: [ymin, xmin, ymax, xmax], truth and detections in one frame. Classes count from 0.

A picture's detections are judged when they are added (`per_image_evaluation`); only scores and
judgements are kept, so that states of several workers can be merged.
"""

import logging
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from object_detection.errors import ConfigError, ShapeError
from object_detection.metrics import per_image_evaluation
from object_detection.utils import metrics

logger = logging.getLogger(__name__)

Array = npt.NDArray[Any]


class ObjectDetectionEvalMetrics(NamedTuple):
    """What an evaluation finds; NaN for classes without groundtruth."""

    average_precisions: Array  # [C]
    mean_ap: float
    precisions: list[Array]  # C times [D'], within the bounds of recall
    recalls: list[Array]  # C times [D']
    corlocs: Array  # [C]
    mean_corloc: float


class ObjectDetectionEvaluationState(NamedTuple):
    """What `evaluate` needs of the pictures added so far."""

    num_gt_instances_per_class: Array  # [C] floats: what there is to find; groups by weight
    scores_per_class: list[list[Array]]  # C times, for each picture [D']
    tp_fp_labels_per_class: list[list[Array]]  # C times, for each picture [D']
    num_gt_imgs_per_class: Array  # [C] integers
    num_images_correctly_detected_per_class: Array  # [C] integers


class ObjectDetectionEvaluation:
    """Collects pictures and computes average precision and CorLoc of each class."""

    def __init__(
        self,
        num_groundtruth_classes: int,
        matching_iou_threshold: float = 0.5,
        nms_iou_threshold: float = 1.0,
        nms_max_output_boxes: int = 10000,
        recall_lower_bound: float = 0.0,
        recall_upper_bound: float = 1.0,
        use_weighted_mean_ap: bool = False,
        label_id_offset: int = 0,
        group_of_weight: float = 0.0,
        per_image_eval_class: Any = per_image_evaluation.PerImageEvaluation,
    ) -> None:
        """Keeps the settings.

        Args:
            num_groundtruth_classes: C.
            matching_iou_threshold: overlap that makes a match.
            nms_iou_threshold: detections of a class that overlap a better one more are dropped.
            nms_max_output_boxes: most detections of a class in one picture.
            recall_lower_bound: only the curve from this recall on counts.
            recall_upper_bound: only the curve up to this recall counts.
            use_weighted_mean_ap: the mean is the AP of all classes' detections in one ranking.
            label_id_offset: what classes are more in the user's messages than here.
            group_of_weight: how much finding a group counts; 0 leaves groups out.
            per_image_eval_class: judges the detections of a picture.

        Raises:
            ConfigError: there is no class.
        """
        if num_groundtruth_classes < 1:
            raise ConfigError(
                f"num_groundtruth_classes is {num_groundtruth_classes}; at least 1 is needed."
            )
        self.per_image_eval = per_image_eval_class(
            num_groundtruth_classes=num_groundtruth_classes,
            matching_iou_threshold=matching_iou_threshold,
            nms_iou_threshold=nms_iou_threshold,
            nms_max_output_boxes=nms_max_output_boxes,
            group_of_weight=group_of_weight,
        )
        self.recall_lower_bound = recall_lower_bound
        self.recall_upper_bound = recall_upper_bound
        self.group_of_weight = group_of_weight
        self.num_class = num_groundtruth_classes
        self.use_weighted_mean_ap = use_weighted_mean_ap
        self.label_id_offset = label_id_offset
        self.groundtruth_boxes: dict[Any, Array] = {}
        self.groundtruth_class_labels: dict[Any, Array] = {}
        self.groundtruth_masks: dict[Any, Array] = {}
        self.groundtruth_is_difficult_list: dict[Any, Array] = {}
        self.groundtruth_is_group_of_list: dict[Any, Array] = {}
        self.num_gt_instances_per_class = np.zeros(self.num_class, float)
        self.num_gt_imgs_per_class = np.zeros(self.num_class, int)
        self.clear_detections()

    def clear_detections(self) -> None:
        """Forgets the detections; the groundtruth stays."""
        self.detection_keys: set[Any] = set()
        self.scores_per_class: list[list[Array]] = [[] for _ in range(self.num_class)]
        self.tp_fp_labels_per_class: list[list[Array]] = [[] for _ in range(self.num_class)]
        self.num_images_correctly_detected_per_class = np.zeros(self.num_class, int)
        self.average_precision_per_class = np.full(self.num_class, np.nan)
        self.precisions_per_class: list[Any] = [np.nan] * self.num_class
        self.recalls_per_class: list[Any] = [np.nan] * self.num_class
        self.sum_tp_class: list[float] = [np.nan] * self.num_class
        self.corloc_per_class = np.ones(self.num_class, float)

    def get_internal_state(self) -> ObjectDetectionEvaluationState:
        """A copy of what `evaluate` needs, for another evaluation to merge."""
        return ObjectDetectionEvaluationState(
            self.num_gt_instances_per_class.copy(),
            [list(pictures) for pictures in self.scores_per_class],
            [list(pictures) for pictures in self.tp_fp_labels_per_class],
            self.num_gt_imgs_per_class.copy(),
            self.num_images_correctly_detected_per_class.copy(),
        )

    def merge_internal_state(self, state_tuple: ObjectDetectionEvaluationState) -> None:
        """Adds the pictures of another evaluation.

        Args:
            state_tuple: what its `get_internal_state` gave; of the same classes.
        """
        state = ObjectDetectionEvaluationState(*state_tuple)
        self.num_gt_instances_per_class += state.num_gt_instances_per_class
        self.num_gt_imgs_per_class += state.num_gt_imgs_per_class
        self.num_images_correctly_detected_per_class += (
            state.num_images_correctly_detected_per_class
        )
        for number in range(self.num_class):
            self.scores_per_class[number].extend(state.scores_per_class[number])
            self.tp_fp_labels_per_class[number].extend(state.tp_fp_labels_per_class[number])

    def add_single_ground_truth_image_info(
        self,
        image_key: Any,
        groundtruth_boxes: Array,
        groundtruth_class_labels: Array,
        groundtruth_is_difficult_list: Array | None = None,
        groundtruth_is_group_of_list: Array | None = None,
        groundtruth_masks: Array | None = None,
    ) -> None:
        """Adds the truth of a picture; one that is there already is left out with a warning.

        Args:
            image_key: identity of the picture.
            groundtruth_boxes: [M, 4] float.
            groundtruth_class_labels: [M], 0 ... C - 1.
            groundtruth_is_difficult_list: [M] whether finding the box is not asked for.
            groundtruth_is_group_of_list: [M] whether the box stands for a group.
            groundtruth_masks: [M, H, W] uint8.
        """
        if image_key in self.groundtruth_boxes:
            logger.warning("Groundtruth of picture %s was added before; ignored.", image_key)
            return
        labels = np.asarray(groundtruth_class_labels)
        is_difficult = _flags(groundtruth_is_difficult_list, len(labels))
        is_group_of = _flags(groundtruth_is_group_of_list, len(labels))
        self.groundtruth_boxes[image_key] = np.asarray(groundtruth_boxes)
        self.groundtruth_class_labels[image_key] = labels
        self.groundtruth_is_difficult_list[image_key] = is_difficult
        self.groundtruth_is_group_of_list[image_key] = is_group_of
        if groundtruth_masks is not None:
            self.groundtruth_masks[image_key] = groundtruth_masks
        weights = np.where(is_group_of, self.group_of_weight, 1.0) * ~is_difficult
        # Labels beyond the classes are nobody's.
        of_class = labels[:, None] == np.arange(self.num_class)
        self.num_gt_instances_per_class += weights @ of_class
        self.num_gt_imgs_per_class += of_class.any(axis=0)

    def add_single_detected_image_info(
        self,
        image_key: Any,
        detected_boxes: Array,
        detected_scores: Array,
        detected_class_labels: Array,
        detected_masks: Array | None = None,
    ) -> None:
        """Adds the detections of a picture; a second time they are left out with a warning.

        Its truth must have been added, or it counts as a picture without objects.

        Args:
            image_key: identity of the picture.
            detected_boxes: [D, 4] float.
            detected_scores: [D].
            detected_class_labels: [D], 0 ... C - 1.
            detected_masks: [D, H, W] uint8.

        Raises:
            ShapeError: the lengths differ, or only truth or detections have masks.
        """
        lengths = len(detected_boxes), len(detected_scores), len(detected_class_labels)
        if len(set(lengths)) > 1:
            raise ShapeError(
                f"Picture {image_key}: there are {lengths[0]} boxes, {lengths[1]} scores and "
                f"{lengths[2]} classes of detections; the numbers should agree."
            )
        if image_key in self.detection_keys:
            logger.warning("Detections of picture %s were added before; ignored.", image_key)
            return
        self.detection_keys.add(image_key)
        if image_key in self.groundtruth_boxes:
            boxes = self.groundtruth_boxes[image_key]
            labels = self.groundtruth_class_labels[image_key]
            # Masks are big, and no longer needed.
            masks = self.groundtruth_masks.pop(image_key, None)
            is_difficult = self.groundtruth_is_difficult_list[image_key]
            is_group_of = self.groundtruth_is_group_of_list[image_key]
        else:
            boxes, labels = np.zeros([0, 4]), np.zeros([0], int)
            masks = None if detected_masks is None else detected_masks[:0]
            is_difficult, is_group_of = np.zeros([0], bool), np.zeros([0], bool)
        scores, tp_fp_labels, found = self.per_image_eval.compute_object_detection_metrics(
            detected_boxes=detected_boxes,
            detected_scores=detected_scores,
            detected_class_labels=detected_class_labels,
            groundtruth_boxes=boxes,
            groundtruth_class_labels=labels,
            groundtruth_is_difficult_list=is_difficult,
            groundtruth_is_group_of_list=is_group_of,
            detected_masks=detected_masks,
            groundtruth_masks=masks,
        )
        for number in range(self.num_class):
            if len(scores[number]):
                self.scores_per_class[number].append(scores[number])
                self.tp_fp_labels_per_class[number].append(tp_fp_labels[number])
        self.num_images_correctly_detected_per_class += found

    def evaluate(self) -> ObjectDetectionEvalMetrics:
        """The metrics over all pictures added."""
        to_find = self.num_gt_instances_per_class
        without = np.flatnonzero(to_find == 0)
        if without.size:
            logger.warning(
                "No groundtruth of these classes: %s", (without + self.label_id_offset).tolist()
            )
        ranked = np.flatnonzero(to_find)
        for number in ranked:
            scores = _joined(self.scores_per_class[number])
            labels = _joined(self.tp_fp_labels_per_class[number])
            precision, recall = self._curve(scores, labels, to_find[number])
            self.precisions_per_class[number] = precision
            self.recalls_per_class[number] = recall
            self.sum_tp_class[number] = labels.sum()
            self.average_precision_per_class[number] = metrics.compute_average_precision(
                precision, recall
            )
        self.corloc_per_class = metrics.compute_cor_loc(
            self.num_gt_imgs_per_class, self.num_images_correctly_detected_per_class
        )
        mean_ap = mean_of_known(self.average_precision_per_class)
        if self.use_weighted_mean_ap and ranked.size:
            mean_ap = metrics.compute_average_precision(
                *self._curve(
                    _joined([one for number in ranked for one in self.scores_per_class[number]]),
                    _joined(
                        [one for number in ranked for one in self.tp_fp_labels_per_class[number]]
                    ),
                    to_find.sum(),
                )
            )
        return ObjectDetectionEvalMetrics(
            self.average_precision_per_class,
            mean_ap,
            self.precisions_per_class,
            self.recalls_per_class,
            self.corloc_per_class,
            mean_of_known(self.corloc_per_class),
        )

    def _curve(self, scores: Array, labels: Array, to_find: float) -> tuple[Any, Any]:
        """Precision and recall within the bounds."""
        precision, recall = metrics.compute_precision_recall(scores, labels, to_find)
        if precision is None or recall is None:
            return None, None
        within = (self.recall_lower_bound <= recall) & (recall <= self.recall_upper_bound)
        return precision[within], recall[within]


def _flags(given: Array | None, length: int) -> Array:
    return np.zeros(length, bool) if given is None else np.asarray(given).astype(bool)


def _joined(parts: list[Array]) -> Array:
    return np.concatenate([part.astype(float) for part in parts]) if parts else np.zeros([0])


def mean_of_known(values: Array) -> float:
    """Mean of what is not NaN; NaN, without a warning, if nothing is left."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
