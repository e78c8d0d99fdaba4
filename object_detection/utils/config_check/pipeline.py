"""Joins the checks of all parts of a config.

All problems are reported together. Each begins with the path of a field, and of a config from a
file the message has the line, too.
"""

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from object_detection.errors import ConfigError
from object_detection.protos import train_pb2
from object_detection.utils import config_text, config_util, jpeg_scaling, small_files
from object_detection.utils.config_check import (
    augmentation_check,
    config_ranges,
    evaluation_check,
    export_check,
    model_check,
    reader_check,
    training_check,
)
from object_detection.utils.wording import shortened

# More would not fit on a screen.
_MOST_PROBLEMS = 20


def checkpoint_problems(prefix: str) -> Iterator[str]:
    """Why a checkpoint to start from cannot be read.

    Args:
        prefix: path of its files without `.index` and the like.
    """
    field = "train_config.fine_tune_checkpoint"
    shown = shortened(prefix)
    for ending in (".index", ".meta", ".data-00000-of-00001"):
        stem = prefix.removesuffix(ending)
        if stem != prefix and os.path.isfile(f"{stem}.index"):
            yield f"{field}: is a file of a checkpoint; write {shortened(stem)}, without {ending}."
            return
    if "://" in prefix or os.path.isfile(prefix):
        return  # another file system; or a checkpoint in the older format of one file
    index = f"{prefix}.index"
    if os.path.isfile(index):
        if not glob.glob(f"{glob.escape(prefix)}.data-?????-of-?????"):
            yield f"{field}: there is {shown}.index, but no {shown}.data-00000-of-00001 beside it."
        return
    if os.path.isdir(prefix):
        inside = sorted(glob.glob(os.path.join(glob.escape(prefix), "*.index")))
        such = f", such as {shortened(inside[-1].removesuffix('.index'))}" if inside else ""
        yield f"{field}: {shown} is a folder; give the prefix of a checkpoint{such}."
        return
    yield f"{field}: there is no {shown}.index.{small_files.near_names(index)}"


def _bfloat16_problems(
    train: Any, meta_architecture: Any, configs: Mapping[str, Any]
) -> Iterator[str]:
    if not train.use_bfloat16:
        return
    if meta_architecture.DESCRIPTOR.name != "Ssd":
        yield "train_config.use_bfloat16: only models of model.ssd have it; leave it out."
    if "graph_rewriter_config" in configs:
        yield (
            "train_config.use_bfloat16: excludes graph_rewriter, whose quantisation imitates 8 bits "
            "in float32; set one of the two."
        )


def _training_problems(train: Any, ssd: Any) -> Iterator[str]:
    where = "train_config.optimizer"
    case = train.optimizer.WhichOneof("optimizer")
    if not case:
        yield f"{where}: {model_check.nothing_is_set(train.optimizer, 'optimizer')}"
    else:
        rate = getattr(train.optimizer, case).learning_rate
        if not rate.WhichOneof("learning_rate"):
            yield (
                f"{where}.{case}.learning_rate: {model_check.nothing_is_set(rate, 'learning_rate')}"
            )
    for index, step in enumerate(train.data_augmentation_options):
        if not step.WhichOneof("preprocessing_step"):
            yield (
                f"train_config.data_augmentation_options[{index}]: "
                f"{model_check.nothing_is_set(step, 'preprocessing_step')}"
            )
    if train.fine_tune_checkpoint_version == train_pb2.V2:
        yield (
            "train_config.fine_tune_checkpoint_version: is V2, a checkpoint of objects; only V1, a "
            "checkpoint of named variables, can be restored."
        )
    if train.merge_multiple_label_boxes and train.use_multiclass_scores:
        yield (
            "train_config.merge_multiple_label_boxes: excludes use_multiclass_scores; set one of "
            "them."
        )
    yield from _permutation_problems(train, model_check.num_keypoints(ssd))
    if train.fine_tune_checkpoint:
        yield from checkpoint_problems(train.fine_tune_checkpoint)


def _permutation_problems(train: Any, keypoints: int) -> Iterator[str]:
    """Augmentations that change which keypoint is which, and how they say it."""
    for index, step in enumerate(train.data_augmentation_options):
        case = step.WhichOneof("preprocessing_step")
        if not case or not keypoints:
            continue
        where = f"train_config.data_augmentation_options[{index}].{case}"
        settings = getattr(step, case)
        flip = getattr(settings, "keypoint_flip_permutation", None)
        if flip is not None:
            yield from _flip_problems(list(flip), f"{where}.keypoint_flip_permutation", keypoints)
        turn = list(getattr(settings, "keypoint_rot_permutation", ()))
        if turn and sorted(turn) != list(range(keypoints)):
            yield (
                f"{where}.keypoint_rot_permutation: {turn} should hold each of 0..{keypoints - 1} "
                "once."
            )


def _flip_problems(permutation: list[int], field: str, keypoints: int) -> Iterator[str]:
    if not permutation:
        yield (
            f"{field}: is not set. A flip makes the left eye the right one: name the set in "
            f"keypoints.schema, or give for each of the {keypoints} keypoints the number of its "
            "mirror partner."
        )
    elif sorted(permutation) != list(range(keypoints)):
        yield f"{field}: {permutation} should hold each of 0..{keypoints - 1} once."
    elif any(permutation[p] != i for i, p in enumerate(permutation)):
        yield f"{field}: {permutation} does not pair the keypoints: partners name each other."


