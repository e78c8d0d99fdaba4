"""Faster R-CNN on ResNet v1: three blocks below the proposals, the fourth on each region.

Source: arXiv:1512.03385, appendix A.
"""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.core.batch_norm import batch_norm
from object_detection.models.backbones import resnet_v1
from object_detection.models.faster_rcnn_inputs import check_pictures, check_stride

# Block 4, which works on regions: units, and channels of their inner convolutions.
_REGION_UNITS, _REGION_DEPTH = 3, 512

Activation = Callable[[tf.Tensor], tf.Tensor]
Backbone = Callable[..., tuple[tf.Tensor, dict[str, tf.Tensor]]]


class FasterRCNNResnetV1FeatureExtractor(feature_extractor.FasterRCNNFeatureExtractor):
    """Features `block3` of a residual network; its `block4` for regions."""

    def __init__(
        self,
        architecture: str,
        resnet_model: Backbone,
        is_training: bool,
        first_stage_features_stride: int,
        batch_norm_trainable: bool = False,
        reuse_weights: Any = None,
        weight_decay: float = 0.0,
        activation_fn: Activation = tf.nn.relu,
    ) -> None:
        """Takes the settings.

        Args:
            architecture: variable scope of the network, such as `resnet_v1_50`.
            resnet_model: the network, called as `backbones.resnet_v1.resnet_v1_50` is.
            is_training: whether the networks are built to be trained.
            first_stage_features_stride: 8 or 16.
            batch_norm_trainable: whether batch norm, in training, uses the batch's statistics.
            reuse_weights: whether to reuse variables.
            weight_decay: factor of the weights' L2 norm.
            activation_fn: of the convolutions within a unit.

        Raises:
            ConfigError: another stride.
        """
        check_stride(first_stage_features_stride)
        super().__init__(
            is_training,
            first_stage_features_stride,
            batch_norm_trainable,
            reuse_weights,
            weight_decay,
        )
        self._architecture = architecture
        self._resnet_model = resnet_model
        self._activation_fn = activation_fn

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return resnet_v1.subtract_channel_means(resized_inputs)

    def _arg_scope(self) -> Any:
        with (
            slim.arg_scope(resnet_v1.resnet_arg_scope(weight_decay=self._weight_decay)),
            slim.arg_scope([slim.conv2d], activation_fn=self._activation_fn),
            slim.arg_scope([slim.max_pool2d], padding="SAME"),
            slim.arg_scope([batch_norm], is_training=self._train_batch_norm) as scope,
        ):
            return scope

    def _extract_proposal_features(
        self, preprocessed_inputs: tf.Tensor, scope: str
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        preprocessed_inputs = check_pictures(preprocessed_inputs)
        with (
            slim.arg_scope(self._arg_scope()),
            tf.variable_scope(self._architecture, reuse=self._reuse_weights) as var_scope,
        ):
            _, end_points = self._resnet_model(
                preprocessed_inputs,
                num_classes=None,
                is_training=self._train_batch_norm,
                global_pool=False,
                output_stride=self._first_stage_features_stride,
                scope=var_scope,
            )
        return resnet_v1.blocks_of(end_points)["block3"], end_points

    def _extract_box_classifier_features(
        self, proposal_feature_maps: tf.Tensor, scope: str
    ) -> tf.Tensor:
        net = proposal_feature_maps
        with (
            tf.variable_scope(self._architecture, reuse=self._reuse_weights),
            slim.arg_scope(self._arg_scope()),
            tf.variable_scope("block4"),
        ):
            for unit in range(1, _REGION_UNITS + 1):
                with tf.variable_scope(f"unit_{unit}"):
                    net = resnet_v1.bottleneck(net, _REGION_DEPTH)
        return net


class FasterRCNNResnet50FeatureExtractor(FasterRCNNResnetV1FeatureExtractor):
    """With ResNet-50."""

    def __init__(
        self,
        is_training: bool,
        first_stage_features_stride: int,
        batch_norm_trainable: bool = False,
        reuse_weights: Any = None,
        weight_decay: float = 0.0,
        activation_fn: Activation = tf.nn.relu,
    ) -> None:
        super().__init__(
            "resnet_v1_50",
            resnet_v1.resnet_v1_50,
            is_training,
            first_stage_features_stride,
            batch_norm_trainable,
            reuse_weights,
            weight_decay,
            activation_fn,
        )


class FasterRCNNResnet101FeatureExtractor(FasterRCNNResnetV1FeatureExtractor):
    """With ResNet-101."""

    def __init__(
        self,
        is_training: bool,
        first_stage_features_stride: int,
        batch_norm_trainable: bool = False,
        reuse_weights: Any = None,
        weight_decay: float = 0.0,
        activation_fn: Activation = tf.nn.relu,
    ) -> None:
        super().__init__(
            "resnet_v1_101",
            resnet_v1.resnet_v1_101,
            is_training,
            first_stage_features_stride,
            batch_norm_trainable,
            reuse_weights,
            weight_decay,
            activation_fn,
        )


class FasterRCNNResnet152FeatureExtractor(FasterRCNNResnetV1FeatureExtractor):
    """With ResNet-152."""

    def __init__(
        self,
        is_training: bool,
        first_stage_features_stride: int,
        batch_norm_trainable: bool = False,
        reuse_weights: Any = None,
        weight_decay: float = 0.0,
        activation_fn: Activation = tf.nn.relu,
    ) -> None:
        super().__init__(
            "resnet_v1_152",
            resnet_v1.resnet_v1_152,
            is_training,
            first_stage_features_stride,
            batch_norm_trainable,
            reuse_weights,
            weight_decay,
            activation_fn,
        )
