"""Small tensor operations without detection semantics."""

from object_detection.utils.ops.boxes import (
    center_to_corner_coordinate,
    dense_to_sparse_boxes,
    fpn_feature_levels,
    giou,
    merge_boxes_with_multiple_labels,
    normalized_to_image_coordinates,
)
from object_detection.utils.ops.equalization import EqualizationLossConfig
from object_detection.utils.ops.gather import (
    gather_with_padding_values,
    indices_to_dense_vector,
    matmul_gather_on_zeroth_axis,
    padded_one_hot_encoding,
)
from object_detection.utils.ops.groundtruth import (
    filter_groundtruth_with_crowd_boxes,
    filter_groundtruth_with_nan_box_coordinates,
    filter_unrecognized_classes,
    replace_nan_groundtruth_label_scores_with_ones,
    retain_groundtruth,
    retain_groundtruth_with_positive_classes,
)
from object_detection.utils.ops.masks import (
    reframe_box_masks_to_image_masks,
    reframe_image_corners_relative_to_boxes,
)
from object_detection.utils.ops.position_sensitive import (
    batch_position_sensitive_crop_regions,
    position_sensitive_crop_regions,
)
from object_detection.utils.ops.resize import (
    fixed_padding,
    nearest_neighbor_upsampling,
    pad_to_multiple,
)
from object_detection.utils.ops.shapes import (
    bfloat16_to_float32_nested,
    decode_image,
    expanded_shape,
    meshgrid,
    normalize_to_target,
    reduce_sum_trailing_dimensions,
    tile_context_tensors,
)

__all__ = [
    "EqualizationLossConfig",
    "batch_position_sensitive_crop_regions",
    "bfloat16_to_float32_nested",
    "center_to_corner_coordinate",
    "decode_image",
    "dense_to_sparse_boxes",
    "expanded_shape",
    "filter_groundtruth_with_crowd_boxes",
    "filter_groundtruth_with_nan_box_coordinates",
    "filter_unrecognized_classes",
    "fixed_padding",
    "fpn_feature_levels",
    "gather_with_padding_values",
    "giou",
    "indices_to_dense_vector",
    "matmul_gather_on_zeroth_axis",
    "merge_boxes_with_multiple_labels",
    "meshgrid",
    "nearest_neighbor_upsampling",
    "normalize_to_target",
    "normalized_to_image_coordinates",
    "pad_to_multiple",
    "padded_one_hot_encoding",
    "position_sensitive_crop_regions",
    "reduce_sum_trailing_dimensions",
    "reframe_box_masks_to_image_masks",
    "reframe_image_corners_relative_to_boxes",
    "replace_nan_groundtruth_label_scores_with_ones",
    "retain_groundtruth",
    "retain_groundtruth_with_positive_classes",
    "tile_context_tensors",
]
