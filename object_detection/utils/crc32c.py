"""CRC-32C, the checksum of TFRecords, by numpy alone.

TensorFlow has a faster one, but takes seconds to import; a program that only writes records need
not wait for it.

A CRC is linear over GF(2): the state after `a` followed by n bytes is the state of `a` moved on
over n zero bytes, xor the state of those n bytes. So all pieces of 16 bytes are looked up at once,
and neighbours are joined, level by level (Kadatch and Jenkins, "Everything we know about CRC but
afraid to forget", 2010, section 2). States start at 0 here; that the CRC starts at 2^32 - 1 is the
same as inverting the first 4 bytes.
"""

import functools

import numpy as np

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed (RFC 3720, appendix B.4)
_ONES = 0xFFFFFFFF
# In the order of their bytes on every machine, because data and states are looked at in halves.
_STATE, _HALF = np.dtype("<u4"), np.dtype("<u2")
_PIECE = 16  # bytes
_SHORT = 64  # bytes; below, a loop over them is faster
_FEW = 16  # states that are joined one by one


def _byte_table() -> list[int]:
    """What each value of the lowest byte of a state becomes when a zero byte follows."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


_BYTE = _byte_table()


@functools.cache
def _moved_bits(count: int) -> tuple[int, ...]:
    """Each of the 32 bits of a state, moved on over `count` zero bytes; `count` is even."""
    if count == 2:
        bits = [1 << bit for bit in range(32)]
        for _ in range(count):
            bits = [state >> 8 ^ _BYTE[state & 255] for state in bits]
        return tuple(bits)
    # As near to one half as keeps both numbers even.
    less = count // 4 * 2
    rest = _moved_bits(count - less)
    return tuple(_moved(rest, state) for state in _moved_bits(less))


def _moved(bits: tuple[int, ...], state: int) -> int:
    result = 0
    for bit, value in enumerate(bits):
        if state >> bit & 1:
            result ^= value
    return result


def _sums(bits: tuple[int, ...]) -> np.ndarray:
    """[2^n] the xor of the bits that are set in the index."""
    table = np.zeros(1, _STATE)
    for value in bits:
        table = np.concatenate([table, table ^ _STATE.type(value)])
    return table


@functools.cache
def _words(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Two tables [65536]: the lower and the upper half of a state, moved on over `count` bytes."""
    bits = _moved_bits(count)
    return _sums(bits[:16]), _sums(bits[16:])


@functools.cache
def _bytes(count: int) -> tuple[list[int], ...]:
    """The same for each of its four bytes."""
    bits = _moved_bits(count)
    return tuple(_sums(bits[first : first + 8]).tolist() for first in range(0, 32, 8))


def crc32c(data: bytes) -> int:
    """The CRC-32C of bytes."""
    if len(data) < _SHORT:
        state = _ONES
        for byte in data:
            state = state >> 8 ^ _BYTE[(state ^ byte) & 255]
        return state ^ _ONES
    # Zero bytes in front change no state that is 0.
    padding = -len(data) % _PIECE
    padded = np.zeros(padding + len(data), np.uint8)
    padded[padding:] = np.frombuffer(data, np.uint8)
    padded[padding : padding + 4] ^= 0xFF
    words = padded.view(_HALF).reshape(-1, _PIECE // 2)
    states = np.zeros(len(words), _STATE)
    for column in range(0, _PIECE // 2, 2):
        low, high = _words(_PIECE - 2 * column)
        states ^= low.take(words[:, column])
        states ^= high.take(words[:, column + 1])
    width = _PIECE
    while len(states) > _FEW:
        if len(states) % 2:
            states = np.concatenate([np.zeros(1, _STATE), states])
        low, high = _words(width)
        halves = states.view(_HALF)
        joined = low.take(halves[0::4])
        joined ^= high.take(halves[1::4])
        joined ^= states[1::2]
        states = joined
        width *= 2
    first, second, third, fourth = _bytes(width)
    state = 0
    for value in states.tolist():
        state = (
            first[state & 255]
            ^ second[state >> 8 & 255]
            ^ third[state >> 16 & 255]
            ^ fourth[state >> 24]
            ^ value
        )
    return state ^ _ONES


_MASK_DELTA = 0xA282EAD8  # tensorflow/core/lib/hash/crc32c.h


def masked(data: bytes) -> int:
    """The CRC as TFRecords store it: turned by 15 bits, plus a constant."""
    value = crc32c(data)
    return ((value >> 15 | value << 17) + _MASK_DELTA) & _ONES
