import json
import os
import stat

import pytest

from object_detection.utils import files


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail():
        with files.appearing_whole(str(target)) as temporary:
            with open(temporary, "w", encoding="utf-8") as file:
                file.write("half of the n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_the_file_is_new_and_readable_by_others(tmp_path):
    target = tmp_path / "made" / "a.txt"
    umask = os.umask(0o022)
    try:
        files.write_text(str(target), "new")
    finally:
        os.umask(umask)
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o644


def test_the_temporary_name_ends_alike(tmp_path):
    with files.appearing_whole(str(tmp_path / "a.png")) as temporary:
        assert temporary.endswith(".png")
        assert os.path.dirname(temporary) == str(tmp_path)


def test_json_keeps_letters(tmp_path):
    files.write_json(str(tmp_path / "a.json"), {"name": "Zoë"})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "Zoë" in text
    assert json.loads(text) == {"name": "Zoë"}
