"""Heads that predict box codes."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.predictors.heads import head


def _clipped(codes: tf.Tensor, clip_range: Any) -> tf.Tensor:
    """Codes cut at a range: a message with `min` and `max`, or a pair of them."""
    if clip_range is None:
        return codes
    if hasattr(clip_range, "min"):
        return tf.clip_by_value(codes, clip_range.min, clip_range.max)
    return tf.clip_by_value(codes, *clip_range)


class MaskRCNNBoxHead(head.Head):
    """Box codes of regions, by a fully connected layer (arXiv:1703.06870)."""

    def __init__(
        self,
        is_training: bool,
        num_classes: int,
        fc_hyperparams_fn: Callable[[], Any],
        use_dropout: bool,
        dropout_keep_prob: float,
        box_code_size: int,
        share_box_across_classes: bool = False,
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether dropout is at work.
            num_classes: number of classes, the background not counted.
            fc_hyperparams_fn: returns the arg scope of the layer.
            use_dropout: whether to drop features before the layer.
            dropout_keep_prob: share of the features that is kept.
            box_code_size: numbers of a code.
            share_box_across_classes: one box for all classes, not one for each.
        """
        super().__init__()
        self._is_training = is_training
        self._num_classes = num_classes
        self._fc_hyperparams_fn = fc_hyperparams_fn
        self._use_dropout = use_dropout
        self._dropout_keep_prob = dropout_keep_prob
        self._box_code_size = box_code_size
        self._share_box_across_classes = share_box_across_classes

    def predict(self, features: tf.Tensor, num_predictions_per_location: int = 1) -> tf.Tensor:
        """[N, h, w, C] features of regions -> [N, 1, classes or 1, code size].

        Args:
            features: the features.
            num_predictions_per_location: must be 1.

        Raises:
            ConfigError: another number of predictions.
        """
        head.check_one_prediction(num_predictions_per_location)
        features = head.pooled(
            features, self._use_dropout, self._dropout_keep_prob, self._is_training
        )
        boxes = 1 if self._share_box_across_classes else self._num_classes
        with head.layer_arg_scope(self._fc_hyperparams_fn):
            codes = slim.fully_connected(
                features,
                boxes * self._box_code_size,
                reuse=tf.AUTO_REUSE,
                activation_fn=None,
                scope="BoxEncodingPredictor",
            )
        return tf.reshape(codes, [-1, 1, boxes, self._box_code_size])


class ConvolutionalBoxHead(head.Head):
    """Box codes of one feature map."""

    def __init__(
        self,
        is_training: bool,
        box_code_size: int,
        kernel_size: int,
        use_depthwise: bool = False,
        box_encodings_clip_range: Any = None,
    ) -> None:
        """Takes the code's size, the kernel, and the range at which codes are cut."""
        super().__init__()
        self._is_training = is_training
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
        box_encodings_clip_range: Any = None,
        return_flat_predictions: bool = True,
    ) -> None:
        """Takes the code's size, the kernel, and the range at which codes are cut."""
        super().__init__()
        self._box_code_size = box_code_size
        self._kernel_size = kernel_size
        self._use_depthwise = use_depthwise
        self._box_encodings_clip_range = box_encodings_clip_range
        self._return_flat_predictions = return_flat_predictions

    def predict(self, features: tf.Tensor, num_predictions_per_location: int) -> tf.Tensor:
        """[B, h, w, C] -> [B, anchors, code size], or a map [B, h, w, anchors * code size]."""
        codes = head.convolve_in_one(
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
