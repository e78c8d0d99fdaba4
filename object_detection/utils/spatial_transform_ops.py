"""Cutting boxes out of feature maps, bilinearly.

Axes:   B images, N boxes of each, H and W of a feature map, C channels; a crop has h x w cells.
Frames: boxes are normalised; 0 is the centre of the first pixel, 1 that of the last, as for
`tf.image.crop_and_resize`.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.utils import shape_utils


def box_grid_coordinate_vectors(
    boxes: tf.Tensor, size_y: Any, size_x: Any, align_corners: bool = False
) -> tuple[tf.Tensor, tf.Tensor]:
    """Rows and columns of an even grid of points over each box.

    Args:
        boxes: [B, N, 4].
        size_y: points in y.
        size_x: points in x.
        align_corners: the outermost points are those of the box; else each point is the middle of
            its cell.

    Returns:
        y [B, N, size_y] and x [B, N, size_x].
    """
    boxes = tf.convert_to_tensor(boxes)
    ymin, xmin, ymax, xmax = tf.unstack(boxes, num=4, axis=-1)

    def points(low: tf.Tensor, high: tf.Tensor, size: Any) -> tf.Tensor:
        places, count = tf.cast(tf.range(size), boxes.dtype), tf.cast(size, boxes.dtype)
        shares = (places + 0.5) / count
        if align_corners:
            # A single point lies in the middle in any case.
            shares = tf.where(count > 1, places / tf.maximum(count - 1, 1), shares)
        return low[..., tf.newaxis] + (high - low)[..., tf.newaxis] * shares

    return points(ymin, ymax, size_y), points(xmin, xmax, size_x)


def feature_grid_coordinate_vectors(
    box_grid_y: tf.Tensor, box_grid_x: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """The pixels around points: y and x of the ones before, then y and x of the ones after.

    Args:
        box_grid_y: [B, N, h], in pixels.
        box_grid_x: [B, N, w], in pixels.

    Returns:
        Four int32 tensors, of the shapes of `box_grid_y`, `box_grid_x`, and these again.
    """
    y, x = (tf.cast(tf.floor(grid), tf.int32) for grid in (box_grid_y, box_grid_x))
    return y, x, y + 1, x + 1


def ravel_indices(
    feature_grid_y: tf.Tensor,
    feature_grid_x: tf.Tensor,
    num_levels: Any,
    height: Any,
    width: Any,
    box_levels: tf.Tensor,
) -> tf.Tensor:
    """Rows of features [B * levels * height * width, C] at each crossing of two vectors.

    Args:
        feature_grid_y: [B, N, h] int32.
        feature_grid_x: [B, N, w] int32.
        num_levels: feature maps.
        height: of each map.
        width: of each map.
        box_levels: [B, N] int32 map of each box.

    Returns:
        [B * N * h * w] int32.
    """
    pictures = tf.range(tf.shape(feature_grid_y)[0])[:, tf.newaxis]
    maps = (pictures * num_levels + box_levels)[..., tf.newaxis]
    rows = (maps * height + feature_grid_y) * width
    indices = rows[..., tf.newaxis] + feature_grid_x[:, :, tf.newaxis]
    return tf.reshape(indices, [-1])


def pad_to_max_size(features: Sequence[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Stacks feature maps of different sizes, zeros below and to the right of the smaller ones.

    Args:
        features: maps [B, H_i, W_i, C].

    Returns:
        [B, maps, H, W, C] with the largest H and W, and the true sizes [maps, 2] int32.
    """
    features = [tf.convert_to_tensor(one) for one in features]
    shapes = [shape_utils.combined_static_and_dynamic_shape(one) for one in features]

    def largest(axis: int) -> Any:
        sizes = [shape[axis] for shape in shapes]
        known = all(isinstance(size, int) for size in sizes)
        return max(sizes) if known else tf.reduce_max(tf.stack(sizes))

    height, width = largest(1), largest(2)
    padded = [
        tf.pad(one, [[0, 0], [0, height - shape[1]], [0, width - shape[2]], [0, 0]])
        for one, shape in zip(features, shapes, strict=True)
    ]
    sizes = tf.stack([tf.stack([shape[1], shape[2]]) for shape in shapes])
    return tf.stack(padded, axis=1), sizes


