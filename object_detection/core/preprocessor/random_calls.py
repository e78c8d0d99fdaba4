"""Random choices of augmentations, and replaying them."""

from collections.abc import Callable, Sequence
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


def one_of(
    choices: Sequence[Callable[[], Sequence[tf.Tensor]]], seed: int | None = None
) -> tuple[tf.Tensor, ...]:
    """The results of one of the functions, each as likely; only that one is computed."""
    chosen = tf.random.uniform([], 0, len(choices), dtype=tf.int32, seed=seed)
    # A branch without an operation of its own could not be skipped.
    branches = [lambda choice=choice: [tf.identity(t) for t in choice()] for choice in choices]
    return tuple(tf.switch_case(chosen, branches))
