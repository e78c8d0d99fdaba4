"""Geometry of targets that live on a grid of pixels, as in detectors of centres (CenterNet).

Axes:   N instances or points, K keypoints, C channels, R neighbours of a pixel.
Frames: all coordinates are in pixels of the output, pixel i has the coordinate i.
Source: Objects as Points, arXiv:1904.07850; CornerNet, arXiv:1808.01244.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf


def image_shape_to_grids(height: Any, width: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """The y and the x of each pixel, two float tensors [height, width]."""
    rows = tf.range(tf.cast(height, tf.int32))
    columns = tf.range(tf.cast(width, tf.int32))
    y_grid, x_grid = tf.meshgrid(rows, columns, indexing="ij")
    return tf.cast(y_grid, tf.float32), tf.cast(x_grid, tf.float32)


def _column(vector: tf.Tensor) -> tf.Tensor:
    """[N] -> [N, 1, 1], to broadcast over a grid."""
    return tf.reshape(vector, [-1, 1, 1])


def _largest_of_channel(
    maps: tf.Tensor, channel_onehot: tf.Tensor, weights: tf.Tensor | None, sparse: bool
) -> tf.Tensor:
    """The largest weighted value of each pixel and channel, 0 where there is none.

    Args:
        maps: [N, height, width], not negative.
        channel_onehot: [N, C].
        weights: [N], or None for ones.
        sparse: use memory for the pairs of instance and channel that exist, not for all N * C.

    Returns:
        [height, width, C].
    """
    if weights is not None:
        maps *= _column(weights)
    if not sparse:
        by_channel = maps[..., tf.newaxis] * channel_onehot[:, tf.newaxis, tf.newaxis, :]
        # The largest of no instance is -inf.
        return tf.maximum(tf.reduce_max(by_channel, axis=0), 0.0)
    pairs = tf.where(channel_onehot > 0)
    values = tf.gather(maps, pairs[:, 0]) * _column(tf.gather_nd(channel_onehot, pairs))
    count = tf.shape(channel_onehot)[1]
    heatmap = tf.maximum(tf.math.unsorted_segment_max(values, pairs[:, 1], count), 0.0)
    heatmap = tf.transpose(heatmap, [1, 2, 0])
    heatmap.set_shape([*maps.shape.as_list()[1:], channel_onehot.shape.as_list()[1]])
    return heatmap


def coordinates_to_heatmap(
    y_grid: tf.Tensor,
    x_grid: tf.Tensor,
    y_coordinates: tf.Tensor,
    x_coordinates: tf.Tensor,
    sigma: tf.Tensor,
    channel_onehot: tf.Tensor,
    channel_weights: tf.Tensor | None = None,
    sparse: bool = False,
) -> tf.Tensor:
    """Gaussians around points, the largest where they overlap (arXiv:1904.07850, section 3).

    A point counts for the pixel that contains it, so each Gaussian reaches its 1 in a pixel.

    Args:
        y_grid: [height, width], y of each pixel.
        x_grid: [height, width], x of each pixel.
        y_coordinates: [N].
        x_coordinates: [N].
        sigma: [N] standard deviations in pixels.
        channel_onehot: [N, C] channel of each point.
        channel_weights: [N] factors of the Gaussians.
        sparse: do without the tensor [height, width, N, C]; the result is the same.

    Returns:
        [height, width, C].
    """
    channel_onehot = tf.convert_to_tensor(channel_onehot)
    y_distance = y_grid[tf.newaxis] - _column(tf.floor(y_coordinates))
    x_distance = x_grid[tf.newaxis] - _column(tf.floor(x_coordinates))
    squared = tf.square(y_distance) + tf.square(x_distance)
    gaussians = tf.exp(-squared / (2.0 * tf.square(_column(sigma))))
    return tf.stop_gradient(_largest_of_channel(gaussians, channel_onehot, channel_weights, sparse))


def coordinates_to_iou(
    y_grid: tf.Tensor,
    x_grid: tf.Tensor,
    blist: Any,
    channels_onehot: tf.Tensor,
    weights: tf.Tensor | None = None,
) -> tf.Tensor:
    """For each pixel the IoU of a box with itself moved so that its centre is that pixel.

    Args:
        y_grid: [height, width], y of each pixel.
        x_grid: [height, width], x of each pixel.
        blist: `BoxList` of N boxes, or [N, 4].
        channels_onehot: [N, C] channel of each box.
        weights: [N] factors of the boxes.

    Returns:
        [height, width, C], the largest of each channel.
    """
    boxes = blist.get() if hasattr(blist, "get") else tf.convert_to_tensor(blist)
    ymin, xmin, ymax, xmax = (_column(part) for part in tf.unstack(boxes, num=4, axis=1))
    height, width = ymax - ymin, xmax - xmin
    # Two boxes of one size overlap by what the distance of their centres leaves of it.
    y_distance = tf.abs(y_grid[tf.newaxis] - (ymin + ymax) / 2.0)
    x_distance = tf.abs(x_grid[tf.newaxis] - (xmin + xmax) / 2.0)
    common = tf.maximum(height - y_distance, 0.0) * tf.maximum(width - x_distance, 0.0)
    iou = tf.math.divide_no_nan(common, 2.0 * height * width - common)
    return tf.stop_gradient(_largest_of_channel(iou, channels_onehot, weights, sparse=False))


def compute_floor_offsets_with_indices(
    y_source: tf.Tensor,
    x_source: tf.Tensor,
    y_target: tf.Tensor | None = None,
    x_target: tf.Tensor | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Pixels that contain the sources, and the way from there to the targets.

    Args:
        y_source: [N], or [N, R] for several pixels a point.
        x_source: the same shape.
        y_target: [N], or the shape of the sources; the sources themselves by default.
        x_target: the same shape.

    Returns:
        Offsets (y, x) float [N, 2] or [N, R, 2], and pixels (y, x) int32 of the same shape.

    Raises:
        ValueError: targets that do not fit the sources.
    """
    source = tf.stack([tf.convert_to_tensor(y_source), tf.convert_to_tensor(x_source)], axis=-1)
    target = source
    if y_target is not None and x_target is not None:
        target = tf.stack([tf.convert_to_tensor(y_target), tf.convert_to_tensor(x_target)], axis=-1)
        fits = source.shape.is_compatible_with(target.shape)
        if source.shape.rank == 3 and target.shape.rank == 2:
            fits = source.shape[:1].is_compatible_with(target.shape[:1])
            target = target[:, tf.newaxis]
        if not fits:
            raise ValueError(
                f"Targets {y_target.shape} do not fit sources {y_source.shape}: give as many "
                "points, or one target for each row of sources."
            )
    pixel = tf.floor(source)
    return target - pixel, tf.cast(pixel, tf.int32)


