"""Heads that predict box codes."""

import tensorflow.compat.v1 as tf

from object_detection.predictors.heads import head


def _clipped(codes: tf.Tensor, clip_range: tuple[float, float] | None) -> tf.Tensor:
    return codes if clip_range is None else tf.clip_by_value(codes, *clip_range)


class ConvolutionalBoxHead(head.Head):
    """Box codes of one feature map."""

    def __init__(
        self,
        is_training: bool,
        box_code_size: int,
        kernel_size: int,
        use_depthwise: bool = False,
        box_encodings_clip_range: tuple[float, float] | None = None,
    ) -> None:
        """Takes the code's size, the kernel, and the range at which codes are cut."""
        del is_training
        self._box_code_size = box_code_size
        self._kernel_size = kernel_size
        self._use_depthwise = use_depthwise
        self._box_encodings_clip_range = box_encodings_clip_range

    def predict(self, features: tf.Tensor, num_predictions_per_location: int) -> tf.Tensor:
        """[B, h, w, C] -> [B, anchors, 1, code size]."""
        codes = head.convolve(
            features,
            num_predictions_per_location * self._box_code_size,
            self._kernel_size,
            self._use_depthwise,
            "BoxEncodingPredictor",
        )
        codes = head.per_anchor(codes, num_predictions_per_location, [1, self._box_code_size])
        return _clipped(codes, self._box_encodings_clip_range)


class WeightSharedConvolutionalBoxHead(head.Head):
    """Box codes of every feature map, with the same weights."""

    def __init__(
        self,
        box_code_size: int,
        kernel_size: int = 3,
        use_depthwise: bool = False,
        box_encodings_clip_range: tuple[float, float] | None = None,
        return_flat_predictions: bool = True,
    ) -> None:
        """Takes the code's size, the kernel, and the range at which codes are cut."""
        self._box_code_size = box_code_size
        self._kernel_size = kernel_size
        self._use_depthwise = use_depthwise
        self._box_encodings_clip_range = box_encodings_clip_range
        self._return_flat_predictions = return_flat_predictions

    def predict(self, features: tf.Tensor, num_predictions_per_location: int) -> tf.Tensor:
        """[B, h, w, C] -> [B, anchors, code size], or unflattened [B, h, w, anchors * code size]."""
        codes = head.convolve(
            features,
            num_predictions_per_location * self._box_code_size,
            self._kernel_size,
            self._use_depthwise,
            "BoxPredictor",
        )
        codes = _clipped(codes, self._box_encodings_clip_range)
        if not self._return_flat_predictions:
            return codes
        return head.per_anchor(codes, num_predictions_per_location, [self._box_code_size])
