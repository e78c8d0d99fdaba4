"""Augmentations that cut a window out of the picture.

Axes: M boxes, K keypoints. Coordinates are normalised; a window is [ymin, xmin, ymax, xmax].
A keypoint outside the window becomes NaN and invisible.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core.preprocessor.random_calls import chance, one_of
from object_detection.keypoints import geometry

WHOLE = (0.0, 0.0, 1.0, 1.0)

# Names of what travels with the boxes: one row a box.
PER_BOX = (
    "labels",
    "label_weights",
    "label_confidences",
    "multiclass_scores",
    "masks",
    "keypoints",
    "keypoint_visibilities",
)


def crop_rows(
    boxes: tf.Tensor,
    rows: dict[str, tf.Tensor],
    window: tf.Tensor,
    overlap_thresh: float,
    clip_boxes: bool,
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Boxes and what travels with them, in the frame of a window.

    Args:
        boxes: [M, 4].
        rows: name -> [M, ...], named as in `PER_BOX`; masks stay in the old frame.
        window: [4].
        overlap_thresh: boxes of which less than this share lies in the window are left out.
        clip_boxes: whether to cut boxes at the window's edges.
    """
    share = box_list_ops.pairwise_ioa(window[tf.newaxis], boxes)[0]
    kept = tf.where((share >= overlap_thresh) & (share > 0.0))[:, 0]
    boxes = box_list_ops.frame_change(tf.gather(boxes, kept), window)
    if clip_boxes:
        boxes = box_list_ops.cut(boxes, tf.constant(WHOLE))
    rows = {name: tf.gather(tensor, kept) for name, tensor in rows.items()}
    if "keypoints" in rows:
        keypoints = geometry.prune_outside_window(rows["keypoints"], window)
        rows["keypoints"] = geometry.change_coordinate_frame(keypoints, window)
        if "keypoint_visibilities" in rows:
            rows["keypoint_visibilities"] &= geometry.present(keypoints)
    return boxes, rows


