"""Anchors on a regular grid, at each location one for each scale and aspect ratio."""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import anchor_generator
from object_detection.core.box_list import BoxList


def grid_anchors(
    grid_height: Any,
    grid_width: Any,
    heights: tf.Tensor,
    widths: tf.Tensor,
    stride: tuple[Any, Any],
    offset: tuple[Any, Any],
) -> tf.Tensor:
    """Boxes of A sizes, heights [A] and widths [A], centred on each location -> [H*W*A, 4].

    The location (i, j) has its centre at (i * stride_y + offset_y, j * stride_x + offset_x).
    """
    y = tf.cast(tf.range(grid_height), tf.float32) * stride[0] + offset[0]
    x = tf.cast(tf.range(grid_width), tf.float32) * stride[1] + offset[1]
    counts = [tensor.shape.as_list()[0] for tensor in (y, x, heights)]
    y, x = y[:, tf.newaxis, tf.newaxis], x[tf.newaxis, :, tf.newaxis]
    zeros = tf.zeros([tf.shape(y)[0], tf.shape(x)[1], tf.shape(heights)[0]])
    corners = [y - heights / 2, x - widths / 2, y + heights / 2, x + widths / 2]
    anchors = tf.reshape(tf.stack([zeros + corner for corner in corners], axis=-1), [-1, 4])
    if None not in counts:
        anchors.set_shape([math.prod(counts), 4])
    return anchors


def anchor_sizes(
    scales: tf.Tensor, aspect_ratios: tf.Tensor, base_anchor_size: Any
) -> tuple[tf.Tensor, tf.Tensor]:
    """Heights and widths [A] of anchors of given scales [A] and ratios width/height [A]."""
    root = tf.sqrt(aspect_ratios)
    return scales / root * base_anchor_size[0], scales * root * base_anchor_size[1]


def tile_anchors(
    grid_height: Any,
    grid_width: Any,
    scales: tf.Tensor,
    aspect_ratios: tf.Tensor,
    base_anchor_size: Any,
    anchor_stride: Any,
    anchor_offset: Any,
) -> BoxList:
    """Anchors of a grid.

    Args:
        grid_height: rows of the grid.
        grid_width: columns of the grid.
        scales: [A], one for each anchor of a location, in units of `base_anchor_size`.
        aspect_ratios: [A] width/height.
        base_anchor_size: (height, width).
        anchor_stride: (y, x) from one centre to the next.
        anchor_offset: (y, x) of the first centre.
    """
    heights, widths = anchor_sizes(
        tf.convert_to_tensor(scales, tf.float32),
        tf.convert_to_tensor(aspect_ratios, tf.float32),
        [tf.cast(base_anchor_size[axis], tf.float32) for axis in (0, 1)],
    )
    stride, offset = (
        (tf.cast(pair[0], tf.float32), tf.cast(pair[1], tf.float32))
        for pair in (anchor_stride, anchor_offset)
    )
    return BoxList(grid_anchors(grid_height, grid_width, heights, widths, stride, offset))


class GridAnchorGenerator(anchor_generator.AnchorGenerator):
    """All pairs of scales and aspect ratios on one feature map."""

    def __init__(
        self,
        scales: Sequence[float] = (0.5, 1.0, 2.0),
        aspect_ratios: Sequence[float] = (0.5, 1.0, 2.0),
        base_anchor_size: Sequence[float] | None = None,
        anchor_stride: Sequence[float] | None = None,
        anchor_offset: Sequence[float] | None = None,
    ) -> None:
        """Takes the settings.

        Args:
            scales: sizes in units of `base_anchor_size`.
            aspect_ratios: width/height.
            base_anchor_size: (height, width) in pixels; 256 by default.
            anchor_stride: (y, x) from one centre to the next in pixels; 16 by default.
            anchor_offset: (y, x) of the first centre in pixels; 0 by default.
        """
        self._scales = list(scales)
        self._aspect_ratios = list(aspect_ratios)
        # Each of these may also be a tensor, which has no truth value.
        self._base_anchor_size = [256.0, 256.0] if base_anchor_size is None else base_anchor_size
        self._anchor_stride = [16.0, 16.0] if anchor_stride is None else anchor_stride
        self._anchor_offset = [0.0, 0.0] if anchor_offset is None else anchor_offset

    def name_scope(self) -> str:
        return "GridAnchorGenerator"

    def num_anchors_per_location(self) -> list[int]:
        return [len(self._scales) * len(self._aspect_ratios)]

    def _generate(
        self, feature_map_shape_list: list[tuple[Any, Any]], **params: Any
    ) -> list[BoxList]:
        anchor_generator.check_shapes(feature_map_shape_list, maps=1)
        scales = [scale for _ in self._aspect_ratios for scale in self._scales]
        ratios = [ratio for ratio in self._aspect_ratios for _ in self._scales]
        height, width = feature_map_shape_list[0]
        anchors = tile_anchors(
            height,
            width,
            tf.constant(scales, tf.float32),
            tf.constant(ratios, tf.float32),
            self._base_anchor_size,
            self._anchor_stride,
            self._anchor_offset,
        )
        return [anchor_generator.with_map_index(anchors, 0)]
