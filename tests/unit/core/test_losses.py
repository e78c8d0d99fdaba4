import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import losses
from object_detection.core.box_list import BoxList
from object_detection.core.losses import expected_weights
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


def test_softmax_weights_of_classes_are_averaged(rows, run):
    logits, _, _ = rows
    targets = np.eye(3)[np.random.RandomState(2).randint(3, size=[2, 6])]
    loss = losses.WeightedSoftmaxClassificationLoss()
    whole = _run(run, loss, logits, targets, np.ones([2, 6]))
    weights = np.tile([1.0, 2.0, 6.0], [2, 6, 1])
    np.testing.assert_allclose(_run(run, loss, logits, targets, weights), 3 * whole, rtol=1e-5)


def test_softmax_loss_against_logits(rows, run):
    logits, _, weights = rows
    teacher = np.random.RandomState(3).normal(size=logits.shape)
    loss = losses.WeightedSoftmaxClassificationAgainstLogitsLoss(logit_scale=2.0)
    values = _run(run, loss, logits, teacher, weights)
    p, q = (np.exp(one / 2) for one in (teacher, logits))
    p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    np.testing.assert_allclose(values, -(p * np.log(q)).sum(-1) * weights[..., 0], rtol=1e-4)


@pytest.mark.parametrize("kind", ["soft", "hard"])
def test_bootstrapped_loss(kind, rows, run):
    logits, targets, weights = rows
    loss = losses.BootstrappedSigmoidClassificationLoss(0.8, bootstrap_type=kind)
    values = _run(run, loss, logits, targets, weights)
    answer = 1 / (1 + np.exp(-logits)) if kind == "soft" else (logits > 0).astype(float)
    expected = _sigmoid_cross_entropy(logits, 0.8 * targets + 0.2 * answer) * weights
    np.testing.assert_allclose(values, expected, rtol=1e-4)


def test_unknown_bootstrap_is_refused():
    with pytest.raises(ValueError, match="soft, hard"):
        losses.BootstrappedSigmoidClassificationLoss(0.5, "medium")


def test_penalty_reduced_focal_loss(run):
    # Logit log(3) is probability 3/4. Targets: a centre, near one, far away, and certain.
    logits = np.array([[[np.log(3)], [np.log(3)], [-np.log(3)], [50.0]]])
    targets = np.array([[[1.0], [0.5], [0.0], [1.0]]])
    loss = losses.PenaltyReducedLogisticFocalLoss(alpha=2.0, beta=4.0)
    values = _run(run, loss, logits, targets, np.ones([1, 4, 1]))[0, :, 0]
    expected = [
        -(0.25**2) * np.log(0.75),
        -(0.5**4) * 0.75**2 * np.log(0.25),
        -(0.25**2) * np.log(0.75),
        -(1e-4**2) * np.log(1 - 1e-4),
    ]
    np.testing.assert_allclose(values, expected, rtol=2e-3)


@pytest.mark.parametrize(
    ("squared", "expected"),
    [
        # Class 0: p (0.9, 0.1), t (1, 0); class 1: nothing; class 2: p (0.5, 0), t (0, 1).
        pytest.param(False, [1 - 1.8 / 2, 1, 1], id="sums"),
        pytest.param(True, [1 - 1.8 / (0.82 + 1), 1, 1], id="squares"),
    ],
)
def test_dice_loss(squared, expected, run):
    probability = np.array([[[0.9, 0, 0.5], [0.1, 0, 0]]])
    target = np.array([[[1.0, 0, 0], [0, 0, 1]]])
    loss = losses.WeightedDiceClassificationLoss(squared, is_prediction_probability=True)
    values = _run(run, loss, probability, target, np.ones([1, 2, 1]))
    np.testing.assert_allclose(values, [expected], rtol=1e-5)
    # The second pixel does not count.
    values = _run(run, loss, probability, target, np.array([[[1.0], [0.0]]]))
    size = 0.81 + 1 if squared else 1.9
    np.testing.assert_allclose(values[0, 0], 1 - 1.8 / size, rtol=1e-5)


def test_dice_loss_of_chosen_classes_only(run):
    probability = np.array([[[0.9, 0.5, 0.5], [0.1, 0, 0]]])
    target = np.array([[[1.0, 0, 0], [0, 0, 1]]])
    loss = losses.WeightedDiceClassificationLoss(False, is_prediction_probability=True)
    whole = _run(run, loss, probability, target, np.ones([1, 2, 1]))
    np.testing.assert_allclose(whole, [[1 - 1.8 / 2, 1, 1]], rtol=1e-5)
    values = _run(run, loss, probability, target, np.ones([1, 2, 1]), class_indices=[2])
    np.testing.assert_allclose(values, [[1, 1, 1]], rtol=1e-5)


