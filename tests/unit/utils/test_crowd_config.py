"""One number of boxes fills the limits of a config; what would cut boxes is named; losses are told."""

import pytest
from google.protobuf import text_format

from object_detection.errors import ConfigError
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_util, crowd_config
from object_detection.utils.cut_boxes import CutBoxes

BARE = """
model { ssd { num_classes: 1 } } train_config {} train_input_reader {} eval_config {}
eval_input_reader {} eval_input_reader {}
"""


def _parse(text):
    return text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())


@pytest.mark.parametrize("text", ["", BARE, BARE + "max_boxes_per_image: 0"])
def test_without_the_setting_nothing_changes(text):
    config = _parse(text)
    assert config_util.completed(config) is config


def test_all_limits_follow():
    after = config_util.completed(_parse(BARE + "max_boxes_per_image: 300"))
    suppression = after.model.ssd.post_processing.batch_non_max_suppression
    assert suppression.max_detections_per_class == 300
    assert suppression.max_total_detections == 300
    assert after.train_config.max_number_of_boxes == 300
    readers = [after.train_input_reader, *after.eval_input_reader]
    assert [reader.max_number_of_boxes for reader in readers] == [300] * 3
    assert after.eval_config.max_detections == 300
    assert after.eval_config.oks_max_detections == 300
    assert config_util.completed(after) is after
    configs = config_util.create_configs_from_pipeline_proto(after)
    assert config_util.create_pipeline_proto_from_configs(configs) == after


def test_fewer_boxes_leave_metrics_and_proposals_roomy():
    text = "model { faster_rcnn {} } eval_config {} max_boxes_per_image: 10"
    after = config_util.completed(_parse(text))
    suppression = after.model.faster_rcnn.second_stage_post_processing.batch_non_max_suppression
    assert suppression.max_total_detections == 10
    assert after.model.faster_rcnn.first_stage_max_proposals == 300
    assert after.eval_config.max_detections == 100
    assert after.eval_config.oks_max_detections == 20


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "train_config { max_number_of_boxes: 200 }",
            "train_config.max_number_of_boxes is 200, but max_boxes_per_image is 300",
        ),
        (
            "model { ssd { post_processing { batch_non_max_suppression { max_total_detections: 1 } } } }",
            r"model\.ssd\.post_processing\.batch_non_max_suppression\.max_total_detections is 1, but",
        ),
        ("eval_input_reader { max_number_of_boxes: 5 }", r"eval_input_reader\[2\].max_number_of"),
        (
            "model { faster_rcnn { first_stage_max_proposals: 299 } }",
            r"model\.faster_rcnn\.first_stage_max_proposals is 299",
        ),
    ],
)
def test_what_would_cut_boxes_is_named(change, words):
    config = _parse(BARE + "max_boxes_per_image: 300")
    text_format.Merge(change, config)
    with pytest.raises(ConfigError, match=words):
        config_util.completed(config)


def test_choices_of_the_user_stay():
    text = """max_boxes_per_image: 300 train_config { max_number_of_boxes: 500 }
    eval_config { oks_max_detections: 20 }"""
    after = config_util.completed(_parse(text))
    assert after.train_config.max_number_of_boxes == 500
    assert after.eval_config.oks_max_detections == 20


@pytest.mark.parametrize(
    ("train", "reader", "expected"),
    [
        ("", "", (100, "train_config.max_number_of_boxes")),
        ("max_number_of_boxes: 7", "", (7, "train_config.max_number_of_boxes")),
        (
            "max_number_of_boxes: 7",
            "max_number_of_boxes: 8",
            (8, "train_input_reader.max_number_of_boxes"),
        ),
    ],
    ids=["default", "of training", "the reader wins"],
)
def test_limit_of_training(train, reader, expected):
    config = _parse(f"train_config {{ {train} }} train_input_reader {{ {reader} }}")
    found = crowd_config.training_limit(config.train_config, config.train_input_reader)
    assert found == expected


@pytest.mark.parametrize(
    ("model", "evaluation", "expected"),
    [
        ("", "", (0, "")),
        ("faster_rcnn { num_classes: 2 }", "", (100, "max_total_detections")),
        ("ssd { num_classes: 1 }", "", (100, "max_detections_per_class")),
        (
            """ssd { num_classes: 1 post_processing { batch_non_max_suppression {
               max_detections_per_class: 300 max_total_detections: 300 } } }""",
            "",
            (100, "eval_config.max_detections"),
        ),
        (
            """ssd { num_classes: 2 post_processing { batch_non_max_suppression {
               max_detections_per_class: 50 max_total_detections: 300 } } }""",
            "max_detections: 400",
            (300, "max_total_detections"),
        ),
    ],
)
def test_limit_of_detections(model, evaluation, expected):
    config = _parse(f"model {{ {model} }} eval_config {{ {evaluation} }}")
    limit, field = crowd_config.detection_limit(config.model, config.eval_config)
    assert limit == expected[0]
    assert field.endswith(expected[1])


def test_lost_boxes_are_told_when_they_have_doubled():
    cut = CutBoxes(3, "a.b")
    cut.count([])
    cut.count([0, 3])
    assert (cut.news(), cut.words()) == (None, "")
    cut.count([5, 2])
    assert cut.news() == (
        "Warning: 2 boxes of 1 pictures (of 4) are cut: a.b is 3, and a picture has up to 5 boxes. "
        "Set max_boxes_per_image: 5, and leave b out."
    )
    cut.count([4])
    assert cut.news() is None
    assert cut.news(growth=1) is not None
    assert cut.news(growth=1) is None
    cut.count([9])
    assert "9 boxes of 3 pictures (of 6) are cut" in cut.news()


def test_no_limit_loses_nothing():
    cut = CutBoxes(0, "a.b")
    cut.count([1000])
    assert (cut.lost, cut.most, cut.words()) == (0, 1000, "")
