import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError
from object_detection.utils import learning_schedules


def _curve(make, steps):
    step = tf.placeholder(tf.int64, [])
    rate = make(step)
    with tf.Session() as session:
        return [float(session.run(rate, {step: value})) for value in steps]


def test_cosine_with_warmup():
    rates = _curve(
        lambda step: learning_schedules.cosine_decay_with_warmup(step, 1.0, 110, 0.1, 10),
        [0, 5, 10, 60, 110, 200],
    )
    np.testing.assert_allclose(rates, [0.1, 0.55, 1.0, 0.5, 0.0, 0.0], atol=1e-6)


def test_cosine_that_holds_the_base_rate():
    rates = _curve(
        lambda step: learning_schedules.cosine_decay_with_warmup(step, 1.0, 120, 0.0, 10, 10),
        [5, 15, 20, 70],
    )
    np.testing.assert_allclose(rates, [0.5, 1.0, 1.0, 0.5], atol=1e-6)


def test_exponential_with_burnin():
    rates = _curve(
        lambda step: learning_schedules.exponential_decay_with_burnin(
            step, 1.0, 10, 0.1, burnin_learning_rate=0.5, burnin_steps=5, min_learning_rate=0.05
        ),
        [0, 4, 5, 14, 15, 30],
    )
    np.testing.assert_allclose(rates, [0.5, 0.5, 1.0, 1.0, 0.1, 0.05], rtol=1e-5)


def test_exponential_with_warmup():
    rates = _curve(
        lambda step: learning_schedules.exponential_decay_with_warmup(
            step, 1.0, 10, 0.25, warmup_learning_rate=0.2, warmup_steps=4, staircase=False
        ),
        [0, 2, 4, 9, 14],
    )
    np.testing.assert_allclose(rates, [0.2, 0.6, 1.0, 0.5, 0.25], rtol=1e-5)


@pytest.mark.parametrize(
    ("warmup", "expected"),
    [(False, [0.1, 0.1, 0.5, 0.5, 0.01]), (True, [0.1, 0.3, 0.5, 0.5, 0.01])],
)
def test_steps_by_hand(warmup, expected):
    rates = _curve(
        lambda step: learning_schedules.manual_stepping(step, [4, 8], [0.1, 0.5, 0.01], warmup),
        [0, 2, 4, 7, 8],
    )
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


@pytest.mark.parametrize("warmup", [False, True])
def test_a_rate_from_step_0_takes_the_place_of_the_first(warmup):
    """As in published configs; there is then no stretch to warm up in."""
    rates = _curve(
        lambda step: learning_schedules.manual_stepping(step, [0, 3], [0.1, 0.5, 0.01], warmup),
        [0, 2, 3],
    )
    np.testing.assert_allclose(rates, [0.5, 0.5, 0.01], rtol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            lambda: learning_schedules.manual_stepping(0, [5, 5], [1.0, 2.0, 3.0]), id="equal steps"
        ),
        pytest.param(
            lambda: learning_schedules.manual_stepping(0, [5], [1.0]), id="a rate too few"
        ),
        pytest.param(
            lambda: learning_schedules.manual_stepping(0, [-1, 5], [1.0, 2.0, 3.0]), id="step -1"
        ),
        pytest.param(
            lambda: learning_schedules.manual_stepping(0, [2.5], [1.0, 2.0]), id="half a step"
        ),
        pytest.param(lambda: learning_schedules.manual_stepping(0, [5], [1, 2]), id="whole rates"),
        pytest.param(
            lambda: learning_schedules.exponential_decay_with_warmup(0, 0.1, 5, 0.1, 0.2, 10),
            id="high warmup before a decay",
        ),
        pytest.param(
            lambda: learning_schedules.cosine_decay_with_warmup(0, 1.0, 5, 0.1, 10),
            id="long warmup",
        ),
        pytest.param(
            lambda: learning_schedules.cosine_decay_with_warmup(0, 0.1, 50, 1.0, 10),
            id="high warmup",
        ),
    ],
)
def test_schedules_that_contradict_themselves(make):
    with pytest.raises(ConfigError):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda step: learning_schedules.exponential_decay_with_burnin(step, 1.0, 5, 0.1),
        lambda step: learning_schedules.exponential_decay_with_warmup(step, 1.0, 5, 0.1),
        lambda step: learning_schedules.cosine_decay_with_warmup(step, 1.0, 5),
        lambda step: learning_schedules.manual_stepping(step, [], [1.0]),
    ],
)
def test_every_rate_has_its_name_and_starts_at_the_base(make, run):
    rates = [make(step) for step in (0, tf.constant(0, tf.int32), tf.Variable(0, dtype=tf.int64))]
    assert run(rates) == [1.0, 1.0, 1.0]
    for rate in rates:
        assert rate.op.name.split("/")[-1].startswith("learning_rate")
        assert rate.dtype == tf.float32
        assert rate.shape == []
