"""`model` message -> detection model: the table of feature extractors and of architectures."""

from typing import Any

from object_detection.builders import (
    anchor_generator_builder,
    box_coder_builder,
    box_predictor_builder,
    center_net_params,
    faster_rcnn_builder,
    hyperparams_builder,
    image_resizer_builder,
    keypoint_loss_builder,
    losses_builder,
    matcher_builder,
    post_processing_builder,
    region_similarity_calculator_builder,
)
from object_detection.core import feature_extractor, target_assigner
from object_detection.core.model import DetectionModel
from object_detection.errors import ConfigError
from object_detection.meta_architectures.ssd_meta_arch import SSDMetaArch
from object_detection.models.embedded_ssd_mobilenet_v1_feature_extractor import (
    EmbeddedSSDMobileNetV1FeatureExtractor,
)
from object_detection.models.ssd_inception_v2_feature_extractor import (
    SSDInceptionV2FeatureExtractor,
)
from object_detection.models.ssd_inception_v3_feature_extractor import (
    SSDInceptionV3FeatureExtractor,
)
from object_detection.models.ssd_mobiledet_feature_extractor import (
    SSDMobileDetCPUFeatureExtractor,
    SSDMobileDetDSPFeatureExtractor,
    SSDMobileDetEdgeTPUFeatureExtractor,
    SSDMobileDetGPUFeatureExtractor,
)
from object_detection.models.ssd_mobilenet_edgetpu_feature_extractor import (
    SSDMobileNetEdgeTPUFeatureExtractor,
)
from object_detection.models.ssd_mobilenet_v1_feature_extractor import (
    SSDMobileNetV1FeatureExtractor,
)
from object_detection.models.ssd_mobilenet_v1_fpn_feature_extractor import (
    SSDMobileNetV1FpnFeatureExtractor,
)
from object_detection.models.ssd_mobilenet_v1_ppn_feature_extractor import (
    SSDMobileNetV1PpnFeatureExtractor,
)
from object_detection.models.ssd_mobilenet_v2_feature_extractor import (
    SSDMobileNetV2FeatureExtractor,
)
from object_detection.models.ssd_mobilenet_v2_fpn_feature_extractor import (
    SSDMobileNetV2FpnFeatureExtractor,
)
from object_detection.models.ssd_mobilenet_v2_mnasfpn_feature_extractor import (
    SSDMobileNetV2MnasFPNFeatureExtractor,
)
from object_detection.models.ssd_mobilenet_v3_feature_extractor import (
    SSDMobileNetV3LargeFeatureExtractor,
    SSDMobileNetV3SmallFeatureExtractor,
)
from object_detection.models.ssd_resnet_v1_fpn_feature_extractor import (
    SSDResnet50V1FpnFeatureExtractor,
    SSDResnet101V1FpnFeatureExtractor,
    SSDResnet152V1FpnFeatureExtractor,
)
from object_detection.models.ssd_resnet_v1_ppn_feature_extractor import (
    SSDResnet50V1PpnFeatureExtractor,
    SSDResnet101V1PpnFeatureExtractor,
    SSDResnet152V1PpnFeatureExtractor,
)
from object_detection.models.ssd_spaghettinet_feature_extractor import (
    SSDSpaghettinetFeatureExtractor,
)
from object_detection.protos import model_pb2
from object_detection.registry import Table
from object_detection.utils import config_check, ops

