"""The program behind `scripts/detect.py`, around the detector."""

import json

import pytest

from object_detection.errors import ConfigError, DataError
from object_detection.inference import detect_pictures


@pytest.fixture
def arguments(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    (tmp_path / "b.jpg").write_bytes(b"neither")
    return ["--model=m", f"--output={tmp_path / 'out'}", str(tmp_path)]


def _give(monkeypatch, *entries):
    monkeypatch.setattr(detect_pictures, "_detections", lambda *_: iter(entries))


def test_a_folder_that_cannot_be_written_is_found_before_the_work(arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(detect_pictures, "_detections", lambda *_: pytest.fail("the work began"))
    (tmp_path / "out").touch()
    with pytest.raises(FileExistsError):
        detect_pictures.run(arguments)


def test_without_any_readable_picture_nothing_is_written(arguments, tmp_path, monkeypatch):
    _give(monkeypatch, {"picture": "a", "error": "a: bad."}, {"picture": "b", "error": "b: bad."})
    with pytest.raises(DataError, match=r"None of 2 pictures can be read\. The first: a: bad\."):
        detect_pictures.run(arguments)
    assert not list((tmp_path / "out").iterdir())


def test_one_bad_picture_does_not_stop_the_others(arguments, tmp_path, monkeypatch):
    _give(monkeypatch, {"picture": "a", "error": "a: bad."}, {"picture": "b", "detections": [{}]})
    said = detect_pictures.run(arguments)
    assert said.splitlines() == [
        f"1 detections in 1 pictures: {tmp_path / 'out' / 'detections.json'}",
        "left out: a: bad.",
    ]
    written = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert len(written["pictures"]) == 2


def test_flags_are_checked(arguments):
    with pytest.raises(ConfigError, match=r"--min_score is 1\.5"):
        detect_pictures.run([*arguments, "--min_score=1.5"])
    with pytest.raises(DataError, match="no such picture or folder"):
        detect_pictures.run([*arguments, "none.jpg"])
