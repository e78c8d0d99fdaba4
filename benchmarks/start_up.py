#!/usr/bin/env python3
"""From the command to the end of the first training step, against importing TensorFlow; peak memory.

python benchmarks/start_up.py --record data/wider_train.record
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from google.protobuf import text_format

from benchmarks.environment import environment
from object_detection.utils import config_util, files

REPO = pathlib.Path(__file__).resolve().parents[1]
TRAIN = REPO / "object_detection" / "legacy" / "train.py"
CONFIGS = (
    REPO / "keypoint_examples" / "pipeline_wider_kp_dao_incv2.config",
    REPO / "keypoint_examples" / "pipeline_wider_kp_resnet50_fpn.config",
)


class Start(NamedTuple):
    """One training, from its command on."""

    seconds: float  # to the end of the first step
    megabytes: float  # most memory that the process held, over all its steps


def adapted(config: pathlib.Path, record: str, folder: pathlib.Path) -> pathlib.Path:
    """A copy of a config that trains on the record, from scratch."""
    configs = config_util.get_configs_from_pipeline_file(str(config))
    configs["train_config"].ClearField("fine_tune_checkpoint")
    reader = configs["train_input_config"]
    reader.tf_record_input_reader.input_path[:] = [os.path.abspath(record)]
    reader.label_map_path = str(REPO / reader.label_map_path)
    pipeline = config_util.create_pipeline_proto_from_configs(configs)
    path = folder / config.name
    path.write_text(text_format.MessageToString(pipeline), encoding="utf-8")
    return path


def start(config: pathlib.Path, steps: int) -> Start:
    """Trains some steps in a process of its own."""
    with tempfile.TemporaryDirectory() as train_dir:
        command = [
            sys.executable,
            str(TRAIN),
            f"--pipeline_config_path={config}",
            f"--train_dir={train_dir}",
            f"--num_train_steps={steps}",
            "--log_every_steps=1",
            "--seed=1",
        ]
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        seconds = 0.0
        for line in process.stdout or ():
            if line.startswith("step 1/"):
                seconds = time.perf_counter() - begin
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not seconds:
        sys.exit(f"{config.name}: the training failed.")
    return Start(seconds, usage.ru_maxrss * 1024 / 1e6)


def seconds_of_import() -> float:
    """What every program pays before it does anything."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import tensorflow"], check=True, capture_output=True)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", required=True, help="TFRecord with 5 keypoints a face")
    parser.add_argument("--rounds", type=int, default=3, help="that count; one more warms up")
    parser.add_argument("--steps", type=int, default=1, help="of each; 20 show the peak of memory")
    parser.add_argument("--config", type=pathlib.Path, nargs="+", default=CONFIGS)
    parser.add_argument("--output", default="", help="JSON file to write")
    options = parser.parse_args()
    result: dict[str, Any] = {"import": [], **{path.stem: [] for path in options.config}}
    with tempfile.TemporaryDirectory() as temporary:
        configs = [
            adapted(path, options.record, pathlib.Path(temporary)) for path in options.config
        ]
        for number in range(options.rounds + 1):
            imported = seconds_of_import()
            starts = {path.stem: start(path, options.steps) for path in configs}
            # The first round writes the bytecode and warms the cache of files.
            if number:
                result["import"].append(imported)
                for name, one in starts.items():
                    result[name].append({**one._asdict(), "imports": one.seconds / imported})
    print(f"{'import tensorflow':<36} {statistics.median(result['import']):6.1f} s")
    for name in (path.stem for path in configs):
        seconds, megabytes, imports = (
            statistics.median(one[key] for one in result[name])
            for key in ("seconds", "megabytes", "imports")
        )
        print(f"{name:<36} {seconds:6.1f} s to the first step = {imports:.1f} imports")
        print(f"{'':<36} {megabytes:6.0f} MB at most in {options.steps} steps")
    result["environment"], result["steps"] = environment(), options.steps
    print(json.dumps(result["environment"]))
    if options.output:
        files.write_json(options.output, result)


if __name__ == "__main__":
    main()
