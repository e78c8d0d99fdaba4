"""Compares an exported graph, as it lies on the disk, with the network that it was made from.

What is decoded of all anchors is compared number by number. Then both graphs suppress the boxes
of the network, so that what they detect has to be the same in the same places. In two-stage
detectors suppression stands between the stages: rows are compared as sets, because boxes that are
alike but for rounding change places.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import CheckpointError, ExportError
from object_detection.exporter import activations, comparison, running_graphs
from object_detection.exporter.check_pictures import Input, Pictures
from object_detection.exporter.comparison import Array, Record
from object_detection.exporter.detection_graph import FLOAT_IMAGES
from object_detection.exporter.frozen import DECODED
from object_detection.exporter.running_graphs import RunningGraph

Detections = fields.DetectionResultFields

# Largest difference of float32 results by rounding alone, as shares of `comparison`'s scale; where
# an output hardly depends on the picture, a share of what it does, but no less than rounding.
_ROUNDING = 1e-4
_SHARE_OF_SPREAD = 0.05
_LEAST_ROUNDING = 1e-5
# Some networks blow rounding up. Where results differ by more, the pictures of the checkpoint's own
# network are changed in their last digits; results may differ by some times what that does.
_LAST_DIGITS = 1e-6
_TIMES_SENSITIVITY = 10.0
# bfloat16 has 8 bits, so that single results may move far; the mean of all differences tells.
# docs/export.md has what was measured.
_BFLOAT16_MEAN = 0.05
# Both suppress the same numbers.
_OF_THE_SAME = 1e-5
_RAW = "raw_detection_"
_SCORES = "Postprocessor/raw_box_scores"


class Outputs(NamedTuple):
    """Names of nodes, by what they are."""

    decoded: tuple[str, ...]  # of all anchors; suppression reads them
    raw: tuple[str, ...]  # further outputs of all anchors or proposals
    detections: tuple[str, ...]
    additional: tuple[str, ...]


def sorted_outputs(
    nodes: Collection[str], outputs: Collection[str], additional: Collection[str]
) -> Outputs:
    """Sorts the outputs of a graph.

    Args:
        nodes: names of all nodes.
        outputs: names of the outputs.
        additional: names of nodes that were asked for besides.
    """
    return Outputs(
        tuple(name for name in DECODED if name in nodes),
        tuple(sorted(name for name in outputs if name.startswith(_RAW))),
        tuple(sorted(name for name in outputs if not name.startswith(_RAW))),
        tuple(sorted(set(additional) - set(outputs) - set(DECODED))),
    )


class _Truth(NamedTuple):
    """What the network gives for a batch."""

    feed: Mapping[str, Any]
    values: dict[str, Array]
    # What to suppress, and what comes of it; None if the graph does not, or cannot be cut there.
    decoded: Mapping[str, Any] | None
    detections: dict[str, Array]


def _truth(network: RunningGraph, outputs: Outputs, feed: Mapping[str, Any]) -> _Truth:
    first = outputs.decoded + outputs.raw + outputs.additional
    if not outputs.decoded:
        values = network.run(first + outputs.detections, feed)
        _refuse_not_finite({name: values[name] for name in outputs.raw}, network.where)
        return _Truth(feed, values, None, {})
    values = network.run(first, feed)
    _refuse_not_finite(
        {name: values[name] for name in outputs.decoded + outputs.raw}, network.where
    )
    if not outputs.detections:
        return _Truth(feed, values, None, {})
    decoded = {**feed, **{f"{name}:0": values[name] for name in outputs.decoded}}
    detections = network.run(outputs.detections, decoded)
    scores = decoded.get(f"{_SCORES}:0")
    if scores is not None and not np.any(detections[Detections.num_detections]):
        # No score reaches the threshold: with others it shows whether suppression is the same.
        others = np.random.RandomState(0).uniform(0.0, 1.0, scores.shape).astype(scores.dtype)
        decoded[f"{_SCORES}:0"] = others
        detections = network.run(outputs.detections, decoded)
    return _Truth(feed, values, decoded, detections)


class _Comparison:
    """One graph beside the network, batch by batch."""

    def __init__(self, graph: RunningGraph, outputs: Outputs, bfloat16: bool) -> None:
        self.graph, self._outputs, self._bfloat16 = graph, outputs, bfloat16
        self.records: dict[str, Record] = {}

    def _record(self, name: str, limit: float = 0.0) -> Record:
        """The record of an output: of what rounding can reach, or with a limit of its own."""
        if limit:
            return self.records.setdefault(name, Record(limit))
        loose = Record(_BFLOAT16_MEAN, by_mean=True) if self._bfloat16 else Record(_ROUNDING)
        return self.records.setdefault(name, loose)

    def see(self, truth: _Truth) -> None:
        """Runs the graph on a batch."""
        outputs = self._outputs
        if not outputs.decoded:
            self._see_rows(truth)
            return
        found = self.graph.run(outputs.decoded + outputs.raw + outputs.additional, truth.feed)
        for name, value in found.items():
            record = self._record(name)
            record.compare(truth.values[name], value)
            if name not in outputs.additional:
                record.see(truth.values[name])
        if truth.decoded is not None:
            found = self.graph.run(outputs.detections, truth.decoded)
            for name, value in found.items():
                self._record(name, _OF_THE_SAME).compare(truth.detections[name], value)

    def _see_rows(self, truth: _Truth) -> None:
        """Outputs behind a suppression within the network."""
        outputs = self._outputs
        found = self.graph.run(outputs.raw + outputs.detections + outputs.additional, truth.feed)
        for name in outputs.raw:
            self._record(name).see(truth.values[name])
        for group, counts in (
            (outputs.raw, None),
            (outputs.detections, Detections.num_detections),
        ):
            if group:
                record = self._record(f"rows of {', '.join(group)}")
                mine, theirs = (
                    {name: values[name] for name in group} for values in (truth.values, found)
                )
                record.compare_rows(mine, theirs, counts)
        for name in outputs.additional:
            # Their rows may be those of proposals, in any order.
            record = self._record(name)
            record.compare(*(np.sort(values[name], axis=None) for values in (truth.values, found)))

    def see_sensitivity(self, network: RunningGraph, truth: _Truth, images: Array) -> None:
        """Notes how much the network blows rounding up, if the results differ by more than usual.

        Args:
            network: with the variables.
            truth: what it gives for a batch.
            images: the batch, [B, H, W, 3] uint8.
        """
        names = [
            name
            for name in self._outputs.decoded + self._outputs.raw
            if name in self.records and self.records[name].difference > _ROUNDING
        ]
        if self._bfloat16 or not names:
            return
        noise = np.random.RandomState(0).uniform(-_LAST_DIGITS, _LAST_DIGITS, images.shape)
        changed = (images * (1.0 + noise)).astype(np.float32)
        values = network.run(names, {**truth.feed, f"{FLOAT_IMAGES}:0": changed})
        for name in names:
            record = self.records[name]
            moved = comparison.largest(truth.values[name], values[name])
            record.sensitivity = max(record.sensitivity, moved)

    def problems(self) -> list[str]:
        """What is different, the largest difference first."""
        said = []
        for name, record in sorted(self.records.items(), key=lambda item: -item[1].difference):
            if record.first is not None and not self._bfloat16:
                share = max(_SHARE_OF_SPREAD * record.spread, _LEAST_ROUNDING)
                blown_up = _TIMES_SENSITIVITY * record.sensitivity
                record.limit = min(max(record.limit, blown_up), share)
            if record.judged > record.limit:
                said.append(f"{name} differs by {record.judged:.3g} (allowed: {record.limit:.3g})")
            elif record.excess:
                said.append(f"{record.moved} of {record.rows} {name} have no partner")
        return said


class Report(NamedTuple):
    """What a check saw; none of it is a problem."""

    pictures: str
    number: int  # of pictures
    detections: int
    records: dict[str, Record]  # of the frozen graph
    hardly_depend: bool  # results on the picture, so that activations were compared, too

    def as_json(self) -> dict[str, Any]:
        """For `export.json`."""
        return {
            "pictures": self.pictures,
            "number_of_pictures": self.number,
            "number_of_detections": self.detections,
            "results_hardly_depend_on_pictures": self.hardly_depend,
            "outputs": {name: record.as_json() for name, record in sorted(self.records.items())},
        }

    def said(self) -> str:
        """For people, in one line."""
        largest = max(record.difference for record in self.records.values())
        moved = sum(record.moved for record in self.records.values())
        return (
            f"{self.number} pictures ({self.pictures}), {self.detections} detections, largest "
            f"difference {largest:.2g}" + (f", {moved} rows changed by near ties" if moved else "")
        )


def _hardly_depend(records: Mapping[str, Record], outputs: Outputs) -> list[str]:
    """Results that pictures change by no more than rounding does."""
    return [
        name
        for name in outputs.decoded or outputs.raw
        if records[name].spread < _LEAST_ROUNDING and name != Detections.raw_detection_windows
    ]


def _refuse_alike(names: Collection[str], where: str) -> None:
    raise ExportError(
        f"{where}: the network gives the same {', '.join(names)} for all pictures of the check, so "
        "that a comparison shows nothing; its weights may be broken. Take another checkpoint, "
        "check on pictures of your own (--check_images), or export without a check (--nocheck)."
    )


def _refuse_not_finite(values: Mapping[str, Array], where: str) -> None:
    broken = sorted(
        name
        for name, value in values.items()
        if value.dtype.kind == "f" and not np.all(np.isfinite(value))
    )
    if broken:
        raise CheckpointError(
            f"{where}: the network gives {', '.join(broken)} that are not finite; its weights are "
            "broken. Take an earlier checkpoint."
        )


def compare(
    session: tf.Session,
    checkpoint: str,
    directory: str,
    outputs: Outputs,
    fed: Input,
    pictures: Pictures,
    *,
    bfloat16: bool = False,
) -> Report:
    """Compares the frozen graph and the SavedModel of a directory with a network.

    Args:
        session: of the graph as it was built, with the checkpoint's variables.
        checkpoint: where they come from, for messages.
        directory: of the export.
        outputs: of both graphs.
        fed: their inputs.
        pictures: to compare on; the SavedModel, the same graph, sees the first batch only.
        bfloat16: whether the exported graph computes in bfloat16.

    Raises:
        CheckpointError: the network's results are not finite, or the export cannot be read.
        ExportError: the results differ, or say nothing.
    """
    network = RunningGraph(session, {}, checkpoint)
    number = detections = 0
    truth = None
    feeds: list[Mapping[str, Any]] = []
    with running_graphs.frozen_graph(directory) as graph:
        frozen = _Comparison(graph, outputs, bfloat16)
        for images in pictures.make(fed.shape):
            batch = _truth(network, outputs, fed.feed(images))
            frozen.see(batch)
            frozen.see_sensitivity(network, batch, images)
            truth = truth or batch
            number += len(images)
            counts = (batch.detections or batch.values).get(Detections.num_detections)
            detections += 0 if counts is None else int(np.sum(counts))
            feeds = [*feeds, batch.feed][-2:]
        if truth is None:
            raise ExportError(f"{directory}: there are no pictures to compare on.")
        hardly = _hardly_depend(frozen.records, outputs)
        if hardly:
            names = activations.common(session.graph, graph.graph) if outputs.decoded else []
            record = activations.compare(
                network, graph, names, feeds, _BFLOAT16_MEAN if bfloat16 else _ROUNDING, bfloat16
            )
            if not activations.depends_on_pictures(record):
                _refuse_alike(hardly, checkpoint)
            frozen.records[f"{len(names)} activations"] = record
    with running_graphs.saved_model(directory) as graph:
        saved = _Comparison(graph, outputs, bfloat16)
        saved.see(truth)
    for record_name, record in saved.records.items():
        # One batch does not show how much an output depends on the picture.
        record.spread = frozen.records[record_name].spread
        record.sensitivity = frozen.records[record_name].sensitivity
    for one in (frozen, saved):
        problems = one.problems()
        if problems:
            raise ExportError(
                f"{one.graph.where}: does not give what {checkpoint} gives: "
                f"{'; '.join(problems)}. {'Mean' if bfloat16 else 'Largest'} differences on "
                f"{number} pictures, as shares of the largest number of a row."
            )
    return Report(pictures.said, number, detections, frozen.records, bool(hardly))
