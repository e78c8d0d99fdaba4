"""Evaluates detections that were written into TFRecords beside their truth.

    python object_detection/metrics/offline_eval_map_corloc.py --eval_dir=runs/x/offline \
        --eval_config_path=eval.pbtxt --input_config_path=input.pbtxt

The records are `tf.train.Example`s with boxes and classes of objects and of detections
(`TfExampleFields`); `path@N` stands for the N shards of a file. The metrics are those that
`metrics_set` of the `EvalConfig` names, PASCAL VOC's if it names none; `eval_dir` gets them as
`metrics.csv`.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator

if __name__ == "__main__":
    # Run as a file, this folder would shadow top-level modules; the repository is what is meant.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from typing import Any

from absl import app, flags

from object_detection.errors import ConfigError, DataError
from object_detection.utils import flag_checks, startup

flags.DEFINE_string("eval_dir", None, "Directory for metrics.csv.")
flags.DEFINE_string("eval_config_path", None, "EvalConfig file.")
flags.DEFINE_string("input_config_path", None, "InputReader file, with tf_record_input_reader.")
FLAGS = flags.FLAGS

DEFAULT_METRIC = "pascal_voc_detection_metrics"


def _shards(paths: Iterable[str]) -> Iterator[str]:
    """The files that paths name; `path@N` names N."""
    for path in paths:
        match = re.fullmatch(r"(.*)@(\d+)(.*)", path)
        if match is None:
            yield path
            continue
        stem, number = match[1], int(match[2])
        for index in range(number):
            yield f"{stem}-{index:05d}-of-{number:05d}{match[3]}"


def _records(paths: Iterable[str]) -> Iterator[Any]:
    """The `tf.train.Example`s of files, in order."""
    import tensorflow.compat.v1 as tf

    from object_detection.utils import graph_errors

    for path in _shards(paths):
        if not tf.gfile.Exists(path):
            raise DataError(
                f"tf_record_input_reader.input_path: there is no file {path}. Shards are written "
                "path@N and are called path-00000-of-0000N and so on."
            )
        try:
            for record in tf.io.tf_record_iterator(path):
                yield tf.train.Example.FromString(record)
        except tf.errors.DataLossError as error:
            raise DataError(graph_errors.reason(error, [path])) from error


def read_data_and_evaluate(input_config: Any, eval_config: Any) -> dict[str, Any]:
    """Evaluates all records of a reader; those without truth or detections are skipped.

    Args:
        input_config: `InputReader` message with `tf_record_input_reader` and `label_map_path`.
        eval_config: `EvalConfig` message.

    Returns:
        Metrics by name.

    Raises:
        ConfigError: another reader, or an unknown metric.
        DataError: a file is absent.
    """
    return _metrics_and_counts(input_config, eval_config)[0]


def _metrics_and_counts(input_config: Any, eval_config: Any) -> tuple[dict[str, Any], int, int]:
    """Metrics, number of records evaluated, number of records skipped."""
    from object_detection import eval_util
    from object_detection.metrics import tf_example_parser
    from object_detection.utils import label_map_util

    if input_config.WhichOneof("input_reader") != "tf_record_input_reader":
        raise ConfigError(
            f"input reader is {input_config.WhichOneof('input_reader')}; this program reads "
            "tf_record_input_reader { input_path: ... }."
        )
    config = type(eval_config)()
    config.CopyFrom(eval_config)
    if not config.metrics_set:
        config.metrics_set.append(DEFAULT_METRIC)
    evaluators = eval_util.get_evaluators(
        config,
        label_map_util.create_categories_from_labelmap(input_config.label_map_path),
        eval_util.evaluator_options_from_eval_config(config),
    )
    parser = tf_example_parser.TfExampleDetectionAndGTParser()
    count = skipped = 0
    for example in _records(input_config.tf_record_input_reader.input_path):
        parsed = parser.parse(example)
        if parsed is None:
            skipped += 1
            continue
        count += 1
        picture = {key: value for key, value in parsed.items() if value is not None}
        for evaluator in evaluators:
            evaluator.add_single_ground_truth_image_info(picture["key"], picture)
            evaluator.add_single_detected_image_info(picture["key"], picture)
    metrics: dict[str, Any] = {}
    for evaluator in evaluators:
        metrics |= evaluator.evaluate()
    return metrics, count, skipped


def write_metrics(metrics: dict[str, Any], output_dir: str) -> None:
    """Writes `metrics.csv`, a line `name,value` for each metric, whole or not at all.

    Args:
        metrics: by name.
        output_dir: made if it is absent.
    """
    from object_detection.metrics import io_utils
    from object_detection.utils import files

    path = os.path.join(output_dir, "metrics.csv")
    with (
        files.appearing_whole(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        io_utils.write_csv(file, metrics)


def _evaluate() -> str:
    flag_checks.output_folder("eval_dir", FLAGS.eval_dir)
    flag_checks.input_file("eval_config_path", FLAGS.eval_config_path)
    flag_checks.input_file("input_config_path", FLAGS.input_config_path)
    from object_detection.utils import config_util

    configs = config_util.get_configs_from_multiple_files(
        eval_config_path=FLAGS.eval_config_path, eval_input_config_path=FLAGS.input_config_path
    )
    startup.prepare_tensorflow()
    # Before the work: what cannot be written should not come out after it.
    os.makedirs(FLAGS.eval_dir, exist_ok=True)
    reader = configs["eval_input_config"]
    metrics, count, skipped = _metrics_and_counts(reader, configs["eval_config"])
    if not count:
        paths = ", ".join(reader.tf_record_input_reader.input_path)
        raise DataError(
            f"{paths}: none of the {skipped} records has objects and detections. "
            "inference/infer_detections.py adds the detections of an exported model."
        )
    write_metrics(metrics, FLAGS.eval_dir)
    lines = [f"{name:<60} {float(value):.4f}" for name, value in sorted(metrics.items())]
    lines.append(f"{count} pictures evaluated, {skipped} records without boxes skipped.")
    lines.append(f"metrics: {os.path.join(FLAGS.eval_dir, 'metrics.csv')}")
    return "\n".join(lines)


def main(argv: list[str]) -> None:
    """Evaluates as the flags say; a mistake ends in one message and exit status 1.

    Args:
        argv: what is left of the command line; its first entry is the program.
    """

    def action() -> str:
        startup.refuse_arguments(argv)
        return _evaluate()

    startup.run_program("offline_eval_map_corloc", action)


if __name__ == "__main__":
    app.run(main)
