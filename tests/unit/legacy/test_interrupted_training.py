"""Trainings that are asked to end, find damaged checkpoints, or a full disk; what they say."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.builders import model_builder
from object_detection.errors import CheckpointError, StorageError
from object_detection.legacy import evaluation, training_loop
from object_detection.utils import checkpoint_files

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tiny_training

pytestmark = pytest.mark.filterwarnings("ignore:Seed .* from outer graph")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    tiny_training.write_data(folder)
    return folder


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(model_builder, "build", tiny_training.build_tiny)


def _train(data, folder, steps, more="", **options):
    """Trains, with a checkpoint after each step; gives the outcome and what was said."""
    said = []
    options = {"seed": 3, "save_every_secs": 0.0, **options}
    text = f"train_config {{ num_steps: {steps} {more} }}"
    outcome = tiny_training.train(data, folder, text, said.append, **options)
    return outcome, said


@pytest.fixture(scope="module")
def three_steps(data, tmp_path_factory):
    """A directory with checkpoints of steps 1, 2 and 3; to be copied."""
    folder = tmp_path_factory.mktemp("three_steps") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_builder, "build", tiny_training.build_tiny)
        _train(data, folder, 3)
    return folder


@pytest.fixture
def run(three_steps, tmp_path):
    return pathlib.Path(shutil.copytree(three_steps, tmp_path / "run"))


def _names(folder):
    """All below a folder but event files and what the reader writes of its records."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(("events.", "records_"))
    )


def _of_steps(*steps):
    parts = ("data-00000-of-00001", "index", "meta")
    return sorted(
        ["checkpoint", "pipeline.config", "seed.txt"]
        + [f"model.ckpt-{step}.{part}" for step in steps for part in parts]
    )


def test_a_finished_training_leaves_nothing_else_and_says_what_to_do(data, run):
    assert _names(run) == _of_steps(1, 2, 3)
    before = {name: (run / name).stat().st_mtime_ns for name in _names(run)}
    outcome, said = _train(data, run, 3)
    assert outcome.step == 3
    assert said[-1].startswith(f"Nothing to do: {run} is at step 3 of 3. For more steps raise")
    assert {name: (run / name).stat().st_mtime_ns for name in _names(run)} == before


def test_going_on_says_where_and_what_has_changed(data, run):
    _, said = _train(data, run, 4, 'batch_size: 3 fine_tune_checkpoint: "x/model.ckpt-1"')
    begin = said.index(f"Resuming from {run}/model.ckpt-3, step 3.")
    assert "fine_tune_checkpoint is not read again" in said[begin + 1]
    assert said[begin + 2 : begin + 6] == [
        f"Changed since {run}/pipeline.config was written:",
        "  train_config.batch_size: 2 -> 3",
        "  train_config.fine_tune_checkpoint: '' -> 'x/model.ckpt-1'",
        "  train_config.num_steps: 3 -> 4",
    ]
    assert not any(line.startswith("Fine-tuning") for line in said)
    assert "batch_size: 3" in (run / "pipeline.config").read_text()
    _, said = _train(data, run, 4, 'batch_size: 3 fine_tune_checkpoint: "x/model.ckpt-1"')
    assert not any("Changed" in line for line in said)


def test_many_changes_are_counted(data, run):
    more = "data_augmentation_options { random_vertical_flip {} }" * 3
    more += "gradient_clipping_by_global_norm: 2 optimizer { moving_average_decay: 0.5 "
    more += "momentum_optimizer { momentum_optimizer_value: 0.25 learning_rate {"
    more += "exponential_decay_learning_rate { initial_learning_rate: 1 decay_steps: 4"
    more += " decay_factor: 0.5 staircase: false } warmup_steps: 6 warmup_start_factor: 0.5 } } }"
    more += "batch_size: 3 summarize_gradients: true keep_checkpoint_every_n_hours: 9"
    _, said = _train(data, run, 4, more)
    begin = next(number for number, line in enumerate(said) if line.startswith("Changed"))
    assert said[begin + 11].startswith("  and ")
    assert not said[begin + 12].startswith("  ")


