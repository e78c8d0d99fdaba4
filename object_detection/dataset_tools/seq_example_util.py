"""Writes tf.train.SequenceExample: frames of a clip, their boxes, what was detected in them.

A context feature is said once a clip; a sequence feature has one list a frame.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.errors import DataError
from object_detection.utils import dataset_util

Array = np.ndarray[Any, Any]
_Frames = Sequence[Any] | Array


def _flat(values: Any) -> Any:
    return np.ravel(values).tolist()


def _as_bytes(values: Iterable[str | bytes]) -> list[bytes]:
    return [tf.compat.as_bytes(value) for value in values]


def context_float_feature(ndarray: Any) -> tf.train.Feature:
    """A feature of the numbers of an array, or of one number."""
    return dataset_util.float_list_feature(_flat(ndarray))


def context_int64_feature(ndarray: Any) -> tf.train.Feature:
    """A feature of the integers of an array, or of one integer."""
    return dataset_util.int64_list_feature(_flat(ndarray))


def context_bytes_feature(ndarray: Any) -> tf.train.Feature:
    """A feature of the texts or byte strings of a list, or of a single one."""
    texts = [ndarray] if isinstance(ndarray, str | bytes) else ndarray
    return dataset_util.bytes_list_feature(_as_bytes(texts))


def sequence_float_feature(ndarray: _Frames) -> tf.train.FeatureList:
    """One list of numbers a frame; a frame may have none."""
    return tf.train.FeatureList(
        feature=[dataset_util.float_list_feature(_flat(row)) for row in ndarray]
    )


def sequence_int64_feature(ndarray: _Frames) -> tf.train.FeatureList:
    """One list of integers a frame; a frame may have none."""
    return tf.train.FeatureList(
        feature=[
            dataset_util.int64_list_feature(np.ravel(row).astype(np.int64).tolist())
            for row in ndarray
        ]
    )


def sequence_bytes_feature(ndarray: _Frames) -> tf.train.FeatureList:
    """One list of texts or byte strings a frame; a frame may have none.

    A frame that is itself a text is the list of its characters; see `sequence_strings_feature`.
    """
    return tf.train.FeatureList(
        feature=[
            dataset_util.bytes_list_feature([row] if isinstance(row, bytes) else _as_bytes(row))
            for row in ndarray
        ]
    )


def sequence_strings_feature(strings: Iterable[str | bytes]) -> tf.train.FeatureList:
    """One text a frame."""
    return tf.train.FeatureList(
        feature=[dataset_util.bytes_feature(text) for text in _as_bytes(strings)]
    )


def boxes_to_box_components(
    bboxes: _Frames,
) -> tuple[list[Array], list[Array], list[Array], list[Array]]:
    """Boxes of each frame -> the same, corner by corner.

    Args:
        bboxes: one [M, 4] a frame, [ymin, xmin, ymax, xmax]; M may differ and be 0.

    Returns:
        ymin, xmin, ymax and xmax: each a list of one [M] float32 a frame.
    """
    frames = [np.asarray(boxes, np.float32).reshape([-1, 4]) for boxes in bboxes]
    ymin, xmin, ymax, xmax = ([boxes[:, side] for boxes in frames] for side in range(4))
    return ymin, xmin, ymax, xmax


def _box_features(prefix: str, bboxes: _Frames) -> dict[str, tf.train.FeatureList]:
    sides = zip(("ymin", "xmin", "ymax", "xmax"), boxes_to_box_components(bboxes), strict=True)
    return {f"{prefix}/{side}": sequence_float_feature(values) for side, values in sides}


def make_sequence_example(
    dataset_name: str,
    video_id: str,
    encoded_images: _Frames,
    image_height: int,
    image_width: int,
    image_format: str | None = None,
    image_source_ids: _Frames | None = None,
    timestamps: _Frames | None = None,
    is_annotated: _Frames | None = None,
    bboxes: _Frames | None = None,
    label_strings: _Frames | None = None,
    detection_bboxes: _Frames | None = None,
    detection_classes: _Frames | None = None,
    detection_scores: _Frames | None = None,
    use_strs_for_source_id: bool = False,
    context_features: Any = None,
    context_feature_length: Any = None,
    context_features_image_id_list: Any = None,
) -> tf.train.SequenceExample:
    """A clip of F frames as `TfSequenceExampleDecoder` reads it.

    Args:
        dataset_name: name of the data set.
        video_id: name of the clip.
        encoded_images: [F] JPEG or PNG.
        image_height: pixels.
        image_width: pixels.
        image_format: of the encoded pictures, such as `JPEG`.
        image_source_ids: [F] name of each frame.
        timestamps: [F] integers; by default the numbers of the frames.
        is_annotated: [F] 0 or 1: whether somebody looked for objects in the frame; 1 by default
            where there are boxes.
        bboxes: per frame [M, 4], normalised [ymin, xmin, ymax, xmax].
        label_strings: per frame [M] names of classes.
        detection_bboxes: per frame [D, 4] of a detector.
        detection_classes: per frame [D] integers.
        detection_scores: per frame [D].
        use_strs_for_source_id: whether each source id is stored as one text; else it is stored as
            the list of its characters, or as the list that it is.
        context_features: [pictures * length] features of other pictures.
        context_feature_length: length.
        context_features_image_id_list: names of those other pictures.

    Raises:
        DataError: there is no frame.
    """
    num_frames = len(encoded_images)
    if not num_frames:
        raise DataError(f"{video_id}: a clip has at least one frame, encoded_images is empty.")
    times = np.arange(num_frames) if timestamps is None else np.ravel(timestamps)
    once = {
        "example/dataset_name": context_bytes_feature(dataset_name),
        "clip/media_id": context_bytes_feature(video_id),
        "clip/frames": context_int64_feature(num_frames),
        "clip/start/timestamp": context_int64_feature(times[0]),
        "clip/end/timestamp": context_int64_feature(times[-1]),
        "image/height": context_int64_feature(image_height),
        "image/width": context_int64_feature(image_width),
        "image/channels": context_int64_feature(3),
    }
    for key, value, write in (
        ("image/format", image_format, context_bytes_feature),
        ("image/context_features", context_features, context_float_feature),
        ("image/context_feature_length", context_feature_length, context_int64_feature),
        (
            "image/context_features_image_id_list",
            context_features_image_id_list,
            context_bytes_feature,
        ),
    ):
        if value is not None:
            once[key] = write(value)
    per_frame = {
        "image/encoded": sequence_strings_feature(encoded_images),
        "image/timestamp": sequence_int64_feature(times),
    }
    if bboxes is not None:
        per_frame |= _box_features("region/bbox", bboxes)
        if is_annotated is None:
            is_annotated = np.ones(num_frames, np.int64)
    if detection_bboxes is not None:
        per_frame |= _box_features("predicted/region/bbox", detection_bboxes)
    for key, frames, write_frames in (
        (
            "image/source_id",
            image_source_ids,
            sequence_strings_feature if use_strs_for_source_id else sequence_bytes_feature,
        ),
        ("region/is_annotated", is_annotated, sequence_int64_feature),
        ("region/label/string", label_strings, sequence_bytes_feature),
        ("predicted/region/label/index", detection_classes, sequence_int64_feature),
        ("predicted/region/label/confidence", detection_scores, sequence_float_feature),
    ):
        if frames is not None:
            per_frame[key] = write_frames(frames)
    return tf.train.SequenceExample(
        context=tf.train.Features(feature=once),
        feature_lists=tf.train.FeatureLists(feature_list=per_frame),
    )
