"""What the second stage sees of each region, and what its predictor says of it.

Axes: B images, P regions of each, R = B * P, C classes; a code has `code_size` numbers.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.utils import ops, shape_utils

# Side of the pictures that backbones were pretrained on (arXiv:1612.03144, section 4.2).
_PRETRAINING_SIZE = 224.0


def levels(boxes: tf.Tensor, num_levels: int, image_shape: tf.Tensor) -> tf.Tensor | None:
    """[B, P] int32: the feature map of each region [B, P, 4]; None where there is one map only."""
    if num_levels == 1:
        return None
    area = tf.cast(image_shape[1] * image_shape[2], tf.float32)
    flat = ops.fpn_feature_levels(
        num_levels,
        num_levels - 2,
        tf.sqrt(area) / _PRETRAINING_SIZE,
        tf.reshape(boxes, [-1, 4]),
    )
    return tf.reshape(flat, tf.shape(boxes)[:2])


def crops(
    features: Sequence[tf.Tensor],
    boxes: tf.Tensor,
    image_shape: tf.Tensor,
    crop_and_resize_fn: Callable[..., tf.Tensor],
    crop_size: int,
    maxpool_kernel_size: int,
    maxpool_stride: int,
) -> tf.Tensor:
    """Features of regions, all of one size.

    Args:
        features: maps [B, h_i, w_i, C].
        boxes: [B, P, 4], normalised to the padded picture.
        image_shape: [4] int32.
        crop_and_resize_fn: (maps, boxes, levels, size) -> [B, P, height, width, C].
        crop_size: side of a crop.
        maxpool_kernel_size: of the pooling above it.
        maxpool_stride: of the pooling above it.

    Returns:
        [R, side, side, C].
    """
    # The boxes are the second stage's input, not its result: no gradient goes through them.
    boxes = tf.stop_gradient(boxes)
    cropped = crop_and_resize_fn(
        features, boxes, levels(boxes, len(features), image_shape), [crop_size, crop_size]
    )
    flat = shape_utils.flatten_first_n_dimensions(cropped, 2)
    batch, count = boxes.shape.as_list()[:2]
    rows = None if batch is None or count is None else batch * count
    flat.set_shape([rows, crop_size, crop_size, features[0].shape.as_list()[3]])
    return slim.max_pool2d(
        flat, [maxpool_kernel_size, maxpool_kernel_size], stride=maxpool_stride, padding="VALID"
    )


def rows_of(prediction: Any, axes: int, name: str) -> tf.Tensor:
    """What a predictor says of regions, as [R, ...] with `axes` axes besides the first.

    Args:
        prediction: a tensor, or a list of one for each feature map, which is to be one; axes of
            size 1 may stand between.
        axes: axes of what is predicted for a region.
        name: of the result.
    """
    if isinstance(prediction, list | tuple):
        prediction = tf.concat(prediction, axis=1)
    shape = prediction.shape.as_list()
    between = range(1, len(shape) - axes)
    return tf.squeeze(prediction, axis=list(between), name=name) if between else prediction


def of_class(tensor: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """What each region has for its class.

    Args:
        tensor: [..., 1 or C, ...], the axis of the classes right after those of `classes`.
        classes: [...] int32, from 0.

    Returns:
        [..., ...] without the axis of the classes.
    """
    axis = classes.shape.rank
    if tensor.shape.as_list()[axis] == 1:
        return tf.squeeze(tensor, axis=axis)
    return tf.gather(tensor, classes, axis=axis, batch_dims=axis)
