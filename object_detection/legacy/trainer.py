"""The training loop: graph of one step, restoring, logging, saving.

Axes: B images, M groundtruth boxes (padded), K keypoints.
"""

import contextlib
import dataclasses
import logging
import math
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection import inputs
from object_detection.builders import (
    dataset_builder,
    model_builder,
    optimizer_builder,
    preprocessor_builder,
)
from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.errors import CheckpointError, ConfigError, DataError
from object_detection.legacy import queued_inputs
from object_detection.utils import crowd_config, graph_errors, variables_helper
from object_detection.utils.cut_boxes import CutBoxes

logger = logging.getLogger(__name__)

Inputs = fields.InputDataFields
Sample = dict[str, tf.Tensor]

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
    seed: int | None = None
    on_cpu: bool = False  # keep the model off the GPU


class StepGraph(NamedTuple):
    """The tensors of one training step."""

    train_op: tf.Tensor
    global_step: tf.Variable
    losses: dict[str, tf.Tensor]  # by name, TotalLoss among them
    learning_rate: tf.Tensor
    data_seconds: tf.Tensor  # time that the step waited for its batch
    batch_size: tf.Tensor
    summary: tf.Tensor
    model_variables: frozenset[str]  # names; without the optimizer's own
    num_boxes: Any = ()  # [B] of the pictures, before those beyond the limit were cut, if known


class Outcome(NamedTuple):
    """How a run of the loop ended."""

    step: int
    losses: dict[str, float]  # of the last step
    interrupted: bool
    checkpoint: str


def _timed(make: Callable[[], Any]) -> tuple[Any, tf.Tensor]:
    """What `make` gives, and the seconds that the step had to wait for it."""
    before = tf.timestamp()
    with tf.control_dependencies([before]):
        values = make()
    tensors = [value for value in tf.nest.flatten(values) if isinstance(value, tf.Tensor)]
    with tf.control_dependencies(tensors):
        after = tf.timestamp()
    return values, after - before


def _prepare_gradients(
    gradients: variables_helper.GradientsAndVariables, train_config: Any
) -> variables_helper.GradientsAndVariables:
    if train_config.bias_grad_multiplier:
        gradients = variables_helper.multiply_gradients_matching_regex(
            gradients, [".*/biases"], train_config.bias_grad_multiplier
        )
    if train_config.update_trainable_variables:
        chosen = {
            variable.op.name
            for variable in variables_helper.filter_variables(
                [v for _, v in gradients], train_config.update_trainable_variables, invert=True
            )
        }
        gradients = [(g, variable) for g, variable in gradients if variable.op.name in chosen]
    if train_config.freeze_variables:
        gradients = variables_helper.freeze_gradients_matching_regex(
            gradients, train_config.freeze_variables
        )
    if not gradients:
        raise ConfigError(
            "train_config: update_trainable_variables and freeze_variables leave no variable to "
            "train; loosen one of the patterns."
        )
    if train_config.gradient_clipping_by_norm > 0:
        with tf.name_scope("clip_grads"):
            # Each gradient by itself, as configs for the OD API expect, not the global norm.
            gradients = [
                (
                    tf.clip_by_norm(g, train_config.gradient_clipping_by_norm)
                    if g is not None
                    else g,
                    v,
                )
                for g, v in gradients
            ]
    return gradients


def build_step(
    model: DetectionModel, dataset: tf.data.Dataset, train_config: Any, graph_hook_fn: Any = None
) -> StepGraph:
    """Adds the graph of a training step to the default graph.

    Args:
        model: the model, built for training.
        dataset: of batches as `inputs.training_dataset` gives them.
        train_config: `TrainConfig` message.
        graph_hook_fn: called after the losses stand, before gradients are taken; or None.
    """
    iterator = dataset_builder.make_initializable_iterator(dataset)
    batch, data_seconds = _timed(iterator.get_next)
    images, true_shapes = batch[Inputs.image], batch[Inputs.true_image_shape]
    # Before predict: a second stage trains on proposals that are sampled by the groundtruth.
    inputs.provide_batch(model, batch)
    predictions = model.predict(images, true_shapes)
    losses = model.loss(predictions, true_shapes)
    step = _finish_step(
        model, losses, train_config, graph_hook_fn, data_seconds, tf.shape(images)[0]
    )
    return step._replace(num_boxes=batch.get(inputs.NUM_BOXES_BEFORE_CUT, ()))


