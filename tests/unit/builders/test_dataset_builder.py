import contextlib
import pathlib
import time

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import (
    dataset_builder,
    decoder_builder,
    input_reader_builder,
    record_reading,
)
from object_detection.core import randomness
from object_detection.core.standard_fields import InputDataFields as F
from object_detection.dataset_tools import seq_example_util
from object_detection.errors import ConfigError, DataError
from object_detection.protos import input_reader_pb2
from object_detection.utils import tfrecord_files
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


@pytest.mark.parametrize("text", ["", "external_input_reader {}"])
def test_decoder_is_for_records(text):
    with pytest.raises(ConfigError, match="tf_record_input_reader"):
        decoder_builder.build(text_format.Parse(text, input_reader_pb2.InputReader()))


def test_pattern_without_a_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none-\*"):
        dataset_builder.build(config(tmp_path / "none-*"))


def test_files_without_a_record_do_not_hang(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(DataError, match="empty"):
        dataset_builder.build(config(tmp_path / "empty", "num_epochs: 0"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("input_type: TF_SEQUENCE_EXAMPLE", "label_map_path"),
        ("input_type: INPUT_DEFAULT", "INPUT_DEFAULT.*TF_SEQUENCE_EXAMPLE"),
        ("expand_labels_hierarchy: true", "label_map_proto_file"),
        ("use_keypoint_label_map: true", "label_map_proto_file"),
        ("sample_from_datasets_weights: [1, 2]", "2 entries.*1 input_path"),
    ],
)
def test_settings_that_lack_another_are_refused(records, text, words):
    with pytest.raises(ConfigError, match=words):
        dataset_builder.build(config(records / "a.record-*", text))


@pytest.mark.parametrize(
    "build", [dataset_builder.build, decoder_builder.build, input_reader_builder.build]
)
def test_only_a_reader_message_is_taken(build):
    with pytest.raises(ConfigError, match="InputReader"):
        build("a.record")


def test_no_file_is_also_a_runtime_error(tmp_path):
    with pytest.raises(RuntimeError, match="none"):
        dataset_builder.read_dataset(
            tf.data.TextLineDataset, [str(tmp_path / "none")], input_reader_pb2.InputReader()
        )


def lines(tmp_path, text, patterns=("t*",), **options):
    """The first twelve lines of three files: 1, 10; 2, 20; 3, 30."""
    for number in (1, 2, 3):
        (tmp_path / f"t{number}").write_text(f"{number}\n{number * 10}")
    reader = text_format.Parse(text, input_reader_pb2.InputReader())
    dataset = dataset_builder.read_dataset(
        tf.data.TextLineDataset, [str(tmp_path / one) for one in patterns], reader, **options
    )
    return [int(line) for line in everything(dataset, 12)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("num_readers: 1", [1, 10, 2, 20, 3, 30] * 2),
        pytest.param("num_readers: 10", [1, 10, 2, 20, 3, 30] * 2, id="more readers than files"),
        ("num_readers: 1 num_epochs: 1", [1, 10, 2, 20, 3, 30]),
        ("num_readers: 3 read_block_length: 1 num_epochs: 1", [1, 2, 3, 10, 20, 30]),
    ],
)
def test_lines_come_in_order(tmp_path, text, expected):
    assert lines(tmp_path, f"shuffle: false {text}") == expected


def test_without_shuffling_as_many_files_are_read_at_a_time_as_the_reader_says(tmp_path):
    for number in range(10):
        (tmp_path / f"s{number}").write_text(f"{number}\n{number + 10}")
    text = "shuffle: false num_epochs: 1 num_readers: 64 read_block_length: 1"
    assert lines(tmp_path, text, ["s*"]) == list(range(12))


def test_lines_of_a_shard_and_shuffled(tmp_path):
    text = "shuffle: false num_readers: 1 num_epochs: 1"
    assert lines(tmp_path, text, filename_shard_fn=lambda names: names.shard(2, 1)) == [2, 20]
    found = lines(tmp_path, "num_epochs: 2", seed=3)
    assert sorted(found) == sorted([1, 10, 2, 20, 3, 30] * 2)
    assert found != [1, 10, 2, 20, 3, 30] * 2


