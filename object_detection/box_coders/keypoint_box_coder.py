"""Codes of a box and its K keypoints: (ty, tx, th, tw, ky_1, kx_1, ..., ky_K, kx_K).

The first four numbers are Faster R-CNN's (see `faster_rcnn_box_coder`); a keypoint (ky, kx) is
encoded like a centre: its offset from the anchor's centre in units of the anchor's size,

    ((ky - ya) / ha * s_y, (kx - xa) / wa * s_x).

Axes: K keypoints; `...` any leading axes. A keypoint that is absent (NaN) has a NaN code, and
nothing else of the code is touched by it.
"""

from collections.abc import Sequence

import tensorflow.compat.v1 as tf

from object_detection.box_coders import faster_rcnn_box_coder
from object_detection.core import box_coder
from object_detection.core.box_list import center_size
from object_detection.errors import ShapeError

EPSILON = faster_rcnn_box_coder.EPSILON


def encode_keypoint_boxes(
    boxes: tf.Tensor,
    keypoints: tf.Tensor,
    anchors: tf.Tensor,
    scale_factors: Sequence[float] | None = None,
) -> tf.Tensor:
    """[..., 4] boxes, [..., K, 2] keypoints, [..., 4] anchors -> [..., 4 + 2K] codes."""
    box_codes = faster_rcnn_box_coder.encode_boxes(boxes, anchors, scale_factors)
    ya, xa, ha, wa = center_size(anchors)
    center = tf.stack([ya, xa], axis=-1)[..., tf.newaxis, :]
    size = tf.stack([ha + EPSILON, wa + EPSILON], axis=-1)[..., tf.newaxis, :]
    point_codes = (keypoints - center) / size
    if scale_factors:
        point_codes *= tf.constant(scale_factors[:2], point_codes.dtype)
    flat = tf.reshape(
        point_codes,
        tf.concat([tf.shape(point_codes)[:-2], [2 * keypoints.shape[-2]]], axis=0),
    )
    flat.set_shape([*point_codes.shape.as_list()[:-2], 2 * keypoints.shape[-2]])
    return tf.concat([box_codes, flat], axis=-1)


def decode_keypoint_boxes(
    codes: tf.Tensor,
    anchors: tf.Tensor,
    num_keypoints: int,
    scale_factors: Sequence[float] | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Inverse of `encode_keypoint_boxes`: boxes [..., 4] and keypoints [..., K, 2]."""
    boxes = faster_rcnn_box_coder.decode_boxes(codes[..., :4], anchors, scale_factors)
    point_codes = tf.reshape(
        codes[..., 4:], tf.concat([tf.shape(codes)[:-1], [num_keypoints, 2]], axis=0)
    )
    point_codes.set_shape([*codes.shape.as_list()[:-1], num_keypoints, 2])
    if scale_factors:
        point_codes /= tf.constant(scale_factors[:2], codes.dtype)
    ya, xa, ha, wa = center_size(anchors)
    center = tf.stack([ya, xa], axis=-1)[..., tf.newaxis, :]
    size = tf.stack([ha, wa], axis=-1)[..., tf.newaxis, :]
    return boxes, point_codes * size + center


class KeypointBoxCoder(box_coder.TensorBoxCoder):
    """Box codes of Faster R-CNN followed by the offsets of K keypoints."""

    def __init__(self, num_keypoints: int, scale_factors: Sequence[float] | None = None) -> None:
        """Takes K and the positive factors (y, x, height, width), or None for 1.

        The keypoints share the factors of y and x.

        Raises:
            ValueError: not four positive factors.
        """
        self._num_keypoints = num_keypoints
        self._scale_factors = faster_rcnn_box_coder.check_scale_factors(scale_factors)

    @property
    def code_size(self) -> int:
        return 4 + 2 * self._num_keypoints

    def encode_tensors(
        self, boxes: tf.Tensor, anchors: tf.Tensor, keypoints: tf.Tensor | None = None
    ) -> tf.Tensor:
        if keypoints is None:
            raise ValueError(
                f"This coder encodes {self._num_keypoints} keypoints a box, but none were given. "
                "Set num_keypoints in the input reader, or use faster_rcnn_box_coder."
            )
        keypoints = tf.convert_to_tensor(keypoints)
        expected = [*keypoints.shape.as_list()[:-2], self._num_keypoints, 2]
        if not keypoints.shape.is_compatible_with(expected):
            raise ShapeError(
                f"Keypoints should be [..., K={self._num_keypoints}, 2], got {keypoints.shape}. "
                "box_coder and input reader must agree on num_keypoints."
            )
        keypoints = tf.ensure_shape(keypoints, expected)
        return encode_keypoint_boxes(boxes, keypoints, anchors, self._scale_factors)

    def decode_tensors(
        self, codes: tf.Tensor, anchors: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        return decode_keypoint_boxes(codes, anchors, self._num_keypoints, self._scale_factors)