def _finish_step(
    model: DetectionModel,
    model_losses: dict[str, tf.Tensor],
    train_config: Any,
    graph_hook_fn: Any,
    data_seconds: tf.Tensor,
    batch_size: tf.Tensor,
) -> StepGraph:
    """Adds regularisation, gradients and updates to a graph that has the model's losses."""
    global_step = tf.train.get_or_create_global_step()
    losses = dict(model_losses)
    if train_config.add_regularization_loss:
        regularization = model.regularization_losses()
        if regularization:
            losses["Loss/regularization_loss"] = tf.add_n(
                regularization, name="regularization_loss"
            )
    total = tf.add_n(list(losses.values()), name="TotalLoss")
    losses["Loss/TotalLoss"] = total
    model_variables = frozenset(variable.op.name for variable in tf.global_variables())
    if graph_hook_fn:
        graph_hook_fn()
    optimizer, summary_values = optimizer_builder.build(train_config.optimizer, global_step)
    gradients = optimizer.compute_gradients(total, tf.trainable_variables())
    gradients = _prepare_gradients(gradients, train_config)
    with tf.control_dependencies(model.updates() or []):
        updated = optimizer.apply_gradients(gradients, global_step=global_step)
    with tf.control_dependencies([updated]):
        train_op = tf.identity(total, name="train_op")
    for name, value in losses.items():
        tf.summary.scalar(name.replace("Loss/", "Losses/", 1), value)
    learning_rate = summary_values[0] if summary_values else tf.constant(float("nan"))
    tf.summary.scalar("LearningRate", learning_rate)
    if train_config.summarize_gradients:
        for gradient, variable in gradients:
            if gradient is not None:
                tf.summary.scalar(f"Gradients/{variable.op.name}", tf.norm(gradient))
    return StepGraph(
        train_op=train_op,
        global_step=global_step,
        losses=losses,
        learning_rate=tf.convert_to_tensor(learning_rate),
        data_seconds=data_seconds,
        batch_size=batch_size,
        summary=tf.summary.merge_all(),
        model_variables=model_variables,
    )


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


class _Progress:
    """Mean losses, pictures per second, share of waiting, time to go: since the last line."""

    def __init__(self, num_steps: int) -> None:
        self._num_steps = num_steps
        self._restart()

    def _restart(self) -> None:
        self._begin = time.monotonic()
        self._steps = 0
        self._pictures = 0
        self._waited = 0.0
        self._losses: dict[str, float] = {}

    def count(self, losses: dict[str, float], pictures: int, waited: float) -> None:
        self._steps += 1
        for name, value in losses.items():
            self._losses[name] = self._losses.get(name, 0.0) + value
        self._pictures += pictures
        self._waited += waited

    def words(self, step: int) -> str:
        seconds = max(time.monotonic() - self._begin, 1e-9)
        per_step = seconds / max(self._steps, 1)
        # One batch says little; the mean shows where the training goes.
        losses = ", ".join(
            f"{name.removeprefix('Loss/')} {total / max(self._steps, 1):.4f}"
            for name, total in self._losses.items()
        )
        words = (
            f"{losses}; {self._pictures / seconds:.1f} pictures/s ({per_step:.3f} s/step), "
            f"{min(self._waited / seconds, 1.0):.0%} waiting for data"
        )
        if self._num_steps:
            left = int((self._num_steps - step) * per_step)
            words += f", ETA {left // 3600:d}:{left // 60 % 60:02d}:{left % 60:02d}"
        self._restart()
        return words


def _check_finite(losses: dict[str, float], step: int) -> None:
    broken = [name for name, value in losses.items() if not math.isfinite(value)]
    if broken:
        values = ", ".join(f"{name} {value}" for name, value in losses.items())
        raise DataError(
            f"Step {step}: {', '.join(broken)} is not finite ({values}). The last checkpoint is "
            "intact. Lower the learning rate, set gradient_clipping_by_norm, or look for bad boxes "
            "in the data."
        )


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
    with tf.Graph().as_default():
        if options.seed is not None:
            tf.set_random_seed(options.seed)
        model = model_builder.build(configs["model"], is_training=True)
        # Decoding and augmentation belong to the CPU whatever the model runs on.
        with tf.device("/cpu:0"):
            dataset = inputs.training_dataset(
                train_config, configs["train_input_config"], configs["model"], model, options.seed
            )
        with tf.device("/cpu:0" if options.on_cpu else None):
            step_graph = build_step(model, dataset, train_config, graph_hook_fn)
        reader = configs["train_input_config"]
        record_files = reader.tf_record_input_reader.input_path
        cut = CutBoxes(*crowd_config.training_limit(train_config, reader))
        return _run(model, step_graph, train_config, train_dir, options, say, record_files, cut)


def _run(
    model: DetectionModel,
    step_graph: StepGraph,
    train_config: Any,
    train_dir: str,
    options: LoopOptions,
    say: Callable[[str], None],
    record_files: Sequence[str] = (),
    cut: CutBoxes | None = None,
) -> Outcome:
    """Initialises the variables of the default graph, or restores them, and runs the loop."""
    latest = tf.train.latest_checkpoint(train_dir)
    fine_tune = (
        None if latest else fine_tune_restorer(model, train_config, step_graph.model_variables, say)
    )
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
        session.run(
            [
                tf.global_variables_initializer(),
                tf.local_variables_initializer(),
                tf.tables_initializer(),
            ]
        )
        saver = _make_saver(train_config, options)
        if latest:
            _resume(session, saver, latest, say)
        elif fine_tune:
            fine_tune(session)
        with _filled_queues(session):
            return _loop(
                session, step_graph, saver, train_config, train_dir, options, say, record_files, cut
            )


