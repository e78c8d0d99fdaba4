"""Operations on keypoints under the OD API's import path; the code is in `keypoints.geometry`."""

from object_detection.keypoints.geometry import (
    change_coordinate_frame,
    clip_to_window,
    flip_horizontal,
    flip_vertical,
    keypoint_weights_from_visibilities,
    keypoints_to_enclosing_bounding_boxes,
    prune_outside_window,
    rot90,
    scale,
    set_keypoint_visibilities,
    to_absolute_coordinates,
    to_normalized_coordinates,
)

__all__ = [
    "change_coordinate_frame",
    "clip_to_window",
    "flip_horizontal",
    "flip_vertical",
    "keypoint_weights_from_visibilities",
    "keypoints_to_enclosing_bounding_boxes",
    "prune_outside_window",
    "rot90",
    "scale",
    "set_keypoint_visibilities",
    "to_absolute_coordinates",
    "to_normalized_coordinates",
]
