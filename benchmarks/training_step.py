#!/usr/bin/env python3
"""A whole training step of the Inception v2 example against its bare backbone, interleaved.

python benchmarks/training_step.py --record data/wider_train.record
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from object_detection.utils import config_util, files, startup

REPO = pathlib.Path(__file__).resolve().parents[1]
BATCH, SIZE = 8, 300
CONFIG = REPO / "keypoint_examples" / "pipeline_wider_kp_dao_incv2.config"


def _session() -> Any:
    import tensorflow.compat.v1 as tf

    return tf.Session(config=tf.ConfigProto(allow_soft_placement=True))


def yardstick() -> Callable[[], None]:
    """One step of the bare backbone."""
    import numpy as np
    import tensorflow.compat.v1 as tf
    import tf_slim as slim
    from tf_slim.nets import inception_v2

    from object_detection.core.batch_norm import batch_norm

    with tf.Graph().as_default():
        images = tf.constant(
            np.random.RandomState(0).uniform(-1, 1, [BATCH, SIZE, SIZE, 3]).astype(np.float32)
        )
        normalizer = {"is_training": True, "scale": True, "decay": 0.97, "epsilon": 0.001}
        with slim.arg_scope(
            [slim.conv2d, slim.separable_conv2d],
            activation_fn=tf.nn.relu6,
            normalizer_fn=batch_norm,
            normalizer_params=normalizer,
        ):
            features, _ = inception_v2.inception_v2_base(images)
        loss = tf.reduce_mean(tf.square(features))
        optimizer = tf.train.MomentumOptimizer(0.001, 0.9)
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            step = optimizer.minimize(loss)
        session = _session()
        session.run(tf.global_variables_initializer())
    return lambda: session.run(step)


def whole_step(record: str) -> Callable[[], None]:
    """One step of the example's training, as the trainer builds it."""
    import tensorflow.compat.v1 as tf

    from object_detection import inputs
    from object_detection.builders import model_builder
    from object_detection.legacy import trainer

    configs = config_util.get_configs_from_pipeline_file(str(CONFIG))
    configs["train_config"].batch_size = BATCH
    reader = configs["train_input_config"]
    reader.tf_record_input_reader.input_path[:] = [record]
    reader.label_map_path = str(REPO / reader.label_map_path)
    with tf.Graph().as_default():
        model = model_builder.build(configs["model"], is_training=True)
        with tf.device("/cpu:0"):
            dataset = inputs.training_dataset(
                configs["train_config"], reader, configs["model"], model, seed=0
            )
        graph = trainer.build_step(model, dataset, configs["train_config"])
        session = _session()
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    fetches = (graph.train_op, graph.losses, graph.data_seconds, graph.batch_size)
    return lambda: session.run(fetches)


def seconds_per_step(step: Callable[[], None], count: int) -> float:
    """Mean time of `count` steps in a row."""
    begin = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - begin) / count


def environment() -> dict[str, Any]:
    """What the numbers depend on."""
    import tensorflow as tf

    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "processor": model,
        "usable_cores": len(os.sched_getaffinity(0)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", required=True, help="TFRecord with 5 keypoints a face")
    parser.add_argument("--rounds", type=int, default=6, help="that count; one more warms up")
    parser.add_argument("--steps", type=int, default=5, help="of each kind in a round")
    parser.add_argument("--output", default="", help="JSON file to write")
    options = parser.parse_args()
    startup.prepare_tensorflow()
    steps = {"yardstick": yardstick(), "whole_step": whole_step(options.record)}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(options.rounds + 1):
        for name, step in steps.items():
            value = seconds_per_step(step, options.steps)
            if number:
                seconds[name].append(value)
    ratios = [
        whole / bare
        for bare, whole in zip(seconds["yardstick"], seconds["whole_step"], strict=True)
    ]
    result = {
        "environment": environment(),
        "seconds_per_step": seconds,
        "ratios": ratios,
        "median_ratio": statistics.median(ratios),
    }
    for name, values in seconds.items():
        print(f"{name:<12} {statistics.median(values):.3f} s/step")
    shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"ratio        {result['median_ratio']:.2f}  (rounds: {shown})")
    if options.output:
        files.write_json(options.output, result)
        print(json.dumps(result["environment"]))


if __name__ == "__main__":
    main()
