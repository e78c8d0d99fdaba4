"""Losses of boxes and blending in a whole config: what cannot be used is named with its path."""

import pytest
from google.protobuf import text_format

from object_detection.errors import ConfigError
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_check, config_util

CODER = "box_coder { keypoint_box_coder { num_keypoints: 5 } }"
BOX_CODER = "box_coder { faster_rcnn_box_coder {} }"
SSD = """model { ssd { num_classes: 1 feature_extractor { type: "ssd_mobilenet_v1" }
  similarity_calculator { iou_similarity {} }
  image_resizer { fixed_shape_resizer { height: 64 width: 64 } }
  matcher { argmax_matcher {} } anchor_generator { ssd_anchor_generator {} }
  box_predictor { convolutional_box_predictor { box_code_size: %d } } %s } }"""
TWO_STAGES = """model { faster_rcnn { num_classes: 1 feature_extractor { type: "faster_rcnn_resnet50" }
  image_resizer { fixed_shape_resizer { height: 64 width: 64 } } initial_crop_size: 4
  maxpool_kernel_size: 2 maxpool_stride: 2 first_stage_anchor_generator { grid_anchor_generator { scales: 1
  aspect_ratios: 1 } }
  second_stage_box_predictor { mask_rcnn_box_predictor {} } %s } }"""

CLASSES = "classification_loss { weighted_sigmoid {} }"


def _check(text):
    config = text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())
    configs = config_util.create_configs_from_pipeline_proto(config)
    config_check.check_pipeline(configs, "x.config")


def _blending(text):
    return f"post_processing {{ batch_non_max_suppression {{ {text} }} }}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            SSD % (14, CODER + "loss { localization_loss { weighted_giou {} } }"),
            "model.ssd.loss.localization_loss.weighted_giou: .* the 5 keypoints .* "
            r"add model.ssd.loss.keypoint_loss \{\}",
            id="keypoints without a loss",
        ),
        pytest.param(
            SSD % (14, CODER + _blending("blend_overlapping { iou_threshold: 2 }")),
            "model.ssd.post_processing.batch_non_max_suppression.blend_overlapping.iou_threshold: "
            "is 2, must be above 0 and at most 1",
            id="overlap",
        ),
        pytest.param(
            SSD % (14, CODER + _blending("blend_overlapping { score_power: nan }")),
            "blend_overlapping.score_power: is nan, must be a number of 0 or more",
            id="power",
        ),
        pytest.param(
            SSD % (14, CODER + _blending("blend_overlapping {} soft_nms_sigma: 0.5")),
            "batch_non_max_suppression.blend_overlapping: excludes soft_nms_sigma",
            id="soft suppression",
        ),
        pytest.param(
            TWO_STAGES % ("second_stage_" + _blending("blend_overlapping { max_candidates: -1 }")),
            "model.faster_rcnn.second_stage_post_processing.batch_non_max_suppression."
            "blend_overlapping.max_candidates: is -1, must be at least 1",
            id="second stage",
        ),
    ],
)
def test_what_cannot_be_used(text, words):
    with pytest.raises(ConfigError, match=words):
        _check(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            SSD
            % (
                14,
                CODER
                + f"loss {{ {CLASSES} localization_loss {{ weighted_ciou {{}} }} keypoint_loss {{}} }}"
                "post_processing { batch_non_max_suppression { blend_overlapping {} } }",
            ),
            id="keypoints",
        ),
        pytest.param(
            SSD
            % (4, BOX_CODER + f"loss {{ {CLASSES} localization_loss {{ weighted_diou {{}} }} }}"),
            id="boxes",
        ),
        pytest.param(
            SSD
            % (
                14,
                CODER
                + f"loss {{ {CLASSES} localization_loss {{ weighted_l2 {{}} }} }}"
                + _blending("blend_overlapping {} soft_nms_sigma: 1 use_hard_nms: true"),
            ),
            id="hard suppression in any case",
        ),
        pytest.param(
            TWO_STAGES % ("second_stage_" + _blending("blend_overlapping {}")), id="second stage"
        ),
    ],
)
def test_what_can_be_used(text):
    _check(text)
