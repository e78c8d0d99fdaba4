"""tf.train.Example -> sample.

Axes: M boxes, K keypoints, H x W pixels, A additional channels. Coordinates are normalised by the
picture's size.
"""

import functools
from collections.abc import Callable

import tensorflow.compat.v1 as tf

from object_detection.core import data_decoder, encoded_image
from object_detection.core import standard_fields as fields
from object_detection.data_decoders import class_names, keypoint_lists, layouts
from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2
from object_detection.utils import label_map_util

Inputs = fields.InputDataFields
Keys = fields.TfExampleFields
Lists = dict[str, tf.Tensor]

_LABEL_OFFSET = 1
_KEYPOINT_TEXT_FIELD = keypoint_lists.TEXT
Visibility = keypoint_lists.Visibility
_ClassTensorHandler = class_names.ClassTensorHandler

KEY = "image/key/sha256"
ADDITIONAL_CHANNELS = "image/additional_channels/encoded"
MASK, MASK_WEIGHT = "image/object/mask", "image/object/mask/weight"
MULTICLASS_SCORES = "image/object/class/multiclass_scores"
TRACK_ID = "image/object/track/label"
AREA = "image/object/area"
CONTEXT_FEATURES = "image/context_features"
CONTEXT_FEATURE_LENGTH = "image/context_feature_length"
NOT_IN_PICTURE = "image/neg_category_ids"
NOT_EXHAUSTIVE = "image/not_exhaustive_category_ids"
DENSE_POSE_COUNT = "image/object/densepose/num"
DENSE_POSE_PARTS = "image/object/densepose/part_index"
DENSE_POSE_COORDINATES = tuple(f"image/object/densepose/{axis}" for axis in "yxvu")

_MASK_TYPES = (
    input_reader_pb2.DEFAULT,
    input_reader_pb2.NUMERICAL_MASKS,
    input_reader_pb2.PNG_MASKS,
)

_CORNERS = (
    Keys.object_bbox_ymin,
    Keys.object_bbox_xmin,
    Keys.object_bbox_ymax,
    Keys.object_bbox_xmax,
)