def test_weights_of_sources(tmp_path):
    text = "shuffle: false num_epochs: 1 sample_from_datasets_weights: "
    # What has weight 0 need not even exist; what is used up leaves the others.
    assert lines(tmp_path, f"{text} [0, 1]", ["none", "t2"]) == [2, 20]
    assert sorted(lines(tmp_path, f"{text} [9, 1]", ["t1", "t[23]"])) == [1, 2, 3, 10, 20, 30]
    for weights in ("[1, -1]", "[0, 0]"):
        with pytest.raises(ConfigError, match="0 or more"):
            lines(tmp_path, text + weights, ["t1", "t2"])


def test_weights_say_how_often_each_source_is_read(records):
    reader = config(
        records / "a.record-0", "shuffle: false sample_from_datasets_weights: [0.25, 0.75]"
    )
    reader.tf_record_input_reader.input_path.append(str(records / "a.record-1"))
    found = order(dataset_builder.build(reader, seed=1), limit=200)
    # Standard deviation of the count: sqrt(200 * 0.25 * 0.75) = 6.
    assert 30 < sum(number < 5 for number in found) < 70
    # A weight of 0 shuts a source out.
    reader.sample_from_datasets_weights[:] = [0.0, 1.0]
    assert set(order(dataset_builder.build(reader, seed=1), limit=20)) == {5, 6, 7, 8}


def test_context_divides_the_batch_among_its_replicas(records):
    context = tf.distribute.InputContext(
        num_input_pipelines=2, input_pipeline_id=0, num_replicas_in_sync=4
    )
    dataset = dataset_builder.build(
        config(records / "a.record-*"), batch_size=8, input_context=context
    )
    batches = everything(dataset)
    assert [[int(name) for name in batch[F.source_id]] for batch in batches] == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("key", "value", "rows"),
    [
        ("image/object/class/label", None, "5 0 5 5 5 5 5 5 5 5"),
        ("image/object/weight", float_list_feature([1, 1]), "5 5 2 5 5 5 5 5 5 5"),
        ("image/object/is_crowd", int64_list_feature([1]), "5 5 5 5 5 1 5 5 5 5"),
    ],
)
def test_lists_of_different_lengths_name_the_record(records, tmp_path, key, value, rows):
    raw = next(iter(tf.io.tf_record_iterator(str(records / "a.record-1"))))
    example = tf.train.Example.FromString(raw)
    if value is None:
        del example.features.feature[key]
    else:
        example.features.feature[key].CopyFrom(value)
    path = tmp_path / "bad.record"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(example.SerializeToString())
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=rf"groundtruth_classes, .*\[5\] \[{rows}\]"
    ):
        everything(dataset_builder.build(config(path)))


def test_what_all_boxes_lack_may_be_absent(records):
    reader = config(
        records / "a.record-1", "num_epochs: 1 load_track_id: true load_instance_masks: true"
    )
    sample = everything(dataset_builder.build(reader))[0]
    assert sample[F.groundtruth_boxes].shape[0] >= 5
    assert sample[F.groundtruth_track_ids].shape == (0,)
    assert sample[F.groundtruth_instance_masks].shape == (0, 4, 6)


@pytest.fixture
def clips(tmp_path):
    """A record of one clip of three frames, and its label map."""
    clip = seq_example_util.make_sequence_example(
        dataset_name="animals",
        video_id="a",
        encoded_images=[b"A", b"B", b"C"],
        image_height=4,
        image_width=6,
        image_source_ids=["0", "1", "2"],
        bboxes=[[[0, 0, 1, 1], [0, 0, 0.5, 0.5]], [], [[0, 0, 1, 1]]],
        label_strings=[["cat", "dog"], [], ["cow"]],
        context_features=[1, 2, 3, 4],
        context_feature_length=2,
        context_features_image_id_list=["x", "y"],
    )
    (tmp_path / "map.pbtxt").write_text("item { id: 1 name: 'dog' } item { id: 2 name: 'cat' }")
    with tf.io.TFRecordWriter(str(tmp_path / "clips.record")) as writer:
        writer.write(clip.SerializeToString())
    reader = config(
        tmp_path / "clips.record",
        "shuffle: false num_epochs: 1 input_type: TF_SEQUENCE_EXAMPLE load_context_features: true "
        "load_context_image_ids: true",
    )
    reader.label_map_path = str(tmp_path / "map.pbtxt")
    return reader


