"""Small parts of programs that write records: features, lists of names, PASCAL's XML."""

from collections.abc import Iterable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.errors import DataError


def int64_list_feature(value: Iterable[int]) -> tf.train.Feature:
    """A feature of integers."""
    return tf.train.Feature(int64_list=tf.train.Int64List(value=value))


def int64_feature(value: int) -> tf.train.Feature:
    """A feature of one integer."""
    return int64_list_feature([value])


def bytes_list_feature(value: Iterable[bytes]) -> tf.train.Feature:
    """A feature of byte strings; text has to be encoded."""
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=value))


def bytes_feature(value: bytes) -> tf.train.Feature:
    """A feature of one byte string."""
    return bytes_list_feature([value])


def float_list_feature(value: Iterable[float]) -> tf.train.Feature:
    """A feature of float32 numbers; NaN is stored as such."""
    return tf.train.Feature(float_list=tf.train.FloatList(value=value))


def float_feature(value: float) -> tf.train.Feature:
    """A feature of one float32 number."""
    return float_list_feature([value])


def read_examples_list(path: str) -> list[str]:
    """The first word of each line, as in the lists of PASCAL VOC (`2008_000008 -1`).

    Raises:
        DataError: the file cannot be read, or is no text.
    """
    try:
        with tf.io.gfile.GFile(path) as file:
            return [line.strip().split(" ")[0] for line in file]
    except (tf.errors.OpError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a list of names ({error}).") from error


def recursive_parse_xml_to_dict(xml: Any) -> dict[str, Any]:
    """An element tree as nested dicts; `object` elements are gathered in a list.

    Args:
        xml: element of `lxml.etree` or `xml.etree.ElementTree`.
    """
    if len(xml) == 0:
        return {xml.tag: xml.text}
    content: dict[str, Any] = {}
    for child in xml:
        if not isinstance(child.tag, str):
            continue  # lxml keeps comments as children
        value = recursive_parse_xml_to_dict(child)[child.tag]
        if child.tag == "object":
            content.setdefault("object", []).append(value)
        else:
            content[child.tag] = value
    return {xml.tag: content}
