"""Parts of picture files against numpy's parts of the picture that TensorFlow decodes as a whole."""

import io

import numpy as np
import PIL.Image
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import encoded_image


def _picture(height, width):
    """Waves of different colours with some noise: neighbours differ, but not by chance alone."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(y / 7 + x / 5), np.sin(y / 3 - x / 11), np.sin((x + y) / 4)]
    noise = np.random.RandomState(0).uniform(-20, 20, [height, width, 3])
    return np.clip(np.stack(waves, axis=-1) * 110 + 127 + noise, 0, 255).astype(np.uint8)


def _file(height, width, mode="RGB", kind="JPEG", **options):
    stream = io.BytesIO()
    PIL.Image.fromarray(_picture(height, width)).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


JPEG = _file(61, 83, quality=90)
FILES = [
    pytest.param(_file(1, 1), id="one pixel"),
    pytest.param(_file(5, 3, subsampling=2), id="less than a block"),
    pytest.param(_file(61, 83, subsampling=0), id="all colours of all pixels"),
    pytest.param(_file(61, 83, subsampling=1), id="half of the columns' colours"),
    pytest.param(_file(61, 83, subsampling=2), id="a quarter of the colours"),
    pytest.param(_file(64, 48, subsampling=2, progressive=True), id="progressive"),
    pytest.param(_file(61, 83, "L"), id="grey"),
    pytest.param(_file(61, 83, "CMYK"), id="four colours of print"),
    pytest.param(JPEG + b"more", id="bytes after the end"),
    pytest.param(_file(61, 83, kind="PNG"), id="PNG"),
    pytest.param(_file(61, 83, "P", kind="GIF"), id="GIF"),
]


@pytest.mark.parametrize("contents", FILES)
def test_part_is_that_of_the_whole_picture(contents, run):
    whole = run(tf.io.decode_image(contents, channels=3, expand_animations=False))
    height, width = whole.shape[:2]
    source = tf.placeholder(tf.string, [])
    window, flips = tf.placeholder(tf.int32, [4]), tf.placeholder(tf.bool, [2])
    image = encoded_image.from_file(source)
    size = encoded_image.shape(image)
    begin, extent = window[:2], window[2:]
    # A flip, a crop, the other flip, and a crop to all but the last row and column.
    image = tf.cond(flips[0], lambda: encoded_image.mirror(image, 0), lambda: image)
    image = encoded_image.cut(image, begin, extent)
    image = tf.cond(flips[1], lambda: encoded_image.mirror(image, 1), lambda: image)
    image = encoded_image.cut(image, tf.zeros([2], tf.int32), tf.maximum(extent - 1, 1))
    pixels = encoded_image.pixels(image)
    assert pixels.shape.as_list() == [None, None, 3]
    rng = np.random.RandomState(0)
    with tf.Session() as session:
        assert session.run(size, {source: contents}).tolist() == [height, width, 3]
        for number in range(12):
            h, w = rng.randint(1, [height + 1, width + 1]) if number else (height, width)
            y, x = rng.randint(0, height - h + 1), rng.randint(0, width - w + 1)
            heads = [number % 2 == 0, number % 3 == 0]
            found = session.run(pixels, {source: contents, window: [y, x, h, w], flips: heads})
            expected = (whole[::-1] if heads[0] else whole)[y : y + h, x : x + w]
            expected = (expected[:, ::-1] if heads[1] else expected)[
                : max(h - 1, 1), : max(w - 1, 1)
            ]
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "contents",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xd8\xff", id="only the begin of a JPEG file"),
        pytest.param(b"not a picture at all", id="text"),
        pytest.param(JPEG[: len(JPEG) // 2], id="half of a file"),
        pytest.param(JPEG[:-40], id="cut off at the end"),
    ],
)
def test_what_cannot_be_decoded_is_an_error_whatever_part_is_wanted(contents):
    image = encoded_image.from_file(tf.constant(contents))
    corner = encoded_image.cut(image, tf.constant([0, 0]), tf.constant([1, 1]))
    with tf.Session() as session:
        for wanted in (encoded_image.decode(tf.constant(contents)), encoded_image.pixels(corner)):
            with pytest.raises(tf.errors.InvalidArgumentError):
                session.run(wanted)


@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        pytest.param([59, 80], 1, id="a row less than twice as much"),
        pytest.param([60, 80], 2, id="just twice"),
        pytest.param([120, 200], 4, id="four times in one direction, five in the other"),
        pytest.param([240, 399], 8, id="as far as it goes"),
    ],
)
def test_what_is_more_than_enough_is_decoded_smaller(size, ratio, run):
    contents = _file(241, 400, quality=95)
    smaller = run(tf.io.decode_jpeg(contents, channels=3, ratio=ratio))
    image = encoded_image.from_file(tf.constant(contents), enough=(30, 40))
    part = encoded_image.cut(image, tf.constant([1, 1]), tf.constant(size))
    found = run(encoded_image.pixels(encoded_image.mirror(part, 1)))
    # Edges go to the nearest pixel of the smaller picture; halves go up.
    top = left = int(1 / ratio + 0.5)
    bottom, right = (int((1 + side) / ratio + 0.5) for side in size)
    np.testing.assert_array_equal(found[:, ::-1], smaller[top:bottom, left:right])
    assert found.shape[0] >= 30
    assert found.shape[1] >= 40


def test_other_formats_keep_their_size(run):
    image = encoded_image.from_file(tf.constant(_file(61, 83, kind="PNG")), enough=(2, 2))
    np.testing.assert_array_equal(run(encoded_image.pixels(image)), _picture(61, 83))


def test_tensors_are_cut_and_mirrored_as_they_are(run):
    picture = _picture(6, 9)
    part = encoded_image.cut(tf.constant(picture), tf.constant([1, 2, 0]), tf.constant([3, 4, -1]))
    found = run([part, encoded_image.mirror(part, 0), encoded_image.shape(part)])
    np.testing.assert_array_equal(found[0], picture[1:4, 2:6])
    np.testing.assert_array_equal(found[1], picture[1:4, 2:6][::-1])
    assert found[2].tolist() == [3, 4, 3]
