"""Counts boxes that are lost because a picture has more of them than a limit. Needs no TensorFlow."""

from collections.abc import Iterable

from object_detection.utils import crowd_config


class CutBoxes:
    """Adds up pictures; says what is lost, when that has become twice as much."""

    def __init__(self, limit: int, field: str, fate: str = "are cut") -> None:
        """Starts at zero.

        Args:
            limit: boxes of a picture that are kept; 0 for all.
            field: of the config, that says so.
            fate: what becomes of the others.
        """
        self._limit = limit
        self._field = field
        self._fate = fate
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

    def news(self, growth: float = 2.0) -> str | None:
        """What `words` says, if more boxes are lost than when it was said last.

        Args:
            growth: how many times as many they must be at least.
        """
        if self.lost <= self._said or self.lost < growth * self._said:
            return None
        self._said = self.lost
        return self.words()

    def words(self) -> str:
        """What is lost so far, and the setting to raise; empty if nothing is."""
        if not self.lost:
            return ""
        return (
            f"Warning: {self.lost} boxes of {self.crowded} pictures (of {self.pictures}) {self._fate}: "
            f"{self._field} is {self._limit}, and a picture has up to {self.most} boxes. Set "
            f"{crowd_config.FIELD}: {self.most}, and leave {self._field.rpartition('.')[2]} out."
        )
