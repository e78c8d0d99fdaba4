"""One call from checkpoint and config to the directory of an exported model."""

import logging
import os
from collections.abc import Sequence

import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError
from object_detection.exporter import (
    check_pictures,
    checkpoints,
    directory,
    frozen,
    network,
    provenance,
    running_graphs,
    verification,
)
from object_detection.exporter.graph_inputs import Shape
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_check, config_util, export_manifest
from object_detection.utils.config_check import export_check

logger = logging.getLogger(__name__)

_CHECKPOINT = "model.ckpt"


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
    *,
    check: bool = True,
    check_images: Sequence[str] = (),
) -> verification.Report | None:
    """Writes the directory of an exported model, and compares it with the checkpoint.

    Args:
        input_type: `image_tensor`, `encoded_image_string_tensor` or `tf_example`.
        pipeline_config: config that the checkpoint was trained with.
        trained_checkpoint_prefix: path of the checkpoint without `.index`.
        output_directory: where to write; what is there under the same names is replaced, once
            everything has been made and compared.
        input_shape: [batch, height, width, channels] with None for what is open, or None.
        output_collection_name: collection of the outputs.
        additional_output_tensor_names: further tensors that the frozen graph must keep.
        write_inference_graph: also write `inference_graph.pbtxt`, the graph before freezing.
        use_side_inputs: whether the model's `predict` takes further inputs.
        side_input_shapes: see `parse_side_inputs`.
        side_input_names: see `parse_side_inputs`.
        side_input_types: see `parse_side_inputs`.
        check: whether to compare what was written with the checkpoint.
        check_images: pictures to compare on, or patterns of their names; none for drawn ones.

    Returns:
        What the check saw; None without a check.

    Raises:
        CheckpointError: the checkpoint is absent, lacks variables of the model, or gives numbers
            that are not finite.
        ConfigError: the config asks for something that cannot be exported.
        ExportError: what was made does not give what the checkpoint gives.
    """
    options = network.Options(
        input_type,
        None if input_shape is None else list(input_shape),
        additional_output_tensor_names or (),
        *((side_input_shapes, side_input_names or "", side_input_types) if use_side_inputs else ()),
    )
    options.side_inputs()
    pictures = check_pictures.of_files(check_images) if check_images else check_pictures.drawn()
    pipeline_config = config_util.completed(pipeline_config)
    _check(pipeline_config)
    averages = pipeline_config.eval_config.use_moving_averages
    with (
        _graph_to_build_in().as_default() as graph,
        directory.appearing_whole(output_directory) as work,
    ):
        built = network.build(pipeline_config, options, output_collection_name)
        _write(built, pipeline_config, trained_checkpoint_prefix, work)
        if write_inference_graph:
            plain = checkpoints.without_devices(graph.as_graph_def())
            tf.train.write_graph(plain, work, "inference_graph.pbtxt")
        report = None
        if check:
            report = compare_with_checkpoint(
                built, pipeline_config, trained_checkpoint_prefix, averages, work, pictures
            )
        else:
            logger.warning("%s: is not compared with its checkpoint.", output_directory)
        provenance.write_manifest(
            work,
            checkpoint=trained_checkpoint_prefix,
            moving_averages=averages,
            options=options.as_json(),
            check=None if report is None else report.as_json(),
        )
    return report


def _write(
    built: network.Network,
    pipeline_config: pipeline_pb2.TrainEvalPipelineConfig,
    checkpoint: str,
    work: str,
) -> None:
    """Checkpoint, frozen graph, SavedModel and config."""
    source = checkpoint
    if pipeline_config.eval_config.use_moving_averages:
        source = os.path.join(work, "averages")
        checkpoints.replace_variable_values_with_moving_averages(built.graph, checkpoint, source)
    graph_def = checkpoints.save_and_freeze(
        built.graph, source, os.path.join(work, _CHECKPOINT), built.kept
    )
    for leftover in os.listdir(work):
        if leftover.startswith("averages"):
            os.remove(os.path.join(work, leftover))
    if not built.is_quantized:
        # Quantised graphs go to converters, which look for the rounding where it was put.
        graph_def = frozen.for_inference(
            graph_def, built.kept, bfloat16=_is_bfloat16(pipeline_config)
        )
    directory.point_to_local_checkpoint(work)
    with open(os.path.join(work, export_manifest.FROZEN_GRAPH), "wb") as file:
        file.write(graph_def.SerializeToString())
    directory.write_saved_model(
        os.path.join(work, running_graphs.SAVED_MODEL), graph_def, built.placeholders, built.outputs
    )
    saved = pipeline_pb2.TrainEvalPipelineConfig()
    saved.CopyFrom(pipeline_config)
    # The averages are the variables of the checkpoint that lies beside this config.
    saved.eval_config.use_moving_averages = False
    config_util.save_pipeline_config(saved, work)


def compare_with_checkpoint(
    built: network.Network,
    pipeline_config: pipeline_pb2.TrainEvalPipelineConfig,
    checkpoint: str,
    moving_averages: bool,
    exported: str,
    pictures: check_pictures.Pictures,
) -> verification.Report:
    """Compares all that an export holds with the network of a checkpoint.

    Args:
        built: the network.
        pipeline_config: from which it was built.
        checkpoint: prefix.
        moving_averages: whether its averages were exported.
        exported: directory of the export.
        pictures: to compare on.

    Raises:
        CheckpointError: the checkpoint does not fit, or an exported file cannot be read.
        ExportError: something differs.
    """
    with checkpoints.restored(built.graph, checkpoint, moving_averages) as session:
        checkpoints.compare_values(session, os.path.join(exported, _CHECKPOINT), checkpoint)
        return verification.compare(
            session,
            checkpoint,
            exported,
            built.compared(),
            built.fed,
            pictures,
            bfloat16=_is_bfloat16(pipeline_config),
        )


def _is_bfloat16(pipeline_config: pipeline_pb2.TrainEvalPipelineConfig) -> bool:
    return bool(pipeline_config.export_config.compute_type == pipeline_pb2.ExportConfig.BFLOAT16)


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
