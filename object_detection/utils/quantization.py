"""Training with the rounding errors of integer inference (Jacob et al., arXiv:1712.05877, sec. 3).

Weights and activations of convolutions and matrix products pass through fake quantisation: they
take only the 2^bits values of a range, as floats. Ranges of weights are those of the moment,
ranges of activations moving averages; both are variables, `<layer>/weights_quant/{min,max}` and
`<layer>/{act,input}_quant/{min,max}`, that inference reads.

Weights are rounded before batch normalisation scales them, so that each channel of the folded
weights has a grid of its own.
"""

from typing import NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError
from object_detection.utils import graph_edits

LAYERS = ("Conv2D", "DepthwiseConv2dNative", "MatMul")
_ACTIVATIONS = ("Relu", "Relu6", "Elu", "Selu", "LeakyRelu", "Sigmoid", "Tanh")
_NORMALIZATIONS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "BiasAdd")
_PER_CHANNEL = ("Add", "AddV2", "Sub", "Mul", "RealDiv")
# What only moves values, so that a quantised input gives a quantised output.
_MOVES = (
    "Identity",
    "Reshape",
    "Pad",
    "MaxPool",
    "SpaceToBatchND",
    "BatchToSpaceND",
    "Squeeze",
    "ExpandDims",
    "ResizeNearestNeighbor",
    "StridedSlice",
)
_EMA_DECAY = 0.999
# Range of an activation before the first step.
_FIRST_RANGE = (-6.0, 6.0)


class Settings(NamedTuple):
    """How values are rounded."""

    weight_bits: int = 8
    activation_bits: int = 8
    symmetric: bool = False  # ranges from -m to m
    delay: int = 0  # steps of training without rounding
    is_training: bool = True


class _Range(NamedTuple):
    """Ends of the range of a tensor."""

    minimum: tf.Variable
    maximum: tf.Variable


def _range_variables(name: str) -> _Range:
    with tf.variable_scope(
        tf.get_variable_scope(), reuse=tf.AUTO_REUSE, auxiliary_name_scope=False
    ):
        low, high = (
            tf.get_variable(
                f"{name}/{end}",
                [],
                initializer=tf.constant_initializer(value),
                trainable=False,
                collections=[tf.GraphKeys.GLOBAL_VARIABLES, "quant_vars"],
            )
            for end, value in zip(("min", "max"), _FIRST_RANGE, strict=True)
        )
    return _Range(low, high)


