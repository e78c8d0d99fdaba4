"""Inception-ResNet v2 (arXiv:1602.07261, figures 15 to 19), with slim's scopes.

tf-slim's package does not ship it. The lower part ends before the last reduction; the upper part
begins with it.
"""

from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core.batch_norm import batch_norm
from object_detection.errors import ConfigError
from object_detection.models.backbones.inception_modules import (
    Branches,
    apply_layers,
    conv,
    module,
    pool,
)

_STEM = (
    conv("Conv2d_1a_3x3", 32, stride=2),
    conv("Conv2d_2a_3x3", 32),
    conv("Conv2d_2b_3x3", 64),
    pool("MaxPool_3a_3x3", stride=2),
    conv("Conv2d_3b_1x1", 80),
    conv("Conv2d_4a_3x3", 192),
    pool("MaxPool_5a_3x3", stride=2),
)
_MIXED_5B: Branches = (
    (conv("Conv2d_1x1", 96),),
    (conv("Conv2d_0a_1x1", 48), conv("Conv2d_0b_5x5", 64)),
    (conv("Conv2d_0a_1x1", 64), conv("Conv2d_0b_3x3", 96), conv("Conv2d_0c_3x3", 96)),
    (pool("AvgPool_0a_3x3"), conv("Conv2d_0b_1x1", 64)),
)
_BLOCK_35: Branches = (
    (conv("Conv2d_1x1", 32),),
    (conv("Conv2d_0a_1x1", 32), conv("Conv2d_0b_3x3", 32)),
    (conv("Conv2d_0a_1x1", 32), conv("Conv2d_0b_3x3", 48), conv("Conv2d_0c_3x3", 64)),
)
_BLOCK_17: Branches = (
    (conv("Conv2d_1x1", 192),),
    (conv("Conv2d_0a_1x1", 128), conv("Conv2d_0b_1x7", 160), conv("Conv2d_0c_7x1", 192)),
)
_MIXED_7A: Branches = (
    (conv("Conv2d_0a_1x1", 256), conv("Conv2d_1a_3x3", 384, stride=2)),
    (conv("Conv2d_0a_1x1", 256), conv("Conv2d_1a_3x3", 288, stride=2)),
    (
        conv("Conv2d_0a_1x1", 256),
        conv("Conv2d_0b_3x3", 288),
        conv("Conv2d_1a_3x3", 320, stride=2),
    ),
    (pool("MaxPool_1a_3x3", stride=2),),
)
_BLOCK_8: Branches = (
    (conv("Conv2d_1x1", 192),),
    (conv("Conv2d_0a_1x1", 192), conv("Conv2d_0b_1x3", 224), conv("Conv2d_0c_3x1", 256)),
)


def _mixed_6a(stride: int) -> Branches:
    return (
        (conv("Conv2d_1a_3x3", 384, stride=stride),),
        (
            conv("Conv2d_0a_1x1", 256),
            conv("Conv2d_0b_3x3", 256),
            conv("Conv2d_1a_3x3", 384, stride=stride),
        ),
        (pool("MaxPool_1a_3x3", stride=stride),),
    )


def _residual(
    net: tf.Tensor, branches: Branches, scope: str, scale: float, activate: bool = True
) -> tf.Tensor:
    """The net plus a share of what the branches make of it (section 3.3)."""
    with tf.variable_scope(scope):
        results = []
        for index, layers in enumerate(branches):
            with tf.variable_scope(f"Branch_{index}"):
                results.append(apply_layers(net, layers))
        change = slim.conv2d(
            tf.concat(results, axis=3),
            net.shape.as_list()[3],
            [1, 1],
            normalizer_fn=None,
            activation_fn=None,
            scope="Conv2d_1x1",
        )
        net += scale * change
        return tf.nn.relu(net) if activate else net


def _repeated(
    net: tf.Tensor, times: int, branches: Branches, scope: str, block: str, scale: float
) -> tf.Tensor:
    with tf.variable_scope(scope):
        for number in range(1, times + 1):
            net = _residual(net, branches, f"{block}_{number}", scale)
    return net


def _layers(padding: str) -> Any:
    return slim.arg_scope([slim.conv2d, slim.max_pool2d, slim.avg_pool2d], padding=padding)


def lower_part(
    inputs: tf.Tensor, output_stride: int = 16, scope: Any = None
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """The network up to `PreAuxLogits`, every map aligned with the picture.

    Args:
        inputs: [B, H, W, 3] in [-1, 1].
        output_stride: 16, or 8, which makes the last stride a dilation.
        scope: variable scope, `InceptionResnetV2` by default.

    Returns:
        [B, h, w, 1088], and name -> output of some layers.

    Raises:
        ConfigError: another stride.
    """
    if output_stride not in (8, 16):
        raise ConfigError(f"inception_resnet_v2: output_stride is {output_stride}; allowed: 8, 16.")
    dilated = output_stride == 8
    end_points = {}
    with tf.variable_scope(scope, "InceptionResnetV2", [inputs]), _layers("SAME"):
        net = apply_layers(inputs, _STEM)
        net = module(net, _MIXED_5B, "Mixed_5b")
        end_points["Mixed_5b"] = net
        net = _repeated(net, 10, _BLOCK_35, "Repeat", "block35", 0.17)
        net = module(net, _mixed_6a(1 if dilated else 2), "Mixed_6a")
        end_points["Mixed_6a"] = net
        with slim.arg_scope([slim.conv2d], rate=2 if dilated else 1):
            net = _repeated(net, 20, _BLOCK_17, "Repeat_1", "block17", 0.1)
        end_points["PreAuxLogits"] = net
    return net, end_points


def upper_part(net: tf.Tensor) -> tf.Tensor:
    """[R, h, w, 1088] -> [R, h', w', 1536], h' = (h - 1) // 2; in the variable scope around.

    The blocks stand under `Repeat`, which is `Repeat_2` in a network that has the lower part too.
    """
    # Only the reduction is without padding.
    with _layers("SAME"), tf.variable_scope("Mixed_7a"):
        results = []
        for index, layers in enumerate(_MIXED_7A):
            with tf.variable_scope(f"Branch_{index}"):
                before = apply_layers(net, layers[:-1])
                with _layers("VALID"):
                    results.append(apply_layers(before, layers[-1:]))
        net = tf.concat(results, axis=3)
    with _layers("SAME"):
        net = _repeated(net, 9, _BLOCK_8, "Repeat", "block8", 0.2)
        net = _residual(net, _BLOCK_8, "Block8", 1.0, activate=False)
        return slim.conv2d(net, 1536, [1, 1], scope="Conv2d_7b_1x1")


def inception_resnet_v2_arg_scope(
    weight_decay: float = 0.00004, batch_norm_decay: float = 0.9997, is_training: bool = False
) -> Any:
    """The arg scope that published checkpoints were trained with.

    Args:
        weight_decay: factor of the L2 norm of weights and biases.
        batch_norm_decay: of the moving averages.
        is_training: whether batch norm uses the batch's statistics.
    """
    regularizer = slim.l2_regularizer(weight_decay)
    with (
        slim.arg_scope(
            [batch_norm], decay=batch_norm_decay, epsilon=0.001, is_training=is_training
        ),
        slim.arg_scope(
            [slim.conv2d],
            weights_regularizer=regularizer,
            biases_regularizer=regularizer,
            activation_fn=tf.nn.relu,
            normalizer_fn=batch_norm,
        ) as scope,
    ):
        return scope
