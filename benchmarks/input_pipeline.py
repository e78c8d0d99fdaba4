#!/usr/bin/env python3
"""The whole training input of the Inception v2 example against bare JPEG decoding, interleaved.

python benchmarks/input_pipeline.py --record data/wider_train.record
"""

import argparse
import copy
import pathlib
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from benchmarks import interleaved
from object_detection.utils import config_util, startup

REPO = pathlib.Path(__file__).resolve().parents[1]
BATCH = 8
CONFIG = REPO / "keypoint_examples" / "pipeline_wider_kp_dao_incv2.config"
BARE = "bare decode_jpeg"


def _taking(dataset: Any, threads: int, pictures: int) -> Callable[[], None]:
    """Takes so many pictures of a dataset of batches that never ends; an element is one number."""
    import tensorflow.compat.v1 as tf

    options = tf.data.Options()
    options.threading.private_threadpool_size = threads
    iterator = tf.data.make_initializable_iterator(dataset.with_options(options))
    element = iterator.get_next()
    session = tf.Session(config=tf.ConfigProto(inter_op_parallelism_threads=threads))
    session.run([iterator.initializer, tf.tables_initializer()])

    def take() -> None:
        for _ in range(pictures // BATCH):
            session.run(element)

    return take


def bare_decoding(record: str, threads: int, pictures: int) -> Callable[[], None]:
    """Reads the records and decodes their pictures as a whole, and nothing else."""
    import tensorflow.compat.v1 as tf

    feature = {"image/encoded": tf.io.FixedLenFeature([], tf.string)}

    def decode(serialized: tf.Tensor) -> tf.Tensor:
        contents = tf.io.parse_single_example(serialized, feature)["image/encoded"]
        image = tf.io.decode_jpeg(contents, channels=3)
        # A pixel of each stands for the pictures, which are too different to be batched.
        return image[0, 0, 0]

    with tf.Graph().as_default():
        pixels = tf.data.TFRecordDataset(record).repeat().map(decode, tf.data.AUTOTUNE)
        return _taking(pixels.batch(BATCH).prefetch(2), threads, pictures)


def whole_input(
    record: str, threads: int, pictures: int, **reader_options: Any
) -> Callable[[], None]:
    """The batches of the example's training: decoded, augmented, resized, padded."""
    import tensorflow.compat.v1 as tf

    from object_detection import inputs
    from object_detection.builders import model_builder
    from object_detection.core import standard_fields as fields

    configs = copy.deepcopy(config_util.get_configs_from_pipeline_file(str(CONFIG)))
    configs["train_config"].batch_size = BATCH
    reader = configs["train_input_config"]
    reader.tf_record_input_reader.input_path[:] = [record]
    reader.label_map_path = str(REPO / reader.label_map_path)
    for name, value in reader_options.items():
        setattr(reader, name, value)
    with tf.Graph().as_default():
        model = model_builder.build(configs["model"], is_training=True)
        dataset = inputs.training_dataset(
            configs["train_config"], reader, configs["model"], model, seed=0
        )
        # What a session fetches is copied for Python; in training it is not.
        numbers = dataset.map(lambda batch: batch[fields.InputDataFields.image][0, 0, 0, 0])
        return _taking(numbers, threads, pictures)


def _with_processor_time(call: Callable[[], None], log: list[float]) -> Callable[[], None]:
    """A call that notes how many seconds of processor time it took, in all threads."""

    def noted() -> None:
        begin = time.process_time()
        call()
        log.append(time.process_time() - begin)

    return noted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--record", required=True, help="TFRecord of JPEG pictures with 5 keypoints"
    )
    parser.add_argument("--threads", type=int, default=0, help="for each; 0 for all cores")
    parser.add_argument("--rounds", type=int, default=8, help="that count; one more warms up")
    parser.add_argument("--pictures", type=int, default=800, help="of each kind in a round")
    parser.add_argument("--output", default="", help="JSON file to write")
    options = parser.parse_args()
    startup.prepare_tensorflow()
    from benchmarks.environment import environment

    threads = options.threads or environment()["usable_cores"]
    given = (options.record, threads, options.pictures)
    calls = {
        BARE: bare_decoding(*given),
        "whole input": whole_input(*given),
        "fast_jpeg_scaling": whole_input(*given, fast_jpeg_scaling=True),
    }
    logs: dict[str, list[float]] = {name: [] for name in calls}
    noted = {name: _with_processor_time(call, logs[name]) for name, call in calls.items()}
    result = interleaved.compare(noted, options.rounds, 1)
    result["threads"] = threads
    result["pictures"] = options.pictures
    # The first round warms up.
    result["processor_seconds"] = {name: log[1:] for name, log in logs.items()}
    for name, seconds in result["seconds"].items():
        processor = result["processor_seconds"]
        print(
            f"{name:<24} {options.pictures / statistics.median(seconds):8.0f} pictures/s, "
            f"{_share(result['seconds'], name):.2f} of {BARE}; "
            f"{1000 * statistics.median(processor[name]) / options.pictures:.2f} ms of processor "
            f"time each, {_share(processor, name):.2f}"
        )
    interleaved.report(result, options.output)


def _share(seconds: dict[str, list[float]], name: str) -> float:
    """How fast something is by how fast bare decoding is; the median of the rounds."""
    return statistics.median(
        bare / own for bare, own in zip(seconds[BARE], seconds[name], strict=True)
    )


if __name__ == "__main__":
    main()
