import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import losses_builder
from object_detection.core import losses
from object_detection.core.balanced_positive_negative_sampler import (
    BalancedPositiveNegativeSampler,
)
from object_detection.protos import losses_pb2

BOTH = "localization_loss { weighted_l2 {} } classification_loss { weighted_sigmoid {} } "


def _build(text):
    return losses_builder.build(text_format.Parse(text, losses_pb2.Loss()))


@pytest.mark.parametrize(
    ("text", "kind", "settings"),
    [
        ("weighted_l2 {}", losses.WeightedL2LocalizationLoss, {}),
        ("weighted_smooth_l1 {}", losses.WeightedSmoothL1LocalizationLoss, {"_delta": 1.0}),
        (
            "weighted_smooth_l1 { delta: 0.5 }",
            losses.WeightedSmoothL1LocalizationLoss,
            {"_delta": 0.5},
        ),
        ("weighted_iou {}", losses.WeightedIOULocalizationLoss, {}),
        ("weighted_giou {}", losses.WeightedGIOULocalizationLoss, {}),
        ("weighted_diou {}", losses.WeightedDIOULocalizationLoss, {}),
        ("weighted_ciou {}", losses.WeightedCIOULocalizationLoss, {}),
        ("l1_localization_loss {}", losses.L1LocalizationLoss, {}),
    ],
)
def test_localization(text, kind, settings):
    loss = _build(f"localization_loss {{ {text} }} classification_loss {{ weighted_softmax {{}} }}")
    assert type(loss[1]) is kind
    assert {name: getattr(loss[1], name) for name in settings} == settings


CLASSIFICATION = [
    ("weighted_sigmoid {}", losses.WeightedSigmoidClassificationLoss, {}),
    (
        "weighted_softmax { logit_scale: 2 }",
        losses.WeightedSoftmaxClassificationLoss,
        {"_logit_scale": 2.0},
    ),
    (
        "weighted_logits_softmax { logit_scale: 2 }",
        losses.WeightedSoftmaxClassificationAgainstLogitsLoss,
        {"_logit_scale": 2.0},
    ),
    (
        "weighted_sigmoid_focal {}",
        losses.SigmoidFocalClassificationLoss,
        {"_gamma": 2.0, "_alpha": None},
    ),
    (
        "weighted_sigmoid_focal { alpha: 0.5 gamma: 3 }",
        losses.SigmoidFocalClassificationLoss,
        {"_gamma": 3.0, "_alpha": 0.5},
    ),
]
FIRST_STAGE_ONLY = [
    (
        "bootstrapped_sigmoid { alpha: 0.5 }",
        losses.BootstrappedSigmoidClassificationLoss,
        {"_alpha": 0.5, "_bootstrap_type": "soft"},
    ),
    (
        "bootstrapped_sigmoid { alpha: 0.5 hard_bootstrap: true }",
        losses.BootstrappedSigmoidClassificationLoss,
        {"_bootstrap_type": "hard"},
    ),
    (
        "penalty_reduced_logistic_focal_loss { alpha: 2 beta: 4 }",
        losses.PenaltyReducedLogisticFocalLoss,
        {"_alpha": 2.0, "_beta": 4.0},
    ),
    (
        "weighted_dice_classification_loss { squared_normalization: true }",
        losses.WeightedDiceClassificationLoss,
        {"_squared_normalization": True, "_is_prediction_probability": False},
    ),
]


@pytest.mark.parametrize(("text", "kind", "settings"), CLASSIFICATION + FIRST_STAGE_ONLY)
def test_classification(text, kind, settings):
    loss = _build(f"classification_loss {{ {text} }} localization_loss {{ weighted_l2 {{}} }}")
    assert type(loss[0]) is kind
    assert {name: getattr(loss[0], name) for name in settings} == settings


@pytest.mark.parametrize(
    ("text", "kind", "settings"),
    [*CLASSIFICATION, ("", losses.WeightedSoftmaxClassificationLoss, {"_logit_scale": 1.0})],
)
def test_second_stage(text, kind, settings):
    config = text_format.Parse(text, losses_pb2.ClassificationLoss())
    loss = losses_builder.build_faster_rcnn_classification_loss(config)
    assert type(loss) is kind
    assert {name: getattr(loss, name) for name in settings} == settings


def test_defaults():
    built = _build(BOTH)
    assert len(built) == 7
    assert built[2:] == (1.0, 1.0, None, None, None)


def test_weights_and_choosers():
    built = _build(
        BOTH
        + """classification_weight: 0.1 localization_weight: 0.2
             random_example_sampler { positive_sample_fraction: 0.25 }
             hard_example_miner { num_hard_examples: 5 iou_threshold: 0.5 loss_type: LOCALIZATION
               max_negatives_per_positive: 3 min_negatives_per_image: 2 }"""
    )
    assert built[2:4] == pytest.approx((0.1, 0.2))
    assert vars(built[4]) == pytest.approx(
        vars(losses.HardExampleMiner(5, 0.5, "loc", 0.1, 0.2, 3, 2))
    )
    assert isinstance(built[5], BalancedPositiveNegativeSampler)
    assert built[5]._positive_fraction == 0.25


@pytest.mark.parametrize(
    ("text", "kind"),
    [("", "both"), ("loss_type: BOTH", "both"), ("loss_type: CLASSIFICATION", "cls")],
)
def test_numbers_without_bound(text, kind):
    config = text_format.Parse("num_hard_examples: 0 " + text, losses_pb2.HardExampleMiner())
    miner = losses_builder.build_hard_example_miner(config, 1.0, 2.0)
    assert (miner._num_hard_examples, miner._max_negatives_per_positive) == (None, None)
    assert miner._loss_type == kind
    assert (miner._cls_loss_weight, miner._loc_loss_weight) == (1.0, 2.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Foreground 0.5, so four negatives a positive are 2, of 0.5 and three times 1.
        ("EXPECTED_SAMPLING", np.array([0.5, 1, 1, 1]) * 2 / 3.5),
        ("REWEIGHTING_UNMATCHED_ANCHORS", [0.5, 0.5, 0.5, 0.5]),
    ],
)
def test_expected_weights(name, expected, run):
    weigh = _build(BOTH + f"expected_loss_weights: {name} desired_negative_sampling_ratio: 4")[6]
    targets = tf.constant([[[0.5, 0.5], [1, 0], [1, 0], [1, 0]]])
    foreground, background = run(weigh(targets))
    np.testing.assert_allclose(foreground, [[0.5, 0, 0, 0]])
    np.testing.assert_allclose(background, [expected], rtol=1e-6)


@pytest.mark.parametrize(
    "text",
    ["localization_loss { weighted_l2 {} }", "classification_loss { weighted_sigmoid {} }", ""],
)
def test_a_loss_has_to_be_chosen(text):
    with pytest.raises(ValueError, match="Choose one of"):
        _build(text)


def test_other_messages():
    with pytest.raises(ValueError, match="Loss message"):
        losses_builder.build(losses_pb2.ClassificationLoss())
    with pytest.raises(ValueError, match="ClassificationLoss message"):
        losses_builder.build_faster_rcnn_classification_loss(losses_pb2.Loss())
