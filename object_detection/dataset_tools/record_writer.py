"""Writes TFRecord files without TensorFlow, which takes seconds to load."""

import struct

from object_detection.utils import crc32c

# A record: length (uint64, little endian), its checksum; the content, its checksum.
# Source: tensorflow/core/lib/io/record_writer.h.
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")


def framed(record: bytes) -> bytes:
    """What a file holds of one record."""
    length = _LENGTH.pack(len(record))
    return b"".join(
        (
            length,
            _CHECKSUM.pack(crc32c.masked(length)),
            record,
            _CHECKSUM.pack(crc32c.masked(record)),
        )
    )


class RecordWriter:
    """A file of records; used in a `with` statement."""

    def __init__(self, path: str) -> None:
        """Opens the file.

        Args:
            path: of the file to write.
        """
        self._file = open(path, "wb")  # noqa: SIM115 - closed in __exit__

    def __enter__(self) -> "RecordWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write_framed(self, record: bytes) -> None:
        """Appends what `framed` made of a record, in whatever thread."""
        self._file.write(record)
