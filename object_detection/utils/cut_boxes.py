"""Counts boxes that are lost because a picture has more of them than a limit. Needs no TensorFlow."""

from collections.abc import Iterable

from object_detection.utils import crowd_config


class CutBoxes:
    """Adds up pictures; says what is lost, when that has become twice as much."""

    def __init__(self, limit: int, field: str) -> None:
        """Starts at zero.

        Args:
            limit: boxes of a picture that are kept; 0 for all.
            field: of the config, that says so.
        """
        self._limit = limit
        self._field = field
        self._said = 0
        self.pictures = 0
        self.crowded = 0  # pictures that lost boxes
        self.lost = 0  # boxes
        self.most = 0  # boxes of one picture

    def count(self, boxes: Iterable[int]) -> None:
        """Adds pictures by their numbers of boxes before cutting."""
        for number in map(int, boxes):
            self.pictures += 1
            self.most = max(self.most, number)
            if 0 < self._limit < number:
                self.crowded += 1
                self.lost += number - self._limit

    def news(self) -> str | None:
        """What `words` says, if at least twice as many boxes are lost as when it was said last."""
        if not self.lost or self.lost < 2 * self._said:
            return None
        self._said = self.lost
        return self.words()

    def words(self) -> str:
        """What is lost so far, and the setting to raise; empty if nothing is."""
        if not self.lost:
            return ""
        return (
            f"Warning: {self.lost} boxes of {self.crowded} pictures (of {self.pictures}) are cut: "
            f"{self._field} is {self._limit}, and a picture has up to {self.most} boxes. Set "
            f"{crowd_config.FIELD}: {self.most}, and leave {self._field.rpartition('.')[2]} out."
        )
