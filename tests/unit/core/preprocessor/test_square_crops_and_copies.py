import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor
from object_detection.core.preprocessor import square_crops

NAN = float("nan")


def _image(height=10, width=20):
    return tf.reshape(tf.range(float(height * width)) + 1.0, [height, width, 1])


@pytest.mark.parametrize(
    ("scale", "side"), [(0.5, 10), (1.0, 20), (1.5, 30)], ids=["smaller", "as large", "larger"]
)
def test_side_and_contents_of_a_square(scale, side, run):
    """The box's corners tell where the square lies; its pixels are compared with a padded picture."""
    image, boxes, labels, _, keypoints = run(
        preprocessor.random_square_crop_by_scale(
            _image(), tf.constant([[0.0, 0.0, 1.0, 1.0]]), tf.constant([4]), tf.constant([1.0]),
            keypoints=tf.constant([[[0.5, 0.5], [NAN, NAN]]]),
            max_border=4, scale_min=scale, scale_max=scale, num_scales=1,
        )
    )  # fmt: skip
    assert image.shape == (side, side, 1)
    assert labels.tolist() == [4]
    assert ((boxes >= 0) & (boxes <= 1)).all()
    values = image[image > 0] - 1
    rows, columns = np.unique(values // 20), np.unique(values % 20)
    assert len(values) == len(rows) * len(columns)
    padded = np.pad(np.arange(200.0).reshape(10, 20) + 1, 30)
    # The first pixel of the picture in the square, and its place there.
    y, x = np.argwhere(image[..., 0] > 0)[0]
    top, left = 30 + int(rows[0]) - y, 30 + int(columns[0]) - x
    np.testing.assert_array_equal(image[..., 0], padded[top : top + side, left : left + side])
    middle = np.array([35 - top, 40 - left]) / side
    if ((middle < 0) | (middle > 1)).any():
        middle[:] = NAN
    np.testing.assert_allclose(keypoints[0, 0], middle, atol=1e-6)
    assert np.isnan(keypoints[0, 1]).all()


def test_the_middle_of_a_square_keeps_its_distance_from_the_edge():
    """Border 4 of 16 pixels: the middle is one of 4 to 11, so a square of 2 lies within 3 to 12."""
    image = preprocessor.random_square_crop_by_scale(
        _image(16, 16), tf.zeros([0, 4]), tf.zeros([0], tf.int32), tf.zeros([0]), max_border=4,
        scale_min=0.125, scale_max=0.125, num_scales=1,
    )[0]  # fmt: skip
    with tf.Session() as session:
        draws = [session.run(image)[..., 0] - 1 for _ in range(60)]
    rows = {int(draw[0, 0]) // 16 for draw in draws}
    assert all(draw.shape == (2, 2) for draw in draws)
    assert rows <= set(range(3, 11))
    assert len(rows) >= 6


@pytest.mark.parametrize(
    ("length", "border"), [(257, 128), (256, 64), (10, 4), (3, 1), (2, 0), (1, 0)]
)
def test_borders_of_a_length(length, border, run):
    assert run(square_crops._border(128, tf.constant(length))) == border


def test_a_border_larger_than_the_picture_is_halved(run):
    """128, 64, ..., 4 pixels: twice 4 fit into 10."""
    image = preprocessor.random_square_crop_by_scale(
        _image(10, 10), tf.zeros([0, 4]), tf.zeros([0], tf.int32), tf.zeros([0]), scale_min=0.1,
        scale_max=0.1, num_scales=1,
    )[0]  # fmt: skip
    row, column = divmod(run(image)[0, 0, 0] - 1, 10)
    assert {int(row), int(column)} <= {4, 5}


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_scale_and_pad_to_a_square(scale, run):
    masks = tf.ones([1, 10, 20])
    image, boxes, labels, weights, kept_masks, keypoints, confidences = run(
        preprocessor.random_scale_crop_and_pad_to_square(
            tf.ones([10, 20, 3]), tf.constant([[0.0, 0.0, 1.0, 1.0]]), tf.constant([4]),
            tf.constant([1.0]), masks, tf.constant([[[0.0, 0.0], [1.0, 1.0]]]), tf.constant([0.7]),
            scale_min=scale, scale_max=scale, output_size=40,
        )
    )  # fmt: skip
    height, width = min(int(20 * scale), 40), min(int(40 * scale), 40)
    assert image.shape == (40, 40, 3)
    expected = np.zeros([40, 40])
    expected[:height, :width] = 1
    np.testing.assert_allclose(image[..., 0], expected)
    np.testing.assert_allclose(kept_masks[0], expected)
    np.testing.assert_allclose(boxes, [[0, 0, height / 40, width / 40]], atol=1e-6)
    assert labels.tolist() == [4]
    np.testing.assert_allclose([weights[0], confidences[0]], [1.0, 0.7])
    if scale <= 1:
        np.testing.assert_allclose(keypoints[0, 1], [height / 40, width / 40], atol=1e-6)


def test_the_size_of_the_square_is_known():
    image = preprocessor.random_scale_crop_and_pad_to_square(
        tf.placeholder(tf.float32, [None, None, 3]), tf.zeros([0, 4]), tf.zeros([0]), None,
        output_size=64,
    )[0]  # fmt: skip
    assert image.shape.as_list() == [64, 64, 3]


ABOVE = [[0.05, 0.2, 0.25, 0.4], [0.55, 0.2, 0.75, 0.4]]
BESIDE = [[0.1, 0.1, 0.5, 0.2], [0.1, 0.6, 0.5, 0.7]]
FOUR = [[0.05, 0.1, 0.25, 0.2], [0.55, 0.1, 0.75, 0.2], [0.05, 0.6, 0.25, 0.7],
        [0.55, 0.6, 0.75, 0.7]]  # fmt: skip


@pytest.mark.parametrize(
    ("vertical", "horizontal", "expected"),
    [
        pytest.param(0.0, 0.0, [[0.1, 0.2, 0.5, 0.4]], id="as it is"),
        pytest.param(1.0, 0.0, ABOVE, id="above itself"),
        pytest.param(0.0, 1.0, BESIDE, id="beside itself"),
        pytest.param(1.0, 1.0, FOUR, id="four times"),
    ],
)
def test_pictures_put_together(vertical, horizontal, expected, run):
    image, boxes, labels, weights, scores, masks, keypoints, visible = run(
        preprocessor.random_self_concat_image(
            _image(), tf.constant([[0.1, 0.2, 0.5, 0.4]]), tf.constant([2]), tf.constant([0.5]),
            multiclass_scores=tf.constant([[0.1, 0.9]]),
            masks=tf.ones([1, 10, 20]),
            keypoints=tf.constant([[[0.1, 0.2], [0.5, 0.4], [NAN, NAN]]]),
            keypoint_visibilities=tf.constant([[True, False, True]]),
            concat_vertical_probability=vertical,
            concat_horizontal_probability=horizontal,
        )
    )  # fmt: skip
    copies = len(expected)
    single = np.arange(200.0).reshape(10, 20) + 1
    tiles = (2 if vertical else 1, 2 if horizontal else 1)
    np.testing.assert_array_equal(image[..., 0], np.tile(single, tiles))
    np.testing.assert_allclose(boxes, expected, atol=1e-6)
    np.testing.assert_allclose(keypoints[:, :2].reshape(-1, 4), expected, atol=1e-6)
    assert np.isnan(keypoints[:, 2]).all()
    assert visible.tolist() == [[True, False, copies == 1]] * copies
    assert labels.tolist() == [2] * copies
    assert weights.tolist() == [0.5] * copies
    np.testing.assert_allclose(scores, [[0.1, 0.9]] * copies)
    # Each copy has its own part of the picture.
    np.testing.assert_array_equal(masks.sum(axis=0), np.ones(image.shape[:2]))
    assert (masks.sum(axis=(1, 2)) == 200).all()
