"""Losses of boxes: by hand, against a twin in plain Python, and by finite differences."""

import math

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import losses

KINDS = {
    "iou": losses.WeightedIOULocalizationLoss,
    "giou": losses.WeightedGIOULocalizationLoss,
    "diou": losses.WeightedDIOULocalizationLoss,
    "ciou": losses.WeightedCIOULocalizationLoss,
}
UNIT = [0.0, 0.0, 1.0, 1.0]


@pytest.fixture(scope="module")
def values():
    """`values(kind, boxes, targets)`: losses [N], and gradient by the predicted boxes [N, 4]."""
    with tf.Graph().as_default():
        boxes, targets = (tf.placeholder(tf.float32, [1, None, 4]) for _ in range(2))
        made = {}
        for name, kind in KINDS.items():
            loss = kind()(boxes, targets, weights=tf.ones(tf.shape(boxes)[:2]))
            assert loss.shape.as_list() == [1, None]
            made[name] = loss[0], tf.gradients(loss, boxes)[0][0]
        with tf.Session() as session:
            yield lambda name, found, wanted: session.run(
                made[name], {boxes: [found], targets: [wanted]}
            )


def _angle(width, height):
    return 4 / math.pi**2 * (math.atan(width) - math.atan(height)) ** 2


@pytest.mark.parametrize(
    ("box", "target", "iou", "giou", "diou", "ciou"),
    [
        pytest.param([1, 1, 1, 1], [1, 1, 1, 1], 1, 1, 1, 1, id="two equal points"),
        # Enclosed by 2 x 2 = 4, of which 1 is covered; centres (1.5, 1.5) apart, diagonal^2 = 8.
        pytest.param([2, 2, 2, 2], UNIT, 1, 1.75, 1 + 4.5 / 8, 1 + 4.5 / 8, id="a point"),
        pytest.param([0.5, 0.5, 0.5, 0.5], UNIT, 1, 1, 1, 1, id="a point in the middle"),
        # No area; the corners lie at 0 and 1, the centres are the same.
        pytest.param([1, 1, 0, 0], UNIT, 1, 1, 1, 1, id="inverted"),
        pytest.param(UNIT, UNIT, 0, 0, 0, 0, id="the same"),
        # IoU 1/2; centres 0.5 apart in y, diagonal^2 = 5. Angles: arctan 1/2 and arctan 1.
        pytest.param(
            [0, 0, 2, 1], UNIT, 0.5, 0.5, 0.5 + 0.25 / 5,
            0.5 + 0.25 / 5 + _angle(0.5, 1) ** 2 / (0.5 + _angle(0.5, 1)), id="twice as high",
        ),
        # IoU 1/7; enclosed by 9, of which 7 are covered; d^2 = 2, c^2 = 18.
        pytest.param(
            [0, 0, 2, 2], [1, 1, 3, 3], 6 / 7, 6 / 7 + 2 / 9, 6 / 7 + 1 / 9, 6 / 7 + 1 / 9,
            id="overlap",
        ),
        # Enclosed by 1 x 4, of which 2 are covered; d^2 = 9, c^2 = 17.
        pytest.param([0, 3, 1, 4], UNIT, 1, 1.5, 1 + 9 / 17, 1 + 9 / 17, id="apart"),
        # Enclosed by 1 x 3 = 3, all covered; d^2 = 1.5^2, c^2 = 10. Angles: arctan 2, arctan 1.
        pytest.param(
            [0, 1, 1, 3], UNIT, 1, 1, 1 + 2.25 / 10,
            1 + 2.25 / 10 + _angle(2, 1) ** 2 / (1 + _angle(2, 1)), id="touch",
        ),
    ],
)  # fmt: skip
def test_by_hand(box, target, iou, giou, diou, ciou, values):
    for kind, expected in zip(KINDS, (iou, giou, diou, ciou), strict=True):
        loss, gradient = values(kind, [box], [target])
        np.testing.assert_allclose(loss, [expected], rtol=1e-5, atol=1e-6, err_msg=kind)
        assert np.isfinite(gradient).all(), kind


def _twin(kind, box, target, alpha=None):
    """The loss of one pair, one number at a time; with `alpha` of CIoU if it is given."""
    sides = [box[2] - box[0], box[3] - box[1]]
    goal = [target[2] - target[0], target[3] - target[1]]
    common = 1.0
    for low in (0, 1):
        common *= max(0.0, min(box[low + 2], target[low + 2]) - max(box[low], target[low]))
    union = sides[0] * sides[1] + goal[0] * goal[1] - common
    around = [max(box[i + 2], target[i + 2]) - min(box[i], target[i]) for i in (0, 1)]
    loss = 1 - common / union
    if kind == "giou":
        loss += 1 - union / (around[0] * around[1])
    if kind in ("diou", "ciou"):
        apart = sum((box[i] + box[i + 2] - target[i] - target[i + 2]) ** 2 for i in (0, 1)) / 4
        loss += apart / (around[0] ** 2 + around[1] ** 2)
    if kind == "ciou":
        v = _v(box, target)
        loss += (v / (1 - common / union + v) if alpha is None else alpha) * v
    return loss


