"""Random choices of augmentations, and replaying them."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf


def chance(probability: float, seed: int | None = None) -> tf.Tensor:
    """A boolean that is true with the given probability."""
    return tf.random.uniform([], seed=seed) < probability


def apply_if(
    condition: tf.Tensor, change: Callable[..., Any], *tensors: tf.Tensor
) -> list[tf.Tensor]:
    """`change(*tensors)` if the condition holds, else the tensors; nothing idle is computed."""

    def changed() -> list[tf.Tensor]:
        result = change(*tensors)
        return list(result) if isinstance(result, list | tuple) else [result]

    results = tf.cond(condition, changed, lambda: [tf.identity(t) for t in tensors])
    results = results if isinstance(results, list | tuple) else [results]
    return list(results)
