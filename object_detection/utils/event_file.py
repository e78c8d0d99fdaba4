"""Events for TensorBoard, written at once, by a writer that notices when they cannot be.

TensorFlow's own `FileWriter` writes in a thread and says nothing of a full disk.
"""

import itertools
import logging
import os
import socket
import time
from collections.abc import Callable

import tensorflow.compat.v1 as tf

logger = logging.getLogger(__name__)

_numbers = itertools.count()


class EventFile:
    """A file of events in a folder, made with the first event.

    What cannot be written is left out, which is said once: a training is worth more than its
    curves. After that each event is tried in a new file.
    """

    def __init__(self, folder: str, say: Callable[[str], None] = logger.warning) -> None:
        """Takes the folder, which is made when it is needed, and what takes a line for the user."""
        self._folder = folder
        self._say = say
        self._writer: tf.io.TFRecordWriter | None = None
        self._has_failed = False

    def add_summary(self, summary: "tf.Summary | bytes", step: int) -> None:
        """Writes values, as a message or as its bytes."""
        if isinstance(summary, bytes):
            summary = tf.Summary.FromString(summary)
        self._add(tf.Event(summary=summary, step=step))

    def add_session_log(self, session_log: tf.SessionLog, step: int) -> None:
        """Writes that a training starts at a step, for instance."""
        self._add(tf.Event(session_log=session_log, step=step))

    def add_graph(self, graph: tf.Graph) -> None:
        """Writes a graph."""
        content = graph.as_graph_def(add_shapes=True).SerializeToString()
        self._add(tf.Event(graph_def=content))

    def close(self) -> None:
        """Ends the file; a further event would begin another one."""
        writer, self._writer = self._writer, None
        if writer:
            self._try(writer.close)

    def _add(self, event: tf.Event) -> None:
        event.wall_time = time.time()
        self._try(lambda: self._write(event))

    def _write(self, event: tf.Event) -> None:
        if self._writer is None:
            os.makedirs(self._folder, exist_ok=True)
            # TensorBoard knows the files by the beginning of the name, and reads them by its order.
            name = (
                f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}"
                f".{os.getpid()}.{next(_numbers)}"
            )
            self._writer = tf.io.TFRecordWriter(os.path.join(self._folder, name))
            first = tf.Event(wall_time=event.wall_time, file_version="brain.Event:2")
            self._writer.write(first.SerializeToString())
        self._writer.write(event.SerializeToString())
        self._writer.flush()

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (OSError, tf.errors.OpError) as error:
            # What has been written is not taken back, but nothing more is added behind it.
            self._writer = None
            if not self._has_failed:
                self._has_failed = True
                self._say(
                    f"{self._folder}: events for TensorBoard cannot be written ({error}). Going on "
                    "without them."
                )


_open: dict[str, EventFile] = {}


def of_folder(folder: str) -> EventFile:
    """The event file that this process writes to in a folder."""
    return _open.setdefault(os.path.abspath(folder), EventFile(folder))
