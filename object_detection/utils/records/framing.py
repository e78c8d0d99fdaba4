"""How a TFRecord file holds its records, and where they lie in one that may be damaged.

A record: length (uint64, little endian), its checksum; the content, its checksum.
Source: tensorflow/core/lib/io/record_writer.h.

Only lengths are read here, so it is fast: whether the content of a record is what was written is
for who reads it to check (`content_is_whole`).
"""

import functools
import os
import struct
from array import array
from typing import Any, BinaryIO, NamedTuple

import google_crc32c
import numpy as np

_HEADER = struct.Struct("<QI")  # length, its checksum
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_AROUND = _HEADER.size + _CHECKSUM.size  # bytes of a record besides its content
_MASK_DELTA = 0xA282EAD8  # tensorflow/core/lib/hash/crc32c.h

TRUNCATED = "truncated"
DAMAGED_LENGTH = "damaged_length"

# Bytes looked through at a time, first and at most. A next record is mostly near, or far.
_WINDOW, _LARGEST_WINDOW = 1 << 8, 1 << 22
_PIECE = 1 << 20  # bytes of a long content checked at a time
# Contents that may be read to tell records from what only looks like their headers. A stranger's
# file could hold so many headers that reading what each announces would not end.
_SPARE_READING = 1 << 26
_MOST_GAPS = 10_000


def masked_crc(data: bytes) -> int:
    """The CRC-32C as TFRecords store it: turned by 15 bits, plus a constant."""
    return _masked(google_crc32c.value(data))


def _masked(value: int) -> int:
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


class Gap(NamedTuple):
    """A stretch of a file that holds no record that can be found."""

    place: int  # the records before it
    begin: int  # bytes from the beginning of the file
    end: int
    reason: str  # TRUNCATED or DAMAGED_LENGTH
    given_up: bool  # whether there may be records in it that were not looked for


class Layout(NamedTuple):
    """Where the records of a file lie."""

    spans: np.ndarray[Any, np.dtype[np.int64]]  # [N, 2]: offset and length of each content
    gaps: tuple[Gap, ...]


class RecordFile:
    """A file of records that is read at any place; used in a `with` statement."""

    def __init__(self, path: str) -> None:
        """Opens the file.

        Args:
            path: of the file; a regular one.

        Raises:
            OSError: it cannot be opened.
        """
        self._file: BinaryIO = open(path, "rb", buffering=0)  # noqa: SIM115 - closed in __exit__
        self.size = os.fstat(self._file.fileno()).st_size

    def __enter__(self) -> "RecordFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def read(self, offset: int, count: int) -> bytes:
        """`count` bytes, or as many as there are."""
        self._file.seek(offset)
        data = self._file.read(count)
        while len(data) < count:
            more = self._file.read(count - len(data))
            if not more:
                break
            data += more
        return data

    def content_is_whole(self, offset: int, length: int) -> bool:
        """Whether the checksum after a content is that of the content."""
        crc = 0
        for begin in range(offset, offset + length, _PIECE):
            piece = self.read(begin, min(_PIECE, offset + length - begin))
            crc = google_crc32c.extend(crc, piece)
        stored = self.read(offset + length, _CHECKSUM.size)
        return len(stored) == _CHECKSUM.size and _CHECKSUM.unpack(stored)[0] == _masked(crc)

    def content(self, offset: int, length: int) -> bytes | None:
        """The content of a record; None if its checksum says that it is not what was written."""
        data = self.read(offset, length + _CHECKSUM.size)
        if len(data) < length + _CHECKSUM.size:
            return None
        content = data[:length]
        whole = _CHECKSUM.unpack_from(data, length)[0] == masked_crc(content)
        return content if whole else None


def _length_in(header: bytes) -> int | None:
    """The length that a header tells; None if its checksum is wrong."""
    if len(header) < _HEADER.size:
        return None
    length, stored = _HEADER.unpack(header)
    return int(length) if stored == masked_crc(header[: _LENGTH.size]) else None


