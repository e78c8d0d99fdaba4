"""Checks of a whole config before anything starts. Needs no TensorFlow.

All problems are reported together, each with the field's path.
"""

import glob
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2, train_pb2
from object_detection.utils import (
    augmentation_check,
    detection_check,
    export_check,
    jpeg_scaling,
    keypoint_config,
    label_map_util,
    training_check,
)

_IMPLEMENTED = {
    "model": ("ssd", "faster_rcnn"),
    "box_coder": (
        "faster_rcnn_box_coder",
        "keypoint_box_coder",
        "mean_stddev_box_coder",
        "square_box_coder",
    ),
    "matcher": ("argmax_matcher", "bipartite_matcher"),
    "anchor_generator": (
        "grid_anchor_generator",
        "ssd_anchor_generator",
        "multiscale_anchor_generator",
        "flexible_grid_anchor_generator",
    ),
    "box_predictor": ("convolutional_box_predictor", "weight_shared_convolutional_box_predictor"),
}


# What records may hold, but no model here has a use for.
_UNUSED_IN_READERS = (
    "load_context_features",
    "load_context_image_ids",
    "load_dense_pose",
    "load_track_id",
    "load_keypoint_depth_features",
    "keypoint_type_weight",
)


def _parts(ssd: Any) -> list[tuple[str, str | None]]:
    return [
        ("box_coder", ssd.box_coder.WhichOneof("box_coder_oneof")),
        ("matcher", ssd.matcher.WhichOneof("matcher_oneof")),
        ("anchor_generator", ssd.anchor_generator.WhichOneof("anchor_generator_oneof")),
        ("box_predictor", ssd.box_predictor.WhichOneof("box_predictor_oneof")),
    ]


def _model_problems(model: Any) -> Iterator[str]:
    case = model.WhichOneof("model")
    if case not in _IMPLEMENTED["model"]:
        yield f"model.{case}: not available; use model.ssd." if case else "model: nothing is set."
        return
    if case == "faster_rcnn":
        yield from _two_stage_problems(model.faster_rcnn)
        return
    ssd = model.ssd
    if ssd.num_classes < 1:
        yield f"model.ssd.num_classes: is {ssd.num_classes}, must be at least 1."
    for name, part in _parts(ssd):
        if part not in _IMPLEMENTED[name]:
            allowed = ", ".join(_IMPLEMENTED[name])
            yield f"model.ssd.{name}: {part or 'nothing'} is not available; allowed: {allowed}."
    if ssd.HasField("mask_head_config"):
        yield "model.ssd.mask_head_config: not available; leave it out."
    if not ssd.image_resizer.WhichOneof("image_resizer_oneof"):
        yield "model.ssd.image_resizer: nothing is set; for example fixed_shape_resizer."
    yield from code_size_problems(ssd)
    yield from keypoint_loss_problems(ssd.loss, num_keypoints(ssd))
    yield from detection_check.box_loss_problems(ssd.loss, num_keypoints(ssd))
    yield from detection_check.blending_problems(
        ssd.post_processing.batch_non_max_suppression,
        "model.ssd.post_processing.batch_non_max_suppression",
    )


def _two_stage_problems(config: Any) -> Iterator[str]:
    where = "model.faster_rcnn"
    if config.num_classes < 1:
        yield f"{where}.num_classes: is {config.num_classes}, must be at least 1."
    if config.number_of_stages not in (1, 2, 3):
        yield f"{where}.number_of_stages: is {config.number_of_stages}; allowed: 1, 2, 3."
    generator = config.first_stage_anchor_generator.WhichOneof("anchor_generator_oneof")
    if generator != "grid_anchor_generator":
        yield (
            f"{where}.first_stage_anchor_generator: {generator or 'nothing'} is not available; "
            "allowed: grid_anchor_generator."
        )
    predictor = config.second_stage_box_predictor.WhichOneof("box_predictor_oneof")
    allowed = ["mask_rcnn_box_predictor", "rfcn_box_predictor"]
    if config.number_of_stages > 1 and predictor not in allowed:
        yield (
            f"{where}.second_stage_box_predictor: {predictor or 'nothing'} is not available; "
            f"allowed: {', '.join(allowed)}."
        )
    if predictor != "rfcn_box_predictor" and config.number_of_stages > 1:
        for name in ("initial_crop_size", "maxpool_kernel_size", "maxpool_stride"):
            if getattr(config, name) < 1:
                yield f"{where}.{name}: is {getattr(config, name)}, must be at least 1."
    if not config.image_resizer.WhichOneof("image_resizer_oneof"):
        yield f"{where}.image_resizer: nothing is set; for example keep_aspect_ratio_resizer."
    yield from detection_check.blending_problems(
        config.second_stage_post_processing.batch_non_max_suppression,
        f"{where}.second_stage_post_processing.batch_non_max_suppression",
    )


