"""tf.train.Example -> sample.

Axes: M boxes, K keypoints, H x W pixels, A additional channels. Coordinates are normalised by the picture's size.
"""

import enum

import tensorflow.compat.v1 as tf

from object_detection.core import data_decoder
from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2
from object_detection.utils import label_map_util

Inputs = fields.InputDataFields
Keys = fields.TfExampleFields

KEYPOINT_Y, KEYPOINT_X = "image/object/keypoint/y", "image/object/keypoint/x"
KEYPOINT_VISIBILITY = "image/object/keypoint/visibility"
KEYPOINT_DEPTH, KEYPOINT_DEPTH_WEIGHT = (
    "image/object/keypoint/z",
    "image/object/keypoint/z/weights",
)
KEY = "image/key/sha256"
ADDITIONAL_CHANNELS = "image/additional_channels/encoded"
MASK, MASK_WEIGHT = "image/object/mask", "image/object/mask/weight"
MULTICLASS_SCORES = "image/object/class/multiclass_scores"
TRACK_ID = "image/object/track/label"


class Visibility(enum.Enum):
    """Values of `image/object/keypoint/visibility`, as in COCO."""

    UNLABELED = 0
    NOT_VISIBLE = 1  # occluded, yet placed by the annotator
    VISIBLE = 2