def _v(box, target):
    angles = [math.atan((one[3] - one[1]) / (one[2] - one[0])) for one in (box, target)]
    return 4 / math.pi**2 * (angles[0] - angles[1]) ** 2


def _random(count=300):
    random = np.random.RandomState(4)
    corner = random.uniform(0, 30, [2, count, 2])
    return np.concatenate([corner, corner + random.uniform(0.5, 20, [2, count, 2])], axis=-1)


@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_twin(kind, values):
    boxes, targets = _random()
    found, _ = values(kind, boxes, targets)
    expected = [_twin(kind, box, goal) for box, goal in zip(boxes, targets, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_by_finite_differences(kind, values):
    """Of CIoU with alpha held, as the paper has it."""
    boxes, targets = _random(40)
    _, gradient = values(kind, boxes, targets)
    step = 1e-5
    for box, goal, found in zip(boxes, targets, gradient, strict=True):
        v = _v(box, goal)
        alpha = v / (_twin("iou", box, goal) + v)
        for number in range(4):
            up, down = box.copy(), box.copy()
            up[number] += step
            down[number] -= step
            higher, lower = (_twin(kind, moved, goal, alpha) for moved in (up, down))
            expected = (higher - lower) / (2 * step)
            assert found[number] == pytest.approx(expected, rel=2e-3, abs=2e-5)


@pytest.mark.parametrize("kind", ["giou", "diou", "ciou"])
def test_boxes_apart_are_pulled_together(kind, values):
    """A step against the gradient moves the box towards the target, which IoU does not."""
    box, target = [5.0, 5.0, 6.0, 7.0], [0.0, 0.0, 2.0, 2.0]
    _, gradient = values(kind, [box], [target])
    centre = gradient[0, :2] + gradient[0, 2:]
    assert (centre > 1e-3).all()
    _, none = values("iou", [box], [target])
    assert not none.any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("box", "target"),
    [
        pytest.param([1, 1, 1, 1], [1, 1, 1, 1], id="equal points"),
        pytest.param([1, 1, 1, 1], [2, 2, 2, 2], id="points"),
        pytest.param([1, 1, 1, 5], [1, 1, 5, 1], id="lines"),
        pytest.param([3, 3, 3, 3], UNIT, id="no area"),
        pytest.param([5, 3, 1, 2], UNIT, id="inverted"),
        pytest.param([2, 2, 1, 1], [0.5, 0.5, 0.5, 0.5], id="inverted, a point"),
        pytest.param([-1e9, -1e9, 1e9, 1e9], UNIT, id="huge"),
        pytest.param([1e9, 1e9, 2e9, 2e9], UNIT, id="far"),
        pytest.param([0, -1e9, 1e-6, 1e9], UNIT, id="thin"),
        pytest.param(UNIT, UNIT, id="the same"),
    ],
)
def test_finite_and_bounded(kind, box, target, values):
    loss, gradient = values(kind, [box], [target])
    assert 0 <= loss[0] <= {"iou": 1, "ciou": 3}.get(kind, 2)
    assert np.isfinite(gradient).all()


def test_a_scale_changes_nothing(values):
    """Of 300 pixels or of shares of them."""
    boxes, targets = _random()
    for kind in KINDS:
        in_pixels, _ = values(kind, boxes, targets)
        as_shares, _ = values(kind, boxes / 300, targets / 300)
        np.testing.assert_allclose(in_pixels, as_shares, rtol=1e-3, atol=1e-4)


def test_another_aspect_ratio_costs(values):
    """A concentric box: centres say nothing, the IoU the same of both."""
    target = [-1, -1, 1, 1]
    boxes = [[-0.5, -2, 0.5, 2], [-(2**-0.5), -(2**-0.5), 2**-0.5, 2**-0.5]]
    distance, _ = values("diou", boxes, [target] * 2)
    complete, _ = values("ciou", boxes, [target] * 2)
    # The first: common 2, union 6; the second: common 2, union 4.
    np.testing.assert_allclose(distance, [1 - 1 / 3, 0.5], rtol=1e-5)
    v = _angle(4, 1)
    np.testing.assert_allclose(complete - distance, [v * v / (2 / 3 + v), 0], rtol=1e-4, atol=1e-6)
