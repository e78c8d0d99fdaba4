"""Computing in bfloat16 with variables of float32.

bfloat16 has the exponent of float32 and 8 bits of precision: enough for activations and their
gradients, not for the small updates of a variable. So variables, statistics of batch normalisation,
what the heads predict, losses and updates stay float32; layers in between cast the weights that
they use (arXiv:1710.03740, section 3.1, which does so with float16).
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow.compat.v1 as tf


def _float32_variable(getter: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Makes a variable of float32 where one of bfloat16 is asked for, and gives its cast."""
    if options.get("dtype") != tf.bfloat16:
        return getter(*arguments, **options)
    return tf.cast(getter(*arguments, **{**options, "dtype": tf.float32}), tf.bfloat16)


@contextlib.contextmanager
def bfloat16_scope() -> Iterator[None]:
    """Within it, layers of bfloat16 inputs have float32 variables, under their usual names."""
    with tf.variable_scope("", custom_getter=_float32_variable):
        yield


def full_precision(tensor: tf.Tensor) -> tf.Tensor:
    """The tensor in float32, if it is bfloat16; any other as it is."""
    return tf.cast(tensor, tf.float32) if tensor.dtype == tf.bfloat16 else tensor


def variable_behind(weights: tf.Tensor) -> tf.Tensor:
    """The float32 weights of which `weights` are the cast; any other tensor as it is."""
    if weights.dtype == tf.bfloat16 and weights.op.type == "Cast":
        return weights.op.inputs[0]
    return weights
