"""Frames of the evaluation: groundtruth and detections meet in the picture's own pixels."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import CheckpointError, ConfigError, DataError
from object_detection.legacy import evaluation_graph, evaluator
from object_detection.protos import eval_pb2, input_reader_pb2

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields


def test_padding_is_taken_out_of_both_frames():
    # A picture of 200 x 400, resized to 50 x 100, padded to 100 x 100; and a square one.
    groundtruth = {
        Inputs.num_groundtruth_boxes: np.array([1, 0]),
        Inputs.original_image_spatial_shape: np.array([[200, 400], [30, 30]]),
        Inputs.true_image_shape: np.array([[50, 100, 3], [100, 100, 3]]),
        Inputs.groundtruth_boxes: np.array([[[0.1, 0.2, 0.4, 0.8], [0] * 4]] * 2),
        Inputs.groundtruth_classes: np.array([[[0, 1], [0, 0]]] * 2),
        Inputs.groundtruth_keypoints: np.array([[[[0.25, 0.5]], [[0, 0]]]] * 2),
        Inputs.groundtruth_keypoint_visibilities: np.array([[[True], [False]]] * 2),
        Inputs.source_id: np.array([b"a/b.jpg", b"c.jpg"]),
    }
    detections = {
        Detections.num_detections: np.array([1.0, 2.0]),
        Detections.detection_boxes: np.array([[[0.2, 0.2, 0.8, 0.8], [0] * 4]] * 2),
        Detections.detection_scores: np.array([[0.9, 0.0]] * 2),
        Detections.detection_classes: np.array([[1.0, 0.0]] * 2),
        Detections.detection_keypoints: np.array([[[[0.5, 0.5]], [[0, 0]]]] * 2),
    }
    images = np.zeros([2, 200, 400, 3], np.uint8)
    first, second = evaluation_graph.unbatched(
        groundtruth, detections, np.array([100, 100]), images
    )
    assert first.name == "a/b.jpg"
    box = [[40, 80, 160, 320]]
    np.testing.assert_allclose(first.truth[Inputs.groundtruth_boxes], box)
    np.testing.assert_allclose(first.detections[Detections.detection_boxes], box)
    np.testing.assert_allclose(first.truth[Inputs.groundtruth_keypoints], [[[100, 200]]])
    np.testing.assert_allclose(first.detections[Detections.detection_keypoints], [[[100, 200]]])
    assert first.truth[Inputs.groundtruth_classes].tolist() == [2]
    assert first.detections[Detections.detection_classes].tolist() == [2]
    assert second.image.shape == (30, 30, 3)
    assert second.truth[Inputs.groundtruth_boxes].shape == (0, 4)
    assert second.detections[Detections.detection_boxes].shape == (2, 4)


def _configs(*names):
    return {
        "eval_config": eval_pb2.EvalConfig(),
        "eval_input_configs": [input_reader_pb2.InputReader(name=name) for name in names],
        "train_input_config": input_reader_pb2.InputReader(name="training"),
    }


def test_each_of_several_readers_has_a_folder():
    assert [path for _, path in evaluator.readers_with_folders(_configs(""), "out", False)] == [
        "out"
    ]
    folders = [path for _, path in evaluator.readers_with_folders(_configs("a", ""), "out", False)]
    assert folders == ["out/a", "out/reader_1"]
    with pytest.raises(ConfigError, match="should differ"):
        evaluator.readers_with_folders(_configs("a", "a"), "out", False)


def test_the_training_pictures_on_request():
    ((reader, folder),) = evaluator.readers_with_folders(_configs("a", "b"), "out", True)
    assert (reader.name, folder) == ("training", "out")


def test_a_checkpoint_is_no_folder_of_checkpoints(tmp_path):
    tf.get_variable("a", [])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(session, str(tmp_path / "model.ckpt"))
    with pytest.raises(CheckpointError, match=r"is a checkpoint\. Give the folder"):
        evaluator.evaluate_checkpoints(_configs(""), path, str(tmp_path / "eval"), run_once=True)
    assert not (tmp_path / "eval").exists()


def test_a_damaged_record_is_named(tmp_path):
    path = tmp_path / "a.record"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"one")
    path.write_bytes(path.read_bytes()[:-1])
    following = tf.data.make_initializable_iterator(tf.data.TFRecordDataset(str(path)))
    picture = {Inputs.image: following.get_next()}
    graph = evaluation_graph.EvaluationGraph(
        start=following.initializer,
        groundtruth=picture,
        detections={},
        input_size=tf.constant([1, 1]),
        images=picture,
        losses={},
        step=tf.constant(0),
    )
    with tf.Session() as session:
        stream = evaluation_graph.pictures(session, graph, 0, [], [str(path)])
        with pytest.raises(DataError, match=f"After 0 pictures: {path}: record 1 is damaged"):
            next(stream)


def test_an_empty_folder_holds_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        evaluator.evaluate_checkpoints(
            _configs(""), str(tmp_path), str(tmp_path / "eval"), run_once=True
        )


@pytest.mark.parametrize("name", ["../other", "/tmp/other", "a/../../b", "."])
def test_names_of_readers_do_not_lead_out_of_the_directory(name):
    readers = [input_reader_pb2.InputReader(name=name), input_reader_pb2.InputReader(name="b")]
    with pytest.raises(ConfigError, match="leads out of --eval_dir"):
        evaluator.readers_with_folders({"eval_input_configs": readers}, "eval")
