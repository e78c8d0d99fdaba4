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


class BoxCoder(abc.ABC):
    """Encodes boxes relative to anchors, and decodes them."""

    @property
    @abc.abstractmethod
    def code_size(self) -> int:
        """Numbers per code."""

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

    def encode(self, boxes: BoxList, anchors: BoxList) -> tf.Tensor:
        """N boxes relative to N anchors -> [N, code_size]."""
        with tf.name_scope("Encode"):
            keypoints = None
            if boxes.has_field(fields.BoxListFields.keypoints):
                keypoints = boxes.get_field(fields.BoxListFields.keypoints)
            return self.encode_tensors(boxes.get(), anchors.get(), keypoints)

    def decode(self, rel_codes: tf.Tensor, anchors: BoxList) -> BoxList:
        """[N, code_size] -> N boxes, with the field `keypoints` if the code has them."""
        with tf.name_scope("Decode"):
            boxes, keypoints = self.decode_tensors(rel_codes, anchors.get())
            result = BoxList(boxes)
            if keypoints is not None:
                result.add_field(fields.BoxListFields.keypoints, keypoints)
            return result


def batch_decode(encoded_boxes: tf.Tensor, box_coder: BoxCoder, anchors: BoxList) -> tf.Tensor:
    """[B, N, code_size] relative to N anchors -> boxes [B, N, 4].

    Raises:
        ValueError: the number of codes is known and is not that of the anchors.
    """
    count, expected = encoded_boxes.shape.as_list()[1], anchors.num_boxes_static()
    if count is not None and expected is not None and count != expected:
        raise ValueError(
            f"encoded_boxes has {count} codes a picture, but there are {expected} anchors."
        )
    return box_coder.decode_tensors(encoded_boxes, anchors.get())[0]
