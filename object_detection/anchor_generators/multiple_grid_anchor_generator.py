"""Anchors of several feature maps with settings of their own, as in SSD (arXiv:1512.02325).

Sizes and positions are normalised by the picture's height and width.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.anchor_generators import grid_anchor_generator
from object_detection.core import anchor_generator, box_list_ops
from object_detection.core.box_list import BoxList
from object_detection.errors import ConfigError

BoxSpecs = Sequence[Sequence[tuple[float, float]]]


class MultipleGridAnchorGenerator(anchor_generator.AnchorGenerator):
    """For each feature map a list of (scale, aspect ratio) pairs."""

    def __init__(
        self,
        box_specs_list: BoxSpecs,
        base_anchor_size: Any = None,
        anchor_strides: Sequence[tuple[float, float]] | None = None,
        anchor_offsets: Sequence[tuple[float, float]] | None = None,
        clip_window: tf.Tensor | None = None,
    ) -> None:
        """Takes the settings.

        Args:
            box_specs_list: for each map its (scale, width/height) pairs.
            base_anchor_size: (height, width) that scales multiply, in units of the picture's
                short side; (1, 1) by default.
            anchor_strides: for each map (y, x) in pixels; the picture's size through the map's
                by default.
            anchor_offsets: for each map (y, x) of the first centre in pixels; half a stride by
                default.
            clip_window: [4] window at which anchors are cut, normalised; None for no cut.

        Raises:
            ValueError: something else than lists of pairs, or lists of different lengths; or a
                window that is not [4].
        """
        _check_box_specs(box_specs_list)
        for name, values in (("strides", anchor_strides), ("offsets", anchor_offsets)):
            if not values:
                continue
            if not isinstance(values, list | tuple) or len(values) != len(box_specs_list):
                raise ConfigError(
                    f"anchor_{name} should list one (y, x) for each of {len(box_specs_list)} "
                    f"feature maps, got {values}."
                )
            if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in values):
                raise ConfigError(f"anchor_{name} should be a list of pairs (y, x), got {values}.")
        if clip_window is not None:
            clip_window = tf.convert_to_tensor(clip_window, tf.float32)
            if clip_window.shape.as_list() != [4]:
                raise ValueError(f"clip_window should be [4], got {clip_window.shape}.")
        self._box_specs = [[(float(s), float(r)) for s, r in specs] for specs in box_specs_list]
        self._scales = [tuple(scale for scale, _ in specs) for specs in self._box_specs]
        self._aspect_ratios = [tuple(ratio for _, ratio in specs) for specs in self._box_specs]
        self._base_anchor_size = (1.0, 1.0) if base_anchor_size is None else base_anchor_size
        self._anchor_strides = anchor_strides
        self._anchor_offsets = anchor_offsets
        self._clip_window = clip_window

    def name_scope(self) -> str:
        return "MultipleGridAnchorGenerator"

    def num_anchors_per_location(self) -> list[int]:
        return [len(specs) for specs in self._box_specs]

    def _generate(
        self,
        feature_map_shape_list: list[tuple[Any, Any]],
        im_height: Any = 1,
        im_width: Any = 1,
    ) -> list[BoxList]:
        anchor_generator.check_shapes(feature_map_shape_list, maps=len(self._box_specs))
        height, width = tf.cast(im_height, tf.float32), tf.cast(im_width, tf.float32)
        # Scales are shares of the short side, so that an anchor of ratio 1 is square in pixels.
        short = tf.minimum(height, width)
        base = (
            short / height * self._base_anchor_size[0],
            short / width * self._base_anchor_size[1],
        )
        result = []
        for index, (rows, columns) in enumerate(feature_map_shape_list):
            if self._anchor_strides:
                stride = (
                    self._anchor_strides[index][0] / height,
                    self._anchor_strides[index][1] / width,
                )
            else:
                stride = (1.0 / tf.cast(rows, tf.float32), 1.0 / tf.cast(columns, tf.float32))
            if self._anchor_offsets:
                offset = (
                    self._anchor_offsets[index][0] / height,
                    self._anchor_offsets[index][1] / width,
                )
            else:
                offset = (0.5 * stride[0], 0.5 * stride[1])
            anchors = grid_anchor_generator.tile_anchors(
                rows,
                columns,
                tf.constant(self._scales[index], tf.float32),
                tf.constant(self._aspect_ratios[index], tf.float32),
                base,
                stride,
                offset,
            )
            if self._clip_window is not None:
                anchors = box_list_ops.clip_to_window(
                    anchors, self._clip_window, filter_nonoverlapping=False
                )
            result.append(anchor_generator.with_map_index(anchors, index))
        return result


def _check_box_specs(box_specs_list: Any) -> None:
    """Refuses anything but a list, for each map, of (scale, ratio) pairs; a `ValueError`."""
    lists = isinstance(box_specs_list, list | tuple) and all(
        isinstance(specs, list | tuple) and specs for specs in box_specs_list
    )
    if not lists or not box_specs_list:
        raise ValueError(
            "box_specs_list should hold, for each feature map, a list of at least one pair "
            f"(scale, ratio); got {box_specs_list}."
        )
    for specs in box_specs_list:
        if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in specs):
            raise ValueError(f"box_specs_list should hold pairs (scale, ratio), got {specs}.")


def create_ssd_anchors(
    num_layers: int = 6,
    min_scale: float = 0.2,
    max_scale: float = 0.95,
    scales: Sequence[float] | None = None,
    aspect_ratios: Sequence[float] = (1.0, 2.0, 3.0, 1.0 / 2, 1.0 / 3),
    interpolated_scale_aspect_ratio: float = 1.0,
    base_anchor_size: Any = None,
    anchor_strides: Sequence[tuple[float, float]] | None = None,
    anchor_offsets: Sequence[tuple[float, float]] | None = None,
    reduce_boxes_in_lowest_layer: bool = True,
) -> MultipleGridAnchorGenerator:
    """The anchors of SSD (arXiv:1512.02325, section 2.2).

    Map k has the scale s_k, evenly spaced between `min_scale` and `max_scale`, in each aspect
    ratio, and one anchor of scale sqrt(s_k * s_(k+1)); the scale after the last is 1.

    Args:
        num_layers: number of feature maps.
        min_scale: scale of the first map.
        max_scale: scale of the last map.
        scales: the scales themselves, instead of the even spacing.
        aspect_ratios: width/height of the anchors of each map.
        interpolated_scale_aspect_ratio: ratio of the anchor between two scales; 0 for none.
        base_anchor_size: (height, width); see `MultipleGridAnchorGenerator`.
        anchor_strides: see `MultipleGridAnchorGenerator`.
        anchor_offsets: see `MultipleGridAnchorGenerator`.
        reduce_boxes_in_lowest_layer: give the first map three anchors only.
    """
    if scales:
        steps = [*scales, 1.0][: num_layers + 1]
    elif num_layers == 1:
        steps = [min_scale, 1.0]
    else:
        step = (max_scale - min_scale) / (num_layers - 1)
        steps = [min_scale + step * layer for layer in range(num_layers)] + [1.0]
    specs = []
    for layer, (scale, following) in enumerate(itertools.pairwise(steps)):
        if layer == 0 and reduce_boxes_in_lowest_layer:
            specs.append([(0.1, 1.0), (scale, 2.0), (scale, 0.5)])
            continue
        of_layer = [(scale, ratio) for ratio in aspect_ratios]
        if interpolated_scale_aspect_ratio > 0.0:
            of_layer.append((math.sqrt(scale * following), interpolated_scale_aspect_ratio))
        specs.append(of_layer)
    return MultipleGridAnchorGenerator(specs, base_anchor_size, anchor_strides, anchor_offsets)
