"""`box_predictor` message -> box predictor."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core.box_predictor import BoxPredictor
from object_detection.errors import ConfigError
from object_detection.predictors.convolutional_box_predictor import (
    ConvolutionalBoxPredictor,
    WeightSharedConvolutionalBoxPredictor,
)
from object_detection.predictors.heads import box_head, class_head
from object_detection.protos import box_predictor_pb2
from object_detection.registry import Table

BOX_PREDICTORS = Table("box_predictor")

_SCORE_CONVERTERS = {
    box_predictor_pb2.WeightSharedConvolutionalBoxPredictor.IDENTITY: (tf.identity, tf.identity),
    # Training works on logits; only inference converts.
    box_predictor_pb2.WeightSharedConvolutionalBoxPredictor.SIGMOID: (tf.identity, tf.sigmoid),
}


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
    box_encodings_clip_range: tuple[float, float] | None = None,
) -> ConvolutionalBoxPredictor:
    """A predictor of its own for each feature map, with box and class heads."""
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
    box_encodings_clip_range: tuple[float, float] | None = None,
    keyword_args: Any = None,
) -> WeightSharedConvolutionalBoxPredictor:
    """One predictor for all feature maps, with box and class heads."""
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
    )


def _clip_range(config: Any) -> tuple[float, float] | None:
    if not config.HasField("box_encodings_clip_range"):
        return None
    limits = config.box_encodings_clip_range
    return limits.min, limits.max


@BOX_PREDICTORS.entry("convolutional_box_predictor")
def _convolutional(
    config: Any, argscope_fn: Any, is_training: bool, num_classes: int, add_background_class: bool
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
    )


@BOX_PREDICTORS.entry("weight_shared_convolutional_box_predictor")
def _weight_shared(
    config: Any, argscope_fn: Any, is_training: bool, num_classes: int, add_background_class: bool
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
        apply_batch_norm=config.conv_hyperparams.WhichOneof("normalizer_oneof") is not None,
        use_depthwise=config.use_depthwise,
        score_converter_fn=_SCORE_CONVERTERS[config.score_converter][0 if is_training else 1],
        box_encodings_clip_range=_clip_range(config),
    )


def build(
    argscope_fn: Any,
    box_predictor_config: Any,
    is_training: bool,
    num_classes: int,
    add_background_class: bool = True,
) -> BoxPredictor:
    """Builds what a `BoxPredictor` message says.

    Args:
        argscope_fn: `hyperparams_builder.build`, or what takes the same arguments.
        box_predictor_config: the message.
        is_training: whether the predictor is built to be trained.
        num_classes: number of classes, the background not counted.
        add_background_class: whether the class logits have a background column.

    Raises:
        ConfigError: a predictor or an option that is not available.
    """
    case = box_predictor_config.WhichOneof("box_predictor_oneof")
    config = getattr(box_predictor_config, case or "convolutional_box_predictor")
    return BOX_PREDICTORS[case](config, argscope_fn, is_training, num_classes, add_background_class)
