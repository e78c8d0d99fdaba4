"""A loss that evens out the ranges of a layer's channels, so that quantisation costs less.

A layer quantised with one scale loses the channels whose weights are much smaller than those of
the others (Nagel et al., Data-Free Quantization, arXiv:1906.04721, section 3).
"""

from collections.abc import Iterable, Sequence

import tensorflow.compat.v1 as tf


def unevenness(kernel: tf.Tensor, channel_axis: int) -> tf.Tensor:
    """Squared coefficient of variation of the largest absolute weights of the channels; a scalar.

    It is 0 where all channels have one range, and does not depend on the scale of the layer.

    Args:
        kernel: weights of a convolution.
        channel_axis: axis of the output channels.
    """
    others = [axis for axis in range(kernel.shape.rank) if axis != channel_axis]
    ranges = tf.reduce_max(tf.abs(kernel), axis=others)
    mean, variance = tf.nn.moments(ranges, axes=[0])
    return tf.math.divide_no_nan(variance, tf.square(mean))


def equalization_losses(
    variables: Iterable[tf.Variable], weight: float, exclude_prefixes: Sequence[str] = ()
) -> list[tf.Tensor]:
    """Weighted unevenness of each convolution, a scalar each.

    Args:
        variables: those of rank 4 whose name ends in `weights` are kernels, the rest is left out.
        weight: factor of the losses; 0 for none.
        exclude_prefixes: kernels whose names start with one of these are left out.
    """
    if not weight:
        return []
    losses = []
    for variable in variables:
        name = variable.op.name
        is_kernel = name.endswith("weights") and variable.shape.rank == 4
        if not is_kernel or name.startswith(tuple(exclude_prefixes)):
            continue
        # A depthwise kernel is [height, width, channels, multiplier].
        channel_axis = 2 if name.endswith("depthwise_weights") else 3
        losses.append(weight * unevenness(tf.convert_to_tensor(variable), channel_axis))
    return losses
