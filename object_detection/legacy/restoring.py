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
        checkpoint lacks a variable, or has it in another shape.
    """
    variables: Any = {variable.op.name: variable for variable in tf.global_variables()}
    if eval_config.use_moving_averages:
        variables = tf.train.ExponentialMovingAverage(0.0).variables_to_restore()
    saver = tf.train.Saver(variables)

    def restore(session: tf.Session, checkpoint: str) -> None:
        match = variables_helper.match_checkpoint(variables, checkpoint)
        if match.missing or match.other_shape:
            raise CheckpointError(
                "The checkpoint does not fit the config's model.\n" + match.report(checkpoint)
            )
        saver.restore(session, checkpoint)

    return restore
