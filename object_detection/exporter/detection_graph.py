"""The graph of inference: input, network, outputs with their names."""

import logging
from collections.abc import Callable, Iterable, Sequence

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.errors import ConfigError
from object_detection.exporter.graph_inputs import INPUTS, Shape
from object_detection.utils import graph_edits
from object_detection.utils.label_map_util import LABEL_OFFSET

logger = logging.getLogger(__name__)

Detections = fields.DetectionResultFields
# Node of the pictures as the network gets them, [B, H, W, 3] in [0, 255].
FLOAT_IMAGES = "ToFloat"
# What a graph without suppression gives.
RAW = (
    Detections.raw_detection_boxes,
    Detections.raw_detection_scores,
    Detections.raw_detection_keypoints,
    Detections.raw_detection_keypoint_scores,
    Detections.raw_detection_windows,
)


def add_output_tensor_nodes(
    postprocessed_tensors: dict[str, tf.Tensor], output_collection_name: str = "inference_op"
) -> dict[str, tf.Tensor]:
    """Names the outputs, moves class ids to where label maps start, fills the collection.

    Args:
        postprocessed_tensors: detections as a model's `postprocess` returns them.
        output_collection_name: collection that gets every output.

    Returns:
        Name -> output tensor, for each known `DetectionResultFields` key that is present.
    """
    kept = (
        Detections.detection_boxes,
        Detections.detection_scores,
        Detections.detection_classes,
        Detections.num_detections,
        Detections.detection_keypoints,
        Detections.detection_keypoint_scores,
        Detections.detection_keypoint_depths,
        Detections.detection_masks,
        Detections.detection_features,
        Detections.detection_multiclass_scores,
        Detections.detection_anchor_indices,
        Detections.raw_detection_boxes,
        Detections.raw_detection_scores,
    )
    return _named(postprocessed_tensors, kept, output_collection_name)


def _named(
    tensors: dict[str, tf.Tensor], names: Iterable[str], collection: str
) -> dict[str, tf.Tensor]:
    """Those of the tensors that have one of the names, as outputs of that name."""
    outputs = {}
    for name in names:
        tensor = tensors.get(name)
        if tensor is None:
            continue
        tensor = tf.cast(tensor, tf.float32)
        if name == Detections.detection_classes:
            tensor += LABEL_OFFSET
        outputs[name] = tf.identity(tensor, name=name)
        tf.add_to_collection(collection, outputs[name])
    return outputs


def build_detection_graph(
    input_type: str,
    detection_model: DetectionModel,
    input_shape: Shape | None,
    output_collection_name: str,
    graph_hook_fn: Callable[[], None] | None,
    use_side_inputs: bool = False,
    side_input_shapes: Sequence[Shape] | None = None,
    side_input_names: Sequence[str] | None = None,
    side_input_types: Sequence[tf.DType] | None = None,
    *,
    raw_detections: bool = False,
) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """Adds input, network, outputs and global step to the default graph.

    Args:
        input_type: `image_tensor`, `encoded_image_string_tensor` or `tf_example`.
        detection_model: the model, built for inference.
        input_shape: [batch, height, width, channels] with None for what is open, or None.
        output_collection_name: collection that gets the outputs.
        graph_hook_fn: called when the graph stands, or None.
        use_side_inputs: whether `predict` gets further inputs, by name.
        side_input_shapes: shape of each.
        side_input_names: name of each, of the placeholder and of the parameter.
        side_input_types: type of each.
        raw_detections: give what is decoded for all anchors, see `RAW`, without suppression.

    Returns:
        The outputs by name, and the placeholders: `inputs`, and the side inputs by name.

    Raises:
        ConfigError: unknown input type, or incomplete side inputs.
    """
    placeholder, images = INPUTS[input_type](input_shape)
    side_inputs = {}
    if use_side_inputs:
        if side_input_shapes is None or side_input_names is None or side_input_types is None:
            raise ConfigError("Side inputs need side_input_shapes, _names and _types.")
        side_inputs = {
            name: tf.placeholder(kind, shape, name=name)
            for name, shape, kind in zip(
                side_input_names, side_input_shapes, side_input_types, strict=True
            )
        }
    images = tf.cast(images, tf.float32, name=FLOAT_IMAGES)
    inputs, true_shapes = detection_model.preprocess(images)
    detections = detection_model.postprocess(
        detection_model.predict(inputs, true_shapes, **side_inputs), true_shapes
    )
    outputs = (
        _named(detections, RAW, output_collection_name)
        if raw_detections
        else add_output_tensor_nodes(detections, output_collection_name)
    )
    tf.train.get_or_create_global_step()
    if graph_hook_fn:
        graph_hook_fn()
    return outputs, {"inputs": placeholder, **side_inputs}


def rewrite_nn_resize_op(is_quantized: bool = False) -> None:
    """Makes each enlargement by repetition in the default graph one ResizeNearestNeighbor.

    Args:
        is_quantized: whether the graph has been quantised; an enlargement then reads rounded
            values, and is rewritten in the same way.
    """
    count = graph_edits.rewrite_nearest_neighbor_upsampling()
    logger.info(
        "rewrote %d enlargements%s", count, " of rounded feature maps" if is_quantized else ""
    )
