"""SSD on Inception v3."""

from typing import Any

import tensorflow.compat.v1 as tf
from tf_slim.nets import inception_v3

from object_detection.models.ssd_inception import SSDInceptionFeatureExtractor


class SSDInceptionV3FeatureExtractor(SSDInceptionFeatureExtractor):
    """Maps `Mixed_5d`, `Mixed_6e`, `Mixed_7c` and up to three more."""

    name = "ssd_inception_v3"
    scope = "InceptionV3"
    from_layer = ("Mixed_5d", "Mixed_6e", "Mixed_7c", "", "", "")
    layer_depth = (-1, -1, -1, 512, 256, 128)

    def _backbone(self, inputs: tf.Tensor, scope: Any) -> dict[str, tf.Tensor]:
        _, end_points = inception_v3.inception_v3_base(
            inputs,
            final_endpoint="Mixed_7c",
            min_depth=self._min_depth,
            depth_multiplier=self._depth_multiplier,
            scope=scope,
        )
        return dict(end_points)