def _ends(values: tf.Tensor, symmetric: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Least and greatest value; 0 lies between them, because padding must be exact."""
    low = tf.minimum(tf.reduce_min(values), 0.0)
    high = tf.maximum(tf.reduce_max(values), 0.0)
    if symmetric:
        high = tf.maximum(high, -low)
        low = -high
    return low, high


def _rounded(
    values: tf.Tensor,
    ends: tuple[tf.Tensor, tf.Tensor],
    bits: int,
    narrow: bool,
    settings: Settings,
) -> tf.Tensor:
    quantized = tf.quantization.fake_quant_with_min_max_vars(
        values, *ends, num_bits=bits, narrow_range=narrow
    )
    if not settings.is_training or settings.delay <= 0:
        return quantized
    step = tf.cast(tf.train.get_or_create_global_step(), tf.int64)
    # A choice of values, not of branches: dozens of those take TensorFlow half a minute to prepare.
    return tf.where_v2(step >= settings.delay, quantized, values)


def _quantize_weights(weights: tf.Tensor, ranges: _Range, settings: Settings) -> tf.Tensor:
    ends: tuple[tf.Tensor, tf.Tensor] = (
        tf.convert_to_tensor(ranges.minimum),
        tf.convert_to_tensor(ranges.maximum),
    )
    if settings.is_training:
        low, high = _ends(tf.stop_gradient(weights), settings.symmetric)
        with tf.control_dependencies([ranges.minimum.assign(low), ranges.maximum.assign(high)]):
            ends = tf.identity(low), tf.identity(high)
    # The lowest of the 2^bits values stays unused, as kernels for integers want it (app. B).
    return _rounded(weights, ends, settings.weight_bits, True, settings)


def _quantize_activation(values: tf.Tensor, ranges: _Range, settings: Settings) -> tf.Tensor:
    ends = (tf.convert_to_tensor(ranges.minimum), tf.convert_to_tensor(ranges.maximum))
    if settings.is_training:
        step = tf.cast(tf.train.get_or_create_global_step(), tf.float32)
        # The first steps should not remember the range that was made up before them.
        decay = tf.minimum(_EMA_DECAY, step / (step + 1.0))
        moved = [
            old * decay + new * (1.0 - decay)
            for old, new in zip(
                ends, _ends(tf.stop_gradient(values), settings.symmetric), strict=True
            )
        ]
        # A range that is once not finite would never be finite again.
        moved = [
            tf.where(tf.math.is_finite(new), new, old) for new, old in zip(moved, ends, strict=True)
        ]
        assigned = [variable.assign(value) for variable, value in zip(ranges, moved, strict=True)]
        with tf.control_dependencies(assigned):
            ends = (tf.identity(moved[0]), tf.identity(moved[1]))
    return _rounded(values, ends, settings.activation_bits, False, settings)


def _variable_name(tensor: tf.Tensor) -> str | None:
    """Name of the variable whose value a tensor is; None for computed values."""
    operation = tensor.op
    while operation.type in ("Identity", "ReadVariableOp", "Reshape"):
        operation = operation.inputs[0].op
    return operation.name if operation.type in ("VarHandleOp", "VariableV2", "Variable") else None


def _end_of_layer(layer: tf.Operation) -> tf.Tensor:
    """What a layer gives, after its bias, normalisation and activation."""
    tensor = layer.outputs[0]
    while True:
        readers = tensor.consumers()
        if len({reader.name for reader in readers}) != 1:
            return tensor
        reader = readers[0]
        if reader.type in _ACTIVATIONS:
            return reader.outputs[0]
        others = [one for one in reader.inputs if one is not tensor]
        per_channel = reader.type in _PER_CHANNEL and all(
            one.shape.rank is not None and one.shape.rank <= 1 for one in others
        )
        if not per_channel and reader.type not in (*_NORMALIZATIONS, "Identity"):
            return tensor
        tensor = reader.outputs[0]


def _source(tensor: tf.Tensor) -> tf.Tensor:
    """Where the values of a tensor were computed, before they were moved about."""
    while tensor.op.type in _MOVES:
        tensor = tensor.op.inputs[0]
    return tensor


def _check_bits(name: str, bits: int) -> None:
    if not 2 <= bits <= 16:
        raise ConfigError(f"graph_rewriter.quantization.{name}: is {bits}, should be 2 to 16.")


def quantize_default_graph(settings: Settings) -> list[str]:
    """Adds fake quantisation to the layers of the default graph whose weights are variables.

    Gradients must be taken afterwards. The output of each layer is rounded behind its activation
    function; so is the input of a layer that no other layer has rounded.

    Args:
        settings: how values are rounded.

    Returns:
        Names of the layers.

    Raises:
        ConfigError: numbers of bits outside 2 to 16, or a graph without such layers.
    """
    _check_bits("weight_bits", settings.weight_bits)
    _check_bits("activation_bits", settings.activation_bits)
    layers = [
        operation
        for operation in tf.get_default_graph().get_operations()
        if operation.type in LAYERS and _variable_name(operation.inputs[1])
    ]
    if not layers:
        raise ConfigError(
            "graph_rewriter.quantization: the graph has no convolution or matrix product to quantise."
        )
    rounded: set[str] = set()

    def activations(tensor: tf.Tensor, name: str) -> None:
        if tensor.name in rounded:
            return
        result = graph_edits.insert_after(
            tensor, lambda values: _quantize_activation(values, _range_variables(name), settings)
        )
        rounded.update((tensor.name, result.name))

    weights: dict[str, tf.Tensor] = {}
    for layer in layers:
        value = layer.inputs[1]
        variable = _variable_name(value)
        if variable and variable not in weights:
            scope = variable.rpartition("/")[0]
            suffix = "" if variable.endswith("/weights") else f"_{variable.rpartition('/')[2]}"
            with tf.name_scope(None):
                weights[variable] = _quantize_weights(
                    value, _range_variables(f"{scope}/weights{suffix}_quant"), settings
                )
        graph_edits.redirect(value, weights[str(variable)], [layer])
    for layer in layers:
        activations(_end_of_layer(layer), f"{_scope(layer)}/act_quant")
    for layer in layers:
        source = _source(layer.inputs[0])
        if source.name not in rounded:
            activations(layer.inputs[0], f"{_scope(layer)}/input_quant")
    return [layer.name for layer in layers]


def _scope(layer: tf.Operation) -> str:
    """The layer's name; that of its scope if it is the only one there."""
    scope, _, last = layer.name.rpartition("/")
    return scope if scope and last in (*LAYERS, "depthwise", "convolution") else layer.name
