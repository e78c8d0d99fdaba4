"""SSD on MobileNet v2 with a feature pyramid."""

from typing import Any, ClassVar

import tensorflow.compat.v1 as tf

from object_detection.models.backbones import mobilenet_v2
from object_detection.models.ssd_mobilenet_fpn import SSDMobileNetFpnFeatureExtractor


class SSDMobileNetV2FpnFeatureExtractor(SSDMobileNetFpnFeatureExtractor):
    """Levels of MobileNet v2."""

    scope = "MobilenetV2"
    levels: ClassVar[dict[int, str]] = {
        2: "layer_4",
        3: "layer_7",
        4: "layer_14",
        5: "layer_19",
    }
    last_layer = 19

    def _backbone(self, inputs: tf.Tensor, scope: Any) -> dict[str, tf.Tensor]:
        with self._backbone_arg_scope(mobilenet_v2.mobilenet_v2_arg_scope()):
            _, end_points = mobilenet_v2.mobilenet_v2_base(
                inputs,
                min_depth=self._min_depth,
                depth_multiplier=self._depth_multiplier,
                use_explicit_padding=self._use_explicit_padding,
                scope=scope,
            )
        return end_points
