"""Assigns groundtruth to anchors: what each anchor should predict, and how much it counts.

Axes:  B images, N anchors, M groundtruth boxes (padded), C classes, K keypoints.
match: groundtruth row >= 0 | -1 background | -2 ignored (Faster R-CNN, section 3.1.2).
"""

from typing import NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.core.box_coder import BoxCoder
from object_detection.core.box_list import BoxList
from object_detection.core.matcher import IGNORED, UNMATCHED, Matcher
from object_detection.core.region_similarity_calculator import RegionSimilarityCalculator


class Targets(NamedTuple):
    """What N anchors should predict, for B images; weight 0 switches a row off."""

    classes: tf.Tensor  # [B, N, ...], the groundtruth's label of the match, or the background's
    class_weights: tf.Tensor  # like `classes`
    codes: tf.Tensor  # [B, N, code_size]; NaN where the matched box lacks a keypoint
    code_weights: tf.Tensor  # [B, N]
    match: tf.Tensor  # [B, N] int32


def usable_boxes(boxes: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """[..., M] booleans: boxes [..., M, 4] that can be matched.

    Padding and weight 0, NaN coordinates and boxes without area are not; a box without area
    has no logarithm of its size.
    """
    ymin, xmin, ymax, xmax = tf.unstack(boxes, num=4, axis=-1)
    # NaN fails both comparisons.
    return (weights > 0) & (ymax > ymin) & (xmax > xmin)


def gather_rows(rows: tf.Tensor, match: tf.Tensor, otherwise: tf.Tensor) -> tf.Tensor:
    """For each anchor the matched row of `rows` [B, M, ...], or `otherwise` [...] -> [B, N, ...]."""
    batch = tf.shape(rows)[0]
    first = tf.broadcast_to(otherwise, tf.concat([[batch, 1], tf.shape(rows)[2:]], axis=0))
    table = tf.concat([tf.cast(first, rows.dtype), rows], axis=1)
    return tf.gather(table, tf.maximum(match, -1) + 1, batch_dims=1)


class TargetAssigner:
    """A similarity, a matcher and a box coder, put to work on groundtruth."""

    def __init__(
        self,
        similarity_calc: RegionSimilarityCalculator,
        matcher: Matcher,
        box_coder_instance: BoxCoder,
        negative_class_weight: float = 1.0,
    ) -> None:
        """Takes the parts, and the class weight of the background."""
        self._similarity_calc = similarity_calc
        self._matcher = matcher
        self._box_coder = box_coder_instance
        self._negative_class_weight = negative_class_weight

    @property
    def box_coder(self) -> BoxCoder:
        """The coder of the targets."""
        return self._box_coder

    def get_box_coder(self) -> BoxCoder:
        """The coder of the targets."""
        return self._box_coder

    def assign_batch(
        self,
        anchors: tf.Tensor,
        groundtruth_boxes: tf.Tensor,
        groundtruth_labels: tf.Tensor,
        unmatched_class_label: tf.Tensor,
        groundtruth_weights: tf.Tensor,
        groundtruth_keypoints: tf.Tensor | None = None,
        valid_rows: tf.Tensor | None = None,
    ) -> Targets:
        """Targets of a padded batch.

        Args:
            anchors: [N, 4].
            groundtruth_boxes: [B, M, 4], in the anchors' frame.
            groundtruth_labels: [B, M, ...] class targets, such as one-hot [1 + C].
            unmatched_class_label: [...] class target of the background.
            groundtruth_weights: [B, M]; 0 on padding.
            groundtruth_keypoints: [B, M, K, 2] with NaN for absent ones, if the coder needs them.
            valid_rows: [B, M] booleans of rows that may match; by default the usable boxes of
                positive weight.
        """
        if valid_rows is None:
            valid_rows = usable_boxes(groundtruth_boxes, groundtruth_weights)
        # Rows that cannot match still pass through the arithmetic: give them harmless numbers.
        boxes = tf.where(
            tf.broadcast_to(valid_rows[..., tf.newaxis], tf.shape(groundtruth_boxes)),
            groundtruth_boxes,
            tf.zeros_like(groundtruth_boxes),
        )
        similarity = self._similarity_calc.compare_tensors(boxes, anchors[tf.newaxis])
        match = self._matcher.match_batch(similarity, valid_rows)
        matched = match >= 0
        weights = gather_rows(groundtruth_weights, match, tf.constant(0.0))
        # Unmatched anchors encode the unit box: its codes are finite, and replaced below.
        matched_boxes = gather_rows(boxes, match, tf.constant([0.0, 0.0, 1.0, 1.0]))
        keypoints = None
        if groundtruth_keypoints is not None:
            keypoints = gather_rows(groundtruth_keypoints, match, tf.constant(0.0))
        codes = self._box_coder.encode_tensors(matched_boxes, anchors[tf.newaxis], keypoints)
        codes = tf.where(
            tf.broadcast_to(matched[..., tf.newaxis], tf.shape(codes)), codes, tf.zeros_like(codes)
        )
        class_weights = tf.where(
            tf.equal(match, UNMATCHED),
            tf.fill(tf.shape(weights), tf.constant(self._negative_class_weight)),
            weights,
        )
        class_weights = tf.where(tf.equal(match, IGNORED), tf.zeros_like(weights), class_weights)
        classes = gather_rows(groundtruth_labels, match, unmatched_class_label)
        for _ in range(classes.shape.rank - 2):
            class_weights = class_weights[..., tf.newaxis]
        targets = Targets(
            classes, tf.broadcast_to(class_weights, tf.shape(classes)), codes, weights, match
        )
        return Targets(*(tf.stop_gradient(tensor) for tensor in targets))

    def assign(
        self,
        anchors: BoxList,
        groundtruth_boxes: BoxList,
        groundtruth_labels: tf.Tensor | None = None,
        unmatched_class_label: tf.Tensor | None = None,
        groundtruth_weights: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Targets of one picture.

        Args:
            anchors: N anchors.
            groundtruth_boxes: M boxes, with the field `keypoints` if the coder needs them.
            groundtruth_labels: [M, ...] class targets; [M, 1] ones by default.
            unmatched_class_label: [...] class target of the background; zeros by default.
            groundtruth_weights: [M]; ones by default.

        Returns:
            Class targets [N, ...], class weights (the same shape), codes [N, code_size], code
            weights [N], match [N].

        Raises:
            ValueError: something else than BoxLists.
        """
        if not all(isinstance(boxes, BoxList) for boxes in (anchors, groundtruth_boxes)):
            raise ValueError("anchors and groundtruth_boxes should be BoxLists.")
        count = groundtruth_boxes.num_boxes()
        if groundtruth_labels is None:
            groundtruth_labels = tf.ones([count, 1])
        if unmatched_class_label is None:
            unmatched_class_label = tf.zeros(
                groundtruth_labels.shape.as_list()[1:], groundtruth_labels.dtype
            )
        if groundtruth_weights is None:
            groundtruth_weights = tf.ones([count])
        keypoints = None
        if groundtruth_boxes.has_field(fields.BoxListFields.keypoints):
            keypoints = groundtruth_boxes.get_field(fields.BoxListFields.keypoints)[tf.newaxis]
        targets = self.assign_batch(
            anchors.get(),
            groundtruth_boxes.get()[tf.newaxis],
            groundtruth_labels[tf.newaxis],
            unmatched_class_label,
            groundtruth_weights[tf.newaxis],
            keypoints,
        )
        classes, class_weights, codes, code_weights, match = (tensor[0] for tensor in targets)
        return classes, class_weights, codes, code_weights, match


def batch_assign(
    target_assigner: TargetAssigner,
    anchors_batch: BoxList | list[BoxList],
    gt_box_batch: list[BoxList],
    gt_class_targets_batch: list[tf.Tensor],
    unmatched_class_label: tf.Tensor | None = None,
    gt_weights_batch: list[tf.Tensor | None] | None = None,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Targets of several pictures given as lists; see `TargetAssigner.assign` for each.

    Returns:
        Stacked class targets, class weights, codes, code weights and match, each [B, N, ...].

    Raises:
        ValueError: lists of different lengths.
    """
    if not isinstance(anchors_batch, list):
        anchors_batch = [anchors_batch] * len(gt_box_batch)
    weights: list[tf.Tensor | None] = gt_weights_batch or [None] * len(gt_box_batch)
    if not len(anchors_batch) == len(gt_box_batch) == len(gt_class_targets_batch) == len(weights):
        raise ValueError(
            f"Lists of different lengths: {len(anchors_batch)} anchors, {len(gt_box_batch)} boxes, "
            f"{len(gt_class_targets_batch)} classes, {len(weights)} weights."
        )
    rows = [
        target_assigner.assign(anchors, boxes, classes, unmatched_class_label, weight)
        for anchors, boxes, classes, weight in zip(
            anchors_batch, gt_box_batch, gt_class_targets_batch, weights, strict=True
        )
    ]
    first, second, third, fourth, fifth = (tf.stack(part) for part in zip(*rows, strict=True))
    return first, second, third, fourth, fifth
