"""Evaluates each checkpoint that a training writes, in one graph."""

import logging
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.errors import CheckpointError, ConfigError
from object_detection.eval_util import reports
from object_detection.metrics.coco_evaluation import CocoDetectionEvaluator, CocoMaskEvaluator
from object_detection.metrics.detection_evaluator import DetectionEvaluator
from object_detection.utils import checkpoint_files

logger = logging.getLogger(__name__)

Arrays = dict[str, Any]
# (tensors, session, number of the batch, counters, losses_dict=...) -> arrays, losses.
BatchProcessor = Callable[..., tuple[Arrays, Arrays]]


def run_batch(
    tensors: Arrays,
    session: tf.Session,
    batch_index: int,
    counters: Counter[str],
    losses_dict: Arrays | None = None,
) -> tuple[Arrays, Arrays]:
    """Fetches a picture and its losses; nothing if its data are damaged.

    Args:
        tensors: of the picture.
        session: to fetch with.
        batch_index: its number.
        counters: `success` and `skipped`, counted up.
        losses_dict: scalar tensors.

    Returns:
        The arrays, the losses.
    """
    try:
        arrays, losses = session.run([tensors, losses_dict or {}])
    except tf.errors.InvalidArgumentError as error:
        logger.warning("Picture %d is left out: %s", batch_index, error.message)
        counters["skipped"] += 1
        return {}, {}
    counters["success"] += 1
    return arrays, losses


class _Start:
    """How a session of the default graph begins: initial values, then those of a checkpoint."""

    def __init__(
        self,
        master: str,
        checkpoint_dirs: Sequence[str],
        variables_to_restore: Any,
        restore_fn: Callable[[tf.Session], Any] | None,
    ) -> None:
        self._master = master
        self._checkpoint_dirs = checkpoint_dirs
        self._restore_fn = restore_fn
        self._saver: Any = None if restore_fn else tf.train.Saver(variables_to_restore)
        self._initializers = [
            tf.global_variables_initializer(),
            tf.local_variables_initializer(),
            tf.tables_initializer(),
        ]

    def session(self) -> tf.Session:
        """A session to close.

        Raises:
            CheckpointError: a directory has no checkpoint.
        """
        session = tf.Session(self._master, config=tf.ConfigProto(allow_soft_placement=True))
        session.run(self._initializers)
        if self._restore_fn:
            self._restore_fn(session)
            return session
        for directory in self._checkpoint_dirs:
            checkpoint = checkpoint_files.latest_whole(directory)
            if not checkpoint:
                session.close()
                raise CheckpointError(f"{directory}: there is no checkpoint.")
            self._saver.restore(session, checkpoint)
        return session


def _merged_metrics(evaluators: Sequence[DetectionEvaluator]) -> dict[str, Any]:
    """What all evaluators report; they forget their pictures.

    Raises:
        ConfigError: two report a metric of the same name.
    """
    merged: dict[str, Any] = {}
    for evaluator in evaluators:
        metrics = evaluator.evaluate()
        evaluator.clear()
        twice = sorted(set(merged) & set(metrics))
        if twice:
            raise ConfigError(f"Two evaluators report {', '.join(twice[:3])}; use one of them.")
        merged.update(metrics)
    return merged


class _Run:
    """One pass over the pictures, with what all checkpoints have in common."""

    def __init__(
        self,
        tensors: Arrays,
        evaluators: Sequence[DetectionEvaluator],
        batch_processor: BatchProcessor | None,
        num_batches: int,
        losses: Arrays | None,
        export_path: str | None,
    ) -> None:
        self._tensors = tensors
        self._evaluators = evaluators
        self._process = batch_processor or run_batch
        self._num_batches = num_batches
        self._losses = losses or {}
        self._export_path = export_path

    def evaluate(self, session: tf.Session) -> dict[str, Any]:
        """Metrics and mean losses over the pictures, with the variables as they are."""
        counters: Counter[str] = Counter(success=0, skipped=0)
        losses: dict[str, list[Any]] = {}
        for batch in range(int(self._num_batches)):
            try:
                arrays, batch_losses = self._process(
                    self._tensors, session, batch, counters, losses_dict=self._losses
                )
            except tf.errors.OutOfRangeError:
                logger.info("The input ended after %d pictures.", batch)
                break
            if not arrays:
                continue
            for name, value in batch_losses.items():
                losses.setdefault(name, []).append(value)
            for evaluator in self._evaluators:
                evaluator.add_single_ground_truth_image_info(batch, arrays)
                evaluator.add_single_detected_image_info(batch, arrays)
        logger.info("%d pictures, %d left out.", counters["success"], counters["skipped"])
        self._export()
        metrics = _merged_metrics(self._evaluators)
        metrics |= {f"Losses/{name}": float(np.mean(values)) for name, values in losses.items()}
        return metrics

    def _export(self) -> None:
        if not self._export_path:
            return
        for evaluator in self._evaluators:
            if isinstance(evaluator, CocoDetectionEvaluator | CocoMaskEvaluator):
                evaluator.dump_detections_to_json_file(self._export_path)


