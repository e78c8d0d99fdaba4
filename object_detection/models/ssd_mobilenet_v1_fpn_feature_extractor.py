"""SSD on MobileNet v1 with a feature pyramid."""

from typing import Any, ClassVar

import tensorflow.compat.v1 as tf

from object_detection.models.backbones import mobilenet_v1
from object_detection.models.ssd_mobilenet_fpn import SSDMobileNetFpnFeatureExtractor


class SSDMobileNetV1FpnFeatureExtractor(SSDMobileNetFpnFeatureExtractor):
    """Levels of MobileNet v1."""

    scope = "MobilenetV1"
    levels: ClassVar[dict[int, str]] = {
        2: "Conv2d_3_pointwise",
        3: "Conv2d_5_pointwise",
        4: "Conv2d_11_pointwise",
        5: "Conv2d_13_pointwise",
    }
    last_layer = 13

    def _backbone(self, inputs: tf.Tensor, scope: Any) -> dict[str, tf.Tensor]:
        with self._backbone_arg_scope(
            mobilenet_v1.mobilenet_v1_arg_scope(regularize_depthwise=True)
        ):
            _, end_points = mobilenet_v1.mobilenet_v1_base(
                inputs,
                min_depth=self._min_depth,
                depth_multiplier=self._depth_multiplier,
                use_explicit_padding=self._use_explicit_padding,
                scope=scope,
            )
        return end_points
