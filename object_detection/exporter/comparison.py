"""How far results of an exported graph are from those of its checkpoint. Needs no TensorFlow.

Axes:   B pictures, N anchors or proposals, D detections.
Scale:  a difference is a share of the largest number of its row, where that is above 1: boxes of
        shares stay as they are, boxes far outside of the picture may differ by more.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# Rows that may be without a partner where suppression stands between network and outputs: two
# boxes whose scores, or an overlap and a threshold, are equal but for rounding.
_CHANGED_BY_TIES = 0.02


def differences(expected: Array, found: Array) -> Array:
    """Difference of each number, by the scale of its row; infinite where only one is NaN.

    Args:
        expected: [B, ...]; a row is all that follows the first two axes.
        found: of the same shape.
    """
    expected, found = expected.astype(np.float64), found.astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.abs(expected - found)
        size = np.abs(np.where(np.isfinite(expected), expected, 0.0))
    apart = np.where((expected == found) | (np.isnan(expected) & np.isnan(found)), 0.0, apart)
    apart = np.where(np.isnan(apart), np.inf, apart)
    if expected.ndim > 2:
        size = size.max(axis=tuple(range(2, expected.ndim)), keepdims=True, initial=0.0)
    return apart / np.maximum(size, 1.0)


def largest(expected: Array, found: Array) -> float:
    """The largest of `differences`; infinite if the shapes differ."""
    if expected.shape != found.shape:
        return math.inf
    return float(differences(expected, found).max(initial=0.0))


def spread(first: Array, other: Array) -> float:
    """How much a result depends on the picture, from its values for two pictures.

    Pictures of other sizes may have other anchors; then means and extremes are compared.
    """
    if first.shape == other.shape:
        return largest(first, other)
    if not (first.size and other.size):
        return math.inf
    summaries = [np.array([[a.mean(), a.min(), a.max()]], np.float64) for a in (first, other)]
    return largest(*summaries)


def without_partner(expected: Sequence[Array], found: Sequence[Array], limit: float) -> int:
    """Rows of two lists that have no partner in the other list, whatever their places are.

    Args:
        expected: columns of one list: arrays of n rows.
        found: columns of the other: arrays of m rows, of the same widths.
        limit: for each of `differences` of partners.
    """

    def apart(rows: Array, others: Array) -> Array:
        """[n] largest difference of each pair of rows, over all columns."""
        if not len(rows):
            return np.zeros(0)
        parts = [
            differences(
                one[rows].reshape(len(rows), 1, -1), other[others].reshape(len(others), 1, -1)
            ).max(axis=(1, 2), initial=0.0)
            for one, other in zip(expected, found, strict=True)
        ]
        return np.max(parts, axis=0)

    n, m = len(expected[0]), len(found[0])
    in_place = np.arange(min(n, m))
    same = apart(in_place, in_place) <= limit
    left = [*in_place[~same], *range(min(n, m), n)]
    free = [*in_place[~same], *range(min(n, m), m)]
    alone = 0
    for row in left:
        near = apart(np.full(len(free), row), np.array(free, np.int64)) if free else np.empty(0)
        best = int(np.argmin(near)) if len(near) else -1
        if best >= 0 and near[best] <= limit:
            free.pop(best)
        else:
            alone += 1
    return max(alone, len(free))


def allowed_without_partner(rows: int) -> int:
    """How many rows of so many may be without a partner."""
    return max(1, math.ceil(_CHANGED_BY_TIES * rows))


@dataclasses.dataclass
class Record:
    """What was seen of one output, or of the rows of several, over all pictures."""

    limit: float  # for `judged`
    by_mean: bool = False  # the mean is judged
    difference: float = 0.0  # the largest
    mean: float = 0.0  # of all differences of a batch, the largest
    spread: float = 0.0  # how much it depends on the picture
    sensitivity: float = 0.0  # how much it changes with the last digits of the picture
    rows: int = 0  # compared as sets
    moved: int = 0  # of these, without a partner
    excess: bool = False  # more of them in one picture than ties explain
    first: Array | None = dataclasses.field(default=None, repr=False)

    @property
    def judged(self) -> float:
        """The difference that must not exceed the limit."""
        return self.mean if self.by_mean else self.difference

    def see(self, expected: Array) -> None:
        """Notes how much the output depends on the picture, from its values [B, ...]."""
        for index in range(len(expected)):
            one = expected[index : index + 1]
            if self.first is None:
                self.first = one.copy()
            else:
                self.spread = max(self.spread, spread(self.first, one))

    def compare(self, expected: Array, found: Array) -> None:
        """Notes the largest difference of numbers; of texts, whether there is one."""
        if expected.dtype.kind in "SOU":
            apart = np.array([0.0 if np.array_equal(expected, found) else math.inf])
        elif expected.shape != found.shape:
            apart = np.array([math.inf])
        else:
            apart = differences(expected, found)
        self.difference = max(self.difference, float(apart.max(initial=0.0)))
        self.mean = max(self.mean, float(apart.mean()) if apart.size else 0.0)

    def compare_rows(
        self, expected: Mapping[str, Array], found: Mapping[str, Array], counts: str | None
    ) -> None:
        """Compares the rows of each picture as sets.

        Args:
            expected: outputs [B, D, ...] by name; those without a second axis have no rows.
            found: likewise.
            counts: name of the output [B] that says how many rows are valid; None if all are.
        """
        if any(value.shape != found[name].shape for name, value in expected.items()):
            self.excess = True
            return
        names = sorted(name for name, value in expected.items() if value.ndim > 1)
        if not names:
            return
        for picture in range(min(len(expected[name]) for name in names)):
            mine, theirs = (
                [
                    values[name][picture][
                        : None if counts is None else int(values[counts][picture])
                    ]
                    for name in names
                ]
                for values in (expected, found)
            )
            # bfloat16 lets the first stage propose other boxes: only their number is compared.
            alone = (
                abs(len(mine[0]) - len(theirs[0]))
                if self.by_mean
                else without_partner(mine, theirs, self.limit)
            )
            self.rows += len(mine[0])
            self.moved += alone
            self.excess |= alone > allowed_without_partner(len(mine[0]))

    def as_json(self) -> dict[str, Any]:
        """For `export.json`."""
        if self.rows:
            return {"rows": self.rows, "rows_without_partner": self.moved}
        seen = {
            "largest_difference": self.difference,
            "mean_difference": self.mean,
            "limit_of_mean" if self.by_mean else "limit": self.limit,
        }
        if self.first is not None:
            seen["difference_between_pictures"] = self.spread
        if self.sensitivity:
            seen["change_by_last_digits_of_pictures"] = self.sensitivity
        return seen
