"""Tables and curves of an evaluation: what evaluators know beyond single numbers."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from object_detection.metrics.detection_evaluator import Array, DetectionEvaluator
from object_detection.metrics.keypoint_evaluation import KeypointErrorEvaluator, at_share
from object_detection.metrics.size_evaluation import SizeEvaluator

SIZES, KEYPOINTS = "sizes", "keypoints"
PRECISION_RECALL, KEYPOINT_ERRORS = "precision_recall", "keypoint_errors"

# Points of an error curve that are kept; more than a picture shows.
_MOST_POINTS = 1000


class Sheet(NamedTuple):
    """A table with named columns; a curve is one, too, point by point."""

    name: str  # one of the above, and the stem of its files
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]  # text or numbers; NaN for what there is not
    is_curve: bool = False  # many rows, for a plot; the first column says which curve

    def records(self) -> list[dict[str, Any]]:
        """The rows by the names of the columns, as JSON has them: None for NaN."""
        return [
            {
                name: None if isinstance(value, float) and np.isnan(value) else value
                for name, value in zip(self.columns, row, strict=True)
            }
            for row in self.rows
        ]

    def curves(self) -> dict[str, Array]:
        """Name of a curve -> its other columns, [columns, points]."""
        points: dict[str, list[tuple[Any, ...]]] = {}
        for name, *values in self.rows:
            points.setdefault(name, []).append(tuple(values))
        return {name: np.array(values, np.float64).T for name, values in points.items()}


def collect(evaluators: Iterable[DetectionEvaluator]) -> list[Sheet]:
    """The sheets of the evaluators that have any; those without a row are left out.

    Args:
        evaluators: with all pictures added.
    """
    sizes = keypoints = None
    for evaluator in evaluators:
        if isinstance(evaluator, SizeEvaluator):
            sizes = evaluator
        elif isinstance(evaluator, KeypointErrorEvaluator):
            keypoints = evaluator
    sheets = []
    if sizes is not None:
        sheets += [_size_sheet(sizes, keypoints), _precision_recall_sheet(sizes)]
    if keypoints is not None:
        sheets += [_keypoint_sheet(keypoints), _error_sheet(keypoints)]
    return [sheet for sheet in sheets if sheet.rows]


def _size_sheet(sizes: SizeEvaluator, keypoints: KeypointErrorEvaluator | None) -> Sheet:
    rows: list[tuple[Any, ...]] = [
        (row.name, row.objects, _known(row.average_precision), _known(row.recall))
        for row in sizes.rows()
    ]
    columns: tuple[str, ...] = ("width", "objects", "AP@.50", "recall@.50")
    if keypoints is not None:
        errors = keypoints.errors_by_width(sizes.width_edges)
        rows = [(*row, error, count) for row, (count, error) in zip(rows, errors, strict=True)]
        columns += ("NME", "NME of")
    return Sheet(SIZES, "Objects by width, pixels of the network's input", columns, rows)


def _known(value: float) -> float:
    """COCO's -1 stands for "nothing to find"."""
    return float("nan") if value == -1 else value


def _precision_recall_sheet(sizes: SizeEvaluator) -> Sheet:
    rows = [
        (name, float(recall), float(precision), float(score))
        for name, curve in sizes.curves().items()
        for recall, precision, score in zip(*curve, strict=True)
    ]
    columns = ("width", "recall", "precision", "score")
    return Sheet(PRECISION_RECALL, "Precision and recall at IoU 0.5", columns, rows, is_curve=True)


def _keypoint_sheet(keypoints: KeypointErrorEvaluator) -> Sheet:
    shares = [f"PCK{at_share(threshold)}" for threshold in keypoints.pck_thresholds]
    rows: list[tuple[Any, ...]] = [
        (row.name, row.labelled, row.error, *row.correct) for row in keypoints.keypoint_rows()
    ]
    columns = ("keypoint", "labelled", "error", *shares)
    return Sheet(KEYPOINTS, "Each keypoint, of objects that were found", columns, rows)


def _error_sheet(keypoints: KeypointErrorEvaluator) -> Sheet:
    rows: list[tuple[Any, ...]] = []
    for name, (errors, shares) in keypoints.error_curves().items():
        kept = _thinned(len(errors))
        rows += [(name, float(errors[i]), float(shares[i])) for i in kept]
    columns = ("size", "error", "share")
    return Sheet(KEYPOINT_ERRORS, "Objects with at most this error", columns, rows, is_curve=True)


def _thinned(count: int) -> Sequence[int]:
    """Numbers of points to keep, evenly spread, the first and the last among them."""
    if count <= _MOST_POINTS:
        return range(count)
    return [int(i) for i in np.linspace(0, count - 1, _MOST_POINTS).round()]
