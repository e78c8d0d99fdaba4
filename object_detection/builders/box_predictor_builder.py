"""`box_predictor` message -> box predictor."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core.box_predictor import MASK_PREDICTIONS, BoxPredictor
from object_detection.errors import ConfigError
from object_detection.predictors.convolutional_box_predictor import (
    ConvolutionalBoxPredictor,
    WeightSharedConvolutionalBoxPredictor,
)
from object_detection.predictors.heads import (
    box_head,
    class_head,
    keypoint_visibility_head,
    mask_head,
)
from object_detection.predictors.heads.head import Head
from object_detection.predictors.mask_rcnn_box_predictor import MaskRCNNBoxPredictor
from object_detection.predictors.rfcn_box_predictor import RfcnBoxPredictor
from object_detection.protos import box_predictor_pb2
from object_detection.registry import Table

BOX_PREDICTORS = Table("box_predictor")


class BoxEncodingsClipRange(NamedTuple):
    """Range at which box codes are cut."""

    min: float
    max: float


def build_convolutional_box_predictor(
    is_training: bool,
    num_classes: int,
    conv_hyperparams_fn: Callable[[], Any],
    min_depth: int,
    max_depth: int,
    num_layers_before_predictor: int,
    use_dropout: bool,
    dropout_keep_prob: float,
    kernel_size: int,
    box_code_size: int,
    apply_sigmoid_to_scores: bool = False,
    add_background_class: bool = True,
    class_prediction_bias_init: float = 0.0,
    use_depthwise: bool = False,
    box_encodings_clip_range: Any = None,
    *,
    num_visibilities: int = 0,
) -> ConvolutionalBoxPredictor:
    """A predictor of its own for each feature map, with box and class heads.

    With `num_visibilities`, the number of keypoints, it has one of their visibility as well.
    """
    return ConvolutionalBoxPredictor(
        is_training=is_training,
        num_classes=num_classes,
        box_prediction_head=box_head.ConvolutionalBoxHead(
            is_training=is_training,
            box_code_size=box_code_size,
            kernel_size=kernel_size,
            use_depthwise=use_depthwise,
            box_encodings_clip_range=box_encodings_clip_range,
        ),
        class_prediction_head=class_head.ConvolutionalClassHead(
            is_training=is_training,
            num_class_slots=num_classes + int(add_background_class),
            use_dropout=use_dropout,
            dropout_keep_prob=dropout_keep_prob,
            kernel_size=kernel_size,
            apply_sigmoid_to_scores=apply_sigmoid_to_scores,
            class_prediction_bias_init=class_prediction_bias_init,
            use_depthwise=use_depthwise,
        ),
        other_heads={},
        conv_hyperparams_fn=conv_hyperparams_fn,
        num_layers_before_predictor=num_layers_before_predictor,
        min_depth=min_depth,
        max_depth=max_depth,
        keypoint_visibility_head=(
            keypoint_visibility_head.ConvolutionalKeypointVisibilityHead(
                num_visibilities, kernel_size, use_depthwise
            )
            if num_visibilities
            else None
        ),
    )


def build_weight_shared_convolutional_box_predictor(
    is_training: bool,
    num_classes: int,
    conv_hyperparams_fn: Callable[[], Any],
    depth: int,
    num_layers_before_predictor: int,
    box_code_size: int,
    kernel_size: int = 3,
    add_background_class: bool = True,
    class_prediction_bias_init: float = 0.0,
    use_dropout: bool = False,
    dropout_keep_prob: float = 0.8,
    share_prediction_tower: bool = False,
    apply_batch_norm: bool = True,
    use_depthwise: bool = False,
    score_converter_fn: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
    box_encodings_clip_range: Any = None,
    keyword_args: Any = None,
    *,
    num_visibilities: int = 0,
) -> WeightSharedConvolutionalBoxPredictor:
    """One predictor for all feature maps, with box and class heads.

    With `num_visibilities`, the number of keypoints, it has one of their visibility as well.
    """
    del keyword_args
    return WeightSharedConvolutionalBoxPredictor(
        is_training=is_training,
        num_classes=num_classes,
        box_prediction_head=box_head.WeightSharedConvolutionalBoxHead(
            box_code_size=box_code_size,
            kernel_size=kernel_size,
            use_depthwise=use_depthwise,
            box_encodings_clip_range=box_encodings_clip_range,
        ),
        class_prediction_head=class_head.WeightSharedConvolutionalClassHead(
            num_class_slots=num_classes + int(add_background_class),
            kernel_size=kernel_size,
            class_prediction_bias_init=class_prediction_bias_init,
            use_dropout=use_dropout and is_training,
            dropout_keep_prob=dropout_keep_prob,
            use_depthwise=use_depthwise,
            score_converter_fn=score_converter_fn,
        ),
        other_heads={},
        conv_hyperparams_fn=conv_hyperparams_fn,
        depth=depth,
        num_layers_before_predictor=num_layers_before_predictor,
        kernel_size=kernel_size,
        apply_batch_norm=apply_batch_norm,
        share_prediction_tower=share_prediction_tower,
        use_depthwise=use_depthwise,
        keypoint_visibility_head=(
            keypoint_visibility_head.WeightSharedConvolutionalKeypointVisibilityHead(
                num_visibilities, kernel_size, use_depthwise
            )
            if num_visibilities
            else None
        ),
    )


def build_mask_rcnn_box_predictor(
    is_training: bool,
    num_classes: int,
    fc_hyperparams_fn: Callable[[], Any],
    use_dropout: bool,
    dropout_keep_prob: float,
    box_code_size: int,
    add_background_class: bool = True,
    share_box_across_classes: bool = False,
    predict_instance_masks: bool = False,
    conv_hyperparams_fn: Callable[[], Any] | None = None,
    mask_height: int = 14,
    mask_width: int = 14,
    mask_prediction_num_conv_layers: int = 2,
    mask_prediction_conv_depth: int = 256,
    masks_are_class_agnostic: bool = False,
    convolve_then_upsample_masks: bool = False,
) -> MaskRCNNBoxPredictor:
    """A predictor of regions, with box and class heads and, if asked for, a mask head."""
    third_stage_heads: dict[str, Head] = {}
    if predict_instance_masks:
        third_stage_heads[MASK_PREDICTIONS] = mask_head.MaskRCNNMaskHead(
            num_classes=num_classes,
            conv_hyperparams_fn=conv_hyperparams_fn,
            mask_height=mask_height,
            mask_width=mask_width,
            mask_prediction_num_conv_layers=mask_prediction_num_conv_layers,
            mask_prediction_conv_depth=mask_prediction_conv_depth,
            masks_are_class_agnostic=masks_are_class_agnostic,
            convolve_then_upsample=convolve_then_upsample_masks,
        )
    return MaskRCNNBoxPredictor(
        is_training=is_training,
        num_classes=num_classes,
        box_prediction_head=box_head.MaskRCNNBoxHead(
            is_training=is_training,
            num_classes=num_classes,
            fc_hyperparams_fn=fc_hyperparams_fn,
            use_dropout=use_dropout,
            dropout_keep_prob=dropout_keep_prob,
            box_code_size=box_code_size,
            share_box_across_classes=share_box_across_classes,
        ),
        class_prediction_head=class_head.MaskRCNNClassHead(
            is_training=is_training,
            num_class_slots=num_classes + int(add_background_class),
            fc_hyperparams_fn=fc_hyperparams_fn,
            use_dropout=use_dropout,
            dropout_keep_prob=dropout_keep_prob,
        ),
        third_stage_heads=third_stage_heads,
    )


def build_score_converter(
    score_converter_config: int, is_training: bool
) -> Callable[[tf.Tensor], tf.Tensor]:
    """What is done to class logits.

    Args:
        score_converter_config: a number of the enum `ScoreConverter`.
        is_training: training works on logits; only inference converts.

    Raises:
        ConfigError: no such converter.
    """
    kinds = box_predictor_pb2.WeightSharedConvolutionalBoxPredictor
    if score_converter_config == kinds.IDENTITY:
        return tf.identity
    if score_converter_config == kinds.SIGMOID:
        return tf.identity if is_training else tf.sigmoid
    raise ConfigError(
        f"score_converter is {score_converter_config!r}; known: {kinds.ScoreConverter.keys()}."
    )


def _clip_range(config: Any) -> BoxEncodingsClipRange | None:
    if not config.HasField("box_encodings_clip_range"):
        return None
    limits = config.box_encodings_clip_range
    return BoxEncodingsClipRange(limits.min, limits.max)


def _check_no_visibilities(num_visibilities: int) -> None:
    if num_visibilities:
        raise ConfigError(
            "Predictors of regions do not predict the visibility of keypoints; that needs "
            "convolutional_box_predictor or weight_shared_convolutional_box_predictor."
        )


@BOX_PREDICTORS.entry("convolutional_box_predictor")
def _convolutional(
    config: Any,
    argscope_fn: Any,
    is_training: bool,
    num_classes: int,
    add_background_class: bool,
    num_visibilities: int,
) -> BoxPredictor:
    return build_convolutional_box_predictor(
        is_training=is_training,
        num_classes=num_classes,
        conv_hyperparams_fn=argscope_fn(config.conv_hyperparams, is_training),
        min_depth=config.min_depth,
        max_depth=config.max_depth,
        num_layers_before_predictor=config.num_layers_before_predictor,
        use_dropout=config.use_dropout,
        dropout_keep_prob=config.dropout_keep_probability,
        kernel_size=config.kernel_size,
        box_code_size=config.box_code_size,
        apply_sigmoid_to_scores=config.apply_sigmoid_to_scores,
        add_background_class=add_background_class,
        class_prediction_bias_init=config.class_prediction_bias_init,
        use_depthwise=config.use_depthwise,
        box_encodings_clip_range=_clip_range(config),
        num_visibilities=num_visibilities,
    )


@BOX_PREDICTORS.entry("weight_shared_convolutional_box_predictor")
def _weight_shared(
    config: Any,
    argscope_fn: Any,
    is_training: bool,
    num_classes: int,
    add_background_class: bool,
    num_visibilities: int,
) -> BoxPredictor:
    for name in ("apply_conv_hyperparams_to_heads", "apply_conv_hyperparams_pointwise"):
        if getattr(config, name):
            raise ConfigError(
                f"weight_shared_convolutional_box_predictor.{name} is not available; leave it out."
            )
    return build_weight_shared_convolutional_box_predictor(
        is_training=is_training,
        num_classes=num_classes,
        conv_hyperparams_fn=argscope_fn(config.conv_hyperparams, is_training),
        depth=config.depth,
        num_layers_before_predictor=config.num_layers_before_predictor,
        box_code_size=config.box_code_size,
        kernel_size=config.kernel_size,
        add_background_class=add_background_class,
        class_prediction_bias_init=config.class_prediction_bias_init,
        use_dropout=config.use_dropout,
        dropout_keep_prob=config.dropout_keep_probability,
        share_prediction_tower=config.share_prediction_tower,
        apply_batch_norm=config.conv_hyperparams.WhichOneof("normalizer_oneof")
        in ("batch_norm", "sync_batch_norm"),
        use_depthwise=config.use_depthwise,
        score_converter_fn=build_score_converter(config.score_converter, is_training),
        box_encodings_clip_range=_clip_range(config),
        num_visibilities=num_visibilities,
    )


@BOX_PREDICTORS.entry("mask_rcnn_box_predictor")
def _mask_rcnn(
    config: Any,
    argscope_fn: Any,
    is_training: bool,
    num_classes: int,
    add_background_class: bool,
    num_visibilities: int,
) -> BoxPredictor:
    _check_no_visibilities(num_visibilities)
    if config.predict_keypoints:
        raise ConfigError(
            "mask_rcnn_box_predictor.predict_keypoints is not available: the message does not say "
            "how many keypoints there are. Make a MaskRCNNBoxPredictor with a MaskRCNNKeypointHead."
        )
    conv_hyperparams_fn = None
    if config.HasField("conv_hyperparams"):
        conv_hyperparams_fn = argscope_fn(config.conv_hyperparams, is_training)
    return build_mask_rcnn_box_predictor(
        is_training=is_training,
        num_classes=num_classes,
        fc_hyperparams_fn=argscope_fn(config.fc_hyperparams, is_training),
        use_dropout=config.use_dropout,
        dropout_keep_prob=config.dropout_keep_probability,
        box_code_size=config.box_code_size,
        add_background_class=add_background_class,
        share_box_across_classes=config.share_box_across_classes,
        predict_instance_masks=config.predict_instance_masks,
        conv_hyperparams_fn=conv_hyperparams_fn,
        mask_height=config.mask_height,
        mask_width=config.mask_width,
        mask_prediction_num_conv_layers=config.mask_prediction_num_conv_layers,
        mask_prediction_conv_depth=config.mask_prediction_conv_depth,
        masks_are_class_agnostic=config.masks_are_class_agnostic,
        convolve_then_upsample_masks=config.convolve_then_upsample_masks,
    )


@BOX_PREDICTORS.entry("rfcn_box_predictor")
def _rfcn(
    config: Any,
    argscope_fn: Any,
    is_training: bool,
    num_classes: int,
    add_background_class: bool,
    num_visibilities: int,
) -> BoxPredictor:
    del add_background_class
    _check_no_visibilities(num_visibilities)
    return RfcnBoxPredictor(
        is_training=is_training,
        num_classes=num_classes,
        conv_hyperparams_fn=argscope_fn(config.conv_hyperparams, is_training),
        num_spatial_bins=[config.num_spatial_bins_height, config.num_spatial_bins_width],
        depth=config.depth,
        crop_size=[config.crop_height, config.crop_width],
        box_code_size=config.box_code_size,
    )


def build(
    argscope_fn: Any,
    box_predictor_config: Any,
    is_training: bool,
    num_classes: int,
    add_background_class: bool = True,
    *,
    num_visibilities: int = 0,
) -> BoxPredictor:
    """Builds what a `BoxPredictor` message says.

    Args:
        argscope_fn: `hyperparams_builder.build`, or what takes the same arguments.
        box_predictor_config: the message.
        is_training: whether the predictor is built to be trained.
        num_classes: number of classes, the background not counted.
        add_background_class: whether the class logits have a background column.
        num_visibilities: for how many keypoints of an anchor visibilities are predicted.

    Raises:
        ConfigError: not a `BoxPredictor` message, or an option that is not available.
    """
    if not isinstance(box_predictor_config, box_predictor_pb2.BoxPredictor):
        raise ConfigError(
            "box_predictor_config should be a BoxPredictor message, got "
            f"{type(box_predictor_config)}."
        )
    case = box_predictor_config.WhichOneof("box_predictor_oneof")
    config = getattr(box_predictor_config, case or "convolutional_box_predictor")
    return BOX_PREDICTORS[case](
        config, argscope_fn, is_training, num_classes, add_background_class, num_visibilities
    )
