"""Parsers of `tf.train.Example` records that hold truth and detections; without a graph.

Axes: M groundtruth boxes, D detections.

A feature that is absent, or of another kind, is None.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from object_detection.core import data_parser
from object_detection.core import standard_fields as fields

Array = npt.NDArray[Any]

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields
Keys = fields.TfExampleFields


def _values(tf_example: Any, field_name: str, kind: str) -> Any:
    """The values of a feature of a kind (`float_list`, ...), or None."""
    features = tf_example.features.feature
    # Asked for by index, an absent feature would be added to the record.
    if field_name not in features or not features[field_name].HasField(kind):
        return None
    return getattr(features[field_name], kind).value


class FloatParser(data_parser.DataToNumpyParser):
    """Floats of one feature."""

    def __init__(self, field_name: str) -> None:
        """Takes the feature's name."""
        self.field_name = field_name

    def parse(self, tf_example: Any) -> Array | None:
        values = _values(tf_example, self.field_name, "float_list")
        return None if values is None else np.array(values, np.float64)


class StringParser(data_parser.DataToNumpyParser):
    """Bytes of one feature, joined."""

    def __init__(self, field_name: str) -> None:
        """Takes the feature's name."""
        self.field_name = field_name

    def parse(self, tf_example: Any) -> bytes | None:
        values = _values(tf_example, self.field_name, "bytes_list")
        return None if values is None else b"".join(values)


class Int64Parser(data_parser.DataToNumpyParser):
    """Integers of one feature."""

    def __init__(self, field_name: str) -> None:
        """Takes the feature's name."""
        self.field_name = field_name

    def parse(self, tf_example: Any) -> Array | None:
        values = _values(tf_example, self.field_name, "int64_list")
        return None if values is None else np.array(values, np.int64)


class BoundingBoxParser(data_parser.DataToNumpyParser):
    """[N, 4] boxes [ymin, xmin, ymax, xmax] of four features; None if one is absent."""

    def __init__(
        self,
        xmin_field_name: str,
        ymin_field_name: str,
        xmax_field_name: str,
        ymax_field_name: str,
    ) -> None:
        """Takes the features' names."""
        self.field_names = [ymin_field_name, xmin_field_name, ymax_field_name, xmax_field_name]

    def parse(self, tf_example: Any) -> Array | None:
        columns = [_values(tf_example, name, "float_list") for name in self.field_names]
        if any(column is None for column in columns):
            return None
        return np.array(columns, np.float64).transpose()


class TfExampleDetectionAndGTParser(data_parser.DataToNumpyParser):
    """Truth and detections of a picture, as evaluators take them.

    The result has `key` (bytes), `groundtruth_boxes` [M, 4], `groundtruth_classes` [M],
    `detection_boxes` [D, 4], `detection_classes` [D], `detection_scores` [D]; and
    `groundtruth_difficult` [M], `groundtruth_group_of` [M], `groundtruth_image_classes`, each None
    if the record does not have it. It is None if one of the former is absent.
    """

    def __init__(self) -> None:
        self.items_to_handlers: dict[str, data_parser.DataToNumpyParser] = {
            Detections.key: StringParser(Keys.source_id),
            Inputs.groundtruth_boxes: BoundingBoxParser(
                Keys.object_bbox_xmin,
                Keys.object_bbox_ymin,
                Keys.object_bbox_xmax,
                Keys.object_bbox_ymax,
            ),
            Inputs.groundtruth_classes: Int64Parser(Keys.object_class_label),
            Detections.detection_boxes: BoundingBoxParser(
                Keys.detection_bbox_xmin,
                Keys.detection_bbox_ymin,
                Keys.detection_bbox_xmax,
                Keys.detection_bbox_ymax,
            ),
            Detections.detection_classes: Int64Parser(Keys.detection_class_label),
            Detections.detection_scores: FloatParser(Keys.detection_score),
        }
        self.optional_items_to_handlers: dict[str, data_parser.DataToNumpyParser] = {
            Inputs.groundtruth_difficult: Int64Parser(Keys.object_difficult),
            Inputs.groundtruth_group_of: Int64Parser(Keys.object_group_of),
            Inputs.groundtruth_image_classes: Int64Parser(Keys.image_class_label),
        }

    def parse(self, tf_example: Any) -> dict[str, Any] | None:
        needed = {key: one.parse(tf_example) for key, one in self.items_to_handlers.items()}
        if any(value is None for value in needed.values()):
            return None
        return needed | {
            key: one.parse(tf_example) for key, one in self.optional_items_to_handlers.items()
        }