# Fields with one row a box: what becomes of a box becomes of its rows.
PER_BOX = (
    Inputs.groundtruth_boxes,
    Inputs.groundtruth_classes,
    Inputs.groundtruth_weights,
    Inputs.groundtruth_difficult,
    Inputs.groundtruth_group_of,
    Inputs.groundtruth_is_crowd,
    Inputs.groundtruth_area,
    Inputs.groundtruth_keypoints,
    Inputs.groundtruth_keypoint_visibilities,
    Inputs.groundtruth_keypoint_flags,
    Inputs.groundtruth_keypoint_depths,
    Inputs.groundtruth_keypoint_depth_weights,
    Inputs.groundtruth_instance_masks,
    Inputs.groundtruth_instance_mask_weights,
    Inputs.groundtruth_track_ids,
    Inputs.groundtruth_dp_num_points,
    Inputs.groundtruth_dp_part_ids,
    Inputs.groundtruth_dp_surface_coords,
)


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
        *,
        read_image: Callable[[tf.Tensor], encoded_image.Image] | None = None,
    ) -> None:
        """Takes the settings.

        Args:
            load_instance_masks: whether masks are read.
            instance_mask_type: NUMERICAL_MASKS (floats, M x H x W) or PNG_MASKS (M pictures).
            label_map_proto_file: label map that turns class names into ids; without it, and for
                records without names, the ids of the record count.
            use_display_name: has no effect: names and display names are both understood.
            dct_method: of JPEG decoding; '' is TensorFlow's choice.
            num_keypoints: K; with 0 no keypoints are read.
            num_additional_channels: A; grey pictures that are read beside the picture.
            load_multiclass_scores: whether the scores of each box are read.
            load_context_features: whether the features of other pictures are read.
            expand_hierarchy_labels: whether each box is repeated for the ancestors of its class in
                the label map, and labels of whole pictures are completed likewise.
            load_dense_pose: whether DensePose points are read.
            load_track_id: whether the number of each box's track is read.
            load_keypoint_depth_features: whether the keypoints' depths are read.
            use_keypoint_label_map: whether keypoints are told by their names, which the label map
                numbers, rather than by their order.
            read_image: gives the picture of a file, [] string; by default it is decoded.

        Raises:
            ConfigError: an option lacks another one that it needs, or is not known.
        """
        del use_display_name  # names and display names are both understood
        keypoints = ("num_keypoints", num_keypoints)
        label_map = ("label_map_proto_file", label_map_proto_file)
        for option, asked, (needed, given) in (
            ("load_keypoint_depth_features", load_keypoint_depth_features, keypoints),
            ("use_keypoint_label_map", use_keypoint_label_map, keypoints),
            ("use_keypoint_label_map", use_keypoint_label_map, label_map),
            ("expand_hierarchy_labels", expand_hierarchy_labels, label_map),
        ):
            if asked and not given:
                raise ConfigError(f"TfExampleDecoder: {option} needs {needed}; give it as well.")
        if load_instance_masks and instance_mask_type not in _MASK_TYPES:
            raise ConfigError(
                f"TfExampleDecoder: instance_mask_type {instance_mask_type} is not known; choose "
                "NUMERICAL_MASKS or PNG_MASKS."
            )
        self._num_additional_channels = num_additional_channels
        self._png_masks = instance_mask_type == input_reader_pb2.PNG_MASKS
        self._decode = functools.partial(encoded_image.decode, dct_method=dct_method)
        self._read_image = read_image or self._decode
        self._num_keypoints = num_keypoints
        self._ids = class_names.ids_by_name(label_map_proto_file) if label_map_proto_file else None
        self._hierarchy = (
            label_map_util.get_label_map_hierarchy_lut(label_map_proto_file, True)
            if label_map_proto_file and expand_hierarchy_labels
            else None
        )
        self._keypoint_ids: dict[str, int] | None = None
        if use_keypoint_label_map and label_map_proto_file:
            self._keypoint_ids = keypoint_lists.ids_by_name(label_map_proto_file, num_keypoints)
        self._features = {
            name: tf.io.FixedLenFeature([], tf.string, "")
            for name in (Keys.image_encoded, Keys.filename, Keys.source_id, KEY)
        }
        floats = keypoint_lists.listed(tf.float32)
        ints = keypoint_lists.listed(tf.int64)
        strings = keypoint_lists.listed(tf.string)
        self._features |= dict.fromkeys(_CORNERS, floats)
        self._features |= {
            Keys.image_class_text: strings,
            Keys.image_class_label: ints,
            Keys.image_class_confidence: floats,
            NOT_IN_PICTURE: ints,
            NOT_EXHAUSTIVE: ints,
            Keys.object_class_label: ints,
            Keys.object_class_text: strings,
            Keys.object_weight: floats,
            Keys.object_difficult: ints,
            Keys.object_group_of: ints,
            Keys.object_is_crowd: ints,
            Keys.object_segment_area: floats,
            AREA: floats,
        }
        if load_instance_masks:
            self._features |= {MASK: strings if self._png_masks else floats, MASK_WEIGHT: floats}
        if num_additional_channels:
            self._features[ADDITIONAL_CHANNELS] = strings
        if load_multiclass_scores:
            self._features[MULTICLASS_SCORES] = floats
        if load_track_id:
            self._features[TRACK_ID] = ints
        if load_context_features:
            self._features[CONTEXT_FEATURES] = floats
            self._features[CONTEXT_FEATURE_LENGTH] = tf.io.FixedLenFeature([], tf.int64, 0)
        if load_dense_pose:
            self._features |= {DENSE_POSE_COUNT: ints, DENSE_POSE_PARTS: ints}
            self._features |= dict.fromkeys(DENSE_POSE_COORDINATES, floats)
        if num_keypoints:
            self._features |= keypoint_lists.features(
                load_keypoint_depth_features, use_keypoint_label_map
            )

    def decode(self, tf_example_string_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        """A serialised tf.train.Example, scalar, -> sample.

        Lists that a record lacks: weights are 1, flags False, areas those of the boxes; classes
        are left empty. Everything that has one row a box has the boxes' order.

        Returns:
            `image` [H, W, 3] uint8, or what `read_image` gives; `original_image_spatial_shape` [2]
            int32, `filename`, `source_id`, `key`;
            of the whole picture `groundtruth_image_classes` int64 and
            `groundtruth_image_confidences` [n], `groundtruth_verified_neg_classes` and
            `groundtruth_not_exhaustive_classes` int64;
            `groundtruth_boxes` [M, 4], `groundtruth_classes` [M] int64, -1 for a name that the
            label map does not have, `groundtruth_weights` [M], `groundtruth_difficult`,
            `groundtruth_group_of` and `groundtruth_is_crowd` [M] bool, `groundtruth_area` [M];
            with keypoints `groundtruth_keypoints` [M, K, 2], NaN for absent ones,
            `groundtruth_keypoint_visibilities` [M, K] bool and `groundtruth_keypoint_flags`
            [M, K] int32, 0 for absent, 1 for occluded, 2 for visible ones;
            on request `groundtruth_keypoint_depths` and `groundtruth_keypoint_depth_weights`
            [M, K], 0 where the record has none;
            `groundtruth_instance_masks` [M, H, W] float32 of 0 and 1 and
            `groundtruth_instance_mask_weights` [M]; `image_additional_channels` [H, W, A] uint8;
            `multiclass_scores` [M * (1 + C)]; `groundtruth_track_ids` [M] int64;
            `groundtruth_dp_num_points` [M] int32, and padded to the largest number of points
            `groundtruth_dp_part_ids` [M, points] int32 and `groundtruth_dp_surface_coords`
            [M, points, 4], (y, x, v, u);
            `context_features` [pictures, length] and `context_feature_length` int64.
        """
        parsed = tf.io.parse_single_example(tf_example_string_tensor, self._features)
        lists = {name: value for name, value in parsed.items() if value.shape.rank == 1}
        image = self._read_image(parsed[Keys.image_encoded])
        size = encoded_image.shape(image)[:2]
        source_id = parsed[Keys.source_id]
        boxes = _boxes(lists, source_id)
        count = tf.shape(boxes)[0]

        def flags(key: str) -> tf.Tensor:
            return tf.cast(_or_default(lists[key], tf.zeros([count], tf.int64)), tf.bool)

        sample = {
            Inputs.image: image,
            Inputs.original_image_spatial_shape: size,
            Inputs.filename: parsed[Keys.filename],
            Inputs.source_id: source_id,
            Inputs.key: parsed[KEY],
            Inputs.groundtruth_boxes: boxes,
            Inputs.groundtruth_classes: self._classes(lists, count, source_id),
            Inputs.groundtruth_weights: _or_default(lists[Keys.object_weight], tf.ones([count])),
            Inputs.groundtruth_difficult: flags(Keys.object_difficult),
            Inputs.groundtruth_group_of: flags(Keys.object_group_of),
            Inputs.groundtruth_is_crowd: flags(Keys.object_is_crowd),
            Inputs.groundtruth_area: _areas(lists, boxes, size),
        }
        sample |= self._image_labels(lists)
        if self._num_keypoints:
            # Without boxes it is the classes that say how many objects there are.
            objects = tf.maximum(count, tf.size(sample[Inputs.groundtruth_classes]))
            sample |= keypoint_lists.decode(
                lists, objects, source_id, self._num_keypoints, self._keypoint_ids
            )
        if MASK in lists:
            masks = self._masks(lists[MASK], size)
            sample |= {
                Inputs.groundtruth_instance_masks: masks,
                Inputs.groundtruth_instance_mask_weights: _or_default(
                    lists[MASK_WEIGHT], tf.ones(tf.shape(masks)[:1])
                ),
            }
        if ADDITIONAL_CHANNELS in lists:
            sample[Inputs.image_additional_channels] = tf.concat(
                [
                    self._decode(lists[ADDITIONAL_CHANNELS][channel], channels=1)
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
        if DENSE_POSE_COUNT in lists:
            sample |= _dense_pose(lists, count)
        if CONTEXT_FEATURES in lists:
            sample |= context(lists[CONTEXT_FEATURES], parsed[CONTEXT_FEATURE_LENGTH])
        return self._expand_hierarchy(sample) if self._hierarchy else sample

    def _masks(self, stored: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        if not self._png_masks:
            masks = tf.reshape(stored, tf.concat([[-1], size], axis=0))
            return tf.cast(masks > 0, tf.float32)

        def decode(encoded: tf.Tensor) -> tf.Tensor:
            mask = tf.io.decode_png(encoded, channels=1)[:, :, 0]
            return tf.ensure_shape(tf.cast(mask > 0, tf.float32), [None, None])

        # A picture without boxes would leave map_fn no element to take its shape from.
        return tf.cond(
            tf.size(stored) > 0,
            lambda: tf.map_fn(decode, stored, fn_output_signature=tf.float32),
            lambda: tf.zeros(tf.concat([[0], size], axis=0)),
        )

    def _classes(self, lists: Lists, count: tf.Tensor, source_id: tf.Tensor) -> tf.Tensor:
        labels = self._labels(lists[Keys.object_class_label], lists[Keys.object_class_text])
        # A record with nothing but boxes, or nothing but classes, contradicts itself nowhere.
        fits = tf.equal(tf.size(labels), count) | tf.equal(count, 0) | tf.equal(tf.size(labels), 0)
        check = tf.Assert(
            fits,
            [
                "image/object/class: should hold one a box. Record, found, expected:",
                source_id,
                tf.size(labels),
                count,
            ],
        )
        with tf.control_dependencies([check]):
            return tf.identity(labels)

    def _labels(self, labels: tf.Tensor, names: tf.Tensor) -> tf.Tensor:
        """Ids by name where there is a label map and the record has names, else as numbered."""
        if self._ids is None:
            return labels
        from_names = class_names.lookup(self._ids, names)
        return tf.cond(tf.size(names) > 0, lambda: from_names, lambda: labels)

    def _image_labels(self, lists: Lists) -> dict[str, tf.Tensor]:
        labels = self._labels(lists[Keys.image_class_label], lists[Keys.image_class_text])
        given = lists[Keys.image_class_confidence]
        return {
            Inputs.groundtruth_image_classes: labels,
            Inputs.groundtruth_image_confidences: _or_default(
                given, tf.ones_like(labels, given.dtype)
            ),
            Inputs.groundtruth_verified_neg_classes: lists[NOT_IN_PICTURE],
            Inputs.groundtruth_not_exhaustive_classes: lists[NOT_EXHAUSTIVE],
        }

    def _expand_hierarchy(self, sample: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        ancestors, descendants = (tf.constant(table, tf.float32) for table in self._hierarchy or ())
        rows, classes = layouts.with_ancestors(sample[Inputs.groundtruth_classes], ancestors)
        if Inputs.multiclass_scores in sample:
            count = tf.shape(sample[Inputs.groundtruth_classes])[0]
            scores = sample[Inputs.multiclass_scores]
            scores = tf.reshape(scores, [count, tf.size(scores) // tf.maximum(count, 1)])
            sample[Inputs.multiclass_scores] = tf.reshape(tf.gather(scores, rows), [-1])
        sample = layouts.repeat_rows(sample, PER_BOX, rows)
        sample[Inputs.groundtruth_classes] = classes
        (
            sample[Inputs.groundtruth_image_classes],
            sample[Inputs.groundtruth_image_confidences],
        ) = layouts.expand_image_labels(
            sample[Inputs.groundtruth_image_classes],
            sample[Inputs.groundtruth_image_confidences],
            ancestors,
            descendants,
        )
        return sample


def _boxes(lists: Lists, source_id: tf.Tensor) -> tf.Tensor:
    corners = [lists[name] for name in _CORNERS]
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
        return tf.stack(corners, axis=1)


def _or_default(values: tf.Tensor, default: tf.Tensor) -> tf.Tensor:
    """The list, or the default where the record has none."""
    return tf.cond(tf.size(values) > 0, lambda: values, lambda: default)


def _areas(lists: Lists, boxes: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    ymin, xmin, ymax, xmax = tf.unstack(boxes, axis=1)
    pixels = tf.cast(tf.reduce_prod(size), tf.float32)
    from_boxes = (ymax - ymin) * (xmax - xmin) * pixels
    return _or_default(lists[AREA], _or_default(lists[Keys.object_segment_area], from_boxes))


def _dense_pose(lists: Lists, count: tf.Tensor) -> dict[str, tf.Tensor]:
    counts = _or_default(lists[DENSE_POSE_COUNT], tf.zeros([count], tf.int64))
    coordinates = tf.stack([lists[key] for key in DENSE_POSE_COORDINATES], axis=1)
    return {
        Inputs.groundtruth_dp_num_points: tf.cast(counts, tf.int32),
        Inputs.groundtruth_dp_part_ids: tf.cast(
            layouts.in_rows(lists[DENSE_POSE_PARTS], counts), tf.int32
        ),
        Inputs.groundtruth_dp_surface_coords: layouts.in_rows(coordinates, counts),
    }


def context(features: tf.Tensor, length: tf.Tensor) -> dict[str, tf.Tensor]:
    """Fields of the features of other pictures.

    Args:
        features: [pictures * length].
        length: scalar int64.
    """
    width = tf.cast(length, tf.int32)
    rows = tf.size(features) // tf.maximum(width, 1)
    return {
        Inputs.context_features: tf.reshape(features, tf.stack([rows, width])),
        Inputs.context_feature_length: length,
    }
