"""Keypoints of a record -> tensors with one row a box.

Axes: M boxes, K keypoints, P listed keypoints (M K of them, unless they are told by their names).
"""

import enum
import math
from collections.abc import Mapping
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.data_decoders import class_names, layouts
from object_detection.errors import ConfigError
from object_detection.utils import label_map_util

Inputs = fields.InputDataFields

Y, X = "image/object/keypoint/y", "image/object/keypoint/x"
VISIBILITY = "image/object/keypoint/visibility"
DEPTH, DEPTH_WEIGHT = "image/object/keypoint/z", "image/object/keypoint/z/weights"
TEXT = "image/object/keypoint/text"


class Visibility(enum.Enum):
    """Values of `image/object/keypoint/visibility`, as in COCO."""

    UNLABELED = 0
    NOT_VISIBLE = 1  # occluded, yet placed by the annotator
    VISIBLE = 2


def listed(dtype: tf.DType) -> Any:
    """A feature of any number of values, dense: [n]; without values where a record lacks it."""
    return tf.io.FixedLenSequenceFeature([], dtype, allow_missing=True)


def features(with_depths: bool, with_names: bool) -> dict[str, Any]:
    """What to parse."""
    floats = listed(tf.float32)
    parsed = {Y: floats, X: floats, VISIBILITY: listed(tf.int64)}
    if with_depths:
        parsed |= {DEPTH: floats, DEPTH_WEIGHT: floats}
    if with_names:
        parsed[TEXT] = listed(tf.string)
    return parsed


def ids_by_name(label_map_proto_file: str, num_keypoints: int) -> dict[str, int]:
    """Name of each keypoint -> its number.

    Raises:
        ConfigError: there are none, or they do not fit K.
    """
    ids = label_map_util.get_keypoint_label_map_dict(label_map_proto_file)
    if not ids:
        raise ConfigError(
            f"{label_map_proto_file}: use_keypoint_label_map needs items with keypoints "
            "{ id: 0 label: 'nose' }, but none has any."
        )
    wrong = {name: number for name, number in ids.items() if not 0 <= number < num_keypoints}
    if wrong:
        raise ConfigError(
            f"{label_map_proto_file}: ids of keypoints go from 0 to num_keypoints - 1 = "
            f"{num_keypoints - 1}, found {wrong}. Renumber them, or raise num_keypoints."
        )
    return ids


def _order_checks(
    y: tf.Tensor, x: tf.Tensor, count: tf.Tensor, num_keypoints: int, source_id: tf.Tensor
) -> list[tf.Operation]:
    # Without boxes it is the keypoints that say how many objects there are.
    count = tf.where(count > 0, count, tf.size(y) // num_keypoints)
    expected = count * num_keypoints
    return [
        tf.Assert(
            tf.equal(tf.size(values), expected),
            [
                f"{key}: should hold {num_keypoints} numbers a box. Record, found, expected:",
                source_id,
                tf.size(values),
                expected,
            ],
        )
        for key, values in ((Y, y), (X, x))
    ]


def _name_checks(
    y: tf.Tensor, x: tf.Tensor, names: tf.Tensor, count: tf.Tensor, source_id: tf.Tensor
) -> list[tf.Operation]:
    sizes = [tf.size(values) for values in (y, x, names)]
    fits = tf.equal(sizes[0], sizes[1]) & tf.equal(sizes[0], sizes[2])
    fits &= tf.equal(sizes[0] % tf.maximum(count, 1), 0)
    return [
        tf.Assert(
            fits,
            [
                f"{Y}, x, text: should list as many keypoints for each box. Record, found, boxes:",
                source_id,
                *sizes,
                count,
            ],
        )
    ]


def _given_or(values: tf.Tensor, size: tf.Tensor, default: tf.Tensor) -> tf.Tensor:
    """The list if it has one value a keypoint, else the default."""
    return tf.cond(tf.equal(tf.size(values), size), lambda: values, lambda: default)


def decode(
    lists: Mapping[str, tf.Tensor],
    count: tf.Tensor,
    source_id: tf.Tensor,
    num_keypoints: int,
    ids: dict[str, int] | None = None,
) -> dict[str, tf.Tensor]:
    """Keypoints, visibilities, flags and, where they are parsed, depths.

    Args:
        lists: the features, dense.
        count: M.
        source_id: what errors name.
        num_keypoints: K.
        ids: numbers by name; None where the order of the list tells the keypoints.

    Returns:
        `groundtruth_keypoints` [M, K, 2], NaN where there is none or it is not labelled;
        `groundtruth_keypoint_visibilities` [M, K] bool; `groundtruth_keypoint_flags` [M, K] int32
        as `Visibility` numbers them, 0 wherever there is no keypoint, 2 where the record does not
        say; `groundtruth_keypoint_depths` and `groundtruth_keypoint_depth_weights` [M, K], 0 where
        the record has none.
    """
    y, x = lists[Y], lists[X]
    numbers = None if ids is None else class_names.lookup(ids, lists[TEXT])
    if numbers is None:
        checks = _order_checks(y, x, count, num_keypoints, source_id)
    else:
        checks = _name_checks(y, x, lists[TEXT], count, source_id)
    with tf.control_dependencies(checks):
        points = tf.stack([y, x], axis=1)
    present = ~tf.reduce_any(tf.math.is_nan(points), axis=1)
    given = _given_or(
        lists[VISIBILITY],
        tf.size(y),
        tf.fill(tf.shape(y), tf.cast(Visibility.VISIBLE.value, tf.int64)),
    )
    # Occluded points are placed by the annotator, so they count.
    labelled = tf.equal(given, Visibility.NOT_VISIBLE.value) | tf.equal(
        given, Visibility.VISIBLE.value
    )
    # What is not labelled has coordinates all the same in COCO: zeros.
    points = tf.where(labelled, points, tf.fill(tf.shape(points), math.nan))

    def per_box(values: tf.Tensor, absent: float) -> tf.Tensor:
        if numbers is None:
            return tf.reshape(values, [-1, num_keypoints, *values.shape[1:]])
        return layouts.by_number(values, numbers, count, num_keypoints, absent)

    there = labelled & present
    flags = per_box(
        tf.where(there, tf.cast(given, tf.int32), tf.zeros_like(given, tf.int32)),
        Visibility.UNLABELED.value,
    )
    found = {
        Inputs.groundtruth_keypoints: per_box(points, math.nan),
        Inputs.groundtruth_keypoint_visibilities: flags > Visibility.UNLABELED.value,
        Inputs.groundtruth_keypoint_flags: flags,
    }
    for key, field in (
        (DEPTH, Inputs.groundtruth_keypoint_depths),
        (DEPTH_WEIGHT, Inputs.groundtruth_keypoint_depth_weights),
    ):
        if key in lists:
            found[field] = per_box(_given_or(lists[key], tf.size(y), tf.zeros_like(y)), 0.0)
    return found
