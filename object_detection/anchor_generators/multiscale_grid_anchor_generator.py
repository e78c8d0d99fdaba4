"""Anchors of a feature pyramid, as in RetinaNet (arXiv:1708.02002, section 4).

Level L has stride 2^L; its anchors have the size anchor_scale * 2^L * 2^(octave share).
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.anchor_generators import grid_anchor_generator
from object_detection.core import anchor_generator, box_list_ops
from object_detection.core.box_list import BoxList


class MultiscaleGridAnchorGenerator(anchor_generator.AnchorGenerator):
    """The same scales and ratios on each level, in units of its stride."""

    def __init__(
        self,
        min_level: int,
        max_level: int,
        anchor_scale: float,
        aspect_ratios: Sequence[float],
        scales_per_octave: int,
        normalize_coordinates: bool = True,
    ) -> None:
        """Takes the settings.

        Args:
            min_level: first level of the pyramid; level L has stride 2^L.
            max_level: last level.
            anchor_scale: size of the smallest anchor in strides.
            aspect_ratios: width/height.
            scales_per_octave: sizes between one level and the next.
            normalize_coordinates: give shares of the picture, not pixels.
        """
        self._levels = range(min_level, max_level + 1)
        self._anchor_scale = anchor_scale
        self._aspect_ratios = tuple(aspect_ratios)
        self._octave_scales = tuple(
            2.0 ** (i / scales_per_octave) for i in range(scales_per_octave)
        )
        self._normalize_coordinates = normalize_coordinates

    def name_scope(self) -> str:
        return "MultiscaleGridAnchorGenerator"

    def num_anchors_per_location(self) -> list[int]:
        return [len(self._aspect_ratios) * len(self._octave_scales)] * len(self._levels)

    def _generate(
        self,
        feature_map_shape_list: list[tuple[Any, Any]],
        im_height: Any = 1,
        im_width: Any = 1,
    ) -> list[BoxList]:
        scales = [scale for _ in self._aspect_ratios for scale in self._octave_scales]
        ratios = [ratio for ratio in self._aspect_ratios for _ in self._octave_scales]
        anchor_generator.check_shapes(feature_map_shape_list, maps=len(self._levels))
        window = tf.stack([0.0, 0.0, tf.cast(im_height, tf.float32), tf.cast(im_width, tf.float32)])
        result = []
        for index, (rows, columns) in enumerate(feature_map_shape_list):
            level = self._levels[index]
            stride = 2**level
            base = self._anchor_scale * stride
            anchors = grid_anchor_generator.tile_anchors(
                rows,
                columns,
                tf.constant(scales, tf.float32),
                tf.constant(ratios, tf.float32),
                (base, base),
                (float(stride), float(stride)),
                (_offset(im_height, stride), _offset(im_width, stride)),
            )
            if self._normalize_coordinates:
                check_size_is_given(im_height, im_width)
                anchors = box_list_ops.change_coordinate_frame(anchors, window)
            result.append(anchor_generator.with_map_index(anchors, index))
        return result


def check_size_is_given(im_height: Any, im_width: Any) -> None:
    """Refuses the size 1, which stands for an unknown one; a `ValueError`."""
    if any(not tf.is_tensor(size) and size == 1 for size in (im_height, im_width)):
        raise ValueError(
            "Normalised anchors need the picture's size: pass im_height and im_width to generate()."
        )


def _offset(size: Any, stride: int) -> Any:
    """Half a stride where the picture is a whole number of strides (or of unknown size 1)."""
    if isinstance(size, int):
        return stride / 2.0 if size % stride == 0 or size == 1 else 0.0
    size = tf.cast(size, tf.int32)
    whole = tf.equal(size % stride, 0) | tf.equal(size, 1)
    return tf.where(whole, stride / 2.0, 0.0)
