"""`loss` message -> losses, their weights, and the choosers of examples."""

import functools
from collections.abc import Callable
from typing import Any

from object_detection.builders import cases
from object_detection.core import losses
from object_detection.core.balanced_positive_negative_sampler import (
    BalancedPositiveNegativeSampler,
)
from object_detection.core.losses import expected_weights
from object_detection.protos import losses_pb2
from object_detection.registry import Table

LOCALIZATION_LOSSES = Table("localization_loss")
CLASSIFICATION_LOSSES = Table("classification_loss")


@LOCALIZATION_LOSSES.entry("weighted_l2")
def _weighted_l2(_: Any) -> losses.Loss:
    return losses.WeightedL2LocalizationLoss()


@LOCALIZATION_LOSSES.entry("weighted_smooth_l1")
def _weighted_smooth_l1(config: Any) -> losses.Loss:
    return losses.WeightedSmoothL1LocalizationLoss(config.delta)


@LOCALIZATION_LOSSES.entry("weighted_iou")
def _iou(_: Any) -> losses.Loss:
    return losses.WeightedIOULocalizationLoss()


@LOCALIZATION_LOSSES.entry("weighted_giou")
def _giou(_: Any) -> losses.Loss:
    return losses.WeightedGIOULocalizationLoss()


@LOCALIZATION_LOSSES.entry("weighted_diou")
def _diou(_: Any) -> losses.Loss:
    return losses.WeightedDIOULocalizationLoss()


@LOCALIZATION_LOSSES.entry("weighted_ciou")
def _ciou(_: Any) -> losses.Loss:
    return losses.WeightedCIOULocalizationLoss()


@LOCALIZATION_LOSSES.entry("l1_localization_loss")
def _l1(_: Any) -> losses.Loss:
    return losses.L1LocalizationLoss()


@CLASSIFICATION_LOSSES.entry("weighted_sigmoid")
def _weighted_sigmoid(_: Any) -> losses.Loss:
    return losses.WeightedSigmoidClassificationLoss()


@CLASSIFICATION_LOSSES.entry("weighted_sigmoid_focal")
def _focal(config: Any) -> losses.Loss:
    alpha = config.alpha if config.HasField("alpha") else None
    return losses.SigmoidFocalClassificationLoss(gamma=config.gamma, alpha=alpha)


@CLASSIFICATION_LOSSES.entry("weighted_softmax")
def _softmax(config: Any) -> losses.Loss:
    return losses.WeightedSoftmaxClassificationLoss(logit_scale=config.logit_scale)


@CLASSIFICATION_LOSSES.entry("weighted_logits_softmax")
def _softmax_against_logits(config: Any) -> losses.Loss:
    return losses.WeightedSoftmaxClassificationAgainstLogitsLoss(logit_scale=config.logit_scale)


@CLASSIFICATION_LOSSES.entry("bootstrapped_sigmoid")
def _bootstrapped(config: Any) -> losses.Loss:
    return losses.BootstrappedSigmoidClassificationLoss(
        alpha=config.alpha, bootstrap_type="hard" if config.hard_bootstrap else "soft"
    )


@CLASSIFICATION_LOSSES.entry("penalty_reduced_logistic_focal_loss")
def _penalty_reduced(config: Any) -> losses.Loss:
    return losses.PenaltyReducedLogisticFocalLoss(alpha=config.alpha, beta=config.beta)


@CLASSIFICATION_LOSSES.entry("weighted_dice_classification_loss")
def _dice(config: Any) -> losses.Loss:
    return losses.WeightedDiceClassificationLoss(
        squared_normalization=config.squared_normalization,
        is_prediction_probability=config.is_prediction_probability,
    )


# Those that a second stage can train with; softmax where none is chosen.
_SECOND_STAGE_LOSSES = (
    "weighted_sigmoid",
    "weighted_softmax",
    "weighted_logits_softmax",
    "weighted_sigmoid_focal",
)


def build_faster_rcnn_classification_loss(loss_config: Any) -> losses.Loss:
    """Builds the second stage's loss of a `ClassificationLoss` message; softmax by default.

    Raises:
        ConfigError: another message.
    """
    cases.check_message(loss_config, losses_pb2.ClassificationLoss)
    case = loss_config.WhichOneof("classification_loss")
    if case not in _SECOND_STAGE_LOSSES:
        case = "weighted_softmax"
    return CLASSIFICATION_LOSSES[case](getattr(loss_config, case))


_EXPECTED_WEIGHTS = {
    losses_pb2.Loss.EXPECTED_SAMPLING: expected_weights.by_expected_sampling,
    losses_pb2.Loss.REWEIGHTING_UNMATCHED_ANCHORS: (
        expected_weights.by_reweighting_unmatched_anchors
    ),
}


def _build_expected_weights(config: Any) -> Callable[..., Any] | None:
    if config.expected_loss_weights == losses_pb2.Loss.NONE:
        return None
    return functools.partial(
        _EXPECTED_WEIGHTS[config.expected_loss_weights],
        min_num_negative_samples=config.min_num_negative_samples,
        desired_negative_sampling_ratio=config.desired_negative_sampling_ratio,
    )


_MINER_LOSS_TYPES = {
    losses_pb2.HardExampleMiner.BOTH: "both",
    losses_pb2.HardExampleMiner.CLASSIFICATION: "cls",
    losses_pb2.HardExampleMiner.LOCALIZATION: "loc",
}


def build_hard_example_miner(
    config: Any, classification_weight: float, localization_weight: float
) -> losses.HardExampleMiner:
    """Builds the miner of a `HardExampleMiner` message; numbers of 0 or less mean no bound."""
    return losses.HardExampleMiner(
        num_hard_examples=config.num_hard_examples if config.num_hard_examples > 0 else None,
        iou_threshold=config.iou_threshold,
        loss_type=_MINER_LOSS_TYPES[config.loss_type],
        cls_loss_weight=classification_weight,
        loc_loss_weight=localization_weight,
        max_negatives_per_positive=(
            config.max_negatives_per_positive if config.max_negatives_per_positive > 0 else None
        ),
        min_negatives_per_image=config.min_negatives_per_image,
    )


def build(
    loss_config: Any,
) -> tuple[
    losses.Loss,
    losses.Loss,
    float,
    float,
    losses.HardExampleMiner | None,
    BalancedPositiveNegativeSampler | None,
    Callable[..., Any] | None,
]:
    """Builds what a `Loss` message says.

    Returns:
        Classification loss, localisation loss, their weights, and the hard example miner, the
        random example sampler and the function of class targets that gives the weights of
        foreground and background losses, None where there is none.

    Raises:
        ConfigError: another message, or a loss that is not chosen.
    """
    cases.check_message(loss_config, losses_pb2.Loss)
    miner = None
    if loss_config.HasField("hard_example_miner"):
        miner = build_hard_example_miner(
            loss_config.hard_example_miner,
            loss_config.classification_weight,
            loss_config.localization_weight,
        )
    sampler = None
    if loss_config.HasField("random_example_sampler"):
        sampler = BalancedPositiveNegativeSampler(
            positive_fraction=loss_config.random_example_sampler.positive_sample_fraction
        )
    return (
        cases.build_case(
            CLASSIFICATION_LOSSES,
            loss_config.classification_loss,
            losses_pb2.ClassificationLoss,
            "classification_loss",
        ),
        cases.build_case(
            LOCALIZATION_LOSSES,
            loss_config.localization_loss,
            losses_pb2.LocalizationLoss,
            "localization_loss",
        ),
        loss_config.classification_weight,
        loss_config.localization_weight,
        miner,
        sampler,
        _build_expected_weights(loss_config),
    )
