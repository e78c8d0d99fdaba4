"""Turns a trained checkpoint into graphs for inference.

Axes: B images, D detections, K keypoints.

The directory holds `frozen_inference_graph.pb`, `saved_model/`, `model.ckpt.*` with `checkpoint`,
and `pipeline.config`; the tensors are `image_tensor:0` (or another input) and
`detection_{boxes,scores,classes,keypoints}:0`, `num_detections:0`.
"""

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.builders import decoder_builder, graph_rewriter_builder, model_builder
from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.errors import CheckpointError, ConfigError
from object_detection.protos import input_reader_pb2, pipeline_pb2
from object_detection.registry import Table
from object_detection.utils import config_check, config_util, graph_edits, variables_helper

logger = logging.getLogger(__name__)

# The class ids of a label map start at 1; the model's classes start at 0.
LABEL_ID_OFFSET = 1

Detections = fields.DetectionResultFields
Shape = Sequence[int | None]
INPUTS = Table("input_type")

_SIDE_INPUT_TYPES = {"float": tf.float32, "int": tf.int32, "string": tf.string}


def parse_side_inputs(
    side_input_shapes_string: str | None,
    side_input_names_string: str | None,
    side_input_types_string: str | None,
) -> tuple[list[list[int | None]], list[str], list[tf.DType]]:
    """Shapes, names and types of side inputs from the text of flags.

    Args:
        side_input_shapes_string: sizes by commas, inputs by slashes, -1 for an open size:
            "1,-1/8".
        side_input_names_string: names by commas.
        side_input_types_string: by commas, each float, int, string or a TensorFlow type.

    Raises:
        ConfigError: one of them is empty or cannot be read, or they differ in number.
    """
    for name, text in (
        ("side_input_shapes", side_input_shapes_string),
        ("side_input_names", side_input_names_string),
        ("side_input_types", side_input_types_string),
    ):
        if not text:
            raise ConfigError(f"{name} must be given when side inputs are used.")
    try:
        shapes = [
            [None if int(size) == -1 else int(size) for size in shape.split(",")]
            for shape in str(side_input_shapes_string).split("/")
        ]
    except ValueError as error:
        raise ConfigError(
            f"side_input_shapes is {side_input_shapes_string!r}; give whole numbers by commas, and "
            "a slash between the inputs."
        ) from error
    names = str(side_input_names_string).split(",")
    types = [_side_input_type(name) for name in str(side_input_types_string).split(",")]
    if not len(shapes) == len(names) == len(types):
        raise ConfigError(
            f"Side inputs: {len(shapes)} shapes, {len(names)} names, {len(types)} types; give as "
            "many of each."
        )
    return shapes, names, types


def _side_input_type(name: str) -> tf.DType:
    plain = name.strip().removeprefix("tf.")
    try:
        return _SIDE_INPUT_TYPES.get(plain) or tf.as_dtype(plain)
    except TypeError as error:
        raise ConfigError(
            f"side_input_types: {name!r} is no type; use float, int, string or one of TensorFlow."
        ) from error


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


def _spatial_shape(input_shape: Shape | None) -> list[int | None]:
    if input_shape is None:
        return [None, None, None, 3]
    if len(input_shape) != 4:
        raise ConfigError(
            f"input_shape should be 4 numbers (batch, height, width, 3), got {input_shape}; "
            "-1 stands for a size that is not known."
        )
    return list(input_shape)


@INPUTS.entry("image_tensor")
def _image_tensor(input_shape: Shape | None) -> tuple[tf.Tensor, tf.Tensor]:
    images = tf.placeholder(tf.uint8, _spatial_shape(input_shape), name="image_tensor")
    return images, images


def _decode_images(encoded: tf.Tensor, shape: Shape) -> tf.Tensor:
    def decode(one: tf.Tensor) -> tf.Tensor:
        image = tf.image.decode_image(one, channels=3, expand_animations=False)
        image.set_shape([None, None, 3])
        return image

    images = tf.map_fn(decode, encoded, fn_output_signature=tf.uint8)
    images.set_shape(shape)
    return images


@INPUTS.entry("encoded_image_string_tensor")
def _encoded_image_string_tensor(
    input_shape: Shape | None,
) -> tuple[tf.Tensor, tf.Tensor]:
    shape = _spatial_shape(input_shape)
    encoded = tf.placeholder(tf.string, [shape[0]], name="encoded_image_string_tensor")
    return encoded, _decode_images(encoded, shape)


