"""From flat lists of a record to tensors with one row a box, and from one row to several.

Axes: M boxes, P listed values, K keypoints, C classes (ids from 1).
"""

from collections.abc import Mapping

import tensorflow.compat.v1 as tf

from object_detection.utils.label_map_util import LABEL_OFFSET


def by_number(
    values: tf.Tensor, numbers: tf.Tensor, count: tf.Tensor, num_keypoints: int, absent: float
) -> tf.Tensor:
    """Puts what a record lists under keypoint names where the keypoints' numbers say.

    Args:
        values: [P] or [P, D]; the P / M values of the first box, then those of the second.
        numbers: [P] int64, in [0, K); others are left out.
        count: M.
        num_keypoints: K.
        absent: what keypoints get that a box does not list.

    Returns:
        [M, K] or [M, K, D].
    """
    listed = tf.size(numbers)
    boxes = tf.range(listed) // tf.maximum(listed // tf.maximum(count, 1), 1)
    known = (numbers >= 0) & (numbers < num_keypoints)
    places = tf.stack([tf.cast(boxes, tf.int64), numbers], axis=1)
    shape = tf.concat([[count, num_keypoints], tf.shape(values)[1:]], axis=0)
    laid_out = tf.tensor_scatter_nd_update(
        tf.fill(shape, tf.cast(absent, values.dtype)),
        tf.boolean_mask(places, known),
        tf.boolean_mask(values, known),
    )
    laid_out.set_shape([None, num_keypoints, *values.shape[1:]])
    return laid_out


def in_rows(values: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """[P, ...] -> [M, max(lengths), ...]: `lengths[m]` values in row m, then zeros."""
    rows = tf.RaggedTensor.from_row_lengths(values, lengths).to_tensor()
    rows.set_shape([None, None, *values.shape[1:]])
    return rows


def with_ancestors(classes: tf.Tensor, ancestors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Repeats each box for the classes that stand above its own.

    Args:
        classes: [M] int64.
        ancestors: [C, C], see `label_map_util.get_label_map_hierarchy_lut`, with identity.

    Returns:
        For each of the R >= M resulting boxes its row in [0, M) and its class, both [R] int64,
        by row, then by class. A class outside the table stays as it is.
    """
    size = tf.shape(ancestors, out_type=tf.int64)[0]
    known = (classes >= LABEL_OFFSET) & (classes < size + LABEL_OFFSET)
    above = tf.gather(ancestors, tf.where(known, classes - LABEL_OFFSET, tf.zeros_like(classes)))
    itself = tf.one_hot(tf.zeros_like(classes), tf.cast(size, tf.int32), dtype=ancestors.dtype)
    places = tf.where(tf.where(known, above, itself) > 0)
    rows, columns = places[:, 0], places[:, 1]
    expanded = tf.where(tf.gather(known, rows), columns + LABEL_OFFSET, tf.gather(classes, rows))
    return rows, expanded


def repeat_rows(
    sample: Mapping[str, tf.Tensor], keys: tuple[str, ...], rows: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Takes `rows` of the fields named by `keys`.

    A field without a row stays as it is; so do all if there are no rows to take, because then it is
    the classes that are absent.
    """

    def take(value: tf.Tensor) -> tf.Tensor:
        both = (tf.shape(value)[0] > 0) & (tf.size(rows) > 0)
        return tf.cond(both, lambda: tf.gather(value, rows), lambda: value)

    return {key: take(value) if key in keys else value for key, value in sample.items()}


def expand_image_labels(
    classes: tf.Tensor, confidences: tf.Tensor, ancestors: tf.Tensor, descendants: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Completes what is known of a whole picture by what follows from the hierarchy.

    What shows a dog shows an animal: a class with confidence 1 brings its ancestors. What shows no
    animal shows no dog: one with confidence 0 brings its descendants.

    Args:
        classes: [n] int64, ids.
        confidences: [n].
        ancestors: [C, C], with identity.
        descendants: [C, C], with identity.

    Returns:
        Classes and confidences: those that are neither 0 nor 1 as given, then the classes that
        are present, then those that are absent, each once and by id.
    """
    for table, certain in ((ancestors, 1.0), (descendants, 0.0)):
        found = tf.equal(confidences, certain)
        related = tf.gather(table, tf.boolean_mask(classes, found) - LABEL_OFFSET) > 0
        following = tf.where(tf.reduce_any(related, axis=0))[:, 0] + LABEL_OFFSET
        classes = tf.concat([tf.boolean_mask(classes, ~found), following], axis=0)
        confidences = tf.concat(
            [
                tf.boolean_mask(confidences, ~found),
                tf.fill(tf.shape(following), tf.cast(certain, confidences.dtype)),
            ],
            axis=0,
        )
    return classes, confidences
