"""The keypoint set that a config names once, and what follows from it. Needs no TensorFlow.

A set is named by `TrainEvalPipelineConfig.keypoints`; where nothing is named, a label map with
keypoints gives their names and number to a model that predicts keypoints.
"""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from object_detection.errors import ConfigError
from object_detection.keypoints import schema as schemas
from object_detection.keypoints.schema import KeypointSchema
from object_detection.utils import label_map_util

FIELD = "keypoints"
_FLIP = "keypoint_flip_permutation"


class _Source(NamedTuple):
    """A set, and where the config has it from."""

    schema: KeypointSchema
    where: str
    is_names_only: bool  # a label map's: nothing is known of mirror partners, sigmas and limbs

    @property
    def says(self) -> str:
        return f"{self.where} has {self.schema.size} keypoints"


def find_file(name: str, folder: str) -> str:
    """The path of a schema's file: as it is if it is only there, else from the config's folder."""
    beside = os.path.join(folder, name)
    return name if os.path.exists(name) and not os.path.exists(beside) else beside


def schema_of(keypoints: Any, folder: str = "") -> KeypointSchema:
    """The set that a `KeypointSet` message names or holds.

    Args:
        keypoints: the message.
        folder: of the config, where a `.json` file is looked for first.

    Raises:
        ConfigError: the message names nothing, or two sets; or the set contradicts itself.
    """
    if keypoints.keypoint:
        if keypoints.schema:
            raise ConfigError(
                f"{FIELD}: has both schema {keypoints.schema!r} and keypoints of its own; leave one "
                "of them out."
            )
        return _written_out(keypoints)
    if keypoints.limb or not keypoints.schema:
        known = ", ".join(schemas.shipped())
        raise ConfigError(
            f"{FIELD}: {'has limbs, but no keypoint' if keypoints.limb else 'names no set'}. Give "
            f"schema ({known}, or a .json file of your own), or keypoint {{ name: ... }} for each."
        )
    name = keypoints.schema
    try:
        return schemas.load(find_file(name, folder) if name.endswith(".json") else name)
    except ConfigError as error:
        raise ConfigError(f"{FIELD}.schema: {error}") from error


def _written_out(keypoints: Any) -> KeypointSchema:
    rows = keypoints.keypoint
    colors = tuple(row.color for row in rows) if any(row.color for row in rows) else ()
    return KeypointSchema(
        names=tuple(row.name for row in rows),
        mirror={row.name: row.mirror for row in rows if row.mirror},
        limbs=tuple((limb.start, limb.end) for limb in keypoints.limb),
        sigmas=tuple(row.sigma for row in rows),
        colors=colors,
        where=f"{FIELD}.keypoint",
    )


def write_out(schema: KeypointSchema, keypoints: Any) -> None:
    """Puts a set into a `KeypointSet` message, in place of what it holds."""
    keypoints.Clear()
    for name, sigma, color in zip(schema.names, schema.sigmas, schema.colors, strict=True):
        row = keypoints.keypoint.add(name=name, sigma=sigma, color=color)
        if name in schema.mirror:
            row.mirror = schema.mirror[name]
    for start, end in schema.limbs:
        keypoints.limb.add(start=start, end=end)


def label_map_schema(path: str) -> KeypointSchema | None:
    """The set of a label map; None where its classes have no keypoints.

    Classes may share one list of keypoints, or have keypoints of different names and numbers.

    Raises:
        ConfigError: the file is not a label map, or its keypoints are not numbered 0 to K - 1.
    """
    label_map = label_map_util.load_labelmap(path)
    lists = {
        tuple(sorted((point.id, point.label) for point in item.keypoints))
        for item in label_map.item
        if item.keypoints
    }
    if not lists:
        return None
    if len(lists) == 1:
        points = next(iter(lists))
        labels = {label: number for number, label in points}
        if len(labels) < len(points):
            raise ConfigError(f"{path}: two keypoints of a class have one name.")
        return schemas.from_labels(labels, path)
    try:
        return schemas.from_labels(label_map_util.get_keypoint_label_map_dict(label_map), path)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _readers(pipeline: Any) -> Iterator[tuple[str, Any]]:
    if pipeline.HasField("train_input_reader"):
        yield "train_input_reader", pipeline.train_input_reader
    several = len(pipeline.eval_input_reader) > 1
    for number, reader in enumerate(pipeline.eval_input_reader):
        yield f"eval_input_reader[{number}]" if several else "eval_input_reader", reader


