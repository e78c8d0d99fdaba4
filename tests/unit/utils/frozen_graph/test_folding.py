"""Batch normalisation folded into convolutions, against numbers by hand and the unfolded graph."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.utils.frozen_graph import editing, folding


def _types(graph):
    return [node.op for node in graph.graph_def().node]


def _normalized(x, gamma, beta, mean, variance, epsilon=0.0, is_training=False):
    constants = [tf.constant(value, tf.float32) for value in (gamma, beta, mean, variance)]
    return tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=constants[0],
        offset=constants[1],
        mean=constants[2],
        variance=constants[3],
        epsilon=epsilon,
        is_training=is_training,
    ).y


def _frozen(*outputs):
    graph_def = tf.get_default_graph().as_graph_def()
    return editing.FrozenGraph(graph_def, [tensor.op.name for tensor in outputs])


def _values(graph, tensor, feed):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(graph.graph_def(), name="")
        return session.run(tensor, feed)


def test_by_hand():
    x = tf.placeholder(tf.float32, [1, 1, 1, 1], name="x")
    convolved = tf.nn.conv2d(x, tf.constant([[[[2.0, 3.0]]]]), 1, "SAME")
    biased = tf.nn.bias_add(convolved, [1.0, -1.0])
    # s = gamma / sqrt(variance) = (2, 1 / 2).
    out = tf.identity(_normalized(biased, [4, 1], [10, 20], [5, 6], [4, 4]), name="out")
    graph = _frozen(out)
    assert folding.fold_batch_norm(graph) == 1
    constants = [
        tf.make_ndarray(node.attr["value"].tensor).ravel().tolist()
        for node in graph.graph_def().node
        if node.op == "Const"
    ]
    assert sorted(constants) == [[2 * (1 - 5) + 10, (-1 - 6) / 2 + 20], [4, 1.5]]
    assert _types(graph).count("BiasAdd") == 1
    assert _values(graph, "out:0", {"x:0": [[[[7.0]]]]}).tolist() == [[[[30, 27]]]]


@pytest.mark.parametrize("kind", ["plain", "grouped", "depthwise"])
def test_equals_the_unfolded_graph(kind, run):
    random = np.random.RandomState(0)
    x = tf.placeholder(tf.float32, [2, 5, 6, 4], name="x")
    kernel = random.normal(size=[3, 3, *{"plain": (4, 8), "grouped": (2, 8)}.get(kind, (4, 2))])
    kernel = tf.constant(kernel, tf.float32)
    if kind == "depthwise":
        convolved = tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "SAME")
    else:
        convolved = tf.nn.conv2d(x, kernel, 2, "SAME")
    statistics = [random.uniform(0.5, 2, size=8) for _ in range(4)]
    out = tf.nn.relu6(_normalized(convolved, *statistics, epsilon=0.001), name="out")
    value = random.normal(size=[2, 5, 6, 4]).astype(np.float32)
    expected = run(out, {x: value})
    graph = _frozen(out)
    assert folding.fold_batch_norm(graph) == 1
    assert not set(_types(graph)) & {"FusedBatchNormV3"}
    np.testing.assert_allclose(_values(graph, "out:0", {"x:0": value}), expected, atol=1e-5)


def test_a_large_shared_kernel_stays_shared(monkeypatch):
    monkeypatch.setattr(folding, "_SMALL_KERNEL", 3)
    x = tf.placeholder(tf.float32, [1, 2, 2, 1], name="x")
    shared, alone = tf.constant([[[[3.0]]]]), tf.constant([[[[5.0]]]])
    levels = [
        _normalized(tf.nn.conv2d(x, tf.identity(kernel), 1, "SAME"), [scale], [0], [0], [1])
        for kernel, scale in ((shared, 1), (shared, 10), (alone, 100))
    ]
    graph = _frozen(tf.stack(levels, name="out"))
    assert folding.fold_batch_norm(graph) == 1
    value = np.ones([1, 2, 2, 1], np.float32)
    values = _values(graph, "out:0", {"x:0": value})
    assert values[:, 0, 0, 0, 0].tolist() == [3, 30, 500]


def test_a_small_shared_kernel_gets_copies():
    x = tf.placeholder(tf.float32, [1, 2, 2, 1], name="x")
    kernel = tf.identity(tf.constant([[[[3.0]]]]), name="kernel/read")
    levels = [
        _normalized(tf.nn.conv2d(x, kernel, 1, "SAME"), [scale], [0], [0], [1]) for scale in (1, 10)
    ]
    out = tf.stack(levels, name="out")
    graph = _frozen(out)
    assert folding.fold_batch_norm(graph) == 2
    value = np.arange(4, dtype=np.float32).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(
        _values(graph, "out:0", {"x:0": value}), np.stack([3 * value, 30 * value])
    )


def _read_twice(convolved):
    return _normalized(convolved, [2], [0], [0], [1]) + convolved


def _statistics_read(convolved):
    constants = [tf.constant([1.0])] * 4
    result = tf.raw_ops.FusedBatchNormV3(
        x=convolved, scale=constants[0], offset=constants[1], mean=constants[2],
        variance=constants[3], is_training=False,
    )  # fmt: skip
    return result.y + result.batch_mean


def _waited_for(convolved):
    with tf.control_dependencies([convolved]):
        first = tf.constant([0.0])
    return _normalized(convolved, [2], [0], [0], [1]) + first


def _of_variable_numbers(convolved):
    gamma = tf.placeholder_with_default([2.0], [1])
    return tf.raw_ops.FusedBatchNormV3(
        x=convolved, scale=gamma, offset=[0.0], mean=[0.0], variance=[1.0], is_training=False
    ).y


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(_read_twice, id="somebody else reads the convolution"),
        pytest.param(_statistics_read, id="somebody reads the statistics"),
        pytest.param(_waited_for, id="somebody waits for the convolution"),
        pytest.param(_of_variable_numbers, id="numbers that are fed"),
        pytest.param(
            lambda x: _normalized(x, [2], [0], [], [], is_training=True), id="as in training"
        ),
        pytest.param(
            lambda x: _normalized(tf.nn.relu(x), [2], [0], [0], [1]), id="an activation between"
        ),
        pytest.param(
            lambda x: _normalized(
                tf.nn.bias_add(x, tf.reduce_sum(x, [0, 1, 2])), [2], [0], [0], [1]
            ),
            id="a bias that is no constant",
        ),
    ],
)
def test_what_is_left_alone(make):
    x = tf.placeholder(tf.float32, [1, 2, 2, 1], name="x")
    out = tf.identity(make(tf.nn.conv2d(x, tf.constant([[[[3.0]]]]), 1, "SAME")), name="out")
    graph = _frozen(out)
    before = graph.graph_def()
    assert folding.fold_batch_norm(graph) == 0
    assert graph.graph_def() == before


def test_a_convolution_that_is_an_output_is_left_alone():
    x = tf.placeholder(tf.float32, [1, 2, 2, 1], name="x")
    convolved = tf.nn.conv2d(x, tf.constant([[[[3.0]]]]), 1, "SAME", name="wanted")
    out = _normalized(convolved, [2], [0], [0], [1])
    assert folding.fold_batch_norm(_frozen(out, convolved)) == 0
    # One whose normalisation is an output is folded: the node keeps its name.
    graph = _frozen(out)
    assert folding.fold_batch_norm(graph) == 1
    assert out.op.name in graph.nodes
