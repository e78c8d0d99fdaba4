import pytest
import tensorflow.compat.v1 as tf

from object_detection.errors import CheckpointError
from object_detection.legacy import restoring
from object_detection.protos import eval_pb2

SUFFIX = "/ExponentialMovingAverage"


def _variables():
    return [tf.get_variable(name, [], initializer=tf.zeros_initializer()) for name in ("a", "b")]


def _checkpoint(folder, values):
    """A checkpoint of these names and values."""
    with tf.Graph().as_default(), tf.Session() as session:
        variables = {
            name: tf.get_variable(f"v{number}", [], initializer=tf.constant_initializer(value))
            for number, (name, value) in enumerate(values.items())
        }
        session.run(tf.global_variables_initializer())
        return tf.train.Saver(variables).save(session, str(folder / "model"))


def _restored(averages, path):
    variables = _variables()
    restore = restoring.restorer(eval_pb2.EvalConfig(use_moving_averages=averages))
    with tf.Session() as session:
        restore(session, path)
        restore(session, path)
        return session.run(variables)


@pytest.mark.parametrize(
    ("averages", "values", "expected"),
    [
        pytest.param(False, {"a": 1, "b": 2}, [1, 2], id="values"),
        pytest.param(False, {"a": 1, "b": 2, f"a{SUFFIX}": 3}, [1, 2], id="averages not asked for"),
        pytest.param(
            True, {"a": 1, "b": 2, f"a{SUFFIX}": 3, f"b{SUFFIX}": 4}, [3, 4], id="averages"
        ),
        pytest.param(True, {"a": 1, "b": 2, f"a{SUFFIX}": 3}, [3, 2], id="b was frozen"),
    ],
)
def test_what_is_restored(averages, values, expected, tmp_path):
    assert _restored(averages, _checkpoint(tmp_path, values)) == expected


@pytest.mark.parametrize(
    ("averages", "values", "words"),
    [
        (True, {"a": 1, "b": 2}, "no moving averages"),
        (True, {f"a{SUFFIX}": 3}, "does not fit"),
        (False, {"a": 1}, "does not fit"),
    ],
)
def test_what_a_checkpoint_lacks(averages, values, words, tmp_path):
    path = _checkpoint(tmp_path, values)
    with pytest.raises(CheckpointError, match=words):
        _restored(averages, path)
