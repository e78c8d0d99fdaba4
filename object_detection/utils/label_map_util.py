"""Label maps: the classes of a data set, by id and by name. Needs no TensorFlow."""

import collections
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from google.protobuf import text_format
from google.protobuf.message import DecodeError

from object_detection.errors import ConfigError
from object_detection.protos import string_int_label_map_pb2
from object_detection.utils import config_text, small_files
from object_detection.utils.wording import quoted, shortened

Category = dict[str, Any]
LabelMapOrPath = str | os.PathLike[str] | string_int_label_map_pb2.StringIntLabelMap

# The class ids of a label map start at 1; classes of models, and rows of tables, at 0.
LABEL_OFFSET = 1
_LABEL_OFFSET = LABEL_OFFSET  # its name in the OD API


_MOST_ID = 1_000_000
_MOST_ID_OF_A_HIERARCHY = 10_000  # its tables have a square of ids

# How LVIS writes the frequency of a class in its categories.
_FREQUENCIES = {
    string_int_label_map_pb2.FREQUENT: "f",
    string_int_label_map_pb2.COMMON: "c",
    string_int_label_map_pb2.RARE: "r",
}


def _check(
    label_map: string_int_label_map_pb2.StringIntLabelMap,
    where: str,
    places: config_text.Places | None = None,
) -> None:
    for index, item in enumerate(label_map.item):
        is_background = "background" in (item.name, item.display_name)
        if item.id < 0 or (item.id == 0 and not is_background):
            place = places.of(f"item[{index}].id") if places else ""
            raise ConfigError(
                f"{place or where}: item {index} ({quoted(item.name)}) has id {item.id}, but ids "
                "start at 1 (0 is the background). Renumber it, or name it 'background'."
            )
        if item.id > _MOST_ID:
            place = places.of(f"item[{index}].id") if places else ""
            raise ConfigError(
                f"{place or where}: item {index} ({quoted(item.name)}) has id {item.id}; ids go up "
                f"to {_MOST_ID}, for tables have a row for each. Renumber it."
            )


def _parse(
    content: bytes, path: str, places: config_text.Places
) -> string_int_label_map_pb2.StringIntLabelMap:
    """A label map in text format, or serialised."""
    label_map = string_int_label_map_pb2.StringIntLabelMap()
    try:
        text = content.decode("utf-8-sig")
        found = config_text.problems(text, label_map.DESCRIPTOR, path, places)
        if not found:
            text_format.Parse(text, label_map)
            return label_map
    except UnicodeDecodeError:
        found = [config_text.Problem(0, "neither text nor a serialised label map.")]
    except text_format.ParseError as error:
        reason = re.sub(r"^\d+:\d+ : ", "", str(error))
        found = [config_text.Problem(error.GetLine() or 0, shortened(reason))]
    label_map.Clear()
    try:
        label_map.ParseFromString(content)
    except DecodeError:
        label_map.Clear()
    # Some damaged texts pass for a message of unknown fields; such a message has no item.
    if not label_map.item:
        said = config_text.in_words(found, path, "not a label map")
        raise ConfigError(f"{said} An item reads: item {{ id: 1 name: 'face' }}.")
    return label_map


def load_with_places(
    path: str,
) -> tuple[string_int_label_map_pb2.StringIntLabelMap, config_text.Places]:
    """Reads and checks a label map, and notes in which line each field stands.

    Raises:
        ConfigError: see `load_labelmap`.
    """
    why = small_files.absence(path)
    if why:
        raise ConfigError(f"label_map_path: {why}")
    places = config_text.Places()
    label_map = _parse(small_files.read(path, "label map"), path, places)
    _check(label_map, path, places)
    return label_map, places


def load_labelmap(path: str) -> string_int_label_map_pb2.StringIntLabelMap:
    """Reads and checks a label map, in text format or serialised.

    Raises:
        ConfigError: the file is absent or not a label map, or its ids are wrong.
    """
    return load_with_places(path)[0]


