"""The losses of both stages, and of masks.

Sources: Faster R-CNN, arXiv:1506.01497, section 3.1.2; Fast R-CNN, arXiv:1504.08083, section 2.3;
Mask R-CNN, arXiv:1703.06870, section 3.

Axes:   B images, N anchors, P proposals (padded), M groundtruth boxes, C classes.
Frames: boxes in pixels of the padded picture.
"""

from typing import NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core.losses import HardExampleMiner, Loss
from object_detection.core.target_assigner import Targets
from object_detection.meta_architectures.faster_rcnn import proposals, regions
from object_detection.utils import ops


class StageLosses(NamedTuple):
    """Scalars."""

    location: tf.Tensor
    classification: tf.Tensor


def rpn_losses(
    codes: tf.Tensor,
    objectness_logits: tf.Tensor,
    targets: Targets,
    sampled: tf.Tensor,
    location_loss: Loss,
    objectness_loss: Loss,
    annotated: tf.Tensor | None,
) -> StageLosses:
    """Means over pictures of the sums over sampled anchors, divided by their number.

    Args:
        codes: [B, N, 4].
        objectness_logits: [B, N, 2].
        targets: of the anchors; classes [B, N, 1], 1 for an object.
        sampled: [B, N] booleans.
        location_loss: of codes.
        objectness_loss: of the two classes.
        annotated: [B] booleans or None.
    """
    chosen = tf.cast(sampled, tf.float32)
    normalizer = tf.maximum(tf.reduce_sum(chosen, axis=1), 1.0)
    is_object = tf.cast(targets.classes[..., 0], tf.int32)
    location = location_loss(
        codes, targets.codes, weights=chosen * targets.code_weights, losses_mask=annotated
    )
    objectness = objectness_loss(
        objectness_logits,
        tf.one_hot(is_object, 2),
        weights=chosen[..., tf.newaxis],
        losses_mask=annotated,
    )
    objectness = ops.reduce_sum_trailing_dimensions(objectness, 2)
    return StageLosses(
        *(
            tf.reduce_mean(tf.reduce_sum(losses, axis=1) / normalizer)
            for losses in (location, objectness)
        )
    )


def target_classes(targets: Targets) -> tf.Tensor:
    """[B, P] int32, 0 for background; of several labels the first."""
    return tf.argmax(targets.classes, axis=-1, output_type=tf.int32)


def box_classifier_losses(
    codes: tf.Tensor,
    class_logits: tf.Tensor,
    targets: Targets,
    boxes: tf.Tensor,
    count: tf.Tensor,
    location_loss: Loss,
    classification_loss: Loss,
    hard_example_miner: HardExampleMiner | None,
    annotated: tf.Tensor | None,
) -> StageLosses:
    """Sums over proposals, divided by their number and by that of pictures.

    Args:
        codes: [B, P, q, code_size], of each class or of all.
        class_logits: [B, P, 1 + C].
        targets: of the proposals.
        boxes: [B, P, 4], the proposals.
        count: [B], those that count.
        location_loss: of codes.
        classification_loss: of classes.
        hard_example_miner: chooses the proposals that count, or None for all.
        annotated: [B] booleans or None.
    """
    shape = tf.shape(boxes)
    per_picture = tf.cast(tf.maximum(count, tf.ones_like(count)), tf.float32)
    normalizer = per_picture[:, tf.newaxis] * tf.cast(shape[0], tf.float32)
    real = tf.cast(proposals.real_rows(count, shape[1]), tf.float32)
    # Only the box of the right class learns; the background's row has weight 0.
    own_codes = regions.of_class(codes, tf.maximum(target_classes(targets) - 1, 0))
    location = location_loss(
        own_codes, targets.codes, weights=targets.code_weights, losses_mask=annotated
    )
    classification = classification_loss(
        class_logits, targets.classes, weights=targets.class_weights, losses_mask=annotated
    )
    classification = ops.reduce_sum_trailing_dimensions(classification, 2)
    location, classification = (losses * real / normalizer for losses in (location, classification))
    if hard_example_miner is not None:
        return StageLosses(*hard_example_miner.mine(location, classification, boxes))
    return StageLosses(tf.reduce_sum(location), tf.reduce_sum(classification))


def cropped_masks(
    masks: tf.Tensor, match: tf.Tensor, boxes_normalized: tf.Tensor, size: list[int]
) -> tf.Tensor:
    """The part of each region's own mask that lies in the region.

    Args:
        masks: [B, M, H, W].
        match: [B, P] int32, the row of M; any for a negative one.
        boxes_normalized: [B, P, 4].
        size: (height, width) of the result.

    Returns:
        [B, P, height, width], without a gradient.
    """
    # One row more, so that there is something to cut where a picture has no masks.
    masks = tf.pad(masks, [[0, 0], [0, 1], [0, 0], [0, 0]])
    shape = tf.shape(masks)
    rows = tf.range(shape[0])[:, tf.newaxis] * shape[1] + tf.maximum(match, 0)
    # Each mask stays where it is: a copy for each region would not fit into memory.
    cut = tf.image.crop_and_resize(
        tf.reshape(masks, [-1, shape[2], shape[3], 1]),
        tf.reshape(boxes_normalized, [-1, 4]),
        tf.reshape(rows, [-1]),
        size,
    )
    return tf.stop_gradient(tf.reshape(cut, tf.concat([tf.shape(match), size], axis=0)))


def mask_loss(
    mask_logits: tf.Tensor,
    mask_targets: tf.Tensor,
    targets: Targets,
    real: tf.Tensor,
    loss: Loss,
    annotated: tf.Tensor | None,
) -> tf.Tensor:
    """Mean over the pixels of the masks of objects, a scalar.

    Args:
        mask_logits: [B, P, 1 or C, height, width].
        mask_targets: [B, P, height, width].
        targets: of the regions.
        real: [B, P] booleans, regions that are no padding.
        loss: of pixels.
        annotated: [B] booleans or None.
    """
    height, width = mask_logits.shape.as_list()[3:]
    own = regions.of_class(mask_logits, tf.maximum(target_classes(targets) - 1, 0))
    shape = tf.concat([tf.shape(real), [height * width]], axis=0)
    weights = targets.code_weights * tf.cast(real, tf.float32)
    losses = loss(
        tf.reshape(own, shape),
        tf.reshape(mask_targets, shape),
        weights=weights[..., tf.newaxis],
        losses_mask=annotated,
    )
    pixels = tf.reduce_sum(weights) * float(height * width)
    return tf.reduce_sum(losses) / tf.maximum(pixels, 1.0)
