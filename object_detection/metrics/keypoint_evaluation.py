"""Keypoint errors of detections: mean, share of correct ones, failure rate, cumulative curve.

Axes:   M groundtruth boxes, D detections, K keypoints.
Frames: as in `detection_evaluator`.

A groundtruth box with at least one labelled keypoint is an instance. Detections take, best score
first, the free instance of their class that they overlap most, if IoU >= 0.5. The error of a
matched instance is `measures.normalized_mean_errors` with the square root of the groundtruth box's
area as size. Instances that were not found have no error; `Keypoints/Matched` tells their share.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf
from pycocotools import mask

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError, ShapeError
from object_detection.keypoints import measures
from object_detection.metrics import in_graph
from object_detection.metrics.average_precision import mean_of_known
from object_detection.metrics.detection_evaluator import (
    Array,
    Category,
    DetectionEvaluator,
    check_truth_is_there,
    input_widths,
)

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

FAILURE_THRESHOLD = 0.1
PCK_THRESHOLDS = (0.05, 0.1)

_LAYOUT = in_graph.Layout(
    truth=(Inputs.groundtruth_boxes, Inputs.groundtruth_classes, Inputs.groundtruth_keypoints),
    optional_truth=(Inputs.groundtruth_keypoint_visibilities,),
    found=(
        Detections.detection_boxes,
        Detections.detection_scores,
        Detections.detection_classes,
        Detections.detection_keypoints,
    ),
)


def pairwise_iou(boxes: Array, others: Array) -> Array:
    """IoU of [N, 4] and [M, 4] boxes -> [N, M]."""
    if not len(boxes) or not len(others):
        return np.zeros([len(boxes), len(others)])

    def to_coco(corners: Array) -> Array:
        corners = np.asarray(corners, np.float64)
        return np.concatenate([corners[:, 1::-1], (corners[:, 2:] - corners[:, :2])[:, ::-1]], 1)

    return np.asarray(mask.iou(to_coco(boxes), to_coco(others), [0] * len(others)))


def match_greedily(iou: Array, scores: Array, min_iou: float) -> Array:
    """For each of M columns the row that takes it, or -1; rows choose in the order of scores.

    Args:
        iou: [D, M].
        scores: [D].
        min_iou: what a match needs.
    """
    taken = np.full(iou.shape[1], -1)
    for row in np.argsort(-scores, kind="stable"):
        free = np.where(taken < 0, iou[row], -1.0)
        if free.size and free.max() >= min_iou:
            taken[free.argmax()] = row
    return taken


def at_share(threshold: float) -> str:
    """A threshold as names of metrics have it.

    >>> at_share(0.1), at_share(0.125), at_share(1.5)
    ('@.10', '@.125', '@1.50')
    """
    threshold = round(threshold, 6)  # config fields have single precision
    text = f"{threshold:.2f}" if threshold == round(threshold, 2) else f"{threshold:g}"
    return "@" + text.removeprefix("0")


class _Instances(NamedTuple):
    """Instances, of a picture or of all."""

    found: Array  # [N] booleans: matched, with a finite error
    distances: Array  # [N, K] shares of the box's size; NaN where a keypoint is not labelled
    between: Array  # [N, K] shares of the distance between two keypoints; [N, 0] without any
    widths: Array  # [N] pixels of the network's input; NaN if its size is not known

    @property
    def errors(self) -> Array:
        """[found] NME by the box's size."""
        return measures.mean_errors(self.distances[self.found])

    def select(self, rows: Array) -> "_Instances":
        """Some of the instances."""
        return _Instances(*(values[rows] for values in self))


def _none(size: int) -> _Instances:
    """No instances of K = `size` keypoints."""
    return _Instances(np.zeros(0, bool), np.zeros([0, size]), np.zeros([0, size]), np.zeros(0))


def _joined(parts: Iterable[_Instances]) -> _Instances:
    return _Instances(*(np.concatenate(values) for values in zip(*parts, strict=True)))


