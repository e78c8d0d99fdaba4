import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import post_processing


def test_iou_of_pictures(run):
    first = tf.constant([[[0.0, 0, 1, 1], [0, 0.5, 1, 1.5]]] * 2)
    second = tf.constant([[[0.0, 0, 1, 1], [-1, -1, -1, -1], [2, 2, 3, 3]]] * 2)
    values = run(post_processing.batch_iou(first, second))
    np.testing.assert_allclose(values, [[[1, -1, 0], [1 / 3, -1, 0]]] * 2, rtol=1e-6)


@pytest.mark.parametrize("size", [2, 5])
def test_partitioned_suppression(size, run):
    boxes = np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [4, 4, 5, 5], [8, 8, 9, 9]], np.float32)
    scores = np.array([0.5, 0.9, 0.3, 0.7], np.float32)
    result = post_processing.partitioned_non_max_suppression_padded(
        tf.constant(boxes), tf.constant(scores), size, 0.5, 0.4
    )
    assert result[0].shape.as_list() == [size]
    indices, count, sorted_boxes, sorted_scores, order = run(result)
    assert order.tolist() == [1, 3, 0, 2]
    np.testing.assert_array_equal(sorted_boxes, boxes[order])
    np.testing.assert_array_equal(sorted_scores, scores[order])
    assert count == 2
    assert indices[:2].tolist() == [0, 1]
    assert not indices[2:].any()


def test_partitioned_suppression_without_a_least_score(run):
    result = post_processing.partitioned_non_max_suppression_padded(
        tf.constant([[0.0, 0, 1, 1], [2, 2, 3, 3]]), tf.constant([-5.0, -1.0]), 2
    )
    indices, count = run(result[:2])
    assert count == 2
    assert indices.tolist() == [0, 1]


def test_a_context_without_effect():
    with pytest.raises(KeyError), post_processing.NullContextmanager():
        raise KeyError
