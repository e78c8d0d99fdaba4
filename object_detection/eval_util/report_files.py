"""Tables and curves of an evaluation as CSV files, plots and pictures for TensorBoard."""

import contextlib
import csv
import io
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from PIL import Image

from object_detection.eval_util import reports
from object_detection.eval_util.sheets import (
    KEYPOINT_ERRORS,
    KEYPOINTS,
    PRECISION_RECALL,
    SIZES,
    Sheet,
)
from object_detection.utils import files
from object_detection.visualization import curve_plots
from object_detection.visualization.curve_plots import Axis

# Below the directory of an evaluation.
FOLDER = "report"
# An error curve is shown up to here: further off a keypoint tells nothing.
_LARGEST_ERROR = 0.3


def write_sheets(sheets: Iterable[Sheet], global_step: int, eval_dir: str) -> list[str]:
    """Writes `report/<name>.csv` and, with Matplotlib, `report/<name>.png` of each sheet.

    The plots go to TensorBoard as well, as `Plots/<name>`. Files of an earlier evaluation that this
    one does not replace, since it found nothing to show there, are removed.

    Args:
        sheets: of an evaluation.
        global_step: training step that they belong to.
        eval_dir: directory of the evaluation.

    Returns:
        Paths of the files.
    """
    folder = os.path.join(eval_dir, FOLDER)
    with_plots = curve_plots.available()
    paths, pictures = [], []
    for sheet in sheets:
        path = os.path.join(folder, f"{sheet.name}.csv")
        files.write_text(path, _csv(sheet))
        paths.append(path)
        if with_plots:
            png = plot(sheet)
            path = os.path.join(folder, f"{sheet.name}.png")
            with files.appearing_whole(path) as temporary, open(temporary, "wb") as file:
                file.write(png)
            paths.append(path)
            pictures.append(tf.Summary.Value(tag=f"Plots/{sheet.name}", image=_summary(png)))
    if pictures:
        reports.write_summary(pictures, global_step, eval_dir)
    for path in {os.path.join(folder, name) for name in _names()} - set(paths):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
    return paths


def _names() -> list[str]:
    return [f"{stem}.{end}" for stem in _PLOTS for end in ("csv", "png")]


def _csv(sheet: Sheet) -> str:
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(sheet.columns)
    writer.writerows([_value(value) for value in row] for row in sheet.rows)
    return output.getvalue()


def _value(value: Any) -> Any:
    """Empty for NaN; six digits are enough of a share."""
    if not isinstance(value, float):
        return value
    return "" if np.isnan(value) else f"{value:.6g}"


def _summary(png: bytes) -> tf.Summary.Image:
    with Image.open(io.BytesIO(png)) as image:
        width, height = image.size
    return tf.Summary.Image(height=height, width=width, colorspace=4, encoded_image_string=png)


def plot(sheet: Sheet) -> bytes:
    """The PNG of a sheet; needs Matplotlib."""
    return _PLOTS[sheet.name](sheet)


def _precision_recall(sheet: Sheet) -> bytes:
    curves = {
        f"{name}  (AP {precision.mean():.3f})": (recall, precision)
        for name, (recall, precision, _) in sheet.curves().items()
    }
    title = f"{sheet.title}, by width in the network's input"
    return curve_plots.curve_plot(title, curves, Axis("recall", 0, 1), Axis("precision", 0, 1.02))


def _keypoint_errors(sheet: Sheet) -> bytes:
    # The share is 0 below the first error, and stays at 1 above the last.
    curves = {
        f"by {name}": (
            np.r_[0.0, errors, max(errors[-1], _LARGEST_ERROR)],
            np.r_[0.0, shares, shares[-1]],
        )
        for name, (errors, shares) in sheet.curves().items()
    }
    return curve_plots.curve_plot(
        sheet.title,
        curves,
        Axis("mean error of the keypoints, share of the object's size", 0, _LARGEST_ERROR),
        Axis("share of the objects found", 0, 1.02),
        steps=True,
    )


def _sizes(sheet: Sheet) -> bytes:
    columns = dict(zip(sheet.columns, zip(*sheet.rows, strict=True), strict=True))
    names = [
        f"{width}\nn = {count}"
        for width, count in zip(columns["width"], columns["objects"], strict=True)
    ]
    panels = {
        "share": {"AP@.50": columns["AP@.50"], "recall@.50": columns["recall@.50"]},
    }
    if "NME" in columns:
        panels["mean error of the keypoints (NME)"] = {"NME": columns["NME"]}
    return curve_plots.bar_plot(sheet.title, names, panels, "width, pixels")


def _keypoints(sheet: Sheet) -> bytes:
    columns = dict(zip(sheet.columns, zip(*sheet.rows, strict=True), strict=True))
    return curve_plots.row_plot(
        sheet.title, columns["keypoint"], columns["error"], "mean error, share of the object's size"
    )


_PLOTS = {
    PRECISION_RECALL: _precision_recall,
    KEYPOINT_ERRORS: _keypoint_errors,
    SIZES: _sizes,
    KEYPOINTS: _keypoints,
}
