"""Changing single settings of a config by key, as the hyper-parameters of a program do.

A key is a short name of this page ("learning_rate"), a path in a part ("train_config.batch_size")
or a field of one named reader ("eval_input_configs:validation:shuffle"). Needs no TensorFlow.
"""

import functools
import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2
from object_detection.utils.wording import did_you_mean, quoted

logger = logging.getLogger(__name__)

Configs = dict[str, Any]
PathUpdater = Callable[..., None]

_GENERIC_PARTS = (
    "graph_rewriter_config",
    "model",
    "train_input_config",
    "train_config",
    "eval_config",
)
# Keys that name a reader without its name: key -> (part, field).
_READER_KEYS = {
    "train_shuffle": ("train_input_config", "shuffle"),
    "eval_shuffle": ("eval_input_configs", "shuffle"),
    "train_input_path": ("train_input_config", "input_path"),
    "eval_input_path": ("eval_input_configs", "input_path"),
    "append_train_input_path": ("train_input_config", "input_path"),
    "append_eval_input_path": ("eval_input_configs", "input_path"),
}


class InputConfigKey(NamedTuple):
    """What a key says about a reader."""

    is_valid: bool  # whether it names a field of a reader that is there
    key_name: str | None  # part of the config
    input_name: str | None  # `name` of the reader; None for the only one
    field_name: str | None


def check_and_parse_input_config_key(configs: Configs, key: str) -> InputConfigKey:
    """Takes a key of a reader apart.

    Args:
        configs: see `config_util.create_configs_from_pipeline_proto`.
        key: `part:name:field`, or a short name such as `train_shuffle`.

    Returns:
        What it names; `is_valid` is False if the key is a short name of something else.

    Raises:
        ConfigError: a key with colons that is not `part:name:field`, or no such part or reader.
    """
    parts = key.split(":")
    if len(parts) == 1:
        known = _READER_KEYS.get(key)
        return (
            InputConfigKey(True, known[0], None, known[1])
            if known
            else InputConfigKey(False, None, None, key)
        )
    if len(parts) != 3:
        raise ConfigError(
            f"Override key {key!r}: write part:reader_name:field, such as "
            "eval_input_configs:validation:shuffle."
        )
    part, name, field = parts
    readers = configs.get(part) if part.endswith(("input_config", "input_configs")) else None
    if readers is None:
        raise ConfigError(
            f"Override key {key!r}: there is no input config {part!r}; use train_input_config or "
            "eval_input_configs."
        )
    single = isinstance(readers, input_reader_pb2.InputReader)
    names = [reader.name for reader in ([readers] if single else readers)]
    if name not in names:
        raise ConfigError(
            f"Override key {key!r}: {part} has no input_name {name!r}; it has {sorted(names)}."
        )
    return InputConfigKey(True, part, name, field)


def update_tf_record_input_path(input_config: Any, input_path: str | Iterable[str]) -> None:
    """Replaces the TFRecord paths of a reader by one path or several."""
    paths = [input_path] if isinstance(input_path, str) else list(input_path)
    del input_config.tf_record_input_reader.input_path[:]
    input_config.tf_record_input_reader.input_path.extend(paths)


def _append_tf_record_input_path(input_config: Any, input_path: str | Iterable[str]) -> None:
    paths = [input_path] if isinstance(input_path, str) else list(input_path)
    input_config.tf_record_input_reader.input_path.extend(paths)


def _set_field(message: Any, field: str, value: Any, where: str) -> None:
    """Sets a plain or repeated field; an error names the field and the value."""
    try:
        current = getattr(message, field)
        if hasattr(current, "extend"):
            del current[:]
            current.extend(value if isinstance(value, list | tuple) else [value])
        elif hasattr(current, "CopyFrom") and hasattr(value, "DESCRIPTOR"):
            current.CopyFrom(value)
        else:
            setattr(message, field, value)
    except AttributeError as error:
        hint = did_you_mean(field, message.DESCRIPTOR.fields_by_name)
        raise ConfigError(
            f"Override of {where}: there is no field {quoted(field)}.{hint}"
        ) from error
    except (TypeError, ValueError) as error:  # another type; a number that is too large
        found = quoted(str(value))
        raise ConfigError(
            f"Override of {where}: {found} does not fit {field} ({error})."
        ) from error


