import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.standard_fields import InputDataFields as F
from object_detection.data_decoders import tf_sequence_example_decoder
from object_detection.dataset_tools import seq_example_util

CLIP = {
    "dataset_name": "animals",
    "video_id": "a",
    "encoded_images": [b"A", b"B", b"C"],
    "image_height": 20,
    "image_width": 30,
    "image_source_ids": ["0", "1", "2"],
}
WHOLE, PART = [0, 0, 1, 1], [0.25, 0.25, 1, 0.5]


@pytest.fixture
def label_map(tmp_path):
    path = tmp_path / "map.pbtxt"
    path.write_text("item { id: 1 name: 'bear' }\nitem { id: 2 name: 'd' display_name: 'dog' }\n")
    return str(path)


@pytest.fixture(params=["graph", "tf.data"])
def decode(request, run, label_map):
    def evaluate(clip, **settings):
        decoder = tf_sequence_example_decoder.TfSequenceExampleDecoder(label_map, **settings)
        serialized = clip.SerializeToString()
        if request.param == "graph":
            source = tf.placeholder(tf.string, [])
            return run(decoder.decode(source), {source: serialized})
        dataset = tf.data.Dataset.from_tensors(serialized).map(decoder.decode)
        iterator = tf.data.make_initializable_iterator(dataset)
        tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
        return run(iterator.get_next())

    return evaluate


def test_frames_are_padded_to_the_fullest(decode):
    clip = seq_example_util.make_sequence_example(
        **CLIP,
        image_format="JPEG",
        is_annotated=[1, 1, 0],
        bboxes=[[WHOLE, PART], [WHOLE], []],
        label_strings=[["fox", "bear"], ["dog"], []],
    )
    sample = decode(clip)
    nothing = [0, 0, 0, 0]
    np.testing.assert_array_equal(
        sample[F.groundtruth_boxes], [[WHOLE, PART], [WHOLE, nothing], [nothing, nothing]]
    )
    np.testing.assert_array_equal(sample[F.groundtruth_classes], [[-1, 1], [2, -1], [-1, -1]])
    np.testing.assert_array_equal(sample[F.groundtruth_weights], [[1, 1], [1, 0], [0, 0]])
    np.testing.assert_array_equal(sample[F.num_groundtruth_boxes], [2, 1, 0])
    assert sample[F.is_annotated].tolist() == [True, True, False]
    assert sample[F.image].tolist() == [b"A", b"B", b"C"]
    assert sample[F.source_id].tolist() == [b"0", b"1", b"2"]
    assert (sample[F.image_height], sample[F.image_width]) == (20, 30)
    assert sample[F.image_format] == b"JPEG"
    assert F.context_features not in sample


@pytest.mark.parametrize("boxes", [None, [[], [], []], [[[]], [[]], [[]]]])
def test_clip_without_boxes(decode, boxes):
    clip = seq_example_util.make_sequence_example(**CLIP, bboxes=boxes)
    sample = decode(clip, fully_annotated=True)
    assert sample[F.groundtruth_boxes].shape == (3, 0, 4)
    assert sample[F.groundtruth_classes].shape == (3, 0)
    assert sample[F.groundtruth_weights].shape == (3, 0)
    assert sample[F.num_groundtruth_boxes].tolist() == [0, 0, 0]
    assert sample[F.is_annotated].tolist() == [True, True, True]


def test_boxes_without_names_and_with_confidences(decode):
    clip = seq_example_util.make_sequence_example(**CLIP, bboxes=[[WHOLE], [WHOLE, PART], []])
    clip.feature_lists.feature_list["region/label/confidence"].CopyFrom(
        seq_example_util.sequence_float_feature([[0.5], [0.25, 1], []])
    )
    sample = decode(clip)
    np.testing.assert_array_equal(sample[F.groundtruth_classes], [[-1, -1]] * 3)
    np.testing.assert_array_equal(sample[F.groundtruth_weights], [[0.5, 0], [0.25, 1], [0, 0]])


def test_context(decode):
    clip = seq_example_util.make_sequence_example(
        **CLIP,
        bboxes=[[WHOLE], [], []],
        context_features=np.arange(6),
        context_feature_length=[3],
        context_features_image_id_list=["x", "y"],
    )
    sample = decode(clip, load_context_features=True, load_context_image_ids=True)
    np.testing.assert_array_equal(sample[F.context_features], [[0, 1, 2], [3, 4, 5]])
    assert sample[F.context_feature_length] == 3
    assert sample[F.context_features_image_id_list].tolist() == [b"x", b"y"]


def test_clips_have_to_say_which_frames_are_annotated(decode):
    clip = seq_example_util.make_sequence_example(**CLIP)
    with pytest.raises(tf.errors.InvalidArgumentError, match="region/is_annotated"):
        decode(clip)


def test_known_shapes(label_map):
    decoder = tf_sequence_example_decoder.TfSequenceExampleDecoder(
        label_map, load_context_features=True, load_context_image_ids=True
    )
    sample = decoder.decode(tf.placeholder(tf.string, []))
    assert {name: value.shape.as_list() for name, value in sample.items()} == {
        F.image: [None],
        F.source_id: [None],
        F.groundtruth_boxes: [None, None, 4],
        F.groundtruth_classes: [None, None],
        F.groundtruth_weights: [None, None],
        F.num_groundtruth_boxes: [None],
        F.is_annotated: [None],
        F.image_format: [],
        F.filename: [],
        F.image_height: [],
        F.image_width: [],
        F.context_features: [None, None],
        F.context_feature_length: [],
        F.context_features_image_id_list: [None],
    }
