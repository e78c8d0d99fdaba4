"""Which keypoints can be seen, by hand; what saying it wrongly costs, by numpy."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import keypoint_visibility
from object_detection.core.keypoint_visibility import KeypointVisibilityLoss, VisibilityTargets
from object_detection.errors import ConfigError

NAN = float("nan")


@pytest.mark.parametrize(
    ("point", "flag", "seen"),
    [
        pytest.param([NAN, NAN], 0, False, id="never placed"),
        pytest.param([NAN, NAN], 2, False, id="lost by a crop"),
        pytest.param([0.5, NAN], 2, False, id="half of a point"),
        pytest.param([0.5, 0.5], 0, False, id="a place that nobody gave"),
        pytest.param([0.5, 0.5], 1, False, id="occluded"),
        pytest.param([0.5, 0.5], 2, True, id="visible"),
        pytest.param([1.25, 0.5], 2, False, id="below the picture"),
        pytest.param([0.5, -0.25], 2, False, id="left of the picture"),
        pytest.param([0.0, 1.0], 2, True, id="in a corner"),
    ],
)
def test_what_can_be_seen(point, flag, seen, run):
    result = keypoint_visibility.can_be_seen(tf.constant([[point]]), tf.constant([[flag]]))
    assert run(result).tolist() == [[seen]]


def test_objects_of_which_nothing_is_known(run):
    flags = tf.constant([[[0, 0], [0, 1]], [[2, 0], [0, 0]]])
    assert run(keypoint_visibility.is_annotated(flags)).tolist() == [[False, True], [True, False]]
    assert run(keypoint_visibility.is_annotated(flags[:, :0])).shape == (2, 0)


def test_without_flags_a_place_tells(run):
    points = tf.constant([[[0.5, 0.5], [NAN, 0.5]], [[NAN, NAN], [3.0, -1.0]]])
    assert run(keypoint_visibility.flags_of(points)).tolist() == [[2, 0], [0, 2]]


def _entropy(logit, visible):
    share = 1 / (1 + np.exp(-logit))
    return -np.log(share if visible else 1 - share)


@pytest.mark.parametrize(
    ("logits", "visible", "weights", "expected"),
    [
        pytest.param(np.zeros([0, 2]), np.zeros([0, 2]), [], 0.0, id="no anchor"),
        pytest.param([[3, -2]], [[1, 0]], [0], 0.0, id="nothing known"),
        pytest.param([[0, 0]], [[1, 0]], [1], np.log(2), id="undecided"),
        pytest.param(
            [[2, -1], [0.5, 3]],
            [[1, 1], [0, 1]],
            [1, 0],
            (_entropy(2, 1) + _entropy(-1, 1)) / 2,
            id="a mean over the keypoints that count",
        ),
        pytest.param(
            [[2, -1], [0.5, 3]],
            [[1, 1], [0, 1]],
            [1, 0.5],
            (_entropy(2, 1) + _entropy(-1, 1) + (_entropy(0.5, 0) + _entropy(3, 1)) / 2) / 3,
            id="half an anchor",
        ),
        pytest.param([[1.0]], [[0]], [0.25], _entropy(1, 0) / 4, id="the divisor is at least 1"),
        pytest.param([[NAN, 1e9]], [[1, 0]], [0], 0.0, id="what does not count may be anything"),
        pytest.param([[-200.0]], [[1]], [1], 200.0, id="far off"),
    ],
)
def test_loss_by_numpy(logits, visible, weights, expected, run):
    logits = tf.constant(logits, tf.float32)
    targets = VisibilityTargets(tf.constant(visible, tf.float32), tf.constant(weights, tf.float32))
    loss = KeypointVisibilityLoss(weight=3.0)(logits, targets)
    value, gradient = run([loss, tf.gradients(loss, logits)[0]])
    np.testing.assert_allclose(value, 3 * expected, rtol=1e-5)
    assert np.isfinite(gradient).all()
    assert gradient.any() == (expected > 0)


@pytest.mark.parametrize("weight", [0.0, -1.0, NAN, float("inf")])
def test_weights_that_weigh_nothing(weight):
    with pytest.raises(ConfigError, match="visibility: weight"):
        KeypointVisibilityLoss(weight)
