"""Files of an export against what `export.json` says of them."""

import hashlib
import json
import logging

import pytest

from object_detection.errors import CheckpointError
from object_detection.utils import export_manifest

GRAPH, CONFIG = b"graph" * 1000, b"model {}\r\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "saved_model").mkdir()
    contents = {"frozen.pb": GRAPH, "pipeline.config": CONFIG, "saved_model/saved_model.pb": b"s"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    _write(tmp_path, {name: _entry(content) for name, content in contents.items()})
    return tmp_path


def _entry(content):
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _write(folder, files, **more):
    content = {"format": 1, "files": files, **more}
    (folder / "export.json").write_text(json.dumps(content))


def _verify(folder):
    export_manifest.verify_files(str(folder), export_manifest.read(str(folder)))


def test_an_export_as_it_was_written(folder, caplog):
    _verify(folder)
    export_manifest.verify_content(str(folder / "frozen.pb"), GRAPH, say_if_unknown=True)
    export_manifest.verify_file(str(folder / "pipeline.config"))
    assert not caplog.records
    manifest = json.loads((folder / "export.json").read_text())
    assert export_manifest.describe_folder(str(folder)) == manifest["files"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("frozen.pb", b"", r"frozen\.pb: has 0 bytes, and export\.json says 5000"),
        ("frozen.pb", GRAPH[:-1], r"frozen\.pb: has 4999 bytes"),
        ("frozen.pb", b"G" + GRAPH[1:], r"frozen\.pb: its sha256 is .* says"),
        ("pipeline.config", CONFIG.replace(b"\r", b" "), r"pipeline\.config: its sha256"),
        ("saved_model/saved_model.pb", None, r"saved_model\.pb: is absent, and export\.json lists"),
    ],
    ids=["empty", "cut", "one byte", "line end", "removed"],
)
def test_a_file_that_changed_is_refused(folder, name, content, message):
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        _verify(folder)
    if content is not None and "/" not in name:
        with pytest.raises(CheckpointError, match=message):
            export_manifest.verify_file(str(folder / name))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"format"',
        "{}",
        '{"format": "1", "files": {}}',
        '{"format": 1}',
        '{"format": 1, "files": []}',
        '{"format": 1, "files": {"a": 3}}',
        '{"format": 1, "files": {"a": {"bytes": 3}}}',
        '{"format": 1, "files": {"a": {"bytes": "3", "sha256": "x"}}}',
        "[" * 100_000,
    ],
)
def test_a_manifest_that_is_none_is_refused(folder, text):
    (folder / "export.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"export\.json: (cannot be read|does not list)"):
        export_manifest.read(str(folder))


def test_a_directory_that_is_being_written_is_refused(folder):
    (folder / "export.json").write_text('{"state": "being written"}')
    with pytest.raises(CheckpointError, match="half written"):
        export_manifest.verify_file(str(folder / "frozen.pb"))


def test_a_manifest_of_a_later_version(folder):
    (folder / "export.json").write_text('{"format": 2, "files": {}}')
    with pytest.raises(CheckpointError, match="has format 2, and this version knows 1"):
        export_manifest.read(str(folder))


def test_a_manifest_that_leads_out_of_its_directory(folder):
    (folder.parent / "other").write_bytes(b"x")
    for name in ("../other", str(folder.parent / "other")):
        _write(folder, {name: _entry(b"x")})
        with pytest.raises(CheckpointError, match="outside of the directory"):
            _verify(folder)


def test_what_has_no_manifest_is_said_once_and_loads(tmp_path, caplog):
    assert export_manifest.read(str(tmp_path)) is None
    with caplog.at_level(logging.WARNING):
        export_manifest.verify_content(str(tmp_path / "a.pb"), b"x", say_if_unknown=True)
        export_manifest.verify_content(str(tmp_path / "pipeline.config"), b"x")
    (record,) = caplog.records
    assert "a.pb: cannot be verified" in record.getMessage()
