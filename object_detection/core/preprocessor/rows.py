"""What travels with boxes: tensors that have a row for each box.

Axes: M boxes, K keypoints, P points of DensePose. Coordinates are normalised; a window is
[ymin, xmin, ymax, xmax]. Rows are dicts by the names of the augmentations' parameters; names
without a geometry of their own only follow the choice of boxes.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.errors import ConfigError
from object_detection.keypoints import geometry

Rows = dict[str, tf.Tensor]

# A keyword for each tensor that has a row for each box, and which a function has no name for.
MoreRows = Mapping[str, tf.Tensor] | None

WHOLE = (0.0, 0.0, 1.0, 1.0)

_DENSEPOSE = ("densepose_num_points", "densepose_part_ids", "densepose_surface_coords")


def given(more_rows: MoreRows = None, **tensors: Any) -> Rows:
    """The tensors that are there, in the order of the call; `more_rows` come last.

    Raises:
        ConfigError: some, but not all of the DensePose tensors.
    """
    here = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    rows = {name: tf.convert_to_tensor(row) for name, row in {**here, **(more_rows or {})}.items()}
    present = [name for name in _DENSEPOSE if name in rows]
    if present and len(present) < len(_DENSEPOSE):
        raise ConfigError(f"{', '.join(_DENSEPOSE)} belong together; got only {present}.")
    return rows


def either(condition: Any, if_true: tf.Tensor, if_false: tf.Tensor) -> tf.Tensor:
    """One of two tensors; the condition is a bool or a scalar tensor."""
    if tf.is_tensor(condition):
        return tf.cond(condition, lambda: tf.identity(if_true), lambda: tf.identity(if_false))
    return if_true if condition else if_false


def gathered(boxes: tf.Tensor, rows: Rows, kept: tf.Tensor) -> tuple[tf.Tensor, Rows]:
    """The boxes of some row numbers, and what travels with them."""
    return tf.gather(boxes, kept), {name: tf.gather(row, kept) for name, row in rows.items()}


def moved(boxes: tf.Tensor, rows: Rows, window: tf.Tensor, clip: Any) -> tuple[tf.Tensor, Rows]:
    """Boxes and points in the frame of a window; masks, which are pixels, stay.

    Args:
        boxes: [M, 4].
        rows: keypoints [M, K, 2], visibilities [M, K] and DensePose points move along.
        window: [4].
        clip: whether boxes end at the window, and points outside of it are gone: keypoints
            become NaN and invisible. Without it an object is kept whole, points outside included.
    """
    rows = dict(rows)
    boxes = box_list_ops.frame_change(boxes, window)
    boxes = either(clip, box_list_ops.cut(boxes, tf.constant(WHOLE, boxes.dtype)), boxes)
    if "keypoints" in rows:
        inside = geometry.prune_outside_window(rows["keypoints"], window)
        keypoints = either(clip, inside, rows["keypoints"])
        rows["keypoints"] = geometry.change_coordinate_frame(keypoints, window)
        if "keypoint_visibilities" in rows:
            rows["keypoint_visibilities"] = geometry.set_keypoint_visibilities(
                keypoints, rows["keypoint_visibilities"]
            )
    if "densepose_num_points" in rows:
        points = [rows[name] for name in _DENSEPOSE]
        points[2] = moved_surface(points[2], window)
        inside_points = _points_inside(*points)
        rows |= {
            name: either(clip, new, old)
            for name, new, old in zip(_DENSEPOSE, inside_points, points, strict=True)
        }
    return boxes, rows


def moved_surface(surface_coords: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
    """[M, P, 4] of (y, x, v, u), with y and x in the frame of a window [4]."""
    place = geometry.change_coordinate_frame(surface_coords[..., :2], window)
    return tf.concat([place, surface_coords[..., 2:]], axis=-1)


def _points_inside(
    num_points: tf.Tensor, part_ids: tf.Tensor, surface_coords: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Counts [M], parts [M, P'] and coordinates [M, P', 4] of the points in the picture.

    They move to the front of their row, in order; what follows them is 0.
    """
    place = surface_coords[..., :2]
    inside = tf.reduce_all((place >= 0.0) & (place <= 1.0), axis=-1)
    inside &= tf.sequence_mask(num_points, tf.shape(part_ids)[1])
    order = tf.argsort(tf.cast(inside, tf.int32), axis=-1, direction="DESCENDING", stable=True)
    counts = tf.reduce_sum(tf.cast(inside, num_points.dtype), axis=-1)
    longest = tf.reduce_max(tf.concat([tf.cast(counts, tf.int32), [0]], axis=0))
    order = order[:, :longest]
    valid = tf.sequence_mask(counts, longest)
    parts = tf.gather(part_ids, order, batch_dims=1) * tf.cast(valid, part_ids.dtype)
    coords = tf.gather(surface_coords, order, batch_dims=1)
    coords = tf.where(
        tf.broadcast_to(valid[..., tf.newaxis], tf.shape(coords)), coords, tf.zeros_like(coords)
    )
    return counts, parts, coords