class KeypointRow(NamedTuple):
    """Errors of one keypoint, over the instances that were found."""

    name: str
    labelled: int
    error: float  # mean distance, as share of the box's size; NaN where nothing is labelled
    correct: tuple[float, ...]  # PCK at each threshold


class KeypointErrorEvaluator(DetectionEvaluator):
    """NME, PCK, failure rate, area under the cumulative curve, and share of instances found.

    The metrics are `Keypoints/NME`, `Keypoints/FailureRate@.10`, `Keypoints/AUC@.10`,
    `Keypoints/PCK@.05`, `Keypoints/PCK@.10`, `Keypoints/Matched` and `Keypoints/Instances`; for
    each keypoint `PerKeypoint/Error/<name>`, `PerKeypoint/PCK@.05/<name>`, ...; NaN where there is
    no instance.
    """

    def __init__(
        self,
        categories: list[Category],
        min_iou: float = 0.5,
        *,
        min_object_width: float = 0.0,
        keypoint_names: Sequence[str] = (),
        pck_thresholds: Sequence[float] = PCK_THRESHOLDS,
        failure_threshold: float = FAILURE_THRESHOLD,
        size_between: Sequence[str] = (),
    ) -> None:
        """Keeps the settings.

        Args:
            categories: `{"id", "name"}` each.
            min_iou: overlap that makes a match.
            min_object_width: if above 0, the metrics are also computed over objects at least so
                wide in the network's input.
            keypoint_names: of the K keypoints; `keypoint_0`, `keypoint_1`, ... if there are none.
            pck_thresholds: shares of the size within which a keypoint is correct.
            failure_threshold: error above which an instance is a failure; the area under the
                cumulative curve goes up to it.
            size_between: two names, see `measures.keypoint_group`; the metrics are also computed
                with the distance between them as size.

        Raises:
            ConfigError: `size_between` names no keypoints.
        """
        super().__init__(categories)
        self._category_ids = [category["id"] for category in categories]
        self._min_iou = min_iou
        self._min_object_width = min_object_width
        self._names = list(keypoint_names)
        self._thresholds = list(pck_thresholds)
        self._failure_threshold = failure_threshold
        self._size_between = list(size_between)
        if self._names:
            self._ends(self._names)
        self.clear()

    def clear(self) -> None:
        self._groundtruth: dict[Any, dict[str, Any]] = {}
        self._instances: dict[Any, _Instances] = {}

    def _names_of(self, size: int) -> list[str]:
        return self._names or [f"keypoint_{number}" for number in range(size)]

    def _ends(self, names: list[str]) -> list[list[int]]:
        return [measures.keypoint_group(name, names) for name in self._size_between]

    def add_single_ground_truth_image_info(
        self, image_id: Any, groundtruth_dict: dict[str, Any]
    ) -> None:
        """Adds the truth of a picture.

        Args:
            image_id: identity of the picture.
            groundtruth_dict: `groundtruth_boxes` [M, 4], `groundtruth_classes` [M],
                `groundtruth_keypoints` [M, K, 2]; optional `groundtruth_keypoint_visibilities`
                [M, K], and for the width of objects what `wide_enough` reads.

        Raises:
            DataError: there are no keypoints.
            ShapeError: the keypoints are not as many as their names.
        """
        if Inputs.groundtruth_keypoints not in groundtruth_dict:
            raise DataError(
                f"Groundtruth of picture {image_id} has no {Inputs.groundtruth_keypoints}; set "
                "num_keypoints in the input reader, or leave keypoint_error_metrics out."
            )
        keypoints = np.array(groundtruth_dict[Inputs.groundtruth_keypoints], np.float64)
        if self._names and keypoints.shape[1:2] != (len(self._names),):
            raise ShapeError(
                f"groundtruth_keypoints of picture {image_id} are {list(keypoints.shape)}, but "
                f"eval_config.keypoint_names has {len(self._names)} names."
            )
        visibilities = groundtruth_dict.get(Inputs.groundtruth_keypoint_visibilities)
        if visibilities is not None:
            keypoints[~(np.asarray(visibilities) > 0)] = np.nan
        labelled = (~np.isnan(keypoints).any(axis=-1)).any(axis=-1)
        boxes = np.asarray(groundtruth_dict[Inputs.groundtruth_boxes], np.float64)[labelled]
        keypoints = keypoints[labelled]
        self._groundtruth[image_id] = {
            "boxes": boxes,
            "classes": np.asarray(groundtruth_dict[Inputs.groundtruth_classes])[labelled],
            "keypoints": keypoints,
        }
        count, size = keypoints.shape[:2]
        self._instances[image_id] = _Instances(
            found=np.zeros(count, bool),
            distances=np.full([count, size], np.nan),
            between=np.full([count, size if self._size_between else 0], np.nan),
            widths=input_widths(boxes, groundtruth_dict),
        )

    def add_single_detected_image_info(
        self, image_id: Any, detections_dict: dict[str, Any]
    ) -> None:
        """Adds the detections of a picture.

        Args:
            image_id: identity of the picture.
            detections_dict: `detection_boxes` [D, 4], `detection_scores` [D],
                `detection_classes` [D], `detection_keypoints` [D, K, 2].

        Raises:
            DataError: the picture's truth was not added.
            ShapeError: the detections have another number of keypoints than the truth.
        """
        check_truth_is_there(image_id, self._groundtruth)
        truth = self._groundtruth[image_id]
        keypoints = np.asarray(detections_dict[Detections.detection_keypoints], np.float64)
        if len(keypoints) and keypoints.shape[1:] != truth["keypoints"].shape[1:]:
            raise ShapeError(
                f"detection_keypoints are {list(keypoints.shape)}, but the groundtruth has "
                f"{truth['keypoints'].shape[1]} keypoints."
            )
        boxes = np.asarray(detections_dict[Detections.detection_boxes], np.float64)
        scores = np.asarray(detections_dict[Detections.detection_scores])
        iou = pairwise_iou(boxes, truth["boxes"])
        classes = np.asarray(detections_dict[Detections.detection_classes])
        iou = np.where(classes[:, None] == truth["classes"][None], iou, 0.0)
        taken = match_greedily(iou, scores, self._min_iou)
        matched = taken >= 0
        predicted, wanted = keypoints[taken[matched]], truth["keypoints"][matched]
        sizes = np.sqrt(np.prod(truth["boxes"][:, 2:] - truth["boxes"][:, :2], axis=1))[matched]
        instances = self._instances[image_id]
        instances.distances[matched] = measures.normalized_distances(predicted, wanted, sizes)
        instances.found[:] = np.isfinite(measures.mean_errors(instances.distances))
        if self._size_between and matched.any():
            ends = self._ends(self._names_of(wanted.shape[1]))
            instances.between[matched] = measures.normalized_distances(
                predicted, wanted, measures.sizes_between(wanted, ends)
            )

    def _all(self) -> _Instances:
        return _joined(self._instances.values()) if self._instances else _none(len(self._names))

    def evaluate(self) -> dict[str, float]:
        return self._metrics(self._all())

    def _metrics(self, instances: _Instances) -> dict[str, float]:
        metrics = self._summary(instances, "")
        if self._min_object_width > 0:
            wide = instances.widths >= self._min_object_width
            metrics |= self._summary(instances.select(wide), self._wide_suffix())
        if self._size_between:
            metrics |= self._error_metrics(
                instances.between[instances.found], self._between_suffix()
            )
        for row in self._keypoint_rows(instances):
            metrics[f"PerKeypoint/Error/{row.name}"] = row.error
            for threshold, share in zip(self._thresholds, row.correct, strict=True):
                metrics[f"PerKeypoint/PCK{at_share(threshold)}/{row.name}"] = share
        return metrics

    def _wide_suffix(self) -> str:
        return f" (width >= {self._min_object_width:g})"

    def _between_suffix(self) -> str:
        return f" (by {' to '.join(self._size_between)})"

    def _summary(self, instances: _Instances, suffix: str) -> dict[str, float]:
        found, total = int(instances.found.sum()), len(instances.found)
        return self._error_metrics(instances.distances[instances.found], suffix) | {
            f"Keypoints/Matched{suffix}": found / total if total else float("nan"),
            f"Keypoints/Instances{suffix}": float(total),
        }

    def _error_metrics(self, distances: Array, suffix: str) -> dict[str, float]:
        """Metrics of the distances [N, K] of instances that were found."""
        errors = measures.mean_errors(distances)
        errors = errors[~np.isnan(errors)]
        limit = self._failure_threshold
        at = at_share(limit)
        metrics = {
            f"Keypoints/NME{suffix}": mean_of_known(errors),
            f"Keypoints/FailureRate{at}{suffix}": measures.failure_rate(errors, limit),
            f"Keypoints/AUC{at}{suffix}": measures.area_under_cumulative_errors(errors, limit),
        }
        for threshold in self._thresholds:
            metrics[f"Keypoints/PCK{at_share(threshold)}{suffix}"] = measures.correct_keypoints(
                distances, threshold
            )
        return metrics

    def _keypoint_rows(self, instances: _Instances) -> list[KeypointRow]:
        distances = instances.distances[instances.found]
        return [
            KeypointRow(
                name,
                labelled=int((~np.isnan(column)).sum()),
                error=mean_of_known(column),
                correct=tuple(
                    measures.correct_keypoints(column, threshold) for threshold in self._thresholds
                ),
            )
            for name, column in zip(self._names_of(distances.shape[1]), distances.T, strict=True)
        ]

    @property
    def pck_thresholds(self) -> list[float]:
        """Shares of the size within which a keypoint is correct."""
        return list(self._thresholds)

    def keypoint_rows(self) -> list[KeypointRow]:
        """Errors of each keypoint; empty before the first picture."""
        return self._keypoint_rows(self._all())

    def error_curves(self) -> dict[str, tuple[Array, Array]]:
        """Cumulative error curves (`measures.cumulative_errors`) of the instances found, by size.

        Returns:
            `box size` and, with `size_between`, its name -> errors, shares.
        """
        instances = self._all()
        curves = {"box size": measures.cumulative_errors(instances.errors)}
        if self._size_between:
            errors = measures.mean_errors(instances.between[instances.found])
            curves[" to ".join(self._size_between)] = measures.cumulative_errors(errors)
        return curves

    def errors_by_width(self, edges: Sequence[float]) -> list[tuple[int, float]]:
        """Instances found, and their NME, for each range of widths in the network's input.

        Args:
            edges: rising; range i goes from edge i up to, not including, edge i + 1.
        """
        instances = self._all()
        errors, widths = instances.errors, instances.widths[instances.found]
        rows = []
        for low, high in itertools.pairwise(edges):
            inside = errors[(widths >= low) & (widths < high)]
            rows.append((len(inside), mean_of_known(inside)))
        return rows

    def get_estimator_eval_metric_ops(
        self, eval_dict: dict[str, Any]
    ) -> dict[str, tuple[tf.Tensor, tf.Operation]]:
        """Name of a metric -> (its value, the operation that adds the pictures).

        Args:
            eval_dict: as in `CocoDetectionEvaluator`, with the keypoints, and for the width of
                objects the sizes of the pictures.
        """
        update = in_graph.update_op(self, eval_dict, _LAYOUT)
        keypoints = tf.convert_to_tensor(eval_dict[Inputs.groundtruth_keypoints])
        size = tf.compat.dimension_value(keypoints.shape[-2]) if keypoints.shape.rank else None
        return in_graph.metric_ops(
            self, list(self._metrics(_none(size or len(self._names)))), update
        )
