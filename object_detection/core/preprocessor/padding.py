"""Augmentations that put the picture on a larger canvas.

Axes: M boxes, K keypoints, P points of DensePose. Coordinates are normalised.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core.preprocessor import rows as row_ops
from object_detection.core.preprocessor.random_calls import integer, nth_seed, uniform
from object_detection.core.preprocessor_cache import PreprocessorCache as Cache
from object_detection.keypoints import geometry


def placed(image: tf.Tensor, offset: tf.Tensor, canvas: tf.Tensor, color: Any = None) -> tf.Tensor:
    """A picture [H, W, C] on a canvas, both sizes [2] int32; black around it, or of a colour."""
    size, channels = tf.shape(image)[:2], tf.shape(image)[2]
    after = canvas - size - offset
    if color is None:
        around = tf.stack([offset, after], axis=1)
        padded = tf.pad(image, tf.concat([around, [[0, 0]]], axis=0))
    else:
        # Margins put beside the picture cost a copy of it; a choice for each pixel costs much more.
        color = tf.cast(color, image.dtype)

        def margin(rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
            return tf.broadcast_to(color, tf.stack([rows, columns, channels]))

        beside = [margin(size[0], offset[1]), image, margin(size[0], after[1])]
        above, below = margin(offset[0], canvas[1]), margin(after[0], canvas[1])
        padded = tf.concat([above, tf.concat(beside, axis=1), below], axis=0)
    known = tf.get_static_value(canvas, partial=True)
    padded.set_shape([*([None, None] if known is None else known), image.shape[2]])
    return padded


def placed_masks(masks: tf.Tensor, offset: tf.Tensor, canvas: tf.Tensor) -> tf.Tensor:
    """Masks [M, H, W] on a canvas that is 0."""
    around = tf.stack([offset, canvas - tf.shape(masks)[1:] - offset], axis=1)
    return tf.pad(masks, tf.concat([[[0, 0]], around], axis=0))


def margin_color(image: tf.Tensor, pad_color: Any = None) -> Any:
    """[C] colour around a picture [H, W, C]: as given, or the picture's mean."""
    if pad_color is None:
        return tf.reduce_mean(image, axis=[0, 1])
    if tf.is_tensor(pad_color):
        # A constant may come from another graph: steps are built once and used anywhere.
        known = tf.get_static_value(pad_color)
        return pad_color if known is None else known
    return pad_color


