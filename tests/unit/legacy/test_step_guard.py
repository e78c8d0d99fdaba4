"""The guard of a step: when it fails, what waits for it, what can be read then."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.legacy import step_guard

NAN, INF = float("nan"), float("inf")


def _guard(losses, gradients, batch=None):
    tensors = {name: tf.constant(value) for name, value in losses.items()}
    total = tf.add_n(list(tensors.values()))
    squares = [
        (step_guard.half_square(tf.constant(gradient)), tf.get_variable(name, [len(gradient)]))
        for name, gradient in gradients.items()
    ]
    return step_guard.build({**tensors, "total": total}, total, squares, batch or {})


@pytest.mark.parametrize(
    ("losses", "gradients", "good"),
    [
        pytest.param({"a": 0.0}, {"v": [0.0]}, True, id="nothing to do"),
        pytest.param({"a": 1e30}, {"v": [1e18, -1e18]}, True, id="large"),
        pytest.param({"a": NAN}, {"v": [1.0]}, False, id="loss nan"),
        pytest.param({"a": INF, "b": -INF}, {"v": [1.0]}, False, id="losses cancel out"),
        pytest.param({"a": 1.0}, {"v": [1.0], "w": [1.0, NAN]}, False, id="gradient nan"),
        pytest.param({"a": 1.0}, {"v": [-INF], "w": [1.0]}, False, id="gradient infinite"),
        pytest.param({"a": 1.0}, {"v": [1e20]}, False, id="norm beyond float32"),
    ],
)
def test_what_fails(losses, gradients, good):
    guard = _guard(losses, gradients, {"x": tf.constant([b"p", b"q"])})
    with tf.Session() as session:
        if good:
            session.run(guard.passed)
        else:
            with pytest.raises(tf.errors.InvalidArgumentError) as error:
                session.run(guard.passed)
            assert step_guard.failed(error.value)
        found = session.run(guard.last_step)
    assert guard.losses == (*losses, "total")
    with np.errstate(over="ignore", invalid="ignore"):
        np.testing.assert_array_equal(
            found.losses, np.float32([*losses.values(), sum(losses.values())])
        )
        expected = [np.float32(sum(np.square(np.float32(one))) / 2) for one in gradients.values()]
    assert guard.variables == tuple(gradients)
    np.testing.assert_allclose(found.half_squares, expected, rtol=1e-6)
    assert found.batch["x"].tolist() == [b"p", b"q"]


def test_other_errors_are_others():
    check = tf.Assert(tf.constant(False), ["broken picture"])
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError) as error:
        session.run(check)
    assert not step_guard.failed(error.value)


def test_rows_of_a_gradient(run):
    rows = tf.IndexedSlices(tf.constant([[3.0, 4.0]]), tf.constant([1]), tf.constant([9, 2]))
    assert run(step_guard.half_square(rows)) == 12.5


@pytest.mark.parametrize("bad", [False, True])
def test_updates_wait(bad):
    """However they are handed over: as a tensor, as an operation, joined with others."""
    variables = [
        tf.get_variable(f"x{number}", [], initializer=tf.zeros_initializer()) for number in range(4)
    ]
    updates = [
        variables[0].assign(1.0),
        variables[1].assign_add(1.0).op,
        tf.group(tf.group(variables[2].assign_sub(1.0))),
        tf.identity(variables[3].assign(1.0)),
    ]
    guard = _guard({"a": NAN if bad else 0.0}, {"v": [1.0]})
    step_guard.let_wait(updates, guard.passed)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        if bad:
            for update in updates:
                with pytest.raises(tf.errors.InvalidArgumentError):
                    session.run(update)
        else:
            session.run(updates)
        assert session.run(variables) == ([0, 0, 0, 0] if bad else [1, 1, -1, 1])


def test_which_variables_are_not_finite():
    values = {
        "good": [1.0, 3e38],
        "bad": [1.0, NAN, 2.0],
        "infinite": [[-INF]],
        "fine": [[0.5]],
    }
    for name, value in values.items():
        tf.get_variable(name, initializer=tf.constant(value), trainable=name == "good")
    for name, value in (("half", 1e38), ("bad_half", NAN)):
        tf.get_variable(name, initializer=tf.constant([value], tf.bfloat16))
    tf.get_variable("double", initializer=tf.constant([1e300], tf.float64))
    tf.get_variable("number", initializer=tf.constant([7], tf.int64))
    check = step_guard.VariableCheck()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert check.not_finite(session) == ["bad", "infinite", "bad_half"]
