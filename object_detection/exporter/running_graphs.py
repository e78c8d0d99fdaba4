"""The graphs of an export in sessions: as users would load them from the disk."""

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from google.protobuf.message import DecodeError

from object_detection.errors import CheckpointError, ExportError
from object_detection.exporter.comparison import Array
from object_detection.utils import graph_errors
from object_detection.utils.export_manifest import FROZEN_GRAPH
from object_detection.utils.frozen_graph import reading

SAVED_MODEL = "saved_model"


class RunningGraph:
    """A graph in a session."""

    def __init__(self, session: tf.Session, names: Mapping[str, str], where: str) -> None:
        """Takes them.

        Args:
            session: that holds the graph.
            names: output -> tensor, for those that are not called like their nodes.
            where: for messages.
        """
        self._session, self._names, self.where = session, names, where

    @property
    def graph(self) -> tf.Graph:
        """What runs."""
        return self._session.graph

    def run(self, names: Collection[str], feed: Mapping[str, Any]) -> dict[str, Array]:
        """Values by name.

        Raises:
            ExportError: the graph does not run on these pictures.
        """
        fetched = {name: self._names.get(name, f"{name}:0") for name in names}
        try:
            values = self._session.run(fetched, dict(feed))
        except (tf.errors.OpError, ValueError, KeyError, TypeError) as error:
            why = graph_errors.reason(error) if isinstance(error, tf.errors.OpError) else error
            raise ExportError(
                f"{self.where}: does not run on the pictures of the check: {why}"
            ) from error
        return {name: np.asarray(value) for name, value in values.items()}


@contextlib.contextmanager
def frozen_graph(directory: str) -> Iterator[RunningGraph]:
    """The frozen graph of an export, read from the disk.

    Raises:
        CheckpointError: it cannot be read.
    """
    path = os.path.join(directory, FROZEN_GRAPH)
    graph_def = reading.parse_graph(reading.read_bounded(path), path)
    with tf.Graph().as_default(), tf.Session() as session:
        try:
            tf.import_graph_def(graph_def, name="")
        except ValueError as error:
            raise CheckpointError(f"{path}: is no valid graph: {error}") from error
        yield RunningGraph(session, {}, path)


@contextlib.contextmanager
def saved_model(directory: str) -> Iterator[RunningGraph]:
    """The SavedModel of an export, by its signature.

    Raises:
        CheckpointError: it cannot be read.
    """
    path = os.path.join(directory, SAVED_MODEL)
    reading.check_saved_model(path)
    with tf.Graph().as_default(), tf.Session() as session:
        try:
            loaded = tf.saved_model.loader.load(
                session, [tf.saved_model.tag_constants.SERVING], path
            )
            signature = loaded.signature_def[
                tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
            ]
        except (OSError, ValueError, RuntimeError, KeyError, DecodeError) as error:
            raise CheckpointError(f"{path}: cannot be loaded: {error}") from error
        yield RunningGraph(
            session, {name: info.name for name, info in signature.outputs.items()}, path
        )
