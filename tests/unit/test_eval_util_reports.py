"""Tables and curves: as sheets, on the console, as files and as plots."""

import csv
import io
import math
import sys

import numpy as np
import pytest
from PIL import Image

from object_detection import eval_util
from object_detection.eval_util import report_files, sheets
from object_detection.eval_util.sheets import Sheet
from object_detection.metrics.keypoint_evaluation import KeypointErrorEvaluator
from object_detection.metrics.size_evaluation import SizeEvaluator
from object_detection.visualization import curve_plots
from object_detection.visualization.curve_plots import Axis

NAN = float("nan")
CATEGORIES = [{"id": 1, "name": "face"}]


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param(
            {"alone": 0.5, "Losses/a": 1.25, "DetectionBoxes_Precision/mAP": -1.0},
            [
                "DetectionBoxes_Precision",
                "  mAP                       -",
                "",
                "Others",
                "  alone   0.5000",
                "",
                "Losses",
                "  a       1.2500",
            ],
            id="groups in order, losses last",
        ),
        pytest.param(
            {"K/NME (wide)": NAN, "K/NME": 0.25, "K/n": 1347.0, "K/none": 0.0},
            [
                "K          all  wide",
                "  NME   0.2500     -",
                "  n       1347     -",
                "  none  0.0000     -",
            ],
            id="restrictions are columns",
        ),
        pytest.param(
            {"A_ByCategory/mAP/dog": 0.5, "A_ByCategory/mAP (small)/dog": 0.25},
            [
                "A_ByCategory",
                "  mAP/dog          0.5000",
                "  mAP (small)/dog  0.2500",
            ],
            id="further parts of a name stay",
        ),
    ],
)
def test_console_table_of_metrics(metrics, expected):
    assert eval_util.results_table(metrics) == expected


SIZES = Sheet(
    sheets.SIZES,
    "By width",
    ("width", "objects", "AP@.50", "recall@.50", "NME", "NME of"),
    [("< 8", 100, 0.25, 0.5, NAN, 0), (">= 8", 7, 1.0, 1.0, 0.05, 6)],
)
CURVE = Sheet(
    sheets.PRECISION_RECALL,
    "Curve",
    ("width", "recall", "precision", "score"),
    [("all", 0.0, 1.0, 0.9), ("all", 1.0, 0.5, 0.1), ("< 8", 0.0, 0.25, 0.8)],
    is_curve=True,
)


def test_sheets_stand_in_place_of_their_metrics():
    metrics = {"Keypoints/NME": 0.5, "BySize/AP@.50 (< 8 px)": 0.25, "Losses/a": 1.0}
    assert eval_util.results_table(metrics, [SIZES, CURVE]) == [
        "By width",
        "  width    objects  AP@.50  recall@.50     NME  NME of",
        "  < 8          100  0.2500      0.5000       -       0",
        "  >= 8           7  1.0000      1.0000  0.0500       6",
        "",
        "Keypoints",
        "  NME        0.5000",
        "",
        "Losses",
        "  a       1.0000",
    ]
    assert len(eval_util.results_table(metrics, [CURVE])) == 8


def test_records_and_curves():
    assert SIZES.records()[0]["NME"] is None
    assert SIZES.records()[1]["objects"] == 7
    curves = CURVE.curves()
    assert list(curves) == ["all", "< 8"]
    assert curves["all"].tolist() == [[0.0, 1.0], [1.0, 0.5], [0.9, 0.1]]


def test_evaluators_without_pictures_have_only_empty_tables():
    evaluators = [KeypointErrorEvaluator(CATEGORIES), SizeEvaluator(CATEGORIES)]
    found = {sheet.name: sheet for sheet in eval_util.collect_sheets(evaluators)}
    assert list(found) == [sheets.SIZES]
    assert all(row[1] == row[5] == 0 for row in found[sheets.SIZES].rows)
    assert eval_util.collect_sheets([]) == []


def test_curves_are_thinned_with_their_ends():
    kept = sheets._thinned(39_000)
    assert (kept[0], kept[-1], len(kept)) == (0, 38_999, 1000)
    assert list(sheets._thinned(3)) == [0, 1, 2]


