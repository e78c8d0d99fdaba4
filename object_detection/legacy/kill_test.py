"""Kills a training and an export again and again, and compares what comes of them in the end.

A tiny detector is trained undisturbed, on one thread; then in rounds, each in a directory of its
own, in which the same command is killed (SIGKILL) at random moments and given again until it ends.
Every round has to end with the same bits.
"""

import contextlib
import dataclasses
import hashlib
import itertools
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import saved_model_pb2

from object_detection.dataset_tools import drawn_faces
from object_detection.errors import ObjectDetectionError
from object_detection.utils import checkpoint_files, export_manifest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
_ENVIRONMENT = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
}
_STEPS = 12
_TRAINING = """
  data_augmentation_options { random_horizontal_flip {} }
  data_augmentation_options { ssd_random_crop {} }
  optimizer {
    momentum_optimizer {
      learning_rate { exponential_decay_learning_rate { initial_learning_rate: 0.01 decay_steps: 3 }
        warmup_steps: 3 warmup_start_factor: 0.1 }
    }
    use_moving_average: true
    moving_average_warmup: true
  }
  evaluation { every_steps: 3 best_metric: "Losses/classification_loss"
    early_stopping { patience: 99 } }
"""
# Until the first words a training only prepares itself; the first step takes seconds.
_FIRST_WORDS = "Training from step"
_STEP_WORDS = "\nstep "
# A run lives at most this part of the undisturbed time after its first step.
_SHARE = 0.25
_LONGEST = 900.0  # seconds that any program may take


