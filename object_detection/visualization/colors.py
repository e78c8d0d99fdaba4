"""Colours: of classes, of tracks, and a scale for numbers.

The names are those of CSS (www.w3.org/TR/css-color-4/#named-colors), which Pillow knows.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import ImageColor

from object_detection.errors import ConfigError

Array = np.ndarray[Any, Any]

# The CSS colours but the fifteen darkest, in which lines on a picture cannot be seen. The first ones
# are far apart, for sets with few classes.
STANDARD_COLORS = [
    "Chartreuse",
    "LimeGreen",
    "DodgerBlue",
    "Gold",
    "OrangeRed",
    "MediumOrchid",
    "Turquoise",
    "HotPink",
    "YellowGreen",
    "SandyBrown",
    "SlateBlue",
    "Yellow",
    "Crimson",
    "DeepSkyBlue",
    "SpringGreen",
    "Orange",
    "Magenta",
    "Tomato",
    "MediumAquaMarine",
    "Khaki",
    "RoyalBlue",
    "Plum",
    "Olive",
    "Salmon",
    "Cyan",
    "AliceBlue",
    "AntiqueWhite",
    "Aqua",
    "Aquamarine",
    "Azure",
    "Beige",
    "Bisque",
    "BlanchedAlmond",
    "BlueViolet",
    "Brown",
    "BurlyWood",
    "CadetBlue",
    "Chocolate",
    "Coral",
    "CornflowerBlue",
    "Cornsilk",
    "DarkCyan",
    "DarkGoldenRod",
    "DarkGrey",
    "DarkKhaki",
    "DarkOliveGreen",
    "DarkOrange",
    "DarkOrchid",
    "DarkSalmon",
    "DarkSeaGreen",
    "DarkTurquoise",
    "DeepPink",
    "DimGrey",
    "FireBrick",
    "FloralWhite",
    "ForestGreen",
    "Fuchsia",
    "Gainsboro",
    "GhostWhite",
    "GoldenRod",
    "Green",
    "GreenYellow",
    "Grey",
    "HoneyDew",
    "IndianRed",
    "Ivory",
    "Lavender",
    "LavenderBlush",
    "LawnGreen",
    "LemonChiffon",
    "LightBlue",
    "LightCoral",
    "LightCyan",
    "LightGoldenRodYellow",
    "LightGreen",
    "LightGrey",
    "LightPink",
    "LightSalmon",
    "LightSeaGreen",
    "LightSkyBlue",
    "LightSlateGrey",
    "LightSteelBlue",
    "LightYellow",
    "Lime",
    "Linen",
    "MediumPurple",
    "MediumSeaGreen",
    "MediumSlateBlue",
    "MediumSpringGreen",
    "MediumTurquoise",
    "MediumVioletRed",
    "MintCream",
    "MistyRose",
    "Moccasin",
    "NavajoWhite",
    "OldLace",
    "OliveDrab",
    "Orchid",
    "PaleGoldenRod",
    "PaleGreen",
    "PaleTurquoise",
    "PaleVioletRed",
    "PapayaWhip",
    "PeachPuff",
    "Peru",
    "Pink",
    "PowderBlue",
    "RebeccaPurple",
    "Red",
    "RosyBrown",
    "SaddleBrown",
    "SeaGreen",
    "SeaShell",
    "Sienna",
    "Silver",
    "SkyBlue",
    "SlateGrey",
    "Snow",
    "SteelBlue",
    "Tan",
    "Teal",
    "Thistle",
    "Violet",
    "Wheat",
    "White",
    "WhiteSmoke",
]
# Of all boxes where classes do not count.
AGNOSTIC_COLOR = "DarkOrange"
# Colours of keypoints, so that left and right can be told apart at a glance.
KEYPOINT_COLORS = ("Cyan", "Magenta", "Yellow", "DeepSkyBlue", "HotPink", "Lime", "Orange", "Red")

# Yellow to green in nine steps (colorbrewer2.org, YlGn).
_YELLOW_GREEN = (
    "#ffffe5",
    "#f7fcb9",
    "#d9f0a3",
    "#addd8e",
    "#78c679",
    "#41ab5d",
    "#238443",
    "#006837",
    "#004529",
)


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue of a name or `#rrggbb`."""
    red, green, blue = ImageColor.getrgb(color)[:3]
    return red, green, blue


def of_class(class_id: int) -> str:
    """The colour of a class."""
    return STANDARD_COLORS[class_id % len(STANDARD_COLORS)]


def _stride() -> int:
    """A prime near a tenth of the number of colours, that does not divide it.

    Multiples of it run through all colours, and neighbours are not alike.
    """
    count = len(STANDARD_COLORS)
    primes = [prime for prime in (2, 3, 5, 7, 11, 13, 17) if count % prime]
    return min(primes, key=lambda prime: abs(prime - count / 10), default=1)


def of_track(track_id: int) -> str:
    """The colour of a track: tracks with neighbouring ids do not look alike."""
    return STANDARD_COLORS[_stride() * track_id % len(STANDARD_COLORS)]


def readable_on(color: str) -> str:
    """Black, or white where black could not be read (luma of ITU-R BT.601)."""
    red, green, blue = rgb(color)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 60 else "white"


def scale(name: str) -> Callable[[Array], Array]:
    """A function from numbers in [0, 1] to colours [..., 3] uint8.

    Args:
        name: `YlGn`, or any colour map of matplotlib if that is installed.

    Raises:
        ConfigError: the name is not known, or needs matplotlib.
    """
    if name != "YlGn":
        return _matplotlib_scale(name)
    steps = np.array([rgb(color) for color in _YELLOW_GREEN], np.float64)
    # As matplotlib has it: 256 shades between the steps.
    levels = np.linspace(0.0, len(steps) - 1.0, 256)
    shades = np.stack(
        [np.interp(levels, np.arange(len(steps)), steps[:, channel]) for channel in range(3)],
        axis=-1,
    ).astype(np.uint8)
    return lambda values: shades[np.clip(np.asarray(values) * 256, 0, 255).astype(int)]


def _matplotlib_scale(name: str) -> Callable[[Array], Array]:
    try:
        import matplotlib
    except ImportError as error:
        raise ConfigError(
            f"The colour map {name!r} is one of matplotlib: pip install matplotlib, or take 'YlGn'."
        ) from error
    try:
        found = matplotlib.colormaps[name]
    except KeyError as error:
        raise ConfigError(f"matplotlib has no colour map {name!r}.") from error
    return lambda values: np.asarray(found(values, bytes=True))[..., :3]
