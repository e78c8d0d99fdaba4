"""A training in its directory: starts it, or goes on with it.

The step's graph is in `training_graph`, where it begins in `training_checkpoints`, the steps are in
`training_loop`, what the directory is in `train_dir`, evaluation in `training_evaluation`.
"""

import logging
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection import inputs
from object_detection.builders import dataset_builder, model_builder, preprocessor_builder
from object_detection.builders.record_scans import RecordScans
from object_detection.core.model import DetectionModel
from object_detection.errors import ConfigError
from object_detection.legacy import (
    queued_inputs,
    training_checkpoints,
    training_graph,
    training_session,
)
from object_detection.legacy import (
    train_dir as train_dirs,
)
from object_detection.legacy.bad_step_record import Record
from object_detection.legacy.training_evaluation import TrainingEvaluation
from object_detection.legacy.training_graph import StepGraph, build_step
from object_detection.legacy.training_loop import Loop, LoopOptions, Outcome
from object_detection.utils import checkpoint_files, config_util, crowd_config
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


def train_model(
    configs: dict[str, Any],
    train_dir: str,
    options: LoopOptions | None = None,
    say: Callable[[str], None] = logger.info,
    graph_hook_fn: Callable[[], None] | None = None,
    scans: RecordScans | None = None,
) -> Outcome:
    """Trains the model of `configs` in `train_dir`, going on where an earlier run stopped.

    Args:
        configs: as `config_util.get_configs_from_pipeline_file` returns them.
        train_dir: directory of checkpoints and TensorBoard files; made if absent.
        options: settings of the loop.
        say: takes each line for the user.
        graph_hook_fn: called when the losses stand, before gradients; or None.
        scans: of the records, if they have begun already.

    Raises:
        CheckpointError: a checkpoint is absent or does not fit.
        ConfigError: the config contradicts itself, or the directory is that of something else.
        DataError: the loss is not finite, or the records cannot be used.
        StorageError: the disk is full.
    """
    # Copied now: building a graph fills some fields in.
    pipeline = config_util.create_pipeline_proto_from_configs(configs)
    options = options or LoopOptions()
    with train_dirs.opened(train_dir, say):
        start = training_checkpoints.start_of(train_dir, pipeline, options.seed, say)
        return _train(configs, start, options, say, graph_hook_fn, scans or RecordScans())


def _train(
    configs: dict[str, Any],
    start: training_checkpoints.Start,
    options: LoopOptions,
    say: Callable[[str], None],
    graph_hook_fn: Callable[[], None] | None,
    scans: RecordScans,
) -> Outcome:
    """See `train_model`, in a directory that is ours."""
    train_config = configs["train_config"]
    record = Record(start.train_dir, start.step if start.checkpoint else None)
    evaluation = (
        TrainingEvaluation(configs, start.train_dir, start.step, say)
        if train_config.HasField("evaluation")
        else None
    )
    reader = configs["train_input_config"]
    num_classes = config_util.get_number_of_classes(configs["model"])
    selection = scans.selection(reader, num_classes, start.train_dir, say, "train_input_reader")
    with tf.Graph().as_default():
        tf.set_random_seed(start.seed)
        model = model_builder.build(configs["model"], is_training=True)
        # Decoding and augmentation belong to the CPU whatever the model runs on.
        with tf.device("/cpu:0"):
            dataset = inputs.training_dataset(
                train_config,
                reader,
                configs["model"],
                model,
                start.seed,
                start=(start.step + record.ahead) * train_config.batch_size,
                selection=selection,
            )
        waiting = dataset_builder.shuffle_bytes(reader) / 1e6
        if waiting:
            say(
                f"Shuffling holds up to {reader.shuffle_buffer_size} encoded records: about "
                f"{waiting:.3g} MB."
            )
        with tf.device("/cpu:0" if options.on_cpu else None):
            step_graph = build_step(model, dataset, train_config, graph_hook_fn, start.seed)
        loop = Loop(step_graph, train_config, start.train_dir, options, say, record)
        loop.evaluation = evaluation
        loop.record_files = reader.tf_record_input_reader.input_path
        loop.file_changes = selection.changes if selection else None
        loop.cut = CutBoxes(*crowd_config.training_limit(train_config, reader))
        return _run(model, loop, start)


def _run(model: DetectionModel, loop: Loop, start: training_checkpoints.Start) -> Outcome:
    """Initialises the variables of the default graph, or restores them, and runs the loop."""
    fine_tune = (
        None
        if start.checkpoint
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
        if start.checkpoint:
            training_checkpoints.resume(session, loop.saver, start, loop.train_config, loop.say)
        elif fine_tune:
            fine_tune(session)
            restart = loop.graph.restart_averages
            # Each set of operations that is run is prepared first, be it for nothing.
            if restart.type != "NoOp" or restart.control_inputs:
                session.run(restart)
        nothing = loop.begin_at(start.checkpoint)
        if nothing:
            loop.say(f"Nothing to do: {nothing}")
            return loop.outcome()
        # Only now: a config that does not fit the checkpoint must not replace the one that does.
        start.write_down()
        with queued_inputs.filled_queues(session):
            return loop.run(session)


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
    with train_dirs.opened(train_dir, logger.info), tf.Graph().as_default():
        latest = checkpoint_files.latest_whole(train_dir, thorough=True)
        start = training_checkpoints.Start(train_dir, latest, training_checkpoints.step_of(latest))
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
        record = Record(train_dir, start.step if latest else None)
        loop = Loop(step_graph, train_config, train_dir, options, logger.info, record)
        return _run(model, loop, start)
