"""Precision, recall and what is computed from them; in numpy.

Axes: D detections over all pictures, C classes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from object_detection.errors import DataError, ShapeError

Array = npt.NDArray[Any]


def compute_precision_recall(
    scores: Array, labels: Array, num_gt: float
) -> tuple[Array | None, Array | None]:
    """Precision and recall when the best 1, 2, ... D detections count.

    Args:
        scores: [D].
        labels: [D] booleans: whether the detection is right; or floats: how much it counts as
            right, and what is not above 0 is a false positive.
        num_gt: how much there is to find.

    Returns:
        Precision and recall, [D] each, by falling score; None twice if there is nothing to find.

    Raises:
        ShapeError: scores and labels are not arrays of one axis and length.
        DataError: labels of another type, or more found than there is.
    """
    given: dict[str, Any] = {"labels": labels, "scores": scores}
    for name, value in given.items():
        if not isinstance(value, np.ndarray) or value.ndim != 1:
            raise ShapeError(f"{name} should be a numpy array [D], got {_describe(value)}.")
    if labels.dtype.kind not in "bf":
        raise DataError(f"labels are {labels.dtype}; they should be booleans or floats.")
    # Weights such as 0.1 do not add up exactly.
    if np.sum(labels) > num_gt * (1 + 1e-9):
        raise DataError(f"{np.sum(labels)} true positives, but only {num_gt} are to be found.")
    if len(scores) != len(labels):
        raise ShapeError(f"There are {len(scores)} scores, but {len(labels)} labels.")
    if num_gt == 0:
        return None, None
    right = labels[np.argsort(scores, kind="stable")[::-1]].astype(np.float64)
    found = np.cumsum(right)
    return found / (found + np.cumsum(right <= 0)), np.minimum(found / num_gt, 1.0)


def compute_average_precision(precision: Array | None, recall: Array | None) -> float:
    """Area under the curve of precision over recall, made falling first (PASCAL VOC 2010, 3.4.1).

    Args:
        precision: [D] in [0, 1]; or None.
        recall: [D] in [0, 1], rising; None with `precision`.

    Returns:
        In [0, 1]; 0 if D is 0; NaN for None.

    Raises:
        ShapeError: the two are not float arrays of one length.
        DataError: a value outside [0, 1], or a recall that falls.
    """
    if precision is None:
        if recall is not None:
            raise DataError("precision is None, but recall is not; give both or neither.")
        return float("nan")
    given: dict[str, Any] = {"precision": precision, "recall": recall}
    for name, value in given.items():
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            raise ShapeError(f"{name} should be a numpy array of floats, got {_describe(value)}.")
    curve, steps = np.asarray(precision), np.asarray(recall)
    if len(curve) != len(steps):
        raise ShapeError(f"{len(curve)} values of precision, but {len(steps)} of recall.")
    if not curve.size:
        return 0.0
    for name, value in (("precision", curve), ("recall", steps)):
        if value.min() < 0 or value.max() > 1:
            raise DataError(f"{name} reaches from {value.min()} to {value.max()}, not in [0, 1].")
    if (np.diff(steps) < 0).any():
        raise DataError("recall falls; sort both by recall.")
    best_from_here = np.maximum.accumulate(curve[::-1])[::-1]
    return float(np.sum(np.diff(steps, prepend=0.0) * best_from_here))


def compute_cor_loc(
    num_gt_imgs_per_class: Array, num_images_correctly_detected_per_class: Array
) -> Array:
    """Share of the pictures with a class in which its best detection is right (CorLoc).

    Args:
        num_gt_imgs_per_class: [C], pictures with the class.
        num_images_correctly_detected_per_class: [C], those where it was found.

    Returns:
        [C] floats; NaN for a class without pictures.
    """
    pictures = np.asarray(num_gt_imgs_per_class)
    found = np.asarray(num_images_correctly_detected_per_class)
    nothing = np.full(np.broadcast_shapes(pictures.shape, found.shape), np.nan)
    return np.divide(found, pictures, out=nothing, where=pictures != 0)


def compute_median_rank_at_k(tp_fp_list: Sequence[Array], k: int) -> float:
    """Median rank, from 0, of the right ones among the best `k` detections of each picture.

    Args:
        tp_fp_list: for each picture [D], by falling score; above 0 or True is right.
        k: how many of each picture count.

    Returns:
        NaN if none is right.
    """
    ranks = [np.flatnonzero(np.asarray(one)[:k] > 0) for one in tp_fp_list]
    together = np.concatenate(ranks) if ranks else np.array([])
    return float(np.median(together)) if together.size else float("nan")


def compute_recall_at_k(tp_fp_list: Sequence[Array], num_gt: float, k: int) -> float:
    """Share of what there is to find that the best `k` detections of each picture find.

    Args:
        tp_fp_list: for each picture [D], by falling score; how much each counts as right.
        num_gt: how much there is to find.
        k: how many of each picture count.

    Returns:
        NaN if there is nothing to find.
    """
    found = sum(float(np.sum(np.asarray(one)[:k])) for one in tp_fp_list)
    return found / num_gt if num_gt else float("nan")


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{list(value.shape)} {value.dtype}"
    return type(value).__name__
