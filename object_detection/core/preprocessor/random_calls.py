"""Random choices of augmentations, and replaying them.

Draws are made outside of branches: only there can a later call take them from a cache. All come from
`core.randomness`, so that a training that was stopped draws the same again.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import randomness
from object_detection.core.preprocessor_cache import PreprocessorCache as Cache


def remembered(cache: Any, function_id: str, draw: Callable[[], Any], key: Any = "") -> Any:
    """What the cache holds; else what `draw` gives, which is put there. None is no cache."""
    if cache is None:
        return draw()
    value = cache.get(function_id, key)
    if value is None:
        value = draw()
        cache.update(function_id, key, value)
    return value


def nth_seed(seed: int | None, index: int) -> int | None:
    """Seed of a function's further draws: with the first one's they would be equal to it."""
    return None if seed is None else seed + 7919 * index


def uniform(
    cache: Any,
    function_id: str,
    shape: Any = (),
    minval: Any = 0.0,
    maxval: Any = 1.0,
    *,
    seed: int | None = None,
    key: Any = "",
) -> tf.Tensor:
    """Numbers of [minval, maxval), remembered; `minval` where the range is empty."""

    def draw() -> tf.Tensor:
        return randomness.uniform(shape, minval, maxval, seed=seed)

    return remembered(cache, function_id, draw, key)


def integer(
    cache: Any,
    function_id: str,
    minval: Any,
    maxval: Any,
    *,
    seed: int | None = None,
    key: Any = "",
) -> tf.Tensor:
    """An integer of [minval, maxval), remembered; `minval` where there is no other."""

    def draw() -> tf.Tensor:
        above = tf.maximum(tf.cast(maxval, tf.int32), tf.cast(minval, tf.int32) + 1)
        return randomness.uniform([], minval, above, tf.int32, seed)

    return remembered(cache, function_id, draw, key)


def chance(
    probability: Any,
    seed: int | None = None,
    cache: Any = None,
    function_id: str = Cache.SELECTOR,
    key: Any = "",
) -> tf.Tensor:
    """A boolean that is true with the given probability."""
    return uniform(cache, function_id, seed=seed, key=key) < probability


def apply_if(
    condition: tf.Tensor, change: Callable[..., Any], *tensors: tf.Tensor
) -> list[tf.Tensor]:
    """`change(*tensors)` if the condition holds, else the tensors; nothing idle is computed."""

    def changed() -> list[tf.Tensor]:
        result = change(*tensors)
        return list(result) if type(result) in (list, tuple) else [result]

    # A picture may be a structure of tensors; see `core.encoded_image`.
    def unchanged() -> list[tf.Tensor]:
        return [tf.nest.map_structure(tf.identity, t) for t in tensors]

    return list(tf.cond(condition, changed, unchanged, strict=True))


def one_of(
    choices: Sequence[Callable[[], Sequence[tf.Tensor]]],
    seed: int | None = None,
    cache: Any = None,
    function_id: str = Cache.SELECTOR,
    key: Any = "",
) -> tuple[tf.Tensor, ...]:
    """The results of one of the functions, each as likely; only that one is computed."""
    chosen = integer(cache, function_id, 0, len(choices), seed=seed, key=key)
    # A branch without an operation of its own could not be skipped.
    branches = [lambda choice=choice: [tf.identity(t) for t in choice()] for choice in choices]
    results = tf.switch_case(chosen, branches)
    return tuple(results) if isinstance(results, list | tuple) else (results,)