def update_input_reader_config(
    configs: Configs,
    key_name: str | None = None,
    input_name: str | None = None,
    field_name: str | None = None,
    value: Any = None,
    path_updater: PathUpdater = update_tf_record_input_path,
) -> None:
    """Sets a field of one reader, in place.

    Args:
        configs: see `config_util.create_configs_from_pipeline_proto`.
        key_name: part of the config that holds the reader or the readers.
        input_name: `name` of the reader; None if the part holds only one.
        field_name: field to set; `input_path` goes through `path_updater`.
        value: what to set.
        path_updater: takes `input_config` and `input_path` by keyword.

    Raises:
        ConfigError: no reader, or several readers, answer to the name.
    """
    readers = configs.get(key_name) if key_name else None
    single = isinstance(readers, input_reader_pb2.InputReader)
    if single:
        chosen = [readers]
    elif not readers:
        chosen = []
    elif input_name is None:
        chosen = list(readers) if len(readers) == 1 else []
    else:
        chosen = [reader for reader in readers if reader.name == input_name]
        if not chosen:
            names = ", ".join(repr(reader.name) for reader in readers)
            raise ConfigError(
                f"Override of {key_name}: input name {input_name!r} not found; there are {names}."
            )
        if len(chosen) > 1:
            raise ConfigError(
                f"Override of {key_name}: duplicate input name {input_name!r}; names must differ."
            )
    if not chosen or not field_name:
        raise ConfigError(
            f"Override of an input reader: key_name {key_name!r}, input_name {input_name!r}, "
            f"field_name {field_name!r} name no single reader."
        )
    if field_name == "input_path":
        path_updater(input_config=chosen[0], input_path=value)
    else:
        _set_field(chosen[0], field_name, value, f"{key_name}:{input_name or ''}")


def _eval_readers(configs: Configs) -> list[Any]:
    return list(configs.get("eval_input_configs", []))


def _all_readers(configs: Configs) -> list[Any]:
    train = configs.get("train_input_config")
    return ([train] if train is not None else []) + _eval_readers(configs)


def _update_readers(
    configs: Configs,
    value: Any,
    *,
    field: str,
    readers: Callable[[Configs], list[Any]],
) -> None:
    for reader in readers(configs):
        _set_field(reader, field, value, "an input reader")


def _update_part(configs: Configs, value: Any, *, part: str, field: str) -> None:
    _set_field(configs[part], field, value, part)


def _optimizer(configs: Configs) -> tuple[str | None, Any]:
    optimizer = configs["train_config"].optimizer
    case = optimizer.WhichOneof("optimizer")
    return case, getattr(optimizer, case) if case else None


def _share(part: float, whole: float, what: str) -> float:
    """What keeps its proportion when the base rate changes, as a share of it."""
    if not whole:
        raise ConfigError(
            f"learning_rate: the {what} of the config is 0, so that the other rates of the schedule "
            "have no proportion to it; set the rates one by one."
        )
    return part / whole


def _update_learning_rate(configs: Configs, rate: float) -> None:
    """Sets the base rate; rates that a schedule derives from it keep their proportion."""
    case, optimizer = _optimizer(configs)
    if optimizer is None:
        raise TypeError("learning_rate: train_config.optimizer is not set.")
    kind = optimizer.learning_rate.WhichOneof("learning_rate")
    schedule: Any = getattr(optimizer.learning_rate, kind) if kind else None
    if kind == "constant_learning_rate":
        schedule.learning_rate = rate
    elif kind == "exponential_decay_learning_rate":
        schedule.initial_learning_rate = rate
    elif kind == "manual_step_learning_rate":
        scale = _share(rate, schedule.initial_learning_rate, "initial_learning_rate")
        schedule.initial_learning_rate = rate
        for entry in schedule.schedule:
            entry.learning_rate *= scale
    elif kind == "cosine_decay_learning_rate":
        base = schedule.learning_rate_base
        scale = _share(schedule.warmup_learning_rate, base, "learning_rate_base")
        schedule.learning_rate_base = rate
        schedule.warmup_learning_rate = scale * rate
    else:
        raise TypeError(f"learning_rate: the schedule {kind} of {case} cannot be changed.")


