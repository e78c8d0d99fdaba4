"""Evaluators as operations of a graph: one adds the pictures of a step, others give the metrics.

Axes: B images, M groundtruth boxes (padded), D detections (padded).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.metrics.detection_evaluator import DetectionEvaluator

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

# Keys beside those of the fields, in the result of `eval_util.result_dict_for_batched_example`.
NUM_GROUNDTRUTH_BOXES = "num_groundtruth_boxes_per_image"
NUM_DETECTIONS = "num_det_boxes_per_image"

# Keys whose first axis is M or D, hence padded in a batch.
_COUNTED_BY = {
    **dict.fromkeys(
        (
            Inputs.groundtruth_boxes,
            Inputs.groundtruth_classes,
            Inputs.groundtruth_difficult,
            Inputs.groundtruth_group_of,
            Inputs.groundtruth_instance_masks,
        ),
        NUM_GROUNDTRUTH_BOXES,
    ),
    **dict.fromkeys(
        (
            Detections.detection_boxes,
            Detections.detection_scores,
            Detections.detection_classes,
            Detections.detection_masks,
        ),
        NUM_DETECTIONS,
    ),
}


def pictures(values: Mapping[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Identity and values of each annotated picture, without padding.

    Args:
        values: arrays of one picture, or with an axis B before; `key` tells which. Optional
            `num_groundtruth_boxes_per_image`, `num_det_boxes_per_image` and `is_annotated`.
    """
    if np.ndim(values[Inputs.key]) == 0:
        rows: Iterable[Mapping[str, Any]] = [values]
    else:
        rows = (
            {key: column[row] for key, column in values.items()}
            for row in range(len(values[Inputs.key]))
        )
    for one in rows:
        if one.get(Inputs.is_annotated, True):
            yield (
                one[Inputs.key],
                {
                    key: value[: int(one[_COUNTED_BY[key]])]
                    if _COUNTED_BY.get(key) in one
                    else value
                    for key, value in one.items()
                },
            )


def adding_op(
    evaluator: DetectionEvaluator, eval_dict: Mapping[str, Any], keys: Iterable[str]
) -> tf.Operation:
    """Operation that adds the pictures of a step to an evaluator.

    Args:
        evaluator: which takes truth and detections as arrays.
        eval_dict: tensors of one picture, or of B pictures; see `pictures`.
        keys: of `eval_dict` that the evaluator reads, if they are there.
    """
    wanted = {*keys, Inputs.key, Inputs.is_annotated, NUM_GROUNDTRUTH_BOXES, NUM_DETECTIONS}
    names = [key for key in eval_dict if key in wanted]

    def add(*columns: Any) -> None:
        for image_id, values in pictures(dict(zip(names, columns, strict=True))):
            evaluator.add_single_ground_truth_image_info(image_id, values)
            evaluator.add_single_detected_image_info(image_id, values)

    return tf.py_func(add, [eval_dict[name] for name in names], [])


def value_and_update_ops(
    names: Sequence[str],
    evaluate: Callable[[], Mapping[str, Any]],
    clear: Callable[[], None],
    update_op: tf.Operation,
) -> dict[str, tuple[tf.Tensor, tf.Operation]]:
    """A value for each metric; all of a step's values come from one evaluation.

    Args:
        names: of the metrics; `evaluate` gives each of them.
        evaluate: computes the metrics.
        clear: forgets the pictures; called after each evaluation.
        update_op: adds pictures.

    Returns:
        Name -> (scalar float32, `update_op`).
    """
    latest: dict[str, Any] = {}

    def value(name: str) -> Any:
        return np.float32(latest[name])

    def first_value() -> Any:
        latest.update(evaluate())
        clear()
        return value(names[0])

    first = tf.py_func(first_value, [], tf.float32)
    first.set_shape([])
    values = {names[0]: (first, update_op)}
    with tf.control_dependencies([first]):
        for name in names[1:]:
            tensor = tf.py_func(lambda name=name: value(name), [], tf.float32)
            tensor.set_shape([])
            values[name] = (tensor, update_op)
    return values
