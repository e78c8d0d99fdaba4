"""Which records of TFRecord files are read: those that can be used.

A selection is made of what a scan found in files. What of it is read, in which order, is said in
`record_reading`.
"""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from object_detection.errors import DataError
from object_detection.utils.records.findings import FileScan

Array = np.ndarray[Any, Any]

# Beside its content a record has its length and a checksum before, and a checksum after it.
_BEFORE, _AFTER = 12, 4


class Selection:
    """The records that are read: of files on this machine the good ones, of others all."""

    def __init__(self, scans: Iterable[FileScan]) -> None:
        """Takes what was found.

        Args:
            scans: one for each file on this machine.
        """
        self._scans = {os.path.realpath(scan.path): scan for scan in scans}

    def scan_of(self, path: str) -> FileScan | None:
        """What was found in a file; None if it is not on this machine.

        Raises:
            DataError: the file is none of the selection, or is no longer what was looked at.
        """
        if is_remote(path):
            return None
        scan = self._scans.get(os.path.realpath(path))
        if scan is None:
            raise DataError(
                f"{path}: has appeared after the records were looked at. Start the program again."
            )
        change = _change(scan)
        if change:
            raise DataError(change)
        return scan

    def all_used(self, paths: Iterable[str]) -> bool:
        """Whether every record of these files is read."""
        scans = [self.scan_of(path) for path in paths]
        return all(scan is None or scan.all_good for scan in scans)

    def changes(self) -> list[str]:
        """What has become of files since they were scanned, in words; normally empty."""
        return [change for scan in self._scans.values() if (change := _change(scan))]


def is_remote(path: str) -> bool:
    """Whether a file, or a pattern of files, is on another machine: gs://..., say."""
    return "://" in path


def runs(scan: FileScan) -> Array:
    """[R, 2] int64: where in the file runs of used records begin, and how many they are."""
    good = np.asarray(scan.good, np.int64).reshape(-1, 2)
    begins = good[:, 0] - _BEFORE
    ends = good[:, 0] + good[:, 1] + _AFTER
    first = np.ones(len(good), bool)
    first[1:] = begins[1:] != ends[:-1]
    places = np.flatnonzero(first)
    counts = np.diff(np.append(places, len(good)))
    return np.stack([begins[places], counts], axis=1)


def _change(scan: FileScan) -> str:
    """What has become of a file since it was scanned; empty if it is the same."""
    try:
        status = os.stat(scan.path)
    except OSError as error:
        return f"{scan.path}: was there when its records were looked at; now: {error.strerror}."
    if (status.st_size, status.st_mtime_ns) == (scan.size, scan.mtime_ns):
        return ""
    sizes = (
        f"from {scan.size} to {status.st_size} bytes"
        if status.st_size != scan.size
        else "at the same size"
    )
    return (
        f"{scan.path}: has been written again, {sizes}, after its records were looked at. Start "
        "the program again, and leave the file alone while it runs."
    )
