import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.balanced_positive_negative_sampler import (
    BalancedPositiveNegativeSampler,
)
from object_detection.core.minibatch_sampler import MinibatchSampler


@pytest.mark.parametrize(
    ("indicator", "count", "expected"),
    [
        pytest.param([], 3, 0, id="nothing there"),
        pytest.param([True] * 5, 0, 0, id="none wanted"),
        pytest.param([True, False, True, False, True], 2, 2, id="some of them"),
        pytest.param([True, False, True], 3, 2, id="fewer there than wanted"),
    ],
)
def test_samples_of_an_indicator(indicator, count, expected, run):
    indicator = np.array(indicator, bool)
    known = MinibatchSampler.subsample_indicator(tf.constant(indicator), count)
    late = MinibatchSampler.subsample_indicator(
        tf.placeholder_with_default(indicator, [None]), tf.constant(count)
    )
    assert known.dtype == tf.bool
    assert known.shape.as_list() == [len(indicator)]
    for kept in run([known, late]):
        assert kept.sum() == expected
        assert not (kept & ~indicator).any()


def test_a_small_share_of_positives(run):
    numbers = np.arange(1000)
    labels = numbers >= 994
    sampler = BalancedPositiveNegativeSampler(positive_fraction=0.01)
    kept = run(sampler.subsample(tf.constant(numbers < 999), None, tf.constant(labels)))
    assert (kept & labels).sum() == 5
    assert (kept & ~labels).sum() == 495


def test_known_sizes_where_they_are_demanded(run):
    sampler = BalancedPositiveNegativeSampler(is_static=True)
    labels = np.arange(300) >= 100
    kept = sampler.subsample(tf.fill([300], True), 64, tf.constant(labels))
    assert kept.shape.as_list() == [300]
    kept = run(kept)
    assert (kept & labels).sum() == 32
    assert (kept & ~labels).sum() == 32

    # Three may be chosen, a positive and two negatives: the first two others fill up.
    indicator = np.array([False, False, False, False, True, True, True, False])
    labels = np.array([True, False, True, True, True, False, False, True])
    kept = run(sampler.subsample(tf.constant(indicator), 5, tf.constant(labels)))
    assert kept.tolist() == [True, True, False, False, True, True, True, False]
    # There are no negatives: positives beyond their share take the places.
    kept = run(sampler.subsample(tf.fill([6], True), 4, tf.fill([6], True)))
    assert kept.sum() == 4


def test_sizes_that_are_not_known():
    sampler = BalancedPositiveNegativeSampler(is_static=True)
    with pytest.raises(ValueError, match="batch_size"):
        sampler.subsample(tf.fill([3], True), None, tf.fill([3], True))
    with pytest.raises(ValueError, match="known size"):
        sampler.subsample(tf.placeholder(tf.bool, [None]), 2, tf.fill([3], True))
