import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import input_reader_builder
from object_detection.core.standard_fields import InputDataFields as F
from object_detection.protos import input_reader_pb2
from object_detection.utils.dataset_util import (
    bytes_feature,
    bytes_list_feature,
    float_list_feature,
    int64_list_feature,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A record of two pictures, of 0 and 1 boxes; a label map that knows the class of neither."""
    folder = tmp_path_factory.mktemp("records")
    with tf.Graph().as_default(), tf.Session() as session:
        png = session.run(tf.io.encode_png(tf.zeros([4, 5, 3], tf.uint8)))
    with tf.io.TFRecordWriter(str(folder / "a.record")) as writer:
        for number in range(2):
            feature = {
                "image/encoded": bytes_feature(png),
                "image/source_id": bytes_feature(str(number).encode()),
                "image/object/class/text": bytes_list_feature([b"dog"] * number),
                "image/object/class/label": int64_list_feature([2] * number),
                "image/object/mask": float_list_feature([1.0] * 20 * number),
            }
            for side, value in (("ymin", 0), ("xmin", 0.25), ("ymax", 1), ("xmax", 0.5)):
                feature[f"image/object/bbox/{side}"] = float_list_feature([value] * number)
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    (folder / "map.pbtxt").write_text("item { id: 7 name: 'dog' }")
    return folder


def reader(folder, text=""):
    config = text_format.Parse(
        f"shuffle: false num_readers: 1 num_epochs: 1 {text}", input_reader_pb2.InputReader()
    )
    config.tf_record_input_reader.input_path.append(str(folder / "a.record"))
    return config


@pytest.mark.parametrize("with_masks", [False, True])
def test_each_run_gives_the_next_record(folder, with_masks):
    sample = input_reader_builder.build(
        reader(folder, f"load_instance_masks: {str(with_masks).lower()}")
    )
    # Initialises tables, and with them the iterator; the graph is finalised.
    with tf.train.MonitoredSession() as session:
        first, second = session.run(sample), session.run(sample)
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(sample)
    assert (first[F.source_id], second[F.source_id]) == (b"0", b"1")
    assert first[F.groundtruth_boxes].shape == (0, 4)
    assert second[F.image].shape == (4, 5, 3)
    np.testing.assert_allclose(second[F.groundtruth_boxes], [[0, 0.25, 1, 0.5]])
    np.testing.assert_array_equal(second[F.groundtruth_classes], [2])
    assert (F.groundtruth_instance_masks in sample) == with_masks
    if with_masks:
        np.testing.assert_array_equal(second[F.groundtruth_instance_masks], np.ones([1, 4, 5]))


def test_label_map_is_used(folder, run):
    config = reader(folder, "sample_1_of_n_examples: 1")
    config.label_map_path = str(folder / "map.pbtxt")
    sample = input_reader_builder.build(config)
    with tf.train.MonitoredSession() as session:
        session.run(sample[F.source_id])
        np.testing.assert_array_equal(session.run(sample[F.groundtruth_classes]), [7])


@pytest.mark.parametrize("config", [None, input_reader_pb2.InputReader(), "empty"])
def test_what_names_no_record_is_refused(config):
    if config == "empty":
        config = text_format.Parse("tf_record_input_reader {}", input_reader_pb2.InputReader())
    with pytest.raises(ValueError, match="input_reader"):
        input_reader_builder.build(config)
