"""Faster R-CNN on Inception-ResNet v2 (arXiv:1602.07261), as in arXiv:1611.10012, section 3.5."""

from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import feature_extractor
from object_detection.models.backbones import inception_resnet_v2
from object_detection.models.faster_rcnn_inputs import check_pictures, check_stride

_SCOPE = "InceptionResnetV2"


class FasterRCNNInceptionResnetV2FeatureExtractor(feature_extractor.FasterRCNNFeatureExtractor):
    """Features `PreAuxLogits`; the network above them for regions."""

    def __init__(
        self,
        is_training: bool,
        first_stage_features_stride: int,
        batch_norm_trainable: bool = False,
        reuse_weights: Any = None,
        weight_decay: float = 0.0,
    ) -> None:
        """Takes the settings; see the base class.

        Args:
            is_training: whether the networks are built to be trained.
            first_stage_features_stride: 8 or 16.
            batch_norm_trainable: whether batch norm, in training, uses the batch's statistics.
            reuse_weights: whether to reuse variables.
            weight_decay: factor of the weights' L2 norm.

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

    def preprocess(self, resized_inputs: tf.Tensor) -> tf.Tensor:
        return feature_extractor.to_unit_range(resized_inputs)

    def _arg_scope(self) -> Any:
        return inception_resnet_v2.inception_resnet_v2_arg_scope(
            weight_decay=self._weight_decay, is_training=self._train_batch_norm
        )

    def _extract_proposal_features(
        self, preprocessed_inputs: tf.Tensor, scope: str
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        preprocessed_inputs = check_pictures(preprocessed_inputs)
        with (
            slim.arg_scope(self._arg_scope()),
            tf.variable_scope(_SCOPE, reuse=self._reuse_weights) as var_scope,
        ):
            return inception_resnet_v2.lower_part(
                preprocessed_inputs, self._first_stage_features_stride, scope=var_scope
            )

    def _extract_box_classifier_features(
        self, proposal_feature_maps: tf.Tensor, scope: str
    ) -> tf.Tensor:
        with (
            slim.arg_scope(self._arg_scope()),
            tf.variable_scope(_SCOPE, reuse=self._reuse_weights),
        ):
            return inception_resnet_v2.upper_part(proposal_feature_maps)

    def restore_from_classification_checkpoint_fn(
        self,
        first_stage_feature_extractor_scope: str,
        second_stage_feature_extractor_scope: str,
    ) -> dict[str, tf.Variable]:
        """Name in a checkpoint of the bare backbone -> variable of this extractor.

        Args:
            first_stage_feature_extractor_scope: outer scope, which the checkpoint's names lack.
            second_stage_feature_extractor_scope: the same, of the second stage, whose `Repeat` is
                the third of the whole network.
        """
        variables = super().restore_from_classification_checkpoint_fn(
            first_stage_feature_extractor_scope, second_stage_feature_extractor_scope
        )
        second = f"{second_stage_feature_extractor_scope}/"
        return {
            name.replace(f"{_SCOPE}/Repeat/block8", f"{_SCOPE}/Repeat_2/block8")
            if variable.op.name.startswith(second)
            else name: variable
            for name, variable in variables.items()
        }
