"""Augmentation that turns the picture by any angle.

Axes: M boxes, K keypoints, P points of DensePose. Coordinates are normalised. Angles are
counter-clockwise, as the picture is seen.

A turn is done in two steps: quarter turns, which move pixels and labels exactly, and the rest of
at most 45 degrees, which is skipped where it is 0. So nothing depends on cos(90 degrees).
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.preprocessor import rows as row_ops
from object_detection.core.preprocessor.cropping import crop_rows
from object_detection.core.preprocessor.geometric import rot90_boxes, rot90_masks, surface_moved
from object_detection.core.preprocessor.padding import margin_color
from object_detection.core.preprocessor.random_calls import (
    apply_if,
    chance,
    nth_seed,
    uniform,
)
from object_detection.core.preprocessor_cache import PreprocessorCache as Cache
from object_detection.errors import ConfigError
from object_detection.keypoints import geometry

# What of a box is turned: see `turned_boxes`.
BOX_SHAPES = ("ellipse", "rectangle")


def turned_boxes(
    boxes: tf.Tensor,
    keypoints: tf.Tensor | None,
    turn: Callable[[tf.Tensor], tf.Tensor],
    cosine: tf.Tensor,
    sine: tf.Tensor,
    from_size: tf.Tensor,
    to_size: tf.Tensor,
    box_shape: str,
) -> tf.Tensor:
    """[M, 4] boxes around what was turned.

    A box with half sides (a, b) that is turned by an angle t has a hull with half sides
    (a |cos t| + b |sin t|, b |cos t| + a |sin t|). Few objects fill the corners that make this
    hull so large; for the ellipse in the box the half sides are
    (sqrt((a cos t)^2 + (b sin t)^2), sqrt((b cos t)^2 + (a sin t)^2)).

    Args:
        boxes: [M, 4] before the turn.
        keypoints: [M, K, 2] before the turn; the ellipse's box holds those that were in the box.
        turn: moves points [..., 2].
        cosine: of the angle.
        sine: of the angle.
        from_size: height and width of the frame before, [2].
        to_size: height and width of the frame after, [2].
        box_shape: `ellipse` or `rectangle`.
    """
    centre = turn((boxes[:, :2] + boxes[:, 2:]) / 2.0)
    half = (boxes[:, 2:] - boxes[:, :2]) / 2.0 * from_size
    along, across = half * tf.abs(cosine), tf.reverse(half, [1]) * tf.abs(sine)
    if box_shape == "rectangle":
        half = along + across
    else:
        half = tf.sqrt(along**2 + across**2)
    hull = tf.concat([centre - half / to_size, centre + half / to_size], axis=1)
    if keypoints is None or box_shape == "rectangle":
        return hull
    corners = boxes[:, tf.newaxis]
    in_box = tf.reduce_all(
        (keypoints >= corners[..., :2]) & (keypoints <= corners[..., 2:]), axis=-1, keepdims=True
    )
    nowhere = tf.fill(tf.shape(keypoints), tf.constant(math.nan, keypoints.dtype))
    held = tf.where(tf.broadcast_to(in_box, tf.shape(keypoints)), keypoints, nowhere)
    around = geometry.keypoints_to_enclosing_bounding_boxes(turn(held))
    around = tf.where(tf.math.is_nan(around), hull, around)
    return tf.concat(
        [tf.minimum(hull[:, :2], around[:, :2]), tf.maximum(hull[:, 2:], around[:, 2:])], axis=1
    )


def turned_picture(
    images: tf.Tensor,
    cosine: tf.Tensor,
    sine: tf.Tensor,
    size: tf.Tensor,
    interpolation: str,
) -> tf.Tensor:
    """Pictures [N, H, W, C] turned about their centre, in a frame of the same centre.

    Args:
        images: [N, H, W, C] float32.
        cosine: of the angle.
        sine: of the angle.
        size: height and width of the new frame, [2] int32; what is not in the picture is 0.
        interpolation: `BILINEAR` or `NEAREST`.
    """
    # The operation takes, for each new pixel, the place of the old one; both count from the
    # centre of the first pixel.
    new = (tf.cast(size, tf.float32) - 1.0) / 2.0
    old = (tf.cast(tf.shape(images)[1:3], tf.float32) - 1.0) / 2.0
    transform = tf.stack(
        [
            cosine,
            -sine,
            old[1] - cosine * new[1] + sine * new[0],
            sine,
            cosine,
            old[0] - sine * new[1] - cosine * new[0],
            0.0,
            0.0,
        ]
    )
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transform[tf.newaxis],
        output_shape=size,
        fill_value=0.0,
        interpolation=interpolation,
        fill_mode="CONSTANT",
    )


def random_rotation(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor | None,
    label_confidences: tf.Tensor | None = None,
    multiclass_scores: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    min_angle: float = -15.0,
    max_angle: float = 15.0,
    probability: float = 1.0,
    expand: bool = False,
    box_shape: str = "ellipse",
    overlap_thresh: float = 0.3,
    pad_color: Sequence[float] | tf.Tensor | None = None,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
    densepose_num_points: tf.Tensor | None = None,
    densepose_part_ids: tf.Tensor | None = None,
    densepose_surface_coords: tf.Tensor | None = None,
    more_rows: row_ops.MoreRows = None,
) -> tuple[tf.Tensor, ...]:
    """Turns about the picture's centre by a random angle, counter-clockwise.

    Points that leave the frame are NaN and invisible. With an angle of 0, or of a multiple of 90
    and a frame that can turn along (`expand`, or a square picture), pixels and labels are moved
    exactly and no box is cut or left out.

    Args:
        image: [H, W, C] float.
        boxes: [M, 4].
        labels: [M].
        label_weights: [M], or None.
        label_confidences: [M, ...].
        multiclass_scores: [M, ...].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        min_angle: least angle in degrees.
        max_angle: largest angle.
        probability: of a turn.
        expand: whether the frame grows so that the whole picture stays in it; else it keeps its
            size.
        box_shape: what of a box is turned: `ellipse` or `rectangle`; see `turned_boxes`.
        overlap_thresh: boxes of which less than this share lies in the frame are left out; the
            others are cut at its edges.
        pad_color: around the picture, [C]; the picture's mean colour by default.
        seed: of the choices.
        preprocess_vars_cache: repeats earlier choices.
        keypoint_visibilities: [M, K].
        densepose_num_points: [M].
        densepose_part_ids: [M, P].
        densepose_surface_coords: [M, P, 4], (y, x, v, u).
        more_rows: other tensors with a row for each box; only the choice of rows concerns them.

    Returns:
        Image, boxes, labels and, in the order of the arguments, what else was given.

    Raises:
        ConfigError: another `box_shape`; some, but not all of the DensePose tensors.
    """
    if box_shape not in BOX_SHAPES:
        raise ConfigError(f"box_shape is {box_shape!r}; allowed: {', '.join(BOX_SHAPES)}.")
    image, boxes = tf.convert_to_tensor(image), tf.convert_to_tensor(boxes)
    rows = row_ops.given(
        more_rows,
        labels=labels,
        label_weights=label_weights,
        label_confidences=label_confidences,
        multiclass_scores=multiclass_scores,
        masks=masks,
        keypoints=keypoints,
        keypoint_visibilities=keypoint_visibilities,
        densepose_num_points=densepose_num_points,
        densepose_part_ids=densepose_part_ids,
        densepose_surface_coords=densepose_surface_coords,
    )
    cache, name = preprocess_vars_cache, Cache.ROTATION
    wanted = chance(probability, seed, cache, name, "wanted")
    angle = uniform(
        cache, name, minval=min_angle, maxval=max_angle, seed=nth_seed(seed, 1), key="angle"
    )
    names = list(rows)

    def turn(picture: tf.Tensor, corners: tf.Tensor, *more: tf.Tensor) -> list[tf.Tensor]:
        given = dict(zip(names, more, strict=True))
        return _turned(picture, corners, given, angle, expand, box_shape, overlap_thresh, pad_color)

    result = apply_if(wanted, turn, image, boxes, *rows.values())
    result[0].set_shape([None, None, image.shape[2]] if expand else image.shape)
    return tuple(result)


def _turned(
    image: tf.Tensor,
    boxes: tf.Tensor,
    rows: row_ops.Rows,
    angle: tf.Tensor,
    expand: bool,
    box_shape: str,
    overlap_thresh: float,
    pad_color: Any,
) -> list[tf.Tensor]:
    """Picture, boxes and rows, turned by an angle in degrees."""
    names = list(rows)
    quarters = tf.round(angle / 90.0)
    rest = (angle - 90.0 * quarters) * (math.pi / 180.0)
    tensors = tf.switch_case(
        tf.math.floormod(tf.cast(quarters, tf.int32), 4),
        [lambda times=times: _quarter_turns(image, boxes, rows, times) for times in range(4)],
    )
    turned_image, turned_boxes_, *more = tensors
    turned_image.set_shape([None, None, image.shape[2]])
    cosine, sine = tf.cos(rest), tf.sin(rest)
    old_size = tf.shape(turned_image)[:2]
    size = tf.shape(image)[:2]
    if expand:
        height, width = tf.unstack(tf.cast(old_size, tf.float32))
        extent = [
            height * cosine + width * tf.abs(sine),
            width * cosine + height * tf.abs(sine),
        ]
        # A frame that fits does not grow by a pixel for the rounding of a product.
        size = tf.cast(tf.math.ceil(tf.stack(extent) - 1e-3), tf.int32)

    def as_it_is() -> list[tf.Tensor]:
        return [tf.identity(t) for t in (turned_image, turned_boxes_, *more)]

    def further() -> list[tf.Tensor]:
        given = dict(zip(names, more, strict=True))
        return _turned_by_rest(
            turned_image, turned_boxes_, given, cosine, sine, size, box_shape, overlap_thresh,
            pad_color,
        )  # fmt: skip

    exact = tf.equal(rest, 0.0) & tf.reduce_all(tf.equal(size, old_size))
    return list(tf.cond(exact, as_it_is, further))


def _quarter_turns(
    image: tf.Tensor, boxes: tf.Tensor, rows: row_ops.Rows, times: int
) -> list[tf.Tensor]:
    """Picture, boxes and rows after quarter turns; the frame turns along."""
    rows = dict(rows)
    image = tf.image.rot90(image, times)
    for _ in range(times):
        boxes = rot90_boxes(boxes)
        if "masks" in rows:
            rows["masks"] = rot90_masks(rows["masks"])
        if "keypoints" in rows:
            rows["keypoints"] = geometry.rot90(rows["keypoints"])
        if "densepose_surface_coords" in rows:
            rows["densepose_surface_coords"] = surface_moved(
                rows["densepose_surface_coords"], geometry.rot90
            )
    return [tf.identity(t) for t in (image, boxes, *rows.values())]


def _turned_by_rest(
    image: tf.Tensor,
    boxes: tf.Tensor,
    rows: row_ops.Rows,
    cosine: tf.Tensor,
    sine: tf.Tensor,
    size: tf.Tensor,
    box_shape: str,
    overlap_thresh: float,
    pad_color: Any,
) -> list[tf.Tensor]:
    """Picture, boxes and rows, turned by at most 45 degrees into a frame of height and width `size`."""
    rows = dict(rows)
    from_size = tf.cast(tf.shape(image)[:2], tf.float32)
    to_size = tf.cast(size, tf.float32)

    def turn(points: tf.Tensor) -> tf.Tensor:
        return geometry.rotate(points, cosine, sine, from_size, to_size)

    boxes = turned_boxes(
        boxes, rows.get("keypoints"), turn, cosine, sine, from_size, to_size, box_shape
    )
    if "keypoints" in rows:
        rows["keypoints"] = turn(rows["keypoints"])
    if "densepose_surface_coords" in rows:
        rows["densepose_surface_coords"] = surface_moved(rows["densepose_surface_coords"], turn)
    whole = tf.constant(row_ops.WHOLE, boxes.dtype)
    boxes, rows = crop_rows(boxes, rows, whole, overlap_thresh, clip=True)
    if "masks" in rows:
        masks = tf.cast(rows["masks"], tf.float32)[..., tf.newaxis]
        masks = turned_picture(masks, cosine, sine, size, "NEAREST")
        rows["masks"] = tf.cast(tf.squeeze(masks, -1), rows["masks"].dtype)
    color = tf.cast(margin_color(image, pad_color), image.dtype)
    # Around the picture there are zeros, hence the colour is that from which pixels count.
    picture = turned_picture((image - color)[tf.newaxis], cosine, sine, size, "BILINEAR")[0]
    return [picture + color, boxes, *rows.values()]
