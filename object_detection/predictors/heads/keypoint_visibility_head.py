"""Heads that predict whether the keypoints of anchors can be seen."""

import tensorflow.compat.v1 as tf

from object_detection.predictors.heads import head

SCOPE = "KeypointVisibilityPredictor"


class ConvolutionalKeypointVisibilityHead(head.Head):
    """Visibilities of the keypoints of the anchors of one feature map."""

    _convolve = staticmethod(head.convolve)

    def __init__(
        self, num_keypoints: int, kernel_size: int = 3, use_depthwise: bool = False
    ) -> None:
        """Takes K and the kernel."""
        super().__init__()
        self._num_keypoints = num_keypoints
        self._kernel_size = kernel_size
        self._use_depthwise = use_depthwise

    def predict(self, features: tf.Tensor, num_predictions_per_location: int) -> tf.Tensor:
        """[B, h, w, C] -> logits [B, anchors, K]."""
        logits = self._convolve(
            features,
            num_predictions_per_location * self._num_keypoints,
            self._kernel_size,
            self._use_depthwise,
            SCOPE,
        )
        return head.per_anchor(logits, num_predictions_per_location, [self._num_keypoints])


class WeightSharedConvolutionalKeypointVisibilityHead(ConvolutionalKeypointVisibilityHead):
    """Visibilities of the keypoints of the anchors of every feature map, with the same weights."""

    _convolve = staticmethod(head.convolve_in_one)
