import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core.batch_norm import batch_norm, with_this_layer


def test_names_of_variables_and_training_values(run):
    values = np.random.RandomState(1).normal(3, 2, [4, 5, 6, 3]).astype(np.float32)
    normalized = batch_norm(tf.constant(values), is_training=True, scale=True, epsilon=0.001)
    expected = (values - values.mean((0, 1, 2))) / np.sqrt(values.var((0, 1, 2)) + 0.001)
    np.testing.assert_allclose(run(normalized), expected, atol=1e-4)
    assert {variable.op.name for variable in tf.global_variables()} == {
        "BatchNorm/gamma",
        "BatchNorm/beta",
        "BatchNorm/moving_mean",
        "BatchNorm/moving_variance",
    }
    assert {variable.op.name for variable in tf.trainable_variables()} == {
        "BatchNorm/gamma",
        "BatchNorm/beta",
    }


def test_moving_statistics_follow_by_the_decay():
    values = np.random.RandomState(1).normal(3, 2, [8, 4, 4, 2]).astype(np.float32)
    batch_norm(tf.constant(values), is_training=True, decay=0.9)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
        mean, variance = session.run([v for v in tf.global_variables() if "moving" in v.op.name])
    np.testing.assert_allclose(mean, 0.1 * values.mean((0, 1, 2)), rtol=1e-4)
    # The population's variance is estimated with n - 1.
    count = values[..., 0].size
    unbiased = values.var((0, 1, 2)) * count / (count - 1)
    np.testing.assert_allclose(variance, 0.9 + 0.1 * unbiased, rtol=1e-3)


@pytest.mark.parametrize("collection", [tf.GraphKeys.UPDATE_OPS, None])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 3e38])
def test_statistics_that_are_not_finite_do_not_count(collection, bad):
    """One channel is bad; the other moves on."""
    values = np.random.RandomState(1).normal(3, 2, [8, 4, 4, 2]).astype(np.float32)
    inputs = tf.placeholder(tf.float32, values.shape)
    outputs = batch_norm(inputs, is_training=True, decay=0.5, updates_collections=collection)
    spoilt = values.copy()
    spoilt[::2, ..., 0] = bad
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        fetches = [outputs, tf.get_collection(tf.GraphKeys.UPDATE_OPS)]
        session.run(fetches, {inputs: values})
        moving = [v for v in tf.global_variables() if "moving" in v.op.name]
        first = session.run(moving)
        session.run(fetches, {inputs: spoilt})
        second = session.run(moving)
    assert np.isfinite(second).all()
    if not np.isfinite(bad):
        np.testing.assert_array_equal([one[0] for one in second], [one[0] for one in first])
    of_batch = values[..., 1].mean(), values[..., 1].var(ddof=1)
    for old, new, batch in zip(first, second, of_batch, strict=True):
        assert new[1] == pytest.approx((old[1] + batch) / 2, rel=1e-4)


def test_inference_uses_the_moving_statistics(run):
    values = np.random.RandomState(1).normal(3, 2, [1, 2, 2, 3]).astype(np.float32)
    normalized = batch_norm(tf.constant(values), is_training=False, epsilon=0.5)
    np.testing.assert_allclose(run(normalized), values / np.sqrt(1.5), rtol=1e-4)
    assert not tf.get_collection(tf.GraphKeys.UPDATE_OPS)


def test_as_normalizer_of_a_slim_layer(run):
    with slim.arg_scope(
        [slim.conv2d], normalizer_fn=batch_norm, normalizer_params={"is_training": True}
    ):
        layer = slim.conv2d(tf.ones([1, 4, 4, 2]), 3, 3, scope="layer")
    assert run(layer).shape == (1, 4, 4, 3)
    names = {variable.op.name for variable in tf.global_variables()}
    assert "layer/BatchNorm/beta" in names
    assert "layer/biases" not in names


def test_rows_are_normalised_like_pictures(run):
    values = np.random.RandomState(1).normal(3, 2, [64, 3]).astype(np.float32)
    with slim.arg_scope([slim.fully_connected], normalizer_fn=batch_norm, activation_fn=None):
        plain = batch_norm(tf.constant(values), epsilon=0.001)
        layer = slim.fully_connected(tf.constant(values), 2, scope="layer")
    expected = (values - values.mean(0)) / np.sqrt(values.var(0) + 0.001)
    plain, layer = run([plain, layer])
    np.testing.assert_allclose(plain, expected, atol=1e-4)
    np.testing.assert_allclose(layer.mean(0), 0.0, atol=1e-4)


def _key(layer):
    return slim.arg_scope_func_key(layer)


def test_an_arg_scope_with_the_layer_of_slim_is_one_with_this_layer():
    with (
        slim.arg_scope(
            [slim.conv2d],
            normalizer_fn=slim.batch_norm,
            normalizer_params={"decay": 0.5, "fused": True},
            activation_fn=tf.nn.relu6,
        ),
        slim.arg_scope([slim.batch_norm], epsilon=0.25, fused=None, renorm=False) as scope,
    ):
        translated = with_this_layer(scope)
    assert translated[_key(slim.conv2d)] == {
        "normalizer_fn": batch_norm,
        "normalizer_params": {"decay": 0.5},
        "activation_fn": tf.nn.relu6,
    }
    assert translated[_key(batch_norm)] == {"epsilon": 0.25}
    assert scope[_key(slim.conv2d)]["normalizer_fn"] is slim.batch_norm


def test_other_arg_scopes_stay_as_they_are():
    with slim.arg_scope([slim.conv2d], normalizer_fn=None, padding="VALID") as scope:
        assert with_this_layer(scope) == scope
    assert with_this_layer({}) == {}
