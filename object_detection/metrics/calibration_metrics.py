"""How well scores tell the probability of being right, over a stream of batches."""

import tensorflow.compat.v1 as tf


def expected_calibration_error(
    y_true: tf.Tensor, y_pred: tf.Tensor, nbins: int = 20
) -> tuple[tf.Tensor, tf.Tensor]:
    """Expected calibration error: the mean gap between score and share of right ones.

    Scores fall into bins of one width over [0, 1]; each bin's gap weighs as many scores as it has
    (Guo et al. 2017, arXiv:1706.04599, eq. 3). The sums live in local variables, so that the value
    is that of all batches since they were initialised; 0 before the first.

    Args:
        y_true: [N], 1 or True where the prediction is right, else 0.
        y_pred: [N] float32, in [0, 1].
        nbins: number of bins.

    Returns:
        The error, a scalar float32; and the error after adding this batch.
    """
    with tf.variable_scope(None, "expected_calibration_error"):
        scores = tf.reshape(tf.cast(y_pred, tf.float32), [-1])
        right = tf.reshape(tf.cast(y_true, tf.float32), [-1])
        # [nbins, N]; a score of 1 belongs to the last bin.
        member = tf.one_hot(tf.histogram_fixed_width_bins(scores, [0.0, 1.0], nbins), nbins, axis=0)
        sums = tf.stack(
            [tf.reduce_sum(member, 1), tf.linalg.matvec(member, right)]
            + [tf.linalg.matvec(member, scores)]
        )
        total = tf.get_variable(
            "sums",
            [3, nbins],
            initializer=tf.zeros_initializer(),
            trainable=False,
            collections=[tf.GraphKeys.LOCAL_VARIABLES, tf.GraphKeys.METRIC_VARIABLES],
        )
        value = tf.identity(_error(total.read_value()), name="value")
        update = tf.identity(_error(tf.assign_add(total, sums)), name="update_op")
    return value, update


def _error(sums: tf.Tensor) -> tf.Tensor:
    """The error of bins: [3, nbins] counts, sums of right ones, sums of scores -> scalar."""
    counts, right, scores = tf.unstack(sums, num=3)
    # Count times gap of the means is the gap of the sums.
    return tf.math.divide_no_nan(tf.reduce_sum(tf.abs(right - scores)), tf.reduce_sum(counts))