def test_csv_is_for_any_spreadsheet(tmp_path, monkeypatch):
    monkeypatch.setattr(curve_plots, "available", lambda: False)
    paths = eval_util.write_sheets([SIZES], 3, str(tmp_path))
    assert paths == [str(tmp_path / "report" / "sizes.csv")]
    with open(paths[0], encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        list(SIZES.columns),
        ["< 8", "100", "0.25", "0.5", "", "0"],
        [">= 8", "7", "1", "1", "0.05", "6"],
    ]


def test_files_of_an_earlier_evaluation_do_not_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(curve_plots, "available", lambda: False)
    folder = tmp_path / "report"
    folder.mkdir()
    for name in ("keypoint_errors.csv", "sizes.png", "notes.txt"):
        (folder / name).write_text("old")
    eval_util.write_sheets([SIZES], 3, str(tmp_path))
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "sizes.csv"]


def test_a_matplotlib_that_cannot_be_imported_is_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert not curve_plots.available()


def _ink(png, near, tolerance=30):
    """Which pixels of a picture have nearly a colour: [H, W]."""
    with Image.open(io.BytesIO(png)) as image:
        pixels = np.array(image.convert("RGB")).astype(int)
    return (np.abs(pixels - np.array(near)).max(axis=-1) <= tolerance).astype(int)


_BLUE = (31, 119, 180)


@pytest.fixture(scope="module")
def _matplotlib():
    pytest.importorskip("matplotlib")


@pytest.mark.usefixtures("_matplotlib")
def test_heights_of_bars_are_the_values():
    png = curve_plots.bar_plot("t", ["a", "b", "c"], {"y": {"s": [1.0, 0.5, NAN]}}, "x")
    columns = _ink(png, _BLUE).sum(axis=0)
    # Three places, of which the last is empty; heights 2 to 1.
    heights = sorted({int(height) for height in columns if height > 20})
    assert heights[-1] == pytest.approx(2 * heights[0], abs=4)
    assert columns[len(columns) * 3 // 4 :].max() == 0


@pytest.mark.usefixtures("_matplotlib")
def test_lengths_of_rows_are_the_values():
    png = curve_plots.row_plot("t", ["a", "b", "c"], [0.25, NAN, 0.5], "x")
    rows = _ink(png, _BLUE).sum(axis=1)
    lengths = [int(length) for length in rows if length > 20]
    assert lengths[-1] == pytest.approx(2 * lengths[0], abs=4)


@pytest.mark.usefixtures("_matplotlib")
def test_curves_go_where_the_numbers_say():
    line = np.array([0.0, 1.0])
    png = curve_plots.curve_plot(
        "t",
        {"flat": (line, np.array([0.5, 0.5])), "falling": (line, np.array([1.0, 0.0]))},
        Axis("x", 0, 1),
        Axis("y", 0, 1),
        mark=0.25,
    )
    # It falls: far left it is high up, far right low down, where the legend is not.
    ys, xs = np.nonzero(_ink(png, _BLUE))
    left, right = np.quantile(xs, [0.2, 0.8])
    assert ys[xs < left].mean() + 150 < ys[xs > right].max()
    assert np.ptp(xs) > 500


@pytest.mark.usefixtures("_matplotlib")
@pytest.mark.parametrize(
    "sheet",
    [
        SIZES,
        CURVE,
        Sheet(sheets.SIZES, "t", SIZES.columns[:4], [("< 8", 0, NAN, NAN)]),
        Sheet(sheets.KEYPOINTS, "t", ("keypoint", "labelled", "error"), [("a", 0, NAN)]),
        Sheet(sheets.KEYPOINTS, "t", ("keypoint", "labelled", "error"), [("a", 1, 0.5)] * 98),
        Sheet(sheets.KEYPOINT_ERRORS, "t", ("size", "error", "share"), [("box size", 0.9, 1.0)]),
    ],
    ids=["sizes", "curve", "nothing to find", "no keypoint", "98 keypoints", "one error"],
)
def test_every_sheet_can_be_plotted(sheet):
    with Image.open(io.BytesIO(report_files.plot(sheet))) as image:
        assert image.width > 400
        assert image.height > 200
        assert math.prod(image.size) < 3e6
