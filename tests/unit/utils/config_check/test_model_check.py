"""What a model cannot do without or have is what the builders say, who know it better."""

import pathlib
import re

import pytest
from google.protobuf import text_format

from object_detection.builders import model_builder
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_util
from object_detection.utils.config_check import model_check

REPO = pathlib.Path(__file__).resolve().parents[4]


@pytest.fixture
def model():
    path = REPO / "keypoint_examples" / "pipeline_demo.config"
    model = config_util.get_configs_from_pipeline_file(str(path))["model"]
    assert not list(model_check.problems(model))
    return model


TWO_STAGES = """faster_rcnn { num_classes: 1 feature_extractor { type: "faster_rcnn_resnet50" }
  image_resizer { keep_aspect_ratio_resizer {} } initial_crop_size: 4 maxpool_kernel_size: 2
  maxpool_stride: 2
  first_stage_anchor_generator { grid_anchor_generator { scales: 1 aspect_ratios: 1 } }
  second_stage_box_predictor { mask_rcnn_box_predictor {} } }"""


def test_extractors_are_those_of_the_builders():
    tables = {
        "ssd": model_builder.SSD_FEATURE_EXTRACTOR_CLASS_MAP,
        "faster_rcnn": model_builder.FASTER_RCNN_FEATURE_EXTRACTOR_CLASS_MAP,
    }
    for case, table in tables.items():
        assert set(model_check.EXTRACTORS[case]) == set(table)


def test_an_extractor_of_the_user_s_own_is_known_once_it_is_in_the_table(model, monkeypatch):
    model.ssd.feature_extractor.type = "my_network"
    (problem,) = model_check.problems(model)
    assert problem.startswith("model.ssd.feature_extractor.type: 'my_network' is not known.")
    monkeypatch.setitem(model_builder.SSD_FEATURE_EXTRACTOR_CLASS_MAP, "my_network", object)
    assert not list(model_check.problems(model))


