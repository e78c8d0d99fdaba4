"""SSD on ResNet v1 with a pooling pyramid (arXiv:1807.03284)."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.models import feature_map_generators
from object_detection.models.backbones import resnet_v1
from object_detection.utils import ops, shape_utils

Backbone = Callable[..., tuple[tf.Tensor, dict[str, tf.Tensor]]]


class _SSDResnetPpnFeatureExtractor(feature_extractor.SSDFeatureExtractor):
    """`block3` by a 1x1 convolution, pooled again and again; subclasses name the network."""

    def __init__(
        self,
        is_training: bool,
        depth_multiplier: float,
        min_depth: int,
        pad_to_multiple: int,
        conv_hyperparams_fn: Callable[[], Any],
        resnet_base_fn: Backbone,
        resnet_scope_name: str,
        reuse_weights: Any = None,
        use_explicit_padding: bool = False,
        use_depthwise: bool = False,
        base_feature_map_depth: int = 1024,
        num_layers: int = 6,
        override_base_feature_extractor_hyperparams: bool = False,
        use_bounded_activations: bool = False,
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether the network is built to be trained.
            depth_multiplier: factor of the number of channels; has no effect on the network.
            min_depth: least number of channels; has no effect on the network.
            pad_to_multiple: the picture is padded with zeros to a multiple of this.
            conv_hyperparams_fn: returns the arg scope of the added convolution.
            resnet_base_fn: the network, called as `backbones.resnet_v1.resnet_v1_50` is.
            resnet_scope_name: variable scope.
            reuse_weights: whether to reuse variables.
            use_explicit_padding: has no effect: the pyramid only pools.
            use_depthwise: has no effect: the pyramid only pools.
            base_feature_map_depth: channels of all maps.
            num_layers: feature maps to give.
            override_base_feature_extractor_hyperparams: use the arg scope in the network too.
            use_bounded_activations: keep what the network's units give in [0, 6].
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
            num_layers,
            override_base_feature_extractor_hyperparams,
        )
        self._resnet_base_fn = resnet_base_fn
        self._resnet_scope_name = resnet_scope_name
        self._base_feature_map_depth = base_feature_map_depth
        self._use_bounded_activations = use_bounded_activations

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return resnet_v1.subtract_channel_means(resized_inputs)

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        preprocessed_inputs = shape_utils.check_min_image_dim(129, preprocessed_inputs)
        with tf.variable_scope(self._resnet_scope_name, reuse=self._reuse_weights) as scope:
            with (
                self._backbone_arg_scope(resnet_v1.resnet_arg_scope()),
                slim.arg_scope(
                    [resnet_v1.bottleneck], use_bounded_activations=self._use_bounded_activations
                ),
            ):
                _, end_points = self._resnet_base_fn(
                    inputs=ops.pad_to_multiple(preprocessed_inputs, self._pad_to_multiple),
                    num_classes=None,
                    is_training=None,
                    global_pool=False,
                    output_stride=None,
                    store_non_strided_activations=True,
                    scope=scope,
                )
            with slim.arg_scope(self._own_arg_scope()):
                maps = feature_map_generators.pooling_pyramid_feature_maps(
                    base_feature_map_depth=self._base_feature_map_depth,
                    num_layers=self._num_layers,
                    image_features={"image_features": resnet_v1.blocks_of(end_points)["block3"]},
                )
        return list(maps.values())


class SSDResnet50V1PpnFeatureExtractor(_SSDResnetPpnFeatureExtractor):
    """With ResNet-50."""

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
        super().__init__(
            is_training,
            depth_multiplier,
            min_depth,
            pad_to_multiple,
            conv_hyperparams_fn,
            resnet_v1.resnet_v1_50,
            "resnet_v1_50",
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            override_base_feature_extractor_hyperparams=override_base_feature_extractor_hyperparams,
        )


class SSDResnet101V1PpnFeatureExtractor(_SSDResnetPpnFeatureExtractor):
    """With ResNet-101."""

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
        super().__init__(
            is_training,
            depth_multiplier,
            min_depth,
            pad_to_multiple,
            conv_hyperparams_fn,
            resnet_v1.resnet_v1_101,
            "resnet_v1_101",
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            override_base_feature_extractor_hyperparams=override_base_feature_extractor_hyperparams,
        )


class SSDResnet152V1PpnFeatureExtractor(_SSDResnetPpnFeatureExtractor):
    """With ResNet-152."""

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
        super().__init__(
            is_training,
            depth_multiplier,
            min_depth,
            pad_to_multiple,
            conv_hyperparams_fn,
            resnet_v1.resnet_v1_152,
            "resnet_v1_152",
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            override_base_feature_extractor_hyperparams=override_base_feature_extractor_hyperparams,
        )
