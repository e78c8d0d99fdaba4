"""The checkpoints of a training: saved whole or not at all, and the older ones removed.

A checkpoint is written into a hidden folder and moved from there: values first, index last. Then
the file `checkpoint` names it, then the oldest one goes. Whoever reads meanwhile, and whoever comes
after a kill, finds either what was before or what is then; the folder's name tells `tidy` what has
been interrupted.
"""

import contextlib
import os
import re
import time
from collections.abc import Callable

import tensorflow.compat.v1 as tf

from object_detection.utils import checkpoint_files, files, interruption

_NAME = "model.ckpt"
_REMOVED = "removed "
_WORK = re.compile(rf"\.({_REMOVED})?({re.escape(_NAME)}-\d+)-[a-z0-9_]{{8}}\.partial$")


class CheckpointStore:
    """Saves the variables of the default graph, and keeps the newest checkpoints."""

    def __init__(self, folder: str, max_to_keep: int, keep_every_n_hours: float) -> None:
        """Builds what saves and restores, which takes a while.

        Args:
            folder: of the checkpoints.
            max_to_keep: newest checkpoints that are kept; 0 for all.
            keep_every_n_hours: one more is kept each time that so many hours have passed.
        """
        self._folder = folder
        self._max_to_keep = max_to_keep
        self._hours = keep_every_n_hours
        self._saver = tf.train.Saver(max_to_keep=0)
        self._bytes = sum(
            (variable.shape.num_elements() or 0) * variable.dtype.base_dtype.size
            for variable in tf.global_variables()
        )
        state = tf.train.get_checkpoint_state(folder)
        times = dict(
            zip(
                map(os.path.basename, state.all_model_checkpoint_paths),
                state.all_model_checkpoint_timestamps,
                strict=False,
            )
            if state
            else ()
        )
        # Name -> time at which it was saved; the oldest first.
        self._kept = {
            name: times.get(name, _time_of(os.path.join(folder, name)))
            for name in checkpoint_files.named(folder)
            if os.path.exists(os.path.join(folder, f"{name}.index"))
        }
        self._preserved = (state.last_preserved_timestamp if state else 0.0) or time.time()

    @property
    def last_checkpoints(self) -> list[str]:
        """The prefixes of the checkpoints that are kept; the newest last."""
        return [os.path.join(self._folder, name) for name in self._kept]

    def recover_last_checkpoints(self, checkpoints: list[str]) -> None:
        """Keeps only these of them on the list; their files stay all the same.

        Args:
            checkpoints: prefixes, the newest last.
        """
        names = map(os.path.basename, checkpoints)
        self._kept = {name: self._kept[name] for name in names if name in self._kept}
        write_pointer(self._folder, self._kept, self._preserved)

    def restore(self, session: tf.Session, checkpoint: str) -> None:
        """Sets all variables to the values of a checkpoint, whose prefix is given."""
        self._saver.restore(session, checkpoint)

    def save(self, session: tf.Session, step: int) -> str:
        """Saves all variables; returns the prefix of the files.

        Raises:
            StorageError: the disk is full; all is as it was before.
        """
        name = f"{_NAME}-{step}"
        prefix = os.path.join(self._folder, name)
        with (
            files.storage_errors(prefix, self._bytes),
            contextlib.ExitStack() as stack,
        ):
            work = stack.enter_context(files.work_folder(prefix))
            self._saver.save(
                session, os.path.join(work, _NAME), global_step=step, write_state=False
            )
            for file in os.listdir(work):
                files.flush_to_disk(os.path.join(work, file))
            kept = {old: at for old, at in self._kept.items() if old != name}
            kept[name] = time.time()
            preserved, surplus = self._rotate(kept)
            bins = {
                old: stack.enter_context(
                    files.work_folder(os.path.join(self._folder, _REMOVED + old))
                )
                for old in surplus
            }
            with interruption.postponed():
                try:
                    _move(work, self._folder, name)
                    write_pointer(self._folder, kept, preserved)
                except BaseException:
                    _move_away(self._folder, name, work)
                    raise
                self._kept, self._preserved = kept, preserved
                for old, bin_ in bins.items():
                    _move_away(self._folder, old, bin_)
        return prefix

    def _rotate(self, kept: dict[str, float]) -> tuple[float, list[str]]:
        """Takes the oldest off a list: those that should be removed, and those kept for good.

        Returns:
            When the last one was saved that is kept for good; the names of those to remove.
        """
        preserved, surplus = self._preserved, []
        while self._max_to_keep and len(kept) > self._max_to_keep:
            name = next(iter(kept))
            saved_at = kept.pop(name)
            if saved_at > preserved + self._hours * 3600:
                preserved = saved_at
            else:
                surplus.append(name)
        return preserved, surplus


def write_pointer(folder: str, times: dict[str, float], preserved: float = 0.0) -> None:
    """Writes the file `checkpoint`, in which names have no folder, so that it can be moved.

    Args:
        folder: of the checkpoints.
        times: name -> time at which it was saved; the newest last.
        preserved: when the last one was saved that is kept for good.
    """
    state = tf.train.generate_checkpoint_state_proto(
        os.path.abspath(folder),
        model_checkpoint_path=list(times)[-1],
        all_model_checkpoint_paths=list(times),
        all_model_checkpoint_timestamps=list(times.values()),
        last_preserved_timestamp=preserved or None,
    )
    files.write_text(os.path.join(folder, checkpoint_files.POINTER), str(state))


def tidy(folder: str, say: Callable[[str], None]) -> None:
    """Ends what killed processes have begun in a folder, and removes what they left unfinished.

    A checkpoint that had been moved whole, but was not named yet, is taken.

    Args:
        folder: of a training that nobody else writes to.
        say: is told of a checkpoint that is taken.
    """
    for path in files.leftovers(folder):
        found = _WORK.match(os.path.basename(path))
        if not found or found[2] in checkpoint_files.named(folder):
            continue
        name = found[2]
        if not found[1] and checkpoint_files.problem(os.path.join(folder, name)) is None:
            say(f"{os.path.join(folder, name)}: was saved when the training was killed. Taking it.")
            names = [*checkpoint_files.named(folder), name]
            write_pointer(folder, {one: _time_of(os.path.join(folder, one)) for one in names})
        elif found[1] or not os.path.exists(os.path.join(folder, f"{name}.index")):
            _move_away(folder, name, path)
    files.remove_leftovers(folder)


def _move(work: str, folder: str, name: str) -> None:
    """Moves a checkpoint's files into a folder, so that there is an index only of what is there."""
    files.remove(os.path.join(folder, f"{name}.index"))
    index = f"{name}.index"
    for file in sorted(os.listdir(work)):
        if file != index:
            os.replace(os.path.join(work, file), os.path.join(folder, file))
    files.flush_to_disk(folder)
    os.replace(os.path.join(work, index), os.path.join(folder, index))
    files.flush_to_disk(folder)


def _move_away(folder: str, name: str, work: str) -> None:
    """Moves a checkpoint's files out of a folder, the index first."""
    found = [file for file in os.listdir(folder) if f"{file}.".startswith(f"{name}.")]
    for file in sorted(found, key=lambda file: (not file.endswith(".index"), file)):
        os.replace(os.path.join(folder, file), os.path.join(work, file))


def _time_of(prefix: str) -> float:
    """When a checkpoint was saved, as its files say."""
    try:
        return os.path.getmtime(f"{prefix}.index")
    except FileNotFoundError:
        return 0.0
