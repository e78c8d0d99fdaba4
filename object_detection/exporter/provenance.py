"""What `export.json` says of an export: from what, by what and how it was made."""

import datetime
import glob
import hashlib
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.utils import export_manifest, files

_PACKAGE = "object_detection"
NOT_CHECKED = "not checked: exported with --nocheck"


def _package_version() -> str | None:
    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:
        return None  # run from a folder that was never installed


def checkpoint_files(prefix: str) -> dict[str, dict[str, Any]]:
    """Name -> size and sha256 of the files of a checkpoint, without its graph."""
    paths = [f"{prefix}.index", *sorted(glob.glob(f"{glob.escape(prefix)}.data-*-of-*"))]
    return {
        os.path.basename(path): export_manifest.describe(path)
        for path in paths
        if os.path.isfile(path)
    }


def global_step(prefix: str) -> int | None:
    """The step of a checkpoint; None if it holds none."""
    reader = tf.train.load_checkpoint(prefix)
    name = tf.GraphKeys.GLOBAL_STEP
    return int(reader.get_tensor(name)) if reader.has_tensor(name) else None


def write_manifest(
    directory: str,
    *,
    checkpoint: str,
    moving_averages: bool,
    options: Mapping[str, Any],
    check: Mapping[str, Any] | None,
) -> None:
    """Writes `export.json`; call it last, because it lists the files that are there.

    Args:
        directory: of the export, with all other files.
        checkpoint: prefix of the checkpoint that was exported.
        moving_averages: whether the variables hold averages.
        options: of the command line.
        check: what the comparison with the checkpoint saw; None if there was none.
    """
    listed = export_manifest.describe_folder(directory)
    with open(os.path.join(directory, export_manifest.CONFIG), "rb") as file:
        config = hashlib.sha256(file.read()).hexdigest()
    now = datetime.datetime.now(datetime.timezone.utc)
    files.write_json(
        os.path.join(directory, export_manifest.NAME),
        {
            "format": export_manifest.FORMAT,
            "created": now.isoformat(timespec="seconds"),
            "config": {"file": export_manifest.CONFIG, "sha256": config},
            "checkpoint": {
                "prefix": os.path.abspath(checkpoint),
                "step": global_step(checkpoint),
                "moving_averages": moving_averages,
                "files": checkpoint_files(checkpoint),
            },
            "options": dict(options),
            "versions": {
                _PACKAGE: _package_version(),
                "tensorflow": tf.__version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
            "check": NOT_CHECKED if check is None else dict(check),
            "files": listed,
        },
    )