def problems(
    label_map: string_int_label_map_pb2.StringIntLabelMap,
    places: config_text.Places,
    path: str,
    num_classes: int,
) -> Iterator[str]:
    """What makes a label map useless for a model, or ambiguous.

    Several names with one id are synonyms, unless another class then has no name.

    Args:
        label_map: the message.
        places: where its fields stand.
        path: its file.
        num_classes: of the model.
    """
    if not any(item.id > 0 for item in label_map.item):
        yield f"{path} has no item; name the classes in it."
    ids: dict[str, int] = {}
    first: dict[int, int] = {}
    twice: list[tuple[int, int]] = []
    for index, item in enumerate(label_map.item):
        place = places.of(f"item[{index}].id") or path
        if item.id > num_classes:
            yield (
                f"{place}: {quoted(item.name)} has id {item.id}, but the model's num_classes is "
                f"{num_classes}."
            )
        if not item.name and not item.display_name:
            yield f"{place}: the item with id {item.id} has no name; give it one."
        elif item.name and ids.setdefault(item.name, item.id) != item.id:
            yield (
                f"{place}: {quoted(item.name)} has id {item.id} here and id {ids[item.name]} "
                "before; one name has one id."
            )
        if first.setdefault(item.id, index) != index:
            twice.append((index, item.id))
    without = next((one for one in range(1, num_classes + 1) if one not in first), None)
    for index, number in [] if without is None else twice:
        yield (
            f"{places.of(f'item[{index}].id') or path}: id {number} is that of "
            f"{quoted(label_map.item[first[number]].name)}, too, and id {without} is of no item; "
            "renumber one of them."
        )


def _as_label_map(
    path_or_proto: LabelMapOrPath,
) -> string_int_label_map_pb2.StringIntLabelMap:
    if isinstance(path_or_proto, str | os.PathLike):
        return load_labelmap(os.fspath(path_or_proto))
    _check(path_or_proto, "label map")
    return path_or_proto


def _name(item: Any, use_display_name: bool) -> str:
    return item.display_name if use_display_name and item.HasField("display_name") else item.name


def get_max_label_map_index(label_map: string_int_label_map_pb2.StringIntLabelMap) -> int:
    """The largest id.

    Raises:
        ConfigError: there is no item.
    """
    if not label_map.item:
        raise ConfigError("label map: has no item. An item reads: item { id: 1 name: 'face' }.")
    return max(item.id for item in label_map.item)


def _keypoint_numbers(item: Any) -> dict[str, int]:
    """Name -> number of the keypoints of one class."""
    numbers = collections.Counter(point.id for point in item.keypoints)
    for number, count in numbers.most_common(1):
        if count > 1:
            raise ConfigError(
                f"label map: class {quoted(item.name)} gives the id {number} to several keypoints. "
                "Number its keypoints differently."
            )
    return {point.label: point.id for point in item.keypoints}


def _category(item: Any, use_display_name: bool) -> Category:
    category: Category = {"id": item.id, "name": _name(item, use_display_name)}
    if item.frequency in _FREQUENCIES:
        category["frequency"] = _FREQUENCIES[item.frequency]
    if item.HasField("instance_count"):
        category["instance_count"] = item.instance_count
    if item.keypoints:
        category["keypoints"] = _keypoint_numbers(item)
    return category


def convert_label_map_to_categories(
    label_map: string_int_label_map_pb2.StringIntLabelMap | None,
    max_num_classes: int,
    use_display_name: bool = True,
) -> list[Category]:
    """The classes with ids from 1 to `max_num_classes`, as dicts, in the order of the label map.

    Of several items with one id the first counts. Without a label map the classes are called
    `category_<id>`.

    Returns:
        Dicts with `id` and `name`, and where the item has them `keypoints` (name -> number),
        `frequency` (LVIS: `f`, `c`, `r`) and `instance_count`.

    Raises:
        ConfigError: two keypoints of a class share an id.
    """
    if not label_map:
        return [
            {"id": index + LABEL_OFFSET, "name": f"category_{index + LABEL_OFFSET}"}
            for index in range(max_num_classes)
        ]
    categories: dict[int, Category] = {}
    for item in label_map.item:
        if 0 < item.id <= max_num_classes and item.id not in categories:
            categories[item.id] = _category(item, use_display_name)
    return list(categories.values())


def create_category_index(categories: list[Category]) -> dict[int, Category]:
    """Id -> category."""
    return {category["id"]: category for category in categories}