def test_clips(clips):
    (clip,) = everything(dataset_builder.build(clips))
    assert clip[F.image].tolist() == [b"A", b"B", b"C"]
    np.testing.assert_array_equal(clip[F.groundtruth_classes], [[2, 1], [-1, -1], [-1, -1]])
    np.testing.assert_array_equal(clip[F.context_features], [[1, 2], [3, 4]])
    assert clip[F.context_features_image_id_list].tolist() == [b"x", b"y"]


def test_clips_become_frames_before_they_are_transformed(clips):
    seen = []

    def frames(dataset, map_fn, batch_size, reader):
        seen.append((batch_size, reader))
        names = (F.image, F.groundtruth_classes)
        dataset = map_fn(dataset, lambda clip: {name: clip[name] for name in names}, 2, reader)
        return dataset.unbatch()

    def transform(frame):
        return {**frame, "length": tf.strings.length(frame[F.image])}

    clips.drop_remainder = False
    batches = everything(dataset_builder.build(clips, 2, transform, reduce_to_frame_fn=frames))
    assert seen == [(2, clips)]
    assert [batch[F.image].tolist() for batch in batches] == [[b"A", b"B"], [b"C"]]
    assert [batch["length"].tolist() for batch in batches] == [[1, 1], [1]]
    np.testing.assert_array_equal(batches[0][F.groundtruth_classes], [[2, 1], [-1, -1]])


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
    context = tf.distribute.InputContext(num_input_pipelines=2, input_pipeline_id=1)
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
        "num_keypoints: 2 load_track_id: true tf_record_input_reader {}",
        input_reader_pb2.InputReader(),
    )
    sample = decoder_builder.build(reader).decode(tf.placeholder(tf.string, []))
    assert sample[F.groundtruth_keypoints].shape.as_list() == [None, 2, 2]
    assert F.groundtruth_track_ids in sample


SHUFFLED = "shuffle_buffer_size: 3 num_readers: 2 read_block_length: 1"
STARTS = (1, 9, 31)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SHUFFLED, id="shuffled"),
        pytest.param("shuffle: false num_readers: 1", id="file after file"),
        pytest.param("shuffle: false num_readers: 2 read_block_length: 2", id="side by side"),
        pytest.param(f"{SHUFFLED} sample_1_of_n_examples: 2", id="each second record"),
        pytest.param(f"{SHUFFLED} num_epochs: 4", id="four epochs"),
        pytest.param(f"{SHUFFLED} sample_from_datasets_weights: [0.2, 0.0, 0.8]", id="weights"),
        pytest.param(
            f"{SHUFFLED} num_epochs: 2 sample_from_datasets_weights: [0.2, 0.0, 0.8]",
            id="weights until all ends",
        ),
    ],
)
def test_a_dataset_that_starts_later_gives_the_rest(records, text):
    def build(start):
        tf.set_random_seed(start + 1)  # the graph's seed plays no part in the samples
        reader = config(records / ("a.record-0" if "weights" in text else "a.record-*"), text)
        if "weights" in text:
            reader.tf_record_input_reader.input_path.extend(
                ["no such file", str(records / "a.record-1")]
            )
        return dataset_builder.build(
            reader,
            transform_input_data_fn=lambda sample: {
                F.source_id: sample[F.source_id],
                "draw": randomness.uniform([]),
            },
            seed=5,
            start=start,
        )

    def found(start):
        with tf.Graph().as_default():
            samples = everything(build(start), limit=40 - start)
        return [(int(sample[F.source_id]), float(sample["draw"])) for sample in samples]

    whole = found(0)
    assert len(whole) == (36 if "num_epochs: 4" in text else 18 if "num_epochs: 2" in text else 40)
    # Draws that were not of their own sample would repeat, or be in disorder.
    assert len({draw for _, draw in whole}) == len(whole)
    for start in STARTS:
        assert found(start) == whole[start:], start


def test_each_epoch_of_a_seed_has_every_record_once_in_an_order_of_its_own(records):
    reader = config(records / "a.record-*", SHUFFLED)
    found = order(dataset_builder.build(reader, seed=0), limit=27)
    epochs = [tuple(found[first : first + 9]) for first in (0, 9, 18)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(9))] * 3
    assert len(set(epochs)) == 3


