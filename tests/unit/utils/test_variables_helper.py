import pytest
import tensorflow.compat.v1 as tf

from object_detection.errors import CheckpointError
from object_detection.utils import variables_helper


def _variable(name, shape):
    return tf.get_variable(name, shape, initializer=tf.ones_initializer())


@pytest.fixture
def checkpoint(tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        _variable("a/weights", [2])
        _variable("a/biases", [3])
        _variable("only_there", [1])
        _variable("only_there/Momentum", [1])
        session.run(tf.global_variables_initializer())
        return tf.train.Saver().save(session, str(tmp_path / "model.ckpt"))


def test_match_names_every_variable_once(checkpoint):
    wanted = [_variable("a/weights", [2]), _variable("a/biases", [4]), _variable("new", [1])]
    match = variables_helper.match_checkpoint(wanted, checkpoint)
    assert set(match.restorable) == {"a/weights"}
    assert match.other_shape == {"a/biases": ([4], [3])}
    assert match.missing == ["new"]
    assert match.unused == ["only_there"]
    assert match.slots == ["only_there/Momentum"]
    report = match.report(checkpoint)
    assert "1 variables restored, 1 skipped" in report
    assert "a/biases: model [4], checkpoint [3]" in report


def test_available_keeps_list_or_dict(checkpoint):
    weights = _variable("mine", [2])
    available = variables_helper.get_variables_available_in_checkpoint(
        {"a/weights": weights}, checkpoint
    )
    assert available == {"a/weights": weights}
    assert variables_helper.get_variables_available_in_checkpoint([weights], checkpoint) == []
    with pytest.raises(ValueError, match="list or a dict"):
        variables_helper.get_variables_available_in_checkpoint(weights.op.name, checkpoint)


def test_absent_checkpoint_is_a_checkpoint_error(tmp_path):
    with pytest.raises(CheckpointError, match="no readable checkpoint"):
        variables_helper.match_checkpoint([], str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    ("patterns", "invert", "expected"),
    [
        pytest.param([], False, ["a/weights", "a/biases", "b/weights"], id="no pattern"),
        pytest.param([""], True, [], id="an empty pattern matches nothing"),
        pytest.param(["a/.*"], False, ["b/weights"], id="leave out"),
        pytest.param(["a/.*"], True, ["a/weights", "a/biases"], id="choose"),
        pytest.param(["weights"], True, [], id="patterns match at the start"),
    ],
)
def test_filter_variables(patterns, invert, expected):
    variables = [_variable(name, [1]) for name in ("a/weights", "a/biases", "b/weights")]
    kept = variables_helper.filter_variables(variables, patterns, invert=invert)
    assert [variable.op.name for variable in kept] == expected


def test_gradients_multiplied_and_frozen(run):
    first, second = _variable("a/weights", [1]), _variable("a/biases", [1])
    pairs = [(tf.constant([2.0]), first), (tf.constant([3.0]), second)]
    doubled = variables_helper.multiply_gradients_matching_regex(pairs, [".*/biases"], 2.0)
    assert run([gradient for gradient, _ in doubled]) == [[2.0], [6.0]]
    frozen = variables_helper.freeze_gradients_matching_regex(pairs, ["a/biases"])
    assert [variable.op.name for _, variable in frozen] == ["a/weights"]
