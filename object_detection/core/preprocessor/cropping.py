"""Augmentations that cut a window out of the picture.

Axes: M boxes, K keypoints. Coordinates are normalised; a window is [ymin, xmin, ymax, xmax].
A keypoint outside the window becomes NaN and invisible, where boxes end at the window, too.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops, encoded_image, randomness
from object_detection.core.preprocessor import rows as row_ops
from object_detection.core.preprocessor.random_calls import (
    chance,
    integer,
    nth_seed,
    remembered,
)
from object_detection.core.preprocessor.windows import (
    CropSettings,
    Window,
    draw_one_of_many,
    draw_window,
    sight,
)
from object_detection.core.preprocessor_cache import PreprocessorCache as Cache


def crop_rows(
    boxes: tf.Tensor, rows: row_ops.Rows, window: tf.Tensor, overlap_thresh: Any, clip: Any
) -> tuple[tf.Tensor, row_ops.Rows]:
    """Boxes and what travels with them, in the frame of a window.

    Args:
        boxes: [M, 4].
        rows: see the module `rows`; masks stay in the old frame.
        window: [4].
        overlap_thresh: boxes of which less than this share lies in the window are left out.
        clip: whether to cut boxes at the window's edges.
    """
    share = box_list_ops.pairwise_ioa(window[tf.newaxis], boxes)[0]
    kept = tf.where((share >= overlap_thresh) & (share > 0.0))[:, 0]
    return row_ops.moved(*row_ops.gathered(boxes, rows, kept), window, clip)


def crop(
    image: tf.Tensor,
    boxes: tf.Tensor,
    rows: row_ops.Rows,
    window: Window,
    overlap_thresh: Any,
    clip: Any,
) -> list[tf.Tensor]:
    """Picture, boxes and rows in a window; arguments as of `crop_rows`."""
    cropped = encoded_image.cut(image, window.begin, window.size)
    boxes, rows = crop_rows(boxes, rows, window.bounds, overlap_thresh, clip)
    if "masks" in rows:
        begin = tf.concat([[0], window.begin[:2]], axis=0)
        size = tf.concat([[-1], window.size[:2]], axis=0)
        rows["masks"] = tf.slice(rows["masks"], begin, size)
    return [cropped, boxes, *rows.values()]


def _crop_unless(
    kept_as_it_is: tf.Tensor | None,
    image: tf.Tensor,
    boxes: tf.Tensor,
    rows: row_ops.Rows,
    *settings: Any,
) -> tuple[tf.Tensor, ...]:
    """`crop`, unless a condition holds; None never holds."""
    if kept_as_it_is is None:
        return tuple(crop(image, boxes, rows, *settings))

    def keep() -> list[tf.Tensor]:
        return [tf.nest.map_structure(tf.identity, t) for t in (image, boxes, *rows.values())]

    return tuple(tf.cond(kept_as_it_is, keep, lambda: crop(image, boxes, rows, *settings)))


def random_crop_image(
    image: tf.Tensor,
    boxes: tf.Tensor,
    labels: tf.Tensor,
    label_weights: tf.Tensor | None,
    label_confidences: tf.Tensor | None = None,
    multiclass_scores: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    mask_weights: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_visibilities: tf.Tensor | None = None,
    densepose_num_points: tf.Tensor | None = None,
    densepose_part_ids: tf.Tensor | None = None,
    densepose_surface_coords: tf.Tensor | None = None,
    min_object_covered: float = 1.0,
    aspect_ratio_range: Sequence[float] = (0.75, 1.33),
    area_range: Sequence[float] = (0.1, 1.0),
    overlap_thresh: float = 0.3,
    clip_boxes: bool = True,
    random_coef: float = 0.0,
    seed: int | None = None,
    preprocess_vars_cache: Any = None,
    *,
    more_rows: row_ops.MoreRows = None,
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
        mask_weights: [M].
        keypoints: [M, K, 2].
        keypoint_visibilities: [M, K].
        densepose_num_points: [M].
        densepose_part_ids: [M, P].
        densepose_surface_coords: [M, P, 4], (y, x, v, u).
        min_object_covered: share of some box that the window must cover.
        aspect_ratio_range: of the window, width/height.
        area_range: of the window, as share of the picture.
        overlap_thresh: boxes of which less than this share remains are left out.
        clip_boxes: whether to cut boxes at the window's edges, and to drop points outside.
        random_coef: probability of leaving everything as it is.
        seed: of the choices.
        preprocess_vars_cache: repeats earlier choices.
        more_rows: other tensors with a row for each box; only the choice of rows concerns them.

    Returns:
        Image, boxes, labels and, in the order of the arguments, what else was given.

    Raises:
        ConfigError: some, but not all of the DensePose tensors.
    """
    image, boxes = encoded_image.as_image(image), tf.convert_to_tensor(boxes)
    rows = row_ops.given(
        more_rows,
        labels=labels,
        label_weights=label_weights,
        label_confidences=label_confidences,
        multiclass_scores=multiclass_scores,
        masks=masks,
        mask_weights=mask_weights,
        keypoints=keypoints,
        keypoint_visibilities=keypoint_visibilities,
        densepose_num_points=densepose_num_points,
        densepose_part_ids=densepose_part_ids,
        densepose_surface_coords=densepose_surface_coords,
    )
    settings = CropSettings(min_object_covered, aspect_ratio_range, area_range)
    window = remembered(
        preprocess_vars_cache,
        Cache.STRICT_CROP_IMAGE,
        lambda: draw_window(sight(image, boxes), settings, randomness.next_key(seed), seed),
    )
    kept = None
    if random_coef >= np.finfo(np.float32).eps:
        kept = chance(random_coef, seed, preprocess_vars_cache, Cache.CROP_IMAGE)
    return _crop_unless(kept, image, boxes, rows, window, overlap_thresh, clip_boxes)


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
    *,
    keypoint_visibilities: tf.Tensor | None = None,
    more_rows: row_ops.MoreRows = None,
) -> tuple[tf.Tensor, ...]:
    """`random_crop_image` with one of several settings, chosen at random (arXiv:1512.02325).

    The settings are sequences of the same length; the other arguments and the result are those
    of `random_crop_image`. Only the chosen crop is computed.
    """
    image, boxes = encoded_image.as_image(image), tf.convert_to_tensor(boxes)
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
        CropSettings(*one)
        for one in zip(min_object_covered, aspect_ratio_range, area_range, strict=True)
    ]
    _, results = crop_in_one_of_many_ways(
        image,
        boxes,
        rows,
        settings,
        overlap_thresh,
        clip_boxes,
        random_coef,
        seed,
        preprocess_vars_cache,
        Cache.SSD_CROP_SELECTOR_ID,
    )
    return results


