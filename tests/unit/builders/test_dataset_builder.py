import contextlib
import types

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import dataset_builder, decoder_builder, input_reader_builder
from object_detection.core.standard_fields import InputDataFields as F
from object_detection.errors import ConfigError, DataError
from object_detection.protos import input_reader_pb2
from object_detection.utils.dataset_util import (
    bytes_feature,
    float_list_feature,
    int64_list_feature,
)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Two files of 5 and 4 records; record n has n boxes of two keypoints, one of them NaN."""
    folder = tmp_path_factory.mktemp("records")
    with tf.Graph().as_default(), tf.Session() as session:
        png = session.run(tf.io.encode_png(tf.zeros([4, 6, 3], tf.uint8)))
    numbers = iter(range(9))
    for shard, size in enumerate((5, 4)):
        with tf.io.TFRecordWriter(str(folder / f"a.record-{shard}")) as writer:
            for number in (next(numbers) for _ in range(size)):
                feature = {
                    "image/encoded": bytes_feature(png),
                    "image/source_id": bytes_feature(str(number).encode()),
                    "image/object/class/label": int64_list_feature([1] * number),
                    "image/object/keypoint/y": float_list_feature([0.5, float("nan")] * number),
                    "image/object/keypoint/x": float_list_feature([0.5, float("nan")] * number),
                }
                for side, value in (("ymin", 0), ("xmin", 0), ("ymax", 1), ("xmax", 1)):
                    feature[f"image/object/bbox/{side}"] = float_list_feature([value] * number)
                example = tf.train.Example(features=tf.train.Features(feature=feature))
                writer.write(example.SerializeToString())
    return folder


def config(path, text="shuffle: false num_epochs: 1"):
    reader = text_format.Parse(text, input_reader_pb2.InputReader(num_keypoints=2))
    reader.tf_record_input_reader.input_path.append(str(path))
    return reader


def everything(dataset, limit=1000):
    following = dataset_builder.make_initializable_iterator(dataset).get_next()
    found = []
    with tf.Session() as session:
        session.run(tf.tables_initializer())
        with contextlib.suppress(tf.errors.OutOfRangeError):
            while len(found) < limit:
                found.append(session.run(following))
    return found


def order(dataset, limit=1000):
    return [int(sample[F.source_id]) for sample in everything(dataset, limit)]


@pytest.mark.parametrize("text", ["", "tf_record_input_reader {}", "external_input_reader {}"])
def test_reader_without_a_path_is_refused(text):
    reader = text_format.Parse(text, input_reader_pb2.InputReader())
    with pytest.raises(ConfigError, match="input_reader"):
        dataset_builder.build(reader)


def test_pattern_without_a_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none-\*"):
        dataset_builder.build(config(tmp_path / "none-*"))


def test_files_without_a_record_do_not_hang(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(DataError, match="empty"):
        dataset_builder.build(config(tmp_path / "empty", "num_epochs: 0"))


@pytest.mark.parametrize(
    "text",
    [
        "input_type: TF_SEQUENCE_EXAMPLE",
        "load_context_features: true",
        "load_dense_pose: true",
        "expand_labels_hierarchy: true",
        "use_keypoint_label_map: true",
        "sample_from_datasets_weights: 1",
    ],
)
def test_what_is_not_available_is_refused(records, text):
    with pytest.raises(ConfigError, match="not available"):
        dataset_builder.build(config(records / "a.record-*", text))


@pytest.mark.parametrize("shuffle", ["false", "true"])
@pytest.mark.parametrize("epochs", [1, 3])
def test_every_record_comes_once_an_epoch(records, shuffle, epochs):
    dataset = dataset_builder.build(
        config(records / "a.record-*", f"shuffle: {shuffle} num_epochs: {epochs}")
    )
    assert sorted(order(dataset)) == sorted(list(range(9)) * epochs)


def test_no_number_of_epochs_is_without_end(records):
    dataset = dataset_builder.build(config(records / "a.record-*", "shuffle: true"))
    assert set(order(dataset, limit=40)) <= set(range(9))
    assert len(order(dataset, limit=40)) == 40


def test_order_without_shuffling_and_with_a_seed(records):
    plain = config(records / "a.record-0")
    assert order(dataset_builder.build(plain)) == [0, 1, 2, 3, 4]
    shuffled = config(records / "a.record-*", "num_epochs: 1")
    orders = [order(dataset_builder.build(shuffled, seed=seed)) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_one_of_n_and_part_of_a_context(records):
    reader = config(
        records / "a.record-0", "shuffle: false num_epochs: 1 sample_1_of_n_examples: 2"
    )
    assert order(dataset_builder.build(reader)) == [0, 2, 4]
    context = types.SimpleNamespace(num_input_pipelines=2, input_pipeline_id=1)
    reader = config(records / "a.record-*")
    assert order(dataset_builder.build(reader, input_context=context)) == [5, 6, 7, 8]
    assert dataset_builder.shard_function_for_context(None) is None


def test_batches_are_padded_to_their_largest(records):
    reader = config(records / "a.record-0", "shuffle: false num_epochs: 1 drop_remainder: false")
    batches = everything(dataset_builder.build(reader, batch_size=2))
    assert [batch[F.groundtruth_boxes].shape for batch in batches] == [
        (2, 1, 4),
        (2, 3, 4),
        (1, 4, 4),
    ]
    assert batches[1][F.image].shape == (2, 4, 6, 3)
    np.testing.assert_array_equal(batches[1][F.groundtruth_weights], [[1, 1, 0], [1, 1, 1]])
    assert not batches[1][F.groundtruth_keypoint_visibilities][0, 2].any()
    assert np.isnan(batches[1][F.groundtruth_keypoints][1, :, 1]).all()
    full = everything(dataset_builder.build(config(records / "a.record-0"), batch_size=2))
    assert len(full) == 2


def test_transformation_runs_on_samples_and_known_shapes_stay_known(records):
    def transform(sample):
        return {F.image: tf.ensure_shape(sample[F.image], [4, 6, 3])}

    dataset = dataset_builder.build(config(records / "a.record-0"), 2, transform)
    shapes = tf.data.get_output_shapes(dataset)
    assert {name: shape.as_list() for name, shape in shapes.items()} == {F.image: [2, 4, 6, 3]}


def test_input_reader_gives_samples(records, run):
    sample = input_reader_builder.build(config(records / "a.record-1"))
    assert run(sample[F.groundtruth_keypoints]).shape == (5, 2, 2)


def test_decoder_takes_the_settings_of_the_reader():
    reader = text_format.Parse(
        "num_keypoints: 2 load_track_id: true", input_reader_pb2.InputReader()
    )
    sample = decoder_builder.build(reader).decode(tf.placeholder(tf.string, []))
    assert sample[F.groundtruth_keypoints].shape.as_list() == [None, 2, 2]
    assert F.groundtruth_track_ids in sample
