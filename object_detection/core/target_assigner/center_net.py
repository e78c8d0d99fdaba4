"""Targets of the centres and sizes of boxes on a grid of pixels (CenterNet, arXiv:1904.07850).

Axes:   B images, N instances of a picture, C classes, K keypoints.
Frames: groundtruth is normalised; targets are in pixels of the output, which is the input divided
by the stride. `height` and `width` are those of the input.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core.box_list import BoxList
from object_detection.errors import ConfigError
from object_detection.utils import target_assigner_utils as grids

BOX_HEATMAP_TYPES = ("adaptive_gaussian", "iou")
# Overlap that a box still has whose corners lie as far off as a Gaussian reaches.
MIN_OVERLAP = 0.7


def output_size(size: Any, stride: int) -> Any:
    """Rows or columns of the output for those of the input; at least 1."""
    shrunk = size // stride
    return tf.maximum(shrunk, 1) if isinstance(shrunk, tf.Tensor) else max(int(shrunk), 1)


def absolute_boxes(
    boxes: tf.Tensor, height: Any, width: Any, maximum_normalized_coordinate: float = 1.1
) -> BoxList:
    """[N, 4] shares of the picture -> pixels of the output; fails in the graph above the maximum."""
    return box_list_ops.to_absolute_coordinates(
        BoxList(tf.convert_to_tensor(boxes)),
        height,
        width,
        maximum_normalized_coordinate=maximum_normalized_coordinate,
    )


def side_by_side(*lists: Sequence[Any] | None) -> Iterator[tuple[Any, ...]]:
    """Goes through per-picture lists together; an absent list gives None for each picture.

    Raises:
        ValueError: lists of different lengths.
    """
    lengths = sorted({len(one) for one in lists if one is not None})
    if len(lengths) > 1:
        raise ValueError(f"Groundtruth lists have different lengths: {lengths}.")
    filled = [
        [None] * lengths[0] if one is None else [_tensor(row) for row in one] for one in lists
    ]
    return zip(*filled, strict=True)


def _tensor(row: Any) -> tf.Tensor | None:
    return None if row is None else tf.convert_to_tensor(row)


def with_batch_index(index: int, pixels: tf.Tensor) -> tf.Tensor:
    """[n, d] int32 pixels of picture `index` -> [n, 1 + d]."""
    picture = tf.fill([tf.shape(pixels)[0], 1], index)
    return tf.concat([picture, pixels], axis=1)


def max_distance_for_overlap(height: tf.Tensor, width: tf.Tensor, min_iou: float) -> tf.Tensor:
    """How far the corners of a box may move, in y and in x, with the IoU still `min_iou`.

    Both corners may move the same way, inwards or outwards; each is a quadratic equation in the
    distance, and the smallest of the three positive roots is the answer. Source: CornerNet,
    arXiv:1808.01244, section 3.2.

    Args:
        height: of the box, a number or a tensor.
        width: of the box, the same shape.
        min_iou: in (0, 1].
    """
    height, width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    area, half_rim = height * width, height + width

    def root(a: float, b: tf.Tensor, c: tf.Tensor) -> tf.Tensor:
        """The smallest root of a d^2 + b d + c that is not negative."""
        spread = tf.sqrt(tf.maximum(tf.square(b) - 4.0 * a * c, 0.0))
        low, high = (-b - spread) / (2.0 * a), (-b + spread) / (2.0 * a)
        return tf.where(low < 0.0, high, low)

    shifted = root(1.0, -half_rim, area * ((1.0 - min_iou) / (1.0 + min_iou)))
    inside = root(4.0, -2.0 * half_rim, area * (1.0 - min_iou))
    outside = root(4.0 * min_iou, 2.0 * min_iou * half_rim, area * (min_iou - 1.0))
    return tf.minimum(tf.minimum(shifted, inside), outside)


def std_dev_of_box(height: tf.Tensor, width: tf.Tensor, min_overlap: float) -> tf.Tensor:
    """Standard deviation of the Gaussian of a box: a sixth of its diameter (arXiv:1808.01244).

    The diameter is a whole number of pixels, so even the smallest box has a deviation of 1 / 6.
    """
    radius = tf.floor(max_distance_for_overlap(height, width, min_overlap))
    return (2.0 * tf.maximum(radius, 0.0) + 1.0) / 6.0


def get_batch_predictions_from_indices(
    batch_predictions: tf.Tensor, indices: tf.Tensor
) -> tf.Tensor:
    """Predictions at the places that targets name.

    Args:
        batch_predictions: [B, height, width, channels], or [B, height, width, C, channels].
        indices: [n, 3] of picture, y and x, or [n, 4] with the class last.

    Returns:
        [n, channels].
    """
    return tf.gather_nd(batch_predictions, indices)


def select_keypoints(
    height: Any,
    width: Any,
    keypoints: tf.Tensor,
    class_onehot: tf.Tensor,
    class_weights: tf.Tensor | None,
    keypoint_weights: tf.Tensor | None,
    class_id: int,
    keypoint_indices: Sequence[int],
) -> tuple[tf.Tensor, tf.Tensor]:
    """The keypoints of a class in pixels of the output, and how much each counts.

    Args:
        height: of the output.
        width: of the output.
        keypoints: [N, K, 2], normalised; NaN is absent.
        class_onehot: [N, C].
        class_weights: [N] or None.
        keypoint_weights: [N, K] or None.
        class_id: the class that has these keypoints.
        keypoint_indices: which of the K.

    Returns:
        [N, K', 2], 0 where absent, and weights [N, K'], 0 where absent or of another class.
    """
    weights, points = grids.get_valid_keypoint_mask_for_class(
        keypoints, class_id, class_onehot, class_weights, keypoint_indices
    )
    if keypoint_weights is not None:
        chosen = tf.convert_to_tensor(keypoint_indices, tf.int32)
        weights *= tf.gather(keypoint_weights, chosen, axis=1)
    frame = tf.stack([tf.cast(height, tf.float32), tf.cast(width, tf.float32)])
    return points * frame, weights


class CenterNetCenterHeatmapTargetAssigner:
    """Heatmaps with a peak in the centre of each object (arXiv:1904.07850, section 3)."""

    def __init__(
        self,
        stride: int,
        min_overlap: float = 0.7,
        compute_heatmap_sparse: bool = False,
        keypoint_class_id: int | None = None,
        keypoint_indices: Sequence[int] | None = None,
        keypoint_weights_for_center: Sequence[float] | None = None,
        box_heatmap_type: str = "adaptive_gaussian",
        heatmap_exponent: float = 1.0,
    ) -> None:
        """Keeps the settings.

        Args:
            stride: input pixels an output pixel.
            min_overlap: IoU that a box still has at the rim of the Gaussian.
            compute_heatmap_sparse: take less memory; the result is the same.
            keypoint_class_id: for centres from keypoints, the class that has them.
            keypoint_indices: for centres from keypoints, which of them.
            keypoint_weights_for_center: for centres from keypoints, the weight of each.
            box_heatmap_type: `adaptive_gaussian`, or `iou` with the same box moved to the pixel.
            heatmap_exponent: power to which the heatmap is raised.

        Raises:
            ConfigError: another type of heatmap.
        """
        if box_heatmap_type not in BOX_HEATMAP_TYPES:
            raise ConfigError(
                f"box_heatmap_type is {box_heatmap_type!r}; allowed: {', '.join(BOX_HEATMAP_TYPES)}."
            )
        self._stride = stride
        self._min_overlap = min_overlap
        self._compute_heatmap_sparse = compute_heatmap_sparse
        self._keypoint_class_id = keypoint_class_id
        self._keypoint_indices = keypoint_indices
        self._keypoint_weights_for_center = keypoint_weights_for_center
        self._box_heatmap_type = box_heatmap_type
        self._heatmap_exponent = heatmap_exponent

    def _finished(self, heatmaps: list[tf.Tensor]) -> tf.Tensor:
        stacked = tf.stack(heatmaps)
        return stacked if self._heatmap_exponent == 1.0 else tf.pow(stacked, self._heatmap_exponent)

    def assign_center_targets_from_boxes(
        self,
        height: Any,
        width: Any,
        gt_boxes_list: list[tf.Tensor],
        gt_classes_list: list[tf.Tensor],
        gt_weights_list: list[tf.Tensor] | None = None,
        maximum_normalized_coordinate: float = 1.1,
    ) -> tf.Tensor:
        """Heatmaps of the centres of boxes.

        Args:
            height: of the input.
            width: of the input.
            gt_boxes_list: B tensors [N, 4], normalised.
            gt_classes_list: B tensors [N, C], one-hot.
            gt_weights_list: B tensors [N].
            maximum_normalized_coordinate: largest coordinate that is taken for normalised.

        Returns:
            [B, output height, output width, C] in [0, 1].
        """
        rows, columns = output_size(height, self._stride), output_size(width, self._stride)
        y_grid, x_grid = grids.image_shape_to_grids(rows, columns)
        heatmaps = []
        for one, classes, weights in side_by_side(gt_boxes_list, gt_classes_list, gt_weights_list):
            boxes = absolute_boxes(one, rows, columns, maximum_normalized_coordinate)
            if self._box_heatmap_type == "iou":
                heatmaps.append(grids.coordinates_to_iou(y_grid, x_grid, boxes, classes, weights))
                continue
            y, x, box_height, box_width = boxes.get_center_coordinates_and_sizes()
            heatmaps.append(
                grids.coordinates_to_heatmap(
                    y_grid,
                    x_grid,
                    y,
                    x,
                    sigma=std_dev_of_box(box_height, box_width, self._min_overlap),
                    channel_onehot=classes,
                    channel_weights=weights,
                    sparse=self._compute_heatmap_sparse,
                )
            )
        return self._finished(heatmaps)

    def assign_center_targets_from_keypoints(
        self,
        height: Any,
        width: Any,
        gt_classes_list: list[tf.Tensor],
        gt_keypoints_list: list[tf.Tensor],
        gt_weights_list: list[tf.Tensor] | None = None,
        gt_keypoints_weights_list: list[tf.Tensor] | None = None,
    ) -> tf.Tensor:
        """Heatmaps of centres that are weighted means of keypoints.

        The Gaussian is that of a square box with twice the mean distance of the keypoints from
        their mean as its side. An instance without keypoints of positive weight has no peak.

        Args:
            height: of the input.
            width: of the input.
            gt_classes_list: B tensors [N, C], one-hot.
            gt_keypoints_list: B tensors [N, K, 2], normalised; NaN is absent.
            gt_weights_list: B tensors [N].
            gt_keypoints_weights_list: B tensors [N, K].

        Returns:
            [B, output height, output width, C] in [0, 1].

        Raises:
            ConfigError: the assigner was made without the settings of keypoints.
        """
        if (
            self._keypoint_class_id is None
            or self._keypoint_indices is None
            or self._keypoint_weights_for_center is None
        ):
            raise ConfigError(
                "Centres from keypoints need keypoint_class_id, keypoint_indices and "
                "keypoint_weights_for_center."
            )
        rows, columns = output_size(height, self._stride), output_size(width, self._stride)
        y_grid, x_grid = grids.image_shape_to_grids(rows, columns)
        shares = tf.constant(self._keypoint_weights_for_center, tf.float32)
        heatmaps = []
        for points, classes, point_weights, weights in side_by_side(
            gt_keypoints_list, gt_classes_list, gt_keypoints_weights_list, gt_weights_list
        ):
            keypoints, counts = select_keypoints(
                rows,
                columns,
                points,
                classes,
                weights,
                point_weights,
                self._keypoint_class_id,
                self._keypoint_indices,
            )
            counts *= shares
            total = tf.reduce_sum(counts, axis=1)
            # Without any keypoint of weight both quotients are 0.
            center = tf.math.divide_no_nan(
                tf.reduce_sum(keypoints * counts[..., tf.newaxis], axis=1), total[:, tf.newaxis]
            )
            distances = tf.norm(keypoints - center[:, tf.newaxis], axis=-1)
            radius = tf.math.divide_no_nan(tf.reduce_sum(distances * counts, axis=1), total)
            if weights is None:
                weights = tf.ones_like(total)
            heatmaps.append(
                grids.coordinates_to_heatmap(
                    y_grid,
                    x_grid,
                    center[:, 0],
                    center[:, 1],
                    sigma=std_dev_of_box(2.0 * radius, 2.0 * radius, self._min_overlap),
                    channel_onehot=classes,
                    channel_weights=tf.where(total > 0.0, weights, tf.zeros_like(weights)),
                    sparse=self._compute_heatmap_sparse,
                )
            )
        return self._finished(heatmaps)


class CenterNetBoxTargetAssigner:
    """Sizes of boxes, and where in its pixel a centre lies."""

    def __init__(self, stride: int) -> None:
        """Keeps the setting.

        Args:
            stride: input pixels an output pixel.
        """
        self._stride = stride

    def assign_size_and_offset_targets(
        self,
        height: Any,
        width: Any,
        gt_boxes_list: list[tf.Tensor],
        gt_weights_list: list[tf.Tensor] | None = None,
        maximum_normalized_coordinate: float = 1.1,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Targets at the pixels of the centres; n is the number of boxes of all pictures.

        Args:
            height: of the input.
            width: of the input.
            gt_boxes_list: B tensors [N, 4], normalised.
            gt_weights_list: B tensors [N].
            maximum_normalized_coordinate: largest coordinate that is taken for normalised.

        Returns:
            Places [n, 3] int32 (picture, y, x), heights and widths [n, 2], offsets (y, x) of the
            centres [n, 2], weights [n]; sizes and offsets in pixels of the output.
        """
        rows, columns = output_size(height, self._stride), output_size(width, self._stride)
        parts = []
        for index, (one, weights) in enumerate(side_by_side(gt_boxes_list, gt_weights_list)):
            boxes = absolute_boxes(one, rows, columns, maximum_normalized_coordinate)
            y, x, box_height, box_width = boxes.get_center_coordinates_and_sizes()
            offsets, pixels = grids.compute_floor_offsets_with_indices(y, x)
            sizes = tf.stack([box_height, box_width], axis=1)
            counts = tf.ones_like(y) if weights is None else weights
            parts.append((with_batch_index(index, pixels), sizes, offsets, counts))
        places, sizes, offsets, counts = (tf.concat(part, 0) for part in zip(*parts, strict=True))
        return places, sizes, offsets, counts
