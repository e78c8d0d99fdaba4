"""Similarity of two sets of boxes, as matchers read it.

Axes: M and N boxes; `...` any leading axes.
"""

import abc

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core.box_list import BoxList


class RegionSimilarityCalculator(abc.ABC):
    """Pairwise similarity; larger is more alike."""

    @abc.abstractmethod
    def compare_tensors(self, boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        """[..., M, 4], [..., N, 4] -> [..., M, N]."""

    def compare(self, boxlist1: BoxList, boxlist2: BoxList, scope: str | None = None) -> tf.Tensor:
        """M boxes with N boxes -> [M, N]."""
        with tf.name_scope(scope, "Compare"):
            return self.compare_tensors(boxlist1.get(), boxlist2.get())


class IouSimilarity(RegionSimilarityCalculator):
    """Intersection over union."""

    def compare_tensors(self, boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        return box_list_ops.pairwise_iou(boxes, others)


class IoaSimilarity(RegionSimilarityCalculator):
    """Share of the second set's boxes that is covered."""

    def compare_tensors(self, boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        return box_list_ops.pairwise_ioa(boxes, others)


class NegSqDistSimilarity(RegionSimilarityCalculator):
    """Minus the squared Euclidean distance of the four coordinates."""

    def compare_tensors(self, boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        difference = boxes[..., :, tf.newaxis, :] - others[..., tf.newaxis, :, :]
        return -tf.reduce_sum(tf.square(difference), axis=-1)


class ThresholdedIouSimilarity(RegionSimilarityCalculator):
    """Intersection over union, 0 below a threshold."""

    def __init__(self, iou_threshold: float = 0) -> None:
        self._iou_threshold = iou_threshold

    def compare_tensors(self, boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        iou = box_list_ops.pairwise_iou(boxes, others)
        return tf.where(iou < self._iou_threshold, tf.zeros_like(iou), iou)
