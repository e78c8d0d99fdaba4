"""Leaves out, or mends, what of a decoded sample cannot be used, while the rest can.

The rules are those by which a scan of the records calls a finding repaired
(`utils.records.checks`); so what its report announces is what happens here. Records on other
machines were not scanned: of theirs a box that a scan would not have let pass is left out, too.

Axes: M boxes, K keypoints.
"""

import math

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.utils import ops
from object_detection.utils.as_written import as_written
from object_detection.utils.label_map_util import LABEL_OFFSET
from object_detection.utils.ops.groundtruth import PER_BOX
from object_detection.utils.records import checks

Inputs = fields.InputDataFields
Sample = dict[str, tf.Tensor]


@as_written
def mend(sample: Sample, num_classes: int) -> Sample:
    """A sample whose boxes and keypoints can all be used; nothing changes where they can already.

    * A box is left out, with all that belongs to it, if a corner is not finite, if no area is left
      of it within the picture, or if its class is not in [1, C].
    * The corners of one that ends before it begins change places.
    * One that lies partly outside is cut at the picture's edge.
    * A keypoint with a coordinate that is not finite becomes one that is absent.

    Args:
        sample: as a decoder gives it, with `groundtruth_boxes` [M, 4] and `groundtruth_classes`
            [M].
        num_classes: C.
    """
    boxes, classes = sample[Inputs.groundtruth_boxes], sample[Inputs.groundtruth_classes]
    inverted = tf.reduce_any(boxes[:, :2] > boxes[:, 2:], axis=1)
    ends = boxes[:, :2], boxes[:, 2:]
    boxes = tf.concat([tf.minimum(*ends), tf.maximum(*ends)], axis=1)
    cut = tf.clip_by_value(boxes, 0.0, 1.0)
    usable = (
        tf.reduce_all(tf.math.is_finite(boxes), axis=1)
        & tf.reduce_all(cut[:, 2:] > cut[:, :2], axis=1)
        & (classes >= LABEL_OFFSET)
        & (classes < num_classes + LABEL_OFFSET)
    )
    # Corners that were rounded lie outside by less, and stay where they are.
    beyond = tf.reduce_any((boxes < -checks.EDGE) | (boxes > 1 + checks.EDGE), axis=1)
    faulty = tf.reduce_any(beyond | inverted | ~usable)
    keypoints = sample.get(Inputs.groundtruth_keypoints)
    if keypoints is not None:
        absent = tf.reduce_all(tf.math.is_nan(keypoints), axis=2)
        broken = tf.reduce_any(~tf.math.is_finite(keypoints), axis=2) & ~absent
        faulty |= tf.reduce_any(broken)
    names = sorted((PER_BOX | {Inputs.multiclass_scores}) & set(sample))

    def mended() -> list[tf.Tensor]:
        rows = {name: sample[name] for name in names}
        rows[Inputs.groundtruth_boxes] = tf.where_v2(beyond[:, tf.newaxis], cut, boxes)
        if keypoints is not None:
            rows |= _without(rows, broken)
        rows = _chosen(rows, tf.where(usable)[:, 0])
        return [rows[name] for name in names]

    found = tf.cond(faulty, mended, lambda: [tf.identity(sample[name]) for name in names])
    return {**sample, **dict(zip(names, found, strict=True))}


def _chosen(rows: Sample, numbers: tf.Tensor) -> Sample:
    """The rows of some of the boxes; a field that the record lacks stays without a row."""
    chosen = ops.retain_groundtruth(rows, numbers)
    if Inputs.multiclass_scores in rows:
        # One list for all boxes.
        scores = rows[Inputs.multiclass_scores]
        count = tf.shape(rows[Inputs.groundtruth_boxes])[0]
        of_boxes = tf.reshape(scores, tf.stack([count, tf.size(scores) // tf.maximum(count, 1)]))
        chosen[Inputs.multiclass_scores] = tf.reshape(tf.gather(of_boxes, numbers), [-1])
    return chosen


def _without(rows: Sample, broken: tf.Tensor) -> Sample:
    """The fields of keypoints, without those that `broken` [M, K] marks."""
    absent = {
        Inputs.groundtruth_keypoints: math.nan,
        Inputs.groundtruth_keypoint_visibilities: False,
        Inputs.groundtruth_keypoint_flags: 0,
        Inputs.groundtruth_keypoint_depths: 0.0,
        Inputs.groundtruth_keypoint_depth_weights: 0.0,
    }
    found = {}
    for name, value in absent.items():
        if name in rows:
            mask = broken[..., tf.newaxis] if rows[name].shape.rank == 3 else broken
            found[name] = tf.where_v2(mask, tf.constant(value, rows[name].dtype), rows[name])
    return found
