"""Augmentations that cut a square out of the picture and its surroundings.

Axes: M boxes, K keypoints, A attempts. Coordinates are normalised.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops, randomness
from object_detection.core.preprocessor import rows as row_ops
from object_detection.core.preprocessor.padding import margin_color, placed, placed_masks
from object_detection.core.preprocessor.random_calls import (
    apply_if,
    chance,
    integer,
    nth_seed,
    uniform,
)
from object_detection.core.preprocessor_cache import PreprocessorCache as Cache
from object_detection.errors import ConfigError


def _cut_square(
    image: tf.Tensor,
    boxes: tf.Tensor,
    rows: row_ops.Rows,
    corner: tf.Tensor,
    side: tf.Tensor,
    kept: tf.Tensor | None = None,
    color: Any = None,
) -> list[tf.Tensor]:
    """Picture, boxes and rows in a square of `side` pixels, which may reach beyond the picture.

    Boxes are cut at its edges. Those of the rows `kept` stay; by default all that are not outside.
    Beyond the picture it is black, or of a colour [C].
    """
    size = tf.shape(image)[:2]
    begin = tf.clip_by_value(corner, 0, size)
    end = tf.clip_by_value(corner + side, begin, size)
    before = tf.minimum(begin - corner, side)
    canvas = tf.stack([side, side])
    square = placed(image[begin[0] : end[0], begin[1] : end[1]], before, canvas, color)
    window = tf.concat([corner, corner + side], axis=0)
    window = tf.cast(window, boxes.dtype) / tf.cast(tf.tile(size, [2]), boxes.dtype)
    if kept is None:
        common = box_list_ops.pairwise_intersection(window[tf.newaxis], boxes)[0]
        kept = tf.where(common > 0.0)[:, 0]
    boxes, rows = row_ops.moved(*row_ops.gathered(boxes, rows, kept), window, clip=True)
    if "masks" in rows:
        masks = rows["masks"][:, begin[0] : end[0], begin[1] : end[1]]
        rows["masks"] = placed_masks(masks, before, canvas)
    return [square, boxes, *rows.values()]


def _border(max_border: int, length: tf.Tensor) -> tf.Tensor:
    """Distance of the crop's middle from the edges: halved until more than two fit into the length."""
    halved = tf.constant([max_border >> number for number in range(max_border.bit_length() + 1)])
    return halved[tf.argmax(tf.cast(2 * halved < length, tf.int32))]


