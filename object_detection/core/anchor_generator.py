"""What every anchor generator offers: one `BoxList` of anchors for each feature map.

The anchors of a map are in the order y, x, anchor of the location, which is the order in which
box predictors flatten their outputs.
"""

import abc
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.box_list import BoxList
from object_detection.errors import ConfigError


def check_shapes(shapes: Any, maps: int) -> None:
    """Refuses anything but a list of `maps` pairs (height, width); a `ValueError`."""
    if not isinstance(shapes, list | tuple) or len(shapes) != maps:
        raise ValueError(
            f"feature_map_shape_list should list {maps} (height, width), got {shapes}."
        )
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in shapes):
        raise ValueError(f"feature_map_shape_list should hold pairs (height, width), got {shapes}.")


def with_map_index(boxlist: BoxList, index: int) -> BoxList:
    """The list with the field `feature_map_index`, [N] float32."""
    boxes = boxlist.get()
    indices = tf.fill(tf.shape(boxes)[:1], float(index))
    indices.set_shape(boxes.shape[:1])
    boxlist.add_field("feature_map_index", indices)
    return boxlist


class AnchorGenerator(abc.ABC):
    """Gives the anchors of feature maps."""

    @abc.abstractmethod
    def name_scope(self) -> str:
        """Name scope of the generated operations."""

    @property
    def check_num_anchors(self) -> bool:
        """Whether `generate` compares maps and anchors with `num_anchors_per_location`."""
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

        Returns:
            For each map its anchors. Another number of anchors than the announced one is a
            `tf.errors.InvalidArgumentError` when the graph runs.

        Raises:
            ConfigError: another number of maps than the generator has settings for.
        """
        expected = len(self.num_anchors_per_location())
        if self.check_num_anchors and len(feature_map_shape_list) != expected:
            raise ConfigError(
                f"{type(self).__name__} is set up for {expected} feature maps, got "
                f"{len(feature_map_shape_list)}. Make num_layers (or the levels) of the anchor "
                "generator equal to the feature extractor's."
            )
        with tf.name_scope(self.name_scope()):
            anchors = self._generate(feature_map_shape_list, **params)
            if self.check_num_anchors:
                self._check_counts(anchors, feature_map_shape_list)
            return anchors

    def _check_counts(
        self, boxlists: list[BoxList], feature_map_shape_list: list[tuple[Any, Any]]
    ) -> None:
        """Ties the anchors to the assertion that there are as many as announced."""
        of_maps = zip(self.num_anchors_per_location(), feature_map_shape_list, strict=True)
        announced = sum(per_place * rows * columns for per_place, (rows, columns) in of_maps)
        known = [boxlist.num_boxes_static() for boxlist in boxlists]
        total = None if None in known else sum(size or 0 for size in known)
        if isinstance(announced, int) and announced == total:
            return
        count = tf.add_n([boxlist.num_boxes() for boxlist in boxlists])
        check = tf.assert_equal(
            tf.cast(announced, tf.int32),
            count,
            message=f"{type(self).__name__} gave another number of anchors.",
        )
        with tf.control_dependencies([check] if check is not None else []):
            for boxlist in boxlists:
                boxlist.set(tf.identity(boxlist.get()))

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
