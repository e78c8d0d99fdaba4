"""Evaluation of samples that a function makes, with a model of one variable."""

import json

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.core import model
from object_detection.core import standard_fields as fields
from object_detection.legacy import evaluator
from object_detection.metrics.coco_evaluation import CocoDetectionEvaluator
from object_detection.metrics.open_images_evaluation import OpenImagesDetectionEvaluator
from object_detection.metrics.pascal_evaluation import PascalDetectionEvaluator
from object_detection.protos import eval_pb2

Inputs = fields.InputDataFields
Boxes = fields.BoxListFields

CATEGORIES = [{"id": 1, "name": "face"}, {"id": 2, "name": "hand"}]
BOX = np.array([[0.25, 0.25, 0.75, 0.75]], np.float32)
MAP = "PascalBoxes_Precision/mAP@0.5IOU"


class _Model(model.DetectionModel):
    """Finds one hand, at a box that a variable shifts; its input is padded to 40 x 40."""

    def preprocess(self, inputs):
        shape = tf.shape(inputs)
        padded = tf.image.pad_to_bounding_box(inputs, 0, 0, 40, 40)
        return padded, tf.tile(shape[tf.newaxis, 1:], [shape[0], 1])

    def predict(self, preprocessed_inputs, true_image_shapes, **side_inputs):
        return {"shift": tf.get_variable("shift", initializer=0.5)}

    def postprocess(self, prediction_dict, true_image_shapes, **params):
        return {
            "detection_boxes": BOX[np.newaxis] + prediction_dict["shift"],
            "detection_scores": tf.constant([[0.75]]),
            "detection_classes": tf.constant([[1.0]]),
            "detection_keypoints": tf.constant([[[[0.5, 0.5], [0.25, 0.25]]]]),
            "num_detections": tf.constant([1.0]),
        }

    def loss(self, prediction_dict, true_image_shapes):
        (boxes,) = self.groundtruth_lists(Boxes.boxes)
        (classes,) = self.groundtruth_lists(Boxes.classes)
        return {
            "Loss/bottom": boxes[0, 2],
            "Loss/class": tf.cast(tf.argmax(classes[0]), tf.float32),
            "Loss/shift": prediction_dict["shift"],
        }

    def regularization_losses(self):
        return []

    def restore_map(self, fine_tune_checkpoint_type="detection", **options):
        return {}

    def updates(self):
        return []


def _checkpoint(folder, shift, step=5):
    """Of the model after training, with averages of half the shift."""
    with tf.Graph().as_default(), tf.Session() as session:
        variables = {
            "shift": tf.Variable(shift),
            "shift/ExponentialMovingAverage": tf.Variable(shift / 2),
            "global_step": tf.Variable(step, dtype=tf.int64),
        }
        session.run([variable.initializer for variable in variables.values()])
        tf.train.Saver(variables).save(session, str(folder / "model.ckpt"), global_step=step)


def _samples(count=3):
    """Pictures of 20 x 40, the last of them without objects."""

    def make():
        dataset = tf.data.Dataset.range(count).map(
            lambda number: {
                Inputs.image: tf.zeros([20, 40, 3], tf.uint8),
                Inputs.source_id: tf.strings.as_string(number),
                Inputs.groundtruth_boxes: tf.constant(BOX)[: tf.where(number < 2, 1, 0)],
                Inputs.groundtruth_classes: tf.constant([2], tf.int64)[
                    : tf.where(number < 2, 1, 0)
                ],
                Inputs.groundtruth_keypoints: tf.constant([[[0.5, 0.5], [np.nan, np.nan]]])[
                    : tf.where(number < 2, 1, 0)
                ],
            }
        )
        iterator = tf.data.make_initializable_iterator(dataset)
        tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
        return iterator.get_next()

    return make


def _config(text=""):
    config = text_format.Parse(text, eval_pb2.EvalConfig())
    config.eval_interval_secs = 0
    # The end of the test, should something fail.
    config.max_evals = 1
    return config


