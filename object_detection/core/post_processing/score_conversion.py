"""Logits -> scores, over the last axis (classes, the background included)."""

from collections.abc import Callable

import tensorflow.compat.v1 as tf

ScoreConverter = Callable[[tf.Tensor], tf.Tensor]


def scaled(convert: ScoreConverter, logit_scale: float) -> ScoreConverter:
    """`convert` of the logits divided by `logit_scale`; its name says so."""

    def convert_scaled(logits: tf.Tensor) -> tf.Tensor:
        with tf.name_scope("convert_scores"):
            logits = tf.convert_to_tensor(logits)
            return convert(logits / logit_scale if logit_scale != 1.0 else logits)

    convert_scaled.__name__ = f"{getattr(convert, '__name__', 'convert')}_with_logit_scale"
    return convert_scaled


identity: ScoreConverter = tf.identity
sigmoid: ScoreConverter = tf.sigmoid
softmax: ScoreConverter = tf.nn.softmax
