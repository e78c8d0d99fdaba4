"""`tf.train.Example` messages as bytes, for programs that need not wait for TensorFlow to load.

The format: https://protobuf.dev/programming-guides/encoding; the messages:
tensorflow/core/example/{example,feature}.proto. The bytes are those of the message's own
deterministic serialisation.
"""

from collections.abc import Mapping, Sequence

import numpy as np

_SMALL = [bytes([number]) for number in range(0x80)]
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3  # numbers of the fields of `Feature`


def _varint(number: int) -> bytes:
    if number <= 0x7F:
        return _SMALL[number]
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _field(number: int, content: bytes) -> bytes:
    """A field whose content has a length: bytes, a message, packed numbers."""
    return b"".join((_varint(number << 3 | 2), _varint(len(content)), content))


def bytes_feature(values: Sequence[bytes]) -> bytes:
    """A `Feature` of byte strings; text has to be encoded."""
    encoded = {value: _field(1, value) for value in set(values)}
    return _field(_BYTES_LIST, b"".join([encoded[value] for value in values]))


def float_feature(values: Sequence[float]) -> bytes:
    """A `Feature` of float32 numbers; NaN is stored as such."""
    packed = np.asarray(values, "<f4").tobytes()
    return _field(_FLOAT_LIST, _field(1, packed) if packed else b"")


def int64_feature(values: Sequence[int]) -> bytes:
    """A `Feature` of integers."""
    if values and min(values) >= 0 and max(values) < 0x80:
        packed = bytes(values)
    else:
        packed = b"".join([_varint(value & 0xFFFFFFFFFFFFFFFF) for value in values])
    return _field(_INT64_LIST, _field(1, packed) if packed else b"")


def example(features: Mapping[str, bytes]) -> bytes:
    """An `Example` of features by name."""
    entries = (
        _field(1, _field(1, name.encode()) + _field(2, features[name])) for name in sorted(features)
    )
    return _field(1, b"".join(entries))
