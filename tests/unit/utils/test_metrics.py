import numpy as np
import pytest

from object_detection.utils import metrics

NAN = float("nan")


@pytest.mark.parametrize(
    ("scores", "labels", "num_gt", "precision", "recall"),
    [
        pytest.param([], [], 3, [], [], id="no detection"),
        pytest.param([0.5], [True], 1, [1], [1], id="one right"),
        pytest.param([0.5], [False], 2, [0], [0], id="one wrong"),
        pytest.param(
            [0.4, 0.3, 0.6, 0.2, 0.7, 0.1],
            [False, True, True, False, True, False],
            4,
            [1, 1, 2 / 3, 3 / 4, 3 / 5, 3 / 6],
            [1 / 4, 2 / 4, 2 / 4, 3 / 4, 3 / 4, 3 / 4],
            id="unsorted booleans",
        ),
        # Right ones count 0.5 and 1; a wrong one counts 1.
        pytest.param(
            [0.9, 0.8, 0.7],
            [0.5, 0.0, 1.0],
            2,
            [1, 0.5 / 1.5, 1.5 / 2.5],
            [0.25, 0.25, 0.75],
            id="weights",
        ),
        pytest.param([0.9, 0.8, 0.7], [0.1] * 3, 0.1 * 3, [1] * 3, [1 / 3, 2 / 3, 1], id="round"),
    ],
)
def test_precision_recall(scores, labels, num_gt, precision, recall):
    labels = np.array(labels) if labels else np.zeros([0])
    found = metrics.compute_precision_recall(np.array(scores, float), labels, num_gt)
    np.testing.assert_allclose(found[0], precision)
    np.testing.assert_allclose(found[1], recall)


def test_nothing_to_find_has_no_curve():
    found = metrics.compute_precision_recall(np.array([0.5]), np.array([False]), 0)
    assert found == (None, None)


@pytest.mark.parametrize(
    ("scores", "labels", "num_gt"),
    [
        pytest.param([0.5], np.array([True]), 1, id="scores are a list"),
        pytest.param(np.array([0.5]), [True], 1, id="labels are a list"),
        pytest.param(np.array([[0.5]]), np.array([True]), 1, id="scores have two axes"),
        pytest.param(np.array([0.5]), np.array([[True]]), 1, id="labels have two axes"),
        pytest.param(np.array([0.5]), np.array([1]), 1, id="integer labels"),
        pytest.param(np.array([0.5, 0.4]), np.array([True]), 1, id="lengths"),
        pytest.param(np.array([0.5, 0.4]), np.array([True, True]), 1, id="too many right"),
        pytest.param(np.array([0.5]), np.array([True]), 0, id="right, but nothing to find"),
    ],
)
def test_precision_recall_refuses(scores, labels, num_gt):
    with pytest.raises(ValueError):
        metrics.compute_precision_recall(scores, labels, num_gt)


@pytest.mark.parametrize(
    ("precision", "recall", "expected"),
    [
        pytest.param(None, None, NAN, id="no curve"),
        pytest.param([], [], 0, id="no detection"),
        pytest.param([0.0], [0.0], 0, id="one wrong"),
        pytest.param([1.0], [1.0], 1, id="perfect"),
        pytest.param([1.0], [0.5], 0.5, id="half found"),
        # Envelope 0.9, 0.9, 0.7, 0.7: 0.2 x 0.9 + 0.2 x 0.7 + 0.5 x 0.7.
        pytest.param([0.5, 0.9, 0.3, 0.7], [0.1, 0.2, 0.4, 0.9], 0.67, id="made falling"),
        pytest.param([1.0, 0.5, 2 / 3], [0.5, 0.5, 1.0], 0.5 + 0.5 * 2 / 3, id="equal recalls"),
    ],
)
def test_average_precision(precision, recall, expected):
    if precision is not None:
        precision, recall = np.array(precision, float), np.array(recall, float)
    assert metrics.compute_average_precision(precision, recall) == pytest.approx(
        expected, nan_ok=True
    )


def test_average_precision_is_the_area_under_the_envelope():
    """Against a fine Riemann sum of: the best precision at this recall or beyond."""
    random = np.random.default_rng(3)
    labels = random.random(40) < 0.5
    precision, recall = metrics.compute_precision_recall(random.random(40), labels, 30)
    grid = (np.arange(30000) + 0.5) / 30000
    best = [precision[recall >= at].max(initial=0.0) for at in grid[::50]]
    assert metrics.compute_average_precision(precision, recall) == pytest.approx(
        np.mean(best), abs=1e-3
    )


@pytest.mark.parametrize(
    ("precision", "recall"),
    [
        pytest.param(None, np.array([0.5]), id="only a recall"),
        pytest.param(np.array([0.5]), None, id="only a precision"),
        pytest.param([0.5], np.array([0.5]), id="a list"),
        pytest.param(np.array([1]), np.array([0.5]), id="integers"),
        pytest.param(np.array([0.5]), np.array([0.5, 0.6]), id="lengths"),
        pytest.param(np.array([1.5]), np.array([0.5]), id="precision above 1"),
        pytest.param(np.array([-0.5]), np.array([0.5]), id="precision below 0"),
        pytest.param(np.array([0.5]), np.array([1.5]), id="recall above 1"),
        pytest.param(np.array([0.5]), np.array([-0.5]), id="recall below 0"),
        pytest.param(np.array([0.5, 0.5]), np.array([0.5, 0.4]), id="falling recall"),
    ],
)
def test_average_precision_refuses(precision, recall):
    with pytest.raises(ValueError):
        metrics.compute_average_precision(precision, recall)


def test_cor_loc():
    found = metrics.compute_cor_loc(np.array([100, 1, 5, 1, 0]), np.array([10, 0, 1, 1, 0]))
    np.testing.assert_allclose(found, [0.1, 0, 0.2, 1, NAN])


BOOLEANS = [
    np.array([True, False, False, True]),
    np.array([False, True, False]),
    np.array([], bool),
]
FLOATS = [np.array([0.5, 0, 0, 1.0]), np.array([0, 0.25, -1.0])]


@pytest.mark.parametrize(
    ("pictures", "k", "expected"),
    [
        pytest.param([], 3, NAN, id="no picture"),
        pytest.param([np.array([False])], 3, NAN, id="none right"),
        pytest.param(BOOLEANS, 1, 0, id="only the best"),
        pytest.param(BOOLEANS, 2, 0.5, id="ranks 0 and 1"),
        pytest.param(BOOLEANS, 10, 1, id="ranks 0, 3 and 1"),
        pytest.param(FLOATS, 3, 0.5, id="weights"),
    ],
)
def test_median_rank(pictures, k, expected):
    assert metrics.compute_median_rank_at_k(pictures, k) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("pictures", "num_gt", "k", "expected"),
    [
        pytest.param([], 4, 3, 0, id="no picture"),
        pytest.param(BOOLEANS, 0, 3, NAN, id="nothing to find"),
        pytest.param(BOOLEANS, 5, 1, 0.2, id="only the best"),
        pytest.param(BOOLEANS, 5, 2, 0.4, id="two"),
        pytest.param(BOOLEANS, 5, 100, 0.6, id="all"),
        pytest.param(FLOATS[:1], 2, 4, 0.75, id="weights"),
    ],
)
def test_recall(pictures, num_gt, k, expected):
    found = metrics.compute_recall_at_k(pictures, num_gt, k)
    assert found == pytest.approx(expected, nan_ok=True)
