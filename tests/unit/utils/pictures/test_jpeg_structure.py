import io
import random

import numpy as np
import pytest
from PIL import Image

from object_detection.utils.pictures.jpeg_structure import frame_of_whole_jpeg


def encode(mode="RGB", size=(64, 48), **options):
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, format="JPEG", **options)
    return buffer.getvalue()


def decodes(content):
    """Whether Pillow decodes the whole picture, the truth that structure has to agree with."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="colour"),
        pytest.param({"mode": "L"}, id="grey"),
        pytest.param({"optimize": True, "quality": 95, "subsampling": 0}, id="own tables"),
        pytest.param({"restart_marker_blocks": 3}, id="restart markers"),
        pytest.param({"comment": b"\xff\xd9 no end", "exif": b"Exif\x00\x00rest"}, id="metadata"),
        pytest.param({"size": (1, 1)}, id="one pixel"),
    ],
)
def test_size_of_a_whole_file(options):
    content = encode(**options)
    width, height = options.get("size", (64, 48))
    for more in (b"", b"\x00trailing\xff\xd8"):
        frame = frame_of_whole_jpeg(content + more)
        assert (frame.height, frame.width) == (height, width)
        assert len(frame.components) == (1 if options.get("mode") == "L" else 3)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xd8", id="only a begin"),
        pytest.param(b"\xff\xd8\xff\xd9", id="begin and end"),
        pytest.param(encode()[:-2], id="no end"),
        pytest.param(encode()[:300], id="cut in a table"),
        pytest.param(encode(progressive=True), id="progressive"),
        pytest.param(encode("CMYK"), id="four components"),
        pytest.param(
            encode().replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c"), id="12 bits"
        ),
        pytest.param(
            encode().replace(b"\xff\xdb\x00\x43\x00", b"\xff\xfe\x00\x43\x00"), id="no table 0"
        ),
        pytest.param(b"\x89PNG\r\n\x1a\n", id="PNG"),
    ],
)
def test_a_decoder_has_to_look(content):
    assert frame_of_whole_jpeg(content) is None


def _damaged(content, generator):
    kind = generator.randrange(5)
    content = bytearray(content)
    place = generator.randrange(len(content))
    if kind == 0:
        del content[place:]
    elif kind == 1:
        content[place] = generator.randrange(256)
    elif kind == 2:  # most of what matters stands in front
        content[generator.randrange(min(620, len(content)))] = generator.randrange(256)
    elif kind == 3:
        del content[place : place + generator.randrange(1, 100)]
    else:
        content[place:place] = generator.randbytes(generator.randrange(1, 20))
    return bytes(content)


@pytest.mark.filterwarnings("ignore")  # Pillow's, about odd metadata
def test_nothing_passes_that_does_not_decode():
    generator = random.Random(0)
    sources = [encode(), encode("L", quality=30), encode(optimize=True), encode(subsampling=2)]
    passed = refused = 0
    for _ in range(4000):
        content = _damaged(generator.choice(sources), generator)
        if frame_of_whole_jpeg(content) is None:
            refused += 1
        else:
            passed += 1
            assert decodes(content)
    assert passed > 500 < refused
