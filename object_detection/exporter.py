"""Turns a trained checkpoint into graphs for inference.

Axes: B images, D detections, K keypoints.

The directory holds `frozen_inference_graph.pb`, `saved_model/`, `model.ckpt.*` with `checkpoint`,
and `pipeline.config`; the tensors are `image_tensor:0` (or another input) and
`detection_{boxes,scores,classes,keypoints}:0`, `num_detections:0`.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.builders import decoder_builder, model_builder
from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.errors import CheckpointError, ConfigError
from object_detection.protos import input_reader_pb2, pipeline_pb2
from object_detection.registry import Table
from object_detection.utils import config_util, variables_helper

# The class ids of a label map start at 1; the model's classes start at 0.
LABEL_ID_OFFSET = 1

Detections = fields.DetectionResultFields
INPUTS = Table("input_type")


def _spatial_shape(input_shape: list[int | None] | None) -> list[int | None]:
    if input_shape is None:
        return [None, None, None, 3]
    if len(input_shape) != 4:
        raise ConfigError(
            f"input_shape should be 4 numbers (batch, height, width, 3), got {input_shape}; "
            "-1 stands for a size that is not known."
        )
    return input_shape


@INPUTS.entry("image_tensor")
def _image_tensor(input_shape: list[int | None] | None) -> tuple[tf.Tensor, tf.Tensor]:
    images = tf.placeholder(tf.uint8, _spatial_shape(input_shape), name="image_tensor")
    return images, images


def _decode_images(encoded: tf.Tensor, shape: list[int | None]) -> tf.Tensor:
    def decode(one: tf.Tensor) -> tf.Tensor:
        image = tf.image.decode_image(one, channels=3, expand_animations=False)
        image.set_shape([None, None, 3])
        return image

    images = tf.map_fn(decode, encoded, fn_output_signature=tf.uint8)
    images.set_shape(shape)
    return images


@INPUTS.entry("encoded_image_string_tensor")
def _encoded_image_string_tensor(
    input_shape: list[int | None] | None,
) -> tuple[tf.Tensor, tf.Tensor]:
    shape = _spatial_shape(input_shape)
    encoded = tf.placeholder(tf.string, [shape[0]], name="encoded_image_string_tensor")
    return encoded, _decode_images(encoded, shape)


@INPUTS.entry("tf_example")
def _tf_example(input_shape: list[int | None] | None) -> tuple[tf.Tensor, tf.Tensor]:
    shape = _spatial_shape(input_shape)
    serialized = tf.placeholder(tf.string, [shape[0]], name="tf_example")
    decoder = decoder_builder.build(
        input_reader_pb2.InputReader(tf_record_input_reader=input_reader_pb2.TFRecordInputReader())
    )

    def decode(one: tf.Tensor) -> tf.Tensor:
        image = decoder.decode(one)[fields.InputDataFields.image]
        image.set_shape([None, None, 3])
        return image

    images = tf.map_fn(decode, serialized, fn_output_signature=tf.uint8)
    images.set_shape(shape)
    return serialized, images


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
        Detections.detection_masks,
        Detections.detection_multiclass_scores,
        Detections.detection_anchor_indices,
        Detections.raw_detection_boxes,
        Detections.raw_detection_scores,
    )
    outputs = {}
    for name in kept:
        tensor = postprocessed_tensors.get(name)
        if tensor is None:
            continue
        tensor = tf.cast(tensor, tf.float32)
        if name == Detections.detection_classes:
            tensor += LABEL_ID_OFFSET
        outputs[name] = tf.identity(tensor, name=name)
        tf.add_to_collection(output_collection_name, outputs[name])
    return outputs


def build_detection_graph(
    input_type: str,
    detection_model: DetectionModel,
    input_shape: list[int | None] | None,
    output_collection_name: str,
    graph_hook_fn: Callable[[], None] | None,
    use_side_inputs: bool = False,
    side_input_shapes: Any = None,
    side_input_names: Any = None,
    side_input_types: Any = None,
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Adds input, network and outputs to the default graph.

    Args:
        input_type: `image_tensor`, `encoded_image_string_tensor` or `tf_example`.
        detection_model: the model, built for inference.
        input_shape: [batch, height, width, channels] with None for what is open, or None.
        output_collection_name: collection that gets the outputs.
        graph_hook_fn: called when the graph stands, or None.
        use_side_inputs: not available; must be False.
        side_input_shapes: not available.
        side_input_names: not available.
        side_input_types: not available.

    Returns:
        The outputs by name, and the input placeholder.

    Raises:
        ConfigError: unknown input type, or side inputs asked for.
    """
    del side_input_shapes, side_input_names, side_input_types
    if use_side_inputs:
        raise ConfigError("use_side_inputs: no model here takes side inputs; leave the flag out.")
    placeholder, images = INPUTS[input_type](input_shape)
    inputs, true_shapes = detection_model.preprocess(tf.cast(images, tf.float32))
    detections = detection_model.postprocess(
        detection_model.predict(inputs, true_shapes), true_shapes
    )
    outputs = add_output_tensor_nodes(detections, output_collection_name)
    if graph_hook_fn:
        graph_hook_fn()
    return outputs, placeholder


