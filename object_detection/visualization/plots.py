"""Plots of numbers as summaries for TensorBoard, drawn with Pillow."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from PIL import Image, ImageDraw, ImageFont

Array = np.ndarray[Any, Any]

_WIDTH, _HEIGHT = 640, 480
# Room for the numbers at the axes, in pixels: left, top, right, bottom.
_MARGINS = (70, 20, 20, 50)
_INK, _LINE = "black", "SteelBlue"


class _Plot:
    """A white sheet with two axes."""

    def __init__(self, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        self._ranges = [_widened(*x_range), _widened(*y_range)]
        self._image = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
        self.draw = ImageDraw.Draw(self._image)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixel (x, y) of a point."""
        left, top, right, bottom = _MARGINS
        (x_min, x_max), (y_min, y_max) = self._ranges
        return (
            left + (x - x_min) / (x_max - x_min) * (_WIDTH - left - right),
            _HEIGHT - bottom - (y - y_min) / (y_max - y_min) * (_HEIGHT - top - bottom),
        )

    def finish(self, x_label: str, y_label: str) -> Array:
        """Adds axes and their numbers -> [1, H, W, 3] uint8."""
        font = ImageFont.load_default()
        (x_min, x_max), (y_min, y_max) = self._ranges
        self.draw.line([self.at(x_min, y_max), self.at(x_min, y_min), self.at(x_max, y_min)], _INK)
        for value in np.linspace(x_min, x_max, 6):
            x, y = self.at(value, y_min)
            self.draw.line((x, y, x, y + 4), _INK)
            self.draw.text((x, y + 6), f"{value:.3g}", _INK, font=font, anchor="mt")
        for value in np.linspace(y_min, y_max, 6):
            x, y = self.at(x_min, value)
            self.draw.line((x - 4, y, x, y), _INK)
            self.draw.text((x - 6, y), f"{value:.3g}", _INK, font=font, anchor="rm")
        self.draw.text((_WIDTH / 2, _HEIGHT - 8), x_label, _INK, font=font, anchor="mb")
        self.draw.text((8, 4), y_label, _INK, font=font, anchor="lt")
        return np.array(self._image)[np.newaxis]


def _widened(low: float, high: float) -> tuple[float, float]:
    """A range that one can divide by."""
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def cdf_plot(values: Array) -> Array:
    """How much of the sum of all values the smallest of them make up.

    Args:
        values: [N].

    Returns:
        [1, H, W, 3] uint8.
    """
    ordered = np.sort(np.asarray(values, np.float64).reshape(-1))
    total = ordered.sum()
    shares = np.cumsum(ordered) / (total if total else 1.0)
    fractions = np.arange(1, len(shares) + 1) / max(len(shares), 1)
    plot = _Plot((0.0, 1.0), (min(0.0, *shares, 0.0), max(1.0, *shares, 1.0)))
    points = [
        plot.at(x, y)
        for x, y in zip([0.0, *fractions], [0.0, *shares], strict=True)
        if np.isfinite(y)
    ]
    plot.draw.line(points, _LINE, width=2)
    return plot.finish("fraction of examples", "cumulative share of the sum")


def histogram_plot(values: Array, bins: Array) -> Array:
    """How many values lie in each bin.

    Args:
        values: [N].
        bins: [n + 1] ascending edges.

    Returns:
        [1, H, W, 3] uint8.
    """
    edges = np.asarray(bins, np.float64).reshape(-1)
    counts, _ = np.histogram(np.asarray(values, np.float64).reshape(-1), edges)
    plot = _Plot((edges[0], edges[-1]), (0.0, float(max(counts.max(initial=0), 1))))
    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
        if count:
            left, top = plot.at(low, count)
            right, bottom = plot.at(high, 0.0)
            plot.draw.rectangle((left, top, max(right, left), bottom), fill=_LINE)
    return plot.finish("value", "number of examples")


def _add_summary(name: str, plot: Callable[[Array], Array], values: Any) -> None:
    picture = tf.py_func(plot, [tf.cast(values, tf.float32)], tf.uint8)
    picture.set_shape([1, _HEIGHT, _WIDTH, 3])
    tf.summary.image(name, picture)


def add_cdf_image_summary(values: tf.Tensor, name: str) -> None:
    """Adds a plot of the cumulative distribution to the summaries of the graph.

    Args:
        values: [N].
        name: of the summary.
    """
    _add_summary(name, cdf_plot, values)


def add_hist_image_summary(values: tf.Tensor, bins: Sequence[float], name: str) -> None:
    """Adds a plot of a histogram to the summaries of the graph.

    Args:
        values: [N].
        bins: ascending edges.
        name: of the summary.
    """
    edges = np.asarray(bins, np.float64)
    _add_summary(name, lambda numbers: histogram_plot(numbers, edges), values)
