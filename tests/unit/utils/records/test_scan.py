"""Scans of files with faults that were planted by hand, and what is made of them."""

import collections
import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))
import faults

from object_detection.errors import DataError
from object_detection.utils.records import file_scan, findings, framing, scan
from object_detection.utils.records.findings import FileScan, Finding
from object_detection.utils.records.rules import Rules

RULES = Rules(num_keypoints=5, num_classes=1, label_names=frozenset({"face"}))
COUNT = 60


def same(one, other):
    assert [a.to_json() for a in one] == [b.to_json() for b in other]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    faults.write_clean(folder / "clean.record", COUNT)
    plan = faults.plant(folder / "clean.record", folder / "bad.record", share=0.05, seed=1)
    return folder, plan


def test_a_clean_file(planted):
    folder, _ = planted
    path = folder / "clean.record"
    (found,) = scan.scan_files([str(path)], RULES, 0)
    assert found.all_good
    assert (found.num_records, found.num_skipped, found.findings) == (COUNT, 0, ())
    assert (found.size, found.mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    theirs = list(tf.io.tf_record_iterator(str(path)))
    data = path.read_bytes()
    assert [data[offset : offset + length] for offset, length in found.good.tolist()] == theirs
    assert findings.summary([found]) == f"Records: {COUNT}, all are used."


def test_exactly_the_planted_faults_are_found(planted):
    folder, plan = planted
    (found,) = scan.scan_files([str(folder / "bad.record")], RULES, 0)
    assert [(one.number, one.reason, one.action) for one in found.findings] == [
        one.as_found for one in plan
    ]
    # Of records that do not parse nobody knows the name.
    named = {one.number: one.source_id for one in plan}
    for one in found.findings:
        assert one.source_id in ("", named[one.number])
        assert one.source_id or one.reason in ("checksum", "damaged_length", "not_an_example")
    skipped = [one.number for one in plan if one.fault.action == "skipped"]
    assert found.num_records == COUNT
    assert found.num_skipped == len(skipped)
    assert not found.all_good


def test_good_records_are_those_without_faults(planted):
    """Their bytes, against what was written before faults were planted."""
    folder, plan = planted
    (found,) = scan.scan_files([str(folder / "bad.record")], RULES, 0)
    faulty = {one.number: one.fault.action for one in plan}
    data = (folder / "bad.record").read_bytes()
    contents = [data[offset : offset + length] for offset, length in found.good.tolist()]
    clean = list(tf.io.tf_record_iterator(str(folder / "clean.record")))
    used = [number for number in range(1, COUNT + 1) if faulty.get(number) != "skipped"]
    assert len(contents) == len(used)
    for number, content in zip(used, contents, strict=True):
        assert (content == clean[number - 1]) == (number not in faulty)


def test_tensorflow_agrees_on_numbers_and_places(planted):
    """Its reader stops at the first record whose bytes are damaged; from any offset it goes on."""
    folder, plan = planted
    path = str(folder / "bad.record")
    (found,) = scan.scan_files([path], RULES, 0)
    damaged = [one for one in found.findings if one.reason in ("checksum", "damaged_length")]
    read = []
    with pytest.raises(tf.errors.DataLossError):
        read.extend(tf.io.tf_record_iterator(path))
    assert len(read) == damaged[0].number - 1
    rows = found.good
    around = np.stack([rows[:, 0], rows[:, 1], found.size - rows.sum(axis=1)], axis=1)
    with tf.Graph().as_default(), tf.Session() as session:
        place = tf.placeholder(tf.int64, [3])
        one = tf.data.FixedLengthRecordDataset(path, place[1], place[0], place[2])
        iterator = tf.data.make_initializable_iterator(one)
        following = iterator.get_next()
        names = []
        for row in around:
            session.run(iterator.initializer, {place: row})
            example = tf.train.Example.FromString(session.run(following))
            names.append(example.features.feature["image/source_id"].bytes_list.value[0])
    skipped = {one.number for one in plan if one.fault.action == "skipped"}
    assert names == [b"picture %d" % n for n in range(COUNT) if n + 1 not in skipped]


def test_a_process_that_does_not_start_is_an_error(planted, monkeypatch):
    folder, _ = planted
    monkeypatch.setattr(scan, "_PROGRAM", "import no_such_module")
    with pytest.raises(DataError, match="no_such_module"):
        scan.scan_files([str(folder / "clean.record")], RULES, 1)


def test_processes_find_the_same(planted, monkeypatch):
    folder, _ = planted
    # Many chunks, so that each process has some.
    paths = [str(folder / name) for name in ("bad.record", "clean.record", "absent")]
    alone = scan.scan_files(paths, RULES, 0)
    read = []
    same(scan.scan_files(paths, RULES, 3, read.append), alone)
    assert sum(read) > 0.9 * scan.total_bytes(paths)
    monkeypatch.setattr(file_scan, "_CHUNK_RECORDS", 7)
    same(scan.scan_files(paths, RULES, 0), alone)
    monkeypatch.setattr(file_scan, "_CHUNK_BYTES", 1)
    same(scan.scan_files(paths, RULES, 0), alone)


def test_several_chunks_by_several_processes(tmp_path):
    path = tmp_path / "many.record"
    with open(path, "wb") as file:
        for number in range(2000):
            data = bytearray(framing.framed(b"%d" % number * 20))
            if number % 300 == 5:
                data[20] ^= 1
            if number % 700 == 9:
                data[0] ^= 1
            file.write(data)
    rules = Rules(examples=False)
    alone = scan.scan_files([str(path)], rules, 0)
    same(scan.scan_files([str(path)], rules, 2), alone)
    assert [(one.number, one.reason) for one in alone[0].findings] == sorted(
        [(1 + number, "checksum") for number in range(5, 2000, 300)]
        + [(1 + number, "damaged_length") for number in range(9, 2000, 700)]
    )


def test_json_round_trip(planted):
    folder, _ = planted
    for one in scan.scan_files([str(folder / "bad.record"), "absent"], RULES, 0):
        again = FileScan.from_json(json.loads(json.dumps(one.to_json())))
        np.testing.assert_array_equal(again.good, one.good)
        assert again.good.dtype == np.int64
        assert again.findings == one.findings
        same([again], [one])
    for rules in (RULES, Rules(), Rules(masks="png", max_megapixels=0.5)):
        again = Rules.from_json(json.loads(json.dumps(rules.to_json())))
        assert again == rules
        assert hash(again) == hash(rules)


def _zlib(data):
    return zlib.compress(data)


@pytest.mark.parametrize("compress", [gzip.compress, _zlib])
def test_compressed_files(planted, tmp_path, compress):
    folder, _ = planted
    path = tmp_path / "a.record"
    path.write_bytes(compress((folder / "clean.record").read_bytes()))
    (found,) = scan.scan_files([str(path)], RULES, 0)
    assert [(one.number, one.reason, one.action) for one in found.findings] == [
        (0, "compressed", "skipped")
    ]
    assert (found.num_records, len(found.good), found.all_good) == (0, 0, False)


def test_files_without_records(tmp_path):
    empty, folder, text = tmp_path / "empty", tmp_path / "folder", tmp_path / "text"
    empty.write_bytes(b"")
    folder.mkdir()
    text.write_text("no record at all, but some words\n" * 9)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    paths = [str(one) for one in (empty, folder, text, pipe, tmp_path / "absent")] + ["a\0b"]
    scans = scan.scan_files(paths, RULES, 0)
    assert [one.path for one in scans] == paths
    assert [[(f.reason, f.action, f.number) for f in one.findings] for one in scans] == [
        [("empty_file", "noted", 0)],
        [("unreadable_file", "skipped", 0)],
        [("damaged_length", "skipped", 1)],
        [("unreadable_file", "skipped", 0)],
        [("unreadable_file", "skipped", 0)],
        [("unreadable_file", "skipped", 0)],
    ]
    assert [one.all_good for one in scans] == [True] + [False] * 5
    assert [one.num_records for one in scans] == [0, 0, 1, 0, 0, 0]


def test_large_records_are_not_read(tmp_path, monkeypatch):
    path = tmp_path / "a.record"
    path.write_bytes(framing.framed(b"x" * 100) + framing.framed(b"y" * 10))
    monkeypatch.setattr(file_scan, "_MOST_BYTES", 50)
    (found,) = scan.scan_files([str(path)], Rules(examples=False), 0)
    assert [(one.number, one.reason) for one in found.findings] == [(1, "record_too_large")]
    assert len(found.good) == 1


def test_more_findings_than_are_listed(tmp_path, monkeypatch):
    for module in (file_scan, findings):
        monkeypatch.setattr(module, "MOST_LISTED", 10)
    path = tmp_path / "a.record"
    with open(path, "wb") as file:
        for number in range(600):
            data = bytearray(framing.framed(b"%d" % number))
            data[12] ^= 1
            file.write(data)
        file.write(framing.framed(b"whole") + b"cut")
    (found,) = scan.scan_files([str(path)], Rules(examples=False), 0)
    assert [one.number for one in found.findings] == list(range(1, 11))
    assert found.counts() == {("checksum", "skipped"): 600, ("truncated", "skipped"): 1}
    assert (found.num_records, found.num_skipped) == (602, 601)
    report = findings.report([found, found])
    assert len(report["findings"]) == 10
    assert report["findings_not_listed"] == 2 * 601 - 10
    assert report["reasons"]["skipped"] == {"checksum": 1200, "truncated": 2}
    same([FileScan.from_json(found.to_json())], [found])


def test_report_and_summary(planted):
    folder, plan = planted
    scans = scan.scan_files([str(folder / n) for n in ("bad.record", "clean.record")], RULES, 0)
    report = json.loads(json.dumps(findings.report(scans)))
    by_action = collections.Counter(one.fault.action for one in plan)
    assert report["records"] == 2 * COUNT
    assert report["left_out"] == by_action["skipped"]
    assert report["mended"] == by_action["repaired"]
    assert report["used"] == 2 * COUNT - by_action["skipped"]
    for action in findings.ACTIONS:
        expected = collections.Counter(
            one.fault.reason for one in plan if one.fault.action == action
        )
        assert report["reasons"][action] == expected
    assert [one["left_out"] for one in report["files"]] == [by_action["skipped"], 0]
    assert [Finding(**one) for one in report["findings"]] == list(scans[0].findings)
    assert report["findings_not_listed"] == 0
    summary = findings.summary(scans, most=1)
    assert summary.startswith(
        f"Records: {by_action['skipped']} of {2 * COUNT} are left out, "
        f"{by_action['repaired']} mended: 3 "
    )
    assert "more reasons" in summary
    assert "\n" not in summary


def test_a_scan_can_be_stopped(tmp_path):
    """And leaves no process behind."""
    path = tmp_path / "a.record"
    path.write_bytes(framing.framed(b"x" * 1000) * 100_000)
    before = time.monotonic()
    scanning = scan.Scanning([str(path)], Rules(examples=False), 2)
    children = [child.pid for child in scanning._children]
    scanning.stop()
    assert time.monotonic() - before < 5
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_a_process_that_is_killed_is_an_error(tmp_path):
    path = tmp_path / "a.record"
    path.write_bytes(framing.framed(b"x" * 1000) * 100_000)
    with scan.Scanning([str(path)], Rules(examples=False), 1) as scanning:
        os.kill(scanning._children[0].pid, signal.SIGKILL)
        with pytest.raises(DataError, match=r"ended early.*-9"):
            scanning.result()


def test_tensorflow_is_not_needed():
    code = (
        "import sys; from object_detection.utils.records import reader_rules, scan;"
        "print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_memory_does_not_grow_with_the_file(tmp_path):
    """A file of half a gigabyte, most of it without blocks on the disk."""
    path = tmp_path / "sparse.record"
    with open(path, "wb") as file:
        file.write(framing.framed(b"first"))
        file.truncate(1 << 29)
    code = (
        "import resource, sys; from object_detection.utils.records import scan, rules;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "found, = scan.scan_files([sys.argv[1]], rules.Rules(examples=False), 0);"
        "print(found.num_records, len(found.good), found.findings[0].reason,"
        "resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    *found, kilobytes = done.stdout.split()
    assert found == ["2", "1", "damaged_length"]
    assert int(kilobytes) < 200_000