def replace_variable_values_with_moving_averages(
    graph: tf.Graph,
    current_checkpoint_file: str,
    new_checkpoint_file: str,
    no_ema_collection: list[str] | None = None,
) -> None:
    """Writes a checkpoint whose variables hold their moving averages.

    Args:
        graph: the inference graph, with variables under their own names.
        current_checkpoint_file: checkpoint with `<variable>/ExponentialMovingAverage` entries.
        new_checkpoint_file: prefix of the checkpoint to write.
        no_ema_collection: parts of names of variables that have no moving average.

    Raises:
        CheckpointError: the checkpoint holds no moving averages.
    """
    with graph.as_default():
        averages = tf.train.ExponentialMovingAverage(0.0).variables_to_restore()
        averages = config_util.remove_unnecessary_ema(averages, no_ema_collection)
        match = variables_helper.match_checkpoint(averages, current_checkpoint_file)
        if not any("ExponentialMovingAverage" in name for name in match.restorable):
            raise CheckpointError(
                f"{current_checkpoint_file}: holds no moving averages, but "
                "eval_config.use_moving_averages is set. Train with "
                "optimizer.use_moving_average, or turn the option off."
            )
        with tf.Session() as session:
            tf.train.Saver(match.restorable).restore(session, current_checkpoint_file)
            tf.train.Saver().save(session, new_checkpoint_file, write_meta_graph=False)


def write_saved_model(
    saved_model_path: str,
    frozen_graph_def: tf.GraphDef,
    inputs: tf.Tensor,
    outputs: dict[str, tf.Tensor],
) -> None:
    """Writes a SavedModel of a frozen graph, with signature `serving_default`.

    Args:
        saved_model_path: directory to make.
        frozen_graph_def: graph without variables.
        inputs: input tensor; the signature calls it `inputs`.
        outputs: name -> output tensor.
    """
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.import_graph_def(frozen_graph_def, name="")
        signature = tf.saved_model.signature_def_utils.build_signature_def(
            inputs={
                "inputs": tf.saved_model.utils.build_tensor_info(
                    graph.get_tensor_by_name(inputs.name)
                )
            },
            outputs={
                name: tf.saved_model.utils.build_tensor_info(graph.get_tensor_by_name(tensor.name))
                for name, tensor in outputs.items()
            },
            method_name=tf.saved_model.signature_constants.PREDICT_METHOD_NAME,
        )
        builder = tf.saved_model.builder.SavedModelBuilder(saved_model_path)
        builder.add_meta_graph_and_variables(
            session,
            [tf.saved_model.tag_constants.SERVING],
            signature_def_map={
                tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature
            },
        )
        builder.save()