def _wants_masks(model: Any) -> bool:
    return model.WhichOneof("model") == "faster_rcnn" and model.faster_rcnn.number_of_stages == 3


def _mask_problems(reader: Any, name: str, model: Any) -> Iterator[str]:
    """A third stage needs masks; nothing else has a use for them."""
    if _wants_masks(model) and not reader.load_instance_masks:
        yield (
            f"{name}.load_instance_masks: is not set, but model.faster_rcnn.number_of_stages is 3: "
            "the third stage learns masks. Set it to true."
        )
    if reader.load_instance_masks and not _wants_masks(model):
        yield f"{name}.load_instance_masks: no model of this config uses it; leave it out."


def code_size_problems(ssd: Any) -> Iterator[str]:
    """What does not fit of the box coder and the predictor of an `Ssd` message."""
    coder = ssd.box_coder.WhichOneof("box_coder_oneof")
    predictor = ssd.box_predictor.WhichOneof("box_predictor_oneof")
    if not coder or not predictor:
        return
    keypoints = num_keypoints(ssd)
    size = getattr(getattr(ssd.box_predictor, predictor), "box_code_size", None)
    if coder == "keypoint_box_coder" and keypoints < 1:
        yield "model.ssd.box_coder.keypoint_box_coder.num_keypoints: must be at least 1."
    if coder == "square_box_coder":
        if size not in (None, 3):
            yield f"model.ssd.box_predictor.{predictor}.box_code_size: is {size}, but {coder} needs 3."
    elif size is not None and size != 4 + 2 * keypoints:
        yield (
            f"model.ssd.box_predictor.{predictor}.box_code_size: is {size}, but {coder} with "
            f"{keypoints} keypoints needs 4 + 2 * {keypoints} = {4 + 2 * keypoints}."
        )


def num_keypoints(ssd: Any) -> int:
    """K of an `Ssd` message; 0 without a keypoint coder, and of a `FasterRcnn` message."""
    if not hasattr(ssd, "box_coder"):
        return 0
    if ssd.box_coder.WhichOneof("box_coder_oneof") != "keypoint_box_coder":
        return 0
    return int(ssd.box_coder.keypoint_box_coder.num_keypoints)


def keypoint_loss_problems(loss: Any, keypoints: int) -> Iterator[str]:
    """What is wrong with the keypoint loss of an SSD's `Loss` message, if it has one.

    Args:
        loss: the message.
        keypoints: K of the box coder; 0 if its codes hold no keypoints.
    """
    if not loss.HasField("keypoint_loss"):
        return
    config, where = loss.keypoint_loss, "model.ssd.loss.keypoint_loss"
    if not keypoints:
        yield (
            f"{where}: needs codes that hold keypoints; set model.ssd.box_coder.keypoint_box_coder "
            "with its num_keypoints, or leave keypoint_loss out."
        )
        return
    positive = [("weight", config.weight)]
    kind = config.WhichOneof("kind")
    if kind == "huber":
        positive.append(("huber.delta", config.huber.delta))
    if kind == "wing":
        positive.append(("wing.width", config.wing.width))
        positive.append(("wing.curvature", config.wing.curvature))
    if config.HasField("visibility"):
        positive.append(("visibility.weight", config.visibility.weight))
    for name, value in positive:
        # Not `value <= 0`: NaN fails every comparison.
        if not 0 < value < math.inf:
            yield f"{where}.{name}: is {value:g}, must be a number above 0."
    if not 0 <= config.occluded_weight < math.inf:
        yield f"{where}.occluded_weight: is {config.occluded_weight:g}, must be 0 or more."
    weights = [float(one) for one in config.per_keypoint_weights]
    if weights:
        name = f"{where}.per_keypoint_weights"
        yield from _count_problems(name, len(weights), keypoints)
        if not (all(0 <= one < math.inf for one in weights) and any(weights)):
            yield f"{name}: {weights} should be numbers of 0 or more, and not all 0."
    if kind == "oks" and config.oks.sigmas:
        sigmas = [float(one) for one in config.oks.sigmas]
        yield from _count_problems(f"{where}.oks.sigmas", len(sigmas), keypoints)
        if not all(0 < one < 1 for one in sigmas):
            shown = ", ".join(f"{one:g}" for one in sigmas)
            yield (
                f"{where}.oks.sigmas: [{shown}] should be shares of the box's size, above 0 and "
                "below 1."
            )


def _count_problems(name: str, count: int, keypoints: int) -> Iterator[str]:
    if count != keypoints:
        yield (
            f"{name}: has {count} numbers, but model.ssd.box_coder.keypoint_box_coder.num_keypoints "
            f"is {keypoints}; give one for each keypoint, or none."
        )


