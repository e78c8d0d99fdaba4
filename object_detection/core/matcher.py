"""Matching anchors (columns) with groundtruth boxes (rows).

Axes:  M rows (groundtruth), N columns (anchors); `...` any leading axes.
match: groundtruth row >= 0 | -1 background | -2 ignored.
"""

import abc
from typing import Any

import tensorflow.compat.v1 as tf

UNMATCHED = -1
IGNORED = -2


class Match:
    """The result for one picture: what each of the N columns matched."""

    def __init__(self, match_results: tf.Tensor, use_matmul_gather: bool = False) -> None:
        """Takes the result.

        Args:
            match_results: [N] int32.
            use_matmul_gather: no effect: indexing gives the same rows, and keeps NaN in its place.

        Raises:
            ValueError: another rank or type.
        """
        del use_matmul_gather
        match_results = tf.convert_to_tensor(match_results)
        if match_results.shape.rank != 1:
            raise ValueError(f"match_results should be [N], got {match_results.shape}.")
        if match_results.dtype != tf.int32:
            raise ValueError(f"match_results should be int32, got {match_results.dtype.name}.")
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
        self, input_tensor: tf.Tensor, unmatched_value: Any, ignored_value: Any
    ) -> tf.Tensor:
        """For each column the row it matched, or one of two values.

        Args:
            input_tensor: [M, ...].
            unmatched_value: for columns of the background; [...] or what broadcasts to it.
            ignored_value: for columns to ignore; likewise.

        Returns:
            [N, ...], of the type of `input_tensor`.
        """
        rows = tf.convert_to_tensor(input_tensor)
        extra = tf.stack(
            [
                tf.broadcast_to(tf.cast(value, rows.dtype), tf.shape(rows)[1:])
                for value in (ignored_value, unmatched_value)
            ]
        )
        table = tf.concat([extra, rows], axis=0)
        gathered = tf.gather(table, tf.maximum(self._match_results + 2, 0))
        gathered.set_shape(self._match_results.shape.concatenate(rows.shape[1:]))
        return gathered


class Matcher(abc.ABC):
    """Matches columns to rows from their similarity.

    Subclasses define `_match` for one picture; those of this package define `match_batch`
    instead (see `BatchMatcher`).
    """

    def __init__(self, use_matmul_gather: bool = False) -> None:
        """Keeps the setting.

        Args:
            use_matmul_gather: passed on to `Match`, where it has no effect.
        """
        self._use_matmul_gather = use_matmul_gather

    @abc.abstractmethod
    def _match(self, similarity_matrix: tf.Tensor, valid_rows: tf.Tensor) -> tf.Tensor:
        """[M, N] similarities, [M] booleans -> match [N] int32."""

    def match_batch(self, similarity: tf.Tensor, valid_rows: tf.Tensor) -> tf.Tensor:
        """[..., M, N] similarities, [..., M] booleans -> match [..., N] int32."""
        if similarity.shape.rank == 2:
            return self._match(similarity, valid_rows)
        return tf.map_fn(
            lambda pair: self.match_batch(*pair),
            (similarity, valid_rows),
            fn_output_signature=tf.int32,
        )

    def match(
        self,
        similarity_matrix: tf.Tensor,
        valid_rows: tf.Tensor | None = None,
        scope: str | None = None,
    ) -> Match:
        """Matches the columns of one picture.

        Args:
            similarity_matrix: [M, N], larger is more alike.
            valid_rows: [M] booleans; rows that are not valid (padding) match nothing. All by
                default.
            scope: name scope.
        """
        with tf.name_scope(scope, "Match"):
            similarity_matrix = tf.convert_to_tensor(similarity_matrix)
            if valid_rows is None:
                valid_rows = tf.ones(tf.shape(similarity_matrix)[:1], tf.bool)
            match = self._match(similarity_matrix, tf.convert_to_tensor(valid_rows))
            return Match(match, self._use_matmul_gather)


class BatchMatcher(Matcher):
    """A matcher that takes any leading axes."""

    @abc.abstractmethod
    def match_batch(self, similarity: tf.Tensor, valid_rows: tf.Tensor) -> tf.Tensor:
        """[..., M, N] similarities, [..., M] booleans -> match [..., N] int32."""

    def _match(self, similarity_matrix: tf.Tensor, valid_rows: tf.Tensor) -> tf.Tensor:
        return self.match_batch(similarity_matrix, valid_rows)


def among_valid_rows(match: tf.Tensor, valid_rows: tf.Tensor) -> tf.Tensor:
    """Match [N] with each row numbered by its place among the valid rows [M]."""
    place = tf.cumsum(tf.cast(valid_rows, tf.int32)) - 1
    # One row more, so that there is something to look up when there are no rows.
    place = tf.concat([place, [0]], axis=0)
    return tf.where(match >= 0, tf.gather(place, tf.maximum(match, 0)), match)


def _indices(mask: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.where(mask)[:, 0], tf.int32)


def _count(mask: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(mask, tf.int32))