def _update_batch_size(configs: Configs, batch_size: float) -> None:
    configs["train_config"].batch_size = max(1, round(batch_size))


def _update_momentum(configs: Configs, momentum: float) -> None:
    case, optimizer = _optimizer(configs)
    if case not in ("rms_prop_optimizer", "momentum_optimizer"):
        raise TypeError(f"momentum_optimizer_value: the optimizer {case} has no momentum.")
    optimizer.momentum_optimizer_value = min(max(0.0, momentum), 1.0)


def _update_weight_ratio(configs: Configs, ratio: float) -> None:
    """Weight of the classification for each unit of weight of the localisation."""
    model = configs["model"]
    case = model.WhichOneof("model")
    if case == "ssd":
        model.ssd.loss.localization_weight = 1.0
        model.ssd.loss.classification_weight = ratio
    elif case == "faster_rcnn":
        model.faster_rcnn.first_stage_localization_loss_weight = 1.0
        model.faster_rcnn.first_stage_objectness_loss_weight = ratio
        model.faster_rcnn.second_stage_localization_loss_weight = 1.0
        model.faster_rcnn.second_stage_classification_loss_weight = ratio
    else:
        raise TypeError(f"classification_localization_weight_ratio: not known for model {case}.")


def _update_focal_loss(configs: Configs, value: float, *, field: str) -> None:
    model = configs["model"]
    case = model.WhichOneof("model")
    if case == "ssd":
        loss = model.ssd.loss.classification_loss
    elif case == "faster_rcnn":
        loss = model.faster_rcnn.second_stage_classification_loss
    else:
        raise TypeError(f"focal_loss_{field}: not known for model {case}.")
    if loss.WhichOneof("classification_loss") != "weighted_sigmoid_focal":
        raise TypeError(
            f"focal_loss_{field}: the classification loss must be weighted_sigmoid_focal, is "
            f"{loss.WhichOneof('classification_loss')}."
        )
    setattr(loss.weighted_sigmoid_focal, field, value)


def _update_num_classes(configs: Configs, num_classes: int) -> None:
    model = configs["model"]
    case = model.WhichOneof("model")
    if case not in ("ssd", "faster_rcnn"):
        raise ConfigError(f"num_classes: the model should be ssd or faster_rcnn, is {case}.")
    getattr(model, case).num_classes = int(num_classes)


def _update_sampling_weights(configs: Configs, weights: list[float]) -> None:
    reader = configs["train_input_config"]
    paths = len(reader.tf_record_input_reader.input_path)
    if len(weights) != paths:
        raise ConfigError(
            f"sample_from_datasets_weights: {len(weights)} weights for {paths} input paths of "
            "train_input_reader; give one each."
        )
    del reader.sample_from_datasets_weights[:]
    reader.sample_from_datasets_weights.extend(weights)


_CENTER_NET_KEYPOINT_FIELDS = (
    "peak_max_pool_kernel_size",
    "candidate_search_scale",
    "candidate_ranking_mode",
    "score_distance_offset",
    "box_scale",
    "keypoint_candidate_score_threshold",
    "unmatched_keypoint_score",
    "score_distance_multiplier",
    "std_dev_multiplier",
    "rescore_instances",
)


def _update_center_net(configs: Configs, value: Any, *, field: str) -> None:
    model = configs["model"]
    if model.WhichOneof("model") != "center_net" or not model.center_net.keypoint_estimation_task:
        raise ConfigError(f"{field}: needs model.center_net with one keypoint_estimation_task.")
    if len(model.center_net.keypoint_estimation_task) > 1:
        raise ConfigError(f"{field}: which of several keypoint_estimation_task is not known.")
    _set_field(
        model.center_net.keypoint_estimation_task[0], field, value, "keypoint_estimation_task"
    )


def _as_int(update: Callable[..., None]) -> Callable[[Configs, Any], None]:
    def updated(configs: Configs, value: Any) -> None:
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise ConfigError(
                f"Override: {quoted(str(value))} should be a whole number."
            ) from error
        update(configs, number)

    return updated


