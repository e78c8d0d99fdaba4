"""SSD on Inception v2."""

from typing import Any

import tensorflow.compat.v1 as tf
from tf_slim.nets import inception_v2

from object_detection.models.ssd_inception import SSDInceptionFeatureExtractor


class SSDInceptionV2FeatureExtractor(SSDInceptionFeatureExtractor):
    """Maps `Mixed_4c`, `Mixed_5c` and up to four more."""

    name = "ssd_inception_v2"
    scope = "InceptionV2"
    from_layer = ("Mixed_4c", "Mixed_5c", "", "", "", "")
    layer_depth = (-1, -1, 512, 256, 256, 128)

    def _backbone(self, inputs: tf.Tensor, scope: Any) -> dict[str, tf.Tensor]:
        _, end_points = inception_v2.inception_v2_base(
            inputs,
            final_endpoint="Mixed_5c",
            min_depth=self._min_depth,
            depth_multiplier=self._depth_multiplier,
            scope=scope,
        )
        return dict(end_points)
