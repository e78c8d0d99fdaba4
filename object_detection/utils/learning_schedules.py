"""Learning rates as functions of the training step, as tensors."""

import itertools
import math
import numbers
from collections.abc import Sequence

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError


def _decay(
    step: tf.Tensor, base: float, decay_steps: int, factor: float, staircase: bool
) -> tf.Tensor:
    """Base * factor^(step / decay_steps), in stairs or smoothly; float32."""
    stretches = tf.cast(step, tf.float32) / float(decay_steps)
    return base * tf.pow(
        tf.cast(factor, tf.float32), tf.floor(stretches) if staircase else stretches
    )


def _rise(step: tf.Tensor, first: float, last: float, num_steps: int) -> tf.Tensor:
    """The line from `first` at step 0 to `last` at step `num_steps`; float32."""
    return first + (last - first) / num_steps * tf.cast(step, tf.float32)


def with_warmup(
    rate: tf.Tensor, global_step: tf.Tensor, warmup_steps: int, start_factor: float = 0.0
) -> tf.Tensor:
    """Any schedule, times a factor that rises linearly to 1 (arXiv:1706.02677, section 2.2).

    Args:
        rate: [] rate of the schedule at this step.
        global_step: [] number of the step.
        warmup_steps: step from which on the factor is 1; at least 1.
        start_factor: the factor at step 0, in [0, 1].

    Raises:
        ConfigError: a factor outside [0, 1].
    """
    if not 0 <= start_factor <= 1:
        raise ConfigError(f"warmup_start_factor is {start_factor}, should be 0 to 1.")
    factor = _rise(global_step, start_factor, 1.0, warmup_steps)
    return tf.multiply(rate, tf.minimum(factor, 1.0), name="warm_learning_rate")


def exponential_decay_with_burnin(
    global_step: tf.Tensor,
    learning_rate_base: float,
    learning_rate_decay_steps: int,
    learning_rate_decay_factor: float,
    burnin_learning_rate: float = 0.0,
    burnin_steps: int = 0,
    min_learning_rate: float = 0.0,
    staircase: bool = True,
) -> tf.Tensor:
    """A constant rate for `burnin_steps`, then base * factor^(steps since / decay_steps).

    Args:
        global_step: [] number of the step.
        learning_rate_base: rate after the burn-in.
        learning_rate_decay_steps: steps in which the rate falls by the factor.
        learning_rate_decay_factor: the factor.
        burnin_learning_rate: rate of the first steps; 0 means the base rate.
        burnin_steps: how many those are; the decay starts when they have passed.
        min_learning_rate: the rate never falls below it.
        staircase: whether the rate falls at whole multiples of the decay steps only.
    """
    step = tf.cast(global_step, tf.int64)
    return tf.maximum(
        tf.where(
            step < burnin_steps,
            tf.constant(burnin_learning_rate or learning_rate_base, tf.float32),
            _decay(
                step - burnin_steps,
                learning_rate_base,
                learning_rate_decay_steps,
                learning_rate_decay_factor,
                staircase,
            ),
        ),
        min_learning_rate,
        name="learning_rate",
    )


def exponential_decay_with_warmup(
    global_step: tf.Tensor,
    learning_rate_base: float,
    learning_rate_decay_steps: int,
    learning_rate_decay_factor: float,
    warmup_learning_rate: float = 0.0,
    warmup_steps: int = 0,
    min_learning_rate: float = 0.0,
    staircase: bool = True,
) -> tf.Tensor:
    """A linear rise in `warmup_steps`, then base * factor^(steps since / decay_steps).

    Args:
        global_step: [] number of the step.
        learning_rate_base: rate after the warm-up.
        learning_rate_decay_steps: steps in which the rate falls by the factor.
        learning_rate_decay_factor: the factor.
        warmup_learning_rate: rate of the first step.
        warmup_steps: length of the rise; the decay starts when it has passed.
        min_learning_rate: the rate never falls below it.
        staircase: whether the rate falls at whole multiples of the decay steps only.

    Raises:
        ConfigError: a warm-up rate above the base rate.
    """
    _check_warmup_rate(learning_rate_base, warmup_learning_rate, warmup_steps)
    step = tf.cast(global_step, tf.int64)
    rate = _decay(
        step - warmup_steps,
        learning_rate_base,
        learning_rate_decay_steps,
        learning_rate_decay_factor,
        staircase,
    )
    if warmup_steps:
        rising = _rise(step, warmup_learning_rate, learning_rate_base, warmup_steps)
        rate = tf.where(step < warmup_steps, rising, rate)
    return tf.maximum(rate, min_learning_rate, name="learning_rate")


