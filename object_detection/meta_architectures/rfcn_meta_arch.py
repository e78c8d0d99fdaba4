"""Region-based fully convolutional networks (R-FCN, arXiv:1605.06409).

The second stage's network works on the whole picture once; each region then averages
position-sensitive maps, so that nothing is computed for it alone.

Axes: B images, P proposals, R = B * P, C classes.
"""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.anchor_generator import AnchorGenerator
from object_detection.core.box_predictor import BoxPredictor
from object_detection.core.feature_extractor import FasterRCNNFeatureExtractor
from object_detection.core.losses import HardExampleMiner, Loss
from object_detection.core.minibatch_sampler import MinibatchSampler
from object_detection.core.target_assigner import TargetAssigner
from object_detection.errors import ConfigError
from object_detection.meta_architectures.faster_rcnn import FasterRCNNMetaArch

__all__ = ["RFCNMetaArch"]


class RFCNMetaArch(FasterRCNNMetaArch):
    """A two-stage detector whose second stage pools maps instead of working on crops."""

    def __init__(
        self,
        is_training: bool,
        num_classes: int,
        image_resizer_fn: Callable[..., list[tf.Tensor]],
        feature_extractor: FasterRCNNFeatureExtractor,
        number_of_stages: int,
        first_stage_anchor_generator: AnchorGenerator,
        first_stage_target_assigner: TargetAssigner,
        first_stage_atrous_rate: int,
        first_stage_box_predictor_arg_scope_fn: Callable[[], Any],
        first_stage_box_predictor_kernel_size: int,
        first_stage_box_predictor_depth: int,
        first_stage_minibatch_size: int,
        first_stage_sampler: MinibatchSampler,
        first_stage_non_max_suppression_fn: Callable[..., tuple[Any, ...]],
        first_stage_max_proposals: int,
        first_stage_localization_loss_weight: float,
        first_stage_objectness_loss_weight: float,
        crop_and_resize_fn: Callable[..., tf.Tensor],
        second_stage_target_assigner: TargetAssigner,
        second_stage_rfcn_box_predictor: BoxPredictor | None,
        second_stage_batch_size: int,
        second_stage_sampler: MinibatchSampler,
        second_stage_non_max_suppression_fn: Callable[..., tuple[Any, ...]],
        second_stage_score_conversion_fn: Callable[[tf.Tensor], tf.Tensor],
        second_stage_localization_loss_weight: float,
        second_stage_classification_loss_weight: float,
        second_stage_classification_loss: Loss,
        hard_example_miner: HardExampleMiner | None,
        parallel_iterations: int = 16,
        add_summaries: bool = True,
        clip_anchors_to_image: bool = False,
        use_static_shapes: bool = False,
        resize_masks: bool = False,
        freeze_batchnorm: bool = False,
        return_raw_detections_during_predict: bool = False,
        output_final_box_features: bool = False,
        output_final_box_rpn_features: bool = False,
    ) -> None:
        """Takes the parts; see `FasterRCNNMetaArch`, which crops regions where this does not.

        Args:
            is_training: whether the model is built to be trained.
            num_classes: C.
            image_resizer_fn: [H, W, 3] -> resized picture and its true shape.
            feature_extractor: the two networks.
            number_of_stages: 1 proposals; 2 boxes and classes too.
            first_stage_anchor_generator: gives anchors in pixels.
            first_stage_target_assigner: groundtruth -> targets of each anchor.
            first_stage_atrous_rate: of the convolution below the proposals' predictor.
            first_stage_box_predictor_arg_scope_fn: returns the arg scope of that convolution and
                of the predictor.
            first_stage_box_predictor_kernel_size: of that convolution.
            first_stage_box_predictor_depth: of that convolution.
            first_stage_minibatch_size: anchors of a picture that the first stage trains on.
            first_stage_sampler: chooses them.
            first_stage_non_max_suppression_fn: suppresses proposals that overlap.
            first_stage_max_proposals: P in inference, and with a hard example miner.
            first_stage_localization_loss_weight: factor of the proposals' localisation loss.
            first_stage_objectness_loss_weight: factor of the proposals' objectness loss.
            crop_and_resize_fn: no effect: nothing is cropped.
            second_stage_target_assigner: groundtruth -> targets of each proposal.
            second_stage_rfcn_box_predictor: map and regions -> codes and classes.
            second_stage_batch_size: proposals of a picture that the second stage trains on.
            second_stage_sampler: chooses them.
            second_stage_non_max_suppression_fn: see `builders.post_processing_builder`.
            second_stage_score_conversion_fn: class logits -> scores.
            second_stage_localization_loss_weight: factor of the localisation loss.
            second_stage_classification_loss_weight: factor of the classification loss.
            second_stage_classification_loss: of class logits.
            hard_example_miner: chooses the proposals that count, or None for the sampler.
            parallel_iterations: pictures at a time where they are taken one by one.
            add_summaries: whether to write scalar summaries.
            clip_anchors_to_image: in training, anchors that leave the picture are cut, not
                left out.
            use_static_shapes: kept for code that sets it; sizes are known wherever they can be.
            resize_masks: no effect: there are no masks.
            freeze_batchnorm: batch norm uses its moving averages also in training.
            return_raw_detections_during_predict: adds decoded boxes to `predict`'s result.
            output_final_box_features: must be False: no region has features of its own.
            output_final_box_rpn_features: must be False, for the same reason.

        Raises:
            ConfigError: three stages, or features of detections, are asked for.
        """
        if number_of_stages == 3:
            raise ConfigError("number_of_stages is 3, but R-FCN has no masks; allowed: 1, 2.")
        if output_final_box_features or output_final_box_rpn_features:
            raise ConfigError(
                "output_final_box_features and output_final_box_rpn_features are not available for "
                "R-FCN: its regions have no features of their own. Leave them out."
            )
        super().__init__(
            is_training=is_training,
            num_classes=num_classes,
            image_resizer_fn=image_resizer_fn,
            feature_extractor=feature_extractor,
            number_of_stages=number_of_stages,
            first_stage_anchor_generator=first_stage_anchor_generator,
            first_stage_target_assigner=first_stage_target_assigner,
            first_stage_atrous_rate=first_stage_atrous_rate,
            first_stage_box_predictor_arg_scope_fn=first_stage_box_predictor_arg_scope_fn,
            first_stage_box_predictor_kernel_size=first_stage_box_predictor_kernel_size,
            first_stage_box_predictor_depth=first_stage_box_predictor_depth,
            first_stage_minibatch_size=first_stage_minibatch_size,
            first_stage_sampler=first_stage_sampler,
            first_stage_non_max_suppression_fn=first_stage_non_max_suppression_fn,
            first_stage_max_proposals=first_stage_max_proposals,
            first_stage_localization_loss_weight=first_stage_localization_loss_weight,
            first_stage_objectness_loss_weight=first_stage_objectness_loss_weight,
            crop_and_resize_fn=crop_and_resize_fn,
            initial_crop_size=None,
            maxpool_kernel_size=None,
            maxpool_stride=None,
            second_stage_target_assigner=second_stage_target_assigner,
            second_stage_mask_rcnn_box_predictor=second_stage_rfcn_box_predictor,
            second_stage_batch_size=second_stage_batch_size,
            second_stage_sampler=second_stage_sampler,
            second_stage_non_max_suppression_fn=second_stage_non_max_suppression_fn,
            second_stage_score_conversion_fn=second_stage_score_conversion_fn,
            second_stage_localization_loss_weight=second_stage_localization_loss_weight,
            second_stage_classification_loss_weight=second_stage_classification_loss_weight,
            second_stage_classification_loss=second_stage_classification_loss,
            hard_example_miner=hard_example_miner,
            parallel_iterations=parallel_iterations,
            add_summaries=add_summaries,
            clip_anchors_to_image=clip_anchors_to_image,
            use_static_shapes=use_static_shapes,
            resize_masks=resize_masks,
            freeze_batchnorm=freeze_batchnorm,
            return_raw_detections_during_predict=return_raw_detections_during_predict,
        )

    def _predict_regions(
        self, predictions: dict[str, Any], boxes_normalized: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Features [B, h, w, C'] of the whole picture, codes [R, q, 4], class logits [R, 1 + C]."""
        features = self._feature_extractor.extract_box_classifier_features(
            predictions["rpn_features_to_crop"][0], scope=self.second_stage_feature_extractor_scope
        )
        predicted = self._head_predictions(features, proposal_boxes=boxes_normalized)
        return features, *self._codes_and_logits(predicted)
