"""Batch normalisation (arXiv:1502.03167) with slim's variable names, on current TensorFlow.

tf-slim's own layer needs parts of TensorFlow that are gone; this one takes its place as
`normalizer_fn` and under `arg_scope`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim


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
    """Normalises each channel of [B, H, W, C] to zero mean and unit variance.

    Args:
        inputs: [B, H, W, C] with a known C.
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
        channels = inputs.shape.as_list()[-1]
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
                moving.assign_sub((moving - batch) * (1.0 - decay))
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
        outputs.set_shape(inputs.shape)
        return activation_fn(outputs) if activation_fn else outputs
