"""Drawing under the OD API's import path; the code is in `object_detection.visualization`."""

from object_detection.visualization.blending import (
    draw_float_channel_on_image_array,
    draw_heatmaps_on_image,
    draw_heatmaps_on_image_array,
    draw_mask_on_image_array,
    draw_part_mask_on_image_array,
)
from object_detection.visualization.colors import STANDARD_COLORS
from object_detection.visualization.drawing import (
    draw_bounding_box_on_image,
    draw_bounding_box_on_image_array,
    draw_bounding_boxes_on_image,
    draw_bounding_boxes_on_image_array,
    draw_keypoints_on_image,
    draw_keypoints_on_image_array,
    visualize_boxes_and_labels_on_image_array,
)
from object_detection.visualization.encoding import (
    encode_image_array_as_png_str,
    save_image_array_as_png,
)
from object_detection.visualization.metric_pictures import (
    EvalMetricOpsVisualization,
    VisualizeSingleFrameDetections,
)
from object_detection.visualization.plots import add_cdf_image_summary, add_hist_image_summary
from object_detection.visualization.tensors import (
    create_visualization_fn,
    draw_bounding_boxes_on_image_tensors,
    draw_densepose_visualizations,
    draw_heatmaps_on_image_tensors,
    draw_side_by_side_evaluation_image,
)

# Where users' programs put titles on pictures, in pixels.
_TITLE_LEFT_MARGIN = 10
_TITLE_TOP_MARGIN = 10

__all__ = [
    "STANDARD_COLORS",
    "_TITLE_LEFT_MARGIN",
    "_TITLE_TOP_MARGIN",
    "EvalMetricOpsVisualization",
    "VisualizeSingleFrameDetections",
    "add_cdf_image_summary",
    "add_hist_image_summary",
    "create_visualization_fn",
    "draw_bounding_box_on_image",
    "draw_bounding_box_on_image_array",
    "draw_bounding_boxes_on_image",
    "draw_bounding_boxes_on_image_array",
    "draw_bounding_boxes_on_image_tensors",
    "draw_densepose_visualizations",
    "draw_float_channel_on_image_array",
    "draw_heatmaps_on_image",
    "draw_heatmaps_on_image_array",
    "draw_heatmaps_on_image_tensors",
    "draw_keypoints_on_image",
    "draw_keypoints_on_image_array",
    "draw_mask_on_image_array",
    "draw_part_mask_on_image_array",
    "draw_side_by_side_evaluation_image",
    "encode_image_array_as_png_str",
    "save_image_array_as_png",
    "visualize_boxes_and_labels_on_image_array",
]
