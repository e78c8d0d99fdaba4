import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format
from PIL import Image

from object_detection import eval_util
from object_detection.errors import ConfigError
from object_detection.metrics.coco_evaluation import CocoDetectionEvaluator, CocoKeypointEvaluator
from object_detection.metrics.keypoint_evaluation import KeypointErrorEvaluator
from object_detection.protos import eval_pb2

CATEGORIES = [{"id": 1, "name": "face"}]
KEYPOINTS = eval_util.EVAL_KEYPOINT_METRIC


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


def test_options_are_those_of_the_named_metrics():
    config = text_format.Parse(
        """
        metrics_set: ["coco_detection_metrics", "coco_mask_metrics", "oid_V2_detection_metrics",
                      "precision_at_recall_detection_metrics"]
        include_metrics_per_category: true
        all_metrics_per_category: true
        skip_predictions_for_unlabeled_class: true
        recall_lower_bound: 0.25
        recall_upper_bound: 0.5
        super_categories { key: "head" value: "face, hair" }
        """,
        eval_pb2.EvalConfig(),
    )
    coco = {
        "include_metrics_per_category": True,
        "all_metrics_per_category": True,
        "super_categories": {"head": ["face", "hair"]},
    }
    assert eval_util.evaluator_options_from_eval_config(config) == {
        "coco_detection_metrics": {**coco, "skip_predictions_for_unlabeled_class": True},
        "coco_mask_metrics": coco,
        "precision_at_recall_detection_metrics": {
            "recall_lower_bound": 0.25,
            "recall_upper_bound": 0.5,
        },
    }
    assert eval_util.evaluator_options_from_eval_config(eval_pb2.EvalConfig()) == {}


def test_options_of_our_own_fields():
    config = text_format.Parse(
        """
        metrics_set: ["coco_detection_metrics", "keypoint_error_metrics", "keypoint_oks_metrics",
                      "object_size_metrics"]
        min_object_width: 16
        oks_sigmas: [0.1, 0.025]
        keypoint_names: ["nose", "chin"]
        oks_max_detections: 50
        pck_thresholds: [0.1, 0.2]
        keypoint_failure_threshold: 0.08
        keypoint_size_between: ["nose", "chin"]
        max_detections: 500
        """,
        eval_pb2.EvalConfig(),
    )
    options = eval_util.evaluator_options_from_eval_config(config)
    boxes = options.pop("coco_detection_metrics")
    assert (boxes["min_object_width"], boxes["max_detections"]) == (16, 500)
    # As written: 0.1 of a float field would be 0.10000000149.
    assert options == {
        "keypoint_error_metrics": {
            "min_object_width": 16,
            "keypoint_names": ["nose", "chin"],
            "pck_thresholds": [0.1, 0.2],
            "failure_threshold": 0.08,
            "size_between": ["nose", "chin"],
        },
        "keypoint_oks_metrics": {"oks_sigmas": [0.1, 0.025], "max_detections": 50},
        "object_size_metrics": {"max_detections": 500},
    }
    for name, settings in options.items():
        assert eval_util.EVAL_METRICS_CLASS_DICT[name](CATEGORIES, **settings).evaluate()


def test_an_object_with_the_old_fields_alone_is_enough():
    old = SimpleNamespace(metrics_set=["keypoint_error_metrics", "keypoint_oks_metrics"])
    assert eval_util.evaluator_options_from_eval_config(old) == {
        "keypoint_error_metrics": {},
        "keypoint_oks_metrics": {},
    }


@pytest.mark.parametrize("name", sorted(set(eval_util.EVAL_METRICS_CLASS_DICT) - {KEYPOINTS}))
def test_every_metric_of_the_table_can_be_named(name):
    (evaluator,) = _evaluators(f"metrics_set: '{name}'")
    assert isinstance(evaluator.evaluate(), dict)


PERSON = {"id": 1, "name": "person", "keypoints": {"nose": 0, "left_eye": 3}}


