"""Small tensor operations without detection semantics."""

from object_detection.utils.ops.resize import (
    fixed_padding,
    nearest_neighbor_upsampling,
    pad_to_multiple,
)

__all__ = ["fixed_padding", "nearest_neighbor_upsampling", "pad_to_multiple"]
