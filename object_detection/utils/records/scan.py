"""Scans of several files by processes beside this one, which can do other things meanwhile.

They are programs of their own, not forks or copies of this one: this one may have threads of
TensorFlow, or be a user's script that cannot be imported again.
"""

import concurrent.futures
import contextlib
import glob
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import IO, Any

from object_detection.errors import DataError
from object_detection.utils.processors import usable_processors
from object_detection.utils.records import file_scan, scan_worker
from object_detection.utils.records.findings import FileScan
from object_detection.utils.records.rules import Rules

# A process takes longer to start than it takes to scan less than this.
_BYTES_WORTH_A_PROCESS = 32 << 20
_MOST_PROCESSES = 16

_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from object_detection.utils.records import scan_worker; "
    "scan_worker.main(sys.stdin, sys.stdout)"
)

Progress = Callable[[int], object]


def matching_files(pattern: str) -> list[str]:
    """The files that TensorFlow finds, by name; its `*` matches a leading dot as well."""
    hidden: dict[str, Any] = {"include_hidden": True} if sys.version_info >= (3, 11) else {}
    return sorted(glob.glob(pattern, **hidden))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0


def total_bytes(paths: Sequence[str]) -> int:
    """Size of all files; one that is not there has none."""
    return sum(_size(path) for path in paths)


class Scanning:
    """A scan that goes on beside this process; in a `with` statement it is ended at the latest."""

    def __init__(
        self, paths: Sequence[str], rules: Rules, workers: int, progress: Progress | None = None
    ) -> None:
        """Starts it.

        Args:
            paths: of the files.
            rules: of their reader.
            workers: processes, at least 1.
            progress: is told of bytes that were read, from threads, one at a time.
        """
        self._paths = list(paths)
        self._progress = progress
        self._lock = threading.Lock()
        self._outlines: dict[int, file_scan.Outline] = {}
        self._judged: dict[tuple[int, int], file_scan.Judged] = {}
        self._children: list[subprocess.Popen[str]] = []
        self._errors: list[IO[str]] = []
        self._readers = concurrent.futures.ThreadPoolExecutor(workers, "scan")
        search = json.dumps([os.path.abspath(entry) for entry in sys.path])
        try:
            for index in range(workers):
                self._start(search, rules, index, workers)
        except BaseException:
            self.stop()
            raise
        self._reading = [self._readers.submit(self._read, child) for child in self._children]

    def _start(self, search: str, rules: Rules, index: int, count: int) -> None:
        errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._errors.append(errors)
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", _PROGRAM, search],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            # A terminal sends Ctrl-C to all of its session; this process ends the others.
            start_new_session=True,
        )
        self._children.append(child)
        task = {"paths": self._paths, "rules": rules.to_json(), "index": index, "count": count}
        # One that could not even start is noticed when its result is asked for.
        with contextlib.suppress(BrokenPipeError):
            if child.stdin is not None:
                with child.stdin as stdin:
                    json.dump(task, stdin)

    def __enter__(self) -> "Scanning":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _read(self, child: "subprocess.Popen[str]") -> None:
        """Takes what one process says until it ends."""
        for line in child.stdout or ():
            said: dict[str, Any] = json.loads(line)
            with self._lock:
                if "outline" in said:
                    self._outlines[said["file"]] = scan_worker.outline_from_json(said["outline"])
                else:
                    place = said["file"], said["chunk"]
                    self._judged[place] = scan_worker.judged_from_json(said["judged"])
                    if self._progress:
                        self._progress(said["bytes"])

    def stop(self) -> None:
        """Ends the processes, if they are not done."""
        for child in self._children:
            if child.poll() is None:
                child.kill()
            child.wait()
        self._readers.shutdown()
        for child in self._children:
            if child.stdout is not None:
                child.stdout.close()
        for errors in self._errors:
            errors.close()

    def result(self) -> list[FileScan]:
        """Waits for the end; a scan for each path.

        Raises:
            DataError: a process ended early, or a file changed meanwhile.
        """
        try:
            for reading in self._reading:
                reading.result()
            for child, errors in zip(self._children, self._errors, strict=True):
                if child.wait():
                    errors.seek(0)
                    said = errors.read().strip().rpartition("\n")[2]
                    raise DataError(
                        f"A process that checks records ended early (status {child.returncode}"
                        f"{', ' if said else ''}{said}), perhaps for want of memory. Try again "
                        "with fewer processes."
                    )
            return [self._collected(number) for number in range(len(self._paths))]
        finally:
            self.stop()

    def _collected(self, number: int) -> FileScan:
        file = self._outlines[number]
        collected = file_scan.Collector(file)
        for place, chunk in enumerate(file_scan.chunks(file)):
            judged = self._judged.get((number, place))
            if judged is None or len(judged.used) != len(chunk.spans):
                raise DataError(
                    f"{file.path}: changed while it was checked. Try again when nobody writes it."
                )
            collected.add(judged)
        return collected.result()


def scan_files(
    paths: Sequence[str],
    rules: Rules,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[FileScan]:
    """Scans files, and waits for it; what a file holds is told by findings, not by exceptions.

    Args:
        paths: of the files, each once.
        rules: of their reader.
        workers: processes to start; 0: all is done in this one. None: as many as are worth it.
        progress: is told of bytes that were read; perhaps from threads, one at a time.

    Returns:
        A scan for each path, in their order; it does not depend on `workers`.

    Raises:
        DataError: a process ended early, or a file changed meanwhile.
    """
    if workers is None:
        worth = total_bytes(paths) // _BYTES_WORTH_A_PROCESS
        workers = min(usable_processors(), worth, _MOST_PROCESSES)
    if not workers or not sys.executable:
        return [file_scan.scan_file(path, rules, progress) for path in paths]
    with Scanning(paths, rules, workers, progress) as scanning:
        return scanning.result()
