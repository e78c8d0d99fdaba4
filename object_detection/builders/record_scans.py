"""Looks through the records of readers before they are read, and says what was found.

Light: TensorFlow is not imported here, so a program can begin a scan, in processes beside its own,
and import TensorFlow meanwhile.
"""

import dataclasses
import glob
import json
import logging
import math
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from object_detection.builders.record_selection import Selection, is_remote
from object_detection.errors import DataError
from object_detection.utils import files
from object_detection.utils.processors import usable_processors
from object_detection.utils.records import findings, reader_rules, scan
from object_detection.utils.records.findings import FileScan
from object_detection.utils.records.rules import Rules

logger = logging.getLogger(__name__)

REPORT_FILE = "records_report.json"
CACHE_FILE = "records_scan.json"

# Counts up when the same files and rules are judged in another way than before.
_VERSION = 1

# Less is looked through in this process: others would take longer to start.
_WORTH_A_PROCESS = 8 << 20

# Shares come from the config as float32.
_ROUNDING = 1e-6

_MOST_NAMED = 3

Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class _Task:
    """The files of a reader, and what is known of them from an earlier scan."""

    local: tuple[str, ...]
    remote: tuple[str, ...]
    rules: Rules
    known: dict[str, FileScan]

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(path for path in self.local if path not in self.known)

    @property
    def key(self) -> tuple[tuple[str, ...], Rules]:
        return self.unknown, self.rules


class RecordScans:
    """Scans of readers' files, which may be begun before they are needed; for a `with` statement."""

    def __init__(self) -> None:
        self._begun: dict[tuple[tuple[str, ...], Rules], scan.Scanning] = {}

    def __enter__(self) -> "RecordScans":
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the processes of scans that nobody waits for."""
        for scanning in self._begun.values():
            scanning.stop()
        self._begun.clear()

    def begin(self, reader: Any, num_classes: int, folder: str) -> None:
        """Begins to look through a reader's files beside this process, unless that takes no time.

        Args:
            reader: `InputReader` message.
            num_classes: C of the model.
            folder: where the result of an earlier scan may be.

        Raises:
            ConfigError: the label map cannot be read.
        """
        if not reader.bad_records.check:
            return
        task = _task(reader, num_classes, folder)
        workers = _workers(task.unknown)
        if workers and task.key not in self._begun:
            self._begun[task.key] = scan.Scanning(task.unknown, task.rules, workers)

    def selection(
        self, reader: Any, num_classes: int, folder: str, say: Say, name: str
    ) -> Selection | None:
        """The records that datasets of a reader should hold; what was found is written and said.

        Args:
            reader: `InputReader` message.
            num_classes: C of the model.
            folder: gets `records_report.json`, and a file that spares the next start the scan.
            say: takes each line for the user.
            name: of the reader in the config.

        Returns:
            None if `bad_records.check` is off: all records, as they are.

        Raises:
            ConfigError: the label map cannot be read.
            DataError: a file cannot be read, or more records cannot be used than
                `bad_records.max_share` allows, or all.
        """
        if not reader.bad_records.check:
            return None
        task = _task(reader, num_classes, folder)
        if task.remote:
            say(
                f"{name}: {_listing(task.remote)}: not on this machine, so their records are not "
                "looked through beforehand."
            )
        if not task.local:
            return Selection(())
        scans = self._scans(task)
        _refuse_whole_files(scans, name)
        report = os.path.join(folder, REPORT_FILE)
        files.write_json(report, findings.report(scans))
        if task.unknown:
            _write_cache(os.path.join(folder, CACHE_FILE), task.rules, scans)
        _check_share(scans, reader.bad_records.max_share, name, report, bool(task.remote))
        summary = findings.summary(scans).replace("Records:", f"Records of {name}:", 1)
        say(summary if _is_spotless(scans) else f"{summary} All of it: {report}")
        return Selection(scans)

    def _scans(self, task: _Task) -> list[FileScan]:
        """One of each local file, in their order."""
        found = dict(task.known)
        if task.unknown:
            begun = self._begun.pop(task.key, None)
            new = (
                begun.result()
                if begun
                else scan.scan_files(task.unknown, task.rules, _workers(task.unknown))
            )
            found |= {one.path: one for one in new}
        return [found[path] for path in task.local]


def _workers(paths: Sequence[str]) -> int:
    """Processes that are worth starting for files; 0: none is."""
    if not sys.executable:
        return 0
    return min(scan.total_bytes(paths) // _WORTH_A_PROCESS, usable_processors())


def _task(reader: Any, num_classes: int, folder: str) -> _Task:
    patterns = list(reader.tf_record_input_reader.input_path)
    weights = list(reader.sample_from_datasets_weights)
    if len(weights) == len(patterns):
        # What is never drawn from is not even opened.
        patterns = [
            pattern for pattern, weight in zip(patterns, weights, strict=True) if weight > 0
        ]
    local: dict[str, None] = {}
    remote: dict[str, None] = {}
    for pattern in patterns:
        if is_remote(pattern):
            remote[pattern] = None
        else:
            local |= dict.fromkeys(_matching(pattern))
    rules = reader_rules.of_reader(reader, num_classes, reader.bad_records.max_megapixels)
    known = _read_cache(os.path.join(folder, CACHE_FILE), rules)
    fresh = {path: known[path] for path in local if path in known and _is_true(known[path])}
    return _Task(tuple(local), tuple(remote), rules, fresh)


def _matching(pattern: str) -> list[str]:
    """The files that TensorFlow finds, which has `*` match a leading dot as well."""
    hidden: dict[str, Any] = {"include_hidden": True} if sys.version_info >= (3, 11) else {}
    return sorted(glob.glob(pattern, **hidden))


def _is_true(known: FileScan) -> bool:
    """Whether a file is as it was when it was scanned."""
    try:
        status = os.stat(known.path)
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (known.size, known.mtime_ns)


def _read_cache(path: str, rules: Rules) -> dict[str, FileScan]:
    """What an earlier scan found by these rules; nothing if the file is absent or of no use."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        if content["version"] != _VERSION or content["rules"] != rules.to_json():
            return {}
        scans = [FileScan.from_json(one) for one in content["files"]]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.info("%s is of no use (%r): the records are looked through again", path, error)
        return {}
    return {one.path: one for one in scans}


