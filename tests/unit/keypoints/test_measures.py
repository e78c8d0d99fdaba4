import numpy as np
import pytest

from object_detection.keypoints import measures

NAN = float("nan")


@pytest.mark.parametrize(
    ("predicted", "truth", "size", "expected"),
    [
        pytest.param([[0, 0], [0, 0]], [[NAN, NAN], [NAN, NAN]], 10, NAN, id="nothing labelled"),
        pytest.param([[1, 1], [2, 2]], [[1, 1], [2, 2]], 0, NAN, id="no size"),
        pytest.param([[1, 1], [2, 2]], [[1, 1], [2, 2]], 10, 0.0, id="exact"),
        pytest.param([[3, 4], [9, 9]], [[0, 0], [NAN, 1]], 10, 0.5, id="one of two labelled"),
        pytest.param([[3, 4], [0, 2]], [[0, 0], [0, 0]], 10, 0.35, id="mean of 5 and 2"),
        pytest.param([[NAN, 0], [0, 0]], [[0, 0], [0, 0]], 10, np.inf, id="predicted NaN"),
    ],
)
def test_normalized_mean_errors(predicted, truth, size, expected):
    errors = measures.normalized_mean_errors(
        np.array([predicted], float), np.array([truth], float), np.array([float(size)])
    )
    np.testing.assert_allclose(errors, [expected], equal_nan=True)


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        pytest.param([], NAN, id="nothing"),
        pytest.param([NAN], NAN, id="nothing labelled"),
        pytest.param([0.1, 0.05], 0.0, id="the threshold itself is no failure"),
        pytest.param([0.2, 0.05, NAN, np.inf], 2 / 3, id="two of three"),
    ],
)
def test_failure_rate(errors, expected):
    rate = measures.failure_rate(np.array(errors, float), 0.1)
    np.testing.assert_allclose(rate, expected, equal_nan=True)
