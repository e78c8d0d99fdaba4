import inspect
import math

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.standard_fields import InputDataFields as F
from object_detection.data_decoders import tf_example_decoder
from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder, Visibility
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
    parameters = inspect.signature(TfExampleDecoder).parameters.values()
    # What is given by name only is ours.
    assert [one.name for one in parameters if one.kind is not one.KEYWORD_ONLY] == [
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
    ("visibility", "expected", "points"),
    [
        pytest.param(
            None,
            [True, False, False, True],
            [[0.5, 0.1], [0.6, NAN], [NAN, 0.3], [1.5, -0.4]],
            id="absent: NaN decides",
        ),
        pytest.param(
            [2, 2, 2, 2],
            [True, False, False, True],
            [[0.5, 0.1], [0.6, NAN], [NAN, 0.3], [1.5, -0.4]],
            id="NaN is never visible",
        ),
        pytest.param(
            [1, 0, 0, 0],
            [True, False, False, False],
            [[0.5, 0.1], [NAN, NAN], [NAN, NAN], [NAN, NAN]],
            id="occluded counts, 0 is no point",
        ),
        pytest.param(
            [2],
            [True, False, False, True],
            [[0.5, 0.1], [0.6, NAN], [NAN, 0.3], [1.5, -0.4]],
            id="one number for four points says nothing",
        ),
    ],
)
def test_keypoints_keep_nan_and_are_y_x(decode, visibility, expected, points):
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
        sample[F.groundtruth_keypoints], np.reshape(points, [2, 2, 2]), rtol=1e-6
    )
    assert sample[F.groundtruth_keypoint_visibilities].ravel().tolist() == expected


@pytest.mark.parametrize(
    ("visibility", "expected"),
    [
        pytest.param(None, [2, 0, 0, 2], id="none given: what is placed can be seen"),
        pytest.param([2, 2, 1, 1], [2, 0, 0, 1], id="NaN is not there, whatever its number"),
        pytest.param([1, 1, 1, 0], [1, 0, 0, 0], id="0 is not there, whatever its place"),
        pytest.param([3, -1, 2, 2], [0, 0, 0, 2], id="other numbers mean nothing"),
        pytest.param([1], [2, 0, 0, 2], id="one number for four points says nothing"),
    ],
)
def test_flags_of_keypoints(decode, visibility, expected):
    sample = decode(
        record(
            BOXES,
            image__object__keypoint__x=float_list_feature([0.1, NAN, 0.3, -0.4]),
            image__object__keypoint__y=float_list_feature([0.5, 0.6, NAN, 1.5]),
            image__object__keypoint__visibility=visibility and int64_list_feature(visibility),
        ),
        num_keypoints=2,
    )
    flags = sample[F.groundtruth_keypoint_flags]
    assert flags.dtype == np.int32
    np.testing.assert_array_equal(flags, np.reshape(expected, [2, 2]))


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


LABEL_MAP = "item { id: 3 name: 'cat' display_name: 'Tom' }\nitem { id: 1 name: 'dog' }\n"


def label_map(tmp_path, text=LABEL_MAP):
    path = tmp_path / "map.pbtxt"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("use_display_name", [False, True])
@pytest.mark.parametrize(
    ("names", "labels", "expected"),
    [
        pytest.param(["cat", "dog"], None, [3, 1], id="names"),
        pytest.param(["Tom", "dog"], None, [3, 1], id="a display name"),
        pytest.param(["cat", "cow"], None, [3, -1], id="an unknown name"),
        pytest.param(["cat", "dog"], [7, 8], [3, 1], id="names win over numbers"),
        pytest.param(None, [7, 8], [7, 8], id="numbers where there is no name"),
    ],
)
def test_names_become_numbers(decode, tmp_path, use_display_name, names, labels, expected):
    sample = decode(
        record(
            BOXES,
            image__object__class__label=labels and int64_list_feature(labels),
            image__object__class__text=names and bytes_list_feature([n.encode() for n in names]),
        ),
        label_map_proto_file=label_map(tmp_path),
        use_display_name=use_display_name,
    )
    np.testing.assert_array_equal(sample[F.groundtruth_classes], expected)
    assert sample[F.groundtruth_classes].dtype == np.int64


