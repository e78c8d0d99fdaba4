"""Which detections of one picture are right, by PASCAL VOC's rules and Open Images' for groups.

Axes:  D detections and M groundtruth boxes of the picture, or of one class in it; C classes;
       H x W pixels.
Boxes: [ymin, xmin, ymax, xmax], truth and detections in one frame. Classes count from 0.

The best detections choose first. Each belongs to the truth that it overlaps most; if that is
IoU >= the threshold, the first one to come is right, later ones are wrong, and one that belongs to
a difficult box does not count (Everingham et al. 2010, "The PASCAL VOC Challenge", 4.2). What is
not right yet, but lies with a share >= the threshold in a box that stands for a group, does not
count either; the group itself counts as found with the weight given to groups (Open Images V2
evaluation, storage.googleapis.com/openimages/web/evaluation.html).
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from object_detection.errors import ShapeError
from object_detection.metrics import np_box_list_ops, np_box_mask_list_ops
from object_detection.metrics.np_box_lists import BoxList, BoxMaskList

Array = npt.NDArray[Any]


class Overlaps(NamedTuple):
    """Ranked detections of a class against its truth; I single boxes, G groups."""

    scores: Array  # [D], falling
    iou: Array  # [D, I]
    share_in_group: Array  # [D, G]


class Instances(NamedTuple):
    """Boxes with their masks, if there are any."""

    boxes: Array  # [N, 4]
    masks: Array | None  # [N, H, W] uint8

    def where(self, chosen: Array) -> "Instances":
        """The rows that a boolean [N] chooses."""
        return Instances(self.boxes[chosen], None if self.masks is None else self.masks[chosen])

    def as_list(self) -> BoxList:
        """A box list, with masks if there are any."""
        return BoxList(self.boxes) if self.masks is None else BoxMaskList(self.boxes, self.masks)


def judge_singles(iou: Array, is_difficult: Array, min_iou: float) -> tuple[Array, Array]:
    """Ranked detections against single boxes.

    Args:
        iou: [D, I].
        is_difficult: [I].
        min_iou: what a match needs.

    Returns:
        [D] whether right, and [D] whether on a difficult box.
    """
    right, ignored = np.zeros(len(iou), bool), np.zeros(len(iou), bool)
    if iou.size:
        best = iou.argmax(axis=1)
        matches = iou.max(axis=1) >= min_iou
        ignored = matches & is_difficult[best]
        plain = np.flatnonzero(matches & ~is_difficult[best])
        _, first = np.unique(best[plain], return_index=True)
        right[plain[first]] = True
    return right, ignored


def find_groups(
    share_in_group: Array, scores: Array, open_: Array, min_share: float
) -> tuple[Array, Array]:
    """Groups that detections lie in.

    Args:
        share_in_group: [D, G].
        scores: [D].
        open_: [D] whether the detection may belong to a group.
        min_share: what belonging needs.

    Returns:
        [D] whether in a group, and [G] the best score in the group, -inf if there is none.
    """
    best_scores = np.full(share_in_group.shape[1], -np.inf)
    inside = np.zeros(len(share_in_group), bool)
    if share_in_group.size:
        group = share_in_group.argmax(axis=1)
        inside = open_ & (share_in_group.max(axis=1) >= min_share)
        np.maximum.at(best_scores, group[inside], scores[inside])
    return inside, best_scores


class PerImageEvaluation:
    """Judges the detections of a picture, class by class."""

    def __init__(
        self,
        num_groundtruth_classes: int,
        matching_iou_threshold: float = 0.5,
        nms_iou_threshold: float = 0.3,
        nms_max_output_boxes: int = 50,
        group_of_weight: float = 0.0,
    ) -> None:
        """Keeps the settings.

        Args:
            num_groundtruth_classes: C.
            matching_iou_threshold: overlap that makes a match.
            nms_iou_threshold: detections of a class that overlap a better one more are dropped.
            nms_max_output_boxes: most detections of a class that count.
            group_of_weight: how much finding a group counts; 0 leaves groups out.
        """
        self.matching_iou_threshold = matching_iou_threshold
        self.nms_iou_threshold = nms_iou_threshold
        self.nms_max_output_boxes = nms_max_output_boxes
        self.num_groundtruth_classes = num_groundtruth_classes
        self.group_of_weight = group_of_weight

    def compute_object_detection_metrics(
        self,
        detected_boxes: Array,
        detected_scores: Array,
        detected_class_labels: Array,
        groundtruth_boxes: Array,
        groundtruth_class_labels: Array,
        groundtruth_is_difficult_list: Array,
        groundtruth_is_group_of_list: Array,
        detected_masks: Array | None = None,
        groundtruth_masks: Array | None = None,
    ) -> tuple[list[Array], list[Array], Array]:
        """Judges the detections of a picture; those without height or width are left out.

        Args:
            detected_boxes: [D, 4] float.
            detected_scores: [D].
            detected_class_labels: [D], 0 ... C - 1.
            groundtruth_boxes: [M, 4] float.
            groundtruth_class_labels: [M], 0 ... C - 1.
            groundtruth_is_difficult_list: [M] whether finding the box is not asked for.
            groundtruth_is_group_of_list: [M] whether the box stands for a group.
            detected_masks: [D, H, W] uint8; with `groundtruth_masks`, masks are compared.
            groundtruth_masks: [M, H, W] uint8.

        Returns:
            For each class the scores of its D' detections that count, falling, groups at the end;
            for each class how much each counts as right, [D']; [C] integers, 1 where the best
            detection of the class matches a box of it.

        Raises:
            ShapeError: only one side has masks.
        """
        if (detected_masks is None) != (groundtruth_masks is None):
            absent = "detections" if detected_masks is None else "groundtruth"
            raise ShapeError(f"The {absent} of a picture have no masks, the other side has.")
        boxes = _rows(detected_boxes)
        valid: Array = np.all(boxes[:, :2] < boxes[:, 2:], axis=1)
        detected = Instances(boxes, detected_masks).where(valid)
        scores, labels = (
            np.asarray(column)[valid] for column in (detected_scores, detected_class_labels)
        )
        truth = Instances(_rows(groundtruth_boxes), groundtruth_masks)
        truth_labels = np.asarray(groundtruth_class_labels)
        difficult, group_of = (
            np.asarray(column).astype(bool)
            for column in (groundtruth_is_difficult_list, groundtruth_is_group_of_list)
        )
        classes = range(self.num_groundtruth_classes)
        class_scores = [np.array([], float) for _ in classes]
        class_labels = [np.array([], bool) for _ in classes]
        found = np.zeros(self.num_groundtruth_classes, int)
        # Of hundreds of classes, a picture has detections of a few.
        present = set(labels.tolist())
        for number in (number for number in classes if number in present):
            ours, theirs = labels == number, truth_labels == number
            of_class = detected.where(ours), scores[ours], truth.where(theirs)
            class_scores[number], class_labels[number] = self._judge(
                *of_class, difficult[theirs], group_of[theirs]
            )
            found[number] = self._best_matches(*of_class)
        return class_scores, class_labels, found

    def _judge(
        self,
        detected: Instances,
        scores: Array,
        truth: Instances,
        is_difficult: Array,
        is_group_of: Array,
    ) -> tuple[Array, Array]:
        """Scores of the detections of a class that count, and how much each is right."""
        overlaps = self._overlaps(detected, scores, truth, is_group_of)
        if not len(truth.boxes):
            return overlaps.scores, np.zeros(len(overlaps.scores), bool)
        right, ignored = judge_singles(
            overlaps.iou, is_difficult[~is_group_of], self.matching_iou_threshold
        )
        in_group, group_scores = find_groups(
            overlaps.share_in_group,
            overlaps.scores,
            ~right & ~ignored,
            self.matching_iou_threshold,
        )
        weights = self.group_of_weight * ~is_difficult[is_group_of]
        counted = (group_scores > -np.inf) & (weights > 0)
        single = ~ignored & ~in_group
        return (
            np.concatenate([overlaps.scores[single], group_scores[counted]]),
            np.concatenate([right[single].astype(float), weights[counted]]),
        )

    def _overlaps(
        self, detected: Instances, scores: Array, truth: Instances, is_group_of: Array
    ) -> Overlaps:
        """Suppresses, ranks and compares the detections of a class."""
        ops: Any = np_box_list_ops if detected.masks is None else np_box_mask_list_ops
        ranked = detected.as_list()
        ranked.add_field("scores", scores)
        ranked = ops.non_max_suppression(ranked, self.nms_max_output_boxes, self.nms_iou_threshold)
        singles, groups = truth.where(~is_group_of).as_list(), truth.where(is_group_of).as_list()
        return Overlaps(
            scores=ranked.get_field("scores"),
            iou=ops.iou(ranked, singles),
            share_in_group=ops.ioa(groups, ranked).T,
        )

    def _best_matches(self, detected: Instances, scores: Array, truth: Instances) -> bool:
        """Whether the best detection of a class matches a box of it."""
        if not len(truth.boxes):
            return False
        ops: Any = np_box_list_ops if detected.masks is None else np_box_mask_list_ops
        best = detected.where(np.arange(len(scores)) == scores.argmax()).as_list()
        return bool(ops.iou(best, truth.as_list()).max() >= self.matching_iou_threshold)


def _rows(boxes: Array) -> Array:
    """Boxes as [N, 4]; no boxes may be an array of any shape."""
    boxes = np.asarray(boxes)
    return boxes if boxes.size else np.zeros([0, 4])
