"""The predictor of region-based fully convolutional networks (R-FCN, arXiv:1605.06409)."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import box_predictor
from object_detection.core.box_predictor import (
    BOX_ENCODINGS,
    CLASS_PREDICTIONS_WITH_BACKGROUND,
    MASK_PREDICTIONS,
)
from object_detection.errors import ConfigError
from object_detection.predictors.heads.head import layer_arg_scope
from object_detection.utils import ops

__all__ = [
    "BOX_ENCODINGS",
    "CLASS_PREDICTIONS_WITH_BACKGROUND",
    "MASK_PREDICTIONS",
    "RfcnBoxPredictor",
]


class RfcnBoxPredictor(box_predictor.BoxPredictor):
    """Position-sensitive score maps, averaged over each region (section 2.2)."""

    def __init__(
        self,
        is_training: bool,
        num_classes: int,
        conv_hyperparams_fn: Callable[[], Any],
        num_spatial_bins: Sequence[int],
        depth: int,
        crop_size: Sequence[int],
        box_code_size: int,
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether the predictor is built to be trained.
            num_classes: number of classes, the background not counted.
            conv_hyperparams_fn: returns the arg scope of the layers.
            num_spatial_bins: (bins_y, bins_x).
            depth: channels of the 1x1 convolution below the score maps.
            crop_size: (height, width) of a region's crop, multiples of the numbers of bins.
            box_code_size: numbers of a code.
        """
        super().__init__(is_training, num_classes)
        self._conv_hyperparams_fn = conv_hyperparams_fn
        self._num_spatial_bins = num_spatial_bins
        self._depth = depth
        self._crop_size = crop_size
        self._box_code_size = box_code_size

    def _predict(
        self,
        image_features: list[tf.Tensor],
        num_predictions_per_location: list[int],
        **params: Any,
    ) -> dict[str, list[tf.Tensor]]:
        """The predictions of all regions.

        Args:
            image_features: one tensor [B, h, w, C].
            num_predictions_per_location: [1].
            **params: `proposal_boxes`, [B, N, 4], normalised.

        Returns:
            `box_encodings`: one tensor [B * N, 1, classes, code size];
            `class_predictions_with_background`: one tensor [B * N, 1, 1 + classes].

        Raises:
            ConfigError: not one prediction a region, or not one feature map.
        """
        if list(num_predictions_per_location) != [1] or len(image_features) != 1:
            raise ConfigError(
                f"{len(image_features)} feature maps and predictions a location "
                f"{list(num_predictions_per_location)}; rfcn_box_predictor takes one map and "
                "predicts once for each region: [1]."
            )
        proposals = params["proposal_boxes"]
        with layer_arg_scope(self._conv_hyperparams_fn):
            net = slim.conv2d(image_features[0], self._depth, [1, 1], scope="reduce_depth")
            codes = self._pooled_maps(
                net, proposals, [self.num_classes, self._box_code_size], "refine_locations"
            )
            logits = self._pooled_maps(net, proposals, [self.num_classes + 1], "predict_classes")
        return {BOX_ENCODINGS: [codes], CLASS_PREDICTIONS_WITH_BACKGROUND: [logits]}

    def _pooled_maps(
        self, net: tf.Tensor, proposals: tf.Tensor, shape: list[int], scope: str
    ) -> tf.Tensor:
        """[B, h, w, C] and [B, N, 4] -> [B * N, 1, *shape]."""
        bins_y, bins_x = self._num_spatial_bins
        depth = bins_y * bins_x
        for size in shape:
            depth *= size
        maps = slim.conv2d(net, depth, [1, 1], activation_fn=None, scope=scope)
        pooled = ops.batch_position_sensitive_crop_regions(
            maps,
            boxes=proposals,
            crop_size=self._crop_size,
            num_spatial_bins=self._num_spatial_bins,
            global_pool=True,
        )
        return tf.reshape(pooled, [-1, 1, *shape])