@contextlib.contextmanager
def _appearing_whole(directory: str) -> Iterator[str]:
    """Gives an empty folder whose contents move into `directory` when all went well."""
    parent = os.path.dirname(os.path.abspath(directory))
    os.makedirs(parent, exist_ok=True)
    work = tempfile.mkdtemp(prefix=f".{os.path.basename(os.path.abspath(directory))}-", dir=parent)
    try:
        yield work
        os.makedirs(directory, exist_ok=True)
        for name in sorted(os.listdir(work)):
            target = os.path.join(directory, name)
            if os.path.isdir(target):
                shutil.rmtree(target)
            os.replace(os.path.join(work, name), target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def export_inference_graph(
    input_type: str,
    pipeline_config: pipeline_pb2.TrainEvalPipelineConfig,
    trained_checkpoint_prefix: str,
    output_directory: str,
    input_shape: list[int | None] | None = None,
    output_collection_name: str = "inference_op",
    additional_output_tensor_names: list[str] | None = None,
    write_inference_graph: bool = False,
    use_side_inputs: bool = False,
    side_input_shapes: Any = None,
    side_input_names: Any = None,
    side_input_types: Any = None,
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
        use_side_inputs: not available; must be False.
        side_input_shapes: not available.
        side_input_names: not available.
        side_input_types: not available.

    Raises:
        CheckpointError: the checkpoint is absent or lacks variables of the model.
        ConfigError: the config asks for something that cannot be exported.
    """
    model = model_builder.build(pipeline_config.model, is_training=False, add_summaries=False)
    with tf.Graph().as_default() as graph:
        outputs, placeholder = build_detection_graph(
            input_type,
            model,
            input_shape,
            output_collection_name,
            None,
            use_side_inputs,
            side_input_shapes,
            side_input_names,
            side_input_types,
        )
        names = [tensor.op.name for tensor in outputs.values()]
        names += [name.split(":")[0] for name in additional_output_tensor_names or []]
        known = {operation.name for operation in graph.get_operations()}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ConfigError(f"additional_output_tensor_names: not in the graph: {unknown}.")
        with _appearing_whole(output_directory) as work:
            source = trained_checkpoint_prefix
            if pipeline_config.eval_config.use_moving_averages:
                source = os.path.join(work, "averages")
                replace_variable_values_with_moving_averages(
                    graph, trained_checkpoint_prefix, source
                )
            variables = tf.global_variables()
            match = variables_helper.match_checkpoint(variables, source)
            if match.missing or match.other_shape:
                raise CheckpointError(
                    "The checkpoint does not fit the config's model.\n" + match.report(source)
                )
            saver = tf.train.Saver(variables)
            with tf.Session() as session:
                saver.restore(session, source)
                saver.save(
                    session,
                    os.path.join(work, "model.ckpt"),
                    latest_filename="checkpoint",
                    write_meta_graph=True,
                )
                frozen = tf.graph_util.convert_variables_to_constants(
                    session, graph.as_graph_def(), names
                )
            for leftover in os.listdir(work):
                if leftover.startswith("averages"):
                    os.remove(os.path.join(work, leftover))
            _point_to_local_checkpoint(work)
            with open(os.path.join(work, "frozen_inference_graph.pb"), "wb") as file:
                file.write(frozen.SerializeToString())
            write_saved_model(os.path.join(work, "saved_model"), frozen, placeholder, outputs)
            if write_inference_graph:
                tf.train.write_graph(graph.as_graph_def(), work, "inference_graph.pbtxt")
            config_util.save_pipeline_config(pipeline_config, work)


def _point_to_local_checkpoint(directory: str) -> None:
    """The pointer file names model.ckpt beside it, so that the folder can be moved."""
    with open(os.path.join(directory, "checkpoint"), "w", encoding="utf-8") as file:
        file.write(
            'model_checkpoint_path: "model.ckpt"\nall_model_checkpoint_paths: "model.ckpt"\n'
        )
