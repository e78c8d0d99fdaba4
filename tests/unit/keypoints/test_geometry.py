import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError
from object_detection.keypoints import geometry

NAN = float("nan")
FACE = np.array(
    [[0.3, 0.2], [0.3, 0.6], [0.5, 0.4], [0.7, 0.25], [0.7, NAN]], np.float32
)  # left eye, right eye, nose, left and right corner of the mouth


def test_flip_mirrors_and_swaps_partners(run):
    flipped = run(geometry.flip_horizontal(tf.constant(FACE), 0.5, [1, 0, 2, 4, 3]))
    expected = [[0.3, 0.4], [0.3, 0.8], [0.5, 0.6], [0.7, NAN], [0.7, 0.75]]
    np.testing.assert_allclose(flipped, expected, atol=1e-6, equal_nan=True)


def test_flipping_twice_changes_nothing(run):
    points = tf.constant(FACE[None].repeat(3, 0))
    twice = points
    for _ in range(2):
        twice = geometry.flip_horizontal(twice, 0.5, [1, 0, 2, 4, 3])
    np.testing.assert_allclose(run(twice), FACE[None].repeat(3, 0), atol=1e-6, equal_nan=True)


@pytest.mark.parametrize(
    ("permutation", "count", "words"),
    [
        pytest.param([1, 0], 5, "2 entries for 5", id="too short"),
        pytest.param([0, 0, 2], None, "each of 0..2 once", id="no permutation"),
        pytest.param([1, 2, 0], None, "partners must name each other", id="a cycle of three"),
    ],
)
def test_permutations_that_do_not_pair(permutation, count, words):
    with pytest.raises(ConfigError, match=words):
        geometry.check_flip_permutation(permutation, count)


def test_keypoints_outside_the_window_become_nan(run):
    window = tf.constant([0.2, 0.2, 0.6, 0.6])
    points = tf.constant([[0.2, 0.6], [0.19, 0.3], [0.4, 0.61], [NAN, 0.3]])
    pruned = geometry.prune_outside_window(points, window)
    moved = run(geometry.change_coordinate_frame(pruned, window))
    np.testing.assert_allclose(moved, [[0, 1], [NAN] * 2, [NAN] * 2, [NAN] * 2], atol=1e-6)


def test_present(run):
    assert run(geometry.present(tf.constant(FACE))).tolist() == [True] * 4 + [False]
