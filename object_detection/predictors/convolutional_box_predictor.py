"""Box predictors made of convolutions: one for each feature map, or one for all."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import box_predictor
from object_detection.core.batch_norm import batch_norm
from object_detection.core.box_predictor import (
    BOX_ENCODINGS,
    CLASS_PREDICTIONS_WITH_BACKGROUND,
    MASK_PREDICTIONS,
)
from object_detection.errors import ConfigError
from object_detection.predictors.heads.head import Head

__all__ = [
    "BOX_ENCODINGS",
    "CLASS_PREDICTIONS_WITH_BACKGROUND",
    "MASK_PREDICTIONS",
    "ConvolutionalBoxPredictor",
    "WeightSharedConvolutionalBoxPredictor",
]


class ConvolutionalBoxPredictor(box_predictor.BoxPredictor):
    """A predictor of its own for each feature map (arXiv:1512.02325)."""

    def __init__(
        self,
        is_training: bool,
        num_classes: int,
        box_prediction_head: Head,
        class_prediction_head: Head,
        other_heads: dict[str, Head],
        conv_hyperparams_fn: Callable[[], Any],
        num_layers_before_predictor: int,
        min_depth: int,
        max_depth: int,
    ) -> None:
        """Takes the heads and the settings of the 1x1 convolutions below them."""
        super().__init__(is_training, num_classes)
        self._heads: dict[str, Head] = {
            BOX_ENCODINGS: box_prediction_head,
            CLASS_PREDICTIONS_WITH_BACKGROUND: class_prediction_head,
            **other_heads,
        }
        self._conv_hyperparams_fn = conv_hyperparams_fn
        self._num_layers_before_predictor = num_layers_before_predictor
        self._min_depth = min_depth
        self._max_depth = max_depth

    def _predict(
        self,
        image_features: list[tf.Tensor],
        num_predictions_per_location: list[int],
        **params: Any,
    ) -> dict[str, list[tf.Tensor]]:
        predictions: dict[str, list[tf.Tensor]] = {name: [] for name in self._heads}
        alone = len(image_features) == 1
        for index, (features, anchors) in enumerate(
            zip(image_features, num_predictions_per_location, strict=True)
        ):
            with (
                tf.variable_scope("BoxPredictor" if alone else f"BoxPredictor_{index}"),
                slim.arg_scope(self._conv_hyperparams_fn()),
            ):
                net = self._layers_before(features)
                for name, head in self._heads.items():
                    predictions[name].append(head.predict(net, anchors))
        return predictions

    def _layers_before(self, net: tf.Tensor) -> tf.Tensor:
        depth = max(min(net.shape.as_list()[3], self._max_depth), self._min_depth)
        if depth <= 0:
            return net
        for layer in range(self._num_layers_before_predictor):
            net = slim.conv2d(net, depth, [1, 1], scope=f"Conv2d_{layer}_1x1_{depth}")
        return net


class WeightSharedConvolutionalBoxPredictor(box_predictor.BoxPredictor):
    """One predictor for all feature maps (arXiv:1708.02002, section 4).

    The convolutions are shared; each map has batch-norm statistics of its own.
    """

    def __init__(
        self,
        is_training: bool,
        num_classes: int,
        box_prediction_head: Head,
        class_prediction_head: Head,
        other_heads: dict[str, Head],
        conv_hyperparams_fn: Callable[[], Any],
        depth: int,
        num_layers_before_predictor: int,
        kernel_size: int = 3,
        apply_batch_norm: bool = False,
        share_prediction_tower: bool = False,
        use_depthwise: bool = False,
    ) -> None:
        """Takes the heads and the settings of the towers below them."""
        super().__init__(is_training, num_classes)
        # The tower of each head; the order is that in which variables are made.
        self._heads: dict[str, tuple[str, Head]] = {
            BOX_ENCODINGS: ("BoxPredictionTower", box_prediction_head),
            CLASS_PREDICTIONS_WITH_BACKGROUND: ("ClassPredictionTower", class_prediction_head),
        }
        for name, head in other_heads.items():
            self._heads[name] = (f"{name}_PredictionTower", head)
        self._conv_hyperparams_fn = conv_hyperparams_fn
        self._depth = depth
        self._num_layers_before_predictor = num_layers_before_predictor
        self._kernel_size = kernel_size
        self._apply_batch_norm = apply_batch_norm
        self._share_prediction_tower = share_prediction_tower
        self._use_depthwise = use_depthwise

    def _tower(self, net: tf.Tensor, name: str, feature_index: int) -> tf.Tensor:
        for layer in range(self._num_layers_before_predictor):
            scope = f"{name}/conv2d_{layer}"
            # A normaliser that does nothing takes away the biases, which batch norm makes idle.
            normalizer = tf.identity if self._apply_batch_norm else None
            if self._use_depthwise:
                net = slim.separable_conv2d(
                    net,
                    self._depth,
                    [self._kernel_size, self._kernel_size],
                    activation_fn=None,
                    normalizer_fn=normalizer,
                    scope=scope,
                )
            else:
                net = slim.conv2d(
                    net,
                    self._depth,
                    [self._kernel_size, self._kernel_size],
                    activation_fn=None,
                    normalizer_fn=normalizer,
                    scope=scope,
                )
            if self._apply_batch_norm:
                net = batch_norm(net, scope=f"{scope}/BatchNorm/feature_{feature_index}")
            net = tf.nn.relu6(net)
        return net

    def _predict(
        self,
        image_features: list[tf.Tensor],
        num_predictions_per_location: list[int],
        **params: Any,
    ) -> dict[str, list[tf.Tensor]]:
        for what, values in (
            ("anchors of a location", set(num_predictions_per_location)),
            ("channels", {features.shape.as_list()[3] for features in image_features}),
        ):
            if len(values) > 1:
                raise ConfigError(
                    f"weight_shared_convolutional_box_predictor needs the same number of {what} in "
                    f"all feature maps, got {sorted(values)}."
                )
        predictions: dict[str, list[tf.Tensor]] = {name: [] for name in self._heads}
        with (
            tf.variable_scope("WeightSharedConvolutionalBoxPredictor", reuse=tf.AUTO_REUSE),
            slim.arg_scope(self._conv_hyperparams_fn()),
        ):
            for index, (features, anchors) in enumerate(
                zip(image_features, num_predictions_per_location, strict=True)
            ):
                shared = None
                if self._share_prediction_tower:
                    shared = self._tower(features, "PredictionTower", index)
                for name, (tower, head) in self._heads.items():
                    net = self._tower(features, tower, index) if shared is None else shared
                    prediction = head.predict(net, anchors)
                    if name == BOX_ENCODINGS:
                        prediction = prediction[:, :, tf.newaxis]
                    predictions[name].append(prediction)
        return predictions
