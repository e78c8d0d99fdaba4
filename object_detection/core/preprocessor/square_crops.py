"""Augmentations that cut a square out of the picture and its surroundings.

Axes: M boxes, K keypoints. Coordinates are normalised. What lies beyond the picture is black.
"""

from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core.preprocessor import rows as row_ops
from object_detection.core.preprocessor.random_calls import integer, nth_seed
from object_detection.core.preprocessor_cache import PreprocessorCache as Cache


def _cut_square(
    image: tf.Tensor,
    boxes: tf.Tensor,
    rows: row_ops.Rows,
    corner: tf.Tensor,
    side: tf.Tensor,
) -> list[tf.Tensor]:
    """Picture, boxes and rows in a square of `side` pixels, which may reach beyond the picture.

    Boxes are cut at its edges; those outside are left out.
    """
    size = tf.shape(image)[:2]
    begin = tf.clip_by_value(corner, 0, size)
    end = tf.clip_by_value(corner + side, begin, size)
    before = tf.minimum(begin - corner, side)
    around = tf.stack([before, side - before - (end - begin)], axis=1)
    nothing = tf.zeros([1, 2], tf.int32)
    square = tf.pad(
        image[begin[0] : end[0], begin[1] : end[1]], tf.concat([around, nothing], axis=0)
    )
    known = tf.get_static_value(side)
    known = None if known is None else int(known)
    square.set_shape([known, known, image.shape[2]])
    window = tf.concat([corner, corner + side], axis=0)
    window = tf.cast(window, boxes.dtype) / tf.cast(tf.tile(size, [2]), boxes.dtype)
    common = box_list_ops.pairwise_intersection(window[tf.newaxis], boxes)[0]
    kept = tf.where(common > 0.0)[:, 0]
    boxes, rows = row_ops.moved(*row_ops.gathered(boxes, rows, kept), window, clip=True)
    if "masks" in rows:
        rows["masks"] = tf.pad(
            rows["masks"][:, begin[0] : end[0], begin[1] : end[1]],
            tf.concat([nothing, around], axis=0),
        )
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
    longer = output_size * tf.random_uniform([], scale_min, scale_max, seed=seed)
    new_size = tf.cast(size * (longer / tf.reduce_max(size)) + 1e-3, tf.int32)
    new_size = tf.maximum(new_size, 1)
    resized = tf.image.resize_images(image, new_size, method=resize_method)
    if "masks" in rows:
        nearest = tf.image.ResizeMethod.NEAREST_NEIGHBOR
        masks = tf.ensure_shape(rows["masks"], [None, None, None])
        scaled = tf.image.resize_images(masks[..., tf.newaxis], new_size, method=nearest)
        rows["masks"] = tf.squeeze(scaled, -1)
    room = tf.cast(tf.maximum(new_size - output_size, 0), tf.float32)
    corner = tf.cast(room * tf.random_uniform([2], seed=nth_seed(seed, 1)), tf.int32)
    return tuple(_cut_square(resized, boxes, rows, corner, tf.constant(output_size)))