def test_lists_may_stand_alone(decode):
    masks = np.ones([3, 4, 6])
    sample = decode(
        record(
            image__object__class__label=int64_list_feature([5, 6]),
            image__object__is_crowd=int64_list_feature([0, 1]),
            image__object__difficult=int64_list_feature([1]),
            image__object__weight=float_list_feature([0.5]),
            image__object__keypoint__y=float_list_feature([0.1, 0.2, 0.3, 0.4]),
            image__object__keypoint__x=float_list_feature([0.5, 0.6, 0.7, 0.8]),
            image__object__mask=float_list_feature(masks.ravel()),
        ),
        num_keypoints=2,
        load_instance_masks=True,
    )
    np.testing.assert_array_equal(sample[F.groundtruth_classes], [5, 6])
    np.testing.assert_array_equal(sample[F.groundtruth_is_crowd], [False, True])
    np.testing.assert_array_equal(sample[F.groundtruth_difficult], [True])
    np.testing.assert_array_equal(sample[F.groundtruth_weights], [0.5])
    np.testing.assert_allclose(sample[F.groundtruth_keypoints][1], [[0.3, 0.7], [0.4, 0.8]])
    np.testing.assert_array_equal(sample[F.groundtruth_instance_masks], masks)
    np.testing.assert_array_equal(sample[F.groundtruth_instance_mask_weights], [1, 1, 1])
    boxes = decode(record(BOXES, image__object__class__label=None))
    assert boxes[F.groundtruth_boxes].shape == (2, 4)
    assert boxes[F.groundtruth_classes].shape == (0,)


def test_areas_are_those_of_the_record(decode):
    both = {
        "image__object__area": float_list_feature([1, 2]),
        "image__object__segment__area": float_list_feature([3, 4]),
    }
    np.testing.assert_array_equal(decode(record(BOXES, **both))[F.groundtruth_area], [1, 2])
    both["image__object__area"] = None
    np.testing.assert_array_equal(decode(record(BOXES, **both))[F.groundtruth_area], [3, 4])


def test_labels_of_the_whole_picture(decode, tmp_path):
    sample = decode(record())
    assert sample[F.groundtruth_image_classes].shape == (0,)
    features = {
        "image__class__label": int64_list_feature([8, 9]),
        "image__neg_category_ids": int64_list_feature([4]),
        "image__not_exhaustive_category_ids": int64_list_feature([5, 6]),
    }
    sample = decode(record(**features))
    np.testing.assert_array_equal(sample[F.groundtruth_image_classes], [8, 9])
    np.testing.assert_array_equal(sample[F.groundtruth_image_confidences], [1, 1])
    np.testing.assert_array_equal(sample[F.groundtruth_verified_neg_classes], [4])
    np.testing.assert_array_equal(sample[F.groundtruth_not_exhaustive_classes], [5, 6])
    features["image__class__text"] = bytes_list_feature([b"dog", b"cat", b"cow"])
    features["image__class__confidence"] = float_list_feature([0, 0.5, 1])
    sample = decode(record(**features), label_map_proto_file=label_map(tmp_path))
    np.testing.assert_array_equal(sample[F.groundtruth_image_classes], [1, 3, -1])
    np.testing.assert_array_equal(sample[F.groundtruth_image_confidences], [0, 0.5, 1])


# animal (1) > cat (2), dog (4) > puppy (5); 3 stands alone.
HIERARCHY = """
    item { id: 1 name: 'animal' descendant_ids: [2, 4, 5] }
    item { id: 2 name: 'cat' ancestor_ids: 1 }
    item { id: 3 name: 'car' }
    item { id: 4 name: 'dog' ancestor_ids: 1 descendant_ids: 5 }
    item { id: 5 name: 'puppy' ancestor_ids: [1, 4] }
"""


