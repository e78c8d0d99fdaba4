"""The one-to-one matching of largest total similarity (the assignment problem).

Axes: M rows (groundtruth), N columns; `...` any leading axes.
"""

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import matcher


def best_assignment(cost: np.ndarray) -> np.ndarray:
    """Columns of the cheapest one-to-one assignment.

    Successive shortest augmenting paths with dual prices (Jonker and Volgenant, "A shortest
    augmenting path algorithm for dense and sparse linear assignment problems", Computing 38,
    1987): O(rows^2 * columns).

    Args:
        cost: [rows, columns], finite, with at most as many rows as columns.

    Returns:
        [rows] the column of each row, all different.
    """
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    row_of_column = np.full(columns, -1)
    for start in range(rows):
        distance = np.full(columns, np.inf)
        previous = np.full(columns, -1)  # the column before, on the shortest path to this one
        open_columns = np.ones(columns, bool)
        row, column, length = start, -1, 0.0
        while True:
            through = length + cost[row] - row_price[row] - column_price
            shorter = open_columns & (through < distance)
            distance[shorter], previous[shorter] = through[shorter], column
            column = int(np.argmin(np.where(open_columns, distance, np.inf)))
            length, open_columns[column] = distance[column], False
            if row_of_column[column] < 0:
                break
            row = row_of_column[column]
        reached = ~open_columns
        reached[column] = False
        slack = length - distance[reached]
        column_price[reached] -= slack
        row_price[row_of_column[reached]] += slack
        row_price[start] += length
        # Along the path, each column takes the row of the one before it.
        while previous[column] >= 0:
            row_of_column[column] = row_of_column[previous[column]]
            column = int(previous[column])
        row_of_column[column] = start
    assigned = np.flatnonzero(row_of_column >= 0)
    result = np.empty(rows, np.int64)
    result[row_of_column[assigned]] = assigned
    return result


def _match_one(similarity: np.ndarray, valid_rows: np.ndarray) -> np.ndarray:
    """[M, N] similarities, [M] booleans -> match [N]."""
    match = np.full(similarity.shape[1], matcher.UNMATCHED, np.int32)
    rows = np.flatnonzero(valid_rows)
    cost = -similarity[rows].astype(np.float64)
    # A pair without a number is the last that should be chosen, but it has to stay finite.
    finite = np.isfinite(cost)
    spread = np.ptp(cost[finite]) + 1.0 if finite.any() else 1.0
    worst = (cost[finite].max() if finite.any() else 0.0) + spread * (min(cost.shape) + 1)
    cost = np.where(finite, cost, worst)
    if len(rows) <= cost.shape[1]:
        match[best_assignment(cost)] = rows
    else:
        match[:] = rows[best_assignment(cost.T)]
    return match


def _match_all(similarity: np.ndarray, valid_rows: np.ndarray) -> np.ndarray:
    """[B, M, N] similarities, [B, M] booleans -> match [B, N]."""
    result = np.full([similarity.shape[0], similarity.shape[2]], matcher.UNMATCHED, np.int32)
    for picture, pair in enumerate(zip(similarity, valid_rows, strict=True)):
        result[picture] = _match_one(*pair)
    return result


class HungarianBipartiteMatcher(matcher.BatchMatcher):
    """Every valid row gets a column of its own, as long as there are columns."""

    def _match(self, similarity_matrix: tf.Tensor, valid_rows: tf.Tensor) -> tf.Tensor:
        # Numbers among the valid rows, as for `GreedyBipartiteMatcher`.
        return matcher.among_valid_rows(self.match_batch(similarity_matrix, valid_rows), valid_rows)

    def match_batch(self, similarity: tf.Tensor, valid_rows: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(similarity)
        # Reshaping to -1 is undefined for no rows at all, so the number of pictures is written out.
        pictures = tf.reduce_prod(shape[:-2])
        match = tf.numpy_function(
            _match_all,
            [
                tf.reshape(similarity, tf.concat([[pictures], shape[-2:]], axis=0)),
                tf.reshape(valid_rows, [pictures, shape[-2]]),
            ],
            tf.int32,
        )
        match = tf.reshape(match, tf.concat([shape[:-2], shape[-1:]], axis=0))
        match.set_shape([*similarity.shape.as_list()[:-2], similarity.shape.as_list()[-1]])
        return match
