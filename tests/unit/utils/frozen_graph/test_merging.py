"""Convolutions of one tensor made one, against the graph with each by itself."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.utils.frozen_graph import editing, merging


def _conv(x, channels, name, size=3, stride=1, seed=0):
    random = np.random.RandomState(seed + channels)
    kernel = tf.constant(random.normal(size=[size, size, 2, channels]).astype(np.float32))
    convolved = tf.nn.conv2d(x, kernel, stride, "SAME", name=name)
    return tf.nn.bias_add(
        convolved, random.normal(size=[channels]).astype(np.float32), name=f"{name}/bias"
    )


def _merged(*outputs):
    names = [tensor.op.name for tensor in outputs]
    graph = editing.FrozenGraph(tf.get_default_graph().as_graph_def(), names)
    return merging.merge_small_convolutions(graph), graph.graph_def()


def _count(graph_def):
    return sum(node.op == "Conv2D" for node in graph_def.node)


def test_equals_each_by_itself(run):
    x = tf.placeholder(tf.float32, [2, 5, 5, 2], name="x")
    value = np.random.RandomState(1).normal(size=[2, 5, 5, 2]).astype(np.float32)
    boxes, scores, third = (_conv(x, *one) for one in ((8, "boxes"), (3, "scores"), (1, "third")))
    other = _conv(x, 2, "other", size=1)  # of another size: stays by itself
    outputs = [tf.sigmoid(scores, name="out"), boxes, third, other]
    expected = run(outputs, {x: value})
    less, graph_def = _merged(*outputs)
    assert less == 2
    assert _count(graph_def) == 2
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(graph_def, name="")
        found = session.run([tensor.name for tensor in outputs], {"x:0": value})
    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda x: [_conv(x, 64, "a"), _conv(x, 128, "b")], id="none is small"),
        pytest.param(lambda x: [_conv(x, 4, "a"), _conv(x, 5, "b", stride=2)], id="strides differ"),
        pytest.param(lambda x: [_conv(x, 4, "a"), _conv(x + 1.0, 5, "b")], id="inputs differ"),
        pytest.param(lambda x: [_conv(x, 4, "a")], id="one alone"),
    ],
)
def test_what_stays_by_itself(make):
    x = tf.placeholder(tf.float32, [2, 5, 5, 2], name="x")
    outputs = make(x)
    less, graph_def = _merged(*outputs)
    assert less == 0
    assert _count(graph_def) == len(outputs)


def test_a_convolution_that_others_read_stays():
    x = tf.placeholder(tf.float32, [2, 5, 5, 2], name="x")
    first, second = _conv(x, 4, "a"), _conv(x, 5, "b")
    unbiased = tf.get_default_graph().get_tensor_by_name("a:0")
    assert _merged(first, second)[0] == 1
    assert _merged(first, second, unbiased)[0] == 0
    assert _merged(first, second, tf.identity(unbiased))[0] == 0
