import json

import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection import eval_util
from object_detection.errors import ConfigError
from object_detection.metrics.coco_evaluation import CocoDetectionEvaluator
from object_detection.metrics.keypoint_evaluation import KeypointErrorEvaluator
from object_detection.protos import eval_pb2

CATEGORIES = [{"id": 1, "name": "face"}]


def _evaluators(text):
    config = text_format.Parse(text, eval_pb2.EvalConfig())
    return eval_util.get_evaluators(
        config, CATEGORIES, eval_util.evaluator_options_from_eval_config(config)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [CocoDetectionEvaluator]),
        ("metrics_set: 'keypoint_error_metrics'", [KeypointErrorEvaluator]),
        (
            "metrics_set: ['coco_detection_metrics', 'keypoint_error_metrics'] min_object_width: 16",
            [CocoDetectionEvaluator, KeypointErrorEvaluator],
        ),
    ],
)
def test_evaluators_by_name(text, expected):
    assert [type(one) for one in _evaluators(text)] == expected


def test_unknown_metrics_are_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'coco_detection_metrics'"):
        _evaluators("metrics_set: 'coco_detection_metric'")


def test_metrics_reach_tensorboard(tmp_path):
    eval_util.write_metrics({"a/b": 0.5}, 7, str(tmp_path))
    (path,) = tmp_path.iterdir()
    events = [event for event in tf.train.summary_iterator(str(path)) if event.summary.value]
    assert [(e.step, e.summary.value[0].tag) for e in events] == [(7, "a/b")]
    assert events[0].summary.value[0].simple_value == 0.5


def test_metrics_file_is_plain_json(tmp_path):
    content = {"step": 1, "metrics": {"a": float("nan"), "b": 0.25}}
    path = eval_util.write_metrics_file(content, str(tmp_path))
    with open(path, encoding="utf-8") as file:
        assert json.load(file) == {"step": 1, "metrics": {"a": None, "b": 0.25}}
