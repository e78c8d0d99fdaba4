"""Tells JPEG files that are whole from their structure, without decoding a pixel.

A file that is cut off, and tables that no decoder takes, show in the markers (ITU-T T.81, annex B).
Only the most common kind is judged here: 8 bits, one scan, Huffman code. Of all others, and of
whatever looks odd, nothing is said: a decoder has to look.

That single bits of the picture's data are wrong is not found; decoders read past it, too.
"""

import functools
import re
from typing import NamedTuple

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD
_FRAMES = {0xC0, 0xC1}  # baseline and extended sequential
_SKIPPED = {*range(0xE0, 0xF0), 0xFE}  # application data, comments
_MOST_PIXELS_A_SIDE = 65500  # of libjpeg
_MOST_BLOCKS = 10  # of one minimum coded unit; T.81, B.2.3

# In the picture's data 0xFF is followed by 0 or, where the file says so, by a restart marker.
_END_OF_DATA = re.compile(rb"\xff[^\x00]")
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers that no segment follows
_END_OF_DATA_WITH_RESTARTS = re.compile(rb"\xff[^\x00\xd0-\xd7]")


class _Odd(Exception):
    """A decoder has to look."""


class _Component(NamedTuple):
    identifier: int
    across: int  # sampling factors
    down: int
    quantisation: int


class Frame(NamedTuple):
    """What a JPEG says of its picture."""

    height: int
    width: int
    components: tuple[_Component, ...]


def _expect(holds: bool) -> None:
    if not holds:
        raise _Odd


@functools.lru_cache(maxsize=512)
def _quantisation_tables(body: bytes) -> frozenset[int]:
    """Numbers of the tables that a DQT segment defines."""
    found = set()
    while body:
        precision, number = divmod(body[0], 16)
        _expect(precision < 2 and number < 4)
        size = 1 + 64 * (precision + 1)
        _expect(len(body) >= size)
        found.add(number)
        body = body[size:]
    return frozenset(found)


@functools.lru_cache(maxsize=512)
def _huffman_tables(body: bytes) -> frozenset[int]:
    """Class (0 or 16) plus number of the tables that a DHT segment defines."""
    found = set()
    while body:
        kind, number = divmod(body[0], 16)
        _expect(kind < 2 and number < 4 and len(body) >= 17)
        counts = body[1:17]
        size = 17 + sum(counts)
        _expect(size <= 17 + 256 and len(body) >= size)
        code = 0
        for length, count in enumerate(counts, start=1):
            # The code of all ones is not used; T.81, annex C.
            code += count
            _expect(code < 1 << length or not count)
            code <<= 1
        # Symbols of DC tables are numbers of bits.
        _expect(kind == 1 or all(symbol < 16 for symbol in body[17:size]))
        found.add(body[0])
        body = body[size:]
    return frozenset(found)


def _frame(body: bytes) -> Frame:
    _expect(len(body) >= 6 and body[0] == 8)
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    _expect(0 < height <= _MOST_PIXELS_A_SIDE and 0 < width <= _MOST_PIXELS_A_SIDE)
    _expect(body[5] in {1, 3} and len(body) == 6 + 3 * body[5])
    components = tuple(
        _Component(body[i], body[i + 1] >> 4, body[i + 1] & 15, body[i + 2])
        for i in range(6, len(body), 3)
    )
    _expect(len({one.identifier for one in components}) == len(components))
    for one in components:
        _expect(one.across in {1, 2, 4} and one.down in {1, 2, 4})
    _expect(sum(one.across * one.down for one in components) <= _MOST_BLOCKS)
    return Frame(height, width, components)


def _check_scan(body: bytes, frame: Frame, huffman: set[int], quantisation: set[int]) -> None:
    """A scan of all components, all coefficients, whose tables are defined."""
    count = len(frame.components)
    _expect(len(body) == 4 + 2 * count and body[0] == count and body[-3:] == b"\x00\x3f\x00")
    for number, one in enumerate(frame.components):
        identifier, tables = body[1 + 2 * number : 3 + 2 * number]
        _expect(identifier == one.identifier and one.quantisation in quantisation)
        _expect(tables >> 4 in huffman and 16 + (tables & 15) in huffman)


def _walk(encoded: bytes) -> Frame:
    _expect(encoded[:2] == bytes([0xFF, _SOI]))
    frame: Frame | None = None
    huffman: set[int] = set()
    quantisation: set[int] = set()
    restarts = False
    position = 2
    while True:
        _expect(position + 4 <= len(encoded) and encoded[position] == 0xFF)
        marker = encoded[position + 1]
        end = position + 2 + int.from_bytes(encoded[position + 2 : position + 4], "big")
        _expect(position + 4 <= end <= len(encoded))
        body = encoded[position + 4 : end]
        position = end
        if marker == _DQT:
            quantisation |= _quantisation_tables(body)
        elif marker == _DHT:
            huffman |= _huffman_tables(body)
        elif marker in _FRAMES:
            _expect(frame is None)
            frame = _frame(body)
        elif marker == _DRI:
            _expect(len(body) == 2)
            restarts = any(body)
        elif marker == _SOS:
            break
        else:
            _expect(marker in _SKIPPED)
    if frame is None:
        raise _Odd
    _check_scan(body, frame, huffman, quantisation)
    pattern = _END_OF_DATA_WITH_RESTARTS if restarts else _END_OF_DATA
    found = pattern.search(encoded, position)
    _expect(found is not None and found[0][1] == _EOI)
    return frame


def frame_of_whole_jpeg(encoded: bytes) -> Frame | None:
    """The frame of a JPEG whose structure is whole; None if a decoder has to look."""
    try:
        return _walk(encoded)
    except _Odd:
        return None


def has_end(encoded: bytes) -> bool:
    """Whether a JPEG of any kind has an end of image where a decoder looks for markers."""
    position = 2
    while found := _MARKER.search(encoded, position):
        marker, position = found[0][1], found.end()
        if marker == _EOI:
            return True
        if marker not in _ALONE:
            position += max(int.from_bytes(encoded[position : position + 2], "big"), 2)
    return False