def _crop_pixels(image: tf.Tensor, window: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The window rounded to whole pixels (at least one), and those pixels."""
    size = tf.shape(image)[:2]
    scale = tf.cast(size, tf.float32)
    begin = tf.minimum(tf.cast(tf.round(window[:2] * scale), tf.int32), size - 1)
    end = tf.maximum(tf.cast(tf.round(window[2:] * scale), tf.int32), begin + 1)
    end = tf.minimum(end, size)
    cropped = image[begin[0] : end[0], begin[1] : end[1]]
    cropped.set_shape([None, None, image.shape[2]])
    return cropped, tf.concat([tf.cast(begin, tf.float32), tf.cast(end, tf.float32)], 0) / tf.tile(
        scale, [2]
    )


def random_crop_image(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor | None,
    label_confidences: tf.Tensor | None = None,
    multiclass_scores: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_visibilities: tf.Tensor | None = None,
    min_object_covered: float = 1.0,
    aspect_ratio_range: Sequence[float] = (0.75, 1.33),
    area_range: Sequence[float] = (0.1, 1.0),
    overlap_thresh: float = 0.3,
    clip_boxes: bool = True,
    random_coef: float = 0.0,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
) -> tuple[tf.Tensor, ...]:
    """Cuts out a random window that covers at least one box well enough.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        labels: [M].
        label_weights: [M], or None.
        label_confidences: [M, ...].
        multiclass_scores: [M, ...].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        keypoint_visibilities: [M, K].
        min_object_covered: share of some box that the window must cover.
        aspect_ratio_range: of the window, width/height.
        area_range: of the window, as share of the picture.
        overlap_thresh: boxes of which less than this share remains are left out.
        clip_boxes: whether to cut boxes at the window's edges.
        random_coef: probability of leaving everything as it is.
        seed: of the choices.
        preprocess_vars_cache: no effect.

    Returns:
        Image, boxes, labels and, in the order of the arguments, what else was given.
    """
    del preprocess_vars_cache
    rows: dict[str, tf.Tensor] = {
        name: value
        for name, value in (
            ("labels", labels),
            ("label_weights", label_weights),
            ("label_confidences", label_confidences),
            ("multiclass_scores", multiclass_scores),
            ("masks", masks),
            ("keypoints", keypoints),
            ("keypoint_visibilities", keypoint_visibilities),
        )
        if value is not None
    }
    names = list(rows)

    def crop() -> list[tf.Tensor]:
        inside = tf.clip_by_value(
            tf.where(tf.math.is_nan(boxes), tf.zeros_like(boxes), boxes), 0.0, 1.0
        )
        inside = tf.boolean_mask(inside, box_list_ops.box_area(inside) > 0)
        _, _, bounds = tf.image.sample_distorted_bounding_box(
            tf.shape(image),
            bounding_boxes=inside[tf.newaxis],
            min_object_covered=min_object_covered,
            aspect_ratio_range=list(aspect_ratio_range),
            area_range=list(area_range),
            max_attempts=100,
            use_image_if_no_bounding_boxes=True,
            seed=seed,
        )
        cropped, window = _crop_pixels(image, bounds[0, 0])
        new_boxes, new_rows = crop_rows(boxes, rows, window, overlap_thresh, clip_boxes)
        if "masks" in new_rows:
            moved = tf.transpose(new_rows["masks"], [1, 2, 0])
            new_rows["masks"] = tf.transpose(_crop_pixels(moved, window)[0], [2, 0, 1])
        return [cropped, new_boxes, *(new_rows[name] for name in names)]

    def keep() -> list[tf.Tensor]:
        return [tf.identity(t) for t in (image, boxes, *rows.values())]

    if random_coef < np.finfo(np.float32).eps:
        return tuple(crop())
    return tuple(tf.cond(chance(random_coef, seed), keep, crop))


def ssd_random_crop(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor | None,
    label_confidences: tf.Tensor | None = None,
    multiclass_scores: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    min_object_covered: Sequence[float] = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0),
    aspect_ratio_range: Sequence[Sequence[float]] = ((0.5, 2.0),) * 7,
    area_range: Sequence[Sequence[float]] = ((0.1, 1.0),) * 7,
    overlap_thresh: Sequence[float] = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0),
    clip_boxes: Sequence[bool] = (True,) * 7,
    random_coef: Sequence[float] = (0.15,) * 7,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    keypoint_visibilities: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """`random_crop_image` with one of several settings, chosen at random (arXiv:1512.02325).

    The settings are sequences of the same length; the other arguments and the result are those
    of `random_crop_image`. Only the chosen crop is computed.
    """
    del preprocess_vars_cache
    optional: dict[str, Any] = {
        "label_confidences": label_confidences,
        "multiclass_scores": multiclass_scores,
        "masks": masks,
        "keypoints": keypoints,
        "keypoint_visibilities": keypoint_visibilities,
    }
    settings = list(
        zip(
            min_object_covered,
            aspect_ratio_range,
            area_range,
            overlap_thresh,
            clip_boxes,
            random_coef,
            strict=True,
        )
    )

    def case(index: int) -> Any:
        covered, aspect, area, overlap, clip, coefficient = settings[index]
        return lambda: random_crop_image(
            image,
            boxes,
            labels,
            label_weights,
            **optional,
            min_object_covered=covered,
            aspect_ratio_range=aspect,
            area_range=area,
            overlap_thresh=overlap,
            clip_boxes=clip,
            random_coef=coefficient,
            seed=seed,
        )

    return one_of([case(index) for index in range(len(settings))], seed)


def random_crop_to_aspect_ratio(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor | None,
    label_confidences: tf.Tensor | None = None,
    multiclass_scores: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    aspect_ratio: float = 1.0,
    overlap_thresh: float = 0.3,
    clip_boxes: bool = True,
    center_crop: bool = False,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """Cuts the largest window of an aspect ratio out of the picture, at a random place.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        labels: [M].
        label_weights: [M], or None.
        label_confidences: [M, ...].
        multiclass_scores: [M, ...].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        aspect_ratio: of the window, width/height.
        overlap_thresh: boxes of which less than this share remains are left out.
        clip_boxes: whether to cut boxes at the window's edges.
        center_crop: cut out the middle.
        seed: of the choices.
        preprocess_vars_cache: no effect.
        keypoint_visibilities: [M, K].

    Returns:
        Image, boxes, labels and, in the order of the arguments, what else was given.
    """
    del preprocess_vars_cache
    rows: dict[str, tf.Tensor] = {
        name: value
        for name, value in (
            ("labels", labels),
            ("label_weights", label_weights),
            ("label_confidences", label_confidences),
            ("multiclass_scores", multiclass_scores),
            ("masks", masks),
            ("keypoints", keypoints),
            ("keypoint_visibilities", keypoint_visibilities),
        )
        if value is not None
    }
    height, width = tf.unstack(tf.cast(tf.shape(image)[:2], tf.float32))
    share = tf.stack(
        [
            tf.minimum(width / aspect_ratio / height, 1.0),
            tf.minimum(height * aspect_ratio / width, 1.0),
        ]
    )
    place = tf.fill([2], 0.5) if center_crop else tf.random.uniform([2], seed=seed)
    corner = (1.0 - share) * place
    cropped, window = _crop_pixels(image, tf.concat([corner, corner + share], axis=0))
    boxes, rows = crop_rows(boxes, rows, window, overlap_thresh, clip_boxes)
    if "masks" in rows:
        moved = tf.transpose(rows["masks"], [1, 2, 0])
        rows["masks"] = tf.transpose(_crop_pixels(moved, window)[0], [2, 0, 1])
    return (cropped, boxes, *rows.values())


def ssd_random_crop_fixed_aspect_ratio(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor | None,
    label_confidences: tf.Tensor | None = None,
    multiclass_scores: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    min_object_covered: Sequence[float] = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0),
    aspect_ratio: float = 1.0,
    area_range: Sequence[Sequence[float]] = ((0.1, 1.0),) * 7,
    overlap_thresh: Sequence[float] = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0),
    clip_boxes: Sequence[bool] = (True,) * 7,
    random_coef: Sequence[float] = (0.15,) * 7,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """`ssd_random_crop` to one aspect ratio; where it leaves the picture, that is cut to it, too.

    Arguments and result are those of `ssd_random_crop`, but for one `aspect_ratio`, width/height.
    """
    optional: dict[str, Any] = {
        "label_weights": label_weights,
        "label_confidences": label_confidences,
        "multiclass_scores": multiclass_scores,
        "masks": masks,
        "keypoints": keypoints,
        "keypoint_visibilities": keypoint_visibilities,
    }
    results = ssd_random_crop(
        image,
        boxes,
        labels,
        **optional,
        min_object_covered=min_object_covered,
        aspect_ratio_range=((aspect_ratio, aspect_ratio),) * len(area_range),
        area_range=area_range,
        overlap_thresh=overlap_thresh,
        clip_boxes=clip_boxes,
        random_coef=random_coef,
        seed=seed,
        preprocess_vars_cache=preprocess_vars_cache,
    )
    image, boxes, labels = results[:3]
    given = [name for name, value in optional.items() if value is not None]
    return random_crop_to_aspect_ratio(
        image,
        boxes,
        labels,
        **(optional | dict(zip(given, results[3:], strict=True))),
        aspect_ratio=aspect_ratio,
        seed=seed,
    )
