"""Checks of what the networks of a two-stage detector are given."""

import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError, ShapeError
from object_detection.utils import shape_utils

_STRIDES = (8, 16)
_MIN_SIDE = 33


def check_stride(stride: int) -> None:
    """Refuses a stride that the networks do not have; a `ConfigError`."""
    if stride not in _STRIDES:
        raise ConfigError(f"first_stage_features_stride is {stride}; allowed: 8 or 16.")


def check_pictures(images: tf.Tensor) -> tf.Tensor:
    """[B, H, W, 3] pictures, checked that they have four axes and reach the least size.

    Raises:
        ShapeError: another rank.
        ValueError: a known size is too small; sizes known later are checked in the graph.
    """
    if images.shape.rank != 4:
        raise ShapeError(f"preprocessed_inputs should be [B, H, W, 3], got {images.shape}.")
    return shape_utils.check_min_image_dim(_MIN_SIDE, images)
