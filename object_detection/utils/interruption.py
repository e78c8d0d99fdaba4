"""Ctrl-C, SIGTERM and the end of a terminal (SIGHUP), as one request to end.

What the first request does depends on what is going on, innermost first:

* `as_exception`: raises `KeyboardInterrupt`, so that whatever is open cleans up.
* `as_question`: is remembered until it is asked for; the second raises `KeyboardInterrupt`.
* `postponed`: has its effect afterwards; for moments that must not be torn apart.

In a program (`ending_program`), one request more than that ends the process at once.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from object_detection.utils import files

EXIT_STATUS = 130
_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

_EXCEPTION, _QUESTION, _POSTPONED = "exception", "question", "postponed"


class _Requests:
    """How many requests came, and what the next one does."""

    def __init__(self) -> None:
        self.modes: list[str] = []
        self.is_program = False
        self.process = 0  # whose handlers these are
        self.count = 0
        self.waiting: int | None = None  # a signal whose effect is postponed

    def receive(self, number: int, _: Any = None) -> None:
        if os.getpid() != self.process:
            # A child that was forked; what its parent has begun is none of its business.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            return
        if self.modes[-1] == _POSTPONED:
            self.waiting = number
            return
        self.count += 1
        patience = 2 if _QUESTION in self.modes else 1
        if self.is_program and self.count > patience:
            files.discard_unfinished()
            os._exit(EXIT_STATUS)
        if self.modes[-1] == _EXCEPTION or self.count > 1:
            raise KeyboardInterrupt


_requests = _Requests()


@contextlib.contextmanager
def _mode(mode: str) -> Iterator[None]:
    """What requests do meanwhile. Only the main thread gets signals; elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous: dict[int, Any] = {}
    if not _requests.modes:
        _requests.count, _requests.process = 0, os.getpid()
    _requests.modes.append(mode)
    if len(_requests.modes) == 1:
        for number in _SIGNALS:
            # nohup: the end of the terminal is no request.
            if number == getattr(signal, "SIGHUP", None) and (
                signal.getsignal(number) == signal.SIG_IGN
            ):
                continue
            previous[number] = signal.signal(number, _requests.receive)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        _requests.modes.pop()


@contextlib.contextmanager
def ending_program() -> Iterator[None]:
    """For programs: a request raises `KeyboardInterrupt`, a second one ends the process at once."""
    _requests.is_program = True
    try:
        with _mode(_EXCEPTION):
            yield
    finally:
        _requests.is_program = False


@contextlib.contextmanager
def as_exception() -> Iterator[None]:
    """Within `as_question`: a request raises `KeyboardInterrupt`."""
    with _mode(_EXCEPTION):
        yield


@contextlib.contextmanager
def as_question() -> Iterator[Callable[[], bool]]:
    """Gives a function that says whether an end was requested meanwhile, or before."""
    with _mode(_QUESTION):
        yield lambda: _requests.count > 0


@contextlib.contextmanager
def postponed() -> Iterator[None]:
    """Lets a request wait until the end of what is done in here, which must be short."""
    _requests.waiting = None
    with _mode(_POSTPONED):
        yield
    # After an exception a request changes nothing: that ends whatever is done here as well.
    if _requests.waiting is not None:
        signal.raise_signal(_requests.waiting)
