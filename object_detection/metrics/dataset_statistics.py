"""What a data set looks like to the network: how many objects, how large, matched by which anchor.

Axes:   M objects of a picture, N anchors, K keypoints.
Frames: boxes and anchors are [ymin, xmin, ymax, xmax] in pixels of the network's input.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np

from object_detection.metrics import keypoint_evaluation

Array = np.ndarray[Any, Any]

WIDTH_EDGES = (0, 4, 8, 16, 32, 64, 128, np.inf)
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


class WidthRow(NamedTuple):
    """Objects of one range of widths."""

    low: float
    high: float
    objects: int
    matched: float  # share of them that some anchor matches; NaN without objects


class Summary(NamedTuple):
    """A data set in numbers."""

    pictures: int
    pictures_without_objects: int
    objects: int
    most_objects: int  # in one picture
    objects_of_class: dict[int, int]
    width_percentiles: dict[int, float]  # percentile -> pixels
    height_to_width: float  # median; NaN without objects
    width_rows: list[WidthRow]
    matched: float  # share of all objects that some anchor matches
    keypoint_shares: list[float]  # of all objects, for each of the K keypoints
    objects_without_keypoints: int
    objects_cut: int  # beyond the limit of a picture


class DatasetStatistics:
    """Adds up pictures, then summarises."""

    def __init__(
        self, anchors: Array, matched_threshold: float, num_keypoints: int, max_objects: int = 0
    ) -> None:
        """Keeps the settings.

        Args:
            anchors: [N, 4].
            matched_threshold: overlap from which an anchor is trained to find an object.
            num_keypoints: K.
            max_objects: objects of a picture that training keeps; 0 for all.
        """
        self._anchors = np.asarray(anchors, np.float64)
        self._matched_threshold = matched_threshold
        self._num_keypoints = num_keypoints
        self._max_objects = max_objects
        self._sizes: list[Array] = []  # [M, 2] heights and widths
        self._best: list[Array] = []  # [M] overlap with the nearest anchor
        self._classes: list[Array] = []
        self._labelled: list[Array] = []  # [M, K] booleans

    def add(self, boxes: Array, classes: Array, keypoints: Array | None = None) -> None:
        """Adds a picture.

        Args:
            boxes: [M, 4].
            classes: [M].
            keypoints: [M, K, 2], NaN for absent ones.
        """
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        self._sizes.append(boxes[:, 2:] - boxes[:, :2])
        self._best.append(best_overlaps(boxes, self._anchors))
        self._classes.append(np.asarray(classes, np.int64).reshape(-1))
        if keypoints is None:
            labelled = np.zeros([len(boxes), self._num_keypoints], bool)
        else:
            points = np.asarray(keypoints, np.float64)
            labelled = ~np.isnan(points).any(axis=-1).reshape(len(boxes), self._num_keypoints)
        self._labelled.append(labelled)

    @property
    def sizes(self) -> Array:
        """[total, 2] heights and widths of all objects."""
        return np.concatenate(self._sizes or [np.zeros([0, 2])])

    def summary(self) -> Summary:
        """The numbers over all pictures added."""
        counts = np.array([len(sizes) for sizes in self._sizes], np.int64)
        heights, widths = self.sizes.T
        best = np.concatenate(self._best or [np.zeros(0)])
        classes = np.concatenate(self._classes or [np.zeros(0, np.int64)])
        labelled = np.concatenate(self._labelled or [np.zeros([0, self._num_keypoints], bool)])
        hit = best >= self._matched_threshold
        limit = self._max_objects or np.inf
        return Summary(
            pictures=len(counts),
            pictures_without_objects=int((counts == 0).sum()),
            objects=int(counts.sum()),
            most_objects=int(counts.max(initial=0)),
            objects_of_class={int(one): int((classes == one).sum()) for one in np.unique(classes)},
            width_percentiles={
                rank: float(np.percentile(widths, rank)) if widths.size else float("nan")
                for rank in PERCENTILES
            },
            height_to_width=_median(heights / np.maximum(widths, 1e-9)),
            width_rows=[
                WidthRow(low, high, int(inside.sum()), _share(hit[inside]))
                for low, high in itertools.pairwise(WIDTH_EDGES)
                for inside in [(widths >= low) & (widths < high)]
            ],
            matched=_share(hit),
            keypoint_shares=[_share(column) for column in labelled.T],
            objects_without_keypoints=int((~labelled.any(axis=1)).sum()),
            objects_cut=int(np.maximum(counts - limit, 0).sum()),
        )


def best_overlaps(boxes: Array, anchors: Array) -> Array:
    """IoU [M] of each box [M, 4] with the anchor [N, 4] that it overlaps most; 0 without anchors."""
    return np.asarray(keypoint_evaluation.pairwise_iou(boxes, anchors).max(axis=1, initial=0.0))


def _share(hits: Array) -> float:
    return float(np.mean(hits)) if len(hits) else float("nan")


def _median(values: Array) -> float:
    return float(np.median(values)) if len(values) else float("nan")
