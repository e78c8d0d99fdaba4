"""Greedy one-to-one matching: the most similar pair first, then the next that is still free."""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import matcher


class GreedyBipartiteMatcher(matcher.BatchMatcher):
    """Every valid row gets a column of its own, as long as there are columns."""

    def __init__(self, use_matmul_gather: bool = False) -> None:
        """Keeps the setting.

        Args:
            use_matmul_gather: passed on to `Match`, where it has no effect.
        """
        super().__init__(use_matmul_gather=use_matmul_gather)

    def _match(self, similarity_matrix: tf.Tensor, valid_rows: tf.Tensor) -> tf.Tensor:
        # `match` numbers rows among the valid ones, because callers of the OD API's matcher get
        # those numbers; `match_batch` keeps the numbers of all rows.
        return matcher.among_valid_rows(self.match_batch(similarity_matrix, valid_rows), valid_rows)

    def match_batch(self, similarity: tf.Tensor, valid_rows: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(similarity)
        rows, columns = shape[-2], shape[-1]
        lowest = tf.constant(similarity.dtype.min, similarity.dtype)
        open_pairs = tf.broadcast_to(valid_rows[..., tf.newaxis], shape)
        flat = tf.reshape(similarity, tf.concat([[-1], shape[-2:]], axis=0))
        free = tf.reshape(open_pairs, tf.shape(flat))
        match = tf.fill([tf.shape(flat)[0], columns], matcher.UNMATCHED)

        def pair(step: tf.Tensor, free: tf.Tensor, match: tf.Tensor) -> tuple[Any, ...]:
            scores = tf.where(free, flat, tf.fill(tf.shape(flat), lowest))
            best = tf.argmax(tf.reshape(scores, [-1, rows * columns]), axis=1, output_type=tf.int32)
            row, column = best // columns, best % columns
            picture = tf.range(tf.shape(best)[0])
            there = tf.gather_nd(free, tf.stack([picture, row, column], axis=1))
            hit = tf.one_hot(column, columns, True, False, dtype=tf.bool) & there[:, tf.newaxis]
            match = tf.where(hit, tf.broadcast_to(row[:, tf.newaxis], tf.shape(match)), match)
            used_row = tf.one_hot(row, rows, True, False, dtype=tf.bool) & there[:, tf.newaxis]
            free &= ~hit[:, tf.newaxis] & ~used_row[..., tf.newaxis]
            return step + 1, free, match

        _, _, match = tf.while_loop(
            lambda step, *_: step < tf.minimum(rows, columns),
            pair,
            (tf.constant(0), free, match),
            shape_invariants=(
                tf.TensorShape([]),
                tf.TensorShape([None, None, None]),
                tf.TensorShape([None, None]),
            ),
        )
        result = tf.reshape(match, tf.concat([shape[:-2], [columns]], axis=0))
        result.set_shape([*similarity.shape.as_list()[:-2], similarity.shape.as_list()[-1]])
        return result
