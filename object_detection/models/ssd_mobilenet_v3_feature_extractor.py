"""SSD on MobileNet v3: two maps of the backbone and coarser ones above (arXiv:1905.02244, 6.3)."""

import abc
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.models import feature_map_generators
from object_detection.models.backbones import mobilenet_v3
from object_detection.utils import ops, shape_utils


class SSDMobileNetV3FeatureExtractorBase(feature_extractor.SSDFeatureExtractor):
    """Two layers of a network, and up to four maps above; subclasses name them."""

    scope_name = "MobilenetV3"
    from_layer: tuple[str, str]

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    @abc.abstractmethod
    def _backbone(self, inputs: tf.Tensor, scope: Any) -> dict[str, tf.Tensor]:
        """Name -> output of each layer."""

    def _settings(self, scope: Any) -> dict[str, Any]:
        """The backbone's settings that come from the config."""
        return {
            "min_depth": self._min_depth,
            "depth_multiplier": self._depth_multiplier,
            "use_explicit_padding": self._use_explicit_padding,
            "scope": scope,
        }

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        preprocessed_inputs = shape_utils.check_min_image_dim(33, preprocessed_inputs)
        inputs = ops.pad_to_multiple(preprocessed_inputs, self._pad_to_multiple)
        layout = {
            "from_layer": [*self.from_layer, "", "", "", ""][: self._num_layers],
            "layer_depth": [-1, -1, 512, 256, 256, 128][: self._num_layers],
            "use_depthwise": self._use_depthwise,
            "use_explicit_padding": self._use_explicit_padding,
        }
        with tf.variable_scope(self.scope_name, reuse=self._reuse_weights) as scope:
            with self._backbone_arg_scope(mobilenet_v3.mobilenet_v3_arg_scope()):
                end_points = self._backbone(inputs, scope)
            with slim.arg_scope(self._conv_hyperparams_fn()):
                maps = feature_map_generators.multi_resolution_feature_maps(
                    layout,
                    self._depth_multiplier,
                    self._min_depth,
                    insert_1x1_conv=True,
                    image_features=end_points,
                )
        return list(maps.values())


class SSDMobileNetV3LargeFeatureExtractor(SSDMobileNetV3FeatureExtractorBase):
    """Maps `layer_14/expansion_output`, `layer_17` and up to four more."""

    from_layer = ("layer_14/expansion_output", "layer_17")

    def _backbone(self, inputs: tf.Tensor, scope: Any) -> dict[str, tf.Tensor]:
        return mobilenet_v3.mobilenet_v3_base(
            inputs,
            mobilenet_v3.LARGE,
            top_depth=mobilenet_v3.TOP_LARGE,
            **self._settings(scope),
        )


class SSDMobileNetV3SmallFeatureExtractor(SSDMobileNetV3FeatureExtractorBase):
    """Maps `layer_10/expansion_output`, `layer_13` and up to four more."""

    from_layer = ("layer_10/expansion_output", "layer_13")

    def _backbone(self, inputs: tf.Tensor, scope: Any) -> dict[str, tf.Tensor]:
        return mobilenet_v3.mobilenet_v3_base(
            inputs,
            mobilenet_v3.SMALL,
            top_depth=mobilenet_v3.TOP_SMALL,
            **self._settings(scope),
        )
