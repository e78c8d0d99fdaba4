"""Evaluation while training, the best checkpoint, early stopping."""

import json
import math
import pathlib
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.builders import model_builder
from object_detection.core import standard_fields as fields
from object_detection.errors import StorageError
from object_detection.legacy import best_checkpoint, evaluation, training_evaluation
from object_detection.legacy.best_checkpoint import Metric
from object_detection.metrics.coco_evaluation import CocoDetectionEvaluator, OksEvaluator
from object_detection.metrics.keypoint_evaluation import KeypointErrorEvaluator
from object_detection.utils import config_util

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tiny_training

pytestmark = pytest.mark.filterwarnings("ignore:Seed .* from outer graph")

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields
LOSS = "Losses/boxes"
EVALUATION = f"""
train_config {{
  num_steps: 7
  evaluation {{ every_steps: 3 best_metric: "{LOSS}" }}
}}
"""


@pytest.mark.parametrize(
    ("higher", "values", "min_change", "expected"),
    [
        pytest.param(True, [], 0.0, 0, id="none"),
        pytest.param(True, [0.5], 0.0, 0, id="one"),
        pytest.param(True, [math.nan, math.nan], 0.0, 2, id="nan is nothing"),
        pytest.param(True, [math.nan, 0.1], 0.0, 0, id="any number is better"),
        pytest.param(True, [0.5, math.nan, 0.6], 0.0, 0, id="nan between"),
        pytest.param(True, [0.5, 0.5, 0.5], 0.0, 2, id="equal is no improvement"),
        pytest.param(True, [0.5, 0.4, 0.6, 0.5], 0.0, 1, id="rises and falls"),
        pytest.param(False, [0.5, 0.4, 0.6, 0.5], 0.0, 2, id="lower is better"),
        pytest.param(True, [0.5, 0.55, 0.59, 0.61], 0.1, 0, id="small steps add up"),
        pytest.param(True, [0.5, 0.55, 0.59], 0.1, 2, id="small steps do not count"),
    ],
)
def test_evaluations_without_improvement(higher, values, min_change, expected):
    metric = Metric("m", higher)
    assert best_checkpoint.evaluations_without_improvement(metric, values, min_change) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DetectionBoxes_Precision/mAP@.50IOU", True),
        ("DetectionBoxes_Recall/AR@100", True),
        ("Keypoints/PCK@0.1", True),
        ("Keypoints/NME", False),
        ("Keypoints/FailureRate@0.1", False),
        ("PerKeypoint/Error/nose", False),
        ("Losses/localization_loss", False),
    ],
)
def test_which_metrics_should_rise(name, expected):
    assert best_checkpoint.higher_is_better(name) == expected


def test_figures_of_the_console_are_metrics_that_exist():
    categories = [{"id": 1, "name": "face"}]
    truth = {
        Inputs.groundtruth_boxes: np.array([[0.0, 0.0, 40.0, 40.0]]),
        Inputs.groundtruth_classes: np.array([1]),
        Inputs.groundtruth_keypoints: np.array([[[10.0, 10.0], [30.0, 30.0]]]),
    }
    found = {
        Detections.detection_boxes: np.array([[0.0, 0.0, 40.0, 40.0]]),
        Detections.detection_scores: np.array([0.9]),
        Detections.detection_classes: np.array([1]),
        Detections.detection_keypoints: np.array([[[10.0, 10.0], [30.0, 34.0]]]),
    }
    metrics = {}
    for kind in (CocoDetectionEvaluator, KeypointErrorEvaluator, OksEvaluator):
        evaluator = kind(categories)
        evaluator.add_single_ground_truth_image_info("one", truth)
        evaluator.add_single_detected_image_info("one", found)
        metrics |= evaluator.evaluate()
    assert set(training_evaluation._FIGURES) <= set(metrics)
    # Distances 0 and 4 pixels of a face of 40 x 40.
    assert metrics["Keypoints/NME"] == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("OKS/AP", "OKS-AP"),
        ("Keypoints/NME", "NME"),
        ("Losses/localization_loss", "localization_loss"),
        ("MyMetric", "MyMetric"),
    ],
)
def test_short_names_still_tell_metrics_apart(name, short):
    assert training_evaluation._short(name) == short


def test_the_nearest_name_is_offered():
    said = training_evaluation.unknown_metric(
        "DetectionBoxes_Precision/mAP@0.5IOU",
        ["Keypoints/NME", "DetectionBoxes_Precision/mAP", "DetectionBoxes_Precision/mAP@.50IOU"],
    )
    assert "Did you mean 'DetectionBoxes_Precision/mAP@.50IOU'?" in said
    assert "Known: DetectionBoxes_Precision/mAP, " in said


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    tiny_training.write_data(folder)
    return folder


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(model_builder, "build", tiny_training.build_tiny)


