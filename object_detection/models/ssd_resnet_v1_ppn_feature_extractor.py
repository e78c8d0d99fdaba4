"""SSD on ResNet v1 with a pooling pyramid (arXiv:1807.03284)."""

from typing import ClassVar

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.models import feature_map_generators
from object_detection.models.backbones import resnet_v1
from object_detection.utils import ops, shape_utils

_BASE_DEPTH = 1024
# Of the four blocks: the third, whose output slim gives after the stride to the fourth.
_BLOCK = 2


class SSDResnetV1PpnFeatureExtractor(feature_extractor.SSDFeatureExtractor):
    """`block3` by a 1x1 convolution, pooled again and again; subclasses name the depth."""

    layers: ClassVar[int]

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return resnet_v1.subtract_channel_means(resized_inputs)

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        preprocessed_inputs = shape_utils.check_min_image_dim(129, preprocessed_inputs)
        with tf.variable_scope(f"resnet_v1_{self.layers}", reuse=self._reuse_weights) as scope:
            with self._backbone_arg_scope(resnet_v1.resnet_arg_scope()):
                blocks = resnet_v1.resnet_v1_blocks(
                    ops.pad_to_multiple(preprocessed_inputs, self._pad_to_multiple),
                    self.layers,
                    scope=scope,
                )
            with slim.arg_scope(self._conv_hyperparams_fn()):
                maps = feature_map_generators.pooling_pyramid_feature_maps(
                    base_feature_map_depth=_BASE_DEPTH,
                    num_layers=self._num_layers,
                    image_features={"image_features": blocks[_BLOCK][:, ::2, ::2]},
                )
        return list(maps.values())


class SSDResnet50V1PpnFeatureExtractor(SSDResnetV1PpnFeatureExtractor):
    """With ResNet-50."""

    layers = 50


class SSDResnet101V1PpnFeatureExtractor(SSDResnetV1PpnFeatureExtractor):
    """With ResNet-101."""

    layers = 101


class SSDResnet152V1PpnFeatureExtractor(SSDResnetV1PpnFeatureExtractor):
    """With ResNet-152."""

    layers = 152
