"""What every anchor generator offers: one `BoxList` of anchors for each feature map.

The anchors of a map are in the order y, x, anchor of the location, which is the order in which
box predictors flatten their outputs.
"""

import abc
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.box_list import BoxList


class AnchorGenerator(abc.ABC):
    """Gives the anchors of feature maps."""

    @abc.abstractmethod
    def name_scope(self) -> str:
        """Name scope of the generated operations."""

    @property
    def check_num_anchors(self) -> bool:
        """Whether `generate` compares the number of anchors with what it announced."""
        return True

    @abc.abstractmethod
    def num_anchors_per_location(self) -> list[int]:
        """Anchors of a location, for each feature map."""

    def generate(
        self, feature_map_shape_list: list[tuple[Any, Any]], **params: Any
    ) -> list[BoxList]:
        """Anchors of feature maps of the given (height, width).

        Args:
            feature_map_shape_list: one pair a map, of numbers or scalar tensors.
            **params: further arguments of the generator, such as `im_height`, `im_width`.

        Raises:
            ValueError: another number of maps than the generator has settings for.
        """
        expected = len(self.num_anchors_per_location())
        if self.check_num_anchors and len(feature_map_shape_list) != expected:
            raise ValueError(
                f"{type(self).__name__} is set up for {expected} feature maps, got "
                f"{len(feature_map_shape_list)}. Make num_layers (or the levels) of the anchor "
                "generator equal to the feature extractor's."
            )
        with tf.name_scope(self.name_scope()):
            return self._generate(feature_map_shape_list, **params)

    @abc.abstractmethod
    def _generate(
        self, feature_map_shape_list: list[tuple[Any, Any]], *args: Any, **params: Any
    ) -> list[BoxList]:
        """What `generate` returns, its arguments checked."""

    def anchor_index_to_feature_map_index(self, boxlist_list: list[BoxList]) -> tf.Tensor:
        """[N] int32: the feature map of each anchor."""
        return tf.concat(
            [tf.fill([boxes.num_boxes()], index) for index, boxes in enumerate(boxlist_list)],
            axis=0,
        )
