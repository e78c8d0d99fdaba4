"""Reading, writing and taking apart pipeline configs. Needs no TensorFlow."""

import os
import re
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import Message

from object_detection.errors import ConfigError
from object_detection.protos import (
    eval_pb2,
    graph_rewriter_pb2,
    input_reader_pb2,
    model_pb2,
    pipeline_pb2,
    train_pb2,
)
from object_detection.utils import (
    config_overrides,
    config_text,
    crowd_config,
    files,
    keypoint_config,
    small_files,
    wording,
)

Configs = dict[str, Any]

# Changing single settings is a page of its own; users find it here.
check_and_parse_input_config_key = config_overrides.check_and_parse_input_config_key
update_input_reader_config = config_overrides.update_input_reader_config
merge_external_params_with_configs = config_overrides.merge_external_params_with_configs


class ConfigsOfFiles(dict[str, Any]):
    """Configs that know in which file and line each field stands."""

    def __init__(self, configs: Configs, places: config_text.Places) -> None:
        super().__init__(configs)
        self.places = places


def places_of(configs: Configs) -> config_text.Places:
    """Where the fields of configs stand; nowhere, if the configs come from no file."""
    return configs.places if isinstance(configs, ConfigsOfFiles) else config_text.Places()


def parse_text(
    text: str,
    message: Message,
    where: str,
    places: config_text.Places | None = None,
    prefix: str = "",
) -> Any:
    """Parses text format into `message`, which is returned.

    Args:
        text: in text format.
        message: what is set in it stays, unless the text sets it.
        where: the file, for messages.
        places: gets the line of each field.
        prefix: path of the message in the pipeline.

    Raises:
        ConfigError: with file, line, what was found and the nearest known name, of each mistake.
    """
    if places is None:
        places = config_text.Places()
    try:
        found = config_text.problems(text, message.DESCRIPTOR, where, places, prefix)
        if not found:
            return text_format.Merge(text, message)
    except RecursionError:
        found = [config_text.Problem(0, "messages within messages, too deep to be read.")]
    except text_format.ParseError as error:
        reason = re.sub(r"^\d+:\d+ : ", "", str(error))
        found = [config_text.Problem(error.GetLine() or 0, wording.shortened(reason))]
    raise ConfigError(config_text.in_words(found, where, "the text cannot be read"))


def read_text(path: str) -> str:
    """The text of a config's file.

    Raises:
        ConfigError: see `small_files.read_text`.
    """
    return small_files.read_text(path, "pipeline config")


def get_configs_from_pipeline_file(
    pipeline_config_path: str, config_override: str | Message | None = None
) -> Configs:
    """Reads a pipeline config.

    Args:
        pipeline_config_path: the file.
        config_override: text format or message merged over the file's.

    Returns:
        See `create_configs_from_pipeline_proto`.

    Raises:
        ConfigError: the file is absent or does not parse; with line and nearest known name.
    """
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    places = config_text.Places()
    parse_text(read_text(pipeline_config_path), pipeline, pipeline_config_path, places)
    if isinstance(config_override, str):
        parse_text(config_override, pipeline, "config_override", places)
    elif config_override is not None:
        pipeline.MergeFrom(config_override)
    return ConfigsOfFiles(_parts(completed(pipeline, pipeline_config_path, places)), places)


def completed(
    pipeline_config: Any, where: str = "", places: config_text.Places | None = None
) -> Any:
    """The config with all that follows from its `keypoints` and `max_boxes_per_image` set.

    Without them, and where no label map has keypoints for a model that is not told their number,
    nothing changes.

    Args:
        pipeline_config: `TrainEvalPipelineConfig` message; stays as it is.
        where: path of its file, if it has one.
        places: where its fields stand, for messages.

    Returns:
        The message itself if nothing is missing, else a copy.

    Raises:
        ConfigError: a field is set and contradicts them; both places are named.
    """
    filled = type(pipeline_config)()
    filled.CopyFrom(pipeline_config)
    try:
        problems = keypoint_config.complete(filled, os.path.dirname(where))
    except ConfigError as error:
        problems = [str(error)]
    problems += crowd_config.complete(filled)
    if problems:
        title = f"{where or 'pipeline config'}: the config cannot be used:"
        located = (places or config_text.Places()).located(problems)
        raise ConfigError("\n  ".join([title, *located]))
    return pipeline_config if filled == pipeline_config else filled


