"""Variables: which to train, and which of them a checkpoint holds."""

import logging
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.errors import CheckpointError
from object_detection.utils import checkpoint_files, graph_errors

logger = logging.getLogger(__name__)

DETECTION_FEATURE_EXTRACTOR_MSG = (
    "The checkpoint holds the variables of a bare feature extractor, which fine_tune_checkpoint_type "
    "'detection' does not restore. Set fine_tune_checkpoint_type to 'fine_tune', or give the "
    "checkpoint of a whole detector."
)

# Type of a fine-tuning checkpoint -> (start of names that it no longer goes with, why).
DEPRECATED_CHECKPOINT_MAP = {"detection": ("_feature_extractor", DETECTION_FEATURE_EXTRACTOR_MSG)}

# Endings of the files that a checkpoint consists of.
_OF_A_CHECKPOINT = re.compile(r"\.(index|meta|data-\d+-of-\d+)$")

GradientsAndVariables = list[tuple[tf.Tensor | None, tf.Variable]]


class CheckpointMatch(NamedTuple):
    """How the wanted variables and a checkpoint's contents fit; names are the checkpoint's."""

    restorable: dict[str, tf.Variable]
    other_shape: dict[str, tuple[list[int], list[int]]]  # name -> (ours, the checkpoint's)
    missing: list[str]  # wanted, not in the checkpoint
    unused: list[str]  # in the checkpoint, not wanted
    slots: list[str]  # unused, too: what optimizers keep for another variable of the checkpoint

    def report(self, checkpoint_path: str, most_of_each: int | None = None) -> str:
        """The match in words, one line a variable for all that is not restored.

        Args:
            checkpoint_path: for the first line.
            most_of_each: lines for variables of one kind, and then how many more there are; None
                for a line each.
        """
        summary = (
            f"{checkpoint_path}: {len(self.restorable)} variables restored, "
            f"{len(self.other_shape)} skipped for their shape, {len(self.missing)} missing from "
            f"the checkpoint, {len(self.unused)} in the checkpoint but not used, besides "
            f"{len(self.slots)} of optimizers."
        )
        kinds = (
            (
                "skipped (shape)",
                [
                    f"{name}: model {ours}, checkpoint {theirs}"
                    for name, (ours, theirs) in sorted(self.other_shape.items())
                ],
            ),
            ("missing", sorted(self.missing)),
            ("not used", sorted(self.unused)),
        )
        lines = [summary]
        for kind, of_kind in kinds:
            shown = of_kind[:most_of_each]
            lines += [f"  {kind:<15}  {line}" for line in shown]
            if len(shown) < len(of_kind):
                lines.append(f"  {kind:<15}  ... and {len(of_kind) - len(shown)} more")
        return "\n".join(lines)

    def misfit(self, checkpoint_path: str) -> str:
        """Why the checkpoint does not fit, short enough for an error."""
        return self.report(checkpoint_path, most_of_each=3)


def match_checkpoint(
    variables: dict[str, tf.Variable] | Sequence[tf.Variable],
    checkpoint_path: str,
    include_global_step: bool = True,
) -> CheckpointMatch:
    """Compares names and shapes of `variables` with those in a checkpoint.

    Args:
        variables: name in the checkpoint -> variable, or variables under their own names.
        checkpoint_path: prefix of the checkpoint.
        include_global_step: whether the global step may be restored.

    Raises:
        CheckpointError: the checkpoint is absent or cannot be read.
    """
    wanted = (
        dict(variables)
        if isinstance(variables, dict)
        else {_name(variable): variable for variable in variables}
    )
    shapes = _checkpoint_shapes(checkpoint_path)
    restorable, other_shape, missing = {}, {}, []
    for name, variable in wanted.items():
        if name == tf.GraphKeys.GLOBAL_STEP and not include_global_step:
            continue
        if name not in shapes:
            missing.append(name)
        elif variable.get_shape().as_list() != list(shapes[name]):
            other_shape[name] = (variable.get_shape().as_list(), list(shapes[name]))
        else:
            restorable[name] = variable
    unused = [name for name in shapes if name not in wanted]
    # A slot is called as its variable, and after a slash as its kind.
    slots = [name for name in unused if name.rpartition("/")[0] in shapes]
    return CheckpointMatch(
        restorable, other_shape, missing, sorted(set(unused) - set(slots)), slots
    )


