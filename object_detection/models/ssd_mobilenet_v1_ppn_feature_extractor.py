"""SSD on MobileNet v1 with a pooling pyramid (arXiv:1807.03284)."""

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.models import feature_map_generators
from object_detection.models.backbones import mobilenet_v1
from object_detection.utils import ops, shape_utils


class SSDMobileNetV1PpnFeatureExtractor(feature_extractor.SSDFeatureExtractor):
    """`Conv2d_11_pointwise`, pooled again and again."""

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        preprocessed_inputs = shape_utils.check_min_image_dim(33, preprocessed_inputs)
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
                maps = feature_map_generators.pooling_pyramid_feature_maps(
                    base_feature_map_depth=0,
                    num_layers=self._num_layers,
                    image_features={"image_features": end_points["Conv2d_11_pointwise"]},
                )
        return list(maps.values())
