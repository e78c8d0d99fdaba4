"""Batch normalisation (arXiv:1502.03167) with slim's variable names, on current TensorFlow.

tf-slim's own layer needs parts of TensorFlow that are gone; this one takes its place as
`normalizer_fn` and under `arg_scope`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.errors import ConfigError


def _statistic(name: str, channels: int, initial: float, trainable: bool) -> tf.Variable:
    return tf.get_variable(
        name,
        [channels],
        tf.float32,
        tf.constant_initializer(initial),
        trainable=trainable,
        collections=[tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES],
        aggregation=tf.VariableAggregation.MEAN,
    )


def _if_finite(change: tf.Tensor) -> tf.Tensor:
    """The change of each channel; 0 where it is not finite, for no later one would mend it.

    Even a finite loss does not exclude that: what is divided by an infinite deviation is 0.
    """
    return tf.where(tf.math.is_finite(change), change, tf.zeros_like(change))


@slim.add_arg_scope  # type: ignore[untyped-decorator]
def batch_norm(
    inputs: tf.Tensor,
    decay: float = 0.999,
    center: bool = True,
    scale: bool = False,
    epsilon: float = 0.001,
    activation_fn: Callable[[tf.Tensor], tf.Tensor] | None = None,
    is_training: bool = True,
    frozen: bool = False,
    trainable: bool = True,
    updates_collections: str | Sequence[str] | None = tf.GraphKeys.UPDATE_OPS,
    reuse: Any = None,
    scope: Any = None,
) -> tf.Tensor:
    """Normalises each channel of [B, H, W, C] or [B, C] to zero mean and unit variance.

    Args:
        inputs: [B, H, W, C] or [B, C], with a known C.
        decay: share of the old value when a moving average is updated.
        center: add `beta`.
        scale: multiply by `gamma`.
        epsilon: added to the variance.
        activation_fn: applied to the result.
        is_training: use the batch's statistics and update the moving averages.
        frozen: use the moving averages even in training.
        trainable: whether beta and gamma are trained.
        updates_collections: where the updates go; None runs them with the forward pass.
        reuse: whether to reuse the variables.
        scope: variable scope, `BatchNorm` by default.
    """
    with tf.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse):
        shape = inputs.shape
        channels = shape.as_list()[-1]
        if shape.rank == 2:
            inputs = inputs[:, tf.newaxis, tf.newaxis]
        ones, zeros = tf.ones([channels]), tf.zeros([channels])
        gamma = _statistic("gamma", channels, 1.0, trainable) if scale else ones
        beta = _statistic("beta", channels, 0.0, trainable) if center else zeros
        moving_mean = _statistic("moving_mean", channels, 0.0, False)
        moving_variance = _statistic("moving_variance", channels, 1.0, False)
        if is_training and not frozen:
            outputs, mean, variance = tf.nn.fused_batch_norm(
                inputs, gamma, beta, epsilon=epsilon, is_training=True
            )
            updates = [
                moving.assign_sub(_if_finite((moving - batch) * (1.0 - decay)))
                for moving, batch in ((moving_mean, mean), (moving_variance, variance))
            ]
            if updates_collections is None:
                with tf.control_dependencies(updates):
                    outputs = tf.identity(outputs)
            else:
                for update in updates:
                    tf.add_to_collections(updates_collections, update)
        else:
            outputs, _, _ = tf.nn.fused_batch_norm(
                inputs,
                gamma,
                beta,
                mean=moving_mean,
                variance=moving_variance,
                epsilon=epsilon,
                is_training=False,
            )
        if shape.rank == 2:
            outputs = outputs[:, 0, 0]
        outputs.set_shape(shape)
        return activation_fn(outputs) if activation_fn else outputs


# What slim's layer takes and this one does too, and what only chooses among implementations.
_SHARED = frozenset(
    {
        "decay", "center", "scale", "epsilon", "activation_fn", "is_training", "trainable",
        "updates_collections", "reuse", "scope",
    }
)  # fmt: skip
_CHOICE_OF_IMPLEMENTATION = frozenset({"fused", "data_format", "adjustment"})


def _taken_over(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """Settings of slim's layer as this layer takes them."""
    taken = {}
    for name, value in (settings or {}).items():
        if name in _SHARED:
            taken[name] = value
        elif value and name not in _CHOICE_OF_IMPLEMENTATION:
            raise ConfigError(
                f"Batch norm with {name}={value!r} is not available; choose among "
                f"{', '.join(sorted(_SHARED))}."
            )
    return taken


def with_this_layer(arg_scope: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """An arg scope in which this layer stands wherever `slim.batch_norm` stood.

    Args:
        arg_scope: what `with slim.arg_scope(...) as arg_scope` gives.

    Returns:
        A new arg scope; settings of `slim.batch_norm` are settings of `batch_norm` too.

    Raises:
        ConfigError: a setting that this layer does not have.
    """
    slim_key, key = (slim.arg_scope_func_key(layer) for layer in (slim.batch_norm, batch_norm))
    scope = {name: dict(settings) for name, settings in arg_scope.items()}
    for settings in scope.values():
        if settings.get("normalizer_fn") is slim.batch_norm:
            settings["normalizer_fn"] = batch_norm
            if settings.get("normalizer_params"):
                settings["normalizer_params"] = _taken_over(settings["normalizer_params"])
    if slim_key in scope:
        scope[key] = scope.get(key, {}) | _taken_over(scope[slim_key])
    return scope
