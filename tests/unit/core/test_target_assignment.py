"""Matching and targets by hand, for one picture and for padded batches."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.box_coders.faster_rcnn_box_coder import FasterRcnnBoxCoder
from object_detection.core.balanced_positive_negative_sampler import (
    BalancedPositiveNegativeSampler,
)
from object_detection.core.region_similarity_calculator import IouSimilarity
from object_detection.core.target_assigner import TargetAssigner
from object_detection.matchers.argmax_matcher import ArgMaxMatcher
from object_detection.matchers.bipartite_matcher import GreedyBipartiteMatcher

NONE, IGNORED = -1, -2
NAN = float("nan")


def _match(run, similarity, valid=None, **options):
    similarity = np.array(similarity, np.float32)
    valid = np.ones(similarity.shape[:-1], bool) if valid is None else np.array(valid)
    matcher = ArgMaxMatcher(**options)
    return run(matcher.match_batch(tf.constant(similarity), tf.constant(valid))).tolist()


# Rows are groundtruth, columns are anchors.
SIMILARITY = [[0.9, 0.6, 0.45, 0.1], [0.2, 0.3, 0.5, 0.1]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"matched_threshold": 0.5}, [0, 0, 1, NONE], id="one threshold"),
        pytest.param(
            {"matched_threshold": 0.7, "unmatched_threshold": 0.5},
            [0, IGNORED, IGNORED, NONE],
            id="ignored between",
        ),
        pytest.param(
            {
                "matched_threshold": 0.7,
                "unmatched_threshold": 0.5,
                "negatives_lower_than_unmatched": False,
            },
            [0, NONE, NONE, IGNORED],
            id="negatives between",
        ),
        pytest.param(
            {"matched_threshold": 0.95, "force_match_for_each_row": True},
            [0, NONE, 1, NONE],
            id="each row gets its best column",
        ),
        pytest.param({"matched_threshold": None}, [0, 0, 1, 0], id="no threshold"),
    ],
)
def test_matching(options, expected, run):
    assert _match(run, SIMILARITY, **options) == expected


def test_rows_that_are_padding_match_nothing(run):
    options = {"matched_threshold": 0.5, "force_match_for_each_row": True}
    assert _match(run, SIMILARITY, [True, False], **options) == [0, 0, NONE, NONE]
    assert _match(run, SIMILARITY, [False, False], **options) == [NONE] * 4


def test_no_rows_at_all(run):
    matched = _match(run, np.zeros([0, 4]), matched_threshold=0.5, force_match_for_each_row=True)
    assert matched == [NONE] * 4


def test_the_batch_is_an_axis(run):
    both = [SIMILARITY, SIMILARITY[::-1]]
    assert _match(run, both, matched_threshold=0.5) == [[0, 0, 1, NONE], [1, 1, 0, NONE]]


ANCHORS = np.array([[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0]], np.float32)


def _assigner():
    return TargetAssigner(
        IouSimilarity(),
        ArgMaxMatcher(matched_threshold=0.5, force_match_for_each_row=True),
        FasterRcnnBoxCoder(),
    )


def _assign(run, boxes, weights, labels=None):
    boxes = np.array(boxes, np.float32)
    labels = np.ones([*boxes.shape[:2], 1]) if labels is None else labels
    return run(
        _assigner().assign_batch(
            tf.constant(ANCHORS),
            tf.constant(boxes),
            tf.pad(tf.constant(labels, tf.float32), [[0, 0], [0, 0], [1, 0]]),
            tf.constant([1.0, 0.0]),
            tf.constant(weights, tf.float32),
        )
    )


def test_targets_of_a_padded_batch(run):
    exact, nothing = ANCHORS[0].tolist(), [0.0] * 4
    targets = _assign(
        run, [[exact, nothing], [nothing, nothing]], np.array([[0.5, 0.0], [0.0, 0.0]])
    )
    assert targets.match.tolist() == [[0, NONE, NONE], [NONE, NONE, NONE]]
    assert targets.classes[0].tolist() == [[0, 1], [1, 0], [1, 0]]
    assert targets.classes[1].tolist() == [[1, 0]] * 3
    assert targets.class_weights[0, :, 0].tolist() == [0.5, 1.0, 1.0]
    assert targets.code_weights.tolist() == [[0.5, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(targets.codes, np.zeros([2, 3, 4]), atol=1e-6)


def test_pictures_may_have_anchors_of_their_own(run):
    both = np.stack([ANCHORS, ANCHORS[::-1]])
    boxes = tf.constant([[ANCHORS[0].tolist()]] * 2)
    targets = _assigner().assign_batch(
        tf.constant(both), boxes, tf.ones([2, 1, 1]), tf.zeros([1]), tf.ones([2, 1])
    )
    match, codes = run((targets.match, targets.codes))
    assert match.tolist() == [[0, NONE, NONE], [NONE, NONE, 0]]
    np.testing.assert_allclose(codes, np.zeros([2, 3, 4]), atol=1e-6)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param([NAN, 0.0, 0.5, 0.5], id="NaN"),
        pytest.param([0.5, 0.5, 0.5, 0.5], id="no area"),
        pytest.param([0.6, 0.6, 0.4, 0.4], id="turned round"),
    ],
)
def test_boxes_that_cannot_be_learnt_match_nothing(bad, run):
    targets = _assign(run, [[bad]], np.ones([1, 1]))
    assert targets.match.tolist() == [[NONE] * 3]
    assert np.isfinite(targets.codes).all()


@pytest.mark.parametrize(
    ("similarity", "valid", "expected"),
    [
        pytest.param([[0.5, 0.1, 0.8], [0.8, 0.2, 0.9]], None, [0, NONE, 1], id="best pair first"),
        pytest.param(
            [[0.5, 0.1, 0.8], [0.8, 0.2, 0.9]], [True, False], [NONE, NONE, 0], id="padding"
        ),
        pytest.param([[0.1], [0.2], [0.3]], None, [2], id="more rows than columns"),
        pytest.param(np.zeros([0, 2]), None, [NONE, NONE], id="no rows"),
    ],
)
def test_greedy_matching_one_to_one(similarity, valid, expected, run):
    similarity = np.array(similarity, np.float32)
    valid = np.ones(len(similarity), bool) if valid is None else np.array(valid)
    match = GreedyBipartiteMatcher().match_batch(tf.constant(similarity), tf.constant(valid))
    assert run(match).tolist() == expected


def test_greedy_matching_of_a_batch(run):
    both = np.array([[[0.9, 0.1], [0.8, 0.7]], [[0.1, 0.9], [0.2, 0.3]]], np.float32)
    match = GreedyBipartiteMatcher().match_batch(tf.constant(both), tf.ones([2, 2], tf.bool))
    assert run(match).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("fraction", "size", "positives", "negatives"),
    [(0.5, 4, 2, 2), (0.5, 20, 3, 6), (0.25, 8, 2, 6), (0.0, 4, 0, 4), (0.5, None, 3, 3)],
)
def test_balanced_samples(fraction, size, positives, negatives, run):
    labels = np.array([True] * 3 + [False] * 6 + [True])
    indicator = np.array([True] * 9 + [False])
    sampler = BalancedPositiveNegativeSampler(fraction)
    kept = run(sampler.subsample(tf.constant(indicator), size, tf.constant(labels)))
    assert (kept & labels).sum() == positives
    assert (kept & ~labels).sum() == negatives
    assert not (kept & ~indicator).any()


def test_samplers_refuse_what_they_cannot_use():
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        BalancedPositiveNegativeSampler(1.5)
    with pytest.raises(ValueError, match="booleans"):
        BalancedPositiveNegativeSampler().subsample(tf.zeros([3]), 2, tf.zeros([3], tf.bool))
