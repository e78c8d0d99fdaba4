"""Trainings that meet numbers that are not finite: what changes, what is said, what is kept."""

import contextlib
import errno
import json
import os
import pathlib
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection import inputs
from object_detection.builders import model_builder
from object_detection.core import standard_fields as fields
from object_detection.errors import CheckpointError, DataError, StorageError
from object_detection.legacy import bad_numbers, bad_step, trainer, training_session
from object_detection.legacy.bad_step_record import Record
from object_detection.protos import train_pb2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tiny_training

Inputs = fields.InputDataFields
SEED = 3
ROLL_BACK = "train_config { non_finite { policy: ROLL_BACK max_times: 2 } }"
SKIP = "train_config { non_finite { policy: SKIP max_times: 2 } }"

pytestmark = pytest.mark.filterwarnings("ignore:Seed .* from outer graph")


class RootModel(tiny_training.TinyModel):
    """Its loss has an infinite slope where no box counts."""

    def loss(self, prediction_dict, true_image_shapes):
        losses = super().loss(prediction_dict, true_image_shapes)
        return {name: tf.sqrt(loss) for name, loss in losses.items()}


class BlindModel(tiny_training.TinyModel):
    """Finds nothing but NaN, except in training."""

    def predict(self, preprocessed_inputs, true_image_shapes, **more):
        predictions = super().predict(preprocessed_inputs, true_image_shapes, **more)
        if self._is_training:
            return predictions
        return {name: value * np.nan for name, value in predictions.items()}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    tiny_training.write_data(folder)
    return folder


def _one_thread():
    """Additions in one order, so that values can be compared bit for bit."""
    return tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)


class Trainings:
    """Trainings of a tiny model on batches of which some are spoilt."""

    def __init__(self, data):
        self._data = data
        self.outcome = None

    def __call__(self, train_dir, steps, more="", model=tiny_training.TinyModel, every=0.0, **bad):
        """The lines said; `bad` are arguments of `_spoilt`."""
        configs = tiny_training.configs(self._data, f"train_config {{ num_steps: {steps} }} {more}")
        # Without crops, so that each picture has its box.
        del configs["train_config"].data_augmentation_options[1]
        options = trainer.LoopOptions(on_cpu=True, seed=SEED, save_every_secs=every, max_to_keep=50)
        said = []
        with pytest.MonkeyPatch.context() as patched, tf.Graph().as_default():
            patched.setattr(training_session, "session_config", _one_thread)
            patched.setattr(model_builder, "build", lambda _, is_training, **__: model(is_training))
            if bad:
                patched.setattr(inputs, "training_dataset", _spoilt(**bad))
            self.outcome = trainer.train_model(configs, str(train_dir), options, said.append)
        return said


def _spoilt(batches=(), field=Inputs.image, value=np.nan, ahead=0):
    """In place of `inputs.training_dataset`: one field of some batches is spoilt.

    Args:
        batches: their numbers, from 0 for the first of the training.
        field: of the batch.
        value: that it gets.
        ahead: batches that are left out at the beginning.
    """
    make = inputs.training_dataset

    def dataset(*arguments, start=0, **named):
        start += ahead * arguments[0].batch_size

        def spoil(number, batch):
            is_bad = tf.reduce_any(tf.equal(number, tf.constant(list(batches), tf.int64)))
            good = batch[field]
            return {**batch, field: tf.where(is_bad, tf.fill(tf.shape(good), value), good)}

        first = start // arguments[0].batch_size
        return make(*arguments, start=start, **named).enumerate(first).map(spoil)

    return dataset


@pytest.fixture
def train(data):
    return Trainings(data)


@pytest.fixture(scope="module")
def good(data, tmp_path_factory):
    """The folder of a training without anything bad; it has checkpoints of steps 1 to 4."""
    folder = tmp_path_factory.mktemp("good")
    Trainings(data)(folder, 4)
    return folder


