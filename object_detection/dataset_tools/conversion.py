"""What the converters of known data sets share: pictures, boxes, XML, and how a program ends."""

import json
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow.compat.v1 as tf
from absl import app

from object_detection.dataset_tools import picture_files
from object_detection.errors import ConfigError, DataError
from object_detection.utils import dataset_util, startup

Features = dict[str, tf.train.Feature]


def run_program(main: Callable[[Sequence[str]], str | None], name: str) -> None:
    """Parses the flags and runs `main`; a mistake ends in one message and exit status 1.

    Args:
        main: takes the arguments that are no flags; what it returns is printed.
        name: of the program.
    """

    def guarded(arguments: Sequence[str]) -> None:
        def action() -> str | None:
            startup.refuse_arguments(arguments)
            startup.prepare_tensorflow()
            return main(arguments)

        startup.run_program(name, action)

    app.run(guarded)


def require_flags(flag_values: Any, names: Sequence[str]) -> None:
    """Raises `ConfigError` if one of the flags is empty."""
    absent = [f"--{name}" for name in names if not getattr(flag_values, name)]
    if absent:
        raise ConfigError(f"{', '.join(absent)}: required, but not given.")


def read_text(path: str) -> str:
    """A text file; `DataError` if it cannot be read."""
    try:
        with tf.io.gfile.GFile(path) as file:
            return str(file.read())
    except (tf.errors.OpError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}). Check the path.") from error


def read_json(path: str) -> Any:
    """A JSON file; `DataError` if it cannot be read."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: is not JSON ({error}). Download it again.") from error


def read_xml_annotation(path: str) -> dict[str, Any]:
    """The `annotation` of an XML file in the style of PASCAL VOC; `DataError` if it has none."""
    try:
        root = ElementTree.fromstring(read_text(path))
    except ElementTree.ParseError as error:
        raise DataError(f"{path}: is not XML ({error}). Download it again.") from error
    annotation = dataset_util.recursive_parse_xml_to_dict(root).get("annotation")
    if not isinstance(annotation, dict):
        raise DataError(f"{path}: has no <annotation> with content.")
    return annotation


def read_picture(path: str, wanted_format: str | None = None) -> picture_files.Picture:
    """A picture that decodes, as it is stored in a record.

    Args:
        path: of the file.
        wanted_format: `jpeg` or `png`, if it has to be that.

    Raises:
        DataError: there is no such picture, it does not decode, or its format is another one.
    """
    with picture_files.pillow_silent():
        picture = picture_files.read_picture(path)
    if isinstance(picture, picture_files.Unreadable):
        raise DataError(
            f"{path}: {picture.reason.replace('_', ' ')} ({picture.detail}). Mend or remove it."
        )
    if wanted_format and picture.format != wanted_format:
        raise DataError(
            f"{path}: is no {wanted_format.upper()} picture ({picture.note or picture.format}). "
            "Convert it, or remove it."
        )
    return picture


def picture_features(
    picture: picture_files.Picture, height: int, width: int, filename: str, source_id: str
) -> Features:
    """Features of a picture itself.

    Args:
        picture: the encoded picture.
        height: pixels that its boxes are divided by.
        width: likewise.
        filename: what the data set calls it.
        source_id: what errors and evaluation call it.
    """
    return {
        "image/height": dataset_util.int64_feature(height),
        "image/width": dataset_util.int64_feature(width),
        "image/filename": dataset_util.bytes_feature(os.fsencode(filename)),
        "image/source_id": dataset_util.bytes_feature(os.fsencode(source_id)),
        "image/key/sha256": dataset_util.bytes_feature(picture.sha256.encode()),
        "image/encoded": dataset_util.bytes_feature(picture.encoded),
        "image/format": dataset_util.bytes_feature(picture.format.encode()),
    }


def box_features(
    boxes: Sequence[tuple[float, float, float, float]], names: Sequence[str]
) -> Features:
    """Features of boxes and the names of their classes.

    Args:
        boxes: (ymin, xmin, ymax, xmax), normalised.
        names: one a box.
    """
    features = {
        f"image/object/bbox/{side}": dataset_util.float_list_feature([box[index] for box in boxes])
        for index, side in enumerate(("ymin", "xmin", "ymax", "xmax"))
    }
    features["image/object/class/text"] = dataset_util.bytes_list_feature(
        [name.encode() for name in names]
    )
    return features


def _flag(one: Mapping[str, Any], name: str) -> int:
    """0 or 1; tools that draw boxes leave such elements out."""
    return int(one.get(name) or 0)


def voc_objects(data: Mapping[str, Any], ignore_difficult: bool) -> list[dict[str, Any]]:
    """The objects of an annotation in the style of PASCAL VOC."""
    objects: list[dict[str, Any]] = data.get("object", [])
    return [one for one in objects if not (ignore_difficult and _flag(one, "difficult"))]


def voc_box(one: Mapping[str, Any], height: int, width: int) -> tuple[float, float, float, float]:
    """(ymin, xmin, ymax, xmax) of an object, divided by the picture's size."""
    corners = one["bndbox"]
    return (
        float(corners["ymin"]) / height,
        float(corners["xmin"]) / width,
        float(corners["ymax"]) / height,
        float(corners["xmax"]) / width,
    )


def voc_features(objects: Sequence[Mapping[str, Any]]) -> Features:
    """What annotations in the style of PASCAL VOC say of each object besides box and class."""
    return {
        "image/object/difficult": dataset_util.int64_list_feature(
            [_flag(one, "difficult") for one in objects]
        ),
        "image/object/truncated": dataset_util.int64_list_feature(
            [_flag(one, "truncated") for one in objects]
        ),
        # An empty element is None.
        "image/object/view": dataset_util.bytes_list_feature(
            [(one.get("pose") or "").encode() for one in objects]
        ),
    }


def class_ids(names: Sequence[str], label_map_dict: Mapping[str, int], where: str) -> list[int]:
    """The ids of names; `DataError` for one that the label map lacks."""
    for name in names:
        if name not in label_map_dict:
            raise DataError(
                f"{where}: class {name!r} is not in the label map. It has: "
                f"{', '.join(sorted(label_map_dict))}."
            )
    return [label_map_dict[name] for name in names]


def example(features: Features) -> tf.train.Example:
    """The record of these features."""
    return tf.train.Example(features=tf.train.Features(feature=features))


def serialized(record: tf.train.Example) -> bytes:
    """The bytes of a record; a map's order of keys would otherwise differ from run to run."""
    return bytes(record.SerializeToString(deterministic=True))
