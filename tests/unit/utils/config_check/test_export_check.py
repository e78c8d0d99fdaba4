"""Exports that contradict the rest of their config."""

import pytest
from google.protobuf import text_format

from object_detection.errors import ConfigError
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_check, config_util

SSD = "model { ssd {} }"
TWO_STAGES = "model { faster_rcnn {} }"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{SSD} export_config {{}}", None),
        (f"{SSD} export_config {{ compute_type: BFLOAT16 raw_detections: true }}", None),
        (f"{TWO_STAGES} export_config {{ compute_type: BFLOAT16 }}", None),
        (f"{SSD} graph_rewriter {{}} export_config {{ raw_detections: true }}", None),
        (
            f"{SSD} graph_rewriter {{}} export_config {{ compute_type: BFLOAT16 }}",
            "export_config.compute_type: is BFLOAT16, which excludes graph_rewriter",
        ),
        (
            f"{TWO_STAGES} export_config {{ raw_detections: true }}",
            "export_config.raw_detections: is for model.ssd",
        ),
    ],
)
def test_problems_are_named(text, expected):
    pipeline = text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())
    configs = config_util.create_configs_from_pipeline_proto(pipeline)
    with pytest.raises(ConfigError) as caught:
        # The rest of the config is missing, which is said too.
        config_check.check_pipeline(configs, "x.config")
    found = [line for line in str(caught.value).split("\n  ") if "export_config" in line]
    assert found == [] if expected is None else expected in found[0]


def test_the_message_survives_taking_the_pipeline_apart():
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    pipeline.model.ssd.num_classes = 1
    pipeline.export_config.compute_type = pipeline.export_config.BFLOAT16
    configs = config_util.create_configs_from_pipeline_proto(pipeline)
    again = config_util.create_pipeline_proto_from_configs(configs)
    assert again.export_config == pipeline.export_config