@contextlib.contextmanager
def _filled_queues(session: tf.Session) -> Iterator[None]:
    """Runs the threads that fill the graph's queues, if it has any."""
    if not tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS):
        yield
        return
    coordinator = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(session, coordinator)
    try:
        yield
    finally:
        coordinator.request_stop()
        coordinator.join(threads, stop_grace_period_secs=20, ignore_live_threads=True)


def _make_saver(train_config: Any, options: LoopOptions) -> tf.train.Saver:
    return tf.train.Saver(
        max_to_keep=options.max_to_keep,
        # A train_dir that is moved or copied names its own checkpoints.
        save_relative_paths=True,
        keep_checkpoint_every_n_hours=train_config.keep_checkpoint_every_n_hours,
    )


def _resume(
    session: tf.Session, saver: tf.train.Saver, latest: str, say: Callable[[str], None]
) -> None:
    match = variables_helper.match_checkpoint(tf.global_variables(), latest)
    if match.missing or match.other_shape:
        raise CheckpointError(
            "train_dir holds a checkpoint of another model. Use an empty train_dir, or name the "
            "checkpoint as train_config.fine_tune_checkpoint.\n" + match.misfit(latest)
        )
    variables_helper.restore_whole(saver, session, latest)
    say(f"Resuming from {latest}.")


def _loop(
    session: tf.Session,
    graph: StepGraph,
    saver: tf.train.Saver,
    train_config: Any,
    train_dir: str,
    options: LoopOptions,
    say: Callable[[str], None],
    record_files: Sequence[str],
    cut: CutBoxes | None = None,
) -> Outcome:
    prefix = os.path.join(train_dir, "model.ckpt")
    writer = tf.summary.FileWriter(train_dir, session.graph)
    step = int(session.run(graph.global_step))
    num_steps = train_config.num_steps
    losses: dict[str, float] = {}
    checkpoint = tf.train.latest_checkpoint(train_dir) or ""
    if num_steps and step >= num_steps:
        say(f"Nothing to do: {train_dir} is at step {step} of {num_steps}.")
        return Outcome(step, losses, False, checkpoint)
    fetches = (graph.train_op, graph.losses, graph.data_seconds, graph.batch_size, graph.num_boxes)
    cut = cut or CutBoxes(0, "")
    progress, saved_at = _Progress(num_steps), time.monotonic()
    say(f"Training from step {step} to {num_steps or 'the end of time'}.")
    with _stop_requests() as stop_requested:
        while not (num_steps and step >= num_steps) and not stop_requested():
            wants_summary = step % options.summary_every_steps == 0
            try:
                values, summary = session.run((fetches, graph.summary if wants_summary else ()))
            except tf.errors.OutOfRangeError:
                say("The input has ended (train_input_reader.num_epochs).")
                break
            except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
                raise DataError(
                    f"Step {step + 1}: {graph_errors.reason(error, record_files)}"
                ) from error
            step += 1
            _, losses, waited, pictures, num_boxes = values
            cut.count(num_boxes)
            losses = {name: float(value) for name, value in losses.items()}
            _check_finite(losses, step)
            progress.count(losses, int(pictures), float(waited))
            if wants_summary:
                writer.add_summary(summary, step)
            if step % options.log_every_steps == 0 or step == num_steps:
                say(f"step {step}/{num_steps or '-'}: {progress.words(step)}")
                news = cut.news()
                if news:
                    say(news)
            if time.monotonic() - saved_at > options.save_every_secs:
                checkpoint = saver.save(session, prefix, global_step=step)
                saved_at = time.monotonic()
        interrupted = stop_requested()
        checkpoint = saver.save(session, prefix, global_step=step)
    writer.close()
    news = cut.news(growth=1)
    if news:
        say(news)
    say(f"{'Interrupted' if interrupted else 'Finished'} at step {step}; saved {checkpoint}.")
    return Outcome(step, losses, interrupted, checkpoint)


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
            samples, data_seconds = _timed(queue.dequeue)
        with tf.device("/cpu:0" if clone_on_cpu else None):
            step_graph = _finish_step(
                model,
                queued_inputs.losses_of_samples(model, samples, train_config),
                train_config,
                graph_hook_fn,
                data_seconds,
                tf.constant(train_config.batch_size),
            )
        return _run(model, step_graph, train_config, train_dir, options, logger.info)
