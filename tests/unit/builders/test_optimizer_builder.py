import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import optimizer_builder
from object_detection.core.moving_average_optimizer import MovingAverageOptimizer
from object_detection.errors import ConfigError
from object_detection.protos import optimizer_pb2

CONSTANT = "learning_rate { constant_learning_rate { learning_rate: 0.5 } }"


def _build(text, step=None):
    return optimizer_builder.build(text_format.Parse(text, optimizer_pb2.Optimizer()), step)


def _step(optimizer, steps=1, start=1.0, gradient=2.0):
    """Values of a variable after each step with a constant gradient."""
    variable = tf.get_variable("v", [], initializer=tf.constant_initializer(start))
    train = optimizer.apply_gradients([(tf.constant(gradient), variable)])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = []
        for _ in range(steps):
            session.run(train)
            values.append(float(session.run(variable)))
    return values


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        pytest.param(
            f"momentum_optimizer {{ {CONSTANT} momentum_optimizer_value: 0.5 }}",
            tf.train.MomentumOptimizer,
            [0.0, -1.5],  # velocities 2 and 3
            id="momentum",
        ),
        pytest.param(
            f"rms_prop_optimizer {{ {CONSTANT} momentum_optimizer_value: 0 decay: 0.5 epsilon: 1 }}",
            tf.train.RMSPropOptimizer,
            # Mean squares start at 1: 2.5, then 3.25.
            [1 - 1 / np.sqrt(3.5), 1 - 1 / np.sqrt(3.5) - 1 / np.sqrt(4.25)],
            id="rms_prop",
        ),
        pytest.param(
            f"adam_optimizer {{ {CONSTANT} }}", tf.train.AdamOptimizer, [0.5, 0.0], id="adam"
        ),
    ],
)
def test_optimizers(text, kind, expected):
    optimizer, summaries = _build(text + " use_moving_average: false")
    assert isinstance(optimizer, kind)
    assert [rate.op.name for rate in summaries] == ["learning_rate"]
    np.testing.assert_allclose(_step(optimizer, 2), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant_learning_rate { learning_rate: 0.5 }", [0.5, 0.5, 0.5]),
        (
            (
                "exponential_decay_learning_rate { initial_learning_rate: 1 decay_steps: 2 "
                "decay_factor: 0.5 burnin_learning_rate: 0.25 burnin_steps: 1 min_learning_rate: 0.1 }"
            ),
            [0.25, 0.5, 0.1],
        ),
        (
            (
                "manual_step_learning_rate { initial_learning_rate: 1 "
                "schedule { step: 2 learning_rate: 0.5 } schedule { step: 9 learning_rate: 0.1 } }"
            ),
            [1.0, 0.5, 0.1],
        ),
        (
            (
                "manual_step_learning_rate { initial_learning_rate: 0 warmup: true "
                "schedule { step: 6 learning_rate: 0.6 } }"
            ),
            [0.0, 0.3, 0.6],
        ),
        (
            (
                "cosine_decay_learning_rate { learning_rate_base: 1 total_steps: 5 "
                "warmup_learning_rate: 0.5 warmup_steps: 1 }"
            ),
            [0.5, 0.5, 0.0],
        ),
    ],
)
def test_schedules(schedule, expected):
    step = tf.placeholder(tf.int64, [])
    _, (rate,) = _build(
        f"adam_optimizer {{ learning_rate {{ {schedule} }} }} use_moving_average: false", step
    )
    with tf.Session() as session:
        rates = [session.run(rate, {step: value}) for value in (0, 3, 20)]
    np.testing.assert_allclose(rates, expected, atol=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "adam_optimizer {}",
        "adam_optimizer { learning_rate {} }",
        "adam_optimizer { learning_rate { manual_step_learning_rate {} } }",
        "adam_optimizer { learning_rate { cosine_decay_learning_rate { total_steps: 3 } } }",
    ],
)
def test_incomplete_messages(text):
    with pytest.raises(ConfigError):
        _build(text)


def _averaging(decay=0.75):
    optimizer, _ = _build(
        "momentum_optimizer { learning_rate { constant_learning_rate { learning_rate: 1 } } "
        f"momentum_optimizer_value: 0 }} use_moving_average: true moving_average_decay: {decay}"
    )
    assert isinstance(optimizer, MovingAverageOptimizer)
    assert isinstance(optimizer, tf.train.Optimizer)
    return optimizer