@pytest.fixture
def found(monkeypatch):
    """Step -> value that an evaluation finds in place of the loss; the true one for others."""
    values = {}
    real = evaluation.Evaluation.run

    def run(self, checkpoint):
        result = real(self, checkpoint)
        result.metrics[LOSS] = values.get(result.step, result.metrics[LOSS])
        return result

    monkeypatch.setattr(evaluation.Evaluation, "run", run)
    return values


def _train(data, train_dir, more="", text=EVALUATION, **options):
    said = []
    message = f"{text} {more}"
    outcome = tiny_training.train(data, train_dir, message, said.append, seed=3, **options)
    return outcome, said


def _best(train_dir):
    return json.loads((train_dir / "best" / "metrics.json").read_text())


def test_evaluations_and_the_best_checkpoint(data, tmp_path, found):
    found.update({3: 0.5, 6: 0.2, 7: 0.3})
    outcome, said = _train(data, tmp_path, max_to_keep=2)
    assert outcome.step == 7
    total = sum(path.stat().st_size for path in data.glob("train.record-*"))
    # 16 bytes of each record are the format's; the buffer holds three of seven.
    (words,) = [line for line in said if line.startswith("Shuffling holds up to 3 encoded records")]
    assert float(words.split()[-2]) == pytest.approx(3 * (total / 7 - 16) / 1e6, rel=0.01)
    lines = [line for line in said if line.startswith("eval ")]
    assert [line.split(":")[0] for line in lines] == ["eval 3", "eval 6", "eval 7"]
    assert "boxes 0.5000, mAP" in lines[0]
    assert "(4 pictures, " in lines[0]
    assert lines[0].endswith("; the best so far")
    assert lines[1].endswith("; the best so far")
    assert "best" not in lines[2]
    assert any(f"{LOSS} decides, lower is better" in line for line in said)
    assert json.loads((tmp_path / "eval" / "metrics.json").read_text())["step"] == 7

    assert _best(tmp_path)["step"] == 6
    assert _best(tmp_path)["value"] == 0.2
    assert _best(tmp_path)["checkpoint"] == "model.ckpt-6"
    # A checkpoint like any other, with the config that it was trained with.
    kept = tf.train.latest_checkpoint(str(tmp_path / "best"))
    reader, original = (
        tf.train.load_checkpoint(path) for path in (kept, str(tmp_path / "model.ckpt-6"))
    )
    assert reader.get_tensor("global_step") == 6
    np.testing.assert_array_equal(
        reader.get_tensor("boxes/weights"), original.get_tensor("boxes/weights")
    )
    configs = config_util.get_configs_from_pipeline_file(str(tmp_path / "best" / "pipeline.config"))
    assert configs["train_config"] == tiny_training.configs(data, EVALUATION)["train_config"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".best", "best."))]

    # Rotation does not touch it; nor does a further training that finds nothing better.
    found[9] = 0.4
    outcome, said = _train(data, tmp_path, "train_config { num_steps: 9 }", max_to_keep=2)
    assert outcome.step == 9
    assert [line.split(":")[0] for line in said if line.startswith("eval ")] == ["eval 9"]
    assert sorted(path.stem for path in tmp_path.glob("*.index")) == [
        "model.ckpt-7",
        "model.ckpt-9",
    ]
    assert _best(tmp_path)["step"] == 6
    history = json.loads((tmp_path / "eval" / "history.json").read_text())
    assert [entry["step"] for entry in history] == [3, 6, 7, 9]


def test_the_config_says_what_is_better(data, tmp_path, found):
    found.update({1: 0.5, 2: 0.7, 3: 0.6})
    text = EARLY.replace("num_steps: 40", "num_steps: 3").replace(
        "best_metric", "better: HIGHER best_metric"
    )
    _, said = _train(data, tmp_path, text=text)
    assert "higher is better" in said[1]
    assert _best(tmp_path)["step"] == 2


EARLY = f"""
train_config {{
  num_steps: 40
  evaluation {{
    every_steps: 1
    best_metric: "{LOSS}"
    early_stopping {{ patience: 2 min_change: 0.1 }}
  }}
}}
"""


def test_early_stopping_also_across_a_restart(data, tmp_path, found):
    found.update({1: 0.5, 2: 0.3, 3: 0.25, 4: 0.24, 5: 0.0})
    # The evaluation of the last step has not improved enough; the next start counts on.
    outcome, said = _train(data, tmp_path, "train_config { num_steps: 3 }", EARLY)
    assert not outcome.stopped_early
    assert said[-2].endswith("; the best so far")
    outcome, said = _train(data, tmp_path, text=EARLY)
    assert outcome.stopped_early
    assert outcome.step == 4
    assert said[-1].startswith(f"Stopped early at step 4: {LOSS} has not improved in 2 evaluations")
    # Every gain makes a best checkpoint, however small.
    assert _best(tmp_path)["step"] == 4
    outcome, said = _train(data, tmp_path, text=EARLY)
    assert outcome.stopped_early
    assert (
        f"Nothing to do: {tmp_path} was stopped early: Losses/boxes has not improved in 2"
        in said[-1]
    )
    patience = "train_config { num_steps: 5 evaluation { early_stopping { patience: 3 } } }"
    outcome, _ = _train(data, tmp_path, patience, EARLY)
    assert (outcome.step, outcome.stopped_early) == (5, False)


