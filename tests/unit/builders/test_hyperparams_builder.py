import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim
from google.protobuf import text_format

from object_detection.builders import hyperparams_builder
from object_detection.core import mixed_precision
from object_detection.core.batch_norm import batch_norm
from object_detection.errors import ConfigError
from object_detection.protos import hyperparams_pb2

PLAIN = "regularizer { l2_regularizer {} } initializer { truncated_normal_initializer {} }"
NORM = "decay: 0.7 center: false scale: true epsilon: 0.03"
CONVOLUTIONS = (slim.conv2d, slim.separable_conv2d, slim.conv2d_transpose)


def _scope(text, is_training=True):
    config = text_format.Parse(text, hyperparams_pb2.Hyperparams())
    return hyperparams_builder.build(config, is_training)()


def _of(scope, layer):
    return scope[slim.arg_scope_func_key(layer)]


@pytest.mark.parametrize(
    ("op", "layers"),
    [
        pytest.param("", CONVOLUTIONS, id="by default"),
        pytest.param("op: CONV", CONVOLUTIONS, id="convolutions"),
        pytest.param("op: FC", (slim.fully_connected,), id="fully connected"),
    ],
)
def test_layers_of_the_scope_have_the_same_settings(op, layers):
    scope = _scope(f"{op} {PLAIN} activation: RELU_6")
    assert set(scope) == {slim.arg_scope_func_key(layer) for layer in layers}
    for layer in layers:
        assert _of(scope, layer) == _of(scope, layers[0])
    assert _of(scope, layers[0])["activation_fn"] is tf.nn.relu6


@pytest.mark.parametrize(
    ("name", "expected"),
    [("NONE", None), ("RELU", tf.nn.relu), ("RELU_6", tf.nn.relu6), ("SWISH", tf.nn.swish)],
)
def test_activations(name, expected):
    assert _of(_scope(f"{PLAIN} activation: {name}"), slim.conv2d)["activation_fn"] is expected


def test_the_activation_is_relu_by_default():
    assert _of(_scope(PLAIN), slim.conv2d)["activation_fn"] is tf.nn.relu


def test_regularizers(run):
    weights = np.array([1.0, -1.0, 4.0, 2.0], np.float32)
    l1, l2 = (
        _of(_scope(f"regularizer {{ {text} }}"), slim.conv2d)["weights_regularizer"]
        for text in ("l1_regularizer { weight: 0.5 }", "l2_regularizer { weight: 0.42 }")
    )
    found = run([l1(tf.constant(weights)), l2(tf.constant(weights))])
    np.testing.assert_allclose(found, [0.5 * 8.0, 0.42 * 22.0 / 2.0], rtol=1e-6)
    assert _of(_scope("activation: RELU"), slim.conv2d)["weights_regularizer"] is None


@pytest.mark.parametrize(
    ("text", "mean", "variance", "bound"),
    [
        # Of a shape [100, 40]: fan in 100, fan out 40.
        pytest.param("variance_scaling_initializer {}", 0, 2 / 100, None, id="defaults"),
        pytest.param(
            "variance_scaling_initializer { factor: 2 mode: FAN_OUT uniform: false }",
            0, 2 / 40, None, id="fan out",
        ),
        pytest.param(
            "variance_scaling_initializer { factor: 2 mode: FAN_AVG uniform: false }",
            0, 2 / 70, None, id="mean of fans",
        ),
        pytest.param(
            "variance_scaling_initializer { factor: 2 mode: FAN_IN uniform: true }",
            0, 2 / 100, np.sqrt(6 / 100), id="uniform",
        ),
        pytest.param(
            # A normal distribution cut at two deviations has 0.7737 of its variance.
            "truncated_normal_initializer { mean: 1 stddev: 0.8 }",
            1, 0.49, 1 + 2 * 0.8, id="cut normal",
        ),
        pytest.param(
            "random_normal_initializer { mean: 0 stddev: 0.8 }", 0, 0.64, None, id="normal"
        ),
    ],
)  # fmt: skip
def test_initializers(text, mean, variance, bound, run):
    scope = _scope(f"initializer {{ {text} }}")
    initializer = _of(scope, slim.conv2d)["weights_initializer"]
    values = run(initializer([100, 40], dtype=tf.float32))
    assert values.mean() == pytest.approx(mean, abs=0.04)
    assert values.var() == pytest.approx(variance, rel=0.15)
    if bound is not None:
        assert np.abs(values).max() <= bound + 1e-6


