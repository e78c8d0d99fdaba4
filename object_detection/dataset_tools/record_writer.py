"""Writes TFRecord files without TensorFlow, which takes seconds to load."""

import os
from collections.abc import Iterable, Iterator, Sequence

from object_detection.utils.records.framing import framed

__all__ = ["RecordWriter", "framed", "read_part", "write_part"]


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
        """Appends what `framed` made of a record."""
        self._file.write(record)


def write_part(path: str, records: Iterable[bytes]) -> list[int]:
    """Writes records for `read_part`; returns the bytes of each.

    A file of few records that is written again and again stays in memory, and passes records from
    process to process with less work than a pipe.

    Args:
        path: of the file; what it held before is overwritten, its size stays.
        records: framed.
    """
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        return [file.write(record) for record in records]


def read_part(path: str, sizes: Sequence[int]) -> Iterator[bytes]:
    """The framed records that `write_part` wrote.

    Args:
        path: of the file.
        sizes: what `write_part` returned.
    """
    if sizes:
        with open(path, "rb") as file:
            for size in sizes:
                yield file.read(size)
