"""Augmentations that change labels, weights or boxes, but not the picture.

Axes: M boxes, K keypoints.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops, randomness
from object_detection.core.preprocessor import rows as row_ops
from object_detection.errors import ConfigError

# How `random_jitter_boxes` may move edges: outwards, inwards, or both.
JITTER_MODES = (
    "default",
    "expand",
    "shrink",
    "expand_symmetric",
    "shrink_symmetric",
    "expand_symmetric_xy",
    "shrink_symmetric_xy",
)


def random_jitter_boxes(
    boxes: tf.Tensor, ratio: float = 0.05, jitter_mode: str = "default", seed: int | None = None
) -> tf.Tensor:
    """Moves the edges of boxes at random, each by up to `ratio` of the box's height or width.

    Args:
        boxes: [M, 4], normalised; the result is cut at the picture's edges.
        ratio: largest move.
        jitter_mode: `default` moves each edge either way; `expand` and `shrink` outwards and
            inwards; with `_symmetric` opposite edges move alike, with `_symmetric_xy` all four.
        seed: of the moves.

    Raises:
        ConfigError: another mode.
    """
    if jitter_mode not in JITTER_MODES:
        raise ConfigError(f"jitter_mode is {jitter_mode!r}; allowed: {', '.join(JITTER_MODES)}.")
    boxes = tf.convert_to_tensor(boxes)
    count = tf.shape(boxes)[0]
    if jitter_mode == "default":
        moves = randomness.uniform([count, 4], -ratio, ratio, seed=seed)
    else:
        columns = {"symmetric": 2, "xy": 1}.get(jitter_mode.rpartition("_")[2], 4)
        moves = randomness.uniform([count, columns], 0.0, ratio, seed=seed)
        moves = tf.tile(moves, [1, 4 // columns])
        # Outwards: the first two edges towards 0, the others away from it.
        outwards = tf.constant([[-1.0, -1.0, 1.0, 1.0]])
        moves *= outwards if jitter_mode.startswith("expand") else -outwards
    size = tf.tile(boxes[:, 2:] - boxes[:, :2], [1, 2])
    jittered = boxes + moves * size
    return box_list_ops.cut(jittered, tf.constant([0.0, 0.0, 1.0, 1.0]))


def retain_boxes_above_threshold(
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor,
    label_confidences: tf.Tensor | None = None,
    multiclass_scores: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    threshold: float = 0.0,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
    more_rows: row_ops.MoreRows = None,
) -> list[tf.Tensor]:
    """The boxes whose weight is above a threshold or missing (NaN), and what belongs to them.

    Returns:
        Boxes, labels, weights and, in the order of the arguments, what else was given.

    Raises:
        ConfigError: no weights.
    """
    if label_weights is None:
        raise ConfigError("retain_boxes_above_threshold needs label_weights.")
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
    weights = rows["label_weights"]
    kept = tf.where((weights > threshold) | tf.math.is_nan(weights))[:, 0]
    boxes, rows = row_ops.gathered(boxes, rows, kept)
    return [boxes, *rows.values()]


def drop_label_probabilistically(
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor,
    label_confidences: tf.Tensor | None = None,
    multiclass_scores: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    dropped_label: int | None = None,
    drop_probability: float = 0.0,
    seed: int | None = None,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
    more_rows: row_ops.MoreRows = None,
) -> list[tf.Tensor]:
    """Leaves out each box of one class with a probability.

    Returns:
        Boxes, labels, weights and, in the order of the arguments, what else was given.

    Raises:
        ConfigError: no label is named.
    """
    if dropped_label is None:
        raise ConfigError("drop_label_probabilistically needs dropped_label.")
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
    labels = rows["labels"]
    draws = randomness.uniform(tf.shape(labels), seed=seed)
    dropped = tf.equal(labels, tf.cast(dropped_label, labels.dtype)) & (draws < drop_probability)
    kept = tf.where(tf.logical_not(dropped))[:, 0]
    boxes, rows = row_ops.gathered(boxes, rows, kept)
    return [boxes, *rows.values()]


def remap_labels(
    labels: tf.Tensor, original_labels: Sequence[int] | None = None, new_label: int | None = None
) -> tf.Tensor:
    """Labels [M] with `new_label` in place of each of `original_labels`."""
    labels = tf.convert_to_tensor(labels)
    remapped = labels
    for original in original_labels or ():
        wanted = tf.fill(tf.shape(labels), tf.cast(new_label, labels.dtype))
        remapped = tf.where(tf.equal(labels, tf.cast(original, labels.dtype)), wanted, remapped)
    return remapped


def one_hot_encoding(labels: tf.Tensor, num_classes: int | None = None) -> tf.Tensor:
    """Which classes are among the labels [M]: one vector [num_classes] of 0 and 1, int32.

    Raises:
        ConfigError: no `num_classes`.
    """
    if num_classes is None:
        raise ConfigError("one_hot_encoding needs num_classes.")
    rows = tf.one_hot(labels, num_classes, on_value=True, off_value=False, dtype=tf.bool)
    return tf.cast(tf.reduce_any(rows, axis=0), tf.int32)


def convert_class_logits_to_softmax(
    multiclass_scores: tf.Tensor, temperature: float = 1.0
) -> tf.Tensor:
    """Logits [M, C] -> probabilities, of logits divided by a temperature."""
    return tf.nn.softmax(multiclass_scores / temperature)


def scale_boxes_to_pixel_coordinates(
    image: tf.Tensor, boxes: tf.Tensor, keypoints: tf.Tensor | None = None
) -> tuple[tf.Tensor, ...]:
    """Image, and boxes [M, 4] (and keypoints [M, K, 2]) in its pixels."""
    boxes = tf.convert_to_tensor(boxes)
    size = tf.cast(tf.shape(image)[:2], boxes.dtype)
    result: tuple[Any, ...] = (image, boxes * tf.tile(size, [2]))
    return result if keypoints is None else (*result, keypoints * size)
