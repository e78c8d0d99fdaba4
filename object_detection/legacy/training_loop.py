"""The steps of a training: runs them, saves, evaluates, ends.

What is said of steps is in `training_progress`, what is done about numbers that are not finite in
`bad_numbers`.
"""

import dataclasses
import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.errors import DataError
from object_detection.legacy import bad_numbers, step_guard, training_checkpoints
from object_detection.legacy.bad_step_record import Record
from object_detection.legacy.checkpoint_store import CheckpointStore
from object_detection.legacy.training_evaluation import TrainingEvaluation
from object_detection.legacy.training_graph import StepGraph
from object_detection.legacy.training_progress import Progress
from object_detection.utils import graph_errors, interruption
from object_detection.utils.cut_boxes import CutBoxes
from object_detection.utils.event_file import EventFile


@dataclasses.dataclass(frozen=True)
class LoopOptions:
    """Settings of the loop that the config has no field for."""

    log_every_steps: int = 20
    summary_every_steps: int = 100
    save_every_secs: float = 600.0
    max_to_keep: int = 5
    seed: int | None = None  # that of the first start goes on by itself
    on_cpu: bool = False  # keep the model off the GPU


class Outcome(NamedTuple):
    """How a run of the loop ended."""

    step: int
    losses: dict[str, float]  # of the last step
    interrupted: bool
    checkpoint: str
    stopped_early: bool = False
    skipped: int = 0  # bad steps of the whole training that changed nothing
    returns: int = 0  # to a checkpoint after bad steps


