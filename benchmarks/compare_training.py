#!/usr/bin/env python3
"""Trains and evaluates variants of a config, several seeds each, and prints one table.

python benchmarks/compare_training.py --pipeline_config_path keypoint_examples/X.config \\
    --output_directory runs/comparison --seeds 1 2 3 --num_train_steps 600 \\
    --variant shared= \\
    --variant 'wing=model { ssd { loss { keypoint_loss { weight: 5 wing {} } } } }'

The text of a variant is merged into the config. What is finished is not trained again, so that an
interrupted comparison goes on with the same command.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from google.protobuf import text_format

from object_detection.errors import ConfigError
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_util, files

Metrics = Mapping[str, float]  # "reader: metric" -> value
REPO = pathlib.Path(__file__).resolve().parents[1]
WARMUP_SHARE = 0.1  # of a shortened schedule


def variant(text: str) -> tuple[str, str]:
    """`name=config text` -> both."""
    name, sign, content = text.partition("=")
    if not sign or not name.replace("_", "").isalnum():
        raise argparse.ArgumentTypeError(
            f"{text!r}: write NAME=TEXT, with a name of letters, digits and _."
        )
    return name, content


def config_of(pipeline: Any, text: str, num_train_steps: int) -> Any:
    """A copy of the pipeline with the text merged in, its schedule as long as the training.

    Raises:
        ConfigError: the text is not one of this message.
    """
    changed = pipeline_pb2.TrainEvalPipelineConfig()
    changed.CopyFrom(pipeline)
    try:
        text_format.Merge(text, changed)
    except text_format.ParseError as error:
        raise ConfigError(f"variant {text!r}: {error}") from error
    if num_train_steps:
        changed.train_config.num_steps = num_train_steps
        optimizer = changed.train_config.optimizer
        kind = optimizer.WhichOneof("optimizer")
        if kind:
            rate = getattr(optimizer, kind).learning_rate
            if rate.HasField("cosine_decay_learning_rate"):
                cosine = rate.cosine_decay_learning_rate
                cosine.total_steps = num_train_steps
                cosine.warmup_steps = round(WARMUP_SHARE * num_train_steps)
    return changed


def read_metrics(directory: pathlib.Path) -> dict[str, float]:
    """What an evaluation wrote, of each reader; empty before there is anything."""
    found: dict[str, float] = {}
    for path in sorted(directory.rglob("metrics.json")):
        reader = path.parent.relative_to(directory).as_posix()
        for name, value in json.loads(path.read_text(encoding="utf-8"))["metrics"].items():
            found[name if reader == "." else f"{reader}: {name}"] = value
    return found


def table(results: Mapping[str, Sequence[Metrics]], chosen: Sequence[str]) -> list[str]:
    """Mean and range of each variant; the change of the mean against the first variant's.

    Args:
        results: name of the variant -> metrics of each of its seeds; the first is what the others
            are compared with.
        chosen: parts of the names of the metrics to show.
    """
    runs = [run for seeds in results.values() for run in seeds]
    names = sorted({name for run in runs for name in run if any(part in name for part in chosen)})
    lines = []
    for name in names:
        lines.append(name)
        reference: float | None = None
        for of, seeds in results.items():
            values = [run[name] for run in seeds if name in run]
            if not values:
                continue
            mean = statistics.fmean(values)
            shown = f"  {of:<16} {mean:8.4f}  ({min(values):.4f} .. {max(values):.4f})"
            if reference is None:
                reference = mean
            elif reference:
                shown += f"  {mean / reference - 1:+.1%}"
            lines.append(f"{shown}  n = {len(values)}")
    return lines


def run(
    name: str, seed: int, config: Any, directory: pathlib.Path, more_flags: Sequence[str]
) -> dict[str, float]:
    """Trains and evaluates once, unless that was done before; the metrics."""
    place = directory / f"{name}_{seed}"
    metrics = read_metrics(place / "eval")
    if metrics:
        return metrics
    place.mkdir(parents=True, exist_ok=True)
    path = place / "compared.config"
    path.write_text(text_format.MessageToString(config), encoding="utf-8")
    begin = time.monotonic()
    commands = {
        "train": [f"--train_dir={place}", f"--seed={seed}", *more_flags],
        "eval": [f"--checkpoint_dir={place}", f"--eval_dir={place / 'eval'}", "--run_once"],
    }
    for program, arguments in commands.items():
        command = [
            sys.executable,
            str(REPO / "object_detection" / "legacy" / f"{program}.py"),
            f"--pipeline_config_path={path}",
            *arguments,
        ]
        with (place / f"{program}.log").open("a", encoding="utf-8") as log:
            done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            sys.exit(f"{name}, seed {seed}: {program} failed; see {place / program}.log")
    print(f"{name}, seed {seed}: {(time.monotonic() - begin) / 60:.1f} min", flush=True)
    return read_metrics(place / "eval")


def main() -> None:
    """Runs what is asked for, seed by seed, so that all variants see the same hours."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pipeline_config_path", type=pathlib.Path, required=True)
    parser.add_argument("--output_directory", type=pathlib.Path, required=True)
    parser.add_argument(
        "--variant", type=variant, action="append", required=True, metavar="NAME=TEXT"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--num_train_steps", type=int, default=0, help="0: as the config says")
    parser.add_argument(
        "--metrics",
        nargs="+",
        default=["AP50", "mAP@.50IOU", "MeanError", "NME"],
        help="parts of the names of the metrics to show",
    )
    options, more_flags = parser.parse_known_args()
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    results: dict[str, list[Metrics]] = {name: [] for name, _ in options.variant}
    try:
        text_format.Parse(options.pipeline_config_path.read_text(encoding="utf-8"), pipeline)
        configs = {
            # A variant lies in a folder of its own: what its config names beside it is filled in.
            name: config_util.completed(
                config_of(pipeline, text, options.num_train_steps),
                str(options.pipeline_config_path),
            )
            for name, text in options.variant
        }
    except (OSError, text_format.ParseError, ConfigError) as error:
        sys.exit(f"{options.pipeline_config_path}: {error}")
    for seed in options.seeds:
        for name, config in configs.items():
            results[name].append(run(name, seed, config, options.output_directory, more_flags))
    lines = table(results, options.metrics)
    print("\n".join(lines))
    files.write_json(str(options.output_directory / "comparison.json"), results)


if __name__ == "__main__":
    main()
