"""Tells which picture files TensorFlow decodes, as readers of records ask it to, without it.

That is `tf.io.decode_jpeg` for what begins like a JPEG, else `tf.io.decode_image` of 3 channels and
of the first frame: see `core/encoded_image.py`.
"""

import io
import struct
import zlib
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from object_detection.utils import untrusted
from object_detection.utils.pictures import gif_structure, jpeg_structure, png_structure
from object_detection.utils.refusal import Refused

# What Pillow raises on damaged files, by experience and by its own documentation.
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

NO_PICTURE = "no_picture"
DOES_NOT_DECODE = "picture_does_not_decode"
TOO_LARGE = "picture_too_large"

_JPEG, _GIF, _BMP = b"\xff\xd8\xff", b"GIF8", b"BM"
_MOST_PIXELS = (1 << 29) - 1  # of TensorFlow's decoders
# Each scan of a progressive JPEG goes over all pixels. Encoders make about ten; a thousand in a large
# picture would take minutes.
_START_OF_SCAN, _USUAL_SCANS, _MOST_SCANS = b"\xff\xda", 20, 200
_MOST_SCANNED = 2e9  # pixels


class Described(NamedTuple):
    """A picture that TensorFlow decodes."""

    format: str  # jpeg, png, gif, bmp or webp, by content
    height: int
    width: int
    is_cmyk: bool = False  # then it cannot be decoded to one channel


class RefusedPicture(Refused):
    """A picture that is not decoded; `reason` is one of the codes of this module."""


def _broken(detail: str) -> RefusedPicture:
    return RefusedPicture(DOES_NOT_DECODE, detail)


def _check_size(height: int, width: int, most_pixels: float) -> None:
    if height * width > min(most_pixels, _MOST_PIXELS):
        raise RefusedPicture(
            TOO_LARGE,
            f"{width} x {height} are {height * width / 1e6:.1f} megapixels, more than "
            f"{min(most_pixels, _MOST_PIXELS) / 1e6:g}",
        )


def _jpeg(encoded: bytes, most_pixels: float) -> Described:
    frame = jpeg_structure.frame_of_whole_jpeg(encoded)
    if frame is not None:
        _check_size(frame.height, frame.width, most_pixels)
        return Described("jpeg", frame.height, frame.width)
    # TensorFlow reads on to the end when it has all pixels; Pillow does not.
    if not jpeg_structure.has_end(encoded):
        raise _broken("is a JPEG without its end")
    return _by_pillow(encoded, "jpeg", most_pixels)


def _check_scans(encoded: bytes, pixels: int) -> None:
    scans = encoded.count(_START_OF_SCAN)
    most = max(min(_MOST_SCANNED / pixels, _MOST_SCANS), _USUAL_SCANS)
    if scans > most:
        raise _broken(f"is a JPEG of {scans} scans, more than {most:.0f}")


def _png(encoded: bytes, most_pixels: float) -> Described:
    header = png_structure.header(encoded)
    _check_size(header.height, header.width, most_pixels)
    png_structure.check(encoded)
    return Described("png", header.height, header.width)


def _gif(encoded: bytes, most_pixels: float) -> Described:
    height, width, colours = gif_structure.check(encoded)
    _check_size(height, width, most_pixels)
    with Image.open(io.BytesIO(encoded), formats=("GIF",)) as image:
        # The pixels of the first frame are numbers of colours, in greys, too.
        largest = image.getextrema()[1]
    if not isinstance(largest, int | float) or largest >= colours:
        raise _broken(f"is a GIF with colour {largest} of {colours}")
    return Described("gif", height, width)


def _bmp(encoded: bytes, most_pixels: float) -> Described:
    if len(encoded) < 32:
        raise _broken("is cut off in its header")
    offset, _, width, height, _, bits = struct.unpack_from("<IIiiHH", encoded, 10)
    height = abs(height)  # below 0: rows from top to bottom
    if width <= 0 or height == 0 or bits not in (8, 24, 32):
        raise _broken(f"is a BMP of {width} x {height} with {bits} bits a pixel")
    _check_size(height, width, most_pixels)
    size = offset + (width * bits // 8 + 3) // 4 * 4 * height
    if size != len(encoded):
        raise _broken(f"is a BMP of {len(encoded)} bytes where {size} are announced")
    return Described("bmp", height, width)


def _webp(encoded: bytes, most_pixels: float) -> Described:
    # The second bit of the flags of the extended format says so; RFC 9649, 2.7.
    if encoded[12:16] == b"VP8X" and encoded[20:21] and encoded[20] & 2:
        raise _broken("is a WebP of several frames")
    return _by_pillow(encoded, "webp", most_pixels)


def _by_pillow(encoded: bytes, name: str, most_pixels: float) -> Described:
    with Image.open(io.BytesIO(encoded), formats=untrusted.FORMATS) as image:
        width, height = image.size
        _check_size(height, width, most_pixels)
        if name == "jpeg":
            _check_scans(encoded, width * height)
        if name == "jpeg" and image.mode in {"RGB", "L"}:
            # An eighth of the size still reads every coefficient, in a third of the time.
            image.draft(image.mode, (max(width // 8, 1), max(height // 8, 1)))
        image.load()
        return Described(name, height, width, image.mode == "CMYK")


def describe(encoded: bytes, most_pixels: float = untrusted.MOST_MEGAPIXELS * 1e6) -> Described:
    """Proves that TensorFlow decodes a picture. Its size is looked at before anything is decoded.

    Pillow may warn of metadata, see `picture_files.pillow_silent`.

    Args:
        encoded: the file.
        most_pixels: that it may have.

    Raises:
        RefusedPicture: it does not, or the picture is too large.
    """
    if not encoded:
        raise RefusedPicture(NO_PICTURE, "is empty")
    try:
        if encoded.startswith(_JPEG):
            return _jpeg(encoded, most_pixels)
        if encoded.startswith(png_structure.SIGNATURE):
            return _png(encoded, most_pixels)
        if encoded.startswith(_BMP):
            return _bmp(encoded, most_pixels)
        if encoded.startswith(_GIF):
            return _gif(encoded, most_pixels)
        if encoded[:4] == b"RIFF" and encoded[8:12] == b"WEBP":
            return _webp(encoded, most_pixels)
    except RefusedPicture:
        raise
    except png_structure.BrokenPng as error:
        raise _broken(f"is a PNG that {error}") from error
    except gif_structure.BrokenGif as error:
        raise _broken(f"is a GIF that {error}") from error
    except UnidentifiedImageError as error:
        # Its text holds an address, another one each time.
        raise _broken(f"is not recognised ({len(encoded)} bytes)") from error
    except Image.DecompressionBombError as error:
        raise RefusedPicture(TOO_LARGE, str(error)) from error
    except DECODE_ERRORS as error:
        said = str(error) or type(error).__name__
        raise _broken(f"{said} ({len(encoded)} bytes)".replace("\n", " ")[:200]) from error
    raise _broken(f"begins with {encoded[:8]!r}: not JPEG, PNG, GIF, BMP or WebP")
