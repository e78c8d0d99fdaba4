"""Tones are compared with Pillow's, maps with what the colours under the points say."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from object_detection.core import preprocessor
from object_detection.core.preprocessor import autoaugment, tone
from object_detection.core.preprocessor.autoaugment_policies import POLICIES
from object_detection.errors import ConfigError

NAN = float("nan")
HEIGHT, WIDTH = 120, 160


def _enhanced(enhancer):
    return lambda image, magnitude: enhancer(image).enhance(1.8 * magnitude + 0.1)


def _contrast(image, magnitude):
    """Pillow rounds the mean to a whole number."""
    pixels = np.asarray(image, np.float64)
    mean = (pixels @ [0.299, 0.587, 0.114]).mean()
    return np.clip(mean + (1.8 * magnitude + 0.1) * (pixels - mean), 0, 255)


def _sharpness(image, magnitude):
    smooth = np.asarray(image.filter(ImageFilter.SMOOTH), np.float64)
    pixels = np.asarray(image, np.float64)
    return np.clip(smooth + (1.8 * magnitude + 0.1) * (pixels - smooth), 0, 255)


TONES = {
    "color": (tone.color, 0.8, _enhanced(ImageEnhance.Color), 2.0),
    "brightness": (tone.brightness, 0.9, _enhanced(ImageEnhance.Brightness), 1.0),
    "contrast": (tone.contrast, 0.2, _contrast, 0.5),
    "sharpness": (tone.sharpness, 0.8, _sharpness, 1.5),
    "solarize": (tone.solarize, 0.5, lambda image, _: ImageOps.solarize(image, 128), 0.0),
    "posterize": (tone.posterize, 0.75, lambda image, _: ImageOps.posterize(image, 3), 0.0),
    "autocontrast": (tone.autocontrast, 0.0, lambda image, _: ImageOps.autocontrast(image), 1.0),
    "equalize": (tone.equalize, 0.0, lambda image, _: ImageOps.equalize(image), 0.0),
}


@pytest.mark.parametrize("name", TONES)
def test_tones_are_those_of_pillow(name, run):
    change, magnitude, reference, tolerance = TONES[name]
    pixels = np.random.RandomState(3).randint(20, 220, [30, 40, 3]).astype(np.uint8)
    pixels[:, :, 1] //= 2
    expected = np.asarray(reference(Image.fromarray(pixels), magnitude), np.float64)
    changed = run(change(tf.constant(pixels, tf.float32), magnitude))
    np.testing.assert_allclose(changed, expected, atol=tolerance)


@pytest.mark.parametrize("change", [tone.autocontrast, tone.equalize], ids=["contrast", "equalize"])
def test_an_even_picture_stays(change, run):
    image = np.full([5, 6, 3], 77.0, np.float32)
    np.testing.assert_array_equal(run(change(tf.constant(image), 1.0)), image)


def test_what_is_dark_becomes_brighter(run):
    image = tf.constant([[[0.0, 127.0, 128.0]]])
    assert run(tone.solarize_add(image, 1.0)).tolist() == [[[110.0, 237.0, 128.0]]]


def _scene():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    image = np.stack([(y + 0.5) / HEIGHT, (x + 0.5) / WIDTH, np.ones([HEIGHT, WIDTH])], -1) * 255
    boxes = np.array([[0.2, 0.2, 0.6, 0.5], [0.5, 0.6, 0.8, 0.9]], np.float32)
    points = np.array([[[0.3, 0.3], [0.5, 0.4]], [[0.61, 0.7], [NAN, NAN]]], np.float32)
    return image.astype(np.float32), boxes, points


def _operate(name, magnitude, *scene):
    """An operation with certainty."""
    operations = autoaugment.OPERATIONS | autoaugment.OPERATIONS_IN_BOXES
    scene = autoaugment.Scene(*(tf.constant(part) for part in scene))
    return operations[name](scene, tf.constant(magnitude), tf.constant(1.0))


MAPS = ("TranslateX_BBox", "TranslateY_BBox", "ShearX_BBox", "ShearY_BBox", "Rotate_BBox")
INSIDE = ("TranslateY_Only_BBoxes", "ShearX_Only_BBoxes", "ShearY_Only_BBoxes")


@pytest.mark.parametrize("name", [*MAPS, *INSIDE])
def test_keypoints_stay_on_their_spot(name):
    image, boxes, points = _scene()
    results = _operate(name, 0.2, image, boxes, points)
    seen = 0
    with tf.Session() as session:
        for _ in range(6):
            picture, new_boxes, keypoints = session.run(results)
            for row in range(2):
                for point, spot in zip(keypoints[row], points[row], strict=True):
                    if np.isnan(point).any():
                        continue
                    assert new_boxes[row][:2].tolist() <= point.tolist()
                    y, x = np.minimum(
                        (point * picture.shape[:2]).astype(int), [HEIGHT - 1, WIDTH - 1]
                    )
                    np.testing.assert_allclose(picture[y, x, :2] / 255, spot, atol=0.03)
                    seen += 1
            if name in INSIDE:
                np.testing.assert_array_equal(new_boxes, boxes)
                assert (picture[:20] == image[:20]).all(), "nothing changes outside of boxes"
    assert seen > 3


def test_a_translation_by_hand(run):
    """Level 1 of 10 is 25 pixels, to either side; a box that leaves keeps a twentieth."""
    image, boxes, points = _scene()
    boxes[1] = [0.1, 0.9, 0.5, 1.0]
    results = _operate("TranslateX_BBox", 0.1, image, boxes, points)
    with tf.Session() as session:
        draws = [session.run(results) for _ in range(12)]
    signs = set()
    for picture, new_boxes, _ in draws:
        sign = 1 if (picture[:, :25] == 128).all() else -1
        signs.add(sign)
        shifted = np.full_like(image, 128)
        if sign == 1:
            shifted[:, 25:] = image[:, :-25]
        else:
            shifted[:, :-25] = image[:, 25:]
        np.testing.assert_array_equal(picture, shifted)
        np.testing.assert_allclose(new_boxes[0, 1::2], boxes[0, 1::2] + sign * 25 / 160, atol=1e-6)
        last = [0.95, 1.0] if sign == 1 else [0.9 - 25 / 160, 1 - 25 / 160]
        np.testing.assert_allclose(new_boxes[1, 1::2], last, atol=1e-6)
    assert signs == {-1, 1}


@pytest.mark.parametrize("name", POLICIES)
def test_policies(name):
    image, boxes, points = _scene()
    results = preprocessor.autoaugment_image(
        tf.constant(image), tf.constant(boxes), name, keypoints=tf.constant(points),
        keypoint_visibilities=tf.constant([[True, True], [True, False]]),
    )  # fmt: skip
    assert results[0].shape.as_list() == [HEIGHT, WIDTH, 3]
    assert results[1].shape.as_list() == [2, 4]
    changed = 0
    with tf.Session() as session:
        for _ in range(8):
            picture, new_boxes, keypoints, visible = session.run(results)
            assert 0 <= picture.min() <= picture.max() <= 255
            assert (new_boxes[:, :2] < new_boxes[:, 2:]).all()
            assert ((new_boxes >= 0) & (new_boxes <= 1)).all()
            assert (visible == ~np.isnan(keypoints).any(-1)).all()
            changed += (picture != image).any()
    assert changed > 2


def test_a_picture_of_unknown_size_without_boxes(run):
    image = tf.placeholder_with_default(np.full([30, 40, 3], 9, np.uint8), [None, None, 3])
    boxes = tf.placeholder_with_default(np.zeros([0, 4], np.float32), [None, 4])
    picture, new_boxes = run(preprocessor.autoaugment_image(image, boxes))
    assert picture.dtype == np.uint8
    assert picture.shape == (30, 40, 3)
    assert new_boxes.shape == (0, 4)


def test_probability_and_magnitude_of_each_step():
    policy = (
        (("Color", 0.6, 4), ("Equalize", 0.0, 9)),
        (("TranslateY_Only_BBoxes", 0.3, 2), ("Color", 0.8, 10)),
    )
    operations, table = autoaugment._table(policy)
    assert operations == [
        autoaugment.OPERATIONS["Color"], autoaugment.OPERATIONS_IN_BOXES["TranslateY_Only_BBoxes"]
    ]  # fmt: skip
    expected = [
        [[0, 0.6, 0.2, 0.4], [0, 0, 0, 0]],
        [[1, 1.0, 0.1, 0.2], [0, 0.8, 0.8 / 3, 1.0]],
    ]
    np.testing.assert_allclose(table, expected, rtol=1e-6)
    for known in POLICIES.values():
        assert autoaugment._table(known)[1].shape[0] == len(known)


def test_what_is_refused():
    image, boxes = tf.zeros([4, 4, 3]), tf.zeros([1, 4])
    with pytest.raises(ConfigError, match="v0, v1, v2, v3"):
        preprocessor.autoaugment_image(image, boxes, "v9")
    for name, shape in (("masks", [1, 4, 4]), ("densepose_surface_coords", [1, 2, 4])):
        with pytest.raises(ConfigError, match=name):
            preprocessor.autoaugment_image(image, boxes, **{name: tf.zeros(shape)})
    with pytest.raises(ConfigError, match="Wobble"):
        autoaugment._table(((("Wobble", 0.5, 3),),))