@INPUTS.entry("tf_example")
def _tf_example(input_shape: Shape | None) -> tuple[tf.Tensor, tf.Tensor]:
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
        Detections.detection_keypoint_depths,
        Detections.detection_masks,
        Detections.detection_features,
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
    input_shape: Shape | None,
    output_collection_name: str,
    graph_hook_fn: Callable[[], None] | None,
    use_side_inputs: bool = False,
    side_input_shapes: Sequence[Shape] | None = None,
    side_input_names: Sequence[str] | None = None,
    side_input_types: Sequence[tf.DType] | None = None,
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
    inputs, true_shapes = detection_model.preprocess(tf.cast(images, tf.float32))
    detections = detection_model.postprocess(
        detection_model.predict(inputs, true_shapes, **side_inputs), true_shapes
    )
    outputs = add_output_tensor_nodes(detections, output_collection_name)
    tf.train.get_or_create_global_step()
    if graph_hook_fn:
        graph_hook_fn()
    return outputs, {"inputs": placeholder, **side_inputs}


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
        CheckpointError: the checkpoint holds no moving averages, or lacks variables.
    """
    with graph.as_default():
        averages = tf.train.ExponentialMovingAverage(0.0).variables_to_restore()
        averages = config_util.remove_unnecessary_ema(averages, no_ema_collection)
        match = variables_helper.match_checkpoint(
            variables_helper.averages_or_values(averages, current_checkpoint_file),
            current_checkpoint_file,
        )
        if not any("ExponentialMovingAverage" in name for name in match.restorable):
            raise CheckpointError(
                f"{current_checkpoint_file}: holds no moving averages, but "
                "eval_config.use_moving_averages is set. Train with "
                "optimizer.use_moving_average, or turn the option off."
            )
        with tf.Session() as session:
            _restore(session, match, current_checkpoint_file)
            tf.train.Saver().save(session, new_checkpoint_file, write_meta_graph=False)


def _restore(session: tf.Session, match: variables_helper.CheckpointMatch, checkpoint: str) -> None:
    """Restores all variables; only the global step may be absent, and counts from 0 then.

    Raises:
        CheckpointError: a variable is missing, or has another shape.
    """
    missing = [name for name in match.missing if name != tf.GraphKeys.GLOBAL_STEP]
    if missing or match.other_shape:
        raise CheckpointError(
            "The checkpoint does not fit the config's model.\n" + match.misfit(checkpoint)
        )
    if match.missing:
        session.run(tf.train.get_global_step().initializer)
    variables_helper.restore_whole(tf.train.Saver(match.restorable), session, checkpoint)


def write_saved_model(
    saved_model_path: str,
    frozen_graph_def: tf.GraphDef,
    inputs: tf.Tensor | dict[str, tf.Tensor],
    outputs: dict[str, tf.Tensor],
) -> None:
    """Writes a SavedModel of a frozen graph, with signature `serving_default`.

    Args:
        saved_model_path: directory to make.
        frozen_graph_def: graph without variables.
        inputs: name -> input tensor, or one tensor, which the signature then calls `inputs`.
        outputs: name -> output tensor.
    """
    named = inputs if isinstance(inputs, dict) else {"inputs": inputs}
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.import_graph_def(frozen_graph_def, name="")

        def describe(tensors: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            return {
                name: tf.saved_model.utils.build_tensor_info(graph.get_tensor_by_name(tensor.name))
                for name, tensor in tensors.items()
            }

        signature = tf.saved_model.signature_def_utils.build_signature_def(
            inputs=describe(named),
            outputs=describe(outputs),
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


def write_graph_and_checkpoint(
    inference_graph_def: tf.GraphDef,
    model_path: str,
    input_saver_def: tf.train.SaverDef,
    trained_checkpoint_prefix: str,
) -> None:
    """Writes a checkpoint with its meta graph, which no device and no training binds.

    Args:
        inference_graph_def: graph with the variables.
        model_path: prefix of the checkpoint to write.
        input_saver_def: of a saver of that graph.
        trained_checkpoint_prefix: checkpoint to restore from.
    """
    with tf.Graph().as_default():
        tf.import_graph_def(_without_devices(inference_graph_def), name="")
        with tf.Session() as session:
            saver = tf.train.Saver(saver_def=input_saver_def, save_relative_paths=True)
            saver.restore(session, trained_checkpoint_prefix)
            saver.save(session, model_path)


def _without_devices(graph_def: tf.GraphDef) -> tf.GraphDef:
    plain = tf.GraphDef()
    plain.CopyFrom(graph_def)
    for node in plain.node:
        node.device = ""
    return plain


class Profile(NamedTuple):
    """Size of a graph and work of one run."""

    num_parameters: int  # of trainable variables, without those of batch normalisation
    num_float_operations: int  # where shapes are known


def profile_inference_graph(graph: tf.Graph) -> Profile:
    """Counts parameters and floating-point operations of a graph, and logs both.

    Batch normalisation does not count: it disappears in the weights before it. Operations whose
    shapes are open count as nothing, so build the graph with a full `input_shape`.
    """
    options = tf.profiler.ProfileOptionBuilder
    parameters = tf.profiler.profile(
        graph,
        options=options(options.trainable_variables_parameter())
        .with_node_names(hide_name_regexes=[".*BatchNorm.*"])
        .with_empty_output()
        .build(),
    )
    operations = tf.profiler.profile(
        graph,
        options=options(options.float_operation())
        .with_node_names(
            hide_name_regexes=[
                ".*BatchNorm.*",
                ".*Initializer.*",
                ".*Regularizer.*",
                ".*BiasAdd.*",
            ]
        )
        .with_empty_output()
        .build(),
    )
    profile = Profile(int(parameters.total_parameters), int(operations.total_float_ops))
    logger.info("%d parameters, %d floating-point operations", *profile)
    return profile


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
    if pipeline_config.model.HasField("ssd"):
        problems = list(config_check.code_size_problems(pipeline_config.model.ssd))
        if problems:
            raise ConfigError(" ".join(problems))
    model = model_builder.build(pipeline_config.model, is_training=False)
    hook = (
        graph_rewriter_builder.build(pipeline_config.graph_rewriter, is_training=False)
        if pipeline_config.HasField("graph_rewriter")
        else None
    )
    with _graph_to_build_in().as_default() as graph, _appearing_whole(output_directory) as work:
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
        )
        kept = _nodes_to_keep(graph, outputs, additional_output_tensor_names or [])
        source = trained_checkpoint_prefix
        if pipeline_config.eval_config.use_moving_averages:
            source = os.path.join(work, "averages")
            replace_variable_values_with_moving_averages(graph, trained_checkpoint_prefix, source)
        frozen = _save_and_freeze(graph, source, os.path.join(work, "model.ckpt"), kept)
        for leftover in os.listdir(work):
            if leftover.startswith("averages"):
                os.remove(os.path.join(work, leftover))
        _point_to_local_checkpoint(work)
        with open(os.path.join(work, "frozen_inference_graph.pb"), "wb") as file:
            file.write(frozen.SerializeToString())
        write_saved_model(os.path.join(work, "saved_model"), frozen, placeholders, outputs)
        if write_inference_graph:
            plain = _without_devices(graph.as_graph_def())
            tf.train.write_graph(plain, work, "inference_graph.pbtxt")
        saved = pipeline_pb2.TrainEvalPipelineConfig()
        saved.CopyFrom(pipeline_config)
        # The averages are the variables of the checkpoint that lies beside this config.
        saved.eval_config.use_moving_averages = False
        config_util.save_pipeline_config(saved, work)


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


def _save_and_freeze(
    graph: tf.Graph, checkpoint: str, model_path: str, nodes: list[str]
) -> tf.GraphDef:
    """Restores the graph's variables, saves them anew, and gives the graph with constants."""
    variables = tf.global_variables()
    match = variables_helper.match_checkpoint(variables, checkpoint)
    with tf.Session() as session:
        _restore(session, match, checkpoint)
        tf.train.Saver(variables).save(
            session, model_path, latest_filename="checkpoint", write_meta_graph=True
        )
        frozen: tf.GraphDef = tf.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), nodes
        )
    return frozen


def _point_to_local_checkpoint(directory: str) -> None:
    """The pointer file names model.ckpt beside it, so that the folder can be moved."""
    with open(os.path.join(directory, "checkpoint"), "w", encoding="utf-8") as file:
        file.write(
            'model_checkpoint_path: "model.ckpt"\nall_model_checkpoint_paths: "model.ckpt"\n'
        )