class TfExampleDecoder(data_decoder.DataDecoder):
    """Decodes picture, boxes, classes, keypoints, and on request masks and further lists."""

    def __init__(
        self,
        load_instance_masks: bool = False,
        instance_mask_type: int = input_reader_pb2.NUMERICAL_MASKS,
        label_map_proto_file: str | None = None,
        use_display_name: bool = False,
        dct_method: str = "",
        num_keypoints: int = 0,
        num_additional_channels: int = 0,
        load_multiclass_scores: bool = False,
        load_context_features: bool = False,
        expand_hierarchy_labels: bool = False,
        load_dense_pose: bool = False,
        load_track_id: bool = False,
        load_keypoint_depth_features: bool = False,
        use_keypoint_label_map: bool = False,
    ) -> None:
        """Takes the settings.

        Args:
            load_instance_masks: whether masks are read.
            instance_mask_type: NUMERICAL_MASKS (floats, M x H x W) or PNG_MASKS (M pictures).
            label_map_proto_file: label map for records that have class names but no numbers.
            use_display_name: names are the label map's display names.
            dct_method: of JPEG decoding; '' is TensorFlow's choice.
            num_keypoints: K; with 0 no keypoints are read.
            num_additional_channels: A; grey pictures that are read beside the picture.
            load_multiclass_scores: whether the scores of each box are read.
            load_context_features: not available.
            expand_hierarchy_labels: not available.
            load_dense_pose: not available.
            load_track_id: whether the number of each box's track is read.
            load_keypoint_depth_features: whether the keypoints' depths are read.
            use_keypoint_label_map: not available.

        Raises:
            ConfigError: something is asked for that is not available.
        """
        for name, asked in (
            ("load_context_features", load_context_features),
            ("expand_hierarchy_labels", expand_hierarchy_labels),
            ("load_dense_pose", load_dense_pose),
            ("use_keypoint_label_map", use_keypoint_label_map),
        ):
            if asked:
                raise ConfigError(f"TfExampleDecoder: {name} is not available; leave it out.")
        if load_keypoint_depth_features and not num_keypoints:
            raise ConfigError(
                "TfExampleDecoder: load_keypoint_depth_features needs num_keypoints above 0."
            )
        self._num_additional_channels = num_additional_channels
        self._png_masks = instance_mask_type == input_reader_pb2.PNG_MASKS
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
        strings = tf.io.VarLenFeature(tf.string)
        if load_instance_masks:
            self._features |= {MASK: strings if self._png_masks else floats, MASK_WEIGHT: floats}
        if num_additional_channels:
            self._features[ADDITIONAL_CHANNELS] = strings
        if load_multiclass_scores:
            self._features[MULTICLASS_SCORES] = floats
        if load_track_id:
            self._features[TRACK_ID] = ints
        if load_keypoint_depth_features:
            self._features |= {KEYPOINT_DEPTH: floats, KEYPOINT_DEPTH_WEIGHT: floats}
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
            `groundtruth_keypoint_visibilities` [M, K] bool, and on request
            `groundtruth_keypoint_depths` and `groundtruth_keypoint_depth_weights` [M, K];
            `groundtruth_instance_masks` [M, H, W] float32 of 0 and 1 and
            `groundtruth_instance_mask_weights` [M]; `image_additional_channels` [H, W, A] uint8;
            `multiclass_scores` [M * (1 + C)]; `groundtruth_track_ids` [M] int64.
        """
        parsed = tf.io.parse_single_example(tf_example_string_tensor, self._features)
        lists = {
            name: tf.sparse.to_dense(value, default_value="" if value.dtype == tf.string else 0)
            for name, value in parsed.items()
            if isinstance(value, tf.SparseTensor)
        }
        image = self._image(parsed[Keys.image_encoded], channels=3)
        source_id = parsed[Keys.source_id]
        corners = [
            lists[name]
            for name in (
                Keys.object_bbox_ymin,
                Keys.object_bbox_xmin,
                Keys.object_bbox_ymax,
                Keys.object_bbox_xmax,
            )
        ]
        same = [tf.equal(tf.size(corner), tf.size(corners[0])) for corner in corners[1:]]
        check = tf.Assert(
            tf.reduce_all(same),
            [
                "image/object/bbox/{ymin,xmin,ymax,xmax} should be equally long. Record, found:",
                source_id,
                *map(tf.size, corners),
            ],
        )
        with tf.control_dependencies([check]):
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
            Inputs.groundtruth_classes: self._classes(lists, count, source_id),
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
            sample |= self._keypoints(lists, count, source_id)
        if KEYPOINT_DEPTH in lists:
            shape = [-1, self._num_keypoints]
            ones = tf.ones_like(lists[KEYPOINT_DEPTH])
            sample |= {
                Inputs.groundtruth_keypoint_depths: tf.reshape(lists[KEYPOINT_DEPTH], shape),
                Inputs.groundtruth_keypoint_depth_weights: tf.reshape(
                    per_box(KEYPOINT_DEPTH_WEIGHT, ones), shape
                ),
            }
        if MASK in lists:
            sample |= {
                Inputs.groundtruth_instance_masks: self._masks(lists[MASK], tf.shape(image)),
                Inputs.groundtruth_instance_mask_weights: per_box(MASK_WEIGHT, tf.ones([count])),
            }
        if ADDITIONAL_CHANNELS in lists:
            sample[Inputs.image_additional_channels] = tf.concat(
                [
                    self._image(lists[ADDITIONAL_CHANNELS][channel], channels=1)
                    for channel in range(self._num_additional_channels)
                ],
                axis=2,
            )
        for key, field in (
            (MULTICLASS_SCORES, Inputs.multiclass_scores),
            (TRACK_ID, Inputs.groundtruth_track_ids),
        ):
            if key in lists:
                sample[field] = lists[key]
        return sample

    def _image(self, encoded: tf.Tensor, channels: int) -> tf.Tensor:
        """[H, W, channels] uint8; the format is told by the content."""
        image = tf.cond(
            tf.io.is_jpeg(encoded),
            lambda: tf.io.decode_jpeg(encoded, channels=channels, dct_method=self._dct_method),
            lambda: tf.io.decode_image(encoded, channels=channels, expand_animations=False),
        )
        image.set_shape([None, None, channels])
        return image

    def _masks(self, stored: tf.Tensor, image_shape: tf.Tensor) -> tf.Tensor:
        if not self._png_masks:
            masks = tf.reshape(stored, tf.concat([[-1], image_shape[:2]], axis=0))
            return tf.cast(masks > 0, tf.float32)

        def decode(encoded: tf.Tensor) -> tf.Tensor:
            mask = tf.io.decode_png(encoded, channels=1)[:, :, 0]
            return tf.ensure_shape(tf.cast(mask > 0, tf.float32), [None, None])

        # A picture without boxes would leave map_fn no element to take its shape from.
        return tf.cond(
            tf.size(stored) > 0,
            lambda: tf.map_fn(decode, stored, fn_output_signature=tf.float32),
            lambda: tf.zeros(tf.concat([[0], image_shape[:2]], axis=0)),
        )

    def _classes(
        self, lists: dict[str, tf.Tensor], count: tf.Tensor, source_id: tf.Tensor
    ) -> tf.Tensor:
        labels = self._labels(lists)
        check = tf.Assert(
            tf.equal(tf.size(labels), count),
            [
                "image/object/class: should hold one a box. Record, found, expected:",
                source_id,
                tf.size(labels),
                count,
            ],
        )
        with tf.control_dependencies([check]):
            return tf.identity(labels)

    def _labels(self, lists: dict[str, tf.Tensor]) -> tf.Tensor:
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
