"""What the converters of known data sets share: pictures, boxes, XML, and how a program ends."""

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow.compat.v1 as tf
from absl import app
from lxml import etree

from object_detection.dataset_tools import picture_files
from object_detection.errors import DataError, PictureError
from object_detection.utils import dataset_util, startup, untrusted

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


def _read(path: str) -> bytes:
    try:
        return untrusted.read_bytes(path, untrusted.MOST_XML_BYTES)
    except OSError as error:
        reason = "missing_annotation" if isinstance(error, FileNotFoundError) else "unreadable"
        raise PictureError(f"{path}: cannot be read ({error.strerror}).", reason) from error


def read_text(path: str) -> str:
    """A text file of annotations.

    Raises:
        PictureError: it cannot be read, is too large, or no text.
    """
    try:
        return _read(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PictureError(f"{path}: is no text ({error}).", "bad_annotation") from error


def read_xml_annotation(path: str) -> dict[str, Any]:
    """The `annotation` of an XML file in the style of PASCAL VOC.

    Raises:
        PictureError: the file cannot be read, has none, or defines entities of its own.
    """
    # Nothing else is opened for an XML file, whatever it asks for, and nothing grows in memory.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(_read(path), parser)
    except etree.XMLSyntaxError as error:
        raise PictureError(
            f"{path}: is not XML ({untrusted.shortened(str(error), 200)}).", "bad_annotation"
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise PictureError(
            f"{path}: has a DOCTYPE, which annotations have no use for.", "bad_annotation"
        )
    annotation = dataset_util.recursive_parse_xml_to_dict(root).get("annotation")
    if not isinstance(annotation, dict):
        raise PictureError(f"{path}: has no <annotation> with content.", "bad_annotation")
    return annotation


def read_picture(path: str, wanted_format: str | None = None) -> picture_files.Picture:
    """A picture that decodes, as it is stored in a record.

    Args:
        path: of the file.
        wanted_format: `jpeg` or `png`, if it has to be that.

    Raises:
        PictureError: there is no such picture, it does not decode, or its format is another one.
    """
    with picture_files.pillow_silent():
        picture = picture_files.read_picture(path)
    if isinstance(picture, picture_files.Unreadable):
        raise PictureError(
            f"{path}: {picture.reason.replace('_', ' ')} ({picture.detail}). Mend or remove it.",
            picture.reason,
        )
    if wanted_format and picture.format != wanted_format:
        raise PictureError(
            f"{path}: is no {wanted_format.upper()} picture ({picture.note or picture.format}). "
            "Convert it, or remove it.",
            "other_format",
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


def text_of(data: Mapping[str, Any], name: str, where: str) -> str:
    """An element of text.

    Raises:
        PictureError: it is absent, empty, or no text.
    """
    value = data.get(name)
    # JSON can hold halves of characters, which no file of text can.
    if not isinstance(value, str) or not value or re.search("[\ud800-\udfff]", value):
        raise PictureError(f"{where}: has no text in {name!r}.", "bad_annotation")
    return value


def size_of(data: Mapping[str, Any], where: str) -> tuple[int, int]:
    """Height and width that boxes are divided by.

    Args:
        data: has `height` and `width`.
        where: for messages.

    Raises:
        PictureError: they are no sizes of a picture that could be read.
    """
    sizes = []
    for name in ("height", "width"):
        number = number_of(data, name, where)
        if number < 1 or number != int(number):
            raise PictureError(
                f"{where}: {name!r} is {number:g}; a number of pixels is wanted.", "bad_annotation"
            )
        sizes.append(int(number))
    height, width = sizes
    untrusted.check_pixels(height, width, where)
    return height, width


def number_of(data: Mapping[str, Any], name: str, where: str) -> float:
    """An element that is a finite number, or the text of one.

    Raises:
        PictureError: it is absent, no number, or not finite.
    """
    value = data.get(name)
    try:
        number = float(value)  # type: ignore[arg-type] # None is no number either
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not abs(number) <= _MOST_COORDINATE:
        raise PictureError(
            f"{where}: {name!r} is {untrusted.shortened(repr(value))}; a number is wanted.",
            "bad_annotation",
        )
    return number


# Far out of every picture, but well within float32.
_MOST_COORDINATE = 1e9


def _flag(one: Mapping[str, Any], name: str) -> int:
    """0 or 1; tools that draw boxes leave such elements out."""
    return int(one.get(name) or 0)


def checked_voc(data: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """An annotation in the style of PASCAL VOC, with all that is read of it.

    Args:
        data: see `read_xml_annotation`.
        where: for messages.

    Raises:
        PictureError: something is absent, or of another kind.
    """
    text_of(data, "filename", where)
    size = data.get("size")
    if not isinstance(size, Mapping):
        raise PictureError(f"{where}: has no size with height and width.", "bad_annotation")
    size_of(size, where)
    for number, one in enumerate(data.get("object", []), 1):
        place = f"{where}: object {number}"
        if not isinstance(one, Mapping) or not isinstance(one.get("bndbox"), Mapping):
            raise PictureError(f"{place}: has no bndbox with corners.", "bad_annotation")
        for name in ("xmin", "ymin", "xmax", "ymax"):
            number_of(one["bndbox"], name, place)
        for name in ("difficult", "truncated"):
            if str(one.get(name) or 0).strip() not in ("0", "1"):
                raise PictureError(f"{place}: {name!r} should be 0 or 1.", "bad_annotation")
        if not isinstance(one.get("pose") or "", str):
            raise PictureError(f"{place}: 'pose' should be text.", "bad_annotation")
    return data


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
