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
    assert variables_helper.multiply_gradients_matching_regex([], ["x"], 2.0) == []


def test_sparse_and_absent_gradients(run):
    table = _variable("table", [3, 1])
    sparse = tf.gradients(tf.reduce_sum(tf.gather(table, [2])), table)[0]
    (scaled, _), (absent, _) = variables_helper.multiply_gradients_matching_regex(
        [(sparse, table), (None, table)], [".*"], 3.0
    )
    assert run(tf.convert_to_tensor(scaled)).tolist() == [[0.0], [0.0], [3.0]]
    assert absent is None


def test_available_in_the_order_of_names_and_without_the_step(checkpoint, tmp_path):
    weights, biases = _variable("a/weights", [2]), _variable("a/biases", [3])
    available = variables_helper.get_variables_available_in_checkpoint
    assert available([weights, biases], checkpoint) == [biases, weights]
    assert available([], checkpoint) == []
    step = tf.train.get_or_create_global_step()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        stepped = tf.train.Saver([step, weights]).save(session, str(tmp_path / "stepped"))
    assert available([step, weights], stepped) == [weights, step]
    assert available([step, weights], stepped, include_global_step=False) == [weights]


def test_partitioned_variable_is_found_under_its_name(tmp_path):
    parts = tf.get_variable(
        "parts", [4, 1], partitioner=tf.fixed_size_partitioner(2), use_resource=False
    )
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver({"parts": parts}).save(session, str(tmp_path / "parts"))
    assert variables_helper.get_variables_available_in_checkpoint([parts], path) == [parts]


def test_old_layout_is_refused_unless_training_goes_on(tmp_path):
    names = {"_feature_extractor/weights": _variable("weights", [1])}
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver(names).save(session, str(tmp_path / "old" / "model.ckpt"))
    check = variables_helper.ensure_checkpoint_supported
    check(path, "fine_tune", "")
    check(path, "detection", str(tmp_path / "old"))
    with pytest.raises(ValueError, match=r"_feature_extractor/weights.*fine_tune"):
        check(path, "detection", str(tmp_path / "empty"))


def test_a_whole_detector_is_supported(checkpoint):
    variables_helper.ensure_checkpoint_supported(checkpoint, "detection", "")


def test_global_variables_of_the_graph_only():
    weights = _variable("w", [1])
    assert variables_helper.get_global_variables_safely() == [weights]


def test_variables_without_average_are_restored_by_their_own_name(tmp_path):
    names = {
        "a/ExponentialMovingAverage": _variable("a", [1]),
        "frozen": _variable("frozen", [1]),
    }
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver(names).save(session, str(tmp_path / "model"))
    wanted = {
        "a/ExponentialMovingAverage": names["a/ExponentialMovingAverage"],
        "frozen/ExponentialMovingAverage": names["frozen"],
    }
    assert variables_helper.averages_or_values(wanted, path) == names


def test_a_misfit_is_said_in_few_lines(checkpoint):
    wanted = [_variable(f"new_{index}", [1]) for index in range(5)]
    wanted.append(_variable("a/weights", [7]))
    match = variables_helper.match_checkpoint(wanted, checkpoint)
    assert match.misfit(checkpoint).splitlines()[1:] == [
        "  skipped (shape)  a/weights: model [7], checkpoint [2]",
        "  missing          new_0",
        "  missing          new_1",
        "  missing          new_2",
        "  missing          ... and 2 more",
        "  not used         a/biases",
        "  not used         only_there",
    ]
    assert match.report(checkpoint).count("\n") == 8


@pytest.mark.parametrize("ending", [".index", ".data-00000-of-00001", ".meta"])
def test_one_file_of_a_checkpoint_is_refused(checkpoint, ending):
    with pytest.raises(CheckpointError, match=f"Give what they have in common: {checkpoint}[.]$"):
        variables_helper.match_checkpoint([], checkpoint + ending)


def test_the_folder_of_a_checkpoint_is_refused(checkpoint, tmp_path):
    with pytest.raises(CheckpointError, match=f"is a folder. .* such as {checkpoint}[.]$"):
        variables_helper.match_checkpoint([], str(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match="is a folder"):
        variables_helper.match_checkpoint([], str(tmp_path / "empty"))


def test_a_damaged_checkpoint_is_named_in_one_line(checkpoint, tmp_path):
    (data,) = tmp_path.glob("model.ckpt.data-*")
    data.write_bytes(data.read_bytes()[:5])
    saver = tf.train.Saver([_variable("a/biases", [3])])
    with tf.Session() as session, pytest.raises(CheckpointError) as caught:
        variables_helper.restore_whole(saver, session, checkpoint)
    assert str(caught.value).startswith(f"{checkpoint}: cannot be restored (")
    assert "\n" not in str(caught.value)
    assert ".py" not in str(caught.value)
