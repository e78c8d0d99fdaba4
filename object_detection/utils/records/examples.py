"""The features of a record, parsed as TensorFlow's readers do.

Their parser (tensorflow/core/util/example_proto_fast_parsing.cc) is not a library for protobuf: of
damaged messages it refuses some that such a library takes, and takes some that it refuses. What is
called good here has to be read there, so this one follows it; where it is more patient than that
makes sense, this one refuses.

`protos/example.proto` is the message; https://protobuf.dev/programming-guides/encoding the format.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from object_detection.protos import example_pb2
from object_detection.utils.refusal import Refused

BYTES, FLOATS, INTS = "strings", "floats", "integers"
_KINDS = {0x0A: BYTES, 0x12: FLOATS, 0x1A: INTS}  # by the tag of the list in a `Feature`
_LENGTH_DELIMITED_1, _LENGTH_DELIMITED_2 = 0x0A, 0x12  # tags of the first and the second field
_VARINT_1, _FIXED32_1 = 0x08, 0x0D
_FLOAT = np.dtype([("tag", "u1"), ("value", "<f4")])  # an element of a list that is not packed
_NOT_PACKED_INTS = re.compile(rb"(?:\x08[\x80-\xff]{0,9}[\x00-\x7f])*")

Array = np.ndarray[Any, Any]


class RefusedRecord(Refused):
    """A record that is not used; `reason` is a code of `findings`."""


class _Broken(Exception):
    """Bytes that are no message."""


def _expect(holds: bool) -> None:
    if not holds:
        raise _Broken


def _field(data: bytes, position: int, end: int) -> tuple[int, int, int]:
    """A field that has a length: its tag, where its content begins, and where it ends."""
    _expect(position + 1 < end)
    tag = data[position]
    length = data[position + 1]
    position += 2
    if length > 0x7F:
        length &= 0x7F
        for shift in (7, 14, 21, 28):
            _expect(position < end)
            byte = data[position]
            position += 1
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        else:
            raise _Broken
    _expect(position + length <= end)
    return tag, position, position + length


class _Values:
    """The serialised `Feature` of a name, and how many bytes of the record it is."""

    def __init__(self, data: bytes, begin: int, end: int) -> None:
        self._data = data
        self._begin = begin
        self._end = end
        self.kind: str | None = None  # there may be a name without any values
        if end > begin:
            tag, self._begin, self._end = _field(data, begin, end)
            _expect(tag in _KINDS and self._end == end)
            self.kind = _KINDS[tag]

    def strings(self) -> list[bytes]:
        found = []
        position = self._begin
        while position < self._end:
            tag, begin, position = _field(self._data, position, self._end)
            _expect(tag == _LENGTH_DELIMITED_1)
            found.append(self._data[begin:position])
        return found

    def numbers(self) -> Array:
        begin, end = self._begin, self._end
        is_float = self.kind == FLOATS
        if begin == end:
            return np.zeros(0, np.float32 if is_float else np.int64)
        if self._data[begin] == _LENGTH_DELIMITED_1:
            _, first, last = _field(self._data, begin, end)
            _expect(last == end)
            return self._packed_floats(first) if is_float else self._ints()
        if is_float:
            _expect((end - begin) % _FLOAT.itemsize == 0)
            listed = np.frombuffer(self._data, _FLOAT, (end - begin) // _FLOAT.itemsize, begin)
            _expect(bool((listed["tag"] == _FIXED32_1).all()))
            return listed["value"].astype(np.float32)
        _expect(_NOT_PACKED_INTS.fullmatch(self._data, begin, end) is not None)
        return self._ints()

    def _packed_floats(self, first: int) -> Array:
        _expect((self._end - first) % 4 == 0)
        return np.frombuffer(self._data, "<f4", (self._end - first) // 4, first)

    def _ints(self) -> Array:
        try:
            values = example_pb2.Int64List.FromString(self._data[self._begin : self._end]).value
        except DecodeError as error:
            raise _Broken from error
        return np.fromiter(values, np.int64, len(values))


class Features:
    """Values by name; a name without values is mostly like one that is absent."""

    def __init__(self, content: bytes) -> None:
        """Parses a record.

        Args:
            content: of the record.

        Raises:
            RefusedRecord: (`not_an_example`) it is no tf.train.Example.
        """
        self._by_name: dict[bytes, _Values] = {}
        self._of_sequence = False
        self._parsed: dict[tuple[str, str], Any] = {}
        self._size = len(content)
        try:
            position = 0
            while position < len(content):
                tag, begin, position = _field(content, position, len(content))
                if tag == _LENGTH_DELIMITED_1:
                    self._take(content, begin, position)
                else:
                    _expect(tag == _LENGTH_DELIMITED_2)
                    self._of_sequence = True
        except _Broken:
            raise self._no_message() from None

    def _no_message(self) -> RefusedRecord:
        return RefusedRecord("not_an_example", f"{self._size} bytes that are no message")

    def _take(self, content: bytes, begin: int, end: int) -> None:
        """Takes the entries of a `Features` message; of two with one name the last with a list counts."""
        while begin < end:
            tag, position, begin = _field(content, begin, end)
            _expect(tag == _LENGTH_DELIMITED_1)
            name, value = b"", (0, 0)
            for _ in range(2):
                tag, first, position = _field(content, position, begin)
                if tag == _LENGTH_DELIMITED_1:
                    name = content[first:position]
                else:
                    _expect(tag == _LENGTH_DELIMITED_2)
                    value = first, position
            _expect(position == begin)
            values = _Values(content, *value)
            if values.kind or name not in self._by_name:
                self._by_name[name] = values

    def __contains__(self, name: str) -> bool:
        return name.encode() in self._by_name

    def is_of_picture(self) -> bool:
        """Whether any name is one of those that pictures have."""
        return any(name.startswith(b"image/") for name in self._by_name)

    def is_of_sequence(self) -> bool:
        """Whether it is a tf.train.SequenceExample."""
        return self._of_sequence

    def _values(self, name: str, kind: str) -> Any:
        if (name, kind) in self._parsed:
            return self._parsed[name, kind]
        feature = self._by_name.get(name.encode())
        if feature is None or feature.kind is None:
            return ()
        if feature.kind != kind:
            raise RefusedRecord("wrong_feature", f"{name} holds {feature.kind} instead of {kind}")
        try:
            values = feature.strings() if kind == BYTES else feature.numbers()
        except _Broken:
            raise self._no_message() from None
        self._parsed[name, kind] = values
        return values

    def strings(self, name: str) -> Sequence[bytes]:
        """The strings under a name.

        Raises:
            RefusedRecord: (`wrong_feature`) there are numbers; (`not_an_example`) it is damaged.
        """
        values: Sequence[bytes] = self._values(name, BYTES)
        return values

    def numbers(self, name: str, kind: str) -> Array:
        """The numbers under a name: float32 or int64.

        Raises:
            RefusedRecord: as for `strings`.
        """
        return np.asarray(self._values(name, kind), np.float32 if kind == FLOATS else np.int64)

    def count(self, name: str, kind: str) -> int:
        """How many values a name has.

        Raises:
            RefusedRecord: as for `strings`.
        """
        return len(self._values(name, kind))

    def one(self, name: str, kind: str, default: Any) -> Any:
        """The single value of a name, or the default if the record does not have it.

        Raises:
            RefusedRecord: as for `strings`; (`wrong_feature`) there are several values, or none.
        """
        values = self._values(name, kind)
        feature = self._by_name.get(name.encode())
        if feature is None or feature.kind is None:
            return default
        if len(values) != 1:
            raise RefusedRecord("wrong_feature", f"{name} holds {len(values)} values instead of 1")
        return values[0]