def test_a_config_of_another_version_is_no_obstacle(data, run):
    (run / "pipeline.config").write_text("train_config { no_such_field: 1 }")
    outcome, said = _train(data, run, 4)
    assert outcome.step == 4
    assert any("cannot be compared" in line for line in said)


@pytest.mark.parametrize("absent", [["seed.txt"], ["seed.txt", "pipeline.config", "checkpoint"]])
def test_an_older_training_that_fits_is_taken(data, run, absent):
    for name in absent:
        (run / name).unlink()
    outcome, said = _train(data, run, 4)
    assert outcome.step == 4
    assert f"Resuming from {run}/model.ckpt-3, step 3." in said


def test_another_models_directory_is_left_as_it_was(data, run, monkeypatch):
    class Other(tiny_training.TinyModel):
        def predict(self, *arguments, **named):
            with tf.variable_scope("other"):
                return super().predict(*arguments, **named)

    monkeypatch.setattr(model_builder, "build", lambda _, is_training: Other(is_training))
    (run / "seed.txt").unlink()
    (run / "pipeline.config").unlink()
    before = {path: path.read_bytes() for path in run.iterdir()}
    with pytest.raises(CheckpointError, match="of another model"):
        _train(data, run, 4)
    found = {path: path.read_bytes() for path in run.iterdir() if "records_" not in path.name}
    assert found == {path: text for path, text in before.items() if "records_" not in path.name}


def test_a_damaged_checkpoint_costs_the_steps_since_the_one_before(data, run):
    expected = tf.train.load_checkpoint(str(run / "model.ckpt-3")).get_tensor("boxes/weights")
    path = run / "model.ckpt-3.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    outcome, said = _train(data, run, 3)
    assert outcome.step == 3
    assert any("is damaged" in line and "Taking model.ckpt-2" in line for line in said)
    assert f"Resuming from {run}/model.ckpt-2, step 2." in said
    found = tf.train.load_checkpoint(str(run / "model.ckpt-3")).get_tensor("boxes/weights")
    # Several threads add in any order.
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert _names(run) == _of_steps(1, 2, 3)


def test_no_whole_checkpoint_is_no_new_training(data, run):
    for path in run.glob("*.index"):
        path.write_bytes(b"")
    before = _names(run)
    with pytest.raises(CheckpointError, match="none of its checkpoints is whole"):
        _train(data, run, 4)
    assert _names(run) == before


def test_a_request_between_steps_saves(data, tmp_path, monkeypatch):
    run_step = training_loop.Loop._run_step

    def asked(self, *arguments):
        done = run_step(self, *arguments)
        if self._step == 2:
            signal.raise_signal(signal.SIGTERM)
        return done

    monkeypatch.setattr(training_loop.Loop, "_run_step", asked)
    outcome, said = _train(data, tmp_path, 9, save_every_secs=1000.0)
    assert (outcome.interrupted, outcome.step) == (True, 2)
    assert said[-1] == f"Interrupted at step 2; saved {tmp_path}/model.ckpt-2."
    assert _names(tmp_path) == _of_steps(2)


def test_a_request_while_saving_waits_for_the_checkpoint(data, tmp_path, monkeypatch):
    save = tf.train.Saver.save

    def asked(*arguments, **named):
        signal.raise_signal(signal.SIGINT)
        return save(*arguments, **named)

    monkeypatch.setattr(tf.train.Saver, "save", asked)
    outcome, _ = _train(data, tmp_path, 9)
    assert (outcome.interrupted, outcome.step) == (True, 1)
    assert _names(tmp_path) == _of_steps(1)


