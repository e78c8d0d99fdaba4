"""Tells whole PNG files from others as libpng does, without making pixels of them.

Source: https://www.w3.org/TR/png-3 (chunks: section 5, filters: 9, interlacing: 8). Checksums of
chunks that are not needed are no reason to refuse a file: libpng only warns of them.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_HEADER = struct.Struct(">IIBBBBB")
# Colour type -> number of channels, allowed bits of each.
_COLOURS = {
    0: (1, {1, 2, 4, 8, 16}),
    2: (3, {8, 16}),
    3: (1, {1, 2, 4, 8}),
    4: (2, {8, 16}),
    6: (4, {8, 16}),
}
_PALETTE = 3
_MOST_A_SIDE = 1_000_000  # of libpng, unless it is told otherwise
# First column and row of each pass, and the steps to the next.
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_LAST_FILTER = 4
_PIECE = 1 << 18  # bytes that are unpacked at a time
_PACKED_PIECE = 1 << 16


class BrokenPng(ValueError):
    """A file that libpng refuses."""


class Header(NamedTuple):
    """What a PNG says of its picture."""

    height: int
    width: int
    bits: int  # of a channel
    colour: int
    interlaced: bool


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BrokenPng(otherwise)


def header(encoded: bytes) -> Header:
    """The header of a PNG.

    Raises:
        BrokenPng: there is none.
    """
    start = len(SIGNATURE)
    _expect(
        encoded[:start] == SIGNATURE and encoded[start + 4 : start + 8] == b"IHDR", "has no header"
    )
    body = encoded[start + 8 : start + 8 + _HEADER.size]
    _expect(len(body) == _HEADER.size, "is cut off in its header")
    width, height, bits, colour, compression, filters, interlacing = _HEADER.unpack(body)
    _expect(0 < width <= _MOST_A_SIDE and 0 < height <= _MOST_A_SIDE, f"is {height} x {width}")
    _expect(colour in _COLOURS and bits in _COLOURS[colour][1], "has an unknown kind of pixels")
    _expect(compression == 0 and filters == 0 and interlacing < 2, "is packed in an unknown way")
    return Header(height, width, bits, colour, bool(interlacing))


def _chunks(encoded: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Type and content of each chunk up to the last one, IEND."""
    view = memoryview(encoded)
    position = len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        _expect(position + 12 <= len(view), "is cut off")
        (length,) = struct.unpack_from(">I", view, position)
        kind = bytes(view[position + 4 : position + 8])
        end = position + 8 + length
        _expect(kind.isalpha() and end + 4 <= len(view), "is cut off")
        if kind[:1].isupper():
            (stored,) = struct.unpack_from(">I", view, end)
            whole = zlib.crc32(view[position + 4 : end]) == stored
            _expect(whole, f"has a wrong checksum in {kind.decode()}")
        yield kind, view[position + 8 : end]
        position = end + 4


def _rows(picture: Header) -> Iterator[tuple[int, int]]:
    """Number of rows and bytes of a row, each with the byte that names its filter, by pass."""
    bits = picture.bits * _COLOURS[picture.colour][0]
    passes = _PASSES if picture.interlaced else ((0, 0, 1, 1),)
    for x, y, across, down in passes:
        columns = -(-(picture.width - x) // across)
        rows = -(-(picture.height - y) // down)
        if columns > 0 and rows > 0:
            yield rows, 1 + (columns * bits + 7) // 8


class _Pixels:
    """Takes the unpacked data piece by piece, and looks at the names of filters only."""

    def __init__(self, picture: Header) -> None:
        self._left = list(_rows(picture))
        self._within = 0  # bytes of the pass that were taken

    def complete(self) -> bool:
        return not self._left

    def take(self, piece: bytes) -> None:
        position = 0
        while position < len(piece) and self._left:
            rows, width = self._left[0]
            part = piece[position : position + rows * width - self._within]
            names = part[-self._within % width :: width]
            _expect(not names or max(names) <= _LAST_FILTER, "has rows of an unknown filter")
            position += len(part)
            self._within += len(part)
            if self._within == rows * width:
                self._left.pop(0)
                self._within = 0


class _Unpacker:
    """The packed data, that may be spread over several chunks."""

    def __init__(self, picture: Header) -> None:
        self._pixels = _Pixels(picture)
        self._stream = zlib.decompressobj()
        self._has_more = False

    def take(self, data: memoryview) -> None:
        for begin in range(0, len(data), _PACKED_PIECE):
            # What is not unpacked yet is copied each time, so it has to be short.
            rest: bytes | memoryview = data[begin : begin + _PACKED_PIECE]
            while rest and not self._stream.eof and not self._has_more:
                # Of data beyond the last pixel, which are allowed, one byte is enough.
                done = self._pixels.complete()
                try:
                    unpacked = self._stream.decompress(rest, 1 if done else _PIECE)
                except zlib.error as error:
                    raise BrokenPng(f"is packed wrongly ({error})") from error
                self._has_more = done and bool(unpacked)
                self._pixels.take(unpacked)
                rest = self._stream.unconsumed_tail

    def finish(self) -> None:
        _expect(self._pixels.complete(), "has too few pixels")
        _expect(self._stream.eof or self._has_more, "is cut off in its pixels")


def check(encoded: bytes) -> Header:
    """Proves that a PNG is whole. What is unpacked is not kept.

    Raises:
        BrokenPng: libpng would refuse it.
    """
    picture = header(encoded)
    unpacker = _Unpacker(picture)
    seen: set[bytes] = set()
    last = b""
    for kind, body in _chunks(encoded):
        if kind == b"IDAT":
            _expect(kind not in seen or last == kind, "has pixels in two places")
            unpacker.take(body)
        elif kind in (b"IHDR", b"PLTE", b"IEND"):
            _expect(kind not in seen, f"has two {kind.decode()}")
        else:
            _expect(not kind[:1].isupper(), "has a chunk of an unknown kind")
        if kind == b"PLTE":
            fits = len(body) % 3 == 0 and 0 < len(body) <= 3 * 256
            _expect(fits, "has a broken palette")
            late = b"IDAT" in seen and picture.colour == _PALETTE
            _expect(not late, "has its palette behind its pixels")
        last = kind
        if kind[:1].isupper():
            seen.add(kind)
    _expect(picture.colour != _PALETTE or b"PLTE" in seen, "has no palette")
    unpacker.finish()
    return picture