class Loop:
    """Steps of a graph, until one of several things ends them."""

    def __init__(
        self,
        graph: StepGraph,
        train_config: Any,
        train_dir: str,
        options: LoopOptions,
        say: Callable[[str], None],
        record: Record,
    ) -> None:
        self.graph = graph
        self.train_config = train_config
        self.train_dir = train_dir
        self.options = options
        self.say = say
        self.evaluation: TrainingEvaluation | None = None
        self.record_files: Sequence[str] = ()
        self.file_changes: Callable[[], Sequence[str]] | None = None
        self.cut = CutBoxes(0, "")
        self.bad = bad_numbers.BadNumbers(
            graph.guard, train_config.non_finite, train_dir, record, say
        )
        self._num_steps = train_config.num_steps
        self._step = 0
        self._losses: dict[str, float] = {}
        self._checkpoint = ""
        self._saved_step: int | None = None
        self._saved_at = time.monotonic()
        self._progress = Progress(self._num_steps)
        self._graph_written = False
        self._stop_requested: Callable[[], bool] = lambda: False

    @functools.cached_property
    def saver(self) -> CheckpointStore:
        """Saves and restores all variables; made when it is first needed, which takes a while."""
        return CheckpointStore(
            self.train_dir,
            self.options.max_to_keep,
            self.train_config.keep_checkpoint_every_n_hours,
        )

    def begin_at(self, checkpoint: str | None) -> str:
        """Notes where the training begins.

        Args:
            checkpoint: that the variables come from; None at the start of a training.

        Returns:
            Why not even one step is wanted, and what to do; empty if there is something to do.
        """
        self._step = training_checkpoints.step_of(checkpoint)
        self._checkpoint = checkpoint or ""
        if checkpoint:
            self._saved_step = self._step
        return self._nothing_to_do()

    def run(self, session: tf.Session) -> Outcome:
        """Runs steps in a session whose variables have their values."""
        writer = EventFile(self.train_dir, self.say)
        if self._checkpoint:
            # Of steps after the last checkpoint TensorBoard was told before a kill, perhaps.
            _tell_of_start(writer, self._step)
        self.say(f"Training from step {self._step} to {self._num_steps or 'the end of time'}.")
        self._progress = Progress(self._num_steps)
        self._saved_at = time.monotonic()
        reason = ""
        with interruption.as_question() as self._stop_requested:
            ended = False
            while not (ended or self._stop_requested()):
                reason, ended = self._turn(session, writer)
            interrupted = self._stop_requested()
            try:
                # A training that has not begun has nothing to save.
                if self._step or not interrupted:
                    self._save(session)
            except bad_numbers.GoBack as asked:
                self._go_back(session, writer, asked)
        writer.close()
        self._say_news(self.cut.news(growth=1))
        word = "Interrupted" if interrupted else "Stopped early" if reason else "Finished"
        because = f": {reason}" if reason and not interrupted else ""
        saved = f"saved {self._checkpoint}" if self._checkpoint else "there is nothing to save"
        self.say(f"{word} at step {self._step}{because}; {saved}.")
        self._say_news(self.bad.record.words())
        return self.outcome(interrupted)

    def _turn(self, session: tf.Session, writer: EventFile) -> tuple[str, bool]:
        """What is due, and a step: why the training ends early, if it does; whether it ends."""
        try:
            return self._due(session, writer)
        except bad_numbers.GoBack as asked:
            self._go_back(session, writer, asked)
            return "", False

    def _due(self, session: tf.Session, writer: EventFile) -> tuple[str, bool]:
        if self.bad.goes_back and not self._checkpoint:
            self._save(session)
        self._evaluate_if_due(session)
        if self._stop_requested():
            return "", True
        reason = self._reason_to_stop()
        if reason or self._is_done():
            self._save(session)
            return reason, True
        if not self._run_step(session, writer):
            self.say("The input has ended (train_input_reader.num_epochs).")
            return "", True
        for counts, step in self.bad.summaries():
            writer.add_summary(counts, step)
        if time.monotonic() - self._saved_at > self.options.save_every_secs:
            self._save(session)
        return "", False

    def _go_back(self, session: tf.Session, writer: EventFile, asked: bad_numbers.GoBack) -> None:
        """Goes on from the last checkpoint, with the data that follow."""
        begin = time.monotonic()
        self._checkpoint = self.bad.go_back(session, self.saver, asked.step)
        self._step = training_checkpoints.step_of(self._checkpoint)
        self._saved_step = self._step
        if self.evaluation:
            self.evaluation.forget_after(self._step)
        # TensorBoard leaves out what it was told of steps from here on.
        _tell_of_start(writer, self._step)
        self._progress.leave_out(time.monotonic() - begin)

    def _is_done(self) -> bool:
        return bool(self._num_steps) and self._step >= self._num_steps

    def _reason_to_stop(self) -> str:
        return self.evaluation.reason_to_stop() if self.evaluation else ""

    def _nothing_to_do(self) -> str:
        """Why not even one step is wanted; empty if there is something to do."""
        if self.evaluation and self._step and self.evaluation.is_due(self._step):
            return ""
        if self._is_done():
            return (
                f"{self.train_dir} is at step {self._step} of {self._num_steps}. For more steps "
                "raise train_config.num_steps; for another training give another --train_dir."
            )
        reason = self._reason_to_stop()
        return reason and (
            f"{self.train_dir} was stopped early: {reason}. A larger patience lets it go on."
        )

    def outcome(self, interrupted: bool = False) -> Outcome:
        """How the training stands."""
        early = bool(self._reason_to_stop()) and not interrupted
        skipped, returns = self.bad.record.skipped, self.bad.record.returns
        return Outcome(
            self._step, self._losses, interrupted, self._checkpoint, early, skipped, returns
        )

    def _save(self, session: tf.Session) -> None:
        if self._saved_step != self._step:
            self.bad.before_saving(session, self._step)
            self._checkpoint = self.saver.save(session, self._step)
            self._saved_step = self._step
        self._saved_at = time.monotonic()

    def _evaluate_if_due(self, session: tf.Session) -> None:
        if not self.evaluation or not self.evaluation.is_due(self._step):
            return
        begin = time.monotonic()
        self._save(session)
        if self._stop_requested():
            return
        try:
            with interruption.as_exception():
                self.evaluation.run(self._checkpoint, self._step)
        except KeyboardInterrupt:
            # Whoever wants an end does not want to wait for pictures.
            self.say(
                f"The evaluation of step {self._step} is left out, and made at the next start."
            )
        self._progress.leave_out(time.monotonic() - begin)

    def _run_step(self, session: tf.Session, writer: EventFile) -> bool:
        """One step, and what is said of it; false if the input has ended."""
        graph = self.graph
        wants_summary = self._step % self.options.summary_every_steps == 0
        # For each set of fetches TensorFlow prepares the whole graph anew, which takes seconds; a
        # summary of a few numbers takes microseconds. Norms of all gradients take longer.
        fetches_summary = wants_summary or not self.train_config.summarize_gradients
        fetches = (
            graph.train_op,
            graph.losses,
            graph.data_seconds,
            graph.batch_size,
            graph.num_boxes,
            graph.summary if fetches_summary else (),
        )
        try:
            values = session.run(fetches)
        except tf.errors.OutOfRangeError:
            return False
        except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
            if step_guard.failed(error):
                self._after_bad_step(session)
                return True
            reason = graph_errors.reason(error, self.record_files, self.file_changes)
            raise DataError(f"Step {self._step + 1}: {reason}") from error
        self._step += 1
        _, losses, waited, pictures, num_boxes, summary = values
        self.cut.count(num_boxes)
        self._losses = {name: float(value) for name, value in losses.items()}
        self._progress.count(self._losses, int(pictures), float(waited))
        if not self._graph_written:
            # After the first step, which shows sooner whether all is well.
            writer.add_graph(session.graph)
            self._graph_written = True
        if wants_summary:
            writer.add_summary(summary, self._step)
        if self._step % self.options.log_every_steps == 0 or self._step == self._num_steps:
            self.say(
                f"step {self._step}/{self._num_steps or '-'}: {self._progress.words(self._step)}"
            )
            self._say_news(self.cut.news())
        return True

    def _after_bad_step(self, session: tf.Session) -> None:
        """Counts a step that has changed nothing, unless it ends the training or sends it back."""
        begin = time.monotonic()

        def save() -> str:
            self._save(session)
            return self._checkpoint

        self.bad.after_bad_step(session, self._step + 1, save)
        self._step += 1
        self._progress.leave_out(time.monotonic() - begin)

    def _say_news(self, news: str | None) -> None:
        if news:
            self.say(news)


def _tell_of_start(writer: EventFile, step: int) -> None:
    """Lets TensorBoard leave out what it was told of later steps."""
    writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), step + 1)
