"""Pictures as files and as bytes."""

import io
from typing import Any

import numpy as np
from PIL import Image

from object_detection.errors import ShapeError
from object_detection.utils import files

Array = np.ndarray[Any, Any]


def _picture(image: Array) -> Image.Image:
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (3, 4)):
        raise ShapeError(
            f"image should be [height, width, channels], with 1, 3 or 4 channels, got "
            f"{list(image.shape)}."
        )
    return Image.fromarray(image.astype(np.uint8)).convert("RGB")


def save_image(image: Array, path: str) -> None:
    """Writes a picture [H, W, 3] uint8; the name's end says the format. It appears whole or not."""
    picture = _picture(image)
    with files.appearing_whole(path) as temporary:
        picture.save(temporary, quality=90)


def save_image_array_as_png(image: Array, output_path: str) -> None:
    """Writes a picture as PNG, whatever the name's end.

    Args:
        image: [H, W, 3], values up to 255.
        output_path: of the file; it appears whole or not.
    """
    content = encode_image_array_as_png_str(image)
    with files.appearing_whole(output_path) as temporary, open(temporary, "wb") as file:
        file.write(content)


def encode_image_array_as_png_str(image: Array) -> bytes:
    """A picture [H, W, 3], values up to 255, as PNG."""
    output = io.BytesIO()
    _picture(image).save(output, format="PNG")
    return output.getvalue()