def get_variables_available_in_checkpoint(
    variables: dict[str, tf.Variable] | Sequence[tf.Variable],
    checkpoint_path: str,
    include_global_step: bool = True,
) -> Any:
    """The part of `variables` that the checkpoint holds with the same shape.

    What is left out is logged with the reason.

    Args:
        variables: list of variables, or name in the checkpoint -> variable.
        checkpoint_path: prefix of the checkpoint.
        include_global_step: whether the global step counts.

    Returns:
        A dict, or a list in the order of the names, as given.

    Raises:
        ValueError: `variables` is neither, or the checkpoint cannot be read.
    """
    if not isinstance(variables, list | tuple | dict):
        raise ValueError(f"variables should be a list or a dict, got {type(variables).__name__}.")
    match = match_checkpoint(variables, checkpoint_path, include_global_step)
    for name in match.missing:
        logger.warning("%s: variable %s is not in the checkpoint", checkpoint_path, name)
    for name, (ours, theirs) in match.other_shape.items():
        logger.warning(
            "%s: variable %s is %s in the model, %s in the checkpoint",
            checkpoint_path,
            name,
            ours,
            theirs,
        )
    if isinstance(variables, dict):
        return match.restorable
    return [variable for _, variable in sorted(match.restorable.items())]


def averages_or_values(
    averages: dict[str, tf.Variable], checkpoint_path: str
) -> dict[str, tf.Variable]:
    """Names to restore variables by, so that they hold their averages where there are some.

    Variables that training froze have no average; they are what they are.

    Args:
        averages: as `ExponentialMovingAverage.variables_to_restore()` gives them.
        checkpoint_path: prefix of the checkpoint.

    Raises:
        CheckpointError: the checkpoint cannot be read.
    """
    there = _checkpoint_shapes(checkpoint_path)
    return {
        name if name in there else name.removesuffix("/ExponentialMovingAverage"): variable
        for name, variable in averages.items()
    }


def filter_variables(
    variables: Iterable[tf.Variable], filter_regex_list: Iterable[str], invert: bool = False
) -> list[tf.Variable]:
    """The variables whose names no pattern matches; with `invert`, those that one matches.

    Patterns match at the start of the name, as `re.match` does; empty patterns are left out.
    """
    patterns = [re.compile(pattern) for pattern in filter_regex_list if pattern]
    return [
        variable
        for variable in variables
        if any(pattern.match(variable.op.name) for pattern in patterns) == invert
    ]


def multiply_gradients_matching_regex(
    grads_and_vars: GradientsAndVariables, regex_list: Iterable[str], multiplier: float
) -> GradientsAndVariables:
    """Multiplies the gradients of the variables that a pattern matches."""
    grads_and_vars = list(grads_and_vars)
    chosen = _names(filter_variables([v for _, v in grads_and_vars], regex_list, invert=True))
    return [
        (_scaled(gradient, multiplier), variable)
        if gradient is not None and variable.op.name in chosen
        else (gradient, variable)
        for gradient, variable in grads_and_vars
    ]


def freeze_gradients_matching_regex(
    grads_and_vars: GradientsAndVariables, regex_list: Iterable[str]
) -> GradientsAndVariables:
    """Leaves out the variables that a pattern matches, so that they keep their values."""
    grads_and_vars = list(grads_and_vars)
    kept = _names(filter_variables([v for _, v in grads_and_vars], regex_list))
    return [(g, variable) for g, variable in grads_and_vars if variable.op.name in kept]


