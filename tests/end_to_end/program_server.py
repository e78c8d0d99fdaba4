"""Runs programs as users do, each in a process of its own that is there at once.

A process of its own (`Server` starts it) loads what programs share, but not TensorFlow, and forks
for every call. Starting each anew would take a second, three hundred of them five minutes.
"""

import argparse
import contextlib
import importlib
import json
import os
import pathlib
import runpy
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from typing import Any, NamedTuple

REPO = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 20  # after which a program is ended

_SHARED = (
    "absl.app",
    "absl.flags",
    "lxml.etree",
    "numpy",
    "PIL.Image",
    "pycocotools.mask",
    "tqdm",
    "object_detection.utils.config_check",
    "object_detection.utils.config_util",
    "object_detection.utils.flag_checks",
    "object_detection.utils.label_map_util",
    "object_detection.utils.startup",
    "object_detection.utils.untrusted",
    "object_detection.visualization.drawing",
)
REACHED = "reached TensorFlow"


class Outcome(NamedTuple):
    """What became of a program."""

    status: int
    stdout: str
    stderr: str
    tensorflow: bool  # whether it was loaded
    seconds: float


def _stop_at_tensorflow() -> None:
    startup = importlib.import_module("object_detection.utils.startup")

    def reached() -> None:
        sys.exit(REACHED)

    vars(startup)["prepare_tensorflow"] = reached


def _tell_flags() -> None:
    """Makes a program print its flags as JSON instead of running."""
    app, flags = importlib.import_module("absl.app"), importlib.import_module("absl.flags")

    def of_absl(*_: Any, **__: Any) -> None:
        names = {
            flag.name
            for module, defined in flags.FLAGS.flags_by_module_dict().items()
            if not module.startswith("absl.")
            for flag in defined
        }
        print(json.dumps(sorted(names)))
        sys.exit(0)

    def of_argparse(parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        names = {action.dest for action in parser._actions if action.dest != "help"}
        print(json.dumps(sorted(names)))
        sys.exit(0)

    vars(app)["run"] = vars(app)["parse_flags_with_usage"] = of_absl
    argparse.ArgumentParser.parse_args = of_argparse  # type: ignore[assignment, method-assign]


def _run(request: dict[str, Any]) -> int:
    program, arguments = request["program"], request["arguments"]
    os.chdir(request["folder"])
    if request["mode"] == "flags":
        _tell_flags()
    elif request["mode"] == "until_tensorflow":
        _stop_at_tensorflow()
    try:
        if program.endswith(".py"):
            path = str(REPO / program)
            sys.argv = [path, *arguments]
            sys.path.insert(0, os.path.dirname(path))
            runpy.run_path(path, run_name="__main__")
        else:
            sys.argv = [program, *arguments]
            sys.path.insert(0, str(REPO))
            runpy.run_module(program, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return int(end.code or 0)
    except BaseException:  # noqa: BLE001 - as Python itself would end
        traceback.print_exc()
        return 1
    return 0


def _child(request: dict[str, Any], folder: str) -> None:
    signal.alarm(SECONDS)
    for number, name in ((1, "stdout"), (2, "stderr")):
        handle = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT)
        os.dup2(handle, number)
    status = 1
    try:
        status = _run(request)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        pathlib.Path(folder, "tensorflow").write_text(str("tensorflow" in sys.modules))
        os._exit(status)


def _serve() -> None:
    for name in _SHARED:
        importlib.import_module(name)
    assert "tensorflow" not in sys.modules
    for line in sys.stdin:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            child = os.fork()
            if child == 0:
                _child(json.loads(line), folder)
            _, status = os.waitpid(child, 0)
            told = {
                name: pathlib.Path(folder, name).read_text(errors="replace")
                if os.path.exists(os.path.join(folder, name))
                else ""
                for name in ("stdout", "stderr", "tensorflow")
            }
        told["tensorflow"] = told["tensorflow"] != "False"
        outcome = Outcome(
            os.waitstatus_to_exitcode(status), **told, seconds=time.monotonic() - began
        )
        print(json.dumps(outcome), flush=True)


class Server:
    """A process that runs programs; `with` ends it."""

    def __init__(self, folder: pathlib.Path) -> None:
        """Starts it.

        Args:
            folder: that the programs are started in.
        """
        self._folder = str(folder)
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPO), "PYTHONWARNINGS": "ignore"},
        )

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def run(self, program: str, *arguments: str, mode: str = "whole") -> Outcome:
        """Runs a program.

        Args:
            program: path below the repository, or name of a module.
            arguments: of its command line.
            mode: "whole"; "until_tensorflow", to end where it would start TensorFlow, with `REACHED`
                on standard error; "flags", to have it print its flags.
        """
        request = {
            "program": program,
            "arguments": arguments,
            "folder": self._folder,
            "mode": mode,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return Outcome(*json.loads(self._process.stdout.readline()))

    def flags(self, program: str) -> set[str]:
        """Names of all flags, as the program registers them."""
        done = self.run(program, mode="flags")
        assert done.status == 0, done.stderr
        return set(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    _serve()
