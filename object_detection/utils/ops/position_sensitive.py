"""Position-sensitive pooling of regions (R-FCN, arXiv:1605.06409, section 2.2)."""

from collections.abc import Sequence

import tensorflow.compat.v1 as tf


def position_sensitive_crop_regions(
    image: tf.Tensor,
    boxes: tf.Tensor,
    crop_size: Sequence[int],
    num_spatial_bins: Sequence[int],
    global_pool: bool,
) -> tf.Tensor:
    """Each cell of a grid over the box is cut out of the channels that belong to it.

    Args:
        image: [H, W, bins_y * bins_x * C].
        boxes: [N, 4], normalised.
        crop_size: (height, width) of the result, multiples of the numbers of bins.
        num_spatial_bins: (bins_y, bins_x).
        global_pool: whether to average over the whole box.

    Returns:
        [N, 1, 1, C] with `global_pool`, else [N, height, width, C].

    Raises:
        ValueError: sizes that are not multiples, bins below 1, or bins that are not square without
            `global_pool`.
    """
    return batch_position_sensitive_crop_regions(
        image[tf.newaxis], boxes[tf.newaxis], crop_size, num_spatial_bins, global_pool
    )[0]


def batch_position_sensitive_crop_regions(
    images: tf.Tensor,
    boxes: tf.Tensor,
    crop_size: Sequence[int],
    num_spatial_bins: Sequence[int],
    global_pool: bool,
    parallel_iterations: int = 64,
) -> tf.Tensor:
    """`position_sensitive_crop_regions` of [B, H, W, channels] and [B, N, 4].

    Raises:
        ValueError: sizes that are not multiples, bins below 1, or bins that are not square without
            `global_pool`.
    """
    del parallel_iterations
    bins_y, bins_x = num_spatial_bins
    for size, bins in zip(crop_size, num_spatial_bins, strict=True):
        if bins < 1:
            raise ValueError(f"num_spatial_bins should be at least 1, got {bins}.")
        if size % bins:
            raise ValueError(f"crop_size {size} should be a multiple of num_spatial_bins {bins}.")
    if not global_pool and crop_size[0] // bins_y != crop_size[1] // bins_x:
        raise ValueError(
            f"Without global_pool the bins should be square; crop_size {list(crop_size)} and "
            f"num_spatial_bins {list(num_spatial_bins)} give other ones."
        )
    images, boxes = tf.convert_to_tensor(images), tf.convert_to_tensor(boxes)
    channels = images.shape.as_list()[3]
    if channels % (bins_y * bins_x):
        raise ValueError(f"{channels} channels should be a multiple of the {bins_y * bins_x} bins.")
    shape = tf.shape(boxes)
    picture = tf.repeat(tf.range(shape[0]), shape[1])
    flat = tf.reshape(boxes, [-1, 4])
    ymin, xmin, ymax, xmax = tf.unstack(flat, num=4, axis=1)
    step_y, step_x = (ymax - ymin) / bins_y, (xmax - xmin) / bins_x
    cell = [crop_size[0] // bins_y, crop_size[1] // bins_x]
    rows = []
    parts = tf.split(images, bins_y * bins_x, axis=3)
    for row in range(bins_y):
        columns = []
        for column in range(bins_x):
            corners = [
                ymin + row * step_y,
                xmin + column * step_x,
                ymin + (row + 1) * step_y,
                xmin + (column + 1) * step_x,
            ]
            columns.append(
                tf.image.crop_and_resize(
                    parts[row * bins_x + column], tf.stack(corners, axis=1), picture, cell
                )
            )
        rows.append(tf.concat(columns, axis=2))
    crops = tf.concat(rows, axis=1)
    if global_pool:
        crops = tf.reduce_mean(crops, axis=[1, 2], keepdims=True)
    result_size = [1, 1] if global_pool else list(crop_size)
    depth = channels // (bins_y * bins_x)
    result = tf.reshape(crops, [shape[0], shape[1], *result_size, depth])
    result.set_shape([images.shape[0], boxes.shape[1], *result_size, depth])
    return result
