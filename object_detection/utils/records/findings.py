"""What is wrong with records: findings, what a scan of a file gives, and reports of scans."""

import base64
import collections
import dataclasses
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

SKIPPED, REPAIRED, NOTED = "skipped", "repaired", "noted"
"""What becomes of the record: it is not used, it is used with a box less or mended, or used."""

ACTIONS = (SKIPPED, REPAIRED, NOTED)

MOST_LISTED = 10_000
"""Findings that are listed of a file, and in a report; the others are counted."""

_TEXTS = {
    # Files and records.
    "unreadable_file": "the file cannot be read",
    "empty_file": "the file is empty",
    "compressed": "the file is compressed; compressed records are not read here",
    "truncated": "the file ends within a record",
    "damaged_length": "the length of a record is damaged, so that its end is not known",
    "checksum": "the content is not what was written: its checksum differs",
    "record_too_large": "the record is too large to be a picture",
    # What a record is.
    "not_an_example": "the content is no tf.train.Example of a picture",
    "wrong_feature": "a feature has values of another type or number than readers take",
    # Pictures.
    "no_picture": "there is no picture",
    "picture_does_not_decode": "the picture does not decode",
    "picture_too_large": "the picture has more pixels than max_megapixels",
    # Lists that contradict each other.
    "unequal_corners": "the four lists of corners are not equally long",
    "unequal_classes": "there is not one class a box",
    "unequal_keypoints": "there are not K keypoints a box",
    "unequal_rows": "a list has not one entry a box",
    "unequal_masks": "masks do not fit the boxes or the picture",
    "unequal_channels": "additional channels do not fit the picture",
    "unequal_lists": "lists of DensePose or context contradict each other",
    # Labels from which nobody can know where, or what, an object in the picture is.
    "box_not_finite": "a corner of a box is NaN or infinite",
    "box_without_area": "a box has no height or no width",
    "class_out_of_range": "a class is none of the model's",
    # Boxes and points that are mended.
    "box_not_in_picture": "nothing of the box lies in the picture: the box is left out",
    "box_inverted": "the box ends before it begins: its corners change places",
    "class_unknown": "the label map does not have the class: the box is left out",
    "box_outside": "the box reaches out of the picture: it is cut at the edge",
    "keypoint_not_finite": "half a keypoint is missing, or it is infinite: it counts as missing",
    # What does no harm.
    "size_differs": "image/height and image/width are not those of the picture",
    "format_differs": "image/format is not that of the picture",
}


def text(reason: str) -> str:
    """What a code means, in words."""
    return _TEXTS[reason]


def reasons() -> tuple[str, ...]:
    """All codes."""
    return tuple(_TEXTS)


@dataclasses.dataclass(frozen=True)
class Finding:
    """What was found in one record, for one reason."""

    path: str
    number: int
    """Of the record in its file, from 1; 0: the file as a whole."""
    offset: int
    """Of the record's content in the file, in bytes."""
    source_id: str
    reason: str
    """Code; `text` says it in words."""
    detail: str
    action: str
    """One of `ACTIONS`."""

    def place(self) -> str:
        """File, number of the record, and the picture's name if it is known; fit for a console."""
        path = os.fsencode(self.path).decode("utf-8", "replace")
        record = f", record {self.number}" if self.number else ""
        name = f" ({self.source_id})" if self.source_id else ""
        return f"{path}{record}{name}"


