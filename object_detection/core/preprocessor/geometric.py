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


def flip_boxes_up_down(boxes: tf.Tensor) -> tf.Tensor:
    """[M, 4] boxes mirrored at the horizontal line y = 1/2."""
    ymin, xmin, ymax, xmax = tf.unstack(boxes, num=4, axis=-1)
    return tf.stack([1.0 - ymax, xmin, 1.0 - ymin, xmax], axis=-1)


def rot90_boxes(boxes: tf.Tensor) -> tf.Tensor:
    """[M, 4] boxes turned counter-clockwise by 90 degrees, as `tf.image.rot90` does."""
    ymin, xmin, ymax, xmax = tf.unstack(boxes, num=4, axis=-1)
    return tf.stack([1.0 - xmax, ymin, 1.0 - xmin, ymax], axis=-1)


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
    permutation = _checked_permutation(
        "keypoint_flip_permutation", keypoint_flip_permutation, keypoints, preprocess_vars_cache
    )
    return _turn(
        [
            (image, lambda t: tf.reverse(t, [1])),
            (boxes, flip_boxes_left_right),
            (masks, lambda t: tf.reverse(t, [2])),
            (keypoints, lambda t: geometry.flip_horizontal(t, 0.5, permutation)),
            (keypoint_visibilities, lambda t: _permuted(t, permutation)),
        ],
        probability,
        seed,
    )


def random_vertical_flip(
    image: tf.Tensor,
    boxes: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_flip_permutation: Sequence[int] | None = None,
    probability: float = 0.5,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """Mirrors top to bottom with a probability; arguments as of `random_horizontal_flip`.

    Returns:
        What was given: image, boxes, masks, keypoints, visibilities.

    Raises:
        ConfigError: keypoints without a permutation, or one that does not pair them.
    """
    permutation = _checked_permutation(
        "keypoint_flip_permutation", keypoint_flip_permutation, keypoints, preprocess_vars_cache
    )
    return _turn(
        [
            (image, lambda t: tf.reverse(t, [0])),
            (boxes, flip_boxes_up_down),
            (masks, lambda t: tf.reverse(t, [1])),
            (keypoints, lambda t: geometry.flip_vertical(t, 0.5, permutation)),
            (keypoint_visibilities, lambda t: _permuted(t, permutation)),
        ],
        probability,
        seed,
    )


def random_rotation90(
    image: tf.Tensor,
    boxes: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_rot_permutation: Sequence[int] | None = None,
    probability: float = 0.5,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """Turns counter-clockwise by 90 degrees with a probability.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        keypoint_rot_permutation: new order of the keypoints, if a turn changes their names.
        probability: of the turn.
        seed: of the choice.
        preprocess_vars_cache: not available; must be None.
        keypoint_visibilities: [M, K].

    Returns:
        What was given: image, boxes, masks, keypoints, visibilities.
    """
    _refuse_cache(preprocess_vars_cache)
    permutation = list(keypoint_rot_permutation or [])
    return _turn(
        [
            (image, tf.image.rot90),
            (boxes, rot90_boxes),
            (masks, lambda t: tf.reverse(tf.transpose(t, [0, 2, 1]), [1])),
            (keypoints, lambda t: geometry.rot90(t, permutation)),
            (keypoint_visibilities, lambda t: _permuted(t, permutation)),
        ],
        probability,
        seed,
    )


def _permuted(tensor: tf.Tensor, permutation: list[int]) -> tf.Tensor:
    return tf.gather(tensor, permutation, axis=-1) if permutation else tf.identity(tensor)


def _checked_permutation(
    name: str, permutation: Sequence[int] | None, keypoints: tf.Tensor | None, cache: Any
) -> list[int]:
    """The permutation as a list; refuses one that is missing or does not pair the keypoints."""
    _refuse_cache(cache)
    if keypoints is not None:
        if not permutation:
            raise ConfigError(
                f"A flip of keypoints needs {name}: after it, the left eye is the right one. For "
                "5 face points: 1 0 2 4 3."
            )
        geometry.check_flip_permutation(permutation, keypoints.shape.as_list()[-2])
    return list(permutation or [])


def _turn(
    changes: list[tuple[tf.Tensor | None, Callable[[tf.Tensor], tf.Tensor]]],
    probability: float,
    seed: int | None,
) -> tuple[tf.Tensor, ...]:
    """Applies each change to its tensor, all or none of them; absent tensors are left out."""
    given = [(tensor, change) for tensor, change in changes if tensor is not None]

    def turned(*tensors: tf.Tensor) -> list[tf.Tensor]:
        return [change(tensor) for tensor, (_, change) in zip(tensors, given, strict=True)]

    return tuple(apply_if(chance(probability, seed), turned, *(tensor for tensor, _ in given)))


def _refuse_cache(cache: Any) -> None:
    if cache is not None:
        raise ConfigError("preprocess_vars_cache is not available; pass a seed instead.")
