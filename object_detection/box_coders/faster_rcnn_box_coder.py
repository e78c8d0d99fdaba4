"""Box codes of Faster R-CNN (arXiv:1506.01497, section 3.1.2).

    ty = (y - ya) / ha * s_y    tx = (x - xa) / wa * s_x
    th = log(h / ha) * s_h      tw = log(w / wa) * s_w

where (y, x, h, w) are centre and size of the box, those with `a` of the anchor.
"""

from collections.abc import Sequence

import tensorflow.compat.v1 as tf

from object_detection.core import box_coder
from object_detection.core.box_list import center_size

# Keeps the logarithm finite for boxes without height or width.
EPSILON = 1e-8


def encode_boxes(
    boxes: tf.Tensor, anchors: tf.Tensor, scale_factors: Sequence[float] | None = None
) -> tf.Tensor:
    """(ty, tx, th, tw) of [..., 4] boxes relative to [..., 4] anchors; shapes broadcast."""
    ya, xa, ha, wa = center_size(anchors)
    y, x, h, w = center_size(boxes)
    ha, wa, h, w = (size + EPSILON for size in (ha, wa, h, w))
    codes = tf.stack(
        [(y - ya) / ha, (x - xa) / wa, tf.math.log(h / ha), tf.math.log(w / wa)], axis=-1
    )
    return codes * tf.constant(scale_factors, codes.dtype) if scale_factors else codes


def decode_boxes(
    codes: tf.Tensor, anchors: tf.Tensor, scale_factors: Sequence[float] | None = None
) -> tf.Tensor:
    """Inverse of `encode_boxes`: [..., 4], [..., 4] -> [..., 4]."""
    if scale_factors:
        codes /= tf.constant(scale_factors, codes.dtype)
    ya, xa, ha, wa = center_size(anchors)
    ty, tx, th, tw = tf.unstack(codes, num=4, axis=-1)
    half_height, half_width = tf.exp(th) * ha / 2.0, tf.exp(tw) * wa / 2.0
    y, x = ty * ha + ya, tx * wa + xa
    return tf.stack([y - half_height, x - half_width, y + half_height, x + half_width], axis=-1)


def check_scale_factors(scale_factors: Sequence[float] | None) -> list[float] | None:
    """The four positive factors as a list, or None; a `ValueError` otherwise."""
    if not scale_factors:
        return None
    if len(scale_factors) != 4 or any(factor <= 0 for factor in scale_factors):
        raise ValueError(f"scale_factors should be 4 positive numbers, got {list(scale_factors)}.")
    return [float(factor) for factor in scale_factors]


class FasterRcnnBoxCoder(box_coder.TensorBoxCoder):
    """Offsets of the centre and logarithms of the size."""

    def __init__(self, scale_factors: Sequence[float] | None = None) -> None:
        """Takes positive factors (y, x, height, width) of the code, or None for 1.

        Raises:
            ValueError: not four positive numbers.
        """
        self._scale_factors = check_scale_factors(scale_factors)

    @property
    def code_size(self) -> int:
        return 4

    def encode_tensors(
        self, boxes: tf.Tensor, anchors: tf.Tensor, keypoints: tf.Tensor | None = None
    ) -> tf.Tensor:
        return encode_boxes(boxes, anchors, self._scale_factors)

    def decode_tensors(
        self, codes: tf.Tensor, anchors: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        return decode_boxes(codes, anchors, self._scale_factors), None
