"""Reading the small files that users name, and saying why it is not possible."""

import difflib
import glob
import itertools
import os
from collections.abc import Iterable

from object_detection.errors import ConfigError
from object_detection.utils.wording import quoted

MOST_BYTES = 10_000_000
"""Of a config, label map or keypoint schema: a hundred times what the largest known ones have."""

_MOST_OF_A_PATH = 300
# Of a folder; one of a million pictures should not delay an error.
_MOST_NAMES = 20_000


def _names_in(folder: str) -> list[str]:
    try:
        with os.scandir(folder or ".") as entries:
            return sorted(entry.name for entry in itertools.islice(entries, _MOST_NAMES))
    except (OSError, ValueError):
        return []


def near_names(path: str) -> str:
    """A sentence, with a space before it, on what is there instead of a file that is not.

    It names files of the same folder whose names are near, or the first folder that is not there;
    "" if there is nothing to say.
    """
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        while os.path.dirname(folder) and not os.path.isdir(os.path.dirname(folder)):
            folder = os.path.dirname(folder)
        what = "is no folder" if os.path.exists(folder) else "does not exist"
        near = _near(folder)
        return f" {quoted(folder, _MOST_OF_A_PATH)} {what}{f'; near it: {near}' if near else ''}."
    near = _near(path)
    return f" Near it: {near}." if near else ""


def _near(path: str) -> str:
    folder, name = os.path.split(path)
    if len(name) > _MOST_OF_A_PATH:
        return ""
    close = difflib.get_close_matches(name, _names_in(folder), n=3, cutoff=0.5)
    return ", ".join(quoted(os.path.join(folder, one), _MOST_OF_A_PATH) for one in close)


def absence(path: str) -> str:
    """Why a path is no file that can be read; "" if it is one."""
    shown = quoted(path, _MOST_OF_A_PATH)
    return _absence(path, f"file {shown}", shown)


def _absence(path: str, file: str, it: str) -> str:
    if os.path.isdir(path):
        inside = ", ".join(quoted(name) for name in _names_in(path)[:3])
        return f"{it} is a folder; give a file" + (f", such as {inside} in it." if inside else ".")
    if not os.path.exists(path):
        return f"there is no {file}.{near_names(path)}"
    if not os.access(path, os.R_OK):
        return f"{it} may not be read by this user; check its permissions."
    return ""


def no_match(pattern: str) -> str:
    """Why a pattern matches no file that can be read; "" if it matches one."""
    found = glob.glob(pattern)
    files = [name for name in found if os.path.isfile(name)]
    if files:
        return next((why for why in map(absence, files) if why), "")
    if found:
        return absence(found[0])
    return f"no file matches {quoted(pattern, _MOST_OF_A_PATH)}.{near_names(pattern)}"


def are_empty(patterns: Iterable[str]) -> bool:
    """Whether all files that match are here, and none has any content."""
    files = [name for pattern in patterns for name in glob.glob(pattern) or [pattern]]
    return all(os.path.isfile(name) and not os.path.getsize(name) for name in files)


def read(path: str, what: str) -> bytes:
    """The content of a small file.

    Args:
        path: of the file, or of a pipe.
        what: it is, for messages.

    Raises:
        ConfigError: it is absent, a folder, not readable, or larger than `MOST_BYTES`.
    """
    where = path if len(path) <= _MOST_OF_A_PATH else f"{path[:_MOST_OF_A_PATH]}..."
    why = _absence(path, "such file", "it")
    if why:
        raise ConfigError(f"{where}: the {what} cannot be read: {why}")
    try:
        with open(path, "rb") as file:
            # A pipe does not tell its size beforehand.
            size = os.fstat(file.fileno()).st_size
            content = b"" if size > MOST_BYTES else file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{where}: the {what} cannot be read: {reason}.") from error
    if len(content) > MOST_BYTES or size > MOST_BYTES:
        raise ConfigError(
            f"{where}: has more than {MOST_BYTES // 10**6} MB, so it is no {what}; is it the right "
            "file?"
        )
    return content


def read_text(path: str, what: str) -> str:
    """The content of a small text file in UTF-8.

    Raises:
        ConfigError: see `read`; or it is not text.
    """
    content = read(path, what)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}:{line}: byte 0x{content[error.start]:02x} is not UTF-8 text, so it is no {what}; "
            "is it the right file?"
        ) from error