def _batch_problems(train: Any, model: Any) -> Iterator[str]:
    resizer = config_util.get_image_resizer_config(model)
    case = resizer.WhichOneof("image_resizer_oneof")
    if not case:
        return  # said elsewhere
    try:
        varies = -1 in config_util.get_spatial_image_size(resizer)
    except ConfigError as error:
        yield f"model.{model.WhichOneof('model')}.image_resizer.{case}: {error}"
        return
    if varies and train.batch_size > 1:
        yield (
            f"train_config.batch_size: is {train.batch_size}, but the image resizer gives pictures of "
            "different sizes. Use fixed_shape_resizer, or keep_aspect_ratio_resizer with "
            "pad_to_max_dimension: true."
        )


def _scores_problems(train: Any, reader: Any) -> Iterator[str]:
    if train.use_multiclass_scores and not reader.load_multiclass_scores:
        yield (
            "train_config.use_multiclass_scores: needs train_input_reader.load_multiclass_scores: "
            "true."
        )


def _eval_reader_names(readers: Sequence[Any]) -> list[str]:
    """Paths of the readers in the pipeline; the only one goes without a number."""
    if len(readers) == 1:
        return ["eval_input_reader"]
    return [f"eval_input_reader[{number}]" for number in range(len(readers))]


def _for_training(configs: dict[str, Any], architecture: Any) -> Iterator[str]:
    train, model, reader = configs["train_config"], configs["model"], configs["train_input_config"]
    yield from _training_problems(train, architecture)
    yield from _bfloat16_problems(train, architecture, configs)
    yield from training_check.optimizer_problems(train)
    yield from training_check.evaluation_problems(train, configs)
    yield from augmentation_check.augmentation_problems(
        train.data_augmentation_options, model, reader
    )
    yield from jpeg_scaling.problems(train, model, reader)
    yield from reader_check.problems(reader, "train_input_reader", model)
    yield from _batch_problems(train, model)
    yield from _scores_problems(train, reader)
    yield from config_ranges.problems(train, "train_config")


def _for_evaluation(configs: dict[str, Any], on_training_data: bool) -> Iterator[str]:
    model = configs["model"]
    if on_training_data:
        readers, names = [configs["train_input_config"]], ["train_input_reader"]
    else:
        readers = list(configs.get("eval_input_configs") or [])
        names = _eval_reader_names(readers)
    yield from evaluation_check.problems(configs["eval_config"], readers, names)
    if model.WhichOneof("model") == "faster_rcnn" and model.faster_rcnn.number_of_stages == 1:
        yield (
            "model.faster_rcnn.number_of_stages: is 1; proposals have no classes to be evaluated."
        )
    if not readers:
        yield "eval_input_reader: is not set."
    for reader, name in zip(readers, names, strict=True):
        yield from reader_check.problems(reader, name, model)
        if reader.fast_jpeg_scaling and not on_training_data:
            yield f"{name}.fast_jpeg_scaling: is of training only; leave it out."
        yield from config_ranges.problems(reader, name)
    if len(readers) > 1:
        own = [reader.name or f"reader_{number}" for number, reader in enumerate(readers)]
        if len(set(own)) < len(own):
            yield f"eval_input_reader.name: {own} should differ; results go to folders."
    yield from config_ranges.problems(configs["eval_config"], "eval_config")


def _problems(
    configs: dict[str, Any], for_training: bool, for_eval: bool, on_training_data: bool
) -> Iterator[str]:
    model = configs["model"]
    yield from model_check.problems(model)
    case = model.WhichOneof("model")
    if case in model_check.IMPLEMENTED["model"]:
        architecture = getattr(model, case)
        if for_training:
            yield from _for_training(configs, architecture)
            while_training = configs["train_config"].HasField("evaluation")
            for_eval = for_eval or (while_training and "eval_config" in configs)
        if for_training or on_training_data:
            yield from config_ranges.problems(configs["train_input_config"], "train_input_reader")
        if for_eval:
            yield from _for_evaluation(configs, on_training_data)
    yield from config_ranges.problems(model, "model")
    if "keypoints" in configs:
        yield from config_ranges.problems(configs["keypoints"], "keypoints")
    if "graph_rewriter_config" in configs:
        yield from config_ranges.problems(configs["graph_rewriter_config"], "graph_rewriter")
    if "max_boxes_per_image" in configs:
        yield from config_ranges.out_of_range(
            "TrainEvalPipelineConfig.max_boxes_per_image",
            configs["max_boxes_per_image"],
            "max_boxes_per_image: is",
        )
    if "export_config" in configs:
        yield from export_check.export_problems(
            configs["export_config"], model, quantized="graph_rewriter_config" in configs
        )


def _one_a_field(problems: Iterable[str]) -> Iterator[str]:
    """The first problem of each field: checks of a message know more than ranges, and come first."""
    seen = set()
    for problem in problems:
        field = config_text.path_of(problem)
        if field not in seen or not field:
            yield problem
        seen.add(field)


def check_pipeline(
    configs: dict[str, Any],
    config_path: str,
    for_training: bool = False,
    for_eval: bool = False,
    eval_training_data: bool = False,
) -> None:
    """Checks what can be known before TensorFlow starts.

    Args:
        configs: see `config_util.create_configs_from_pipeline_proto`; of configs that come from
            files, problems name file and line.
        config_path: the file, for the message.
        for_training: also check what training needs.
        for_eval: also check what evaluation needs.
        eval_training_data: the evaluation is of the pictures of the training.

    Raises:
        ConfigError: one message with all problems.
    """
    found = list(_one_a_field(_problems(configs, for_training, for_eval, eval_training_data)))
    if not found:
        return
    located = config_util.places_of(configs).located(found[:_MOST_PROBLEMS])
    if len(found) > _MOST_PROBLEMS:
        located.append(f"and {len(found) - _MOST_PROBLEMS} more.")
    raise ConfigError("\n  ".join([f"{config_path}: the config cannot be used:", *located]))
