"""`export.json` of an export directory: what its files are. Needs no TensorFlow.

It is written last; a directory whose files differ from it is half written, damaged, or changed.
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from object_detection.errors import CheckpointError
from object_detection.utils import untrusted

logger = logging.getLogger(__name__)

NAME = "export.json"
FROZEN_GRAPH = "frozen_inference_graph.pb"
CONFIG = "pipeline.config"
FORMAT = 1
BEING_WRITTEN = "being written"
"""Value of the key `state` while an export replaces another one."""
_ADVICE = "Export the model again, or copy the directory once more."
_CHUNK = 1 << 20  # bytes

Manifest = dict[str, Any]


def describe(path: str) -> dict[str, Any]:
    """Size and sha256 of a file, as the manifest has them."""
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return {"bytes": size, "sha256": digest.hexdigest()}


def describe_folder(folder: str) -> dict[str, dict[str, Any]]:
    """Path below the folder, with slashes -> `describe` of that file; without the manifest."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            below = os.path.relpath(path, folder).replace(os.sep, "/")
            if below != NAME:
                found[below] = describe(path)
    return dict(sorted(found.items()))


def read(folder: str) -> Manifest | None:
    """The manifest of a directory; None if it has none.

    Raises:
        CheckpointError: it is damaged, or of a version to come.
    """
    path = os.path.join(folder, NAME)
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise CheckpointError(f"{path}: cannot be read ({why}). {_ADVICE}") from error
    number = content.get("format") if isinstance(content, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise CheckpointError(
            f"{path}: has format {number}, and this version knows {FORMAT}. Use the version that "
            "exported the model."
        )
    if isinstance(content, dict) and content.get("state") == BEING_WRITTEN:
        raise CheckpointError(
            f"{path}: does not list the files of an export yet: the directory is half written. An "
            f"export into it is going on, or was stopped. {_ADVICE}"
        )
    entries = content.get("files") if number == FORMAT else None
    if not isinstance(entries, dict) or not all(map(_is_entry, entries.values())):
        raise CheckpointError(f"{path}: does not list the files of an export. {_ADVICE}")
    if not all(map(untrusted.is_below, entries)):
        raise CheckpointError(f"{path}: lists files outside of the directory. {_ADVICE}")
    return dict(content)


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("bytes"), int)
        and isinstance(entry.get("sha256"), str)
    )


def _differs(where: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> CheckpointError:
    if expected["bytes"] != found["bytes"]:
        what = f"has {found['bytes']} bytes, and {NAME} says {expected['bytes']}"
    else:
        what = (
            f"its sha256 is {found['sha256'][:12]}..., and {NAME} says {expected['sha256'][:12]}..."
        )
    return CheckpointError(
        f"{where}: {what}. It is not the file that was exported: half written, damaged or changed. "
        f"{_ADVICE}"
    )


def verify_files(folder: str, manifest: Manifest, names: Iterable[str] | None = None) -> None:
    """Compares files with the manifest.

    Args:
        folder: of the export.
        manifest: see `read`.
        names: of the files, as the manifest has them; None for all that it lists.

    Raises:
        CheckpointError: one is absent or differs; sizes are looked at before contents.
    """
    entries = manifest["files"]
    chosen = {name: entries[name] for name in (entries if names is None else names)}
    for name, entry in chosen.items():
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            raise CheckpointError(
                f"{path}: is absent, and {NAME} lists it. The directory is half written, or its "
                f"file was removed. {_ADVICE}"
            )
        if os.path.getsize(path) != entry["bytes"]:
            raise _differs(path, entry, {"bytes": os.path.getsize(path)})
    for name, entry in chosen.items():
        found = describe(os.path.join(folder, name))
        if found["sha256"] != entry["sha256"]:
            raise _differs(os.path.join(folder, name), entry, found)


def verify_content(path: str, content: bytes, say_if_unknown: bool = False) -> None:
    """Compares what was read of a file with the manifest beside it.

    Args:
        path: of the file, in the folder of its export.
        content: all of it.
        say_if_unknown: whether to log that there is no manifest, or that it does not list the
            file.

    Raises:
        CheckpointError: they differ, or the manifest is damaged.
    """
    folder, name = os.path.split(os.path.abspath(path))
    manifest = read(folder)
    entry = None if manifest is None else manifest["files"].get(name)
    if entry is None:
        if say_if_unknown:
            reason = f"there is no {NAME}" if manifest is None else f"{NAME} does not list it"
            logger.warning("%s: cannot be verified: beside it %s.", path, reason)
        return
    found = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    if found != {"bytes": entry["bytes"], "sha256": entry["sha256"]}:
        raise _differs(path, entry, found)


def verify_file(path: str) -> None:
    """Compares a file with the manifest beside it, if that lists it.

    Raises:
        CheckpointError: they differ, or the manifest is damaged.
    """
    with open(path, "rb") as file:
        verify_content(path, file.read())