def _check_warmup_rate(base: float, warmup_rate: float, warmup_steps: int) -> None:
    if warmup_steps and base < warmup_rate:
        raise ConfigError(
            f"learning_rate_base {base} is below warmup_learning_rate {warmup_rate}; a warm-up "
            "rises."
        )


def cosine_decay_with_warmup(
    global_step: tf.Tensor,
    learning_rate_base: float,
    total_steps: int,
    warmup_learning_rate: float = 0.0,
    warmup_steps: int = 0,
    hold_base_rate_steps: int = 0,
) -> tf.Tensor:
    """Half a cosine from the base rate to 0 (arXiv:1608.03983), after a linear warm-up.

    Raises:
        ConfigError: fewer steps than warm-up steps, or a warm-up rate above the base rate.
    """
    if total_steps < warmup_steps:
        raise ConfigError(f"total_steps {total_steps} is below warmup_steps {warmup_steps}.")
    _check_warmup_rate(learning_rate_base, warmup_learning_rate, warmup_steps)
    step = tf.cast(global_step, tf.float32)
    first = float(warmup_steps + hold_base_rate_steps)
    share = (step - first) / max(float(total_steps) - first, 1.0)
    rate = 0.5 * learning_rate_base * (1.0 + tf.cos(math.pi * share))
    if hold_base_rate_steps:
        rate = tf.where(step > first, rate, tf.fill(tf.shape(rate), learning_rate_base))
    if warmup_steps:
        rising = _rise(step, warmup_learning_rate, learning_rate_base, warmup_steps)
        rate = tf.where(step < warmup_steps, rising, rate)
    return tf.where(step > total_steps, tf.zeros_like(rate), rate, name="learning_rate")


def manual_stepping(
    global_step: tf.Tensor, boundaries: Sequence[int], rates: Sequence[float], warmup: bool = False
) -> tf.Tensor:
    """rates[i] from step boundaries[i - 1] on; with `warmup` the first stretch rises linearly.

    Raises:
        ConfigError: boundaries that are no whole numbers from 0 on or do not rise, rates that are
            no floats, or not one rate more than boundaries.
    """
    steps, values = list(boundaries), list(rates)
    if any(not isinstance(one, numbers.Integral) for one in steps):
        raise ConfigError(f"Learning-rate steps should be whole numbers, got {steps}.")
    # Published configs have a step 0, whose rate takes the place of the initial one.
    if any(second <= first for first, second in itertools.pairwise([-1, *steps])):
        raise ConfigError(f"Learning-rate steps should be 0 or more and rise, got {steps}.")
    if any(not isinstance(one, float | np.floating) for one in values):
        raise ConfigError(f"Learning rates should be floats, got {values}.")
    if len(values) != len(steps) + 1:
        raise ConfigError(
            f"{len(steps)} steps need {len(steps) + 1} learning rates, got {len(values)}."
        )
    step = tf.cast(global_step, tf.int64)
    passed = tf.reduce_sum(tf.cast(step >= tf.constant(steps, tf.int64), tf.int32))
    rate = tf.gather(tf.constant(values, tf.float32), passed)
    if warmup and steps and steps[0]:
        rate = tf.where(step < steps[0], _rise(step, values[0], values[1], steps[0]), rate)
    return tf.identity(rate, name="learning_rate")