def test_dice_loss_of_logits(run):
    logits = np.array([[[np.log(9.0)], [-np.log(9.0)]]])
    values = _run(
        run,
        losses.WeightedDiceClassificationLoss(squared_normalization=False),
        logits,
        np.array([[[1.0], [0.0]]]),
        np.ones([1, 2, 1]),
    )
    np.testing.assert_allclose(values, [[1 - 1.8 / 2]], rtol=1e-5)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        pytest.param(losses.WeightedIOULocalizationLoss(), [0, 0.5 * 0.75, 2.0], id="IoU"),
        # Far apart: the enclosing box is 4 x 4, of which 2 are covered.
        pytest.param(
            losses.WeightedGIOULocalizationLoss(), [0, 0.5 * 0.75, 2 * (1 + 14 / 16)], id="GIoU"
        ),
    ],
)
def test_overlap_losses(loss, expected, run):
    prediction = np.array([[[1.5, 0, 2.5, 1], [0, 0, 1, 1], [0, 0, 1, 1]]])
    target = np.array([[[1.5, 0, 2.5, 1], [0, 0, 0.5, 0.5], [3, 3, 4, 4]]])
    values = _run(run, loss, prediction, target, np.array([[1.0, 0.5, 2.0]]))
    np.testing.assert_allclose(values, [expected], rtol=1e-5)


def test_l1_loss_keeps_its_shape(run):
    prediction, target = np.array([[0.1, 0.2], [0.7, 0.5]]), np.array([[0.9, 1.0], [0.1, 0.4]])
    values = _run(
        run, losses.L1LocalizationLoss(), prediction, target, np.array([[1.0, 0], [1, 1]])
    )
    np.testing.assert_allclose(values, [[0.8, 0], [0.6, 0.1]], rtol=1e-5)


ALL_LOSSES = [
    losses.WeightedL2LocalizationLoss(),
    losses.WeightedSmoothL1LocalizationLoss(),
    losses.L1LocalizationLoss(),
    losses.WeightedIOULocalizationLoss(),
    losses.WeightedGIOULocalizationLoss(),
    losses.WeightedDIOULocalizationLoss(),
    losses.WeightedCIOULocalizationLoss(),
    losses.WeightedSigmoidClassificationLoss(),
    losses.SigmoidFocalClassificationLoss(),
    losses.WeightedDiceClassificationLoss(True),
    losses.WeightedSoftmaxClassificationLoss(),
    losses.WeightedSoftmaxClassificationAgainstLogitsLoss(),
    losses.BootstrappedSigmoidClassificationLoss(0.5),
    losses.PenaltyReducedLogisticFocalLoss(),
]


@pytest.mark.parametrize("loss", ALL_LOSSES, ids=lambda loss: type(loss).__name__)
def test_masked_pictures_have_no_loss(loss, run):
    prediction = tf.constant(np.random.RandomState(1).uniform(size=[3, 5, 4]), tf.float32)
    target = tf.one_hot(tf.zeros([3, 5], tf.int32), 4)
    weights = tf.ones([3, 5]) if "Local" in type(loss).__name__ else tf.ones([3, 5, 4])
    whole = loss(prediction, target, weights=weights)
    masked = loss(prediction, target, weights=weights, losses_mask=tf.constant([True, False, True]))
    assert masked.shape.as_list() == whole.shape.as_list()
    whole, masked = run([whole, masked])
    assert np.abs(whole[1]).sum() > 0
    assert not masked[1].any()
    np.testing.assert_allclose(masked[[0, 2]], whole[[0, 2]])


def test_an_absent_box_has_no_overlap_loss(run):
    prediction = tf.constant([[[0.0, 0.0, 1.0, 1.0]]])
    loss = losses.WeightedIOULocalizationLoss()(
        prediction, tf.fill([1, 1, 4], NAN), ignore_nan_targets=True, weights=tf.ones([1, 1])
    )
    assert run(loss).tolist() == [[0.0]]


def test_no_class_at_all_counts(rows, run):
    logits, targets, weights = rows
    loss = losses.WeightedSigmoidClassificationLoss()
    assert not _run(run, loss, logits, targets, weights, class_indices=[]).any()


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