def get_valid_keypoint_mask_for_class(
    keypoint_coordinates: tf.Tensor,
    class_id: int,
    class_onehot: tf.Tensor,
    class_weights: tf.Tensor | None = None,
    keypoint_indices: Sequence[int] | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Which keypoints of a class can be learnt, and coordinates without NaN.

    Args:
        keypoint_coordinates: [N, K, 2]; NaN is absent.
        class_id: the class, from 0.
        class_onehot: [N, C] class of each instance.
        class_weights: [N] weights of the instances.
        keypoint_indices: the keypoints of the result; all by default.

    Returns:
        Weights [N, K'], 0 where the keypoint is absent or the class another, and coordinates
        [N, K', 2] with 0 for NaN.
    """
    keypoints = tf.convert_to_tensor(keypoint_coordinates)
    known = ~tf.math.is_nan(keypoints)
    weights = tf.cast(tf.convert_to_tensor(class_onehot)[:, class_id], tf.float32)
    if class_weights is not None:
        weights *= class_weights
    mask = tf.cast(tf.reduce_all(known, axis=-1), tf.float32) * weights[:, tf.newaxis]
    keypoints = tf.where(known, keypoints, tf.zeros_like(keypoints))
    if keypoint_indices is not None:
        indices = tf.convert_to_tensor(keypoint_indices, tf.int32)
        mask, keypoints = tf.gather(mask, indices, axis=1), tf.gather(keypoints, indices, axis=1)
    return mask, keypoints


def blackout_pixel_weights_by_box_regions(
    height: Any,
    width: Any,
    boxes: tf.Tensor,
    blackout: tf.Tensor,
    weights: tf.Tensor | None = None,
    boxes_scale: float = 1.0,
) -> tf.Tensor:
    """Weights of pixels: 1 outside all boxes, a box's weight inside, 0 where it is blacked out.

    Where boxes overlap the largest weight counts, but a blacked out box beats all others.

    Args:
        height: of the result.
        width: of the result.
        boxes: [N, 4], in pixels.
        blackout: [N] booleans.
        weights: [N] weights of the boxes; ones by default.
        boxes_scale: factor of the sides of the boxes, about their centres.

    Returns:
        [height, width].
    """
    boxes = tf.convert_to_tensor(boxes)
    if boxes_scale != 1.0:
        center, half = (boxes[:, :2] + boxes[:, 2:]) / 2.0, (boxes[:, 2:] - boxes[:, :2]) / 2.0
        boxes = tf.concat([center - half * boxes_scale, center + half * boxes_scale], axis=1)
    ymin, xmin, ymax, xmax = (_column(part) for part in tf.unstack(boxes, num=4, axis=1))
    y_grid, x_grid = image_shape_to_grids(height, width)
    inside = (y_grid >= ymin) & (y_grid < ymax) & (x_grid >= xmin) & (x_grid < xmax)
    black = tf.reduce_any(inside & _column(tf.cast(blackout, tf.bool)), axis=0)
    if weights is None:
        weights = tf.ones(tf.shape(boxes)[:1])
    ones = tf.ones_like(y_grid)
    of_boxes = tf.where(
        inside,
        tf.broadcast_to(_column(tf.cast(weights, tf.float32)), tf.shape(inside)),
        tf.fill(tf.shape(inside), tf.float32.min),
    )
    result = tf.where(tf.reduce_any(inside, axis=0), tf.reduce_max(of_boxes, axis=0), ones)
    return tf.where(black, tf.zeros_like(result), result)


def get_surrounding_grids(
    height: Any, width: Any, y_coordinates: tf.Tensor, x_coordinates: tf.Tensor, radius: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The pixels that contain points, and those around them, row by row.

    Args:
        height: of the grid.
        width: of the grid.
        y_coordinates: [N].
        x_coordinates: [N].
        radius: largest distance of a pixel from the one that contains the point; 0 for that alone.

    Returns:
        y and x of the pixels, float [N, R], and whether each lies in the grid, [N, R] booleans;
        those that do not are (0, 0).
    """
    reach = range(-radius, radius + 1)
    steps = [(y, x) for y in reach for x in reach if y * y + x * x <= radius * radius]
    y_steps, x_steps = (tf.constant(part, tf.float32) for part in zip(*steps, strict=True))
    y_pixels = tf.floor(y_coordinates)[:, tf.newaxis] + y_steps
    x_pixels = tf.floor(x_coordinates)[:, tf.newaxis] + x_steps
    valid = (y_pixels >= 0) & (y_pixels < tf.cast(height, tf.float32))
    valid &= (x_pixels >= 0) & (x_pixels < tf.cast(width, tf.float32))
    zeros = tf.zeros_like(y_pixels)
    return tf.where(valid, y_pixels, zeros), tf.where(valid, x_pixels, zeros), valid
