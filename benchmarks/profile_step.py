#!/usr/bin/env python3
"""Where the time of a training step goes, by kind of operation: a table and a picture.

python benchmarks/profile_step.py --record data/wider_train.record --picture step.png

Shows the bare backbone and the whole step of the Inception v2 example, in float32 and in bfloat16;
with --before also what an earlier version wrote with --output.
"""

import argparse
import collections
import json
import pathlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from benchmarks import training_step, yardstick
from benchmarks.environment import environment
from object_detection.utils import files, startup

# Kinds in the order of the picture; the first whose test holds is an operation's.
# Tests of (operation, name of its node).
KINDS: dict[str, Callable[[str, str], bool]] = {
    "waiting for input": lambda operation, _: operation.startswith("IteratorGetNext"),
    "convolution, forward": lambda operation, _: (
        "Conv2" in operation and "Backprop" not in operation
    ),
    "convolution, backward input": lambda operation, _: (
        "Conv2" in operation and "BackpropInput" in operation
    ),
    "convolution, backward filter": lambda operation, _: (
        "Conv2" in operation and "BackpropFilter" in operation
    ),
    "batch normalisation": lambda operation, _: "FusedBatchNorm" in operation,
    "activation": lambda operation, _: "Relu" in operation,
    "pooling": lambda operation, _: "Pool" in operation,
    "targets and losses": lambda _, name: "Loss/" in name or name.startswith("Loss"),
    "regularisation": lambda _, name: "Regularizer" in name or "regularization" in name,
    "clipping and updates": lambda operation, name: (
        operation.startswith(("ResourceApply", "Assign")) or "clip_grads" in name
    ),
    "casts": lambda operation, _: operation == "Cast",
    "all else": lambda *_: True,
}


def kind_of(operation: str, name: str) -> str:
    """The kind that an operation is counted with."""
    return next(kind for kind, holds in KINDS.items() if holds(operation, name))


def milliseconds_by_kind(step_stats: Any) -> dict[str, float]:
    """Times of all operations of a traced step, added up by kind."""
    times: dict[str, float] = collections.defaultdict(float)
    for device in step_stats.dev_stats:
        for node in device.node_stats:
            # The label is "name = Operation(inputs)".
            _, _, call = node.timeline_label.partition(" = ")
            operation = call.partition("(")[0]
            times[kind_of(operation, node.node_name)] += node.all_end_rel_micros / 1000
    return dict(times)


def profile(step: yardstick.SessionCall, count: int) -> dict[str, float]:
    """Milliseconds of each kind in a step: means of `count` steps, after some that warm up."""
    import tensorflow.compat.v1 as tf

    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    for _ in range(3):
        step()
    sums: dict[str, float] = collections.defaultdict(float)
    for _ in range(count):
        metadata = tf.RunMetadata()
        step.session.run(step.fetches, options=options, run_metadata=metadata)
        for kind, value in milliseconds_by_kind(metadata.step_stats).items():
            sums[kind] += value / count
    return {kind: sums[kind] for kind in KINDS if kind in sums}


def draw(profiles: Mapping[str, Mapping[str, float]], path: str) -> None:
    """One bar for each profile, kinds side by side, in milliseconds of operation time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(10, 1.6 + 0.7 * len(profiles)), layout="constrained")
    names = list(profiles)
    begins = [0.0] * len(names)
    for number, kind in enumerate(KINDS):
        lengths = [profiles[name].get(kind, 0.0) for name in names]
        if any(lengths):
            axes.barh(names, lengths, left=begins, label=kind, color=pyplot.cm.tab20(number % 20))
        begins = [begin + length for begin, length in zip(begins, lengths, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("milliseconds of operations in a step, over all threads")
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    with files.appearing_whole(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
    pyplot.close(figure)


def _earlier(path: str) -> dict[str, dict[str, float]]:
    """The profiles in a file that this program wrote, called "before"."""
    content = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    return {f"{name}, before": times for name, times in content["milliseconds"].items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", required=True, help="TFRecord with 5 keypoints a face")
    parser.add_argument("--steps", type=int, default=5, help="traced steps of each kind")
    parser.add_argument("--picture", default="", help="PNG file to write; needs matplotlib")
    parser.add_argument("--output", default="", help="JSON file to write")
    parser.add_argument(
        "--before", default="", help="such a file of an earlier version, to compare"
    )
    options = parser.parse_args()
    earlier = _earlier(options.before) if options.before else {}
    startup.prepare_tensorflow()
    profiles = {
        name: profile(make(), options.steps)
        for name, make in (
            ("backbone alone, float32", yardstick.training_step),
            ("whole step, float32", lambda: training_step.whole_step(options.record)),
            ("whole step, bfloat16", lambda: training_step.whole_step(options.record, True)),
        )
    }
    for name, times in profiles.items():
        total = sum(times.values())
        print(f"{name}: {total:.0f} ms of operations")
        for kind, value in times.items():
            print(f"  {kind:<28} {value:8.1f} ms {100 * value / total:5.1f} %")
    if options.picture:
        draw({**earlier, **profiles}, options.picture)
    if options.output:
        files.write_json(options.output, {"environment": environment(), "milliseconds": profiles})


if __name__ == "__main__":
    main()
