"""The first stage's result: boxes that may hold an object, whatever its class.

Source: Faster R-CNN, arXiv:1506.01497, section 3.1.

Axes:   B images, N anchors, P proposals (padded), C classes, S sampled proposals.
Frames: all boxes are in pixels of the resized and padded picture.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core import randomness
from object_detection.core.box_coder import BoxCoder
from object_detection.core.minibatch_sampler import MinibatchSampler
from object_detection.core.target_assigner import TargetAssigner, Targets
from object_detection.meta_architectures.faster_rcnn.groundtruth import Groundtruth

_MULTICLASS_SCORES = "multiclass_scores"


class Proposals(NamedTuple):
    """Proposals by falling score; rows beyond `count` are zero."""

    boxes: tf.Tensor  # [B, P, 4]
    scores: tf.Tensor  # [B, P]
    multiclass_scores: tf.Tensor  # [B, P, 2]: no object, object
    count: tf.Tensor  # [B] int32


class Candidates(NamedTuple):
    """What each anchor says, before suppression."""

    boxes: tf.Tensor  # [B, N, 4]
    scores: tf.Tensor  # [B, N, 2]: no object, object


def candidates(
    codes: tf.Tensor, objectness_logits: tf.Tensor, anchors: tf.Tensor, coder: BoxCoder
) -> Candidates:
    """Decoded boxes and softmax scores.

    Args:
        codes: [B, N, 4].
        objectness_logits: [B, N, 2].
        anchors: [N, 4].
        coder: decodes the codes.
    """
    boxes, _ = coder.decode_tensors(codes, anchors)
    return Candidates(boxes, tf.nn.softmax(objectness_logits))


def suppressed(
    found: Candidates,
    clip_window: tf.Tensor,
    non_max_suppression_fn: Callable[..., tuple[Any, ...]],
) -> Proposals:
    """The best candidates that do not overlap, cut at the window [B, 4]."""
    boxes, scores, _, _, more, count = non_max_suppression_fn(
        found.boxes[:, :, tf.newaxis],
        found.scores[:, :, 1:],
        additional_fields={_MULTICLASS_SCORES: found.scores},
        clip_window=clip_window,
    )
    return Proposals(boxes, scores, more[_MULTICLASS_SCORES], tf.cast(count, tf.int32))


def real_rows(count: tf.Tensor, rows: Any) -> tf.Tensor:
    """[B, rows] booleans, true for the first `count` [B] of each picture."""
    return tf.range(rows)[tf.newaxis] < tf.cast(count, tf.int32)[:, tf.newaxis]


def assign(
    boxes: tf.Tensor, groundtruth: Groundtruth, assigner: TargetAssigner, num_classes: int
) -> Targets:
    """Class and box targets of regions [B, P, 4]; a region without an object is background."""
    return assigner.assign_batch(
        boxes,
        groundtruth.boxes,
        groundtruth.labels,
        unmatched_class_label=tf.constant([1.0] + [0.0] * num_classes),
        groundtruth_weights=groundtruth.weights,
    )


def sampled_rows(
    sampler: MinibatchSampler,
    size: int | None,
    may_be_chosen: tf.Tensor,
    positive: tf.Tensor,
    parallel_iterations: int,
) -> tf.Tensor:
    """[B, N] booleans: the rows that the sampler picks in each picture.

    Args:
        sampler: picks among the rows of one picture.
        size: rows to pick.
        may_be_chosen: [B, N] booleans.
        positive: [B, N] booleans.
        parallel_iterations: pictures at a time.
    """

    def sample(row: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
        with randomness.each(row[2]):
            return sampler.subsample(row[0], size, labels=row[1])

    return tf.map_fn(
        sample,
        (may_be_chosen, positive, tf.range(tf.shape(positive)[0])),
        fn_output_signature=tf.bool,
        parallel_iterations=parallel_iterations,
    )


def sampled(
    proposals: Proposals,
    targets: Targets,
    sampler: MinibatchSampler,
    size: int,
    parallel_iterations: int,
) -> Proposals:
    """S proposals of each picture for the second stage to train on (section 3.1.3).

    Args:
        proposals: all of them.
        targets: of the proposals.
        sampler: balances objects and background.
        size: S.
        parallel_iterations: pictures at a time.
    """
    rows = tf.shape(proposals.boxes)[1]
    real = real_rows(proposals.count, rows)
    counts = real & (tf.reduce_mean(targets.class_weights, axis=-1) > 0)
    # Were all of them to be ignored, there would be nothing to choose from; their weight in the
    # losses stays 0.
    some = tf.broadcast_to(tf.reduce_any(counts, axis=1, keepdims=True), tf.shape(counts))
    may_be_chosen = tf.where(some, counts, real)
    may_be_chosen.set_shape(proposals.scores.shape)
    positive = tf.argmax(targets.classes, axis=-1) > 0
    positive.set_shape(proposals.scores.shape)
    chosen = sampled_rows(sampler, size, may_be_chosen, positive, parallel_iterations)
    # Equals keep their order in top_k: the chosen rows come first, still by falling score.
    _, order = tf.nn.top_k(tf.cast(chosen, tf.float32), size)
    count = tf.minimum(tf.reduce_sum(tf.cast(chosen, tf.int32), axis=1), size)
    kept = real_rows(count, size)

    def pick(tensor: tf.Tensor) -> tf.Tensor:
        picked = tf.gather(tensor, order, batch_dims=1)
        mask = tf.reshape(kept, tf.concat([tf.shape(kept), [1] * (tensor.shape.rank - 2)], axis=0))
        picked = tf.where(tf.broadcast_to(mask, tf.shape(picked)), picked, tf.zeros_like(picked))
        picked.set_shape([tensor.shape[0], size, *tensor.shape[2:]])
        return picked

    return Proposals(
        pick(proposals.boxes), pick(proposals.scores), pick(proposals.multiclass_scores), count
    )
