"""Puts a checkpoint's values into the variables of an evaluation."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.errors import CheckpointError
from object_detection.utils import variables_helper


def restorer(eval_config: Any) -> Callable[[tf.Session, str], None]:
    """What puts a checkpoint's values, or their moving averages, into the graph's variables.

    Args:
        eval_config: `EvalConfig` message; `use_moving_averages` chooses.

    Returns:
        A function of a session and the path of a checkpoint. It raises `CheckpointError` if the
        checkpoint lacks a variable, has it in another shape, or has no averages at all.
    """
    variables: Any = {variable.op.name: variable for variable in tf.global_variables()}
    if eval_config.use_moving_averages:
        variables = tf.train.ExponentialMovingAverage(0.0).variables_to_restore()
    savers: dict[frozenset[str], tf.train.Saver] = {}

    def restore(session: tf.Session, checkpoint: str) -> None:
        wanted = variables_helper.averages_or_values(variables, checkpoint)
        if eval_config.use_moving_averages and not any(
            name.endswith("/ExponentialMovingAverage") for name in wanted
        ):
            raise CheckpointError(
                f"{checkpoint}: holds no moving averages, but eval_config.use_moving_averages is "
                "set. Train with optimizer.use_moving_average, or turn the option off."
            )
        match = variables_helper.match_checkpoint(wanted, checkpoint)
        if match.missing or match.other_shape:
            raise CheckpointError(
                "The checkpoint does not fit the config's model.\n" + match.misfit(checkpoint)
            )
        # One saver for all checkpoints of a training: each adds operations to the graph.
        names = frozenset(wanted)
        if names not in savers:
            savers[names] = tf.train.Saver(wanted)
        variables_helper.restore_whole(savers[names], session, checkpoint)

    return restore
