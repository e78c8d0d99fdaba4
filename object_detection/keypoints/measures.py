"""How far predicted keypoints lie from the truth (numpy).

Axes: N instances, K keypoints. Keypoints are (y, x) in one frame, usually pixels; NaN in the truth
means that there is no such keypoint, and it does not count.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


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
    labelled = np.isfinite(truth.sum(axis=-1))
    distances = np.linalg.norm(
        np.asarray(predicted, np.float64) - np.where(labelled[..., None], truth, 0.0), axis=-1
    )
    distances = np.where(np.isnan(distances), np.inf, distances)
    total = np.where(labelled, distances, 0.0).sum(axis=-1)
    count = labelled.sum(axis=-1)
    usable = (count > 0) & (sizes > 0)
    mean = total / np.maximum(count, 1)
    return np.where(usable, mean / np.where(sizes > 0, sizes, 1.0), np.nan)


def failure_rate(errors: Array, threshold: float = 0.1) -> float:
    """Share of the errors [N] above a threshold; NaN entries do not count, NaN if none is left."""
    errors = errors[~np.isnan(errors)]
    return float((errors > threshold).mean()) if errors.size else float("nan")
