"""What is read of files in which not all records are used.

The truth: files that hold nothing but the records that are used, read as ever.
"""

import contextlib
import os
import pathlib
import types

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import record_reading
from object_detection.builders.record_selection import Selection, runs
from object_detection.errors import DataError
from object_detection.protos import input_reader_pb2

# Numbers of the records that are used: of 7 in each file.
USED = {
    "a-0": [0, 1, 2, 3, 4, 5, 6],
    "a-1": [1, 2, 4, 6],
    "a-2": [],
    "b-0": [6],
    "b-1": [0, 1, 2, 3, 4, 5],
}
NUM_RECORDS = 7


def _write(path, contents):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for content in contents:
            writer.write(content)


def _scan(path, good):
    """As a scan would give it: offset and length of the contents that are used."""
    status = os.stat(path)
    return types.SimpleNamespace(
        path=str(path),
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        num_records=NUM_RECORDS,
        good=np.array(good, np.int64).reshape(-1, 2),
        all_good=len(good) == NUM_RECORDS,
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Damaged files and the selection of their good records; files of the good records alone."""
    damaged = tmp_path_factory.mktemp("damaged")
    clean = tmp_path_factory.mktemp("clean")
    scans = []
    for name, used in USED.items():
        contents = [f"{name} {number} ".encode() * (number + 1) for number in range(NUM_RECORDS)]
        _write(damaged / name, contents)
        _write(clean / name, [contents[number] for number in used])
        content = bytearray((damaged / name).read_bytes())
        good, offset = [], 12
        for number, one in enumerate(contents):
            if number in used:
                good.append((offset, len(one)))
            elif number % 2:
                content[offset - 12] ^= 255  # the length
            else:
                content[offset + 3] ^= 1  # the content
            offset += len(one) + 16
        (damaged / name).write_bytes(content)
        scans.append(_scan(damaged / name, good))
    return damaged, clean, Selection(scans)


def _records(folder, patterns, text, selection=None, limit=60, **options):
    reader = text_format.Parse(text, input_reader_pb2.InputReader())
    with tf.Graph().as_default(), tf.Session() as session:
        dataset = record_reading.read_dataset(
            tf.data.TFRecordDataset,
            [str(folder / pattern) for pattern in patterns],
            reader,
            selection=selection,
            **options,
        )
        following = tf.data.make_one_shot_iterator(dataset).get_next()
        found = []
        with contextlib.suppress(tf.errors.OutOfRangeError):
            while len(found) < limit:
                found.append(session.run(following))
        return found


SHUFFLED = "shuffle_buffer_size: 4 num_readers: 2 read_block_length: 2"


@pytest.mark.parametrize(
    ("text", "options"),
    [
        pytest.param("shuffle: false num_epochs: 1", {}, id="once in order"),
        pytest.param("shuffle: false num_readers: 1", {"start": 25}, id="later in order"),
        pytest.param(
            "shuffle: false num_readers: 3 read_block_length: 2", {"start": 25}, id="side by side"
        ),
        pytest.param(SHUFFLED, {"seed": 3}, id="shuffled"),
        pytest.param(SHUFFLED, {"seed": 3, "start": 5 * 18 + 7}, id="shuffled, in epoch 5"),
        pytest.param(f"{SHUFFLED} num_epochs: 3", {"seed": 3, "start": 20}, id="three epochs"),
        pytest.param(
            "shuffle: false",
            {"filename_shard_fn": lambda names: names.shard(2, 1), "start": 3},
            id="the files of one of two pipelines",
        ),
    ],
)
def test_the_records_that_are_used_come_as_from_files_without_the_others(folders, text, options):
    damaged, clean, selection = folders
    expected = _records(clean, ["a-*", "b-*"], text, **options)
    assert len(set(expected)) >= 5
    assert _records(damaged, ["a-*", "b-*"], text, selection, **options) == expected


@pytest.mark.parametrize("start", [0, 43])
def test_sources_with_weights_have_selections_too(folders, start):
    damaged, clean, selection = folders
    text = f"{SHUFFLED} sample_from_datasets_weights: [0.3, 0, 0.7]"
    patterns = ["a-*", "none", "b-*"]
    expected = _records(clean, patterns, text, seed=1, start=start)
    assert len(set(expected)) >= 15
    assert _records(damaged, patterns, text, selection, seed=1, start=start) == expected


def test_files_without_faults_are_read_as_ever(folders):
    _, clean, _ = folders
    names = [str(clean / name) for name in USED if USED[name]]
    scans = []
    for name in names:
        with tf.Graph().as_default():
            lengths = [len(one) for one in tf.io.tf_record_iterator(name)]
        begins = 12 + np.cumsum([0, *(length + 16 for length in lengths)])[:-1]
        scans.append(_scan(name, np.stack([begins, lengths], axis=1)))
        scans[-1].all_good = True
    assert record_reading._selected(Selection(scans), names) is tf.data.TFRecordDataset


def test_files_elsewhere_are_read_whole(folders):
    damaged, clean, _ = folders
    whole = [f"file://{clean / name}" for name in ("a-1", "b-1")]
    text = "shuffle: false num_readers: 1 num_epochs: 3"
    alone = _records(clean, ["[ab]-1"], text)
    assert len(alone) == 30
    scan = _scan(damaged / "b-0", [(12 + 16 * 6 + 6 * 21, 6 * 7)])  # behind 1 to 6 times "b-0 n "
    reader = text_format.Parse(text, input_reader_pb2.InputReader())
    for names, once in (
        (whole, alone[:10]),
        ([str(damaged / "b-0"), *whole], [b"b-0 6 " * 7, *alone[:10]]),
    ):
        for start in (0, 13, 25):
            with tf.Graph().as_default(), tf.Session() as session:
                dataset = record_reading.read_dataset(
                    tf.data.TFRecordDataset, names, reader, selection=Selection([scan]), start=start
                )
                following = tf.data.make_one_shot_iterator(dataset).get_next()
                found = []
                with contextlib.suppress(tf.errors.OutOfRangeError):
                    while True:
                        found.append(session.run(following))
            assert found == (once * 3)[start:]


def test_runs_of_records():
    good = [(12, 5), (33, 7), (100, 1), (117, 0), (133, 2)]
    scan = types.SimpleNamespace(good=np.array(good))
    # 12 + 5 + 4 = 21 = 33 - 12; 40 + 4 < 88; 101 + 4 = 117 - 12; 117 + 4 = 133 - 12.
    assert runs(scan).tolist() == [[0, 2], [88, 3]]
    assert runs(types.SimpleNamespace(good=np.zeros([0, 2], np.int64))).shape == (0, 2)


@pytest.fixture
def one_file(tmp_path):
    path = tmp_path / "one"
    _write(path, [b"x" * 10] * NUM_RECORDS)
    return path, Selection([_scan(path, [(12, 10), (38, 10)])])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(
            lambda path: path.write_bytes(path.read_bytes() + b"more"),
            "one: has been written again, from 182 to 186 bytes",
            id="grown",
        ),
        pytest.param(
            lambda path: os.utime(path, ns=(1, 1)),
            "one: has been written again, at the same size",
            id="written again",
        ),
        pytest.param(
            lambda path: (path.parent / "one-2").write_bytes(path.read_bytes()),
            "one-2: has appeared after",
            id="another",
        ),
    ],
)
def test_files_that_changed_since_are_named(one_file, change, words):
    path, selection = one_file
    assert len(_records(path.parent, ["one*"], "num_epochs: 1", selection)) == 2
    assert selection.changes() == []
    change(path)
    with pytest.raises(DataError, match=words):
        _records(path.parent, ["one*"], "num_epochs: 1", selection)
    assert len(selection.changes()) == (not (path.parent / "one-2").exists())


def test_a_file_that_has_gone_is_named(one_file):
    path, selection = one_file
    pathlib.Path(path).unlink()
    assert "No such file" in selection.changes()[0]


def test_without_a_usable_record_nothing_hangs(tmp_path):
    _write(tmp_path / "one", [b"x"] * NUM_RECORDS)
    selection = Selection([_scan(tmp_path / "one", [])])
    for text in ("num_epochs: 0", "shuffle: false"):
        with pytest.raises(DataError, match="no usable record"):
            _records(tmp_path, ["one"], text, selection)