# Users add their own with update(), so the name and the type are part of the interface.
SSD_FEATURE_EXTRACTOR_CLASS_MAP = Table(
    "model.ssd.feature_extractor.type",
    {
        "embedded_ssd_mobilenet_v1": EmbeddedSSDMobileNetV1FeatureExtractor,
        "ssd_inception_v2": SSDInceptionV2FeatureExtractor,
        "ssd_inception_v3": SSDInceptionV3FeatureExtractor,
        "ssd_mobiledet_cpu": SSDMobileDetCPUFeatureExtractor,
        "ssd_mobiledet_dsp": SSDMobileDetDSPFeatureExtractor,
        "ssd_mobiledet_edgetpu": SSDMobileDetEdgeTPUFeatureExtractor,
        "ssd_mobiledet_gpu": SSDMobileDetGPUFeatureExtractor,
        "ssd_mobilenet_edgetpu": SSDMobileNetEdgeTPUFeatureExtractor,
        "ssd_mobilenet_v3_large": SSDMobileNetV3LargeFeatureExtractor,
        "ssd_mobilenet_v3_small": SSDMobileNetV3SmallFeatureExtractor,
        "ssd_mobilenet_v1": SSDMobileNetV1FeatureExtractor,
        "ssd_mobilenet_v1_fpn": SSDMobileNetV1FpnFeatureExtractor,
        "ssd_mobilenet_v1_ppn": SSDMobileNetV1PpnFeatureExtractor,
        "ssd_mobilenet_v2": SSDMobileNetV2FeatureExtractor,
        "ssd_mobilenet_v2_fpn": SSDMobileNetV2FpnFeatureExtractor,
        "ssd_mobilenet_v2_mnasfpn": SSDMobileNetV2MnasFPNFeatureExtractor,
        "ssd_resnet50_v1_fpn": SSDResnet50V1FpnFeatureExtractor,
        "ssd_resnet101_v1_fpn": SSDResnet101V1FpnFeatureExtractor,
        "ssd_resnet152_v1_fpn": SSDResnet152V1FpnFeatureExtractor,
        "ssd_resnet50_v1_ppn": SSDResnet50V1PpnFeatureExtractor,
        "ssd_resnet101_v1_ppn": SSDResnet101V1PpnFeatureExtractor,
        "ssd_resnet152_v1_ppn": SSDResnet152V1PpnFeatureExtractor,
        "ssd_spaghettinet": SSDSpaghettinetFeatureExtractor,
    },
)
_PREDICTORS_OF_REGIONS = ("mask_rcnn_box_predictor", "rfcn_box_predictor")
FASTER_RCNN_FEATURE_EXTRACTOR_CLASS_MAP = (
    faster_rcnn_builder.FASTER_RCNN_FEATURE_EXTRACTOR_CLASS_MAP
)
META_ARCH_BUILDER_MAP = Table("meta-architecture", {"faster_rcnn": faster_rcnn_builder.build})
# Users put in their own: name of an `ExperimentalModel` -> function of (is_training, add_summaries).
EXPERIMENTAL_META_ARCH_BUILDER_MAP = Table("model.experimental_model.name")

# CenterNet's messages are a page of their own; users find it here.
CLASS_ID_OFFSET = center_net_params.CLASS_ID_OFFSET
KEYPOINT_STD_DEV_DEFAULT = center_net_params.KEYPOINT_STD_DEV_DEFAULT
keypoint_proto_to_params = center_net_params.keypoint_proto_to_params
object_detection_proto_to_params = center_net_params.object_detection_proto_to_params
object_center_proto_to_params = center_net_params.object_center_proto_to_params
mask_proto_to_params = center_net_params.mask_proto_to_params
densepose_proto_to_params = center_net_params.densepose_proto_to_params
tracking_proto_to_params = center_net_params.tracking_proto_to_params
temporal_offset_proto_to_params = center_net_params.temporal_offset_proto_to_params


def build(model_config: Any, is_training: bool, add_summaries: bool = True) -> DetectionModel:
    """Builds the detection model of a `DetectionModel` message.

    Args:
        model_config: the message.
        is_training: whether the model is built to be trained.
        add_summaries: whether the model may add summaries to the graph.

    Raises:
        ConfigError: an architecture or part that is not available.
    """
    if not isinstance(model_config, model_pb2.DetectionModel):
        raise ConfigError(
            f"model: expected a DetectionModel message, got {type(model_config).__name__}."
        )
    case = model_config.WhichOneof("model")
    return META_ARCH_BUILDER_MAP[case](
        getattr(model_config, case or "ssd"), is_training, add_summaries
    )


@META_ARCH_BUILDER_MAP.entry("experimental_model")
def _build_experimental_model(config: Any, is_training: bool, add_summaries: bool) -> Any:
    return EXPERIMENTAL_META_ARCH_BUILDER_MAP[config.name](is_training, add_summaries)


