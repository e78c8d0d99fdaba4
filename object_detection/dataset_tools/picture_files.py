"""Reads picture files for a record and proves that they are whole; needs no TensorFlow."""

import contextlib
import hashlib
import io
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from object_detection.errors import PictureError
from object_detection.utils import untrusted
from object_detection.utils.pictures import decodable, jpeg_structure

_JPEG_FORMATS = {"JPEG", "MPO"}  # MPO: cameras append a second JPEG; decoders read the first


class Picture(NamedTuple):
    """A picture as it goes into a record."""

    encoded: bytes
    format: str
    """`jpeg` or `png`, by content."""
    height: int
    width: int
    sha256: str
    note: str
    """What had to be changed; empty for a file that is stored as it is."""


class Unreadable(NamedTuple):
    """A picture that cannot be stored."""

    reason: str
    detail: str


def _as_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format="PNG")
    return buffer.getvalue()


def check_picture(encoded: bytes) -> Picture:
    """Proves that a picture is whole, and describes it.

    The usual JPEG shows it in its structure; anything else is decoded once.

    JPEG and PNG are kept byte for byte, whatever the file's name says. Anything else that Pillow
    reads (BMP, GIF: first frame, WebP, TIFF, and JPEG in CMYK) becomes an RGB PNG, without loss.

    Raises:
        PictureError: it has more pixels than are read; nothing was decoded.
        OSError: (or another of `decodable.DECODE_ERRORS`) the picture does not decode to its end.
    """
    frame = jpeg_structure.frame_of_whole_jpeg(encoded)
    if frame is not None:
        untrusted.check_pixels(frame.height, frame.width)
        digest = hashlib.sha256(encoded).hexdigest()
        return Picture(encoded, "jpeg", frame.height, frame.width, digest, "")
    return _check_by_decoding(encoded)


def _check_by_decoding(encoded: bytes) -> Picture:
    with untrusted.opened_picture(encoded) as image:
        width, height = image.size
        kind = image.format or "unknown"
        note = ""
        if kind in _JPEG_FORMATS and image.mode in {"RGB", "L"}:
            name = decodable.describe(encoded).format
        elif kind == "PNG":
            # Pillow reads past damage that TensorFlow refuses.
            name = decodable.describe(encoded).format
        else:
            name = "png"
            note = f"{kind} in mode {image.mode} was stored as PNG"
            encoded = _as_png(image)
    return Picture(encoded, name, height, width, hashlib.sha256(encoded).hexdigest(), note)


@contextlib.contextmanager
def pillow_silent() -> Iterator[None]:
    """Keeps Pillow from warning of size and metadata; errors come as exceptions.

    It changes the whole process: where threads read pictures, it is entered around all of them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read_picture(path: str) -> Picture | Unreadable:
    """Reads and checks one file; never raises for what the file holds or lacks."""
    try:
        encoded = untrusted.read_bytes(path, untrusted.MOST_PICTURE_BYTES)
    except PictureError as error:
        return Unreadable(error.reason, str(error))
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
        return Unreadable(reason, getattr(error, "strerror", None) or str(error))
    try:
        return check_picture(encoded)
    except PictureError as error:
        return Unreadable(error.reason, str(error))
    except UnidentifiedImageError:
        # Its own text tells a place in memory.
        return Unreadable("does_not_decode", f"no picture of a known format ({len(encoded)} bytes)")
    except decodable.DECODE_ERRORS as error:
        detail = str(error).replace(repr(path), "file") or type(error).__name__
        return Unreadable("does_not_decode", f"{detail} ({len(encoded)} bytes)")


def read_picture_below(folder: str, name: str) -> Picture | Unreadable:
    """Likewise, of a path in a stranger's file, which may not lead out of `folder`."""
    try:
        return read_picture(untrusted.path_below(folder, name))
    except PictureError as error:
        return Unreadable(error.reason, str(error))
