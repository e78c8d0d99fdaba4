"""Scans one TFRecord file: which records can be used, and what is wrong with the others.

Records are read one at a time, so memory does not grow with the size of a file. Whatever a file
holds, it ends in findings, not in an exception.
"""

import collections
import os
import stat
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from object_detection.utils.records import checks, framing
from object_detection.utils.records.findings import (
    MOST_LISTED,
    NOTED,
    SKIPPED,
    FileScan,
    Finding,
)
from object_detection.utils.records.rules import Rules

_MOST_BYTES = 512 << 20  # of a record
# Of a chunk, which is the work of one process at a time.
_CHUNK_RECORDS, _CHUNK_BYTES = 256, 32 << 20

# What compressed files begin with: gzip (RFC 1952), zlib (RFC 1950) with 32 KB of window.
_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x78\x01": "zlib", b"\x78\x9c": "zlib", b"\x78\xda": "zlib"}

Spans = np.ndarray[Any, np.dtype[np.int64]]


class Chunk(NamedTuple):
    """Neighbouring records of a file."""

    path: str
    numbers: Spans  # [n] numbers of the records in their file, from 1
    spans: Spans  # [n, 2] offset and length of each content

    @property
    def num_bytes(self) -> int:
        """Bytes of all contents."""
        return int(self.spans[:, 1].sum())


class Judged(NamedTuple):
    """What becomes of a chunk."""

    used: np.ndarray[Any, np.dtype[np.bool_]]  # [n]
    findings: tuple[Finding, ...]


class Outline(NamedTuple):
    """A file before its records are read."""

    path: str
    size: int
    mtime_ns: int
    layout: framing.Layout
    findings: tuple[Finding, ...]  # of the file as a whole, and of its gaps


def _finding(path: str, reason: str, detail: str, action: str) -> Finding:
    """Of a file as a whole."""
    return Finding(path, 0, 0, "", reason, detail, action)


def _of_gap(path: str, gap: framing.Gap, number: int) -> Finding:
    detail = f"{gap.end - gap.begin} bytes from byte {gap.begin} on are lost"
    if gap.given_up:
        detail += "; records behind them were not looked for, there is too much damage"
    return Finding(path, number, gap.begin, "", gap.reason, detail, SKIPPED)


def outline(path: str) -> Outline:
    """Where the records of a file lie; what they hold is not looked at."""
    nothing = framing.Layout(np.zeros((0, 2), np.int64), ())
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            detail = "it is no regular file"
            return Outline(
                path, 0, 0, nothing, (_finding(path, "unreadable_file", detail, SKIPPED),)
            )
        with framing.RecordFile(path) as file:
            start = file.read(0, 2)
            if not start:
                whole = _finding(path, "empty_file", "0 bytes", NOTED)
                return Outline(path, 0, found.st_mtime_ns, nothing, (whole,))
            layout = framing.lay_out(file)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        detail = getattr(error, "strerror", None) or str(error)
        return Outline(path, 0, 0, nothing, (_finding(path, "unreadable_file", detail, SKIPPED),))
    if not len(layout.spans) and start in _COMPRESSED:
        detail = f"{_COMPRESSED[start]}; unpack it"
        whole = _finding(path, "compressed", detail, SKIPPED)
        return Outline(path, found.st_size, found.st_mtime_ns, nothing, (whole,))
    gaps = [_of_gap(path, gap, gap.place + n) for n, gap in enumerate(layout.gaps, start=1)]
    return Outline(path, found.st_size, found.st_mtime_ns, layout, tuple(gaps))


def chunks(file: Outline) -> Iterator[Chunk]:
    """The records of a file in pieces of work."""
    spans = file.layout.spans
    places = np.array([gap.place for gap in file.layout.gaps], np.int64)
    count = len(spans)
    index = np.arange(count, dtype=np.int64)
    numbers = 1 + index + np.searchsorted(places, index, side="right")
    ends = np.cumsum(spans[:, 1])
    begin = 0
    while begin < count:
        before = ends[begin - 1] if begin else 0
        end = int(np.searchsorted(ends, before + _CHUNK_BYTES, side="right"))
        end = min(max(end, begin + 1), begin + _CHUNK_RECORDS)
        yield Chunk(file.path, numbers[begin:end], spans[begin:end])
        begin = end


