"""MobileDet: networks found by search for four kinds of hardware (arXiv:2004.14525, figure 7).

Blocks, section 3: inverted bottlenecks, fused inverted bottlenecks and Tucker convolutions.

Axes: B images, H x W pixels, C channels. End points `C1` to `C5` are of stride 2^1 to 2^5.
"""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core.batch_norm import batch_norm
from object_detection.models.backbones.inverted_residual import hard_swish

Activation = Callable[[tf.Tensor], tf.Tensor]

# Factor of the L2 norm of the backbone's weights, whatever the config says of the other layers.
BACKBONE_WEIGHT_DECAY = 4e-5
_BASE = 8


def mobiledet_arg_scope() -> Any:
    """Batch norm as the published checkpoints were trained with."""
    with slim.arg_scope([batch_norm], epsilon=0.01, decay=0.99, center=True, scale=True) as scope:
        return scope


def scale_filters(filters: float, multiplier: float, base: int = _BASE) -> int:
    """`filters` times `multiplier`, rounded to a multiple of `base`, at least `base`."""
    return max(int(int(filters) * multiplier / base + 0.5) * base, base)


def _weights() -> dict[str, Any]:
    """How weights start (arXiv:1502.01852, equation 10) and decay."""
    return {
        "weights_initializer": slim.variance_scaling_initializer(),
        "weights_regularizer": slim.l2_regularizer(BACKBONE_WEIGHT_DECAY),
    }


def _conv(
    net: tf.Tensor,
    filters: int,
    kernel: int,
    stride: int = 1,
    activation: Activation | None = tf.nn.relu6,
    normalizer: Any = batch_norm,
) -> tf.Tensor:
    return slim.conv2d(
        net,
        filters,
        [kernel, kernel],
        stride=stride,
        activation_fn=activation,
        normalizer_fn=normalizer,
        padding="SAME",
        **_weights(),
    )


def _depthwise(net: tf.Tensor, kernel: int, stride: int, activation: Activation) -> tf.Tensor:
    return slim.separable_conv2d(
        net,
        None,
        [kernel, kernel],
        depth_multiplier=1,
        stride=stride,
        activation_fn=activation,
        normalizer_fn=batch_norm,
        padding="SAME",
        **_weights(),
    )


def _squeeze_excite(net: tf.Tensor, hidden: int, activation: Activation) -> tf.Tensor:
    """Weighs each channel by a gate computed from all channels' means (arXiv:1709.01507)."""
    with tf.variable_scope(None, default_name="SqueezeExcite"):
        gate = tf.reduce_mean(net, axis=[1, 2], keepdims=True)
        gate = _conv(gate, hidden, 1, activation=activation, normalizer=None)
        gate = _conv(gate, net.shape.as_list()[-1], 1, activation=tf.nn.sigmoid, normalizer=None)
        return net * gate


class _Builder:
    """Adds blocks one after the other; holds what they have in common."""

    def __init__(
        self,
        net: tf.Tensor,
        multiplier: float,
        activation: Activation = tf.nn.relu6,
        squeeze: bool = False,
    ) -> None:
        self.net = net
        self.end_points: dict[str, tf.Tensor] = {}
        self._multiplier = multiplier
        self._activation = activation
        self._squeeze = squeeze

    def _filters(self, filters: int) -> int:
        return scale_filters(filters, self._multiplier)

    def _close(self, before: tf.Tensor, filters: int, residual: bool) -> None:
        """The projection at the end of each block, and the shortcut around it."""
        self.net = _conv(self.net, filters, 1, activation=None)
        if residual:
            self.net += before

    def stem(self, filters: int) -> None:
        """A 3x3 convolution of stride 2."""
        self.net = _conv(self.net, self._filters(filters), 3, 2, self._activation)

    def depthwise(self, filters: int) -> None:
        """An inverted bottleneck without expansion."""
        with tf.variable_scope(None, default_name="IBNNoExpansion"):
            channels = self.net.shape.as_list()[-1]
            self.net = _depthwise(self.net, 3, 1, self._activation)
            if self._squeeze:
                hidden = scale_filters(channels, 0.25)
                self.net = _squeeze_excite(self.net, hidden, self._activation)
            self._close(self.net, self._filters(filters), residual=False)

    def inverted(
        self, filters: int, expansion: int, kernel: int = 3, stride: int = 1, residual: bool = True
    ) -> None:
        """An inverted bottleneck (arXiv:1801.04381)."""
        with tf.variable_scope(None, default_name="IBN"):
            before = self.net
            expanded = before.shape.as_list()[-1] * expansion
            self.net = _conv(self.net, expanded, 1, activation=self._activation)
            self.net = _depthwise(self.net, kernel, stride, self._activation)
            if self._squeeze:
                hidden = scale_filters(expanded, 0.25)
                self.net = _squeeze_excite(self.net, hidden, self._activation)
            self._close(before, self._filters(filters), residual)

    def fused(
        self, filters: int, expansion: int, kernel: int = 3, stride: int = 1, residual: bool = True
    ) -> None:
        """An inverted bottleneck whose expansion and depthwise convolution are one full one."""
        with tf.variable_scope(None, default_name="FusedConv"):
            before = self.net
            expanded = before.shape.as_list()[-1] * expansion
            self.net = _conv(self.net, expanded, kernel, stride, self._activation)
            self._close(before, self._filters(filters), residual)

    def tucker(
        self, filters: int, input_rank: float, output_rank: float, residual: bool = True
    ) -> None:
        """A convolution between two projections: a Tucker decomposition (arXiv:1511.06530)."""
        with tf.variable_scope(None, default_name="TuckerConv"):
            before = self.net
            inner = scale_filters(before.shape.as_list()[-1], input_rank)
            outer = scale_filters(self._filters(filters), output_rank)
            self.net = _conv(self.net, inner, 1, activation=self._activation)
            self.net = _conv(self.net, outer, 3, 1, self._activation)
            self._close(before, self._filters(filters), residual)

    def mark(self, name: str) -> None:
        """Makes the last output an end point."""
        self.end_points[name] = self.net


