"""Checks of single flags, before anything starts; each error names the flag. Needs no TensorFlow.

A path of another file system (`gs://...`) is left to TensorFlow, which alone can look there.
"""

import argparse
import difflib
import glob
import itertools
import os
import re
import sys
from collections.abc import Iterable
from typing import Any

from object_detection.errors import ConfigError

_OF_A_CHECKPOINT = re.compile(r"\.(index|meta|data-\d+-of-\d+)$")

MOST = 2**31 - 1
"""Of a number without a limit of its own: no count of anything is larger."""

MOST_SEED = 2**31 - 1000
"""Programs add small numbers to a seed, and TensorFlow's have 32 bits with a sign."""


class Parser(argparse.ArgumentParser):
    """Names the nearest flag for one that there is not, before it asks for what is required."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        given = list(sys.argv[1:] if args is None else args)
        known = [name for action in self._actions for name in action.option_strings]
        for word in itertools.takewhile(lambda one: one != "--", given):
            name = word.partition("=")[0]
            if name.startswith("--") and not any(one.startswith(name) for one in known):
                close = difflib.get_close_matches(name, known, n=1)
                hint = f" Did you mean {close[0]}?" if close else " See --help."
                self.error(f"there is no flag {name}.{hint}")
        return super().parse_known_args(given, namespace)


def is_remote(path: str) -> bool:
    """Whether a path belongs to a file system that only TensorFlow reads."""
    return "://" in path


def required(flag: str, value: str | None) -> str:
    """The value; `ConfigError` if it is absent or empty.

    Args:
        flag: its name, without dashes.
        value: what the command line gives.
    """
    if not value:
        raise ConfigError(f"--{flag} is required. See --help.")
    return value


def _parent_problem(path: str) -> str | None:
    """What is wrong about the folders above `path`, which are made if they are absent."""
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        return f"{folder} is a file, so that nothing can be made below it. Name another place."
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} cannot be written to. Check its permissions, or name another place."
    return None


def _nearest(path: str) -> str:
    folder, name = os.path.split(path)
    try:
        names = sorted(os.listdir(folder or "."))
    except OSError:
        return ""
    close = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean {os.path.join(folder, close[0])}?" if close else ""


def _usable_path(flag: str, path: str | None) -> str:
    path = required(flag, path)
    if "\0" in path:
        raise ConfigError(f"--{flag}: holds a zero byte, which no path may. Check the path.")
    return path


def input_file(flag: str, path: str | None) -> str:
    """The path of a file that can be read.

    Args:
        flag: its name, without dashes.
        path: what the command line gives.

    Raises:
        ConfigError: it is absent, empty, a folder, or may not be read.
    """
    path = _usable_path(flag, path)
    if is_remote(path):
        return path
    if os.path.isdir(path):
        raise ConfigError(f"--{flag}={path}: is a folder; a file is wanted.")
    if not os.path.exists(path):
        raise ConfigError(f"--{flag}={path}: there is no such file.{_nearest(path)}")
    if not os.access(path, os.R_OK):
        raise ConfigError(f"--{flag}={path}: cannot be read. Check its permissions.")
    return path


def input_folder(flag: str, path: str | None) -> str:
    """The path of a folder that can be read.

    Args:
        flag: its name, without dashes.
        path: what the command line gives.

    Raises:
        ConfigError: it is absent, empty, a file, or may not be read.
    """
    path = _usable_path(flag, path)
    if is_remote(path):
        return path
    if not os.path.exists(path):
        raise ConfigError(f"--{flag}={path}: there is no such folder.{_nearest(path)}")
    if not os.path.isdir(path):
        raise ConfigError(f"--{flag}={path}: is a file; a folder is wanted.")
    if not os.access(path, os.R_OK | os.X_OK):
        raise ConfigError(f"--{flag}={path}: cannot be read. Check its permissions.")
    return path


def output_file(flag: str, path: str | None) -> str:
    """The path of a file that can be written or replaced; nothing is made.

    Args:
        flag: its name, without dashes.
        path: what the command line gives.

    Raises:
        ConfigError: it is empty, a folder, no regular file, or lies where nothing can be written.
    """
    path = _usable_path(flag, path)
    if is_remote(path):
        return path
    if not os.path.basename(path) or os.path.isdir(path):
        raise ConfigError(f"--{flag}={path}: is a folder; name the file to write.")
    if os.path.exists(path) and not os.path.isfile(path):
        raise ConfigError(f"--{flag}={path}: is no regular file; name the file to write.")
    problem = _parent_problem(path)
    if problem:
        raise ConfigError(f"--{flag}={path}: {problem}")
    return path


def output_folder(flag: str, path: str | None) -> str:
    """The path of a folder that can be written to or made; nothing is made.

    Args:
        flag: its name, without dashes.
        path: what the command line gives.

    Raises:
        ConfigError: it is empty, a file, or lies where nothing can be written.
    """
    path = _usable_path(flag, path)
    if is_remote(path):
        return path
    if os.path.lexists(path) and not os.path.isdir(path):
        raise ConfigError(f"--{flag}={path}: is a file; a folder to write to is wanted.")
    problem = _parent_problem(os.path.join(path, "file"))
    if problem:
        raise ConfigError(f"--{flag}={path}: {problem}")
    return path


def checkpoint(flag: str, prefix: str | None) -> str:
    """What the files of a checkpoint have in common (`model.ckpt-1000`).

    Args:
        flag: its name, without dashes.
        prefix: what the command line gives.

    Raises:
        ConfigError: it is empty, a folder, one of the files, or there are no such files.
    """
    prefix = _usable_path(flag, prefix)
    if is_remote(prefix):
        return prefix
    if os.path.isdir(prefix):
        found = sorted(
            glob.glob(os.path.join(glob.escape(prefix), "*.index")), key=os.path.getmtime
        )
        such = (
            found[-1].removesuffix(".index") if found else os.path.join(prefix, "model.ckpt-1000")
        )
        raise ConfigError(
            f"--{flag}={prefix}: is a folder. Give one of its checkpoints, such as {such}."
        )
    whole = _OF_A_CHECKPOINT.sub("", prefix)
    if whole != prefix:
        raise ConfigError(
            f"--{flag}={prefix}: is one file of a checkpoint. Give what they have in common: {whole}."
        )
    # Checkpoints of the first format are one file.
    if not os.path.isfile(f"{prefix}.index") and not os.path.isfile(prefix):
        near = _nearest(f"{prefix}.index").replace(".index?", "?")
        raise ConfigError(f"--{flag}={prefix}: there is no file {prefix}.index.{near}")
    return prefix


def input_patterns(flag: str, patterns: Iterable[str]) -> None:
    """Checks files and patterns of files (`folder/*.jpg`).

    Args:
        flag: its name, without dashes.
        patterns: what the command line gives.

    Raises:
        ConfigError: one of them matches nothing, a folder, or a file that may not be read.
    """
    for pattern in patterns:
        if is_remote(_usable_path(flag, pattern)):
            continue
        found = [pattern] if os.path.exists(pattern) else glob.glob(pattern)
        if not found:
            raise ConfigError(f"--{flag}: no file matches {pattern!r}.{_nearest(pattern)}")
        for path in found:
            input_file(flag, path)


def number(flag: str, value: float, least: float, most: float = MOST) -> None:
    """Raises `ConfigError` unless `value` lies in [least, most]; NaN never does.

    Args:
        flag: its name, without dashes.
        value: what the command line gives.
        least: allowed.
        most: allowed.
    """
    if not least <= value <= most:
        limit = f"{least:g} or more" if most == MOST else f"a number from {least:g} to {most:g}"
        raise ConfigError(f"--{flag} is {value}; give {limit}.")


def chosen(flag: str, value: str, allowed: tuple[str, ...] | list[str]) -> None:
    """Raises `ConfigError` unless `value` is one of `allowed`.

    Args:
        flag: its name, without dashes.
        value: what the command line gives.
        allowed: all values.
    """
    if value not in allowed:
        raise ConfigError(f"--{flag}={value}: choose one of {', '.join(allowed)}.")
