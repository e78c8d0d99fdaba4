"""SSD on MobileNet EdgeTPU."""

from collections.abc import Callable
from typing import Any

from object_detection.models.backbones import mobilenet_v3
from object_detection.models.ssd_mobilenet_v3_feature_extractor import (
    SSDMobileNetV3FeatureExtractorBase,
)


class SSDMobileNetEdgeTPUFeatureExtractor(SSDMobileNetV3FeatureExtractorBase):
    """Maps `layer_18/expansion_output`, `layer_23` and four more."""

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
        scope_name: str = "MobilenetEdgeTPU",
    ) -> None:
        super().__init__(
            mobilenet_v3.EDGETPU_DETECTION,
            ("layer_18/expansion_output", "layer_23"),
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