def _label_maps(pipeline: Any) -> dict[str, str]:
    """The label maps that are there, and the field that names each.

    Programs that need one say so if it is not.
    """
    fields: dict[str, str] = {}
    for where, reader in _readers(pipeline):
        if os.path.isfile(reader.label_map_path):
            fields.setdefault(reader.label_map_path, f"{where}.label_map_path")
    return fields


def _predictor(ssd: Any) -> tuple[str, Any] | None:
    """Name and message of the predictor, if its codes may have any size."""
    case = ssd.box_predictor.WhichOneof("box_predictor_oneof")
    config = getattr(ssd.box_predictor, case) if case else None
    return (case, config) if hasattr(config, "box_code_size") else None


def _lacks_numbers(pipeline: Any) -> bool:
    """Whether a model that predicts keypoints is not told how many, somewhere."""
    ssd = pipeline.model.ssd
    if ssd.box_coder.WhichOneof("box_coder_oneof") != "keypoint_box_coder":
        return False
    predictor = _predictor(ssd)
    return (
        not ssd.box_coder.keypoint_box_coder.HasField("num_keypoints")
        or (predictor is not None and not predictor[1].HasField("box_code_size"))
        or not all(reader.HasField("num_keypoints") for _, reader in _readers(pipeline))
    )


def _source(pipeline: Any, folder: str) -> _Source | None:
    """The set of a config, after comparing all places that have one; None without any."""
    if pipeline.HasField(FIELD):
        keypoints = pipeline.keypoints
        schema = schema_of(keypoints, folder)
        where = f'{FIELD}.schema "{keypoints.schema}" ({schema.where})'
        source = _Source(schema, where if keypoints.schema else schema.where, False)
    elif _lacks_numbers(pipeline):
        source = None
    else:
        return None
    for path, field in _label_maps(pipeline).items():
        try:
            labels = label_map_schema(path)
            if labels is None:
                continue
            if source is None:
                source = _Source(labels, f"{field} {path}", True)
            schemas.check_same_names(source.schema, labels)
        except ConfigError as error:
            raise ConfigError(f"{field}: {error}") from error
    return source


