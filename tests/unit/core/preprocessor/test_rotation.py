import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor
from object_detection.errors import ConfigError

NAN = float("nan")


def _rotated(angle, boxes, points=None, height=100, width=200, **settings):
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4) / np.array([height, width] * 2)
    given = {}
    if points is not None:
        points = np.asarray(points, np.float32) / np.array([height, width])
        given["keypoints"] = tf.constant(points, tf.float32)
        given["keypoint_visibilities"] = tf.constant(~np.isnan(points).any(-1))
    return preprocessor.random_rotation(
        tf.zeros([height, width, 3]), tf.constant(boxes, tf.float32), tf.range(len(boxes)), None,
        min_angle=angle, max_angle=angle, **given, **settings,
    )  # fmt: skip


def _pixels(boxes, height=100, width=200):
    return boxes * np.array([height, width] * 2)


def test_a_rectangle_by_hand(run):
    # The corners of a square of 20 pixels around the centre turn onto the axes: sqrt(2) * 10.
    _, boxes, _ = run(_rotated(45.0, [40, 90, 60, 110], box_shape="rectangle"))
    half = 10 * np.sqrt(2)
    np.testing.assert_allclose(
        _pixels(boxes), [[50 - half, 100 - half, 50 + half, 100 + half]], atol=1e-3
    )


def test_an_ellipse_by_hand(run):
    # A circle stays one. Half sides of 10 and 30, turned by 30 degrees:
    # sqrt(100 * 3/4 + 900 / 4) and sqrt(900 * 3/4 + 100 / 4).
    _, boxes, _ = run(_rotated(30.0, [[40, 90, 60, 110], [40, 70, 60, 130]]))
    y, x = np.sqrt(300), np.sqrt(700)
    expected = [[40, 90, 60, 110], [50 - y, 100 - x, 50 + y, 100 + x]]
    np.testing.assert_allclose(_pixels(boxes), expected, atol=1e-3)


def test_counter_clockwise_about_the_centre(run):
    # 40 pixels right of the centre -> cos and sin of 30 degrees: right and above.
    points = [[[50, 140], [10, 100], [NAN, NAN]]]
    _, _, _, moved, visible = run(_rotated(30.0, [40, 90, 60, 110], points))
    expected = [[50 - 20, 100 + 40 * np.sqrt(3) / 2], [50 - 40 * np.sqrt(3) / 2, 100 - 20]]
    np.testing.assert_allclose(moved[0, :2] * [100, 200], expected, atol=1e-3)
    assert np.isnan(moved[0, 2]).all()
    np.testing.assert_array_equal(visible, [[True, True, False]])


def test_as_an_independent_rotation_of_every_angle():
    rng = np.random.default_rng(0)
    points = rng.uniform([0, 0], [100, 200], [1, 50, 2])
    angle = tf.placeholder(tf.float32, [])
    result = _rotated(angle, [0, 0, 100, 200], points, overlap_thresh=0.0)
    with tf.Session() as session:
        for degrees in (-359.0, -181.0, -90.0, -45.0, -1.0, 0.0, 13.0, 45.0, 134.0, 180.0, 271.0):
            moved = session.run(result[3], {angle: degrees})[0] * [100, 200]
            # Complex numbers, their imaginary part upwards.
            numbers = (points[0, :, 1] - 100) + 1j * (50 - points[0, :, 0])
            numbers *= np.exp(1j * np.deg2rad(degrees))
            expected = np.stack([50 - numbers.imag, 100 + numbers.real], axis=-1)
            inside = ((expected > 0.01) & (expected < [99.99, 199.99])).all(-1)
            np.testing.assert_allclose(moved[inside], expected[inside], atol=2e-3)
            outside = ((expected < -0.01) | (expected > [100.01, 200.01])).any(-1)
            assert np.isnan(moved[outside]).all()


def test_the_ellipse_box_holds_the_keypoints_of_the_box_and_no_others(run):
    # A point in the box's corner turns out of the hull of the ellipse; one outside does not count.
    points = [[[40, 90], [10, 100]], [[NAN, NAN], [NAN, NAN]]]
    square = [40, 90, 60, 110]
    _, boxes, _, moved, _ = run(_rotated(45.0, [square, square], points))
    half = 10 * np.sqrt(2)
    np.testing.assert_allclose(moved[0, 0] * [100, 200], [50, 100 - half], atol=1e-3)
    expected = [[40, 100 - half, 60, 110], square]
    np.testing.assert_allclose(_pixels(boxes), expected, atol=1e-3)


