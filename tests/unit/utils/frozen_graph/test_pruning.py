"""What pruning leaves, and that it changes no result."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.utils.frozen_graph import editing, pruning


def _pruned(*outputs):
    graph_def = tf.get_default_graph().as_graph_def()
    graph = editing.FrozenGraph(graph_def, [tensor.op.name for tensor in outputs])
    pruning.prune(graph)
    return graph.graph_def()


def _types(graph_def):
    return sorted(node.op for node in graph_def.node)


def _values(graph_def, tensors, feed=None):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(graph_def, name="")
        return session.run(tensors, feed)


def test_constants_are_computed_once():
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    offsets = tf.cast(tf.range(2), tf.float32) * 3.0 + 1.0
    graph_def = _pruned(tf.add(x, tf.identity(offsets), name="out"))
    assert _types(graph_def) == ["AddV2", "Const", "Placeholder"]
    values = _values(graph_def, "out:0", {"x:0": np.zeros([2, 2])})
    assert values.tolist() == [[1, 4]] * 2


def test_each_output_of_a_node():
    x = tf.placeholder(tf.float32, [], name="x")
    first, second = tf.unstack(tf.constant([3.0, 5.0]))
    graph_def = _pruned(tf.stack([x * first, x * second], name="out"))
    assert "Unpack" not in _types(graph_def)
    assert _values(graph_def, "out:0", {"x:0": 2.0}).tolist() == [6, 10]


def test_sizes_that_the_shape_of_the_input_tells():
    x = tf.placeholder(tf.float32, [None, 4, 6, 3], name="x")
    shape = tf.shape(x)
    size = tf.stack([shape[1] * 2, tf.concat([shape[2:3], [1]], 0)[0]])
    graph_def = _pruned(
        tf.identity(size, name="size"), tf.identity(shape, name="whole"), tf.identity(x, name="out")
    )
    assert "StridedSlice" not in _types(graph_def)
    assert _types(graph_def).count("Shape") == 1  # the batch is open
    size, shape = _values(graph_def, ["size:0", "whole:0"], {"x:0": np.zeros([7, 4, 6, 3])})
    assert size.tolist() == [8, 6]
    assert shape.tolist() == [7, 4, 6, 3]


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (lambda shape: shape[1:3], [4, 6]),
        (lambda shape: shape[-1], 3),
        (lambda shape: shape[:0:-2], [3, 4]),
    ],
)
def test_slices_of_shapes(cut, expected):
    x = tf.placeholder(tf.float32, [None, 4, 6, 3], name="x")
    graph_def = _pruned(tf.identity(cut(tf.shape(x)), name="out"))
    assert _types(graph_def) == ["Const", "Placeholder"]
    assert _values(graph_def, "out:0").tolist() == expected


def test_copies_go_but_outputs_keep_their_names():
    x = tf.placeholder(tf.float32, [], name="x")
    inner = tf.identity(tf.stop_gradient(tf.identity(x)), name="inner")
    graph_def = _pruned(tf.identity(inner * 2.0, name="out"), inner)
    assert _types(graph_def) == ["Const", "Identity", "Identity", "Mul", "Placeholder"]
    assert _values(graph_def, ["out:0", "inner:0"], {"x:0": 4.0}) == [8.0, 4.0]


def test_checks_stay_unless_they_are_known_to_pass():
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    known = tf.Assert(tf.equal(tf.shape(x)[1], 3), ["width"])
    open_check = tf.Assert(tf.equal(tf.shape(x)[0], 2), ["height"])
    with tf.control_dependencies([known, tf.no_op()]):
        first = x + 1.0
    with tf.control_dependencies([open_check]):
        out = tf.multiply(first, 2.0, name="out")
    graph_def = _pruned(out)
    assert _types(graph_def).count("Assert") == 1
    assert "NoOp" not in _types(graph_def)
    assert _values(graph_def, "out:0", {"x:0": np.zeros([2, 3])}).tolist() == [[2] * 3] * 2
    with pytest.raises(tf.errors.InvalidArgumentError, match="height"):
        _values(graph_def, "out:0", {"x:0": np.zeros([1, 3])})


def test_branches_and_loops_go_on_working():
    x = tf.placeholder(tf.float32, [None], name="x")
    cubes = tf.map_fn(lambda one: tf.identity(one) * one * (tf.constant(1.0) + 1.0), x)
    out = tf.cond(tf.shape(x)[0] > 2, lambda: tf.identity(cubes), lambda: -x)
    graph_def = _pruned(tf.identity(out, name="out"))
    assert _values(graph_def, "out:0", {"x:0": [1.0, 2.0, 3.0]}).tolist() == [2, 8, 18]
    assert _values(graph_def, "out:0", {"x:0": [1.0, 2.0]}).tolist() == [-1, -2]


def test_what_is_drawn_stays_drawn():
    out = tf.random.uniform([100], name="out")
    graph_def = _pruned(out)
    assert "RandomUniform" in _types(graph_def)


def test_a_large_constant_is_not_written_for_a_small_one():
    x = tf.placeholder(tf.float32, [], name="x")
    graph_def = _pruned(tf.reduce_sum(x * tf.fill([3000, 3000], 2.0), name="out"))
    assert "Fill" in _types(graph_def)
    assert graph_def.ByteSize() < 10_000


def test_an_input_that_nothing_reads_stays():
    tf.placeholder(tf.float32, [], name="x")
    graph_def = _pruned(tf.constant(2.0, name="out"))
    assert _values(graph_def, "out:0", {"x:0": 1.0}) == 2.0


def test_a_constant_that_is_read_through_copies_stays_one():
    x = tf.placeholder(tf.float32, [], name="x")
    shared = tf.constant([1.0, 2.0])
    out = tf.add(x * tf.identity(shared), x + tf.identity(shared), name="out")
    graph_def = _pruned(out)
    assert _types(graph_def).count("Const") == 1
    assert _values(graph_def, "out:0", {"x:0": 3.0}).tolist() == [7, 11]
