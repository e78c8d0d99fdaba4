"""Matching anchors (columns) with groundtruth boxes (rows).

Axes:  M rows (groundtruth), N columns (anchors); `...` any leading axes.
match: groundtruth row >= 0 | -1 background | -2 ignored.
"""

import abc

import tensorflow.compat.v1 as tf

UNMATCHED = -1
IGNORED = -2


class Match:
    """The result for one picture: what each of the N columns matched."""

    def __init__(self, match_results: tf.Tensor, use_matmul_gather: bool = False) -> None:
        """Takes [N] int32.

        Raises:
            ValueError: another rank or type.
        """
        del use_matmul_gather
        if match_results.shape.rank != 1 or match_results.dtype != tf.int32:
            raise ValueError(f"match_results should be int32 [N], got {match_results}.")
        self._match_results = match_results

    @property
    def match_results(self) -> tf.Tensor:
        """[N] int32."""
        return self._match_results

    def matched_column_indices(self) -> tf.Tensor:
        """Columns that matched a row, in order."""
        return _indices(self.matched_column_indicator())

    def matched_column_indicator(self) -> tf.Tensor:
        """[N] booleans: matched a row."""
        return self._match_results >= 0

    def num_matched_columns(self) -> tf.Tensor:
        """Number of columns that matched a row."""
        return _count(self.matched_column_indicator())

    def unmatched_column_indices(self) -> tf.Tensor:
        """Columns of the background, in order."""
        return _indices(self.unmatched_column_indicator())

    def unmatched_column_indicator(self) -> tf.Tensor:
        """[N] booleans: background."""
        return tf.equal(self._match_results, UNMATCHED)

    def num_unmatched_columns(self) -> tf.Tensor:
        """Number of columns of the background."""
        return _count(self.unmatched_column_indicator())

    def ignored_column_indices(self) -> tf.Tensor:
        """Columns to ignore, in order."""
        return _indices(self.ignored_column_indicator())

    def ignored_column_indicator(self) -> tf.Tensor:
        """[N] booleans: neither row nor background."""
        return tf.equal(self._match_results, IGNORED)

    def num_ignored_columns(self) -> tf.Tensor:
        """Number of columns to ignore."""
        return _count(self.ignored_column_indicator())

    def unmatched_or_ignored_column_indices(self) -> tf.Tensor:
        """Columns that matched no row, in order."""
        return _indices(self._match_results < 0)

    def matched_row_indices(self) -> tf.Tensor:
        """The rows of the matched columns, in the order of the columns."""
        return tf.gather(self._match_results, self.matched_column_indices())

    def num_matched_rows(self) -> tf.Tensor:
        """Number of different rows that some column matched."""
        rows, _ = tf.unique(self.matched_row_indices())
        return tf.size(rows)

    def gather_based_on_match(
        self, input_tensor: tf.Tensor, unmatched_value: tf.Tensor, ignored_value: tf.Tensor
    ) -> tf.Tensor:
        """For each column the row of `input_tensor` [M, ...] it matched, or one of two values."""
        table = tf.concat(
            [tf.stack([ignored_value, unmatched_value]), tf.convert_to_tensor(input_tensor)], axis=0
        )
        return tf.gather(table, tf.maximum(self._match_results + 2, 0))


class Matcher(abc.ABC):
    """Matches columns to rows from their similarity."""

    def __init__(self, use_matmul_gather: bool = False) -> None:
        # Kept for code that sets it: gathering along the batch axis needs no matrix product.
        self._use_matmul_gather = use_matmul_gather

    @abc.abstractmethod
    def match_batch(self, similarity: tf.Tensor, valid_rows: tf.Tensor) -> tf.Tensor:
        """[..., M, N] similarities, [..., M] booleans -> match [..., N] int32."""

    def match(
        self,
        similarity_matrix: tf.Tensor,
        valid_rows: tf.Tensor | None = None,
        scope: str | None = None,
    ) -> Match:
        """Matches one picture's [M, N] similarities; rows that are not valid match nothing."""
        with tf.name_scope(scope, "Match"):
            if valid_rows is None:
                valid_rows = tf.ones(tf.shape(similarity_matrix)[:1], tf.bool)
            return Match(self.match_batch(similarity_matrix, valid_rows))


def _indices(mask: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.where(mask)[:, 0], tf.int32)


def _count(mask: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(mask, tf.int32))
