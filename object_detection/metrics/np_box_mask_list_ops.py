"""Overlap, choice and order of the instances of a numpy `BoxMaskList`; masks decide, not boxes.

Axes: N and M instances of two lists, C classes, H x W pixels.

No function changes a list that it is given.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from object_detection.core.standard_fields import BoxListFields
from object_detection.errors import DataError
from object_detection.metrics import np_box_list_ops, np_masks
from object_detection.metrics.np_box_lists import BoxList, BoxMaskList

Array = npt.NDArray[Any]


def box_list_to_box_mask_list(boxlist: BoxList) -> BoxMaskList:
    """The same boxes and fields as a `BoxMaskList`.

    Raises:
        DataError: there is no field `masks`.
    """
    if not boxlist.has_field(BoxListFields.masks):
        raise DataError(f"No field 'masks' in this BoxList; it has {sorted(boxlist.data)}.")
    converted = BoxMaskList(boxlist.get(), boxlist.get_field(BoxListFields.masks))
    for field in boxlist.get_extra_fields():
        if field != BoxListFields.masks:
            converted.add_field(field, boxlist.get_field(field))
    return converted


def area(box_mask_list: BoxMaskList) -> Array:
    """Pixels of the masks, [N]."""
    return np_masks.area(box_mask_list.get_masks())


def intersection(box_mask_list1: BoxMaskList, box_mask_list2: BoxMaskList) -> Array:
    """Common pixels, [N, M]."""
    return np_masks.intersection(box_mask_list1.get_masks(), box_mask_list2.get_masks())


def iou(box_mask_list1: BoxMaskList, box_mask_list2: BoxMaskList) -> Array:
    """Intersections over unions, [N, M]."""
    return np_masks.iou(box_mask_list1.get_masks(), box_mask_list2.get_masks())


def ioa(box_mask_list1: BoxMaskList, box_mask_list2: BoxMaskList) -> Array:
    """Shares of the second list's masks that the first list's cover, [N, M]."""
    return np_masks.ioa(box_mask_list1.get_masks(), box_mask_list2.get_masks())


def gather(
    box_mask_list: BoxMaskList, indices: Array, fields: Sequence[str] | None = None
) -> BoxMaskList:
    """The instances at `indices`, in that order.

    Args:
        box_mask_list: N instances.
        indices: [M] integers; may repeat.
        fields: names of the fields to take along, beside the masks; all of them if absent.

    Raises:
        DataError: an index outside 0 ... N - 1, or a field that is not there.
    """
    return box_list_to_box_mask_list(
        np_box_list_ops.gather(box_mask_list, indices, _with_masks(fields))
    )


def sort_by_field(
    box_mask_list: BoxMaskList, field: str, order: int = np_box_list_ops.SortOrder.DESCEND
) -> BoxMaskList:
    """The instances in the order of a field; see `np_box_list_ops.sort_by_field`."""
    return box_list_to_box_mask_list(np_box_list_ops.sort_by_field(box_mask_list, field, order))


def non_max_suppression(
    box_mask_list: BoxMaskList,
    max_output_size: int = 10000,
    iou_threshold: float = 1.0,
    score_threshold: float = -10.0,
) -> BoxMaskList:
    """The best instances, best first, without those whose mask overlaps a better one's.

    Args:
        box_mask_list: N instances with the field `scores` [N].
        max_output_size: most instances to keep.
        iou_threshold: an instance goes if its IoU with a kept one is above; with 1 none goes.
        score_threshold: instances whose score is not above go first.

    Raises:
        DataError: no scores, or a threshold or size out of range.
    """
    np_box_list_ops.check_suppression(box_mask_list, iou_threshold, max_output_size)
    ranked = sort_by_field(filter_scores_greater_than(box_mask_list, score_threshold), "scores")
    masks = ranked.get_masks()
    kept = np_box_list_ops.greedy_choice(
        ranked.num_boxes(),
        lambda best, others: np_masks.iou(masks[best : best + 1], masks[others])[0],
        max_output_size,
        iou_threshold,
    )
    return gather(ranked, kept)


def multi_class_non_max_suppression(
    box_mask_list: BoxMaskList, score_thresh: float, iou_thresh: float, max_output_size: int
) -> BoxMaskList:
    """Suppression in each class on its own, of instances that the classes share.

    Args:
        box_mask_list: N instances with the field `scores`, [N, C] or [N].
        score_thresh: an instance is of a class if its score there is above.
        iou_thresh: as in `non_max_suppression`.
        max_output_size: most instances of one class.

    Returns:
        The instances kept, best first, with `scores` and `classes`; classes count from 0.

    Raises:
        DataError: no scores, or a threshold out of range.
        ShapeError: not a `BoxMaskList`, or scores of another shape.
    """
    np_box_list_ops.require(box_mask_list, BoxMaskList)
    np_box_list_ops.check_suppression(box_mask_list, iou_thresh, max_output_size)
    kept = []
    for number, scores in enumerate(np_box_list_ops.class_scores(box_mask_list)):
        candidates = BoxMaskList(box_mask_list.get(), box_mask_list.get_masks())
        candidates.add_field(BoxListFields.scores, scores)
        kept.append(
            np_box_list_ops.labelled(
                non_max_suppression(candidates, max_output_size, iou_thresh, score_thresh), number
            )
        )
    return sort_by_field(concatenate(kept), BoxListFields.scores)


def prune_non_overlapping_masks(
    box_mask_list1: BoxMaskList, box_mask_list2: BoxMaskList, minoverlap: float = 0.0
) -> BoxMaskList:
    """The first list's instances of which some mask of the second covers at least `minoverlap`.

    Args:
        box_mask_list1: N instances.
        box_mask_list2: M instances.
        minoverlap: share of a mask of `box_mask_list1`, in [0, 1].
    """
    covered = ioa(box_mask_list2, box_mask_list1).max(axis=0, initial=0.0)
    return gather(box_mask_list1, np.flatnonzero(covered >= minoverlap))


def concatenate(
    box_mask_lists: Sequence[BoxMaskList], fields: Sequence[str] | None = None
) -> BoxMaskList:
    """One list of the instances of all lists, in order.

    Args:
        box_mask_lists: at least one; masks of one size.
        fields: names of the fields to take along, beside the masks; the first list's if absent.

    Raises:
        DataError: no list, or a field that one of them lacks.
        ShapeError: not lists of instances, or fields whose shapes do not fit together.
    """
    return box_list_to_box_mask_list(
        np_box_list_ops.concatenate(box_mask_lists, _with_masks(fields))
    )


def filter_scores_greater_than(box_mask_list: BoxMaskList, thresh: float) -> BoxMaskList:
    """The instances whose score is above `thresh`.

    Args:
        box_mask_list: N instances with the field `scores`, [N] or [N, 1].
        thresh: equal scores go.

    Raises:
        DataError: no scores.
        ShapeError: not a `BoxMaskList`, or scores of another shape.
    """
    np_box_list_ops.require(box_mask_list, BoxMaskList)
    return gather(box_mask_list, np_box_list_ops.above(box_mask_list, thresh))


def _with_masks(fields: Sequence[str] | None) -> list[str] | None:
    return None if fields is None else list(dict.fromkeys([*fields, BoxListFields.masks]))