def multilevel_roi_align(
    features: Sequence[tf.Tensor],
    boxes: tf.Tensor,
    box_levels: tf.Tensor,
    output_size: Sequence[int],
    num_samples_per_cell_y: int = 1,
    num_samples_per_cell_x: int = 1,
    align_corners: bool = False,
    extrapolation_value: float = 0.0,
    scope: str | None = None,
) -> tf.Tensor:
    """Means of bilinear samples in each cell of a grid over boxes (Mask R-CNN, arXiv:1703.06870).

    Args:
        features: maps [B, H_i, W_i, C].
        boxes: [B, N, 4], normalised.
        box_levels: [B, N] int32, the map that each box is cut out of.
        output_size: (height, width) of the crops.
        num_samples_per_cell_y: samples of a cell in y.
        num_samples_per_cell_x: samples of a cell in x.
        align_corners: the outermost samples lie on the edges of the box, not half a step inside.
        extrapolation_value: stands for pixels outside the map.
        scope: name scope.

    Returns:
        [B, N, height, width, C].
    """
    with tf.name_scope(scope, "MultiLevelRoIAlign"):
        boxes = tf.convert_to_tensor(boxes)
        stacked, sizes = pad_to_max_size(features)
        shape = shape_utils.combined_static_and_dynamic_shape(stacked)
        pictures, count = shape_utils.combined_static_and_dynamic_shape(boxes)[:2]
        box_levels = tf.cast(box_levels, tf.int32)
        true_size = tf.gather(sizes, box_levels)
        last_pixel = tf.cast(true_size - 1, boxes.dtype)
        corners = boxes * tf.concat([last_pixel, last_pixel], axis=-1)
        height, width = output_size
        size_y, size_x = height * num_samples_per_cell_y, width * num_samples_per_cell_x
        grid_y, grid_x = box_grid_coordinate_vectors(corners, size_y, size_x, align_corners)
        y0, x0, y1, x1 = feature_grid_coordinate_vectors(grid_y, grid_x)
        after_y = tf.cast(grid_y, stacked.dtype) - tf.cast(y0, stacked.dtype)
        after_x = tf.cast(grid_x, stacked.dtype) - tf.cast(x0, stacked.dtype)
        table = tf.reshape(stacked, [-1, shape[4]])
        samples = tf.zeros([], stacked.dtype)
        for y, share_y in ((y0, 1.0 - after_y), (y1, after_y)):
            for x, share_x in ((x0, 1.0 - after_x), (x1, after_x)):
                inside = _inside(y, true_size[..., :1])[..., tf.newaxis]
                inside &= _inside(x, true_size[..., 1:])[:, :, tf.newaxis]
                indices = ravel_indices(y, x, shape[1], shape[2], shape[3], box_levels)
                indices = tf.where(tf.reshape(inside, [-1]), indices, tf.zeros_like(indices))
                found = tf.reshape(
                    tf.gather(table, indices), tf.stack([pictures, count, size_y, size_x, shape[4]])
                )
                found = tf.where(
                    tf.broadcast_to(inside[..., tf.newaxis], tf.shape(found)),
                    found,
                    tf.fill(tf.shape(found), tf.cast(extrapolation_value, found.dtype)),
                )
                weight = share_y[..., tf.newaxis] * share_x[:, :, tf.newaxis]
                samples += found * weight[..., tf.newaxis]
        cells = tf.reshape(
            samples,
            tf.stack(
                [
                    pictures * count,
                    height,
                    num_samples_per_cell_y,
                    width,
                    num_samples_per_cell_x * shape[4],
                ]
            ),
        )
        cells = tf.reduce_mean(cells, axis=2)
        cells = tf.reshape(
            cells,
            tf.stack([pictures, count, height, width, num_samples_per_cell_x, shape[4]]),
        )
        return tf.reduce_mean(cells, axis=4)


def _inside(pixels: tf.Tensor, sizes: tf.Tensor) -> tf.Tensor:
    return (pixels >= 0) & (pixels < sizes)


def _by_level(crops: Sequence[tf.Tensor], box_levels: tf.Tensor) -> tf.Tensor:
    """Of one crop [B, N, h, w, C] from each map, the one of each box's own map."""
    result = tf.zeros_like(crops[0])
    for level, crop in enumerate(crops):
        chosen = tf.equal(box_levels, level)[..., tf.newaxis, tf.newaxis, tf.newaxis]
        result = tf.where(tf.broadcast_to(chosen, tf.shape(crop)), crop, result)
    return result


def multilevel_native_crop_and_resize(
    images: Sequence[tf.Tensor],
    boxes: tf.Tensor,
    box_levels: tf.Tensor | None,
    crop_size: Sequence[int],
    scope: str | None = None,
) -> tf.Tensor:
    """`native_crop_and_resize` out of several maps.

    Args:
        images: maps [B, H_i, W_i, C].
        boxes: [B, N, 4], normalised.
        box_levels: [B, N] the map of each box; None for the first map.
        crop_size: (height, width) of the crops.
        scope: name scope.

    Returns:
        [B, N, height, width, C].
    """
    if box_levels is None:
        return native_crop_and_resize(images[0], boxes, crop_size, scope)
    crops = [native_crop_and_resize(image, boxes, crop_size, scope) for image in images]
    return _by_level(crops, box_levels)


