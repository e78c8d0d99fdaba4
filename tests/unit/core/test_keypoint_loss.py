"""What keypoints cost: by hand, by numpy, and by pycocotools."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from pycocotools.cocoeval import COCOeval

from object_detection.box_coders.keypoint_box_coder import KeypointBoxCoder
from object_detection.core import keypoint_loss
from object_detection.core.keypoint_loss import KeypointErrors, KeypointLoss
from object_detection.errors import ConfigError

NAN = float("nan")
LN2 = 0.6931472


def _wing(x, w, c):
    return w * np.log(1 + x / c) if x < w else x - (w - w * np.log(1 + w / c))


@pytest.mark.parametrize(
    ("cost", "errors", "expected"),
    [
        pytest.param(keypoint_loss.huber, np.zeros([0, 2]), [], id="huber, no keypoint"),
        pytest.param(keypoint_loss.huber, [[0, 0]], [0], id="huber, no error"),
        pytest.param(keypoint_loss.huber, [[0.5, -1]], [0.125 + 0.5], id="huber, square"),
        pytest.param(keypoint_loss.huber, [[-3, 0], [0, 1e9]], [2.5, 1e9], id="huber, line"),
        pytest.param(
            lambda e: keypoint_loss.huber(e, 0.5), [[0.4, 2]], [0.08 + 0.875], id="huber, delta"
        ),
        pytest.param(keypoint_loss.absolute, np.zeros([0, 2]), [], id="l1, no keypoint"),
        pytest.param(keypoint_loss.absolute, [[0, 0], [-1.5, 2]], [0, 3.5], id="l1"),
        pytest.param(keypoint_loss.wing, np.zeros([0, 2]), [], id="wing, no keypoint"),
        pytest.param(keypoint_loss.wing, [[0, 0]], [0], id="wing, no error"),
        pytest.param(keypoint_loss.wing, [[0.2, 0]], [LN2], id="wing, logarithm of 2"),
        # 1 - 1 * ln(1 + 1 / 0.2) is the constant that joins the line to the logarithm.
        pytest.param(keypoint_loss.wing, [[1, -3]], [2 * np.log(6) + 2], id="wing, line"),
        pytest.param(
            lambda e: keypoint_loss.wing(e, 10.0, 2.0),
            [[-2, 12]],
            [10 * LN2 + 2 + 10 * np.log(6)],
            id="wing, the paper's 10 and 2",
        ),
        pytest.param(
            lambda e: keypoint_loss.wing(e, 10.0, 2.0),
            [[9.9999, 10.0001]],
            [_wing(9.9999, 10, 2) + _wing(10.0001, 10, 2)],
            id="wing, both sides of the width",
        ),
        pytest.param(
            lambda e: keypoint_loss.one_minus_oks(e, tf.constant(4.0), [0.5, 0.25]),
            [[0, 0], [0, 0]],
            [0, 0],
            id="oks, no error",
        ),
        pytest.param(
            lambda e: keypoint_loss.one_minus_oks(e, tf.constant(0.0), [0.5]),
            [[3, 4]],
            [0],
            id="oks, a box without area",
        ),
        # d^2 = 5, 2 * area * (2 sigma)^2 = 8 and 2.
        pytest.param(
            lambda e: keypoint_loss.one_minus_oks(e, tf.constant(4.0), [0.5, 0.25]),
            [[1, 2], [-2, 1]],
            [1 - np.exp(-5 / 8), 1 - np.exp(-5 / 2)],
            id="oks, two sigmas",
        ),
        pytest.param(
            lambda e: keypoint_loss.one_minus_oks(e, tf.constant(4.0), [0.5]),
            [[1e30, 0]],
            [1],
            id="oks, far out of the picture",
        ),
    ],
)
def test_costs_by_hand(cost, errors, expected, run):
    given = tf.constant(np.asarray(errors, np.float32))
    value = cost(given)
    values, gradient = run((value, tf.gradients(value, given)[0]))
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-7)
    assert np.all(np.isfinite(gradient))


def test_gradients_by_hand(run):
    errors = tf.constant([[0.0, 0.5], [-0.5, 3.0]])
    gradients = run(
        [
            tf.gradients(cost(errors), errors)[0]
            for cost in (keypoint_loss.huber, keypoint_loss.absolute, keypoint_loss.wing)
        ]
    )
    np.testing.assert_allclose(gradients[0], [[0, 0.5], [-0.5, 1]])
    np.testing.assert_allclose(gradients[1], [[0, 1], [-1, 1]])
    # w / (c + |x|) below the width, 1 above.
    np.testing.assert_allclose(gradients[2], [[0, 1 / 0.7], [-1 / 0.7, 1]], rtol=1e-6)


def test_oks_of_objects_is_that_of_pycocotools(run):
    random = np.random.RandomState(5)
    sigmas = [0.025, 0.1, 0.05, 0.5, 0.3]
    truth = random.uniform(0, 50, [4, 5, 2])  # objects, keypoints, (y, x)
    predicted = truth + random.normal(0, 3, [4, 5, 2])
    areas = np.array([1.5, 80.0, 700.0, 2500.0])
    losses = run(
        keypoint_loss.one_minus_oks(
            tf.constant(predicted - truth, tf.float32), tf.constant(areas, tf.float32), sigmas
        )
    )

    def flat(points, *more):
        return np.concatenate([points[:, ::-1], np.full([5, 1], 2.0)], axis=1).ravel().tolist()

    evaluation = COCOeval(iouType="keypoints")
    evaluation.params.kpt_oks_sigmas = np.array(sigmas)
    for row in range(4):
        evaluation._gts[row, 1] = [
            {"keypoints": flat(truth[row]), "area": areas[row], "bbox": [0, 0, 1, 1], "ignore": 0}
        ]
        evaluation._dts[row, 1] = [{"keypoints": flat(predicted[row]), "score": 1.0}]
        expected = evaluation.computeOks(row, 1)
        np.testing.assert_allclose(1 - losses[row].mean(), expected[0][0], rtol=1e-5, atol=1e-6)


ANCHORS = np.array([[0.1, 0.2, 0.5, 0.8], [0.0, 0.0, 1.0, 0.4], [0.3, 0.3, 0.3, 0.3]], np.float32)
BOXES = np.array([[0.2, 0.2, 0.6, 0.7], [0.1, 0.1, 0.8, 0.5], [0, 0, 1, 1]], np.float32)
SIZE = (40, 100)


@pytest.mark.parametrize("scales", [None, (10.0, 5.0, 4.0, 2.0)], ids=["no scales", "scales"])
def test_errors_by_numpy(scales, run):
    random = np.random.RandomState(2)
    points, wrong = random.uniform(0, 1, [2, 2, 3, 2, 2]).astype(np.float32)
    points[0, 0, 1] = NAN
    points[1, 0, 0, 1] = NAN  # one coordinate is enough
    weights = np.array([[1, 0.5, 0], [0.25, 0, 0]], np.float32)
    coder = KeypointBoxCoder(2, scales)
    target, codes = (
        coder.encode_tensors(
            tf.constant(np.stack([BOXES] * 2)), tf.constant(ANCHORS), tf.constant(one)
        )
        for one in (points, wrong)
    )
    errors = run(
        keypoint_loss.keypoint_errors(
            codes, target, tf.constant(ANCHORS), tf.constant(weights), coder, tf.constant(SIZE)
        )
    )
    there = ~np.isnan(points).any(axis=-1)
    expected_weights = there * weights[..., None]
    counts = (expected_weights > 0)[..., None]
    np.testing.assert_allclose(errors.weights, expected_weights)
    difference = np.where(counts, wrong - points, 0)
    np.testing.assert_allclose(errors.pixels, difference * SIZE, atol=1e-3)
    sides = (ANCHORS[:, 2:] - ANCHORS[:, :2])[None, :, None]
    scale = np.array(scales[:2] if scales else (1, 1))
    matched = errors.codes[:, :2]
    np.testing.assert_allclose(
        matched, (difference[:, :2] / sides[:, :2]) * scale, rtol=1e-4, atol=1e-4
    )
    assert not errors.codes[:, 2].any()
    areas = (BOXES[:, 2] - BOXES[:, 0]) * (BOXES[:, 3] - BOXES[:, 1]) * 40 * 100
    np.testing.assert_allclose(errors.areas, areas * counts.any(axis=(-1, -2)), rtol=1e-4)


COSTS = {
    "huber": lambda errors: keypoint_loss.huber(errors.codes),
    "l1": lambda errors: keypoint_loss.absolute(errors.codes),
    "wing": lambda errors: keypoint_loss.wing(errors.codes),
    "oks": lambda errors: keypoint_loss.one_minus_oks(errors.pixels, errors.areas, [0.2, 0.1]),
}


@pytest.mark.parametrize("kind", sorted(COSTS))
def test_absent_keypoints_reach_neither_value_nor_gradient(kind, run):
    """Absent keypoints may be predicted anywhere; anchors without area are never matched."""
    random = np.random.RandomState(4)
    target = tf.placeholder(tf.float32, [1, 3, 8])
    codes = tf.placeholder(tf.float32, [1, 3, 8])
    errors = keypoint_loss.keypoint_errors(
        codes,
        target,
        tf.constant(ANCHORS),
        tf.constant([[1.0, 0.5, 0.0]]),
        KeypointBoxCoder(2, (10.0, 10.0, 5.0, 5.0)),
        tf.constant(SIZE),
    )
    loss = KeypointLoss(COSTS[kind], per_keypoint_weights=[2.0, 1.0])(errors)
    gradient = tf.gradients(loss, codes)[0]
    truth = random.normal(0, 1, [1, 3, 8])
    predicted = truth + random.normal(0, 0.5, [1, 3, 8])
    truth[0, 0, 6:] = NAN
    results = []
    with tf.Session() as session:
        for filler in (0.0, 1e9, -1e30):
            predicted[0, 0, 6:] = filler
            predicted[0, 2] = filler
            results.append(session.run((loss, gradient), {target: truth, codes: predicted}))
        nothing = session.run((loss, gradient), {target: np.full([1, 3, 8], NAN), codes: predicted})
        # By differences, for a keypoint that counts.
        step = np.zeros([1, 3, 8])
        step[0, 1, 5] = 1e-2
        up, down = (
            session.run(loss, {target: truth, codes: predicted + sign * step}) for sign in (1, -1)
        )
    value, slopes = results[0]
    assert value > 0
    assert slopes[0, 0, 4:6].all()
    assert slopes[0, 1, 4:].all()
    assert not slopes[..., :4].any()
    assert not slopes[0, 0, 6:].any()
    assert not slopes[0, 2].any()
    np.testing.assert_allclose(slopes[0, 1, 5], (up - down) / 2e-2, rtol=2e-2)
    for other in results[1:]:
        assert other[0] == value
        np.testing.assert_array_equal(other[1], slopes)
    assert nothing[0] == 0
    assert not nothing[1].any()


def _errors(costs, weights):
    """Errors whose cost is what is given."""
    costs = np.asarray(costs, np.float32)
    return KeypointErrors(
        codes=tf.constant(np.stack([costs, np.zeros_like(costs)], axis=-1)),
        pixels=tf.zeros([*costs.shape, 2]),
        areas=tf.ones(costs.shape[:-1]),
        weights=tf.constant(np.asarray(weights, np.float32)),
    )


@pytest.mark.parametrize(
    ("costs", "weights", "settings", "expected"),
    [
        pytest.param(np.zeros([1, 0, 2]), np.zeros([1, 0, 2]), {}, 0, id="no anchor"),
        pytest.param([[[3, 4]]], [[[0, 0]]], {}, 0, id="no visible keypoint"),
        pytest.param([[[3, 5]]], [[[1, 0]]], {}, 3, id="one visible keypoint"),
        pytest.param([[[3, 5]], [[7, 9]]], np.ones([2, 1, 2]), {}, 6, id="mean over the batch"),
        pytest.param([[[3, 5], [9, 1]]], [[[1, 0], [1, 1]]], {"weight": 0.5}, 13 / 6, id="weight"),
        pytest.param(
            [[[3, 5], [9, 1]]], [[[1, 1], [0.5, 0.5]]], {}, 13 / 3, id="a box counts half"
        ),
        pytest.param([[[8, 0]]], [[[0.25, 0]]], {}, 2, id="divisor is at least 1"),
        pytest.param(
            [[[3, 5], [9, 1]]],
            [[[1, 1], [1, 0]]],
            {"per_keypoint_weights": [2.0, 0.0]},
            24 / 3,
            id="weights of keypoints leave the divisor",
        ),
    ],
)
def test_one_number_for_a_batch(costs, weights, settings, expected, run):
    loss = KeypointLoss(COSTS["l1"], **settings)(_errors(costs, weights))
    assert loss.shape.as_list() == []
    np.testing.assert_allclose(run(loss), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weight": 0.0}, "weight is 0"),
        ({"weight": NAN}, "weight is nan"),
        ({"per_keypoint_weights": [1.0, -1.0]}, "per_keypoint_weights has -1"),
    ],
)
def test_settings_that_make_no_sense(settings, words):
    with pytest.raises(ConfigError, match=words):
        KeypointLoss(COSTS["l1"], **settings)


@pytest.mark.parametrize(
    ("occluded", "weight", "expected"),
    [
        pytest.param(None, 0.5, (4 + 2 + 1 * 0.5) / 2.5, id="nobody says what is occluded"),
        pytest.param([[1, 0], [0, 0]], 1.0, (4 + 2 + 0.5) / 2.5, id="as much as a visible one"),
        pytest.param([[1, 0], [0, 0]], 0.5, (2 + 2 + 0.5) / 2.0, id="half"),
        pytest.param([[1, 0], [0, 0]], 0.0, (2 + 0.5) / 1.5, id="not at all"),
        pytest.param([[1, 0], [1, 1]], 3.0, (12 + 2 + 1.5) / 5.5, id="an anchor of weight 1/2"),
        pytest.param([[0, 0], [0, 1]], 0.0, (4 + 2 + 0.5) / 2.5, id="of what is not there"),
        pytest.param([[1, 1], [1, 1]], 0.0, 0.0, id="nothing else"),
    ],
)
def test_occluded_points_count_above_and_below_the_line(occluded, weight, expected, run):
    errors = KeypointErrors(
        codes=tf.constant([[[4.0, 0], [0, 2]], [[1, 0], [0, 0]]]),
        pixels=tf.zeros([2, 2, 2]),
        areas=tf.ones([2]),
        weights=tf.constant([[1.0, 1.0], [0.5, 0.0]]),
        occluded=None if occluded is None else tf.constant(np.array(occluded, bool)),
    )
    loss = KeypointLoss(
        lambda one: keypoint_loss.absolute(one.codes), weight=2.0, occluded_weight=weight
    )
    np.testing.assert_allclose(run(loss(errors)), 2 * expected, rtol=1e-6)


@pytest.mark.parametrize("weight", [-0.5, NAN, float("inf")])
def test_weights_of_occluded_points_that_are_none(weight):
    with pytest.raises(ConfigError, match="occluded_weight"):
        KeypointLoss(COSTS["l1"], occluded_weight=weight)
