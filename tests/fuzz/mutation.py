"""Seeded damage: bytes and texts that are nearly right.

The same generator damages the same input alike, so that a seed and a number are a whole report.
"""

import random
import re
import struct
from collections.abc import Callable, Sequence

Mutator = Callable[[bytes, random.Random], bytes]

_NUMBERS = (
    b"0", b"1", b"-1", b"1e308", b"-1e308", b"1e-320", b"nan", b"inf", b"-inf", b"1e9", b"0.5",
    b"2147483647", b"2147483648", b"4294967296", b"9223372036854775808", b"9" * 60, b"0x10", b"1.2.3",
    b"-0", b"00", b"1_000", b"1,5",
)  # fmt: skip
_BYTES = (0, 1, 9, 10, 13, 32, 34, 35, 92, 123, 125, 127, 128, 192, 255)


def _place(data: bytes, rng: random.Random) -> int:
    return rng.randrange(len(data) + 1)


def _span(data: bytes, rng: random.Random) -> tuple[int, int]:
    """A stretch, mostly a short one."""
    begin = _place(data, rng)
    length = int(len(data) * rng.random() ** 3) if rng.random() < 0.5 else rng.randrange(9)
    return begin, min(begin + length, len(data))


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    """Turns single bits over."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def set_bytes(data: bytes, rng: random.Random) -> bytes:
    """Sets bytes to values that mean something somewhere."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if changed:
            changed[rng.randrange(len(changed))] = rng.choice(_BYTES)
    return bytes(changed)


def truncate(data: bytes, rng: random.Random) -> bytes:
    """Cuts the end off."""
    return data[: _place(data, rng)]


def remove(data: bytes, rng: random.Random) -> bytes:
    """Takes a stretch out."""
    begin, end = _span(data, rng)
    return data[:begin] + data[end:]


def repeat(data: bytes, rng: random.Random) -> bytes:
    """Repeats a stretch, seldom often."""
    begin, end = _span(data, rng)
    times = rng.choice((2, 2, 3, 50))
    return data[:begin] + data[begin:end][: 1 << 16] * times + data[end:]


def move(data: bytes, rng: random.Random) -> bytes:
    """Puts a stretch elsewhere."""
    begin, end = _span(data, rng)
    rest = data[:begin] + data[end:]
    place = _place(rest, rng)
    return rest[:place] + data[begin:end] + rest[place:]


def insert_rubbish(data: bytes, rng: random.Random) -> bytes:
    """Puts random bytes between."""
    place = _place(data, rng)
    return data[:place] + rng.randbytes(rng.choice((1, 2, 8, 100))) + data[place:]


def set_length(data: bytes, rng: random.Random) -> bytes:
    """Writes an integer where lengths may stand."""
    value = rng.choice((0, 1, 127, 128, 255, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1))
    form = rng.choice(("<Q", "<I", ">I", "<H", ">H"))
    size = struct.calcsize(form)
    packed = struct.pack(form, value & ((1 << 8 * size) - 1))
    place = _place(data, rng)
    return data[:place] + packed + data[place + size :]


def set_number(data: bytes, rng: random.Random) -> bytes:
    """Replaces a number in a text by one at the edge of something."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", data))
    if not found:
        return flip_bits(data, rng)
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(_NUMBERS) + data[one.end() :]


def set_word(dictionary: Sequence[bytes]) -> Mutator:
    """Replaces a word of a text by another one, or by one of the format's own."""

    def mutate(data: bytes, rng: random.Random) -> bytes:
        found = list(re.finditer(rb"[A-Za-z_]\w*|[{}:\[\]\"'#<>]", data))
        if not found:
            return insert_rubbish(data, rng)
        one = rng.choice(found)
        word = rng.choice(dictionary) if rng.random() < 0.7 else rng.choice(found).group()
        return data[: one.start()] + word + data[one.end() :]

    return mutate


def _with_lines(change: Callable[[list[bytes], random.Random], list[bytes]]) -> Mutator:
    def mutate(data: bytes, rng: random.Random) -> bytes:
        return b"".join(change(data.splitlines(keepends=True) or [b""], rng))

    return mutate


def _without_a_line(lines: list[bytes], rng: random.Random) -> list[bytes]:
    at = rng.randrange(len(lines))
    return lines[:at] + lines[at + 1 :]


def _with_a_line_twice(lines: list[bytes], rng: random.Random) -> list[bytes]:
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines) + 1)
    return lines[:to] + [lines[at]] * rng.choice((1, 1, 1, 200)) + lines[to:]


def _with_lines_changed_over(lines: list[bytes], rng: random.Random) -> list[bytes]:
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return lines


remove_line = _with_lines(_without_a_line)
repeat_line = _with_lines(_with_a_line_twice)
swap_lines = _with_lines(_with_lines_changed_over)

OF_BYTES: tuple[Mutator, ...] = (
    flip_bits,
    set_bytes,
    truncate,
    remove,
    repeat,
    move,
    insert_rubbish,
    set_length,
)
OF_TEXT: tuple[Mutator, ...] = (set_number, remove_line, repeat_line, swap_lines, repeat, remove)


def damaged(
    corpus: Sequence[bytes], mutators: Sequence[Mutator], rng: random.Random, most: int = 1 << 20
) -> bytes:
    """One of the corpus with one to four mutations, perhaps joined with another one.

    Args:
        corpus: good inputs.
        mutators: that are applied.
        rng: draws everything.
        most: bytes of what comes out.
    """
    data = rng.choice(corpus)
    if rng.random() < 0.1:
        other = rng.choice(corpus)
        data = data[: _place(data, rng)] + other[_place(other, rng) :]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(mutators)(data, rng)[:most]
    return data
