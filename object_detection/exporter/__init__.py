"""Turns a trained checkpoint into graphs for inference.

Axes: B images, N anchors, D detections, K keypoints.

The directory holds `frozen_inference_graph.pb`, `saved_model/`, `model.ckpt.*` with `checkpoint`,
and `pipeline.config`; the tensors are `image_tensor:0` (or another input) and
`detection_{boxes,scores,classes,keypoints}:0`, `num_detections:0`.
"""

from object_detection.exporter.checkpoints import (
    replace_variable_values_with_moving_averages,
    write_graph_and_checkpoint,
)
from object_detection.exporter.detection_graph import (
    add_output_tensor_nodes,
    build_detection_graph,
    rewrite_nn_resize_op,
)
from object_detection.exporter.directory import write_saved_model
from object_detection.exporter.export import export_inference_graph
from object_detection.exporter.graph_inputs import INPUTS
from object_detection.exporter.profile import Profile, profile_inference_graph
from object_detection.exporter.side_inputs import parse_side_inputs

__all__ = [
    "INPUTS",
    "Profile",
    "add_output_tensor_nodes",
    "build_detection_graph",
    "export_inference_graph",
    "parse_side_inputs",
    "profile_inference_graph",
    "replace_variable_values_with_moving_averages",
    "rewrite_nn_resize_op",
    "write_graph_and_checkpoint",
    "write_saved_model",
]
