"""Losses of each anchor, and the choice of the anchors that count.

Axes: B images, N anchors, C classes; a code has `code_size` numbers.

Reduction over anchors is the caller's: localisation losses are [B, N], classification losses
[B, N, C] (softmax: [B, N]); each class tells what differs.
"""

from object_detection.core.losses.base import Loss
from object_detection.core.losses.classification import (
    BootstrappedSigmoidClassificationLoss,
    PenaltyReducedLogisticFocalLoss,
    SigmoidFocalClassificationLoss,
    WeightedDiceClassificationLoss,
    WeightedSigmoidClassificationLoss,
    WeightedSoftmaxClassificationAgainstLogitsLoss,
    WeightedSoftmaxClassificationLoss,
)
from object_detection.core.losses.hard_example_miner import HardExampleMiner
from object_detection.core.losses.localization import (
    L1LocalizationLoss,
    WeightedCIOULocalizationLoss,
    WeightedDIOULocalizationLoss,
    WeightedGIOULocalizationLoss,
    WeightedIOULocalizationLoss,
    WeightedL2LocalizationLoss,
    WeightedSmoothL1LocalizationLoss,
)

__all__ = [
    "BootstrappedSigmoidClassificationLoss",
    "HardExampleMiner",
    "L1LocalizationLoss",
    "Loss",
    "PenaltyReducedLogisticFocalLoss",
    "SigmoidFocalClassificationLoss",
    "WeightedCIOULocalizationLoss",
    "WeightedDIOULocalizationLoss",
    "WeightedDiceClassificationLoss",
    "WeightedGIOULocalizationLoss",
    "WeightedIOULocalizationLoss",
    "WeightedL2LocalizationLoss",
    "WeightedSigmoidClassificationLoss",
    "WeightedSmoothL1LocalizationLoss",
    "WeightedSoftmaxClassificationAgainstLogitsLoss",
    "WeightedSoftmaxClassificationLoss",
]
