"""SSD on MobileNet v3: two maps of the backbone and coarser ones above (arXiv:1905.02244, 6.3)."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.errors import ConfigError
from object_detection.models import feature_map_generators
from object_detection.models.backbones import mobilenet_v3
from object_detection.utils import ops, shape_utils


class SSDMobileNetV3FeatureExtractorBase(feature_extractor.SSDFeatureExtractor):
    """Two layers of a network, and four maps above; subclasses name them."""

    def __init__(
        self,
        conv_defs: mobilenet_v3.ConvDefs,
        from_layer: Sequence[str],
        is_training: bool,
        depth_multiplier: float,
        min_depth: int,
        pad_to_multiple: int,
        conv_hyperparams_fn: Callable[[], Any],
        reuse_weights: Any = None,
        use_explicit_padding: bool = False,
        use_depthwise: bool = False,
        override_base_feature_extractor_hyperparams: bool = False,
        scope_name: str = "MobilenetV3",
    ) -> None:
        """Takes the settings.

        Args:
            conv_defs: the network, such as `backbones.mobilenet_v3.V3_LARGE_DETECTION`.
            from_layer: names of the two layers of the network that are maps.
            is_training: whether the network is built to be trained.
            depth_multiplier: factor of the number of channels.
            min_depth: least number of channels.
            pad_to_multiple: the picture is padded with zeros to a multiple of this.
            conv_hyperparams_fn: returns the arg scope of the added layers.
            reuse_weights: whether to reuse variables.
            use_explicit_padding: pad by hand and convolve without padding.
            use_depthwise: depthwise separable convolutions in the added layers.
            override_base_feature_extractor_hyperparams: use the arg scope in the network too.
            scope_name: variable scope.

        Raises:
            ConfigError: not two layers.
        """
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
        if len(from_layer) != 2:
            raise ConfigError(f"from_layer should name two layers, got {list(from_layer)}.")
        self._conv_defs = conv_defs
        self._from_layer = tuple(from_layer)
        self._scope_name = scope_name

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        preprocessed_inputs = shape_utils.check_min_image_dim(33, preprocessed_inputs)
        inputs = ops.pad_to_multiple(preprocessed_inputs, self._pad_to_multiple)
        layout = {
            "from_layer": [*self._from_layer, "", "", "", ""][: self._num_layers],
            "layer_depth": [-1, -1, 512, 256, 256, 128][: self._num_layers],
            "use_depthwise": self._use_depthwise,
            "use_explicit_padding": self._use_explicit_padding,
        }
        with tf.variable_scope(self._scope_name, reuse=self._reuse_weights) as scope:
            with self._backbone_arg_scope(mobilenet_v3.mobilenet_v3_arg_scope()):
                end_points = mobilenet_v3.mobilenet_v3_base(
                    inputs,
                    self._conv_defs,
                    min_depth=self._min_depth,
                    depth_multiplier=self._depth_multiplier,
                    use_explicit_padding=self._use_explicit_padding,
                    scope=scope,
                )
            with slim.arg_scope(self._own_arg_scope()):
                maps = feature_map_generators.multi_resolution_feature_maps(
                    layout,
                    self._depth_multiplier,
                    self._min_depth,
                    insert_1x1_conv=True,
                    image_features=end_points,
                )
        return list(maps.values())


class SSDMobileNetV3LargeFeatureExtractor(SSDMobileNetV3FeatureExtractorBase):
    """Maps `layer_14/expansion_output`, `layer_17` and four more."""

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
        override_base_feature_extractor_hyperparams: bool = False,
        scope_name: str = "MobilenetV3",
    ) -> None:
        super().__init__(
            mobilenet_v3.V3_LARGE_DETECTION,
            ("layer_14/expansion_output", "layer_17"),
            is_training,
            depth_multiplier,
            min_depth,
            pad_to_multiple,
            conv_hyperparams_fn,
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            override_base_feature_extractor_hyperparams,
            scope_name,
        )


class SSDMobileNetV3SmallFeatureExtractor(SSDMobileNetV3FeatureExtractorBase):
    """Maps `layer_10/expansion_output`, `layer_13` and four more."""

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
        override_base_feature_extractor_hyperparams: bool = False,
        scope_name: str = "MobilenetV3",
    ) -> None:
        super().__init__(
            mobilenet_v3.V3_SMALL_DETECTION,
            ("layer_10/expansion_output", "layer_13"),
            is_training,
            depth_multiplier,
            min_depth,
            pad_to_multiple,
            conv_hyperparams_fn,
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            override_base_feature_extractor_hyperparams,
            scope_name,
        )
