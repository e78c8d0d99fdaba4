"""The truth is TensorFlow's own decoders, as readers of records call them."""

import pathlib
import struct
import sys
import time
import warnings
import zlib

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import encoded_image
from object_detection.utils.pictures import decodable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import picture_samples as samples

WHOLE, ODD = samples.whole(), samples.odd()


@pytest.fixture(scope="module")
def tensorflow_decodes():
    """File -> shape of the picture, or None where TensorFlow refuses it."""
    with tf.Graph().as_default(), tf.Session() as session:
        contents = tf.placeholder(tf.string, [])
        part = encoded_image.pixels(encoded_image.from_file(contents))
        whole = encoded_image.decode(contents)

        def decode(content):
            try:
                shapes = [value.shape for value in session.run([whole, part], {contents: content})]
            except tf.errors.OpError:
                return None
            assert shapes[0] == shapes[1]
            return shapes[0]

        yield decode


def described(content, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return decodable.describe(content, **options)
        except decodable.RefusedPicture as refused:
            return refused.reason if refused.detail else "no detail"


@pytest.mark.parametrize("name", [*WHOLE, *ODD])
def test_what_tensorflow_decodes(name, tensorflow_decodes):
    content = {**WHOLE, **ODD}[name]
    shape, found = tensorflow_decodes(content), described(content)
    if shape is None:
        assert found == (decodable.DOES_NOT_DECODE if content else decodable.NO_PICTURE)
    else:
        assert (found.height, found.width, 3) == shape
        assert found.format == name.split()[0]


def test_formats_and_modes_of_the_usual_kinds_are_taken(tensorflow_decodes):
    refused = [name for name, content in WHOLE.items() if tensorflow_decodes(content) is None]
    assert refused == ["bmp 1", "webp of three"]


def test_details_are_the_same_each_time():
    said = [refusal_of(content) for content in (*ODD.values(), *ODD.values())]
    assert any(said)
    assert said[: len(ODD)] == said[len(ODD) :]
    assert not any(one and " at 0x" in one for one in said)


def refusal_of(content):
    try:
        decodable.describe(content)
    except decodable.RefusedPicture as refused:
        return refused.detail
    return None


@pytest.mark.slow
def test_nothing_is_taken_that_tensorflow_refuses(tensorflow_decodes):
    taken, too_strict = 0, []
    for name, content in samples.mutations(4000):
        found, shape = described(content), tensorflow_decodes(content)
        if isinstance(found, str):
            if shape is not None:
                too_strict.append(name)
        else:
            assert shape == (found.height, found.width, 3), name
            taken += 1
    assert taken > 400
    # Broken files of which TensorFlow makes something all the same.
    assert len(too_strict) < 40, too_strict


@pytest.mark.parametrize(
    "name", ["jpeg RGB", "jpeg progressive", "png RGB", "bmp RGB", "gif", "webp"]
)
def test_too_large_by_its_header(name):
    limit = samples.HEIGHT * samples.WIDTH
    assert described(WHOLE[name], most_pixels=limit).height == samples.HEIGHT
    assert described(WHOLE[name], most_pixels=limit - 1) == decodable.TOO_LARGE


def test_a_bomb_costs_nothing():
    header = (b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    bomb = samples.png([header, (b"IDAT", zlib.compress(bytes(50_000_000))), (b"IEND", b"")])
    before = time.process_time()
    assert described(bomb) == decodable.TOO_LARGE
    assert time.process_time() - before < 0.05


def test_scans_without_end_are_not_decoded():
    """A progressive JPEG whose last scan is there again and again, though it adds nothing."""
    smooth = samples.picture(height=8, width=8).resize((4000, 3000))
    large = samples.encode(smooth, "JPEG", progressive=True)
    last = large.rindex(b"\xff\xda")
    assert described(large).width == 4000
    before = time.process_time()
    many = large[:-2] + large[last:-2] * 190 + large[-2:]
    assert described(many) == decodable.DOES_NOT_DECODE
    assert time.process_time() - before < 1
    small = WHOLE["jpeg progressive"]
    last = small.rindex(b"\xff\xda")
    assert described(small[:-2] + small[last:-2] * 20 + small[-2:]).format == "jpeg"


def test_work_grows_with_the_size_only():
    """Many small chunks, and one large one, of which each piece could copy the rest."""
    parts = samples.chunks(WHOLE["png RGB"])
    notes = [(b"tEXt", b"") if number % 2 else (b"zTXt", b"") for number in range(200_000)]
    large = np.random.default_rng(0).integers(0, 255, (4000, 3 * 4000 + 1), np.uint8)
    large[:, 0] = 0
    header = (b"IHDR", struct.pack(">IIBBBBB", 4000, 4000, 8, 2, 0, 0, 0))
    pixels = (b"IDAT", zlib.compress(large.tobytes(), 0))
    before = time.process_time()
    assert described(samples.png([parts[0], *notes, *parts[1:]])).format == "png"
    assert described(samples.png([header, pixels, (b"IEND", b"")])).width == 4000
    assert time.process_time() - before < 5