def test_boxes_are_repeated_for_the_ancestors_of_their_class(decode, tmp_path):
    three = [*BOXES, [0.3, 0.3, 0.4, 0.4]]
    sample = decode(
        record(
            three,
            image__object__class__text=bytes_list_feature([b"puppy", b"unknown", b"car"]),
            image__object__group_of=int64_list_feature([0, 1, 0]),
            image__object__weight=float_list_feature([1, 2, 3]),
            image__object__keypoint__y=float_list_feature([0.1, 0.2, 0.3]),
            image__object__keypoint__x=float_list_feature([0.4, 0.5, 0.6]),
            image__object__class__multiclass_scores=float_list_feature([1, 2, 3, 4, 5, 6]),
        ),
        label_map_proto_file=label_map(tmp_path, HIERARCHY),
        expand_hierarchy_labels=True,
        num_keypoints=1,
        load_multiclass_scores=True,
    )
    rows = [0, 0, 0, 1, 2]
    np.testing.assert_array_equal(sample[F.groundtruth_classes], [1, 4, 5, -1, 3])
    np.testing.assert_allclose(sample[F.groundtruth_boxes], np.array(three)[rows])
    np.testing.assert_array_equal(sample[F.groundtruth_group_of], [0, 0, 0, 1, 0])
    np.testing.assert_array_equal(sample[F.groundtruth_weights], [1, 1, 1, 2, 3])
    np.testing.assert_allclose(
        sample[F.groundtruth_keypoints][:, 0, 1], np.array([0.4, 0.5, 0.6])[rows]
    )
    np.testing.assert_array_equal(sample[F.multiclass_scores], [1, 2, 1, 2, 1, 2, 3, 4, 5, 6])


def test_boxes_without_classes_survive_the_hierarchy(decode, tmp_path):
    sample = decode(
        record(BOXES, image__object__class__label=None),
        label_map_proto_file=label_map(tmp_path, HIERARCHY),
        expand_hierarchy_labels=True,
    )
    np.testing.assert_allclose(sample[F.groundtruth_boxes], BOXES)
    assert sample[F.groundtruth_classes].shape == (0,)


def test_image_labels_follow_from_the_hierarchy(decode, tmp_path):
    sample = decode(
        record(
            image__class__label=int64_list_feature([2, 4, 3, 3]),
            image__class__confidence=float_list_feature([1, 0, 0.5, 0]),
        ),
        label_map_proto_file=label_map(tmp_path, HIERARCHY),
        expand_hierarchy_labels=True,
    )
    # A cat is an animal; without a dog there is no puppy.
    np.testing.assert_array_equal(sample[F.groundtruth_image_classes], [3, 1, 2, 3, 4, 5])
    np.testing.assert_array_equal(sample[F.groundtruth_image_confidences], [0.5, 1, 1, 0, 0, 0])
    assert sample[F.groundtruth_boxes].shape == (0, 4)


KEYPOINT_MAP = """
    item { id: 1 name: 'person' keypoints { id: 0 label: 'nose' } keypoints { id: 2 label: 'hip' } }
    item { id: 2 name: 'car' keypoints { id: 1 label: 'wheel' } }
"""


