"""Picture files as arrays, without TensorFlow."""

import pathlib
import struct
import warnings
import zlib
from typing import Any

import numpy as np
from PIL import UnidentifiedImageError

from object_detection.errors import DataError
from object_detection.utils import untrusted


def read_rgb(path: str | pathlib.Path) -> np.ndarray[Any, Any]:
    """[H, W, 3] uint8, as stored; first frame of an animation.

    Raises:
        DataError: the file is not a picture, is damaged, or has more pixels than are read.
    """
    try:
        encoded = untrusted.read_bytes(str(path), untrusted.MOST_PICTURE_BYTES)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with untrusted.opened_picture(encoded) as image:
                return np.array(image.convert("RGB"))
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: is no picture of a known format.") from error
    except (OSError, ValueError, SyntaxError, IndexError, struct.error, zlib.error) as error:
        raise DataError(f"{path}: cannot be read as a picture ({error}).") from error
