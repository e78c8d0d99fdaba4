"""Functions of this package as tf.data runs them: as they are written."""

from collections.abc import Callable
from typing import Any, TypeVar

import tensorflow.compat.v1 as tf

Function = TypeVar("Function", bound=Callable[..., Any])


def as_written(function: Function) -> Function:
    """A function that AutoGraph does not rewrite, nor what it calls.

    tf.data has it rewrite all that it is given, to turn `if` and `for` over tensors into
    operations. There are none in this package, and rewriting it takes seconds.
    """
    converted: Function = tf.autograph.experimental.do_not_convert(function)
    return converted
