"""Lays masks, numbers and heat maps over pictures.

Axes:  H x W pixels, C channels of a heat map.
"""

from typing import Any

import numpy as np
from PIL import Image

from object_detection.errors import DataError, ShapeError
from object_detection.visualization import colors

Array = np.ndarray[Any, Any]


def _check(image: Array, name: str, layer: Array) -> None:
    if image.dtype != np.uint8:
        raise ShapeError(f"image should be uint8, got {image.dtype}.")
    if image.shape[:2] != layer.shape:
        raise ShapeError(
            f"{name} should have the size of the image, {list(image.shape[:2])}, got "
            f"{list(layer.shape)}."
        )


def _check_mask(image: Array, mask: Array) -> None:
    if mask.dtype != np.uint8:
        raise ShapeError(f"mask should be uint8, got {mask.dtype}.")
    _check(image, "mask", mask)


def _blend(image: Array, paint: Array, opacity: Array) -> None:
    """Mixes `paint` into a picture, in place.

    Args:
        image: [H, W, 3] uint8.
        paint: [H, W, 3] or [3], 0 to 255.
        opacity: [H, W] or a number, 0 to 1; eight bits of it count, as in Pillow's pictures.
    """
    share = np.floor(255.0 * np.asarray(opacity, np.float64))[..., np.newaxis] / 255.0
    mixed = share * paint + (1.0 - share) * image[..., :3]
    image[..., :3] = np.floor(mixed + 0.5).astype(np.uint8)


def draw_mask_on_image_array(
    image: Array, mask: Array, color: str = "red", alpha: float = 0.4
) -> None:
    """Covers the inside of a mask.

    Args:
        image: [H, W, 3] uint8, changed in place.
        mask: [H, W] uint8; above 0 is inside.
        color: name or `#rrggbb`.
        alpha: how much of the colour, 0 to 1.

    Raises:
        ShapeError: another type, or sizes differ.
    """
    _check_mask(image, mask)
    _blend(image, np.array(colors.rgb(color)), alpha * (mask > 0))


def draw_part_mask_on_image_array(
    image: Array, mask: Array, alpha: float = 0.4, num_parts: int = 24
) -> None:
    """Covers each part of a mask with a colour of its own.

    Args:
        image: [H, W, 3] uint8, changed in place.
        mask: [H, W] uint8; 0 is outside, part i has i, and the i-th standard colour.
        alpha: how much of the colour, 0 to 1.
        num_parts: how many parts there are.

    Raises:
        DataError: the mask has a part beyond `num_parts`.
        ShapeError: another type, or sizes differ.
    """
    _check_mask(image, mask)
    if mask.max(initial=0) > num_parts:
        raise DataError(f"mask has part {mask.max()}, but num_parts is {num_parts}.")
    paints = [(0, 0, 0)] + [colors.rgb(colors.of_class(part)) for part in range(num_parts)]
    _blend(image, np.array(paints)[mask], alpha * (mask > 0))


def draw_float_channel_on_image_array(
    image: Array, channel: Array, mask: Array, alpha: float = 0.9, cmap: str = "YlGn"
) -> None:
    """Covers the inside of a mask with colours that stand for numbers.

    Args:
        image: [H, W, 3] uint8, changed in place.
        channel: [H, W] float, 0 to 1.
        mask: [H, W] uint8; above 0 is inside.
        alpha: how much of the colour, 0 to 1.
        cmap: see `colors.scale`.

    Raises:
        DataError: numbers outside 0 to 1.
        ShapeError: another type, or sizes differ.
    """
    if not np.issubdtype(channel.dtype, np.floating):
        raise ShapeError(f"channel should be of floats, got {channel.dtype}.")
    _check_mask(image, mask)
    _check(image, "channel", channel)
    if not ((channel >= 0.0) & (channel <= 1.0)).all():
        raise DataError(
            f"channel should lie in [0, 1], it goes from {channel.min()} to {channel.max()}."
        )
    _blend(image, colors.scale(cmap)(channel), alpha * (mask > 0))


def draw_heatmaps_on_image(image: Image.Image, heatmaps: Array) -> None:
    """Lays heat maps over a picture, each in the standard colour of its number.

    Args:
        image: changed in place.
        heatmaps: [H, W, C], 0 to 1; what is outside is cut.

    Raises:
        ShapeError: the size is not that of the picture.
    """
    width, height = image.size
    if heatmaps.ndim != 3 or heatmaps.shape[:2] != (height, width):
        raise ShapeError(
            f"heatmaps should be [{height}, {width}, channels], got {list(heatmaps.shape)}."
        )
    canvas = np.array(image.convert("RGB"))
    for channel, heat in enumerate(np.moveaxis(np.clip(heatmaps, 0.0, 1.0), -1, 0)):
        _blend(canvas, np.array(colors.rgb(colors.of_class(channel))), heat)
    image.paste(Image.fromarray(canvas))


def draw_heatmaps_on_image_array(image: Array, heatmaps: Array) -> Array:
    """As `draw_heatmaps_on_image`, on arrays; `image` stays as it is.

    Args:
        image: [H, W, 3].
        heatmaps: [H, W, C], 0 to 1.

    Returns:
        [H, W, 3] uint8.
    """
    canvas = Image.fromarray(np.asarray(image).astype(np.uint8)).convert("RGB")
    draw_heatmaps_on_image(canvas, np.asarray(heatmaps))
    return np.array(canvas)
