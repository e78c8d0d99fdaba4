"""Requests to end, as signals of this process, and in processes of their own where they end it."""

import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

from object_detection.utils import files, interruption

ALL = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def handlers():
    """The handlers are afterwards what they were before."""
    before = [signal.getsignal(number) for number in ALL]
    yield
    assert [signal.getsignal(number) for number in ALL] == before


@pytest.mark.parametrize("number", ALL)
def test_a_program_gets_an_exception(number):
    with pytest.raises(KeyboardInterrupt), interruption.ending_program():
        signal.raise_signal(number)


def test_a_loop_asks_and_the_second_request_is_an_exception():
    with interruption.ending_program(), interruption.as_question() as asked:
        assert not asked()
        signal.raise_signal(signal.SIGTERM)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_within_a_loop_the_first_one_can_be_an_exception_too():
    with interruption.as_question() as asked:
        with pytest.raises(KeyboardInterrupt), interruption.as_exception():
            signal.raise_signal(signal.SIGINT)
        assert asked()


def test_a_request_that_something_swallowed_is_not_lost():
    with interruption.ending_program():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with interruption.as_question() as asked:
            assert asked()
    with interruption.as_question() as asked:
        assert not asked()


def test_a_postponed_request_comes_afterwards():
    done = []

    def work():
        with interruption.postponed():
            signal.raise_signal(signal.SIGTERM)
            done.append("all of it")
        done.append("and more")

    with pytest.raises(KeyboardInterrupt), interruption.ending_program():
        work()
    assert done == ["all of it"]


def test_a_postponed_request_is_asked_for_afterwards():
    with interruption.as_question() as asked:
        with interruption.postponed():
            signal.raise_signal(signal.SIGTERM)
            assert not asked()
        assert asked()


def test_an_error_in_a_postponed_part_stays_the_error():
    def work():
        with interruption.postponed():
            signal.raise_signal(signal.SIGTERM)
            raise OSError("words")

    with pytest.raises(OSError, match="words"), interruption.ending_program():
        work()


def test_in_another_thread_nothing_changes():
    seen = []

    def work():
        with interruption.as_question() as asked, interruption.postponed():
            seen.append((asked(), signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, signal.getsignal(signal.SIGTERM))]


def _run(program, **options):
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=pathlib.Path(files.__file__).parents[2],
        text=True,
        capture_output=True,
        check=False,
        **options,
    )


def test_a_second_request_ends_a_program_at_once_without_unfinished_files(tmp_path):
    done = _run(f"""
import signal
from object_detection.utils import files, interruption
with interruption.ending_program(), files.work_folder({str(tmp_path / "a")!r}):
    try:
        signal.raise_signal(signal.SIGTERM)
    except KeyboardInterrupt:
        print("first", flush=True)
        signal.raise_signal(signal.SIGTERM)
        print("second", flush=True)
""")
    assert (done.returncode, done.stdout) == (130, "first\n")
    assert not list(tmp_path.iterdir())


def test_nohup_keeps_the_end_of_the_terminal_away():
    done = _run(
        """
import signal
from object_detection.utils import interruption
with interruption.ending_program():
    signal.raise_signal(signal.SIGHUP)
    print("goes on")
""",
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    assert (done.returncode, done.stdout) == (0, "goes on\n")


def test_a_forked_child_just_dies(tmp_path):
    done = _run(f"""
import os, signal
from object_detection.utils import files, interruption
with interruption.ending_program(), files.work_folder({str(tmp_path / "a")!r}) as folder:
    child = os.fork()
    if not child:
        signal.raise_signal(signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), os.path.isdir(folder))
""")
    assert done.stdout == f"{-signal.SIGTERM} True\n", done.stderr
    assert os.listdir(tmp_path) == []
