"""Anchors of several feature maps, each with sizes, ratios, stride and offset of its own."""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.anchor_generators import (
    grid_anchor_generator,
    multiscale_grid_anchor_generator,
)
from object_detection.core import anchor_generator, box_list_ops
from object_detection.core.box_list import BoxList
from object_detection.errors import ConfigError


class FlexibleGridAnchorGenerator(anchor_generator.AnchorGenerator):
    """For each feature map a list of (size, aspect ratio) pairs, all in pixels."""

    def __init__(
        self,
        base_sizes: Sequence[Sequence[float]],
        aspect_ratios: Sequence[Sequence[float]],
        anchor_strides: Sequence[tuple[float, float]],
        anchor_offsets: Sequence[tuple[float, float]],
        normalize_coordinates: bool = True,
    ) -> None:
        """Takes the settings, one entry for each feature map.

        Args:
            base_sizes: the sizes, in pixels, of a location's anchors.
            aspect_ratios: width/height of the same anchors.
            anchor_strides: (y, x) from one centre to the next, in pixels.
            anchor_offsets: (y, x) of the first centre, in pixels.
            normalize_coordinates: give shares of the picture, not pixels.

        Raises:
            ConfigError: lists of different lengths.
        """
        lengths = {
            "base_sizes": len(base_sizes),
            "aspect_ratios": len(aspect_ratios),
            "anchor_strides": len(anchor_strides),
            "anchor_offsets": len(anchor_offsets),
        }
        if len(set(lengths.values())) != 1:
            raise ConfigError(f"Each list needs one entry for each feature map, got {lengths}.")
        for index, (sizes, ratios) in enumerate(zip(base_sizes, aspect_ratios, strict=True)):
            if len(sizes) != len(ratios):
                raise ConfigError(
                    f"Feature map {index} has {len(sizes)} base_sizes and {len(ratios)} "
                    "aspect_ratios; an anchor is one of each."
                )
        self._base_sizes = base_sizes
        self._aspect_ratios = aspect_ratios
        self._anchor_strides = anchor_strides
        self._anchor_offsets = anchor_offsets
        self._normalize_coordinates = normalize_coordinates

    def name_scope(self) -> str:
        return "FlexibleGridAnchorGenerator"

    def num_anchors_per_location(self) -> list[int]:
        return [len(sizes) for sizes in self._base_sizes]

    def _generate(
        self,
        feature_map_shape_list: list[tuple[Any, Any]],
        im_height: Any = 1,
        im_width: Any = 1,
    ) -> list[BoxList]:
        anchor_generator.check_shapes(feature_map_shape_list, maps=len(self._base_sizes))
        if self._normalize_coordinates:
            multiscale_grid_anchor_generator.check_size_is_given(im_height, im_width)
        result = []
        for index, (rows, columns) in enumerate(feature_map_shape_list):
            anchors = grid_anchor_generator.tile_anchors(
                rows,
                columns,
                tf.constant(self._base_sizes[index], tf.float32),
                tf.constant(self._aspect_ratios[index], tf.float32),
                (1.0, 1.0),
                self._anchor_strides[index],
                self._anchor_offsets[index],
            )
            if self._normalize_coordinates:
                anchors = box_list_ops.to_normalized_coordinates(
                    anchors, im_height, im_width, check_range=False
                )
            result.append(anchor_generator.with_map_index(anchors, index))
        return result