_part = functools.partial
_UPDATES: dict[str, Callable[[Configs, Any], None]] = {
    "learning_rate": _update_learning_rate,
    "batch_size": _update_batch_size,
    "momentum_optimizer_value": _update_momentum,
    "classification_localization_weight_ratio": _update_weight_ratio,
    "focal_loss_gamma": _part(_update_focal_loss, field="gamma"),
    "focal_loss_alpha": _part(_update_focal_loss, field="alpha"),
    "train_steps": _as_int(_part(_update_part, part="train_config", field="num_steps")),
    "eval_steps": _as_int(_part(_update_part, part="eval_config", field="num_examples")),
    "label_map_path": _part(_update_readers, field="label_map_path", readers=_all_readers),
    "mask_type": _part(_update_readers, field="mask_type", readers=_all_readers),
    "sample_1_of_n_eval_examples": _part(
        _update_readers, field="sample_1_of_n_examples", readers=_eval_readers
    ),
    "eval_num_epochs": _part(_update_readers, field="num_epochs", readers=_eval_readers),
    "eval_with_moving_averages": _part(
        _update_part, part="eval_config", field="use_moving_averages"
    ),
    "retain_original_images_in_eval": _part(
        _update_part, part="eval_config", field="retain_original_images"
    ),
    "retain_original_image_additional_channels_in_eval": _part(
        _update_part, part="eval_config", field="retain_original_image_additional_channels"
    ),
    "use_bfloat16": _part(_update_part, part="train_config", field="use_bfloat16"),
    "num_classes": _update_num_classes,
    "sample_from_datasets_weights": _update_sampling_weights,
    **{name: _part(_update_center_net, field=name) for name in _CENTER_NET_KEYPOINT_FIELDS},
}


def _update_generic(configs: Configs, key: str, value: Any) -> None:
    """Sets the field at a path such as `model.ssd.num_classes`."""
    part, *path, field = key.split(".")
    if part not in configs:
        raise ConfigError(f"Override {key!r}: the config has no {part}.")
    message = configs[part]
    for step in path:
        if step not in message.DESCRIPTOR.fields_by_name:
            hint = did_you_mean(step, message.DESCRIPTOR.fields_by_name)
            raise ConfigError(f"Override {key!r}: there is no field {quoted(step)}.{hint}")
        if not hasattr(getattr(message, step), "DESCRIPTOR"):
            raise ConfigError(f"Override {key!r}: {step} is no single message.")
        message = getattr(message, step)
    _set_field(message, field, value, repr(key))


def _update(configs: Configs, key: str, value: Any) -> None:
    parsed = check_and_parse_input_config_key(configs, key)
    if parsed.is_valid:
        updater = (
            _append_tf_record_input_path
            if key.startswith("append_")
            else update_tf_record_input_path
        )
        update_input_reader_config(
            configs, parsed.key_name, parsed.input_name, parsed.field_name, value, updater
        )
    elif key in _UPDATES:
        _UPDATES[key](configs, value)
    elif key.split(".")[0] in _GENERIC_PARTS and "." in key:
        _update_generic(configs, key, value)
    else:
        # Programs hand over all their hyper-parameters, some of which are not about the config.
        logger.warning("Override key %r names nothing in the config and has no effect.", key)


def merge_external_params_with_configs(
    configs: Configs, hparams: Any = None, kwargs_dict: dict[str, Any] | None = None
) -> Configs:
    """Changes a config by hyper-parameters, in place.

    Args:
        configs: see `config_util.create_configs_from_pipeline_proto`.
        hparams: a dict, or an object whose `values()` is one.
        kwargs_dict: further keys; `hparams` wins over them. None and "" change nothing.

    Returns:
        `configs`.

    Raises:
        ConfigError: a key that names no field, or no reader.
        TypeError: a key that the optimizer, schedule or loss of the config does not have.
    """
    settings = dict(kwargs_dict or {})
    if hparams:
        settings.update(hparams if isinstance(hparams, dict) else hparams.values())
    for key, value in settings.items():
        if value is None or (isinstance(value, str) and not value):
            continue
        logger.info("Override: %s = %s", key, value)
        _update(configs, key, value)
    return configs
