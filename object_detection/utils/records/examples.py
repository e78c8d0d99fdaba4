"""The features of a record, parsed as TensorFlow's readers do.

`protos/example.proto` is the message.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from object_detection.protos import example_pb2

BYTES, FLOATS, INTS = "bytes_list", "float_list", "int64_list"
_DTYPES = {FLOATS: np.float32, INTS: np.int64}
_NAMES = {BYTES: "strings", FLOATS: "floats", INTS: "integers"}

Array = np.ndarray[Any, Any]


class RefusedRecord(ValueError):
    """A record that is not used; `reason` is a code of `findings`."""

    def __init__(self, reason: str, detail: str) -> None:
        """Takes the reason.

        Args:
            reason: code.
            detail: what is wrong, for people.
        """
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Features:
    """Values by name; a name without values is like one that is absent."""

    def __init__(self, content: bytes) -> None:
        """Parses a record.

        Args:
            content: of the record.

        Raises:
            RefusedRecord: (`not_an_example`) it is no tf.train.Example.
        """
        try:
            message = example_pb2.Example.FromString(content)
        except DecodeError as error:
            raise RefusedRecord(
                "not_an_example", f"{len(content)} bytes that are no message"
            ) from error
        self._of_sequence = message.HasField("feature_lists")
        # Of two with one name the last counts.
        self._by_name = {one.key: one.value for one in message.features.feature}

    def __contains__(self, name: str) -> bool:
        return name.encode() in self._by_name

    def is_of_picture(self) -> bool:
        """Whether any name is one of those that pictures have."""
        return any(name.startswith(b"image/") for name in self._by_name)

    def is_of_sequence(self) -> bool:
        """Whether it is a tf.train.SequenceExample."""
        return self._of_sequence

    def _values(self, name: str, kind: str) -> Sequence[Any]:
        feature = self._by_name.get(name.encode())
        found = feature.WhichOneof("kind") if feature is not None else None
        if feature is None or found is None:
            return ()
        if found != kind:
            raise RefusedRecord(
                "wrong_feature", f"{name} holds {_NAMES[found]} instead of {_NAMES[kind]}"
            )
        values: Sequence[Any] = getattr(feature, kind).value
        return values

    def strings(self, name: str) -> Sequence[bytes]:
        """The strings under a name.

        Raises:
            RefusedRecord: (`wrong_feature`) there are numbers.
        """
        return self._values(name, BYTES)

    def numbers(self, name: str, kind: str) -> Array:
        """The numbers under a name: float32 or int64.

        Raises:
            RefusedRecord: (`wrong_feature`) there are values of another kind.
        """
        values = self._values(name, kind)
        return np.fromiter(values, _DTYPES[kind], len(values))

    def count(self, name: str, kind: str) -> int:
        """How many values a name has.

        Raises:
            RefusedRecord: (`wrong_feature`) there are values of another kind.
        """
        return len(self._values(name, kind))

    def one(self, name: str, kind: str, default: Any) -> Any:
        """The single value of a name, or the default if the record does not have it.

        Raises:
            RefusedRecord: (`wrong_feature`) there are several, none, or one of another kind.
        """
        values = self._values(name, kind)
        feature = self._by_name.get(name.encode())
        if feature is None or feature.WhichOneof("kind") is None:
            return default
        if len(values) != 1:
            raise RefusedRecord("wrong_feature", f"{name} holds {len(values)} values instead of 1")
        return values[0]
