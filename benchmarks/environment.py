"""What the numbers of a benchmark depend on."""

import os
import pathlib
import platform
from typing import Any


def environment() -> dict[str, Any]:
    """Versions, processor and the cores that this process may use."""
    import tensorflow as tf

    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "processor": model,
        "usable_cores": len(os.sched_getaffinity(0)),
    }
