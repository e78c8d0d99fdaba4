"""Every number of the schema has a range, and what people have is in it."""

import math
import pathlib
import re

import pytest
from google.protobuf import text_format

from object_detection.protos import pipeline_pb2
from object_detection.utils.config_check import config_ranges

REPO = pathlib.Path(__file__).resolve().parents[4]
ROOT = pipeline_pb2.TrainEvalPipelineConfig.DESCRIPTOR


def _messages(descriptor, found):
    """All messages that a pipeline can hold, without those of CenterNet, which is refused."""
    if not descriptor.full_name.rpartition(".")[2].startswith("CenterNet"):
        found.setdefault(descriptor.full_name, descriptor)
        for field in descriptor.fields:
            if field.message_type and field.message_type.full_name not in found:
                _messages(field.message_type, found)
    return found


NUMBERS = {
    f"{config_ranges.short_name(message)}.{field.name}": field
    for message in _messages(ROOT, {}).values()
    for field in message.fields
    if config_ranges.is_number(field)
}


def test_every_number_has_a_range_and_no_range_is_stale():
    absent = sorted(set(NUMBERS) - set(config_ranges.RANGES))
    assert not absent, (
        f"{absent} need a row in the table of utils/config_check/config_ranges.py: a range, or 'finite' (any "
        "number), or 'any' (any whole number)"
    )
    assert not set(config_ranges.RANGES) - set(NUMBERS)
    assert len(NUMBERS) > 400


def test_defaults_are_in_range_or_stand_for_not_set():
    for name, field in NUMBERS.items():
        if field.has_default_value:
            assert config_ranges.RANGES[name].holds(field.default_value), name


def test_ends_in_order_are_numbers_whose_defaults_are_in_order():
    kinds = {config_ranges.short_name(kind): kind for kind in _messages(ROOT, {}).values()}
    for kind, pairs in config_ranges._IN_ORDER.items():
        for low, high in pairs:
            fields = [kinds[kind].fields_by_name[name] for name in (low, high)]
            assert all(config_ranges.is_number(field) for field in fields)
            assert fields[0].default_value <= fields[1].default_value


@pytest.mark.parametrize(
    ("text", "inside", "outside", "words"),
    [
        ("[0,1]", [0, 0.5, 1], [-0.001, 1.001, math.nan, math.inf], "must be from 0 to 1"),
        ("(0,1)", [0.5], [0, 1, math.nan], "must be from above 0 to below 1"),
        ("(0,inf)", [1e-30, 1e30], [0, -1, math.inf, math.nan], "must be above 0"),
        ("(0,inf]", [1, math.inf], [0, math.nan], "must be above 0"),
        ("[1,inf)", [1, 2**32 - 1], [0], "must be 1 or more"),
        ("(-inf,1]", [-5, 1], [1.5, -math.inf, math.nan], "must be 1 or less"),
        ("finite", [-5, 0, 1e30], [math.inf, -math.inf, math.nan], "must be a finite number"),
        ("any", [0, 2**32 - 1], [], "must be a finite number"),
    ],
)
def test_ranges(text, inside, outside, words):
    allowed = config_ranges._range(text)
    assert all(allowed.holds(value) for value in inside)
    assert not any(allowed.holds(value) for value in outside)
    assert str(allowed) == words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("model { ssd {} }", []),  # what is not set is no number
        ("train_config { batch_size: 0 }", ["train_config.batch_size: is 0, must be from 1"]),
        (
            "train_config { data_augmentation_options { random_rotation { pad_color: [1, nan] } } }",
            ["train_config.data_augmentation_options[0].random_rotation.pad_color[1]: is nan"],
        ),
        (
            (
                "eval_config { parameterized_metric { coco_keypoint_metrics { "
                "keypoint_label_to_sigmas { key: 'nose' value: -1 } } } }"
            ),
            [
                (
                    "eval_config.parameterized_metric[0].coco_keypoint_metrics.keypoint_label_to_sigmas: "
                    "has for 'nose' -1, must be above 0"
                )
            ],
        ),
        (
            (
                "model { ssd { post_processing { calibration_config { class_id_function_approximations "
                "{ class_id_xy_pairs_map { key: -2 value { x_y_pair { x: inf y: 0 } } } } } } } }"
            ),
            [
                "has the key -2, must be from 0",
                r"class_id_xy_pairs_map.x_y_pair[0].x: is inf, must be a finite number (of key -2)",
            ],
        ),
        (
            "train_config { data_augmentation_options { random_image_scale { min_scale_ratio: 3 } } }",
            ["random_image_scale.min_scale_ratio: is 3, above max_scale_ratio, which is 2"],
        ),
    ],
)
def test_problems(text, expected):
    config = text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())
    found = list(config_ranges.problems(config, ""))
    assert len(found) == len(expected)
    for problem, words in zip(found, expected, strict=True):
        assert words in problem
        assert problem.endswith(".")


def test_configs_that_people_have_are_in_range(shared_compat):
    paths = sorted((shared_compat / "variables").glob("*.config"))
    assert len(paths) > 20
    for path in paths:
        config = text_format.Parse(path.read_text(), pipeline_pb2.TrainEvalPipelineConfig())
        assert not list(config_ranges.problems(config, "")), path


# Settings of published configs of the interface that are far from the usual ones.
UNUSUAL = """
model { faster_rcnn { num_classes: 2854 first_stage_nms_score_threshold: 0.0
  second_stage_post_processing { batch_non_max_suppression { score_threshold: 0.0
    max_detections_per_class: 100 max_total_detections: 300 } } } }
train_config { batch_size: 4096 num_steps: 0 max_number_of_boxes: 500 startup_delay_steps: 0.0
  replicas_to_aggregate: 32 keep_checkpoint_every_n_hours: 1.0
  optimizer { momentum_optimizer { momentum_optimizer_value: 0.9 learning_rate {
    manual_step_learning_rate { initial_learning_rate: 0.0003
      schedule { step: 0 learning_rate: 0.0003 } schedule { step: 900000 learning_rate: 0.00003 }
  } } } }
  data_augmentation_options { ssd_random_crop { operations {
    min_object_covered: 0.0 min_aspect_ratio: 0.125 max_aspect_ratio: 8.0 min_area: 0.0 max_area: 1.0
    overlap_thresh: 0.0 random_coef: 0.15 } } } }
train_input_reader { shuffle_buffer_size: 100000 num_readers: 1 queue_capacity: 2 }
eval_config { num_examples: 8000 max_evals: 10 num_visualizations: 0 min_score_threshold: 0.0 }
"""


def test_unusual_settings_are_in_range():
    config = text_format.Parse(UNUSUAL, pipeline_pb2.TrainEvalPipelineConfig())
    assert not list(config_ranges.problems(config, ""))


def test_the_guide_says_the_numbers_of_the_table():
    guide = (REPO / "docs" / "config_errors.md").read_text()
    for name, words in (
        ("FixedShapeResizer.height", r"sides up to (\d+)"),
        ("TrainConfig.batch_size", r"(\d+) pictures in a batch"),
        ("Ssd.num_classes", r"(\d+) classes"),
        ("InputReader.max_number_of_boxes", r"(\d+) boxes"),
        ("KeypointBoxCoder.num_keypoints", r"(\d+) keypoints"),
    ):
        said = re.search(words, guide.replace("\n", " "))
        assert int(said[1]) == config_ranges.RANGES[name].high, name
