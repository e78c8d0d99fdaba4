"""SSD on SpaghettiNet."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.core.batch_norm import batch_norm
from object_detection.models.backbones.spaghettinet import (
    SpaghettiNet,
    check_spaghetti_arch,
    lookup_spaghetti_arch,
)
from object_detection.utils import ops, shape_utils

__all__ = ["SSDSpaghettinetFeatureExtractor", "SpaghettiNet", "lookup_spaghetti_arch"]

_WEIGHT_DECAY = 4e-5


def _arg_scope() -> Any:
    """Settings of the network that a config does not override."""
    with (
        slim.arg_scope(
            [slim.conv2d, slim.separable_conv2d],
            weights_initializer=slim.variance_scaling_initializer(),
            weights_regularizer=slim.l2_regularizer(_WEIGHT_DECAY),
        ),
        slim.arg_scope([batch_norm], epsilon=0.001, decay=0.99, center=True, scale=True) as scope,
    ):
        return scope


class SSDSpaghettinetFeatureExtractor(feature_extractor.SSDFeatureExtractor):
    """The outputs of an architecture: maps of strides 16 to 256."""

    def __init__(
        self,
        is_training: bool,
        depth_multiplier: float,
        min_depth: int,
        pad_to_multiple: int,
        conv_hyperparams_fn: Callable[[], Any],
        spaghettinet_arch_name: str = "spaghettinet_edgetpu_m",
        use_explicit_padding: bool = False,
        reuse_weights: Any = False,
        use_depthwise: bool = False,
        override_base_feature_extractor_hyperparams: bool = False,
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether the network is built to be trained.
            depth_multiplier: has no effect: the architecture says how many channels there are.
            min_depth: has no effect.
            pad_to_multiple: the picture is padded with zeros to a multiple of this.
            conv_hyperparams_fn: returns the arg scope of the network, if that is overridden.
            spaghettinet_arch_name: the architecture; variable scope, too.
            use_explicit_padding: pad by hand and convolve without padding.
            reuse_weights: whether to reuse variables.
            use_depthwise: has no effect: there are no added layers.
            override_base_feature_extractor_hyperparams: use the arg scope.

        Raises:
            ConfigError: an architecture that cannot be built.
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
        check_spaghetti_arch(spaghettinet_arch_name)
        self._spaghettinet_arch_name = spaghettinet_arch_name

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        preprocessed_inputs = shape_utils.check_min_image_dim(33, preprocessed_inputs)
        nodes, outputs = lookup_spaghetti_arch(self._spaghettinet_arch_name)
        network = SpaghettiNet(
            nodes,
            is_training=self._is_training,
            use_explicit_padding=self._use_explicit_padding,
            name=self._spaghettinet_arch_name,
        )
        with (
            tf.variable_scope(self._spaghettinet_arch_name, reuse=self._reuse_weights or None),
            self._backbone_arg_scope(_arg_scope()),
        ):
            maps = network.apply(ops.pad_to_multiple(preprocessed_inputs, self._pad_to_multiple))
        return [maps[name] for name in outputs]
