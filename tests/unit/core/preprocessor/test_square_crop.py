import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor
from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError

Inputs = fields.InputDataFields
NAN = float("nan")
HEIGHT, WIDTH = 40, 60


def _picture():
    """Each pixel says where it is: y and x in the first two channels, 1 in the third."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([y, x, np.ones_like(y)], axis=-1).astype(np.float32)


def _crop(boxes, points=None, **settings):
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4) / np.array([HEIGHT, WIDTH] * 2)
    given = {}
    if points is not None:
        points = np.asarray(points, np.float32) / np.array([HEIGHT, WIDTH])
        given = {
            "keypoints": tf.constant(points, tf.float32),
            "keypoint_visibilities": tf.constant(~np.isnan(points).any(-1)),
        }
    return preprocessor.random_square_crop(
        tf.constant(_picture()), tf.constant(boxes, tf.float32), tf.range(len(boxes)), None,
        **({"pad_color": (-1.0,)} | settings), **given,
    )  # fmt: skip


def _draws(tensors, count=40):
    with tf.Session() as session:
        return [session.run(tensors) for _ in range(count)]


def _corner(image):
    """(y, x) of the square's corner in the picture, from the pixels that are of it."""
    y, x = np.argwhere(image[..., 2] == 1)[0]
    return image[y, x, :2] - (y, x)


@pytest.mark.parametrize("factor", [0.3, 0.5, 1.0, 1.2, 2.0])
def test_side_and_place(factor):
    side = round(HEIGHT * factor)
    corners = set()
    for image, boxes, _ in _draws(_crop([0, 0, HEIGHT, WIDTH], factors=(factor,))):
        assert image.shape == (side, side, 3)
        top, left = _corner(image)
        corners.add((top, left))
        # Within the picture where it fits in, around the picture where it does not.
        for begin, length in ((top, HEIGHT), (left, WIDTH)):
            assert min(0, length - side) <= begin <= max(0, length - side)
        # All pixels are those of the picture, or padding.
        inside = image[..., 2] == 1
        y, x = np.nonzero(inside)
        np.testing.assert_array_equal(image[y, x, 0], y + top)
        np.testing.assert_array_equal(image[y, x, 1], x + left)
        assert (image[~inside] == -1).all()
        assert inside.sum() == min(HEIGHT, side) * min(WIDTH, side)
        # A box of the whole picture ends where the square does.
        if len(boxes):
            expected = np.array([-top, -left, HEIGHT - top, WIDTH - left]) / side
            np.testing.assert_allclose(boxes[0], np.clip(expected, 0, 1), atol=1e-6)
    assert len(corners) > (1 if factor == 1.0 else 5)


def test_factors_are_as_likely_and_ranges_are_used():
    sides = [len(image) for image, *_ in _draws(_crop([], factors=(0.5, 1.5)), 120)]
    assert set(sides) == {20, 60}
    assert 35 < sides.count(20) < 85
    sides = [len(image) for image, *_ in _draws(_crop([], min_factor=0.5, max_factor=0.75), 120)]
    assert set(sides) <= set(range(20, 31))
    assert len(set(sides)) > 7
    assert 23 < np.mean(sides) < 27


def test_boxes_stay_by_their_centre():
    # Centres between pixels, so that no edge of a square goes through one.
    boxes = np.array([[4, 4, 13, 13], [20, 40, 37, 57], [0, 30, 9, 39]])
    points = np.array(
        [[[8.5, 8.5], [5.5, 5.5]], [[28.5, 48.5], [21.5, 55.5]], [[4.5, 34.5], [NAN, NAN]]]
    )
    kept, cut, lost = 0, 0, 0
    for image, found, labels, moved, visible in _draws(_crop(boxes, points, factors=(0.6,)), 60):
        corner, side = _corner(image), len(image)
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        inside = ((centres >= corner) & (centres < corner + side)).all(axis=1)
        assert inside.any()
        np.testing.assert_array_equal(labels, np.flatnonzero(inside))
        for row, number in enumerate(labels):
            whole = boxes[number] - np.tile(corner, 2)
            np.testing.assert_allclose(found[row] * side, np.clip(whole, 0, side), atol=1e-4)
            cut += (whole != np.clip(whole, 0, side)).any()
            for point, spot, shown in zip(
                points[number], moved[row] * side, visible[row], strict=True
            ):
                place = point - corner
                if np.isnan(place).any() or (place < 0).any() or (place > side).any():
                    assert np.isnan(spot).all()
                    assert not shown
                    lost += not np.isnan(place).any()
                else:
                    np.testing.assert_allclose(spot, place, atol=1e-4)
                    assert shown
            kept += 1
    assert kept >= 60
    assert cut
    assert lost


def test_without_a_square_that_holds_a_centre_nothing_changes(run):
    # A picture cannot be cut so that a box beyond it has its centre inside.
    beyond = [[-30, -30, -20, -20]]
    image, boxes, labels = run(_crop(beyond, factors=(0.5,)))
    np.testing.assert_array_equal(image, _picture())
    np.testing.assert_allclose(boxes, np.array(beyond) / np.array([HEIGHT, WIDTH] * 2))
    np.testing.assert_array_equal(labels, [0])


def test_no_probability_and_no_box(run):
    image, *_ = run(_crop([], probability=0.0))
    np.testing.assert_array_equal(image, _picture())
    image, boxes, _ = run(_crop([], factors=(0.5,)))
    assert image.shape == (20, 20, 3)
    assert boxes.shape == (0, 4)


def test_a_picture_of_one_pixel(run):
    image, boxes, _ = run(
        preprocessor.random_square_crop(
            tf.ones([1, 1, 3]), tf.constant([[0.0, 0.0, 1.0, 1.0]]), tf.zeros([1]), None,
            factors=(0.3,),
        )
    )  # fmt: skip
    assert image.shape == (1, 1, 3)
    np.testing.assert_array_equal(boxes, [[0, 0, 1, 1]])


def test_masks_and_colour(run):
    image, _, _, masks = run(
        preprocessor.random_square_crop(
            tf.concat([tf.zeros([4, 4, 1]), tf.fill([4, 4, 1], 9.0)], axis=1),
            tf.constant([[0.0, 0.0, 1.0, 1.0]]), tf.zeros([1]), None,
            masks=tf.ones([1, 4, 8]), factors=(3.0,),
        )
    )  # fmt: skip
    assert image.shape == (12, 12, 1)
    assert masks.shape == (1, 12, 12)
    assert masks.sum() == 32
    np.testing.assert_array_equal(image[masks[0] == 0], 4.5)  # the picture's mean


@pytest.mark.parametrize(
    "settings",
    [{"max_attempts": 0}, {"min_factor": 0.0}, {"factors": (1.0, -1.0)}, {"max_factor": 0.2}],
)
def test_settings_that_cannot_be(settings):
    with pytest.raises(ConfigError, match="should be positive"):
        _crop([], **settings)
