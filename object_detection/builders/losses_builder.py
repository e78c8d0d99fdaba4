"""`loss` message -> losses, their weights, and the choosers of examples."""

from collections.abc import Callable
from typing import Any

from object_detection.core import losses
from object_detection.errors import ConfigError
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


def _build_one(table: Table, config: Any, oneof: str) -> losses.Loss:
    case = config.WhichOneof(oneof)
    return table[case](getattr(config, case or next(iter(table))))


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
    None,
    Callable[..., Any] | None,
]:
    """Builds what a `Loss` message says.

    Returns:
        Classification loss, localisation loss, their weights, and the hard example miner, the
        random example sampler and the expected-loss function, None where there is none.

    Raises:
        ConfigError: a loss or an option that is not available.
    """
    miner = None
    if loss_config.HasField("hard_example_miner"):
        miner = build_hard_example_miner(
            loss_config.hard_example_miner,
            loss_config.classification_weight,
            loss_config.localization_weight,
        )
    if loss_config.HasField("random_example_sampler"):
        raise ConfigError("loss.random_example_sampler is not available; use hard_example_miner.")
    if loss_config.expected_loss_weights != losses_pb2.Loss.NONE:
        raise ConfigError("loss.expected_loss_weights is not available; leave it out.")
    return (
        _build_one(CLASSIFICATION_LOSSES, loss_config.classification_loss, "classification_loss"),
        _build_one(LOCALIZATION_LOSSES, loss_config.localization_loss, "localization_loss"),
        loss_config.classification_weight,
        loss_config.localization_weight,
        miner,
        None,
        None,
    )
