"""The program that compares variants of a training: its configs and its table."""

import importlib.util
import json
import pathlib

import pytest

from object_detection.errors import ConfigError
from object_detection.protos import pipeline_pb2

REPO = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def program():
    path = REPO / "benchmarks" / "compare_training.py"
    spec = importlib.util.spec_from_file_location("compare_training", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pipeline():
    message = pipeline_pb2.TrainEvalPipelineConfig()
    message.train_config.num_steps = 2500
    rate = message.train_config.optimizer.momentum_optimizer.learning_rate
    rate.cosine_decay_learning_rate.total_steps = 2500
    rate.cosine_decay_learning_rate.warmup_steps = 100
    return message


def test_a_variant_changes_a_copy(program, pipeline):
    changed = program.config_of(pipeline, "train_config { batch_size: 3 num_steps: 7 }", 0)
    assert (changed.train_config.batch_size, changed.train_config.num_steps) == (3, 7)
    assert pipeline.train_config.num_steps == 2500


def test_a_shorter_training_has_a_shorter_schedule(program, pipeline):
    changed = program.config_of(pipeline, "", 600)
    rate = changed.train_config.optimizer.momentum_optimizer.learning_rate
    cosine = rate.cosine_decay_learning_rate
    assert changed.train_config.num_steps == 600
    assert (cosine.total_steps, cosine.warmup_steps) == (600, 60)


def test_a_misspelt_field_is_named(program, pipeline):
    with pytest.raises(ConfigError, match='no field named "batchsize"'):
        program.config_of(pipeline, "train_config { batchsize: 3 }", 0)


@pytest.mark.parametrize("text", ["wing", "=model {}", "a b=model {}"])
def test_a_variant_needs_a_name(program, text):
    with pytest.raises(program.argparse.ArgumentTypeError, match="NAME=TEXT"):
        program.variant(text)


def test_metrics_of_all_readers_are_read(program, tmp_path):
    for reader, value in (("faces", 0.5), ("persons", 0.25)):
        folder = tmp_path / reader
        folder.mkdir()
        (folder / "metrics.json").write_text(json.dumps({"metrics": {"AP50": value}}))
    assert program.read_metrics(tmp_path) == {"faces: AP50": 0.5, "persons: AP50": 0.25}
    assert program.read_metrics(tmp_path / "none") == {}


def test_the_table_compares_means_with_the_first_variant(program):
    results = {
        "shared": [{"NME": 0.04, "AP50": 0.9}, {"NME": 0.06, "AP50": 0.9}],
        "wing": [{"NME": 0.03, "AP50": 0.9}, {"NME": 0.05, "AP50": 0.9}],
    }
    lines = program.table(results, ["NME"])
    assert lines[0] == "NME"
    assert lines[1].split() == ["shared", "0.0500", "(0.0400", "..", "0.0600)", "n", "=", "2"]
    assert lines[2].split() == [
        *["wing", "0.0400", "(0.0300", "..", "0.0500)", "-20.0%", "n", "=", "2"],
    ]
    assert len(lines) == 3