def create_configs_from_pipeline_proto(pipeline_config: Any) -> Configs:
    """The parts of a pipeline by name, completed.

    Returns:
        `model`, `train_config`, `train_input_config`, `eval_config`, `eval_input_configs`
        (repeated), `eval_input_config` (its first) and, where they are set,
        `graph_rewriter_config`, `keypoints`, `max_boxes_per_image` and `export_config`.

    Raises:
        ConfigError: see `completed`.
    """
    return _parts(completed(pipeline_config))


def _parts(pipeline_config: Any) -> Configs:
    configs = {
        "model": pipeline_config.model,
        "train_config": pipeline_config.train_config,
        "train_input_config": pipeline_config.train_input_reader,
        "eval_config": pipeline_config.eval_config,
        "eval_input_configs": pipeline_config.eval_input_reader,
    }
    if configs["eval_input_configs"]:
        configs["eval_input_config"] = configs["eval_input_configs"][0]
    if pipeline_config.HasField("graph_rewriter"):
        configs["graph_rewriter_config"] = pipeline_config.graph_rewriter
    if pipeline_config.HasField(keypoint_config.FIELD):
        configs[keypoint_config.FIELD] = pipeline_config.keypoints
    if pipeline_config.HasField(crowd_config.FIELD):
        configs[crowd_config.FIELD] = pipeline_config.max_boxes_per_image
    if pipeline_config.HasField("export_config"):
        configs["export_config"] = pipeline_config.export_config
    return configs


def create_pipeline_proto_from_configs(configs: Configs) -> Any:
    """The pipeline whose parts are `configs`; the inverse of taking it apart."""
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    pipeline.model.CopyFrom(configs["model"])
    if "train_config" in configs:
        pipeline.train_config.CopyFrom(configs["train_config"])
    if "train_input_config" in configs:
        pipeline.train_input_reader.CopyFrom(configs["train_input_config"])
    if "eval_config" in configs:
        pipeline.eval_config.CopyFrom(configs["eval_config"])
    pipeline.eval_input_reader.extend(configs.get("eval_input_configs", []))
    if "graph_rewriter_config" in configs:
        pipeline.graph_rewriter.CopyFrom(configs["graph_rewriter_config"])
    if keypoint_config.FIELD in configs:
        pipeline.keypoints.CopyFrom(configs[keypoint_config.FIELD])
    if crowd_config.FIELD in configs:
        pipeline.max_boxes_per_image = configs[crowd_config.FIELD]
    if "export_config" in configs:
        pipeline.export_config.CopyFrom(configs["export_config"])
    return pipeline


def save_pipeline_config(pipeline_config: Message, directory: str) -> None:
    """Writes `pipeline.config` into a directory, which is made; the file appears whole."""
    files.write_text(
        os.path.join(directory, "pipeline.config"), text_format.MessageToString(pipeline_config)
    )


def get_graph_rewriter_config_from_file(graph_rewriter_config_file: str) -> Any:
    """The `GraphRewriter` message of a file of its own."""
    return parse_text(
        read_text(graph_rewriter_config_file),
        graph_rewriter_pb2.GraphRewriter(),
        graph_rewriter_config_file,
    )


def get_configs_from_multiple_files(
    model_config_path: str = "",
    train_config_path: str = "",
    train_input_config_path: str = "",
    eval_config_path: str = "",
    eval_input_config_path: str = "",
    graph_rewriter_config_path: str = "",
) -> Configs:
    """Reads parts of a pipeline from files of their own; paths left empty are left out."""
    # Part, its name in the pipeline, file, message.
    parts: list[tuple[str, str, str, Any]] = [
        ("model", "model", model_config_path, model_pb2.DetectionModel()),
        ("train_config", "train_config", train_config_path, train_pb2.TrainConfig()),
        (
            "train_input_config",
            "train_input_reader",
            train_input_config_path,
            input_reader_pb2.InputReader(),
        ),
        ("eval_config", "eval_config", eval_config_path, eval_pb2.EvalConfig()),
        (
            "eval_input_configs",
            "eval_input_reader",
            eval_input_config_path,
            input_reader_pb2.InputReader(),
        ),
        (
            "graph_rewriter_config",
            "graph_rewriter",
            graph_rewriter_config_path,
            graph_rewriter_pb2.GraphRewriter(),
        ),
    ]
    places = config_text.Places()
    configs: Configs = {
        name: parse_text(read_text(path), message, path, places, field)
        for name, field, path, message in parts
        if path
    }
    if "eval_input_configs" in configs:
        configs["eval_input_config"] = configs["eval_input_configs"]
        configs["eval_input_configs"] = [configs["eval_input_config"]]
    if "model" not in configs:
        return ConfigsOfFiles(configs, places)
    # A label map may say what the parts leave out, and what it says belongs into a config of them.
    pipeline = create_pipeline_proto_from_configs(configs)
    whole = _parts(completed(pipeline, model_config_path, places))
    kept = {*configs, keypoint_config.FIELD} & set(whole)
    return ConfigsOfFiles({name: whole[name] for name in kept}, places)


