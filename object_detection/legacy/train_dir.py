"""The directory of a training: whether it is one, and that only one training runs in it."""

import contextlib
import datetime
import json
import os
import socket
from collections.abc import Callable, Iterator

from object_detection.errors import ConfigError
from object_detection.legacy import checkpoint_store
from object_detection.utils import checkpoint_files, files, locks

LOCK_FILE = ".lock"
SEED_FILE = "seed.txt"
CONFIG_FILE = "pipeline.config"

# What exports have, under these names.
_EXPORTED = ("frozen_inference_graph.pb", "saved_model", "export.json")


@contextlib.contextmanager
def opened(train_dir: str, say: Callable[[str], None]) -> Iterator[None]:
    """Makes the directory if it is absent, and keeps other trainings out of it meanwhile.

    What a killed training has left there unfinished is removed.

    Args:
        train_dir: the directory.
        say: takes each line for the user.

    Raises:
        ConfigError: it is the directory of something else, or another training runs in it.
    """
    _refuse_foreign(train_dir)
    is_new = not os.path.isdir(train_dir)
    os.makedirs(train_dir, exist_ok=True)
    try:
        with _locked(train_dir, say):
            checkpoint_store.tidy(train_dir, say)
            for folder in _own_folders(train_dir):
                files.remove_leftovers(folder)
            yield
    finally:
        if is_new:
            # Nothing came of it.
            with contextlib.suppress(OSError):
                os.rmdir(train_dir)


def _own_folders(train_dir: str) -> Iterator[str]:
    for name in ("eval", "best", "bad_steps"):
        for folder, _, _ in os.walk(os.path.join(train_dir, name)):
            yield folder


def _refuse_foreign(train_dir: str) -> None:
    """Raises `ConfigError` if a directory is none to train in, before anything is written there."""
    names = set(os.listdir(train_dir)) if os.path.isdir(train_dir) else set()
    advice = "Give --train_dir a directory of its own"
    exported = [name for name in _EXPORTED if name in names]
    if exported and SEED_FILE not in names:
        raise ConfigError(
            f"{train_dir}: is the directory of an exported model (it holds {exported[0]}). {advice}; "
            "to begin with the weights of that model, name its checkpoint as "
            "train_config.fine_tune_checkpoint."
        )
    if "metrics.json" not in names:
        return
    if _is_best(os.path.join(train_dir, "metrics.json")):
        raise ConfigError(
            f"{train_dir}: holds the best checkpoint of a training, which another training would "
            f"replace. {advice}; to begin with these weights, name the checkpoint as "
            "train_config.fine_tune_checkpoint."
        )
    if not names & {SEED_FILE, CONFIG_FILE} and not checkpoint_files.in_folder(train_dir):
        raise ConfigError(
            f"{train_dir}: is the directory of an evaluation (it holds metrics.json, and no "
            f"checkpoint). {advice}."
        )


def _is_best(path: str) -> bool:
    """Whether a file of metrics is that of a best checkpoint."""
    try:
        with open(path, encoding="utf-8") as file:
            return "best_metric" in json.load(file)
    except (OSError, ValueError, TypeError):
        return False


@contextlib.contextmanager
def _locked(train_dir: str, say: Callable[[str], None]) -> Iterator[None]:
    path = os.path.join(train_dir, LOCK_FILE)
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        ours = locks.try_to_lock(handle)
        if ours is False:
            with open(handle, encoding="utf-8", errors="replace") as file:
                who = file.read(200).strip() or "one that does not say its number"
            raise ConfigError(
                f"{train_dir}: another training runs there: {who}. End that one first, or train in "
                "another directory."
            )
        # Who had it before may have removed it between these two lines.
        if _is_at(handle, path):
            break
        os.close(handle)
    try:
        if ours is None:
            say(f"{path}: cannot be locked here. Take care that no other training runs there.")
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        os.truncate(handle, 0)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}, since {now}\n".encode())
        yield
    finally:
        files.remove(path)
        os.close(handle)


def _is_at(handle: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False
