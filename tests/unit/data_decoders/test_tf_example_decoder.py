import inspect
import math

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.standard_fields import InputDataFields as F
from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder
from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2
from object_detection.utils.dataset_util import (
    bytes_feature,
    bytes_list_feature,
    float_list_feature,
    int64_list_feature,
)

NAN = math.nan


def encoded(array, kind="png"):
    with tf.Graph().as_default(), tf.Session() as session:
        encode = tf.io.encode_png if kind == "png" else tf.io.encode_jpeg
        return session.run(encode(tf.constant(array, tf.uint8)))


PIXELS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
PNG = encoded(PIXELS)


def record(boxes=(), **features):
    """A serialised example; `__` in a name stands for `/`."""
    boxes = np.reshape(np.array(boxes, float), [-1, 4])
    content = {
        "image/encoded": bytes_feature(PNG),
        "image/source_id": bytes_feature(b"folder/a.png"),
        "image/object/class/label": int64_list_feature([1] * len(boxes)),
    }
    for name, values in zip(("ymin", "xmin", "ymax", "xmax"), boxes.T, strict=True):
        content[f"image/object/bbox/{name}"] = float_list_feature(values)
    content |= {name.replace("__", "/"): value for name, value in features.items()}
    kept = {name: value for name, value in content.items() if value is not None}
    return tf.train.Example(features=tf.train.Features(feature=kept)).SerializeToString()


BOXES = [[0.1, 0.2, 0.5, 0.6], [0, 0, 1, 1]]


@pytest.fixture(params=["graph", "tf.data"])
def decode(request, run):
    """Decodes in a plain graph and inside tf.data; static shapes are lost in only one of them."""

    def evaluate(serialized, **settings):
        decoder = TfExampleDecoder(**settings)
        if request.param == "graph":
            # Not a constant: shape inference would evaluate it before the session does.
            source = tf.placeholder(tf.string, [])
            return run(decoder.decode(source), {source: serialized})
        dataset = tf.data.Dataset.from_tensors(serialized).map(decoder.decode)
        iterator = tf.data.make_initializable_iterator(dataset)
        tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
        return run(iterator.get_next())

    return evaluate


def test_constructor_is_the_one_of_the_od_api():
    assert list(inspect.signature(TfExampleDecoder).parameters) == [
        "load_instance_masks",
        "instance_mask_type",
        "label_map_proto_file",
        "use_display_name",
        "dct_method",
        "num_keypoints",
        "num_additional_channels",
        "load_multiclass_scores",
        "load_context_features",
        "expand_hierarchy_labels",
        "load_dense_pose",
        "load_track_id",
        "load_keypoint_depth_features",
        "use_keypoint_label_map",
    ]


def test_only_a_picture(decode):
    sample = decode(record(), num_keypoints=5)
    np.testing.assert_array_equal(sample[F.image], PIXELS)
    np.testing.assert_array_equal(sample[F.original_image_spatial_shape], [4, 6])
    shapes = {name: np.shape(value) for name, value in sample.items()}
    assert shapes[F.groundtruth_boxes] == (0, 4)
    assert shapes[F.groundtruth_keypoints] == (0, 5, 2)
    assert shapes[F.groundtruth_keypoint_visibilities] == (0, 5)
    for name in (
        F.groundtruth_classes,
        F.groundtruth_weights,
        F.groundtruth_area,
        F.groundtruth_is_crowd,
        F.groundtruth_difficult,
        F.groundtruth_group_of,
    ):
        assert shapes[name] == (0,), name


def test_boxes_and_the_defaults_of_what_is_absent(decode):
    sample = decode(record(BOXES))
    np.testing.assert_allclose(sample[F.groundtruth_boxes], BOXES)
    np.testing.assert_array_equal(sample[F.groundtruth_classes], [1, 1])
    np.testing.assert_array_equal(sample[F.groundtruth_weights], [1, 1])
    np.testing.assert_allclose(sample[F.groundtruth_area], [0.16 * 24, 24], rtol=1e-5)
    for name in (F.groundtruth_is_crowd, F.groundtruth_difficult, F.groundtruth_group_of):
        np.testing.assert_array_equal(sample[name], [False, False])
    assert sample[F.source_id] == b"folder/a.png"
    assert F.groundtruth_keypoints not in sample


def test_what_is_given_wins(decode):
    sample = decode(
        record(
            BOXES,
            image__object__weight=float_list_feature([0.5, 0]),
            image__object__is_crowd=int64_list_feature([0, 1]),
            image__object__segment__area=float_list_feature([7, 8]),
            image__object__class__multiclass_scores=float_list_feature([0.1, 0.9]),
            image__object__track__label=int64_list_feature([3, 4]),
        ),
        load_multiclass_scores=True,
        load_track_id=True,
    )
    np.testing.assert_array_equal(sample[F.groundtruth_weights], [0.5, 0])
    np.testing.assert_array_equal(sample[F.groundtruth_is_crowd], [False, True])
    np.testing.assert_array_equal(sample[F.groundtruth_area], [7, 8])
    np.testing.assert_allclose(sample[F.multiclass_scores], [0.1, 0.9])
    np.testing.assert_array_equal(sample[F.groundtruth_track_ids], [3, 4])


