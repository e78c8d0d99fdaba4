"""How a TFRecord file holds its records.

A record: length (uint64, little endian), its checksum; the content, its checksum.
Source: tensorflow/core/lib/io/record_writer.h.
"""

import struct

import google_crc32c

_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8  # tensorflow/core/lib/hash/crc32c.h


def masked_crc(data: bytes) -> int:
    """The CRC-32C as TFRecords store it: turned by 15 bits, plus a constant."""
    value: int = google_crc32c.value(data)
    return ((value >> 15 | value << 17) + _MASK_DELTA) & 0xFFFFFFFF


def framed(record: bytes) -> bytes:
    """What a file holds of one record."""
    length = _LENGTH.pack(len(record))
    return b"".join(
        (
            length,
            _CHECKSUM.pack(masked_crc(length)),
            record,
            _CHECKSUM.pack(masked_crc(record)),
        )
    )
