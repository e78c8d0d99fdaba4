"""Augmentation that puts a picture beside itself.

Axes: M boxes, K keypoints. Coordinates are normalised.
"""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.preprocessor import rows as row_ops
from object_detection.core.preprocessor.random_calls import apply_if, chance, nth_seed
from object_detection.core.preprocessor_cache import PreprocessorCache as Cache

# The halves of a picture, seen from one of them: above, below; left, right.
_HALVES = (
    ((0.0, 0.0, 2.0, 1.0), (-1.0, 0.0, 1.0, 1.0)),
    ((0.0, 0.0, 1.0, 2.0), (0.0, -1.0, 1.0, 1.0)),
)


def random_self_concat_image(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor | None,
    label_confidences: tf.Tensor | None = None,
    multiclass_scores: tf.Tensor | None = None,
    concat_vertical_probability: float = 0.1,
    concat_horizontal_probability: float = 0.1,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_visibilities: tf.Tensor | None = None,
    more_rows: row_ops.MoreRows = None,
) -> tuple[tf.Tensor, ...]:
    """Puts the picture above itself with one probability, and beside itself with another.

    Each time there are twice as many boxes, first those of the upper or left copy, and twice as
    many rows of all that travels with them.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        labels: [M].
        label_weights: [M], or None.
        label_confidences: [M, ...].
        multiclass_scores: [M, ...].
        concat_vertical_probability: of a picture of twice the height.
        concat_horizontal_probability: of a picture of twice the width.
        seed: of the choices.
        preprocess_vars_cache: repeats earlier choices.
        masks: [M, H, W].
        keypoints: [M, K, 2].
        keypoint_visibilities: [M, K].
        more_rows: other tensors with a row for each box.

    Returns:
        Image, boxes, labels and, in the order of the arguments, what else was given.
    """
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
    names = list(rows)
    tensors = [tf.convert_to_tensor(image), tf.convert_to_tensor(boxes), *rows.values()]
    probabilities = (concat_vertical_probability, concat_horizontal_probability)
    for axis, probability in enumerate(probabilities):
        wanted = chance(
            probability,
            nth_seed(seed, axis),
            preprocess_vars_cache,
            Cache.SELF_CONCAT_IMAGE,
            ("vertical", "horizontal")[axis],
        )

        def double(*given: tf.Tensor, axis: int = axis) -> list[tf.Tensor]:
            return _doubled(given[0], given[1], dict(zip(names, given[2:], strict=True)), axis)

        tensors = apply_if(wanted, double, *tensors)
    return tuple(tensors)


def _doubled(image: tf.Tensor, boxes: tf.Tensor, rows: row_ops.Rows, axis: int) -> list[tf.Tensor]:
    """Picture, boxes and rows twice, one above (axis 0) or beside (axis 1) the other."""
    masks = rows.get("masks")
    halves = [
        row_ops.moved(boxes, rows, tf.constant(window, boxes.dtype), clip=False)
        for window in _HALVES[axis]
    ]
    twice = {name: tf.concat([half[name] for _, half in halves], axis=0) for name in rows}
    if masks is not None:
        nothing = tf.zeros_like(masks)
        twice["masks"] = tf.concat(
            [
                tf.concat([masks, nothing], axis=axis + 1),
                tf.concat([nothing, masks], axis=axis + 1),
            ],
            axis=0,
        )
    return [
        tf.concat([image, image], axis=axis),
        tf.concat([half for half, _ in halves], axis=0),
        *twice.values(),
    ]
