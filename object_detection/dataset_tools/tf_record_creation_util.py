"""Writers for records in several files."""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from object_detection.utils import files

if TYPE_CHECKING:
    import tensorflow.compat.v1 as tf


def shard_names(base_path: str, num_shards: int) -> list[str]:
    """`base-00000-of-00003`, ...: the names that `base-?????-of-00003` finds again."""
    return [f"{base_path}-{shard:05d}-of-{num_shards:05d}" for shard in range(num_shards)]


def open_sharded_output_tfrecords(
    exit_stack: contextlib.ExitStack, base_path: str, num_shards: int
) -> "list[tf.io.TFRecordWriter]":
    """Opens one writer a shard; leaving `exit_stack` closes them all."""
    return [
        exit_stack.enter_context(_tensorflow_writer(name))
        for name in shard_names(base_path, num_shards)
    ]


def _tensorflow_writer(path: str) -> "tf.io.TFRecordWriter":
    # Loaded when it is used: some programs write records without it.
    import tensorflow.compat.v1 as tf

    return tf.io.TFRecordWriter(path)


@contextlib.contextmanager
def records_appearing_whole(
    path: str,
    num_shards: int | None = None,
    writer_of: Callable[[str], contextlib.AbstractContextManager[Any]] = _tensorflow_writer,
) -> Iterator[list[Any]]:
    """Writers into a folder beside `path`; without an error the files move to their names.

    Args:
        path: of the record, or what the names of its shards begin with.
        num_shards: files to spread the record over; None for one file that is called `path`.
        writer_of: opens one of the files; by default TensorFlow's writer.
    """
    names = [path] if num_shards is None else shard_names(path, num_shards)
    with files.work_folder(path) as folder, files.storage_errors(path):
        with contextlib.ExitStack() as stack:
            yield [
                stack.enter_context(writer_of(os.path.join(folder, os.path.basename(name))))
                for name in names
            ]
        for name in names:
            os.replace(os.path.join(folder, os.path.basename(name)), name)
