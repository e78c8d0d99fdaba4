"""What the loop says of its steps."""

import time


class Progress:
    """Mean losses, pictures per second, share of waiting, time to go: since the last line."""

    def __init__(self, num_steps: int) -> None:
        """Takes the step at which the training ends; 0 for none."""
        self._num_steps = num_steps
        self._restart()

    def _restart(self) -> None:
        self._begin = time.monotonic()
        self._steps = 0
        self._pictures = 0
        self._waited = 0.0
        self._losses: dict[str, float] = {}

    def count(self, losses: dict[str, float], pictures: int, waited: float) -> None:
        """Counts a step: its losses by name, its pictures, the seconds that it waited for them."""
        self._steps += 1
        for name, value in losses.items():
            self._losses[name] = self._losses.get(name, 0.0) + value
        self._pictures += pictures
        self._waited += waited

    def leave_out(self, seconds: float) -> None:
        """Leaves out time in which there was no training."""
        self._begin += seconds

    def words(self, step: int) -> str:
        """The steps since the last call, in one line.

        Args:
            step: number of the last step.
        """
        seconds = max(time.monotonic() - self._begin, 1e-9)
        per_step = seconds / max(self._steps, 1)
        # One batch says little; the mean shows where the training goes.
        losses = ", ".join(
            f"{name.removeprefix('Loss/')} {total / max(self._steps, 1):.4f}"
            for name, total in self._losses.items()
        )
        words = (
            f"{losses}; {self._pictures / seconds:.1f} pictures/s ({per_step:.3f} s/step), "
            f"{min(self._waited / seconds, 1.0):.0%} waiting for data"
        )
        if self._num_steps:
            left = int((self._num_steps - step) * per_step)
            words += f", ETA {left // 3600:d}:{left // 60 % 60:02d}:{left % 60:02d}"
        self._restart()
        return words