def _build_ssd_feature_extractor(
    config: Any, is_training: bool
) -> feature_extractor.SSDFeatureExtractor:
    extractor_class = SSD_FEATURE_EXTRACTOR_CLASS_MAP[config.type]
    keywords: dict[str, Any] = {
        "is_training": is_training,
        "depth_multiplier": config.depth_multiplier,
        "min_depth": config.min_depth,
        "pad_to_multiple": config.pad_to_multiple,
        "conv_hyperparams_fn": hyperparams_builder.build(config.conv_hyperparams, is_training),
        "reuse_weights": None,
        "use_explicit_padding": config.use_explicit_padding,
        "use_depthwise": config.use_depthwise,
        "override_base_feature_extractor_hyperparams": (
            config.override_base_feature_extractor_hyperparams
        ),
    }
    if config.HasField("num_layers"):
        keywords["num_layers"] = config.num_layers
    if config.replace_preprocessor_with_placeholder:
        raise ConfigError(
            "model.ssd.feature_extractor.replace_preprocessor_with_placeholder is not available."
        )
    if config.HasField("spaghettinet_arch_name"):
        keywords["spaghettinet_arch_name"] = config.spaghettinet_arch_name
    for name in ("bifpn", "use_hardswish"):
        if config.HasField(name):
            raise ConfigError(
                f"model.ssd.feature_extractor.{name} is not available: it belongs to extractors "
                "made of Keras layers. Leave it out."
            )
    if config.HasField("fpn"):
        keywords["fpn_min_level"] = config.fpn.min_level
        keywords["fpn_max_level"] = config.fpn.max_level
        keywords["additional_layer_depth"] = config.fpn.additional_layer_depth
    try:
        return extractor_class(**keywords)
    except TypeError as error:
        raise ConfigError(
            f"model.ssd.feature_extractor: {config.type!r} does not take what the config sets: {error}."
        ) from error


@META_ARCH_BUILDER_MAP.entry("ssd")
def _build_ssd_model(config: Any, is_training: bool, add_summaries: bool) -> SSDMetaArch:
    if config.HasField("mask_head_config"):
        raise ConfigError("model.ssd.mask_head_config is not available; leave it out.")
    if config.box_predictor.WhichOneof("box_predictor_oneof") in _PREDICTORS_OF_REGIONS:
        raise ConfigError(
            f"model.ssd.box_predictor.{config.box_predictor.WhichOneof('box_predictor_oneof')} "
            "predicts from regions, which an SSD does not have; use convolutional_box_predictor or "
            "weight_shared_convolutional_box_predictor."
        )
    box_coder = box_coder_builder.build(config.box_coder)
    keypoints = config_check.num_keypoints(config)
    keypoint_loss = keypoint_loss_builder.build(config.loss, keypoints)
    extractor = _build_ssd_feature_extractor(config.feature_extractor, is_training)
    predictor = box_predictor_builder.build(
        hyperparams_builder.build,
        config.box_predictor,
        is_training,
        config.num_classes,
        add_background_class=config.add_background_class,
        num_visibilities=keypoints if keypoint_loss_builder.predicts_visibility(config.loss) else 0,
    )
    (
        classification_loss,
        localization_loss,
        classification_weight,
        localization_weight,
        hard_example_miner,
        random_example_sampler,
        expected_loss_weights_fn,
    ) = losses_builder.build(config.loss)
    non_max_suppression_fn, score_conversion_fn = post_processing_builder.build(
        config.post_processing
    )
    assigner = target_assigner.TargetAssigner(
        region_similarity_calculator_builder.build(config.similarity_calculator),
        matcher_builder.build(config.matcher),
        box_coder,
        negative_class_weight=config.negative_class_weight,
    )
    return SSDMetaArch(
        is_training=is_training,
        anchor_generator=anchor_generator_builder.build(config.anchor_generator),
        box_predictor=predictor,
        box_coder=box_coder,
        feature_extractor=extractor,
        encode_background_as_zeros=config.encode_background_as_zeros,
        image_resizer_fn=image_resizer_builder.build(config.image_resizer),
        non_max_suppression_fn=non_max_suppression_fn,
        score_conversion_fn=score_conversion_fn,
        classification_loss=classification_loss,
        localization_loss=localization_loss,
        classification_loss_weight=classification_weight,
        localization_loss_weight=localization_weight,
        normalize_loss_by_num_matches=config.normalize_loss_by_num_matches,
        hard_example_miner=hard_example_miner,
        target_assigner_instance=assigner,
        add_summaries=add_summaries,
        normalize_loc_loss_by_codesize=config.normalize_loc_loss_by_codesize,
        freeze_batchnorm=config.freeze_batchnorm,
        inplace_batchnorm_update=config.inplace_batchnorm_update,
        add_background_class=config.add_background_class,
        explicit_background_class=config.explicit_background_class,
        random_example_sampler=random_example_sampler,
        expected_loss_weights_fn=expected_loss_weights_fn,
        use_confidences_as_targets=config.use_confidences_as_targets,
        implicit_example_weight=config.implicit_example_weight,
        equalization_loss_config=(
            ops.EqualizationLossConfig(
                config.loss.equalization_loss.weight,
                (),  # of a loss of weight 0
            )
            if config.loss.HasField("equalization_loss")
            else None
        ),
        return_raw_detections_during_predict=config.return_raw_detections_during_predict,
        keypoint_loss=keypoint_loss,
        keypoint_visibility_loss=keypoint_loss_builder.build_visibility(config.loss),
    )
