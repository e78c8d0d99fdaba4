"""Adds the detections of an exported model to records.

    python object_detection/inference/infer_detections.py --input_tfrecord_paths=a.record,b.record \
        --inference_graph=exported/frozen_inference_graph.pb --output_tfrecord_path=found.record

The records keep what they hold; `--discard_image_pixels` leaves the pictures out.
"""

import os
import sys

if __name__ == "__main__":
    # Run as a file, this folder would shadow top-level modules; the repository is what is meant.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import contextlib
from collections.abc import Sequence

import tqdm
from absl import flags

from object_detection.errors import ConfigError, DataError
from object_detection.utils import flag_checks, startup

# Other programs have flags of the same names; each uses its own.
flags.DEFINE_string(
    "input_tfrecord_paths", None, "Records or patterns of records, by commas.", allow_override=True
)
flags.DEFINE_string("output_tfrecord_path", None, "Record to write.", allow_override=True)
flags.DEFINE_string("inference_graph", None, "Frozen graph of a detector.", allow_override=True)
flags.DEFINE_boolean(
    "discard_image_pixels", False, "Leave the pictures out of the result.", allow_override=True
)
FLAGS = flags.FLAGS


def _check_flags() -> None:
    patterns = flag_checks.required("input_tfrecord_paths", FLAGS.input_tfrecord_paths).split(",")
    # A comma too many does no harm.
    named = [pattern for pattern in patterns if pattern] or [""]
    flag_checks.input_patterns("input_tfrecord_paths", named)
    flag_checks.output_file("output_tfrecord_path", FLAGS.output_tfrecord_path)
    graph = flag_checks.required("inference_graph", FLAGS.inference_graph)
    if not os.path.isdir(graph):  # an export directory is welcome, too
        flag_checks.input_file("inference_graph", graph)


if __name__ == "__main__":
    # The imports below bring TensorFlow, which mistakes in flags should not wait for.
    startup.prepare_program("infer_detections", _check_flags)

import tensorflow.compat.v1 as tf

from object_detection.dataset_tools import conversion, tf_record_creation_util
from object_detection.inference import detection_inference
from object_detection.utils import graph_errors


def _input_files() -> list[str]:
    found: list[str] = []
    for pattern in filter(None, FLAGS.input_tfrecord_paths.split(",")):
        files = sorted(tf.io.gfile.glob(pattern))
        if not files:
            raise DataError(f"--input_tfrecord_paths: no file matches {pattern!r}.")
        found += files
    if not found:
        raise ConfigError("--input_tfrecord_paths: names no record.")
    return found


def main(_: Sequence[str] | None) -> str:
    """Writes the record that the flags ask for; returns what to tell the user.

    Raises:
        ConfigError: a flag is absent.
        DataError: there is no such record.
        CheckpointError: the graph cannot be read.
    """
    _check_flags()
    path = FLAGS.output_tfrecord_path
    input_files = _input_files()
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    written = 0
    with tf.Graph().as_default(), contextlib.ExitStack() as stack:
        serialized, image = detection_inference.build_input(input_files)
        detections = detection_inference.build_inference_graph(image, FLAGS.inference_graph)
        (writer,) = stack.enter_context(tf_record_creation_util.records_appearing_whole(path))
        bar = stack.enter_context(tqdm.tqdm(unit=" pictures", disable=None))
        stack.enter_context(tf.Session())
        with contextlib.suppress(tf.errors.OutOfRangeError):
            while True:
                try:
                    example = detection_inference.infer_detections_and_add_to_example(
                        serialized, *detections, FLAGS.discard_image_pixels
                    )
                except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
                    raise DataError(
                        f"After {written} records: {graph_errors.reason(error, input_files)}"
                    ) from error
                writer.write(conversion.serialized(example))
                written += 1
                bar.update()
    return f"{path}: {written} records with detections."


if __name__ == "__main__":
    conversion.run_program(main, "infer_detections")
