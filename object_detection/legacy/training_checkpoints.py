"""Where a training begins: with a seed, at a checkpoint of its own, or from one to fine-tune."""

import dataclasses
import os
import secrets
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.model import DetectionModel
from object_detection.errors import CheckpointError, ObjectDetectionError
from object_detection.legacy.checkpoint_store import CheckpointStore
from object_detection.legacy.train_dir import CONFIG_FILE, SEED_FILE
from object_detection.utils import (
    checkpoint_files,
    config_changes,
    config_util,
    files,
    variables_helper,
)

_LARGEST_SEED = 2**31 - 1
# Lines about settings that have changed.
_MOST_CHANGES = 10


@dataclasses.dataclass(frozen=True)
class Start:
    """Where a training begins, or goes on."""

    train_dir: str
    checkpoint: str | None  # prefix; None: with the first step
    step: int  # of the checkpoint; 0 without one
    # Trainings on samples of a function have neither.
    seed: int = 0
    pipeline: Any = None  # `TrainEvalPipelineConfig` message

    def write_down(self) -> None:
        """Writes seed and config into the directory, if there are any."""
        if self.pipeline is None:
            return
        path = os.path.join(self.train_dir, SEED_FILE)
        if _saved_seed(path) != self.seed:
            files.write_text(path, f"{self.seed}\n")
        config_util.save_pipeline_config(self.pipeline, self.train_dir)


def start_of(train_dir: str, pipeline: Any, seed: int | None, say: Callable[[str], None]) -> Start:
    """Where the training of a directory begins, or goes on.

    Args:
        train_dir: the directory.
        pipeline: `TrainEvalPipelineConfig` message.
        seed: that the user asks for, or None.
        say: takes each line for the user.

    Raises:
        CheckpointError: it has checkpoints, but none is whole.
    """
    # What it says of a loss of checkpoints is worth reading all values once.
    latest = checkpoint_files.latest_whole(train_dir, say, thorough=True)
    return Start(
        train_dir,
        latest,
        step_of(latest),
        seed_of(train_dir, seed, say, goes_on=latest is not None),
        pipeline,
    )


def seed_of(train_dir: str, given: int | None, say: Callable[[str], None], goes_on: bool) -> int:
    """The seed of a training: the given one, or that of its first start.

    Args:
        train_dir: directory of the training.
        given: what the user asks for, or None.
        say: takes each line for the user.
        goes_on: whether there is a checkpoint.
    """
    path = os.path.join(train_dir, SEED_FILE)
    saved = _saved_seed(path)
    if saved is not None and given in (None, saved):
        return saved
    seed = secrets.randbelow(_LARGEST_SEED) if given is None else given
    if goes_on and saved is None:
        say(f"{path} is not there: from here on the seed is {seed}.")
    elif goes_on:
        say(
            f"{path} says {saved}, but --seed is {seed}: from here on the training is another than "
            "it would have been."
        )
    elif given is None:
        say(f"Seed {seed}, chosen now; --seed={seed} repeats this training.")
    return seed


def _saved_seed(path: str) -> int | None:
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read().strip()
    try:
        return int(text)
    except ValueError as error:
        raise CheckpointError(
            f"{path}: should hold the seed of the training, a whole number; it holds {text[:40]!r}. "
            "Put the number in, or remove the file; then the data come in another order."
        ) from error


def step_of(checkpoint: str | None) -> int:
    """The step at which a checkpoint was written; 0 without one, or if it does not say.

    Raises:
        CheckpointError: it cannot be read.
    """
    if not checkpoint:
        return 0
    try:
        reader = tf.train.load_checkpoint(checkpoint)
        if not reader.has_tensor(tf.GraphKeys.GLOBAL_STEP):
            return 0
        return int(reader.get_tensor(tf.GraphKeys.GLOBAL_STEP))
    except checkpoint_files.UNREADABLE as error:
        raise CheckpointError(
            f"{checkpoint}: cannot be read ({error}). If its files are damaged, copy them again, or "
            "name an earlier one in the file 'checkpoint' beside it."
        ) from error


def fine_tune_type(train_config: Any) -> str:
    """`classification` or `detection`, also from configs with the older boolean."""
    if train_config.fine_tune_checkpoint_type:
        return str(train_config.fine_tune_checkpoint_type)
    return "detection" if train_config.from_detection_checkpoint else "classification"


def fine_tune_restorer(
    model: DetectionModel,
    train_config: Any,
    model_variables: frozenset[str],
    say: Callable[[str], None],
) -> Callable[[tf.Session], None] | None:
    """What initialises variables from `fine_tune_checkpoint`, after saying what it restores.

    Raises:
        CheckpointError: the checkpoint is absent, or nothing in it fits the model.
    """
    path = train_config.fine_tune_checkpoint
    if not path:
        return None
    # The optimizer's slots begin anew with new data: they are neither restored nor reported.
    variables = {
        name: variable
        for name, variable in model.restore_map(
            fine_tune_checkpoint_type=fine_tune_type(train_config),
            load_all_detection_checkpoint_vars=train_config.load_all_detection_checkpoint_vars,
        ).items()
        if variable.op.name in model_variables
    }
    match = variables_helper.match_checkpoint(variables, path, include_global_step=False)
    say("Fine-tuning from " + match.report(path))
    if not match.restorable:
        raise CheckpointError(
            f"train_config.fine_tune_checkpoint {path}: nothing in it fits the model. Is "
            f"fine_tune_checkpoint_type {fine_tune_type(train_config)!r} right for it?"
        )
    saver = tf.train.Saver(match.restorable, name="fine_tune")
    return lambda session: variables_helper.restore_whole(saver, session, path)


def resume(
    session: tf.Session,
    store: CheckpointStore,
    start: Start,
    train_config: Any,
    say: Callable[[str], None],
) -> None:
    """Restores all variables of the default graph, and says what is another than before.

    Args:
        session: whose variables are set.
        store: of the checkpoints.
        start: with a checkpoint.
        train_config: `TrainConfig` message.
        say: takes each line for the user.

    Raises:
        CheckpointError: the checkpoint is of another model.
    """
    latest = start.checkpoint or ""
    match = variables_helper.match_checkpoint(tf.global_variables(), latest)
    if match.missing or match.other_shape:
        raise CheckpointError(
            "train_dir holds a checkpoint of another model. Use an empty train_dir, or name the "
            "checkpoint as train_config.fine_tune_checkpoint.\n" + match.misfit(latest)
        )
    variables_helper.restore_whole(store, session, latest)
    say(f"Resuming from {latest}, step {start.step}.")
    if train_config.fine_tune_checkpoint:
        say("train_config.fine_tune_checkpoint is not read again: this training has begun already.")
    if start.pipeline is not None:
        _say_changes(os.path.join(start.train_dir, CONFIG_FILE), start.pipeline, say)


def _say_changes(path: str, pipeline: Any, say: Callable[[str], None]) -> None:
    """Says which settings are others than those that the training ran with before."""
    if not os.path.exists(path):
        return
    try:
        before = config_util.create_pipeline_proto_from_configs(
            config_util.get_configs_from_pipeline_file(path)
        )
    except ObjectDetectionError as error:
        say(f"{path}: cannot be compared with the config of now ({error}).")
        return
    changes = config_changes.changes(before, pipeline)
    if changes:
        say(f"Changed since {path} was written:")
    for change in changes[:_MOST_CHANGES]:
        say(f"  {change}")
    if len(changes) > _MOST_CHANGES:
        say(f"  and {len(changes) - _MOST_CHANGES} more")
