"""The official ground truth of WIDER FACE validation, four .mat files.

SciPy's reader crashes on some damaged files, or takes all memory; so it runs in a process of its
own, whose memory is bounded.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from object_detection.errors import DataError
from object_detection.utils import untrusted

Array = np.ndarray[Any, Any]
Row = tuple[str, Array, dict[str, Array]]

_MOST_BYTES = 256 << 20  # the official files have 1 MB
_MOST_MEMORY = 4 << 30  # address space of the reader
_MOST_SECONDS = 300  # the official files take one or two
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from object_detection.metrics import wider_files; wider_files.main(sys.argv[2:])"
)


def read(folder: str | pathlib.Path, sets: Sequence[str]) -> Iterator[Row]:
    """Name (event/file), boxes [M, 4] and the faces that each set counts, by number from 1.

    Args:
        folder: of the files.
        sets: names of the sets.

    Raises:
        DataError: a file is absent or of another form, or SciPy is not installed.
    """
    folder = pathlib.Path(folder)
    paths = [folder / "wider_face_val.mat", *(folder / f"wider_{name}_val.mat" for name in sets)]
    for path in paths:
        _check_size(path)
    search = json.dumps([os.path.abspath(entry) for entry in sys.path])
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _PROGRAM, search, *map(str, paths)],
            # Each thread of NumPy's libraries would reserve memory.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_MOST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(
            f"{folder}: reading its .mat files takes longer than {_MOST_SECONDS} s; they are "
            "damaged, or not those of WIDER FACE."
        ) from error
    lines = done.stdout.splitlines()
    said = json.loads(lines[-1]) if done.returncode == 0 and lines else {}
    if "problem" in said:
        raise DataError(said["problem"])
    if "pictures" not in said:
        # The last path is that of the file that was being read.
        at = lines[-1] if lines else str(folder)
        raise DataError(f"{at}: is damaged, reading it crashed ({done.returncode}). Copy it again.")
    for name, boxes, kept in said["pictures"]:
        yield (
            name,
            np.array(boxes, np.float64).reshape(-1, 4),
            {one: np.array(numbers, np.int64) for one, numbers in zip(sets, kept, strict=True)},
        )


def _check_size(path: pathlib.Path) -> None:
    try:
        untrusted.read_bytes(str(path), _MOST_BYTES)
    except OSError as error:
        raise DataError(f"{path}: cannot be read as a .mat file ({error.strerror}).") from error


def main(paths: Sequence[str]) -> None:
    """In the process of its own: says the path of each file before it reads it, then all as JSON.

    Args:
        paths: of the ground truth, then of the sets.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, resource.RLIM_INFINITY))
    try:
        said: dict[str, Any] = {"pictures": _pictures([_content(path) for path in paths])}
    except DataError as error:
        said = {"problem": str(error)}
    except Exception as error:  # noqa: BLE001 - damaged files raise whatever NumPy can raise
        folder = pathlib.Path(paths[0]).parent
        said = {"problem": f"{folder}: not the ground truth of WIDER FACE ({error!r:.200})."}
    sys.stdout.write(f"{json.dumps(said)}\n")


def _content(path: str) -> dict[str, Any]:
    try:
        from scipy import io
    except ImportError as error:
        raise DataError(
            "Reading .mat files needs SciPy: pip install object_detection[wider], or scipy."
        ) from error
    sys.stdout.write(f"{path}\n")
    sys.stdout.flush()
    try:
        content: dict[str, Any] = io.loadmat(path)
    except Exception as error:
        raise DataError(f"{path}: cannot be read as a .mat file ({error!s:.200}).") from error
    return content


def _pictures(contents: Iterable[dict[str, Any]]) -> list[tuple[str, Any, list[Any]]]:
    truth, *kept = contents
    rows = []
    for event, cell in enumerate(truth["event_list"][:, 0]):
        for row, file in enumerate(truth["file_list"][event, 0][:, 0]):
            boxes = np.asarray(truth["face_bbx_list"][event, 0][row, 0], np.float64).reshape(-1, 4)
            if not np.isfinite(boxes).all():
                raise ValueError("a box is not finite")
            counted = [
                np.asarray(one["gt_list"][event, 0][row, 0], np.int64).ravel().tolist()
                for one in kept
            ]
            rows.append((f"{cell[0]}/{file[0]}", boxes.tolist(), counted))
    return rows
