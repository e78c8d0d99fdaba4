"""Label maps: the classes of a data set, by id and by name. Needs no TensorFlow."""

import os
from typing import Any

from google.protobuf import text_format

from object_detection.errors import ConfigError
from object_detection.protos import string_int_label_map_pb2

Category = dict[str, Any]

_LABEL_OFFSET = 1


def _check(label_map: string_int_label_map_pb2.StringIntLabelMap, where: str) -> None:
    seen: dict[int, str] = {}
    for index, item in enumerate(label_map.item):
        if item.id < 0 or (item.id == 0 and item.name != "background"):
            raise ConfigError(
                f"{where}: item {index} ({item.name!r}) has id {item.id}, but ids start at 1 (0 is "
                "the background). Renumber it, or name it 'background'."
            )
        if item.id in seen and item.name != seen[item.id]:
            raise ConfigError(
                f"{where}: items {seen[item.id]!r} and {item.name!r} both have id {item.id}."
            )
        seen[item.id] = item.name


def load_labelmap(path: str) -> string_int_label_map_pb2.StringIntLabelMap:
    """Reads and checks a label map in text format.

    Raises:
        ConfigError: the file is absent or not a label map, or its ids are wrong.
    """
    if not os.path.isfile(path):
        raise ConfigError(f"label_map_path: there is no file {path}.")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    label_map = string_int_label_map_pb2.StringIntLabelMap()
    try:
        text_format.Parse(text, label_map)
    except text_format.ParseError as error:
        raise ConfigError(
            f"{path}: not a label map: {error}. An item reads: item {{ id: 1 name: 'face' }}."
        ) from error
    _check(label_map, path)
    return label_map


def _as_label_map(
    path_or_proto: str | string_int_label_map_pb2.StringIntLabelMap,
) -> string_int_label_map_pb2.StringIntLabelMap:
    if isinstance(path_or_proto, str):
        return load_labelmap(path_or_proto)
    _check(path_or_proto, "label map")
    return path_or_proto


def _name(item: Any, use_display_name: bool) -> str:
    return item.display_name if use_display_name and item.HasField("display_name") else item.name


def get_max_label_map_index(label_map: string_int_label_map_pb2.StringIntLabelMap) -> int:
    """The largest id."""
    return max(item.id for item in label_map.item)


def convert_label_map_to_categories(
    label_map: string_int_label_map_pb2.StringIntLabelMap | None,
    max_num_classes: int,
    use_display_name: bool = True,
) -> list[Category]:
    """`{"id", "name"}` (and `"keypoints"`, name -> number) of the classes up to `max_num_classes`.

    Without a label map the classes are called `category_<id>`.
    """
    if not label_map:
        return [
            {"id": index + _LABEL_OFFSET, "name": f"category_{index + _LABEL_OFFSET}"}
            for index in range(max_num_classes)
        ]
    categories: list[Category] = []
    seen = set()
    for item in label_map.item:
        if not 0 < item.id <= max_num_classes or item.id in seen:
            continue
        seen.add(item.id)
        category: Category = {"id": item.id, "name": _name(item, use_display_name)}
        if item.keypoints:
            category["keypoints"] = {point.label: point.id for point in item.keypoints}
        categories.append(category)
    return categories


def create_category_index(categories: list[Category]) -> dict[int, Category]:
    """Id -> category."""
    return {category["id"]: category for category in categories}


def create_categories_from_labelmap(
    label_map_path: str, use_display_name: bool = True
) -> list[Category]:
    """The categories of a label map file."""
    label_map = load_labelmap(label_map_path)
    return convert_label_map_to_categories(
        label_map, get_max_label_map_index(label_map), use_display_name
    )


def create_category_index_from_labelmap(
    label_map_path: str, use_display_name: bool = True
) -> dict[int, Category]:
    """Id -> category, of a label map file."""
    return create_category_index(create_categories_from_labelmap(label_map_path, use_display_name))


def get_label_map_dict(
    label_map_path_or_proto: str | string_int_label_map_pb2.StringIntLabelMap,
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
    label_map_path_or_proto: str | string_int_label_map_pb2.StringIntLabelMap,
) -> dict[str, int]:
    """Name of each keypoint -> its number.

    Raises:
        ConfigError: two keypoints of one name or number.
    """
    numbers: dict[str, int] = {}
    for item in _as_label_map(label_map_path_or_proto).item:
        for point in item.keypoints:
            if point.label in numbers or point.id in numbers.values():
                raise ConfigError(f"Keypoint {point.label!r} or its id {point.id} appears twice.")
            numbers[point.label] = point.id
    return numbers


def create_class_agnostic_category_index() -> dict[int, Category]:
    """One category for everything."""
    return {1: {"id": 1, "name": "object"}}
