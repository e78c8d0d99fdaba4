"""Evaluates the checkpoints of a training as they appear.

`evaluation_graph` makes the tensors of a batch and pictures of them, `evaluation` runs over the
pictures of a checkpoint, `evaluation_reports` draws and writes; here is the wait for the next
checkpoint, and what programs of the OD API import from this path.
"""

import logging
import os
import time
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.builders.record_scans import RecordScans
from object_detection.errors import CheckpointError, ConfigError
from object_detection.legacy import sample_evaluation
from object_detection.legacy.evaluation import Evaluation
from object_detection.legacy.evaluation_reports import Result, summary_lines
from object_detection.utils import checkpoint_files, config_util, untrusted

logger = logging.getLogger(__name__)

# Evaluation of samples that a function makes is a page of its own; users find it here.
EVAL_METRICS_CLASS_DICT = sample_evaluation.EVAL_METRICS_CLASS_DICT
EVAL_DEFAULT_METRIC = sample_evaluation.EVAL_DEFAULT_METRIC
get_evaluators = sample_evaluation.get_evaluators
evaluate = sample_evaluation.evaluate


def evaluate_checkpoints(
    configs: dict[str, Any],
    checkpoint_dir: str,
    eval_dir: str,
    run_once: bool = False,
    eval_training_data: bool = False,
    say: Callable[[str], None] = logger.info,
) -> list[Result]:
    """Evaluates the newest checkpoint of a directory, and each newer one that appears.

    Args:
        configs: as `config_util.get_configs_from_pipeline_file` returns them.
        checkpoint_dir: where training writes its checkpoints.
        eval_dir: where results go.
        run_once: return after the newest checkpoint, instead of waiting for the next.
        eval_training_data: evaluate on the pictures of `train_input_reader`.
        say: takes each line for the user.

    Returns:
        The last evaluation, one result a reader; without `run_once` only `eval_config.max_evals`
        ends the wait.

    Raises:
        CheckpointError: with `run_once`, there is no checkpoint; or it does not fit.
        ConfigError: two readers have one name.
        DataError: too many records cannot be used.
    """
    config = configs["eval_config"]
    if tf.io.gfile.exists(f"{checkpoint_dir}.index"):
        raise CheckpointError(
            f"--checkpoint_dir {checkpoint_dir}: is a checkpoint. Give the folder that it lies in."
        )
    latest = checkpoint_files.latest_whole(checkpoint_dir, say)
    if run_once and not latest:
        raise CheckpointError(
            f"--checkpoint_dir {checkpoint_dir}: there is no checkpoint. Train first, or leave "
            "--run_once out to wait for one."
        )
    evaluations = make_evaluations(configs, eval_dir, say, eval_training_data)
    done, previous = 0, None
    while True:
        if latest and latest != previous:
            results = [evaluation.run(latest) for evaluation in evaluations]
            for result in results:
                for line in summary_lines(result):
                    say(line)
            done, previous = done + 1, latest
            if run_once or (config.max_evals and done >= config.max_evals):
                return results
        elif not done:
            say(f"No checkpoint in {checkpoint_dir} yet.")
        say(f"Looking again in {config.eval_interval_secs} s; Ctrl-C ends.")
        time.sleep(config.eval_interval_secs)
        latest = checkpoint_files.latest_whole(checkpoint_dir, say)


def make_evaluations(
    configs: dict[str, Any],
    eval_dir: str,
    say: Callable[[str], None],
    eval_training_data: bool = False,
) -> list[Evaluation]:
    """An evaluation for each reader, of those of its records that can be used.

    Args:
        configs: as `config_util.get_configs_from_pipeline_file` returns them.
        eval_dir: where results go.
        say: takes each line for the user.
        eval_training_data: evaluate on the pictures of `train_input_reader`.

    Raises:
        ConfigError: two readers have one name.
        DataError: too many records cannot be used.
    """
    scans = RecordScans()
    num_classes = config_util.get_number_of_classes(configs["model"])
    name = "train_input_reader" if eval_training_data else "eval_input_reader"
    return [
        Evaluation(
            configs,
            reader,
            directory,
            scans.selection(
                reader,
                num_classes,
                directory,
                say,
                f"{name} {reader.name!r}" if reader.name else name,
            ),
        )
        for reader, directory in readers_with_folders(configs, eval_dir, eval_training_data)
    ]


def readers_with_folders(
    configs: dict[str, Any], eval_dir: str, eval_training_data: bool = False
) -> list[tuple[Any, str]]:
    """Each reader with its directory: `eval_dir`, or one below it if there are several."""
    if eval_training_data:
        return [(configs["train_input_config"], eval_dir)]
    readers = list(configs["eval_input_configs"])
    if len(readers) == 1:
        return [(readers[0], eval_dir)]
    names = [reader.name or f"reader_{number}" for number, reader in enumerate(readers)]
    if len(set(names)) < len(names):
        raise ConfigError(f"eval_input_reader.name: {names} should differ; results go to folders.")
    for name in names:
        if not untrusted.is_below(name):
            raise ConfigError(
                f"eval_input_reader.name: {name!r} leads out of --eval_dir; results go to a folder "
                "of this name in it."
            )
    return [
        (reader, os.path.join(eval_dir, name)) for reader, name in zip(readers, names, strict=True)
    ]
