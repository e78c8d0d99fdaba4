"""SSD on MobileNet v1: two maps of the backbone and coarser ones above."""

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.models import feature_map_generators
from object_detection.models.backbones import mobilenet_v1
from object_detection.utils import ops, shape_utils


class SSDMobileNetV1FeatureExtractor(feature_extractor.SSDFeatureExtractor):
    """Maps `Conv2d_11_pointwise`, `Conv2d_13_pointwise` and up to four more."""

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        preprocessed_inputs = shape_utils.check_min_image_dim(33, preprocessed_inputs)
        layout = {
            "from_layer": ["Conv2d_11_pointwise", "Conv2d_13_pointwise", "", "", "", ""][
                : self._num_layers
            ],
            "layer_depth": [-1, -1, 512, 256, 256, 128][: self._num_layers],
            "use_explicit_padding": self._use_explicit_padding,
            "use_depthwise": self._use_depthwise,
        }
        with tf.variable_scope("MobilenetV1", reuse=self._reuse_weights) as scope:
            own = mobilenet_v1.mobilenet_v1_arg_scope(regularize_depthwise=True)
            with self._backbone_arg_scope(own):
                _, end_points = mobilenet_v1.mobilenet_v1_base(
                    ops.pad_to_multiple(preprocessed_inputs, self._pad_to_multiple),
                    final_endpoint="Conv2d_13_pointwise",
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
