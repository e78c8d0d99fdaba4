"""What SSDs on an Inception have in common: maps of the backbone and coarser ones above."""

import abc
from collections.abc import Callable
from typing import Any, ClassVar

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.errors import ConfigError
from object_detection.models import feature_map_generators
from object_detection.utils import ops, shape_utils


class SSDInceptionFeatureExtractor(feature_extractor.SSDFeatureExtractor):
    """Maps of some modules and of new layers; subclasses name them."""

    name: ClassVar[str]  # in configs
    scope: ClassVar[str]
    # Modules of the backbone, then '' for each new layer, with the channels of the latter.
    from_layer: ClassVar[tuple[str, ...]]
    layer_depth: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        is_training: bool,
        depth_multiplier: float,
        min_depth: int,
        pad_to_multiple: int,
        conv_hyperparams_fn: Callable[[], Any],
        reuse_weights: Any = None,
        use_explicit_padding: bool = False,
        use_depthwise: bool = False,
        num_layers: int = 6,
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
            num_layers,
            override_base_feature_extractor_hyperparams,
        )
        if not override_base_feature_extractor_hyperparams:
            raise ConfigError(
                f"{self.name} has no settings of its own for the backbone: set "
                "feature_extractor.override_base_feature_extractor_hyperparams: true, so that "
                "conv_hyperparams are used there too."
            )

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    @abc.abstractmethod
    def _backbone(self, inputs: tf.Tensor, scope: Any) -> dict[str, tf.Tensor]:
        """Name -> output of each module."""

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        preprocessed_inputs = shape_utils.check_min_image_dim(33, preprocessed_inputs)
        layout = {
            "from_layer": self.from_layer[: self._num_layers],
            "layer_depth": self.layer_depth[: self._num_layers],
            "use_explicit_padding": self._use_explicit_padding,
            "use_depthwise": self._use_depthwise,
        }
        with (
            slim.arg_scope(self._own_arg_scope()),
            tf.variable_scope(self.scope, reuse=self._reuse_weights) as scope,
        ):
            end_points = self._backbone(
                ops.pad_to_multiple(preprocessed_inputs, self._pad_to_multiple), scope
            )
            maps = feature_map_generators.multi_resolution_feature_maps(
                layout,
                self._depth_multiplier,
                self._min_depth,
                insert_1x1_conv=True,
                image_features=end_points,
            )
        return list(maps.values())
