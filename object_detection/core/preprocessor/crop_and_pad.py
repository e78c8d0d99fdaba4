"""Augmentations that cut a window out of the picture and put it on a larger canvas.

Axes: M boxes, K keypoints. Coordinates are normalised. Objects become larger by the crop and
smaller by the canvas, so both together vary their size most (arXiv:1512.02325, section 3.6).
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.preprocessor import cropping, padding, windows
from object_detection.core.preprocessor import rows as row_ops
from object_detection.core.preprocessor.random_calls import nth_seed
from object_detection.core.preprocessor_cache import PreprocessorCache as Cache

# What `padding` moves; all other rows stay as they are.
_ON_CANVAS = ("masks", "keypoints", "densepose_surface_coords")


def _pad(
    pad: Any, cropped: Sequence[tf.Tensor], names: Sequence[str], **settings: Any
) -> tuple[tf.Tensor, ...]:
    """Pads what a crop returned: picture, boxes and rows of those names."""
    rows = dict(zip(names, cropped[2:], strict=True))
    moving = [name for name in _ON_CANVAS if name in rows]
    padded = pad(cropped[0], cropped[1], **{name: rows[name] for name in moving}, **settings)
    rows |= dict(zip(moving, padded[2:], strict=True))
    return (*padded[:2], *rows.values())


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
    pad_color: Any = None,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_visibilities: tf.Tensor | None = None,
    more_rows: row_ops.MoreRows = None,
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
        max_padded_size_ratio: height and width below which the canvas stays.
        pad_color: of the margin, [C]; the window's mean colour by default.
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
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    results = cropping.random_crop_image(
        image,
        boxes,
        labels=labels,
        label_weights=None,
        min_object_covered=min_object_covered,
        aspect_ratio_range=aspect_ratio_range,
        area_range=area_range,
        overlap_thresh=overlap_thresh,
        clip_boxes=clip_boxes,
        random_coef=random_coef,
        seed=seed,
        preprocess_vars_cache=preprocess_vars_cache,
        more_rows={name: row for name, row in rows.items() if name != "labels"},
    )
    return _pad(
        padding.random_pad_image,
        results,
        list(rows),
        min_image_size=tf.cast(size * list(min_padded_size_ratio), tf.int32),
        max_image_size=tf.cast(size * list(max_padded_size_ratio), tf.int32),
        pad_color=pad_color,
        seed=nth_seed(seed, 1),
        preprocess_vars_cache=preprocess_vars_cache,
    )


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
    more_rows: row_ops.MoreRows = None,
) -> tuple[tf.Tensor, ...]:
    """`random_crop_pad_image` with one of several settings, chosen at random.

    The settings are sequences of the same length; the other arguments and the result are those
    of `random_crop_pad_image`.
    """
    image, boxes = tf.convert_to_tensor(image), tf.convert_to_tensor(boxes)
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
    settings = [
        windows.CropSettings(*one)
        for one in zip(min_object_covered, aspect_ratio_range, area_range, strict=True)
    ]
    chosen, results = cropping.crop_in_one_of_many_ways(
        image,
        boxes,
        rows,
        settings,
        overlap_thresh,
        clip_boxes,
        random_coef,
        seed,
        preprocess_vars_cache,
        Cache.SSD_CROP_PAD_SELECTOR_ID,
    )
    size = tf.cast(tf.shape(image)[:2], tf.float32)

    def canvas(ratios: Sequence[Sequence[float]]) -> tf.Tensor:
        table = tf.constant([list(ratio) for ratio in ratios], tf.float32)
        return tf.cast(size * tf.gather(table, chosen), tf.int32)

    return _pad(
        padding.random_pad_image,
        results,
        list(rows),
        min_image_size=canvas(min_padded_size_ratio),
        max_image_size=canvas(max_padded_size_ratio),
        pad_color=_chosen_color(pad_color, chosen, results[0]),
        seed=nth_seed(seed, len(settings) + 1),
        preprocess_vars_cache=preprocess_vars_cache,
    )


def _chosen_color(
    colors: Sequence[Sequence[float] | None], chosen: tf.Tensor, image: tf.Tensor
) -> tf.Tensor | None:
    """The color of that number; where it is None, the picture's mean."""
    channels = next((len(color) for color in colors if color is not None), None)
    if channels is None:
        return None
    unset = [color is None for color in colors]
    table = [[0.0] * channels if color is None else list(color) for color in colors]
    return row_ops.either(
        tf.gather(tf.constant(unset), chosen),
        tf.reduce_mean(tf.cast(image, tf.float32), axis=[0, 1]),
        tf.gather(tf.constant(table, tf.float32), chosen),
    )


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
    more_rows: row_ops.MoreRows = None,
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
        preprocess_vars_cache: repeats earlier choices.
        keypoint_visibilities: [M, K].
        more_rows: other tensors with a row for each box.

    Returns:
        Image, boxes, labels and, in the order of `ssd_random_crop`, what else was given.
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
    results = cropping.ssd_random_crop(
        image,
        boxes,
        labels,
        None,
        min_object_covered=min_object_covered,
        aspect_ratio_range=aspect_ratio_range,
        area_range=area_range,
        overlap_thresh=overlap_thresh,
        clip_boxes=clip_boxes,
        random_coef=random_coef,
        seed=seed,
        preprocess_vars_cache=preprocess_vars_cache,
        more_rows={name: row for name, row in rows.items() if name != "labels"},
    )
    return _pad(
        padding.random_pad_to_aspect_ratio,
        results,
        list(rows),
        aspect_ratio=aspect_ratio,
        min_padded_size_ratio=min_padded_size_ratio,
        max_padded_size_ratio=max_padded_size_ratio,
        seed=nth_seed(seed, len(area_range) + 1),
        preprocess_vars_cache=preprocess_vars_cache,
    )
