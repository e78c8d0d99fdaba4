"""The training loop: starts or goes on, runs steps, saves, evaluates, ends.

The step's graph is in `training_graph`, where it begins in `training_checkpoints`, what is said of
steps in `training_progress`, evaluation and the best checkpoint in `training_evaluation`.
"""

import contextlib
import dataclasses
import functools
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection import inputs
from object_detection.builders import dataset_builder, model_builder, preprocessor_builder
from object_detection.core.model import DetectionModel
from object_detection.errors import ConfigError, DataError
from object_detection.legacy import (
    bad_numbers,
    queued_inputs,
    step_guard,
    training_checkpoints,
    training_graph,
    training_session,
)
from object_detection.legacy.bad_step_record import Record
from object_detection.legacy.training_evaluation import TrainingEvaluation
from object_detection.legacy.training_graph import StepGraph, build_step
from object_detection.legacy.training_progress import Progress
from object_detection.utils import crowd_config, graph_errors
from object_detection.utils.cut_boxes import CutBoxes

logger = logging.getLogger(__name__)

Sample = dict[str, tf.Tensor]

__all__ = [
    "LoopOptions",
    "Outcome",
    "StepGraph",
    "build_step",
    "create_input_queue",
    "get_inputs",
    "train",
    "train_model",
]

# Samples through queues are a page of their own; users find these here.
create_input_queue = queued_inputs.create_input_queue
get_inputs = queued_inputs.get_inputs


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


