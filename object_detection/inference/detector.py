"""Runs an exported detector on pictures.

Axes:   D detections, K keypoints.
Frames: boxes [ymin, xmin, ymax, xmax] and keypoints (y, x) in pixels of the picture as given.
"""

import os
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf
from google.protobuf.message import DecodeError

from object_detection.errors import CheckpointError, ShapeError

Array = np.ndarray[Any, Any]

FROZEN_GRAPH = "frozen_inference_graph.pb"
_INPUT = "image_tensor:0"
_OUTPUTS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
_KEYPOINTS = "detection_keypoints"
_KEYPOINT_SCORES = "detection_keypoint_scores"


class Found(NamedTuple):
    """The detections of a picture, best first."""

    boxes: Array  # [D, 4]
    scores: Array  # [D]
    classes: Array  # [D] int, ids of the label map
    keypoints: Array | None  # [D, K, 2], or None if the model has none
    keypoint_scores: Array | None = None  # [D, K], or None if the model does not score them


def load_frozen_graph(path: str) -> tf.GraphDef:
    """Reads a frozen graph.

    Args:
        path: the `.pb` file, or the directory that `export_inference_graph.py` wrote.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    if os.path.isdir(path):
        path = os.path.join(path, FROZEN_GRAPH)
    graph = tf.GraphDef()
    try:
        with open(path, "rb") as file:
            graph.ParseFromString(file.read())
    except OSError as error:
        raise CheckpointError(
            f"{path}: {error.strerror}. Give the directory that export_inference_graph.py wrote, "
            f"or its {FROZEN_GRAPH}."
        ) from error
    except DecodeError as error:
        raise CheckpointError(f"{path}: is not a frozen graph, or is damaged.") from error
    return graph


class Detector:
    """A frozen graph with `image_tensor` as input, in a session of its own."""

    def __init__(self, path: str) -> None:
        """Loads the graph.

        Args:
            path: see `load_frozen_graph`.

        Raises:
            CheckpointError: the graph cannot be read, or is not that of a detector.
        """
        graph_def = load_frozen_graph(path)
        names = {node.name for node in graph_def.node}
        absent = {_INPUT.split(":")[0], *_OUTPUTS} - names
        if absent:
            raise CheckpointError(
                f"{path}: has no {', '.join(sorted(absent))}. Export with --input_type image_tensor."
            )
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name="")
            self._outputs = {
                name: graph.get_tensor_by_name(f"{name}:0")
                for name in (*_OUTPUTS, _KEYPOINTS, _KEYPOINT_SCORES)
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
        count = int(values["num_detections"][0])
        scores = values["detection_scores"][0, :count]
        kept = scores >= min_score
        size = np.array(image.shape[:2], np.float32)
        keypoints, keypoint_scores = values.get(_KEYPOINTS), values.get(_KEYPOINT_SCORES)
        return Found(
            boxes=values["detection_boxes"][0, :count][kept] * np.tile(size, 2),
            scores=scores[kept],
            classes=values["detection_classes"][0, :count][kept].astype(np.int64),
            keypoints=None if keypoints is None else keypoints[0, :count][kept] * size,
            keypoint_scores=None if keypoint_scores is None else keypoint_scores[0, :count][kept],
        )
