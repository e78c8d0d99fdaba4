"""Layers of bfloat16 over variables of float32."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import mixed_precision
from object_detection.core.batch_norm import batch_norm

ROUNDING = 2.0**-8  # of bfloat16, relative


def _layers(images):
    with mixed_precision.bfloat16_scope():
        net = slim.conv2d(images, 8, 3, activation_fn=None, normalizer_fn=batch_norm, scope="a")
        return slim.separable_conv2d(net, 4, 3, activation_fn=None, scope="b")


def test_variables_are_float32_and_have_their_names():
    assert _layers(tf.zeros([1, 8, 8, 3], tf.bfloat16)).dtype == tf.bfloat16
    variables = {one.op.name: one.dtype for one in tf.global_variables()}
    assert variables == dict.fromkeys(
        [
            "a/weights",
            "a/BatchNorm/beta",
            "a/BatchNorm/moving_mean",
            "a/BatchNorm/moving_variance",
            "b/depthwise_weights",
            "b/pointwise_weights",
            "b/biases",
        ],
        tf.float32,
    )


def test_float32_pictures_are_computed_in_float32():
    assert _layers(tf.zeros([1, 8, 8, 3])).dtype == tf.float32
    assert not [one for one in tf.get_default_graph().get_operations() if one.type == "Cast"]


def test_a_convolution_and_its_gradient_are_rounded_but_right(run):
    random = np.random.RandomState(0)
    pictures = random.uniform(-1, 1, [2, 5, 5, 3])
    weights = random.uniform(-1, 1, [1, 1, 3, 4])
    with mixed_precision.bfloat16_scope():
        net = slim.conv2d(
            tf.constant(pictures, tf.bfloat16),
            4,
            1,
            activation_fn=None,
            biases_initializer=None,
            weights_initializer=tf.constant_initializer(weights),
            scope="conv",
        )
    (weight,) = tf.trainable_variables()
    gradient = tf.gradients(tf.reduce_sum(tf.cast(net, tf.float32)), weight)[0]
    assert gradient.dtype == tf.float32
    result, slope = run([tf.cast(net, tf.float32), gradient])
    # Each product has two rounded factors; the sum is rounded once more.
    bound = np.einsum("bhwi,io->bhwo", np.abs(pictures), np.abs(weights[0, 0])) * 3 * ROUNDING
    assert (np.abs(result - np.einsum("bhwi,io->bhwo", pictures, weights[0, 0])) <= bound).all()
    expected = pictures.sum(axis=(0, 1, 2))[:, None].repeat(4, axis=1)
    np.testing.assert_allclose(slope[0, 0], expected, atol=np.abs(pictures).sum() * ROUNDING)


def test_small_updates_of_variables_are_not_lost():
    """At 1, bfloat16 has steps of 2^-8; a hundred updates of 1e-4 would all be rounded away."""
    with mixed_precision.bfloat16_scope():
        net = slim.conv2d(
            tf.ones([1, 1, 1, 1], tf.bfloat16),
            1,
            1,
            activation_fn=None,
            biases_initializer=None,
            weights_initializer=tf.ones_initializer(),
        )
    step = tf.train.GradientDescentOptimizer(1e-4).minimize(tf.reduce_sum(tf.cast(net, tf.float32)))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(100):
            session.run(step)
        value = session.run(tf.trainable_variables()[0])
    assert value.item() == pytest.approx(0.99, abs=1e-5)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float16, tf.int32], ids=str)
def test_full_precision_leaves_other_types(dtype):
    tensor = tf.zeros([2], dtype)
    assert mixed_precision.full_precision(tensor) is tensor


def test_full_precision_of_bfloat16(run):
    wide = mixed_precision.full_precision(tf.constant([1.0, -2.5], tf.bfloat16))
    assert wide.dtype == tf.float32
    assert run(wide).tolist() == [1.0, -2.5]


def test_the_variable_behind_a_cast():
    variable = tf.get_variable("v", [2])
    read = variable.read_value()
    assert mixed_precision.variable_behind(tf.cast(read, tf.bfloat16)) is read
    assert mixed_precision.variable_behind(read) is read
    other = tf.zeros([2], tf.bfloat16)
    assert mixed_precision.variable_behind(other) is other