def _reader_problems(reader: Any, name: str, ssd: Any) -> Iterator[str]:
    keypoints = num_keypoints(ssd)
    if keypoints and reader.num_keypoints != keypoints:
        yield (
            f"{name}.num_keypoints: is {reader.num_keypoints}, but "
            f"model.ssd.box_coder.keypoint_box_coder.num_keypoints is {keypoints}; make them equal."
        )
    case = reader.WhichOneof("input_reader")
    if case != "tf_record_input_reader":
        yield (
            f"{name}.{case or 'input_reader'}: "
            f"{'is not available' if case else 'is not set'}; use tf_record_input_reader "
            "{ input_path: ... }."
        )
        return
    paths = list(reader.tf_record_input_reader.input_path)
    if not paths:
        yield f"{name}.tf_record_input_reader.input_path: is empty."
    for path in paths:
        if "://" not in path and not glob.glob(path):
            yield f"{name}.tf_record_input_reader.input_path: no file matches {path!r}."
    if reader.input_type == input_reader_pb2.TF_SEQUENCE_EXAMPLE:
        yield (
            f"{name}.input_type: TF_SEQUENCE_EXAMPLE is not read by this program; "
            "inputs.train_input and inputs.eval_input read it."
        )
    for option in _UNUSED_IN_READERS:
        if getattr(reader, option):
            yield f"{name}.{option}: no model here uses it; leave it out."
    if not reader.label_map_path:
        yield f"{name}.label_map_path: is not set."
        return
    try:
        label_map = label_map_util.load_labelmap(reader.label_map_path)
    except ConfigError as error:
        yield f"{name}.{error}" if str(error).startswith("label_map_path") else str(error)
        return
    ids = [item.id for item in label_map.item if item.id > 0]
    if not ids:
        yield f"{name}.label_map_path: {reader.label_map_path} has no item; name the classes in it."
    elif max(ids) > ssd.num_classes:
        yield (
            f"{name}.label_map_path: {reader.label_map_path} has ids up to {max(ids)}, but the "
            f"model's num_classes is {ssd.num_classes}."
        )
    yield from _label_map_keypoint_problems(reader, name, keypoints)


def _label_map_keypoint_problems(reader: Any, name: str, keypoints: int) -> Iterator[str]:
    """A label map whose keypoints are not as many as the model's."""
    if not keypoints:
        return
    try:
        labels = keypoint_config.label_map_schema(reader.label_map_path)
    except ConfigError as error:
        if reader.use_keypoint_label_map:
            yield f"{name}.label_map_path: {error}"
        return  # else names are for people, and any will do
    if labels is not None and labels.size != keypoints:
        yield (
            f"{name}.label_map_path: {reader.label_map_path} has {labels.size} keypoints, but "
            f"model.ssd.box_coder.keypoint_box_coder.num_keypoints is {keypoints}; make them equal, "
            "or leave the keypoints out of the label map."
        )


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
    if train.batch_size < 1:
        yield "train_config.batch_size: must be at least 1."
    if not train.optimizer.WhichOneof("optimizer"):
        yield "train_config.optimizer: nothing is set; for example momentum_optimizer."
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
    yield from _permutation_problems(train, num_keypoints(ssd))
    checkpoint = train.fine_tune_checkpoint
    if checkpoint and not (os.path.exists(checkpoint + ".index") or os.path.isfile(checkpoint)):
        yield f"train_config.fine_tune_checkpoint: there is no {checkpoint}.index."


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


def _scores_problems(train: Any, reader: Any) -> Iterator[str]:
    if train.use_multiclass_scores and not reader.load_multiclass_scores:
        yield (
            "train_config.use_multiclass_scores: needs train_input_reader.load_multiclass_scores: "
            "true."
        )


def _evaluation_problems(evaluation: Any) -> Iterator[str]:
    for field, why in (
        ("eval_master", "evaluation runs in one process"),
        ("export_path", "the program writes metrics.json and pictures"),
        ("ignore_groundtruth", "metrics need the truth; inference/detect_pictures.py does without"),
        ("eval_instance_masks", "the program judges boxes and keypoints"),
    ):
        if getattr(evaluation, field):
            yield f"eval_config.{field}: not available ({why}); leave it out."
    yield from _keypoint_metric_problems(evaluation)


