"""Evaluation while training: in the same process, in a graph and a session of its own."""

import difflib
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from object_detection.errors import ConfigError
from object_detection.legacy import best_checkpoint, evaluator
from object_detection.protos import train_pb2
from object_detection.utils import config_util, files

# Figures for the one line on the console, in this order, as far as they are there; and how they are
# called there.
_FIGURES = {
    "DetectionBoxes_Precision/mAP": "mAP",
    "DetectionBoxes_Precision/mAP@.50IOU": "mAP@.50IOU",
    "OKS/AP": "OKS-AP",
    "Keypoints/NME": "NME",
}
_HISTORY_FILE = "history.json"


class TrainingEvaluation:
    """Evaluates checkpoints of a running training, keeps the best, says when to stop."""

    def __init__(
        self, configs: dict[str, Any], train_dir: str, step: int, say: Callable[[str], None]
    ) -> None:
        """Builds the graphs of the evaluations, and tries them if a metric is named.

        Args:
            configs: as `config_util.get_configs_from_pipeline_file` returns them.
            train_dir: directory of the training; results go to `eval` in it, the best checkpoint
                to `best`.
            step: at which the training begins or goes on; what was found later is forgotten.
            say: takes each line for the user.

        Raises:
            ConfigError: `best_metric` is not among the metrics, or there is nothing to evaluate on.
            DataError: a record cannot be used.
        """
        self._config = configs["train_config"].evaluation
        self._num_steps = configs["train_config"].num_steps
        self._say = say
        # Copied now: building a graph fills some fields in.
        self._pipeline = config_util.create_pipeline_proto_from_configs(configs)
        eval_dir = os.path.join(train_dir, "eval")
        readers = configs.get("eval_input_configs") or []
        if "eval_config" not in configs or not readers:
            raise ConfigError(
                "train_config.evaluation: needs eval_config and eval_input_reader in the pipeline "
                "config."
            )
        self._names = [reader.name for reader in readers]
        self._evaluations = evaluator.make_evaluations(configs, eval_dir, say)
        self._decisive = self._number_of_best_reader()
        self._metric = self._checked_metric()
        self._best = (
            best_checkpoint.BestCheckpoint(os.path.join(train_dir, "best"), self._metric)
            if self._metric
            else None
        )
        self._history_path = os.path.join(eval_dir, _HISTORY_FILE)
        self._history = [
            entry for entry in _read_history(self._history_path) if entry["step"] <= step
        ]

    def _number_of_best_reader(self) -> int:
        wanted = self._config.best_reader
        if not wanted:
            return 0
        if wanted not in self._names:
            raise ConfigError(
                f"train_config.evaluation.best_reader: no eval_input_reader has the name {wanted!r}; "
                f"there are {', '.join(map(repr, self._names))}."
            )
        return self._names.index(wanted)

    def _checked_metric(self) -> best_checkpoint.Metric | None:
        """The metric that decides, after one batch has shown which metrics there are."""
        name = self._config.best_metric
        if not name:
            return None
        known = self._evaluations[self._decisive].rehearse()
        if name not in known:
            raise ConfigError(unknown_metric(name, known))
        better = {
            train_pb2.TrainingEvaluation.HIGHER: True,
            train_pb2.TrainingEvaluation.LOWER: False,
        }.get(self._config.better, best_checkpoint.higher_is_better(name))
        self._say(
            f"Evaluating every {self._config.every_steps} steps; {name} decides, "
            f"{'higher' if better else 'lower'} is better."
        )
        return best_checkpoint.Metric(name, better)

    def is_due(self, step: int) -> bool:
        """Whether a checkpoint of this step should be evaluated, and has not been."""
        at_its_time = step > 0 and (step % self._config.every_steps == 0 or step == self._num_steps)
        return at_its_time and all(entry["step"] != step for entry in self._history)

    def run(self, checkpoint: str, step: int) -> None:
        """Evaluates a checkpoint on all readers, says what was found, and keeps it if it is best.

        Args:
            checkpoint: prefix of its files.
            step: at which it was written.
        """
        begin = time.monotonic()
        results = [one.run(checkpoint) for one in self._evaluations]
        metrics = results[self._decisive].metrics
        # NaN has no place in JSON.
        numbers = {name: value for name, value in metrics.items() if math.isfinite(value)}
        words = [
            self._figures(result.metrics, name)
            for result, name in zip(results, self._names, strict=True)
        ]
        pictures = sum(result.num_pictures for result in results)
        end, kept = "", False
        if self._best and self._metric:
            value = metrics.get(self._metric.name, math.nan)
            kept = self._best.offer(checkpoint, step, value, numbers, self._pipeline)
        # Last, for it says that the evaluation is done: after a kill it is made again.
        self._history.append({"step": step, "metrics": numbers})
        files.write_json(self._history_path, self._history)
        if self._best:
            end = "; the best so far" if kept else self._words_of_waiting()
        self._say(
            f"eval {step}: {'; '.join(words)} ({pictures} pictures, "
            f"{time.monotonic() - begin:.0f} s){end}"
        )
        for line in filter(None, (result.words_of_not_finite() for result in results)):
            self._say(line)
        for warning in dict.fromkeys(result.warning for result in results):
            if warning and len(self._history) == 1:
                self._say(warning)

    def forget_after(self, step: int) -> None:
        """Lets evaluations of later steps be made again: the training has gone back to this one."""
        self._history = [entry for entry in self._history if entry["step"] <= step]

    def _figures(self, metrics: dict[str, float], reader: str) -> str:
        """A few figures of one reader."""
        first = [self._metric.name] if self._metric else []
        names = [name for name in dict.fromkeys([*first, *_FIGURES]) if name in metrics]
        if not names:
            names = sorted(metrics)[:3]
        of_reader = f"{reader}: " if reader and len(self._names) > 1 else ""
        return of_reader + ", ".join(f"{_short(name)} {metrics[name]:.4f}" for name in names)

    def _words_of_waiting(self) -> str:
        waited = self._waited()
        of = (
            f" of {self._config.early_stopping.patience}"
            if self._config.HasField("early_stopping")
            else ""
        )
        return f"; {waited}{of} without improvement" if waited else ""

    def _waited(self) -> int:
        if not self._metric:
            return 0
        values = [
            entry["metrics"].get(self._metric.name, math.nan)
            for entry in self._history
            # That of a last step is besides: the training may go on with more steps.
            if entry["step"] % self._config.every_steps == 0
        ]
        return best_checkpoint.evaluations_without_improvement(
            self._metric, values, self._config.early_stopping.min_change
        )

    def reason_to_stop(self) -> str:
        """Why the training should end now; empty if it should not."""
        if not self._config.HasField("early_stopping") or not self._metric:
            return ""
        waited = self._waited()
        if waited < self._config.early_stopping.patience:
            return ""
        return f"{self._metric.name} has not improved in {waited} evaluations (early_stopping)"


def unknown_metric(name: str, known: Sequence[str]) -> str:
    """Says which metric was meant."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    return (
        f"train_config.evaluation.best_metric: there is no {name!r}. Did you mean {close[0]!r}? "
        f"Known: {', '.join(sorted(known))}."
    )


def _short(name: str) -> str:
    """A metric's name for the console: without its group, unless that is what tells it apart."""
    return _FIGURES.get(name, name.rpartition("/")[2])


def _read_history(path: str) -> list[dict[str, Any]]:
    """What earlier evaluations found: `step` and `metrics` of each; [] without a file.

    Raises:
        ConfigError: the file is none of ours.
    """
    if not os.path.exists(path):
        return []
    try:
        with open(path, encoding="utf-8") as file:
            history = json.load(file)
        return [{"step": int(one["step"]), "metrics": dict(one["metrics"])} for one in history]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({error!r}). Move it away; then early stopping counts anew."
        ) from error
