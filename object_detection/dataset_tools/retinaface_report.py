"""The report of a conversion of RetinaFace labels: counts, and every picture and face left out.

Label files name many thousands of faces. So what is said of one is kept as a line of JSON: it is
made where the picture is read, and passes from process to process as text.
"""

import collections
import json
from collections.abc import Mapping
from typing import Any

from object_detection.dataset_tools import retinaface_labels
from object_detection.utils import files

_KINDS = ("pictures", "faces")
_LISTS = ("pictures_left_out", "faces_left_out", "notes")
_BETWEEN_LINES = ",\n  "


def _line(**entry: Any) -> str:
    return json.dumps(entry, ensure_ascii=False)


class Report:
    """Counts, and every picture and face left out with line and reason."""

    def __init__(self) -> None:
        self.pictures_seen = self.pictures_written = 0
        self.faces_seen = self.faces_written = 0
        self.faces_left_out_with_picture = 0
        self.reasons: dict[str, collections.Counter[str]] = {
            kind: collections.Counter() for kind in _KINDS
        }
        self.pictures_left_out: list[str] = []
        self.faces_left_out: list[str] = []
        self.notes: list[str] = []

    def leave_picture_out(
        self, picture: retinaface_labels.LabelledPicture, reason: str, detail: str
    ) -> None:
        """Counts and names a picture that is not written, with all its faces."""
        self.faces_left_out_with_picture += picture.num_lines
        self.reasons["pictures"][reason] += 1
        self.pictures_left_out.append(
            _line(
                picture=picture.path,
                line=picture.line,
                reason=reason,
                detail=detail,
                faces=picture.num_lines,
            )
        )

    def leave_faces_out(
        self, picture: retinaface_labels.LabelledPicture, faces: list[tuple[int, str, str]]
    ) -> None:
        """Counts and names faces of a picture that is written.

        Args:
            picture: theirs.
            faces: line, reason and detail of each; both texts need no escaping in JSON.
        """
        # One of them is the same as `_line` makes, in a tenth of its time.
        head = f'{_line(picture=picture.path)[:-1]}, "line": '
        self.faces_left_out += [
            f'{head}{line}, "reason": "{reason}", "detail": "{detail}"}}'
            for line, reason, detail in faces
        ]
        self.reasons["faces"].update(reason for _, reason, _ in faces)

    def note(self, line: int, what: str, picture: str = "") -> None:
        """Names something that costs no picture and no face."""
        self.notes.append(_line(picture=picture, line=line, note=what))

    def add(self, other: "Report") -> None:
        """Takes over what another one says."""
        for name, value in vars(other).items():
            if isinstance(value, int):
                setattr(self, name, getattr(self, name) + value)
            elif isinstance(value, list):
                getattr(self, name).extend(value)
        for kind in _KINDS:
            self.reasons[kind].update(other.reasons[kind])

    def compact(self) -> "Report":
        """Joins the lines of each list to one text, which passes faster to another process."""
        for name in _LISTS:
            if lines := getattr(self, name):
                setattr(self, name, [_BETWEEN_LINES.join(lines)])
        return self

    def counts(self) -> dict[str, Any]:
        """What became of how many."""
        of_pictures = sum(self.reasons["pictures"].values())
        of_faces = sum(self.reasons["faces"].values())
        return {
            "pictures": {
                "seen": self.pictures_seen,
                "written": self.pictures_written,
                "left_out": of_pictures,
            },
            "faces": {
                "seen": self.faces_seen,
                "written": self.faces_written,
                "left_out": of_faces + self.faces_left_out_with_picture,
                "left_out_with_their_picture": self.faces_left_out_with_picture,
            },
            "reasons": self.reasons,
        }

    def as_dict(self) -> dict[str, Any]:
        """All of it."""
        lists = {name: json.loads(f"[{','.join(getattr(self, name))}]") for name in _LISTS}
        return {**self.counts(), **lists}

    def write(self, path: str, head: Mapping[str, Any]) -> None:
        """Writes a JSON file of one line an entry.

        Args:
            path: of the file.
            head: what stands in it before the report.
        """
        counts = json.dumps({**head, **self.counts()}, indent=1, ensure_ascii=False)
        parts = [counts.removesuffix("\n}")]
        for name in _LISTS:
            lines = getattr(self, name)
            content = "\n  " + _BETWEEN_LINES.join(lines) + "\n " if lines else ""
            parts.append(f',\n "{name}": [{content}]')
        # A byte of a path that is not UTF-8 becomes an escape, as JSON writes it.
        with (
            files.appearing_whole(path) as temporary,
            open(temporary, "w", encoding="utf-8", errors="backslashreplace") as file,
        ):
            file.write("".join([*parts, "\n}\n"]))
