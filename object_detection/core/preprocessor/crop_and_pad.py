"""Augmentations that cut a window out of the picture and put it on a larger canvas.

Axes: M boxes, K keypoints. Coordinates are normalised. Objects become larger by the crop and
smaller by the canvas, so both together vary their size most (arXiv:1512.02325, section 3.6).
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.preprocessor import cropping, padding
from object_detection.core.preprocessor.random_calls import one_of

# Position of image, boxes, labels in the results of crops; what else was given follows.
_NUM_FIXED = 3


def _split(
    results: Sequence[tf.Tensor], given: Sequence[str]
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
    return (*results[:_NUM_FIXED], dict(zip(given, results[_NUM_FIXED:], strict=True)))


def _names(rows: dict[str, tf.Tensor | None]) -> list[str]:
    return [name for name, value in rows.items() if value is not None]


def _padded(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    rows: dict[str, tf.Tensor],
    pad: Any,
    settings: dict[str, Any],
) -> tuple[tf.Tensor, ...]:
    """Pads the picture; masks and keypoints move along, all else stays."""
    moving = [name for name in ("masks", "keypoints") if name in rows]
    results = pad(image, boxes, **{name: rows[name] for name in moving}, **settings)
    rows = rows | dict(zip(moving, results[2:], strict=True))
    return (results[0], results[1], labels, *rows.values())


def random_crop_pad_image(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor | None,
    label_confidences: tf.Tensor | None = None,
    multiclass_scores: tf.Tensor | None = None,
    min_object_covered: float = 1.0,
    aspect_ratio_range: Sequence[float] = (0.75, 1.33),
    area_range: Sequence[float] = (0.1, 1.0),
    overlap_thresh: float = 0.3,
    clip_boxes: bool = True,
    random_coef: float = 0.0,
    min_padded_size_ratio: Sequence[float] = (1.0, 1.0),
    max_padded_size_ratio: Sequence[float] = (2.0, 2.0),
    pad_color: Sequence[float] | None = None,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_visibilities: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """`random_crop_image`, then `random_pad_image` to a canvas measured by the whole picture.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        labels: [M].
        label_weights: [M], or None.
        label_confidences: [M, ...].
        multiclass_scores: [M, ...].
        min_object_covered: share of some box that the window must cover.
        aspect_ratio_range: of the window, width/height.
        area_range: of the window, as share of the picture.
        overlap_thresh: boxes of which less than this share remains are left out.
        clip_boxes: whether to cut boxes at the window's edges.
        random_coef: probability of not cropping.
        min_padded_size_ratio: height and width of the canvas at least, as share of the picture's.
        max_padded_size_ratio: height and width of the canvas at most.
        pad_color: of the margin; the window's mean colour by default.
        seed: of the choices.
        preprocess_vars_cache: no effect.
        masks: [M, H, W].
        keypoints: [M, K, 2].
        keypoint_visibilities: [M, K].

    Returns:
        Image, boxes, labels and, in the order of `random_crop_image`, what else was given.
    """
    rows: dict[str, Any] = {
        "label_weights": label_weights,
        "label_confidences": label_confidences,
        "multiclass_scores": multiclass_scores,
        "masks": masks,
        "keypoints": keypoints,
        "keypoint_visibilities": keypoint_visibilities,
    }
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    results = cropping.random_crop_image(
        image,
        boxes,
        labels,
        **rows,
        min_object_covered=min_object_covered,
        aspect_ratio_range=aspect_ratio_range,
        area_range=area_range,
        overlap_thresh=overlap_thresh,
        clip_boxes=clip_boxes,
        random_coef=random_coef,
        seed=seed,
        preprocess_vars_cache=preprocess_vars_cache,
    )
    image, boxes, labels, kept = _split(results, _names(rows))
    canvas = {
        "min_image_size": tf.cast(size * list(min_padded_size_ratio), tf.int32),
        "max_image_size": tf.cast(size * list(max_padded_size_ratio), tf.int32),
        "pad_color": pad_color,
        "seed": seed,
    }
    return _padded(image, boxes, labels, kept, padding.random_pad_image, canvas)


def ssd_random_crop_pad(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor | None,
    label_confidences: tf.Tensor | None = None,
    multiclass_scores: tf.Tensor | None = None,
    min_object_covered: Sequence[float] = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0),
    aspect_ratio_range: Sequence[Sequence[float]] = ((0.5, 2.0),) * 6,
    area_range: Sequence[Sequence[float]] = ((0.1, 1.0),) * 6,
    overlap_thresh: Sequence[float] = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0),
    clip_boxes: Sequence[bool] = (True,) * 6,
    random_coef: Sequence[float] = (0.15,) * 6,
    min_padded_size_ratio: Sequence[Sequence[float]] = ((1.0, 1.0),) * 6,
    max_padded_size_ratio: Sequence[Sequence[float]] = ((2.0, 2.0),) * 6,
    pad_color: Sequence[Sequence[float] | None] = (None,) * 6,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_visibilities: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """`random_crop_pad_image` with one of several settings, chosen at random.

    The settings are sequences of the same length; the other arguments and the result are those
    of `random_crop_pad_image`.
    """

    def case(
        covered: float, aspect: Any, area: Any, overlap: float, clip: bool, coefficient: float,
        smallest: Any, largest: Any, color: Any,
    ) -> Any:  # fmt: skip
        return lambda: random_crop_pad_image(
            image,
            boxes,
            labels,
            label_weights,
            label_confidences,
            multiclass_scores,
            min_object_covered=covered,
            aspect_ratio_range=aspect,
            area_range=area,
            overlap_thresh=overlap,
            clip_boxes=clip,
            random_coef=coefficient,
            min_padded_size_ratio=smallest,
            max_padded_size_ratio=largest,
            pad_color=color,
            seed=seed,
            preprocess_vars_cache=preprocess_vars_cache,
            masks=masks,
            keypoints=keypoints,
            keypoint_visibilities=keypoint_visibilities,
        )

    settings = zip(
        min_object_covered,
        aspect_ratio_range,
        area_range,
        overlap_thresh,
        clip_boxes,
        random_coef,
        min_padded_size_ratio,
        max_padded_size_ratio,
        pad_color,
        strict=True,
    )
    return one_of([case(*each) for each in settings], seed)


def ssd_random_crop_pad_fixed_aspect_ratio(
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
    aspect_ratio_range: Sequence[Sequence[float]] = ((0.5, 2.0),) * 7,
    area_range: Sequence[Sequence[float]] = ((0.1, 1.0),) * 7,
    overlap_thresh: Sequence[float] = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0),
    clip_boxes: Sequence[bool] = (True,) * 7,
    random_coef: Sequence[float] = (0.15,) * 7,
    min_padded_size_ratio: Sequence[float] = (1.0, 1.0),
    max_padded_size_ratio: Sequence[float] = (2.0, 2.0),
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    keypoint_visibilities: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """`ssd_random_crop`, then `random_pad_to_aspect_ratio`.

    Args:
        image: [H, W, C].
        boxes: [M, 4].
        labels: [M].
        label_weights: [M], or None.
        label_confidences: [M, ...].
        multiclass_scores: [M, ...].
        masks: [M, H, W].
        keypoints: [M, K, 2].
        min_object_covered: one for each setting of the crop, as the next five.
        aspect_ratio: of the result, width/height.
        aspect_ratio_range: of the window.
        area_range: of the window.
        overlap_thresh: boxes of which less than this share remains are left out.
        clip_boxes: whether to cut boxes at the window's edges.
        random_coef: probability of not cropping.
        min_padded_size_ratio: height and width of the canvas at least, as share of the window's.
        max_padded_size_ratio: height and width of the canvas at most.
        seed: of the choices.
        preprocess_vars_cache: no effect.
        keypoint_visibilities: [M, K].

    Returns:
        Image, boxes, labels and, in the order of `ssd_random_crop`, what else was given.
    """
    rows: dict[str, Any] = {
        "label_weights": label_weights,
        "label_confidences": label_confidences,
        "multiclass_scores": multiclass_scores,
        "masks": masks,
        "keypoints": keypoints,
        "keypoint_visibilities": keypoint_visibilities,
    }
    results = cropping.ssd_random_crop(
        image,
        boxes,
        labels,
        **rows,
        min_object_covered=min_object_covered,
        aspect_ratio_range=aspect_ratio_range,
        area_range=area_range,
        overlap_thresh=overlap_thresh,
        clip_boxes=clip_boxes,
        random_coef=random_coef,
        seed=seed,
        preprocess_vars_cache=preprocess_vars_cache,
    )
    image, boxes, labels, kept = _split(results, _names(rows))
    canvas = {
        "aspect_ratio": aspect_ratio,
        "min_padded_size_ratio": min_padded_size_ratio,
        "max_padded_size_ratio": max_padded_size_ratio,
        "seed": seed,
    }
    return _padded(image, boxes, labels, kept, padding.random_pad_to_aspect_ratio, canvas)