def get_global_variables_safely() -> list[tf.Variable]:
    """`tf.global_variables()`; a `ValueError` in eager mode, where it would be silently empty."""
    if tf.executing_eagerly():
        raise ValueError("Global variables exist in graphs only; call this inside a tf.Graph().")
    return list(tf.global_variables())


def ensure_checkpoint_supported(checkpoint_path: str, checkpoint_type: str, model_dir: str) -> None:
    """Refuses a checkpoint whose layout its fine-tuning type no longer goes with.

    Args:
        checkpoint_path: prefix of the checkpoint to fine-tune from.
        checkpoint_type: `fine_tune_checkpoint_type` of the config.
        model_dir: directory of the training; if it holds a checkpoint, training goes on from
            that one, and `checkpoint_path` does not matter.

    Raises:
        CheckpointError: see `DEPRECATED_CHECKPOINT_MAP`, or the checkpoint cannot be read.
    """
    if checkpoint_type not in DEPRECATED_CHECKPOINT_MAP:
        return
    start, message = DEPRECATED_CHECKPOINT_MAP[checkpoint_type]
    found = [name for name in _checkpoint_shapes(checkpoint_path) if name.startswith(start)]
    if not found:
        return
    if model_dir and checkpoint_files.latest_whole(model_dir):
        logger.warning("%s is not used: training goes on in %s", checkpoint_path, model_dir)
        return
    raise CheckpointError(f"{checkpoint_path}: found {found[0]!r}. {message}")


def restore_whole(saver: tf.train.Saver, session: tf.Session, checkpoint_path: str) -> None:
    """Restores what the saver holds.

    Args:
        saver: of variables that the checkpoint has, in its shapes.
        session: whose variables are set.
        checkpoint_path: prefix of the checkpoint.

    Raises:
        CheckpointError: the checkpoint's files are damaged.
    """
    try:
        saver.restore(session, checkpoint_path)
    except checkpoint_files.UNREADABLE as error:
        why = graph_errors.reason(error) if isinstance(error, tf.errors.OpError) else str(error)
        raise CheckpointError(
            f"{checkpoint_path}: cannot be restored ({why}). If its files are damaged, copy them "
            "again or take an earlier checkpoint."
        ) from error


def _checkpoint_shapes(checkpoint_path: str) -> dict[str, list[int]]:
    """Name -> shape of every variable of a checkpoint."""
    if tf.io.gfile.isdir(checkpoint_path):
        latest = checkpoint_files.latest_whole(checkpoint_path) or "folder/model.ckpt-1000"
        raise CheckpointError(
            f"{checkpoint_path}: is a folder. Give one of its checkpoints, such as {latest}."
        )
    whole = _OF_A_CHECKPOINT.sub("", checkpoint_path)
    if whole != checkpoint_path and tf.train.checkpoint_exists(whole):
        # TensorFlow reads some of them as checkpoints that hold nothing.
        raise CheckpointError(
            f"{checkpoint_path}: is one file of a checkpoint. Give what they have in common: {whole}."
        )
    try:
        return dict(tf.train.load_checkpoint(checkpoint_path).get_variable_to_shape_map())
    except checkpoint_files.UNREADABLE as error:
        raise CheckpointError(
            f"{checkpoint_path}: no readable checkpoint ({error}). Give the prefix, that is the "
            "path without '.index' or '.data-00000-of-00001'."
        ) from error


def _scaled(gradient: tf.Tensor | tf.IndexedSlices, multiplier: float) -> Any:
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(
            gradient.values * multiplier, gradient.indices, gradient.dense_shape
        )
    return gradient * multiplier


def _name(variable: Any) -> str:
    """Name in a checkpoint. A partitioned variable is saved whole, and has no one operation."""
    return str(variable.name).partition(":")[0]


def _names(variables: Iterable[tf.Variable]) -> set[str]:
    return {variable.op.name for variable in variables}