def test_keypoints_are_told_by_their_names(decode, tmp_path):
    names = [b"hip", b"ear", b"nose", b"wheel", b"hip", b"nose"]
    sample = decode(
        record(
            BOXES,
            image__object__keypoint__y=float_list_feature([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
            image__object__keypoint__x=float_list_feature([1.1, 1.2, 1.3, 1.4, 1.5, 1.6]),
            image__object__keypoint__visibility=int64_list_feature([2, 2, 1, 1, 0, 2]),
            image__object__keypoint__z=float_list_feature([1, 2, 3, 4, 5, 6]),
            image__object__keypoint__text=bytes_list_feature(names),
        ),
        label_map_proto_file=label_map(tmp_path, KEYPOINT_MAP),
        num_keypoints=3,
        use_keypoint_label_map=True,
        load_keypoint_depth_features=True,
    )
    nothing = [NAN, NAN]
    np.testing.assert_allclose(
        sample[F.groundtruth_keypoints],
        [[[0.3, 1.3], nothing, [0.1, 1.1]], [[0.6, 1.6], [0.4, 1.4], nothing]],
        rtol=1e-6,
    )
    np.testing.assert_array_equal(
        sample[F.groundtruth_keypoint_visibilities], [[True, False, True], [True, True, False]]
    )
    np.testing.assert_array_equal(sample[F.groundtruth_keypoint_flags], [[1, 0, 2], [2, 1, 0]])
    np.testing.assert_array_equal(sample[F.groundtruth_keypoint_depths], [[3, 0, 1], [6, 4, 5]])
    np.testing.assert_array_equal(sample[F.groundtruth_keypoint_depth_weights], np.zeros([2, 3]))


def test_without_names_no_keypoint_is_known(decode, tmp_path):
    sample = decode(
        record(BOXES),
        label_map_proto_file=label_map(tmp_path, KEYPOINT_MAP),
        num_keypoints=3,
        use_keypoint_label_map=True,
    )
    assert np.isnan(sample[F.groundtruth_keypoints]).all()
    assert sample[F.groundtruth_keypoints].shape == (2, 3, 2)
    assert not sample[F.groundtruth_keypoint_visibilities].any()


def test_names_that_do_not_fit_the_boxes_are_refused(decode, tmp_path):
    points = float_list_feature([0.1, 0.2, 0.3])
    serialized = record(
        BOXES,
        image__object__keypoint__y=points,
        image__object__keypoint__x=points,
        image__object__keypoint__text=bytes_list_feature([b"hip"] * 3),
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"a\.png.*\[3\] \[3\] \[3\] \[2\]"):
        decode(
            serialized,
            label_map_proto_file=label_map(tmp_path, KEYPOINT_MAP),
            num_keypoints=3,
            use_keypoint_label_map=True,
        )


@pytest.mark.parametrize(
    ("text", "words"),
    [(LABEL_MAP, "none has any"), (KEYPOINT_MAP, r"num_keypoints - 1 = 1.*'hip': 2")],
)
def test_label_map_that_does_not_fit_the_keypoints_is_refused(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        TfExampleDecoder(
            label_map_proto_file=label_map(tmp_path, text),
            num_keypoints=2,
            use_keypoint_label_map=True,
        )


def test_dense_pose_is_padded_and_y_x_v_u(decode):
    sample = decode(
        record(
            BOXES,
            image__object__densepose__num=int64_list_feature([1, 2]),
            image__object__densepose__part_index=int64_list_feature([5, 0, 23]),
            image__object__densepose__y=float_list_feature([0.1, 0.2, 0.3]),
            image__object__densepose__x=float_list_feature([0.4, 0.5, 0.6]),
            image__object__densepose__u=float_list_feature([1, 2, 3]),
            image__object__densepose__v=float_list_feature([4, 5, 6]),
        ),
        load_dense_pose=True,
    )
    np.testing.assert_array_equal(sample[F.groundtruth_dp_num_points], [1, 2])
    np.testing.assert_array_equal(sample[F.groundtruth_dp_part_ids], [[5, 0], [0, 23]])
    np.testing.assert_allclose(
        sample[F.groundtruth_dp_surface_coords],
        [[[0.1, 0.4, 4, 1], [0, 0, 0, 0]], [[0.2, 0.5, 5, 2], [0.3, 0.6, 6, 3]]],
        rtol=1e-6,
    )
    assert sample[F.groundtruth_dp_num_points].dtype == np.int32
    assert sample[F.groundtruth_dp_part_ids].dtype == np.int32
    nothing = decode(record(BOXES), load_dense_pose=True)
    np.testing.assert_array_equal(nothing[F.groundtruth_dp_num_points], [0, 0])
    assert nothing[F.groundtruth_dp_surface_coords].shape == (2, 0, 4)


def test_context_features(decode):
    sample = decode(
        record(
            image__context_features=float_list_feature([1, 2, 3, 4, 5, 6]),
            image__context_feature_length=int64_list_feature([3]),
        ),
        load_context_features=True,
    )
    np.testing.assert_array_equal(sample[F.context_features], [[1, 2, 3], [4, 5, 6]])
    assert sample[F.context_feature_length] == 3
    assert decode(record(), load_context_features=True)[F.context_features].shape == (0, 0)


def test_shapes_that_are_known_stay_known(tmp_path):
    decoder = TfExampleDecoder(
        load_instance_masks=True,
        label_map_proto_file=label_map(tmp_path, HIERARCHY),
        num_keypoints=5,
        num_additional_channels=2,
        load_multiclass_scores=True,
        load_context_features=True,
        expand_hierarchy_labels=True,
        load_dense_pose=True,
        load_track_id=True,
        load_keypoint_depth_features=True,
    )
    sample = decoder.decode(tf.placeholder(tf.string, []))
    row = [None]
    assert {name: value.shape.as_list() for name, value in sample.items()} == {
        F.image: [None, None, 3],
        F.image_additional_channels: [None, None, 2],
        F.original_image_spatial_shape: [2],
        F.filename: [],
        F.source_id: [],
        F.key: [],
        F.groundtruth_image_classes: row,
        F.groundtruth_image_confidences: row,
        F.groundtruth_verified_neg_classes: row,
        F.groundtruth_not_exhaustive_classes: row,
        F.groundtruth_boxes: [None, 4],
        F.groundtruth_classes: row,
        F.groundtruth_weights: row,
        F.groundtruth_difficult: row,
        F.groundtruth_group_of: row,
        F.groundtruth_is_crowd: row,
        F.groundtruth_area: row,
        F.groundtruth_track_ids: row,
        F.multiclass_scores: row,
        F.groundtruth_keypoints: [None, 5, 2],
        F.groundtruth_keypoint_visibilities: [None, 5],
        F.groundtruth_keypoint_flags: [None, 5],
        F.groundtruth_keypoint_depths: [None, 5],
        F.groundtruth_keypoint_depth_weights: [None, 5],
        F.groundtruth_instance_masks: [None, None, None],
        F.groundtruth_instance_mask_weights: row,
        F.groundtruth_dp_num_points: row,
        F.groundtruth_dp_part_ids: [None, None],
        F.groundtruth_dp_surface_coords: [None, None, 4],
        F.context_features: [None, None],
        F.context_feature_length: [],
    }


def test_class_handler_of_slim(tmp_path, run):
    handler = tf_example_decoder._ClassTensorHandler("names", label_map(tmp_path), shape=[1, 2])
    names = tf.sparse.from_dense(tf.constant(["dog", "x"]))
    ids = run(handler.tensors_to_item({"names": names}))
    np.testing.assert_array_equal(ids, [[1, -1]])


def test_names_of_facts():
    assert tf_example_decoder._LABEL_OFFSET == 1
    assert tf_example_decoder._KEYPOINT_TEXT_FIELD == "image/object/keypoint/text"
    assert [(one.name, one.value) for one in Visibility] == [
        ("UNLABELED", 0),
        ("NOT_VISIBLE", 1),
        ("VISIBLE", 2),
    ]


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
    features = {
        "image__object__keypoint__x": points,
        "image__object__keypoint__y": points,
        "image__object__keypoint__z": float_list_feature([1, 2, 3, 4]),
        "image__object__keypoint__z__weights": float_list_feature([0.5, 0, 1, 1]),
    }
    options = {"num_keypoints": 2, "load_keypoint_depth_features": True}
    sample = decode(record(BOXES, **features), **options)
    np.testing.assert_array_equal(sample[F.groundtruth_keypoint_depths], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(sample[F.groundtruth_keypoint_depth_weights], [[0.5, 0], [1, 1]])
    features["image__object__keypoint__z"] = features["image__object__keypoint__z__weights"] = None
    sample = decode(record(BOXES, **features), **options)
    np.testing.assert_array_equal(sample[F.groundtruth_keypoint_depths], np.zeros([2, 2]))
    np.testing.assert_array_equal(sample[F.groundtruth_keypoint_depth_weights], np.zeros([2, 2]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"expand_hierarchy_labels": True}, "expand_hierarchy_labels needs label_map_proto_file"),
        ({"use_keypoint_label_map": True}, "use_keypoint_label_map needs num_keypoints"),
        (
            {"use_keypoint_label_map": True, "num_keypoints": 2},
            "use_keypoint_label_map needs label_map_proto_file",
        ),
        ({"load_keypoint_depth_features": True}, "load_keypoint_depth_features needs num_key"),
        ({"load_instance_masks": True, "instance_mask_type": 7}, "instance_mask_type 7"),
    ],
)
def test_options_without_what_they_need_are_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        TfExampleDecoder(**options)
