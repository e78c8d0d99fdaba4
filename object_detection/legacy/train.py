"""Trains a detector from a pipeline config.

    python object_detection/legacy/train.py --pipeline_config_path=X.config --train_dir=runs/x

The same command goes on where it was stopped. TensorBoard reads `train_dir`.
"""

import os
import sys

if __name__ == "__main__":
    # Run as a file, this folder would shadow top-level modules; the repository is what is meant.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from typing import Any

from absl import app, flags

from object_detection.errors import ConfigError
from object_detection.utils import flag_checks, interruption, startup

_MOST = flag_checks.MOST  # config and graph hold such numbers in 32 bits

flags.DEFINE_string("master", "", "Not available here: training runs in one process.")
flags.DEFINE_integer("task", 0, "Not available here: training runs in one process.")
flags.DEFINE_integer("num_clones", 1, "Only 1 is available here.")
flags.DEFINE_boolean("clone_on_cpu", False, "Put the model on the CPU even if there is a GPU.")
flags.DEFINE_integer("worker_replicas", 1, "Only 1 is available here.")
flags.DEFINE_integer("ps_tasks", 0, "Not available here: training runs in one process.")
flags.DEFINE_string("train_dir", "", "Directory of checkpoints and TensorBoard files.")
flags.DEFINE_string("pipeline_config_path", "", "Pipeline config; or give the next three.")
flags.DEFINE_string("train_config_path", "", "TrainConfig file.")
flags.DEFINE_string("input_config_path", "", "InputReader file.")
flags.DEFINE_string("model_config_path", "", "DetectionModel file.")
flags.DEFINE_integer("num_train_steps", None, "Overrides train_config.num_steps.", 1, _MOST)
flags.DEFINE_integer("log_every_steps", 20, "Steps between lines on the console.", 1, _MOST)
flags.DEFINE_integer("summary_every_steps", 100, "Steps between summaries.", 1, _MOST)
flags.DEFINE_integer("save_every_secs", 600, "Seconds between checkpoints.", 0, _MOST)
flags.DEFINE_integer(
    "seed",
    None,
    "Seed of weights, order and augmentation; by default that of the first start.",
    -flag_checks.MOST_SEED,
    flag_checks.MOST_SEED,
)
FLAGS = flags.FLAGS

# Flags that describe a cluster, with the one value that training in a single process allows.
_SINGLE_PROCESS = {
    "master": "",
    "task": 0,
    "num_clones": 1,
    "worker_replicas": 1,
    "ps_tasks": 0,
}


def _read_configs() -> dict[str, Any]:
    from object_detection.utils import config_util

    if FLAGS.pipeline_config_path:
        return config_util.get_configs_from_pipeline_file(FLAGS.pipeline_config_path)
    parts = ("model_config_path", "train_config_path", "input_config_path")
    absent = [name for name in parts if not getattr(FLAGS, name)]
    if absent:
        raise ConfigError(
            "Give --pipeline_config_path, or all of "
            f"{', '.join('--' + name for name in parts)}; absent: {', '.join(absent)}."
        )
    return config_util.get_configs_from_multiple_files(
        model_config_path=FLAGS.model_config_path,
        train_config_path=FLAGS.train_config_path,
        train_input_config_path=FLAGS.input_config_path,
    )


def _train() -> None:
    for name, only in _SINGLE_PROCESS.items():
        if getattr(FLAGS, name) != only:
            raise ConfigError(
                f"--{name}={getattr(FLAGS, name)}: training on several clones or machines is not "
                f"available; leave the flag at {only!r}."
            )
    flag_checks.output_folder("train_dir", FLAGS.train_dir)
    for name in (
        "pipeline_config_path",
        "train_config_path",
        "input_config_path",
        "model_config_path",
    ):
        if getattr(FLAGS, name):
            flag_checks.input_file(name, getattr(FLAGS, name))
    from object_detection.utils import config_check, config_util

    configs = _read_configs()
    if FLAGS.num_train_steps:
        configs["train_config"].num_steps = FLAGS.num_train_steps
    config_check.check_pipeline(
        configs, FLAGS.pipeline_config_path or FLAGS.model_config_path, for_training=True
    )
    from object_detection.builders import record_scans

    with record_scans.RecordScans() as scans:
        # It goes on beside this process while TensorFlow is imported.
        scans.begin(
            configs["train_input_config"],
            config_util.get_number_of_classes(configs["model"]),
            FLAGS.train_dir,
        )
        _train_model(configs, scans)


def _train_model(configs: dict[str, Any], scans: Any) -> None:
    """Trains with TensorFlow, while the records are looked through."""
    startup.prepare_tensorflow()
    from object_detection.builders import graph_rewriter_builder
    from object_detection.legacy import trainer

    options = trainer.LoopOptions(
        log_every_steps=FLAGS.log_every_steps,
        summary_every_steps=FLAGS.summary_every_steps,
        save_every_secs=FLAGS.save_every_secs,
        seed=FLAGS.seed,
        on_cpu=FLAGS.clone_on_cpu,
    )
    rewriter = configs.get("graph_rewriter_config")
    outcome = trainer.train_model(
        configs,
        FLAGS.train_dir,
        options,
        say=startup.say,
        graph_hook_fn=(
            graph_rewriter_builder.build(rewriter, is_training=True)
            if rewriter is not None
            else None
        ),
        scans=scans,
    )
    if outcome.interrupted:
        sys.exit(interruption.EXIT_STATUS)


def main(_: list[str]) -> None:
    """Trains as the flags say; a mistake ends in one message and exit status 1.

    Args:
        _: what is left of the command line; its first entry is the program. The name is part of
            the interface.
    """

    def action() -> None:
        startup.refuse_arguments(_)
        _train()

    startup.run_program("train", action)


if __name__ == "__main__":
    app.run(main)
