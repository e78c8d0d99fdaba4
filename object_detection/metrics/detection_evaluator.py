"""What every evaluator of detections offers: truth and detections picture by picture, then numbers.

Axes:   M groundtruth boxes, D detections, K keypoints.
Frames: boxes are [ymin, xmin, ymax, xmax] and keypoints (y, x), all in pixels of the picture as
        recorded. Classes are label map ids.
"""

import abc
from collections.abc import Container
from typing import Any

import numpy as np

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError

Array = np.ndarray[Any, Any]
Category = dict[str, Any]

Inputs = fields.InputDataFields


def check_truth_is_there(image_id: Any, known: Container[Any]) -> None:
    """Refuses the detections of a picture whose truth was not added; a `DataError`.

    Args:
        image_id: identity of the picture.
        known: the pictures whose truth was added.
    """
    if image_id not in known:
        raise DataError(
            f"Detections of picture {image_id} came before its groundtruth; add that first."
        )


class DetectionEvaluator(abc.ABC):
    """Collects pictures, then computes metrics over all of them."""

    def __init__(self, categories: list[Category]) -> None:
        """Keeps the classes.

        Args:
            categories: `{"id": int, "name": str}` each, as `label_map_util` makes them.
        """
        self._categories = categories

    def observe_result_dict_for_single_example(self, eval_dict: dict[str, Any]) -> Any:
        """Takes a picture's truth and detections as one dict.

        Args:
            eval_dict: keys of `InputDataFields` and `DetectionResultFields`.

        Raises:
            NotImplementedError: the evaluator does not offer it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} takes truth and detections apart: call "
            "add_single_ground_truth_image_info, then add_single_detected_image_info."
        )

    @abc.abstractmethod
    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `InputDataFields` keys: `groundtruth_boxes` [M, 4],
                `groundtruth_classes` [M]; further keys as the evaluator says.
        """

    @abc.abstractmethod
    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Adds the detections of a picture whose truth has been added.

        Args:
            image_id: identity of the picture.
            detections_dict: `DetectionResultFields` keys: `detection_boxes` [D, 4],
                `detection_scores` [D], `detection_classes` [D]; further keys as the evaluator says.
        """

    def get_estimator_eval_metric_ops(self, eval_dict: dict[str, Any]) -> dict[str, Any]:
        """The metrics as operations of the graph.

        Args:
            eval_dict: tensors of one picture, or of a batch; keys as the evaluator says.

        Returns:
            Name of a metric -> (tensor of its value, operation that adds the pictures).

        Raises:
            NotImplementedError: the evaluator does not offer it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no operations for the graph; add pictures with "
            "add_single_ground_truth_image_info and add_single_detected_image_info."
        )

    @abc.abstractmethod
    def evaluate(self) -> dict[str, float]:
        """Metrics by name, over everything that was added."""

    @abc.abstractmethod
    def clear(self) -> None:
        """Forgets everything that was added."""


def input_widths(boxes: Array, groundtruth_dict: dict[str, Any]) -> Array:
    """Widths of boxes in the network's input.

    Args:
        boxes: [M, 4] in pixels of the picture.
        groundtruth_dict: with `original_image_spatial_shape` [2], the size of the picture, and
            `true_image_shape` [3], its size as the network sees it, without padding.

    Returns:
        [M] in pixels of the network's input; NaN if a size is absent.
    """
    names = (Inputs.true_image_shape, Inputs.original_image_spatial_shape)
    if any(groundtruth_dict.get(name) is None for name in names):
        return np.full(len(boxes), np.nan)
    seen, recorded = (float(groundtruth_dict[name][1]) for name in names)
    return np.asarray((boxes[:, 3] - boxes[:, 1]) * (seen / recorded))


def wide_enough(boxes: Array, groundtruth_dict: dict[str, Any], min_width: float) -> Array:
    """Which boxes are at least so wide in the network's input.

    Args:
        boxes: [M, 4] in pixels of the picture.
        groundtruth_dict: with both sizes that `input_widths` reads.
        min_width: in pixels of the network's input.

    Returns:
        [M] booleans.
    """
    return input_widths(boxes, groundtruth_dict) >= min_width
