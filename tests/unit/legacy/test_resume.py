"""Training stopped and resumed equals training not stopped, bit for bit on one CPU thread."""

import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.builders import dataset_builder, model_builder
from object_detection.legacy import trainer, training_checkpoints
from object_detection.protos import pipeline_pb2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tiny_training

pytestmark = pytest.mark.filterwarnings("ignore:Seed .* from outer graph")

ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
PROGRAM = pathlib.Path(tiny_training.__file__)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    tiny_training.write_data(folder)
    return folder


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(model_builder, "build", tiny_training.build_tiny)


def _command(data, train_dir, steps, *seed):
    return [sys.executable, str(PROGRAM), str(data), str(train_dir), str(steps), *seed]


def _run(*arguments):
    done = subprocess.run(
        _command(*arguments),
        env={**os.environ, **ONE_THREAD, "TF_CPP_MIN_LOG_LEVEL": "2"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _values(train_dir, step=None):
    path = f"{train_dir}/model.ckpt-{step}" if step else tf.train.latest_checkpoint(str(train_dir))
    reader = tf.train.load_checkpoint(path)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


@pytest.fixture(scope="module")
def at_once(data, tmp_path_factory):
    """The values after twelve steps without a stop, in one process; that is more than one epoch."""
    folder = tmp_path_factory.mktemp("at_once")
    said = _run(data, folder, 12)
    return _values(folder), int((folder / "seed.txt").read_text()), said


@pytest.mark.slow
def test_there_is_something_that_could_differ(at_once):
    values, _, said = at_once
    for name in (
        "conv/weights",
        "conv/weights/Momentum",
        "conv/weights/ExponentialMovingAverage",
        "BatchNorm/moving_variance",
    ):
        assert np.ptp(values[name]) > 0, name
    assert values["global_step"] == 12
    assert "chosen now; --seed=" in said


@pytest.mark.slow
def test_ended_moved_killed_and_gone_on_with(at_once, data, tmp_path):
    """Neither the number of steps nor the place of the checkpoints is a part of the state."""
    expected, seed, _ = at_once
    _run(data, tmp_path / "first", 3, str(seed))
    train_dir = tmp_path / "moved"
    os.rename(tmp_path / "first", train_dir)
    with subprocess.Popen(
        _command(data, train_dir, 12),
        env={**os.environ, **ONE_THREAD},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        for line in process.stdout:
            if line.startswith("step 7/"):
                process.kill()
                break
        process.stdout.read()
        assert process.wait() == -signal.SIGKILL
    step = training_checkpoints.step_of(tf.train.latest_checkpoint(str(train_dir)))
    assert 6 <= step < 12
    assert f"Training from step {step} to 12" in _run(data, train_dir, 12)
    found = _values(train_dir)
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, name)


@pytest.mark.slow
def test_another_seed_trains_otherwise(at_once, data, tmp_path):
    expected, seed, _ = at_once
    tiny_training.train(data, tmp_path, seed=seed + 1)
    assert np.any(_values(tmp_path)["boxes/weights"] != expected["boxes/weights"])


@pytest.mark.parametrize(
    ("saved", "given", "has_checkpoint", "expected", "words"),
    [
        pytest.param(None, 7, False, 7, "", id="given at the first start"),
        pytest.param("5\n", None, False, 5, "", id="killed before the first checkpoint"),
        pytest.param("5", None, True, 5, "", id="goes on"),
        pytest.param("5", 5, True, 5, "", id="the same again"),
        pytest.param("5", 7, True, 7, "is another", id="another one"),
        pytest.param(None, 7, True, 7, "is not there", id="from before there were files of seeds"),
    ],
)
def test_seeds(tmp_path, saved, given, has_checkpoint, expected, words):
    if saved:
        (tmp_path / "seed.txt").write_text(saved)
    said = []
    seed = training_checkpoints.seed_of(str(tmp_path), given, said.append, has_checkpoint)
    assert seed == expected
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    training_checkpoints.Start(str(tmp_path), None, 0, seed, pipeline).write_down()
    assert (tmp_path / "seed.txt").read_text().strip() == str(expected)
    assert (words in said[0]) if words else not said


def test_a_seed_file_that_holds_none(tmp_path):
    (tmp_path / "seed.txt").write_text("soon")
    with pytest.raises(ValueError, match="a whole number; it holds 'soon'"):
        training_checkpoints.seed_of(str(tmp_path), None, print, goes_on=False)


def test_step_of_a_checkpoint(tmp_path):
    assert training_checkpoints.step_of(None) == 0
    with tf.Session() as session:
        saver = tf.train.Saver([tf.get_variable("v", [])])
        session.run(tf.global_variables_initializer())
        path = saver.save(session, str(tmp_path / "model.ckpt"))
    assert training_checkpoints.step_of(path) == 0
    with pytest.raises(ValueError, match="cannot be read"):
        training_checkpoints.step_of(str(tmp_path / "absent"))


@pytest.mark.parametrize("in_order", [True, False])
def test_the_config_can_let_samples_pass_by(in_order, data, tmp_path, monkeypatch):
    seen = {}
    build = dataset_builder.build

    def remember(*arguments, **options):
        seen.update(options)
        return build(*arguments, **options)

    monkeypatch.setattr(dataset_builder, "build", remember)
    text = f"train_config {{ num_steps: 1 deterministic_input: {str(in_order).lower()} }}"
    tiny_training.train(data, tmp_path, text)
    assert seen["in_order"] == in_order


def test_older_checkpoints_stay_in_the_rotation(data, tmp_path):
    for steps in (1, 2, 3):
        tiny_training.train(data, tmp_path, f"train_config {{ num_steps: {steps} }}", max_to_keep=2)
    names = sorted(path.stem for path in tmp_path.glob("*.index"))
    assert names == ["model.ckpt-2", "model.ckpt-3"]


def test_averages_begin_with_the_weights_of_a_fine_tuning(data, tmp_path):
    tiny_training.train(data, tmp_path / "first", "train_config { num_steps: 1 }")
    tuned = f"""train_config {{
      num_steps: 1
      fine_tune_checkpoint: "{tmp_path}/first/model.ckpt-1"
      fine_tune_checkpoint_type: "detection"
      optimizer {{ moving_average_warmup: false moving_average_decay: 0.75 }}
    }}"""
    tiny_training.train(data, tmp_path / "second", tuned)
    before, after = (_values(tmp_path / name)["conv/weights"] for name in ("first", "second"))
    average = _values(tmp_path / "second")["conv/weights/ExponentialMovingAverage"]
    np.testing.assert_allclose(average, 0.75 * before + 0.25 * after, atol=1e-7)


def test_the_decay_of_averages_follows_the_step(data, tmp_path):
    """The first average is 9/11 of the weights of step 1: decay (1 + 1) / (10 + 1)."""
    tiny_training.train(data, tmp_path, "train_config { num_steps: 1 }", seed=1)
    tiny_training.train(data, tmp_path, "train_config { num_steps: 2 }", max_to_keep=9)
    one, two = _values(tmp_path, 1), _values(tmp_path, 2)
    name = "boxes/weights"
    average = f"{name}/ExponentialMovingAverage"
    decay = 3 / 12
    expected = decay * one[average] + (1 - decay) * two[name]
    np.testing.assert_allclose(two[average], expected, atol=1e-7)


def test_queues_are_not_evaluated(data):
    config = tiny_training.configs(data, "train_config { evaluation {} }")["train_config"]
    arguments = (None, None, config, "", 0, 1, 1, True, 0, "worker", True, "nowhere")
    with pytest.raises(ValueError, match=r"train_config.evaluation: .* train_model"):
        trainer.train(*arguments)
