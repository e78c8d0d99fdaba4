import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import losses
from object_detection.core.box_list import BoxList
from object_detection.core.matcher import Match
from object_detection.errors import ConfigError

NAN = float("nan")


def _sigmoid_cross_entropy(logits, targets):
    p = 1 / (1 + np.exp(-logits))
    return -(targets * np.log(p) + (1 - targets) * np.log(1 - p))


@pytest.fixture
def rows():
    random = np.random.RandomState(5)
    logits = random.normal(size=[2, 6, 3])
    targets = (random.uniform(size=[2, 6, 3]) < 0.3).astype(float)
    weights = random.uniform(size=[2, 6, 1])
    return logits, targets, weights


def _run(run, loss, prediction, target, weights, **more):
    tensors = [tf.constant(one, tf.float32) for one in (prediction, target, weights)]
    return run(loss(tensors[0], tensors[1], weights=tensors[2], **more))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        pytest.param(losses.WeightedL2LocalizationLoss(), 0.5 * (0.25 + 4 + 9) * 4, id="L2"),
        pytest.param(
            losses.WeightedSmoothL1LocalizationLoss(), (0.125 + 1.5 + 2.5) * 2, id="smooth L1"
        ),
        # Below delta 0.5 * x^2, above delta * (|x| - delta / 2).
        pytest.param(
            losses.WeightedSmoothL1LocalizationLoss(delta=2.0),
            (0.125 + 2 + 2 * (3 - 1)) * 2,
            id="smooth L1, delta 2",
        ),
    ],
)
def test_localization_losses_by_hand(loss, expected, run):
    # Differences 0.5, 2, -3 and weight 2; the second anchor has weight 0.
    prediction = np.array([[[0.5, 2.0, 0.0], [9, 9, 9]]])
    target = np.array([[[0.0, 0.0, 3.0], [0, 0, 0]]])
    values = _run(run, loss, prediction, target, np.array([[2.0, 0.0]]))
    np.testing.assert_allclose(values, [[expected, 0.0]], rtol=1e-6)


def test_nan_targets_reach_neither_value_nor_gradient(run):
    prediction = tf.constant([[[0.5, 2.0]]])
    target = tf.constant([[[0.0, NAN]]])
    loss = losses.WeightedSmoothL1LocalizationLoss()(
        prediction, target, ignore_nan_targets=True, weights=tf.ones([1, 1])
    )
    value, gradient = run([loss, tf.gradients(loss, prediction)[0]])
    np.testing.assert_allclose(value, [[0.125]])
    np.testing.assert_allclose(gradient, [[[0.5, 0.0]]])


def test_sigmoid_loss(rows, run):
    logits, targets, weights = rows
    values = _run(run, losses.WeightedSigmoidClassificationLoss(), logits, targets, weights)
    np.testing.assert_allclose(values, _sigmoid_cross_entropy(logits, targets) * weights, rtol=1e-4)


def test_losses_of_chosen_classes_only(rows, run):
    logits, targets, weights = rows
    loss = losses.WeightedSigmoidClassificationLoss()
    values = _run(run, loss, logits, targets, weights, class_indices=tf.constant([0, 2]))
    expected = _sigmoid_cross_entropy(logits, targets) * weights * [1, 0, 1]
    np.testing.assert_allclose(values, expected, rtol=1e-4)


@pytest.mark.parametrize(("gamma", "alpha"), [(2.0, 0.25), (0.0, None), (1.5, 0.75)])
def test_focal_loss(gamma, alpha, rows, run):
    logits, targets, weights = rows
    values = _run(
        run, losses.SigmoidFocalClassificationLoss(gamma, alpha), logits, targets, weights
    )
    p = 1 / (1 + np.exp(-logits))
    p_true = np.where(targets == 1, p, 1 - p)
    balance = 1 if alpha is None else np.where(targets == 1, alpha, 1 - alpha)
    expected = -balance * (1 - p_true) ** gamma * np.log(p_true) * weights
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_softmax_loss(scale, rows, run):
    logits, _, weights = rows
    targets = np.eye(3)[np.random.RandomState(2).randint(3, size=[2, 6])]
    values = _run(
        run, losses.WeightedSoftmaxClassificationLoss(scale), logits, targets, weights[..., 0]
    )
    scaled = logits / scale
    log_p = scaled - np.log(np.exp(scaled).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(values, -(targets * log_p).sum(-1) * weights[..., 0], rtol=1e-4)


def _apart(count):
    """Boxes that do not overlap."""
    start = np.arange(count, dtype=np.float32)
    return np.stack([start, start, start + 0.9, start + 0.9], axis=-1)


def test_miner_keeps_the_hardest(run):
    miner = losses.HardExampleMiner(num_hard_examples=2, iou_threshold=0.5, loss_type="cls")
    location = tf.constant([[1.0, 2.0, 4.0, 8.0]])
    classification = tf.constant([[0.1, 0.9, 0.3, 0.8]])
    sums = run(miner.mine(location, classification, tf.constant(_apart(4))[tf.newaxis]))
    np.testing.assert_allclose(sums, [2 + 8, 0.9 + 0.8], rtol=1e-6)


def test_miner_leaves_out_what_overlaps_a_harder_one(run):
    miner = losses.HardExampleMiner(num_hard_examples=None, iou_threshold=0.5, loss_type="loc")
    boxes = _apart(3)
    boxes[1] = boxes[0]
    location = tf.constant([[1.0, 2.0, 4.0]])
    sums = run(miner.mine(location, location, tf.constant(boxes)[tf.newaxis]))
    np.testing.assert_allclose(sums, [6.0, 6.0])


@pytest.mark.parametrize(
    ("match", "least", "expected"),
    [
        # Of the negatives 0.9, 0.8, 0.7 (0.6 positive): two for the one positive.
        pytest.param([-1, -1, 0, -1], 0, 0.9 + 0.8 + 0.6, id="two a positive"),
        pytest.param([-1, -1, -2, -1], 0, 0.0, id="no positive, an ignored one"),
        pytest.param([-1, -1, -1, -1], 1, 0.9, id="no positive, one at least"),
    ],
)
def test_miner_bounds_the_negatives(match, least, expected, run):
    miner = losses.HardExampleMiner(
        num_hard_examples=None,
        iou_threshold=0.99,
        loss_type="cls",
        max_negatives_per_positive=2,
        min_negatives_per_image=least,
    )
    classification = [tf.constant([0.9, 0.8, 0.6, 0.7])]
    location = [tf.zeros([4])]
    sums = miner(
        location, classification, [BoxList(tf.constant(_apart(4)))], [Match(tf.constant(match))]
    )
    np.testing.assert_allclose(run(sums)[1], expected, rtol=1e-6)


def test_unknown_ranking_is_refused():
    with pytest.raises(ConfigError, match="both, cls, loc"):
        losses.HardExampleMiner(loss_type="all")
