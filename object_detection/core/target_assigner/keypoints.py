"""Targets of keypoints on a grid of pixels (CenterNet, arXiv:1904.07850, section 4.2).

Axes:   B images, N instances of a picture, K keypoints, C classes, R neighbours of a pixel.
Frames: groundtruth is normalised; targets are in pixels of the output, which is the input divided
by the stride. `height` and `width` are those of the input.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.target_assigner.center_net import (
    MIN_OVERLAP,
    absolute_boxes,
    output_size,
    select_keypoints,
    side_by_side,
    std_dev_of_box,
    with_batch_index,
)
from object_detection.errors import ConfigError
from object_detection.utils import target_assigner_utils as grids

_DEFAULT_KEYPOINT_OFFSET_STD_DEV = 1.0

# An instance whose keypoints all weigh less counts as one that nobody labelled.
_LEAST_WEIGHT = 1e-3


def _flat(tensor: tf.Tensor) -> tf.Tensor:
    return tf.reshape(tensor, [-1])


class CenterNetKeypointTargetAssigner:
    """Heatmaps, offsets, depths and joints of the keypoints of one class."""

    def __init__(
        self,
        stride: int,
        class_id: int,
        keypoint_indices: Sequence[int],
        keypoint_std_dev: Sequence[float] | None = None,
        per_keypoint_offset: bool = False,
        peak_radius: int = 0,
        compute_heatmap_sparse: bool = False,
        per_keypoint_depth: bool = False,
    ) -> None:
        """Keeps the settings.

        Args:
            stride: input pixels an output pixel.
            class_id: the class that has the keypoints, from 0.
            keypoint_indices: which keypoints of the groundtruth.
            keypoint_std_dev: standard deviation of the Gaussian of each; 1 by default.
            per_keypoint_offset: predict an offset for each kind of keypoint, not one for all.
            peak_radius: pixels this near to a peak have targets too.
            compute_heatmap_sparse: take less memory; the result is the same.
            per_keypoint_depth: predict a depth for each kind of keypoint, not one for all.

        Raises:
            ConfigError: as many deviations as keypoints are not given.
        """
        if keypoint_std_dev is None:
            keypoint_std_dev = [_DEFAULT_KEYPOINT_OFFSET_STD_DEV] * len(keypoint_indices)
        if len(keypoint_std_dev) != len(keypoint_indices):
            raise ConfigError(
                f"keypoint_std_dev has {len(keypoint_std_dev)} values for "
                f"{len(keypoint_indices)} keypoint_indices; give one for each."
            )
        self._stride = stride
        self._class_id = class_id
        self._keypoint_indices = keypoint_indices
        self._keypoint_std_dev = keypoint_std_dev
        self._per_keypoint_offset = per_keypoint_offset
        self._peak_radius = peak_radius
        self._compute_heatmap_sparse = compute_heatmap_sparse
        self._per_keypoint_depth = per_keypoint_depth

    def _select(
        self, size: tuple[Any, Any], points: Any, classes: Any, point_weights: Any, weights: Any
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Our keypoints [N, K, 2] in pixels of the output, and their weights [N, K]."""
        return select_keypoints(
            *size, points, classes, weights, point_weights, self._class_id, self._keypoint_indices
        )

    def _output_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        return output_size(height, self._stride), output_size(width, self._stride)

    def assign_keypoint_heatmap_targets(
        self,
        height: Any,
        width: Any,
        gt_keypoints_list: list[tf.Tensor],
        gt_classes_list: list[tf.Tensor],
        gt_keypoints_weights_list: list[tf.Tensor] | None = None,
        gt_weights_list: list[tf.Tensor] | None = None,
        gt_boxes_list: list[tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Heatmaps with a peak in each keypoint.

        Args:
            height: of the input.
            width: of the input.
            gt_keypoints_list: B tensors [N, K', 2], normalised; NaN is absent.
            gt_classes_list: B tensors [N, C], one-hot.
            gt_keypoints_weights_list: B tensors [N, K'].
            gt_weights_list: B tensors [N].
            gt_boxes_list: B tensors [N, 4], normalised. With them the deviations are multiplied by
                that of the box, and boxes of our class without any labelled keypoint are left out
                of the loss.

        Returns:
            Heatmaps [B, output height, output width, K]; keypoints of positive weight of each kind
            [B, K] int32; weights of pixels [B, output height, output width].
        """
        size = self._output_size(height, width)
        y_grid, x_grid = grids.image_shape_to_grids(*size)
        kinds = len(self._keypoint_indices)
        deviations = tf.constant(self._keypoint_std_dev, tf.float32)
        parts = []
        for points, classes, point_weights, weights, one in side_by_side(
            gt_keypoints_list,
            gt_classes_list,
            gt_keypoints_weights_list,
            gt_weights_list,
            gt_boxes_list,
        ):
            keypoints, counts = self._select(size, points, classes, point_weights, weights)
            instances = tf.shape(keypoints)[0]
            sigma = tf.tile(deviations[tf.newaxis], [instances, 1])
            pixel_weights = tf.ones_like(y_grid)
            if one is not None:
                boxes = absolute_boxes(one, *size)
                _, _, box_height, box_width = boxes.get_center_coordinates_and_sizes()
                sigma *= std_dev_of_box(box_height, box_width, MIN_OVERLAP)[:, tf.newaxis]
                unlabelled = tf.reduce_max(counts, axis=1) < _LEAST_WEIGHT
                pixel_weights = grids.blackout_pixel_weights_by_box_regions(
                    *size, boxes.get(), unlabelled & (classes[:, self._class_id] > 0)
                )
            heatmap = grids.coordinates_to_heatmap(
                y_grid,
                x_grid,
                _flat(keypoints[..., 0]),
                _flat(keypoints[..., 1]),
                sigma=_flat(sigma),
                channel_onehot=tf.tile(tf.eye(kinds), [instances, 1]),
                channel_weights=_flat(counts),
                sparse=self._compute_heatmap_sparse,
            )
            present = tf.reduce_sum(tf.cast(counts > 0, tf.int32), axis=0)
            parts.append((heatmap, present, pixel_weights))
        heatmaps, present, pixel_weights = (tf.stack(part) for part in zip(*parts, strict=True))
        return heatmaps, present, pixel_weights

    def _around(
        self, size: tuple[Any, Any], sources: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Pixels around `sources` and the way from each to its target.

        Args:
            size: height and width of the output.
            sources: [N, K, 2] in pixels of the output.
            targets: [N, K, 2] in pixels of the output.
            weights: [N, K].

        Returns:
            Pixels and kinds of keypoint (y, x, kind) int32 [N * K * R, 3], offsets (y, x)
            [N * K * R, 2], weights [N * K * R], 0 for pixels outside the output.
        """
        y_pixels, x_pixels, valid = grids.get_surrounding_grids(
            *size, _flat(sources[..., 0]), _flat(sources[..., 1]), self._peak_radius
        )
        offsets, pixels = grids.compute_floor_offsets_with_indices(
            y_pixels, x_pixels, _flat(targets[..., 0]), _flat(targets[..., 1])
        )
        counts = tf.cast(valid, tf.float32) * _flat(weights)[:, tf.newaxis]
        kinds = tf.broadcast_to(tf.range(len(self._keypoint_indices)), tf.shape(weights))
        kinds = tf.broadcast_to(_flat(kinds)[:, tf.newaxis], tf.shape(valid))
        places = tf.concat([pixels, kinds[..., tf.newaxis]], axis=-1)
        return tf.reshape(places, [-1, 3]), tf.reshape(offsets, [-1, 2]), _flat(counts)

    def assign_keypoints_offset_targets(
        self,
        height: Any,
        width: Any,
        gt_keypoints_list: list[tf.Tensor],
        gt_classes_list: list[tf.Tensor],
        gt_keypoints_weights_list: list[tf.Tensor] | None = None,
        gt_weights_list: list[tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Where keypoints lie, seen from their pixel and those around it.

        Args:
            height: of the input.
            width: of the input.
            gt_keypoints_list: B tensors [N, K', 2], normalised; NaN is absent.
            gt_classes_list: B tensors [N, C], one-hot.
            gt_keypoints_weights_list: B tensors [N, K'].
            gt_weights_list: B tensors [N].

        Returns:
            Places int32 [n, 3] (picture, y, x), or [n, 4] with the kind last if offsets are per
            keypoint; offsets (y, x) [n, 2]; weights [n]. n counts instances, their keypoints and
            the neighbours of each, of all pictures.
        """
        size = self._output_size(height, width)
        columns = 3 if self._per_keypoint_offset else 2
        parts = []
        for index, truth in enumerate(
            side_by_side(
                gt_keypoints_list, gt_classes_list, gt_keypoints_weights_list, gt_weights_list
            )
        ):
            keypoints, counts = self._select(size, *truth)
            places, offsets, counts = self._around(size, keypoints, keypoints, counts)
            parts.append((with_batch_index(index, places[:, :columns]), offsets, counts))
        places, offsets, counts = (tf.concat(part, axis=0) for part in zip(*parts, strict=True))
        return places, offsets, counts

    def assign_keypoints_depth_targets(
        self,
        height: Any,
        width: Any,
        gt_keypoints_list: list[tf.Tensor],
        gt_classes_list: list[tf.Tensor],
        gt_keypoint_depths_list: list[tf.Tensor],
        gt_keypoint_depth_weights_list: list[tf.Tensor],
        gt_keypoints_weights_list: list[tf.Tensor] | None = None,
        gt_weights_list: list[tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Depths of keypoints, at their pixel and those around it.

        Args:
            height: of the input.
            width: of the input.
            gt_keypoints_list: B tensors [N, K', 2], normalised; NaN is absent.
            gt_classes_list: B tensors [N, C], one-hot.
            gt_keypoint_depths_list: B tensors [N, K'].
            gt_keypoint_depth_weights_list: B tensors [N, K'].
            gt_keypoints_weights_list: B tensors [N, K'].
            gt_weights_list: B tensors [N].

        Returns:
            Places int32 [n, 3] (picture, y, x), or [n, 4] with the kind last if depths are per
            keypoint; depths [n, 1]; weights [n]. n counts instances, their keypoints and the
            neighbours of each, of all pictures.
        """
        size = self._output_size(height, width)
        columns = 3 if self._per_keypoint_depth else 2
        chosen = tf.constant(self._keypoint_indices, tf.int32)
        parts = []
        for index, (depths, depth_weights, *truth) in enumerate(
            side_by_side(
                gt_keypoint_depths_list,
                gt_keypoint_depth_weights_list,
                gt_keypoints_list,
                gt_classes_list,
                gt_keypoints_weights_list,
                gt_weights_list,
            )
        ):
            keypoints, counts = self._select(size, *truth)
            counts *= tf.gather(depth_weights, chosen, axis=1)
            places, _, counts = self._around(size, keypoints, keypoints, counts)
            ours = tf.reshape(tf.gather(depths, chosen, axis=1), [-1, 1])
            neighbours = tf.size(counts) // tf.maximum(tf.shape(ours)[0], 1)
            ours = tf.reshape(tf.tile(ours, [1, neighbours]), [-1, 1])
            parts.append((with_batch_index(index, places[:, :columns]), ours, counts))
        places, depths, counts = (tf.concat(part, axis=0) for part in zip(*parts, strict=True))
        return places, depths, counts

    def assign_joint_regression_targets(
        self,
        height: Any,
        width: Any,
        gt_keypoints_list: list[tf.Tensor],
        gt_classes_list: list[tf.Tensor],
        gt_boxes_list: list[tf.Tensor] | None = None,
        gt_keypoints_weights_list: list[tf.Tensor] | None = None,
        gt_weights_list: list[tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Where keypoints lie, seen from the pixel of their object's centre and those around it.

        Args:
            height: of the input.
            width: of the input.
            gt_keypoints_list: B tensors [N, K', 2], normalised; NaN is absent.
            gt_classes_list: B tensors [N, C], one-hot.
            gt_boxes_list: B tensors [N, 4], normalised. Without them the centre is that of the
                smallest box around the keypoints that count.
            gt_keypoints_weights_list: B tensors [N, K'].
            gt_weights_list: B tensors [N].

        Returns:
            Places int32 [n, 4] (picture, y, x, kind), offsets (y, x) [n, 2], weights [n]. n counts
            instances, their keypoints and the neighbours of each centre, of all pictures.
        """
        size = self._output_size(height, width)
        parts = []
        for index, (one, *truth) in enumerate(
            side_by_side(
                gt_boxes_list,
                gt_keypoints_list,
                gt_classes_list,
                gt_keypoints_weights_list,
                gt_weights_list,
            )
        ):
            keypoints, counts = self._select(size, *truth)
            if one is None:
                center = _middle(keypoints, counts)
            else:
                corners = absolute_boxes(one, *size).get()
                center = (corners[:, :2] + corners[:, 2:]) / 2.0
            centers = tf.broadcast_to(center[:, tf.newaxis], tf.shape(keypoints))
            places, offsets, counts = self._around(size, centers, keypoints, counts)
            parts.append((with_batch_index(index, places), offsets, counts))
        places, offsets, counts = (tf.concat(part, axis=0) for part in zip(*parts, strict=True))
        return places, offsets, counts


def _middle(keypoints: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """[N, 2] centre of the smallest box around the keypoints of positive weight; 0 without any."""
    counts = tf.broadcast_to(weights[..., tf.newaxis] > 0, tf.shape(keypoints))
    far = tf.fill(tf.shape(keypoints), keypoints.dtype.max)
    lowest = tf.reduce_min(tf.where(counts, keypoints, far), axis=1)
    highest = tf.reduce_max(tf.where(counts, keypoints, -far), axis=1)
    return tf.where(tf.reduce_any(counts, axis=1), (lowest + highest) / 2.0, tf.zeros_like(lowest))
