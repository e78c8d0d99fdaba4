"""One call from checkpoint and config to the directory of an exported model."""

import os
from collections.abc import Sequence

import tensorflow.compat.v1 as tf

from object_detection.builders import graph_rewriter_builder, model_builder
from object_detection.errors import ConfigError
from object_detection.exporter import checkpoints, directory, frozen
from object_detection.exporter.detection_graph import build_detection_graph
from object_detection.exporter.graph_inputs import Shape
from object_detection.exporter.side_inputs import parse_side_inputs
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_check, config_util, export_check


def export_inference_graph(
    input_type: str,
    pipeline_config: pipeline_pb2.TrainEvalPipelineConfig,
    trained_checkpoint_prefix: str,
    output_directory: str,
    input_shape: Shape | None = None,
    output_collection_name: str = "inference_op",
    additional_output_tensor_names: list[str] | None = None,
    write_inference_graph: bool = False,
    use_side_inputs: bool = False,
    side_input_shapes: str | None = None,
    side_input_names: str | None = None,
    side_input_types: str | None = None,
) -> None:
    """Writes the directory of an exported model.

    Args:
        input_type: `image_tensor`, `encoded_image_string_tensor` or `tf_example`.
        pipeline_config: config that the checkpoint was trained with.
        trained_checkpoint_prefix: path of the checkpoint without `.index`.
        output_directory: where to write; what is there under the same names is replaced, once
            everything has been made.
        input_shape: [batch, height, width, channels] with None for what is open, or None.
        output_collection_name: collection of the outputs.
        additional_output_tensor_names: further tensors that the frozen graph must keep.
        write_inference_graph: also write `inference_graph.pbtxt`, the graph before freezing.
        use_side_inputs: whether the model's `predict` takes further inputs.
        side_input_shapes: see `parse_side_inputs`.
        side_input_names: see `parse_side_inputs`.
        side_input_types: see `parse_side_inputs`.

    Raises:
        CheckpointError: the checkpoint is absent or lacks variables of the model.
        ConfigError: the config asks for something that cannot be exported.
    """
    shapes, names, types = (
        parse_side_inputs(side_input_shapes, side_input_names, side_input_types)
        if use_side_inputs
        else (None, None, None)
    )
    pipeline_config = config_util.completed(pipeline_config)
    _check(pipeline_config)
    model = model_builder.build(pipeline_config.model, is_training=False)
    hook = (
        graph_rewriter_builder.build(pipeline_config.graph_rewriter, is_training=False)
        if pipeline_config.HasField("graph_rewriter")
        else None
    )
    with (
        _graph_to_build_in().as_default() as graph,
        directory.appearing_whole(output_directory) as work,
    ):
        outputs, placeholders = build_detection_graph(
            input_type,
            model,
            input_shape,
            output_collection_name,
            hook,
            use_side_inputs,
            shapes,
            names,
            types,
            raw_detections=pipeline_config.export_config.raw_detections,
        )
        kept = _nodes_to_keep(graph, outputs, additional_output_tensor_names or [])
        source = trained_checkpoint_prefix
        if pipeline_config.eval_config.use_moving_averages:
            source = os.path.join(work, "averages")
            checkpoints.replace_variable_values_with_moving_averages(
                graph, trained_checkpoint_prefix, source
            )
        graph_def = checkpoints.save_and_freeze(
            graph, source, os.path.join(work, "model.ckpt"), kept
        )
        for leftover in os.listdir(work):
            if leftover.startswith("averages"):
                os.remove(os.path.join(work, leftover))
        if hook is None:
            # Quantised graphs go to converters, which look for the rounding where it was put.
            graph_def = frozen.for_inference(
                graph_def,
                kept,
                bfloat16=pipeline_config.export_config.compute_type
                == pipeline_pb2.ExportConfig.BFLOAT16,
            )
        directory.point_to_local_checkpoint(work)
        with open(os.path.join(work, "frozen_inference_graph.pb"), "wb") as file:
            file.write(graph_def.SerializeToString())
        directory.write_saved_model(
            os.path.join(work, "saved_model"), graph_def, placeholders, outputs
        )
        if write_inference_graph:
            plain = checkpoints.without_devices(graph.as_graph_def())
            tf.train.write_graph(plain, work, "inference_graph.pbtxt")
        saved = pipeline_pb2.TrainEvalPipelineConfig()
        saved.CopyFrom(pipeline_config)
        # The averages are the variables of the checkpoint that lies beside this config.
        saved.eval_config.use_moving_averages = False
        config_util.save_pipeline_config(saved, work)


def _check(pipeline_config: pipeline_pb2.TrainEvalPipelineConfig) -> None:
    """Refuses a config whose problems would show only in the middle of the work."""
    model = pipeline_config.model
    problems = list(config_check.code_size_problems(model.ssd)) if model.HasField("ssd") else []
    problems += export_check.export_problems(
        pipeline_config.export_config, model, quantized=pipeline_config.HasField("graph_rewriter")
    )
    if problems:
        raise ConfigError(" ".join(problems))


def _graph_to_build_in() -> tf.Graph:
    """The default graph if it is empty, because callers may look at it afterwards; else a new one."""
    default = tf.get_default_graph()
    return tf.Graph() if default.get_operations() else default


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
