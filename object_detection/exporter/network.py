"""The network of a config as it is exported: the graph with variables, its inputs and outputs."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.builders import graph_rewriter_builder, model_builder
from object_detection.errors import ConfigError
from object_detection.exporter import verification
from object_detection.exporter.check_pictures import Input
from object_detection.exporter.detection_graph import build_detection_graph
from object_detection.exporter.graph_inputs import Shape
from object_detection.exporter.side_inputs import parse_side_inputs
from object_detection.protos import pipeline_pb2


class Options(NamedTuple):
    """How a graph is exported, besides what its config says."""

    input_type: str
    input_shape: Shape | None = None
    additional_outputs: Sequence[str] = ()  # names of tensors or nodes
    # See `parse_side_inputs`; None if there are no side inputs.
    side_input_shapes: str | None = None
    side_input_names: str | None = None
    side_input_types: str | None = None

    def side_inputs(self) -> tuple[list[list[int | None]], list[str], list[tf.DType]] | None:
        """Their shapes, names and types; None if there are none."""
        if self.side_input_names is None:
            return None
        return parse_side_inputs(
            self.side_input_shapes, self.side_input_names, self.side_input_types
        )

    def as_json(self) -> dict[str, Any]:
        """For `export.json`; `Options(**...)` takes it."""
        return {**self._asdict(), "additional_outputs": list(self.additional_outputs)}


class Network(NamedTuple):
    """A graph with variables, and what is exported of it."""

    graph: tf.Graph
    outputs: dict[str, tf.Tensor]
    placeholders: dict[str, tf.Tensor]
    kept: list[str]  # names of the nodes that the exported graph has to have
    is_quantized: bool
    fed: Input  # how to feed it

    def compared(self) -> verification.Outputs:
        """What a check compares."""
        nodes = {operation.name for operation in self.graph.get_operations()}
        return verification.sorted_outputs(nodes, self.outputs, self.kept)


def build(
    pipeline_config: pipeline_pb2.TrainEvalPipelineConfig,
    options: Options,
    output_collection_name: str = "inference_op",
) -> Network:
    """Builds it in the default graph.

    Args:
        pipeline_config: complete, see `config_util.completed`.
        options: of the export.
        output_collection_name: collection of the outputs.

    Raises:
        ConfigError: the config asks for something that cannot be exported.
    """
    model = model_builder.build(pipeline_config.model, is_training=False)
    is_quantized = pipeline_config.HasField("graph_rewriter")
    hook = (
        graph_rewriter_builder.build(pipeline_config.graph_rewriter, is_training=False)
        if is_quantized
        else None
    )
    side_inputs = options.side_inputs()
    shapes, names, types = side_inputs or (None, None, None)
    outputs, placeholders = build_detection_graph(
        options.input_type,
        model,
        options.input_shape,
        output_collection_name,
        hook,
        side_inputs is not None,
        shapes,
        names,
        types,
        raw_detections=pipeline_config.export_config.raw_detections,
    )
    graph = tf.get_default_graph()
    fed = Input(
        options.input_type,
        options.input_shape or (None, None, None, 3),
        {
            name: (shape, kind)
            for name, shape, kind in zip(names or [], shapes or [], types or [], strict=True)
        },
    )
    kept = _nodes_to_keep(graph, outputs, options.additional_outputs)
    return Network(graph, outputs, placeholders, kept, is_quantized, fed)


def _nodes_to_keep(
    graph: tf.Graph, outputs: dict[str, tf.Tensor], additional: Sequence[str]
) -> list[str]:
    names = [tensor.op.name for tensor in outputs.values()]
    names += [name.split(":")[0] for name in additional]
    known = {operation.name for operation in graph.get_operations()}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(f"additional_output_tensor_names: not in the graph: {unknown}.")
    return names
