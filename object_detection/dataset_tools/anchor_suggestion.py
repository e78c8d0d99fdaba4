"""Anchors from data: scales and aspect ratios that fit the objects of a data set.

The boxes' scales and aspect ratios are clustered by k-means, each by itself and in the logarithm,
since the overlap of a box with an anchor depends on ratios of sizes (the idea of YOLO9000,
arXiv:1612.08242, sec. 2, for the anchors that an SSD can have: one scale a feature map, the same
aspect ratios on all).
"""

from typing import Any, NamedTuple

import numpy as np

from object_detection.errors import DataError

Array = np.ndarray[Any, Any]

# Narrower boxes are not worth an anchor: one step of the finest usual feature map is 8 pixels.
MIN_SIDE = 4.0


class Suggestion(NamedTuple):
    """Settings of an `ssd_anchor_generator`."""

    scales: tuple[float, ...]  # share of the input, one a feature map
    aspect_ratios: tuple[float, ...]  # width / height

    def as_config(self) -> str:
        """The message as text."""
        scales = ", ".join(f"{scale:.3f}" for scale in self.scales)
        ratios = ", ".join(f"{ratio:.2f}" for ratio in self.aspect_ratios)
        return (
            "ssd_anchor_generator {\n"
            f"  num_layers: {len(self.scales)}\n"
            f"  scales: [{scales}]\n"
            f"  aspect_ratios: [{ratios}]\n"
            "  reduce_boxes_in_lowest_layer: false\n"
            "}"
        )


def cluster(values: Array, count: int, *, iterations: int = 100) -> Array:
    """Centres of `count` clusters of numbers [n], in rising order (k-means, Lloyd's iteration).

    It begins at quantiles, so that the same numbers always give the same centres. A cluster that
    loses its members keeps its centre.
    """
    centers = np.quantile(values, (np.arange(count) + 0.5) / count)
    for _ in range(iterations):
        nearest = np.abs(values[:, None] - centers[None]).argmin(axis=1)
        moved = np.array(
            [
                values[nearest == index].mean() if (nearest == index).any() else center
                for index, center in enumerate(centers)
            ]
        )
        if np.allclose(moved, centers):
            break
        centers = moved
    return np.sort(centers)


def suggest(
    sizes: Array, input_size: tuple[int, int], num_layers: int, num_aspect_ratios: int = 2
) -> Suggestion:
    """Anchors for boxes of the given sizes.

    Args:
        sizes: [n, 2] heights and widths in pixels of the network's input.
        input_size: its height and width.
        num_layers: feature maps.
        num_aspect_ratios: aspect ratios of the anchors on each.

    Raises:
        DataError: fewer boxes of at least 4 pixels than numbers to find.
    """
    sizes = np.asarray(sizes, np.float64).reshape(-1, 2)
    sizes = sizes[(sizes >= MIN_SIDE).all(axis=1)]
    if len(sizes) < max(num_layers, num_aspect_ratios):
        raise DataError(
            f"{len(sizes)} objects are at least {MIN_SIDE:g} pixels high and wide in the network's "
            f"input; {max(num_layers, num_aspect_ratios)} are needed to suggest anchors."
        )
    # A scale is the share of the shorter side that a square anchor of that area takes.
    scales = np.sqrt(sizes.prod(axis=1)) / min(input_size)
    ratios = sizes[:, 1] / sizes[:, 0]
    return Suggestion(
        scales=tuple(np.exp(cluster(np.log(scales), num_layers)).round(3).tolist()),
        aspect_ratios=tuple(np.exp(cluster(np.log(ratios), num_aspect_ratios)).round(2).tolist()),
    )