@pytest.mark.parametrize(
    ("text", "is_training", "trains"),
    [
        pytest.param(f"batch_norm {{ {NORM} }}", True, True, id="training"),
        pytest.param(f"batch_norm {{ {NORM} train: true }}", False, False, id="inference"),
        pytest.param(f"batch_norm {{ {NORM} train: false }}", True, False, id="frozen"),
        pytest.param(f"sync_batch_norm {{ {NORM} }}", True, True, id="of all devices"),
    ],
)
def test_batch_norm(text, is_training, trains):
    expected = {
        "decay": pytest.approx(0.7),
        "center": False,
        "scale": True,
        "epsilon": pytest.approx(0.03),
        "is_training": trains,
    }
    scope = _scope(f"{PLAIN} {text}", is_training)
    settings = _of(scope, slim.conv2d)
    assert settings["normalizer_fn"] is batch_norm
    assert settings["normalizer_params"] == expected
    assert _of(scope, batch_norm) == expected
    assert _of(scope, slim.batch_norm) == expected


def test_defaults_of_batch_norm():
    settings = _of(_scope(f"{PLAIN} batch_norm {{}}"), slim.conv2d)["normalizer_params"]
    assert settings == {
        "decay": pytest.approx(0.999),
        "center": True,
        "scale": False,
        "epsilon": pytest.approx(0.001),
        "is_training": True,
    }


def test_no_normalizer_means_biases():
    scope = _scope(PLAIN)
    assert _of(scope, slim.conv2d)["normalizer_fn"] is None
    with slim.arg_scope(scope):
        slim.conv2d(tf.zeros([1, 4, 4, 1]), 2, [1, 1], scope="layer")
    assert [variable.op.name for variable in tf.global_variables()] == [
        "layer/weights",
        "layer/biases",
    ]


def test_group_norm_gives_each_group_mean_0_and_variance_1(run):
    scope = _scope(f"{PLAIN} activation: NONE group_norm {{}}")
    with slim.arg_scope(scope):
        layer = slim.conv2d(
            tf.random_normal([1, 8, 8, 3], mean=2.0, seed=1), 64, [3, 3], scope="layer"
        )
    # tf-slim's layer makes 32 groups, here of two channels.
    groups = run(layer).reshape([64, 32, 2])
    np.testing.assert_allclose(groups.mean(axis=(0, 2)), 0.0, atol=1e-4)
    np.testing.assert_allclose(groups.var(axis=(0, 2)), 1.0, atol=1e-3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("force_use_bias: true", "force_use_bias"),
        ("initializer { keras_initializer_by_name: 'he' }", "keras_initializer_by_name 'he'"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        _scope(text)


def test_another_message_is_refused():
    with pytest.raises(ValueError, match="Hyperparams message"):
        hyperparams_builder.build(hyperparams_pb2.Regularizer(), True)


def test_regularisers_see_variables_where_layers_compute_in_bfloat16(run):
    config = text_format.Parse(
        "regularizer { l2_regularizer { weight: 0.5 } } activation: RELU_6"
        " initializer { truncated_normal_initializer { mean: 1.001 stddev: 0 } }",
        hyperparams_pb2.Hyperparams(),
    )
    with (
        slim.arg_scope(hyperparams_builder.build(config, is_training=True)()),
        mixed_precision.bfloat16_scope(),
    ):
        slim.conv2d(tf.zeros([1, 2, 2, 3], tf.bfloat16), 4, 1)
    (loss,) = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    assert loss.dtype == tf.float32
    # In bfloat16 1.001 is 1.
    np.testing.assert_allclose(run(loss), 0.5 * 12 * 1.001**2 / 2, rtol=1e-6)