def _parameterized(*labels):
    return "".join(
        f"""parameterized_metric {{ coco_keypoint_metrics {{ class_label: "{label}"
            keypoint_label_to_sigmas {{ key: "nose" value: 0.5 }}
            keypoint_label_to_sigmas {{ key: "left_eye" value: 0.25 }} }} }}"""
        for label in labels
    )


def test_parameterized_metrics_come_last_and_know_their_keypoints():
    config = text_format.Parse(_parameterized("nobody", "person"), eval_pb2.EvalConfig())
    first, second = eval_util.get_evaluators(config, [PERSON, {"id": 2, "name": "dog"}])
    assert type(first) is CocoDetectionEvaluator
    assert type(second) is CocoKeypointEvaluator
    assert second._keypoint_ids == [0, 3]
    assert list(second._oks_sigmas) == [0.5, 0.25]
    assert "Keypoints_Precision/mAP ByCategory/person" in second.evaluate()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"metrics_set: '{KEYPOINTS}'", "parameterized_metric"),
        ("parameterized_metric {}", "names no metric"),
        (_parameterized("dog"), "no keypoints of 'dog'"),
    ],
)
def test_metrics_that_lack_their_parameters(text, message):
    config = text_format.Parse(text, eval_pb2.EvalConfig())
    with pytest.raises(ConfigError, match=message):
        eval_util.get_evaluators(config, [PERSON, {"id": 2, "name": "dog"}])


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
    content = {"step": 1, "metrics": {"a": float("nan"), "b": 0.25, "c": float("-inf")}}
    path = eval_util.write_metrics_file(content, str(tmp_path))
    with open(path, encoding="utf-8") as file:
        assert json.load(file) == {"step": 1, "metrics": {"a": None, "b": 0.25, "c": None}}


def _result_dict(**more):
    return {
        "original_image": np.zeros([1, 40, 60, 3], np.uint8),
        "detection_boxes": np.array([[10.0, 10.0, 30.0, 30.0], [5.0, 40.0, 15.0, 50.0]]),
        "detection_scores": np.array([0.9, 0.4]),
        "detection_classes": np.array([1, 1]),
        "key": b"folder/a.jpg",
        **more,
    }


def test_drawn_results(tmp_path):
    summaries, export = tmp_path / "summaries", tmp_path / "export"
    eval_util.visualize_detection_results(
        _result_dict(groundtruth_boxes=np.array([[20.0, 50.0, 35.0, 58.0]])),
        "tag",
        3,
        CATEGORIES,
        summary_dir=str(summaries),
        export_dir=str(export),
        show_groundtruth=True,
        groundtruth_box_visualization_color="#0a0b0c",
        skip_labels=True,
        skip_scores=True,
        keep_image_id_for_visualization_export=True,
    )
    (path,) = export.iterdir()
    assert path.name == "export-tag-folder_a.jpg.png"
    with Image.open(path) as image:
        picture = np.array(image)
    assert picture[10, 20].any()
    assert not picture[5, 45].any()
    assert picture[28, 50].tolist() == [10, 11, 12]
    (path,) = summaries.iterdir()
    (event,) = [e for e in tf.train.summary_iterator(str(path)) if e.summary.value]
    assert (event.step, event.summary.value[0].tag) == (3, "tag")
    assert event.summary.value[0].image.height == 40


def test_drawn_results_of_grey_pictures(tmp_path):
    grey = _result_dict(original_image=np.zeros([1, 40, 60, 1], np.uint8))
    eval_util.visualize_detection_results(grey, "a", 0, CATEGORIES, export_dir=str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["export-a.png"]


@pytest.mark.parametrize("absent", ["original_image", "detection_scores", "groundtruth_boxes"])
def test_results_that_cannot_be_drawn(absent):
    results = {name: value for name, value in _result_dict().items() if name != absent}
    with pytest.raises(ValueError, match=absent):
        eval_util.visualize_detection_results(results, "a", 0, CATEGORIES, show_groundtruth=True)
