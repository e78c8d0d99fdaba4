"""Targets of objects in a sequence of pictures: who they are and where they were (arXiv:2004.01177).

Axes:   B images, N instances of a picture.
Frames: boxes are normalised; places are in pixels of the output, which is the input divided by the
stride. `height` and `width` are those of the input.
"""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.target_assigner.center_net import (
    absolute_boxes,
    output_size,
    side_by_side,
    with_batch_index,
)
from object_detection.utils import target_assigner_utils as grids


def _center_pixels(boxes: tf.Tensor, index: int, height: Any, width: Any) -> tf.Tensor:
    """[N, 3] int32: picture, y and x of the pixels of the centres."""
    y, x, _, _ = absolute_boxes(boxes, height, width).get_center_coordinates_and_sizes()
    _, pixels = grids.compute_floor_offsets_with_indices(y, x)
    return with_batch_index(index, pixels)


class CenterNetTrackTargetAssigner:
    """Identities of tracked objects at their centres."""

    def __init__(self, stride: int, num_track_ids: int) -> None:
        """Keeps the settings.

        Args:
            stride: input pixels an output pixel.
            num_track_ids: number of identities.
        """
        self._stride = stride
        self._num_track_ids = num_track_ids

    def assign_track_targets(
        self,
        height: Any,
        width: Any,
        gt_track_ids_list: list[tf.Tensor],
        gt_boxes_list: list[tf.Tensor],
        gt_weights_list: list[tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Targets of pictures padded to as many boxes.

        Args:
            height: of the input.
            width: of the input.
            gt_track_ids_list: B tensors [N] int; one that is out of range gives zeros.
            gt_boxes_list: B tensors [N, 4], normalised.
            gt_weights_list: B tensors [N].

        Returns:
            Places [B, N, 3] int32 (picture, y, x), weights [B, N], identities
            [B, N, num_track_ids] one-hot.
        """
        size = output_size(height, self._stride), output_size(width, self._stride)
        parts = []
        for index, (ids, boxes, weights) in enumerate(
            side_by_side(gt_track_ids_list, gt_boxes_list, gt_weights_list)
        ):
            places = _center_pixels(boxes, index, *size)
            counts = tf.ones(tf.shape(places)[:1]) if weights is None else weights
            parts.append((places, counts, tf.one_hot(ids, self._num_track_ids)))
        places, counts, identities = (tf.stack(part) for part in zip(*parts, strict=True))
        return places, counts, identities


class CenterNetTemporalOffsetTargetAssigner:
    """How far centres have moved since the picture before."""

    def __init__(self, stride: int) -> None:
        """Keeps the setting.

        Args:
            stride: input pixels an output pixel.
        """
        self._stride = stride

    def assign_temporal_offset_targets(
        self,
        height: Any,
        width: Any,
        gt_boxes_list: list[tf.Tensor],
        gt_offsets_list: list[tf.Tensor],
        gt_match_list: list[tf.Tensor],
        gt_weights_list: list[tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Targets at the pixels of the centres; n is the number of boxes of all pictures.

        Args:
            height: of the input.
            width: of the input.
            gt_boxes_list: B tensors [N, 4], normalised.
            gt_offsets_list: B tensors [N, 2] (y, x).
            gt_match_list: B tensors [N], 1 for objects that the picture before has too, else 0.
            gt_weights_list: B tensors [N].

        Returns:
            Places [n, 3] int32 (picture, y, x), offsets [n, 2] as they were given, weights [n], 0
            for objects that have just appeared.
        """
        size = output_size(height, self._stride), output_size(width, self._stride)
        parts = []
        for index, (boxes, offsets, matches, weights) in enumerate(
            side_by_side(gt_boxes_list, gt_offsets_list, gt_match_list, gt_weights_list)
        ):
            counts = tf.cast(matches, tf.float32)
            if weights is not None:
                counts *= weights
            parts.append((_center_pixels(boxes, index, *size), offsets, counts))
        places, offsets, counts = (tf.concat(part, axis=0) for part in zip(*parts, strict=True))
        return places, offsets, counts