class _Completion:
    """Sets what is unset, and notes what contradicts the set."""

    def __init__(self, source: _Source) -> None:
        self.problems: list[str] = []
        self._source = source
        self._schema = source.schema

    def _number(self, message: Any, field: str, where: str, value: int, reason: str = "") -> None:
        if not message.HasField(field):
            setattr(message, field, value)
        elif getattr(message, field) != value:
            self.problems.append(
                f"{where}.{field} is {getattr(message, field)}, but {self._source.says}{reason}. "
                "Leave the field out, or correct one of them."
            )

    def model(self, model: Any) -> None:
        case = model.WhichOneof("model")
        if case == "faster_rcnn":
            self.problems.append(
                f"{self._source.says}, but model.faster_rcnn predicts none; use model.ssd, or leave "
                f"{FIELD} out."
            )
        if case != "ssd":
            return
        ssd, size = model.ssd, self._schema.size
        coder = ssd.box_coder.WhichOneof("box_coder_oneof")
        if coder in (None, "keypoint_box_coder"):
            where = "model.ssd.box_coder.keypoint_box_coder"
            self._number(ssd.box_coder.keypoint_box_coder, "num_keypoints", where, size)
        else:
            self.problems.append(
                f"{self._source.says}, but model.ssd.box_coder is {coder}, whose codes hold none; "
                f"use keypoint_box_coder {{}}, or leave {FIELD} out."
            )
            return
        predictor = _predictor(ssd)
        if predictor is not None:
            case, config = predictor
            reason = f": codes need 4 + 2 * {size} = {4 + 2 * size}"
            where = f"model.ssd.box_predictor.{case}"
            self._number(config, "box_code_size", where, 4 + 2 * size, reason)
        loss = ssd.loss.keypoint_loss
        if loss.WhichOneof("kind") == "oks" and not self._source.is_names_only:
            self._sigmas(loss.oks.sigmas, "model.ssd.loss.keypoint_loss.oks.sigmas")

    def _sigmas(self, sigmas: Any, where: str) -> None:
        """One number a keypoint; their values are the user's choice."""
        if not sigmas:
            sigmas.extend(self._schema.sigmas)
        elif len(sigmas) != self._schema.size:
            self.problems.append(f"{where} has {len(sigmas)} numbers, but {self._source.says}.")

    def augmentation(self, train_config: Any) -> None:
        if self._source.is_names_only:
            return
        flip = list(self._schema.flip_permutation)
        for index, step in enumerate(train_config.data_augmentation_options):
            case = step.WhichOneof("preprocessing_step")
            settings = getattr(step, case) if case else None
            # Mirrored top to bottom, an object is its mirror image turned by half a circle: the
            # partners are the same.
            given = getattr(settings, _FLIP, None)
            if given is None:
                continue
            if not given:
                given.extend(flip)
            elif list(given) != flip:
                self.problems.append(
                    f"train_config.data_augmentation_options[{index}].{case}.{_FLIP} is "
                    f"{list(given)}, but the mirror partners of {self._source.where} are {flip}."
                )

    def reader(self, where: str, reader: Any) -> None:
        self._number(reader, "num_keypoints", where, self._schema.size)

    def evaluation(self, evaluation: Any) -> None:
        if not evaluation.keypoint_edge:
            for start, end in self._schema.edges:
                evaluation.keypoint_edge.add(start=start, end=end)
        if not self._source.is_names_only:
            self._sigmas(evaluation.oks_sigmas, "eval_config.oks_sigmas")
        names = list(self._schema.names)
        if not evaluation.keypoint_names:
            evaluation.keypoint_names.extend(names)
        elif list(evaluation.keypoint_names) != names:
            self.problems.append(
                f"eval_config.keypoint_names are {list(evaluation.keypoint_names)}, but those of "
                f"{self._source.where} are {names}."
            )
        size = self._schema.size
        for edge in evaluation.keypoint_edge:
            if not (0 <= edge.start < size and 0 <= edge.end < size):
                self.problems.append(
                    f"eval_config.keypoint_edge joins {edge.start} and {edge.end}, but "
                    f"{self._source.says}, numbered from 0."
                )
        for index, metric in enumerate(evaluation.parameterized_metric):
            if metric.HasField("coco_keypoint_metrics") and not self._source.is_names_only:
                self._named_sigmas(
                    metric.coco_keypoint_metrics.keypoint_label_to_sigmas,
                    f"eval_config.parameterized_metric[{index}].coco_keypoint_metrics",
                )

    def _named_sigmas(self, sigmas: Any, where: str) -> None:
        if not sigmas:
            sigmas.update(zip(self._schema.names, self._schema.sigmas, strict=True))
        for name in sorted(set(sigmas) - set(self._schema.names)):
            self.problems.append(
                f"{where}.keypoint_label_to_sigmas names {name!r}, which is no keypoint of "
                f"{self._source.where}."
            )


def complete(pipeline: Any, folder: str = "") -> list[str]:
    """Sets in a config, in place, what follows from its keypoint set and is not set.

    A set of the user's own file, or of a label map, is then written out in the config, which so can
    be used elsewhere.

    Args:
        pipeline: `TrainEvalPipelineConfig` message.
        folder: of the config, where a `.json` file is looked for first.

    Returns:
        What is set and contradicts the set, with both places.

    Raises:
        ConfigError: the set itself cannot be used, or two places name different ones.
    """
    source = _source(pipeline, folder)
    if source is None:
        return []
    completion = _Completion(source)
    if pipeline.HasField("model"):
        completion.model(pipeline.model)
    if pipeline.HasField("train_config"):
        completion.augmentation(pipeline.train_config)
    for where, reader in _readers(pipeline):
        completion.reader(where, reader)
    if pipeline.HasField("eval_config") or pipeline.eval_input_reader:
        completion.evaluation(pipeline.eval_config)
    if not pipeline.HasField(FIELD) or pipeline.keypoints.schema.endswith(".json"):
        write_out(source.schema, pipeline.keypoints)
    return completion.problems
