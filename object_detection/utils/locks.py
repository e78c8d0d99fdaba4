"""Locks on open files, which end with the process that holds them, however it ends."""

try:
    import fcntl
except ImportError:  # Windows has none.
    fcntl = None  # type: ignore[assignment]


def try_to_lock(handle: int) -> bool | None:
    """Locks an open file or folder against other processes, without waiting.

    Args:
        handle: its file descriptor; closing it ends the lock.

    Returns:
        Whether it is ours now; None if the file system has no locks, so that nobody can tell.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
