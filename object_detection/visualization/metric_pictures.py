"""Pictures of an evaluation as its metrics: the first few are kept, then given as summaries.

Axes: B pictures, H x W pixels.
"""

import abc
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.visualization import drawing, tensors

Array = np.ndarray[Any, Any]


class EvalMetricOpsVisualization(abc.ABC):
    """Keeps the first pictures that it is given until their summaries are fetched."""

    def __init__(
        self,
        category_index: drawing.CategoryIndex,
        max_examples_to_draw: int = 5,
        max_boxes_to_draw: int | None = 20,
        min_score_thresh: float = 0.2,
        use_normalized_coordinates: bool = True,
        summary_name_prefix: str = "evaluation_image",
        keypoint_edges: Iterable[tuple[int, int]] | None = None,
    ) -> None:
        """Keeps the settings.

        Args:
            category_index: id -> category.
            max_examples_to_draw: how many pictures are kept.
            max_boxes_to_draw: on each picture.
            min_score_thresh: only detections above it are drawn.
            use_normalized_coordinates: whether coordinates are shares of the picture.
            summary_name_prefix: summaries are named `<prefix>/<number>`.
            keypoint_edges: pairs of numbers of keypoints to join.
        """
        self._category_index = category_index
        self._max_examples_to_draw = max_examples_to_draw
        self._max_boxes_to_draw = max_boxes_to_draw
        self._min_score_thresh = min_score_thresh
        self._use_normalized_coordinates = use_normalized_coordinates
        self._summary_name_prefix = summary_name_prefix
        self._keypoint_edges = None if keypoint_edges is None else list(keypoint_edges)
        self._images: list[Array] = []

    def clear(self) -> None:
        """Forgets all pictures."""
        self._images = []

    def add_images(self, images: Sequence[Array]) -> None:
        """Keeps pictures, as long as there are not enough.

        Args:
            images: [1, H, W, 3] uint8 each.
        """
        room = max(self._max_examples_to_draw - len(self._images), 0)
        self._images += [np.array(image) for image in images[:room]]

    def get_estimator_eval_metric_ops(
        self, eval_dict: dict[str, Any]
    ) -> dict[str, tuple[tf.Tensor, tf.Operation]]:
        """Name of a summary -> (the summary, empty if there is no such picture; the update).

        All share one update, which keeps the first picture of `eval_dict`. Fetching summaries
        forgets the pictures: fetch all in one run.

        Args:
            eval_dict: tensors of a picture or a batch.
        """
        if not self._max_examples_to_draw:
            return {}
        picture = self.images_from_evaluation_dict(eval_dict)[0]
        update = tf.py_func(lambda image: self.add_images([image]), [picture], [])

        def kept() -> list[Array]:
            absent = [np.zeros([], np.uint8)] * (self._max_examples_to_draw - len(self._images))
            images = self._images + absent
            self.clear()
            return images

        images = tf.py_func(kept, [], [tf.uint8] * self._max_examples_to_draw)
        ops = {}
        for number, image in enumerate(images):
            name = f"{self._summary_name_prefix}/{number}"
            ops[name] = (_summary(name, image), update)
        return ops

    @abc.abstractmethod
    def images_from_evaluation_dict(self, eval_dict: dict[str, Any]) -> list[tf.Tensor]:
        """The pictures with their drawings.

        Args:
            eval_dict: tensors of a picture or a batch.

        Returns:
            [1, H, W, 3] uint8 of each picture.
        """


def _summary(name: str, image: tf.Tensor) -> tf.Tensor:
    """The summary of a picture; empty for a scalar, which stands for none."""
    # tf.summary.image would put the scope of the condition before the name.
    return tf.cond(
        tf.equal(tf.rank(image), 4),
        lambda: tf.raw_ops.ImageSummary(tag=name, tensor=image, max_images=1),
        lambda: tf.constant(""),
    )


class VisualizeSingleFrameDetections(EvalMetricOpsVisualization):
    """Detections at the left, groundtruth at the right."""

    def __init__(
        self,
        category_index: drawing.CategoryIndex,
        max_examples_to_draw: int = 5,
        max_boxes_to_draw: int | None = 20,
        min_score_thresh: float = 0.2,
        use_normalized_coordinates: bool = True,
        summary_name_prefix: str = "Detections_Left_Groundtruth_Right",
        keypoint_edges: Iterable[tuple[int, int]] | None = None,
    ) -> None:
        """Keeps the settings.

        Args:
            category_index: id -> category.
            max_examples_to_draw: how many pictures are kept.
            max_boxes_to_draw: on each picture.
            min_score_thresh: only detections above it are drawn.
            use_normalized_coordinates: whether coordinates are shares of the picture.
            summary_name_prefix: summaries are named `<prefix>/<number>`.
            keypoint_edges: pairs of numbers of keypoints to join.
        """
        super().__init__(
            category_index,
            max_examples_to_draw,
            max_boxes_to_draw,
            min_score_thresh,
            use_normalized_coordinates,
            summary_name_prefix,
            keypoint_edges,
        )

    def images_from_evaluation_dict(self, eval_dict: dict[str, Any]) -> list[tf.Tensor]:
        return tensors.draw_side_by_side_evaluation_image(
            eval_dict,
            self._category_index,
            self._max_boxes_to_draw,
            self._min_score_thresh,
            self._use_normalized_coordinates,
            self._keypoint_edges,
        )