def judge_chunk(chunk: Chunk, rules: Rules) -> Judged:
    """Reads and judges the records of a chunk."""
    used = np.zeros(len(chunk.spans), bool)
    findings: list[Finding] = []
    with warnings.catch_warnings():
        # Pillow warns of odd metadata.
        warnings.simplefilter("ignore")
        try:
            with framing.RecordFile(chunk.path) as file:
                for place, (number, (offset, length)) in enumerate(
                    zip(chunk.numbers.tolist(), chunk.spans.tolist(), strict=True)
                ):
                    judged = _judge(file, offset, length, rules)
                    used[place] = all(fault.action != SKIPPED for fault in judged.faults)
                    findings += [
                        Finding(chunk.path, number, offset, judged.source_id, *fault)
                        for fault in judged.faults
                    ]
        except OSError as error:
            # It was there when the records were looked for.
            detail = f"it changed or vanished meanwhile: {error.strerror}"
            used[:] = False
            findings = [
                Finding(chunk.path, number, offset, "", "unreadable_file", detail, SKIPPED)
                for number, (offset, _) in zip(
                    chunk.numbers.tolist(), chunk.spans.tolist(), strict=True
                )
            ]
    return Judged(used, tuple(findings))


def _judge(file: framing.RecordFile, offset: int, length: int, rules: Rules) -> checks.Judgement:
    if length > _MOST_BYTES:
        detail = f"{length} bytes, more than {_MOST_BYTES} are not read"
        return checks.Judgement("", (checks.Fault("record_too_large", detail, SKIPPED),))
    content = file.content(offset, length)
    if content is None:
        detail = f"{length} bytes from byte {offset} on"
        fault = checks.Fault("checksum", detail, SKIPPED)
        return checks.Judgement("", (fault,))
    if not rules.examples:
        return checks.Judgement("", ())
    return checks.judge(content, rules)


class Collector:
    """Puts the chunks of a file together, in their order."""

    def __init__(self, file: Outline) -> None:
        """Takes the file.

        Args:
            file: whose chunks are to be added.
        """
        self._file = file
        self._used: list[np.ndarray[Any, np.dtype[np.bool_]]] = []
        self._findings: list[Finding] = []
        self._unlisted: collections.Counter[tuple[str, str]] = collections.Counter()

    def add(self, judged: Judged) -> None:
        """Takes the next chunk."""
        self._used.append(judged.used)
        room = MOST_LISTED - len(self._findings)
        self._findings += judged.findings[:room]
        self._unlisted.update((one.reason, one.action) for one in judged.findings[room:])

    def result(self) -> FileScan:
        """The scan of the file, when all chunks were added."""
        file = self._file
        used = np.concatenate([np.zeros(0, bool), *self._used])
        findings = sorted([*file.findings, *self._findings], key=lambda one: one.number)
        self._unlisted.update((one.reason, one.action) for one in findings[MOST_LISTED:])
        return FileScan(
            path=file.path,
            size=file.size,
            mtime_ns=file.mtime_ns,
            num_records=len(used) + len(file.layout.gaps),
            good=file.layout.spans[used],
            findings=tuple(findings[:MOST_LISTED]),
            unlisted=tuple(
                (reason, action, number)
                for (reason, action), number in sorted(self._unlisted.items())
            ),
        )


def scan_file(path: str, rules: Rules, progress: Callable[[int], object] | None = None) -> FileScan:
    """Scans one file in this process.

    Args:
        path: of the file.
        rules: of its reader.
        progress: is told of bytes that were read.
    """
    file = outline(path)
    collected = Collector(file)
    for chunk in chunks(file):
        collected.add(judge_chunk(chunk, rules))
        if progress:
            progress(chunk.num_bytes)
    return collected.result()