def crop_in_one_of_many_ways(
    image: tf.Tensor,
    boxes: tf.Tensor,
    rows: row_ops.Rows,
    settings: Sequence[CropSettings],
    overlap_thresh: Sequence[float],
    clip_boxes: Sequence[bool],
    random_coef: Sequence[float],
    seed: int | None,
    cache: Any,
    function_id: str,
) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
    """The number of the settings that were chosen, and picture, boxes and rows after the crop.

    The choice concerns the window only, so there is one crop in the graph, not one a setting.
    """
    lengths = {len(one) for one in (settings, overlap_thresh, clip_boxes, random_coef)}
    if len(lengths) > 1:
        raise ValueError(
            "The settings of a crop should be sequences of one length, got "
            f"{len(settings)} windows, {len(overlap_thresh)} overlap_thresh, "
            f"{len(clip_boxes)} clip_boxes and {len(random_coef)} random_coef."
        )
    chosen = integer(cache, function_id, 0, len(settings), seed=seed, key="case")
    window = remembered(
        cache,
        function_id,
        lambda: draw_one_of_many(sight(image, boxes), settings, chosen, seed),
        key="window",
    )
    kept = None
    if max(random_coef) >= np.finfo(np.float32).eps:
        coefficient = tf.gather(tf.constant(list(random_coef), tf.float32), chosen)
        kept = chance(coefficient, nth_seed(seed, len(settings)), cache, function_id, "kept")
    clip: Any = bool(clip_boxes[0])
    if len({bool(one) for one in clip_boxes}) > 1:
        clip = tf.gather(tf.constant(list(clip_boxes)), chosen)
    overlap = tf.gather(tf.constant(list(overlap_thresh), tf.float32), chosen)
    return chosen, _crop_unless(kept, image, boxes, rows, window, overlap, clip)


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
    more_rows: row_ops.MoreRows = None,
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
        clip_boxes: whether to cut boxes at the window's edges, and to drop points outside.
        center_crop: cut out the middle.
        seed: of the choices.
        preprocess_vars_cache: repeats earlier choices.
        keypoint_visibilities: [M, K].
        more_rows: other tensors with a row for each box.

    Returns:
        Image, boxes, labels and, in the order of the arguments, what else was given.
    """
    image, boxes = encoded_image.as_image(image), tf.convert_to_tensor(boxes)
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
    size = encoded_image.shape(image)[:2]
    height, width = tf.unstack(tf.cast(size, tf.float32), num=2)
    target = tf.stack([width / aspect_ratio, height * aspect_ratio])
    target = tf.clip_by_value(tf.cast(tf.round(target), tf.int32), 1, size)
    room = size - target
    if center_crop:
        begin = room // 2
    else:
        cache, name = preprocess_vars_cache, Cache.CROP_TO_ASPECT_RATIO
        begin = tf.stack(
            [
                integer(cache, name, 0, room[0] + 1, seed=seed, key="top"),
                integer(cache, name, 0, room[1] + 1, seed=nth_seed(seed, 1), key="left"),
            ]
        )
    edges = tf.cast(tf.concat([begin, begin + target], axis=0), boxes.dtype)
    window = Window(
        tf.concat([begin, [0]], axis=0),
        tf.concat([target, [-1]], axis=0),
        edges / tf.cast(tf.tile(size, [2]), boxes.dtype),
    )
    return tuple(crop(image, boxes, rows, window, overlap_thresh, clip_boxes))


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
    more_rows: row_ops.MoreRows = None,
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
        more_rows=more_rows,
    )
    image, boxes, labels = results[:3]
    names = [name for name, value in optional.items() if value is not None]
    kept = dict(zip([*names, *(more_rows or ())], results[3:], strict=True))
    return random_crop_to_aspect_ratio(
        image,
        boxes,
        labels,
        **(optional | {name: kept[name] for name in names}),
        aspect_ratio=aspect_ratio,
        clip_boxes=any(clip_boxes),
        seed=nth_seed(seed, 1),
        preprocess_vars_cache=preprocess_vars_cache,
        more_rows={name: kept[name] for name in more_rows or ()},
    )
