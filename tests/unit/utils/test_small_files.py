"""Why a file that a user names cannot be read, and what may have been meant."""

import os

import pytest

from object_detection.errors import ConfigError
from object_detection.utils import small_files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for name in ("data/train.record", "data/val.record", "data/empty.record", "labels.pbtxt"):
        (tmp_path / name).write_bytes(b"" if "empty" in name else b"x")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "there is no file ''."),
        ("labels.pbtxt", ""),
        ("label.pbtxt", "there is no file 'label.pbtxt'. Near it: 'labels.pbtxt'."),
        ("nothing", "there is no file 'nothing'."),
        (
            "data",
            "'data' is a folder; give a file, such as 'empty.record', 'train.record', 'val.rec",
        ),
        ("dta/train.record", "'dta' does not exist; near it: 'data'."),
        ("far/away/x", "there is no file 'far/away/x'. 'far' does not exist."),
        ("labels.pbtxt/x", "'labels.pbtxt' is no folder"),
        ("a\x00b", "there is no file 'a\\x00b'."),
        ("x" * 100_000, "'..."),
    ],
)
def test_absence(path, words, folder):
    said = small_files.absence(path)
    assert words in said
    assert bool(said) == bool(words)
    assert len(said) < 700


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("data/*.record", ""),
        ("data/train.record", ""),
        ("data/trian.record", "no file matches 'data/trian.record'. Near it: 'data/train.record'"),
        ("data", "'data' is a folder"),
        ("data/[", "no file matches"),
    ],
)
def test_patterns(pattern, words, folder):
    said = small_files.no_match(pattern)
    assert words in said
    assert bool(said) == bool(words)


def test_empty_files(folder):
    assert small_files.are_empty(["data/empty.record"])
    assert not small_files.are_empty(["data/*.record"])
    assert not small_files.are_empty(["data/empty.record", "gs://bucket/x"])


def test_a_folder_of_many_names_does_not_delay_an_error(folder):
    (folder / "many").mkdir()
    for number in range(300):
        (folder / "many" / f"picture{number}.jpg").touch()
    said = small_files.absence("many/picture.jpg")
    assert said.count("picture") == 4  # it, and three near names


def test_what_cannot_be_read_is_named(folder):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    os.chmod("labels.pbtxt", 0)
    with pytest.raises(ConfigError, match="it may not be read by this user"):
        small_files.read("labels.pbtxt", "label map")


def test_sizes(folder, monkeypatch):
    monkeypatch.setattr(small_files, "MOST_BYTES", 5)
    (folder / "five").write_bytes(b"12345")
    (folder / "six").write_bytes(b"123456")
    assert small_files.read("five", "label map") == b"12345"
    with pytest.raises(ConfigError, match=r"six: has more than .* so it is no label map"):
        small_files.read("six", "label map")


def test_a_pipe_is_read_up_to_its_bound(folder, monkeypatch):
    monkeypatch.setattr(small_files, "MOST_BYTES", 5)
    for content, fits in ((b"12345", True), (b"123456", False)):
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        try:
            if fits:
                assert small_files.read(f"/dev/fd/{reading}", "config") == content
            else:
                with pytest.raises(ConfigError, match="has more than"):
                    small_files.read(f"/dev/fd/{reading}", "config")
        finally:
            os.close(reading)


def test_text(folder):
    (folder / "marked").write_bytes(b"\xef\xbb\xbfmodel {}")
    assert small_files.read_text("marked", "config") == "model {}"
    (folder / "rubbish").write_bytes(b"model {}\n\xff\xfe")
    with pytest.raises(ConfigError, match="rubbish:2: byte 0xff is not UTF-8 text"):
        small_files.read_text("rubbish", "config")
