"""`optimizer` message -> optimizer, with its learning rate as a tensor."""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.moving_average_optimizer import MovingAverageOptimizer
from object_detection.errors import ConfigError
from object_detection.registry import Table
from object_detection.utils import learning_schedules
from object_detection.utils.config_check import training_check

OPTIMIZERS = Table("optimizer")
LEARNING_RATES = Table("learning_rate")


@LEARNING_RATES.entry("constant_learning_rate")
def _constant(config: Any, _: tf.Tensor) -> tf.Tensor:
    return tf.constant(config.learning_rate, tf.float32, name="learning_rate")


@LEARNING_RATES.entry("exponential_decay_learning_rate")
def _exponential_decay(config: Any, global_step: tf.Tensor) -> tf.Tensor:
    return learning_schedules.exponential_decay_with_burnin(
        global_step,
        config.initial_learning_rate,
        config.decay_steps,
        config.decay_factor,
        burnin_learning_rate=config.burnin_learning_rate,
        burnin_steps=config.burnin_steps,
        min_learning_rate=config.min_learning_rate,
        staircase=config.staircase,
    )


@LEARNING_RATES.entry("manual_step_learning_rate")
def _manual_step(config: Any, global_step: tf.Tensor) -> tf.Tensor:
    if not config.schedule:
        raise ConfigError(
            "manual_step_learning_rate: the schedule is empty; add schedule { step: .. "
            "learning_rate: .. }, or use constant_learning_rate."
        )
    return learning_schedules.manual_stepping(
        global_step,
        [entry.step for entry in config.schedule],
        [config.initial_learning_rate, *(entry.learning_rate for entry in config.schedule)],
        config.warmup,
    )


@LEARNING_RATES.entry("cosine_decay_learning_rate")
def _cosine_decay(config: Any, global_step: tf.Tensor) -> tf.Tensor:
    return learning_schedules.cosine_decay_with_warmup(
        global_step,
        config.learning_rate_base,
        config.total_steps,
        config.warmup_learning_rate,
        config.warmup_steps,
        config.hold_base_rate_steps,
    )


@OPTIMIZERS.entry("rms_prop_optimizer")
def _rms_prop(config: Any, rate: tf.Tensor) -> tf.train.Optimizer:
    return tf.train.RMSPropOptimizer(
        rate, decay=config.decay, momentum=config.momentum_optimizer_value, epsilon=config.epsilon
    )


@OPTIMIZERS.entry("momentum_optimizer")
def _momentum(config: Any, rate: tf.Tensor) -> tf.train.Optimizer:
    return tf.train.MomentumOptimizer(rate, momentum=config.momentum_optimizer_value)


@OPTIMIZERS.entry("adam_optimizer")
def _adam(config: Any, rate: tf.Tensor) -> tf.train.Optimizer:
    return tf.train.AdamOptimizer(rate, epsilon=config.epsilon)


def _learning_rate(config: Any, global_step: tf.Tensor) -> tf.Tensor:
    case = config.WhichOneof("learning_rate")
    schedule = getattr(config, case or "constant_learning_rate")
    rate = LEARNING_RATES[case](schedule, global_step)
    if not config.warmup_steps:
        return rate
    own = training_check.OWN_WARMUP.get(case or "")
    if own and getattr(schedule, own):
        raise ConfigError(
            f"learning_rate.warmup_steps is {config.warmup_steps}, but {case}.{own} is "
            f"{getattr(schedule, own)}: two warm-ups. Set one of them to 0 or false."
        )
    return learning_schedules.with_warmup(
        rate, global_step, config.warmup_steps, config.warmup_start_factor
    )


def build_optimizers_tf_v1(
    optimizer_config: Any, global_step: tf.Tensor | None = None
) -> tuple[tf.train.Optimizer, list[tf.Tensor]]:
    """Builds what an `Optimizer` message says.

    Args:
        optimizer_config: the message.
        global_step: step of the schedules; the graph's global step by default.

    Returns:
        The optimizer, and the learning rates to summarise.

    Raises:
        ConfigError: no optimizer or learning rate is set, or a schedule contradicts itself.
    """
    if global_step is None:
        global_step = tf.train.get_or_create_global_step()
    case = optimizer_config.WhichOneof("optimizer")
    make = OPTIMIZERS[case]
    chosen = getattr(optimizer_config, case)
    rate = _learning_rate(chosen.learning_rate, global_step)
    optimizer: tf.train.Optimizer = make(chosen, rate)
    if optimizer_config.use_moving_average:
        optimizer = MovingAverageOptimizer(
            optimizer,
            average_decay=optimizer_config.moving_average_decay,
            num_updates=global_step if optimizer_config.moving_average_warmup else None,
        )
    return optimizer, [rate]


def build(
    config: Any, global_step: tf.Tensor | None = None
) -> tuple[tf.train.Optimizer, list[tf.Tensor]]:
    """As `build_optimizers_tf_v1`; graph mode knows no other kind."""
    return build_optimizers_tf_v1(config, global_step)