@functools.cache
def _crc_tables() -> tuple[np.ndarray[Any, np.dtype[np.uint32]], int]:
    """Tables [8, 256] and a constant: the CRC of 8 bytes is the xor of all nine.

    A CRC is linear but for its constant.
    """
    constant = google_crc32c.value(bytes(8))
    tables = np.zeros((8, 256), np.uint32)
    for place in range(8):
        for value in range(256):
            word = bytearray(8)
            word[place] = value
            tables[place, value] = google_crc32c.value(bytes(word)) ^ constant
    return tables, constant


def _look_like_headers(window: bytes, most: int) -> list[int]:
    """Places in `window` where a length of at most `most` stands beside its checksum."""
    count = len(window) - _HEADER.size + 1
    # Long stretches of zeros are common in damaged files, and hold no header.
    if count < 1 or not np.frombuffer(window, np.uint8).any():
        return []
    lengths = np.ndarray((count,), "<u8", window, 0, (1,))
    stored = np.ndarray((count,), "<u4", window, _LENGTH.size, (1,))
    of_nothing = masked_crc(bytes(8))
    places = np.flatnonzero((lengths <= most) & ((lengths != 0) | (stored == of_nothing)))
    if not len(places):
        return []
    tables, constant = _crc_tables()
    octets = np.frombuffer(window, np.uint8)
    crc = np.full(len(places), constant, np.uint32)
    for place in range(8):
        crc ^= tables[place].take(octets[places + place])
    masked = (crc >> np.uint32(15) | crc << np.uint32(17)) + np.uint32(_MASK_DELTA)
    found: list[int] = places[masked == stored[places]].tolist()
    return found


def _next_record(file: RecordFile, begin: int, spare: int) -> tuple[int | None, int]:
    """The first offset from `begin` on where a whole record lies, and what is left of `spare`.

    Below 0 means that the search was given up.
    """
    start, width = begin, _WINDOW
    while start < file.size:
        window = file.read(start, width + _HEADER.size - 1)
        for place in _look_like_headers(window, max(file.size - start - _AROUND, 0)):
            offset = start + place
            length = int(_LENGTH.unpack_from(window, place)[0])
            if offset + _AROUND + length > file.size:
                continue
            if file.content_is_whole(offset + _HEADER.size, length):
                return offset, spare
            spare -= length + _AROUND
            if spare < 0:
                return None, spare
        start += width
        width = min(2 * width, _LARGEST_WINDOW)
    return None, spare


def lay_out(file: RecordFile) -> Layout:
    """Finds the records of a file by their lengths; where these are damaged, it looks for the next.

    A record whose content is damaged stays, unless the next one does not follow it: then it is not
    known where it ends, and what lies in it is looked through.
    """
    spans = array("q")
    gaps: list[Gap] = []
    spare = file.size + _SPARE_READING
    position = 0
    while position < file.size:
        length = _length_in(file.read(position, _HEADER.size))
        if length is not None and position + _AROUND + length <= file.size:
            spans.extend((position + _HEADER.size, length))
            position += _AROUND + length
            continue
        cut_off = length is not None or file.size - position < _HEADER.size
        reason = TRUNCATED if cut_off else DAMAGED_LENGTH
        begin, search = position, position + 1
        follows = spans and sum(spans[-2:]) + _CHECKSUM.size == position
        if follows and not file.content_is_whole(*spans[-2:]):
            begin = spans[-2] - _HEADER.size
            search = begin + 1
            reason = DAMAGED_LENGTH
            del spans[-2:]
        if len(gaps) == _MOST_GAPS - 1:
            spare = -1
        found = None
        if spare >= 0:
            found, spare = _next_record(file, search, spare)
        if found is not None:
            # A file that seemed to end too early, because the length was too large.
            reason = DAMAGED_LENGTH
        end = file.size if found is None else found
        gaps.append(Gap(len(spans) // 2, begin, end, reason, found is None and spare < 0))
        position = end
    return Layout(np.array(spans, np.int64).reshape(-1, 2), tuple(gaps))