def _evaluate(tmp_path, config, **more):
    settings = {"create_input_dict_fn": _samples(2), **more}
    return evaluator.evaluate(
        create_model_fn=lambda: _Model(num_classes=2),
        eval_config=config,
        categories=CATEGORIES,
        checkpoint_dir=str(tmp_path),
        eval_dir=str(tmp_path / "eval"),
        **settings,
    )


def test_metrics_and_losses_of_a_checkpoint(tmp_path):
    _checkpoint(tmp_path, 0.0)
    hooks = []
    metrics = _evaluate(
        tmp_path,
        _config(f'num_visualizations: 1 visualization_export_dir: "{tmp_path / "drawn"}"'),
        graph_hook_fn=lambda: hooks.append(len(tf.global_variables())),
    )
    assert metrics[MAP] == pytest.approx(1)
    # The picture is the upper half of the network's input.
    assert metrics["Losses/Loss/bottom"] == pytest.approx(0.375)
    assert metrics["Losses/Loss/class"] == 1
    assert hooks == [2]
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["export-image-0.png"]
    (events,) = (tmp_path / "eval").iterdir()
    tags = {
        (event.step, value.tag)
        for event in tf.train.summary_iterator(str(events))
        for value in event.summary.value
    }
    assert {(5, MAP), (5, "image-0")} <= tags


def test_averages_on_request(tmp_path):
    _checkpoint(tmp_path, 0.125)
    metrics = _evaluate(tmp_path, _config("use_moving_averages: true num_visualizations: 0"))
    assert metrics["Losses/Loss/shift"] == pytest.approx(0.0625)


def test_given_evaluators_count_keypoints_too(tmp_path):
    _checkpoint(tmp_path, 0.0)
    from object_detection.metrics.keypoint_evaluation import KeypointErrorEvaluator

    metrics = _evaluate(
        tmp_path,
        _config("num_visualizations: 0"),
        evaluator_list=[KeypointErrorEvaluator(CATEGORIES), CocoDetectionEvaluator(CATEGORIES)],
    )
    assert metrics["Keypoints/Instances"] == 2
    assert metrics["Keypoints/NME"] == pytest.approx(0, abs=1e-6)
    assert metrics["DetectionBoxes_Precision/mAP"] == pytest.approx(1)


def test_detections_alone_are_written(tmp_path):
    _checkpoint(tmp_path, 0.0)
    path = tmp_path / "found.json"
    config = _config('ignore_groundtruth: true metrics_set: "coco_detection_metrics"')
    with pytest.raises(ValueError, match="export_path"):
        _evaluate(tmp_path, config)
    config.export_path = str(path)
    _evaluate(tmp_path, config)
    rows = json.loads(path.read_text())
    assert [(row["image_id"], row["bbox"]) for row in rows] == [
        (0, [10, 5, 20, 10]),
        (1, [10, 5, 20, 10]),
    ]


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        other = tf.get_variable("other", initializer=0.0)
        session.run(other.initializer)
        tf.train.Saver().save(session, str(tmp_path / "model.ckpt"), global_step=1)
    with pytest.raises(ValueError, match="does not fit"):
        _evaluate(tmp_path, _config())


def test_no_checkpoint_no_metrics(tmp_path):
    assert _evaluate(tmp_path, _config()) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [PascalDetectionEvaluator]),
        (
            'metrics_set: ["coco_detection_metrics", "open_images_V2_detection_metrics"]',
            [CocoDetectionEvaluator, OpenImagesDetectionEvaluator],
        ),
    ],
)
def test_evaluators_by_name(text, expected):
    assert [type(one) for one in evaluator.get_evaluators(_config(text), CATEGORIES)] == expected
    assert evaluator.EVAL_METRICS_CLASS_DICT[evaluator.EVAL_DEFAULT_METRIC] is (
        PascalDetectionEvaluator
    )


@pytest.mark.parametrize("name", ["no_metrics", "coco_keypoint_metrics"])
def test_evaluators_that_cannot_be_made(name):
    with pytest.raises(ValueError, match="metrics_set"):
        evaluator.get_evaluators(_config(f'metrics_set: "{name}"'), CATEGORIES)