def _report_to(callback: Callable[..., Any], metrics: dict[str, Any], checkpoint: str) -> None:
    match = re.search(r"model\.ckpt-(\d+)$", checkpoint)
    if match:
        callback(int(match[1]), metrics, checkpoint)
    else:
        logger.error("%s ends in no number; process_metrics_fn is not called.", checkpoint)


def repeated_checkpoint_run(
    tensor_dict: Arrays,
    summary_dir: str,
    evaluators: Sequence[DetectionEvaluator],
    batch_processor: BatchProcessor | None = None,
    checkpoint_dirs: Sequence[str] | None = None,
    variables_to_restore: Any = None,
    restore_fn: Callable[[tf.Session], Any] | None = None,
    num_batches: int = 1,
    eval_interval_secs: float = 120,
    max_number_of_evaluations: int | None = None,
    max_evaluation_global_step: int | None = None,
    master: str = "",
    save_graph: bool = False,
    save_graph_dir: str = "",
    losses_dict: Arrays | None = None,
    eval_export_path: str | None = None,
    process_metrics_fn: Callable[..., Any] | None = None,
) -> dict[str, Any]:
    """Looks for a new checkpoint time and again, and evaluates each.

    Args:
        tensor_dict: tensors of one picture of the default graph; keys as the evaluators say.
        summary_dir: directory of TensorBoard files.
        evaluators: see `get_evaluators`; each picture is added under its number.
        batch_processor: called with (tensor_dict, session, number of the batch, counters,
            losses_dict=...); returns arrays and losses, or empty ones for a picture to leave out.
            By default it fetches both, and leaves out pictures whose data are damaged.
        checkpoint_dirs: the first is watched; all are restored from.
        variables_to_restore: list, or name -> variable; None for all.
        restore_fn: called with a session instead of restoring.
        num_batches: pictures of each evaluation; it may end earlier, with the input.
        eval_interval_secs: time from one look to the next.
        max_number_of_evaluations: looks, whether or not there was a new checkpoint; None for no
            end.
        max_evaluation_global_step: ends after a checkpoint of this step or later.
        master: of the TensorFlow session.
        save_graph: write the graph as `eval.pbtxt`.
        save_graph_dir: where to.
        losses_dict: scalar tensors, reported as `Losses/<name>`.
        eval_export_path: of a JSON file of COCO detections.
        process_metrics_fn: called with (number of the checkpoint, metrics, its path) after each
            evaluation.

    Returns:
        The last metrics; empty if there was no checkpoint.

    Raises:
        ConfigError: arguments without sense, or two evaluators that report the same.
        CheckpointError: one of several directories has no checkpoint.
    """
    _check_limits(max_number_of_evaluations, max_evaluation_global_step)
    if not checkpoint_dirs:
        raise ConfigError("checkpoint_dirs is empty; name a directory of checkpoints.")
    if save_graph and not save_graph_dir:
        raise ConfigError("save_graph needs save_graph_dir.")
    run = _Run(tensor_dict, evaluators, batch_processor, num_batches, losses_dict, eval_export_path)
    start_of_run = _Start(master, checkpoint_dirs, variables_to_restore, restore_fn)
    metrics: dict[str, Any] = {}
    previous, looks = None, 0
    while True:
        start = time.monotonic()
        checkpoint = checkpoint_files.latest_whole(checkpoint_dirs[0])
        if not checkpoint:
            logger.info("No checkpoint in %s yet.", checkpoint_dirs[0])
        elif checkpoint == previous:
            logger.info("No newer checkpoint than %s yet.", checkpoint)
        else:
            previous = checkpoint
            with start_of_run.session() as session:
                if save_graph:
                    tf.train.write_graph(session.graph_def, save_graph_dir, "eval.pbtxt")
                metrics, step = _evaluate(run, session)
            if process_metrics_fn:
                _report_to(process_metrics_fn, metrics, checkpoint)
            if summary_dir:
                os.makedirs(summary_dir, exist_ok=True)
                reports.write_metrics(metrics, step, summary_dir)
            if max_evaluation_global_step and step >= max_evaluation_global_step:
                return metrics
        looks += 1
        if max_number_of_evaluations and looks >= max_number_of_evaluations:
            return metrics
        time.sleep(max(start + eval_interval_secs - time.monotonic(), 0.0))


def _check_limits(looks: int | None, step: int | None) -> None:
    for name, value in (("max_number_of_evaluations", looks), ("max_evaluation_global_step", step)):
        if value is not None and value <= 0:
            raise ConfigError(f"{name} is {value}; give a number above 0, or None for no limit.")


def _evaluate(run: _Run, session: tf.Session) -> tuple[dict[str, Any], int]:
    """Metrics and the global step, with the input running."""
    coordinator = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(session, coordinator)
    try:
        metrics = run.evaluate(session)
    finally:
        coordinator.request_stop()
        coordinator.join(threads, stop_grace_period_secs=10)
    step = tf.train.get_global_step()
    return metrics, 0 if step is None else int(session.run(step))
