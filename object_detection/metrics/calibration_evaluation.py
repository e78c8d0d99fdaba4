"""Calibration of detection scores: whether a score of 0.8 is right four times out of five.

Axes:   B images, M groundtruth boxes (padded), D detections (padded).
Frames: boxes [ymin, xmin, ymax, xmax], truth and detections in one frame. Classes are label map
        ids.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core import standard_fields as fields
from object_detection.metrics import calibration_metrics
from object_detection.metrics.detection_evaluator import Category, DetectionEvaluator

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

METRIC = "CalibrationError/ExpectedCalibrationError"


def right_classes(
    groundtruth_boxes: tf.Tensor,
    groundtruth_classes: tf.Tensor,
    num_groundtruth_boxes: tf.Tensor,
    detection_boxes: tf.Tensor,
    detection_classes: tf.Tensor,
    min_iou: float,
) -> tf.Tensor:
    """Whether each detection's best groundtruth box is near enough and of its class.

    Args:
        groundtruth_boxes: [..., M, 4].
        groundtruth_classes: [..., M].
        num_groundtruth_boxes: [...], how many of the M are real.
        detection_boxes: [..., D, 4].
        detection_classes: [..., D].
        min_iou: what a match needs.

    Returns:
        [..., D] booleans.
    """
    iou = box_list_ops.pairwise_iou(detection_boxes, groundtruth_boxes)
    real = tf.sequence_mask(num_groundtruth_boxes, tf.shape(groundtruth_boxes)[-2])
    iou = tf.where(
        tf.broadcast_to(real[..., tf.newaxis, :], tf.shape(iou)), iou, -tf.ones_like(iou)
    )
    # A column that matches nothing, so that there is a best one without groundtruth too.
    iou = tf.pad(iou, [[0, 0]] * (iou.shape.rank - 1) + [[0, 1]], constant_values=-1.0)
    classes = tf.cast(groundtruth_classes, tf.int64)
    classes = tf.pad(classes, [[0, 0]] * (classes.shape.rank - 1) + [[0, 1]])
    best = tf.argmax(iou, axis=-1)
    of_best = tf.gather(classes, best, axis=-1, batch_dims=classes.shape.rank - 1)
    return (tf.reduce_max(iou, axis=-1) >= min_iou) & tf.equal(
        of_best, tf.cast(detection_classes, tf.int64)
    )


class CalibrationDetectionEvaluator(DetectionEvaluator):
    """Expected calibration error of detections, in the graph only.

    A detection is right if the groundtruth box that it overlaps most is of its class and overlaps
    enough. The metric is `CalibrationError/ExpectedCalibrationError`.
    """

    def __init__(self, categories: list[Category], iou_threshold: float = 0.5) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each.
            iou_threshold: overlap that makes a match.
        """
        super().__init__(categories)
        self._iou_threshold = iou_threshold

    def match_single_image_info(self, image_info: Sequence[tf.Tensor]) -> tf.Tensor:
        """Judges the detections of one picture.

        Args:
            image_info: groundtruth boxes [M, 4], their classes [M] and how many are real;
                detection boxes [D, 4], their classes [D] and how many are real.

        Returns:
            [D'] int64 of the real detections, 1 for right ones.
        """
        boxes, classes, num_boxes, found_boxes, found_classes, num_found = image_info
        right = right_classes(
            boxes,
            classes,
            num_boxes,
            found_boxes[:num_found],
            found_classes[:num_found],
            self._iou_threshold,
        )
        return tf.cast(right, tf.int64)

    def get_estimator_eval_metric_ops(
        self, eval_dict: dict[str, Any]
    ) -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
        """The metric as operations of the graph.

        Args:
            eval_dict: tensors of one picture, or with an axis B before: `key`,
                `groundtruth_boxes` [M, 4], `groundtruth_classes` [M], `detection_boxes` [D, 4],
                `detection_scores` [D], `detection_classes` [D]. Optional
                `num_groundtruth_boxes_per_image` and `num_det_boxes_per_image`, how many are real,
                and `is_annotated`; pictures that are not do not count.

        Returns:
            The metric's name -> (its value, the value after adding these pictures).
        """
        single = tf.convert_to_tensor(eval_dict[Inputs.key]).shape.rank == 0

        def batched(key: str, *shape: int | None) -> tf.Tensor:
            value = tf.convert_to_tensor(eval_dict[key])
            return tf.ensure_shape(value[tf.newaxis] if single else value, [None, *shape])

        boxes = batched(Inputs.groundtruth_boxes, None, 4)
        found_boxes = batched(Detections.detection_boxes, None, 4)
        size = tf.shape(boxes)[:1]

        def number(key: str, padded: tf.Tensor) -> tf.Tensor:
            if eval_dict.get(key) is not None:
                return batched(key)
            return tf.fill(size, tf.shape(padded)[1])

        right = right_classes(
            boxes,
            batched(Inputs.groundtruth_classes, None),
            number("num_groundtruth_boxes_per_image", boxes),
            found_boxes,
            batched(Detections.detection_classes, None),
            self._iou_threshold,
        )
        counts = tf.sequence_mask(
            number("num_det_boxes_per_image", found_boxes), tf.shape(found_boxes)[1]
        )
        if eval_dict.get(Inputs.is_annotated) is not None:
            counts &= tf.cast(batched(Inputs.is_annotated), tf.bool)[:, tf.newaxis]
        value, update_op = calibration_metrics.expected_calibration_error(
            tf.cast(tf.boolean_mask(right, counts), tf.int64),
            tf.boolean_mask(batched(Detections.detection_scores, None), counts),
        )
        return {METRIC: (value, update_op)}

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Not offered.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(_ONLY_IN_GRAPH)

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Not offered.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(_ONLY_IN_GRAPH)

    def evaluate(self) -> dict[str, float]:
        """Not offered.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(_ONLY_IN_GRAPH)

    def clear(self) -> None:
        """Not offered.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(_ONLY_IN_GRAPH)


_ONLY_IN_GRAPH = (
    "CalibrationDetectionEvaluator works in the graph only: use get_estimator_eval_metric_ops."
)