# Refused where they stand, as docs/config_options.md says: found there by calling the builders.
REFUSED = [
    (message, field)
    for message, rows in re.findall(
        r"^## (\S+)\n(.*?)(?=^## |\Z)",
        (REPO / "docs" / "config_options.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    for field in re.findall(r"^\| `(\w+)` \| refused", rows, re.MULTILINE)
    if not message.endswith(("InputReader", "EvalConfig", "MaskHead", "BoxPredictor"))
    and message not in ("BidirectionalFeaturePyramidNetworks", "Context")
]
OTHERS = {"Loss.EqualizationLoss.weight"}


def test_all_fields_that_builders_refuse_are_refused():
    assert len(REFUSED) > 8
    names = {f"{message}.{field}" for message, field in REFUSED}
    assert names - OTHERS <= set(model_check._REFUSED)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "ssd { feature_extractor { bifpn {} } }",
            "model.ssd.feature_extractor.bifpn: not available",
        ),
        ("ssd { feature_extractor { use_hardswish: true } }", "use_hardswish: not available"),
        ("ssd { mask_head_config {} }", "model.ssd.mask_head_config: not available; leave it out."),
        (
            "ssd { feature_extractor { conv_hyperparams { force_use_bias: true } } }",
            "model.ssd.feature_extractor.conv_hyperparams.force_use_bias: not available: a normalised",
        ),
        ("ssd { loss { equalization_loss { weight: 1 } } }", "equalization_loss.weight: not"),
        ("ssd { explicit_background_class: true }", "excludes add_background_class"),
        (
            (
                "ssd { matcher { argmax_matcher { negatives_lower_than_unmatched: false "
                "matched_threshold: 0.5 unmatched_threshold: 0.5 } } }"
            ),
            "these must differ",
        ),
        (
            "ssd { anchor_generator { ssd_anchor_generator { height_stride: 8 } } }",
            "has 1 numbers, but",
        ),
        (
            "ssd { image_resizer { keep_aspect_ratio_resizer { per_channel_pad_value: 7 } } }",
            "per_channel_pad_value: has 1 numbers; give one for each of 3 channels",
        ),
        (
            (
                "ssd { post_processing { batch_non_max_suppression { use_combined_nms: true "
                "soft_nms_sigma: 0.5 } } }"
            ),
            "use_combined_nms: excludes soft_nms_sigma",
        ),
        (
            "ssd { image_resizer { conditional_shape_resizer { condition: INVALID } } }",
            "conditional_shape_resizer.condition: should be GREATER or SMALLER",
        ),
        (
            (
                "ssd { post_processing { batch_non_max_suppression { use_combined_nms: true "
                "use_class_agnostic_nms: true } } }"
            ),
            "use_combined_nms: excludes use_class_agnostic_nms",
        ),
        (
            (
                "ssd { post_processing { calibration_config { function_approximation { x_y_pairs { "
                "x_y_pair { x: 1 y: 0 } x_y_pair { x: 0 y: 1 } } } } } }"
            ),
            "function_approximation.x_y_pairs: x should rise",
        ),
        (
            (
                "ssd { post_processing { calibration_config { class_id_function_approximations { "
                "class_id_xy_pairs_map { key: 3 value {} } } } } }"
            ),
            "class_id_xy_pairs_map: has no x_y_pair of class 3",
        ),
        (
            (
                "ssd { anchor_generator { flexible_grid_anchor_generator { anchor_grid { base_sizes: 1 "
                "height_stride: 8 width_stride: 8 } } } }"
            ),
            "anchor_grid[0].base_sizes: has 1 numbers, but aspect_ratios has 0",
        ),
        (
            "ssd { anchor_generator { flexible_grid_anchor_generator { anchor_grid {} } } }",
            "flexible_grid_anchor_generator.anchor_grid[0].base_sizes: is empty",
        ),
        (
            "ssd { anchor_generator { multiscale_anchor_generator {} } }",
            "ssd.anchor_generator.multiscale_anchor_generator.aspect_ratios: is empty",
        ),
        (
            (
                "ssd { anchor_generator { grid_anchor_generator {} } } "
                "ssd { anchor_generator { ssd_anchor_generator { "
                "interpolated_scale_aspect_ratio: 0 } } }"
            ),
            "ssd.anchor_generator.ssd_anchor_generator.aspect_ratios: is empty",
        ),
        (
            "ssd { anchor_generator { grid_anchor_generator { scales: 1 } } }",
            "ssd.anchor_generator.grid_anchor_generator.aspect_ratios: is empty",
        ),
        (
            "ssd { anchor_generator { ssd_anchor_generator { num_layers: 5 } } }",
            (
                "ssd_anchor_generator.num_layers: makes anchors for 5 feature maps, but ssd_mobilenet_v1 "
                "gives 6. Make it agree with model.ssd.feature_extractor.num_layers"
            ),
        ),
        (
            "ssd { feature_extractor { num_layers: 4 } }",
            "makes anchors for 6 feature maps, but ssd_mobilenet_v1 gives 4",
        ),
        (
            (
                "ssd { feature_extractor { type: 'ssd_mobilenet_v1_fpn' fpn { max_level: 6 } } "
                "anchor_generator { multiscale_anchor_generator { aspect_ratios: 1 } } }"
            ),
            (
                "multiscale_anchor_generator.max_level: makes anchors for 5 feature maps, but "
                "ssd_mobilenet_v1_fpn gives 4. Its levels are 3 to 6"
            ),
        ),
        (
            "ssd { anchor_generator { grid_anchor_generator { scales: 1 aspect_ratios: 1 } } }",
            "grid_anchor_generator: makes anchors for 1 feature maps",
        ),
        (
            (
                "ssd { feature_extractor { type: 'ssd_mobilenet_v2_mnasfpn' } anchor_generator { "
                "flexible_grid_anchor_generator { anchor_grid { base_sizes: 1 aspect_ratios: 1 } } } }"
            ),
            (
                "anchor_grid: makes anchors for 1 feature maps, but ssd_mobilenet_v2_mnasfpn gives 4. "
                "Their number cannot be set"
            ),
        ),
        (
            "ssd { feature_extractor { type: 'ssd_mobilenet_v2_mnasfpn' fpn {} } }",
            "feature_extractor.fpn: has levels 3 to 7; ssd_mobilenet_v2_mnasfpn has only 3 to 6",
        ),
        (
            "ssd { feature_extractor { type: 'ssd_mobilenet_v3_large' num_layers: 6 } }",
            "feature_extractor.num_layers: ssd_mobilenet_v3_large does not take it; leave it out",
        ),
        (
            "ssd { feature_extractor { fpn {} } }",
            "feature_extractor.fpn: ssd_mobilenet_v1 does not take it; leave it out. It is for ssd_m",
        ),
        (
            "ssd { feature_extractor { type: 'ssd_resnet50_v1_fpn' fpn { min_level: 6 } } }",
            "feature_extractor.fpn.min_level: is 6; allowed: 2 to 5",
        ),
    ],
)
def test_what_an_ssd_cannot_have(text, words, model):
    text_format.Merge(text, model)
    problems = list(model_check.problems(model))
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", None),
        (
            "context_config {}",
            "model.faster_rcnn.context_config: not available: there is no Context",
        ),
        ("feature_extractor { fpn {} }", "model.faster_rcnn.feature_extractor.fpn: not available"),
        ("inplace_batchnorm_update: true", "inplace_batchnorm_update: not available"),
        ("feature_extractor { first_stage_features_stride: 4 }", "stride: is 4; allowed: 8 or 16"),
        ("number_of_stages: 4", "number_of_stages: is 4; allowed: 1, 2, 3"),
        (
            (
                "first_stage_anchor_generator { ssd_anchor_generator {} } "
                "first_stage_anchor_generator { grid_anchor_generator { aspect_ratios: 1 } }"
            ),
            "first_stage_anchor_generator.grid_anchor_generator.scales: is empty",
        ),
    ],
)
def test_what_two_stages_cannot_have(text, words):
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    text_format.Parse(TWO_STAGES, pipeline.model)
    text_format.Merge(text, pipeline.model.faster_rcnn)
    problems = list(model_check.problems(pipeline.model))
    assert problems == [] if words is None else any(words in problem for problem in problems)
