"""Average precision on WIDER FACE validation by its official protocol (arXiv:1511.06523, sec. 4).

Axes:   M faces and D detections of a picture.
Frames: boxes are (x, y, width, height) in pixels of the picture, as in the official files.

Each set (easy, medium, hard) counts some of a picture's faces; the others are ignored: whoever
finds them gains and loses nothing. A detection belongs to the face that it overlaps most, if
IoU >= 0.5, with sides counted in whole pixels (x2 - x1 + 1). Precision and recall are taken at 1000
thresholds of scores that were stretched to [0, 1] over all pictures; AP is the area under their
non-increasing envelope.
"""

import pathlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from object_detection.errors import DataError
from object_detection.metrics import wider_files

Array = np.ndarray[Any, Any]

SETS = ("easy", "medium", "hard")
NUM_THRESHOLDS = 1000
MIN_IOU = 0.5


class Picture(NamedTuple):
    """The truth of one picture."""

    name: str  # event/file, without extension
    boxes: Array  # [M, 4]
    counted: dict[str, Array]  # name of a set -> [M] booleans


def load_ground_truth(folder: str | pathlib.Path) -> list[Picture]:
    """Reads the official files `wider_face_val.mat` and `wider_{easy,medium,hard}_val.mat`.

    Raises:
        DataError: a file is absent or of another form, or SciPy is not installed.
    """
    return [
        Picture(
            name,
            boxes,
            {one: np.isin(np.arange(1, len(boxes) + 1), rows) for one, rows in kept.items()},
        )
        for name, boxes, kept in wider_files.read(folder, SETS)
    ]


def pixel_iou(boxes: Array, others: Array) -> Array:
    """IoU [D, M] of [D, 4] and [M, 4] boxes (x, y, w, h) whose last pixel counts."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    ends, other_ends = boxes[:, :2] + boxes[:, 2:], others[:, :2] + others[:, 2:]
    high = np.minimum(ends[:, None], other_ends[None])
    common = np.prod(np.maximum(high - low + 1.0, 0.0), axis=-1)
    areas, other_areas = np.prod(boxes[:, 2:] + 1.0, axis=1), np.prod(others[:, 2:] + 1.0, axis=1)
    return np.asarray(common / (areas[:, None] + other_areas[None] - common))


def count_hits(iou: Array, counted: Array) -> tuple[Array, Array]:
    """How many faces are found, and how many detections count, after each detection.

    A face that several detections belong to is found once; each of them counts as a proposal.

    Args:
        iou: [D, M], detections in the order of falling scores.
        counted: [M] booleans; faces that are not counted are ignored.

    Returns:
        Faces found [D] and proposals [D], both cumulative.
    """
    best = iou.argmax(axis=1)
    hit = iou.max(axis=1) >= MIN_IOU
    found: set[int] = set()
    recalled = np.zeros(len(iou), np.int64)
    for row, face in enumerate(best):
        if hit[row] and counted[face]:
            found.add(int(face))
        recalled[row] = len(found)
    proposals = np.cumsum(~(hit & ~counted[best]))
    return recalled, proposals


def average_precision(recall: Array, precision: Array) -> float:
    """Area under the non-increasing envelope of precision over recall (PASCAL VOC 2010)."""
    recall = np.concatenate([[0.0], recall, [1.0]])
    precision = np.concatenate([[0.0], precision, [0.0]])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * envelope[1:]))


def evaluate(pictures: Iterable[Picture], detections: Mapping[str, Array]) -> dict[str, float]:
    """AP of each set.

    Args:
        pictures: the truth.
        detections: name of a picture -> [D, 5] detections (x, y, w, h, score), in any order. A
            picture that is absent has none.

    Returns:
        `easy`, `medium`, `hard` -> AP; NaN for a set without faces.

    Raises:
        DataError: detections of a picture that is not in the truth, or of another shape.
    """
    pictures = list(pictures)
    ordered = _by_falling_score(pictures, detections)
    scores = np.concatenate([rows[:, 4] for rows in ordered.values()] or [np.zeros(0)])
    low, high = (scores.min(), scores.max()) if scores.size else (0.0, 1.0)
    thresholds = 1.0 - np.arange(1, NUM_THRESHOLDS + 1) / NUM_THRESHOLDS
    totals = {name: np.zeros([2, NUM_THRESHOLDS]) for name in SETS}
    for picture in pictures:
        rows = ordered.get(picture.name)
        if rows is None or not len(rows) or not len(picture.boxes):
            continue
        stretched = (rows[:, 4] - low) / (high - low) if high > low else np.ones(len(rows))
        # How many detections lie at or above each threshold; scores fall along the rows.
        reached = np.searchsorted(-stretched, -thresholds, side="right")
        iou = pixel_iou(rows[:, :4], picture.boxes)
        for name in SETS:
            for total, counts in zip(
                totals[name], count_hits(iou, picture.counted[name]), strict=True
            ):
                total += np.concatenate([[0], counts])[reached]
    result = {}
    for name, (recalled, proposals) in totals.items():
        faces = sum(int(picture.counted[name].sum()) for picture in pictures)
        precision = np.divide(
            recalled, proposals, out=np.zeros(NUM_THRESHOLDS), where=proposals > 0
        )
        result[name] = average_precision(recalled / faces, precision) if faces else float("nan")
    return result


def _by_falling_score(pictures: list[Picture], detections: Mapping[str, Array]) -> dict[str, Array]:
    unknown = sorted(set(detections) - {picture.name for picture in pictures})
    if unknown:
        raise DataError(
            f"Detections of {unknown[0]!r}, which the ground truth does not have; names are "
            "event/file without extension, such as 0--Parade/0_Parade_marchingband_1_465."
        )
    ordered = {}
    for name, given in detections.items():
        rows = np.asarray(given, np.float64)
        if rows.size == 0:
            rows = np.zeros([0, 5])
        if rows.ndim != 2 or rows.shape[1] != 5 or not np.isfinite(rows).all():
            raise DataError(
                f"Detections of {name!r} should be finite rows (x, y, width, height, score), got "
                f"shape {list(rows.shape)}."
            )
        ordered[name] = rows[np.argsort(-rows[:, 4], kind="stable")]
    return ordered
