import multiprocessing
import signal
import subprocess
import sys

import pytest

from object_detection.dataset_tools import worker_processes

IS_DEAF = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system has no such masks")
def test_only_processes_started_inside_are_deaf_to_ctrl_c():
    def started():
        done = subprocess.run(
            [sys.executable, "-c", IS_DEAF], capture_output=True, text=True, check=True
        )
        return done.stdout.strip() == "True"

    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with worker_processes.deaf_to_ctrl_c():
        assert started()
    assert not started()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


def _deaf(_):
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system has no such masks")
def test_processes_of_a_pool_are_deaf_to_ctrl_c():
    with worker_processes.deaf_to_ctrl_c():
        started = multiprocessing.get_context("spawn").Pool(1)
    with started as pool:
        assert pool.map(_deaf, [0]) == [True]


def test_this_process_hears_it_afterwards():
    def interrupted():
        with worker_processes.deaf_to_ctrl_c():
            signal.raise_signal(signal.SIGINT)
            heard.append("went on")

    heard = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert heard == ["went on"]
