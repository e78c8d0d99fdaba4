"""Files that appear whole or not at all."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def appearing_whole(path: str) -> Iterator[str]:
    """Gives a temporary name in the folder of `path`, renamed to `path` when all went well.

    The folder is made if it is absent. After an error nothing is left behind, and what was at
    `path` before stays.

    Args:
        path: of the file to write; the temporary name ends alike, for writers that look.
    """
    folder, name = os.path.split(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    stem, extension = os.path.splitext(name)
    handle, temporary = tempfile.mkstemp(prefix=f".{stem}-", suffix=extension, dir=folder)
    os.close(handle)
    try:
        yield temporary
        # mkstemp lets only the owner read; what users share should be readable as usual.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def write_text(path: str, text: str) -> None:
    """Writes a text file in UTF-8."""
    with appearing_whole(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(text)


def write_json(path: str, content: Any) -> None:
    """Writes a JSON file that people can read."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
