"""Evaluates checkpoints of a training.

    python object_detection/legacy/eval.py --pipeline_config_path=X.config \
        --checkpoint_dir=runs/x --eval_dir=runs/x/eval --run_once

Without `--run_once` it waits for the next checkpoint. `eval_dir` gets `metrics.json`, `report/`
(tables and curves, plots if Matplotlib is installed), `pictures/` (groundtruth beside detections)
and TensorBoard files; with several `eval_input_reader`s, each has a folder of its own below it,
called as its `name`. docs/evaluation.md explains the metrics.
"""

import os
import sys

if __name__ == "__main__":
    # Run as a file, this folder would shadow top-level modules; the repository is what is meant.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from typing import Any

from absl import app, flags

from object_detection.errors import ConfigError
from object_detection.utils import flag_checks, startup

flags.DEFINE_boolean("eval_training_data", False, "Evaluate on the pictures of the training.")
flags.DEFINE_string("checkpoint_dir", "", "Directory where training writes its checkpoints.")
flags.DEFINE_string("eval_dir", "", "Directory for metrics and pictures.")
flags.DEFINE_string("pipeline_config_path", "", "Pipeline config; or give the next three.")
flags.DEFINE_string("eval_config_path", "", "EvalConfig file.")
flags.DEFINE_string("input_config_path", "", "InputReader file.")
flags.DEFINE_string("model_config_path", "", "DetectionModel file.")
flags.DEFINE_boolean("run_once", False, "Evaluate the newest checkpoint, then end.")
FLAGS = flags.FLAGS


def _read_configs() -> dict[str, Any]:
    from object_detection.utils import config_util

    if FLAGS.pipeline_config_path:
        return config_util.get_configs_from_pipeline_file(FLAGS.pipeline_config_path)
    parts = ("model_config_path", "eval_config_path", "input_config_path")
    absent = [name for name in parts if not getattr(FLAGS, name)]
    if absent:
        raise ConfigError(
            "Give --pipeline_config_path, or all of "
            f"{', '.join('--' + name for name in parts)}; absent: {', '.join(absent)}."
        )
    as_training = FLAGS.eval_training_data
    return config_util.get_configs_from_multiple_files(
        model_config_path=FLAGS.model_config_path,
        eval_config_path=FLAGS.eval_config_path,
        train_input_config_path=FLAGS.input_config_path if as_training else "",
        eval_input_config_path="" if as_training else FLAGS.input_config_path,
    )


def _check_flags() -> None:
    flag_checks.required("checkpoint_dir", FLAGS.checkpoint_dir)
    flag_checks.output_folder("eval_dir", FLAGS.eval_dir)
    if FLAGS.run_once:
        flag_checks.input_folder("checkpoint_dir", FLAGS.checkpoint_dir)
    else:
        # The training may be about to make it.
        flag_checks.output_folder("checkpoint_dir", FLAGS.checkpoint_dir)
    paths = ("pipeline_config_path", "eval_config_path", "input_config_path", "model_config_path")
    for name in paths:
        if getattr(FLAGS, name):
            flag_checks.input_file(name, getattr(FLAGS, name))


def _evaluate() -> None:
    _check_flags()
    from object_detection.utils import config_check

    configs = _read_configs()
    config_check.check_pipeline(
        configs,
        FLAGS.pipeline_config_path or FLAGS.model_config_path,
        for_eval=True,
        eval_training_data=FLAGS.eval_training_data,
    )
    startup.prepare_tensorflow()
    from object_detection.legacy import evaluator

    evaluator.evaluate_checkpoints(
        configs,
        FLAGS.checkpoint_dir,
        FLAGS.eval_dir,
        run_once=FLAGS.run_once,
        eval_training_data=FLAGS.eval_training_data,
        say=lambda line: print(line, flush=True),
    )


def main(unused_argv: list[str]) -> None:
    """Evaluates as the flags say; a mistake ends in one message and exit status 1.

    Args:
        unused_argv: what is left of the command line; its first entry is the program.
    """

    def action() -> None:
        startup.refuse_arguments(unused_argv)
        _evaluate()

    startup.run_program("eval", action)


if __name__ == "__main__":
    app.run(main)
