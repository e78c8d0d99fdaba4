"""Augmentations that mirror or turn picture, boxes and keypoints.

Axes: M boxes, K keypoints. Coordinates are normalised.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.preprocessor.random_calls import apply_if, chance
from object_detection.errors import ConfigError
from object_detection.keypoints import geometry


def flip_boxes_left_right(boxes: tf.Tensor) -> tf.Tensor:
    """[M, 4] boxes mirrored at the vertical line x = 1/2."""
    ymin, xmin, ymax, xmax = tf.unstack(boxes, num=4, axis=-1)
    return tf.stack([ymin, 1.0 - xmax, ymax, 1.0 - xmin], axis=-1)


def random_horizontal_flip(
    image: tf.Tensor,
    boxes: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_visibilities: tf.Tensor | None = None,
    keypoint_flip_permutation: Sequence[int] | None = None,
    probability: float = 0.5,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tuple[tf.Tensor, ...]:
    """Mirrors left to right with a probability.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        keypoint_visibilities: [M, K].
        keypoint_flip_permutation: for each keypoint the number of its mirror partner.
        probability: of the flip.
        seed: of the choice.
        preprocess_vars_cache: not available; must be None.

    Returns:
        What was given, in the order of the arguments.

    Raises:
        ConfigError: keypoints without a permutation, or one that does not pair them.
    """
    _refuse_cache(preprocess_vars_cache)
    if keypoints is not None:
        if not keypoint_flip_permutation:
            raise ConfigError(
                "random_horizontal_flip of keypoints needs keypoint_flip_permutation: after the "
                "flip the left eye is the right one. For 5 face points: 1 0 2 4 3."
            )
        geometry.check_flip_permutation(keypoint_flip_permutation, keypoints.shape.as_list()[-2])
    permutation = list(keypoint_flip_permutation or [])
    changes = [
        (image, lambda t: tf.reverse(t, [1])),
        (boxes, flip_boxes_left_right),
        (masks, lambda t: tf.reverse(t, [2])),
        (keypoints, lambda t: geometry.flip_horizontal(t, 0.5, permutation)),
        (keypoint_visibilities, lambda t: tf.gather(t, permutation, axis=-1)),
    ]
    given: list[tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]] = [
        (tensor, change) for tensor, change in changes if tensor is not None
    ]
    return tuple(
        apply_if(
            chance(probability, seed),
            lambda *tensors: [
                change(tensor) for tensor, (_, change) in zip(tensors, given, strict=True)
            ],
            *(tensor for tensor, _ in given),
        )
    )


def _refuse_cache(cache: Any) -> None:
    if cache is not None:
        raise ConfigError("preprocess_vars_cache is not available; pass a seed instead.")
