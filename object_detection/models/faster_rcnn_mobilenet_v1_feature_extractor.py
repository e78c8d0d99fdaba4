"""Faster R-CNN on MobileNet v1 (arXiv:1704.04861): eleven layers, two more on each region."""

from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.core.batch_norm import batch_norm
from object_detection.errors import ConfigError
from object_detection.models.backbones import mobilenet_v1
from object_detection.models.faster_rcnn_inputs import check_pictures, check_stride

_RATIOS = (25, 50, 75, 100)
_REGION_DEPTH, _MIN_REGION_DEPTH = 1024, 16


def _layers_without_last_stride(
    ratio_in_percentage: int,
) -> tuple[mobilenet_v1.Conv | mobilenet_v1.Separable, ...]:
    """The network's layers, thinner by the ratio, the last one that halves the map not doing so."""
    *lower, last_stride, top = mobilenet_v1.CONV_DEFS
    layers = (*lower, last_stride._replace(stride=1), top)
    return tuple(
        layer._replace(depth=int(layer.depth * ratio_in_percentage / 100)) for layer in layers
    )


class FasterRCNNMobilenetV1FeatureExtractor(feature_extractor.FasterRCNNFeatureExtractor):
    """Features `Conv2d_11_pointwise`; layers 12 and 13 for regions."""

    def __init__(
        self,
        is_training: bool,
        first_stage_features_stride: int,
        batch_norm_trainable: bool = False,
        reuse_weights: Any = None,
        weight_decay: float = 0.0,
        depth_multiplier: float = 1.0,
        min_depth: int = 16,
        skip_last_stride: bool = False,
        conv_depth_ratio_in_percentage: int = 100,
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether the networks are built to be trained.
            first_stage_features_stride: 8 or 16; the features have stride 16 all the same.
            batch_norm_trainable: whether batch norm, in training, uses the batch's statistics.
            reuse_weights: whether to reuse variables.
            weight_decay: factor of the weights' L2 norm.
            depth_multiplier: factor of the number of channels of the first stage.
            min_depth: least number of channels of the first stage.
            skip_last_stride: the network's last stride is left out, and
                `conv_depth_ratio_in_percentage` acts.
            conv_depth_ratio_in_percentage: 25, 50, 75 or 100, of the number of channels.

        Raises:
            ConfigError: another stride or ratio.
        """
        check_stride(first_stage_features_stride)
        if skip_last_stride and conv_depth_ratio_in_percentage not in _RATIOS:
            raise ConfigError(
                f"conv_depth_ratio_in_percentage is {conv_depth_ratio_in_percentage}; allowed: "
                f"{', '.join(map(str, _RATIOS))}."
            )
        super().__init__(
            is_training,
            first_stage_features_stride,
            batch_norm_trainable,
            reuse_weights,
            weight_decay,
        )
        self._depth_multiplier = depth_multiplier
        self._min_depth = min_depth
        self._conv_defs: Any = None
        self._region_depth = _REGION_DEPTH
        if skip_last_stride:
            self._conv_defs = _layers_without_last_stride(conv_depth_ratio_in_percentage)
            self._region_depth = max(
                int(_REGION_DEPTH * conv_depth_ratio_in_percentage / 100), _MIN_REGION_DEPTH
            )

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    def _arg_scope(self) -> Any:
        with (
            slim.arg_scope(
                mobilenet_v1.mobilenet_v1_arg_scope(
                    is_training=self._train_batch_norm, weight_decay=self._weight_decay
                )
            ),
            slim.arg_scope([batch_norm], is_training=self._train_batch_norm) as scope,
        ):
            return scope

    def _extract_proposal_features(
        self, preprocessed_inputs: tf.Tensor, scope: str
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        preprocessed_inputs = check_pictures(preprocessed_inputs)
        with (
            tf.variable_scope("MobilenetV1", reuse=self._reuse_weights) as var_scope,
            slim.arg_scope(self._arg_scope()),
        ):
            return mobilenet_v1.mobilenet_v1_base(
                preprocessed_inputs,
                final_endpoint="Conv2d_11_pointwise",
                min_depth=self._min_depth,
                depth_multiplier=self._depth_multiplier,
                conv_defs=self._conv_defs,
                scope=var_scope,
            )

    def _extract_box_classifier_features(
        self, proposal_feature_maps: tf.Tensor, scope: str
    ) -> tf.Tensor:
        net = proposal_feature_maps
        with (
            tf.variable_scope("MobilenetV1", reuse=self._reuse_weights),
            slim.arg_scope(self._arg_scope()),
            slim.arg_scope([slim.separable_conv2d], padding="SAME"),
        ):
            # Depthwise and pointwise convolution in one layer, as published checkpoints have them.
            for name, stride in (("Conv2d_12_pointwise", 2), ("Conv2d_13_pointwise", 1)):
                net = slim.separable_conv2d(
                    net, self._region_depth, [3, 3], depth_multiplier=1, stride=stride, scope=name
                )
        return net
