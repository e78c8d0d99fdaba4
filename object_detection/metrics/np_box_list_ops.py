"""Geometry, choice and order of the boxes of a numpy `BoxList`.

Axes:  N and M boxes of two lists, C classes.
Boxes: [ymin, xmin, ymax, xmax]; a window is one such box.

No function changes a list that it is given. `np_box_mask_list_ops` builds on the same parts.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from object_detection.core.standard_fields import BoxListFields
from object_detection.errors import DataError, ShapeError
from object_detection.metrics import np_boxes
from object_detection.metrics.np_box_lists import BoxList

Array = npt.NDArray[Any]

# (box, indices of others) -> overlap of the box with each of the others.
Overlap = Callable[[int, Array], Array]


class SortOrder:
    """Orders of `sort_by_field`."""

    ASCEND = 1
    DESCEND = 2


def area(boxlist: BoxList) -> Array:
    """Areas, [N]."""
    return np_boxes.area(boxlist.get())


def intersection(boxlist1: BoxList, boxlist2: BoxList) -> Array:
    """Common areas, [N, M]."""
    return np_boxes.intersection(boxlist1.get(), boxlist2.get())


def iou(boxlist1: BoxList, boxlist2: BoxList) -> Array:
    """Intersections over unions, [N, M]."""
    return np_boxes.iou(boxlist1.get(), boxlist2.get())


def ioa(boxlist1: BoxList, boxlist2: BoxList) -> Array:
    """Shares of the second list's boxes that the first list's cover, [N, M]."""
    return np_boxes.ioa(boxlist1.get(), boxlist2.get())


def gather(boxlist: BoxList, indices: Array, fields: Sequence[str] | None = None) -> BoxList:
    """The boxes at `indices`, in that order.

    Args:
        boxlist: N boxes.
        indices: [M] integers; may repeat.
        fields: names of the fields to take along; all of them if absent.

    Raises:
        DataError: an index outside 0 ... N - 1, or a field that is not there.
    """
    indices = np.asarray(indices)
    if not indices.size:
        indices = indices.astype(np.int64)
    elif indices.max() >= boxlist.num_boxes() or indices.min() < 0:
        raise DataError(
            f"Indices reach from {indices.min()} to {indices.max()}; there are "
            f"{boxlist.num_boxes()} boxes, counted from 0."
        )
    chosen = BoxList(boxlist.get()[indices])
    for field in boxlist.get_extra_fields() if fields is None else fields:
        chosen.add_field(field, boxlist.get_field(field)[indices])
    return chosen


def sort_by_field(boxlist: BoxList, field: str, order: int = SortOrder.DESCEND) -> BoxList:
    """The boxes in the order of a field.

    Args:
        boxlist: N boxes.
        field: name of an [N] field.
        order: of `SortOrder`. Equals keep their order, or are reversed too when it descends.

    Raises:
        DataError: no such field, or order.
        ShapeError: the field is not [N].
    """
    keys = boxlist.get_field(field)
    if keys.ndim != 1:
        raise ShapeError(f"Field {field!r} should be [N] to sort by, got {list(keys.shape)}.")
    if order not in (SortOrder.ASCEND, SortOrder.DESCEND):
        raise DataError(f"order is {order!r}; use SortOrder.ASCEND or SortOrder.DESCEND.")
    ascending = np.argsort(keys, kind="stable")
    return gather(boxlist, ascending[::-1] if order == SortOrder.DESCEND else ascending)


def non_max_suppression(
    boxlist: BoxList,
    max_output_size: int = 10000,
    iou_threshold: float = 1.0,
    score_threshold: float = -10.0,
) -> BoxList:
    """The best boxes, best first, without those that overlap a better one.

    Args:
        boxlist: N boxes with the field `scores` [N].
        max_output_size: most boxes to keep.
        iou_threshold: a box goes if its IoU with a kept one is above; with 1 none goes.
        score_threshold: boxes whose score is not above go first.

    Raises:
        DataError: no scores, or a threshold or size out of range.
    """
    check_suppression(boxlist, iou_threshold, max_output_size)
    ranked = sort_by_field(filter_scores_greater_than(boxlist, score_threshold), "scores")
    boxes = ranked.get()
    kept = greedy_choice(
        ranked.num_boxes(),
        lambda best, others: np_boxes.iou(boxes[best : best + 1], boxes[others])[0],
        max_output_size,
        iou_threshold,
    )
    return gather(ranked, kept)


def multi_class_non_max_suppression(
    boxlist: BoxList, score_thresh: float, iou_thresh: float, max_output_size: int
) -> BoxList:
    """Suppression in each class on its own, of boxes that the classes share.

    Args:
        boxlist: N boxes with the field `scores`, [N, C] or [N].
        score_thresh: a box is of a class if its score there is above.
        iou_thresh: as in `non_max_suppression`.
        max_output_size: most boxes of one class.

    Returns:
        The boxes kept, best first, with `scores` and `classes`; classes count from 0.

    Raises:
        DataError: no scores, or a threshold out of range.
        ShapeError: not a `BoxList`, or scores of another shape.
    """
    require(boxlist, BoxList)
    check_suppression(boxlist, iou_thresh, max_output_size)
    kept = []
    for number, scores in enumerate(class_scores(boxlist)):
        candidates = BoxList(boxlist.get())
        candidates.add_field(BoxListFields.scores, scores)
        kept.append(
            labelled(
                non_max_suppression(candidates, max_output_size, iou_thresh, score_thresh), number
            )
        )
    return sort_by_field(concatenate(kept), BoxListFields.scores)


def scale(boxlist: BoxList, y_scale: float, x_scale: float) -> BoxList:
    """The boxes with their y and x multiplied; fields stay as they are."""
    factors = np.array([y_scale, x_scale, y_scale, x_scale], boxlist.get().dtype)
    return _moved(boxlist, boxlist.get() * factors)


def clip_to_window(boxlist: BoxList, window: Array, filter_nonoverlapping: bool = True) -> BoxList:
    """The boxes cut at the edges of a window.

    Args:
        boxlist: N boxes.
        window: [4].
        filter_nonoverlapping: leave out boxes of which nothing remains.
    """
    low, high = _corners(window, boxlist)
    clipped = _moved(boxlist, np.fmax(np.fmin(boxlist.get(), high), low))
    return gather(clipped, np.flatnonzero(area(clipped) > 0)) if filter_nonoverlapping else clipped


def prune_non_overlapping_boxes(
    boxlist1: BoxList, boxlist2: BoxList, minoverlap: float = 0.0
) -> BoxList:
    """The first list's boxes of which some box of the second covers at least `minoverlap`.

    Args:
        boxlist1: N boxes.
        boxlist2: M boxes.
        minoverlap: share of a box of `boxlist1`, in [0, 1].
    """
    covered = ioa(boxlist2, boxlist1).max(axis=0, initial=0.0)
    return gather(boxlist1, np.flatnonzero(covered >= minoverlap))


def prune_outside_window(boxlist: BoxList, window: Array) -> tuple[BoxList, Array]:
    """The boxes that lie wholly in a window, its edges included.

    Args:
        boxlist: N boxes.
        window: [4].

    Returns:
        The boxes kept, and [M] their indices.
    """
    low, high = _corners(window, boxlist)
    boxes = boxlist.get()
    kept = np.flatnonzero(~((boxes < low) | (boxes > high)).any(axis=1))
    return gather(boxlist, kept), kept


def concatenate(boxlists: Sequence[BoxList], fields: Sequence[str] | None = None) -> BoxList:
    """One list of the boxes of all lists, in order.

    Args:
        boxlists: at least one.
        fields: names of the fields to take along; those of the first list if absent.

    Raises:
        DataError: no list, or a field that one of them lacks.
        ShapeError: not `BoxList`s in a list, or a field whose shape differs beyond the first axis.
    """
    if not isinstance(boxlists, list | tuple):
        raise ShapeError(f"boxlists should be a list, got {type(boxlists).__name__}.")
    if not boxlists:
        raise DataError("boxlists is empty; at least one BoxList is needed.")
    for boxlist in boxlists:
        require(boxlist, BoxList)
    joined = BoxList(np.concatenate([boxlist.get() for boxlist in boxlists]))
    for field in boxlists[0].get_extra_fields() if fields is None else fields:
        parts = [boxlist.get_field(field) for boxlist in boxlists]
        shapes = {part.shape[1:] for part in parts}
        if len(shapes) > 1:
            raise ShapeError(
                f"Field {field!r} has the shapes {[list(part.shape) for part in parts]}; they "
                "should agree beyond the first axis."
            )
        joined.add_field(field, np.concatenate(parts))
    return joined


def filter_scores_greater_than(boxlist: BoxList, thresh: float) -> BoxList:
    """The boxes whose score is above `thresh`.

    Args:
        boxlist: N boxes with the field `scores`, [N] or [N, 1].
        thresh: equal scores go.

    Raises:
        DataError: no scores.
        ShapeError: not a `BoxList`, or scores of another shape.
    """
    require(boxlist, BoxList)
    return gather(boxlist, above(boxlist, thresh))


def change_coordinate_frame(boxlist: BoxList, window: Array) -> BoxList:
    """The boxes with the window's corner as origin and its size as unit; fields stay.

    Args:
        boxlist: N boxes.
        window: [4].
    """
    ymin, xmin, ymax, xmax = np.asarray(window).tolist()
    boxes = boxlist.get()
    origin = np.array([ymin, xmin] * 2, boxes.dtype)
    size = np.array([ymax - ymin, xmax - xmin] * 2, boxes.dtype)
    return _moved(boxlist, (boxes - origin) / size)


def require(boxlist: BoxList, kind: type[BoxList]) -> None:
    """Refuses with a `ShapeError` what is not a list of the kind."""
    if not isinstance(boxlist, kind):
        raise ShapeError(f"A {kind.__name__} is needed, got {type(boxlist).__name__}.")


def above(boxlist: BoxList, thresh: float) -> Array:
    """Indices of the boxes whose score is above; errors as `filter_scores_greater_than`."""
    scores = boxlist.get_field(BoxListFields.scores)
    if scores.ndim > 2 or (scores.ndim == 2 and scores.shape[1] != 1):
        raise ShapeError(f"Scores should be [N] or [N, 1], got {list(scores.shape)}.")
    return np.flatnonzero(scores > thresh)


def check_suppression(boxlist: BoxList, iou_threshold: float, max_output_size: int) -> None:
    """Refuses with a `DataError` what a suppression cannot work with."""
    if not boxlist.has_field(BoxListFields.scores):
        raise DataError(
            f"Suppression needs the field 'scores'; this list has {sorted(boxlist.data)}."
        )
    if not 0 <= iou_threshold <= 1:
        raise DataError(f"The IoU threshold is {iou_threshold}; it must be in [0, 1].")
    if max_output_size < 0:
        raise DataError(f"max_output_size is {max_output_size}; it must not be negative.")


def class_scores(boxlist: BoxList) -> list[Array]:
    """The scores of each class, C times [N]; [N] scores are those of one class."""
    scores = boxlist.get_field(BoxListFields.scores)
    if scores.ndim not in (1, 2):
        raise ShapeError(f"Scores should be [N] or [N, C], got {list(scores.shape)}.")
    return list(scores[:, None].T if scores.ndim == 1 else scores.T)


def labelled(boxlist: BoxList, number: int) -> Any:
    """The same list, with `classes` of one number; they have the type of the scores."""
    scores = boxlist.get_field(BoxListFields.scores)
    boxlist.add_field(BoxListFields.classes, np.full_like(scores, number))
    return boxlist


def greedy_choice(
    count: int, overlap: Overlap, max_output_size: int, iou_threshold: float
) -> Array:
    """Which of `count` ranked boxes remain when each kept one removes what it overlaps."""
    if iou_threshold == 1.0:
        # No overlap is above 1: nothing to compare.
        return np.arange(min(count, max_output_size))
    kept: list[int] = []
    left = np.arange(count)
    while left.size and len(kept) < max_output_size:
        best, left = int(left[0]), left[1:]
        kept.append(best)
        if left.size:
            left = left[overlap(best, left) <= iou_threshold]
    return np.array(kept, np.int64)


def _moved(boxlist: BoxList, boxes: Array) -> BoxList:
    """Other boxes with the same fields."""
    moved = BoxList(boxes)
    for field in boxlist.get_extra_fields():
        moved.add_field(field, boxlist.get_field(field))
    return moved


def _corners(window: Array, boxlist: BoxList) -> tuple[Array, Array]:
    """Lower and upper bounds of the four coordinates of a box in the window, [4] each."""
    # In the boxes' own precision: 0.1 in float32 lies outside a window that ends at 0.1 in float64.
    bounds = np.asarray(window, boxlist.get().dtype)
    return np.tile(bounds[:2], 2), np.tile(bounds[2:], 2)
