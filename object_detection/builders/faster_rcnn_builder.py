"""`faster_rcnn` message -> two-stage detector."""

import functools
from collections.abc import Callable
from typing import Any

from object_detection.builders import (
    anchor_generator_builder,
    box_predictor_builder,
    hyperparams_builder,
    image_resizer_builder,
    losses_builder,
    post_processing_builder,
)
from object_detection.core import feature_extractor, post_processing, target_assigner
from object_detection.core.balanced_positive_negative_sampler import (
    BalancedPositiveNegativeSampler,
)
from object_detection.errors import ConfigError
from object_detection.meta_architectures.faster_rcnn import FasterRCNNMetaArch
from object_detection.meta_architectures.rfcn_meta_arch import RFCNMetaArch
from object_detection.models.faster_rcnn_inception_resnet_v2_feature_extractor import (
    FasterRCNNInceptionResnetV2FeatureExtractor,
)
from object_detection.models.faster_rcnn_inception_v2_feature_extractor import (
    FasterRCNNInceptionV2FeatureExtractor,
)
from object_detection.models.faster_rcnn_mobilenet_v1_feature_extractor import (
    FasterRCNNMobilenetV1FeatureExtractor,
)
from object_detection.models.faster_rcnn_resnet_v1_feature_extractor import (
    FasterRCNNResnet50FeatureExtractor,
    FasterRCNNResnet101FeatureExtractor,
    FasterRCNNResnet152FeatureExtractor,
)
from object_detection.registry import Table
from object_detection.utils import spatial_transform_ops

# Users add their own with update(), so the name and the type are part of the interface.
FASTER_RCNN_FEATURE_EXTRACTOR_CLASS_MAP = Table(
    "model.faster_rcnn.feature_extractor.type",
    {
        "faster_rcnn_inception_resnet_v2": FasterRCNNInceptionResnetV2FeatureExtractor,
        "faster_rcnn_inception_v2": FasterRCNNInceptionV2FeatureExtractor,
        "faster_rcnn_mobilenet_v1": FasterRCNNMobilenetV1FeatureExtractor,
        "faster_rcnn_resnet50": FasterRCNNResnet50FeatureExtractor,
        "faster_rcnn_resnet101": FasterRCNNResnet101FeatureExtractor,
        "faster_rcnn_resnet152": FasterRCNNResnet152FeatureExtractor,
    },
)

# Fields of the extractor's message that belong to extractors made of Keras layers.
_KERAS_EXTRACTOR_FIELDS = ("conv_hyperparams", "fpn", "override_base_feature_extractor_hyperparams")


def _refuse_unavailable(config: Any) -> None:
    if config.HasField("context_config"):
        raise ConfigError(
            "model.faster_rcnn.context_config is not available: there is no Context R-CNN. "
            "Leave it out."
        )
    if config.inplace_batchnorm_update:
        raise ConfigError(
            "model.faster_rcnn.inplace_batchnorm_update is not available for two-stage detectors; "
            "leave it out."
        )
    for name in _KERAS_EXTRACTOR_FIELDS:
        if config.feature_extractor.HasField(name):
            raise ConfigError(
                f"model.faster_rcnn.feature_extractor.{name} is not available: it belongs to "
                "extractors made of Keras layers. Leave it out."
            )


def build_feature_extractor(
    config: Any, is_training: bool
) -> feature_extractor.FasterRCNNFeatureExtractor:
    """Builds the networks of a `FasterRcnnFeatureExtractor` message.

    Args:
        config: the message.
        is_training: whether they are built to be trained.

    Raises:
        ConfigError: no extractor of that type.
    """
    return FASTER_RCNN_FEATURE_EXTRACTOR_CLASS_MAP[config.type](
        is_training=is_training,
        first_stage_features_stride=config.first_stage_features_stride,
        batch_norm_trainable=config.batch_norm_trainable,
        reuse_weights=None,
    )


def _first_stage_suppression(
    config: Any, is_training: bool, use_static_shapes: bool
) -> Callable[..., tuple[Any, ...]]:
    limit = config.first_stage_max_proposals
    if not 0 <= config.first_stage_nms_iou_threshold <= 1:
        raise ConfigError(
            "model.faster_rcnn.first_stage_nms_iou_threshold is "
            f"{config.first_stage_nms_iou_threshold}; allowed: 0 to 1."
        )
    if is_training and config.second_stage_batch_size > limit:
        raise ConfigError(
            f"model.faster_rcnn.second_stage_batch_size {config.second_stage_batch_size} should be "
            f"no greater than first_stage_max_proposals {limit}."
        )
    return functools.partial(
        post_processing.batch_multiclass_non_max_suppression,
        score_thresh=config.first_stage_nms_score_threshold,
        iou_thresh=config.first_stage_nms_iou_threshold,
        max_size_per_class=limit,
        max_total_size=limit,
        use_static_shapes=use_static_shapes,
        use_partitioned_nms=config.use_partitioned_nms_in_first_stage,
        use_combined_nms=config.use_combined_nms_in_first_stage,
    )


