"""How results are compared: numbers in place, rows as sets."""

import math

import numpy as np
import pytest

from object_detection.exporter import comparison


def _rows(*values):
    return [np.array(values, np.float32).reshape(len(values), 1)]


@pytest.mark.parametrize(
    ("expected", "found", "difference"),
    [
        pytest.param(np.zeros([2, 0, 4]), np.zeros([2, 0, 4]), 0.0, id="nothing"),
        pytest.param(np.zeros([2, 3]), np.zeros([2, 4]), math.inf, id="other shapes"),
        pytest.param([[np.nan]], [[np.nan]], 0.0, id="both NaN"),
        pytest.param([[np.nan]], [[1.0]], math.inf, id="one NaN"),
        pytest.param([[1.0]], [[np.nan]], math.inf, id="the other NaN"),
        pytest.param([[np.inf]], [[np.inf]], 0.0, id="both infinite"),
        pytest.param([[np.inf]], [[-np.inf]], math.inf, id="infinitely apart"),
        pytest.param([[0.5, 0.25]], [[0.5, 0.5]], 0.25, id="small numbers as they are"),
        pytest.param([[10.0, 0.0]], [[10.0, 1.0]], 1.0, id="no rows: each by itself"),
        pytest.param([[[10.0, 0.0]]], [[[10.0, 1.0]]], 0.1, id="by the largest of the row"),
        pytest.param([[[10.0], [0.0]]], [[[10.0], [1.0]]], 1.0, id="not of another row"),
    ],
)
def test_largest_difference(expected, found, difference):
    record = comparison.Record(1.0)
    expected, found = np.array(expected), np.array(found)
    record.compare(expected, found)
    assert record.difference == pytest.approx(difference)
    assert comparison.largest(expected, found) == pytest.approx(difference)


def test_texts_are_the_same_or_not():
    record = comparison.Record(1.0)
    record.compare(np.array([b"a"], object), np.array([b"a"], object))
    assert record.difference == 0.0
    record.compare(np.array([b"a"], object), np.array([b"b"], object))
    assert record.difference == math.inf


@pytest.mark.parametrize(
    ("expected", "found", "alone"),
    [
        pytest.param([], [], 0, id="none"),
        pytest.param([], [1.0], 1, id="one too many"),
        pytest.param([1.0], [], 1, id="one is absent"),
        pytest.param([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], 0, id="in place"),
        pytest.param([0.1, 0.2, 0.3], [0.3, 0.1, 0.2], 0, id="moved"),
        pytest.param([0.1, 0.2, 0.3], [0.10004, 0.3, 0.2], 0, id="rounded"),
        pytest.param([0.1, 0.2, 0.3], [0.1, 0.25, 0.3], 1, id="another"),
        pytest.param([0.1, 0.1, 0.3], [0.1, 0.3, 0.3], 1, id="each partner serves once"),
        pytest.param([0.1, 0.2], [0.2], 1, id="shifted by an absent one"),
    ],
)
def test_rows_without_partner(expected, found, alone):
    assert comparison.without_partner(_rows(*expected), _rows(*found), 1e-4) == alone


def test_all_columns_of_a_row_count():
    boxes, scores = np.zeros([2, 4]), np.array([0.5, 0.25])
    other = boxes.copy()
    other[1, 3] = 0.01
    assert comparison.without_partner([boxes, scores], [boxes, scores], 1e-4) == 0
    assert comparison.without_partner([boxes, scores], [other, scores], 1e-4) == 1


def test_ties_explain_few_rows():
    scores = np.linspace(0, 1, 300)[np.newaxis]
    for changed, excess in ((6, False), (7, True)):
        other = scores.copy()
        other[0, :changed] += 5.0
        record = comparison.Record(1e-4)
        record.compare_rows({"scores": scores}, {"scores": other}, None)
        assert (record.rows, record.moved, record.excess) == (300, changed, excess)


def test_rows_behind_the_count_are_padding():
    values = {"boxes": np.zeros([1, 3]), "n": np.array([2.0])}
    other = {"boxes": np.array([[0.0, 0.0, 9.0]]), "n": np.array([2.0])}
    record = comparison.Record(1e-4)
    record.compare_rows(values, other, "n")
    assert (record.rows, record.moved) == (2, 0)
    other["n"] = np.array([3.0])
    record.compare_rows(values, other, "n")
    assert record.moved == 1


def test_how_much_a_result_depends_on_the_picture():
    record = comparison.Record(1e-4)
    record.see(np.full([1, 5, 2], 0.5))
    record.see(np.full([2, 7, 2], 0.5))  # another size, with other anchors
    assert record.spread == 0.0
    record.see(np.full([1, 5, 2], 0.75))
    assert record.spread == 0.25
