"""Gives many damaged inputs to the readers of strangers' data.

    python -m tests.fuzz.run --target records --count 10000 --seed 1

The work is done in a process of its own with bounded memory, so that a crash, too, is a report with
the number of its input. Inputs that fail are written to --failures, to become cases of the suite.
Exit status 1 if something failed.
"""

import argparse
import importlib
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import engine

# Target -> module and class; only some need TensorFlow.
TARGETS = {
    "records": ("targets", "Records"),
    "labels": ("targets", "Labels"),
    "configs": ("targets", "Configs"),
    "label_maps": ("targets", "LabelMaps"),
    "json_files": ("targets", "JsonFiles"),
    "checkpoints": ("decoding", "Checkpoints"),
    "data_sets": ("data_sets", "DataSets"),
    "wider": ("wider", "Wider"),
}
NAMES = tuple(TARGETS)
_MOST_MEMORY = 2 << 30  # bytes of address space beyond what a target needs to start


def target(name: str, folder: pathlib.Path) -> engine.Target:
    """The target of this name."""
    module, what = TARGETS[name]
    one: engine.Target = getattr(importlib.import_module(module), what)(folder)
    return one


def fast_folder() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder in memory, if there is one: files that are made durable take long."""
    return tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", choices=NAMES, required=True)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--failures", type=pathlib.Path, help="folder for inputs that fail")
    parser.add_argument("--child", type=pathlib.Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _bound_memory() -> None:
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + _MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def _unbound_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _work(options: argparse.Namespace) -> None:
    """In the process of its own."""
    with fast_folder() as folder:
        one = target(options.target, pathlib.Path(folder))
        _bound_memory()
        finish = one.finish

        def finish_unbound() -> list[str]:
            _unbound_memory()
            return finish()

        one.finish = finish_unbound  # type: ignore[method-assign]
        report = engine.run(
            one, options.count, options.seed, options.first, options.child / "number"
        )
        for path in sorted(pathlib.Path(folder).glob("passed_*.bin")):
            (options.child / f"{options.target}_{path.name}").write_bytes(path.read_bytes())
    for failure in report.failures:
        name = f"{options.target}_{options.seed}_{failure.number}.bin"
        (options.child / name).write_bytes(failure.data)
    (options.child / "report.json").write_text(json.dumps(report.as_json()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs as the command line says; prints the report."""
    options = _options(arguments)
    if options.child:
        _work(options)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        words = [
            f"--{name}={getattr(options, name)}" for name in ("target", "count", "seed", "first")
        ]
        done = subprocess.run([sys.executable, __file__, *words, f"--child={folder}"], check=False)
        found = pathlib.Path(folder)
        if options.failures is not None:
            options.failures.mkdir(parents=True, exist_ok=True)
            for path in found.glob("*.bin"):
                (options.failures / path.name).write_bytes(path.read_bytes())
        if done.returncode:
            number = found / "number"
            at = number.read_text() if number.exists() else "none"
            print(f"{options.target}: the process ended with {done.returncode} at input {at}.")
            return 1
        report = json.loads((found / "report.json").read_text())
    print(json.dumps(report, indent=1))
    return int(bool(report["failures"] or report["problems"]))


if __name__ == "__main__":
    sys.exit(main())