def mobiledet_cpu_backbone(h: tf.Tensor, multiplier: float = 1.0) -> dict[str, tf.Tensor]:
    """For processors: hard swish, squeeze-and-excitation in each block.

    Args:
        h: [B, H, W, 3] in [-1, 1].
        multiplier: factor of the number of channels.

    Returns:
        `C1` to `C5`.
    """
    net = _Builder(h, multiplier, hard_swish, squeeze=True)
    net.stem(16)
    net.depthwise(8)
    net.mark("C1")
    net.inverted(16, 4, stride=2, residual=False)
    net.mark("C2")
    net.inverted(32, 8, stride=2, residual=False)
    for _ in range(3):
        net.inverted(32, 4)
    net.mark("C3")
    net.inverted(72, 8, kernel=5, stride=2, residual=False)
    net.inverted(72, 8)
    net.inverted(72, 4, kernel=5)
    net.inverted(72, 4)
    net.inverted(72, 8, residual=False)
    for _ in range(3):
        net.inverted(72, 8)
    net.mark("C4")
    net.inverted(104, 8, kernel=5, stride=2, residual=False)
    for _ in range(2):
        net.inverted(104, 4, kernel=5)
    net.inverted(104, 4)
    net.inverted(144, 8, residual=False)
    net.mark("C5")
    return net.end_points


def mobiledet_dsp_backbone(h: tf.Tensor, multiplier: float = 1.0) -> dict[str, tf.Tensor]:
    """For digital signal processors; arguments and result as of `mobiledet_cpu_backbone`."""
    net = _Builder(h, multiplier)
    net.stem(32)
    net.depthwise(24)
    net.mark("C1")
    net.fused(32, 4, stride=2, residual=False)
    net.fused(32, 4)
    net.inverted(32, 4)
    net.tucker(32, 0.25, 0.75)
    net.mark("C2")
    net.fused(64, 8, stride=2, residual=False)
    net.inverted(64, 4)
    net.fused(64, 4)
    net.fused(64, 4)
    net.mark("C3")
    net.fused(120, 8, stride=2, residual=False)
    net.inverted(120, 4)
    net.inverted(120, 8)
    net.inverted(120, 8)
    net.fused(144, 8, residual=False)
    for _ in range(3):
        net.inverted(144, 8)
    net.mark("C4")
    net.inverted(160, 4, stride=2, residual=False)
    net.inverted(160, 4)
    net.fused(160, 4)
    net.tucker(160, 0.75, 0.75)
    net.inverted(240, 8, residual=False)
    net.mark("C5")
    return net.end_points


def mobiledet_edgetpu_backbone(h: tf.Tensor, multiplier: float = 1.0) -> dict[str, tf.Tensor]:
    """For the Edge TPU; arguments and result as of `mobiledet_cpu_backbone`."""
    net = _Builder(h, multiplier)
    net.stem(32)
    net.tucker(16, 0.25, 0.75, residual=False)
    net.mark("C1")
    net.fused(16, 8, stride=2, residual=False)
    net.fused(16, 4)
    net.fused(16, 8)
    net.fused(16, 4)
    net.mark("C2")
    net.fused(40, 8, kernel=5, stride=2, residual=False)
    for _ in range(3):
        net.fused(40, 4)
    net.mark("C3")
    net.inverted(72, 8, stride=2, residual=False)
    net.inverted(72, 8)
    net.fused(72, 4)
    net.fused(72, 4)
    net.inverted(96, 8, kernel=5, residual=False)
    net.inverted(96, 8, kernel=5)
    net.inverted(96, 8)
    net.inverted(96, 8)
    net.mark("C4")
    net.inverted(120, 8, kernel=5, stride=2, residual=False)
    net.inverted(120, 8)
    net.inverted(120, 4, kernel=5)
    net.inverted(120, 8)
    net.inverted(384, 8, kernel=5, residual=False)
    net.mark("C5")
    return net.end_points


def mobiledet_gpu_backbone(h: tf.Tensor, multiplier: float = 1.0) -> dict[str, tf.Tensor]:
    """For graphics processors; arguments and result as of `mobiledet_cpu_backbone`."""
    net = _Builder(h, multiplier)
    net.stem(32)
    net.tucker(16, 0.25, 0.25, residual=False)
    net.mark("C1")
    net.fused(32, 8, stride=2, residual=False)
    for _ in range(3):
        net.tucker(32, 0.25, 0.25)
    net.mark("C2")
    net.fused(64, 8, stride=2, residual=False)
    net.fused(64, 8)
    net.fused(64, 8)
    net.fused(64, 4)
    net.mark("C3")
    net.fused(128, 8, stride=2, residual=False)
    for _ in range(3):
        net.fused(128, 4)
    net.fused(128, 8, residual=False)
    for _ in range(3):
        net.fused(128, 8)
    net.mark("C4")
    net.fused(128, 4, stride=2, residual=False)
    for _ in range(3):
        net.fused(128, 4)
    net.inverted(384, 8, residual=False)
    net.mark("C5")
    return net.end_points
