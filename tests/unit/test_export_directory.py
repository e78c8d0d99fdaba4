"""The directory of an export: at once, or the manifest last."""

import json
import os
import stat

import pytest

from object_detection.errors import CheckpointError
from object_detection.exporter import directory
from object_detection.utils import export_manifest


def _export(target, contents):
    """Writes files; a name with a slash is in a folder."""
    with directory.appearing_whole(str(target)) as work:
        for name, text in contents.items():
            path = os.path.join(work, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)


def _contents(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


NEW = {"export.json": "m", "frozen.pb": "new", "saved_model/saved_model.pb": "new"}


@pytest.mark.parametrize("exists", [False, True])
def test_it_appears_at_once(tmp_path, exists, monkeypatch):
    if exists:
        (tmp_path / "out").mkdir()

    def refuse(*_):
        raise AssertionError("no single file is moved")

    monkeypatch.setattr(os, "replace", refuse)
    umask = os.umask(0o022)
    try:
        _export(tmp_path / "out", NEW)
    finally:
        os.umask(umask)
    assert _contents(tmp_path) == {f"out/{name}": text for name, text in NEW.items()}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o755


def test_what_is_there_is_replaced_and_other_things_stay(tmp_path):
    (tmp_path / "out" / "saved_model").mkdir(parents=True)
    (tmp_path / "out" / "saved_model" / "old").write_text("old")
    (tmp_path / "out" / "frozen.pb").write_text("old")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    _export(tmp_path / "out", NEW)
    assert _contents(tmp_path / "out") == {**NEW, "notes.txt": "mine"}
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("old", [None, {"format": 1, "files": {}}])
@pytest.mark.parametrize("moves", range(4))
def test_stopped_between_two_moves_it_is_refused_until_it_is_written_anew(
    tmp_path, moves, old, monkeypatch
):
    """Whatever manifest was there before."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "frozen.pb").write_text("old")
    (out / "saved_model").mkdir()
    new = {**NEW, "export.json": json.dumps({"format": 1, "files": {"frozen.pb": {}}})}
    if old is not None:
        (out / "export.json").write_text(json.dumps(old))
    done = []
    replace = os.replace

    def stop_after(source, target):
        if len(done) == moves:
            raise OSError("stopped")
        done.append(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", stop_after)
    with pytest.raises(OSError, match="stopped"):
        _export(out, new)
    monkeypatch.undo()
    if moves == 0:
        assert _contents(out)["frozen.pb"] == "old"
    else:
        assert os.path.basename(done[0]) == "export.json"
        with pytest.raises(CheckpointError, match="does not list the files"):
            export_manifest.read(str(out))
    _export(out, new)
    assert _contents(out) == new


def test_an_export_without_a_manifest_leaves_no_old_one(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "export.json").write_text("old")
    _export(tmp_path / "out", {"frozen.pb": "new"})
    assert _contents(tmp_path / "out") == {"frozen.pb": "new"}


def test_an_error_leaves_the_old_one(tmp_path):
    _export(tmp_path / "out", NEW)

    def fail():
        with directory.appearing_whole(str(tmp_path / "out")) as work:
            (tmp_path / os.path.basename(work) / "frozen.pb").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert _contents(tmp_path) == {f"out/{name}": text for name, text in NEW.items()}