@contextlib.contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Turns SIGTERM and Ctrl-C into a question that the loop asks between steps."""
    asked: list[int] = []

    def remember(number: int, _: Any) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    previous = {}
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            previous[number] = signal.signal(number, remember)
    except ValueError:
        # Only the main thread may set handlers; elsewhere the caller owns interruption.
        logger.debug("not in the main thread: signals are left alone")
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def train_model(
    configs: dict[str, Any],
    train_dir: str,
    options: LoopOptions | None = None,
    say: Callable[[str], None] = logger.info,
    graph_hook_fn: Callable[[], None] | None = None,
) -> Outcome:
    """Trains the model of `configs` in `train_dir`, going on where an earlier run stopped.

    Args:
        configs: as `config_util.get_configs_from_pipeline_file` returns them.
        train_dir: directory of checkpoints and TensorBoard files; made if absent.
        options: settings of the loop.
        say: takes each line for the user.
        graph_hook_fn: called when the losses stand, before gradients; or None.

    Raises:
        CheckpointError: a checkpoint is absent or does not fit.
        ConfigError: the config contradicts itself.
        DataError: the loss is not finite, or the records cannot be used.
    """
    options = options or LoopOptions()
    train_config = configs["train_config"]
    os.makedirs(train_dir, exist_ok=True)
    seed = training_checkpoints.seed_of(train_dir, options.seed, say)
    latest = tf.train.latest_checkpoint(train_dir)
    step = training_checkpoints.step_of(latest)
    record = Record(train_dir, step if latest else None)
    evaluation = (
        TrainingEvaluation(configs, train_dir, step, say)
        if train_config.HasField("evaluation")
        else None
    )
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        model = model_builder.build(configs["model"], is_training=True)
        reader = configs["train_input_config"]
        # Decoding and augmentation belong to the CPU whatever the model runs on.
        with tf.device("/cpu:0"):
            dataset = inputs.training_dataset(
                train_config,
                reader,
                configs["model"],
                model,
                seed,
                start=(step + record.ahead) * train_config.batch_size,
            )
        waiting = dataset_builder.shuffle_bytes(reader) / 1e6
        if waiting:
            say(
                f"Shuffling holds up to {reader.shuffle_buffer_size} encoded records: about "
                f"{waiting:.3g} MB."
            )
        with tf.device("/cpu:0" if options.on_cpu else None):
            step_graph = build_step(model, dataset, train_config, graph_hook_fn, seed)
        loop = _Loop(step_graph, train_config, train_dir, options, say, record)
        loop.evaluation = evaluation
        loop.record_files = reader.tf_record_input_reader.input_path
        loop.cut = CutBoxes(*crowd_config.training_limit(train_config, reader))
        return _run(model, loop)


def _run(model: DetectionModel, loop: "_Loop") -> Outcome:
    """Initialises the variables of the default graph, or restores them, and runs the loop."""
    latest = tf.train.latest_checkpoint(loop.train_dir)
    fine_tune = (
        None
        if latest
        else training_checkpoints.fine_tune_restorer(
            model, loop.train_config, loop.graph.model_variables, loop.say
        )
    )
    with tf.Session(config=training_session.session_config()) as session:
        session.run(
            [
                tf.global_variables_initializer(),
                tf.local_variables_initializer(),
                tf.tables_initializer(),
            ]
        )
        if latest:
            training_checkpoints.resume(session, loop.saver, latest, loop.say)
        elif fine_tune:
            fine_tune(session)
            restart = loop.graph.restart_averages
            # Each set of operations that is run is prepared first, be it for nothing.
            if restart.type != "NoOp" or restart.control_inputs:
                session.run(restart)
        with queued_inputs.filled_queues(session):
            return loop.run(session, latest)


class _Loop:
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

    @functools.cached_property
    def saver(self) -> tf.train.Saver:
        """Saves and restores all variables; made when it is first needed, which takes a while."""
        return training_checkpoints.make_saver(self.train_config, self.options.max_to_keep)

    def run(self, session: tf.Session, latest: str | None) -> Outcome:
        """Runs steps in a session whose variables have their values.

        Args:
            session: in which the variables are.
            latest: the checkpoint that they come from; None at the start of a training.
        """
        self._step = training_checkpoints.step_of(latest)
        self._checkpoint = latest or ""
        if self._checkpoint:
            self._saved_step = self._step
        nothing = self._nothing_to_do()
        if nothing:
            self.say(f"Nothing to do: {nothing}.")
            return self._outcome(interrupted=False)
        writer = tf.summary.FileWriter(self.train_dir)
        self.say(f"Training from step {self._step} to {self._num_steps or 'the end of time'}.")
        self._progress = Progress(self._num_steps)
        self._saved_at = time.monotonic()
        reason = ""
        with _stop_requests() as stop_requested:
            ended = False
            while not (ended or stop_requested()):
                reason, ended = self._turn(session, writer)
            interrupted = stop_requested()
            try:
                self._save(session)
            except bad_numbers.GoBack as asked:
                self._go_back(session, writer, asked)
        writer.close()
        self._say_news(self.cut.news(growth=1))
        word = "Interrupted" if interrupted else "Stopped early" if reason else "Finished"
        because = f": {reason}" if reason and not interrupted else ""
        self.say(f"{word} at step {self._step}{because}; saved {self._checkpoint}.")
        self._say_news(self.bad.record.words())
        return self._outcome(interrupted)

    def _turn(self, session: tf.Session, writer: tf.summary.FileWriter) -> tuple[str, bool]:
        """What is due, and a step: why the training ends early, if it does; whether it ends."""
        try:
            return self._due(session, writer)
        except bad_numbers.GoBack as asked:
            self._go_back(session, writer, asked)
            return "", False

    def _due(self, session: tf.Session, writer: tf.summary.FileWriter) -> tuple[str, bool]:
        if self.bad.goes_back and not self._checkpoint:
            self._save(session)
        self._evaluate_if_due(session)
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

    def _go_back(
        self, session: tf.Session, writer: tf.summary.FileWriter, asked: bad_numbers.GoBack
    ) -> None:
        """Goes on from the last checkpoint, with the data that follow."""
        begin = time.monotonic()
        self._checkpoint = self.bad.go_back(session, self.saver, asked.step)
        self._step = training_checkpoints.step_of(self._checkpoint)
        self._saved_step = self._step
        if self.evaluation:
            self.evaluation.forget_after(self._step)
        # TensorBoard leaves out what it was told of steps from here on.
        writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), self._step + 1)
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
            return f"{self.train_dir} is at step {self._step} of {self._num_steps}"
        return self._reason_to_stop()

    def _outcome(self, interrupted: bool) -> Outcome:
        early = bool(self._reason_to_stop()) and not interrupted
        skipped, returns = self.bad.record.skipped, self.bad.record.returns
        return Outcome(
            self._step, self._losses, interrupted, self._checkpoint, early, skipped, returns
        )

    def _save(self, session: tf.Session) -> None:
        if self._saved_step != self._step:
            self.bad.before_saving(session, self._step)
            prefix = os.path.join(self.train_dir, "model.ckpt")
            self._checkpoint = self.saver.save(session, prefix, global_step=self._step)
            self._saved_step = self._step
        self._saved_at = time.monotonic()

    def _evaluate_if_due(self, session: tf.Session) -> None:
        if not self.evaluation or not self.evaluation.is_due(self._step):
            return
        begin = time.monotonic()
        self._save(session)
        self.evaluation.run(self._checkpoint, self._step)
        self._progress.leave_out(time.monotonic() - begin)

    def _run_step(self, session: tf.Session, writer: tf.summary.FileWriter) -> bool:
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
            raise DataError(
                f"Step {self._step + 1}: {graph_errors.reason(error, self.record_files)}"
            ) from error
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


def train(
    create_tensor_dict_fn: Callable[[], Sample],
    create_model_fn: Callable[[], DetectionModel],
    train_config: Any,
    master: str,
    task: int,
    num_clones: int,
    worker_replicas: int,
    clone_on_cpu: bool,
    ps_tasks: int,
    worker_job_name: str,
    is_chief: bool,
    train_dir: str,
    graph_hook_fn: Callable[[], None] | None = None,
) -> Outcome:
    """Trains a model on samples that a function gives, in this process.

    Args:
        create_tensor_dict_fn: gives the tensors of one sample, keyed by `InputDataFields`.
        create_model_fn: gives the model, built for training.
        train_config: `TrainConfig` message.
        master: must be "".
        task: must be 0.
        num_clones: must be 1.
        worker_replicas: must be 1.
        clone_on_cpu: keeps the model off the GPU.
        ps_tasks: must be 0.
        worker_job_name: of no effect in one process.
        is_chief: must be True.
        train_dir: directory of checkpoints and TensorBoard files; made if absent.
        graph_hook_fn: called when the losses stand, before gradients; or None.

    Returns:
        How the training ended.

    Raises:
        ConfigError: several machines or clones are asked for, or the config contradicts itself.
    """
    del worker_job_name
    for name, value, only in (
        ("master", master, ""),
        ("task", task, 0),
        ("num_clones", num_clones, 1),
        ("worker_replicas", worker_replicas, 1),
        ("ps_tasks", ps_tasks, 0),
        ("is_chief", is_chief, True),
    ):
        if value != only:
            raise ConfigError(
                f"{name} is {value!r}: training on several clones or machines is not available; "
                f"use {only!r}."
            )
    if train_config.HasField("evaluation"):
        raise ConfigError(
            "train_config.evaluation: this function knows no pictures to evaluate on; use "
            "train_model with a whole pipeline config."
        )
    options = LoopOptions(on_cpu=clone_on_cpu)
    os.makedirs(train_dir, exist_ok=True)
    with tf.Graph().as_default():
        model = create_model_fn()
        with tf.device("/cpu:0"):
            queue = queued_inputs.create_input_queue(
                train_config.batch_size,
                create_tensor_dict_fn,
                train_config.batch_queue_capacity,
                train_config.num_batch_queue_threads,
                train_config.prefetch_queue_capacity,
                [preprocessor_builder.build(s) for s in train_config.data_augmentation_options],
            )
            samples, data_seconds = training_graph.timed(queue.dequeue)
        with tf.device("/cpu:0" if clone_on_cpu else None):
            step_graph = training_graph.finish_step(
                model,
                queued_inputs.losses_of_samples(model, samples, train_config),
                train_config,
                graph_hook_fn,
                data_seconds,
                tf.constant(train_config.batch_size),
                queued_inputs.flat(samples),
            )
        latest = tf.train.latest_checkpoint(train_dir)
        record = Record(train_dir, training_checkpoints.step_of(latest) if latest else None)
        return _run(model, _Loop(step_graph, train_config, train_dir, options, logger.info, record))
