"""Tells GIF files that giflib takes from others; the pixels of the first frame are for a decoder.

Source: https://www.w3.org/Graphics/GIF/spec-gif89a.txt.
"""

import struct

_EXTENSION, _IMAGE = 0x21, 0x2C
_LAST_CODE_SIZE = 8


class BrokenGif(ValueError):
    """A file that giflib refuses."""


class _CutOff(Exception):
    """The file ends before what it announces."""


def _table_size(flags: int) -> int:
    """Bytes of a table of colours."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _after_pieces(encoded: bytes, position: int) -> int:
    """Where data that are cut into pieces end; each piece begins with its length, the last is 0."""
    while True:
        if position >= len(encoded):
            raise _CutOff
        length = encoded[position]
        position += 1 + length
        if not length:
            return position


def _image_data(encoded: bytes, position: int, canvas: tuple[int, int]) -> tuple[int, int]:
    """Where the compressed data of an image begin, behind the size of its codes; and its colours."""
    if position + 9 > len(encoded):
        raise BrokenGif("is cut off in the header of a frame")
    left, top, width, height, flags = struct.unpack_from("<HHHHB", encoded, position)
    if not width or not height:
        raise BrokenGif(f"has a frame of {width} x {height}")
    if (left, top, width, height) != (0, 0, *canvas):
        raise BrokenGif("is not filled by its first frame")
    table = _table_size(flags)
    position += 9 + table
    if position >= len(encoded) or not 0 < encoded[position] <= _LAST_CODE_SIZE:
        raise BrokenGif("has a frame with codes of an unknown size")
    return position + 1, table // 3


def check(encoded: bytes) -> tuple[int, int, int]:
    """(height, width, colours) of a GIF with a whole first frame.

    Raises:
        BrokenGif: giflib would refuse it.
    """
    if len(encoded) < 13:
        raise BrokenGif("is cut off in its header")
    width, height, flags = struct.unpack_from("<HHB", encoded, 6)
    table = _table_size(flags)
    position = 13 + table
    try:
        while position < len(encoded):
            kind = encoded[position]
            position += 1
            if kind == _EXTENSION:
                position = _after_pieces(encoded, position + 1)
            elif kind == _IMAGE:
                # What follows the first frame may be damaged.
                begin, colours = _image_data(encoded, position, (width, height))
                _after_pieces(encoded, begin)
                # Without a table of its own a frame has that of the file.
                colours = colours or table // 3
                if not colours:
                    raise BrokenGif("has no table of colours")
                return height, width, colours
            else:
                raise BrokenGif(f"has a block of kind {kind} before its first frame")
    except _CutOff:
        raise BrokenGif("is cut off") from None
    raise BrokenGif("has no frame")