@pytest.mark.parametrize("where", ["writing", "moving"])
def test_two_requests_while_saving_leave_nothing_partial(data, run, monkeypatch, where):
    replace, save = os.replace, tf.train.Saver.save

    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    def asked_in_save(*arguments, **named):
        save(*arguments, **named)
        twice()

    def asked_in_replace(source, target):
        if target.endswith("model.ckpt-4.data-00000-of-00001"):
            twice()
        replace(source, target)

    if where == "writing":
        monkeypatch.setattr(tf.train.Saver, "save", asked_in_save)
        with pytest.raises(KeyboardInterrupt):
            _train(data, run, 9)
        assert _names(run) == _of_steps(1, 2, 3)
    else:
        monkeypatch.setattr(os, "replace", asked_in_replace)
        # Moving takes no time, so both are heard afterwards, as one.
        outcome, _ = _train(data, run, 9)
        assert outcome.step == 4
        assert _names(run) == _of_steps(1, 2, 3, 4)


EVALUATION = 'evaluation { every_steps: 2 best_metric: "Losses/boxes" }'


def test_an_evaluation_is_left_and_made_at_the_next_start(data, tmp_path, monkeypatch):
    count = evaluation.Evaluation._count
    asked = []

    def ask(self, picture, number):
        # Not in the rehearsal, which is of one batch.
        if number == 3 and not asked:
            asked.append(number)
            signal.raise_signal(signal.SIGTERM)
        count(self, picture, number)

    monkeypatch.setattr(evaluation.Evaluation, "_count", ask)
    outcome, said = _train(data, tmp_path, 2, EVALUATION)
    assert (outcome.interrupted, outcome.step) == (True, 2)
    assert any("evaluation of step 2 is left out" in line for line in said)
    assert _names(tmp_path) == _of_steps(1, 2)
    outcome, said = _train(data, tmp_path, 2, EVALUATION)
    assert not outcome.interrupted
    assert any(line.startswith("eval 2:") and "the best so far" in line for line in said)
    assert "eval/history.json" in _names(tmp_path)


def test_killed_between_the_best_checkpoint_and_the_history(data, tmp_path, monkeypatch):
    """What a kill there leaves: the best is kept, and the evaluation is not known as made."""
    _train(data, tmp_path, 2, EVALUATION)
    (tmp_path / "eval" / "history.json").unlink()
    before = (tmp_path / "best" / "metrics.json").read_text()
    _, said = _train(data, tmp_path, 2, EVALUATION)
    assert any(line.startswith("eval 2:") and line.endswith("the best so far") for line in said)
    assert (tmp_path / "best" / "metrics.json").read_text() == before


def test_before_the_first_step_nothing_is_left(data, tmp_path, monkeypatch):
    def asked(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(model_builder, "build", asked)
    with pytest.raises(KeyboardInterrupt):
        _train(data, tmp_path / "run", 2)
    assert not (tmp_path / "run").exists() or _names(tmp_path / "run") == []


@pytest.fixture
def small_disk(tmp_path):
    """A file system of three megabytes, and what makes it larger."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if (
        shutil.which("mount") is None
        or subprocess.run(command, capture_output=True, check=False).returncode
    ):
        pytest.skip("needs the right to mount a file system")
    try:
        yield (
            folder,
            lambda: subprocess.run(["mount", "-o", "remount,size=30m", str(folder)], check=True),
        )
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_with_one_message_and_the_last_checkpoint_whole(data, small_disk):
    disk, enlarge = small_disk
    run = disk / "run"
    with pytest.raises(
        StorageError, match=r"(model.ckpt-\d+|checkpoint): .*No space left.* are free"
    ):
        _train(data, run, 100, max_to_keep=0)
    latest = checkpoint_files.latest_whole(str(run), thorough=True)
    step = checkpoint_files.step_in_name(latest)
    assert step > 0
    assert _names(run) == _of_steps(*range(1, step + 1))
    # Full at once: the next start says the same, and loses nothing.
    with pytest.raises(StorageError):
        _train(data, run, 100, max_to_keep=0)
    assert checkpoint_files.latest_whole(str(run), thorough=True) == latest
    enlarge()
    outcome, _ = _train(data, run, step + 1, max_to_keep=0)
    assert outcome.step == step + 1
    assert _names(run) == _of_steps(*range(1, step + 2))
