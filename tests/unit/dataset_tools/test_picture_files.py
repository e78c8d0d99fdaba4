import hashlib
import io
import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from object_detection.dataset_tools.picture_files import (
    Picture,
    Unreadable,
    pillow_silent,
    read_picture,
    read_picture_below,
)
from object_detection.utils import untrusted


def encode(kind, mode="RGB", size=(40, 30), **options):
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, format=kind, **options)
    return buffer.getvalue()


def changed(content, place):
    content = bytearray(content)
    content[place] ^= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "does_not_decode", id="empty file"),
        pytest.param(b"<html>not found</html>", "does_not_decode", id="a web page"),
        pytest.param(encode("JPEG")[:4], "does_not_decode", id="only a header"),
        pytest.param(encode("JPEG")[:-200], "does_not_decode", id="truncated JPEG"),
        pytest.param(
            encode("JPEG", progressive=True)[:-200], "does_not_decode", id="truncated progressive"
        ),
        pytest.param(encode("PNG")[:-300], "does_not_decode", id="truncated PNG"),
        # Pillow takes these; what reads records does not.
        pytest.param(encode("PNG")[:-12], "does_not_decode", id="PNG without end"),
        pytest.param(changed(encode("PNG"), -14), "does_not_decode", id="PNG, wrong checksum"),
        pytest.param(encode("GIF")[:-300], "does_not_decode", id="truncated GIF"),
    ],
)
def test_unreadable_files_are_described(tmp_path, content, reason):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    found = read_picture(str(path))
    assert isinstance(found, Unreadable)
    assert found.reason == reason
    assert found.detail


def test_missing_file_and_folder(tmp_path):
    assert read_picture(str(tmp_path / "none.jpg")).reason == "missing"
    assert read_picture(str(tmp_path)).reason == "unreadable"


@pytest.mark.parametrize(
    ("kind", "mode", "options", "stored_as"),
    [
        ("JPEG", "RGB", {}, "jpeg"),
        ("JPEG", "L", {}, "jpeg"),
        ("JPEG", "RGB", {"progressive": True}, "jpeg"),
        ("PNG", "RGBA", {}, "png"),
        ("PNG", "P", {}, "png"),
    ],
)
def test_jpeg_and_png_are_kept_byte_for_byte(tmp_path, kind, mode, options, stored_as):
    content = encode(kind, mode, **options)
    path = tmp_path / "wrong.ending"
    path.write_bytes(content)
    assert read_picture(str(path)) == Picture(
        content, stored_as, 30, 40, hashlib.sha256(content).hexdigest(), ""
    )


@pytest.mark.parametrize(("kind", "mode"), [("BMP", "RGB"), ("GIF", "P"), ("JPEG", "CMYK")])
def test_other_formats_become_png_without_loss(tmp_path, kind, mode):
    content = encode(kind, mode)
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    found = read_picture(str(path))
    assert (found.format, found.height, found.width) == ("png", 30, 40)
    assert kind in found.note
    assert found.sha256 == hashlib.sha256(found.encoded).hexdigest()
    with Image.open(io.BytesIO(found.encoded)) as image, Image.open(path) as original:
        np.testing.assert_array_equal(image, original.convert("RGB"))


def test_limit_of_pixels_counts_for_whole_files_too(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    for content in (encode("JPEG"), encode("PNG")):
        path.write_bytes(content)
        monkeypatch.setattr(untrusted, "MOST_MEGAPIXELS", 39 * 30 / 1e6)
        found = read_picture(str(path))
        assert found.reason == "too_large"
        assert "40 x 30" in found.detail
        monkeypatch.setattr(untrusted, "MOST_MEGAPIXELS", 40 * 30 / 1e6)
        assert isinstance(read_picture(str(path)), Picture)


def png_header(width, height):
    """A PNG that says its size and has no pixels."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


@pytest.mark.parametrize(
    ("width", "height"), [(10_000, 10_001), (20_000, 20_000), (60_000, 60_000)]
)
def test_size_is_refused_by_the_header_before_memory_is_taken(tmp_path, width, height):
    path = tmp_path / "a.png"
    path.write_bytes(encode("PNG"))
    assert isinstance(read_picture(str(path)), Picture)  # Pillow loads its decoders once
    path.write_bytes(png_header(width, height))
    tracemalloc.start()
    try:
        with pillow_silent():
            found = read_picture(str(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (found.reason, peak < 1 << 20) == ("too_large", True)
    assert "megapixels" in found.detail


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    # Opening it would wait for somebody who writes.
    assert read_picture(str(tmp_path / "pipe.jpg")).reason == "unreadable"
    assert read_picture("/dev/zero").reason == "unreadable"


def test_formats_whose_decoders_start_programs_are_no_pictures(tmp_path):
    (tmp_path / "a.jpg").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
    )
    assert read_picture(str(tmp_path / "a.jpg")).reason == "does_not_decode"


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "a/../../secret.jpg", "{folder}/secret.jpg", "", ".", "..", "a\0.jpg"]
)
def test_paths_that_lead_out_are_not_followed(tmp_path, name):
    (tmp_path / "secret.jpg").write_bytes(encode("JPEG"))
    (tmp_path / "images" / "a").mkdir(parents=True)
    found = read_picture_below(str(tmp_path / "images"), name.format(folder=tmp_path))
    assert found.reason == "path_outside"


def test_paths_that_stay_inside_and_links_are_followed(tmp_path):
    (tmp_path / "images" / "a").mkdir(parents=True)
    (tmp_path / "images" / "b c.jpg").write_bytes(encode("JPEG"))
    (tmp_path / "images" / "link.jpg").symlink_to(tmp_path / "images" / "b c.jpg")
    (tmp_path / "elsewhere").mkdir()
    # After a link, ".." would start from where it leads to.
    (tmp_path / "images" / "away").symlink_to(tmp_path / "elsewhere")
    for name in ("b c.jpg", "./b c.jpg", "a/../b c.jpg", "link.jpg", "away/../b c.jpg"):
        assert isinstance(read_picture_below(str(tmp_path / "images"), name), Picture), name
