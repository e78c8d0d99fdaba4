import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import decoder_builder
from object_detection.core.standard_fields import InputDataFields as F
from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder
from object_detection.data_decoders.tf_sequence_example_decoder import TfSequenceExampleDecoder
from object_detection.dataset_tools import seq_example_util
from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2
from object_detection.utils.dataset_util import bytes_feature, bytes_list_feature

LABEL_MAP = """
    item { id: 1 name: 'person' display_name: 'human' keypoints { id: 0 label: 'nose' } }
    item { id: 2 name: 'woman' ancestor_ids: 1 }
"""


@pytest.fixture
def build(tmp_path):
    (tmp_path / "map.pbtxt").write_text(LABEL_MAP)

    def from_text(text, label_map=True):
        reader = text_format.Parse(
            f"{text} tf_record_input_reader {{}}", input_reader_pb2.InputReader()
        )
        if label_map:
            reader.label_map_path = str(tmp_path / "map.pbtxt")
        return decoder_builder.build(reader)

    return from_text


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", []),
        ("load_instance_masks: true", [F.groundtruth_instance_masks]),
        ("load_instance_masks: true mask_type: PNG_MASKS", [F.groundtruth_instance_masks]),
        ("num_keypoints: 1", [F.groundtruth_keypoints, F.groundtruth_keypoint_visibilities]),
        ("num_keypoints: 1 use_keypoint_label_map: true", [F.groundtruth_keypoints]),
        (
            "num_keypoints: 1 load_keypoint_depth_features: true",
            [F.groundtruth_keypoint_depths, F.groundtruth_keypoint_depth_weights],
        ),
        ("num_additional_channels: 2", [F.image_additional_channels]),
        ("load_multiclass_scores: true", [F.multiclass_scores]),
        ("load_context_features: true", [F.context_features, F.context_feature_length]),
        (
            "load_dense_pose: true",
            [
                F.groundtruth_dp_num_points,
                F.groundtruth_dp_part_ids,
                F.groundtruth_dp_surface_coords,
            ],
        ),
        ("load_track_id: true", [F.groundtruth_track_ids]),
    ],
)
def test_options_add_their_fields(build, text, fields):
    decoder = build(text)
    assert isinstance(decoder, TfExampleDecoder)
    source = tf.placeholder(tf.string, [])
    plain = build("", label_map=False).decode(source)
    found = decoder.decode(source)
    assert set(plain) <= set(found)
    assert set(fields) <= set(found)
    assert not set(fields) & set(plain)


def test_names_and_hierarchy_of_the_label_map(build, run):
    png = run(tf.io.encode_png(tf.zeros([2, 2, 3], tf.uint8)))
    feature = {
        "image/encoded": bytes_feature(png),
        "image/object/class/text": bytes_list_feature([b"woman", b"human"]),
    }
    record = tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
    source = tf.placeholder(tf.string, [])
    for text, expected in (("", [2, 1]), ("expand_labels_hierarchy: true", [1, 2, 1])):
        sample = build(text).decode(source)
        found = run(sample[F.groundtruth_classes], {source: record})
        np.testing.assert_array_equal(found, expected)


def test_clips(build, run):
    clip = seq_example_util.make_sequence_example(
        dataset_name="d",
        video_id="v",
        encoded_images=[b"a", b"b"],
        image_height=2,
        image_width=2,
        image_source_ids=["0", "1"],
        bboxes=[[[0, 0, 1, 1]], []],
        label_strings=[["human"], []],
        context_features=[1, 2],
        context_feature_length=1,
        context_features_image_id_list=["x", "y"],
    ).SerializeToString()
    source = tf.placeholder(tf.string, [])
    plain = build("input_type: TF_SEQUENCE_EXAMPLE")
    assert isinstance(plain, TfSequenceExampleDecoder)
    assert F.context_features not in plain.decode(source)
    decoder = build(
        "input_type: TF_SEQUENCE_EXAMPLE load_context_features: true load_context_image_ids: true"
    )
    sample = run(decoder.decode(source), {source: clip})
    np.testing.assert_array_equal(sample[F.groundtruth_classes], [[1], [-1]])
    np.testing.assert_array_equal(sample[F.context_features], [[1], [2]])
    assert sample[F.context_features_image_id_list].tolist() == [b"x", b"y"]


def test_clips_need_a_label_map(build):
    with pytest.raises(ConfigError, match="label_map_path"):
        build("input_type: TF_SEQUENCE_EXAMPLE", label_map=False)


@pytest.mark.parametrize(
    "reader",
    [
        None,
        "tf_record_input_reader {}",
        input_reader_pb2.TFRecordInputReader(),
        input_reader_pb2.InputReader(),
        text_format.Parse("external_input_reader {}", input_reader_pb2.InputReader()),
    ],
)
def test_what_is_not_a_reader_of_records_is_refused(reader):
    with pytest.raises(ValueError, match=r"InputReader|tf_record_input_reader"):
        decoder_builder.build(reader)
