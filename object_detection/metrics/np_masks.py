"""Overlaps of instance masks in numpy.

Axes:  N and M masks of two sets, H x W pixels.
Masks: [N, H, W] uint8 of 0 and 1.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from object_detection.errors import ShapeError

Array = npt.NDArray[Any]

EPSILON = 1e-7


def area(masks: Array) -> Array:
    """Pixels of each mask: [N, H, W] -> [N] float32.

    Raises:
        ShapeError: the masks are not uint8.
    """
    _check(masks)
    return masks.sum(axis=(1, 2), dtype=np.float32)


def intersection(masks1: Array, masks2: Array) -> Array:
    """Common pixels of [N, H, W] and [M, H, W] masks -> [N, M] float32.

    Raises:
        ShapeError: the masks are not uint8.
    """
    _check(masks1, masks2)
    common = np.zeros([len(masks1), len(masks2)], np.float32)
    # A row at a time: all pairs at once would be N x M x H x W bytes.
    for row, mask in zip(common, masks1, strict=True):
        row[:] = np.minimum(mask, masks2).sum(axis=(1, 2), dtype=np.float32)
    return common


def iou(masks1: Array, masks2: Array) -> Array:
    """Intersection over union of [N, H, W] and [M, H, W] masks -> [N, M] float32.

    Raises:
        ShapeError: the masks are not uint8.
    """
    common = intersection(masks1, masks2)
    union = area(masks1)[:, None] + area(masks2)[None, :] - common
    return common / np.maximum(union, EPSILON)


def ioa(masks1: Array, masks2: Array) -> Array:
    """Share of each second mask that the first covers: -> [N, M] float32.

    Raises:
        ShapeError: the masks are not uint8.
    """
    return intersection(masks1, masks2) / (area(masks2)[None, :] + EPSILON)


def _check(*sets: Array) -> None:
    for masks in sets:
        if masks.dtype != np.uint8:
            raise ShapeError(f"Masks are {masks.dtype}; convert them to uint8 of 0 and 1.")