def native_crop_and_resize(
    image: tf.Tensor, boxes: tf.Tensor, crop_size: Sequence[int], scope: str | None = None
) -> tf.Tensor:
    """`tf.image.crop_and_resize` for the same number of boxes in each picture.

    Args:
        image: [B, H, W, C].
        boxes: [B, N, 4], normalised.
        crop_size: (height, width) of the crops.
        scope: name scope.

    Returns:
        [B, N, height, width, C] float.
    """
    with tf.name_scope(scope, "CropAndResize"):
        image, boxes = tf.convert_to_tensor(image), tf.convert_to_tensor(boxes)
        pictures, count = shape_utils.combined_static_and_dynamic_shape(boxes)[:2]
        crops = tf.image.crop_and_resize(
            image,
            tf.reshape(boxes, [-1, 4]),
            tf.repeat(tf.range(pictures), count),
            list(crop_size),
        )
        result = tf.reshape(crops, tf.concat([[pictures, count], tf.shape(crops)[1:]], axis=0))
        result.set_shape([*boxes.shape.as_list()[:2], *crops.shape.as_list()[1:]])
        return result


def multilevel_matmul_crop_and_resize(
    images: Sequence[tf.Tensor],
    boxes: tf.Tensor,
    box_levels: tf.Tensor | None,
    crop_size: Sequence[int],
    extrapolation_value: float = 0.0,
    scope: str | None = None,
) -> tf.Tensor:
    """`matmul_crop_and_resize` out of several maps.

    Args:
        images: maps [B, H_i, W_i, C].
        boxes: [B, N, 4], normalised.
        box_levels: [B, N] the map of each box; None for the first map.
        crop_size: (height, width) of the crops.
        extrapolation_value: stands for points outside the map.
        scope: name scope.

    Returns:
        [B, N, height, width, C].

    Raises:
        ValueError: see `matmul_crop_and_resize`.
    """
    if box_levels is None:
        return matmul_crop_and_resize(images[0], boxes, crop_size, extrapolation_value, scope)
    crops = [
        matmul_crop_and_resize(image, boxes, crop_size, extrapolation_value, scope)
        for image in images
    ]
    return _by_level(crops, box_levels)


def matmul_crop_and_resize(
    image: tf.Tensor,
    boxes: tf.Tensor,
    crop_size: Sequence[int],
    extrapolation_value: float = 0.0,
    scope: str | None = None,
) -> tf.Tensor:
    """`tf.image.crop_and_resize` by two matrix products, for hardware on which that is faster.

    Args:
        image: [B, H, W, C], of any float type.
        boxes: [B, N, 4], normalised.
        crop_size: (height, width) of the crops.
        extrapolation_value: stands for points outside the picture.
        scope: name scope.

    Returns:
        [B, N, height, width, C], of the type of `image`.

    Raises:
        ValueError: tensors of other ranks, boxes without four numbers, or a crop size that is not
            two positive numbers.
    """
    image, boxes = tf.convert_to_tensor(image), tf.convert_to_tensor(boxes)
    if image.shape.rank != 4:
        raise ValueError(f"image should be [B, H, W, C], got {image.shape}.")
    if boxes.shape.rank != 3 or boxes.shape.as_list()[2] not in (4, None):
        raise ValueError(f"boxes should be [B, N, 4], got {boxes.shape}.")
    if not isinstance(crop_size, list | tuple) or len(crop_size) != 2 or min(crop_size) < 1:
        raise ValueError(f"crop_size should be two positive numbers, got {crop_size!r}.")
    with tf.name_scope(scope, "MatMulCropAndResize"):
        _, height, width, _ = shape_utils.combined_static_and_dynamic_shape(image)
        ymin, xmin, ymax, xmax = tf.unstack(tf.cast(boxes, image.dtype), num=4, axis=-1)
        rows, rows_inside = _interpolation(ymin, ymax, crop_size[0], height)
        columns, columns_inside = _interpolation(xmin, xmax, crop_size[1], width)
        picked = tf.einsum("bnhy,byxc->bnhxc", rows, image)
        crops = tf.einsum("bnwx,bnhxc->bnhwc", columns, picked)
        inside = rows_inside[..., tf.newaxis] & columns_inside[:, :, tf.newaxis]
        inside = tf.broadcast_to(inside[..., tf.newaxis], tf.shape(crops))
        outside = tf.fill(tf.shape(crops), tf.cast(extrapolation_value, crops.dtype))
        return tf.where(inside, crops, outside)


def _interpolation(
    low: tf.Tensor, high: tf.Tensor, points: int, size: Any
) -> tuple[tf.Tensor, tf.Tensor]:
    """Weights [B, N, points, size] of pixels for even points from low to high [B, N], and whether
    each point lies in the picture.
    """
    last = tf.cast(size - 1, low.dtype)
    if points > 1:
        shares = tf.cast(tf.range(points), low.dtype) / (points - 1)
        places = low[..., tf.newaxis] + (high - low)[..., tf.newaxis] * shares
    else:
        places = ((low + high) / 2)[..., tf.newaxis]
    places *= last
    distance = tf.abs(places[..., tf.newaxis] - tf.cast(tf.range(size), low.dtype))
    return tf.maximum(1 - distance, 0), (places >= 0) & (places <= last)