def build(config: Any, is_training: bool, add_summaries: bool) -> FasterRCNNMetaArch:
    """Builds the detector of a `FasterRcnn` message.

    Args:
        config: the message.
        is_training: whether the model is built to be trained.
        add_summaries: whether the model may add summaries to the graph.

    Raises:
        ConfigError: a part that is not available, or settings that contradict each other.
    """
    _refuse_unavailable(config)
    extractor = build_feature_extractor(config.feature_extractor, is_training)
    use_static_shapes = config.use_static_shapes and (
        is_training or config.use_static_shapes_for_eval
    )
    is_static_sampler = config.use_static_balanced_label_sampler and use_static_shapes
    assigners = [
        target_assigner.create_target_assigner(
            "FasterRCNN", stage, use_matmul_gather=config.use_matmul_gather_in_matcher
        )
        for stage in ("proposal", "detection")
    ]
    samplers = [
        BalancedPositiveNegativeSampler(positive_fraction=fraction, is_static=is_static_sampler)
        for fraction in (
            config.first_stage_positive_balance_fraction,
            config.second_stage_balance_fraction,
        )
    ]
    second_stage_nms_fn, score_conversion_fn = post_processing_builder.build(
        config.second_stage_post_processing
    )
    predictor = None
    if config.number_of_stages > 1:
        predictor = box_predictor_builder.build(
            hyperparams_builder.build,
            config.second_stage_box_predictor,
            is_training=is_training,
            num_classes=config.num_classes,
        )
    miner = None
    if config.HasField("hard_example_miner"):
        miner = losses_builder.build_hard_example_miner(
            config.hard_example_miner,
            config.second_stage_classification_loss_weight,
            config.second_stage_localization_loss_weight,
        )
    parts: dict[str, Any] = {
        "is_training": is_training,
        "num_classes": config.num_classes,
        "image_resizer_fn": image_resizer_builder.build(config.image_resizer),
        "feature_extractor": extractor,
        "number_of_stages": config.number_of_stages,
        "first_stage_anchor_generator": anchor_generator_builder.build(
            config.first_stage_anchor_generator
        ),
        "first_stage_target_assigner": assigners[0],
        "first_stage_atrous_rate": config.first_stage_atrous_rate,
        "first_stage_box_predictor_arg_scope_fn": hyperparams_builder.build(
            config.first_stage_box_predictor_conv_hyperparams, is_training
        ),
        "first_stage_box_predictor_kernel_size": config.first_stage_box_predictor_kernel_size,
        "first_stage_box_predictor_depth": config.first_stage_box_predictor_depth,
        "first_stage_minibatch_size": config.first_stage_minibatch_size,
        "first_stage_sampler": samplers[0],
        "first_stage_non_max_suppression_fn": _first_stage_suppression(
            config, is_training, use_static_shapes
        ),
        "first_stage_max_proposals": config.first_stage_max_proposals,
        "first_stage_localization_loss_weight": config.first_stage_localization_loss_weight,
        "first_stage_objectness_loss_weight": config.first_stage_objectness_loss_weight,
        "crop_and_resize_fn": (
            spatial_transform_ops.multilevel_matmul_crop_and_resize
            if config.use_matmul_crop_and_resize
            else spatial_transform_ops.multilevel_native_crop_and_resize
        ),
        "second_stage_target_assigner": assigners[1],
        "second_stage_batch_size": config.second_stage_batch_size,
        "second_stage_sampler": samplers[1],
        "second_stage_non_max_suppression_fn": second_stage_nms_fn,
        "second_stage_score_conversion_fn": score_conversion_fn,
        "second_stage_localization_loss_weight": config.second_stage_localization_loss_weight,
        "second_stage_classification_loss_weight": config.second_stage_classification_loss_weight,
        "second_stage_classification_loss": losses_builder.build_faster_rcnn_classification_loss(
            config.second_stage_classification_loss
        ),
        "hard_example_miner": miner,
        "add_summaries": add_summaries,
        "clip_anchors_to_image": config.clip_anchors_to_image,
        "use_static_shapes": use_static_shapes,
        "resize_masks": config.resize_masks,
        "return_raw_detections_during_predict": config.return_raw_detections_during_predict,
        "output_final_box_features": config.output_final_box_features,
        "output_final_box_rpn_features": config.output_final_box_rpn_features,
    }
    if config.second_stage_box_predictor.WhichOneof("box_predictor_oneof") == "rfcn_box_predictor":
        return RFCNMetaArch(second_stage_rfcn_box_predictor=predictor, **parts)
    return FasterRCNNMetaArch(
        initial_crop_size=config.initial_crop_size,
        maxpool_kernel_size=config.maxpool_kernel_size,
        maxpool_stride=config.maxpool_stride,
        second_stage_mask_rcnn_box_predictor=predictor,
        second_stage_mask_prediction_loss_weight=config.second_stage_mask_prediction_loss_weight,
        **parts,
    )
