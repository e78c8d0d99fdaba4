"""What a training does about numbers that are not finite, as `train_config.non_finite` says.

A bad step has changed nothing (`step_guard`). What was done is in `bad_step_record`, what is said
and kept of the step comes from `bad_step`.
"""

import functools
import os
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.errors import CheckpointError, DataError, ObjectDetectionError, StorageError
from object_detection.legacy import bad_step, step_guard, training_checkpoints
from object_detection.legacy.bad_step_record import Record
from object_detection.legacy.checkpoint_store import CheckpointStore
from object_detection.protos import train_pb2
from object_detection.utils import variables_helper

_ADVICE = (
    "Lower the learning rate, set gradient_clipping_by_norm, or look at the pictures and boxes of "
    "the batch."
)


class GoBack(Exception):
    """Asks the loop to restore the last checkpoint."""

    def __init__(self, step: int) -> None:
        """Notes the number of the bad step."""
        super().__init__(f"step {step} is not finite")
        self.step = step


class BadNumbers:
    """Decides after a bad step, and before variables are saved, how a training goes on."""

    def __init__(
        self,
        guard: step_guard.Guard,
        config: Any,
        train_dir: str,
        record: Record,
        say: Callable[[str], None],
    ) -> None:
        """Keeps the settings.

        Args:
            guard: of the step's graph.
            config: `NonFinite` message.
            train_dir: directory of the training.
            record: what was done so far.
            say: takes each line for the user.
        """
        self._guard = guard
        self._config = config
        self._train_dir = train_dir
        self._say = say
        self._summaries: list[tuple[tf.Summary, int]] = []
        self.record = record

    @functools.cached_property
    def _check(self) -> step_guard.VariableCheck:
        return step_guard.VariableCheck()

    @functools.cached_property
    def _next_step(self) -> tf.Operation:
        return tf.train.get_or_create_global_step().assign_add(1, read_value=False)

    @property
    def goes_back(self) -> bool:
        """Whether checkpoints are what bad steps are mended with."""
        return bool(self._config.policy == train_pb2.NonFinite.ROLL_BACK)

    def not_finite(self, session: tf.Session) -> list[str]:
        """Names of the variables that are not finite."""
        return self._check.not_finite(session)

    def after_bad_step(self, session: tf.Session, step: int, save: Callable[[], str]) -> None:
        """Counts the step as one without an update, or does not return.

        Args:
            session: in which the guard has ended the step.
            step: the step's number.
            save: saves the variables as they are, and gives the checkpoint.

        Raises:
            GoBack: the last checkpoint should be restored.
            DataError: the training should end.
        """
        variables = self.not_finite(session)
        bad = bad_step.read(session, self._guard, step, variables)
        what = f"{bad_step.words(bad)} {self._kept(bad)}"
        if self.goes_back:
            self._say(what)
            raise GoBack(step)
        way_on = "train_config { non_finite { policy: SKIP } } goes on without such steps."
        if self._config.policy == train_pb2.NonFinite.SKIP and not variables:
            before = self.record.skipped_before(step)
            if before < self._config.max_times:
                self.record.skip(step)
                session.run(self._next_step)
                self._count("skipped", self.record.skipped, step)
                self._say(f"{what} Skipped, the {_ordinal(before + 1)} in a row.")
                return
            what += f" {before} steps in a row were skipped before."
            way_on = "A larger train_config.non_finite.max_times goes on without more such steps."
        if variables:
            end = (
                f"The last checkpoint is as it was. {_ADVICE} train_config {{ non_finite {{ policy: "
                "ROLL_BACK } } goes back to a checkpoint in which all variables are finite."
            )
        else:
            end = (
                f"{self._saved(what, save) if step > 1 else 'The'} same command begins with the same "
                f"batch again. {_ADVICE} {way_on}"
            )
        raise DataError(f"{what} {end}")

    def before_saving(self, session: tf.Session, step: int) -> None:
        """Makes sure that what is about to be saved is finite.

        Args:
            session: in which the variables are.
            step: number of the last step.

        Raises:
            GoBack: it is not; the last checkpoint should be restored.
            DataError: it is not; the training should end.
        """
        variables = self.not_finite(session)
        if not variables:
            return
        what = (
            f"Step {step}: {len(variables)} variables are not finite, though the losses and gradients "
            f"were; the first is {variables[0]}. They are not saved."
        )
        if self.goes_back and step:
            self._say(what)
            raise GoBack(step)
        raise DataError(
            f"{what} The last checkpoint is as it was. Lower the learning rate, or look at the "
            "settings of the optimizer; train_config { non_finite { policy: ROLL_BACK } } goes back by "
            "itself."
            if step
            else f"{what} Look at the checkpoint of train_config.fine_tune_checkpoint."
        )

    def go_back(self, session: tf.Session, saver: CheckpointStore, step: int) -> str:
        """Restores the last checkpoint whose variables are finite.

        Args:
            session: in which the variables are set.
            saver: that wrote the checkpoints.
            step: number of the bad step.

        Returns:
            The checkpoint.

        Raises:
            DataError: it was restored as often as `max_times` says, or none is finite.
        """
        checkpoint = self._last_finite(session, saver)
        back_to = training_checkpoints.step_of(checkpoint)
        before = self.record.returns_to(back_to)
        if before >= self._config.max_times:
            raise DataError(
                f"Step {step} is not finite, and the training has gone back to {checkpoint} "
                f"{before} times already (non_finite.max_times). {_ADVICE} Removing the "
                "newest checkpoints lets it go further back."
            )
        self.record.go_back(step, back_to)
        self._count("returns", self.record.returns, step)
        self._say(
            f"Back to {checkpoint}, the {_ordinal(before + 1)} time; on with the batches after "
            "the bad one."
        )
        return checkpoint

    def _last_finite(self, session: tf.Session, saver: CheckpointStore) -> str:
        checkpoints = list(saver.last_checkpoints)
        while checkpoints:
            variables_helper.restore_whole(saver, session, checkpoints[-1])
            bad = self.not_finite(session)
            if not bad:
                break
            self._say(f"{checkpoints.pop()}: {bad[0]} is not finite.")
        if not checkpoints:
            raise CheckpointError(
                f"{self._train_dir}: no checkpoint is left whose variables are finite. Start in an "
                "empty train_dir."
            )
        useless = saver.last_checkpoints[len(checkpoints) :]
        if useless:
            saver.recover_last_checkpoints(checkpoints)
        for path in useless:
            self._put_aside(path)
        return str(checkpoints[-1])

    def _put_aside(self, checkpoint: str) -> None:
        """Moves a checkpoint that nobody should go on from to the bad steps."""
        folder = os.path.join(self._train_dir, bad_step.FOLDER)
        os.makedirs(folder, exist_ok=True)
        found, name = os.path.split(checkpoint)
        names = [one for one in os.listdir(found) if one.startswith(f"{name}.")]
        # First the index: without it there is no checkpoint.
        for one in sorted(names, key=lambda one: not one.endswith(".index")):
            os.replace(os.path.join(found, one), os.path.join(folder, one))

    def _saved(self, what: str, save: Callable[[], str]) -> str:
        """The beginning of a sentence on a checkpoint of the last good step."""
        try:
            return f"The state before this step is saved as {save()}; the"
        except ObjectDetectionError:
            # Two things went wrong; the first should be known, too.
            self._say(what)
            raise

    def _kept(self, bad: bad_step.BadStep) -> str:
        """Where the batch was written; a full disk is no reason to lose more than that."""
        try:
            return f"The batch is in {bad_step.save(bad, self._train_dir)}."
        except (OSError, StorageError) as error:
            return f"The batch could not be written ({str(error).rstrip('.')})."

    def _count(self, what: str, number: int, step: int) -> None:
        value = tf.Summary.Value(tag=f"NotFinite/{what}", simple_value=number)
        self._summaries.append((tf.Summary(value=[value]), step))

    def summaries(self) -> Iterator[tuple[tf.Summary, int]]:
        """Counts of bad steps for TensorBoard, with their steps, since the last call."""
        while self._summaries:
            yield self._summaries.pop(0)


def _ordinal(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")
