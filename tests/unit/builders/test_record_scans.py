"""Scans of a reader's files: what is reported, kept, refused and read."""

import collections
import contextlib
import gzip
import json
import os
import pathlib
import shutil
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import faults

from object_detection.builders import (
    dataset_builder,
    decoder_builder,
    record_reading,
    record_scans,
)
from object_detection.core.standard_fields import InputDataFields as F
from object_detection.dataset_tools import example_encoding
from object_detection.errors import DataError
from object_detection.inputs import mending
from object_detection.protos import input_reader_pb2
from object_detection.utils.records import checks, reader_rules, scan

COUNT = 60  # records, three of them with each fault


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A folder with a clean file, one with faults, and the plan of these."""
    folder = tmp_path_factory.mktemp("records")
    faults.write_clean(folder / "clean.record", COUNT)
    plan = faults.plant(folder / "clean.record", folder / "bad.record", share=0.05, seed=1)
    (folder / "map.pbtxt").write_text("item { id: 1 name: 'face' }")
    assert len(plan) == 3 * len(faults.FAULTS)
    return folder, plan


def config(folder, text="", *names):
    reader = text_format.Parse(
        "num_keypoints: 5 shuffle: false num_epochs: 1 bad_records { max_share: 0.8 }",
        input_reader_pb2.InputReader(label_map_path=str(folder / "map.pbtxt")),
    )
    text_format.Merge(text, reader)
    reader.tf_record_input_reader.input_path.extend(
        str(folder / name) for name in names or ["bad.record"]
    )
    return reader


def select(reader, folder, said=None, scans=None):
    scans = scans or record_scans.RecordScans()
    said = [] if said is None else said
    return scans.selection(reader, 1, str(folder), said.append, "train_input_reader")


def report(folder):
    return json.loads((folder / "records_report.json").read_text())


@pytest.mark.parametrize("beside", [False, True], ids=["in this process", "beside it"])
def test_the_report_lists_exactly_what_was_planted(planted, tmp_path, beside, monkeypatch):
    folder, plan = planted
    said = []
    with record_scans.RecordScans() as scans:
        if beside:
            monkeypatch.setattr(record_scans, "_WORTH_A_PROCESS", 1 << 13)
            scans.begin(config(folder), 1, str(tmp_path))
            monkeypatch.setattr(scan, "scan_files", None)  # what was begun is waited for
        selection = select(config(folder), tmp_path, said, scans)
    found = report(tmp_path)
    assert sorted((one["number"], one["reason"], one["action"]) for one in found["findings"]) == (
        sorted(one.as_found for one in plan)
    )
    # A record whose bytes are damaged does not tell its name.
    names = {one.number: one.source_id for one in plan if not one.fault.damage}
    assert {one["number"]: one["source_id"] for one in found["findings"] if one["source_id"]} == (
        names
    )
    left_out = sum(one.fault.action == "skipped" for one in plan)
    assert (found["records"], found["used"], found["left_out"]) == (
        COUNT,
        COUNT - left_out,
        left_out,
    )
    (line,) = said
    assert line.startswith(
        f"Records of train_input_reader: {left_out} of {COUNT} are left out, 12 mended: "
    )
    assert line.endswith(str(tmp_path / "records_report.json"))
    assert len(selection.scan_of(str(folder / "bad.record")).good) == COUNT - left_out


def test_what_is_known_is_not_scanned_again(planted, tmp_path, monkeypatch):
    folder, _ = planted
    shutil.copy(folder / "bad.record", tmp_path / "bad.record")
    shutil.copy(folder / "clean.record", tmp_path / "clean.record")
    shutil.copy(folder / "map.pbtxt", tmp_path / "map.pbtxt")
    scanned = []
    real = scan.scan_files
    monkeypatch.setattr(
        scan, "scan_files", lambda paths, *more: scanned.append(paths) or real(paths, *more)
    )
    names = [str(tmp_path / name) for name in ("bad.record", "clean.record")]
    reader = config(tmp_path, "", "*.record")
    said = [[], [], []]
    first = select(reader, tmp_path, said[0])
    of_first = report(tmp_path)
    second = select(reader, tmp_path, said[1])
    assert scanned == [tuple(names)]
    assert said[0] == said[1]
    assert report(tmp_path) == of_first
    for name in names:
        np.testing.assert_array_equal(second.scan_of(name).good, first.scan_of(name).good)
    # Only what was written again is.
    os.utime(names[1], ns=(1, 1))
    select(reader, tmp_path, said[2])
    assert scanned == [tuple(names), (names[1],)]
    assert said[2] == said[0]
    # Other rules ask for another scan, and so does a file that cannot be made sense of.
    reader.bad_records.max_megapixels = 1e-6
    with pytest.raises(DataError, match="120 of 120 records"):
        select(reader, tmp_path)
    assert scanned[2:] == [tuple(names)]
    reader.bad_records.max_megapixels = 100
    for rubbish in (b"", b"{", b"[]", b'{"version": 1}', b"\xff\xfe"):
        (tmp_path / "records_scan.json").write_bytes(rubbish)
        select(reader, tmp_path)
    assert len(scanned) == 8


def test_nothing_is_said_of_good_records_but_their_number(planted, tmp_path):
    folder, _ = planted
    said = []
    select(config(folder, "", "clean.record"), tmp_path, said)
    assert said == [f"Records of train_input_reader: {COUNT}, all are used."]
    assert report(tmp_path)["findings"] == []


def test_too_many_bad_records_end_in_one_error(planted, tmp_path):
    folder, plan = planted
    left_out = sum(one.fault.action == "skipped" for one in plan)
    share = left_out / COUNT
    select(config(folder, f"bad_records {{ max_share: {share} }}"), tmp_path)
    with pytest.raises(DataError) as caught:
        select(config(folder, f"bad_records {{ max_share: {share - 0.01} }}"), tmp_path)
    message = str(caught.value)
    first = next(one for one in plan if one.fault.action == "skipped")
    for words in (
        "train_input_reader",
        f"{left_out} of {COUNT} records (65.0%)",
        "max_share allows 0.64",
        "3 picture_does_not_decode",
        f"bad.record, record {first.number}",
        str(tmp_path / "records_report.json"),
        "scripts/validate_tfrecord.py",
        "max_share: 0.65 }",
    ):
        assert words in message, words
    assert report(tmp_path)["left_out"] == left_out


def test_by_default_one_record_in_twenty_may_be_bad(planted, tmp_path):
    folder, _ = planted
    contents = list(faults.contents(folder / "clean.record"))
    for bad, fails in ((1, False), (2, True)):
        path = tmp_path / f"{bad}.record"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for number in range(20):
                writer.write(b"no Example" if number < bad else contents[number])
        reader = config(folder, "", str(path))
        reader.ClearField("bad_records")
        with (
            pytest.raises(DataError, match=r"2 of 20 .* allows 0\.05")
            if fails
            else (contextlib.nullcontext())
        ):
            select(reader, tmp_path)


def test_all_records_bad_is_an_error_whatever_is_allowed(tmp_path, planted):
    with tf.io.TFRecordWriter(str(tmp_path / "all.record")) as writer:
        writer.write(b"no Example")
    reader = config(planted[0], "bad_records { max_share: 1 }", str(tmp_path / "all.record"))
    with pytest.raises(DataError, match=r"1 of 1 records \(100\.0%\).* Write them again\.$"):
        select(reader, tmp_path)


def test_without_the_check_nothing_is_looked_at(planted, tmp_path):
    reader = config(planted[0], "bad_records { check: false }")
    with record_scans.RecordScans() as scans:
        scans.begin(reader, 1, str(tmp_path))
        assert select(reader, tmp_path, scans=scans) is None
    assert list(tmp_path.iterdir()) == []


def test_files_that_hold_no_records_at_all(planted, tmp_path):
    folder, _ = planted
    (tmp_path / "x.gz").write_bytes(gzip.compress((folder / "clean.record").read_bytes()))
    (tmp_path / "empty").touch()
    with pytest.raises(DataError, match=r"train_input_reader: .*x\.gz: the file is compressed"):
        select(config(folder, "", "clean.record", str(tmp_path / "x.gz")), tmp_path)
    with pytest.raises(DataError, match="empty: there is no record"):
        select(config(folder, "", str(tmp_path / "empty")), tmp_path)
    # Beside others an empty file does no harm.
    select(config(folder, "", "clean.record", str(tmp_path / "empty")), tmp_path)


def test_files_elsewhere_are_said_to_be_left_alone(planted, tmp_path):
    folder, _ = planted
    said = []
    reader = config(folder)
    remote = [f"gs://somewhere/{number}-*" for number in range(5)]
    reader.tf_record_input_reader.input_path[:] = remote
    assert select(reader, tmp_path, said).scan_of("gs://somewhere/0-1") is None
    (line,) = said
    assert "train_input_reader: gs://somewhere/0-*, " in line
    assert "2-* and 2 more: not on this machine" in line


def test_a_source_that_is_never_drawn_from_is_not_opened(planted, tmp_path):
    folder, _ = planted
    reader = config(
        folder, "sample_from_datasets_weights: [1, 0]", "clean.record", str(tmp_path / "x.gz")
    )
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"x"))
    select(reader, tmp_path)


def test_scans_that_nobody_waits_for_are_ended(planted, tmp_path, monkeypatch):
    monkeypatch.setattr(record_scans, "_WORTH_A_PROCESS", 1 << 13)
    with record_scans.RecordScans() as scans:
        scans.begin(config(planted[0]), 1, str(tmp_path))
        (begun,) = scans._begun.values()
        scans.begin(config(planted[0]), 1, str(tmp_path))
        assert list(scans._begun.values()) == [begun]
    assert begun._children
    assert all(child.poll() is not None for child in begun._children)


# --- What a scan says of records is what becomes of them ----------------------------------------


class Samples:
    """What becomes of single records in the graph."""

    def __init__(self, reader):
        self._graph = tf.Graph()
        with self._graph.as_default():
            self._record = tf.placeholder(tf.string, [])
            decoded = decoder_builder.build(reader).decode(self._record)
            self._decoded = dataset_builder._with_whole_rows(decoded)
            self._mended = mending.mend(self._decoded, 1)
            self._session = tf.Session()
            self._session.run(tf.tables_initializer())

    def of(self, records):
        """Name -> (sample as recorded, sample as mended)."""
        found = {}
        for record in records:
            both = self._session.run((self._decoded, self._mended), {self._record: record})
            found[both[0][F.source_id].decode()] = both
        return found


@pytest.fixture(scope="module")
def samples(planted):
    return Samples(config(planted[0]))


def chosen(reader, selection):
    """The records that are read."""
    dataset = record_reading.read_dataset(
        tf.data.TFRecordDataset,
        list(reader.tf_record_input_reader.input_path),
        reader,
        selection=selection,
    )
    following = tf.data.make_one_shot_iterator(dataset).get_next()
    found = []
    with tf.Session() as session, contextlib.suppress(tf.errors.OutOfRangeError):
        while True:
            found.append(session.run(following))
    return found


def _same(one, other):
    return set(one) == set(other) and all(
        one[name].shape == other[name].shape
        and np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
        for name in one
        if hasattr(one[name], "shape")
    )


def test_records_and_rows_are_left_out_as_the_report_says(planted, tmp_path, samples):
    folder, plan = planted
    reader = config(folder)
    found = samples.of(chosen(reader, select(reader, tmp_path)))
    clean = {
        name: one for name, (one, _) in samples.of(faults.contents(folder / "clean.record")).items()
    }
    of = {one.source_id: one.fault for one in plan}
    skipped = {name for name, fault in of.items() if fault.action == "skipped"}
    assert set(found) == set(clean) - skipped
    repaired = {name for name, fault in of.items() if fault.action == "repaired"}
    assert {name for name, (read, mended) in found.items() if not _same(read, mended)} == repaired
    mended = {name: one for name, (_, one) in found.items()}
    for name in set(mended) - repaired:
        assert _same(mended[name], clean[name]), name
    for name in repaired:
        boxes, true = (sample[name][F.groundtruth_boxes] for sample in (mended, clean))
        fault = of[name].name
        if fault == "corners in the wrong order":
            np.testing.assert_array_equal(boxes, true)
        elif fault == "partly outside":
            side = np.argmin([*true[0, :2], *(1 - true[0, 2:])])
            assert boxes[0, side] == (0 if side < 2 else 1)
            boxes[0, side] = true[0, side]
            np.testing.assert_array_equal(boxes, true)
        elif fault == "half a point":
            points = mended[name][F.groundtruth_keypoints]
            assert np.isnan(points[0, 0]).all()
            assert not mended[name][F.groundtruth_keypoint_flags][0, 0]
            np.testing.assert_array_equal(boxes, true)
        else:
            np.testing.assert_array_equal(boxes, true[1:])
            np.testing.assert_array_equal(
                mended[name][F.groundtruth_keypoints], clean[name][F.groundtruth_keypoints][1:]
            )


def test_what_is_left_out_could_not_have_been_read(planted, tmp_path, samples):
    """Each such record ends the reading, is too large to try, or does not say where an object is."""
    folder, _ = planted
    path = tmp_path / "one.record"
    for fault in (*faults.FAULTS, faults.CLASS_BEYOND):
        (one,) = faults.plant(folder / "clean.record", path, 1 / COUNT, 5, [fault])
        if fault.reason in ("checksum", "damaged_length"):
            with pytest.raises(tf.errors.DataLossError):
                list(tf.io.tf_record_iterator(str(path)))
        elif fault.reason == "picture_too_large":
            continue  # decoding it would take 10 GB
        else:
            record = list(tf.io.tf_record_iterator(str(path)))[one.number - 1]
            with (
                pytest.raises(tf.errors.InvalidArgumentError)
                if fault.action == "skipped" and not fault.reason.startswith(("box_", "class_"))
                else (contextlib.nullcontext())
            ):
                samples.of([record])


def _odd_record(rng, number):
    """Boxes and points on both sides of every rule."""
    boxes = rng.integers(0, 4)
    corner = [0.0, 0.25, 0.5, 0.75, 1.0] * 4
    corner += [-1e-3, -9e-4, -0.0011, 1.0009, 1.0011, 1.001, -0.5, 1.5, -1e30, 1e30]
    corner += [np.nan, np.inf, -np.inf]
    place = [0.5] * 20 + [-0.5, 1.5, np.nan, np.inf, -np.inf]
    features = {
        "image/encoded": [faults.picture(rng)],
        "image/source_id": [b"%d" % number],
        "image/object/class/label": rng.choice([1] * 9 + [0, 2, -1, 2**40], boxes),
        f"{faults.KEYPOINT}visibility": rng.choice([0, 1, 2, 2], boxes * 5),
    }
    for name in ("ymin", "xmin", "ymax", "xmax"):
        low = name.endswith("min")
        values = rng.choice(corner, boxes) * (0.4 if low and rng.random() < 0.7 else 1)
        features[f"{faults.CORNERS}{name}"] = values.astype(np.float32)
    for axis in "yx":
        features[f"{faults.KEYPOINT}{axis}"] = rng.choice(place, boxes * 5)
    return example_encoding.example(features)


def test_scan_and_graph_agree_on_every_box(samples, planted):
    reader = config(planted[0])
    rules = reader_rules.of_reader(reader, 1)
    rng = np.random.default_rng(1)
    seen = collections.Counter()
    for number in range(400):
        record = _odd_record(rng, number)
        ((read, mended),) = samples.of([record]).values()
        faulty = checks.judge(record, rules).faults
        if any(fault.action == "skipped" for fault in faulty):
            seen.update(fault.reason for fault in faulty)
            continue
        seen.update([fault.reason for fault in faulty] or ["nothing"])
        assert bool(faulty) == (not _same(read, mended)), (faulty, read, mended)
        # What is left can all be used.
        boxes = mended[F.groundtruth_boxes]
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert np.isfinite(boxes).all()
        assert (mended[F.groundtruth_classes] == 1).all()
        points = mended[F.groundtruth_keypoints]
        there = mended[F.groundtruth_keypoint_flags] > 0
        np.testing.assert_array_equal(np.isfinite(points).all(axis=2), there)
    assert all(
        seen[reason] > 9
        for reason in (
            "nothing",
            "box_not_finite",
            "box_without_area",
            "class_out_of_range",
            "box_not_in_picture",
            "box_inverted",
            "box_outside",
            "keypoint_not_finite",
        )
    ), seen
