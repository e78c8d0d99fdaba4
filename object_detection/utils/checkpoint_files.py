"""Checkpoints as files: which of a folder is the newest that is whole."""

import logging
import math
import os
import re
from collections.abc import Callable

import tensorflow.compat.v1 as tf

from object_detection.errors import CheckpointError

UNREADABLE = (
    tf.errors.OpError,
    ValueError,
    IndexError,
    TypeError,
    RuntimeError,
    MemoryError,  # a damaged index can ask for any number of bytes, which are not there
)
"""What reading a damaged checkpoint raises; TensorFlow hands some errors on as Python's."""

logger = logging.getLogger(__name__)

POINTER = "checkpoint"
_SHARD = re.compile(r"\.data-\d{5}-of-(\d{5})$")
_INDEX = ".index"


def latest_whole(
    folder: str, say: Callable[[str], None] = logger.warning, thorough: bool = False
) -> str | None:
    """The prefix of a folder's newest checkpoint that is whole; None if it has no checkpoint.

    That is the one that the file `checkpoint` names. Only its last part counts, because folders
    are moved and copied: nothing outside the folder is ever taken. If it is damaged, or there is no
    such file, the newest one in the folder is taken that is whole.

    Args:
        folder: of the checkpoints; it may be absent.
        say: is told of everything that is not taken as it was found.
        thorough: read all values as well, and compare them with their checksums.

    Raises:
        CheckpointError: there are checkpoints, but none is whole.
    """
    names = named(folder)
    first = names[-1:]
    others = [name for name in in_folder(folder) if name not in first]
    if not first and not others:
        return None
    problems: list[str] = []
    for name in [*first, *others]:
        prefix = os.path.join(folder, name)
        found = problem(prefix, thorough)
        if found is None:
            if problems:
                say(f"{'; '.join(problems)}. Taking {name}.")
            elif not first:
                say(f"{folder}: no file {POINTER!r} names a checkpoint. Taking {name}.")
            return prefix
        problems.append(f"{prefix}: {found}")
    if not others and not tf.io.gfile.glob(f"{os.path.join(folder, first[0])}.*"):
        raise CheckpointError(
            f"{os.path.join(folder, POINTER)}: names {first[0]}, but no such checkpoint is beside "
            "it. Copy its files there, or remove the file; then there is none."
        )
    raise CheckpointError(
        f"{folder}: none of its checkpoints is whole. {'; '.join(problems)}. Copy them again, or "
        "move them away."
    )


def named(folder: str) -> list[str]:
    """The names of the checkpoints that the file `checkpoint` lists, the newest last."""
    state = tf.train.get_checkpoint_state(folder)
    if not state or not state.model_checkpoint_path:
        return []
    newest = _last_part(state.model_checkpoint_path)
    older = [_last_part(path) for path in state.all_model_checkpoint_paths]
    return [*dict.fromkeys(name for name in older if name != newest), newest]


def _last_part(path: str) -> str:
    # Also of a path that another system has written.
    return re.split(r"[/\\]", path)[-1]


def in_folder(folder: str) -> list[str]:
    """The names of the checkpoints whose index is in a folder, that of the last step first."""
    if not tf.io.gfile.isdir(folder):
        return []
    names = [
        name.removesuffix(_INDEX)
        for name in tf.io.gfile.listdir(folder)
        if name.endswith(_INDEX) and not name.startswith(".")
    ]
    return sorted(names, key=lambda name: (step_in_name(name), name), reverse=True)


def step_in_name(name: str) -> int:
    """N of a name that ends in -N; else -1."""
    found = re.search(r"-(\d+)$", name)
    return int(found[1]) if found else -1


def problem(prefix: str, thorough: bool = False) -> str | None:
    """Why a checkpoint is not whole; None if it is.

    Args:
        prefix: of its files.
        thorough: read all values, and compare them with their checksums.
    """
    has_index = tf.io.gfile.exists(prefix + _INDEX)
    if not has_index and not tf.io.gfile.exists(prefix):
        return "its index is absent"
    try:
        reader = tf.train.load_checkpoint(prefix)
        shapes = reader.get_variable_to_shape_map()
    except UNREADABLE as error:
        return f"its index cannot be read ({_first_line(error)})"
    if has_index:
        cut = _cut(prefix, shapes, reader.get_variable_to_dtype_map())
        if cut:
            return cut
    if thorough:
        name = ""
        try:
            for name in shapes:
                reader.get_tensor(name)
        except UNREADABLE as error:
            return f"its value of {name} is damaged ({_first_line(error)})"
    return None


def _cut(prefix: str, shapes: dict[str, list[int]], types: dict[str, tf.DType]) -> str | None:
    """Whether files of values are absent or too short."""
    paths = tf.io.gfile.glob(f"{prefix}.data-*")
    shards = [int(found[1]) for path in paths if (found := _SHARD.search(path))]
    if not shards or len(shards) < max(shards):
        return "a file of its values is absent"
    expected = sum(math.prod(shape) * types[name].size for name, shape in shapes.items())
    found = sum(tf.io.gfile.stat(path).length for path in paths)
    if found < expected:
        return f"its values have {found} bytes, but should have {expected}"
    return None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
