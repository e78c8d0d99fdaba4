"""SSD on MobileNet v1 for small devices: five maps of a picture of 256 x 256."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.errors import ConfigError
from object_detection.models import feature_map_generators
from object_detection.models.backbones import mobilenet_v1
from object_detection.utils import ops

_SIZE = 256


class EmbeddedSSDMobileNetV1FeatureExtractor(feature_extractor.SSDFeatureExtractor):
    """Maps of 16, 8, 4, 2 and 1 cells a side; the last by a 2x2 convolution."""

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
    ) -> None:
        if pad_to_multiple != 1:
            raise ConfigError(
                f"embedded_ssd_mobilenet_v1: pad_to_multiple is {pad_to_multiple}, must be 1."
            )
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

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        check = tf.assert_equal(
            tf.shape(preprocessed_inputs)[1:3],
            [_SIZE, _SIZE],
            message=f"embedded_ssd_mobilenet_v1 takes pictures of {_SIZE} x {_SIZE}",
        )
        with tf.control_dependencies([check] if check is not None else []):
            preprocessed_inputs = tf.identity(preprocessed_inputs)
        layout = {
            "from_layer": ["Conv2d_11_pointwise", "Conv2d_13_pointwise", "", "", ""],
            "layer_depth": [-1, -1, 512, 256, 256],
            "conv_kernel_size": [-1, -1, 3, 3, 2],
            "use_explicit_padding": self._use_explicit_padding,
            "use_depthwise": self._use_depthwise,
        }
        with tf.variable_scope("MobilenetV1", reuse=self._reuse_weights) as scope:
            own = mobilenet_v1.mobilenet_v1_arg_scope(regularize_depthwise=True)
            with self._backbone_arg_scope(own):
                _, end_points = mobilenet_v1.mobilenet_v1_base(
                    ops.pad_to_multiple(preprocessed_inputs, self._pad_to_multiple),
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
