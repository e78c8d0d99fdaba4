"""Geometry of boxes in numpy.

Axes:  N and M boxes of two sets.
Boxes: [ymin, xmin, ymax, xmax]; both sets in one frame.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def area(boxes: Array) -> Array:
    """Areas [N] of [N, 4] boxes."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def intersection(boxes1: Array, boxes2: Array) -> Array:
    """Common areas of [N, 4] and [M, 4] boxes -> [N, M]."""
    corner = np.maximum(boxes1[:, None, :2], boxes2[None, :, :2])
    opposite = np.minimum(boxes1[:, None, 2:], boxes2[None, :, 2:])
    return np.maximum(opposite - corner, 0.0).prod(axis=-1)


def iou(boxes1: Array, boxes2: Array) -> Array:
    """Intersection over union of [N, 4] and [M, 4] boxes -> [N, M]; 0 where both are empty."""
    common = intersection(boxes1, boxes2)
    return _share(common, area(boxes1)[:, None] + area(boxes2)[None, :] - common)


def ioa(boxes1: Array, boxes2: Array) -> Array:
    """Share of each second box that the first covers: [N, 4], [M, 4] -> [N, M]; 0 if empty."""
    common = intersection(boxes1, boxes2)
    return _share(common, np.broadcast_to(area(boxes2)[None, :], common.shape))


def _share(part: Array, whole: Array) -> Array:
    """Part / whole; 0, not NaN, where the whole is nothing."""
    dtype = np.result_type(part, whole, np.float16)
    return np.divide(part, whole, out=np.zeros(part.shape, dtype), where=whole != 0)
