"""Codes as differences of corners: (box - anchor) / stddev, for [ymin, xmin, ymax, xmax]."""

import tensorflow.compat.v1 as tf

from object_detection.core import box_coder


class MeanStddevBoxCoder(box_coder.TensorBoxCoder):
    """Differences of the corners in units of one deviation."""

    def __init__(self, stddev: float = 0.01) -> None:
        """Takes the deviation, in the frame of the boxes.

        Raises:
            ValueError: not a positive number.
        """
        if not stddev > 0:
            raise ValueError(f"stddev should be positive, got {stddev}.")
        self._stddev = stddev

    @property
    def code_size(self) -> int:
        return 4

    def encode_tensors(
        self, boxes: tf.Tensor, anchors: tf.Tensor, keypoints: tf.Tensor | None = None
    ) -> tf.Tensor:
        return (boxes - anchors) / self._stddev

    def decode_tensors(
        self, codes: tf.Tensor, anchors: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        return codes * self._stddev + anchors, None