@dataclasses.dataclass(frozen=True)
class FileScan:
    """What a scan of one file gives."""

    path: str
    size: int
    mtime_ns: int
    num_records: int
    """Damaged ones included; a stretch of lost bytes counts as one."""
    good: np.ndarray[Any, np.dtype[np.int64]]
    """[n, 2] offset and length of the contents that are used, in the order of the file."""
    findings: tuple[Finding, ...]
    """In the order of the file; at most `MOST_LISTED`."""
    unlisted: tuple[tuple[str, str, int], ...] = ()
    """(reason, action, number) of the findings beyond them."""

    @property
    def num_skipped(self) -> int:
        """Records that are not used."""
        return self.num_records - len(self.good)

    @property
    def all_good(self) -> bool:
        """Whether every record of the file is used, so that it can be read as it is."""
        return not any(action == SKIPPED for _, action in self.counts())

    def counts(self) -> collections.Counter[tuple[str, str]]:
        """Number of findings by reason and action."""
        found = collections.Counter((one.reason, one.action) for one in self.findings)
        for reason, action, number in self.unlisted:
            found[reason, action] += number
        return found

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes, made of what JSON knows."""
        return {
            "path": self.path,
            "size": self.size,
            "mtime_ns": self.mtime_ns,
            "num_records": self.num_records,
            "good": base64.b64encode(self.good.astype("<i8").tobytes()).decode(),
            "findings": [dataclasses.asdict(one) for one in self.findings],
            "unlisted": [list(one) for one in self.unlisted],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "FileScan":
        """The inverse of `to_json`.

        Raises:
            ValueError: (or KeyError, TypeError) it was not made by `to_json`.
        """
        good = np.frombuffer(base64.b64decode(content["good"]), "<i8").astype(np.int64)
        return cls(
            path=content["path"],
            size=content["size"],
            mtime_ns=content["mtime_ns"],
            num_records=content["num_records"],
            good=good.reshape(-1, 2),
            findings=tuple(Finding(**one) for one in content["findings"]),
            unlisted=tuple((reason, action, n) for reason, action, n in content["unlisted"]),
        )


def counts(scans: Iterable[FileScan]) -> dict[str, dict[str, int]]:
    """Action -> reason -> number of findings, the most frequent reasons first."""
    total: collections.Counter[tuple[str, str]] = collections.Counter()
    for scan in scans:
        total.update(scan.counts())
    ordered = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    return {
        action: {reason: number for (reason, of), number in ordered if of == action}
        for action in ACTIONS
    }


def mended(scans: Iterable[FileScan]) -> int:
    """Records with something that is repaired; of those beyond the listed ones at most."""
    total = 0
    for scan in scans:
        total += len({one.number for one in scan.findings if one.action == REPAIRED})
        total += sum(number for _, action, number in scan.unlisted if action == REPAIRED)
    return total


def report(scans: Sequence[FileScan]) -> dict[str, Any]:
    """All findings, for people and programs: what JSON knows.

    At most `MOST_LISTED` are listed; all are counted.
    """
    listed = [dataclasses.asdict(one) for scan in scans for one in scan.findings][:MOST_LISTED]
    by_action = counts(scans)
    return {
        "records": sum(scan.num_records for scan in scans),
        "used": sum(len(scan.good) for scan in scans),
        "left_out": sum(scan.num_skipped for scan in scans),
        "mended": mended(scans),
        "reasons": by_action,
        "meanings": {reason: text(reason) for numbers in by_action.values() for reason in numbers},
        "files": [
            {
                "path": scan.path,
                "records": scan.num_records,
                "left_out": scan.num_skipped,
                "reasons": counts([scan]),
            }
            for scan in scans
        ],
        "findings": listed,
        "findings_not_listed": sum(sum(one.values()) for one in by_action.values()) - len(listed),
    }


def summary(scans: Sequence[FileScan], most: int = 5) -> str:
    """One line: how many records, how many are left out and mended, and the commonest reasons.

    Args:
        scans: of all files.
        most: reasons that are named.
    """
    total = sum(scan.num_records for scan in scans)
    by_action = counts(scans)
    found = {**by_action[SKIPPED], **by_action[REPAIRED]}
    if not found:
        return f"Records: {total}, all are used."
    left_out = sum(scan.num_skipped for scan in scans)
    named = [f"{number} {reason}" for reason, number in list(found.items())[:most]]
    if len(found) > most:
        named.append(f"{len(found) - most} more reasons")
    return (
        f"Records: {left_out} of {total} are left out, {mended(scans)} mended: {', '.join(named)}."
    )
