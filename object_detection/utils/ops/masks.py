"""Masks between the frame of a box and that of its picture."""

import tensorflow.compat.v1 as tf


def reframe_image_corners_relative_to_boxes(boxes: tf.Tensor) -> tf.Tensor:
    """[N, 4] normalised boxes -> where the picture's corners lie, seen from each box [N, 4]."""
    ymin, xmin, ymax, xmax = tf.unstack(boxes, num=4, axis=1)
    height, width = tf.maximum(ymax - ymin, 1e-9), tf.maximum(xmax - xmin, 1e-9)
    return tf.stack(
        [-ymin / height, -xmin / width, (1.0 - ymin) / height, (1.0 - xmin) / width], axis=1
    )


def reframe_box_masks_to_image_masks(
    box_masks: tf.Tensor,
    boxes: tf.Tensor,
    image_height: int,
    image_width: int,
    resize_method: str = "bilinear",
) -> tf.Tensor:
    """Masks in the frames of their boxes -> masks of the whole picture.

    Args:
        box_masks: [N, height, width].
        boxes: [N, 4], normalised.
        image_height: of the result.
        image_width: of the result.
        resize_method: `bilinear` or `nearest`.

    Returns:
        [N, image_height, image_width], of the type of `box_masks`; 0 outside the boxes.
    """
    masks = tf.cast(box_masks, tf.float32)[..., tf.newaxis]
    whole = tf.image.crop_and_resize(
        masks,
        reframe_image_corners_relative_to_boxes(boxes),
        tf.range(tf.shape(boxes)[0]),
        [image_height, image_width],
        method=resize_method,
        extrapolation_value=0.0,
    )
    return tf.cast(tf.squeeze(whole, axis=3), box_masks.dtype)
