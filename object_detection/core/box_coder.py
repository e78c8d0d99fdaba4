"""What every box coder offers: boxes <-> numbers relative to anchors.

Axes: N boxes and as many anchors, K keypoints; the tensor forms take any leading axes.
"""

import abc

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.core.box_list import BoxList

FASTER_RCNN = "faster_rcnn"
KEYPOINT = "keypoint"
MEAN_STDDEV = "mean_stddev"
SQUARE = "square"

# The farthest edge of `bounded_boxes`, in sizes of the picture.
FARTHEST = 1e4


class BoxCoder(abc.ABC):
    """Encodes boxes relative to anchors, and decodes them.

    Subclasses define `_encode` and `_decode` for BoxLists; those of this package define
    `encode_tensors` and `decode_tensors` instead (see `TensorBoxCoder`).
    """

    @property
    @abc.abstractmethod
    def code_size(self) -> int:
        """Numbers per code."""

    @abc.abstractmethod
    def _encode(self, boxes: BoxList, anchors: BoxList) -> tf.Tensor:
        """N boxes relative to N anchors -> [N, code_size]."""

    @abc.abstractmethod
    def _decode(self, rel_codes: tf.Tensor, anchors: BoxList) -> BoxList:
        """[N, code_size] relative to N anchors -> N boxes."""

    def encode_tensors(
        self, boxes: tf.Tensor, anchors: tf.Tensor, keypoints: tf.Tensor | None = None
    ) -> tf.Tensor:
        """[..., 4] boxes (and [..., K, 2] keypoints) -> [..., code_size]; shapes broadcast."""
        shape = tf.broadcast_dynamic_shape(tf.shape(boxes), tf.shape(anchors))
        rows = BoxList(tf.reshape(tf.broadcast_to(boxes, shape), [-1, 4]))
        if keypoints is not None:
            flat = tf.reshape(keypoints, tf.concat([[-1], tf.shape(keypoints)[-2:]], axis=0))
            rows.add_field(fields.BoxListFields.keypoints, flat)
        codes = self._encode(rows, BoxList(tf.reshape(tf.broadcast_to(anchors, shape), [-1, 4])))
        leading = tf.broadcast_static_shape(boxes.shape, anchors.shape)[:-1]
        return _with_leading_axes(codes, shape[:-1], leading)

    def decode_tensors(
        self, codes: tf.Tensor, anchors: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """[..., code_size] codes -> boxes [..., 4] and keypoints [..., K, 2] or None."""
        shape = tf.shape(codes)[:-1]
        rows = BoxList(
            tf.reshape(tf.broadcast_to(anchors, tf.concat([shape, [4]], axis=0)), [-1, 4])
        )
        decoded = self._decode(tf.reshape(codes, [-1, codes.shape.as_list()[-1]]), rows)
        keypoints = None
        if decoded.has_field(fields.BoxListFields.keypoints):
            keypoints = _with_leading_axes(
                decoded.get_field(fields.BoxListFields.keypoints), shape, codes.shape[:-1]
            )
        return _with_leading_axes(decoded.get(), shape, codes.shape[:-1]), keypoints

    def encode(self, boxes: BoxList, anchors: BoxList) -> tf.Tensor:
        """N boxes relative to N anchors -> [N, code_size]."""
        with tf.name_scope("Encode"):
            return self._encode(boxes, anchors)

    def decode(self, rel_codes: tf.Tensor, anchors: BoxList) -> BoxList:
        """[N, code_size] -> N boxes, with the field `keypoints` if the code has them."""
        with tf.name_scope("Decode"):
            return self._decode(rel_codes, anchors)


class TensorBoxCoder(BoxCoder):
    """A box coder whose arithmetic takes any leading axes."""

    @abc.abstractmethod
    def encode_tensors(
        self, boxes: tf.Tensor, anchors: tf.Tensor, keypoints: tf.Tensor | None = None
    ) -> tf.Tensor:
        """[..., 4] boxes (and [..., K, 2] keypoints) -> [..., code_size]; shapes broadcast."""

    @abc.abstractmethod
    def decode_tensors(
        self, codes: tf.Tensor, anchors: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """[..., code_size] codes -> boxes [..., 4] and keypoints [..., K, 2] or None."""

    def _encode(self, boxes: BoxList, anchors: BoxList) -> tf.Tensor:
        keypoints = None
        if boxes.has_field(fields.BoxListFields.keypoints):
            keypoints = boxes.get_field(fields.BoxListFields.keypoints)
        return self.encode_tensors(boxes.get(), anchors.get(), keypoints)

    def _decode(self, rel_codes: tf.Tensor, anchors: BoxList) -> BoxList:
        boxes, keypoints = self.decode_tensors(tf.convert_to_tensor(rel_codes), anchors.get())
        result = BoxList(boxes)
        if keypoints is not None:
            result.add_field(fields.BoxListFields.keypoints, keypoints)
        return result


def _with_leading_axes(rows: tf.Tensor, shape: tf.Tensor, static: tf.TensorShape) -> tf.Tensor:
    """[R, ...] -> [*shape, ...], R being the product of `shape`."""
    result = tf.reshape(rows, tf.concat([shape, tf.shape(rows)[1:]], axis=0))
    result.set_shape(static.concatenate(rows.shape[1:]))
    return result


def batch_decode(encoded_boxes: tf.Tensor, box_coder: BoxCoder, anchors: BoxList) -> tf.Tensor:
    """[B, N, code_size] relative to N anchors -> boxes [B, N, 4].

    Raises:
        ValueError: codes of another rank than 3, or a number of codes that is known and is not
            that of the anchors.
    """
    encoded_boxes = tf.convert_to_tensor(encoded_boxes)
    if encoded_boxes.shape.rank != 3:
        raise ValueError(f"encoded_boxes should be [B, N, code_size], got {encoded_boxes.shape}.")
    count, expected = encoded_boxes.shape.as_list()[1], anchors.num_boxes_static()
    if count is not None and expected is not None and count != expected:
        raise ValueError(
            f"encoded_boxes has {count} codes a picture, but there are {expected} anchors."
        )
    return box_coder.decode_tensors(encoded_boxes, anchors.get())[0]


def bounded_boxes(
    codes: tf.Tensor, anchors: tf.Tensor, coder: BoxCoder, picture_size: tf.Tensor
) -> tf.Tensor:
    """Boxes that losses of boxes can work with: [B, N, 4] in pixels.

    In pixels, as distances and aspect ratios mean something only where both axes have one unit.
    Where a decoded number passes `FARTHEST` or overflows, the box ends there and has no gradient:
    that of its exponential might be infinite. NaN stays NaN, so that it is noticed.

    Args:
        codes: [B, N, code_size].
        anchors: [N, 4], normalised.
        coder: of the codes.
        picture_size: [2] height and width of what the anchors are normalised to.
    """
    known, _ = coder.decode_tensors(tf.stop_gradient(codes), anchors)
    bounded = tf.clip_by_value(known, -FARTHEST, FARTHEST)
    fine = tf.reduce_all(tf.equal(known, bounded), axis=-1, keepdims=True)
    # Decoded again without the codes that overflow: their gradient is 0, not 0 * infinity.
    safe = tf.where(tf.broadcast_to(fine, tf.shape(codes)), codes, tf.zeros_like(codes))
    boxes, _ = coder.decode_tensors(safe, anchors)
    far = tf.where(tf.math.is_nan(known), known, bounded)
    boxes = tf.where(tf.broadcast_to(fine, tf.shape(boxes)), boxes, far)
    return boxes * tf.tile(tf.cast(picture_size, boxes.dtype), [2])