def test_averages_by_hand_and_swapped_in_the_checkpoint(tmp_path):
    optimizer = _averaging()
    with pytest.raises(RuntimeError, match="apply_gradients"):
        optimizer.swapping_saver()
    variable = tf.get_variable("v", [], initializer=tf.zeros_initializer())
    gradients = optimizer.compute_gradients(4.0 * variable, [variable])
    step = tf.train.get_or_create_global_step()
    train = optimizer.apply_gradients(gradients, global_step=step)
    average = optimizer._ema.average(variable)
    saver = optimizer.swapping_saver()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        session.run(train)
        # Variable 0, -4, -8; average 0.75 * old + 0.25 * new: -1, then -2.75.
        assert session.run([variable, average, step]) == [-8.0, -2.75, 2]
        path = saver.save(session, str(tmp_path / "model.ckpt"))
        session.run(tf.global_variables_initializer())
        saver.restore(session, path)
        assert session.run([variable, average, step]) == [-8.0, -2.75, 2]
    reader = tf.train.load_checkpoint(path)
    assert reader.get_tensor("v") == -2.75
    assert reader.get_tensor("v/ExponentialMovingAverage") == -8.0
    with pytest.raises(ConfigError, match="ExponentialMovingAverage"):
        optimizer.swapping_saver([variable])


def test_slots_and_variables_are_the_wrapped_optimizers():
    optimizer = _averaging()
    variable = tf.get_variable("v", [], initializer=tf.zeros_initializer())
    optimizer.apply_gradients([(tf.constant(1.0), variable)])
    assert optimizer.get_slot_names() == ["momentum"]
    assert optimizer.get_slot(variable, "momentum").op.name == "v/Momentum"
    assert [one.op.name for one in optimizer.variables()] == ["v/Momentum"]


@pytest.mark.parametrize(
    ("schedule", "plain"),
    [
        ("constant_learning_rate { learning_rate: 0.5 }", [0.5] * 5),
        (
            (
                "exponential_decay_learning_rate { initial_learning_rate: 0.5 decay_steps: 6 "
                "decay_factor: 0.1 }"
            ),
            [0.5, 0.5, 0.5, 0.5, 0.05],
        ),
        (
            (
                "manual_step_learning_rate { initial_learning_rate: 0.5 schedule { step: 2 "
                "learning_rate: 0.25 } }"
            ),
            [0.5, 0.5, 0.25, 0.25, 0.25],
        ),
        (
            # cos(pi * step / 8) at steps 0, 1, 2, 4, 8.
            (
                "cosine_decay_learning_rate { learning_rate_base: 0.5 total_steps: 8 warmup_steps: 0 "
                "warmup_learning_rate: 0 }"
            ),
            [0.25 * (1 + cos) for cos in (1, 0.9238795, 0.7071068, 0, -1)],
        ),
    ],
)
def test_every_schedule_can_have_a_linear_warmup(schedule, plain, run):
    """The factor at steps 0, 1, 2, 4, 8 of 4 that begin at 0.2."""
    factors = np.array([0.2, 0.4, 0.6, 1.0, 1.0])
    for warmup, expected in (
        ("", plain),
        ("warmup_steps: 4 warmup_start_factor: 0.2", plain * factors),
    ):
        config = text_format.Parse(
            f"momentum_optimizer {{ learning_rate {{ {schedule} {warmup} }} }}",
            optimizer_pb2.Optimizer(),
        )
        rates = [
            optimizer_builder.build(config, tf.constant(step, tf.int64))[1][0]
            for step in (0, 1, 2, 4, 8)
        ]
        np.testing.assert_allclose(run(rates), expected, atol=1e-6)


def test_two_warmups_are_refused():
    config = text_format.Parse(
        "momentum_optimizer { learning_rate { cosine_decay_learning_rate {} warmup_steps: 5 } }",
        optimizer_pb2.Optimizer(),
    )
    with pytest.raises(ConfigError, match="two warm-ups"):
        optimizer_builder.build(config)
