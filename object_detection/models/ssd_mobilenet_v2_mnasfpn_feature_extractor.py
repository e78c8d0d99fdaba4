"""SSD on MobileNet v2 with a searched feature pyramid (MnasFPN, arXiv:1912.01106).

The pyramid is a chain of equal cells. A cell takes one map of each level and adds blocks; each
block merges two earlier maps at a level of its own. The last blocks are what the cell gives.

Level L has stride 2^L.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.core.batch_norm import batch_norm
from object_detection.errors import ConfigError
from object_detection.models.backbones import mobilenet_v2
from object_detection.models.backbones.inverted_residual import scaled_depth
from object_detection.models.feature_map_generators import cut_to, enlarge
from object_detection.utils import ops, shape_utils


class Block(NamedTuple):
    """A merging of two maps, followed by a separable convolution."""

    inputs: tuple[int, ...]  # positions: the cell's own maps first, then its blocks
    output_level: int
    kernel_size: int
    expansion_size: int  # channels that the maps are merged with


# The cell that the search found.
_MNASFPN_CELL_CONFIG = [
    Block(inputs=(1, 2), output_level=4, kernel_size=3, expansion_size=256),
    Block(inputs=(0, 4), output_level=3, kernel_size=3, expansion_size=128),
    Block(inputs=(5, 4), output_level=4, kernel_size=3, expansion_size=128),
    Block(inputs=(4, 3), output_level=5, kernel_size=5, expansion_size=128),
    Block(inputs=(4, 3), output_level=6, kernel_size=3, expansion_size=96),
]

MNASFPN_DEF: dict[str, Any] = {"feature_levels": [3, 4, 5, 6], "spec": [_MNASFPN_CELL_CONFIG] * 4}

# Layers of MobileNet v2 that are the levels below the one made here.
_LAYERS = {3: "layer_7", 4: "layer_14", 5: "layer_18"}
_BACKBONE_WEIGHT_DECAY = 4e-5


def _pool(net: tf.Tensor, stride: int, use_explicit_padding: bool, scope: str) -> tf.Tensor:
    padding = "SAME"
    if use_explicit_padding:
        net, padding = ops.fixed_padding(net, 3), "VALID"
    return slim.max_pool2d(net, [3, 3], stride=stride, padding=padding, scope=scope)


def _linear(net: tf.Tensor, depth: int, scope: str) -> tf.Tensor:
    """A normalised 1x1 convolution."""
    return slim.conv2d(
        net, depth, [1, 1], activation_fn=None, normalizer_fn=batch_norm, scope=scope
    )


def _at_level(
    net: tf.Tensor,
    steps: int,
    like: tf.Tensor,
    depth: int,
    use_explicit_padding: bool,
    use_native_resize_op: bool,
) -> tf.Tensor:
    """A map brought to another level and depth, the 1x1 convolution where the map is smaller.

    The paper calls it size-dependent ordering.

    Args:
        net: the map.
        steps: levels to go up, to coarser maps; negative for finer ones.
        like: a map of the wanted size.
        depth: channels of the result.
        use_explicit_padding: pad by hand before pooling.
        use_native_resize_op: enlarge with TensorFlow's resize.
    """
    if steps > 0:
        return _linear(_pool(net, 2**steps, use_explicit_padding, "Downsample"), depth, "Conv1x1")
    net = _linear(net, depth, "Conv1x1")
    return cut_to(enlarge(net, 2**-steps, use_native_resize_op), like) if steps else net


def _cell(
    maps: Sequence[tf.Tensor],
    levels: Sequence[int],
    blocks: Sequence[Block],
    output_channel: int,
    use_explicit_padding: bool,
    use_native_resize_op: bool,
    multiplier_func: Callable[[int], int],
) -> list[tf.Tensor]:
    """The maps of one cell; arguments as of `mnasfpn`."""
    nodes, node_levels = list(maps), list(levels)
    for index, block in enumerate(blocks):
        with tf.variable_scope(f"block_{index}"):
            # One of the cell's own maps has the size that this level has.
            like = maps[levels.index(block.output_level)]
            merged = None
            for position, node in enumerate(block.inputs):
                with tf.variable_scope(f"input_{position}"):
                    brought = _at_level(
                        nodes[node],
                        block.output_level - node_levels[node],
                        like,
                        multiplier_func(block.expansion_size),
                        use_explicit_padding,
                        use_native_resize_op,
                    )
                    # Sums of two: TFLite has no operation for longer ones.
                    merged = brought if merged is None else merged + brought
            net, padding = tf.nn.relu6(merged), "SAME"
            if use_explicit_padding:
                net, padding = ops.fixed_padding(net, block.kernel_size), "VALID"
            node = slim.separable_conv2d(
                net,
                multiplier_func(output_channel),
                [block.kernel_size, block.kernel_size],
                padding=padding,
                activation_fn=None,
                normalizer_fn=batch_norm,
                scope="SepConv",
            )
        nodes.append(node)
        node_levels.append(block.output_level)
    return [
        new + old if new.shape.as_list() == old.shape.as_list() else new
        for new, old in zip(nodes[-len(maps) :], maps, strict=True)
    ]


def mnasfpn(
    feature_maps: Sequence[tf.Tensor],
    head_def: dict[str, Any],
    output_channel: int = 48,
    use_explicit_padding: bool = False,
    use_native_resize_op: bool = False,
    multiplier_func: Callable[[int], int] | None = None,
) -> list[tf.Tensor]:
    """The pyramid.

    Args:
        feature_maps: one map [B, h, w, C] of each level, finest first.
        head_def: `feature_levels`, the levels of the maps; `spec`, for each cell its blocks.
        output_channel: channels of the result.
        use_explicit_padding: pad by hand and convolve without padding.
        use_native_resize_op: enlarge with TensorFlow's resize instead of repetition.
        multiplier_func: number of channels -> number of channels to build.

    Returns:
        Maps of the same sizes, each with `output_channel` channels.
    """
    maps = list(feature_maps)
    for index, blocks in enumerate(head_def["spec"]):
        with tf.variable_scope(f"cell_{index}"):
            maps = _cell(
                maps,
                list(head_def["feature_levels"]),
                blocks,
                output_channel,
                use_explicit_padding,
                use_native_resize_op,
                multiplier_func or int,
            )
    return maps


def training_scope(l2_weight_decay: float = 1e-4, is_training: bool | None = None) -> Any:
    """The arg scope that published checkpoints were trained with.

    Args:
        l2_weight_decay: factor of the weights' L2 norm.
        is_training: as for batch norm; None leaves it to the scope around.
    """
    training = {} if is_training is None else {"is_training": is_training}
    regularizer = slim.l2_regularizer(l2_weight_decay)
    with (
        slim.arg_scope(
            [slim.conv2d],
            weights_initializer=slim.variance_scaling_initializer(),
            weights_regularizer=regularizer,
        ),
        slim.arg_scope(
            [slim.separable_conv2d],
            # As arXiv:1502.01852 has it for the nine weights of a depthwise 3x3 kernel.
            weights_initializer=tf.truncated_normal_initializer(stddev=0.536),
            weights_regularizer=regularizer,
        ),
        slim.arg_scope(
            [batch_norm], epsilon=0.01, decay=0.99, center=True, scale=True, **training
        ) as scope,
    ):
        return scope


class SSDMobileNetV2MnasFPNFeatureExtractor(feature_extractor.SSDFeatureExtractor):
    """Levels 3 to 6 of the pyramid."""

    def __init__(
        self,
        is_training: bool,
        depth_multiplier: float,
        min_depth: int,
        pad_to_multiple: int,
        conv_hyperparams_fn: Callable[[], Any],
        fpn_min_level: int = 3,
        fpn_max_level: int = 6,
        additional_layer_depth: int = 48,
        head_def: dict[str, Any] | None = None,
        reuse_weights: Any = None,
        use_explicit_padding: bool = False,
        use_depthwise: bool = False,
        use_native_resize_op: bool = False,
        override_base_feature_extractor_hyperparams: bool = False,
        data_format: str = "channels_last",
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether the network is built to be trained.
            depth_multiplier: factor of the number of channels.
            min_depth: least number of channels.
            pad_to_multiple: the picture is padded with zeros to a multiple of this.
            conv_hyperparams_fn: returns the arg scope of the backbone, if that is overridden; the
                pyramid keeps its own, `training_scope`.
            fpn_min_level: must be 3.
            fpn_max_level: must be 6.
            additional_layer_depth: channels of the maps, before the multiplier.
            head_def: the pyramid, `MNASFPN_DEF` by default; its levels must be 3 to 6.
            reuse_weights: whether to reuse variables.
            use_explicit_padding: pad by hand and convolve without padding.
            use_depthwise: has no effect: the pyramid's convolutions are depthwise separable.
            use_native_resize_op: enlarge with TensorFlow's resize.
            override_base_feature_extractor_hyperparams: use the arg scope in the backbone.
            data_format: must be `channels_last`.

        Raises:
            ConfigError: other levels, or another format of the data.
        """
        super().__init__(
            is_training,
            depth_multiplier,
            min_depth,
            pad_to_multiple,
            conv_hyperparams_fn,
            reuse_weights,
            use_explicit_padding,
            use_depthwise,
            override_base_feature_extractor_hyperparams=override_base_feature_extractor_hyperparams,
        )
        self._head_def = head_def or MNASFPN_DEF
        levels = list(self._head_def["feature_levels"])
        if (fpn_min_level, fpn_max_level, levels) != (3, 6, [3, 4, 5, 6]):
            raise ConfigError(
                f"ssd_mobilenet_v2_mnasfpn: fpn.min_level {fpn_min_level}, fpn.max_level "
                f"{fpn_max_level}, levels of the pyramid {levels}; only 3 to 6 are available."
            )
        if data_format != "channels_last":
            raise ConfigError(
                f"ssd_mobilenet_v2_mnasfpn: data_format is {data_format!r}; only 'channels_last' "
                "is available."
            )
        self._additional_layer_depth = additional_layer_depth
        self._use_native_resize_op = use_native_resize_op

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    def _depth(self, depth: int) -> int:
        return scaled_depth(depth, self._depth_multiplier, self._min_depth)

    def extract_features(self, preprocessed_inputs: tf.Tensor) -> list[tf.Tensor]:
        preprocessed_inputs = shape_utils.check_min_image_dim(33, preprocessed_inputs)
        with (
            tf.variable_scope("MobilenetV2", reuse=self._reuse_weights) as scope,
            slim.arg_scope(mobilenet_v2.mobilenet_v2_arg_scope()),
            self._backbone_arg_scope(training_scope(_BACKBONE_WEIGHT_DECAY)),
        ):
            _, end_points = mobilenet_v2.mobilenet_v2_base(
                ops.pad_to_multiple(preprocessed_inputs, self._pad_to_multiple),
                final_endpoint=_LAYERS[5],
                min_depth=self._min_depth,
                depth_multiplier=self._depth_multiplier,
                use_explicit_padding=self._use_explicit_padding,
                scope=scope,
            )
        with (
            tf.variable_scope("MnasFPN", reuse=self._reuse_weights),
            slim.arg_scope(training_scope()),
        ):
            maps = [end_points[layer] for layer in _LAYERS.values()]
            coarse = _pool(maps[-1], 2, self._use_explicit_padding, "C6_Downsample")
            maps.append(_linear(coarse, self._depth(self._additional_layer_depth), "C6_Conv1x1"))
            return mnasfpn(
                maps,
                self._head_def,
                output_channel=self._additional_layer_depth,
                use_explicit_padding=self._use_explicit_padding,
                use_native_resize_op=self._use_native_resize_op,
                multiplier_func=self._depth,
            )