def _keypoint_metric_problems(evaluation: Any) -> Iterator[str]:
    wrong = [sigma for sigma in evaluation.oks_sigmas if not 0 < sigma < 1]
    if wrong:
        yield (
            f"eval_config.oks_sigmas: {wrong[0]:g} should be a share of the object's size, above 0 "
            "and below 1."
        )
    names = list(evaluation.keypoint_names)
    if len(set(names)) < len(names) or "" in names:
        yield f"eval_config.keypoint_names: {names} should all differ, and none be empty."
    if evaluation.oks_max_detections < 1:
        yield "eval_config.oks_max_detections: is 0, must be at least 1 (COCO: 20)."
    if evaluation.max_detections < 100:
        yield (
            f"eval_config.max_detections: is {evaluation.max_detections}, must be at least 100, "
            "COCO's number; crowds need more."
        )
    wrong = [share for share in evaluation.pck_thresholds if not 0 < share < math.inf]
    if wrong:
        yield f"eval_config.pck_thresholds: {wrong[0]:g} must be above 0, for example 0.1."
    if not 0 < evaluation.keypoint_failure_threshold < math.inf:
        yield (
            "eval_config.keypoint_failure_threshold: is "
            f"{evaluation.keypoint_failure_threshold:g}, must be above 0, for example 0.1."
        )
    between = list(evaluation.keypoint_size_between)
    if between and (len(between) != 2 or between[0] == between[1]):
        yield (
            f"eval_config.keypoint_size_between: {between} should be two different keypoints, for "
            "example 'left_eye' and 'right_eye'."
        )


def _keypoint_count_problems(evaluation: Any, reader: Any, name: str) -> Iterator[str]:
    """Lists of `eval_config` that do not have one entry for each keypoint of a reader."""
    for field in ("oks_sigmas", "keypoint_names"):
        found = len(getattr(evaluation, field))
        if found and reader.num_keypoints and found != reader.num_keypoints:
            yield (
                f"eval_config.{field}: has {found} entries, but {name}.num_keypoints is "
                f"{reader.num_keypoints}; give one for each."
            )


def _rewriter_problems(rewriter: Any) -> Iterator[str]:
    for field in ("weight_bits", "activation_bits"):
        bits = getattr(rewriter.quantization, field)
        if not 2 <= bits <= 16:
            yield f"graph_rewriter.quantization.{field}: is {bits}, should be 2 to 16."


def check_pipeline(
    configs: dict[str, Any],
    config_path: str,
    for_training: bool = False,
    for_eval: bool = False,
) -> None:
    """Checks what can be known before TensorFlow starts.

    Args:
        configs: see `config_util.create_configs_from_pipeline_proto`.
        config_path: the file, for the message.
        for_training: also check what training needs.
        for_eval: also check what evaluation needs.

    Raises:
        ConfigError: one message with all problems.
    """
    model = configs["model"]
    problems = list(_model_problems(model))
    if model.WhichOneof("model") in _IMPLEMENTED["model"]:
        ssd = getattr(model, model.WhichOneof("model"))
        if for_training:
            train = configs["train_config"]
            problems += _training_problems(train, ssd)
            problems += _bfloat16_problems(train, ssd, configs)
            problems += training_check.optimizer_problems(train)
            problems += training_check.evaluation_problems(train, configs)
            for_eval = for_eval or (train.HasField("evaluation") and "eval_config" in configs)
            reader, name = configs["train_input_config"], "train_input_reader"
            problems += augmentation_check.augmentation_problems(
                train.data_augmentation_options, model, reader
            )
            problems += jpeg_scaling.problems(train, model, reader)
            problems += _reader_problems(reader, name, ssd)
            problems += _mask_problems(reader, name, model)
            problems += _scores_problems(configs["train_config"], reader)
        if for_eval:
            readers = configs.get("eval_input_configs") or []
            problems += _evaluation_problems(configs["eval_config"])
            if model.WhichOneof("model") == "faster_rcnn" and ssd.number_of_stages == 1:
                problems.append(
                    "model.faster_rcnn.number_of_stages: is 1; proposals have no classes to be "
                    "evaluated."
                )
            if not readers:
                problems.append("eval_input_reader: is not set.")
            for reader in readers:
                problems += _reader_problems(reader, "eval_input_reader", ssd)
                if reader.fast_jpeg_scaling:
                    problems.append(
                        "eval_input_reader.fast_jpeg_scaling: is of training only; leave it out."
                    )
                problems += _mask_problems(reader, "eval_input_reader", model)
                problems += _keypoint_count_problems(
                    configs["eval_config"], reader, "eval_input_reader"
                )
    if "graph_rewriter_config" in configs:
        problems += _rewriter_problems(configs["graph_rewriter_config"])
    if "export_config" in configs:
        problems += export_check.export_problems(
            configs["export_config"], model, quantized="graph_rewriter_config" in configs
        )
    if problems:
        raise ConfigError("\n  ".join([f"{config_path}: the config cannot be used:", *problems]))