def test_an_evaluation_that_a_stop_cut_short_is_made_up_for(data, tmp_path, found):
    found[3] = 0.5
    _, said = _train(data, tmp_path, text="train_config { num_steps: 3 }")
    assert not [line for line in said if line.startswith("eval ")]
    outcome, said = _train(data, tmp_path, "train_config { num_steps: 3 }")
    assert outcome.step == 3
    assert [line.split(":")[0] for line in said if line.startswith("eval ")] == ["eval 3"]
    assert _best(tmp_path)["step"] == 3
    _, said = _train(data, tmp_path, "train_config { num_steps: 3 }")
    assert said[-1].startswith(f"Nothing to do: {tmp_path} is at step 3 of 3. For more steps")


def test_what_was_found_after_the_step_of_the_restart_is_forgotten(data, tmp_path, found):
    found.update({1: 0.5, 2: 0.6, 3: 0.7})
    (tmp_path / "eval").mkdir()
    history = [{"step": step, "metrics": {LOSS: 0.1}} for step in (1, 2)]
    (tmp_path / "eval" / "history.json").write_text(json.dumps(history))
    _, said = _train(data, tmp_path, "train_config { num_steps: 2 }", EARLY)
    assert [line.split(":")[0] for line in said if line.startswith("eval ")] == ["eval 1", "eval 2"]
    assert said[-2].endswith("; 1 of 2 without improvement")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            'train_config { evaluation { best_metric: "Losses/box" } }',
            r"there is no 'Losses/box'. Did you mean 'Losses/boxes'\? Known: ",
            id="misspelt metric",
        ),
        pytest.param(
            f'train_config {{ evaluation {{ best_metric: "{LOSS}" best_reader: "val" }} }}',
            "best_reader: no eval_input_reader has the name 'val'",
            id="unknown reader",
        ),
    ],
)
def test_refused_before_the_first_step(data, tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        _train(data, tmp_path, text=text)
    assert not list(tmp_path.glob("model.ckpt*"))


def test_without_readers_there_is_nothing_to_evaluate_on(data, tmp_path):
    configs = tiny_training.configs(data, EVALUATION)
    del configs["eval_input_configs"]
    with pytest.raises(ValueError, match="needs eval_config and eval_input_reader"):
        training_evaluation.TrainingEvaluation(configs, str(tmp_path), 0, print)


def test_a_damaged_history_is_named(data, tmp_path):
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "history.json").write_text('{"step": 1}')
    with pytest.raises(ValueError, match=r"history.json: cannot be read"):
        _train(data, tmp_path, text="train_config { evaluation {} }")


def _folder(tmp_path, value):
    folder = tmp_path / "best"
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps({"best_metric": "m", "value": value}))
    return folder


def test_the_kept_value(tmp_path):
    folder = _folder(tmp_path, 0.5)
    assert best_checkpoint.BestCheckpoint(str(folder), Metric("m", True)).value() == 0.5
    assert best_checkpoint.BestCheckpoint(str(folder), Metric("other", True)).value() is None
    (folder / "metrics.json").write_text("{")
    with pytest.raises(ValueError, match=r"metrics.json: cannot be read"):
        best_checkpoint.BestCheckpoint(str(folder), Metric("m", True)).value()


def test_a_stop_between_two_renamings_loses_nothing(tmp_path):
    _folder(tmp_path, 0.5).rename(tmp_path / ".best.former")
    best = best_checkpoint.BestCheckpoint(str(tmp_path / "best"), Metric("m", True))
    assert best.value() == 0.5
    assert not (tmp_path / ".best.former").exists()


def test_an_error_while_copying_leaves_the_former_best(data, tmp_path, monkeypatch):
    folder = _folder(tmp_path, 0.5)
    best = best_checkpoint.BestCheckpoint(str(folder), Metric("m", True))
    pipeline = config_util.create_pipeline_proto_from_configs(tiny_training.configs(data))
    (tmp_path / "model.ckpt-1.index").touch()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(best_checkpoint.shutil, "copy", full)
        with pytest.raises(StorageError, match="No space"):
            best.offer(str(tmp_path / "model.ckpt-1"), 1, 0.9, {}, pipeline)
    assert best.value() == 0.5
    assert best.offer(str(tmp_path / "model.ckpt-1"), 1, 0.9, {}, pipeline)
    assert best.value() == 0.9
    assert not best.offer(str(tmp_path / "model.ckpt-1"), 2, 0.8, {}, pipeline)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "model.ckpt-1.index"]