def _meta_architecture(model_config: Any) -> Any:
    case = model_config.WhichOneof("model")
    if case is None:
        raise ConfigError("model: no architecture is set, such as ssd { ... }.")
    return getattr(model_config, case)


def get_image_resizer_config(model_config: Any) -> Any:
    """The `ImageResizer` message of a model."""
    config = _meta_architecture(model_config)
    if not hasattr(config, "image_resizer"):
        raise ConfigError(f"model.{model_config.WhichOneof('model')}: has no image_resizer.")
    return config.image_resizer


def _context_setting(model_config: Any, name: str) -> int | None:
    config = _meta_architecture(model_config)
    return int(getattr(config.context_config, name)) if hasattr(config, "context_config") else None


def get_max_num_context_features(model_config: Any) -> int | None:
    """Rows of context that a picture may bring; None for models without context."""
    return _context_setting(model_config, "max_num_context_features")


def get_context_feature_length(model_config: Any) -> int | None:
    """Length of each row of context; None for models without context."""
    return _context_setting(model_config, "context_feature_length")


def get_spatial_image_size(image_resizer_config: Any) -> list[int]:
    """[height, width] of the resized picture, -1 where it varies.

    Raises:
        ConfigError: no resizer, or one of unknown output.
    """
    case = image_resizer_config.WhichOneof("image_resizer_oneof")
    config: Any = getattr(image_resizer_config, case) if case else None
    if case == "fixed_shape_resizer":
        return [config.height, config.width]
    if case == "keep_aspect_ratio_resizer":
        square = config.pad_to_max_dimension or config.min_dimension == config.max_dimension
        return [config.max_dimension] * 2 if square else [-1, -1]
    if case in ("identity_resizer", "conditional_shape_resizer"):
        return [-1, -1]
    raise ConfigError(f"image_resizer: the size of {case or 'nothing'} is not known.")


def get_number_of_classes(model_config: Any) -> int:
    """`num_classes` of the model.

    Raises:
        ConfigError: the architecture has no such field.
    """
    config = _meta_architecture(model_config)
    if not hasattr(config, "num_classes"):
        raise ConfigError(
            f"model.{model_config.WhichOneof('model')}: has no num_classes; expected ssd or "
            "faster_rcnn."
        )
    return int(config.num_classes)


def get_optimizer_type(train_config: Any) -> str | None:
    """Name of the optimizer that is set."""
    return train_config.optimizer.WhichOneof("optimizer")


def get_learning_rate_type(optimizer_config: Any) -> str | None:
    """Name of the learning-rate schedule that is set."""
    return optimizer_config.learning_rate.WhichOneof("learning_rate")


def clear_fine_tune_checkpoint(pipeline_config_path: str, new_pipeline_config_path: str) -> None:
    """Writes a copy of a config without its `fine_tune_checkpoint`."""
    configs = get_configs_from_pipeline_file(pipeline_config_path)
    configs["train_config"].ClearField("fine_tune_checkpoint")
    configs["train_config"].load_all_detection_checkpoint_vars = False
    with open(new_pipeline_config_path, "w", encoding="utf-8") as file:
        file.write(text_format.MessageToString(create_pipeline_proto_from_configs(configs)))


def update_fine_tune_checkpoint_type(train_config: Any) -> None:
    """Sets `fine_tune_checkpoint_type` from the older boolean, if it is not set."""
    if not train_config.fine_tune_checkpoint_type:
        train_config.fine_tune_checkpoint_type = (
            "detection" if train_config.from_detection_checkpoint else "classification"
        )


def remove_unnecessary_ema(
    variables_to_restore: dict[str, Any], no_ema_collection: list[str] | None = None
) -> dict[str, Any]:
    """Restores by their own name the variables whose names hold one of the given parts."""
    suffix = "/ExponentialMovingAverage"
    return {
        (
            name.removesuffix(suffix)
            if any(part in name for part in no_ema_collection or [])
            else name
        ): variable
        for name, variable in variables_to_restore.items()
    }
