"""Gives damaged inputs to a target, and holds it to what every reader of strangers' data owes.

Each input is accepted, or refused with a reason that names the place; there is no other exception,
no endless loop, no memory without bound.
"""

import collections
import contextlib
import dataclasses
import pathlib
import random
import resource
import signal
import time
import traceback
from collections.abc import Iterator
from typing import Any, Protocol

from object_detection.errors import ObjectDetectionError

SECONDS = 2.0
"""For one input; the usual one takes milliseconds."""
MOST_FAILURES = 20

ACCEPTED = "accepted"


class Broken(AssertionError):
    """A promise about inputs that was not kept."""


class Target(Protocol):
    """What is given damaged inputs."""

    name: str
    # And `seconds`, if an input may take longer than `SECONDS`.

    def corpus(self) -> list[bytes]:
        """Good inputs."""

    def damage(self, rng: random.Random) -> bytes:
        """A damaged input."""

    def check(self, data: bytes) -> str:
        """Takes an input; returns `ACCEPTED`, or a code of the reason that it was refused for.

        Raises:
            Broken: a reason is empty or names no place, or what came of the input is wrong.
            ObjectDetectionError: the input is refused; the message has to name `place`.
        """

    @property
    def place(self) -> str:
        """What a message has to name."""

    def finish(self) -> list[str]:
        """What is wrong with all that was accepted, if it is only looked at together."""


@dataclasses.dataclass
class Failure:
    """An input with which something went wrong."""

    number: int
    what: str
    data: bytes


@dataclasses.dataclass
class Report:
    """What became of many inputs."""

    target: str
    seed: int
    count: int = 0
    outcomes: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    slowest: float = 0.0  # seconds of computing
    slowest_number: int = -1
    peak_mb: float = 0.0
    failures: list[Failure] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """All but the inputs."""
        return {
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)},
            "refused": self.count - self.outcomes[ACCEPTED] - len(self.failures),
            "failures": [{"number": one.number, "what": one.what} for one in self.failures],
        }


class TooSlow(BaseException):
    """An input that takes longer than `SECONDS`; no code under test may catch it."""


@contextlib.contextmanager
def within_seconds(limit: float) -> Iterator[None]:
    """Ends what runs inside after `limit` seconds of computing, or ten times as many of waiting.

    A machine that is busy with other things must not make an input look slow.
    """

    def end(*_: object) -> None:
        raise TooSlow(f"took more than {limit} s")

    timers = (
        (signal.SIGPROF, signal.ITIMER_PROF, limit),
        (signal.SIGALRM, signal.ITIMER_REAL, 10 * limit),
    )
    before = [signal.signal(number, end) for number, _, _ in timers]
    for _, timer, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def peak_memory_mb() -> float:
    """Most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def outcome(target: Target, data: bytes) -> str:
    """What becomes of one input.

    Raises:
        Broken: a promise was not kept; the text says which.
    """
    try:
        with within_seconds(getattr(target, "seconds", SECONDS)):
            return target.check(data)
    except ObjectDetectionError as error:
        said = str(error)
        if not said.strip():
            raise Broken("refused without a reason") from error
        if target.place not in said:
            raise Broken(f"the reason names no place: {said[:300]}") from error
        if len(said) > 20_000:
            raise Broken(f"a reason of {len(said)} characters: {said[:300]}") from error
        return f"refused: {type(error).__name__}"
    except Broken:
        raise
    except TooSlow as error:
        raise Broken(f"{error}: {''.join(traceback.format_tb(error.__traceback__)[-3:])}") from None
    except Exception as error:
        where = "".join(traceback.format_tb(error.__traceback__)[-3:])
        raise Broken(f"{type(error).__name__}: {str(error)[:300]}\n{where}") from error


def run(
    target: Target, count: int, seed: int, first: int = 0, progress: pathlib.Path | None = None
) -> Report:
    """Gives a target `count` inputs.

    Args:
        target: the target.
        count: of inputs.
        seed: with the number of an input, it says all about it.
        first: number of the first one.
        progress: file that tells the number of the input at work, if the process should die of it.
    """
    report = Report(target.name, seed)
    began = time.monotonic()
    for data in target.corpus():
        said = target.check(data)
        if said != ACCEPTED:
            raise Broken(f"{target.name}: an undamaged input is not accepted: {said}")
    for number in range(first, first + count):
        data = target.damage(random.Random(f"{target.name} {seed} {number}"))
        if progress is not None:
            progress.write_text(str(number))
        start = time.process_time()
        try:
            report.outcomes[outcome(target, data)] += 1
        except Broken as error:
            report.failures.append(Failure(number, str(error), data))
        report.count += 1
        took = time.process_time() - start
        if took > report.slowest:
            report.slowest, report.slowest_number = took, number
        if len(report.failures) >= MOST_FAILURES:
            break
    report.peak_mb = peak_memory_mb()
    report.problems = target.finish()
    report.seconds = time.monotonic() - began
    return report
