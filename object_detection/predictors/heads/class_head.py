"""Heads that predict class logits."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import randomness
from object_detection.predictors.heads import head


class MaskRCNNClassHead(head.Head):
    """Class logits of regions, by a fully connected layer (arXiv:1703.06870)."""

    def __init__(
        self,
        is_training: bool,
        num_class_slots: int,
        fc_hyperparams_fn: Callable[[], Any],
        use_dropout: bool,
        dropout_keep_prob: float,
        scope: str = "ClassPredictor",
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether dropout is at work.
            num_class_slots: number of classes, the background counted.
            fc_hyperparams_fn: returns the arg scope of the layer.
            use_dropout: whether to drop features before the layer.
            dropout_keep_prob: share of the features that is kept.
            scope: variable scope of the layer.
        """
        super().__init__()
        self._is_training = is_training
        self._num_class_slots = num_class_slots
        self._fc_hyperparams_fn = fc_hyperparams_fn
        self._use_dropout = use_dropout
        self._dropout_keep_prob = dropout_keep_prob
        self._scope = scope

    def predict(self, features: tf.Tensor, num_predictions_per_location: int = 1) -> tf.Tensor:
        """[N, h, w, C] features of regions -> [N, 1, class slots].

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
        with head.layer_arg_scope(self._fc_hyperparams_fn):
            logits = slim.fully_connected(
                features,
                self._num_class_slots,
                reuse=tf.AUTO_REUSE,
                activation_fn=None,
                scope=self._scope,
            )
        return tf.reshape(logits, [-1, 1, self._num_class_slots])


class ConvolutionalClassHead(head.Head):
    """Class logits of one feature map."""

    def __init__(
        self,
        is_training: bool,
        num_class_slots: int,
        use_dropout: bool,
        dropout_keep_prob: float,
        kernel_size: int,
        apply_sigmoid_to_scores: bool = False,
        class_prediction_bias_init: float = 0.0,
        use_depthwise: bool = False,
        scope: str = "ClassPredictor",
    ) -> None:
        """Takes the number of classes (background included), dropout, kernel and initial bias."""
        super().__init__()
        self._is_training = is_training
        self._num_class_slots = num_class_slots
        self._use_dropout = use_dropout
        self._dropout_keep_prob = dropout_keep_prob
        self._kernel_size = kernel_size
        self._apply_sigmoid_to_scores = apply_sigmoid_to_scores
        self._class_prediction_bias_init = class_prediction_bias_init
        self._use_depthwise = use_depthwise
        self._scope = scope

    def predict(self, features: tf.Tensor, num_predictions_per_location: int) -> tf.Tensor:
        """[B, h, w, C] -> [B, anchors, class slots]."""
        if self._use_dropout:
            features = randomness.dropout(features, self._dropout_keep_prob, self._is_training)
        logits = head.convolve(
            features,
            num_predictions_per_location * self._num_class_slots,
            self._kernel_size,
            self._use_depthwise,
            self._scope,
            tf.constant_initializer(self._class_prediction_bias_init),
        )
        if self._apply_sigmoid_to_scores:
            logits = tf.sigmoid(logits)
        return head.per_anchor(logits, num_predictions_per_location, [self._num_class_slots])


class WeightSharedConvolutionalClassHead(head.Head):
    """Class logits of every feature map, with the same weights."""

    def __init__(
        self,
        num_class_slots: int,
        kernel_size: int = 3,
        class_prediction_bias_init: float = 0.0,
        use_dropout: bool = False,
        dropout_keep_prob: float = 0.8,
        use_depthwise: bool = False,
        score_converter_fn: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
        return_flat_predictions: bool = True,
        scope: str = "ClassPredictor",
    ) -> None:
        """Takes the number of classes (background included), kernel, initial bias and dropout."""
        super().__init__()
        self._num_class_slots = num_class_slots
        self._kernel_size = kernel_size
        self._class_prediction_bias_init = class_prediction_bias_init
        self._use_dropout = use_dropout
        self._dropout_keep_prob = dropout_keep_prob
        self._use_depthwise = use_depthwise
        self._score_converter_fn = score_converter_fn
        self._return_flat_predictions = return_flat_predictions
        self._scope = scope

    def predict(self, features: tf.Tensor, num_predictions_per_location: int) -> tf.Tensor:
        """[B, h, w, C] -> [B, anchors, class slots], or unflattened."""
        if self._use_dropout:
            features = randomness.dropout(features, self._dropout_keep_prob)
        logits = head.convolve_in_one(
            features,
            num_predictions_per_location * self._num_class_slots,
            self._kernel_size,
            self._use_depthwise,
            self._scope,
            tf.constant_initializer(self._class_prediction_bias_init),
        )
        logits = self._score_converter_fn(logits)
        if not self._return_flat_predictions:
            return logits
        return head.per_anchor(logits, num_predictions_per_location, [self._num_class_slots])
