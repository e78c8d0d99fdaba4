import numpy as np
import pytest

from object_detection.errors import ConfigError
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


@pytest.mark.parametrize(
    ("distances", "expected"),
    [
        pytest.param([], NAN, id="nothing"),
        pytest.param([[NAN, NAN]], NAN, id="nothing labelled"),
        pytest.param([[0.1, NAN], [0.2, np.inf]], 1 / 3, id="the threshold itself is correct"),
    ],
)
def test_correct_keypoints(distances, expected):
    share = measures.correct_keypoints(np.array(distances, float), 0.1)
    np.testing.assert_allclose(share, expected, equal_nan=True)


def test_cumulative_errors_by_hand():
    errors, shares = measures.cumulative_errors(np.array([0.3, 0.1, NAN, 0.1, 0.2]))
    np.testing.assert_allclose(errors, [0.1, 0.2, 0.3])
    np.testing.assert_allclose(shares, [0.5, 0.75, 1.0])
    errors, shares = measures.cumulative_errors(np.zeros(0))
    assert errors.size == shares.size == 0


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        pytest.param([NAN], NAN, id="nothing"),
        pytest.param([0.0], 1.0, id="exact"),
        pytest.param([0.1, np.inf], 0.0, id="at the limit, and beyond"),
        pytest.param([0.02, 0.06, 0.5], (0.8 + 0.4) / 3, id="steps"),
    ],
)
def test_area_under_cumulative_errors(errors, expected):
    errors = np.array(errors)
    area = measures.area_under_cumulative_errors(errors, 0.1)
    np.testing.assert_allclose(area, expected, equal_nan=True)
    # The steps, summed up in small slices.
    if not np.isnan(expected):
        grid = np.linspace(0, 0.1, 100_001)[1:] - 0.5e-6
        slices = [(errors <= level).mean() for level in grid[::100]]
        assert area == pytest.approx(np.mean(slices), abs=2e-3)


def test_a_name_stands_for_a_keypoint_or_a_group():
    names = ["eye_0", "eye_1", "eyebrow_0", "eye_left", "nose"]
    assert measures.keypoint_group("eye", names) == [0, 1]
    assert measures.keypoint_group("eye_1", names) == [1]
    assert measures.keypoint_group("nose", names) == [4]
    with pytest.raises(ConfigError, match="No keypoint is called 'mouth'; there are eye_0"):
        measures.keypoint_group("mouth", names)


def test_sizes_between_centres():
    # Centre of the first two is (0, 3); the third lies 4 below it.
    truth = np.array([[[0, 2], [0, 4], [4, 3]], [[NAN, 0], [0, 0], [1, 1]]], float)
    sizes = measures.sizes_between(truth, [[0, 1], [2]])
    np.testing.assert_allclose(sizes, [4.0, NAN])
