"""Which parts of a graph compute in bfloat16, and that rounding explains the difference."""

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.utils.frozen_graph import bfloat16, editing


def _rounded(values):
    return np.asarray(values, np.float32).astype(tf.bfloat16.as_numpy_dtype).astype(np.float32)


def _lowered(*outputs):
    graph_def = tf.get_default_graph().as_graph_def()
    graph = editing.FrozenGraph(graph_def, [tensor.op.name for tensor in outputs])
    return bfloat16.use_bfloat16(graph), graph.graph_def()


def _values(graph_def, tensor, feed):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(graph_def, name="")
        return session.run(tensor, feed)


def _types(graph_def):
    """Name -> type of what is computed."""
    return {
        node.name: tf.as_dtype(node.attr["T"].type).name
        for node in graph_def.node
        if "T" in node.attr
    }


def _conv(x, value, name):
    channels = x.shape.as_list()[-1]
    kernel = tf.constant(np.full([1, 1, channels, channels], value, np.float32))
    return tf.nn.conv2d(x, kernel, 1, "SAME", name=name)


def test_the_tower_is_lowered_and_the_last_convolutions_are_not():
    x = tf.placeholder(tf.float32, [1, 4, 4, 1], name="x")
    y = tf.nn.relu6(tf.nn.bias_add(_conv(x * 1.0, 0.1, "a"), [0.2], name="bias"), name="relu")
    y = tf.nn.max_pool2d(y, 2, 2, "SAME", name="pool")
    left, right = _conv(y, 0.3, "left"), tf.nn.avg_pool2d(y, 2, 1, "SAME", name="mean")
    y = tf.concat([left, right], 3, name="concat")
    boxes, scores = _conv(y, 0.5, "boxes"), tf.sigmoid(_conv(y, 0.7, "scores"))
    count, graph_def = _lowered(tf.identity(boxes, name="out"), scores)
    assert count == 2
    types = _types(graph_def)
    assert {name for name, kind in types.items() if kind == "bfloat16"} >= {
        "a", "bias", "relu", "pool", "left", "mean", "concat",
    }  # fmt: skip
    assert {types[name] for name in ("mul", "boxes", "scores", "Sigmoid")} == {"float32"}
    casts = [node for node in graph_def.node if node.op == "Cast"]
    assert len(casts) == 2  # the picture on its way in, the concatenation on its way out


def test_numbers_are_rounded_where_the_tower_says(run):
    x = tf.placeholder(tf.float32, [1, 1, 1, 1], name="x")
    y = tf.nn.bias_add(_conv(x, 1.01, "a"), tf.constant([0.3]))
    out = tf.identity(_conv(y, 1.003, "head"), name="out")
    _, graph_def = _lowered(out)
    value = np.float32(1.77)
    product = _rounded(_rounded(value) * _rounded(1.01) + _rounded(0.3))
    result = _values(graph_def, "out:0", {"x:0": [[[[value]]]]})
    # The sum is rounded once or twice, as the two operations are fused or not.
    np.testing.assert_allclose(result, product * np.float32(1.003), rtol=2**-7)
    assert result != run(out, {x: [[[[value]]]]})


def test_normalisation_that_was_not_folded():
    x = tf.placeholder(tf.float32, [1, 2, 2, 1], name="x")
    y = tf.raw_ops.FusedBatchNormV3(
        x=_conv(x, 2.0, "a"), scale=[2.0], offset=[1.0], mean=[3.0], variance=[1.0], epsilon=0.0,
        is_training=False, name="norm",
    ).y  # fmt: skip
    out = tf.identity(_conv(y, 1.0, "head"), name="out")
    _, graph_def = _lowered(out)
    assert _types(graph_def)["norm"] == "bfloat16"
    value = np.arange(4, dtype=np.float32).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(
        _values(graph_def, "out:0", {"x:0": value}), 2 * (2 * value - 3) + 1
    )


def test_outputs_and_what_is_fed_keep_their_type():
    x = tf.placeholder(tf.float32, [1, 1, 1, 1], name="x")
    wanted = _conv(x, 1.0, "wanted")
    fed = tf.nn.conv2d(wanted, tf.placeholder(tf.float32, [1, 1, 1, 1], name="k"), 1, "SAME")
    out = tf.identity(_conv(_conv(fed, 1.0, "inner"), 1.0, "head"), name="out")
    count, graph_def = _lowered(out, wanted)
    assert count == 1
    assert _types(graph_def)["wanted"] == "float32"
    feed = {"x:0": [[[[3.0]]]], "k:0": [[[[5.0]]]]}
    assert _values(graph_def, "wanted:0", feed).dtype == np.float32
    assert _values(graph_def, "out:0", feed).ravel().tolist() == [15]


def test_a_sum_of_both_types_is_float32():
    x = tf.placeholder(tf.float32, [1, 1, 1, 1], name="x")
    y = tf.add(_conv(x, 1.0, "a"), x, name="sum")
    out = tf.identity(_conv(y, 1.0, "head"), name="out")
    _, graph_def = _lowered(out)
    assert _types(graph_def)["sum"] == "float32"
    assert _values(graph_def, "out:0", {"x:0": [[[[3.0]]]]}).ravel().tolist() == [6]


def test_a_loop_behind_the_tower():
    x = tf.placeholder(tf.float32, [2, 1, 1, 1], name="x")
    y = _conv(tf.nn.relu(_conv(x, 2.0, "a")), 3.0, "head")
    out = tf.map_fn(lambda one: one + 1.0, y)
    count, graph_def = _lowered(tf.identity(out, name="out"))
    assert count == 1
    values = _values(graph_def, "out:0", {"x:0": np.ones([2, 1, 1, 1])})
    assert values.ravel().tolist() == [7, 7]


def test_channels_that_are_multiplied_by_themselves_stay_in_float32():
    x = tf.placeholder(tf.float32, [1, 4, 4, 2], name="x")
    y = tf.nn.depthwise_conv2d(x, tf.ones([3, 3, 2, 2]), [1, 1, 1, 1], "SAME", name="wide")
    y = tf.nn.depthwise_conv2d(y, tf.ones([3, 3, 4, 1]), [1, 1, 1, 1], "SAME", name="plain")
    count, graph_def = _lowered(tf.identity(_conv(y, 1.0, "head"), name="out"))
    types = _types(graph_def)
    assert count == 1
    assert (types["wide"], types["plain"]) == ("float32", "bfloat16")
