"""Faster R-CNN on Inception v2 (arXiv:1502.03167): up to `Mixed_4e`, the rest on each region."""

from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim
from tf_slim.nets import inception_v2

from object_detection.core import feature_extractor
from object_detection.core.batch_norm import batch_norm
from object_detection.models.backbones.inception_modules import Branches, conv, module, pool
from object_detection.models.faster_rcnn_inputs import check_pictures, check_stride

_BATCH_NORM_DECAY, _BATCH_NORM_EPSILON = 0.9997, 0.001

# The modules above Mixed_4e (the paper's figure 5: inception 5a has the stride, and no 1x1 branch).
REGION_MODULES: dict[str, Branches] = {
    "Mixed_5a": (
        (conv("Conv2d_0a_1x1", 128, stddev=0.09), conv("Conv2d_1a_3x3", 192, stride=2)),
        (
            conv("Conv2d_0a_1x1", 192, stddev=0.09),
            conv("Conv2d_0b_3x3", 256),
            conv("Conv2d_1a_3x3", 256, stride=2),
        ),
        (pool("MaxPool_1a_3x3", stride=2),),
    ),
    "Mixed_5b": (
        (conv("Conv2d_0a_1x1", 352),),
        (conv("Conv2d_0a_1x1", 192, stddev=0.09), conv("Conv2d_0b_3x3", 320)),
        (
            conv("Conv2d_0a_1x1", 160, stddev=0.09),
            conv("Conv2d_0b_3x3", 224),
            conv("Conv2d_0c_3x3", 224),
        ),
        (pool("AvgPool_0a_3x3"), conv("Conv2d_0b_1x1", 128, stddev=0.1)),
    ),
    "Mixed_5c": (
        (conv("Conv2d_0a_1x1", 352),),
        (conv("Conv2d_0a_1x1", 192, stddev=0.09), conv("Conv2d_0b_3x3", 320)),
        (
            conv("Conv2d_0a_1x1", 192, stddev=0.09),
            conv("Conv2d_0b_3x3", 224),
            conv("Conv2d_0c_3x3", 224),
        ),
        (pool("MaxPool_0a_3x3"), conv("Conv2d_0b_1x1", 128, stddev=0.1)),
    ),
}


class FasterRCNNInceptionV2FeatureExtractor(feature_extractor.FasterRCNNFeatureExtractor):
    """Features `Mixed_4e`; modules `Mixed_5a` to `Mixed_5c` for regions."""

    def __init__(
        self,
        is_training: bool,
        first_stage_features_stride: int,
        batch_norm_trainable: bool = False,
        reuse_weights: Any = None,
        weight_decay: float = 0.0,
        depth_multiplier: float = 1.0,
        min_depth: int = 16,
    ) -> None:
        """Takes the settings.

        Args:
            is_training: whether the networks are built to be trained.
            first_stage_features_stride: 8 or 16; the features have stride 16 all the same.
            batch_norm_trainable: whether batch norm, in training, uses the batch's statistics.
            reuse_weights: whether to reuse variables.
            weight_decay: factor of the weights' L2 norm.
            depth_multiplier: factor of the number of channels.
            min_depth: least number of channels.

        Raises:
            ConfigError: another stride.
        """
        check_stride(first_stage_features_stride)
        super().__init__(
            is_training,
            first_stage_features_stride,
            batch_norm_trainable,
            reuse_weights,
            weight_decay,
        )
        self._depth_multiplier = depth_multiplier
        self._min_depth = min_depth

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    def _arg_scope(self) -> Any:
        with (
            slim.arg_scope(
                [batch_norm],
                is_training=self._train_batch_norm,
                scale=True,
                decay=_BATCH_NORM_DECAY,
                epsilon=_BATCH_NORM_EPSILON,
            ),
            slim.arg_scope(
                [slim.conv2d, slim.separable_conv2d],
                normalizer_fn=batch_norm,
                weights_regularizer=slim.l2_regularizer(self._weight_decay),
            ) as scope,
        ):
            return scope

    def _extract_proposal_features(
        self, preprocessed_inputs: tf.Tensor, scope: str
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        preprocessed_inputs = check_pictures(preprocessed_inputs)
        with (
            tf.variable_scope("InceptionV2", reuse=self._reuse_weights) as var_scope,
            slim.arg_scope(self._arg_scope()),
        ):
            features, end_points = inception_v2.inception_v2_base(
                preprocessed_inputs,
                final_endpoint="Mixed_4e",
                min_depth=self._min_depth,
                depth_multiplier=self._depth_multiplier,
                scope=var_scope,
            )
        return features, end_points

    def _extract_box_classifier_features(
        self, proposal_feature_maps: tf.Tensor, scope: str
    ) -> tf.Tensor:
        net = proposal_feature_maps
        with (
            tf.variable_scope("InceptionV2", reuse=self._reuse_weights),
            slim.arg_scope(self._arg_scope()),
            slim.arg_scope([slim.conv2d, slim.max_pool2d, slim.avg_pool2d], padding="SAME"),
        ):
            for name, branches in REGION_MODULES.items():
                net = module(net, branches, name, self._depth)
        return net

    def _depth(self, depth: int) -> int:
        return max(int(depth * self._depth_multiplier), self._min_depth)
