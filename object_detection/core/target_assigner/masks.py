"""Targets of masks, of surfaces and of corners on a grid of pixels.

Axes:   B images, N instances of a picture, C classes, P points of a surface.
Frames: boxes and points are normalised, masks have the size of the input; targets are in pixels of
the output, which is the input divided by the stride.
"""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.target_assigner.center_net import (
    absolute_boxes,
    output_size,
    side_by_side,
    with_batch_index,
)
from object_detection.errors import ConfigError
from object_detection.utils import target_assigner_utils as grids

# Pixels are squares about their centres here; the older resizing takes them for points.
ResizeMethod = tf.compat.v2.image.ResizeMethod
_OF_OLDER_NUMBER = {
    tf.image.ResizeMethod.BILINEAR: ResizeMethod.BILINEAR,
    tf.image.ResizeMethod.NEAREST_NEIGHBOR: ResizeMethod.NEAREST_NEIGHBOR,
    tf.image.ResizeMethod.BICUBIC: ResizeMethod.BICUBIC,
    tf.image.ResizeMethod.AREA: ResizeMethod.AREA,
}


def _resized(masks: tf.Tensor, height: Any, width: Any, method: Any) -> tf.Tensor:
    """[N, H, W] -> [N, height, width] float."""
    masks = tf.cast(masks, tf.float32)[..., tf.newaxis]
    method = _OF_OLDER_NUMBER.get(method, method)
    return tf.compat.v2.image.resize(masks, [height, width], method=method)[..., 0]


def _output_size_of_masks(masks: tf.Tensor, stride: int) -> tuple[Any, Any]:
    masks = tf.convert_to_tensor(masks)
    dynamic = tf.shape(masks)
    sizes = [
        known if known is not None else dynamic[axis + 1]
        for axis, known in enumerate(masks.shape.as_list()[1:])
    ]
    return output_size(sizes[0], stride), output_size(sizes[1], stride)


