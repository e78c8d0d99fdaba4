import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import region_similarity_calculator as similarities
from object_detection.core.box_list import BoxList

FIRST = [[4.0, 3.0, 7.0, 5.0], [5.0, 6.0, 10.0, 7.0]]
SECOND = [[3.0, 4.0, 6.0, 8.0], [14.0, 14.0, 15.0, 15.0], [0.0, 0.0, 20.0, 20.0]]


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [
        pytest.param(
            similarities.IouSimilarity(),
            [[2 / 16, 0, 6 / 400], [1 / 16, 0, 5 / 400]],
            id="IoU",
        ),
        # Shares of the second boxes, of area 12, 1 and 400.
        pytest.param(
            similarities.IoaSimilarity(), [[2 / 12, 0, 6 / 400], [1 / 12, 0, 5 / 400]], id="IoA"
        ),
        pytest.param(
            similarities.NegSqDistSimilarity(),
            [[-12, -385, -419], [-25, -234, -330]],
            id="minus the distance",
        ),
    ],
)
def test_by_hand(similarity, expected, run):
    first, second = BoxList(tf.constant(FIRST)), BoxList(tf.constant(SECOND))
    np.testing.assert_allclose(run(similarity.compare(first, second)), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        pytest.param(0.0, [[0.3, 0, 0.3], [0.6, 0, 0.6]], id="any overlap"),
        pytest.param(0.013, [[0.3, 0, 0.3], [0.6, 0, 0]], id="one box falls short"),
        pytest.param(2 / 16, [[0, 0, 0], [0, 0, 0]], id="the threshold itself is too little"),
    ],
)
def test_thresholded_iou_gives_scores(threshold, expected, run):
    first, second = BoxList(tf.constant(FIRST)), BoxList(tf.constant(SECOND))
    first.add_field("scores", tf.constant([0.3, 0.6]))
    found = similarities.ThresholdedIouSimilarity(threshold).compare(first, second)
    np.testing.assert_allclose(run(found), expected, rtol=1e-6)


def test_detr_similarity(run):
    first = BoxList(tf.constant([[0.0, 0.0, 1.0, 1.0]]))
    first.add_field("classes", tf.constant([[0.0, 1.0]]))
    second = BoxList(tf.constant([[0.0, 0.0, 1.0, 1.0], [2.0, 2.0, 4.0, 4.0]]))
    second.add_field("classes", tf.constant([[0.3, 0.7], [0.9, 0.1]]))
    # Far: centres differ by 2.5 and 2.5, sizes by 1 and 1; GIoU is -(16 - 5) / 16.
    expected = [[0.7, 0.1 - 5 * 7 - 2 * (1 + 11 / 16)]]
    value = run(similarities.DETRSimilarity().compare(first, second))
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    weighted = similarities.DETRSimilarity(l1_weight=1, giou_weight=0).compare(first, second)
    np.testing.assert_allclose(run(weighted), [[0.7, 0.1 - 7]], rtol=1e-6)


def test_detr_similarity_needs_classes():
    boxes = BoxList(tf.zeros([1, 4]))
    with pytest.raises(ValueError, match="classes"):
        similarities.DETRSimilarity().compare(boxes, boxes)


class _Height(similarities.RegionSimilarityCalculator):
    """A user's similarity, of lists."""

    def _compare(self, boxlist1, boxlist2):
        first, second = boxlist1.get(), boxlist2.get()
        return first[:, tf.newaxis, 2] - second[tf.newaxis, :, 2]


def test_a_similarity_of_lists_works_on_batches(run):
    boxes = tf.constant([FIRST, FIRST[::-1]])
    values = _Height().compare_tensors(boxes, tf.constant(SECOND)[tf.newaxis])
    np.testing.assert_allclose(
        run(values), [[[1, -8, -13], [4, -5, -10]], [[4, -5, -10], [1, -8, -13]]]
    )
