"""The RetinaFace label format (`label.txt`), read line by line; needs neither TensorFlow nor pictures.

    # 0--Parade/0_Parade_marchingband_1_849.jpg      path below the picture folder, may hold spaces
    449 330 122 149 488.9 373.6 0.0 ... 431.4 0.0 0.82

A line of a face holds 4 numbers (x y w h) or 20 (x y w h, five times kx ky kv, blur), in pixels of
the picture. The points are left eye, right eye, nose tip, left and right mouth corner, left and
right as seen in the picture; kv is 0 visible, 1 occluded but placed, -1 missing. Since points near
an edge have genuine negative coordinates, a point is missing only if kx, ky and kv are all -1.
"""

import dataclasses
import gzip
import itertools
import math
import re
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TextIO

import numpy as np
import orjson

from object_detection.errors import DataError
from object_detection.utils import untrusted

NUM_KEYPOINTS = 5
_BOX_COLUMNS = 4
_COLUMNS = _BOX_COLUMNS + 3 * NUM_KEYPOINTS + 1

# As in COCO: what the record says about a point.
NOT_LABELLED, OCCLUDED, VISIBLE = 0, 1, 2
_NOTHING = (-1.0,) * (_COLUMNS - _BOX_COLUMNS)
# Characters of numbers as JSON writes them; it has no sign of an integer zero.
_USUAL = re.compile(r"[-+.0-9eE \n]+")
_MINUS_ZERO = re.compile(r"-0(?![.0-9])")
_MOST = 1e9
"""No picture has such coordinates; float32 of a record could not hold them much further."""

MOST_BYTES = 1 << 30
"""Of a label file, unpacked; WIDER FACE's largest has 8 MB."""
_MOST_IN_A_LINE = 10_000
_BLOCK = 1 << 18  # characters


@dataclasses.dataclass(frozen=True)
class Faces:
    """The N faces of a picture, in pixels of it."""

    lines: np.ndarray
    """[N] the lines that they stand in."""
    corners: np.ndarray
    """[N, 4] xmin, ymin, xmax, ymax."""
    points: np.ndarray
    """[N, K, 2] x and y; NaN where nothing is labelled."""
    visibility: np.ndarray
    """[N, K] uint8."""

    def __len__(self) -> int:
        return len(self.lines)

    def chosen(self, which: slice | np.ndarray | list[bool]) -> "Faces":
        """Some of them: a slice, or a mask [N]."""
        return Faces(
            self.lines[which], self.corners[which], self.points[which], self.visibility[which]
        )


class BadLine(NamedTuple):
    """A line that is no face, and why."""

    line: int
    why: str


@dataclasses.dataclass
class LabelledPicture:
    """A `#` line and what follows it up to the next."""

    path: str
    line: int
    faces: Faces
    bad_lines: list[BadLine] = dataclasses.field(default_factory=list)
    placeholder_line: int | None = None
    """Where a single row of zeros said that the picture has no face."""

    @property
    def num_lines(self) -> int:
        """Lines that stand for a face, readable or not."""
        return len(self.faces) + len(self.bad_lines)


def _wrong_column(words: Sequence[str]) -> str:
    """Which of the columns is no finite number, or far out of any picture."""
    for column, word in enumerate(words, start=1):
        try:
            number = float(word)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            return f"column {column} is {untrusted.shortened(word)!r}, not a finite number"
        if abs(number) > _MOST:
            return f"column {column} is {untrusted.shortened(word)}, which no picture has"
    return ""


def _objection(words: Sequence[str]) -> str:
    """What is wrong with a line; empty if it is that of a face."""
    if len(words) not in {_BOX_COLUMNS, _COLUMNS}:
        return f"{len(words)} columns instead of {_BOX_COLUMNS} or {_COLUMNS}"
    return _wrong_column(words)


def _with_points(columns: list[float]) -> list[float]:
    """A line of a box alone says of its points that they are missing."""
    return columns if len(columns) == _COLUMNS else [*columns, *_NOTHING]


def _faces_of(rows: np.ndarray, lines: Sequence[int]) -> Faces:
    """The faces of lines.

    Args:
        rows: [N, 20] their columns.
        lines: [N] their numbers.
    """
    corners = rows[:, :_BOX_COLUMNS].copy()
    corners[:, 2:] += corners[:, :2]
    points = rows[:, _BOX_COLUMNS:-1].reshape(-1, NUM_KEYPOINTS, 3)
    missing = (points == -1).all(axis=-1)
    visibility = np.where(points[..., 2] == 0, np.uint8(VISIBLE), np.uint8(OCCLUDED))
    visibility[missing] = NOT_LABELLED
    placed = points[..., :2].copy()
    placed[missing] = math.nan
    return Faces(np.asarray(lines, int), corners, placed, visibility)


