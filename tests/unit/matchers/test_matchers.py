"""The three matchers through `match`, by hand and against all permutations."""

import itertools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.matchers.argmax_matcher import ArgMaxMatcher
from object_detection.matchers.bipartite_matcher import GreedyBipartiteMatcher
from object_detection.matchers.hungarian_matcher import (
    HungarianBipartiteMatcher,
    best_assignment,
)

NONE, IGNORED = -1, -2
NAN = float("nan")
SIMILARITY = [[0.50, 0.1, 0.8], [0.15, 0.2, 0.3]]


def _match(run, matcher, similarity, valid=None):
    # Shapes that the graph does not know, as in training.
    similarity = np.array(similarity, np.float32)
    tensor = tf.placeholder_with_default(similarity, [None, similarity.shape[1]])
    match = matcher.match(tensor, valid_rows=None if valid is None else tf.constant(valid))
    assert match.match_results.shape.as_list() == [similarity.shape[1]]
    return run(match.match_results).tolist()


@pytest.mark.parametrize(
    "matcher", [GreedyBipartiteMatcher(), HungarianBipartiteMatcher()], ids=["greedy", "hungarian"]
)
@pytest.mark.parametrize(
    ("similarity", "valid", "expected"),
    [
        pytest.param(np.zeros([0, 2]), None, [NONE, NONE], id="no rows"),
        pytest.param(SIMILARITY, [False, False], [NONE] * 3, id="no valid row"),
        pytest.param(SIMILARITY, None, [NONE, 1, 0], id="all rows"),
        pytest.param(SIMILARITY, [True, False], [NONE, NONE, 0], id="the first row"),
        # Rows are numbered among the valid ones.
        pytest.param(SIMILARITY[::-1], [False, True], [NONE, NONE, 0], id="the last row"),
        pytest.param([[0.1], [0.2], [0.3]], None, [2], id="more rows than columns"),
    ],
)
def test_one_to_one(matcher, similarity, valid, expected, run):
    assert _match(run, matcher, similarity, valid) == expected


def test_the_hungarian_matcher_looks_at_the_whole(run):
    # The greedy takes 0.9, which leaves 0.1; the best sum is 0.8 + 0.7.
    similarity = [[0.9, 0.8], [0.7, 0.1]]
    assert _match(run, GreedyBipartiteMatcher(), similarity) == [0, 1]
    assert _match(run, HungarianBipartiteMatcher(), similarity) == [1, 0]


def test_the_hungarian_matcher_on_a_batch(run):
    similarity = tf.constant([[[0.9, 0.8], [0.7, 0.1]], [[1.0, NAN], [NAN, 5.0]]])
    valid = tf.constant([[True, True], [False, True]])
    match = HungarianBipartiteMatcher().match_batch(similarity, valid)
    assert match.shape.as_list() == [2, 2]
    assert run(match).tolist() == [[1, 0], [NONE, 1]]


def test_assignments_are_the_best_of_all():
    random = np.random.RandomState(0)
    for _ in range(60):
        rows = random.randint(1, 5)
        cost = random.randint(-5, 5, [rows, random.randint(rows, 6)]).astype(float)
        columns = best_assignment(cost)
        assert len(set(columns)) == rows
        every = itertools.permutations(range(cost.shape[1]), rows)
        least = min(cost[np.arange(rows), list(order)].sum() for order in every)
        assert cost[np.arange(rows), columns].sum() == pytest.approx(least)


THREE = [[1, 1, 1, 3, 1], [2, -1, 2, 0, 4], [3, 0, -1, 0, 0]]


@pytest.mark.parametrize(
    ("options", "valid", "expected"),
    [
        pytest.param({"matched_threshold": None}, None, [2, 0, 1, 0, 1], id="no threshold"),
        pytest.param({"matched_threshold": 3.0}, None, [2, NONE, NONE, 0, 1], id="one threshold"),
        pytest.param(
            {"matched_threshold": 3.0, "unmatched_threshold": 2.0},
            None,
            [2, NONE, IGNORED, 0, 1],
            id="two thresholds",
        ),
        pytest.param(
            {
                "matched_threshold": 3.0,
                "unmatched_threshold": 2.0,
                "negatives_lower_than_unmatched": False,
            },
            None,
            [2, IGNORED, NONE, 0, 1],
            id="negatives between",
        ),
        pytest.param(
            {"matched_threshold": 9.0, "force_match_for_each_row": True},
            None,
            [2, NONE, NONE, 0, 1],
            id="forced",
        ),
        pytest.param(
            {"matched_threshold": 9.0, "force_match_for_each_row": True},
            [True, False, True],
            [2, NONE, NONE, 0, NONE],
            id="forced where valid",
        ),
    ],
)
def test_argmax(options, valid, expected, run):
    assert _match(run, ArgMaxMatcher(**options), THREE, valid) == expected


@pytest.mark.parametrize("rows", [0, None], ids=["known", "found out later"])
def test_argmax_without_rows(rows, run):
    similarity = tf.placeholder_with_default(np.zeros([0, 3], np.float32), [rows, 3])
    matcher = ArgMaxMatcher(0.5, force_match_for_each_row=True)
    assert run(matcher.match(similarity).match_results).tolist() == [NONE] * 3


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"matched_threshold": None, "unmatched_threshold": 0.1}, id="only the lower"),
        pytest.param({"matched_threshold": 1, "unmatched_threshold": 2}, id="upside down"),
        pytest.param(
            {"matched_threshold": 1, "unmatched_threshold": 1}
            | {"negatives_lower_than_unmatched": False},
            id="no room for negatives",
        ),
    ],
)
def test_thresholds_that_contradict_each_other(options):
    with pytest.raises(ValueError, match="threshold"):
        ArgMaxMatcher(**options)
