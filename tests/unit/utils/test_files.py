import errno
import json
import os
import pathlib
import resource
import signal
import stat
import subprocess
import sys

import pytest

from object_detection import errors
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


def _started(tmp_path, context):
    """A process that has begun something, has written half of it, and waits."""
    program = f"""
import os, sys, time
from object_detection import errors
from object_detection.utils import files
with files.{context} as temporary:
    path = os.path.join(temporary, "in_it") if os.path.isdir(temporary) else temporary
    with open(path, "w") as file:
        file.write("half")
    print(temporary, flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=pathlib.Path(files.__file__).parents[2],
        text=True,
        stdout=subprocess.PIPE,
    )
    name = process.stdout.readline().strip()
    assert os.path.dirname(name) == str(tmp_path)
    return process, name


@pytest.mark.parametrize("function", ["appearing_whole", "work_folder"])
def test_what_a_killed_process_leaves_is_removed_and_what_a_living_one_writes_is_not(
    tmp_path, function
):
    (tmp_path / ".mine-abcdefgh.txt").touch()
    process, name = _started(tmp_path, f"{function}({str(tmp_path / 'a.txt')!r})")
    with process:
        try:
            assert files.leftovers(str(tmp_path)) == [name]
            assert files.remove_leftovers(str(tmp_path)) == []
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert os.path.exists(name)
    assert files.remove_leftovers(str(tmp_path)) == [name]
    assert [path.name for path in tmp_path.iterdir()] == [".mine-abcdefgh.txt"]


def test_whoever_writes_next_in_the_folder_removes_it(tmp_path):
    process, _ = _started(tmp_path, f"appearing_whole({str(tmp_path / 'a.txt')!r})")
    with process:
        process.kill()
    files.write_text(str(tmp_path / "other.txt"), "new")
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


def test_no_folder_has_no_leftovers(tmp_path):
    assert files.remove_leftovers(str(tmp_path / "absent")) == []


def test_a_work_folder_is_beside_its_place_and_goes(tmp_path):
    with files.work_folder(str(tmp_path / "b" / "a")) as folder:
        assert os.path.dirname(folder) == str(tmp_path / "b")
        (pathlib.Path(folder) / "x").touch()
    assert list((tmp_path / "b").iterdir()) == []


@pytest.fixture
def small_files():
    """Files may have a hundred bytes; for more, the system answers as if the disk were full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("small_files")
def test_no_room_names_the_file_and_leaves_the_old_one(tmp_path):
    target = tmp_path / "a.txt"
    files.write_text(str(target), "old")
    with pytest.raises(
        errors.StorageError, match=r"a\.txt: .*File too large .* are free"
    ) as caught:
        files.write_text(str(target), "x" * 1000)
    assert ".partial" not in str(caught.value)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_which_errors_say_that_there_is_no_room():
    assert files.no_room(OSError(errno.ENOSPC, "words")) == "No space left on device"
    assert files.no_room(OSError(errno.EACCES, "words")) is None
    assert files.no_room(ValueError("No space left on device")) is None


def test_an_error_of_an_open_file_gets_its_name(tmp_path):
    with pytest.raises(OSError, match="words") as caught, files.storage_errors("a.txt"):
        raise OSError(errno.EIO, "words")
    assert caught.value.filename == "a.txt"


def test_json_holds_names_that_are_no_text(tmp_path):
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    files.write_json(str(tmp_path / "a.json"), {"picture": name, "umlaut": "ä"})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {
        "picture": name,
        "umlaut": "ä",
    }
