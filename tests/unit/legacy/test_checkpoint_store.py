"""Checkpoints: their rotation, and what a kill between any two changes of the folder leaves."""

import errno
import os
import pathlib
import subprocess
import sys
import time

import pytest
import tensorflow.compat.v1 as tf

from object_detection.errors import StorageError
from object_detection.legacy import checkpoint_store
from object_detection.utils import checkpoint_files, files

PARTS = ("data-00000-of-00001", "index", "meta")


@pytest.fixture
def session():
    with tf.Graph().as_default(), tf.Session() as session:
        value = tf.get_variable("value", initializer=0.0, use_resource=True)
        session.set_value = lambda number: session.run(value.assign(number))
        yield session


def _save(session, store, step):
    """Saves, with the step as the variable's value."""
    session.set_value(step)
    return store.save(session, step)


def _listed(folder, *steps):
    """The names in a folder that has these checkpoints and nothing else."""
    assert sorted(os.listdir(folder)) == sorted(
        ["checkpoint", *(f"model.ckpt-{step}.{part}" for step in steps for part in PARTS)]
    )
    for step in steps:
        reader = tf.train.load_checkpoint(f"{folder}/model.ckpt-{step}")
        assert reader.get_tensor("value") == step


def test_names_are_the_usual_ones_and_tensorflow_finds_the_newest(tmp_path, session):
    store = checkpoint_store.CheckpointStore(str(tmp_path), 2, 10000.0)
    assert _save(session, store, 5) == str(tmp_path / "model.ckpt-5")
    _listed(tmp_path, 5)
    _save(session, store, 7)
    _save(session, store, 30)
    _listed(tmp_path, 7, 30)
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "model.ckpt-30")
    assert store.last_checkpoints == [f"{tmp_path}/model.ckpt-{step}" for step in (7, 30)]
    text = (tmp_path / "checkpoint").read_text()
    assert str(tmp_path) not in text
    assert 'all_model_checkpoint_paths: "model.ckpt-7"' in text
    # The meta graph is whole, too.
    with tf.Graph().as_default(), tf.Session() as other:
        tf.train.import_meta_graph(f"{tmp_path}/model.ckpt-30.meta").restore(
            other, f"{tmp_path}/model.ckpt-30"
        )
        assert other.run("value/Read/ReadVariableOp:0") == 30


