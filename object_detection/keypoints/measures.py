"""How far predicted keypoints lie from the truth (numpy).

Axes: N instances, K keypoints. Keypoints are (y, x) in one frame, usually pixels; NaN in the truth
means that there is no such keypoint, and it does not count.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from object_detection.errors import ConfigError

Array = np.ndarray[Any, Any]


def normalized_distances(predicted: Array, truth: Array, sizes: Array) -> Array:
    """Distance of each keypoint from the truth, divided by the size of its instance.

    Args:
        predicted: [N, K, 2]. A NaN where the truth has a point is infinitely far away.
        truth: [N, K, 2].
        sizes: [N], in the unit of the keypoints.

    Returns:
        [N, K]; NaN where the truth has no keypoint, or the instance no size.
    """
    labelled = np.isfinite(truth.sum(axis=-1))
    distances = np.linalg.norm(
        np.asarray(predicted, np.float64) - np.where(labelled[..., None], truth, 0.0), axis=-1
    )
    distances = np.where(np.isnan(distances), np.inf, distances)
    sized = sizes > 0
    shares = distances / np.where(sized, sizes, 1.0)[:, None]
    return np.where(labelled & sized[:, None], shares, np.nan)


def mean_errors(distances: Array) -> Array:
    """Mean [N] of the distances [N, K] of each instance that are not NaN; NaN if there is none."""
    counted = ~np.isnan(distances)
    count = counted.sum(axis=-1)
    total = np.where(counted, distances, 0.0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def normalized_mean_errors(predicted: Array, truth: Array, sizes: Array) -> Array:
    """NME of each instance: the mean distance over its keypoints, divided by its size.

    With the square root of the box area as size this is the NME_box of AFLW2000-3D and later face
    alignment work (Bulat and Tzimiropoulos, arXiv:1703.07332, sec. 3.3).

    Args:
        predicted: [N, K, 2]. A NaN where the truth has a point makes the instance's NME infinite.
        truth: [N, K, 2].
        sizes: [N], in the unit of the keypoints.

    Returns:
        [N]; NaN for an instance without a keypoint in the truth, or without size.
    """
    return mean_errors(normalized_distances(predicted, truth, sizes))


def failure_rate(errors: Array, threshold: float = 0.1) -> float:
    """Share of the errors [N] above a threshold; NaN entries do not count, NaN if none is left."""
    errors = errors[~np.isnan(errors)]
    return float((errors > threshold).mean()) if errors.size else float("nan")


def correct_keypoints(distances: Array, threshold: float) -> float:
    """PCK: the share of the distances that are at most a threshold.

    Yang and Ramanan, Articulated Human Detection with Flexible Mixtures of Parts, TPAMI 35(12),
    2013, count a keypoint as correct within a share of the larger side of the box; the size here is
    the caller's.

    Args:
        distances: of any shape, as `normalized_distances` gives them; NaN entries do not count.
        threshold: share of the instance's size.

    Returns:
        NaN if nothing counts.
    """
    distances = distances[~np.isnan(distances)]
    return float((distances <= threshold).mean()) if distances.size else float("nan")


def cumulative_errors(errors: Array) -> tuple[Array, Array]:
    """The cumulative error curve: for each error the share of all that are not larger.

    Args:
        errors: [N]; NaN entries do not count.

    Returns:
        The errors that occur, rising; their shares, of which the last is 1. Between two of them
        the curve keeps the share of the lower one.
    """
    values, counts = np.unique(errors[~np.isnan(errors)], return_counts=True)
    return values, np.cumsum(counts) / max(counts.sum(), 1)


def area_under_cumulative_errors(errors: Array, limit: float) -> float:
    """Area under the cumulative error curve from 0 to a limit, as a share of the limit.

    The curve is a sum of steps, so the area is exact: an error e adds the part of [0, limit] that
    lies right of it (AUC of Yang et al., arXiv:1511.05049).

    Args:
        errors: [N]; NaN entries do not count.
        limit: above 0.

    Returns:
        Between 0 and 1; NaN if nothing counts.
    """
    errors = errors[~np.isnan(errors)]
    return float(np.maximum(1.0 - errors / limit, 0.0).mean()) if errors.size else float("nan")


def similarity_of_offsets(offsets: Array, area: float, sigmas: Array) -> Array:
    """Mean over the keypoints of exp(-d^2 / (2 area (2 sigma)^2)).

    The formula, and the order in which its numbers are taken, are COCO's
    (cocodataset.org/#keypoints-eval), so that the result is the same to the last bit.

    Args:
        offsets: [N, K, 2], K at least 1; d is their length.
        area: in square units of the offsets.
        sigmas: [K], shares of the instance's size.

    Returns:
        [N], between 0 and 1.
    """
    squares = offsets[..., 1] ** 2 + offsets[..., 0] ** 2
    exponents = squares / ((sigmas * 2) ** 2) / (area + np.spacing(1)) / 2
    return np.exp(-np.ascontiguousarray(exponents)).sum(axis=1) / exponents.shape[1]


def object_keypoint_similarity(predicted: Array, truth: Array, area: float, sigmas: Array) -> Array:
    """OKS of predictions with one instance.

    Args:
        predicted: [N, K, 2].
        truth: [K, 2], with a keypoint at least.
        area: of the instance, in square units of the keypoints.
        sigmas: [K], shares of the instance's size.

    Returns:
        [N], between 0 and 1.
    """
    labelled = np.isfinite(truth).all(axis=-1)
    return similarity_of_offsets(predicted[:, labelled] - truth[labelled], area, sigmas[labelled])


def keypoint_group(name: str, names: Sequence[str]) -> list[int]:
    """The numbers of the keypoints that a name stands for.

    Args:
        name: a keypoint, or what is common to the keypoints `<name>_0`, `<name>_1`, ...
        names: of all K keypoints.

    Raises:
        ConfigError: no keypoint is called so.

    >>> keypoint_group("eye", ["eye_0", "eye_1", "eyebrow_0", "nose"])
    [0, 1]
    """
    if name in names:
        return [list(names).index(name)]
    numbers = [
        number
        for number, one in enumerate(names)
        if one.startswith(f"{name}_") and one[len(name) + 1 :].isdigit()
    ]
    if not numbers:
        raise ConfigError(f"No keypoint is called {name!r}; there are {', '.join(names)}.")
    return numbers


def sizes_between(truth: Array, ends: Sequence[Sequence[int]]) -> Array:
    """Distance between two keypoints, or centres of groups of keypoints, of each instance.

    Between the eyes this is the inter-ocular distance by which 300-W divides errors.

    Args:
        truth: [N, K, 2].
        ends: numbers of the keypoints of either end.

    Returns:
        [N]; NaN where a keypoint is not there.
    """
    one, other = (truth[:, list(numbers)].mean(axis=1) for numbers in ends)
    return np.linalg.norm(one - other, axis=-1)
