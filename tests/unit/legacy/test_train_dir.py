"""Directories that are none to train in, the lock, and what a killed training left."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from object_detection.errors import ConfigError
from object_detection.legacy import train_dir
from object_detection.utils import files, locks


def _open(folder, say=lambda _: None):
    with train_dir.opened(str(folder), say):
        return sorted(os.listdir(folder))


def test_a_new_directory_of_which_nothing_comes_goes_again(tmp_path):
    assert _open(tmp_path / "a" / "b") == [train_dir.LOCK_FILE]
    assert not (tmp_path / "a" / "b").exists()


def test_one_with_something_in_it_stays(tmp_path):
    with train_dir.opened(str(tmp_path / "a"), print):
        (tmp_path / "a" / "seed.txt").touch()
    assert os.listdir(tmp_path / "a") == ["seed.txt"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        pytest.param(["frozen_inference_graph.pb"], "exported model", id="frozen graph"),
        pytest.param(
            ["saved_model/saved_model.pb", "model.ckpt.index", "pipeline.config", "checkpoint"],
            "exported model",
            id="download",
        ),
        pytest.param(["metrics.json", "report/sizes.csv"], "of an evaluation", id="eval_dir"),
        pytest.param(
            ["metrics.json", "pipeline.config", "model.ckpt-3.index"],
            "the best checkpoint",
            id="best",
        ),
    ],
)
def test_directories_of_something_else_are_left_alone(tmp_path, names, words):
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"best_metric": "m"} if words == "the best checkpoint" else {}))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match=words):
        _open(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["seed.txt", "saved_model"], id="an export into a training"),
        pytest.param(["metrics.json", "model.ckpt-3.index"], id="an evaluation into a training"),
        pytest.param(["pipeline.config", "model.ckpt-3.index", "graph.pbtxt"], id="older"),
        pytest.param(["notes.txt"], id="other things"),
    ],
)
def test_directories_to_train_in(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("{}")
    assert _open(tmp_path) == sorted([*names, train_dir.LOCK_FILE])
    assert sorted(os.listdir(tmp_path)) == sorted(names)


def test_a_second_training_is_told_of_the_first(tmp_path):
    with train_dir.opened(str(tmp_path), print):
        with pytest.raises(ConfigError, match=rf"process {os.getpid()} on .*, since 20"):
            _open(tmp_path)
        assert os.listdir(tmp_path) == [train_dir.LOCK_FILE]
    assert _open(tmp_path) == [train_dir.LOCK_FILE]


def test_where_there_are_no_locks_it_says_so_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "try_to_lock", lambda _: None)
    said = []
    _open(tmp_path, said.append)
    assert "Take care that no other training" in said[0]


def test_the_lock_and_the_leftovers_of_a_killed_training_go(tmp_path):
    program = f"""
import time
from object_detection.legacy import train_dir
from object_detection.utils import files
with train_dir.opened({str(tmp_path)!r}, print):
    with files.appearing_whole({str(tmp_path / "eval/pictures/a.jpg")!r}) as one:
        with files.appearing_whole({str(tmp_path / "pipeline.config")!r}) as two:
            print("ready", flush=True)
            time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=pathlib.Path(files.__file__).parents[2],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            with pytest.raises(ConfigError, match=rf"process {process.pid} on"):
                _open(tmp_path)
        finally:
            process.send_signal(signal.SIGKILL)
    before = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert len(before) == 3
    (tmp_path / "seed.txt").touch()
    _open(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["seed.txt"]
