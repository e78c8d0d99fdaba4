import types

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.errors import CheckpointError, ConfigError, DataError
from object_detection.inference import detection_inference, infer_detections
from object_detection.utils.dataset_util import bytes_feature

PICTURES = [np.full([4, 6, 3], 10 * number, np.uint8) for number in range(3)]
# Of three rows, as many count as the picture's first pixel says, divided by 10.
BOXES = np.arange(12, dtype=np.float32).reshape([1, 3, 4])
SCORES, CLASSES = [[0.75, 0.5, 0.25]], [[3.0, 1.0, 2.0]]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A record of three pictures and the frozen graph of a detector that needs no training."""
    folder = tmp_path_factory.mktemp("inference")
    with tf.Graph().as_default(), tf.Session() as session:
        encoded = [session.run(tf.io.encode_png(picture)) for picture in PICTURES]
    with tf.io.TFRecordWriter(str(folder / "a.record")) as writer:
        for number, png in enumerate(encoded):
            feature = {
                "image/encoded": bytes_feature(png),
                "image/source_id": bytes_feature(str(number).encode()),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    with tf.Graph().as_default() as graph:
        image = tf.placeholder(tf.uint8, [None, None, None, 3], name="image_tensor")
        tf.constant(BOXES, name="detection_boxes")
        tf.constant(SCORES, name="detection_scores")
        tf.constant(CLASSES, name="detection_classes")
        tf.cast(image[:, 0, 0, 0] // 10, tf.float32, name="num_detections")
    (folder / "frozen_inference_graph.pb").write_bytes(graph.as_graph_def().SerializeToString())
    return folder


def values(example, key):
    feature = example.features.feature[key]
    return list(getattr(feature, feature.WhichOneof("kind")).value)


def test_input_gives_one_record_after_the_other(files):
    path = str(files / "a.record")
    serialized, image = detection_inference.build_input([path, path])
    assert image.shape.as_list() == [1, None, None, 3]
    assert (serialized.shape.as_list(), image.dtype) == ([], tf.uint8)
    with tf.Session() as session:
        for number in (0, 1, 2, 0, 1, 2):
            record, pixels = session.run([serialized, image])
            np.testing.assert_array_equal(pixels, [PICTURES[number]])
            example = tf.train.Example.FromString(record)
            assert values(example, "image/source_id") == [str(number).encode()]
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(image)


@pytest.mark.parametrize("name", ["", "frozen_inference_graph.pb"])
@pytest.mark.parametrize("discard", [False, True])
def test_detections_are_added(files, name, discard):
    serialized, image = detection_inference.build_input([str(files / "a.record")])
    boxes, scores, labels = detection_inference.build_inference_graph(image, str(files / name))
    assert labels.dtype == tf.int64
    with tf.Session():
        for count in (0, 1, 2):
            example = detection_inference.infer_detections_and_add_to_example(
                serialized, boxes, scores, labels, discard
            )
            for column, side in enumerate(("ymin", "xmin", "ymax", "xmax")):
                found = values(example, f"image/detection/bbox/{side}")
                assert found == BOXES[0, :count, column].tolist()
            assert values(example, "image/detection/score") == SCORES[0][:count]
            assert values(example, "image/detection/label") == CLASSES[0][:count]
            assert ("image/encoded" in example.features.feature) != discard
            assert values(example, "image/source_id") == [str(count).encode()]


def test_what_is_no_graph_is_named(files, tmp_path):
    image = tf.placeholder(tf.uint8, [1, None, None, 3])
    with pytest.raises(CheckpointError, match="none"):
        detection_inference.build_inference_graph(image, str(tmp_path / "none"))
    (tmp_path / "empty.pb").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"empty\.pb: has no detection_boxes"):
        detection_inference.build_inference_graph(image, str(tmp_path / "empty.pb"))
    graph_def = tf.GraphDef()
    for name in ("image_tensor", "detection_boxes", "detection_scores", "num_detections"):
        graph_def.node.add(name=name, op="Placeholder")
    graph_def.node.add(name="detection_classes", op="Identity", input=["nothing"])
    (tmp_path / "cut.pb").write_bytes(graph_def.SerializeToString())
    with pytest.raises(CheckpointError, match=r"cut\.pb: is no valid graph"):
        detection_inference.build_inference_graph(image, str(tmp_path / "cut.pb"))


@pytest.fixture
def flags(files, tmp_path, monkeypatch):
    given = types.SimpleNamespace(
        input_tfrecord_paths=f"{files}/a.record,,{files}/*.record",
        output_tfrecord_path=str(tmp_path / "new" / "found.record"),
        inference_graph=str(files / "frozen_inference_graph.pb"),
        discard_image_pixels=True,
    )
    monkeypatch.setattr(infer_detections, "FLAGS", given)
    return given


def test_program(flags):
    assert "6 records" in infer_detections.main(None)
    records = list(tf.io.tf_record_iterator(flags.output_tfrecord_path))
    counts = [
        len(values(tf.train.Example.FromString(record), "image/detection/score"))
        for record in records
    ]
    assert counts == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("input_tfrecord_paths", None, ConfigError),
        ("input_tfrecord_paths", ",", ConfigError),
        ("input_tfrecord_paths", "none.record", ConfigError),
        ("inference_graph", "none.pb", ConfigError),
        ("output_tfrecord_path", "", ConfigError),
    ],
)
def test_program_names_what_is_wrong(flags, name, value, error):
    setattr(flags, name, value)
    with pytest.raises(error, match=value if value and "none" in value else name):
        infer_detections.main(None)


def test_a_damaged_record_is_named_and_nothing_is_written(flags, files, tmp_path):
    cut = tmp_path / "cut.record"
    cut.write_bytes((files / "a.record").read_bytes()[:-3])
    flags.input_tfrecord_paths = str(cut)
    with pytest.raises(DataError, match=f"After 2 records: {cut}: record 3 is damaged"):
        infer_detections.main(None)
    assert not list((tmp_path / "new").iterdir())


def test_a_folder_is_no_record_to_write(flags, tmp_path):
    flags.output_tfrecord_path = str(tmp_path)
    with pytest.raises(ConfigError, match="is a folder"):
        infer_detections.main(None)