def _values(train_dir, step):
    reader = tf.train.load_checkpoint(f"{train_dir}/model.ckpt-{step}")
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def _write(train_dir, *values):
    """The folder of a training with these checkpoints."""
    train_dir.mkdir(exist_ok=True)
    with tf.Graph().as_default(), tf.Session() as session:
        variables = {name: tf.Variable(value) for name, value in values[0].items()}
        saver = tf.train.Saver(variables)
        for of_step in values:
            for name, value in of_step.items():
                variables[name].load(value, session)
            saver.save(session, f"{train_dir}/model.ckpt", of_step["global_step"])
    (train_dir / "seed.txt").write_text(f"{SEED}\n")


def _with_nan(values, name):
    value = values[name].copy()
    value.reshape(-1)[0] = np.nan
    return values | {name: value}


def _assert_equal(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, name)


def _later(values, steps=1):
    return values | {"global_step": values["global_step"] + steps}


def test_a_bad_picture_stops_after_the_last_good_step(train, good, tmp_path):
    with pytest.raises(DataError) as error:
        train(tmp_path, 6, batches=[3])
    words = str(error.value)
    for part in (
        "Step 4: Loss/boxes, Loss/TotalLoss is not finite (Loss/boxes nan, Loss/TotalLoss nan)",
        "Gradients: 5 of 5 are not finite, the first is of conv/weights (norm nan)",
        "Not finite in the batch: image of ",
        f"The batch is in {tmp_path}/bad_steps/step-4.npz",
        f"saved as {tmp_path}/model.ckpt-3; the same command begins with the same batch again",
        "policy: SKIP",
    ):
        assert part in words
    _assert_equal(_values(tmp_path, 3), _values(good, 3))
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith("model.ckpt-3")
    assert [path.name for path in (tmp_path / "bad_steps").iterdir()] == ["step-4.npz"]
    with np.load(tmp_path / "bad_steps" / "step-4.npz", allow_pickle=False) as file:
        assert file["step"] == 4
        assert file["image"].shape == (2, 8, 8, 3)
        assert np.isnan(file["image"]).all()
        assert file["groundtruth_boxes"].shape == (2, 1, 4)
        assert np.isfinite(file["groundtruth_boxes"]).all()
        assert set(file["source_id"]) < set("0123456")
        assert file["loss_names"].tolist() == ["Loss/boxes", "Loss/TotalLoss"]
        assert np.isnan(file["loss_values"]).all()
        assert file["gradient_variables"].tolist()[0] == "conv/weights"
        assert np.isnan(file["gradient_norms"]).tolist() == [True] * 5


@pytest.mark.parametrize(
    ("field", "value", "model"),
    [
        pytest.param(Inputs.image, np.inf, tiny_training.TinyModel, id="picture"),
        pytest.param(Inputs.groundtruth_boxes, np.nan, tiny_training.TinyModel, id="label"),
        pytest.param(Inputs.groundtruth_weights, 0.0, RootModel, id="gradient of a finite loss"),
    ],
)
def test_skipping_is_leaving_out_one_update(train, tmp_path, field, value, model):
    """Against a training whose variables are taken over, by hand, one step later."""
    skipping, by_hand = tmp_path / "skipping", tmp_path / "by_hand"
    said = train(skipping, 5, SKIP, model, batches=[2], field=field, value=value)
    assert train.outcome.skipped == 1
    assert said[-1] == "steps that were not finite: 1 skipped"
    assert sum(line.startswith("Step 3: ") for line in said) == 1
    if model is RootModel:
        assert any("Loss/boxes 0, Loss/TotalLoss 0" in line for line in said)
    before = _values(skipping, 2)
    _assert_equal(_values(skipping, 3), _later(before))
    _write(by_hand, _later(before))
    train(by_hand, 5, model=model)
    _assert_equal(_values(skipping, 5), _values(by_hand, 5))
    assert all(np.isfinite(value).all() for value in _values(skipping, 5).values())


