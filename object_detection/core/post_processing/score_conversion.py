"""Logits -> scores, over the last axis (classes, the background included)."""

from collections.abc import Callable

import tensorflow.compat.v1 as tf

ScoreConverter = Callable[[tf.Tensor], tf.Tensor]


def scaled(convert: ScoreConverter, logit_scale: float) -> ScoreConverter:
    """`convert` of the logits divided by `logit_scale`."""

    def convert_scaled(logits: tf.Tensor) -> tf.Tensor:
        with tf.name_scope("convert_scores"):
            return convert(logits / logit_scale if logit_scale != 1.0 else logits)

    return convert_scaled


identity: ScoreConverter = tf.identity
sigmoid: ScoreConverter = tf.sigmoid
softmax: ScoreConverter = tf.nn.softmax
