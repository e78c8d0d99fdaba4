"""Which checkpoint is the newest whole one, in folders that were moved, cut or damaged."""

import os
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.errors import CheckpointError
from object_detection.utils import checkpoint_files

DATA = ".data-00000-of-00001"


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Checkpoints of steps 1, 2 and 10, written by TensorFlow."""
    folder = tmp_path_factory.mktemp("three")
    with tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable("numbers", initializer=np.arange(5000, dtype=np.float32))
        tf.get_variable("flag", initializer=np.array([True, False]))
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver()
        for step in (1, 2, 10):
            saver.save(session, str(folder / "model.ckpt"), global_step=step)
    return folder


@pytest.fixture
def folder(three, tmp_path):
    return shutil.copytree(three, tmp_path / "copy of it")


def _latest(folder, **options):
    said = []
    found = checkpoint_files.latest_whole(str(folder), said.append, **options)
    return found and os.path.relpath(found, folder), said


def _point_to(folder, *names):
    """Writes the file `checkpoint`; the last name is the newest."""
    lines = [f'model_checkpoint_path: "{names[-1]}"']
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
    (folder / "checkpoint").write_text("\n".join(lines) + "\n")


def test_no_folder_and_an_empty_one(tmp_path):
    assert _latest(tmp_path / "absent") == (None, [])
    assert _latest(tmp_path) == (None, [])


@pytest.mark.parametrize("thorough", [False, True])
def test_the_one_that_is_named(folder, thorough):
    assert _latest(folder, thorough=thorough) == ("model.ckpt-10", [])
    _point_to(folder, "model.ckpt-1", "model.ckpt-2")
    assert _latest(folder, thorough=thorough) == ("model.ckpt-2", [])


def test_paths_of_the_old_place_are_not_followed(folder, three):
    """TensorFlow's saver has written absolute ones, and there the files still are."""
    assert str(three) in (folder / "checkpoint").read_text()
    assert _latest(folder) == ("model.ckpt-10", [])
    assert checkpoint_files.named(str(folder)) == ["model.ckpt-1", "model.ckpt-2", "model.ckpt-10"]
    _point_to(folder, r"C:\\runs\\model.ckpt-2")
    assert _latest(folder) == ("model.ckpt-2", [])


def test_what_is_named_is_elsewhere(folder, three, tmp_path):
    _point_to(tmp_path, f"{three}/model.ckpt-10")
    with pytest.raises(CheckpointError, match=r"names model.ckpt-10, but no such checkpoint"):
        _latest(tmp_path)
    _point_to(folder, "../elsewhere/model.ckpt-11")
    found, (said,) = _latest(folder)
    assert found == "model.ckpt-10"
    assert "model.ckpt-11: its index is absent. Taking model.ckpt-10" in said


def test_without_the_file_that_names_one(folder):
    (folder / "checkpoint").unlink()
    found, (said,) = _latest(folder)
    assert found == "model.ckpt-10"
    assert "no file 'checkpoint'" in said


def test_a_file_that_names_none(folder):
    (folder / "checkpoint").write_text("\0\1 nonsense {")
    assert _latest(folder)[0] == "model.ckpt-10"


def _cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        pytest.param(
            lambda prefix: _cut(prefix(DATA), 19999), "have 19999 bytes, but", id="cut data"
        ),
        pytest.param(lambda prefix: _cut(prefix(DATA), 0), "have 0 bytes, but", id="empty data"),
        pytest.param(lambda prefix: prefix(DATA).unlink(), "values is absent", id="no data"),
        pytest.param(
            lambda prefix: _cut(prefix(".index"), 50), "index cannot be read", id="cut index"
        ),
        pytest.param(lambda prefix: _cut(prefix(".index"), 0), "cannot be read", id="empty index"),
        pytest.param(lambda prefix: prefix(".index").unlink(), "index is absent", id="no index"),
    ],
)
def test_a_damaged_one_is_left_out(folder, harm, words):
    harm(lambda end: folder / f"model.ckpt-10{end}")
    found, (said,) = _latest(folder)
    assert found == "model.ckpt-2"
    assert words in said
    assert said.endswith("Taking model.ckpt-2.")


def test_a_wrong_byte_is_found_by_those_who_look_thoroughly(folder):
    data = folder / f"model.ckpt-10{DATA}"
    content = bytearray(data.read_bytes())
    content[9000] ^= 1
    data.write_bytes(content)
    assert _latest(folder)[0] == "model.ckpt-10"
    found, (said,) = _latest(folder, thorough=True)
    assert found == "model.ckpt-2"
    assert "value of numbers is damaged" in said


def test_none_is_whole(folder):
    for step in (1, 2, 10):
        _cut(folder / f"model.ckpt-{step}{DATA}", 3)
    with pytest.raises(CheckpointError, match="none of its checkpoints is whole") as caught:
        _latest(folder)
    assert all(f"model.ckpt-{step}: its values" in str(caught.value) for step in (1, 2, 10))
