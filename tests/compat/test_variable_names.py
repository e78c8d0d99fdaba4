"""Variables have the names, shapes and order of the OD API, so published checkpoints restore."""

import json

import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import model_builder
from object_detection.protos import pipeline_pb2

EXTRACTORS = sorted(model_builder.SSD_FEATURE_EXTRACTOR_CLASS_MAP)


@pytest.mark.parametrize("name", EXTRACTORS)
def test_variables_equal_the_reference(name, shared_compat):
    config = text_format.Parse(
        (shared_compat / "variables" / f"{name}.config").read_text(),
        pipeline_pb2.TrainEvalPipelineConfig(),
    )
    reference = json.loads((shared_compat / "variables" / f"{name}.json").read_text())
    model = model_builder.build(config.model, is_training=False)
    model.call(tf.zeros([1, 256, 256, 3]))
    tf.train.get_or_create_global_step()
    ours = {
        variable.op.name: variable.shape.as_list()
        for variable in tf.global_variables()
        if variable.op.name != "global_step"
    }
    theirs = {key: shape for key, shape in reference["variables"].items() if key != "global_step"}
    assert ours == theirs
    trainable = [variable.op.name for variable in tf.trainable_variables()]
    assert trainable == reference["trainable"]
