"""Rounding in the graph, against rounding by hand; enlargements made one operation."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim
from google.protobuf import text_format

from object_detection import exporter
from object_detection.builders import graph_rewriter_builder
from object_detection.core import batch_norm
from object_detection.errors import ConfigError
from object_detection.protos import graph_rewriter_pb2
from object_detection.utils import ops

FAKE = "FakeQuantWithMinMaxVars"


def _rewrite(text="", is_training=True):
    config = text_format.Parse(text, graph_rewriter_pb2.GraphRewriter())
    graph_rewriter_builder.build(config, is_training=is_training)()


def _grid(values, low, high, bits, narrow=False):
    """Nearest of the 2^bits values from `low` to `high`, 0 among them."""
    first = 1 if narrow else 0
    step = (high - low) / (2**bits - 1 - first)
    zero = np.round(first - low / step)
    return (np.clip(np.round(values / step + zero), first, 2**bits - 1) - zero) * step


def _layer(weights, inputs, scope="layer", activation=tf.nn.relu):
    return slim.conv2d(
        inputs,
        np.shape(weights)[3],
        1,
        activation_fn=activation,
        weights_initializer=tf.constant_initializer(weights),
        scope=scope,
    )


WEIGHTS = np.array([-0.5, 0.03, 0.26, 1.0]).reshape(1, 1, 2, 2)
PICTURE = np.array([0.1, 0.9, 0.35, -0.2]).reshape(1, 1, 2, 2)


def _by_hand(weight_bits, activation_bits, act_range=None, in_range=None):
    picture = _grid(PICTURE, *(in_range or (-0.2, 0.9)), activation_bits)
    product = np.maximum(picture @ _grid(WEIGHTS[0, 0], -0.5, 1.0, weight_bits, narrow=True), 0)
    low, high = act_range or (0.0, product.max())
    return _grid(product, low, high, activation_bits)


@pytest.mark.parametrize("bits", [(8, 8), (4, 8), (8, 5)])
def test_first_step_by_hand(bits, run):
    outputs = tf.identity(_layer(WEIGHTS, tf.constant(PICTURE, tf.float32)))
    weight_bits, activation_bits = bits
    _rewrite(
        f"quantization {{ delay: 0 weight_bits: {weight_bits} activation_bits: {activation_bits} }}"
    )
    np.testing.assert_allclose(run(outputs), _by_hand(*bits), atol=1e-5)


def test_the_delay_and_the_averages(run):
    inputs = tf.placeholder(tf.float32, [1, 1, 2, 2])
    outputs = tf.identity(_layer(WEIGHTS, inputs))
    step = tf.train.get_or_create_global_step()
    _rewrite("quantization { delay: 2 weight_bits: 4 activation_bits: 4 }")
    ranges = {v.op.name: v for v in tf.get_collection("quant_vars")}
    assert set(ranges) == {
        f"layer/{kind}_quant/{end}"
        for kind in ("weights", "act", "input")
        for end in ("min", "max")
    }
    assert not set(ranges) & {v.op.name for v in tf.trainable_variables()}
    plain = np.maximum(PICTURE @ WEIGHTS[0, 0], 0)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for number, scale in enumerate((1, 2)):
            session.run(step.assign(number))
            np.testing.assert_allclose(
                session.run(outputs, {inputs: scale * PICTURE}), scale * plain, atol=1e-6
            )
        # Averages of the two steps: their mean, as the n-th step moves them by 1 / n.
        low, high = session.run([ranges["layer/input_quant/min"], ranges["layer/input_quant/max"]])
        np.testing.assert_allclose([low, high], [-0.3, 1.35], rtol=1e-5)
        session.run(step.assign(2))
        rounded = session.run(outputs, {inputs: PICTURE})
        assert not np.allclose(rounded, plain, atol=1e-3)
        weights = session.run(
            [ranges["layer/weights_quant/min"], ranges["layer/weights_quant/max"]]
        )
        np.testing.assert_allclose(weights, [-0.5, 1.0])


def test_symmetric_ranges(run):
    _layer(WEIGHTS, tf.constant(PICTURE, tf.float32))
    _rewrite("quantization { delay: 0 symmetric: true }")
    fakes = [op for op in tf.get_default_graph().get_operations() if op.type == FAKE]
    ends = run([[op.inputs[1], op.inputs[2]] for op in fakes])
    np.testing.assert_allclose(np.array(ends)[:, 0], -np.array(ends)[:, 1])
    np.testing.assert_allclose(ends[0], [-1.0, 1.0])


def test_inference_reads_what_training_learnt(tmp_path):
    with tf.Graph().as_default():
        outputs = tf.identity(_layer(WEIGHTS, tf.constant(PICTURE, tf.float32)))
        tf.train.get_or_create_global_step()
        _rewrite("quantization { delay: 0 weight_bits: 3 activation_bits: 6 }")
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            trained = session.run(outputs)
            path = tf.train.Saver().save(session, str(tmp_path / "model"))
    inputs = tf.placeholder(tf.float32, [1, 1, 2, 2])
    outputs = tf.identity(_layer(WEIGHTS, inputs))
    _rewrite("quantization { delay: 0 weight_bits: 3 activation_bits: 6 }", is_training=False)
    with tf.Session() as session:
        tf.train.Saver().restore(session, path)
        np.testing.assert_allclose(session.run(outputs, {inputs: PICTURE}), trained, atol=1e-6)
        # Ranges stay: what lies outside is cut.
        before = session.run(tf.get_collection("quant_vars"))
        large = session.run(outputs, {inputs: 100 * PICTURE})
        assert large.max() <= trained.max() + 1e-5
        assert session.run(tf.get_collection("quant_vars")) == before


def test_ranges_stay_finite():
    inputs = tf.placeholder(tf.float32, [1, 1, 2, 2])
    outputs = tf.identity(_layer(WEIGHTS, inputs))
    _rewrite("quantization { delay: 0 }")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(outputs, {inputs: PICTURE})
        before = session.run(tf.get_collection("quant_vars"))
        for bad in (np.nan, np.inf):
            session.run(outputs, {inputs: np.full_like(PICTURE, bad)})
        assert np.isfinite(session.run(tf.get_collection("quant_vars"))).all()
        session.run(outputs, {inputs: PICTURE})
        np.testing.assert_allclose(
            session.run(tf.get_collection("quant_vars")), before, rtol=0.2, atol=0.2
        )


def test_gradients_reach_all_variables(run):
    images = tf.random.uniform([2, 8, 8, 3], seed=1)
    with slim.arg_scope([slim.conv2d, slim.separable_conv2d], normalizer_fn=batch_norm.batch_norm):
        first = slim.conv2d(images, 4, 3, scope="first")
        second = slim.separable_conv2d(first, None, 3, 1, scope="depthwise")
        total = first + slim.conv2d(second, 4, 1, activation_fn=None, scope="linear")
    logits = slim.fully_connected(tf.reduce_mean(total, axis=[1, 2]), 5, None, scope="logits")
    _rewrite("quantization { delay: 0 }")
    fakes = [op for op in tf.get_default_graph().get_operations() if op.type == FAKE]
    # Weights and outputs of four layers, the picture, and the mean; the sum has no layer behind.
    assert len(fakes) == 4 + 4 + 2
    variables = tf.trainable_variables()
    gradients = tf.gradients(tf.nn.l2_loss(logits - 1.0), variables)
    assert all(gradient is not None for gradient in gradients)
    values = run(gradients)
    assert all(np.isfinite(value).all() for value in values)
    names = [
        v.op.name for v, value in zip(variables, values, strict=True) if np.abs(value).max() > 0
    ]
    assert {
        "first/weights",
        "depthwise/depthwise_weights",
        "linear/weights",
        "logits/weights",
    } <= set(names)


@pytest.mark.parametrize("activation", [tf.nn.relu6, None])
def test_training_and_inference_round_at_the_same_places(activation):
    places = []
    for is_training in (True, False):
        with tf.Graph().as_default() as graph:
            hidden = slim.conv2d(
                tf.placeholder(tf.float32, [2, 8, 8, 3]),
                4,
                3,
                activation_fn=activation,
                normalizer_fn=batch_norm.batch_norm,
                normalizer_params={"is_training": is_training},
                scope="first",
            )
            slim.conv2d(hidden, 4, 1, activation_fn=None, scope="second")
            _rewrite("quantization { delay: 0 }", is_training)
            fakes = [op for op in graph.get_operations() if op.type == FAKE]
            places.append(sorted(op.inputs[0].op.type for op in fakes))
    assert places[0] == places[1]
    assert len(places[0]) == 5


def test_shared_weights_share_their_range():
    inputs = tf.placeholder(tf.float32, [1, 4, 4, 2])
    for reuse in (None, True):
        slim.conv2d(inputs, 2, 1, scope="shared", reuse=reuse)
    _rewrite(is_training=False)
    names = [v.op.name for v in tf.get_collection("quant_vars")]
    assert sorted(name for name in names if "weights" in name) == [
        "shared/weights_quant/max",
        "shared/weights_quant/min",
    ]
    assert len(names) == len(set(names)) == 2 * (1 + 2 + 1)


@pytest.mark.parametrize("field", ["weight_bits", "activation_bits"])
@pytest.mark.parametrize("bits", [0, 1, 17])
def test_numbers_of_bits(field, bits):
    _layer(WEIGHTS, tf.constant(PICTURE, tf.float32))
    with pytest.raises(ConfigError, match=field):
        _rewrite(f"quantization {{ {field}: {bits} }}")


def test_nothing_to_quantise():
    with pytest.raises(ConfigError, match="no convolution"):
        _rewrite()


def _resizes():
    return [
        op for op in tf.get_default_graph().get_operations() if op.type == "ResizeNearestNeighbor"
    ]


def test_an_enlargement_becomes_one_operation(run):
    values = tf.random.stateless_uniform([2, 3, 4, 5], seed=[1, 2])
    images = tf.placeholder_with_default(values, [2, 3, 4, 5])
    enlarged = ops.nearest_neighbor_upsampling(images, height_scale=2, width_scale=3)
    total = enlarged + tf.zeros([2, 6, 12, 5])
    exporter.rewrite_nn_resize_op()
    (resize,) = _resizes()
    assert resize.inputs[0] is images
    assert resize.outputs[0].consumers() == [total.op]
    before, after = run([enlarged, total])
    np.testing.assert_array_equal(before, after)


def test_an_enlargement_by_stacks(run):
    images = tf.placeholder_with_default(tf.reshape(tf.range(8.0), [1, 2, 2, 2]), [None, 2, 2, 2])
    stacked = tf.stack([tf.stack([images] * 2, axis=3)] * 2, axis=2)
    cut = tf.reshape(stacked, [-1, 4, 4, 2])[:, :3, :3, :]
    exporter.rewrite_nn_resize_op()
    (resize,) = _resizes()
    assert resize.inputs[0] is images
    assert resize.outputs[0].consumers() == [cut.op]
    assert run(cut)[0, :, :, 0].tolist() == [[0, 0, 2], [0, 0, 2], [4, 4, 6]]


def test_two_enlargements_and_none():
    images = tf.placeholder(tf.float32, [8, 10, None, 8])
    exporter.rewrite_nn_resize_op()
    assert not _resizes()
    tf.add_n(
        [ops.nearest_neighbor_upsampling(images, 2), ops.nearest_neighbor_upsampling(images, 2)]
    )
    exporter.rewrite_nn_resize_op()
    assert len(_resizes()) == 2


def test_an_enlargement_of_rounded_values():
    images = tf.placeholder(tf.float32, [8, 10, 10, 8])
    total = ops.nearest_neighbor_upsampling(slim.conv2d(images, 8, 1), 2) + tf.zeros([8, 20, 20, 8])
    _rewrite(is_training=False)
    exporter.rewrite_nn_resize_op(is_quantized=True)
    (resize,) = _resizes()
    assert resize.inputs[0].op.type == FAKE
    assert resize.outputs[0].consumers() == [total.op]
