import os

import pytest

from object_detection.errors import DataError, PictureError
from object_detection.utils import untrusted


@pytest.mark.parametrize(
    ("name", "is_below"),
    [
        ("a", True),
        ("a/b c.jpg", True),
        ("./a", True),
        ("a/../b", True),
        ("..a", True),
        ("a..", True),
        ("", False),
        (".", False),
        ("..", False),
        ("a/..", False),
        ("../a", False),
        ("a/../../b", False),
        ("/a", False),
        ("//a", False),
        ("a\0b", False),
    ],
)
def test_paths_below(name, is_below):
    assert untrusted.is_below(name) == is_below
    if is_below:
        found = os.path.normpath(untrusted.path_below("/x", name))
        assert found.startswith("/x/")
    else:
        with pytest.raises(PictureError) as error:
            untrusted.path_below("/x", name)
        assert error.value.reason == "path_outside"


def test_files_are_read_up_to_a_size(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert untrusted.read_bytes(str(path), 5) == b"12345"
    with pytest.raises(PictureError) as error:
        untrusted.read_bytes(str(path), 4)
    assert error.value.reason == "too_large"
    for other in (tmp_path, "/dev/null"):
        with pytest.raises(OSError, match="regular"):
            untrusted.read_bytes(str(other), 4)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 200_000, b"[1] 2"])
def test_what_is_no_json_is_named(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.json: ") as error:
        untrusted.read_json(str(path))
    assert len(str(error.value)) < 300


def test_json(tmp_path):
    (tmp_path / "a.json").write_text('{"a": [1, null]}')
    assert untrusted.read_json(str(tmp_path / "a.json")) == {"a": [1, None]}
    with pytest.raises(PictureError, match="at most"):
        untrusted.read_json(str(tmp_path / "a.json"), 3)
    with pytest.raises(DataError, match="cannot be read"):
        untrusted.read_json(str(tmp_path / "none.json"))


def test_long_words_are_shortened():
    assert untrusted.shortened("short") == "short"
    assert untrusted.shortened("x" * 99, 5) == "xxxxx..."
