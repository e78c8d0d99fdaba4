"""The best checkpoint of a training, in a folder that can be exported as it is.

The folder holds the checkpoint's files, `checkpoint`, `pipeline.config` and `metrics.json`. It is
written beside its place and then renamed, so it is whole at any time.
"""

import json
import math
import os
import shutil
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.errors import CheckpointError
from object_detection.legacy import checkpoint_store
from object_detection.utils import config_util, files, interruption

METRICS_FILE = "metrics.json"

# Parts of the names of metrics that are better the lower they are.
_LOWER_IS_BETTER = ("loss", "error", "nme", "failure")


class Metric(NamedTuple):
    """A number by which checkpoints are compared."""

    name: str
    higher_is_better: bool

    def improves(self, value: float, best: float | None, min_change: float = 0.0) -> bool:
        """Whether a value is better than the best so far, by more than `min_change`.

        NaN is never better; any number is better than none.
        """
        if math.isnan(value):
            return False
        if best is None or math.isnan(best):
            return True
        gain = value - best if self.higher_is_better else best - value
        return gain > min_change


def higher_is_better(name: str) -> bool:
    """What the name of a metric says: losses, errors and rates of failures should be low."""
    return not any(part in name.lower() for part in _LOWER_IS_BETTER)


def evaluations_without_improvement(
    metric: Metric, values: Sequence[float], min_change: float = 0.0
) -> int:
    """How many of the last values are no improvement of the best before them.

    Args:
        metric: says what is better.
        values: in the order of the evaluations.
        min_change: smaller gains are no improvements.
    """
    best: float | None = None
    count = 0
    for value in values:
        if metric.improves(value, best, min_change):
            best, count = value, 0
        else:
            count += 1
    return count


class BestCheckpoint:
    """Keeps a copy of the checkpoint that is the best by a metric."""

    def __init__(self, folder: str, metric: Metric) -> None:
        """Takes the folder, which need not exist, and the metric."""
        self._folder = folder
        self._metric = metric
        # A kill between two renamings leaves the former folder under this name.
        self._former = os.path.join(os.path.dirname(folder), f".{os.path.basename(folder)}.former")
        if os.path.isdir(self._former) and not os.path.isdir(folder):
            os.replace(self._former, folder)
        files.remove(self._former)

    def value(self) -> float | None:
        """The kept checkpoint's value; None if there is none, or it was kept by another metric.

        Raises:
            CheckpointError: what the folder says of its checkpoint cannot be read.
        """
        return self._kept()[0]

    def _kept(self) -> tuple[float | None, int | None]:
        """The value and the step of the checkpoint that is kept."""
        path = os.path.join(self._folder, METRICS_FILE)
        if not os.path.exists(path):
            return None, None
        try:
            with open(path, encoding="utf-8") as file:
                content = json.load(file)
            if content["best_metric"] != self._metric.name:
                return None, None
            return float(content["value"]), content.get("step")
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"{path}: cannot be read ({error!r}). Move the folder away; the next best checkpoint "
                "is kept in a new one."
            ) from error

    def offer(
        self, checkpoint: str, step: int, value: float, metrics: dict[str, Any], pipeline: Any
    ) -> bool:
        """Keeps a checkpoint if it is better than the one that is kept.

        Args:
            checkpoint: prefix of its files.
            step: at which it was written.
            value: of the metric.
            metrics: all that the evaluation found, for the file.
            pipeline: `TrainEvalPipelineConfig` message.

        Returns:
            Whether it is kept.

        Raises:
            StorageError: the disk is full; what was kept before still is.
        """
        if self._kept() == (value, step):
            # It was kept before a kill, and evaluated again after it.
            return True
        if not self._metric.improves(value, self.value()):
            return False
        size = sum(os.path.getsize(path) for path in tf.gfile.Glob(f"{checkpoint}.*"))
        with files.storage_errors(self._folder, size), files.work_folder(self._folder) as work:
            self._fill(work, checkpoint, step, value, metrics, pipeline)
            with interruption.postponed():
                if os.path.isdir(self._folder):
                    os.replace(self._folder, self._former)
                os.replace(work, self._folder)
            files.flush_to_disk(os.path.dirname(os.path.abspath(self._folder)))
        files.remove(self._former)
        return True

    def _fill(
        self,
        work: str,
        checkpoint: str,
        step: int,
        value: float,
        metrics: dict[str, Any],
        pipeline: Any,
    ) -> None:
        """Writes all that the folder holds; see `offer`."""
        for path in tf.gfile.Glob(f"{checkpoint}.*"):
            shutil.copy(path, work)
            files.flush_to_disk(os.path.join(work, os.path.basename(path)))
        name = os.path.basename(checkpoint)
        checkpoint_store.write_pointer(work, {name: time.time()})
        config_util.save_pipeline_config(pipeline, work)
        files.write_json(
            os.path.join(work, METRICS_FILE),
            {
                "checkpoint": name,
                "step": step,
                "best_metric": self._metric.name,
                "value": value,
                "better": "higher" if self._metric.higher_is_better else "lower",
                "metrics": metrics,
            },
        )
