"""Processes that help: how they begin, work and end. Light, because they import it."""

import collections
import concurrent.futures
import contextlib
import multiprocessing
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from multiprocessing import resource_tracker
from typing import TypeVar

from object_detection.errors import DataError

AHEAD = 3
"""Tasks a process that may be under way before their results are wanted."""

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes started inside never see Ctrl-C.

    A terminal sends it to all of them; workers that die of it leave an executor that waits for
    them. This process hears it afterwards, and ends them.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # multiprocessing starts it with the first process, and lets signals through afterwards.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _processes(count: int) -> Iterator[concurrent.futures.Executor]:
    """Processes that are there already, so that no thread of this one can be in their way."""
    # A fork is there at once, but would copy the locks of TensorFlow's threads.
    forks = "tensorflow" not in sys.modules and sys.platform == "linux"
    context = multiprocessing.get_context("fork" if forks else "spawn")
    with concurrent.futures.ProcessPoolExecutor(count, mp_context=context) as workers:
        # An executor starts its processes when there is work for them.
        with deaf_to_ctrl_c():
            for started in [workers.submit(int) for _ in range(count)]:
                started.result()
        yield workers


def _in_order(
    function: Callable[[_Task], _Result],
    tasks: Iterable[_Task],
    most: int,
    workers: concurrent.futures.Executor,
) -> Generator[_Result, None, None]:
    pending: collections.deque[concurrent.futures.Future[_Result]] = collections.deque()
    try:
        for task in tasks:
            pending.append(workers.submit(function, task))
            if len(pending) > most:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except concurrent.futures.BrokenExecutor as error:
        raise DataError(
            "A process that reads pictures was killed, probably for want of memory. Use fewer "
            "with --num_workers."
        ) from error
    finally:
        for future in pending:
            future.cancel()


@contextlib.contextmanager
def results_in_order(
    function: Callable[[_Task], _Result], tasks: Sequence[_Task], num_workers: int
) -> Iterator[Iterator[_Result]]:
    """What a function makes of tasks, in their order; `AHEAD` of them a process are worked on ahead.

    Args:
        function: can be pickled.
        tasks: likewise.
        num_workers: processes; this one does all where one is enough.

    Raises:
        DataError: (from the iterator) a process was killed.
    """
    num_workers = min(num_workers, len(tasks))
    if num_workers <= 1:
        yield map(function, tasks)
        return
    with (
        _processes(num_workers) as workers,
        contextlib.closing(_in_order(function, tasks, AHEAD * num_workers, workers)) as results,
    ):
        yield results
