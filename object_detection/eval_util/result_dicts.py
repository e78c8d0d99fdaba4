"""Tensors of a model and of its input as the dicts that evaluators read.

Axes:   B pictures, M groundtruth boxes, D detections, K keypoints, H x W pixels.
Frames: detections are shares of the picture, groundtruth of the network's input with its padding;
        both come out as shares of the picture, or in pixels of the picture as recorded.
"""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError, ShapeError
from object_detection.utils import ops

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields
Tensors = dict[str, Any]

# Masks count as inside from here on.
_MASK_THRESHOLD = 0.5
_BATCH_ONLY = (
    Detections.num_detections,
    Inputs.num_groundtruth_boxes,
    "num_det_boxes_per_image",
    "num_groundtruth_boxes_per_image",
)


def has_densepose(eval_dict: Tensors) -> bool:
    """Whether there is what `draw_densepose_visualizations` draws: masks and surface coordinates."""
    return (
        Detections.detection_masks in eval_dict and Detections.detection_surface_coords in eval_dict
    )


def _padded_to(rows: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """[N, h, w, ...] -> [N, H, W, ...] with zeros at the bottom and right."""
    room = tf.maximum(size - tf.shape(rows)[1:3], 0)
    paddings = [[0, 0], [0, room[0]], [0, room[1]]] + [[0, 0]] * (rows.shape.rank - 3)
    return tf.pad(rows, tf.convert_to_tensor(paddings))


def resize_detection_masks(
    detection_boxes: tf.Tensor,
    detection_masks: tf.Tensor,
    original_image_spatial_shapes: tf.Tensor,
) -> tf.Tensor:
    """Masks in the frames of their boxes -> masks of their whole pictures.

    Args:
        detection_boxes: [B, D, 4], normalised.
        detection_masks: [B, D, h, w]; floats are inside above 0.5, integers are kept (they may
            number the parts of a body).
        original_image_spatial_shapes: [B, 2 or more], height and width of each picture first.

    Returns:
        [B, D, H, W] uint8, in the size of the largest picture; 0 beyond the others.
    """
    masks = tf.convert_to_tensor(detection_masks)
    sizes = tf.cast(original_image_spatial_shapes, tf.int32)[:, :2]
    largest = tf.reduce_max(sizes, axis=0)
    method = "bilinear" if masks.dtype.is_floating else "nearest"

    def reframe(elements: tuple[tf.Tensor, ...]) -> tf.Tensor:
        boxes, of_boxes, size = elements
        whole = ops.reframe_box_masks_to_image_masks(of_boxes, boxes, size[0], size[1], method)
        if whole.dtype.is_floating:
            whole = whole > _MASK_THRESHOLD
        return _padded_to(tf.cast(whole, tf.uint8), largest)

    resized = tf.map_fn(
        reframe, (tf.convert_to_tensor(detection_boxes), masks, sizes), fn_output_signature=tf.uint8
    )
    resized.set_shape([*masks.shape.as_list()[:2], None, None])
    return resized


def _resize_surface_coordinates(
    boxes: tf.Tensor, coordinates: tf.Tensor, sizes: tf.Tensor
) -> tf.Tensor:
    """[B, D, h, w, 2] in the frames of boxes -> [B, D, H, W, 2] float32."""
    largest = tf.reduce_max(sizes, axis=0)

    def reframe(elements: tuple[tf.Tensor, ...]) -> tf.Tensor:
        of_boxes, channels, size = elements
        whole = [
            ops.reframe_box_masks_to_image_masks(channel, of_boxes, size[0], size[1])
            for channel in tf.unstack(tf.cast(channels, tf.float32), num=2, axis=-1)
        ]
        return _padded_to(tf.stack(whole, axis=-1), largest)

    return tf.map_fn(reframe, (boxes, coordinates, sizes), fn_output_signature=tf.float32)


def _resize_groundtruth_masks(
    masks: tf.Tensor, true_shapes: tf.Tensor, sizes: tf.Tensor
) -> tf.Tensor:
    """[B, M, h, w] of the network's input -> [B, M, H, W] uint8 of the pictures as recorded."""
    largest = tf.reduce_max(sizes, axis=0)

    def resize(elements: tuple[tf.Tensor, ...]) -> tf.Tensor:
        of_input, true_shape, size = elements
        whole = tf.image.resize_images(
            of_input[:, : true_shape[0], : true_shape[1], tf.newaxis],
            size,
            method=tf.image.ResizeMethod.NEAREST_NEIGHBOR,
            align_corners=True,
        )
        return _padded_to(tf.cast(tf.squeeze(whole, axis=3), tf.uint8), largest)

    resized = tf.map_fn(resize, (masks, true_shapes, sizes), fn_output_signature=tf.uint8)
    resized.set_shape([*masks.shape.as_list()[:2], None, None])
    return resized


def _scaled(boxes_or_keypoints: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Multiplies y and x: [B, ..., 4] or [B, ..., 2] with [B, 2]."""
    values = tf.convert_to_tensor(boxes_or_keypoints)
    if values.shape[-1].value == 4:
        factors = tf.tile(factors, [1, 2])
    for _ in range(values.shape.rank - 2):
        factors = factors[:, tf.newaxis]
    return values * tf.cast(factors, values.dtype)


def _sizes(name: str, given: Any, images: tf.Tensor, length: int) -> tf.Tensor:
    """[B, length] int32; those of the images if none are given.

    Raises:
        ShapeError: another shape.
    """
    if given is None:
        shape = tf.shape(images)
        return tf.tile(shape[tf.newaxis, 1 : 1 + length], [shape[0], 1])
    sizes = tf.convert_to_tensor(given)
    if sizes.shape.rank != 2 or sizes.shape[1].value not in (length, None):
        raise ShapeError(f"{name} should be [B, {length}], got {sizes.shape}.")
    return tf.cast(sizes, tf.int32)


def _detection_part(
    detections: Tensors,
    sizes: tf.Tensor,
    class_agnostic: bool,
    scale_to_absolute: bool,
    label_id_offset: int,
) -> Tensors:
    boxes = tf.convert_to_tensor(detections[Detections.detection_boxes])
    scores = tf.convert_to_tensor(detections[Detections.detection_scores])
    pixels = tf.cast(sizes, tf.float32)
    part: Tensors = {
        Detections.detection_boxes: _scaled(boxes, pixels) if scale_to_absolute else boxes,
        Detections.detection_scores: scores,
        Detections.detection_classes: tf.ones_like(scores, tf.int64)
        if class_agnostic
        else tf.cast(detections[Detections.detection_classes], tf.int64) + label_id_offset,
    }
    if Detections.num_detections in detections:
        count = tf.cast(detections[Detections.num_detections], tf.int32)
    else:
        count = tf.fill(tf.shape(boxes)[:1], tf.shape(boxes)[1])
    part[Detections.num_detections] = part["num_det_boxes_per_image"] = count
    if Detections.detection_masks in detections:
        masks = detections[Detections.detection_masks]
        part[Detections.detection_masks] = resize_detection_masks(boxes, masks, sizes)
        if Detections.detection_surface_coords in detections:
            part[Detections.detection_surface_coords] = _resize_surface_coordinates(
                boxes, detections[Detections.detection_surface_coords], sizes
            )
    if Detections.detection_keypoints in detections:
        keypoints = tf.convert_to_tensor(detections[Detections.detection_keypoints])
        part[Detections.detection_keypoints] = (
            _scaled(keypoints, pixels) if scale_to_absolute else keypoints
        )
        part[Detections.detection_keypoint_scores] = (
            detections[Detections.detection_keypoint_scores]
            if Detections.detection_keypoint_scores in detections
            else tf.ones_like(keypoints[..., 0])
        )
        if Detections.detection_keypoint_depths in detections:
            part[Detections.detection_keypoint_depths] = detections[
                Detections.detection_keypoint_depths
            ]
    return part


def _groundtruth_part(
    groundtruth: Tensors,
    images: tf.Tensor,
    sizes: tf.Tensor,
    true_shapes: tf.Tensor,
    class_agnostic: bool,
    scale_to_absolute: bool,
) -> Tensors:
    part = dict(groundtruth)
    to_picture = tf.cast(tf.shape(images)[tf.newaxis, 1:3], tf.float32) / tf.cast(
        true_shapes[:, :2], tf.float32
    )
    factors = to_picture * tf.cast(sizes, tf.float32) if scale_to_absolute else to_picture
    for name in (Inputs.groundtruth_boxes, Inputs.groundtruth_keypoints):
        if name in part:
            part[name] = _scaled(part[name], factors)
    if Inputs.groundtruth_instance_masks in part:
        part[Inputs.groundtruth_instance_masks] = _resize_groundtruth_masks(
            tf.convert_to_tensor(part[Inputs.groundtruth_instance_masks]), true_shapes, sizes
        )
    if class_agnostic:
        part[Inputs.groundtruth_classes] = tf.ones_like(part[Inputs.groundtruth_classes], tf.int64)
    return part


def result_dict_for_batched_example(
    images: tf.Tensor,
    keys: tf.Tensor,
    detections: Tensors,
    groundtruth: Tensors | None = None,
    class_agnostic: bool = False,
    scale_to_absolute: bool = False,
    original_image_spatial_shapes: tf.Tensor | None = None,
    true_image_shapes: tf.Tensor | None = None,
    max_gt_boxes: tf.Tensor | None = None,
    label_id_offset: int = 1,
) -> Tensors:
    """Pictures, detections and groundtruth of a batch as one dict for evaluators.

    Args:
        images: [B, H, W, C] uint8.
        keys: [B], identities of the pictures.
        detections: what a model's `postprocess` returns: `detection_boxes` [B, D, 4],
            `detection_scores` [B, D], `detection_classes` [B, D] from 0, `num_detections` [B];
            optional `detection_masks` [B, D, h, w] in the frames of the boxes,
            `detection_surface_coords` [B, D, h, w, 2], `detection_keypoints` [B, D, K, 2] and
            `detection_keypoint_scores` [B, D, K].
        groundtruth: padded, as an input function makes it, but with classes from 1:
            `groundtruth_boxes` [B, M, 4], `groundtruth_classes` [B, M], optional
            `groundtruth_keypoints` [B, M, K, 2], `groundtruth_instance_masks` [B, M, h, w], and any
            other, which pass through.
        class_agnostic: all classes are 1.
        scale_to_absolute: coordinates come out in pixels of the pictures as recorded.
        original_image_spatial_shapes: [B, 2], sizes of the pictures as recorded; those of `images`
            if None.
        true_image_shapes: [B, 3], what of `images` is not padding; all if None.
        max_gt_boxes: [B], how many of the M rows are not padding; needed with groundtruth, unless
            that has `num_groundtruth_boxes`.
        label_id_offset: added to the classes of detections.

    Returns:
        `original_image`, `original_image_spatial_shape` [B, 2], `true_image_shape` [B, 3], `key`;
        the detections, with classes from 1 and masks [B, D, H, W] uint8 of the pictures as
        recorded; the groundtruth, likewise; `num_detections` [B], `num_groundtruth_boxes` [B].

    Raises:
        DataError: the number of groundtruth boxes is not known.
        ShapeError: sizes of another shape.
    """
    images = tf.convert_to_tensor(images)
    sizes = _sizes("original_image_spatial_shapes", original_image_spatial_shapes, images, 2)
    true_shapes = _sizes("true_image_shapes", true_image_shapes, images, 3)
    result: Tensors = {
        Inputs.original_image: images,
        Inputs.key: keys,
        Inputs.original_image_spatial_shape: sizes,
        Inputs.true_image_shape: true_shapes,
        **_detection_part(detections, sizes, class_agnostic, scale_to_absolute, label_id_offset),
    }
    if groundtruth:
        count = (
            groundtruth.get(Inputs.num_groundtruth_boxes) if max_gt_boxes is None else max_gt_boxes
        )
        if count is None:
            raise DataError(
                "How many groundtruth boxes each picture has is not known: pass max_gt_boxes, or "
                "num_groundtruth_boxes in groundtruth."
            )
        result.update(
            _groundtruth_part(
                groundtruth, images, sizes, true_shapes, class_agnostic, scale_to_absolute
            )
        )
        result[Inputs.num_groundtruth_boxes] = result["num_groundtruth_boxes_per_image"] = count
    return {name: tf.convert_to_tensor(value) for name, value in result.items()}


def result_dict_for_single_example(
    image: tf.Tensor,
    key: tf.Tensor,
    detections: Tensors,
    groundtruth: Tensors | None = None,
    class_agnostic: bool = False,
    scale_to_absolute: bool = False,
) -> Tensors:
    """A picture, its detections and groundtruth as one dict for evaluators.

    Args:
        image: [1, H, W, C] uint8.
        key: scalar, identity of the picture.
        detections: as in `result_dict_for_batched_example`, a batch of which the first is taken.
        groundtruth: as in `result_dict_for_batched_example`, without the batch axis.
        class_agnostic: all classes are 1.
        scale_to_absolute: coordinates come out in pixels.

    Returns:
        `original_image` [1, H, W, C]; the rest as `result_dict_for_batched_example` returns it,
        without the batch axis and without the numbers of rows.
    """
    single = {name: tf.convert_to_tensor(value)[:1] for name, value in detections.items()}
    batched = {
        name: tf.convert_to_tensor(value)[tf.newaxis] for name, value in (groundtruth or {}).items()
    }
    count = tf.shape(batched[Inputs.groundtruth_boxes])[1:2] if batched else None
    result = result_dict_for_batched_example(
        image,
        tf.convert_to_tensor(key)[tf.newaxis],
        single,
        batched,
        class_agnostic,
        scale_to_absolute,
        max_gt_boxes=count,
    )
    return {
        name: value if name == Inputs.original_image else tf.squeeze(value, axis=0)
        for name, value in result.items()
        if name not in _BATCH_ONLY
    }