def test_epochs_that_are_passed_by_are_not_read(records):
    """The start lies in epoch 10^9: whoever read up to there would be late."""
    reader = config(records / "a.record-*", SHUFFLED)
    near = order(dataset_builder.build(reader, seed=1, start=4), limit=5)
    far = order(dataset_builder.build(reader, seed=1, start=9 * 10**9 + 4), limit=14)
    assert len(near) == 5
    assert sorted(far[5:]) == list(range(9))
    assert len(set(far[:5])) == 5


@pytest.mark.parametrize("in_order", [True, False])
def test_a_slow_sample_is_waited_for_or_passed_by(records, in_order):
    def slow_first(name):
        if name == b"0":
            time.sleep(0.5)
        return name

    dataset = dataset_builder.build(
        config(records / "a.record-0"),
        transform_input_data_fn=lambda sample: {
            F.source_id: tf.numpy_function(slow_first, [sample[F.source_id]], tf.string),
        },
        in_order=in_order,
    )
    found = order(dataset)
    assert sorted(found) == [0, 1, 2, 3, 4]
    if in_order:
        assert found == [0, 1, 2, 3, 4]


def test_far_into_a_choice_of_sources():
    weights, seed = [1.0, 3.0], 2
    start = 2 * record_reading._BLOCK_OF_CHOICES + 5
    taken = record_reading._taken_before(weights, seed, start)
    assert sum(taken) == start
    # Standard deviation: sqrt(32773 * 0.25 * 0.75) = 78.
    assert abs(taken[0] - start / 4) < 400


def test_number_of_records_in_files(records, tmp_path):
    names = [str(records / f"a.record-{number}") for number in (0, 1)]
    assert tfrecord_files.count_records(names) == 9
    cut = tmp_path / "cut"
    cut.write_bytes(pathlib.Path(names[0]).read_bytes()[:-3])
    (tmp_path / "empty").touch()
    assert tfrecord_files.count_records([str(cut), str(tmp_path / "empty")]) == 4


@pytest.mark.parametrize(
    ("settings", "patterns", "expected"),
    [
        pytest.param("shuffle: false", ["a", "b"], 0, id="no shuffling"),
        pytest.param("shuffle_buffer_size: 1", ["a", "b"], 0, id="nothing waits"),
        pytest.param("shuffle_buffer_size: 3", ["a", "b"], 3 * (4 * 100 + 2 * 700) / 6, id="some"),
        # A record takes 16 bytes beside its content.
        pytest.param("shuffle_buffer_size: 9", ["a", "b"], 4 * 116 + 2 * 716, id="more than all"),
        pytest.param(
            "shuffle_buffer_size: 1 sample_from_datasets_weights: [1, 2]", ["a", "b"], 0,
            id="nothing waits of either source",
        ),
        pytest.param(
            "shuffle_buffer_size: 2 sample_from_datasets_weights: [1, 2]", ["a", "b"],
            2 * 100 + 2 * 700, id="a buffer for each source",
        ),
        pytest.param(
            "shuffle_buffer_size: 2 sample_from_datasets_weights: [1, 0]", ["a", "b"], 2 * 100,
            id="one source is not read",
        ),
    ],
)  # fmt: skip
def test_bytes_that_wait_to_be_shuffled(settings, patterns, expected, tmp_path):
    for name, lengths in (("a", [100] * 4), ("b", [700] * 2)):
        with tf.python_io.TFRecordWriter(str(tmp_path / name)) as writer:
            for length in lengths:
                writer.write(b"x" * length)
    config = text_format.Parse(settings, input_reader_pb2.InputReader())
    config.tf_record_input_reader.input_path.extend(str(tmp_path / name) for name in patterns)
    assert dataset_builder.shuffle_bytes(config) == pytest.approx(expected)


def test_mean_length_looks_at_the_first_records_only(tmp_path):
    path = str(tmp_path / "some")
    with tf.python_io.TFRecordWriter(path) as writer:
        for length in (10, 30, 500):
            writer.write(b"x" * length)
    assert tfrecord_files.mean_length([path], at_most=2) == 20.0
    assert tfrecord_files.mean_length([]) == 0.0
