"""tf.train.Example -> sample.

Axes: M boxes, K keypoints. Coordinates are normalised by the picture's size.
"""

import tensorflow.compat.v1 as tf

from object_detection.core import data_decoder
from object_detection.core import standard_fields as fields
from object_detection.utils import label_map_util

Inputs = fields.InputDataFields
Keys = fields.TfExampleFields

KEYPOINT_Y, KEYPOINT_X = "image/object/keypoint/y", "image/object/keypoint/x"
KEYPOINT_VISIBILITY = "image/object/keypoint/visibility"
KEY = "image/key/sha256"


class TfExampleDecoder(data_decoder.DataDecoder):
    """Decodes picture, boxes, classes and keypoints."""

    def __init__(
        self,
        label_map_proto_file: str | None = None,
        use_display_name: bool = False,
        dct_method: str = "",
        num_keypoints: int = 0,
    ) -> None:
        """Takes the settings.

        Args:
            label_map_proto_file: label map for records that have class names but no numbers.
            use_display_name: names are the label map's display names.
            dct_method: of JPEG decoding; '' is TensorFlow's choice.
            num_keypoints: K; with 0 no keypoints are read.
        """
        self._dct_method = dct_method
        self._num_keypoints = num_keypoints
        self._names: dict[str, int] | None = None
        if label_map_proto_file:
            self._names = label_map_util.get_label_map_dict(label_map_proto_file, use_display_name)
        floats = tf.io.VarLenFeature(tf.float32)
        ints = tf.io.VarLenFeature(tf.int64)
        self._features = {
            Keys.image_encoded: tf.io.FixedLenFeature([], tf.string, ""),
            Keys.filename: tf.io.FixedLenFeature([], tf.string, ""),
            Keys.source_id: tf.io.FixedLenFeature([], tf.string, ""),
            KEY: tf.io.FixedLenFeature([], tf.string, ""),
            Keys.object_bbox_ymin: floats,
            Keys.object_bbox_xmin: floats,
            Keys.object_bbox_ymax: floats,
            Keys.object_bbox_xmax: floats,
            Keys.object_class_label: ints,
            Keys.object_class_text: tf.io.VarLenFeature(tf.string),
            Keys.object_weight: floats,
            Keys.object_difficult: ints,
            Keys.object_group_of: ints,
            Keys.object_is_crowd: ints,
            Keys.object_segment_area: floats,
        }
        if num_keypoints:
            self._features |= {KEYPOINT_Y: floats, KEYPOINT_X: floats, KEYPOINT_VISIBILITY: ints}

    def decode(self, tf_example_string_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        """A serialised tf.train.Example, scalar, -> sample.

        Returns:
            `image` [H, W, 3] uint8, `original_image_spatial_shape` [2] int32, `filename`,
            `source_id`, `key`; `groundtruth_boxes` [M, 4], `groundtruth_classes` [M] int64,
            `groundtruth_weights` [M], `groundtruth_difficult`, `groundtruth_group_of` and
            `groundtruth_is_crowd` [M] bool, `groundtruth_area` [M]; with keypoints
            `groundtruth_keypoints` [M, K, 2], NaN for absent ones, and
            `groundtruth_keypoint_visibilities` [M, K] bool.
        """
        parsed = tf.io.parse_single_example(tf_example_string_tensor, self._features)
        lists = {
            name: tf.sparse.to_dense(value, default_value="" if value.dtype == tf.string else 0)
            for name, value in parsed.items()
            if isinstance(value, tf.SparseTensor)
        }
        image = tf.image.decode_image(
            parsed[Keys.image_encoded], channels=3, expand_animations=False
        )
        image.set_shape([None, None, 3])
        corners = [
            lists[name]
            for name in (
                Keys.object_bbox_ymin,
                Keys.object_bbox_xmin,
                Keys.object_bbox_ymax,
                Keys.object_bbox_xmax,
            )
        ]
        boxes = tf.stack(corners, axis=1)
        count = tf.shape(boxes)[0]

        def per_box(key: str, default: tf.Tensor) -> tf.Tensor:
            """The list, or the default where the record has none."""
            return tf.cond(tf.size(lists[key]) > 0, lambda: lists[key], lambda: default)

        def flags(key: str) -> tf.Tensor:
            return tf.cast(per_box(key, tf.zeros([count], tf.int64)), tf.bool)

        ymin, xmin, ymax, xmax = tf.unstack(boxes, axis=1)
        sample = {
            Inputs.image: image,
            Inputs.original_image_spatial_shape: tf.shape(image)[:2],
            Inputs.filename: parsed[Keys.filename],
            Inputs.source_id: parsed[Keys.source_id],
            Inputs.key: parsed[KEY],
            Inputs.groundtruth_boxes: boxes,
            Inputs.groundtruth_classes: self._classes(lists),
            Inputs.groundtruth_weights: per_box(Keys.object_weight, tf.ones([count])),
            Inputs.groundtruth_difficult: flags(Keys.object_difficult),
            Inputs.groundtruth_group_of: flags(Keys.object_group_of),
            Inputs.groundtruth_is_crowd: flags(Keys.object_is_crowd),
            Inputs.groundtruth_area: per_box(
                Keys.object_segment_area,
                (ymax - ymin)
                * (xmax - xmin)
                * tf.cast(tf.reduce_prod(tf.shape(image)[:2]), tf.float32),
            ),
        }
        if self._num_keypoints:
            sample |= self._keypoints(lists, count, parsed[Keys.source_id])
        return sample

    def _classes(self, lists: dict[str, tf.Tensor]) -> tf.Tensor:
        labels = lists[Keys.object_class_label]
        if not self._names:
            return labels
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(list(self._names)), tf.constant(list(self._names.values()), tf.int64)
            ),
            default_value=-1,
        )
        from_names = table.lookup(lists[Keys.object_class_text])
        return tf.cond(tf.size(labels) > 0, lambda: labels, lambda: from_names)

    def _keypoints(
        self, lists: dict[str, tf.Tensor], count: tf.Tensor, source_id: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        expected = count * self._num_keypoints
        y, x = lists[KEYPOINT_Y], lists[KEYPOINT_X]
        checks = [
            tf.Assert(
                tf.equal(tf.size(values), expected),
                [
                    f"{key}: should hold {self._num_keypoints} numbers a box. Record, found, expected:",
                    source_id,
                    tf.size(values),
                    expected,
                ],
            )
            for key, values in ((KEYPOINT_Y, y), (KEYPOINT_X, x))
        ]
        with tf.control_dependencies(checks):
            keypoints = tf.reshape(tf.stack([y, x], axis=1), [-1, self._num_keypoints, 2])
        present = ~tf.reduce_any(tf.math.is_nan(keypoints), axis=-1)
        given = lists[KEYPOINT_VISIBILITY]
        # Occluded points (1) are placed by the annotator, so they count; 0 is "not labelled".
        visible = tf.cond(
            tf.equal(tf.size(given), expected),
            lambda: tf.reshape(given > 0, [-1, self._num_keypoints]),
            lambda: present,
        )
        return {
            Inputs.groundtruth_keypoints: keypoints,
            Inputs.groundtruth_keypoint_visibilities: visible & present,
        }