@pytest.mark.parametrize(
    ("visibility", "expected"),
    [
        pytest.param(None, [True, False, False, True], id="absent: NaN decides"),
        pytest.param([2, 2, 2, 2], [True, False, False, True], id="NaN is never visible"),
        pytest.param([1, 0, 0, 0], [True, False, False, False], id="occluded counts, 0 does not"),
    ],
)
def test_keypoints_keep_nan_and_are_y_x(decode, visibility, expected):
    sample = decode(
        record(
            BOXES,
            image__object__keypoint__x=float_list_feature([0.1, NAN, 0.3, -0.4]),
            image__object__keypoint__y=float_list_feature([0.5, 0.6, NAN, 1.5]),
            image__object__keypoint__visibility=visibility and int64_list_feature(visibility),
        ),
        num_keypoints=2,
    )
    np.testing.assert_allclose(
        sample[F.groundtruth_keypoints],
        [[[0.5, 0.1], [0.6, NAN]], [[NAN, 0.3], [1.5, -0.4]]],
        rtol=1e-6,
    )
    assert sample[F.groundtruth_keypoint_visibilities].ravel().tolist() == expected


@pytest.mark.parametrize(
    ("features", "words"),
    [
        pytest.param(
            {
                "image__object__keypoint__x": float_list_feature([0.5] * 8),
                "image__object__keypoint__y": float_list_feature([0.5] * 8),
            },
            r"keypoint/[xy].*\[8\] \[10\]",
            id="four points a box",
        ),
        pytest.param({}, r"keypoint/[xy].*\[0\] \[10\]", id="no points"),
        pytest.param(
            {"image__object__class__label": int64_list_feature([1])},
            r"object/class.*\[1\] \[2\]",
            id="one class",
        ),
        pytest.param(
            {"image__object__bbox__xmin": float_list_feature([0.1])}, "object/bbox", id="one xmin"
        ),
    ],
)
def test_lists_that_do_not_fit_name_the_record(decode, features, words):
    # Without keypoints where they are not the subject: of two failed checks, either may speak.
    num_keypoints = 5 if any("keypoint" in name for name in features) or not features else 0
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"folder/a\.png") as caught:
        decode(record(BOXES, **features), num_keypoints=num_keypoints)
    assert caught.match(f"(?s){words}")


def test_names_become_numbers_through_the_label_map(decode, tmp_path):
    path = tmp_path / "map.pbtxt"
    path.write_text("item { id: 3 name: 'cat' }\nitem { id: 1 name: 'dog' }\n")
    names = bytes_list_feature([b"cat", b"dog"])
    sample = decode(
        record(BOXES, image__object__class__label=None, image__object__class__text=names),
        label_map_proto_file=str(path),
    )
    np.testing.assert_array_equal(sample[F.groundtruth_classes], [3, 1])
    sample = decode(record(BOXES), label_map_proto_file=str(path))
    np.testing.assert_array_equal(sample[F.groundtruth_classes], [1, 1])


@pytest.mark.parametrize("method", ["", "INTEGER_FAST", "INTEGER_ACCURATE"])
def test_jpeg_is_told_by_content(decode, method):
    grey = np.full([8, 8, 3], 100, np.uint8)
    sample = decode(record(image__encoded=bytes_feature(encoded(grey, "jpeg"))), dct_method=method)
    np.testing.assert_allclose(sample[F.image], grey, atol=2)


@pytest.mark.parametrize("kind", ["numerical", "png"])
@pytest.mark.parametrize("count", [0, 2])
def test_masks(decode, kind, count):
    masks = (np.arange(count * 24).reshape(count, 4, 6) % 5 == 0).astype(np.float32)
    if kind == "png":
        stored = bytes_list_feature([encoded(mask[..., None]) for mask in masks])
        mask_type = input_reader_pb2.PNG_MASKS
    else:
        stored = float_list_feature(masks.ravel())
        mask_type = input_reader_pb2.NUMERICAL_MASKS
    sample = decode(
        record(BOXES[:count], image__object__mask=stored),
        load_instance_masks=True,
        instance_mask_type=mask_type,
    )
    np.testing.assert_array_equal(sample[F.groundtruth_instance_masks], masks)
    np.testing.assert_array_equal(sample[F.groundtruth_instance_mask_weights], [1] * count)


def test_additional_channels(decode):
    planes = [PIXELS[:, :, :1], PIXELS[:, :, 1:2]]
    stored = bytes_list_feature([encoded(plane) for plane in planes])
    sample = decode(record(image__additional_channels__encoded=stored), num_additional_channels=2)
    np.testing.assert_array_equal(sample[F.image_additional_channels], PIXELS[:, :, :2])


def test_keypoint_depths(decode):
    points = float_list_feature([0.1, 0.2, 0.3, 0.4])
    sample = decode(
        record(
            BOXES,
            image__object__keypoint__x=points,
            image__object__keypoint__y=points,
            image__object__keypoint__z=float_list_feature([1, 2, 3, 4]),
        ),
        num_keypoints=2,
        load_keypoint_depth_features=True,
    )
    np.testing.assert_array_equal(sample[F.groundtruth_keypoint_depths], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(sample[F.groundtruth_keypoint_depth_weights], np.ones([2, 2]))


@pytest.mark.parametrize(
    "name",
    [
        "load_context_features",
        "expand_hierarchy_labels",
        "load_dense_pose",
        "use_keypoint_label_map",
        "load_keypoint_depth_features",
    ],
)
def test_what_is_not_available_is_refused_by_name(name):
    with pytest.raises(ConfigError, match=name):
        TfExampleDecoder(**{name: True})
