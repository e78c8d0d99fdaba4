"""What was done about bad steps of a training; kept in its folder, for it decides what follows.

Batches and steps are numbered alike until a training goes back to a checkpoint and on with the
batches that follow the bad one. From there on the data are ahead of the steps.
"""

import json
import os
from typing import Any, NamedTuple

from object_detection.errors import DataError
from object_detection.utils import files

FILE = "bad_steps.json"


class Event(NamedTuple):
    """A bad step that was skipped, or after which the training went back."""

    step: int  # number of the bad step; that of the first step is 1
    back_to: int | None = None  # step of the checkpoint that was restored; None: skipped
    ahead: int = 0  # batches that the data are ahead of the steps since then


class Record:
    """The events that the variables of a training have come through, in their order."""

    def __init__(self, train_dir: str, step: int | None) -> None:
        """Reads the events before a step; what came later is forgotten, for it comes again.

        Args:
            train_dir: directory of the training.
            step: that of the checkpoint at which the training goes on; None if it begins.

        Raises:
            DataError: the file is none of ours.
        """
        self._path = os.path.join(train_dir, FILE)
        self._events = [] if step is None else self._until(_read(self._path), step)

    @staticmethod
    def _until(events: list[Event], step: int) -> list[Event]:
        return [
            event
            for event in events
            if (event.step if event.back_to is None else event.back_to) <= step
        ]

    @property
    def skipped(self) -> int:
        """Steps that were skipped."""
        return sum(event.back_to is None for event in self._events)

    @property
    def returns(self) -> int:
        """How often the training went back."""
        return len(self._events) - self.skipped

    @property
    def ahead(self) -> int:
        """Batches that the data are ahead of the steps."""
        return next((one.ahead for one in reversed(self._events) if one.back_to is not None), 0)

    def skipped_before(self, step: int) -> int:
        """How many steps in a row were skipped right before this one."""
        skipped = {event.step for event in self._events if event.back_to is None}
        first = step
        while first - 1 in skipped:
            first -= 1
        return step - first

    def returns_to(self, step: int) -> int:
        """How often the training went back to the checkpoint of this step."""
        return sum(event.back_to == step for event in self._events)

    def skip(self, step: int) -> None:
        """Notes that a step is skipped."""
        self._add(Event(step))

    def go_back(self, step: int, back_to: int) -> None:
        """Notes that after a bad step the training goes on from a checkpoint with the next batch."""
        ahead = self.ahead + step - back_to
        self._events = self._until(self._events, back_to)
        self._add(Event(step, back_to, ahead))

    def _add(self, event: Event) -> None:
        self._events.append(event)
        files.write_json(self._path, [one._asdict() for one in self._events])

    def words(self) -> str:
        """The events in numbers; empty without any."""
        parts = []
        if self.skipped:
            parts.append(f"{self.skipped} skipped")
        if self.returns:
            parts.append(f"{self.returns} followed by a return to a checkpoint")
        return f"steps that were not finite: {', '.join(parts)}" if parts else ""


def _event(entry: dict[str, Any]) -> Event:
    back_to = entry["back_to"]
    return Event(int(entry["step"]), None if back_to is None else int(back_to), int(entry["ahead"]))


def _read(path: str) -> list[Event]:
    if not os.path.exists(path):
        return []
    try:
        with open(path, encoding="utf-8") as file:
            return [_event(entry) for entry in json.load(file)]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: should say which steps were skipped, and after which the training went back; "
            f"it cannot be read ({error!r}). Restore it, or remove it; then the data come in "
            "another order if the training ever went back."
        ) from error
