"""Learning rates as functions of the training step, as tensors."""

import math
from collections.abc import Sequence

import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError


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
    """Rate base * factor^(step / decay_steps), after a constant rate for the first steps.

    A `burnin_learning_rate` of 0 means the base rate; the decay counts from step 0 either way.
    """
    rate = tf.train.exponential_decay(
        learning_rate_base,
        global_step,
        learning_rate_decay_steps,
        learning_rate_decay_factor,
        staircase=staircase,
    )
    first = burnin_learning_rate or learning_rate_base
    burning_in = tf.less(tf.cast(global_step, tf.int64), burnin_steps)
    return tf.maximum(
        tf.where(burning_in, tf.constant(first), tf.cast(rate, tf.float32)),
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
    """Rate base * factor^(step / decay_steps), after a linear rise from the warm-up rate."""
    rate = tf.train.exponential_decay(
        learning_rate_base,
        global_step,
        learning_rate_decay_steps,
        learning_rate_decay_factor,
        staircase=staircase,
    )
    step = tf.cast(global_step, tf.float32)
    rate = tf.cast(rate, tf.float32)
    if warmup_steps:
        slope = (learning_rate_base - warmup_learning_rate) / warmup_steps
        rate = tf.where(step < warmup_steps, warmup_learning_rate + slope * step, rate)
    return tf.maximum(rate, min_learning_rate, name="learning_rate")


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
    if warmup_steps and learning_rate_base < warmup_learning_rate:
        raise ConfigError(
            f"learning_rate_base {learning_rate_base} is below warmup_learning_rate "
            f"{warmup_learning_rate}."
        )
    step = tf.cast(global_step, tf.float32)
    first = float(warmup_steps + hold_base_rate_steps)
    share = (step - first) / max(float(total_steps) - first, 1.0)
    rate = 0.5 * learning_rate_base * (1.0 + tf.cos(math.pi * share))
    if hold_base_rate_steps:
        rate = tf.where(step > first, rate, tf.fill(tf.shape(rate), learning_rate_base))
    if warmup_steps:
        slope = (learning_rate_base - warmup_learning_rate) / warmup_steps
        rate = tf.where(step < warmup_steps, slope * step + warmup_learning_rate, rate)
    return tf.where(step > total_steps, tf.zeros_like(rate), rate, name="learning_rate")


def manual_stepping(
    global_step: tf.Tensor, boundaries: Sequence[int], rates: Sequence[float], warmup: bool = False
) -> tf.Tensor:
    """rates[i] from step boundaries[i - 1] on; with `warmup` the first stretch rises linearly.

    Raises:
        ConfigError: boundaries that do not rise, or not one rate more than boundaries.
    """
    steps = list(boundaries)
    if any(second <= first for first, second in zip([0, *steps][:-1], steps, strict=True)):
        raise ConfigError(f"Learning-rate steps should be positive and rise, got {steps}.")
    if len(rates) != len(steps) + 1:
        raise ConfigError(
            f"{len(steps)} steps need {len(steps) + 1} learning rates, got {len(rates)}."
        )
    rates = [float(rate) for rate in rates]
    step = tf.cast(global_step, tf.int64)
    index = tf.reduce_sum(tf.cast(step >= tf.constant(steps, tf.int64), tf.int32))
    rate = tf.gather(tf.constant(rates), index)
    if warmup and steps:
        rising = rates[0] + (rates[1] - rates[0]) / steps[0] * tf.cast(step, tf.float32)
        rate = tf.where(step < steps[0], rising, rate)
    return tf.identity(rate, name="learning_rate")
