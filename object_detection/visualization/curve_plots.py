"""Plots of curves and bars as PNG, drawn with Matplotlib, which is optional.

Only figures of one's own are used, never `pyplot`: nothing of the process changes, and no screen
is needed.
"""

import importlib
import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

HOW_TO_GET_PLOTS = "for plots as pictures: pip install object_detection[plots], or matplotlib"

_DPI = 110


class Axis(NamedTuple):
    """What an axis shows, and from where to where; None leaves an end to the data."""

    label: str
    low: float | None = None
    high: float | None = None


def available() -> bool:
    """Whether Matplotlib is installed, and can be imported."""
    try:
        importlib.import_module("matplotlib.figure")
    except ImportError:
        return False
    return True


def _figure(width: float, height: float, panels: int = 1) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(visible=True, color="#e5e5e5", linewidth=0.8)
        one.set_axisbelow(True)
    return figure, list(axes)


def _png(figure: Any) -> bytes:
    output = io.BytesIO()
    figure.savefig(output, format="png")
    return output.getvalue()


def curve_plot(
    title: str,
    curves: Mapping[str, tuple[Array, Array]],
    x_axis: Axis,
    y_axis: Axis,
    *,
    steps: bool = False,
    mark: float | None = None,
) -> bytes:
    """Curves in one frame.

    Args:
        title: above them.
        curves: name -> x [N], y [N]; the first is drawn thick.
        x_axis: label and range.
        y_axis: label and range.
        steps: a value holds until the next, instead of a line between them.
        mark: x of an upright line; None for none.

    Returns:
        PNG.
    """
    figure, (axes,) = _figure(6.4, 4.4)
    for number, (name, (x, y)) in enumerate(curves.items()):
        axes.plot(
            x,
            y,
            label=name,
            linewidth=2.2 if number == 0 else 1.3,
            color="black" if number == 0 else None,
            drawstyle="steps-post" if steps else "default",
        )
    if mark is not None:
        axes.axvline(mark, color="#888888", linewidth=0.9, linestyle=":")
    axes.set_xlim(x_axis.low, x_axis.high)
    axes.set_ylim(y_axis.low, y_axis.high)
    axes.set(title=title, xlabel=x_axis.label, ylabel=y_axis.label)
    axes.legend(frameon=False)
    return _png(figure)


def bar_plot(
    title: str,
    names: Sequence[str],
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    x_label: str,
) -> bytes:
    """Panels side by side, each with one or more bars for each name and its value above it.

    Args:
        title: above them.
        names: [N], along the x axis.
        panels: label of the y axis -> name of a series -> [N] values; NaN leaves a bar out.
        x_label: below.

    Returns:
        PNG.
    """
    figure, axes = _figure(5.2 * len(panels), 4.4, len(panels))
    figure.suptitle(title)
    for one, (y_label, series) in zip(axes, panels.items(), strict=True):
        width = 0.8 / len(series)
        for number, (name, values) in enumerate(series.items()):
            heights = np.array(values, np.float64)
            places = np.arange(len(names)) + (number - (len(series) - 1) / 2) * width
            there = ~np.isnan(heights)
            bars = one.bar(places[there], heights[there], width * 0.92, label=name)
            texts = [f"{height:.3f}" for height in heights[there]]
            one.bar_label(bars, texts, fontsize=8, padding=2)
        one.set_xticks(np.arange(len(names)), names)
        one.set_xlim(-0.5, len(names) - 0.5)
        one.grid(visible=False, axis="x")
        one.margins(y=0.12)
        one.set(xlabel=x_label, ylabel=y_label)
        if len(series) > 1:
            one.legend(frameon=False)
    return _png(figure)


def row_plot(title: str, names: Sequence[str], values: Sequence[float], x_label: str) -> bytes:
    """A bar for each name, from top to bottom, with its value beside it.

    Args:
        title: above them.
        names: [N].
        values: [N]; NaN leaves a bar out.
        x_label: below.

    Returns:
        PNG; higher for more names.
    """
    figure, (axes,) = _figure(6.4, max(2.4, 1.2 + 0.24 * len(names)))
    lengths = np.array(values, np.float64)
    there = ~np.isnan(lengths)
    bars = axes.barh(np.arange(len(names))[there], lengths[there], 0.7)
    axes.bar_label(bars, [f"{length:.3f}" for length in lengths[there]], fontsize=8, padding=2)
    axes.set_yticks(np.arange(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    axes.set(title=title, xlabel=x_label)
    return _png(figure)
