"""Groundtruth beside detections, in one picture.

Axes and frames: as in `drawing`; coordinates are normalised.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from object_detection.visualization import drawing

Array = np.ndarray[Any, Any]

# White between the two pictures, in pixels.
_GAP = 8
_TRUTH_COLOR = "Gold"


def truth_beside_detections(
    image: Array,
    truth: dict[str, Array],
    detections: dict[str, Array],
    category_index: drawing.CategoryIndex,
    max_boxes_to_draw: int = 20,
    min_score_thresh: float = 0.5,
    skip_scores: bool = False,
    skip_labels: bool = False,
    keypoint_edges: Sequence[tuple[int, int]] = (),
    keypoint_colors: Sequence[str] | None = None,
) -> Array:
    """The picture twice: with its groundtruth at the left, with its detections at the right.

    Args:
        image: [H, W, 3] uint8.
        truth: `boxes` [M, 4], `classes` [M], optional `keypoints` [M, K, 2].
        detections: `boxes` [D, 4], `classes` [D], `scores` [D], optional `keypoints` [D, K, 2].
        category_index: id -> category.
        max_boxes_to_draw: of detections.
        min_score_thresh: detections below are left out.
        skip_scores: write no scores.
        skip_labels: write no names.
        keypoint_edges: pairs of numbers of keypoints to join.
        keypoint_colors: one for each keypoint; None for colours that tell neighbours apart.

    Returns:
        [h, 2 w + gap, 3] uint8; a very small picture is enlarged.
    """
    image = drawing.enlarged_to_read(image)
    thickness = drawing.line_thickness_for(image)
    left = drawing.visualize_boxes_and_labels_on_image_array(
        image.copy(),
        truth["boxes"],
        truth["classes"],
        None,
        category_index,
        keypoints=truth.get("keypoints"),
        keypoint_edges=keypoint_edges,
        max_boxes_to_draw=None,
        use_normalized_coordinates=True,
        line_thickness=thickness,
        groundtruth_box_visualization_color=_TRUTH_COLOR,
        keypoint_color=keypoint_colors,
        keypoint_radius=thickness,
    )
    right = drawing.visualize_boxes_and_labels_on_image_array(
        image.copy(),
        detections["boxes"],
        detections["classes"],
        detections["scores"],
        category_index,
        keypoints=detections.get("keypoints"),
        keypoint_edges=keypoint_edges,
        max_boxes_to_draw=max_boxes_to_draw,
        min_score_thresh=min_score_thresh,
        use_normalized_coordinates=True,
        line_thickness=thickness,
        skip_scores=skip_scores,
        skip_labels=skip_labels,
        keypoint_color=keypoint_colors,
        keypoint_radius=thickness,
    )
    gap = np.full([image.shape[0], _GAP, 3], 255, np.uint8)
    return np.concatenate([left, gap, right], axis=1)