def test_a_relative_folder(tmp_path, session, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = checkpoint_store.CheckpointStore("run", 1, 10000.0)
    _save(session, store, 1)
    _save(session, store, 2)
    _listed("run", 2)
    assert checkpoint_files.latest_whole("run") == "run/model.ckpt-2"
    assert tf.train.latest_checkpoint("run") == "run/model.ckpt-2"


def test_the_rotation_goes_on_after_a_stop_and_zero_keeps_all(tmp_path, session):
    for step in (1, 2, 3):
        _save(session, checkpoint_store.CheckpointStore(str(tmp_path), 2, 10000.0), step)
    _listed(tmp_path, 2, 3)
    for step in (4, 5):
        _save(session, checkpoint_store.CheckpointStore(str(tmp_path), 0, 10000.0), step)
    _listed(tmp_path, 2, 3, 4, 5)


def test_one_is_kept_every_few_hours_over_stops(tmp_path, session, monkeypatch):
    """A checkpoint each half hour, one process each, two kept, and one each hour for good."""
    start = time.time()
    for step in range(1, 9):
        monkeypatch.setattr(time, "time", lambda step=step: start + step * 1800)
        _save(session, checkpoint_store.CheckpointStore(str(tmp_path), 2, 1.0), step)
    # The first begins the hours; the next one later than an hour after it is 4, after that 7.
    _listed(tmp_path, 4, 7, 8)


def test_a_checkpoint_of_the_same_step_is_replaced(tmp_path, session):
    store = checkpoint_store.CheckpointStore(str(tmp_path), 2, 10000.0)
    for step in (1, 2):
        _save(session, store, step)
    session.set_value(-1.0)
    store.save(session, 1)
    assert tf.train.load_checkpoint(f"{tmp_path}/model.ckpt-1").get_tensor("value") == -1
    assert checkpoint_files.named(str(tmp_path)) == ["model.ckpt-2", "model.ckpt-1"]


@pytest.mark.parametrize("failing", range(4))
def test_a_disk_that_is_full_at_any_move_leaves_all_as_it_was(
    tmp_path, session, monkeypatch, failing
):
    """Three moves of files, and one of `checkpoint`."""
    store = checkpoint_store.CheckpointStore(str(tmp_path), 1, 10000.0)
    _save(session, store, 1)
    replace, count = os.replace, iter(range(100))

    def fail(source, target):
        if next(count) == failing:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(StorageError, match=r"(model.ckpt-2|checkpoint): .*No space left"):
            _save(session, store, 2)
    _listed(tmp_path, 1)
    assert checkpoint_files.named(str(tmp_path)) == ["model.ckpt-1"]
    _save(session, store, 3)
    _listed(tmp_path, 3)


def test_what_tensorflow_cannot_write_names_the_checkpoint(tmp_path, session, monkeypatch):
    store = checkpoint_store.CheckpointStore(str(tmp_path), 1, 10000.0)
    _save(session, store, 1)

    def fail(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "x.tempstate; No space left on device")

    monkeypatch.setattr(tf.train.Saver, "save", fail)
    with pytest.raises(StorageError, match=r"model.ckpt-2: .* kB are needed, .* are free"):
        _save(session, store, 2)
    _listed(tmp_path, 1)


KILLED = """
import os, sys
import tensorflow.compat.v1 as tf
from object_detection.legacy import checkpoint_store
tf.disable_v2_behavior()
folder, steps = sys.argv[1], 3

def dies_at(number):
    "The number-th change of the folder is not made: the process ends there, as by kill -9."
    count = iter(range(1000))
    for name in ("replace", "remove", "mkdir", "rmdir", "unlink"):
        def wrapped(*args, original=getattr(os, name), **kwargs):
            if next(count) == number:
                os._exit(9)
            return original(*args, **kwargs)
        setattr(os, name, wrapped)

number = 0
while True:
    child = os.fork()
    if not child:
        where = f"{folder}/{number}"
        os.makedirs(where)
        value = tf.get_variable("value", initializer=0.0, use_resource=True)
        with tf.Session() as session:
            store = checkpoint_store.CheckpointStore(where, 1, 10000.0)
            for step in range(1, steps + 1):
                session.run(value.assign(step))
                if step == steps:
                    dies_at(number)
                store.save(session, step)
        os._exit(0)
    if not os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        break
    number += 1
print(number)
"""


@pytest.mark.slow
def test_killed_before_any_change_of_the_folder(tmp_path):
    """Step 2 is there and step 3 is being saved, with room for one."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path],
        cwd=pathlib.Path(files.__file__).parents[2],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        text=True,
        capture_output=True,
        check=True,
    )
    kills = int(done.stdout)
    assert kills > 10
    found = []
    for number in range(kills):
        folder = tmp_path / str(number)
        # Whoever only reads finds a whole one at any time.
        assert checkpoint_files.latest_whole(str(folder), thorough=True) in {
            str(folder / "model.ckpt-2"),
            str(folder / "model.ckpt-3"),
        }
        said = []
        checkpoint_store.tidy(str(folder), said.append)
        (name,) = checkpoint_files.named(str(folder))[-1:]
        found.append(name)
        kept = [checkpoint_files.step_in_name(one) for one in checkpoint_files.named(str(folder))]
        _listed(folder, *kept)
        assert bool(said) == (kept == [2, 3])
    # First nothing has changed yet, in the end all is done.
    assert found == sorted(found)
    assert (found[0], found[-1]) == ("model.ckpt-2", "model.ckpt-3")
