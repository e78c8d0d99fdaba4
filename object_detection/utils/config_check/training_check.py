"""What in a `TrainConfig` message contradicts itself: optimizer, gradients, evaluation."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

# Schedule -> its field that asks for a warm-up of its own.
OWN_WARMUP = {
    "exponential_decay_learning_rate": "burnin_steps",
    "manual_step_learning_rate": "warmup",
    "cosine_decay_learning_rate": "warmup_steps",
}


def optimizer_problems(train: Any) -> Iterator[str]:
    """Problems of gradients, learning rate and averages."""
    each = "gradient_clipping_by_norm"
    together = "gradient_clipping_by_global_norm"
    for field in (each, together):
        value = getattr(train, field)
        if not (value >= 0 and math.isfinite(value)):
            yield f"train_config.{field}: is {value}, should be 0 (none) or more."
    if getattr(train, each) > 0 and getattr(train, together) > 0:
        yield f"train_config.{together}: excludes {each}; set one of them."
    optimizer = train.optimizer
    if optimizer.use_moving_average and not 0 <= optimizer.moving_average_decay < 1:
        yield (
            "train_config.optimizer.moving_average_decay: is "
            f"{optimizer.moving_average_decay:g}, should be 0 or more and below 1."
        )
    if optimizer.moving_average_warmup and not optimizer.use_moving_average:
        yield (
            "train_config.optimizer.moving_average_warmup: has no effect without "
            "use_moving_average: true."
        )
    if train.non_finite.policy != train.non_finite.STOP and train.non_finite.max_times < 1:
        yield (
            "train_config.non_finite.max_times: must be at least 1; policy: STOP ends the training at "
            "the first bad step."
        )
    case = optimizer.WhichOneof("optimizer")
    if case:
        where = f"train_config.optimizer.{case}.learning_rate"
        yield from _learning_rate_problems(getattr(optimizer, case).learning_rate, where)


def _learning_rate_problems(rate: Any, where: str) -> Iterator[str]:
    if not 0 <= rate.warmup_start_factor <= 1:
        yield f"{where}.warmup_start_factor: is {rate.warmup_start_factor:g}, should be 0 to 1."
    if rate.warmup_start_factor and not rate.warmup_steps:
        yield f"{where}.warmup_start_factor: has no effect without warmup_steps."
    case = rate.WhichOneof("learning_rate")
    if case == "manual_step_learning_rate":
        yield from _manual_step_problems(rate.manual_step_learning_rate, f"{where}.{case}")
    if case == "cosine_decay_learning_rate":
        cosine = rate.cosine_decay_learning_rate
        if cosine.warmup_steps and cosine.warmup_learning_rate > cosine.learning_rate_base:
            yield (
                f"{where}.{case}.warmup_learning_rate: is {cosine.warmup_learning_rate:g}, above "
                f"learning_rate_base, which is {cosine.learning_rate_base:g}; a warm-up rises."
            )
    own = OWN_WARMUP.get(case or "")
    if case and own and rate.warmup_steps and getattr(getattr(rate, case), own):
        yield (
            f"{where}.warmup_steps: {case}.{own} is {getattr(getattr(rate, case), own)}; two "
            "warm-ups. Set one of them to 0 or false."
        )


def _manual_step_problems(config: Any, where: str) -> Iterator[str]:
    steps = [entry.step for entry in config.schedule]
    if not steps:
        yield (
            f"{where}.schedule: is empty; add schedule {{ step: .. learning_rate: .. }}, or use "
            "constant_learning_rate."
        )
    for number, (first, second) in enumerate(itertools.pairwise(steps), 1):
        if second <= first:
            yield f"{where}.schedule[{number}].step: is {second}, not after step {first}."


def evaluation_problems(train: Any, configs: dict[str, Any]) -> Iterator[str]:
    """Problems of the evaluation while training, if there is one.

    Args:
        train: `TrainConfig` message.
        configs: all that the config has, for its eval_config and readers.
    """
    if not train.HasField("evaluation"):
        return
    where = "train_config.evaluation"
    evaluation = train.evaluation
    readers = list(configs.get("eval_input_configs") or [])
    if "eval_config" not in configs or not readers:
        yield f"{where}: needs eval_config and eval_input_reader in the pipeline config."
    if evaluation.every_steps < 1:
        yield f"{where}.every_steps: must be at least 1; leave the message out for no evaluation."
    names = [reader.name for reader in readers]
    if evaluation.best_reader and evaluation.best_reader not in names:
        yield (
            f"{where}.best_reader: no eval_input_reader has the name {evaluation.best_reader!r}; "
            f"there are {', '.join(map(repr, names))}."
        )
    for field in ("best_reader", "better", "early_stopping"):
        if evaluation.HasField(field) and not evaluation.best_metric:
            yield (
                f"{where}.{field}: needs best_metric, a name as in metrics.json; for example "
                "DetectionBoxes_Precision/mAP."
            )
    if evaluation.HasField("early_stopping"):
        if evaluation.early_stopping.patience < 1:
            yield f"{where}.early_stopping.patience: must be at least 1."
        change = evaluation.early_stopping.min_change
        if not (change >= 0 and math.isfinite(change)):
            yield f"{where}.early_stopping.min_change: is {change}, should be 0 or more."
