"""The head that predicts keypoints of regions as heat maps (arXiv:1703.06870, section 5)."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.predictors.heads import head


class MaskRCNNKeypointHead(head.Head):
    """A heat map of logits for each keypoint of each region."""

    def __init__(
        self,
        num_keypoints: int = 17,
        conv_hyperparams_fn: Callable[[], Any] | None = None,
        keypoint_heatmap_height: int = 56,
        keypoint_heatmap_width: int = 56,
        keypoint_prediction_num_conv_layers: int = 8,
        keypoint_prediction_conv_depth: int = 512,
    ) -> None:
        """Takes the settings.

        Args:
            num_keypoints: K.
            conv_hyperparams_fn: returns the arg scope of the layers; None for the one around.
            keypoint_heatmap_height: of the result.
            keypoint_heatmap_width: of the result.
            keypoint_prediction_num_conv_layers: 3x3 convolutions before the last layer.
            keypoint_prediction_conv_depth: their channels.
        """
        super().__init__()
        self._num_keypoints = num_keypoints
        self._conv_hyperparams_fn = conv_hyperparams_fn
        self._keypoint_heatmap_height = keypoint_heatmap_height
        self._keypoint_heatmap_width = keypoint_heatmap_width
        self._keypoint_prediction_num_conv_layers = keypoint_prediction_num_conv_layers
        self._keypoint_prediction_conv_depth = keypoint_prediction_conv_depth

    def predict(self, features: tf.Tensor, num_predictions_per_location: int = 1) -> tf.Tensor:
        """[N, h, w, C] features of regions -> heat maps [N, 1, K, height, width].

        Args:
            features: the features.
            num_predictions_per_location: must be 1.

        Raises:
            ConfigError: another number of predictions.
        """
        head.check_one_prediction(num_predictions_per_location)
        net = features
        with head.layer_arg_scope(self._conv_hyperparams_fn):
            for layer in range(1, self._keypoint_prediction_num_conv_layers + 1):
                net = slim.conv2d(
                    net, self._keypoint_prediction_conv_depth, [3, 3], scope=f"conv_{layer}"
                )
            net = slim.conv2d_transpose(net, self._num_keypoints, [2, 2], scope="deconv1")
        heatmaps = tf.image.resize_bilinear(
            net,
            [self._keypoint_heatmap_height, self._keypoint_heatmap_width],
            align_corners=True,
            name="upsample",
        )
        return tf.expand_dims(
            tf.transpose(heatmaps, [0, 3, 1, 2]), axis=1, name="KeypointPredictor"
        )
