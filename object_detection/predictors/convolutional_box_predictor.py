"""Box predictors made of convolutions: one for each feature map, or one for all."""

import types
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import box_predictor, randomness
from object_detection.core.batch_norm import batch_norm
from object_detection.core.box_predictor import (
    BOX_ENCODINGS,
    CLASS_PREDICTIONS_WITH_BACKGROUND,
    KEYPOINT_VISIBILITIES,
    MASK_PREDICTIONS,
)
from object_detection.errors import ConfigError
from object_detection.predictors.heads.head import Head, layer_arg_scope

__all__ = [
    "BOX_ENCODINGS",
    "CLASS_PREDICTIONS_WITH_BACKGROUND",
    "MASK_PREDICTIONS",
    "ConvolutionalBoxPredictor",
    "WeightSharedConvolutionalBoxPredictor",
]

BOX_TOWER = "BoxPredictionTower"


class _NoopVariableScope:
    """Stands for a variable scope where there is to be none."""

    def __enter__(self) -> None:
        """Changes nothing."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        """Lets errors pass."""


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
        *,
        keypoint_visibility_head: Head | None = None,
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether the predictor is built to be trained.
            num_classes: number of classes, the background not counted.
            box_prediction_head: predicts box codes.
            class_prediction_head: predicts class logits.
            other_heads: key of the result -> what predicts it.
            conv_hyperparams_fn: returns the arg scope of the layers.
            num_layers_before_predictor: 1x1 convolutions below the heads.
            min_depth: least number of their channels.
            max_depth: greatest number of their channels; with 0, and `min_depth` 0, there are none.
            keypoint_visibility_head: predicts logits of the keypoints' visibility; None for none.
        """
        super().__init__(is_training, num_classes)
        self._box_prediction_head = box_prediction_head
        self._class_prediction_head = class_prediction_head
        self._other_heads = other_heads
        self._conv_hyperparams_fn = conv_hyperparams_fn
        self._num_layers_before_predictor = num_layers_before_predictor
        self._min_depth = min_depth
        self._max_depth = max_depth
        self._keypoint_visibility_head = keypoint_visibility_head

    def _predict(
        self,
        image_features: list[tf.Tensor],
        num_predictions_per_location: list[int],
        **params: Any,
    ) -> dict[str, list[tf.Tensor]]:
        # The order is that in which variables are made.
        heads: dict[str, Head] = {
            **dict(sorted(self._other_heads.items())),
            BOX_ENCODINGS: self._box_prediction_head,
            CLASS_PREDICTIONS_WITH_BACKGROUND: self._class_prediction_head,
        }
        if self._keypoint_visibility_head is not None:
            heads[KEYPOINT_VISIBILITIES] = self._keypoint_visibility_head
        predictions: dict[str, list[tf.Tensor]] = {name: [] for name in heads}
        alone = len(image_features) == 1
        for index, (features, anchors) in enumerate(
            zip(image_features, num_predictions_per_location, strict=True)
        ):
            scope = _NoopVariableScope() if alone else tf.variable_scope(f"BoxPredictor_{index}")
            with scope, layer_arg_scope(self._conv_hyperparams_fn):
                net = self._layers_before(features)
                for name, head in heads.items():
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
        *,
        keypoint_visibility_head: Head | None = None,
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether the predictor is built to be trained.
            num_classes: number of classes, the background not counted.
            box_prediction_head: predicts box codes.
            class_prediction_head: predicts class logits.
            other_heads: key of the result -> what predicts it.
            conv_hyperparams_fn: returns the arg scope of the layers.
            depth: channels of the towers.
            num_layers_before_predictor: convolutions of a tower.
            kernel_size: of these.
            apply_batch_norm: whether they are normalised.
            share_prediction_tower: one tower for all heads, not one for each.
            use_depthwise: depthwise separable convolutions.
            keypoint_visibility_head: predicts logits of the keypoints' visibility from the tower of
                the box codes, which hold the keypoints; None for none.
        """
        super().__init__(is_training, num_classes)
        self._box_prediction_head = box_prediction_head
        self._class_prediction_head = class_prediction_head
        self._other_heads = other_heads
        self._conv_hyperparams_fn = conv_hyperparams_fn
        self._depth = depth
        self._num_layers_before_predictor = num_layers_before_predictor
        self._kernel_size = kernel_size
        self._apply_batch_norm = apply_batch_norm
        self._share_prediction_tower = share_prediction_tower
        self._use_depthwise = use_depthwise
        self._keypoint_visibility_head = keypoint_visibility_head

    def _convolve(
        self,
        net: tf.Tensor,
        depth: int,
        kernel_size: int,
        scope: str,
        norm_scope: str,
        use_depthwise: bool,
    ) -> tf.Tensor:
        """A linear convolution, normalised under a scope that need not be that of the weights."""
        layer = slim.separable_conv2d if use_depthwise else slim.conv2d
        net = layer(
            net,
            depth,
            [kernel_size, kernel_size],
            padding="SAME",
            activation_fn=None,
            # A normaliser that does nothing takes away the biases, which batch norm makes idle.
            normalizer_fn=tf.identity if self._apply_batch_norm else None,
            normalizer_params=None,
            scope=scope,
        )
        return batch_norm(net, scope=norm_scope) if self._apply_batch_norm else net

    def _tower(self, net: tf.Tensor, name: str, feature_index: int) -> tf.Tensor:
        for layer in range(self._num_layers_before_predictor):
            scope = f"{name}/conv2d_{layer}"
            net = self._convolve(
                net,
                self._depth,
                self._kernel_size,
                scope,
                f"{scope}/BatchNorm/feature_{feature_index}",
                self._use_depthwise,
            )
            net = tf.nn.relu6(net)
        return net

    def _projected(self, features: tf.Tensor, depth: int, feature_index: int) -> tf.Tensor:
        """A map brought to the number of channels that most maps have."""
        scope = f"ProjectionLayer/conv2d_{feature_index}"
        return self._convolve(features, depth, 1, scope, f"{scope}/BatchNorm", use_depthwise=False)

    def _predict(
        self,
        image_features: list[tf.Tensor],
        num_predictions_per_location: list[int],
        **params: Any,
    ) -> dict[str, list[tf.Tensor]]:
        if len(set(num_predictions_per_location)) > 1:
            raise ConfigError(
                "weight_shared_convolutional_box_predictor needs the same number of anchors of a "
                f"location in all feature maps, got {num_predictions_per_location}."
            )
        # Tower and head of each result, in the order in which variables are made.
        heads: dict[str, tuple[str, Head]] = {
            BOX_ENCODINGS: (BOX_TOWER, self._box_prediction_head),
            **{
                name: (f"{name}_PredictionTower", head)
                for name, head in sorted(self._other_heads.items())
            },
            CLASS_PREDICTIONS_WITH_BACKGROUND: (
                "ClassPredictionTower",
                self._class_prediction_head,
            ),
        }
        if self._keypoint_visibility_head is not None:
            heads[KEYPOINT_VISIBILITIES] = (BOX_TOWER, self._keypoint_visibility_head)
        channels = [features.shape.as_list()[3] for features in image_features]
        predictions: dict[str, list[tf.Tensor]] = {name: [] for name in heads}
        with (
            tf.variable_scope("WeightSharedConvolutionalBoxPredictor", reuse=tf.AUTO_REUSE),
            layer_arg_scope(self._conv_hyperparams_fn),
            # Heads of this predictor do not know whether they train.
            slim.arg_scope([slim.dropout, randomness.dropout], is_training=self._is_training),
        ):
            for index, (features, anchors) in enumerate(
                zip(image_features, num_predictions_per_location, strict=True)
            ):
                if len(set(channels)) > 1:
                    depth = max(set(channels), key=channels.count)
                    features = self._projected(features, depth, index)
                towers: dict[str, tf.Tensor] = {}
                for name, (tower, head) in heads.items():
                    tower = "PredictionTower" if self._share_prediction_tower else tower
                    if tower not in towers:
                        towers[tower] = self._tower(features, tower, index)
                    predictions[name].append(head.predict(towers[tower], anchors))
        return predictions
