"""Random windows of a picture that cover its boxes well enough.

Axes: M boxes. Coordinates are normalised; bounds are [ymin, xmin, ymax, xmax].
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops, encoded_image, randomness
from object_detection.core.preprocessor.random_calls import nth_seed


class Window(NamedTuple):
    """Pixels `begin` to `begin + size` of the picture, which are `bounds` of it."""

    begin: tf.Tensor  # [3] int32, as for tf.slice
    size: tf.Tensor  # [3] int32
    bounds: tf.Tensor  # [4]


class CropSettings(NamedTuple):
    """How one crop is drawn."""

    min_object_covered: Any  # a number, or a tensor of one
    aspect_ratio_range: Sequence[float]
    area_range: Sequence[float]


class Sight(NamedTuple):
    """What windows are drawn for."""

    shape: tf.Tensor  # [3] of the picture
    boxes: tf.Tensor  # [M', 4] in the picture, with an area


def sight(image: tf.Tensor, boxes: tf.Tensor) -> Sight:
    """What windows are drawn for, in a picture [H, W, C] with boxes [M, 4]."""
    boxes = tf.reshape(boxes, [-1, 4])
    inside = tf.clip_by_value(
        tf.where(tf.math.is_nan(boxes), tf.zeros_like(boxes), boxes), 0.0, 1.0
    )
    with_area = tf.where(box_list_ops.box_area(inside) > 0)[:, 0]
    return Sight(encoded_image.shape(image), tf.gather(inside, with_area))


def draw_window(
    seen: Sight, settings: CropSettings, key: tf.Tensor | None, seed: int | None
) -> Window:
    """A window that covers a box well enough; the whole picture if none is found.

    Args:
        seen: what to draw it for.
        settings: `min_object_covered` may be a tensor.
        key: of `core.randomness`; None where it has none, and `seed` counts.
        seed: of TensorFlow's random operations.
    """
    draw, own = (
        (tf.image.sample_distorted_bounding_box, seed)
        if key is None
        else (tf.compat.v2.image.stateless_sample_distorted_bounding_box, key)
    )
    begin, size, bounds = draw(
        seen.shape,
        bounding_boxes=seen.boxes[tf.newaxis],
        min_object_covered=settings.min_object_covered,
        aspect_ratio_range=list(settings.aspect_ratio_range),
        area_range=list(settings.area_range),
        max_attempts=100,
        use_image_if_no_bounding_boxes=True,
        seed=own,
    )
    return Window(begin, size, bounds[0, 0])


def draw_one_of_many(
    seen: Sight, settings: Sequence[CropSettings], chosen: tf.Tensor, seed: int | None
) -> Window:
    """`draw_window` with one of the settings.

    A branch costs time even if it is not taken, so there is one for each pair of ranges, which
    TensorFlow wants to know beforehand, and none where all settings have the same.
    """
    seeds = [nth_seed(seed, number) for number in range(len(settings))]
    key = randomness.next_key_of(chosen, seeds)
    if key is None:
        return Window(
            *tf.switch_case(
                chosen,
                [
                    lambda one=one, own=own: tuple(draw_window(seen, one, None, own))
                    for one, own in zip(settings, seeds, strict=True)
                ],
            )
        )
    covered = tf.gather(tf.constant([float(one.min_object_covered) for one in settings]), chosen)
    ranges = [(tuple(one.aspect_ratio_range), tuple(one.area_range)) for one in settings]
    different = list(dict.fromkeys(ranges))
    draws = [
        lambda pair=pair: tuple(draw_window(seen, CropSettings(covered, *pair), key, None))
        for pair in different
    ]
    if len(draws) == 1:
        return Window(*draws[0]())
    number = tf.gather(tf.constant([different.index(pair) for pair in ranges]), chosen)
    return Window(*tf.switch_case(number, draws))