def test_what_leaves_the_frame(run):
    # By 90 degrees the left end of the picture goes below it: the frame keeps its size.
    boxes = [[40, 0, 60, 40], [40, 30, 60, 60], [40, 40, 60, 52], [40, 90, 60, 110]]
    points = [[[50, 20]], [[50, 55]], [[50, 51]], [[50, 100]]]
    _, boxes, labels, moved, visible = run(
        _rotated(90.0, boxes, points, overlap_thresh=0.3, box_shape="rectangle")
    )
    # Shares of 0, 10/30, 2/12 and 1 are left.
    np.testing.assert_array_equal(labels, [1, 3])
    np.testing.assert_allclose(_pixels(boxes), [[90, 90, 100, 110], [40, 90, 60, 110]], atol=1e-3)
    np.testing.assert_allclose(moved[:, 0] * [100, 200], [[95, 100], [50, 100]], atol=1e-3)
    assert visible.all()


@pytest.mark.parametrize(
    ("angle", "shape"),
    [
        pytest.param(0.0, (100, 200), id="0"),
        pytest.param(90.0, (200, 100), id="90"),
        pytest.param(180.0, (100, 200), id="180"),
        pytest.param(-450.0, (200, 100), id="-450"),
        # 100 cos + 200 sin and 200 cos + 100 sin of 30 degrees, rounded up.
        pytest.param(30.0, (187, 224), id="30"),
    ],
)
def test_size_of_a_frame_that_holds_all(angle, shape, run):
    image, boxes, _ = run(_rotated(angle, [0, 0, 100, 200], expand=True))
    assert image.shape[:2] == shape
    assert (boxes >= 0).all()
    assert (boxes <= 1).all()


def test_colour_around_the_picture(run):
    image = tf.concat([tf.fill([20, 20, 1], value) for value in (10.0, 200.0)], axis=1)
    for color, expected in ((None, 105.0), ((7.0,), 7.0)):
        turned = run(
            preprocessor.random_rotation(
                image, tf.zeros([0, 4]), tf.zeros([0]), None, min_angle=45.0, max_angle=45.0,
                expand=True, pad_color=color,
            )[0]
        )  # fmt: skip
        assert turned.shape == (43, 43, 1)
        np.testing.assert_allclose(turned[[0, 0, -1, -1], [0, -1, 0, -1]], expected)


def test_masks_turn_along(run):
    mask = np.zeros([1, 101, 201], np.uint8)
    mask[0, 50, 60:100] = 1  # a line to the left of the centre
    turned = run(
        preprocessor.random_rotation(
            tf.zeros([101, 201, 3]), tf.constant([[0.4, 0.2, 0.6, 0.8]]), tf.zeros([1]), None,
            masks=tf.constant(mask), min_angle=45.0, max_angle=45.0,
        )[3]
    )  # fmt: skip
    assert turned.dtype == np.uint8
    y, x = np.nonzero(turned[0])
    # Below on the left of the centre, on the diagonal.
    np.testing.assert_allclose(y - 50, 100 - x, atol=1)
    assert 40 / np.sqrt(2) - 2 <= np.ptp(y) <= 40 / np.sqrt(2) + 2


def test_a_box_of_no_number_is_left_out(run):
    _, boxes, labels = run(_rotated(10.0, [[NAN] * 4, [40, 90, 60, 110], [50, 100, 50, 100]]))
    np.testing.assert_array_equal(labels, [1])
    assert boxes.shape == (1, 4)


def test_one_pixel(run):
    image, boxes, _ = run(_rotated(33.0, [0, 0, 1, 1], height=1, width=1))
    assert image.shape == (1, 1, 3)
    np.testing.assert_allclose(boxes, [[0, 0, 1, 1]], atol=1e-6)


def test_an_unknown_shape_of_boxes():
    with pytest.raises(ConfigError, match="box_shape is 'circle'; allowed: ellipse, rectangle"):
        _rotated(1.0, [0, 0, 1, 1], box_shape="circle")
