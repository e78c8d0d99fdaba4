"""What comes from strangers: paths in their files, pictures, JSON. Needs no TensorFlow.

docs/security.md says what is trusted and which limits hold.
"""

import contextlib
import errno
import io
import json
import os
import stat
from collections.abc import Iterator
from typing import Any

from PIL import Image

from object_detection.errors import DataError, PictureError

MOST_MEGAPIXELS = 100
"""Pixels of a picture, told by its header; more are refused before anything is decoded."""
MOST_PICTURE_BYTES = 512 << 20
MOST_JSON_BYTES = 2 << 30
MOST_XML_BYTES = 16 << 20

# Formats whose decoders are part of Pillow; others (EPS, say) may start programs.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")


def is_below(name: str) -> bool:
    """Whether a path in a stranger's file is relative, and stays in the folder it starts from."""
    normal = os.path.normpath(name)
    return (
        bool(name)
        and "\0" not in name
        and not os.path.isabs(normal)
        and not os.path.splitdrive(normal)[0]
        and normal.split(os.sep)[0] not in ("..", ".")
    )


def path_below(folder: str, name: str) -> str:
    """Where `name`, found in a stranger's file, lies below `folder`.

    Symbolic links inside the folder are followed: they are its owner's.

    Args:
        folder: that the user named.
        name: relative path.

    Raises:
        PictureError: (`path_outside`) it is absolute, leads out of the folder, or is no path.
    """
    if not is_below(name):
        raise PictureError(
            f"{shortened(name)!r} is not below {folder}; paths in data may not lead out of the "
            "folder that the command line names.",
            "path_outside",
        )
    # Without a "..", which would start from where a link leads to.
    plain = os.path.normpath(name) if ".." in name.split(os.sep) else name
    return os.path.join(folder, plain)


def shortened(text: str, most: int = 60) -> str:
    """The text, or its beginning: what strangers write should not flood a console."""
    return text if len(text) <= most else f"{text[:most]}..."


def read_bytes(path: str, most: int) -> bytes:
    """The content of a regular file.

    Args:
        path: of the file.
        most: bytes it may have.

    Raises:
        PictureError: (`too_large`) it has more.
        OSError: it is absent, no regular file, or cannot be read.
    """
    # A pipe would be waited for, and a device may never end.
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "Is no regular file", path)
    if found.st_size > most:
        raise PictureError(
            f"{path}: has {found.st_size / 1e6:.0f} MB, at most {most / 1e6:.0f} are read.",
            "too_large",
        )
    with open(path, "rb") as file:
        return file.read()


def check_pixels(height: int, width: int, where: str = "") -> None:
    """Raises `PictureError` (`too_large`) for a picture of more than `MOST_MEGAPIXELS`.

    Args:
        height: told by the header.
        width: likewise.
        where: the file, for the message.
    """
    if height * width > MOST_MEGAPIXELS * 1_000_000:
        raise PictureError(
            f"{where}{': ' if where else ''}{width} x {height} are "
            f"{height * width / 1e6:.0f} megapixels, at most {MOST_MEGAPIXELS} are read.",
            "too_large",
        )


@contextlib.contextmanager
def opened_picture(encoded: bytes) -> Iterator[Image.Image]:
    """A picture whose header was read and whose size is allowed; Pillow may warn of the size.

    Raises:
        PictureError: (`too_large`) see `check_pixels`.
        OSError: (or another of Pillow's errors) it is no picture, or of a format not in `FORMATS`.
    """
    try:
        image = Image.open(io.BytesIO(encoded), formats=FORMATS)
    except Image.DecompressionBombError as error:
        # Pillow's own limit, from where on it does not tell the size.
        found = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        raise PictureError(
            f"more than {found:.0f} megapixels, at most {MOST_MEGAPIXELS} are read.", "too_large"
        ) from error
    with image:
        check_pixels(image.height, image.width)
        yield image


def read_json(path: str, most: int = MOST_JSON_BYTES) -> Any:
    """The content of a JSON file.

    Args:
        path: of the file.
        most: bytes it may have.

    Raises:
        DataError: it is absent, too large, no JSON, or nested without measure.
    """
    try:
        return json.loads(read_bytes(path, most))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    except RecursionError as error:
        raise DataError(f"{path}: is nested too deeply for JSON of data.") from error
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: is not JSON ({error}). Download it again.") from error
