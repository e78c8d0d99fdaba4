"""Codes of squares: centre and side.

    ty = (y - ya) / la * s_y    tx = (x - xa) / la * s_x    tl = log(l / la) * s_l

where (y, x) is the centre of the box and l the square root of its area; those with `a` are the
anchor's. Decoding gives squares.
"""

from collections.abc import Sequence

import tensorflow.compat.v1 as tf

from object_detection.core import box_coder
from object_detection.core.box_list import center_size

# Keeps the logarithm finite for boxes without area.
EPSILON = 1e-8


class SquareBoxCoder(box_coder.TensorBoxCoder):
    """Offsets of the centre and logarithm of the side."""

    def __init__(self, scale_factors: Sequence[float] | None = None) -> None:
        """Takes positive factors (y, x, length) of the code, or None for 1.

        Raises:
            ValueError: not three positive numbers.
        """
        if scale_factors and (len(scale_factors) != 3 or any(f <= 0 for f in scale_factors)):
            raise ValueError(
                f"scale_factors should be 3 positive numbers, got {list(scale_factors)}."
            )
        self._scale_factors = [float(factor) for factor in scale_factors or ()] or None

    @property
    def code_size(self) -> int:
        return 3

    def encode_tensors(
        self, boxes: tf.Tensor, anchors: tf.Tensor, keypoints: tf.Tensor | None = None
    ) -> tf.Tensor:
        ya, xa, ha, wa = center_size(anchors)
        y, x, h, w = center_size(boxes)
        la, length = tf.sqrt(ha * wa) + EPSILON, tf.sqrt(h * w) + EPSILON
        codes = tf.stack([(y - ya) / la, (x - xa) / la, tf.math.log(length / la)], axis=-1)
        return codes * tf.constant(self._scale_factors) if self._scale_factors else codes

    def decode_tensors(
        self, codes: tf.Tensor, anchors: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        if self._scale_factors:
            codes /= tf.constant(self._scale_factors)
        ya, xa, ha, wa = center_size(anchors)
        la = tf.sqrt(ha * wa)
        ty, tx, tl = tf.unstack(codes, num=3, axis=-1)
        y, x, half = ty * la + ya, tx * la + xa, tf.exp(tl) * la / 2.0
        return tf.stack([y - half, x - half, y + half, x + half], axis=-1), None
