"""SSD on MobileDet: its two coarsest end points and coarser maps above."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.errors import ConfigError
from object_detection.models import feature_map_generators
from object_detection.models.backbones.mobiledet import (
    BACKBONE_WEIGHT_DECAY,
    mobiledet_arg_scope,
    mobiledet_cpu_backbone,
    mobiledet_dsp_backbone,
    mobiledet_edgetpu_backbone,
    mobiledet_gpu_backbone,
)
from object_detection.utils import ops, shape_utils

__all__ = [
    "BACKBONE_WEIGHT_DECAY",
    "ExplicitPaddingError",
    "SSDMobileDetCPUFeatureExtractor",
    "SSDMobileDetDSPFeatureExtractor",
    "SSDMobileDetEdgeTPUFeatureExtractor",
    "SSDMobileDetFeatureExtractorBase",
    "SSDMobileDetGPUFeatureExtractor",
    "mobiledet_cpu_backbone",
    "mobiledet_dsp_backbone",
    "mobiledet_edgetpu_backbone",
    "mobiledet_gpu_backbone",
]

Backbone = Callable[..., dict[str, tf.Tensor]]


class ExplicitPaddingError(ConfigError, NotImplementedError):
    """MobileDet is only known with TensorFlow's own padding."""


class SSDMobileDetFeatureExtractorBase(feature_extractor.SSDFeatureExtractor):
    """Maps `C4`, `C5` and up to four more, of a backbone that subclasses name."""

    def __init__(
        self,
        backbone_fn: Backbone,
        is_training: bool,
        depth_multiplier: float,
        min_depth: int,
        pad_to_multiple: int,
        conv_hyperparams_fn: Callable[[], Any],
        reuse_weights: Any = None,
        use_explicit_padding: bool = False,
        use_depthwise: bool = False,
        override_base_feature_extractor_hyperparams: bool = False,
        scope_name: str = "MobileDet",
    ) -> None:
        """Takes the settings.

        Args:
            backbone_fn: (picture, multiplier) -> `C1` to `C5`.
            is_training: whether the network is built to be trained.
            depth_multiplier: factor of the number of channels.
            min_depth: least number of channels of the added maps.
            pad_to_multiple: the picture is padded with zeros to a multiple of this.
            conv_hyperparams_fn: returns the arg scope of the added layers.
            reuse_weights: whether to reuse variables.
            use_explicit_padding: must be False.
            use_depthwise: depthwise separable convolutions in the added layers.
            override_base_feature_extractor_hyperparams: use the arg scope in the backbone too.
            scope_name: variable scope.

        Raises:
            ExplicitPaddingError: explicit padding is asked for.
        """
        if use_explicit_padding:
            raise ExplicitPaddingError("ssd_mobiledet: use_explicit_padding is not a valid option.")
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
        self._backbone_fn = backbone_fn
        self._scope_name = scope_name

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        inputs = shape_utils.check_min_image_dim(33, preprocessed_inputs)
        inputs = ops.pad_to_multiple(inputs, self._pad_to_multiple)
        layout = {
            "from_layer": ["C4", "C5", "", "", "", ""],
            "layer_depth": [-1, -1, 512, 256, 256, 128],
            "use_depthwise": self._use_depthwise,
            "use_explicit_padding": self._use_explicit_padding,
        }
        with tf.variable_scope(self._scope_name, reuse=self._reuse_weights):
            with self._backbone_arg_scope(mobiledet_arg_scope()):
                end_points = self._backbone_fn(inputs, multiplier=self._depth_multiplier)
            with slim.arg_scope(self._own_arg_scope()):
                maps = feature_map_generators.multi_resolution_feature_maps(
                    layout,
                    self._depth_multiplier,
                    self._min_depth,
                    insert_1x1_conv=True,
                    image_features=end_points,
                )
        return list(maps.values())


class SSDMobileDetCPUFeatureExtractor(SSDMobileDetFeatureExtractorBase):
    """With the network for processors."""

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
        scope_name: str = "MobileDetCPU",
    ) -> None:
        super().__init__(
            mobiledet_cpu_backbone,
            is_training,
            depth_multiplier,
            min_depth,
            pad_to_multiple,
            conv_hyperparams_fn,
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            override_base_feature_extractor_hyperparams,
            scope_name,
        )


class SSDMobileDetDSPFeatureExtractor(SSDMobileDetFeatureExtractorBase):
    """With the network for digital signal processors."""

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
        scope_name: str = "MobileDetDSP",
    ) -> None:
        super().__init__(
            mobiledet_dsp_backbone,
            is_training,
            depth_multiplier,
            min_depth,
            pad_to_multiple,
            conv_hyperparams_fn,
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            override_base_feature_extractor_hyperparams,
            scope_name,
        )


class SSDMobileDetEdgeTPUFeatureExtractor(SSDMobileDetFeatureExtractorBase):
    """With the network for the Edge TPU."""

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
        scope_name: str = "MobileDetEdgeTPU",
    ) -> None:
        super().__init__(
            mobiledet_edgetpu_backbone,
            is_training,
            depth_multiplier,
            min_depth,
            pad_to_multiple,
            conv_hyperparams_fn,
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            override_base_feature_extractor_hyperparams,
            scope_name,
        )


class SSDMobileDetGPUFeatureExtractor(SSDMobileDetFeatureExtractorBase):
    """With the network for graphics processors."""

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
        scope_name: str = "MobileDetGPU",
    ) -> None:
        super().__init__(
            mobiledet_gpu_backbone,
            is_training,
            depth_multiplier,
            min_depth,
            pad_to_multiple,
            conv_hyperparams_fn,
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            override_base_feature_extractor_hyperparams,
            scope_name,
        )
