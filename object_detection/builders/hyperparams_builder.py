"""`Hyperparams` message -> arg scope of convolutions or fully connected layers."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import mixed_precision
from object_detection.core.batch_norm import batch_norm
from object_detection.errors import ConfigError
from object_detection.protos import hyperparams_pb2
from object_detection.registry import Table

INITIALIZERS = Table("initializer")
REGULARIZERS = Table("regularizer")

_FAN_MODES = {
    hyperparams_pb2.VarianceScalingInitializer.FAN_IN: "FAN_IN",
    hyperparams_pb2.VarianceScalingInitializer.FAN_OUT: "FAN_OUT",
    hyperparams_pb2.VarianceScalingInitializer.FAN_AVG: "FAN_AVG",
}
_ACTIVATIONS: dict[int, Callable[[tf.Tensor], tf.Tensor] | None] = {
    hyperparams_pb2.Hyperparams.NONE: None,
    hyperparams_pb2.Hyperparams.RELU: tf.nn.relu,
    hyperparams_pb2.Hyperparams.RELU_6: tf.nn.relu6,
    hyperparams_pb2.Hyperparams.SWISH: tf.nn.swish,
}


@INITIALIZERS.entry("truncated_normal_initializer")
def _truncated_normal(config: Any) -> Any:
    return tf.truncated_normal_initializer(mean=config.mean, stddev=config.stddev)


@INITIALIZERS.entry("random_normal_initializer")
def _random_normal(config: Any) -> Any:
    return tf.random_normal_initializer(mean=config.mean, stddev=config.stddev)


@INITIALIZERS.entry("keras_initializer_by_name")
def _by_name(name: str) -> Any:
    raise ConfigError(
        f"initializer.keras_initializer_by_name {name!r} is not available: layers here are slim's. "
        "Use truncated_normal_initializer, variance_scaling_initializer or "
        "random_normal_initializer."
    )


@INITIALIZERS.entry("variance_scaling_initializer")
def _variance_scaling(config: Any) -> Any:
    return slim.variance_scaling_initializer(
        factor=config.factor, mode=_FAN_MODES[config.mode], uniform=config.uniform
    )


def _of_variables(regularizer: Callable[[tf.Tensor], Any]) -> Callable[[tf.Tensor], Any]:
    """The regulariser of float32 variables also where a layer gives it their bfloat16 casts."""
    return lambda weights: regularizer(mixed_precision.variable_behind(weights))


@REGULARIZERS.entry("l1_regularizer")
def _l1(config: Any) -> Any:
    return _of_variables(slim.l1_regularizer(scale=float(config.weight)))


@REGULARIZERS.entry("l2_regularizer")
def _l2(config: Any) -> Any:
    return _of_variables(slim.l2_regularizer(scale=float(config.weight)))


def _build_one(table: Table, config: Any, oneof: str) -> Any:
    case = config.WhichOneof(oneof)
    return table[case](getattr(config, case)) if case else None


def _batch_norm_params(config: Any, is_training: bool) -> dict[str, Any]:
    return {
        "decay": config.decay,
        "center": config.center,
        "scale": config.scale,
        "epsilon": config.epsilon,
        "is_training": is_training and config.train,
    }


def build(hyperparams_config: Any, is_training: bool) -> Callable[[], Any]:
    """Builds the arg scope of a `Hyperparams` message.

    The settings of batch norm stand in the arg scope three times: as parameters of the layers'
    normaliser, and as settings of this package's layer and of `slim.batch_norm`, whichever a caller
    looks at or uses. `sync_batch_norm` is `batch_norm`: there is one device.

    Args:
        hyperparams_config: the message.
        is_training: whether batch norm may use the batch's statistics.

    Returns:
        A function without arguments; `slim.arg_scope(fn())` puts the settings into force.

    Raises:
        ConfigError: not a `Hyperparams` message, or an option that is not available.
    """
    if not isinstance(hyperparams_config, hyperparams_pb2.Hyperparams):
        raise ConfigError(
            f"hyperparams_config should be a Hyperparams message, got {type(hyperparams_config)}."
        )
    if hyperparams_config.force_use_bias:
        raise ConfigError(
            "conv_hyperparams.force_use_bias is not available: a normalised slim layer has no "
            "bias. Leave it out."
        )
    normalizer = hyperparams_config.WhichOneof("normalizer_oneof")
    norm_params: dict[str, Any] | None = None
    normalizer_fn: Any = None
    if normalizer == "group_norm":
        normalizer_fn = slim.group_norm
    elif normalizer:
        normalizer_fn = batch_norm
        norm_params = _batch_norm_params(getattr(hyperparams_config, normalizer), is_training)
    layers = (
        [slim.fully_connected]
        if hyperparams_config.op == hyperparams_pb2.Hyperparams.FC
        else [slim.conv2d, slim.separable_conv2d, slim.conv2d_transpose]
    )
    settings = {
        "weights_regularizer": _build_one(
            REGULARIZERS, hyperparams_config.regularizer, "regularizer_oneof"
        ),
        "weights_initializer": _build_one(
            INITIALIZERS, hyperparams_config.initializer, "initializer_oneof"
        )
        or slim.xavier_initializer(),
        "activation_fn": _ACTIVATIONS[hyperparams_config.activation],
        "normalizer_fn": normalizer_fn,
        "normalizer_params": norm_params,
    }

    def scope_fn() -> Any:
        norms = [batch_norm, slim.batch_norm] if norm_params else []
        with (
            slim.arg_scope(norms, **(norm_params or {})),
            slim.arg_scope(layers, **settings) as scope,
        ):
            return scope

    return scope_fn
