"""Evaluators as operations of a graph: one that adds pictures, and the values of the metrics.

Axes: B images, M groundtruth boxes (padded), D detections (padded), H x W pixels (padded).

A dict of tensors for evaluation is that of one picture, where `key` is a scalar, or that of a
batch. Padding is taken off before an evaluator sees a picture.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError
from object_detection.metrics.detection_evaluator import DetectionEvaluator

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields
Arrays = dict[str, Any]

# How many rows of a picture are not padding; the first name that is there counts.
_TRUTH_COUNTS = (
    "num_groundtruth_boxes_per_image",
    "num_gt_boxes_per_image",
    "num_gt_masks_per_image",
    Inputs.num_groundtruth_boxes,
)
_FOUND_COUNTS = ("num_det_boxes_per_image", "num_det_masks_per_image", Detections.num_detections)
_MASKS = (Inputs.groundtruth_instance_masks, Detections.detection_masks)
# What belongs to a picture and has no rows.
_OF_PICTURE = (
    Inputs.original_image_spatial_shape,
    Inputs.true_image_shape,
    Inputs.groundtruth_image_classes,
    Inputs.groundtruth_labeled_classes,
    Inputs.is_annotated,
)


class Layout(NamedTuple):
    """The keys that an evaluator reads; all of them have one row a box."""

    truth: tuple[str, ...]
    found: tuple[str, ...]
    optional_truth: tuple[str, ...] = ()
    optional_found: tuple[str, ...] = ()


def _first(names: Sequence[str], eval_dict: dict[str, Any]) -> str | None:
    return next((name for name in names if eval_dict.get(name) is not None), None)


def _batched(eval_dict: dict[str, Any], layout: Layout) -> dict[str, tf.Tensor]:
    """The tensors that are there, with a batch axis.

    Raises:
        DataError: a required one is not there.
    """
    absent = [
        name for name in (Inputs.key, *layout.truth, *layout.found) if eval_dict.get(name) is None
    ]
    if absent:
        raise DataError(
            f"eval_dict lacks {', '.join(absent)}; it has {', '.join(sorted(eval_dict))}."
        )
    rows = (*layout.truth, *layout.found, *layout.optional_truth, *layout.optional_found)
    tensors = {
        name: tf.convert_to_tensor(eval_dict[name])
        for name in (Inputs.key, *rows, *_OF_PICTURE)
        if eval_dict.get(name) is not None
    }
    if tensors[Inputs.key].shape.rank == 0:
        tensors = {name: value[tf.newaxis] for name, value in tensors.items()}
    for names in (_TRUTH_COUNTS, _FOUND_COUNTS):
        name = _first(names, eval_dict)
        if name is not None:
            tensors[name] = tf.reshape(eval_dict[name], [-1])
    return tensors


def _identity(key: Any) -> Any:
    """A key as Python has it: text, or a number."""
    if isinstance(key, bytes):
        return key.decode("utf-8", "replace")
    return key.item() if isinstance(key, np.generic) else key


def _counts(arrays: Arrays, names: Sequence[str], batch_size: int) -> Sequence[int | None]:
    name = _first(names, arrays)
    if name is None:
        return [None] * batch_size
    counts = [int(count) for count in arrays[name]]
    # One number for all pictures is taken for each.
    return counts * batch_size if len(counts) == 1 else counts


def _rows_of(arrays: Arrays, names: Sequence[str], picture: int, count: int | None) -> Arrays:
    rows = {name: arrays[name][picture, :count] for name in names if name in arrays}
    size = arrays.get(Inputs.original_image_spatial_shape)
    if size is not None:
        height, width = (int(number) for number in size[picture][:2])
        for name in set(_MASKS) & set(rows):
            rows[name] = rows[name][:, :height, :width]
    return rows


def add_pictures(evaluator: DetectionEvaluator, arrays: Arrays, layout: Layout) -> None:
    """Adds the annotated pictures of a batch, without padding, to an evaluator.

    Args:
        evaluator: takes truth, then detections, of each picture.
        arrays: [B, ...] each.
        layout: the keys that it reads.
    """
    batch_size = len(arrays[Inputs.key])
    truth_counts = _counts(arrays, _TRUTH_COUNTS, batch_size)
    found_counts = _counts(arrays, _FOUND_COUNTS, batch_size)
    annotated = arrays.get(Inputs.is_annotated, np.ones(batch_size, bool))
    of_picture = [name for name in _OF_PICTURE if name in arrays and name != Inputs.is_annotated]
    for picture in range(batch_size):
        if not annotated[picture]:
            continue
        image_id = _identity(arrays[Inputs.key][picture])
        truth = _rows_of(
            arrays, (*layout.truth, *layout.optional_truth), picture, truth_counts[picture]
        )
        truth.update({name: arrays[name][picture] for name in of_picture})
        evaluator.add_single_ground_truth_image_info(image_id, truth)
        evaluator.add_single_detected_image_info(
            image_id,
            _rows_of(
                arrays, (*layout.found, *layout.optional_found), picture, found_counts[picture]
            ),
        )


def update_op(
    evaluator: DetectionEvaluator, eval_dict: dict[str, Any], layout: Layout
) -> tf.Operation:
    """The operation that adds the pictures of `eval_dict` to an evaluator.

    Args:
        evaluator: takes truth, then detections, of each picture.
        eval_dict: `key` scalar or [B], and the keys of the layout; optional the numbers of rows
            that are not padding (`num_groundtruth_boxes_per_image`, `num_det_boxes_per_image`),
            `is_annotated` and the sizes of the pictures.
        layout: the keys that the evaluator reads.

    Raises:
        DataError: a required key is absent.
    """
    tensors = _batched(eval_dict, layout)
    names = list(tensors)

    def add(*arrays: Any) -> None:
        add_pictures(evaluator, dict(zip(names, arrays, strict=True)), layout)

    return tf.py_func(add, list(tensors.values()), [], name="add_pictures")


def metric_ops(
    evaluator: DetectionEvaluator, names: Sequence[str], update: tf.Operation
) -> dict[str, tuple[tf.Tensor, tf.Operation]]:
    """Name of a metric -> (its value, scalar float32; the operation that adds pictures).

    Fetching values evaluates what was added, and makes the evaluator forget it: fetch all that are
    wanted in one run. A metric that the evaluator does not report is NaN.

    Args:
        evaluator: that `update` adds to.
        names: of the metrics.
        update: see `update_op`.
    """

    def values() -> list[Any]:
        metrics = evaluator.evaluate()
        evaluator.clear()
        return [np.float32(metrics.get(name, np.nan)) for name in names]

    tensors = tf.py_func(values, [], [tf.float32] * len(names), name="metrics")
    for tensor in tensors:
        tensor.set_shape([])
    return {name: (tensor, update) for name, tensor in zip(names, tensors, strict=True)}