def random_square_crop_by_scale(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor | None,
    label_confidences: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    max_border: int = 128,
    scale_min: float = 0.6,
    scale_max: float = 1.3,
    num_scales: int = 8,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
    more_rows: row_ops.MoreRows = None,
) -> tuple[tf.Tensor, ...]:
    """Cuts out a square whose side is a random multiple of the picture's longer side.

    The augmentation of CornerNet (arXiv:1808.01244) and CenterNet (arXiv:1904.07850). The middle
    of the square keeps `max_border` pixels, or less in a small picture, from the edges.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        labels: [M].
        label_weights: [M], or None.
        label_confidences: [M, ...].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        max_border: in pixels.
        scale_min: least multiple.
        scale_max: largest multiple.
        num_scales: multiples to choose from, evenly spaced, the least and the largest included.
        seed: of the choices.
        preprocess_vars_cache: repeats earlier choices.
        keypoint_visibilities: [M, K].
        more_rows: other tensors with a row for each box.

    Returns:
        Image, boxes, labels and, in the order of the arguments, what else was given.
    """
    image, boxes = tf.convert_to_tensor(image), tf.convert_to_tensor(boxes)
    rows = row_ops.given(
        more_rows,
        labels=labels,
        label_weights=label_weights,
        label_confidences=label_confidences,
        masks=masks,
        keypoints=keypoints,
        keypoint_visibilities=keypoint_visibilities,
    )
    cache, name = preprocess_vars_cache, Cache.SQUARE_CROP_BY_SCALE
    size = tf.shape(image)[:2]
    scales = tf.constant(np.linspace(scale_min, scale_max, num_scales), tf.float32)
    scale = tf.gather(scales, integer(cache, name, 0, num_scales, seed=seed, key="scale"))
    # 1.5 times 100 pixels are 150, not 149, whatever the rounding of the factor.
    side = tf.cast(tf.cast(tf.reduce_max(size), tf.float32) * scale + 1e-3, tf.int32)
    side = tf.maximum(side, 1)
    middle = []
    for axis, key in enumerate(("y", "x")):
        border = _border(max_border, size[axis])
        middle.append(
            integer(
                cache, name, border, size[axis] - border, seed=nth_seed(seed, axis + 1), key=key
            )
        )
    return tuple(_cut_square(image, boxes, rows, tf.stack(middle) - side // 2, side))


def random_scale_crop_and_pad_to_square(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor | None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    label_confidences: tf.Tensor | None = None,
    scale_min: float = 0.1,
    scale_max: float = 2.0,
    output_size: int = 512,
    resize_method: Any = tf.image.ResizeMethod.BILINEAR,
    seed: int | None = None,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
    more_rows: row_ops.MoreRows = None,
) -> tuple[tf.Tensor, ...]:
    """Resizes at random, then cuts out or pads to a square of one size.

    The augmentation of EfficientDet (arXiv:1911.09070): the picture's longer side becomes
    `output_size` times a random factor; what is too large is cut at a random place, what is too
    small is padded below and at the right.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        labels: [M].
        label_weights: [M], or None.
        masks: [M, H, W].
        keypoints: [M, K, 2].
        label_confidences: [M, ...].
        scale_min: least factor.
        scale_max: largest factor.
        output_size: side of the square in pixels.
        resize_method: interpolation of the picture.
        seed: of the choices.
        keypoint_visibilities: [M, K].
        more_rows: other tensors with a row for each box.

    Returns:
        Image, boxes, labels and, in the order of the arguments, what else was given.
    """
    image, boxes = tf.convert_to_tensor(image), tf.convert_to_tensor(boxes)
    rows = row_ops.given(
        more_rows,
        labels=labels,
        label_weights=label_weights,
        masks=masks,
        keypoints=keypoints,
        label_confidences=label_confidences,
        keypoint_visibilities=keypoint_visibilities,
    )
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    longer = output_size * randomness.uniform([], scale_min, scale_max, seed=seed)
    new_size = tf.cast(size * (longer / tf.reduce_max(size)) + 1e-3, tf.int32)
    new_size = tf.maximum(new_size, 1)
    resized = tf.image.resize_images(image, new_size, method=resize_method)
    if "masks" in rows:
        nearest = tf.image.ResizeMethod.NEAREST_NEIGHBOR
        masks = tf.ensure_shape(rows["masks"], [None, None, None])
        scaled = tf.image.resize_images(masks[..., tf.newaxis], new_size, method=nearest)
        rows["masks"] = tf.squeeze(scaled, -1)
    room = tf.cast(tf.maximum(new_size - output_size, 0), tf.float32)
    corner = tf.cast(room * randomness.uniform([2], seed=nth_seed(seed, 1)), tf.int32)
    return tuple(_cut_square(resized, boxes, rows, corner, tf.constant(output_size)))


def _holds_center(boxes: tf.Tensor, windows: tf.Tensor) -> tf.Tensor:
    """[A, M] booleans: the centre of the box [M, 4] lies in the window [A, 4]."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2.0
    windows = windows[:, tf.newaxis]
    return tf.reduce_all((centres >= windows[..., :2]) & (centres < windows[..., 2:]), axis=-1)


def random_square_crop(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor | None,
    label_confidences: tf.Tensor | None = None,
    multiclass_scores: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    factors: Sequence[float] = (),
    min_factor: float = 0.3,
    max_factor: float = 2.0,
    max_attempts: int = 50,
    probability: float = 1.0,
    pad_color: Any = None,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
    more_rows: row_ops.MoreRows = None,
) -> tuple[tf.Tensor, ...]:
    """Cuts out a square whose side is a random multiple of the picture's shorter side.

    The augmentation of RetinaFace (arXiv:1905.00641, section 4.1) and, with multiples above 1,
    of SCRFD (arXiv:2105.04714, section 3.2). In a direction in which the square is smaller than
    the picture it lies within it, in the other it holds the whole picture. The first of some random
    squares that holds the centre of a box is taken, without one the picture stays as it is; of a
    picture without boxes it is the first of all. Boxes stay if their centre lies in the square.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        labels: [M].
        label_weights: [M], or None.
        label_confidences: [M, ...].
        multiclass_scores: [M, ...].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        factors: multiples to choose from; none for those of the range.
        min_factor: least multiple.
        max_factor: largest multiple.
        max_attempts: squares to try, A.
        probability: of a crop.
        pad_color: beyond the picture, [C]; the picture's mean colour by default.
        seed: of the choices.
        preprocess_vars_cache: repeats earlier choices.
        keypoint_visibilities: [M, K].
        more_rows: other tensors with a row for each box.

    Returns:
        Image, boxes, labels and, in the order of the arguments, what else was given.

    Raises:
        ConfigError: no attempt, or multiples that are not positive.
    """
    if max_attempts < 1 or min([min_factor, *factors]) <= 0 or max_factor < min_factor:
        raise ConfigError(
            f"random_square_crop: factors {list(factors)}, range {min_factor} to {max_factor} and "
            f"{max_attempts} attempts should be positive, and the range in this order."
        )
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
    )
    cache, name = preprocess_vars_cache, Cache.SQUARE_CROP
    wanted = chance(probability, seed, cache, name, "wanted")
    share = uniform(cache, name, [max_attempts], seed=nth_seed(seed, 1), key="factor")
    place = uniform(cache, name, [max_attempts, 2], seed=nth_seed(seed, 2), key="place")
    if factors:
        table = tf.constant(list(factors), tf.float32)
        chosen = tf.gather(table, tf.cast(share * len(factors), tf.int32))
    else:
        chosen = min_factor + (max_factor - min_factor) * share
    size = tf.shape(image)[:2]
    shorter = tf.cast(tf.reduce_min(size), tf.float32)
    # 1.5 times 100 pixels are 150, not 149, whatever the rounding of the factor.
    sides = tf.maximum(tf.cast(shorter * chosen + 1e-3, tf.int32), 1)
    # Within the picture the corner may be up to `room` from the picture's, around it down to `room`.
    room = tf.cast(size - sides[:, tf.newaxis], tf.float32)
    corners = tf.cast(tf.math.floor(tf.minimum(room, 0.0) + place * (tf.abs(room) + 1.0)), tf.int32)
    windows = tf.concat([corners, corners + sides[:, tf.newaxis]], axis=1)
    windows = tf.cast(windows, boxes.dtype) / tf.cast(tf.tile(size, [2]), boxes.dtype)
    held = _holds_center(boxes, windows)
    useful = tf.reduce_any(held, axis=1)
    first = tf.argmax(tf.cast(useful, tf.int32))
    kept = tf.where(held[first])[:, 0]
    wanted &= useful[first] | tf.equal(tf.shape(boxes)[0], 0)
    names = list(rows)

    def cut(picture: tf.Tensor, all_boxes: tf.Tensor, *more: tf.Tensor) -> list[tf.Tensor]:
        given = dict(zip(names, more, strict=True))
        color = margin_color(picture, pad_color)
        return _cut_square(picture, all_boxes, given, corners[first], sides[first], kept, color)

    result = apply_if(wanted, cut, image, boxes, *rows.values())
    result[0].set_shape([None, None, image.shape[2]])
    return tuple(result)
