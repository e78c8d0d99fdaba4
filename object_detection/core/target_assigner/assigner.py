"""Assigns groundtruth to anchors: what each anchor should predict, and how much it counts.

Axes:  B images, N anchors, M groundtruth boxes (padded), C classes, K keypoints.
match: groundtruth row >= 0 | -1 background | -2 ignored (Faster R-CNN, section 3.1.2).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.core.box_coder import BoxCoder
from object_detection.core.box_list import BoxList
from object_detection.core.matcher import IGNORED, UNMATCHED, Match, Matcher
from object_detection.core.region_similarity_calculator import (
    CoordinateSimilarity,
    RegionSimilarityCalculator,
)
from object_detection.utils import shape_utils


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
            anchors: [N, 4], or [B, N, 4] for each picture its own.
            groundtruth_boxes: [B, M, 4], in the anchors' frame.
            groundtruth_labels: [B, M, ...] class targets, such as one-hot [1 + C].
            unmatched_class_label: [...] class target of the background.
            groundtruth_weights: [B, M]; 0 on padding.
            groundtruth_keypoints: [B, M, K, 2] with NaN for absent ones, if the coder needs them.
            valid_rows: [B, M] booleans of rows that may match; by default the usable boxes of
                positive weight.
        """
        if anchors.shape.rank == 2:
            anchors = anchors[tf.newaxis]
        if valid_rows is None:
            valid_rows = usable_boxes(groundtruth_boxes, groundtruth_weights)
        # Rows that cannot match still pass through the arithmetic: give them harmless numbers.
        boxes = tf.where(
            _like(valid_rows, groundtruth_boxes),
            groundtruth_boxes,
            tf.zeros_like(groundtruth_boxes),
        )
        similarity = self._compare_batch(boxes, groundtruth_labels, anchors)
        match = self._matcher.match_batch(similarity, valid_rows)
        matched = match >= 0
        weights = gather_rows(groundtruth_weights, match, tf.constant(0.0))
        # Unmatched anchors encode the unit box: its codes are finite, and replaced below.
        matched_boxes = gather_rows(boxes, match, tf.constant([0.0, 0.0, 1.0, 1.0]))
        keypoints = None
        if groundtruth_keypoints is not None:
            keypoints = gather_rows(groundtruth_keypoints, match, tf.constant(0.0))
        codes = self._box_coder.encode_tensors(matched_boxes, anchors, keypoints)
        codes = tf.where(_like(matched, codes), codes, tf.zeros_like(codes))
        class_weights = tf.where(
            tf.equal(match, UNMATCHED),
            tf.fill(tf.shape(weights), tf.constant(self._negative_class_weight)),
            weights,
        )
        class_weights = tf.where(tf.equal(match, IGNORED), tf.zeros_like(weights), class_weights)
        classes = gather_rows(groundtruth_labels, match, unmatched_class_label)
        class_weights = tf.broadcast_to(_trailing(class_weights, classes), tf.shape(classes))
        targets = Targets(classes, class_weights, codes, weights, match)
        return Targets(*(tf.stop_gradient(tensor) for tensor in targets))

    def _compare_batch(self, boxes: tf.Tensor, labels: tf.Tensor, anchors: tf.Tensor) -> tf.Tensor:
        """Similarities [B, M, N] of [B, M, 4] boxes with [B or 1, N, 4] anchors."""
        if isinstance(self._similarity_calc, CoordinateSimilarity):
            return self._similarity_calc.compare_tensors(boxes, anchors)
        batch, count = tf.shape(boxes)[0], tf.shape(anchors)[1]

        def compare(row: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
            picture = BoxList(row[0])
            if row[1].shape.rank == 2:
                picture.add_field(fields.BoxListFields.scores, _foreground(row[1]))
            return self._similarity_calc.compare(picture, BoxList(row[2]))

        every = tf.broadcast_to(anchors, [batch, count, 4])
        return tf.map_fn(compare, (boxes, labels, every), fn_output_signature=tf.float32)

    def assign(
        self,
        anchors: BoxList,
        groundtruth_boxes: BoxList,
        groundtruth_labels: tf.Tensor | None = None,
        unmatched_class_label: tf.Tensor | None = None,
        groundtruth_weights: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Targets of one picture, by the parts' methods for single pictures.

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
            ValueError: something else than BoxLists, or labels that fit neither the boxes nor the
                background's label.
        """
        if not all(isinstance(boxes, BoxList) for boxes in (anchors, groundtruth_boxes)):
            raise ValueError("anchors and groundtruth_boxes should be BoxLists.")
        raw = groundtruth_boxes.get()
        if groundtruth_labels is None:
            groundtruth_labels = tf.ones([groundtruth_boxes.num_boxes(), 1])
        labels = tf.convert_to_tensor(groundtruth_labels)
        if unmatched_class_label is None:
            unmatched_class_label = tf.zeros(tf.shape(labels)[1:], labels.dtype)
        background = tf.cast(unmatched_class_label, labels.dtype)
        if groundtruth_weights is None:
            groundtruth_weights = tf.ones([groundtruth_boxes.num_boxes()])
        weights = tf.cast(groundtruth_weights, tf.float32)
        shape = shape_utils.combined_static_and_dynamic_shape
        checks = [
            shape_utils.assert_shape_equal(shape(labels)[1:], shape(background)),
            shape_utils.assert_shape_equal_along_first_dimension(shape(labels), shape(raw)),
        ]
        with tf.control_dependencies(checks):
            valid = usable_boxes(raw, weights)
        # Rows that cannot match still pass through the arithmetic: give them harmless numbers.
        usable = BoxList(tf.where(_like(valid, raw), raw, tf.zeros_like(raw)))
        if labels.shape.rank == 2:
            usable.add_field(fields.BoxListFields.scores, _foreground(labels))
        # Not `match`: bipartite matchers number the rows among the valid ones there.
        match = Match(
            self._matcher.match_batch(self._similarity_calc.compare(usable, anchors), valid)
        )
        zero = tf.constant(0.0)
        code_weights = match.gather_based_on_match(weights, zero, zero)
        class_weights = match.gather_based_on_match(
            weights, tf.constant(self._negative_class_weight, tf.float32), zero
        )
        classes = match.gather_based_on_match(labels, background, background)
        class_weights = tf.broadcast_to(_trailing(class_weights, classes), tf.shape(classes))
        # Unmatched anchors encode the unit box: its codes are finite, and replaced below.
        unit = tf.constant([0.0, 0.0, 1.0, 1.0])
        matched = BoxList(match.gather_based_on_match(usable.get(), unit, unit))
        keypoints_field = fields.BoxListFields.keypoints
        if groundtruth_boxes.has_field(keypoints_field):
            keypoints = groundtruth_boxes.get_field(keypoints_field)
            none = tf.zeros(tf.shape(keypoints)[1:], keypoints.dtype)
            matched.add_field(keypoints_field, match.gather_based_on_match(keypoints, none, none))
        codes = self._box_coder.encode(matched, anchors)
        codes = tf.where(_like(match.match_results >= 0, codes), codes, tf.zeros_like(codes))
        count = anchors.num_boxes_static()
        results = (classes, class_weights, codes, code_weights, match.match_results)
        for result in results:
            result.set_shape(tf.TensorShape([count]).concatenate(result.shape[1:]))
        first, second, third, fourth, fifth = (tf.stop_gradient(result) for result in results)
        return first, second, third, fourth, fifth


def _foreground(labels: tf.Tensor) -> tf.Tensor:
    """[M] scores for similarities that read them: how little of [M, 1 + C] is background."""
    return 1.0 - tf.cast(labels[:, 0], tf.float32)


def _trailing(row: tf.Tensor, model: tf.Tensor) -> tf.Tensor:
    """[N] with axes of size 1 up to the rank of `model`."""
    for _ in range(model.shape.rank - row.shape.rank):
        row = row[..., tf.newaxis]
    return row


def _like(mask: tf.Tensor, model: tf.Tensor) -> tf.Tensor:
    """A mask [N] for each entry of `model` [N, ...]."""
    return tf.broadcast_to(_trailing(mask, model), tf.shape(model))


def create_target_assigner(
    reference: str,
    stage: str | None = None,
    negative_class_weight: float = 1.0,
    use_matmul_gather: bool = False,
) -> TargetAssigner:
    """The assigner of a published detector.

    Args:
        reference: `Multibox`, `FasterRCNN` or `FastRCNN`.
        stage: `proposal` or `detection`, where the detector has stages.
        negative_class_weight: class weight of the background.
        use_matmul_gather: passed on to the matcher.

    Raises:
        ValueError: no such detector or stage.
    """
    # The concrete parts stand above core in the order of imports; this function is only a door.
    from object_detection.builders import target_assigner_builder

    return target_assigner_builder.of_reference(
        reference, stage, negative_class_weight, use_matmul_gather
    )


def _same_length(**lists: Sequence[Any]) -> None:
    if len({len(one) for one in lists.values()}) > 1:
        found = ", ".join(f"{len(one)} {name}" for name, one in lists.items())
        raise ValueError(f"Lists of different lengths: {found}.")


def _anchors_of_each(anchors: BoxList | list[BoxList], pictures: int) -> list[BoxList]:
    every = anchors if isinstance(anchors, list) else [anchors] * pictures
    if not all(isinstance(one, BoxList) for one in every):
        raise ValueError("anchors_batch should be a BoxList, or one for each picture.")
    return every


def batch_assign(
    target_assigner: TargetAssigner,
    anchors_batch: BoxList | list[BoxList],
    gt_box_batch: list[BoxList],
    gt_class_targets_batch: list[tf.Tensor | None],
    unmatched_class_label: tf.Tensor | None = None,
    gt_weights_batch: list[tf.Tensor | None] | None = None,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Targets of several pictures given as lists; see `TargetAssigner.assign` for each.

    Returns:
        Stacked class targets, class weights, codes, code weights and match, each [B, N, ...].

    Raises:
        ValueError: lists of different lengths, or anchors that are no BoxLists.
    """
    anchors = _anchors_of_each(anchors_batch, len(gt_box_batch))
    weights: list[tf.Tensor | None] = gt_weights_batch or [None] * len(gt_box_batch)
    _same_length(
        anchors=anchors, boxes=gt_box_batch, classes=gt_class_targets_batch, weights=weights
    )
    rows = [
        target_assigner.assign(one, boxes, classes, unmatched_class_label, weight)
        for one, boxes, classes, weight in zip(
            anchors, gt_box_batch, gt_class_targets_batch, weights, strict=True
        )
    ]
    first, second, third, fourth, fifth = (tf.stack(part) for part in zip(*rows, strict=True))
    return first, second, third, fourth, fifth


def batch_get_targets(
    batch_match: tf.Tensor,
    groundtruth_tensor_list: list[tf.Tensor],
    groundtruth_weights_list: list[tf.Tensor],
    unmatched_value: tf.Tensor,
    unmatched_weight: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Any groundtruth as targets of anchors that are matched already.

    Args:
        batch_match: [B, N] int32.
        groundtruth_tensor_list: B tensors [M, ...].
        groundtruth_weights_list: B tensors [M].
        unmatched_value: [...] target of anchors without a box.
        unmatched_weight: scalar, weight of the background; ignored anchors have 0.

    Returns:
        Targets [B, N, ...] and weights [B, N].

    Raises:
        ValueError: lists of different lengths.
    """
    matches = tf.unstack(batch_match)
    _same_length(matches=matches, tensors=groundtruth_tensor_list, weights=groundtruth_weights_list)
    targets, counts = [], []
    for row, tensor, weights in zip(
        matches, groundtruth_tensor_list, groundtruth_weights_list, strict=True
    ):
        match = Match(row)
        tensor, weights = tf.convert_to_tensor(tensor), tf.convert_to_tensor(weights)
        value = tf.cast(unmatched_value, tensor.dtype)
        weight = tf.cast(unmatched_weight, weights.dtype)
        targets.append(match.gather_based_on_match(tensor, value, value))
        counts.append(match.gather_based_on_match(weights, weight, tf.zeros_like(weight)))
    return tf.stack(targets), tf.stack(counts)


def confidence_targets(
    confidences: tf.Tensor,
    codes: tf.Tensor,
    include_background_class: bool,
    implicit_class_weight: float,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Targets from confidences: above 0 the class is there, below 0 it is not, 0 says nothing.

    What nobody labelled is taken for absent, with less weight. Only anchors with some class learn
    boxes, and only they count in full for the background.

    Args:
        confidences: [..., N, 1 + C] of the matched boxes, the background first if included.
        codes: [..., N, code_size].
        include_background_class: whether the first column is the background's.
        implicit_class_weight: class weight of a confidence of 0.

    Returns:
        Class targets, class weights (both the shape of `confidences`), codes, code weights
        [..., N].
    """
    classes = confidences[..., 1:] if include_background_class else confidences
    explicit = tf.cast(tf.not_equal(classes, 0.0), tf.float32)
    class_weights = explicit + implicit_class_weight * (1.0 - explicit)
    found = tf.cast(tf.reduce_any(classes > 0.0, axis=-1, keepdims=True), tf.float32)
    classes = tf.maximum(classes, 0.0)
    if include_background_class:
        classes = tf.concat([1.0 - found, classes], axis=-1)
        of_background = found + implicit_class_weight * (1.0 - found)
        class_weights = tf.concat([of_background, class_weights], axis=-1)
    # A code of NaN marks an absent keypoint, so it is chosen rather than multiplied.
    codes = tf.where(_like(found[..., 0] > 0, codes), codes, tf.zeros_like(codes))
    return classes, class_weights, codes, found[..., 0]


def batch_assign_confidences(
    target_assigner: TargetAssigner,
    anchors_batch: BoxList | list[BoxList],
    gt_box_batch: list[BoxList],
    gt_class_confidences_batch: list[tf.Tensor],
    gt_weights_batch: list[tf.Tensor | None] | None = None,
    unmatched_class_label: tf.Tensor | None = None,
    include_background_class: bool = True,
    implicit_class_weight: float = 1.0,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Targets of pictures whose boxes have a confidence for each class; see `confidence_targets`.

    Args:
        target_assigner: assigns the confidences as labels.
        anchors_batch: N anchors, or one BoxList for each picture.
        gt_box_batch: B BoxLists.
        gt_class_confidences_batch: B tensors [M, 1 + C] (or [M, C] without the background).
        gt_weights_batch: B tensors [M]; a box of weight 0 matches nothing.
        unmatched_class_label: confidences of anchors without a box.
        include_background_class: whether the first column is the background's.
        implicit_class_weight: class weight of a confidence of 0.

    Returns:
        Class targets [B, N, 1 + C], class weights (the same shape), codes [B, N, code_size], code
        weights [B, N] and match [B, N].

    Raises:
        ValueError: lists of different lengths, or anchors that are no BoxLists.
    """
    labels, _, codes, _, match = batch_assign(
        target_assigner,
        anchors_batch,
        gt_box_batch,
        list(gt_class_confidences_batch),
        unmatched_class_label,
        gt_weights_batch,
    )
    classes, class_weights, codes, code_weights = confidence_targets(
        labels, codes, include_background_class, implicit_class_weight
    )
    return classes, class_weights, codes, code_weights, match
