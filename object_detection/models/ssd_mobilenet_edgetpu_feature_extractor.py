"""SSD on MobileNet EdgeTPU."""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.models.backbones import mobilenet_v3
from object_detection.models.ssd_mobilenet_v3_feature_extractor import (
    SSDMobileNetV3FeatureExtractorBase,
)


class SSDMobileNetEdgeTPUFeatureExtractor(SSDMobileNetV3FeatureExtractorBase):
    """Maps `layer_18/expansion_output`, `layer_23` and up to four more."""

    scope_name = "MobilenetEdgeTPU"
    from_layer = ("layer_18/expansion_output", "layer_23")

    def _backbone(self, inputs: tf.Tensor, scope: Any) -> dict[str, tf.Tensor]:
        return mobilenet_v3.mobilenet_v3_base(
            inputs,
            mobilenet_v3.EDGETPU,
            stem_depth=32,
            stem_activation=None,
            **self._settings(scope),
        )
