"""RetinaNet's network: ResNet v1 with a feature pyramid (arXiv:1708.02002, section 4)."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.errors import ConfigError
from object_detection.models import feature_map_generators
from object_detection.models.backbones import resnet_v1
from object_detection.utils import ops, shape_utils

# Finest and coarsest level (stride 2^level) that the blocks of the network give.
_BLOCK_LEVELS = (2, 5)

Backbone = Callable[..., tuple[tf.Tensor, dict[str, tf.Tensor]]]


class SSDResnetV1FpnFeatureExtractor(feature_extractor.SSDFeatureExtractor):
    """Levels `fpn_min_level` to `fpn_max_level`, stride 2^level; subclasses name the network."""

    def __init__(
        self,
        is_training: bool,
        depth_multiplier: float,
        min_depth: int,
        pad_to_multiple: int,
        conv_hyperparams_fn: Callable[[], Any],
        resnet_base_fn: Backbone,
        resnet_scope_name: str,
        fpn_scope_name: str,
        fpn_min_level: int = 3,
        fpn_max_level: int = 7,
        additional_layer_depth: int = 256,
        reuse_weights: Any = None,
        use_explicit_padding: bool = False,
        use_depthwise: bool = False,
        use_native_resize_op: bool = False,
        override_base_feature_extractor_hyperparams: bool = False,
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether the network is built to be trained.
            depth_multiplier: factor of the number of channels.
            min_depth: least number of channels.
            pad_to_multiple: the picture is padded with zeros to a multiple of this.
            conv_hyperparams_fn: returns the arg scope of the pyramid.
            resnet_base_fn: the network, called as `backbones.resnet_v1.resnet_v1_50` is.
            resnet_scope_name: variable scope of the network.
            fpn_scope_name: variable scope of the pyramid, within the network's.
            fpn_min_level: finest level, 2 to 5.
            fpn_max_level: coarsest level.
            additional_layer_depth: channels of the pyramid, before the multiplier.
            reuse_weights: whether to reuse variables.
            use_explicit_padding: must be False.
            use_depthwise: depthwise separable convolutions in the pyramid.
            use_native_resize_op: enlarge with TensorFlow's resize.
            override_base_feature_extractor_hyperparams: use the arg scope in the network too.

        Raises:
            ConfigError: explicit padding, or levels that the network does not have.
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
        if use_explicit_padding:
            raise ConfigError("ssd_resnet_v1_fpn: use_explicit_padding is not a valid option.")
        if not _BLOCK_LEVELS[0] <= fpn_min_level <= min(fpn_max_level, _BLOCK_LEVELS[1]):
            raise ConfigError(
                f"feature_extractor.fpn: min_level {fpn_min_level}, max_level {fpn_max_level}; "
                "allowed: 2 <= min_level <= 5, min_level <= max_level."
            )
        self._resnet_base_fn = resnet_base_fn
        self._resnet_scope_name = resnet_scope_name
        self._fpn_scope_name = fpn_scope_name
        self._fpn_min_level = fpn_min_level
        self._fpn_max_level = fpn_max_level
        self._additional_layer_depth = additional_layer_depth
        self._use_native_resize_op = use_native_resize_op

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return resnet_v1.subtract_channel_means(resized_inputs)

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        preprocessed_inputs = shape_utils.check_min_image_dim(129, preprocessed_inputs)
        depth_fn = feature_map_generators.get_depth_fn(self._depth_multiplier, self._min_depth)
        with tf.variable_scope(self._resnet_scope_name, reuse=self._reuse_weights) as scope:
            with self._backbone_arg_scope(resnet_v1.resnet_arg_scope()):
                _, end_points = self._resnet_base_fn(
                    inputs=ops.pad_to_multiple(preprocessed_inputs, self._pad_to_multiple),
                    num_classes=None,
                    is_training=None,
                    global_pool=False,
                    output_stride=None,
                    store_non_strided_activations=True,
                    min_base_depth=self._min_depth,
                    depth_multiplier=self._depth_multiplier,
                    scope=scope,
                )
            with (
                slim.arg_scope(self._own_arg_scope()),
                tf.variable_scope(self._fpn_scope_name, reuse=self._reuse_weights),
            ):
                return self._pyramid(
                    resnet_v1.blocks_of(end_points), depth_fn(self._additional_layer_depth)
                )

    def _pyramid(self, blocks: dict[str, tf.Tensor], depth: int) -> list[tf.Tensor]:
        base_max_level = min(self._fpn_max_level, _BLOCK_LEVELS[1])
        names = [f"block{level - 1}" for level in range(self._fpn_min_level, base_max_level + 1)]
        maps = feature_map_generators.fpn_top_down_feature_maps(
            [(name, blocks[name]) for name in names],
            depth,
            use_depthwise=self._use_depthwise,
            use_native_resize_op=self._use_native_resize_op,
        )
        new_levels = range(base_max_level, self._fpn_max_level)
        return feature_map_generators.extend_pyramid(
            list(maps.values()), depth, [f"bottom_up_block{level}" for level in new_levels]
        )


class SSDResnet50V1FpnFeatureExtractor(SSDResnetV1FpnFeatureExtractor):
    """With ResNet-50."""

    def __init__(
        self,
        is_training: bool,
        depth_multiplier: float,
        min_depth: int,
        pad_to_multiple: int,
        conv_hyperparams_fn: Callable[[], Any],
        fpn_min_level: int = 3,
        fpn_max_level: int = 7,
        additional_layer_depth: int = 256,
        reuse_weights: Any = None,
        use_explicit_padding: bool = False,
        use_depthwise: bool = False,
        use_native_resize_op: bool = False,
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
            "fpn",
            fpn_min_level,
            fpn_max_level,
            additional_layer_depth,
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            use_native_resize_op,
            override_base_feature_extractor_hyperparams,
        )


class SSDResnet101V1FpnFeatureExtractor(SSDResnetV1FpnFeatureExtractor):
    """With ResNet-101."""

    def __init__(
        self,
        is_training: bool,
        depth_multiplier: float,
        min_depth: int,
        pad_to_multiple: int,
        conv_hyperparams_fn: Callable[[], Any],
        fpn_min_level: int = 3,
        fpn_max_level: int = 7,
        additional_layer_depth: int = 256,
        reuse_weights: Any = None,
        use_explicit_padding: bool = False,
        use_depthwise: bool = False,
        use_native_resize_op: bool = False,
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
            "fpn",
            fpn_min_level,
            fpn_max_level,
            additional_layer_depth,
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            use_native_resize_op,
            override_base_feature_extractor_hyperparams,
        )


class SSDResnet152V1FpnFeatureExtractor(SSDResnetV1FpnFeatureExtractor):
    """With ResNet-152."""

    def __init__(
        self,
        is_training: bool,
        depth_multiplier: float,
        min_depth: int,
        pad_to_multiple: int,
        conv_hyperparams_fn: Callable[[], Any],
        fpn_min_level: int = 3,
        fpn_max_level: int = 7,
        additional_layer_depth: int = 256,
        reuse_weights: Any = None,
        use_explicit_padding: bool = False,
        use_depthwise: bool = False,
        use_native_resize_op: bool = False,
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
            "fpn",
            fpn_min_level,
            fpn_max_level,
            additional_layer_depth,
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            use_native_resize_op,
            override_base_feature_extractor_hyperparams,
        )
