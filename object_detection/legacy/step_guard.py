"""Stops a step before it changes anything, if its loss or a gradient is not finite.

All updates wait for one operation, which fails; so a good step pays for some sums, and no branch.
What the last step has seen and found stays readable, because variables take hold of it: of the
same memory, without a copy.

Axes: L losses, V variables with a gradient.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

_REASON = "The loss or a gradient is not finite"
_ASSIGNMENTS = frozenset(
    {"AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp", "Assign", "AssignSub"}
)
# What joins or passes on other operations.
_JOINTS = frozenset({"NoOp", "Identity", "ReadVariableOp"})


class LastStep(NamedTuple):
    """Tensors that read what the last step has seen and found; their run is no step."""

    losses: tf.Tensor  # [L]
    half_squares: tf.Tensor  # [V] half of the squared norm of each gradient, before it is clipped
    batch: dict[str, tf.Tensor]


class Guard(NamedTuple):
    """What updates wait for, and what is known when it fails."""

    passed: tf.Operation
    last_step: LastStep
    losses: tuple[str, ...]  # names, in the order of `LastStep.losses`
    variables: tuple[str, ...]  # names, in the order of `LastStep.half_squares`


def half_square(gradient: Any) -> tf.Tensor:
    """[] half of the squared norm of a gradient, be it one of some rows only."""
    dense = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
    return tf.nn.l2_loss(dense)


def _kept(name: str, value: tf.Tensor) -> tuple[tf.Operation, tf.Tensor]:
    """What keeps a value until the next step, and what reads it."""
    with tf.get_default_graph().colocate_with(value.op):
        handle = tf.raw_ops.VarHandleOp(
            dtype=value.dtype, shape=tf.TensorShape(None), shared_name=f"last_step/{name}"
        )
        keep = tf.raw_ops.AssignVariableOp(resource=handle, value=value)
        return keep, tf.raw_ops.ReadVariableOp(resource=handle, dtype=value.dtype)


def build(
    losses: Mapping[str, tf.Tensor],
    total: tf.Tensor,
    half_squares: Sequence[tuple[tf.Tensor, tf.Variable]],
    batch: Mapping[str, tf.Tensor],
) -> Guard:
    """Adds the guard of a step to the default graph.

    Args:
        losses: [] by name.
        total: [] their sum, among them.
        half_squares: [] of each gradient (see `half_square`), and its variable.
        batch: what the step is fed with, for who looks into a bad step.
    """
    with tf.name_scope("step_guard"):
        values = {
            "losses": tf.stack(list(losses.values())),
            "half_squares": tf.stack([square for square, _ in half_squares]),
        }
        values |= {f"batch/{key}": value for key, value in batch.items()}
        keeping, reading = {}, {}
        for name, value in values.items():
            keeping[name], reading[name] = _kept(name, value)
        finite = tf.math.is_finite(total) & tf.math.is_finite(tf.reduce_sum(values["half_squares"]))
        with tf.control_dependencies(list(keeping.values())):
            passed = tf.raw_ops.Assert(condition=finite, data=[tf.constant(_REASON)])
    return Guard(
        passed=passed,
        last_step=LastStep(
            losses=reading["losses"],
            half_squares=reading["half_squares"],
            batch={key: reading[f"batch/{key}"] for key in batch},
        ),
        losses=tuple(losses),
        variables=tuple(variable.op.name for _, variable in half_squares),
    )


def failed(error: tf.errors.OpError) -> bool:
    """Whether it was a guard that ended a run."""
    return isinstance(error, tf.errors.InvalidArgumentError) and _REASON in error.message


def let_wait(updates: Iterable[Any], passed: tf.Operation) -> None:
    """Lets assignments, or what joins some, wait for a guard.

    They were made with the network, long before its gradients; nothing of the network may wait for
    them, or the graph would have a circle.

    Args:
        updates: operations, or tensors and variables that they give.
        passed: what they wait for.
    """
    waiting = [getattr(update, "op", update) for update in updates]
    seen: set[str] = set()
    while waiting:
        operation = waiting.pop()
        if operation.name in seen:
            continue
        seen.add(operation.name)
        if operation.type in _ASSIGNMENTS:
            operation._add_control_input(passed)
        elif operation.type in _JOINTS:
            waiting += [*operation.control_inputs, *(one.op for one in operation.inputs)]


class VariableCheck:
    """Finds variables of the default graph that are not finite."""

    def __init__(self) -> None:
        """Adds operations, two for each variable of real numbers."""
        self._variables = [one for one in tf.global_variables() if one.dtype.base_dtype.is_floating]
        with tf.name_scope("variable_check"):
            self._sums = tf.stack(
                [tf.cast(tf.nn.l2_loss(one), tf.float32) for one in self._variables]
            )

    def not_finite(self, session: tf.Session) -> list[str]:
        """Names of the variables that hold NaN or infinity."""
        # A sum is not finite if one of its terms is not; or if it is too large, which is no fault.
        sums = session.run(self._sums)
        suspects = [self._variables[row] for row in np.flatnonzero(~np.isfinite(sums))]
        return [
            one.op.name
            for one in suspects
            if not np.isfinite(session.run(one).astype(np.float64)).all()
        ]
