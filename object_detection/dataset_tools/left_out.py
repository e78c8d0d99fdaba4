"""What a converter leaves out, and the report of it; needs no TensorFlow."""

import collections
from typing import Any

from absl import logging

from object_detection.errors import DataError, PictureError
from object_detection.utils import files, untrusted

# What is said at once; the report has all of them.
_SAID_AT_ONCE = 10


class LeftOut:
    """Counts the pictures of a conversion and keeps why some are left out."""

    def __init__(self) -> None:
        self._written = 0
        self._pictures: list[dict[str, str]] = []

    @property
    def written(self) -> int:
        """Pictures that are in the record."""
        return self._written

    def count_written(self) -> None:
        """One more picture is in the record."""
        self._written += 1

    def add(self, picture: str, error: PictureError) -> None:
        """Leaves a picture out, and says so of the first ones.

        Args:
            picture: what the data set calls it.
            error: why.
        """
        self._pictures.append({"picture": picture, "reason": error.reason, "detail": str(error)})
        if len(self._pictures) <= _SAID_AT_ONCE:
            logging.warning("%s Left out.", error)
        if len(self._pictures) == _SAID_AT_ONCE:
            logging.warning("Further pictures that are left out are in the report alone.")

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "pictures": {
                "seen": self._written + len(self._pictures),
                "written": self._written,
                "left_out": len(self._pictures),
            },
            "reasons": collections.Counter(entry["reason"] for entry in self._pictures),
            "pictures_left_out": self._pictures,
        }

    def finish(self, report_path: str) -> str:
        """Writes the report; to be called before the record appears.

        Returns:
            How many pictures are left out and why, as an end of a sentence; empty if none is.

        Raises:
            DataError: all are left out, so that the record would be empty.
        """
        content = self.as_dict()
        files.write_json(report_path, content)
        if not self._pictures:
            return ""
        reasons = ", ".join(
            f"{count} {reason}" for reason, count in content["reasons"].most_common()
        )
        if not self._written:
            first = self._pictures[0]
            raise DataError(
                f"All {len(self._pictures)} pictures are left out ({reasons}), so that no record "
                f"is written; {report_path} has all of them. The first, "
                f"{untrusted.shortened(first['picture'])}: {first['detail']}"
            )
        return f"; {len(self._pictures)} pictures left out ({reasons}): {report_path}"
