"""Heads that predict masks of regions or anchors."""

import math
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import randomness
from object_detection.errors import ConfigError
from object_detection.predictors.heads import head
from object_detection.utils import ops

# How much the features' channels and the number of classes count for the channels of a mask head.
_FEATURE_WEIGHT, _CLASS_WEIGHT = 2.0, 3.0


def _conv_depth(feature_channels: int, num_classes: int) -> int:
    """Channels between those of the features and the number of classes: a power of two.

    Args:
        feature_channels: channels that the head is given.
        num_classes: masks that it gives.
    """
    mean = (
        _FEATURE_WEIGHT * math.log2(feature_channels) + _CLASS_WEIGHT * math.log2(num_classes)
    ) / (_FEATURE_WEIGHT + _CLASS_WEIGHT)
    return 2 ** round(mean)


class MaskRCNNMaskHead(head.Head):
    """Masks of regions, by convolutions (arXiv:1703.06870, section 3)."""

    def __init__(
        self,
        num_classes: int,
        conv_hyperparams_fn: Callable[[], Any] | None = None,
        mask_height: int = 14,
        mask_width: int = 14,
        mask_prediction_num_conv_layers: int = 2,
        mask_prediction_conv_depth: int = 256,
        masks_are_class_agnostic: bool = False,
        convolve_then_upsample: bool = False,
    ) -> None:
        """Takes the settings.

        Args:
            num_classes: number of classes, the background not counted.
            conv_hyperparams_fn: returns the arg scope of the layers; must be given.
            mask_height: of the result.
            mask_width: of the result.
            mask_prediction_num_conv_layers: 3x3 convolutions, the last layer counted.
            mask_prediction_conv_depth: their channels; 0 chooses them between those of the
                features and the number of classes.
            masks_are_class_agnostic: one mask for all classes, not one for each.
            convolve_then_upsample: enlarge after the convolutions, not before; the size of the
                masks must be a multiple of that of the features.

        Raises:
            ConfigError: no `conv_hyperparams_fn`.
        """
        super().__init__()
        if conv_hyperparams_fn is None:
            raise ConfigError(
                "Masks of regions need conv_hyperparams (conv_hyperparams_fn is None); set "
                "mask_rcnn_box_predictor.conv_hyperparams."
            )
        self._num_classes = num_classes
        self._conv_hyperparams_fn = conv_hyperparams_fn
        self._mask_height = mask_height
        self._mask_width = mask_width
        self._mask_prediction_num_conv_layers = mask_prediction_num_conv_layers
        self._mask_prediction_conv_depth = mask_prediction_conv_depth
        self._masks_are_class_agnostic = masks_are_class_agnostic
        self._convolve_then_upsample = convolve_then_upsample

    def predict(self, features: tf.Tensor, num_predictions_per_location: int = 1) -> tf.Tensor:
        """[N, h, w, C] features of regions -> logits [N, 1, classes or 1, height, width].

        Args:
            features: the features.
            num_predictions_per_location: must be 1.

        Raises:
            ConfigError: another number of predictions, or a size that repetition does not reach.
        """
        head.check_one_prediction(num_predictions_per_location)
        _, height, width, channels = features.shape.as_list()
        depth = self._mask_prediction_conv_depth or _conv_depth(channels, self._num_classes)
        size = [self._mask_height, self._mask_width]
        if self._convolve_then_upsample and (size[0] % height or size[1] % width):
            raise ConfigError(
                f"convolve_then_upsample_masks: mask_height and mask_width {size} should be "
                f"multiples of the features' {[height, width]}."
            )
        net = features
        with head.layer_arg_scope(self._conv_hyperparams_fn):
            if not self._convolve_then_upsample:
                net = tf.image.resize_bilinear(net, size, align_corners=True)
            for _ in range(self._mask_prediction_num_conv_layers - 1):
                net = slim.conv2d(net, depth, [3, 3])
            if self._convolve_then_upsample:
                # Repetition and a convolution leave no chequered pattern, as a transposed
                # convolution would.
                net = ops.nearest_neighbor_upsampling(
                    net,
                    height_scale=self._mask_height // height,
                    width_scale=self._mask_width // width,
                )
                net = slim.conv2d(net, depth, size)
            masks = slim.conv2d(
                net,
                1 if self._masks_are_class_agnostic else self._num_classes,
                [3, 3],
                activation_fn=None,
                normalizer_fn=None,
            )
        return tf.expand_dims(tf.transpose(masks, [0, 3, 1, 2]), axis=1, name="MaskPredictor")


class ConvolutionalMaskHead(head.Head):
    """Masks of the anchors of one feature map."""

    def __init__(
        self,
        is_training: bool,
        num_classes: int,
        use_dropout: bool,
        dropout_keep_prob: float,
        kernel_size: int,
        use_depthwise: bool = False,
        mask_height: int = 7,
        mask_width: int = 7,
        masks_are_class_agnostic: bool = False,
    ) -> None:
        """Takes the number of classes (background not counted), dropout, kernel and size."""
        super().__init__()
        self._is_training = is_training
        self._num_masks = 1 if masks_are_class_agnostic else num_classes
        self._use_dropout = use_dropout
        self._dropout_keep_prob = dropout_keep_prob
        self._kernel_size = kernel_size
        self._use_depthwise = use_depthwise
        self._mask_height = mask_height
        self._mask_width = mask_width

    def predict(self, features: tf.Tensor, num_predictions_per_location: int) -> tf.Tensor:
        """[B, h, w, C] -> logits [B, anchors, classes or 1, mask height, mask width]."""
        if self._use_dropout:
            features = randomness.dropout(features, self._dropout_keep_prob, self._is_training)
        shape = [self._num_masks, self._mask_height, self._mask_width]
        masks = head.convolve(
            features,
            num_predictions_per_location * math.prod(shape),
            self._kernel_size,
            self._use_depthwise,
            "MaskPredictor",
        )
        return head.per_anchor(masks, num_predictions_per_location, shape)


class WeightSharedConvolutionalMaskHead(head.Head):
    """Masks of the anchors of every feature map, with the same weights."""

    def __init__(
        self,
        num_classes: int,
        kernel_size: int = 3,
        use_dropout: bool = False,
        dropout_keep_prob: float = 0.8,
        mask_height: int = 7,
        mask_width: int = 7,
        masks_are_class_agnostic: bool = False,
    ) -> None:
        """Takes the number of classes (background not counted), kernel, dropout and size."""
        super().__init__()
        self._num_masks = 1 if masks_are_class_agnostic else num_classes
        self._kernel_size = kernel_size
        self._use_dropout = use_dropout
        self._dropout_keep_prob = dropout_keep_prob
        self._mask_height = mask_height
        self._mask_width = mask_width

    def predict(self, features: tf.Tensor, num_predictions_per_location: int) -> tf.Tensor:
        """[B, h, w, C] -> logits [B, anchors, classes or 1, mask height, mask width]."""
        if self._use_dropout:
            features = randomness.dropout(features, self._dropout_keep_prob)
        shape = [self._num_masks, self._mask_height, self._mask_width]
        masks = head.convolve_in_one(
            features,
            num_predictions_per_location * math.prod(shape),
            self._kernel_size,
            False,
            "MaskPredictor",
        )
        return head.per_anchor(masks, num_predictions_per_location, shape)
