"""Random numbers of the graph that is being built: of TensorFlow's own state, or of a key.

TensorFlow's usual random operations draw from a state that no checkpoint holds. Within `keyed`,
the functions here draw from operations without a state instead: what they give follows from the
key, and from how many draws were added to the graph before under that key. With a key of the
sample's number, or of the step's, a training that was stopped goes on with the numbers that it
would have drawn anyway, and parallel workers cannot get in each other's way.

Outside of `keyed` all is as usual, so code for the OD API sees no difference.
"""

import contextlib
import contextvars
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

# Streams of one seed that have nothing to do with each other.
ORDER_OF_RECORDS = 1
CHOICE_OF_SOURCES = 2
SAMPLES = 3
STEPS = 4

# A user's seed of one operation changes its numbers, too; fewer draws than this have one key.
_MOST_DRAWS = 1 << 20


class _Draws:
    """A key, and how many draws the graph has under it."""

    def __init__(self, key: tf.Tensor) -> None:
        self.key = key
        self.numbers = itertools.count()


_CURRENT: contextvars.ContextVar[_Draws | None] = contextvars.ContextVar("draws", default=None)


def _wrapped(number: int) -> int:
    """The number as an int64; others would not fit into a tensor."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def key(seed: int, *positions: Any) -> tf.Tensor:
    """[2] int64 that stands for a seed and positions: stream, epoch, sample, step.

    Args:
        seed: any whole number.
        *positions: [] integers, each a number or a tensor; keys that differ in one of them give
            numbers that have nothing to do with each other.
    """
    result = tf.constant([_wrapped(seed), 0], tf.int64)
    for position in positions:
        result = _mixed(result, position)
    return result


def _mixed(old: tf.Tensor, position: Any) -> tf.Tensor:
    """A key for a position under another key.

    Both halves are drawn: a key whose half is the position itself would be, after a few draws, that
    of the next position.
    """
    place = tf.stack([tf.constant(0, tf.int64), tf.cast(position, tf.int64)])
    return tf.random.stateless_uniform([2], old + place, None, None, dtype=tf.int64)


@contextlib.contextmanager
def keyed(new_key: tf.Tensor) -> Iterator[None]:
    """Makes draws that are added to the graph within it depend on a key; see `key`."""
    token = _CURRENT.set(_Draws(new_key))
    try:
        yield
    finally:
        _CURRENT.reset(token)


@contextlib.contextmanager
def each(number: tf.Tensor) -> Iterator[None]:
    """For the body of a loop, which is in the graph once: each round draws anew.

    Args:
        number: [] integer, of the round.
    """
    draws = _CURRENT.get()
    if draws is None:
        yield
        return
    # The draw's number tells loops under one key apart.
    of_loop = _mixed(_key_of_next_draw(draws, None), 0)
    with keyed(_mixed(of_loop, number)):
        yield


def _key_of_next_draw(draws: _Draws, seed: int | None) -> tf.Tensor:
    return draws.key + tf.constant([0, _wrapped(_number_of_next_draw(draws, seed))], tf.int64)


def _number_of_next_draw(draws: _Draws, seed: int | None) -> int:
    return next(draws.numbers) + (seed or 0) * _MOST_DRAWS


def next_key_of(chosen: tf.Tensor, seeds: Sequence[int | None]) -> tf.Tensor | None:
    """What `next_key` gives for one of several operations, of which only one is computed.

    Args:
        chosen: [] integer, the number of that one.
        seeds: of a user, for each of them.
    """
    draws = _CURRENT.get()
    if draws is None:
        return None
    numbers = [[0, _wrapped(_number_of_next_draw(draws, seed))] for seed in seeds]
    return draws.key + tf.gather(tf.constant(numbers, tf.int64), chosen)


def next_key(seed: int | None = None) -> tf.Tensor | None:
    """[2] int64, the seed of one operation without a state; None outside of `keyed`.

    Args:
        seed: of a user, for this operation.
    """
    draws = _CURRENT.get()
    return None if draws is None else _key_of_next_draw(draws, seed)


def uniform(
    shape: Any,
    minval: Any = 0.0,
    maxval: Any = 1.0,
    dtype: tf.DType = tf.float32,
    seed: int | None = None,
) -> tf.Tensor:
    """Numbers of [minval, maxval), each as likely."""
    own = next_key(seed)
    if own is None:
        return tf.random.uniform(shape, minval, maxval, dtype=dtype, seed=seed)
    return tf.random.stateless_uniform(shape, own, minval, maxval, dtype=dtype)


def normal(shape: Any, stddev: Any = 1.0, seed: int | None = None) -> tf.Tensor:
    """Numbers of the normal distribution around 0; float32."""
    own = next_key(seed)
    if own is None:
        return tf.random.normal(shape, stddev=stddev, seed=seed)
    return tf.random.stateless_normal(shape, own, stddev=stddev)


def shuffled(values: tf.Tensor) -> tf.Tensor:
    """The rows in any order."""
    own = next_key()
    if own is None:
        return tf.random.shuffle(values)
    return tf.random.experimental.stateless_shuffle(values, own)


@slim.add_arg_scope  # type: ignore[untyped-decorator]
def dropout(inputs: tf.Tensor, keep_prob: float, is_training: bool = True) -> tf.Tensor:
    """While training, each value with probability `keep_prob`, enlarged by its inverse; else 0."""
    own = next_key() if is_training else None
    if own is None:
        return slim.dropout(inputs, keep_prob=keep_prob, is_training=is_training)
    return tf.nn.experimental.stateless_dropout(inputs, rate=1.0 - keep_prob, seed=own)