def put_on_canvas(
    image: tf.Tensor,
    boxes: tf.Tensor,
    masks: tf.Tensor | None,
    keypoints: tf.Tensor | None,
    densepose_surface_coords: tf.Tensor | None,
    offset: tf.Tensor,
    canvas: tf.Tensor,
    color: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """Picture, boxes and what else is given, on a canvas.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        densepose_surface_coords: [M, P, 4], (y, x, v, u).
        offset: of the picture's corner, [2] int32.
        canvas: height and width, [2] int32.
        color: of the margin, [C]; black by default.
    """
    size = tf.shape(image)[:2]
    # The canvas, seen from the picture.
    old, new, corner = (tf.cast(t, tf.float32) for t in (size, canvas, offset))
    window = tf.concat([-corner / old, (new - corner) / old], axis=0)
    image = placed(image, offset, canvas, color)
    result = [image, box_list_ops.frame_change(boxes, tf.cast(window, boxes.dtype))]
    if masks is not None:
        result.append(placed_masks(masks, offset, canvas))
    if keypoints is not None:
        result.append(geometry.change_coordinate_frame(keypoints, window))
    if densepose_surface_coords is not None:
        result.append(row_ops.moved_surface(densepose_surface_coords, window))
    return tuple(result)


def random_pad_image(
    image: tf.Tensor,
    boxes: tf.Tensor,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    densepose_surface_coords: tf.Tensor | None = None,
    min_image_size: Any = None,
    max_image_size: Any = None,
    pad_color: Any = None,
    center_pad: bool = False,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tuple[tf.Tensor, ...]:
    """Puts the picture at a random place of a larger one.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        densepose_surface_coords: [M, P, 4], (y, x, v, u).
        min_image_size: (height, width) of the canvas at least; the picture's by default.
        max_image_size: (height, width), below which the canvas stays where it can; twice the
            picture's by default.
        pad_color: of the margin, [C]; the picture's mean colour by default.
        center_pad: put the picture in the middle.
        seed: of the choices.
        preprocess_vars_cache: repeats earlier choices.

    Returns:
        Image, boxes and, in the order of the arguments, what else was given.
    """
    image, boxes = tf.convert_to_tensor(image), tf.convert_to_tensor(boxes)
    size = tf.shape(image)[:2]
    smallest = size if min_image_size is None else tf.cast(min_image_size, tf.int32)
    largest = 2 * size if max_image_size is None else tf.cast(max_image_size, tf.int32)
    smallest = tf.maximum(smallest, size)
    largest = tf.maximum(largest, smallest)

    def below(lower: tf.Tensor, upper: tf.Tensor, key: str, index: int) -> tf.Tensor:
        return tf.stack(
            [
                integer(
                    preprocess_vars_cache,
                    Cache.PAD_IMAGE,
                    lower[axis],
                    upper[axis],
                    seed=nth_seed(seed, 2 * index + axis),
                    key=(key, axis),
                )
                for axis in (0, 1)
            ]
        )

    canvas = below(smallest, largest, "canvas", 0)
    margin = canvas - size
    offset = margin // 2 if center_pad else below(tf.zeros_like(margin), margin + 1, "offset", 1)
    color = margin_color(image, pad_color)
    return put_on_canvas(
        image, boxes, masks, keypoints, densepose_surface_coords, offset, canvas, color
    )


def random_absolute_pad_image(
    image: tf.Tensor,
    boxes: tf.Tensor,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    densepose_surface_coords: tf.Tensor | None = None,
    max_height_padding: int | None = None,
    max_width_padding: int | None = None,
    pad_color: Any = None,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tuple[tf.Tensor, ...]:
    """`random_pad_image` by fewer than a number of pixels.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        densepose_surface_coords: [M, P, 4], (y, x, v, u).
        max_height_padding: fewer rows than this; 1, which is none, by default.
        max_width_padding: fewer columns than this.
        pad_color: of the margin, [C]; the picture's mean colour by default.
        seed: of the choices.
        preprocess_vars_cache: repeats earlier choices.

    Returns:
        Image, boxes and, in the order of the arguments, what else was given.
    """
    size = tf.shape(image)[:2]
    margin = [max(max_height_padding or 1, 1), max(max_width_padding or 1, 1)]
    return random_pad_image(
        image,
        boxes,
        masks,
        keypoints,
        densepose_surface_coords,
        min_image_size=size,
        max_image_size=size + margin,
        pad_color=pad_color,
        seed=seed,
        preprocess_vars_cache=preprocess_vars_cache,
    )


def random_pad_to_aspect_ratio(
    image: tf.Tensor,
    boxes: tf.Tensor,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    aspect_ratio: float = 1.0,
    min_padded_size_ratio: Sequence[float] = (1.0, 1.0),
    max_padded_size_ratio: Sequence[float] = (2.0, 2.0),
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    densepose_surface_coords: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """Pads with zeros below and at the right, to an aspect ratio and a random size.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        aspect_ratio: of the canvas, width/height.
        min_padded_size_ratio: height and width of the canvas at least, as share of the picture's.
        max_padded_size_ratio: the same at most, as far as the aspect ratio allows.
        seed: of the choices.
        preprocess_vars_cache: repeats earlier choices.
        densepose_surface_coords: [M, P, 4], (y, x, v, u).

    Returns:
        Image, boxes and, in the order of the arguments, what else was given.
    """
    image, boxes = tf.convert_to_tensor(image), tf.convert_to_tensor(boxes)
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    height, width = tf.unstack(size)
    # The smallest canvas of this aspect ratio that holds the picture.
    least = tf.stack(
        [
            tf.maximum(height, tf.round(width / aspect_ratio)),
            tf.maximum(width, tf.round(height * aspect_ratio)),
        ]
    )
    most_scale = tf.reduce_min(tf.maximum(size * list(max_padded_size_ratio), least) / least)
    least_scale = tf.reduce_max(tf.maximum(size * list(min_padded_size_ratio), least) / least)
    least_scale = tf.minimum(least_scale, most_scale)
    share = uniform(preprocess_vars_cache, Cache.PAD_TO_ASPECT_RATIO, seed=seed)
    scale = least_scale + (most_scale - least_scale) * share
    canvas = tf.maximum(tf.cast(tf.round(least * scale), tf.int32), tf.shape(image)[:2])
    return put_on_canvas(
        image, boxes, masks, keypoints, densepose_surface_coords, tf.zeros([2], tf.int32), canvas
    )
