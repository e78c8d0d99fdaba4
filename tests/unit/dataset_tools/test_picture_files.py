import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from object_detection.dataset_tools.picture_files import Picture, Unreadable, read_picture


def encode(kind, mode="RGB", size=(40, 30), **options):
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, format=kind, **options)
    return buffer.getvalue()


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
    path.write_bytes(encode("JPEG"))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40 * 30 // 3)
    assert read_picture(str(path)).reason == "does_not_decode"
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40 * 30)
    assert read_picture(str(path)).format == "jpeg"
