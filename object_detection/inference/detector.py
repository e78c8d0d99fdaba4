"""Runs an exported detector on pictures.

Axes:   D detections, K keypoints.
Frames: boxes [ymin, xmin, ymax, xmax] and keypoints (y, x) in pixels of the picture as given.
"""

import os
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.errors import CheckpointError, ShapeError
from object_detection.inference import raw_detections
from object_detection.utils import export_manifest
from object_detection.utils.export_manifest import FROZEN_GRAPH
from object_detection.utils.frozen_graph import reading

Array = np.ndarray[Any, Any]

_INPUT = "image_tensor:0"
_OUTPUTS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
_KEYPOINTS = "detection_keypoints"
_KEYPOINT_SCORES = "detection_keypoint_scores"
# Of a graph without suppression.
_RAW_OUTPUTS = ("raw_detection_boxes", "raw_detection_scores", "raw_detection_windows")
_RAW_KEYPOINTS = ("raw_detection_keypoints", "raw_detection_keypoint_scores")


class Found(NamedTuple):
    """The detections of a picture, best first."""

    boxes: Array  # [D, 4]
    scores: Array  # [D]
    classes: Array  # [D] int, ids of the label map
    keypoints: Array | None  # [D, K, 2], or None if the model has none
    keypoint_scores: Array | None = None  # [D, K], or None if the model does not score them


def load_frozen_graph(path: str) -> tf.GraphDef:
    """Reads a frozen graph, which is that of its export, and does nothing but compute.

    An export without `export.json` (of the OD API, say) cannot be verified; a line says so.

    Args:
        path: the `.pb` file, or the directory that `export_inference_graph.py` wrote.

    Raises:
        CheckpointError: there is none; it is damaged, or not the one that `export.json` beside it
            describes; or it holds operations that reach files or code.
    """
    if os.path.isdir(path):
        path = os.path.join(path, FROZEN_GRAPH)
    content = reading.read_bounded(
        path, f" Give the directory that export_inference_graph.py wrote, or its {FROZEN_GRAPH}."
    )
    export_manifest.verify_content(path, content, say_if_unknown=True)
    return reading.parse_graph(content, path)


def require_nodes(names: Collection[str], outputs: Collection[str], path: str) -> None:
    """Refuses a graph that takes no pictures, or does not give what a detector does.

    Args:
        names: of the graph's nodes.
        outputs: that are needed.
        path: of the graph, for the message.

    Raises:
        CheckpointError: a node is not there.
    """
    absent = {_INPUT.split(":")[0], *outputs}.difference(names)
    if absent:
        raise CheckpointError(
            f"{path}: has no {', '.join(sorted(absent))}. Export with --input_type image_tensor."
        )


class Detector:
    """A frozen graph with `image_tensor` as input, in a session of its own.

    A graph without suppression (`export_config.raw_detections`) is completed by that of the config
    beside it.
    """

    def __init__(self, path: str) -> None:
        """Loads the graph.

        Args:
            path: see `load_frozen_graph`.

        Raises:
            CheckpointError: see `load_frozen_graph`; or the graph is not that of a detector.
            ConfigError: it has no suppression, and the config beside it does not say how.
        """
        graph_def = load_frozen_graph(path)
        names = {node.name for node in graph_def.node}
        is_raw = _OUTPUTS[0] not in names and names.issuperset(_RAW_OUTPUTS)
        wanted = _RAW_OUTPUTS if is_raw else _OUTPUTS
        require_nodes(names, wanted, path)
        self._suppression = raw_detections.settings_beside(path) if is_raw else None
        further = _RAW_KEYPOINTS if is_raw else (_KEYPOINTS, _KEYPOINT_SCORES)
        with tf.Graph().as_default() as graph:
            try:
                tf.import_graph_def(graph_def, name="")
            except ValueError as error:
                raise CheckpointError(f"{path}: is no valid graph: {error}") from error
            self._outputs = {
                name: graph.get_tensor_by_name(f"{name}:0")
                for name in (*wanted, *further)
                if name in names
            }
        self._session = tf.Session(graph=graph)

    def __enter__(self) -> "Detector":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def detect(self, image: Array, min_score: float = 0.0) -> Found:
        """Detections in one picture.

        Args:
            image: [H, W, 3] uint8, RGB.
            min_score: detections below are left out.

        Raises:
            ShapeError: `image` is not a colour picture.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ShapeError(
                f"image should be [height, width, 3] uint8, got {list(image.shape)} {image.dtype}."
            )
        values = self._session.run(self._outputs, {_INPUT: image[np.newaxis]})
        found = (
            _normalized(values)
            if self._suppression is None
            else Found(*raw_detections.detections_of(values, 0, self._suppression)[:5])
        )
        kept = found.scores >= min_score
        size = np.array(image.shape[:2], np.float32)
        points, point_scores = found.keypoints, found.keypoint_scores
        return Found(
            boxes=found.boxes[kept] * np.tile(size, 2),
            scores=found.scores[kept],
            classes=found.classes[kept],
            keypoints=None if points is None else points[kept] * size,
            keypoint_scores=None if point_scores is None else point_scores[kept],
        )


def _normalized(values: dict[str, Array]) -> Found:
    """What a graph with suppression found in the first picture, as shares of its size."""
    count = int(values["num_detections"][0])
    keypoints, keypoint_scores = values.get(_KEYPOINTS), values.get(_KEYPOINT_SCORES)
    return Found(
        boxes=values["detection_boxes"][0, :count],
        scores=values["detection_scores"][0, :count],
        classes=values["detection_classes"][0, :count].astype(np.int64),
        keypoints=None if keypoints is None else keypoints[0, :count],
        keypoint_scores=None if keypoint_scores is None else keypoint_scores[0, :count],
    )
