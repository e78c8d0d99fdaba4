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
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TextIO

from object_detection.errors import DataError
from object_detection.utils import untrusted

NUM_KEYPOINTS = 5
_BOX_COLUMNS = 4
_COLUMNS = _BOX_COLUMNS + 3 * NUM_KEYPOINTS + 1

# As in COCO: what the record says about a point.
NOT_LABELLED, OCCLUDED, VISIBLE = 0, 1, 2
_NO_POINT = (math.nan, math.nan, NOT_LABELLED)
_NO_POINTS = (_NO_POINT,) * NUM_KEYPOINTS
_MISSING = [-1.0] * (3 * NUM_KEYPOINTS)
_MOST = 1e9
"""No picture has such coordinates; float32 of a record could not hold them much further."""

MOST_BYTES = 1 << 30
"""Of a label file, unpacked; WIDER FACE's largest has 8 MB."""
_MOST_IN_A_LINE = 10_000


class Face(NamedTuple):
    """One line: corners of the box and the points, in pixels of the picture."""

    line: int
    xmin: float
    ymin: float
    xmax: float
    ymax: float
    points: tuple[tuple[float, float, int], ...]
    """K times (x, y, visibility); x and y are NaN where nothing is labelled."""


class BadLine(NamedTuple):
    """A line that is no face, and why."""

    line: int
    why: str


@dataclasses.dataclass
class LabelledPicture:
    """A `#` line and what follows it up to the next."""

    path: str
    line: int
    faces: list[Face] = dataclasses.field(default_factory=list)
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


def parse_face(text: str, line: int) -> Face:
    """The face of one line.

    Raises:
        DataError: another number of columns than 4 or 20, or a column that is no finite number, or
            a larger one than any picture has pixels.
    """
    words = text.split()
    if len(words) not in {_BOX_COLUMNS, _COLUMNS}:
        raise DataError(f"{len(words)} columns instead of {_BOX_COLUMNS} or {_COLUMNS}")
    # Label files have millions of numbers: what is usual is told by few calls.
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        raise DataError(_wrong_column(words)) from None
    # NaN compares as false wherever it stands in a sum.
    if not sum(map(abs, numbers)) <= _MOST and (why := _wrong_column(words)):
        raise DataError(why)
    x, y, width, height = numbers[:_BOX_COLUMNS]
    rest = numbers[_BOX_COLUMNS : _BOX_COLUMNS + 3 * NUM_KEYPOINTS]
    points = _NO_POINTS
    if rest and rest != _MISSING:
        points = tuple(
            [
                _NO_POINT if kx == ky == kv == -1 else (kx, ky, VISIBLE if kv == 0 else OCCLUDED)
                for kx, ky, kv in zip(rest[::3], rest[1::3], rest[2::3], strict=True)
            ]
        )
    return Face(line, x, y, x + width, y + height, points)


def _finish(picture: LabelledPicture) -> LabelledPicture:
    # WIDER FACE writes "no face" as one row of zeros.
    if picture.num_lines == 1 and picture.faces:
        face = picture.faces[0]
        if face.xmin == face.ymin == face.xmax == face.ymax == 0:
            picture.placeholder_line = face.line
            picture.faces = []
    return picture


def parse_labels(
    lines: Iterable[str], stray_lines: list[BadLine] | None = None, first_line: int = 1
) -> Iterator[LabelledPicture]:
    """The pictures of a label file in its order; what cannot be read is kept as `bad_lines`.

    Args:
        lines: of the file.
        stray_lines: receives the lines before the first picture, which belong to none.
        first_line: number of the first one in its file.
    """
    picture: LabelledPicture | None = None
    for number, raw in enumerate(lines, start=first_line):
        text = raw.strip()
        if not text:
            continue
        if text.startswith("#"):
            if picture is not None:
                yield _finish(picture)
            picture = LabelledPicture(path=text[1:].strip(), line=number)
        elif picture is None:
            if stray_lines is not None:
                stray_lines.append(BadLine(number, "stands before the first '# picture' line"))
        else:
            try:
                picture.faces.append(parse_face(text, number))
            except DataError as error:
                picture.bad_lines.append(BadLine(number, str(error)))
    if picture is not None:
        yield _finish(picture)


def open_labels(path: str) -> TextIO:
    """Opens a label file for reading, gzipped if the name ends in `.gz`.

    Bytes that are not UTF-8 survive as surrogates, so that any file name can be opened.
    """
    if path.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape")
    return open(path, encoding="utf-8-sig", errors="surrogateescape")


def read_lines(path: str) -> list[str]:
    """The lines of a label file.

    Raises:
        DataError: it cannot be read, is no text, or is larger than any label file is; then no more
            of it was read.
    """
    lines, total = [], 0
    try:
        with open_labels(path) as file:
            # A line, too, may have no end.
            while line := file.readline(_MOST_IN_A_LINE + 1):
                total += len(line)
                if len(line) > _MOST_IN_A_LINE or "\0" in line:
                    raise DataError(
                        f"{path}: line {len(lines) + 1} is no text of a label file (it has a zero "
                        f"byte, or more than {_MOST_IN_A_LINE} characters). Is it another file?"
                    )
                if total > MOST_BYTES:
                    raise DataError(
                        f"{path}: has more than {MOST_BYTES >> 20} MB of text. Split it, or check "
                        "that it is a label file."
                    )
                lines.append(line)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the label file cannot be read: {error}.") from error
    return lines
