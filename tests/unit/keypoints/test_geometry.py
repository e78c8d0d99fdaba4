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


def test_rotation_turns_as_the_picture_does(run):
    image = np.zeros([4, 6, 1], np.float32)
    image[1, 4] = 1
    point = tf.constant([[(1 + 0.5) / 4, (4 + 0.5) / 6]])
    turned, moved = run([tf.image.rot90(tf.constant(image)), geometry.rot90(point)])
    row, column = (moved[0] * turned.shape[:2]).astype(int)
    assert turned[row, column] == 1


def test_vertical_flip(run):
    flipped = run(geometry.flip_vertical(tf.constant(FACE), 0.5, [3, 4, 2, 0, 1]))
    np.testing.assert_allclose(flipped[0], [0.3, 0.25], atol=1e-6)
    assert np.isnan(flipped[1]).tolist() == [False, True]


def test_clipping_and_scaling(run):
    points = tf.constant([[[-0.5, 0.5], [NAN, NAN], [2.0, 0.25]]])
    clipped = run(geometry.clip_to_window(points, tf.constant([0.0, 0.0, 1.0, 1.0])))
    np.testing.assert_allclose(clipped, [[[0, 0.5], [NAN, NAN], [1, 0.25]]])
    np.testing.assert_allclose(run(geometry.scale(points, 2.0, 4.0))[0, 2], [4, 1])


def test_enclosing_boxes_leave_absent_keypoints_out(run):
    points = tf.constant([[[0.1, 0.5], [NAN, NAN], [0.4, 0.2]], [[NAN, NAN]] * 3])
    boxes = run(geometry.keypoints_to_enclosing_bounding_boxes(points))
    np.testing.assert_allclose(boxes, [[0.1, 0.2, 0.4, 0.5], [NAN] * 4])


def test_frames_of_keypoints(run):
    points = tf.constant([[[0.5, 1.0], [NAN, NAN]]])
    absolute = geometry.to_absolute_coordinates(points, 10, 20)
    np.testing.assert_allclose(run(absolute), [[[5, 20], [NAN, NAN]]])
    np.testing.assert_allclose(
        run(geometry.to_normalized_coordinates(absolute, 10, 20)), [[[0.5, 1], [NAN, NAN]]]
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="normalised already"):
        run(geometry.to_normalized_coordinates(points, 10, 20))
    with pytest.raises(tf.errors.InvalidArgumentError, match="not normalised"):
        run(geometry.to_absolute_coordinates(absolute, 10, 20))
    empty = tf.zeros([0, 5, 2])
    assert run(geometry.to_normalized_coordinates(empty, 10, 20)).shape == (0, 5, 2)


def test_visibilities_and_weights(run):
    points = tf.constant([[[0.5, 0.5], [NAN, 0.5], [0.1, 0.1]]])
    assert run(geometry.set_keypoint_visibilities(points)).tolist() == [[True, False, True]]
    some = geometry.set_keypoint_visibilities(points, tf.constant([[False, True, True]]))
    assert run(some).tolist() == [[False, False, True]]
    weights = geometry.keypoint_weights_from_visibilities(some, [1.0, 2.0, 3.0])
    assert run(weights).tolist() == [[0, 0, 3]]


@pytest.mark.parametrize(
    "permutation",
    [
        pytest.param(np.array([0, 2, 1]), id="array"),
        pytest.param((0, 2, 1), id="tuple"),
        pytest.param("tensor", id="tensor"),
    ],
)
@pytest.mark.parametrize("function", ["flip_horizontal", "flip_vertical", "rot90"])
def test_permutations_of_each_kind_and_any_number_of_keypoints(function, permutation, run):
    points = np.array([[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], [[0.7, 0.8], [NAN, NAN], [1, 0]]])
    if isinstance(permutation, str):
        permutation = tf.constant([0, 2, 1])
    settings = [] if function == "rot90" else [0.5]
    fed = tf.placeholder_with_default(points.astype(np.float32), [None, None, 2])
    moved = run(getattr(geometry, function)(fed, *settings, permutation))
    y, x = points[..., 0], points[..., 1]
    by_hand = {"flip_horizontal": [y, 1 - x], "flip_vertical": [1 - y, x], "rot90": [1 - x, y]}
    expected = np.stack(by_hand[function], axis=-1)[:, [0, 2, 1]]
    np.testing.assert_allclose(moved, expected, atol=1e-6)


def test_flips_in_pixels_and_without_a_permutation(run):
    points = tf.constant([[[1.0, 2.0], [3.0, 4.0]]])
    for nothing in (None, [], ()):
        flipped = geometry.flip_horizontal(points, 5.0, nothing)
        assert run(flipped).tolist() == [[[1, 8], [3, 6]]]


def test_four_turns_change_nothing(run):
    points = tf.constant(FACE)
    for _ in range(4):
        points = geometry.rot90(points)
    np.testing.assert_allclose(run(points), FACE, atol=1e-6)


def test_windows_of_plain_numbers(run):
    points = [[[0.1, 0.2], [0.5, 0.9]]]
    window = [0.1, 0.2, 0.5, 0.8]
    clipped, pruned, moved = run([
        geometry.clip_to_window(points, window),
        geometry.prune_outside_window(points, window),
        geometry.change_coordinate_frame(points, window),
    ])  # fmt: skip
    np.testing.assert_allclose(clipped, [[[0.1, 0.2], [0.5, 0.8]]])
    np.testing.assert_allclose(pruned, [[[0.1, 0.2], [NAN, NAN]]])
    np.testing.assert_allclose(moved, [[[0, 0], [1, 0.7 / 0.6]]], rtol=1e-5)


def test_enclosing_boxes_along_another_axis(run):
    points = tf.constant([[[[0.1, 0.5], [0.4, 0.2]], [[0.3, 0.3], [NAN, NAN]]]])
    boxes = run(geometry.keypoints_to_enclosing_bounding_boxes(points, keypoints_axis=2))
    np.testing.assert_allclose(boxes, [[[0.1, 0.2, 0.4, 0.5], [0.3, 0.3, 0.3, 0.3]]])
    nobody = geometry.keypoints_to_enclosing_bounding_boxes(tf.zeros([0, 5, 2]))
    assert run(nobody).shape == (0, 4)


def test_frames_without_a_check(run):
    points = tf.constant([[[0.5, 1.0]]])
    shares = geometry.to_normalized_coordinates(points, 10, 20, check_range=False)
    np.testing.assert_allclose(run(shares), [[[0.05, 0.05]]])
    pixels = geometry.to_absolute_coordinates(
        tf.constant([[[5.0, 2.0]]]), tf.constant(10), tf.constant(20), check_range=False
    )
    np.testing.assert_allclose(run(pixels), [[[50, 40]]])


def test_weights_of_each_kind(run):
    visible = tf.constant([[True, False, True], [False, True, True]])
    assert run(geometry.keypoint_weights_from_visibilities(visible)).tolist() == [
        [1, 0, 1],
        [0, 1, 1],
    ]
    weights = geometry.keypoint_weights_from_visibilities(visible, tf.constant([1.0, 2.0, 3.0]))
    assert run(weights).tolist() == [[1, 0, 3], [0, 2, 3]]
    assert weights.dtype == tf.float32
