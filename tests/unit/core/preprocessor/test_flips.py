import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor
from object_detection.errors import ConfigError

NAN = float("nan")
# Multiples of 1/64, of which floats lose nothing.
BOXES = [[0.0, 0.25, 0.75, 1.0], [0.25, 0.5, 0.75, 0.984375]]
POINTS = [[[0.125, 0.25], [NAN, NAN], [0.5, 0.75]], [[0.25, 0.5], [0.5, 0.5], [0.75, 0.984375]]]
VISIBLE = [[True, False, True], [False, True, True]]
FLAGS = [[1, 0, 2], [0, 2, 1]]

EXPECTED = {
    "random_horizontal_flip": (
        [[0.0, 0.0, 0.75, 0.75], [0.25, 0.015625, 0.75, 0.5]],
        [[[0.125, 0.75], [0.5, 0.25], [NAN, NAN]], [[0.25, 0.5], [0.75, 0.015625], [0.5, 0.5]]],
        lambda t: t[:, ::-1],
    ),
    "random_vertical_flip": (
        [[0.25, 0.25, 1.0, 1.0], [0.25, 0.5, 0.75, 0.984375]],
        [[[0.875, 0.25], [0.5, 0.75], [NAN, NAN]], [[0.75, 0.5], [0.25, 0.984375], [0.5, 0.5]]],
        lambda t: t[::-1],
    ),
    "random_rotation90": (
        [[0.0, 0.0, 0.75, 0.75], [0.015625, 0.25, 0.5, 0.75]],
        [[[0.75, 0.125], [0.25, 0.5], [NAN, NAN]], [[0.5, 0.25], [0.015625, 0.75], [0.5, 0.5]]],
        lambda t: np.rot90(t),
    ),
}
PERMUTATION = {
    "random_horizontal_flip": "keypoint_flip_permutation",
    "random_vertical_flip": "keypoint_flip_permutation",
    "random_rotation90": "keypoint_rot_permutation",
}


def _turned(name, image, boxes, masks, points, visible, **settings):
    depths = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    return getattr(preprocessor, name)(
        image, boxes, masks, points, keypoint_visibilities=visible, keypoint_depths=depths,
        keypoint_depth_weights=depths / 10.0, keypoint_flags=tf.constant(FLAGS), **{PERMUTATION[name]: [0, 2, 1]}, **settings,
    )  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_by_hand_and_twice(name, run):
    image = np.arange(24.0, dtype=np.float32).reshape(4, 6, 1)
    masks = np.arange(48, dtype=np.uint8).reshape(2, 4, 6)
    given = [tf.constant(t) for t in (image, BOXES, masks, POINTS, VISIBLE)]
    once = _turned(name, *given, probability=1.0)
    assert isinstance(once, tuple)
    back = _turned(name, *once[:5], probability=1.0)
    for _ in range(2 if name == "random_rotation90" else 0):
        back = _turned(name, *back[:5], probability=1.0)
    never = _turned(name, *given, probability=0.0)
    results, returned, kept = run([once, back, never])
    boxes, points, turn = EXPECTED[name]
    np.testing.assert_array_equal(results[0], turn(image))
    np.testing.assert_array_equal(results[1], boxes)
    np.testing.assert_array_equal(results[2], [turn(mask) for mask in masks])
    np.testing.assert_array_equal(results[3], points)
    np.testing.assert_array_equal(results[4], [[True, True, False], [False, True, True]])
    # The flags' parameter stands behind the depths in one function, before them in others.
    results = sorted(results[5:], key=lambda result: result[0, 1])
    np.testing.assert_allclose(results[0], np.array([[1, 3, 2], [4, 6, 5]]) / 10)
    np.testing.assert_array_equal(results[1], [[1, 2, 0], [0, 1, 2]])
    np.testing.assert_array_equal(results[2], [[1, 3, 2], [4, 6, 5]])
    for after, before in zip(returned[:5], (image, BOXES, masks, POINTS, VISIBLE), strict=True):
        np.testing.assert_array_equal(after, np.asarray(before))
    for after, before in zip(kept[:5], (image, BOXES, masks, POINTS, VISIBLE), strict=True):
        np.testing.assert_array_equal(after, np.asarray(before))


@pytest.mark.parametrize("name", EXPECTED)
def test_only_a_picture(name, run):
    image = tf.reshape(tf.range(6.0), [2, 3, 1])
    results = getattr(preprocessor, name)(image, probability=1.0)
    assert isinstance(results, tuple)
    assert len(results) == 1
    turn = EXPECTED[name][2]
    np.testing.assert_array_equal(run(results[0]), turn(np.arange(6.0).reshape(2, 3, 1)))


@pytest.mark.parametrize("name", EXPECTED)
def test_no_boxes_and_no_static_number_of_keypoints(name, run):
    points = tf.placeholder_with_default(np.zeros([0, 3, 2], np.float32), [None, None, 2])
    _, boxes, moved = run(
        getattr(preprocessor, name)(
            tf.zeros([4, 4, 3]), tf.zeros([0, 4]), keypoints=points,
            **{PERMUTATION[name]: np.array([0, 2, 1])},
        )
    )  # fmt: skip
    assert boxes.shape == (0, 4)
    assert moved.shape == (0, 3, 2)


def test_both_sides_of_the_coin():
    image = tf.reshape(tf.range(2.0), [1, 2, 1])
    flipped = preprocessor.random_horizontal_flip(image, probability=0.3)[0]
    with tf.Session() as session:
        flips = [session.run(flipped)[0, 0, 0] for _ in range(300)]
    assert 0.15 < np.mean(flips) < 0.45


@pytest.mark.parametrize("name", ["random_horizontal_flip", "random_vertical_flip"])
@pytest.mark.parametrize("permutation", [None, (), np.array([], int)])
def test_keypoints_need_a_permutation(name, permutation):
    with pytest.raises(ValueError, match="keypoint_flip_permutation"):
        getattr(preprocessor, name)(
            tf.zeros([4, 4, 3]),
            keypoints=tf.zeros([1, 3, 2]),
            keypoint_flip_permutation=permutation,
        )


def test_a_surface_has_no_mirror_image():
    image, parts, coords = tf.zeros([4, 4, 3]), tf.zeros([1, 2], tf.int32), tf.zeros([1, 2, 4])
    with pytest.raises(ValueError, match="belong together"):
        preprocessor.random_horizontal_flip(image, densepose_part_ids=parts)
    with pytest.raises(ConfigError, match="table of symmetries"):
        preprocessor.random_horizontal_flip(
            image, densepose_part_ids=parts, densepose_surface_coords=coords
        )
    with pytest.raises(ConfigError, match="table of symmetries"):
        preprocessor.random_vertical_flip(image, densepose_surface_coords=coords)