def test_skipping_stopped_and_gone_on_with(train, tmp_path):
    bad = {"batches": [1, 2, 4]}
    train(tmp_path / "at_once", 5, SKIP, every=1e9, **bad)
    for steps in (2, 5):
        train(tmp_path / "parts", steps, SKIP, every=1e9, **bad)
    assert train.outcome.skipped == 3
    _assert_equal(_values(tmp_path / "parts", 5), _values(tmp_path / "at_once", 5))
    (path,) = (tmp_path / "at_once").glob("events*")
    counts = {
        event.step: value.simple_value
        for event in tf.train.summary_iterator(str(path))
        for value in event.summary.value
        if value.tag == "NotFinite/skipped"
    }
    assert counts == {2: 1, 3: 2, 5: 3}


def test_as_many_in_a_row_as_max_times_says(train, tmp_path):
    bad = {"batches": [0, 1, 3, 4, 5]}
    for _ in range(2):
        with pytest.raises(DataError, match=r"^Step 6: .* 2 steps in a row were skipped before"):
            train(tmp_path, 7, SKIP, **bad)
        assert tf.train.latest_checkpoint(str(tmp_path)).endswith("model.ckpt-5")
    train(tmp_path, 7, SKIP.replace("2", "3"), **bad)
    assert train.outcome.skipped == 5
    assert train.outcome.step == 7


def test_going_back_goes_on_with_the_batches_after_the_bad_one(train, good, tmp_path):
    """Against a training of the restored variables, by hand, with data that begin later."""
    going_back, by_hand = tmp_path / "going_back", tmp_path / "by_hand"
    for folder in (going_back, by_hand):
        _write(folder, _values(good, 2))
    said = train(going_back, 4, ROLL_BACK, every=1e9, batches=[3])
    assert train.outcome.returns == 1
    assert any(f"Back to {going_back}/model.ckpt-2, the first time" in line for line in said)
    # Step 3 took batch 2; batch 3 is bad; step 3 takes batch 4 now.
    train(by_hand, 6, ahead=2)
    _assert_equal(_values(going_back, 4), _values(by_hand, 4))
    # Where the data go on outlasts the process.
    train(going_back, 6, ROLL_BACK, every=1e9, batches=[3])
    _assert_equal(_values(going_back, 6), _values(by_hand, 6))


def test_as_many_returns_as_max_times_says(train, tmp_path):
    bad = {"batches": [1, 2, 3]}
    for _ in range(2):
        with pytest.raises(DataError, match=r"gone back to .*model.ckpt-0 2 times already"):
            train(tmp_path, 6, ROLL_BACK, every=1e9, **bad)
        assert Record(str(tmp_path), 0).returns == 2
    train(tmp_path, 2, ROLL_BACK.replace("2", "3"), every=1e9, **bad)
    assert train.outcome.step == 2


def test_going_back_beyond_a_checkpoint_that_is_not_finite(train, good, tmp_path):
    spoilt = _with_nan(_values(good, 4), "conv/weights")
    _write(tmp_path, _values(good, 3), spoilt)
    said = train(tmp_path, 5, ROLL_BACK)
    assert any("Variables that are not finite themselves: conv/weights" in line for line in said)
    assert any(line.endswith("model.ckpt-4: conv/weights is not finite.") for line in said)
    assert any(f"Back to {tmp_path}/model.ckpt-3" in line for line in said)
    _assert_equal(_values(tmp_path / "bad_steps", 4), spoilt)
    assert all(np.isfinite(value).all() for value in _values(tmp_path, 5).values())
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert [path[-1] for path in state.all_model_checkpoint_paths] == list("345")


def test_no_checkpoint_is_finite(train, good, tmp_path):
    _write(tmp_path, _with_nan(_values(good, 1), "conv/weights"))
    with pytest.raises(CheckpointError, match="no checkpoint is left"):
        train(tmp_path, 2, ROLL_BACK)
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith("model.ckpt-1")


