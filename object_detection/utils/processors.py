"""The machine's processors, as far as this process may use them. Light: the standard library alone."""

import os


def usable_processors() -> int:
    """How many there are; fewer than the machine has where a process is confined."""
    # Not every system tells.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