def _miner_arguments():
    boxes = [BoxList(tf.constant(_apart(4)))] * 2
    matches = [Match(tf.constant([0, -1, -1, -1])), Match(tf.constant([0, 1, -1, -2]))]
    cls = tf.constant([[0.5, 0.9, 0.8, 0.7], [0.5, 0.9, 0.8, 0.7]])
    return tf.zeros([2, 4]), cls, boxes, matches


def test_miner_without_matches_keeps_all(run):
    location, cls, boxes, _ = _miner_arguments()
    miner = losses.HardExampleMiner(None, 0.9, "cls", max_negatives_per_positive=1)
    np.testing.assert_allclose(run(miner(location, cls, boxes))[1], 2 * 2.9, rtol=1e-6)


def test_miner_refuses_arguments_of_different_length():
    location, cls, boxes, matches = _miner_arguments()
    miner = losses.HardExampleMiner()
    with pytest.raises(ValueError, match="location_losses has 1"):
        miner(location[:1], cls, boxes)
    with pytest.raises(ValueError, match="match_list has 1"):
        miner(location, cls, boxes, matches[:1])
    with pytest.raises(ValueError, match="should be a list"):
        miner(location, cls, boxes, tuple(matches))


def test_miner_summarizes_what_it_kept_of_a_picture(run):
    location, cls, boxes, matches = _miner_arguments()
    miner = losses.HardExampleMiner(None, 0.9, "cls", max_negatives_per_positive=1)
    miner.summarize()
    assert tf.summary.merge_all() is None
    miner(location, cls, boxes, matches)
    miner.summarize()
    summary = tf.Summary.FromString(run(tf.summary.merge_all()))
    found = {value.tag: value.simple_value for value in summary.value}
    # One positive and one negative, then two and one.
    assert found == {"HardExampleMiner/NumPositives": 1.5, "HardExampleMiner/NumNegatives": 1.0}


def test_miner_weighs_both_losses(run):
    # 0.1 * location + 1.0 * classification: 1.0, 0.9, 0.4.
    miner = losses.HardExampleMiner(1, 0.5, "both", cls_loss_weight=1.0, loc_loss_weight=0.1)
    location, cls = tf.constant([[0.0, 8.0, 1.0]]), tf.constant([[1.0, 0.1, 0.3]])
    sums = run(miner.mine(location, cls, tf.constant(_apart(3))[tf.newaxis]))
    np.testing.assert_allclose(sums, [0.0, 1.0])


@pytest.mark.parametrize(
    ("weigh", "least", "expected"),
    [
        # Foreground 0.5 and 1: three negatives a positive are 4.5, but 2.5 is all there is.
        pytest.param(expected_weights.by_expected_sampling, 0, [0.5, 0, 1, 1], id="all there are"),
        pytest.param(
            expected_weights.by_reweighting_unmatched_anchors, 0, [0.5, 0, 1, 1], id="as many"
        ),
    ],
)
def test_expected_weights_without_enough_negatives(weigh, least, expected, run):
    background = np.array([0.5, 0.0, 1.0, 1.0])
    targets = tf.constant(np.stack([background, 1 - background], -1)[None], tf.float32)
    foreground, negatives = run(weigh(targets, least, 3.0))
    np.testing.assert_allclose(foreground, [[0.5, 1, 0, 0]])
    np.testing.assert_allclose(negatives, [expected])


def test_expected_weights_of_many_negatives(run):
    # Foreground 0.5; two negatives a positive: background weights add up to 1.
    background = np.array([0.5] + [1.0] * 9)
    targets = tf.constant(np.stack([background, 1 - background], -1)[None], tf.float32)
    _, sampled = run(expected_weights.by_expected_sampling(targets, 0.0, 2.0))
    np.testing.assert_allclose(sampled, [background / 9.5], rtol=1e-5)
    _, unmatched = run(expected_weights.by_reweighting_unmatched_anchors(targets, 0.0, 2.0))
    np.testing.assert_allclose(unmatched, [[0.5] + [0.5 / 9] * 9], rtol=1e-5)
    # Or to the least number.
    _, sampled = run(expected_weights.by_expected_sampling(targets, 4.0, 2.0))
    np.testing.assert_allclose(sampled.sum(), 4.0, rtol=1e-5)


def test_unknown_ranking_is_refused():
    with pytest.raises(ConfigError, match="both, cls, loc"):
        losses.HardExampleMiner(loss_type="all")