def create_categories_from_labelmap(
    label_map_path: str, use_display_name: bool = True
) -> list[Category]:
    """The categories of a label map file.

    Raises:
        ConfigError: the file is absent, not a label map, or without an item, or two keypoints of a
            class share an id.
    """
    label_map = load_labelmap(label_map_path)
    if not label_map.item:
        raise ConfigError(
            f"{label_map_path}: has no item. An item reads: item {{ id: 1 name: 'face' }}."
        )
    try:
        return convert_label_map_to_categories(
            label_map, get_max_label_map_index(label_map), use_display_name
        )
    except ConfigError as error:
        raise ConfigError(f"{label_map_path}: {error}") from error


def create_category_index_from_labelmap(
    label_map_path: str, use_display_name: bool = True
) -> dict[int, Category]:
    """Id -> category, of a label map file."""
    return create_category_index(create_categories_from_labelmap(label_map_path, use_display_name))


def get_label_map_dict(
    label_map_path_or_proto: LabelMapOrPath,
    use_display_name: bool = False,
    fill_in_gaps_and_background: bool = False,
) -> dict[str, int]:
    """Name -> id.

    Args:
        label_map_path_or_proto: file or message.
        use_display_name: names are display names where there are any.
        fill_in_gaps_and_background: add the background and a name for each unused id.

    Raises:
        ConfigError: a gap is to be filled where a label has no positive id.
    """
    label_map = _as_label_map(label_map_path_or_proto)
    names = {_name(item, use_display_name): item.id for item in label_map.item}
    if fill_in_gaps_and_background:
        used = set(names.values())
        if 0 not in used:
            names["background"] = 0
        for number in range(1, max(used, default=0)):
            if number not in used:
                names[str(number)] = number
    return names


def get_keypoint_label_map_dict(
    label_map_path_or_proto: LabelMapOrPath,
) -> dict[str, int]:
    """Name of each keypoint -> its number.

    Raises:
        ConfigError: two keypoints of one name or number.
    """
    numbers: dict[str, int] = {}
    ids: set[int] = set()
    for item in _as_label_map(label_map_path_or_proto).item:
        for point in item.keypoints:
            if point.label in numbers or point.id in ids:
                raise ConfigError(
                    f"Keypoint {quoted(point.label)} or its id {point.id} appears twice."
                )
            numbers[point.label] = point.id
            ids.add(point.id)
    return numbers


def get_label_map_hierarchy_lut(
    label_map_path_or_proto: LabelMapOrPath, include_identity: bool = False
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Which classes stand above and below each class, as look-up tables.

    Args:
        label_map_path_or_proto: file or message; items name their `ancestor_ids` and
            `descendant_ids`.
        include_identity: whether each class is its own ancestor and descendant.

    Returns:
        (ancestors, descendants), each [N, N] of 0 and 1, N being the largest id: [i, j] is 1 where
        the class with id j + 1 is an ancestor (a descendant) of the one with id i + 1.

    Raises:
        ConfigError: an item names a class that the label map does not have, or ids are too large.
    """
    label_map = _as_label_map(label_map_path_or_proto)
    largest = get_max_label_map_index(label_map)
    if largest > _MOST_ID_OF_A_HIERARCHY:
        raise ConfigError(
            f"label map: the largest id is {largest}; classes above and below each other have ids "
            f"up to {_MOST_ID_OF_A_HIERARCHY}. Renumber them."
        )

    def table(related: Callable[[Any], Iterable[int]], field: str) -> np.ndarray[Any, Any]:
        lut = np.eye(largest) if include_identity else np.zeros([largest, largest])
        for item in label_map.item:
            for other in related(item):
                if not 0 < other <= largest:
                    raise ConfigError(
                        f"label map: {field} of {item.name!r} holds {other}; ids here go from 1 "
                        f"to {largest}."
                    )
                lut[item.id - LABEL_OFFSET, other - LABEL_OFFSET] = 1
        return lut

    return (
        table(lambda item: item.ancestor_ids, "ancestor_ids"),
        table(lambda item: item.descendant_ids, "descendant_ids"),
    )


def create_class_agnostic_category_index() -> dict[int, Category]:
    """One category for everything."""
    return {1: {"id": 1, "name": "object"}}
