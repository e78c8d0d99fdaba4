"""Where a training begins: with a seed, at a checkpoint of its own, or from one to fine-tune."""

import os
import secrets
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.model import DetectionModel
from object_detection.errors import CheckpointError
from object_detection.utils import files, variables_helper

SEED_FILE = "seed.txt"
_LARGEST_SEED = 2**31 - 1


def seed_of(train_dir: str, given: int | None, say: Callable[[str], None]) -> int:
    """The seed of a training: the given one, or that of its first start; kept in `train_dir`.

    Args:
        train_dir: directory of the training.
        given: what the user asks for, or None.
        say: takes each line for the user.
    """
    path = os.path.join(train_dir, SEED_FILE)
    saved = _saved_seed(path)
    if saved is not None and given in (None, saved):
        return saved
    goes_on = tf.train.latest_checkpoint(train_dir) is not None
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
    files.write_text(path, f"{seed}\n")
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
    except (tf.errors.OpError, ValueError) as error:
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


def make_saver(train_config: Any, max_to_keep: int) -> tf.train.Saver:
    """A saver of all variables of the default graph.

    Args:
        train_config: `TrainConfig` message.
        max_to_keep: newest checkpoints that are kept.
    """
    return tf.train.Saver(
        max_to_keep=max_to_keep,
        # A train_dir that is moved or copied names its own checkpoints.
        save_relative_paths=True,
        keep_checkpoint_every_n_hours=train_config.keep_checkpoint_every_n_hours,
    )


def resume(
    session: tf.Session, saver: tf.train.Saver, latest: str, say: Callable[[str], None]
) -> None:
    """Restores all variables of the default graph.

    Raises:
        CheckpointError: the checkpoint is of another model.
    """
    match = variables_helper.match_checkpoint(tf.global_variables(), latest)
    if match.missing or match.other_shape:
        raise CheckpointError(
            "train_dir holds a checkpoint of another model. Use an empty train_dir, or name the "
            "checkpoint as train_config.fine_tune_checkpoint.\n" + match.misfit(latest)
        )
    variables_helper.restore_whole(saver, session, latest)
    # Those before it are in the rotation, too, as if there had been no stop.
    state = tf.train.get_checkpoint_state(os.path.dirname(latest))
    if state:
        paths = [
            path for path in state.all_model_checkpoint_paths if tf.train.checkpoint_exists(path)
        ]
        saver.recover_last_checkpoints(paths)
    say(f"Resuming from {latest}.")
