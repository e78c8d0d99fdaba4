"""Trainings that meet numbers that are not finite: what changes, what is said, what is kept."""

import pathlib
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection import inputs
from object_detection.builders import model_builder
from object_detection.core import standard_fields as fields
from object_detection.errors import DataError
from object_detection.legacy import trainer, training_session

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tiny_training

Inputs = fields.InputDataFields
SEED = 3
SKIP = "train_config { non_finite { policy: SKIP max_times: 2 } }"

pytestmark = pytest.mark.filterwarnings("ignore:Seed .* from outer graph")


class RootModel(tiny_training.TinyModel):
    """Its loss has an infinite slope where no box counts."""

    def loss(self, prediction_dict, true_image_shapes):
        losses = super().loss(prediction_dict, true_image_shapes)
        return {name: tf.sqrt(loss) for name, loss in losses.items()}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    tiny_training.write_data(folder)
    return folder


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Additions in one order, so that values can be compared bit for bit."""

    def config():
        return tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)

    monkeypatch.setattr(training_session, "session_config", config)


@pytest.fixture
def train(data, monkeypatch):
    """train(train_dir, steps, bad=(), ...): the lines said; batches of these numbers are spoilt."""

    def run(
        train_dir, steps, bad=(), more="", field=Inputs.image, value=np.nan, model=None, every=0.0
    ):
        make = inputs.training_dataset

        def spoilt(*arguments, start=0, **named):
            first = start // arguments[0].batch_size

            def spoil(number, batch):
                is_bad = tf.reduce_any(tf.equal(number, tf.constant(bad, tf.int64)))
                good = batch[field]
                return {**batch, field: tf.where(is_bad, tf.fill(tf.shape(good), value), good)}

            return make(*arguments, start=start, **named).enumerate(first).map(spoil)

        with monkeypatch.context() as patched:
            if bad:
                patched.setattr(inputs, "training_dataset", spoilt)
            patched.setattr(
                model_builder, "build", lambda *_, **__: (model or tiny_training.TinyModel)(True)
            )
            said = []
            configs = tiny_training.configs(data, f"train_config {{ num_steps: {steps} }} {more}")
            # Without crops, so that each picture has its box.
            del configs["train_config"].data_augmentation_options[1]
            options = trainer.LoopOptions(
                on_cpu=True, seed=SEED, save_every_secs=every, max_to_keep=50
            )
            run.outcome = trainer.train_model(configs, str(train_dir), options, said.append)
        return said

    return run


def _values(train_dir, step):
    reader = tf.train.load_checkpoint(f"{train_dir}/model.ckpt-{step}")
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def _write(train_dir, step, values):
    """A checkpoint with these values, and the seed of the trainings here."""
    train_dir.mkdir()
    with tf.Graph().as_default(), tf.Session() as session:
        variables = {name: tf.Variable(value) for name, value in values.items()}
        session.run(tf.global_variables_initializer())
        tf.train.Saver(variables).save(session, f"{train_dir}/model.ckpt", step)
    (train_dir / "seed.txt").write_text(f"{SEED}\n")


def _assert_equal(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, name)


def test_a_bad_picture_stops_after_the_last_good_step(train, tmp_path):
    with pytest.raises(DataError) as error:
        train(tmp_path / "bad", 6, bad=[3])
    words = str(error.value)
    for part in (
        "Step 4: Loss/boxes, Loss/TotalLoss is not finite (Loss/boxes nan, Loss/TotalLoss nan)",
        "Gradients: 5 of 5 are not finite, the first is of conv/weights (norm nan)",
        "Not finite in the batch: image of ",
        f"The batch is in {tmp_path}/bad/bad_steps/step-4.npz",
        f"saved as {tmp_path}/bad/model.ckpt-3; the same command begins with the same batch again",
        "policy: SKIP",
    ):
        assert part in words
    train(tmp_path / "good", 3)
    _assert_equal(_values(tmp_path / "bad", 3), _values(tmp_path / "good", 3))


def test_the_file_of_a_bad_step(train, tmp_path):
    train(tmp_path, 2, bad=[1], more=SKIP)
    with np.load(tmp_path / "bad_steps" / "step-2.npz") as file:
        assert file["step"] == 2
        assert file["image"].shape == (2, 8, 8, 3)
        assert np.isnan(file["image"]).all()
        assert file["groundtruth_boxes"].shape == (2, 1, 4)
        assert np.isfinite(file["groundtruth_boxes"]).all()
        assert set(file["source_id"]) < set("0123456")
        assert file["loss_names"].tolist() == ["Loss/boxes", "Loss/TotalLoss"]
        assert np.isnan(file["loss_values"]).all()
        assert file["gradient_variables"].tolist()[0] == "conv/weights"
        assert file["gradient_norms"].shape == file["gradient_variables"].shape
    assert [path.name for path in (tmp_path / "bad_steps").iterdir()] == ["step-2.npz"]


@pytest.mark.parametrize(
    ("field", "value", "model"),
    [
        pytest.param(Inputs.image, np.inf, None, id="picture"),
        pytest.param(Inputs.groundtruth_boxes, np.nan, None, id="label"),
        pytest.param(Inputs.groundtruth_weights, 0.0, RootModel, id="gradient of a finite loss"),
    ],
)
def test_skipping_is_leaving_out_one_update(train, tmp_path, field, value, model):
    """Against a training whose variables are taken over, by hand, one step later."""
    skipping, by_hand = tmp_path / "skipping", tmp_path / "by_hand"
    said = train(skipping, 7, bad=[3], more=SKIP, field=field, value=value, model=model)
    assert train.outcome.skipped == 1
    assert said[-1] == "steps that were not finite: 1 skipped"
    assert sum(line.startswith("Step 4: ") for line in said) == 1
    if model:
        assert any("Loss/boxes 0, Loss/TotalLoss 0" in line for line in said)
    train(tmp_path / "good", 3, model=model)
    before = _values(tmp_path / "good", 3)
    _assert_equal(_values(skipping, 3), before)
    _assert_equal(_values(skipping, 4), before | {"global_step": np.int64(4)})
    _write(by_hand, 4, before | {"global_step": np.int64(4)})
    train(by_hand, 7, model=model)
    _assert_equal(_values(skipping, 7), _values(by_hand, 7))
    assert all(np.isfinite(value).all() for value in _values(skipping, 7).values())


def test_skipping_stopped_and_gone_on_with(train, tmp_path):
    train(tmp_path / "at_once", 6, bad=[1, 2, 4], more=SKIP)
    for steps in (2, 3, 6):
        train(tmp_path / "parts", steps, bad=[1, 2, 4], more=SKIP)
    assert train.outcome.skipped == 3
    _assert_equal(_values(tmp_path / "parts", 6), _values(tmp_path / "at_once", 6))


def test_as_many_in_a_row_as_max_times_says(train, tmp_path):
    bad = [0, 1, 3, 4, 5]
    for _ in range(2):
        with pytest.raises(DataError, match=r"^Step 6: .* 2 steps in a row were skipped before"):
            train(tmp_path, 9, bad=bad, more=SKIP)
        assert tf.train.latest_checkpoint(str(tmp_path)).endswith("model.ckpt-5")
    train(tmp_path, 9, bad=bad, more=SKIP.replace("2", "3"))
    assert train.outcome.skipped == 5
    assert train.outcome.step == 9


def test_skips_are_counted_for_tensorboard(train, tmp_path):
    train(tmp_path, 4, bad=[1, 3], more=SKIP)
    (path,) = tmp_path.glob("events*")
    counts = {
        event.step: value.simple_value
        for event in tf.train.summary_iterator(str(path))
        for value in event.summary.value
        if value.tag == "NotFinite/skipped"
    }
    assert counts == {2: 1, 4: 2}
