import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor

IMAGE = np.arange(200.0, dtype=np.float32).reshape(10, 20, 1)
BOX = [[0.0, 0.5, 1.0, 1.0]]
POINTS = [[[0.5, 0.5], [float("nan")] * 2]]


def test_the_picture_in_the_middle(run):
    image, boxes, masks, keypoints, surface = run(
        preprocessor.random_pad_image(
            tf.constant(IMAGE), tf.constant(BOX), tf.ones([1, 10, 20]), tf.constant(POINTS),
            tf.constant([[[0.5, 0.5, 0.1, 0.2]]]), min_image_size=(20, 40),
            max_image_size=(20, 40), center_pad=True, pad_color=(7.0,),
        )
    )  # fmt: skip
    expected = np.full([20, 40], 7.0)
    expected[5:15, 10:30] = IMAGE[..., 0]
    np.testing.assert_array_equal(image[..., 0], expected)
    np.testing.assert_allclose(boxes, [[0.25, 0.5, 0.75, 0.75]])
    assert masks.sum() == masks[0, 5:15, 10:30].sum() == 200
    np.testing.assert_allclose(keypoints, POINTS)
    np.testing.assert_allclose(surface, [[[0.5, 0.5, 0.1, 0.2]]])


def test_the_margin_takes_the_mean_colour(run):
    image, _ = run(
        preprocessor.random_pad_image(
            tf.constant(np.concatenate([IMAGE, 2 * IMAGE], -1)), tf.constant(BOX),
            min_image_size=(10, 21), max_image_size=(10, 21),
        )
    )  # fmt: skip
    margins = (image[:, 0], image[:, -1])
    assert any(np.allclose(one, [99.5, 199]) for one in margins)


SIZES = [
    pytest.param({}, (10, 19), (20, 39), id="up to twice the size"),
    pytest.param({"min_image_size": (12, 30)}, (12, 19), (30, 39), id="at least"),
    pytest.param({"max_image_size": (12, 23)}, (10, 11), (20, 22), id="at most"),
    pytest.param({"max_image_size": (5, 5)}, (10, 10), (20, 20), id="never smaller"),
]


@pytest.mark.parametrize(("settings", "heights", "widths"), SIZES)
def test_sizes_of_the_canvas(settings, heights, widths):
    image, boxes = preprocessor.random_pad_image(
        tf.constant(IMAGE), tf.constant([[0.0, 0.0, 1.0, 1.0]]), **settings
    )
    seen = []
    with tf.Session() as session:
        for _ in range(150):
            picture, (box,) = session.run([image, boxes])
            seen.append(picture.shape[:2])
            top, left, bottom, right = np.round(box * np.tile(picture.shape[:2], 2)).astype(int)
            np.testing.assert_array_equal(picture[top:bottom, left:right], IMAGE)
    seen = np.array(seen)
    assert (seen[:, 0].min(), seen[:, 0].max()) == heights
    assert seen[:, 1].min() >= widths[0]
    assert seen[:, 1].max() <= widths[1]


@pytest.mark.parametrize(
    ("padding", "heights", "widths"),
    [((3, 5), {10, 11, 12}, {20, 21, 22, 23, 24}), ((None, None), {10}, {20}), ((0, 2), {10}, {20, 21})],
)  # fmt: skip
def test_padding_by_pixels(padding, heights, widths):
    image, _ = preprocessor.random_absolute_pad_image(
        tf.constant(IMAGE), tf.constant(BOX), max_height_padding=padding[0],
        max_width_padding=padding[1], pad_color=[0.0],
    )  # fmt: skip
    with tf.Session() as session:
        shapes = [session.run(tf.shape(image)) for _ in range(60)]
    assert {shape[0] for shape in shapes} == heights
    assert {shape[1] for shape in shapes} == widths


@pytest.mark.parametrize(
    ("ratio", "settings", "size"),
    [
        pytest.param(2.0, {}, (10, 20), id="as it is"),
        pytest.param(1.0, {}, (20, 20), id="higher"),
        pytest.param(4.0, {}, (10, 40), id="wider"),
        pytest.param(
            4.0,
            {"min_padded_size_ratio": (4.0, 4.0), "max_padded_size_ratio": (4.0, 4.0)},
            (20, 80),
            id="four times the width",
        ),
    ],
)
def test_canvas_of_an_aspect_ratio(ratio, settings, size, run):
    settings = {"max_padded_size_ratio": (1.0, 1.0)} | settings
    image, boxes, masks, keypoints = run(
        preprocessor.random_pad_to_aspect_ratio(
            tf.constant(IMAGE), tf.constant(BOX), tf.ones([1, 10, 20]), tf.constant(POINTS),
            aspect_ratio=ratio, **settings,
        )
    )  # fmt: skip
    expected = np.zeros(size)
    expected[:10, :20] = IMAGE[..., 0]
    np.testing.assert_array_equal(image[..., 0], expected)
    share = np.array([10, 20]) / size
    np.testing.assert_allclose(boxes, np.array(BOX) * np.tile(share, 2), atol=1e-6)
    np.testing.assert_allclose(keypoints, np.array(POINTS) * share, atol=1e-6)
    assert masks.shape == (1, *size)
    assert masks.sum() == 200


def test_random_canvas_of_an_aspect_ratio():
    image, _ = preprocessor.random_pad_to_aspect_ratio(tf.constant(IMAGE), tf.constant(BOX))
    with tf.Session() as session:
        shapes = [session.run(tf.shape(image))[:2].tolist() for _ in range(20)]
    assert {(20, 20)} == {tuple(shape) for shape in shapes}, "twice the height is the bound"
