#!/usr/bin/env python3
"""Exported graphs against the bare forward pass, and bfloat16 against float32, interleaved.

python benchmarks/inference.py --output result.json
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
from collections.abc import Callable
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import interleaved, yardstick
from object_detection.utils import config_util, files, startup

REPO = pathlib.Path(__file__).resolve().parents[1]
EXAMPLES = REPO / "keypoint_examples"
INCEPTION = EXAMPLES / "pipeline_wider_kp_dao_incv2.config"
RESNET = EXAMPLES / "pipeline_wider_kp_resnet50_fpn.config"
OUTPUTS = (
    "detection_boxes",
    "detection_scores",
    "detection_classes",
    "num_detections",
    "detection_keypoints",
)
LARGE_BATCH = 8
BFLOAT16 = "export_config { compute_type: BFLOAT16 }"


def untrained_checkpoint(config: pathlib.Path, directory: pathlib.Path) -> str:
    """The network's initial values as a checkpoint, but for the offsets of batch normalisation.

    Those would be zeros, and once they are folded TensorFlow would leave out adding them: no
    trained network is like that.
    """
    import tensorflow.compat.v1 as tf

    from object_detection.builders import model_builder

    configs = config_util.get_configs_from_pipeline_file(str(config))
    directory.mkdir(parents=True, exist_ok=True)
    prefix = str(directory / "untrained.ckpt")
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        model = model_builder.build(configs["model"], is_training=False)
        model.predict(*model.preprocess(tf.zeros([1, yardstick.SIZE, yardstick.SIZE, 3])))
        session.run(tf.global_variables_initializer())
        random = np.random.RandomState(1)
        for variable in tf.global_variables():
            if variable.op.name.endswith(("/beta", "/moving_mean")):
                variable.load(random.normal(0, 0.1, variable.shape.as_list()), session)
        tf.train.Saver().save(session, prefix, write_meta_graph=False)
    return prefix


def exported(config: pathlib.Path, override: str, checkpoint: str, folder: pathlib.Path) -> str:
    """Exports as `export_inference_graph.py` does; the directory."""
    import tensorflow.compat.v1 as tf

    from object_detection import exporter

    configs = config_util.get_configs_from_pipeline_file(str(config), override or None)
    pipeline = config_util.create_pipeline_proto_from_configs(configs)
    with tf.Graph().as_default():
        exporter.export_inference_graph("image_tensor", pipeline, checkpoint, str(folder))
    return str(folder)


def detection(directory: str, batch_size: int, size: int) -> Callable[[], Any]:
    """One run of a frozen graph on pictures of noise, in a session of its own."""
    import tensorflow.compat.v1 as tf

    from object_detection.inference import detector

    shape = [batch_size, size, size, 3]
    images = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    with tf.Graph().as_default():
        tf.import_graph_def(detector.load_frozen_graph(directory), name="")
        session = tf.Session(config=tf.ConfigProto(allow_soft_placement=True))
        run = session.make_callable([f"{name}:0" for name in OUTPUTS], ["image_tensor:0"])
    return lambda: run(images)


def inception(folder: pathlib.Path, rounds: int, runs: int) -> dict[str, Any]:
    """Batch 1 and 8 of both types beside the bare forward pass; ratios of batch 8 are a picture's."""
    checkpoint = untrained_checkpoint(INCEPTION, folder)
    calls = {"bare forward pass": yardstick.forward_pass(1)}
    counts = {"bare forward pass": runs}
    for name, override in (("float32", ""), ("bfloat16", BFLOAT16)):
        directory = exported(INCEPTION, override, checkpoint, folder / name)
        for batch_size in (1, LARGE_BATCH):
            key = f"{name}, batch {batch_size}"
            calls[key] = detection(directory, batch_size, yardstick.SIZE)
            counts[key] = max(1, runs // batch_size)
    result = interleaved.compare(calls, rounds, counts)
    result["large_batch_by_one"] = {}
    for kind in ("float32", "bfloat16"):
        one, many = f"{kind}, batch 1", f"{kind}, batch {LARGE_BATCH}"
        _per_picture(result, many)
        pairs = zip(result["seconds"][many], result["seconds"][one], strict=True)
        result["large_batch_by_one"][kind] = statistics.median(many / one for many, one in pairs)
    return result


def _per_picture(result: dict[str, Any], name: str) -> None:
    """Seconds and ratios of a batch become those of each of its pictures."""
    for part in ("seconds", "ratios"):
        result[part][name] = [value / LARGE_BATCH for value in result[part][name]]
    result["median_ratios"][name] /= LARGE_BATCH


def resnet(folder: pathlib.Path, rounds: int) -> dict[str, Any]:
    """ResNet-50 FPN, 640 x 640: float32 divided by bfloat16 tells how much faster that is."""
    checkpoint = untrained_checkpoint(RESNET, folder)
    calls = {
        name: detection(exported(RESNET, override, checkpoint, folder / name), 1, 640)
        for name, override in (("bfloat16", BFLOAT16), ("float32", ""))
    }
    return interleaved.compare(calls, rounds, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="that count; one more warms up")
    parser.add_argument("--runs", type=int, default=16, help="of batch 1 in a round")
    parser.add_argument("--output", default="", help="JSON file to write")
    parser.add_argument(
        "--only", choices=["inception", "resnet"], help="leave out the other network"
    )
    options = parser.parse_args()
    startup.prepare_tensorflow()
    results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if options.only != "resnet":
            results["inception"] = inception(folder / "inception", options.rounds, options.runs)
        if options.only != "inception":
            results["resnet"] = resnet(folder / "resnet", options.rounds)
    for title, result in results.items():
        print(f"{title}: milliseconds a picture")
        interleaved.report(result)
        for kind, ratio in result.get("large_batch_by_one", {}).items():
            print(f"{kind}: a picture of a batch of {LARGE_BATCH} takes {ratio:.2f} of one alone")
    if options.output:
        files.write_json(options.output, results)


if __name__ == "__main__":
    main()