def _write_cache(path: str, rules: Rules, scans: Sequence[FileScan]) -> None:
    content = {
        "version": _VERSION,
        "rules": rules.to_json(),
        "files": [one.to_json() for one in scans],
    }
    files.write_text(path, json.dumps(content))


def _is_spotless(scans: Sequence[FileScan]) -> bool:
    return not any(one.findings for one in scans)


def _listing(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _refuse_whole_files(scans: Sequence[FileScan], name: str) -> None:
    """A file that is no TFRecord file at all is a mistake, not a share of bad records."""
    for one in scans:
        for finding in one.findings:
            if finding.number == 0 and finding.action == findings.SKIPPED:
                raise DataError(
                    f"{name}: {finding.path}: {findings.text(finding.reason)} ({finding.detail})."
                )


def _check_share(
    scans: Sequence[FileScan], max_share: float, name: str, report: str, has_others: bool
) -> None:
    total = sum(one.num_records for one in scans)
    left_out = sum(one.num_skipped for one in scans)
    if total == 0 and not has_others:
        paths = [one.path for one in scans]
        raise DataError(f"{name}: {_listing(paths)}: there is no record. Write some.")
    if left_out <= (max_share + _ROUNDING) * total and (left_out < total or has_others):
        return
    reasons = findings.counts(scans)[findings.SKIPPED]
    skipped = [one for found in scans for one in found.findings if one.action == findings.SKIPPED]
    # Of a file with very many findings only the first are listed.
    first = (
        f" The first: {skipped[0].place()}: {findings.text(skipped[0].reason)} "
        f"({skipped[0].detail})."
        if skipped
        else ""
    )
    enough = math.ceil(100 * left_out / total) / 100
    allow = "" if left_out == total else f", or allow more: bad_records {{ max_share: {enough} }}"
    raise DataError(
        f"{name}: {left_out} of {total} records ({left_out / total:.1%}) cannot be used; "
        f"bad_records.max_share allows {max_share:.3g}. Reasons: "
        f"{', '.join(f'{count} {reason}' for reason, count in reasons.items())}.{first} All are "
        f"listed in {report}; scripts/validate_tfrecord.py finds them, too. Write them again{allow}."
    )
