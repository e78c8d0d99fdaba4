"""`Match` and the base `Matcher`, by hand."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.matcher import Match, Matcher, among_valid_rows

NAN = float("nan")

#                              columns     0  1   2  3   4  5   6
MIXED = [3, 1, -1, 0, -1, 5, -2]


def _all(match):
    return {
        "matched": match.matched_column_indices(),
        "is matched": match.matched_column_indicator(),
        "count matched": match.num_matched_columns(),
        "unmatched": match.unmatched_column_indices(),
        "is unmatched": match.unmatched_column_indicator(),
        "count unmatched": match.num_unmatched_columns(),
        "ignored": match.ignored_column_indices(),
        "is ignored": match.ignored_column_indicator(),
        "count ignored": match.num_ignored_columns(),
        "unmatched or ignored": match.unmatched_or_ignored_column_indices(),
        "rows": match.matched_row_indices(),
        "count rows": match.num_matched_rows(),
    }


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        pytest.param([], [[], [], 0, [], [], 0, [], [], 0, [], [], 0], id="no columns"),
        pytest.param(
            [-1, -1],
            [[], [0, 0], 0, [0, 1], [1, 1], 2, [], [0, 0], 0, [0, 1], [], 0],
            id="nothing matched",
        ),
        pytest.param(
            MIXED,
            [
                *([0, 1, 3, 5], [1, 1, 0, 1, 0, 1, 0], 4),
                *([2, 4], [0, 0, 1, 0, 1, 0, 0], 2),
                *([6], [0, 0, 0, 0, 0, 0, 1], 1),
                *([2, 4, 6], [3, 1, 0, 5], 4),
            ],
            id="some of each",
        ),
        pytest.param(
            [2, 2, 0],
            [[0, 1, 2], [1, 1, 1], 3, [], [0, 0, 0], 0, [], [0, 0, 0], 0, [], [2, 2, 0], 2],
            id="a row twice",
        ),
    ],
)
def test_what_a_match_tells(results, expected, run):
    tensors = _all(Match(tf.constant(results, tf.int32)))
    indices = [one for name, one in tensors.items() if not name.startswith("is")]
    assert {one.dtype for one in indices} == {tf.int32}
    values = run(tensors)
    assert {name: value.tolist() for name, value in values.items()} == dict(
        zip(values, expected, strict=True)
    )


@pytest.mark.parametrize("use_matmul_gather", [False, True])
def test_gathering(use_matmul_gather, run):
    match = Match(tf.constant([1, -1, 0, -2]), use_matmul_gather)
    numbers = match.gather_based_on_match(tf.constant([5.0, 6.0]), 100.0, 200)
    rows = match.gather_based_on_match(
        tf.constant([[1.0, NAN], [3.0, 4.0]]), tf.constant([0.0, 7.0]), tf.zeros([2])
    )
    assert rows.shape.as_list() == [4, 2]
    numbers, rows = run([numbers, rows])
    assert numbers.tolist() == [6, 100, 5, 200]
    np.testing.assert_array_equal(rows, [[3, 4], [0, 7], [1, NAN], [0, 0]])


def test_gathering_from_no_rows(run):
    match = Match(tf.constant([-1, -2]))
    assert run(match.gather_based_on_match(tf.zeros([0, 1]), [1.0], [2.0])).tolist() == [[1], [2]]


@pytest.mark.parametrize(
    "results", [tf.int64, tf.float32, None], ids=["int64", "float", "two axes"]
)
def test_what_is_no_match(results):
    tensor = tf.zeros([3], results) if results else tf.zeros([3, 1], tf.int32)
    with pytest.raises(ValueError, match="match_results"):
        Match(tensor)


class _FirstColumn(Matcher):
    """A user's matcher: the last valid row matches column 0."""

    def _match(self, similarity_matrix, valid_rows):
        row = tf.reduce_max(tf.where(valid_rows))
        columns = tf.range(tf.shape(similarity_matrix)[1])
        return tf.where(tf.equal(columns, 0), tf.fill(tf.shape(columns), tf.cast(row, tf.int32)),
                        tf.fill(tf.shape(columns), -1))  # fmt: skip


def test_a_matcher_for_one_picture(run):
    matcher = _FirstColumn()
    one = matcher.match(tf.zeros([2, 3])).match_results
    padded = matcher.match(tf.zeros([2, 3]), valid_rows=tf.constant([True, False])).match_results
    batch = matcher.match_batch(tf.zeros([2, 2, 3]), tf.constant([[True, False], [True, True]]))
    one, padded, batch = run([one, padded, batch])
    assert one.tolist() == [1, -1, -1]
    assert padded.tolist() == [0, -1, -1]
    assert batch.tolist() == [[0, -1, -1], [1, -1, -1]]


def test_a_matcher_needs_match():
    with pytest.raises(TypeError, match="abstract"):
        Matcher()


def test_numbers_among_valid_rows(run):
    numbers = among_valid_rows(tf.constant([3, -1, 1, -2]), tf.constant([False, True, False, True]))
    none = among_valid_rows(tf.constant([-1]), tf.zeros([0], tf.bool))
    numbers, none = run([numbers, none])
    assert numbers.tolist() == [1, -1, 0, -2]
    assert none.tolist() == [-1]
