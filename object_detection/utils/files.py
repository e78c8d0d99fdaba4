"""Files and folders that appear whole or not at all, and what killed programs leave of them.

Something unfinished lies beside its place, as `.<name>-<8 letters>.partial<extension>`, and the
program that writes it holds a lock on it. So whoever comes next can tell what nobody is going to
finish, and removes it: each process does so in every folder that it writes to.
"""

import contextlib
import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from object_detection.errors import StorageError
from object_detection.utils import locks

_PARTIAL = re.compile(r"\..+-[a-z0-9_]{8}\.partial(\.[^.]*)?$")
# A disk that is full, a quota that is used up, a file that is as large as it may become.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_unfinished: set[str] = set()
_cleaned: set[str] = set()


@contextlib.contextmanager
def appearing_whole(path: str, durable: bool = False) -> Iterator[str]:
    """Gives a temporary name in the folder of `path`, renamed to `path` when all went well.

    The folder is made if it is absent. After an error nothing is left behind, and what was at
    `path` before stays.

    Args:
        path: of the file to write; the temporary name ends alike, for writers that look.
        durable: wait until the disk has it, so that a power cut cannot take it back.

    Raises:
        StorageError: the disk is full.
    """
    folder, name = os.path.split(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    _clean_once(folder)
    stem, extension = os.path.splitext(name)
    with storage_errors(path), _held(folder, stem, extension) as temporary:
        yield temporary
        # mkstemp lets only the owner read; what users share should be readable as usual.
        os.chmod(temporary, 0o666 & ~_umask())
        if durable:
            flush_to_disk(temporary)
        os.replace(temporary, path)
        if durable:
            flush_to_disk(folder)


@contextlib.contextmanager
def work_folder(path: str) -> Iterator[str]:
    """Gives an empty folder beside `path`, on the same file system; it is removed in the end.

    Args:
        path: of what is going to be moved out of it; the folder that it lies in is made.
    """
    parent, name = os.path.split(os.path.abspath(path))
    os.makedirs(parent, exist_ok=True)
    _clean_once(parent)
    with _held(parent, name, None) as folder:
        os.chmod(folder, 0o777 & ~_umask())
        yield folder


def write_text(path: str, text: str) -> None:
    r"""Writes a text file in UTF-8; when it returns, the disk has it.

    Bytes of foreign names, which are no characters, become escapes as JSON has them: `\udce9`.
    """
    with (
        appearing_whole(path, durable=True) as temporary,
        open(temporary, "w", encoding="utf-8", errors="backslashreplace") as file,
    ):
        file.write(text)


def write_json(path: str, content: Any) -> None:
    """Writes a JSON file that people can read; when it returns, the disk has it."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def flush_to_disk(path: str) -> None:
    """Waits until the disk has a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems cannot do this with a folder.
        if not os.path.isdir(path) or error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


@contextlib.contextmanager
def storage_errors(path: str, needed: int | None = None) -> Iterator[None]:
    """Turns a full disk, met by Python or TensorFlow, into one message that names a file.

    Args:
        path: what is being written.
        needed: its size in bytes, if that is known.

    Raises:
        StorageError: there is no room.
    """
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        reason = no_room(error)
        if reason is None:
            # Reading and writing an open file does not say which one it was.
            if isinstance(error, OSError) and error.errno and error.filename is None:
                error.filename = path
            raise
        raise StorageError(_words_of_no_room(path, reason, needed)) from error


def no_room(error: Exception) -> str | None:
    """What an error says of a full disk, in the system's words; None if it is another error."""
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno in _FULL else None
    if not type(error).__module__.startswith("tensorflow."):
        return None
    # It has kinds of errors of its own, but repeats the system's words.
    words = map(os.strerror, _FULL)
    return next((reason for reason in words if reason in str(error)), None)


def _words_of_no_room(path: str, reason: str, needed: int | None) -> str:
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    free = shutil.disk_usage(folder).free
    need = f"{_size(needed)} are needed, " if needed else ""
    return (
        f"{path}: cannot be written: {reason} ({need}{_size(free)} are free). What was written "
        "before is whole. Make room and give the same command again."
    )


def _size(count: int) -> str:
    unit, power = ("GB", 1e9) if count >= 1e9 else ("MB", 1e6) if count >= 1e5 else ("kB", 1e3)
    return f"{count / power:.3g} {unit}"


def remove_leftovers(folder: str) -> list[str]:
    """Removes what programs that have gone left unfinished in a folder, which may be absent.

    Returns:
        The paths of what was removed.
    """
    removed = []
    for path in leftovers(folder):
        # What belongs to others in a folder for all may not be ours to remove.
        with _lock_on(path) as ours, contextlib.suppress(PermissionError):
            if ours:
                remove(path)
                removed.append(path)
    return removed


def leftovers(folder: str) -> list[str]:
    """Paths of all in a folder that is unfinished, or was left so."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return sorted(
            os.path.join(folder, name) for name in os.listdir(folder) if _PARTIAL.match(name)
        )
    return []


def remove(path: str) -> None:
    """Removes a file, or a folder with all in it, if it is there."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def discard_unfinished() -> None:
    """Removes all that this process has begun and not finished: for one that ends at once."""
    for path in list(_unfinished):
        remove(path)


def _clean_once(folder: str) -> None:
    if folder not in _cleaned:
        _cleaned.add(folder)
        remove_leftovers(folder)


@contextlib.contextmanager
def _held(folder: str, stem: str, extension: str | None) -> Iterator[str]:
    """Makes a file, or without an extension a folder; holds its lock; removes it in the end."""
    while True:
        prefix, suffix = f".{stem}-", f".partial{extension or ''}"
        if extension is None:
            path = tempfile.mkdtemp(prefix=prefix, suffix=suffix, dir=folder)
            handle = os.open(path, os.O_RDONLY)
        else:
            handle, path = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=folder)
        _unfinished.add(path)
        # Between making and locking it, somebody who cleans up may have taken it for a leftover.
        if locks.try_to_lock(handle) is not False and os.path.exists(path):
            break
        os.close(handle)
        _unfinished.discard(path)
    try:
        yield path
    finally:
        remove(path)
        _unfinished.discard(path)
        os.close(handle)


@contextlib.contextmanager
def _lock_on(path: str) -> Iterator[bool]:
    """Whether nobody else holds what lies there; nobody can as long as this lasts."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        yield locks.try_to_lock(handle) is True
    finally:
        os.close(handle)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