def test_weights_that_are_not_finite_cannot_be_skipped(train, good, tmp_path):
    _write(tmp_path, _with_nan(_values(good, 1), "boxes/biases"))
    with pytest.raises(DataError, match="not finite themselves: boxes/biases"):
        train(tmp_path, 9, SKIP)
    assert [path.name for path in tmp_path.glob("*.index")] == ["model.ckpt-1.index"]


@pytest.mark.parametrize("more", [SKIP, ROLL_BACK])
def test_variables_that_are_not_finite_are_never_saved(train, good, tmp_path, more):
    """An average does not reach any loss."""
    spoilt = _with_nan(_values(good, 2), "conv/weights/ExponentialMovingAverage")
    _write(tmp_path, _values(good, 1), spoilt)
    expected = (
        contextlib.nullcontext()
        if more == ROLL_BACK
        else pytest.raises(DataError, match=r"the first is conv/weights/Exp.* They are not saved")
    )
    with expected:
        train(tmp_path, 3, more)
    assert (tmp_path / "model.ckpt-3.index").exists() == (more == ROLL_BACK)
    for path in tmp_path.glob("model.ckpt-3.index"):
        assert all(np.isfinite(value).all() for value in _values(tmp_path, 3).values()), path


def test_an_evaluation_that_finds_nan_does_not_end_the_training(train, tmp_path):
    said = train(
        tmp_path,
        2,
        """
        train_config { evaluation { every_steps: 1 best_metric: "Losses/boxes" } }
        eval_config { num_visualizations: 2 }
        """,
        BlindModel,
        every=1e9,
    )
    assert train.outcome.step == 2
    assert [line.split(",")[0] for line in said if line.startswith("eval ")] == [
        "eval 1: boxes nan",
        "eval 2: boxes nan",
    ]
    with open(tmp_path / "eval" / "metrics.json") as file:
        metrics = json.load(file, parse_constant=lambda name: pytest.fail(name))["metrics"]
    assert metrics["Losses/boxes"] is None
    assert metrics["DetectionBoxes_Precision/mAP"] == 0
    assert sum("4 detections are not finite and count for nothing" in line for line in said) == 2
    assert not (tmp_path / "best").exists()


def _full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def one_bad_step(monkeypatch):
    """What decides on step 7, which is not finite, and the lines said."""
    bad = bad_step.BadStep(7, {"Loss/a": np.nan}, {"v": 1.0}, {"image": np.zeros([1, 2])}, ())
    monkeypatch.setattr(bad_step, "read", lambda *_: bad)
    monkeypatch.setattr(bad_numbers.BadNumbers, "not_finite", lambda *_: [])

    def make(train_dir):
        said = []
        record = Record(str(train_dir), 6)
        config = train_pb2.NonFinite()
        return bad_numbers.BadNumbers(None, config, str(train_dir), record, said.append), said

    return make


def test_a_full_disk_does_not_hide_a_bad_step(one_bad_step, tmp_path, monkeypatch):
    monkeypatch.setattr(np, "savez_compressed", _full)
    numbers, said = one_bad_step(tmp_path)
    with pytest.raises(DataError, match=r"Loss/a is not finite.*could not be written \(.*No space"):
        numbers.after_bad_step(None, 7, lambda: "model.ckpt-6")
    assert not said

    def no_room():
        raise StorageError("model.ckpt-6: no room")

    with pytest.raises(StorageError, match=r"model.ckpt-6: no room"):
        numbers.after_bad_step(None, 7, no_room)
    assert "Step 7: Loss/a is not finite" in said[0]


def test_the_first_step_has_nothing_before_it(one_bad_step, tmp_path):
    numbers, _ = one_bad_step(tmp_path)
    with pytest.raises(DataError, match=r"The same command begins with the same batch again"):
        numbers.after_bad_step(None, 1, lambda: pytest.fail("saved what nobody trained"))
