"""tf.train.SequenceExample -> the frames of a clip.

Axes: F frames, M boxes (of the frame that has most; the others are padded).
"""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import data_decoder
from object_detection.core import standard_fields as fields
from object_detection.data_decoders import class_names, tf_example_decoder

Inputs = fields.InputDataFields

_ClassTensorHandler = class_names.ClassTensorHandler

_CORNERS = tuple(f"region/bbox/{side}" for side in ("ymin", "xmin", "ymax", "xmax"))
_LABEL, _CONFIDENCE = "region/label/string", "region/label/confidence"
_IS_ANNOTATED = "region/is_annotated"
_CONTEXT_IDS = "image/context_features_image_id_list"


def _grid(values: tf.SparseTensor, rows: tf.Tensor, columns: tf.Tensor, padding: Any) -> tf.Tensor:
    """[F, M]; a feature that the record lacks has fewer rows, or none."""
    dense = tf.sparse.to_dense(values, default_value=padding)[:, :columns]
    missing = tf.stack([rows, columns]) - tf.shape(dense)
    padded = tf.pad(dense, [[0, missing[0]], [0, missing[1]]], constant_values=padding)
    padded.set_shape([None, None])
    return padded


class TfSequenceExampleDecoder(data_decoder.DataDecoder):
    """Decodes the frames of a clip with their boxes and classes; the pictures stay encoded."""

    def __init__(
        self,
        label_map_proto_file: str,
        load_context_features: bool = False,
        load_context_image_ids: bool = False,
        use_display_name: bool = False,
        fully_annotated: bool = False,
    ) -> None:
        """Takes the settings.

        Args:
            label_map_proto_file: label map that turns class names into ids.
            load_context_features: whether the features of other pictures are read.
            load_context_image_ids: whether the names of those other pictures are read.
            use_display_name: has no effect: names and display names are both understood.
            fully_annotated: whether somebody looked for objects in every frame. If not, the
                records have to say it for each frame, in `region/is_annotated`.
        """
        del use_display_name
        self._ids = class_names.ids_by_name(label_map_proto_file)
        self._fully_annotated = fully_annotated
        self._load_context_image_ids = load_context_image_ids
        floats = tf.io.VarLenFeature(tf.float32)
        self._context_features = {
            "image/format": tf.io.FixedLenFeature([], tf.string, "jpeg"),
            "image/filename": tf.io.FixedLenFeature([], tf.string, ""),
            "image/height": tf.io.FixedLenFeature([], tf.int64, 1),
            "image/width": tf.io.FixedLenFeature([], tf.int64, 1),
        }
        if load_context_features:
            self._context_features |= {
                tf_example_decoder.CONTEXT_FEATURES: floats,
                tf_example_decoder.CONTEXT_FEATURE_LENGTH: tf.io.FixedLenFeature([], tf.int64, 0),
            }
        if load_context_image_ids:
            self._context_features[_CONTEXT_IDS] = tf.io.VarLenFeature(tf.string)
        self._frame_features = {
            "image/encoded": tf.io.FixedLenSequenceFeature([], tf.string),
            "image/source_id": tf.io.FixedLenSequenceFeature([], tf.string),
            **dict.fromkeys(_CORNERS, floats),
            _LABEL: tf.io.VarLenFeature(tf.string),
            _CONFIDENCE: floats,
        }
        if not fully_annotated:
            self._frame_features[_IS_ANNOTATED] = tf.io.FixedLenSequenceFeature([], tf.int64)

    def decode(self, tf_seq_example_string_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        """A serialised tf.train.SequenceExample, scalar, -> the fields of its frames.

        Returns:
            `image` [F] string, encoded, and `source_id` [F];
            `groundtruth_boxes` [F, M, 4], padded with 0, `groundtruth_classes` [F, M] int64,
            padded with -1, which also stands for a name that the label map does not have,
            `groundtruth_weights` [F, M], the record's confidences, or 1; 0 on padding,
            `num_groundtruth_boxes` [F] int32, `is_annotated` [F] bool;
            of the clip, scalars, `image_format`, `filename`, `image_height`, `image_width` int64;
            on request `context_features` [pictures, length], `context_feature_length` int64 and
            `context_features_image_id_list` [pictures].
        """
        once, per_frame = tf.io.parse_single_sequence_example(
            tf_seq_example_string_tensor, self._context_features, self._frame_features
        )
        source_ids = per_frame["image/source_id"]
        num_frames = tf.size(per_frame["image/encoded"])
        # `values` are as many as boxes; the frame of each is the first column of `indices`.
        ymin = per_frame[_CORNERS[0]]
        num_boxes = tf.math.bincount(
            tf.cast(ymin.indices[:, 0], tf.int32), minlength=num_frames, maxlength=num_frames
        )
        most = tf.reduce_max(tf.concat([[0], num_boxes], axis=0))

        def grid(key: str, padding: Any) -> tf.Tensor:
            return _grid(per_frame[key], num_frames, most, padding)

        real = tf.cast(tf.sequence_mask(num_boxes, most), tf.float32)
        confidences = tf.cond(
            tf.size(per_frame[_CONFIDENCE].values) > 0,
            lambda: grid(_CONFIDENCE, 1.0),
            lambda: tf.ones_like(real),
        )
        sample = {
            Inputs.image: per_frame["image/encoded"],
            Inputs.source_id: source_ids,
            Inputs.groundtruth_boxes: tf.stack([grid(key, 0.0) for key in _CORNERS], axis=2),
            Inputs.groundtruth_classes: class_names.lookup(self._ids, grid(_LABEL, "")),
            Inputs.groundtruth_weights: confidences * real,
            Inputs.num_groundtruth_boxes: num_boxes,
            Inputs.is_annotated: (
                tf.ones_like(source_ids, tf.bool)
                if self._fully_annotated
                else tf.cast(per_frame[_IS_ANNOTATED], tf.bool)
            ),
            Inputs.image_format: once["image/format"],
            Inputs.filename: once["image/filename"],
            Inputs.image_height: once["image/height"],
            Inputs.image_width: once["image/width"],
        }
        if tf_example_decoder.CONTEXT_FEATURES in once:
            sample |= tf_example_decoder.context(
                tf.sparse.to_dense(once[tf_example_decoder.CONTEXT_FEATURES]),
                once[tf_example_decoder.CONTEXT_FEATURE_LENGTH],
            )
        if self._load_context_image_ids:
            sample[Inputs.context_features_image_id_list] = tf.sparse.to_dense(
                once[_CONTEXT_IDS], default_value=""
            )
        return sample
