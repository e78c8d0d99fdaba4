"""Targets of queries: each groundtruth box is given to one query, at the least total cost.

Axes:   B images, N queries, M groundtruth boxes of a picture, C classes, the background first.
Source: DETR, arXiv:2005.12872, section 3.1.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.core.box_list import BoxList
from object_detection.core.matcher import Match
from object_detection.core.region_similarity_calculator import DETRSimilarity


class DETRTargetAssigner:
    """A similarity of boxes and classes, and a matcher that is best for all together."""

    def __init__(self) -> None:
        # Concrete parts stand above core in the order of imports; see `create_target_assigner`.
        from object_detection.builders import target_assigner_builder

        self._similarity_calc = DETRSimilarity()
        self._matcher = target_assigner_builder.bipartite_matcher()

    def batch_assign(
        self,
        pred_box_batch: tf.Tensor,
        gt_box_batch: Any,
        pred_class_batch: Any,
        gt_class_targets_batch: Any,
        gt_weights_batch: Sequence[tf.Tensor | None] | None = None,
        unmatched_class_label_batch: Sequence[tf.Tensor | None] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Targets of several pictures; see `assign` for each.

        Args:
            pred_box_batch: [B, N, 4], or B BoxLists or tensors.
            gt_box_batch: B BoxLists or tensors [M, 4], or [B, M, 4].
            pred_class_batch: B tensors [N, C], or [B, N, C].
            gt_class_targets_batch: B tensors [M, C], or [B, M, C].
            gt_weights_batch: B tensors [M].
            unmatched_class_label_batch: B tensors [C].

        Returns:
            Stacked class targets [B, N, C], class weights [B, N, C], box targets [B, N, 4] and box
            weights [B, N].

        Raises:
            ValueError: lists of different lengths.
        """
        lists = [
            _per_picture(one)
            for one in (pred_box_batch, gt_box_batch, pred_class_batch, gt_class_targets_batch)
        ]
        for optional in (gt_weights_batch, unmatched_class_label_batch):
            lists.append([None] * len(lists[0]) if optional is None else _per_picture(optional))
        lengths = [len(one) for one in lists]
        if len(set(lengths)) != 1:
            raise ValueError(f"Lists of different lengths: {lengths}.")
        rows = [
            self.assign(_boxlist(predicted), _boxlist(truth), *rest)
            for predicted, truth, *rest in zip(*lists, strict=True)
        ]
        classes, class_weights, boxes, box_weights = (
            tf.stack(part) for part in zip(*rows, strict=True)
        )
        return classes, class_weights, boxes, box_weights

    def assign(
        self,
        pred_boxes: BoxList,
        gt_boxes: BoxList,
        pred_classes: tf.Tensor,
        gt_labels: tf.Tensor,
        gt_weights: tf.Tensor | None = None,
        unmatched_class_label: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Targets of one picture.

        Args:
            pred_boxes: N predicted boxes.
            gt_boxes: M boxes.
            pred_classes: [N, C] logits.
            gt_labels: [M, C] one-hot.
            gt_weights: [M]; a box of weight 0 matches nothing. Ones by default.
            unmatched_class_label: [C] target of queries without a box; by default a one in the
                first column.

        Returns:
            Class targets [N, C], class weights [N, C] (1 without a box), box targets [N, 4] as
            centre y, centre x, height and width, box weights [N] (0 without a box).

        Raises:
            ValueError: something else than BoxLists.
        """
        if not all(isinstance(boxes, BoxList) for boxes in (pred_boxes, gt_boxes)):
            raise ValueError("pred_boxes and gt_boxes should be BoxLists.")
        gt_labels = tf.convert_to_tensor(gt_labels)
        if unmatched_class_label is None:
            unmatched_class_label = tf.one_hot(0, tf.shape(gt_labels)[1], dtype=gt_labels.dtype)
        if gt_weights is None:
            gt_weights = tf.ones(tf.shape(gt_boxes.get())[:1])
        gt_weights = tf.convert_to_tensor(gt_weights)
        similarity = self._similarity_calc.compare(
            _with_classes(gt_boxes, gt_labels), _with_classes(pred_boxes, pred_classes)
        )
        # Not `match`: bipartite matchers number the rows among the valid ones there.
        match = Match(self._matcher.match_batch(similarity, gt_weights > 0))
        nothing = tf.zeros([4])
        matched = BoxList(match.gather_based_on_match(gt_boxes.get(), nothing, nothing))
        boxes = tf.stack(matched.get_center_coordinates_and_sizes(), axis=1)
        classes = match.gather_based_on_match(
            gt_labels, unmatched_class_label, unmatched_class_label
        )
        zero, one = tf.constant(0.0), tf.constant(1.0)
        box_weights = match.gather_based_on_match(gt_weights, zero, zero)
        class_weights = match.gather_based_on_match(gt_weights, one, zero)
        class_weights = tf.broadcast_to(class_weights[:, tf.newaxis], tf.shape(classes))
        return classes, class_weights, boxes, box_weights


def _with_classes(boxes: BoxList, classes: tf.Tensor) -> BoxList:
    copy = BoxList(boxes.get())
    copy.add_field(fields.BoxListFields.classes, classes)
    return copy


def _per_picture(batch: Any) -> list[Any]:
    return list(batch) if isinstance(batch, list | tuple) else tf.unstack(batch)


def _boxlist(boxes: Any) -> BoxList:
    return boxes if isinstance(boxes, BoxList) else BoxList(boxes)
