"""Each anchor matches its most similar groundtruth box, if it is similar enough.

Axes: M rows (groundtruth), N columns (anchors); `...` any leading axes.
"""

import tensorflow.compat.v1 as tf

from object_detection.core import matcher
from object_detection.errors import ConfigError


class ArgMaxMatcher(matcher.BatchMatcher):
    """Thresholds on the largest similarity of each column."""

    def __init__(
        self,
        matched_threshold: float | None,
        unmatched_threshold: float | None = None,
        negatives_lower_than_unmatched: bool = True,
        force_match_for_each_row: bool = False,
        use_matmul_gather: bool = False,
    ) -> None:
        """Takes the thresholds.

        Args:
            matched_threshold: a column matches from here on; None for no threshold.
            unmatched_threshold: below, it is background; between both, ignored.
            negatives_lower_than_unmatched: if false, below is ignored and between is background.
            force_match_for_each_row: each row also takes the column most similar to it.
            use_matmul_gather: passed on to `Match`, where it has no effect.

        Raises:
            ConfigError: thresholds that contradict each other.
        """
        super().__init__(use_matmul_gather)
        if matched_threshold is None and unmatched_threshold is not None:
            raise ConfigError("argmax_matcher: unmatched_threshold needs a matched_threshold.")
        if unmatched_threshold is None:
            unmatched_threshold = matched_threshold
        if (
            matched_threshold is not None
            and unmatched_threshold is not None
            and unmatched_threshold > matched_threshold
        ):
            raise ConfigError(
                f"argmax_matcher: unmatched_threshold {unmatched_threshold} is above "
                f"matched_threshold {matched_threshold}; it must be at most that."
            )
        if not negatives_lower_than_unmatched and unmatched_threshold == matched_threshold:
            raise ConfigError(
                "argmax_matcher: with negatives_lower_than_unmatched: false the negatives lie "
                "between the thresholds, so there must be two that differ."
            )
        self._matched_threshold = matched_threshold
        self._unmatched_threshold = unmatched_threshold
        self._negatives_lower_than_unmatched = negatives_lower_than_unmatched
        self._force_match_for_each_row = force_match_for_each_row

    def match_batch(self, similarity: tf.Tensor, valid_rows: tf.Tensor) -> tf.Tensor:
        # A row of -1 goes first: argmax over no rows is undefined, and rows may be absent.
        masked = tf.where(
            tf.broadcast_to(valid_rows[..., tf.newaxis], tf.shape(similarity)),
            similarity,
            tf.fill(tf.shape(similarity), tf.constant(-float("inf"), similarity.dtype)),
        )
        shape = tf.shape(masked)
        floor = tf.fill(tf.concat([shape[:-2], [1], shape[-1:]], axis=0), -3e38)
        padded = tf.concat([floor, masked], axis=-2)
        best_row = tf.argmax(padded, axis=-2, output_type=tf.int32) - 1
        best = tf.reduce_max(padded, axis=-2)
        match = self._apply_thresholds(best_row, best)
        if self._force_match_for_each_row:
            forced = _forced_rows(masked, valid_rows)
            match = tf.where(forced >= 0, forced, match)
        match.set_shape([*similarity.shape.as_list()[:-2], similarity.shape.as_list()[-1]])
        return match

    def _apply_thresholds(self, best_row: tf.Tensor, best: tf.Tensor) -> tf.Tensor:
        if self._matched_threshold is None or self._unmatched_threshold is None:
            return best_row
        below = best < self._unmatched_threshold
        between = (best >= self._unmatched_threshold) & (best < self._matched_threshold)
        negative, ignored = (
            (below, between) if self._negatives_lower_than_unmatched else (between, below)
        )
        match = tf.where(negative, tf.fill(tf.shape(best_row), matcher.UNMATCHED), best_row)
        match = tf.where(ignored, tf.fill(tf.shape(best_row), matcher.IGNORED), match)
        # Where no row is valid at all, every column is background, never ignored.
        empty = best_row < 0
        return tf.where(empty, tf.fill(tf.shape(best_row), matcher.UNMATCHED), match)


def _forced_rows(similarity: tf.Tensor, valid_rows: tf.Tensor) -> tf.Tensor:
    """[..., N]: the row whose most similar column this is, the first of several; -1 for none."""
    columns = tf.shape(similarity)[-1]
    # One column more, the least similar, because argmax refuses an empty axis.
    paddings = [[0, 0]] * (similarity.shape.rank - 1) + [[0, 1]]
    padded = tf.pad(similarity, paddings, constant_values=-float("inf"))
    best_column = tf.argmax(padded, axis=-1, output_type=tf.int32)
    chosen = tf.one_hot(best_column, columns, on_value=True, off_value=False, dtype=tf.bool)
    chosen &= valid_rows[..., tf.newaxis]
    rows = tf.shape(similarity)[-2]
    # The lowest row wins: number rows from the end, take the largest.
    rank = (rows - tf.range(rows))[:, tf.newaxis] * tf.cast(chosen, tf.int32)
    largest = tf.maximum(tf.reduce_max(rank, axis=-2), 0)
    return tf.where(largest > 0, rows - largest, tf.fill(tf.shape(largest), -1))
