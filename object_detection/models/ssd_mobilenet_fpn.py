"""What SSDs on a MobileNet with a feature pyramid (arXiv:1612.03144) have in common.

Level L has stride 2^L.
"""

import abc
from collections.abc import Callable
from typing import Any, ClassVar

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.errors import ConfigError
from object_detection.models import feature_map_generators
from object_detection.utils import ops, shape_utils


class SSDMobileNetFpnFeatureExtractor(feature_extractor.SSDFeatureExtractor):
    """Levels `fpn_min_level` to `fpn_max_level`; subclasses name the backbone."""

    # Scope of the network.
    scope: ClassVar[str]
    # Level -> the last layer of its stride.
    levels: ClassVar[dict[int, str]]
    # New levels are numbered on from here.
    last_layer: ClassVar[int]

    def __init__(
        self,
        is_training: bool,
        depth_multiplier: float,
        min_depth: int,
        pad_to_multiple: int,
        conv_hyperparams_fn: Callable[[], Any],
        fpn_min_level: int = 3,
        fpn_max_level: int = 7,
        additional_layer_depth: int = 256,
        reuse_weights: Any = None,
        use_explicit_padding: bool = False,
        use_depthwise: bool = False,
        use_native_resize_op: bool = False,
        override_base_feature_extractor_hyperparams: bool = False,
    ) -> None:
        super().__init__(
            is_training,
            depth_multiplier,
            min_depth,
            pad_to_multiple,
            conv_hyperparams_fn,
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            override_base_feature_extractor_hyperparams=override_base_feature_extractor_hyperparams,
        )
        least, most = min(self.levels), max(self.levels)
        if not least <= fpn_min_level <= min(fpn_max_level, most):
            raise ConfigError(
                f"feature_extractor.fpn: min_level {fpn_min_level}, max_level {fpn_max_level}; "
                f"allowed: {least} <= min_level <= {most}, min_level <= max_level."
            )
        self._fpn_min_level = fpn_min_level
        self._fpn_max_level = fpn_max_level
        self._additional_layer_depth = additional_layer_depth
        self._use_native_resize_op = use_native_resize_op

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    @abc.abstractmethod
    def _backbone(self, inputs: tf.Tensor, scope: Any) -> dict[str, tf.Tensor]:
        """Name -> output of each layer, at least of those in `levels`."""

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        preprocessed_inputs = shape_utils.check_min_image_dim(33, preprocessed_inputs)
        inputs = ops.pad_to_multiple(preprocessed_inputs, self._pad_to_multiple)
        with tf.variable_scope(self.scope, reuse=self._reuse_weights) as scope:
            end_points = self._backbone(inputs, scope)
            with slim.arg_scope(self._own_arg_scope()):
                return self._pyramid(end_points)

    def _pyramid(self, end_points: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        depth_fn = feature_map_generators.get_depth_fn(self._depth_multiplier, self._min_depth)
        depth = depth_fn(self._additional_layer_depth)
        top = min(self._fpn_max_level, max(self.levels))
        layers = [self.levels[level] for level in range(self._fpn_min_level, top + 1)]
        with tf.variable_scope("fpn", reuse=self._reuse_weights):
            maps = feature_map_generators.fpn_top_down_feature_maps(
                [(layer, end_points[layer]) for layer in layers],
                depth,
                use_depthwise=self._use_depthwise,
                use_explicit_padding=self._use_explicit_padding,
                use_native_resize_op=self._use_native_resize_op,
            )
            return feature_map_generators.extend_pyramid(
                list(maps.values()),
                depth,
                [
                    f"bottom_up_Conv2d_{self.last_layer + level - top}"
                    for level in range(top + 1, self._fpn_max_level + 1)
                ],
                self._use_depthwise,
                self._use_explicit_padding,
            )
