"""Augmentations that mirror or turn picture, boxes and keypoints.

Axes: M boxes, K keypoints. Coordinates are normalised.
"""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import encoded_image
from object_detection.core.preprocessor.random_calls import apply_if, chance
from object_detection.core.preprocessor_cache import PreprocessorCache as Cache
from object_detection.errors import ConfigError
from object_detection.keypoints import geometry

# Changes of what was given: a tensor, or None, and how it looks after the turn.
Changes = list[tuple[tf.Tensor | None, Callable[[tf.Tensor], tf.Tensor]]]


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


def rot90_masks(masks: tf.Tensor) -> tf.Tensor:
    """[M, H, W] masks turned counter-clockwise by 90 degrees, as `tf.image.rot90` does."""
    return tf.reverse(tf.transpose(masks, [0, 2, 1]), [1])


def surface_moved(surface_coords: tf.Tensor, move: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """DensePose's [M, P, 4] of (y, x, v, u) with y and x moved."""
    return tf.concat([move(surface_coords[..., :2]), surface_coords[..., 2:]], axis=-1)


def random_horizontal_flip(
    image: tf.Tensor,
    boxes: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_visibilities: tf.Tensor | None = None,
    densepose_part_ids: tf.Tensor | None = None,
    densepose_surface_coords: tf.Tensor | None = None,
    keypoint_depths: tf.Tensor | None = None,
    keypoint_depth_weights: tf.Tensor | None = None,
    keypoint_flip_permutation: geometry.Permutation = None,
    probability: float = 0.5,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    keypoint_flags: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """Mirrors left to right with a probability.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        keypoint_visibilities: [M, K].
        densepose_part_ids: not available; must be None.
        densepose_surface_coords: not available; must be None.
        keypoint_depths: [M, K].
        keypoint_depth_weights: [M, K].
        keypoint_flip_permutation: for each keypoint the number of its mirror partner.
        probability: of the flip.
        seed: of the choice.
        preprocess_vars_cache: repeats an earlier choice.
        keypoint_flags: [M, K].

    Returns:
        What was given, in the order of the arguments.

    Raises:
        ConfigError: keypoints without a permutation, or one that does not pair them; DensePose,
            whose surface is not symmetric in its coordinates.
    """
    if densepose_part_ids is not None or densepose_surface_coords is not None:
        if densepose_part_ids is None or densepose_surface_coords is None:
            raise ConfigError(
                "densepose_part_ids and densepose_surface_coords belong together; give both."
            )
        _refuse_mirrored_surface("random_horizontal_flip")
    permutation = keypoint_flip_permutation
    _check_permutation(permutation, keypoints)
    changes: Changes = [
        (image, lambda t: encoded_image.mirror(t, 1)),
        (boxes, flip_boxes_left_right),
        (masks, lambda t: tf.reverse(t, [2])),
        (keypoints, lambda t: geometry.flip_horizontal(t, 0.5, permutation)),
        (keypoint_visibilities, lambda t: geometry.permuted(t, permutation)),
        (keypoint_depths, lambda t: geometry.permuted(t, permutation)),
        (keypoint_depth_weights, lambda t: geometry.permuted(t, permutation)),
        (keypoint_flags, lambda t: geometry.permuted(t, permutation)),
    ]
    heads = chance(probability, seed, preprocess_vars_cache, Cache.HORIZONTAL_FLIP)
    return _turn_if(heads, changes)


def random_vertical_flip(
    image: tf.Tensor,
    boxes: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_flip_permutation: geometry.Permutation = None,
    probability: float = 0.5,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
    keypoint_flags: tf.Tensor | None = None,
    keypoint_depths: tf.Tensor | None = None,
    keypoint_depth_weights: tf.Tensor | None = None,
    densepose_surface_coords: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """Mirrors top to bottom with a probability; arguments as of `random_horizontal_flip`.

    Returns:
        What was given, in the order of the arguments.

    Raises:
        ConfigError: keypoints without a permutation, or one that does not pair them; DensePose.
    """
    if densepose_surface_coords is not None:
        _refuse_mirrored_surface("random_vertical_flip")
    permutation = keypoint_flip_permutation
    _check_permutation(permutation, keypoints)
    changes: Changes = [
        (image, lambda t: encoded_image.mirror(t, 0)),
        (boxes, flip_boxes_up_down),
        (masks, lambda t: tf.reverse(t, [1])),
        (keypoints, lambda t: geometry.flip_vertical(t, 0.5, permutation)),
        (keypoint_visibilities, lambda t: geometry.permuted(t, permutation)),
        (keypoint_flags, lambda t: geometry.permuted(t, permutation)),
        (keypoint_depths, lambda t: geometry.permuted(t, permutation)),
        (keypoint_depth_weights, lambda t: geometry.permuted(t, permutation)),
    ]
    heads = chance(probability, seed, preprocess_vars_cache, Cache.VERTICAL_FLIP)
    return _turn_if(heads, changes)


def random_rotation90(
    image: tf.Tensor,
    boxes: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_rot_permutation: geometry.Permutation = None,
    probability: float = 0.5,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
    keypoint_flags: tf.Tensor | None = None,
    keypoint_depths: tf.Tensor | None = None,
    keypoint_depth_weights: tf.Tensor | None = None,
    densepose_surface_coords: tf.Tensor | None = None,
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
        preprocess_vars_cache: repeats an earlier choice.
        keypoint_visibilities: [M, K].
        keypoint_flags: [M, K].
        keypoint_depths: [M, K].
        keypoint_depth_weights: [M, K].
        densepose_surface_coords: [M, P, 4], (y, x, v, u); a turn changes the first two.

    Returns:
        What was given, in the order of the arguments.
    """
    permutation = keypoint_rot_permutation
    changes: Changes = [
        (image, tf.image.rot90),
        (boxes, rot90_boxes),
        (masks, rot90_masks),
        (keypoints, lambda t: geometry.rot90(t, permutation)),
        (keypoint_visibilities, lambda t: geometry.permuted(t, permutation)),
        (keypoint_flags, lambda t: geometry.permuted(t, permutation)),
        (keypoint_depths, lambda t: geometry.permuted(t, permutation)),
        (keypoint_depth_weights, lambda t: geometry.permuted(t, permutation)),
        (densepose_surface_coords, lambda t: surface_moved(t, geometry.rot90)),
    ]
    heads = chance(probability, seed, preprocess_vars_cache, Cache.ROTATION90)
    return _turn_if(heads, changes)


def _refuse_mirrored_surface(name: str) -> None:
    raise ConfigError(
        f"{name} of densepose_surface_coords needs the table of symmetries that is part of DensePose "
        "and not of this package. Leave this step, or the DensePose fields, out."
    )


def _check_permutation(permutation: geometry.Permutation, keypoints: tf.Tensor | None) -> None:
    """Refuses a permutation that is missing or, if its numbers are known, does not pair."""
    if keypoints is None:
        return
    if permutation is None or (not tf.is_tensor(permutation) and len(permutation) == 0):
        raise ConfigError(
            "A flip of keypoints needs keypoint_flip_permutation: after it, the left eye is the "
            "right one. For 5 face points: 1 0 2 4 3."
        )
    if not tf.is_tensor(permutation):
        shape = tf.convert_to_tensor(keypoints).shape
        count = None if shape.rank is None else shape.as_list()[-2]
        geometry.check_flip_permutation([int(number) for number in permutation], count)


def _turn_if(condition: tf.Tensor, changes: Changes) -> tuple[tf.Tensor, ...]:
    """Applies each change to its tensor, all or none of them; absent tensors are left out."""
    given = [
        (encoded_image.as_image(tensor), change) for tensor, change in changes if tensor is not None
    ]

    def turned(*tensors: tf.Tensor) -> list[tf.Tensor]:
        return [change(tensor) for tensor, (_, change) in zip(tensors, given, strict=True)]

    return tuple(apply_if(condition, turned, *(tensor for tensor, _ in given)))