def _usual_rows(texts: list[str]) -> np.ndarray | None:
    """Lines as numbers [N, 20]; None if one is odd, in whatever way.

    Label files have millions of numbers. The usual ones are those of JSON, too, whose parser takes
    a quarter of the time that splitting a line and turning words into numbers takes.
    """
    text = "\n".join(texts)
    if not _USUAL.fullmatch(text) or _MINUS_ZERO.search(text):
        return None
    try:
        rows = orjson.loads(f"[[{text.replace(chr(10), '],[').replace(' ', ',')}]]")
    except orjson.JSONDecodeError:
        return None
    lengths = set(map(len, rows))
    if not lengths <= {_BOX_COLUMNS, _COLUMNS}:
        return None
    numbers = np.array(rows if lengths == {_COLUMNS} else list(map(_with_points, rows)), float)
    return numbers if (np.abs(numbers) <= _MOST).all() else None


def _rows_of_numbers(texts: list[str]) -> tuple[np.ndarray, dict[int, str]]:
    """Lines as numbers [N, 20], and what is wrong with some by index; those are NaN."""
    usual = _usual_rows(texts)
    if usual is not None:
        return usual, {}
    table, wrong = np.full((len(texts), _COLUMNS), math.nan), {}
    for index, text in enumerate(texts):
        words = text.split()
        if why := _objection(words):
            wrong[index] = why
        else:
            table[index] = _with_points(list(map(float, words)))
    return table, wrong


def _is_placeholder(corners: np.ndarray) -> bool:
    # WIDER FACE writes "no face" as one row of zeros.
    return len(corners) == 1 and not corners.any()


def parse_labels(
    lines: Iterable[str], stray_lines: list[BadLine] | None = None, first_line: int = 1
) -> list[LabelledPicture]:
    """The pictures of a label file in its order; what cannot be read is kept as `bad_lines`.

    Args:
        lines: of the file.
        stray_lines: receives the lines before the first picture, which belong to none.
        first_line: number of the first one in its file.
    """
    headers: list[tuple[str, int, int]] = []  # path, line, rows before it
    rows: list[str] = []
    numbers: list[int] = []
    for number, raw in enumerate(lines, start=first_line):
        text = raw.strip()
        if not text:
            continue
        if text.startswith("#"):
            headers.append((text[1:].strip(), number, len(rows)))
        elif headers:
            rows.append(text)
            numbers.append(number)
        elif stray_lines is not None:
            stray_lines.append(BadLine(number, "stands before the first '# picture' line"))
    table, wrong = _rows_of_numbers(rows)
    faces = _faces_of(table, numbers)
    pictures = []
    edges = itertools.pairwise([*(begin for _, _, begin in headers), len(rows)])
    for (path, line, _), (begin, end) in zip(headers, edges, strict=True):
        some = faces.chosen(slice(begin, end))
        picture = LabelledPicture(path, line, some)
        if wrong:
            bad = [index for index in range(begin, end) if index in wrong]
            picture.bad_lines = [BadLine(numbers[index], wrong[index]) for index in bad]
            picture.faces = some.chosen([index not in wrong for index in range(begin, end)])
        if not picture.bad_lines and _is_placeholder(some.corners):
            picture.placeholder_line = numbers[begin]
            picture.faces = some.chosen(slice(0))
        pictures.append(picture)
    return pictures


def open_labels(path: str) -> TextIO:
    """Opens a label file for reading, gzipped if the name ends in `.gz`.

    Bytes that are not UTF-8 survive as surrogates, so that any file name can be opened.
    """
    if path.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape")
    return open(path, encoding="utf-8-sig", errors="surrogateescape")


def read_lines(path: str) -> list[str]:
    """The lines of a label file, without their ends.

    Raises:
        DataError: it cannot be read, is no text, or is larger than any label file is; then no more
            of it was read.
    """
    lines: list[str] = []
    rest, total = "", 0
    try:
        with open_labels(path) as file:
            while block := file.read(_BLOCK):
                total += len(block)
                *whole, rest = (rest + block).split("\n")
                # A line, too, may have no end.
                longest = max(len(rest), max(map(len, whole), default=0))
                if longest > _MOST_IN_A_LINE or "\0" in block:
                    raise DataError(_no_text(path, [*whole, rest], len(lines)))
                if total > MOST_BYTES:
                    raise DataError(
                        f"{path}: has more than {MOST_BYTES >> 20} MB of text. Split it, or check "
                        "that it is a label file."
                    )
                lines += whole
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the label file cannot be read: {error}.") from error
    return [*lines, rest] if rest else lines


def _no_text(path: str, lines: list[str], before: int) -> str:
    number = next(
        number
        for number, line in enumerate(lines, start=before + 1)
        if len(line) > _MOST_IN_A_LINE or "\0" in line
    )
    return (
        f"{path}: line {number} is no text of a label file (it has a zero byte, or more than "
        f"{_MOST_IN_A_LINE} characters). Is it another file?"
    )
