"""Drawing inside a graph: on batches of pictures, and on dicts of an evaluation.

Axes:   B pictures, N boxes, D detections, K keypoints, H x W pixels.
Frames: as in `drawing`.

A picture in a batch may be padded: `true_image_shape` says how much of it is the picture, and
`original_image_spatial_shape` to which size that is brought before anything is drawn on it.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError, DataError, ShapeError
from object_detection.visualization import blending, drawing

Array = np.ndarray[Any, Any]
Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

_TRUTH_COUNTS = ("num_groundtruth_boxes_per_image", Inputs.num_groundtruth_boxes)


def create_visualization_fn(
    category_index: drawing.CategoryIndex,
    include_masks: bool = False,
    include_keypoints: bool = False,
    include_keypoint_scores: bool = False,
    include_track_ids: bool = False,
    **kwargs: Any,
) -> Callable[..., Array]:
    """A function of arrays for `tf.py_func`, which passes arguments by position alone.

    Args:
        category_index: id -> category.
        include_masks: whether masks are passed.
        include_keypoints: whether keypoints are passed.
        include_keypoint_scores: whether scores of keypoints are passed.
        include_track_ids: whether ids of tracks are passed.
        **kwargs: further arguments of `visualize_boxes_and_labels_on_image_array`.

    Returns:
        A function of image, boxes, classes, scores, and of what is included, in the order of the
        arguments here; it returns the picture with the drawings, and leaves its image as it is.
    """
    optional = {
        "instance_masks": include_masks,
        "keypoints": include_keypoints,
        "keypoint_scores": include_keypoint_scores,
        "track_ids": include_track_ids,
    }
    names = [name for name, included in optional.items() if included]

    def visualize(
        image: Array, boxes: Array, classes: Array, scores: Array, *included: Array
    ) -> Array:
        more: dict[str, Any] = dict(zip(names, included, strict=True))
        if "instance_masks" in more:
            # Masks of a batch are as large as its largest picture.
            more["instance_masks"] = more["instance_masks"][:, : image.shape[0], : image.shape[1]]
        return drawing.visualize_boxes_and_labels_on_image_array(
            # TensorFlow may still need what it passes.
            np.array(image),
            boxes,
            classes,
            scores,
            category_index=category_index,
            **more,
            **kwargs,
        )

    return visualize


def _in_color(images: tf.Tensor) -> tf.Tensor:
    """[B, H, W, C] -> [B, H, W, 3] uint8: grey becomes colour, further channels are left out.

    Raises:
        ShapeError: another rank, or two channels.
    """
    images = tf.convert_to_tensor(images)
    channels = images.shape[3].value if images.shape.rank == 4 else None
    if channels is None or channels == 2:
        raise ShapeError(
            f"images should be [B, H, W, C] with 1, 3 or more channels, got {images.shape}."
        )
    color = tf.image.grayscale_to_rgb(images) if channels == 1 else images[..., :3]
    return tf.cast(color, tf.uint8)


def _as_recorded(
    image: tf.Tensor, true_shape: tf.Tensor | None, original_size: tf.Tensor | None
) -> tf.Tensor:
    """The picture without padding, in the size that it was recorded in."""
    if true_shape is not None:
        image = image[: true_shape[0], : true_shape[1]]
    if original_size is not None:
        image = tf.image.resize_images(
            image[tf.newaxis],
            tf.cast(original_size[:2], tf.int32),
            method=tf.image.ResizeMethod.NEAREST_NEIGHBOR,
            align_corners=True,
        )[0]
    return image


def draw_bounding_boxes_on_image_tensors(
    images: tf.Tensor,
    boxes: tf.Tensor,
    classes: tf.Tensor,
    scores: tf.Tensor,
    category_index: drawing.CategoryIndex,
    original_image_spatial_shape: tf.Tensor | None = None,
    true_image_shape: tf.Tensor | None = None,
    instance_masks: tf.Tensor | None = None,
    keypoints: tf.Tensor | None = None,
    keypoint_scores: tf.Tensor | None = None,
    keypoint_edges: Iterable[tuple[int, int]] | None = None,
    track_ids: tf.Tensor | None = None,
    max_boxes_to_draw: int | None = 20,
    min_score_thresh: float = 0.2,
    use_normalized_coordinates: bool = True,
) -> tf.Tensor:
    """Draws boxes, and what goes with them, on a batch of pictures.

    Args:
        images: [B, H, W, C] uint8; one channel becomes colour, those beyond three are left out.
        boxes: [B, N, 4].
        classes: [B, N], ids of the label map.
        scores: [B, N].
        category_index: id -> category.
        original_image_spatial_shape: [B, 2], the size that pictures are brought to, which must be
            one size; or None.
        true_image_shape: [B, 3], the part of each picture that is not padding; or None.
        instance_masks: [B, N, H, W] uint8, in the size of the result; or None.
        keypoints: [B, N, K, 2] or None.
        keypoint_scores: [B, N, K] or None.
        keypoint_edges: pairs of numbers of keypoints to join.
        track_ids: [B, N] or None.
        max_boxes_to_draw: on each picture; None for all.
        min_score_thresh: only detections above it are drawn.
        use_normalized_coordinates: whether coordinates are shares of the picture.

    Returns:
        [B, H, W, 3] uint8.
    """
    images = _in_color(images)
    visualize = create_visualization_fn(
        category_index,
        include_masks=instance_masks is not None,
        include_keypoints=keypoints is not None,
        include_keypoint_scores=keypoint_scores is not None,
        include_track_ids=track_ids is not None,
        keypoint_edges=None if keypoint_edges is None else list(keypoint_edges),
        max_boxes_to_draw=max_boxes_to_draw,
        min_score_thresh=min_score_thresh,
        use_normalized_coordinates=use_normalized_coordinates,
        line_thickness=4,
    )
    drawn = [
        tf.convert_to_tensor(value)
        for value in (boxes, classes, scores, instance_masks, keypoints, keypoint_scores, track_ids)
        if value is not None
    ]
    sizes = {
        name: tf.convert_to_tensor(value)
        for name, value in (
            ("true", true_image_shape),
            ("original", original_image_spatial_shape),
        )
        if value is not None
    }

    def draw(elements: tuple[Any, ...]) -> tf.Tensor:
        image, given, arrays = elements
        image = _as_recorded(image, given.get("true"), given.get("original"))
        result = tf.py_func(visualize, [image, *arrays], tf.uint8)
        result.set_shape(image.shape)
        return result

    return tf.map_fn(draw, (images, sizes, drawn), fn_output_signature=tf.uint8)


def draw_heatmaps_on_image_tensors(
    images: tf.Tensor, heatmaps: tf.Tensor, apply_sigmoid: bool = False
) -> tf.Tensor:
    """Lays heat maps over a batch of pictures.

    Args:
        images: [B, H, W, C] uint8; one channel becomes colour, those beyond three are left out.
        heatmaps: [B, h, w, channels] float, 0 to 1 unless `apply_sigmoid`; brought to the size of
            the pictures.
        apply_sigmoid: whether they are logits.

    Returns:
        [B, H, W, 3] uint8.
    """
    images = _in_color(images)
    heatmaps = tf.cast(heatmaps, tf.float32)
    if apply_sigmoid:
        heatmaps = tf.sigmoid(heatmaps)
    resized = tf.image.resize_images(heatmaps, tf.shape(images)[1:3])

    def draw(elements: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        image, heat = elements
        result = tf.py_func(blending.draw_heatmaps_on_image_array, [image, heat], tf.uint8)
        result.set_shape(image.shape)
        return result

    return tf.map_fn(draw, (images, resized), fn_output_signature=tf.uint8)


def _batched(eval_dict: dict[str, Any]) -> dict[str, Any]:
    """The dict of a batch; that of one picture gets the axis that its pictures have already."""
    if eval_dict[Detections.detection_classes].shape.rank != 1:
        return eval_dict
    pictures = (Inputs.original_image, Inputs.image_additional_channels)
    return {
        key: value if key in pictures else tf.convert_to_tensor(value)[tf.newaxis]
        for key, value in eval_dict.items()
    }


def _batch_size(eval_dict: dict[str, Any]) -> int:
    size = eval_dict[Inputs.original_image].shape[0].value
    if size is None:
        raise ShapeError("original_image needs a batch size that is known when the graph is built.")
    return int(size)


def _drawer(
    eval_dict: dict[str, Any], row: slice, category_index: drawing.CategoryIndex
) -> Callable[..., tf.Tensor]:
    """`draw_bounding_boxes_on_image_tensors` of one picture of a batch."""

    def of_picture(key: str) -> Any:
        value = eval_dict.get(key)
        return None if value is None else value[row]

    def draw(image: str, keys: dict[str, str], scores: tf.Tensor, **more: Any) -> tf.Tensor:
        arrays = {name: of_picture(key) for name, key in keys.items()}
        if arrays["instance_masks"] is not None:
            arrays["instance_masks"] = tf.cast(arrays["instance_masks"], tf.uint8)
        return draw_bounding_boxes_on_image_tensors(
            of_picture(image),
            scores=scores,
            category_index=category_index,
            original_image_spatial_shape=of_picture(Inputs.original_image_spatial_shape),
            true_image_shape=of_picture(Inputs.true_image_shape),
            **arrays,
            **more,
        )

    return draw


_FOUND_KEYS = {
    "boxes": Detections.detection_boxes,
    "classes": Detections.detection_classes,
    "instance_masks": Detections.detection_masks,
    "keypoints": Detections.detection_keypoints,
    "keypoint_scores": Detections.detection_keypoint_scores,
}
_TRUTH_KEYS = {
    "boxes": Inputs.groundtruth_boxes,
    "classes": Inputs.groundtruth_classes,
    "instance_masks": Inputs.groundtruth_instance_masks,
    "keypoints": Inputs.groundtruth_keypoints,
    "keypoint_scores": Inputs.groundtruth_keypoint_visibilities,
}


def _truth_scores(eval_dict: dict[str, Any], row: slice) -> tf.Tensor:
    """[1, M]: 1, and 0 for padding, which is then not drawn."""
    shape = tf.shape(eval_dict[Inputs.groundtruth_classes][row])
    name = next((key for key in _TRUTH_COUNTS if eval_dict.get(key) is not None), None)
    if name is None:
        return tf.ones(shape)
    counts = tf.reshape(eval_dict[name], [-1])
    count = tf.cond(tf.size(counts) > 1, lambda: counts[row][0], lambda: counts[0])
    return tf.sequence_mask(count[tf.newaxis], shape[1], tf.float32)


def draw_side_by_side_evaluation_image(
    eval_dict: dict[str, Any],
    category_index: drawing.CategoryIndex,
    max_boxes_to_draw: int | None = 20,
    min_score_thresh: float = 0.2,
    use_normalized_coordinates: bool = True,
    keypoint_edges: Iterable[tuple[int, int]] | None = None,
) -> list[tf.Tensor]:
    """Detections at the left, groundtruth at the right, of each picture.

    Args:
        eval_dict: as `eval_util.result_dict_for_single_example` or its batched sister makes it.
        category_index: id -> category.
        max_boxes_to_draw: of detections, on each picture.
        min_score_thresh: only detections above it are drawn.
        use_normalized_coordinates: whether coordinates are shares of the picture.
        keypoint_edges: pairs of numbers of keypoints to join.

    Returns:
        [1, H, 2 W, 3] uint8 of each picture; [1, H, 3 W, 3], with groundtruth on them, if there are
        `image_additional_channels`.

    Raises:
        ShapeError: the batch size is not known.
    """
    eval_dict = _batched(eval_dict)
    edges = None if keypoint_edges is None else list(keypoint_edges)
    pictures = []
    for index in range(_batch_size(eval_dict)):
        row = slice(index, index + 1)
        draw = _drawer(eval_dict, row, category_index)
        common = {
            "keypoint_edges": edges,
            "use_normalized_coordinates": use_normalized_coordinates,
        }
        found = draw(
            Inputs.original_image,
            _FOUND_KEYS,
            eval_dict[Detections.detection_scores][row],
            max_boxes_to_draw=max_boxes_to_draw,
            min_score_thresh=min_score_thresh,
            **common,
        )
        whole_truth = {**common, "max_boxes_to_draw": None, "min_score_thresh": 0.0}
        scores = _truth_scores(eval_dict, row)
        truth = draw(Inputs.original_image, _TRUTH_KEYS, scores, **whole_truth)
        parts = [found, truth]
        if eval_dict.get(Inputs.image_additional_channels) is not None:
            parts.append(draw(Inputs.image_additional_channels, _TRUTH_KEYS, scores, **whole_truth))
        pictures.append(tf.concat(parts, axis=2))
    return pictures


def draw_densepose_visualizations(
    eval_dict: dict[str, Any],
    max_boxes_to_draw: int | None = 20,
    min_score_thresh: float = 0.2,
    num_parts: int = 24,
    dp_coord_to_visualize: int = 0,
) -> list[tf.Tensor]:
    """Parts of bodies at the left, one surface coordinate at the right, of each picture.

    Args:
        eval_dict: with `detection_masks` [B, D, H, W] uint8, which number the parts from 1, and
            `detection_surface_coords` [B, D, H, W, 2], 0 to 1 (DensePose, arXiv:1802.00434).
        max_boxes_to_draw: on each picture.
        min_score_thresh: only detections above it are drawn.
        num_parts: of a body.
        dp_coord_to_visualize: 0 for v, 1 for u.

    Returns:
        [1, H, 2 W, 3] uint8 of each picture.

    Raises:
        ConfigError: another coordinate.
        DataError: there are no masks or coordinates.
        ShapeError: the batch size is not known.
    """
    if dp_coord_to_visualize not in (0, 1):
        raise ConfigError(f"dp_coord_to_visualize is {dp_coord_to_visualize}; 0 is v, 1 is u.")
    needed = (Detections.detection_masks, Detections.detection_surface_coords)
    absent = [key for key in needed if eval_dict.get(key) is None]
    if absent:
        raise DataError(f"eval_dict lacks {', '.join(absent)}; DensePose cannot be drawn.")

    def draw(image: Array, scores: Array, masks: Array, coordinates: Array) -> Array:
        parts, surface = np.array(image), np.array(image)
        height, width = image.shape[:2]
        masks, coordinates = masks[:, :height, :width], coordinates[:, :height, :width]
        for row in range(len(scores))[:max_boxes_to_draw]:
            if scores[row] > min_score_thresh:
                blending.draw_part_mask_on_image_array(parts, masks[row], num_parts=num_parts)
                channel = np.clip(coordinates[row, :, :, dp_coord_to_visualize], 0.0, 1.0)
                blending.draw_float_channel_on_image_array(surface, channel, masks[row])
        return np.concatenate([parts, surface], axis=1)

    eval_dict = _batched(eval_dict)
    images = _in_color(eval_dict[Inputs.original_image])
    pictures = []
    for index in range(_batch_size(eval_dict)):
        true_shape, size = (
            None if eval_dict.get(key) is None else eval_dict[key][index]
            for key in (Inputs.true_image_shape, Inputs.original_image_spatial_shape)
        )
        picture = tf.py_func(
            draw,
            [
                _as_recorded(images[index], true_shape, size),
                eval_dict[Detections.detection_scores][index],
                tf.cast(eval_dict[Detections.detection_masks][index], tf.uint8),
                tf.cast(eval_dict[Detections.detection_surface_coords][index], tf.float32),
            ],
            tf.uint8,
        )
        picture.set_shape([None, None, 3])
        pictures.append(picture[tf.newaxis])
    return pictures
