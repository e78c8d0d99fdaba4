"""Similarity of two sets of boxes, as matchers read it.

Axes: M and N boxes; `...` any leading axes.
"""

import abc

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core import standard_fields as fields
from object_detection.core.box_list import BoxList


class RegionSimilarityCalculator(abc.ABC):
    """Pairwise similarity; larger is more alike.

    Subclasses define `_compare` for BoxLists; those that need coordinates alone define
    `compare_tensors` instead (see `CoordinateSimilarity`).
    """

    @abc.abstractmethod
    def _compare(self, boxlist1: BoxList, boxlist2: BoxList) -> tf.Tensor:
        """M boxes with N boxes -> [M, N]."""

    def compare_tensors(self, boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        """[..., M, 4], [..., N, 4] -> [..., M, N]."""
        if boxes.shape.rank == 2 and others.shape.rank == 2:
            return self._compare(BoxList(boxes), BoxList(others))
        leading = tf.broadcast_dynamic_shape(tf.shape(boxes)[:-2], tf.shape(others)[:-2])
        pair = tuple(
            tf.broadcast_to(one, tf.concat([leading, tf.shape(one)[-2:]], axis=0))
            for one in (boxes, others)
        )
        return tf.map_fn(
            lambda rows: self.compare_tensors(*rows), pair, fn_output_signature=tf.float32
        )

    def compare(self, boxlist1: BoxList, boxlist2: BoxList, scope: str | None = None) -> tf.Tensor:
        """M boxes with N boxes -> [M, N]."""
        with tf.name_scope(scope, "Compare"):
            return self._compare(boxlist1, boxlist2)


class CoordinateSimilarity(RegionSimilarityCalculator):
    """A similarity that depends on nothing but the coordinates, and takes any leading axes."""

    @abc.abstractmethod
    def compare_tensors(self, boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        """[..., M, 4], [..., N, 4] -> [..., M, N]."""

    def _compare(self, boxlist1: BoxList, boxlist2: BoxList) -> tf.Tensor:
        return self.compare_tensors(boxlist1.get(), boxlist2.get())


class IouSimilarity(CoordinateSimilarity):
    """Intersection over union."""

    def compare_tensors(self, boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        return box_list_ops.pairwise_iou(boxes, others)


class IoaSimilarity(CoordinateSimilarity):
    """Share of the second set's boxes that is covered."""

    def compare_tensors(self, boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        return box_list_ops.pairwise_ioa(boxes, others)


class NegSqDistSimilarity(CoordinateSimilarity):
    """Minus the squared Euclidean distance of the four coordinates."""

    def compare_tensors(self, boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        difference = boxes[..., :, tf.newaxis, :] - others[..., tf.newaxis, :, :]
        return -tf.reduce_sum(tf.square(difference), axis=-1)


class ThresholdedIouSimilarity(RegionSimilarityCalculator):
    """The score of the first set's box where the two overlap by more than a threshold, else 0."""

    def __init__(self, iou_threshold: float = 0) -> None:
        """Takes the threshold of the intersection over union."""
        super().__init__()
        self._iou_threshold = iou_threshold

    def _compare(self, boxlist1: BoxList, boxlist2: BoxList) -> tf.Tensor:
        """M boxes with the field `scores`, N boxes."""
        iou = box_list_ops.iou(boxlist1, boxlist2)
        scores = boxlist1.get_field(fields.BoxListFields.scores)[:, tf.newaxis]
        return tf.where(
            iou > self._iou_threshold, tf.broadcast_to(scores, tf.shape(iou)), tf.zeros_like(iou)
        )


class DETRSimilarity(RegionSimilarityCalculator):
    """Minus the matching cost of the Detection Transformer (arXiv:2005.12872, section 3.1).

    The cost is l1_weight * L1 + giou_weight * (1 - GIoU) - probability of the right class; L1 is
    that of centres and sizes.
    """

    def __init__(self, l1_weight: float = 5, giou_weight: float = 2) -> None:
        """Takes the weights of the two distances."""
        super().__init__()
        self.l1_weight = l1_weight
        self.giou_weight = giou_weight

    def _compare(self, boxlist1: BoxList, boxlist2: BoxList) -> tf.Tensor:
        """M groundtruth boxes with one-hot `classes`, N boxes with `classes` of class scores."""
        labels, scores = (
            boxlist.get_field(fields.BoxListFields.classes) for boxlist in (boxlist1, boxlist2)
        )
        right = tf.matmul(labels, scores, transpose_b=True)
        distance = self.l1_weight * box_list_ops.l1(boxlist1, boxlist2)
        apart = self.giou_weight * (1.0 - box_list_ops.giou(boxlist1, boxlist2))
        return right - distance - apart