class CenterNetMaskTargetAssigner:
    """Which class each pixel belongs to."""

    def __init__(self, stride: int, boxes_scale: float = 1.0) -> None:
        """Keeps the settings.

        Args:
            stride: input pixels an output pixel.
            boxes_scale: factor of the boxes inside which the weights of masks apply.
        """
        self._stride = stride
        self._boxes_scale = boxes_scale

    def assign_segmentation_targets(
        self,
        gt_masks_list: list[tf.Tensor],
        gt_classes_list: list[tf.Tensor],
        gt_boxes_list: list[tf.Tensor] | None = None,
        gt_mask_weights_list: list[tf.Tensor] | None = None,
        mask_resize_method: Any = ResizeMethod.BILINEAR,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Masks of the classes, and weights of pixels.

        Args:
            gt_masks_list: B tensors [N, H, W] in [0, 1], of the size of the input.
            gt_classes_list: B tensors [N, C], one-hot.
            gt_boxes_list: B tensors [N, 4], normalised; needed for weights.
            gt_mask_weights_list: B tensors [N]; a box with weight 0 is left out of the loss.
            mask_resize_method: a `ResizeMethod`.

        Returns:
            [B, output height, output width, C] and [B, output height, output width].

        Raises:
            ConfigError: weights without boxes.
        """
        if gt_mask_weights_list is not None and gt_boxes_list is None:
            raise ConfigError("gt_mask_weights_list needs gt_boxes_list: weights apply in boxes.")
        size = _output_size_of_masks(gt_masks_list[0], self._stride)
        targets, weights = [], []
        for masks, classes, one, mask_weights in side_by_side(
            gt_masks_list, gt_classes_list, gt_boxes_list, gt_mask_weights_list
        ):
            small = _resized(masks, *size, mask_resize_method)[..., tf.newaxis]
            by_class = small * classes[:, tf.newaxis, tf.newaxis, :]
            # The largest of no instance is -inf.
            targets.append(tf.maximum(tf.reduce_max(by_class, axis=0), 0.0))
            if mask_weights is None:
                weights.append(tf.ones(size))
                continue
            weights.append(
                grids.blackout_pixel_weights_by_box_regions(
                    *size,
                    absolute_boxes(one, *size).get(),
                    blackout=mask_weights <= 0,
                    weights=mask_weights,
                    boxes_scale=self._boxes_scale,
                )
            )
        return tf.stack(targets), tf.stack(weights)


class CenterNetDensePoseTargetAssigner:
    """Points of a surface: the part of the body and the place on it (DensePose, arXiv:1802.00434)."""

    def __init__(self, stride: int, num_parts: int = 24) -> None:
        """Keeps the settings.

        Args:
            stride: input pixels an output pixel.
            num_parts: parts of the surface.
        """
        self._stride = stride
        self._num_parts = num_parts

    def assign_part_and_coordinate_targets(
        self,
        height: Any,
        width: Any,
        gt_dp_num_points_list: list[tf.Tensor],
        gt_dp_part_ids_list: list[tf.Tensor],
        gt_dp_surface_coords_list: list[tf.Tensor],
        gt_weights_list: list[tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Targets at the pixels of the points; n counts the points of all instances, padding too.

        Args:
            height: of the input.
            width: of the input.
            gt_dp_num_points_list: B tensors [N], points of each instance that are no padding.
            gt_dp_part_ids_list: B tensors [N, P], parts from 0.
            gt_dp_surface_coords_list: B tensors [N, P, 4]: y and x, normalised, v and u.
            gt_weights_list: B tensors [N].

        Returns:
            Places [n, 4] int32 (picture, y, x, part), parts [n, num_parts] one-hot, surface
            coordinates (v, u) [n, 2], weights [n], 0 on padding.
        """
        frame = [output_size(side, self._stride) for side in (height, width)]
        scale = tf.stack([tf.cast(side, tf.float32) for side in frame])
        parts = []
        for index, (points, part_ids, coordinates, weights) in enumerate(
            side_by_side(
                gt_dp_num_points_list,
                gt_dp_part_ids_list,
                gt_dp_surface_coords_list,
                gt_weights_list,
            )
        ):
            ids = tf.reshape(tf.cast(part_ids, tf.int32), [-1])
            flat = tf.reshape(coordinates, [-1, 4])
            pixels = tf.cast(tf.floor(flat[:, :2] * scale), tf.int32)
            places = with_batch_index(index, tf.concat([pixels, ids[:, tf.newaxis]], axis=1))
            counts = tf.sequence_mask(points, tf.shape(part_ids)[1], dtype=tf.float32)
            if weights is not None:
                counts *= weights[:, tf.newaxis]
            one_hot = tf.one_hot(ids, self._num_parts)
            parts.append((places, one_hot, flat[:, 2:], tf.reshape(counts, [-1])))
        places, one_hot, surface, counts = (tf.concat(part, 0) for part in zip(*parts, strict=True))
        return places, one_hot, surface, counts


def filter_mask_overlap_min_area(masks: tf.Tensor) -> tf.Tensor:
    """[N, H, W] masks; a pixel of several stays only in the smallest, the first of equals."""
    masks = tf.convert_to_tensor(masks)
    areas = tf.reduce_sum(masks, axis=[1, 2], keepdims=True)
    inside = masks > 0
    far = tf.fill(tf.shape(masks), masks.dtype.max)
    # A row of the largest number first: the least of no mask is undefined.
    rivals = tf.where(inside, tf.broadcast_to(areas, tf.shape(masks)), far)
    padded = tf.concat([tf.fill([1, *tf.unstack(tf.shape(masks)[1:])], masks.dtype.max), rivals], 0)
    owner = tf.argmin(padded, axis=0, output_type=tf.int32) - 1
    mine = tf.equal(tf.range(tf.shape(masks)[0])[:, tf.newaxis, tf.newaxis], owner)
    return tf.where(mine, masks, tf.zeros_like(masks))


_OVERLAP_FILTERS = {"min_area": filter_mask_overlap_min_area}


def filter_mask_overlap(masks: tf.Tensor, method: str = "min_area") -> tf.Tensor:
    """Gives each pixel that several masks claim to one of them.

    Args:
        masks: [N, H, W].
        method: `min_area`: the smallest mask gets it.

    Raises:
        ConfigError: another method.
    """
    if method not in _OVERLAP_FILTERS:
        raise ConfigError(f"method is {method!r}; allowed: {', '.join(_OVERLAP_FILTERS)}.")
    return _OVERLAP_FILTERS[method](masks)


class CenterNetCornerOffsetTargetAssigner:
    """Where the corners of its object's box lie, seen from each pixel of the object."""

    def __init__(self, stride: int, overlap_resolution: str = "min_area") -> None:
        """Keeps the settings.

        Args:
            stride: input pixels an output pixel.
            overlap_resolution: see `filter_mask_overlap`.
        """
        self._stride = stride
        self._overlap_resolution = overlap_resolution

    def assign_corner_offset_targets(
        self, gt_boxes_list: list[tf.Tensor], gt_masks_list: list[tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Offsets at the pixels of objects, 0 elsewhere.

        Args:
            gt_boxes_list: B tensors [N, 4], normalised.
            gt_masks_list: B tensors [N, H, W] of 0 and 1, of the size of the input.

        Returns:
            [B, output height, output width, 4]: y and x of the upper left corner, then of the
            lower right one, in pixels of the output from the pixel on; and the pixels of objects
            [B, output height, output width], 1 or 0.
        """
        size = _output_size_of_masks(gt_masks_list[0], self._stride)
        pixel = tf.stack(grids.image_shape_to_grids(*size) * 2, axis=-1)
        offsets, foreground = [], []
        for one, masks in side_by_side(gt_boxes_list, gt_masks_list):
            small = _resized(masks, *size, ResizeMethod.NEAREST_NEIGHBOR)
            small = filter_mask_overlap(small, self._overlap_resolution)
            corners = absolute_boxes(one, *size).get()[:, tf.newaxis, tf.newaxis]
            # No two masks share a pixel any more, so the sum picks one.
            offsets.append(tf.reduce_sum((corners - pixel) * small[..., tf.newaxis], axis=0))
            foreground.append(tf.maximum(tf.reduce_max(small, axis=0), 0.0))
        return tf.stack(offsets), tf.stack(foreground)
