"""What a step was that is not finite: in words, and as a file.

Axes: L losses, V variables with a gradient.
"""

import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.legacy import step_guard
from object_detection.utils import files

FOLDER = "bad_steps"
MOST_FILES = 5
_MOST_NAMES = 8
_SOURCE_ID = fields.InputDataFields.source_id
# In these NaN is the value of a point that is not labelled.
_NAN_IS_A_VALUE = (fields.InputDataFields.groundtruth_keypoints,)


class BadStep(NamedTuple):
    """A step that has changed nothing, because its numbers are not finite."""

    step: int  # its number; that of the first step is 1
    losses: dict[str, float]
    norms: dict[str, float]  # of the gradients before they are clipped, by variable
    batch: dict[str, np.ndarray[Any, Any]]
    variables: Sequence[str]  # those that were not finite before the step


def read(
    session: tf.Session, guard: step_guard.Guard, step: int, variables: Sequence[str]
) -> BadStep:
    """The step that a guard has just ended.

    Args:
        session: in which it was run.
        guard: of its graph.
        step: its number.
        variables: names of variables that are not finite.
    """
    found = session.run(guard.last_step)
    norms = np.sqrt(2.0 * found.half_squares.astype(np.float64))
    return BadStep(
        step,
        {name: float(value) for name, value in zip(guard.losses, found.losses, strict=True)},
        {name: float(value) for name, value in zip(guard.variables, norms, strict=True)},
        {key: _without_objects(value) for key, value in found.batch.items()},
        variables,
    )


def _without_objects(value: Any) -> np.ndarray[Any, Any]:
    """The value as an array that can be read without running what a file says."""
    array = np.asarray(value)
    if array.dtype.kind not in "OS":
        return array
    texts = [bytes(one).decode("utf-8", "replace") for one in array.reshape(-1)]
    return np.array(texts, dtype=np.str_).reshape(array.shape)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def words(bad: BadStep) -> str:
    """What is not finite, which pictures the step had, and where the gradient is bad."""
    broken = [name for name, value in bad.losses.items() if not math.isfinite(value)]
    values = ", ".join(f"{name} {value:.6g}" for name, value in bad.losses.items())
    what = (
        f"{', '.join(broken)} is not finite ({values})"
        if broken
        else f"a gradient is not finite, though the losses are ({values})"
    )
    sentences = [f"Step {bad.step}: {what}"]
    if bad.variables:
        sentences.append(f"Variables that are not finite themselves: {_listed(bad.variables)}")
    sentences.append(_gradient_words(bad.norms))
    names = source_ids(bad.batch)
    if any(names):
        sentences.append(f"Pictures: {_listed([name or '(no source_id)' for name in names])}")
    inputs = not_finite_inputs(bad.batch)
    if inputs:
        sentences.append(f"Not finite in the batch: {_listed(inputs)}")
    return ". ".join(sentences) + "."


def _gradient_words(norms: dict[str, float]) -> str:
    bad = [name for name, norm in norms.items() if not math.isfinite(norm)]
    if bad:
        first = f"{bad[0]} (norm {norms[bad[0]]})"
        return f"Gradients: {len(bad)} of {len(norms)} are not finite, the first is of {first}"
    name = max(norms, key=lambda one: norms[one])
    return (
        f"Gradients: all {len(norms)} are finite, the largest is of {name} (norm {norms[name]:.6g})"
    )


def source_ids(batch: dict[str, np.ndarray[Any, Any]]) -> list[str]:
    """The names of the pictures of a batch, as far as they have any."""
    return [
        str(name)
        for key, value in batch.items()
        if key.rpartition("/")[2] == _SOURCE_ID
        for name in value.reshape(-1)
    ]


def not_finite_inputs(batch: dict[str, np.ndarray[Any, Any]]) -> list[str]:
    """Parts of a batch that hold NaN or infinity where they should not, with the pictures' names."""
    found = []
    names = source_ids(batch)
    for key, value in batch.items():
        if value.dtype.kind != "f":
            continue
        field = key.rpartition("/")[2]
        good = ~np.isinf(value) if field in _NAN_IS_A_VALUE else np.isfinite(value)
        if good.all():
            continue
        rows = range(value.shape[0]) if value.ndim else range(0)
        of = [names[row] for row in rows if len(names) == len(rows) and not good[row].all()]
        found.append(f"{key} of {_listed(of)}" if any(of) else key)
    return found


def save(bad: BadStep, train_dir: str) -> str:
    """Writes the step into `train_dir/bad_steps`, of which the newest few files stay.

    Returns:
        The path of the file: NumPy arrays of the batch by their names in it, and `step`,
        `loss_names` [L], `loss_values` [L], `gradient_variables` [V], `gradient_norms` [V].

    Raises:
        OSError: it cannot be written.
    """
    folder = os.path.join(train_dir, FOLDER)
    path = os.path.join(folder, f"step-{bad.step}.npz")
    content: dict[str, Any] = {
        **bad.batch,
        "step": np.asarray(bad.step),
        "loss_names": np.array(list(bad.losses)),
        "loss_values": np.array(list(bad.losses.values())),
        "gradient_variables": np.array(list(bad.norms)),
        "gradient_norms": np.array(list(bad.norms.values())),
    }
    with files.appearing_whole(path) as temporary:
        np.savez_compressed(temporary, **content)
    kept = [
        entry.path
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.stat().st_mtime_ns)
        if entry.name.startswith("step-") and entry.name.endswith(".npz")
    ]
    for old in kept[:-MOST_FILES]:
        os.remove(old)
    return path