@dataclasses.dataclass
class Result:
    """What was found."""

    seed: int
    kills: Counter[str] = dataclasses.field(default_factory=Counter)  # by what went on
    rounds: int = 0
    compared: int = 0  # values, files and lists that had to be equal
    problems: list[str] = dataclasses.field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All of it, for a file."""
        return {
            "seed": self.seed,
            "kills": sum(self.kills.values()),
            "kills_by_moment": dict(sorted(self.kills.items())),
            "rounds": self.rounds,
            "compared": self.compared,
            "problems": self.problems,
        }


class KillTest:
    """The data, the commands, and what an undisturbed run of them leaves."""

    def __init__(self, folder: pathlib.Path, seed: int, say: Callable[[str], None]) -> None:
        """Makes records and config.

        Args:
            folder: for all that is written; emptied before.
            seed: of the moments.
            say: takes each line for the user.
        """
        self.result = Result(seed)
        self._folder = folder
        self._random = random.Random(seed)
        self._say = say
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        labels = drawn_faces.write_pictures(folder / "pictures", 8, seed=0, workers=1)
        self._run(
            [
                "scripts/txt_to_tfr_retface_v2.py",
                f"--itxt={labels}",
                f"--idir={folder / 'pictures' / 'images'}",
                f"--opath={folder / 'faces.record'}",
            ]
        )
        self._config = folder / "x.config"
        self._config.write_text(_config_text(folder))

    def _training(self, name: str) -> list[str]:
        return [
            "object_detection/legacy/train.py",
            f"--pipeline_config_path={self._config}",
            f"--train_dir={self._folder / name}",
            "--log_every_steps=1",
            "--save_every_secs=0",
            "--seed=4",
        ]

    def _export(self, name: str) -> list[str]:
        best = self._folder / "undisturbed" / "best"
        (checkpoint,) = checkpoint_files.named(str(best))
        return [
            "object_detection/export_inference_graph.py",
            f"--pipeline_config_path={best / 'pipeline.config'}",
            f"--trained_checkpoint_prefix={best / checkpoint}",
            f"--output_directory={self._folder / name}",
            # After a few steps the network may say the same of all pictures, which is refused.
            "--nocheck",
        ]

    def run(self, kills: int, export_kills: int) -> Result:
        """Kills trainings, then exports.

        Args:
            kills: of trainings; the last round goes on until its training has ended.
            export_kills: of exports.
        """
        times = self._timed(self._training("undisturbed"), _FIRST_WORDS, _STEP_WORDS)
        self._say(
            f"undisturbed: {times[0]:.1f} s to get ready, {times[1]:.1f} s until the first step, "
            f"{times[2]:.1f} s after it"
        )
        while sum(self.result.kills.values()) < kills:
            self._round(kills, times)
        if export_kills:
            self._kill_exports(export_kills)
        return self.result

    def _round(self, kills: int, times: Sequence[float]) -> None:
        """A training that is killed and given again until it ends, or `kills` are reached."""
        name = f"round-{self.result.rounds}"
        train_dir = self._folder / name
        step = 0
        while sum(self.result.kills.values()) < kills:
            words, longest = self._random.choices(
                [("", times[0]), (_FIRST_WORDS, times[1]), (_STEP_WORDS, _SHARE * times[2])],
                weights=[1, 2, 7],
            )[0]
            delay = self._random.uniform(0, longest)
            log = self._killed(self._training(name), words, delay)
            if log is None:
                break
            moment = moment_of(train_dir, _FIRST_WORDS in log)
            self.result.kills[moment] += 1
            step = self._check_after_kill(train_dir, step)
            self._say(f"{name}: killed while {moment}, checkpoint of step {step}")
        else:
            self._run(self._training(name))
        self.result.rounds += 1
        self._compare_trainings(train_dir)
        if not self.result.problems:
            shutil.rmtree(train_dir)

    def _check_after_kill(self, train_dir: pathlib.Path, step: int) -> int:
        """The step of the checkpoint that a reader finds now, which is whole and no earlier one."""
        said: list[str] = []
        try:
            latest = checkpoint_files.latest_whole(str(train_dir), said.append, thorough=True)
        except ObjectDetectionError as error:
            self._problem(f"after a kill: {error}")
            return step
        now = checkpoint_files.step_in_name(latest) if latest else 0
        if said and checkpoint_files.named(str(train_dir)):
            self._problem(f"after a kill: {said[0]}")
        if now < step:
            self._problem(f"{train_dir.name}: from step {step} back to {now}")
        return now

    def _compare_trainings(self, found: pathlib.Path) -> None:
        expected = self._folder / "undisturbed"
        self._equal("files", files_below(found), files_below(expected))
        for below in (f"model.ckpt-{_STEPS}", "best"):
            self._compare_checkpoints(found / below, expected / below)
        for name in (
            "checkpoint",
            "seed.txt",
            "pipeline.config",
            "eval/history.json",
            "best/metrics.json",
        ):
            self._equal(name, _content(found / name), _content(expected / name))

    def _compare_checkpoints(self, found: pathlib.Path, expected: pathlib.Path) -> None:
        """Of prefixes, or of folders with one checkpoint each."""
        values = [_values(path) for path in (found, expected)]
        self._equal(f"{found.name}: variables", sorted(values[0]), sorted(values[1]))
        for name, value in values[1].items():
            same = name in values[0] and _bits(values[0][name]) == _bits(value)
            self._equal(f"{found.name}: {name}", same, True)

    def _kill_exports(self, kills: int) -> None:
        """Half of them into a directory that is there already."""
        total = sum(self._timed(self._export("exported")))
        self._run(self._export("exported again"))
        expected = export_contents(self._folder / "exported")
        self._equal("two exports", export_contents(self._folder / "exported again"), expected)
        for number in range(kills):
            name = ("exported anew", "exported again")[number % 2]
            # All is written in the end.
            delay = self._random.uniform(0 if number % 4 < 2 else 0.7, 1) * total
            before = (self._folder / name).exists()
            log = self._killed(self._export(name), "", delay)
            if log is not None:
                leftover = any(self._folder.glob(f".{name}-*.partial"))
                self.result.kills["exporting, writing" if leftover else "exporting"] += 1
                if not before and (self._folder / name).exists():
                    self._equal(name, export_contents(self._folder / name), expected)
            if number % 2 == 0 and (self._folder / name).exists():
                shutil.rmtree(self._folder / name)
        for name in ("exported anew", "exported again"):
            self._run(self._export(name))
            self._equal(name, export_contents(self._folder / name), expected)
        left = [path.name for path in self._folder.iterdir() if path.name.startswith(".")]
        self._equal("leftovers of exports", left, [])

    def _equal(self, what: str, found: Any, expected: Any) -> None:
        self.result.compared += 1
        if found != expected:
            words = [str(one) for one in (found, expected)]
            self._problem(f"{what}: {words[0][:300]}, expected {words[1][:300]}")

    def _problem(self, words: str) -> None:
        self.result.problems.append(words)
        self._say(f"PROBLEM: {words}")

    def _run(self, command: Sequence[str]) -> str:
        """What a program says, which has to end well."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=REPOSITORY,
            env={**os.environ, **_ENVIRONMENT},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LONGEST,
            check=False,
        )
        if done.returncode:
            self._problem(f"{command[0]} ended with {done.returncode}: {done.stdout[-500:]}")
        return done.stdout

    def _timed(self, command: Sequence[str], *words: str) -> list[float]:
        """Seconds until a program has said something, from there to the next, and to its end."""
        times = [time.monotonic()]
        with self._started(command) as (process, log):
            for one in words:
                _wait_for(process, log, one)
                times.append(time.monotonic())
            if process.wait(_LONGEST):
                self._problem(f"{command[0]}: {log.read_text()[-500:]}")
            times.append(time.monotonic())
        return [after - before for before, after in itertools.pairwise(times)]

    def _killed(self, command: Sequence[str], words: str, delay: float) -> str | None:
        """Kills a program some seconds after it has said something.

        Returns:
            What it has said; None if it had ended before.
        """
        with self._started(command) as (process, log):
            _wait_for(process, log, words)
            try:
                status = process.wait(delay)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                status = process.wait()
            said = log.read_text()
        if status == -signal.SIGKILL:
            return said
        if status:
            self._problem(f"{command[0]} ended with {status}: {said[-500:]}")
        return None

    @contextlib.contextmanager
    def _started(
        self, command: Sequence[str]
    ) -> Iterator[tuple[subprocess.Popen[bytes], pathlib.Path]]:
        """A process, and the file that what it says goes to."""
        log = self._folder / "log.txt"
        with (
            log.open("wb") as file,
            subprocess.Popen(
                [sys.executable, *command],
                cwd=REPOSITORY,
                env={**os.environ, **_ENVIRONMENT},
                stdout=file,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            try:
                yield process, log
            finally:
                process.kill()


def _wait_for(process: "subprocess.Popen[bytes]", log: pathlib.Path, words: str) -> None:
    end = time.monotonic() + _LONGEST
    while words and words not in log.read_text() and process.poll() is None:
        if time.monotonic() > end:
            return
        time.sleep(0.005)


def _config_text(folder: pathlib.Path) -> str:
    """The config of the demonstration, made tiny."""
    text = (REPOSITORY / "keypoint_examples" / "pipeline_demo.config").read_text()
    begin = text.index("  data_augmentation_options")
    changed = text[:begin] + _TRAINING + text[text.index("  gradient_clipping_by_norm") :]
    for old, new in (
        ("demo_output/train.record", f"{folder}/faces.record"),
        ("demo_output/val.record", f"{folder}/faces.record"),
        ("height: 192 width: 192", "height: 96 width: 96"),
        ("depth_multiplier: 0.25", "depth_multiplier: 0.1"),
        ("batch_size: 16", "batch_size: 3"),
        ("num_steps: 2500", f"num_steps: {_STEPS}"),
        ("num_visualizations: 20", "num_visualizations: 2 use_moving_averages: true"),
        ("shuffle_buffer_size: 2048", "shuffle_buffer_size: 5"),
        ("keypoint_examples/", f"{REPOSITORY}/keypoint_examples/"),
    ):
        if old not in changed:
            raise ValueError(f"pipeline_demo.config has changed: there is no {old!r}.")
        changed = changed.replace(old, new)
    return changed


def moment_of(train_dir: pathlib.Path, has_begun: bool) -> str:
    """What a training was doing, by what a kill has left in its directory.

    Args:
        train_dir: of the training.
        has_begun: whether it had said that it begins with steps.
    """
    names = [path.name for path in train_dir.iterdir()] if train_dir.exists() else []
    in_eval = train_dir / "eval"
    partial = [name for name in names if ".partial" in name]
    if any(name.startswith((".model.ckpt", ".removed", ".checkpoint")) for name in partial):
        return "saving"
    if ".best.former" in names or any(name.startswith(".best") for name in partial):
        return "keeping the best"
    if in_eval.exists() and any(".partial" in path.name for path in in_eval.rglob(".*")):
        return "evaluating"
    return "training" if has_begun else "starting"


def files_below(folder: pathlib.Path) -> list[str]:
    """The paths of all files in a folder, but for event files, of which each start makes one."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("events.out")
    )


def _content(path: pathlib.Path) -> str:
    """The text of a file, without times in it; empty if there is none."""
    if not path.exists():
        return ""
    return "\n".join(line for line in path.read_text().splitlines() if "timestamp" not in line)


def _values(path: pathlib.Path) -> dict[str, Any]:
    """The variables of a checkpoint, by its prefix or its folder; none if it is not whole."""
    prefix = checkpoint_files.latest_whole(str(path)) if path.is_dir() else str(path)
    if not prefix or checkpoint_files.problem(prefix):
        return {}
    reader = tf.train.load_checkpoint(prefix)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def _bits(value: Any) -> tuple[str, tuple[int, ...], bytes]:
    array = np.asarray(value)
    return str(array.dtype), array.shape, array.tobytes()


def export_contents(folder: pathlib.Path) -> dict[str, str]:
    """A digest of each file of an export; or what is wrong with its files and its manifest.

    Graphs are read, since the same graph is not always written in the same order of bytes. The
    manifest has a date in it.
    """
    try:
        manifest = export_manifest.read(str(folder))
        if manifest is None:
            return {export_manifest.NAME: "is absent"}
        export_manifest.verify_files(str(folder), manifest)
    except ObjectDetectionError as error:
        return {export_manifest.NAME: str(error)}
    return {
        name: hashlib.sha256(_canonical(folder / name)).hexdigest()
        for name in files_below(folder)
        if name != export_manifest.NAME
    }


def _canonical(path: pathlib.Path) -> bytes:
    """The content of a file, with the entries of graphs in one order."""
    content = path.read_bytes()
    kind = {
        "frozen_inference_graph.pb": tf.GraphDef,
        "saved_model.pb": saved_model_pb2.SavedModel,
        "model.ckpt.meta": tf.MetaGraphDef,
    }.get(path.name)
    if kind is None:
        return content
    message = kind.FromString(content)
    if kind is tf.MetaGraphDef:
        # The rest lists, in any order, what TensorFlow knew while it built the graph.
        message = message.graph_def
    return bytes(message.SerializeToString(deterministic=True))
