"""Arithmetic on tensors of boxes [ymin, xmin, ymax, xmax] that needs no `BoxList`."""

import tensorflow.compat.v1 as tf


def normalized_to_image_coordinates(
    normalized_boxes: tf.Tensor, image_shape: tf.Tensor, parallel_iterations: int = 32
) -> tf.Tensor:
    """[B, N, 4] shares of the picture -> pixels; `image_shape` is [B, height, width, channels]."""
    del parallel_iterations
    height, width = (tf.cast(image_shape[axis], normalized_boxes.dtype) for axis in (1, 2))
    return normalized_boxes * tf.stack([height, width, height, width])


def center_to_corner_coordinate(input_tensor: tf.Tensor) -> tf.Tensor:
    """[..., 4] (y, x of the centre, height, width) -> [ymin, xmin, ymax, xmax]."""
    center, size = input_tensor[..., :2], input_tensor[..., 2:]
    return tf.concat([center - size / 2.0, center + size / 2.0], axis=-1)


def giou(boxes1: tf.Tensor, boxes2: tf.Tensor) -> tf.Tensor:
    """Generalised IoU (arXiv:1902.09630) of each row with its partner: [N, 4], [N, 4] -> [N]."""

    def area(corners: tf.Tensor) -> tf.Tensor:
        return tf.reduce_prod(tf.maximum(corners[..., 2:] - corners[..., :2], 0.0), axis=-1)

    common = area(
        tf.concat(
            [
                tf.maximum(boxes1[..., :2], boxes2[..., :2]),
                tf.minimum(boxes1[..., 2:], boxes2[..., 2:]),
            ],
            axis=-1,
        )
    )
    enclosing = area(
        tf.concat(
            [
                tf.minimum(boxes1[..., :2], boxes2[..., :2]),
                tf.maximum(boxes1[..., 2:], boxes2[..., 2:]),
            ],
            axis=-1,
        )
    )
    union = area(boxes1) + area(boxes2) - common
    return tf.math.divide_no_nan(common, union) - tf.math.divide_no_nan(
        enclosing - union, enclosing
    )


def dense_to_sparse_boxes(
    dense_locations: tf.Tensor, dense_num_boxes: tf.Tensor, num_classes: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Boxes and their classes, from boxes in the order of classes and their numbers.

    Args:
        dense_locations: [M, 4]; the boxes of class 0 first, then those of class 1, ...
        dense_num_boxes: [num_classes], boxes of each class.
        num_classes: number of classes.

    Returns:
        [N, 4] boxes and [N] classes; N is the sum of `dense_num_boxes`.
    """
    dense_num_boxes = tf.convert_to_tensor(dense_num_boxes)
    locations = tf.convert_to_tensor(dense_locations)[: tf.reduce_sum(dense_num_boxes)]
    locations.set_shape([None, 4])
    classes = tf.repeat(tf.range(num_classes), dense_num_boxes[:num_classes])
    return locations, classes


def fpn_feature_levels(
    num_levels: int, unit_scale_index: int, image_ratio: float, boxes: tf.Tensor
) -> tf.Tensor:
    """Level of a feature pyramid for each box (arXiv:1612.03144, equation 1).

    Args:
        num_levels: number of levels.
        unit_scale_index: level of a box as large as the pictures of the pretraining.
        image_ratio: side of the network's input over that of the pretraining's pictures.
        boxes: [N, 4], normalised.

    Returns:
        [N] int32 in [0, num_levels).
    """
    heights, widths = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    sizes = tf.sqrt(tf.maximum(heights * widths, 1e-12))
    levels = tf.floor(tf.log(sizes * image_ratio) / tf.log(2.0))
    levels = tf.cast(levels, tf.int32) + unit_scale_index
    return tf.maximum(0, tf.minimum(num_levels - 1, levels))


def merge_boxes_with_multiple_labels(
    boxes: tf.Tensor,
    classes: tf.Tensor,
    confidences: tf.Tensor,
    num_classes: int,
    quantization_bins: int = 10000,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """One row for boxes that are the same, with all their classes.

    Args:
        boxes: [M, 4], normalised.
        classes: [M] from 0.
        confidences: [M].
        num_classes: C.
        quantization_bins: boxes that agree in units of one over this are the same.

    Returns:
        Boxes [N, 4] in the order of their first appearance, classes [N, C] (k-hot, int32),
        confidences [N, C] (the largest of each class), and for each the row of `boxes` [N] that
        it was first.
    """
    steps = tf.cast(tf.round(boxes * quantization_bins), tf.int64)
    first, inverse = _unique_rows(steps)
    count = tf.shape(first)[0]
    place = tf.stack([inverse, tf.cast(classes, tf.int32)], axis=1)
    shape = [count, num_classes]
    khot = tf.minimum(tf.scatter_nd(place, tf.ones_like(inverse), shape), 1)
    merged = tf.tensor_scatter_nd_max(tf.zeros(shape, confidences.dtype), place, confidences)
    result = tf.gather(boxes, first), khot, merged, first
    result[1].set_shape([None, num_classes])
    result[2].set_shape([None, num_classes])
    return result


def _unique_rows(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """First appearance of each distinct row [N], and which of them each row is [M]."""
    same = tf.reduce_all(tf.equal(rows[:, tf.newaxis], rows[tf.newaxis]), axis=-1)
    # One column more, of no row, because argmax refuses an empty axis.
    candidates = tf.pad(tf.cast(same, tf.int32), [[0, 0], [0, 1]])
    first, inverse = tf.unique(tf.argmax(candidates, axis=1, output_type=tf.int32))
    return first, inverse
