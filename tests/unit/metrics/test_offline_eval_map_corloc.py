import csv
import subprocess
import sys
import types

import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.errors import DataError
from object_detection.metrics import offline_eval_map_corloc as program
from object_detection.protos import eval_pb2, input_reader_pb2

LABEL_MAP = 'item { id: 1 name: "cat" }\nitem { id: 2 name: "dog" }\n'
MEAN = "PascalBoxes_Precision/mAP@0.5IOU"
HERE, AWAY = [0.1, 0.1, 0.3, 0.3], [0.6, 0.6, 0.9, 0.9]


def _record(name, truth, found):
    """`truth` is (box, class) each, `found` (box, class, score)."""

    def floats(values):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))

    def integers(values):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    features = {
        "image/source_id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[name.encode()])),
        "image/object/class/label": integers([row[1] for row in truth]),
        "image/detection/label": integers([row[1] for row in found]),
        "image/detection/score": floats([row[2] for row in found]),
    }
    for kind, rows in (("object", truth), ("detection", found)):
        for index, side in enumerate(("ymin", "xmin", "ymax", "xmax")):
            features[f"image/{kind}/bbox/{side}"] = floats([row[0][index] for row in rows])
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.fixture
def folder(tmp_path):
    """Two shards: cats have AP 1/2, dogs 1; and a record that is no detection at all."""
    (tmp_path / "labels.pbtxt").write_text(LABEL_MAP)
    shards = [
        [_record("a", [(HERE, 1), (AWAY, 2)], [(HERE, 1, 0.5), (AWAY, 2, 0.9)]), b""],
        [_record("b", [], [(AWAY, 1, 0.75)])],
    ]
    for number, records in enumerate(shards):
        path = str(tmp_path / f"found.tfrecord-{number:05d}-of-00002")
        with tf.io.TFRecordWriter(path) as writer:
            for record in records:
                writer.write(record)
    return tmp_path


def _reader(folder, path="found.tfrecord@2"):
    return text_format.Parse(
        f'label_map_path: "{folder}/labels.pbtxt" '
        f'tf_record_input_reader {{ input_path: "{folder}/{path}" }}',
        input_reader_pb2.InputReader(),
    )


@pytest.mark.parametrize("metric", ["", 'metrics_set: "pascal_voc_detection_metrics"'])
def test_metrics_of_all_shards(folder, metric):
    config = text_format.Parse(metric, eval_pb2.EvalConfig())
    given = config.SerializeToString()
    metrics = program.read_data_and_evaluate(_reader(folder), config)
    assert metrics == {
        MEAN: 0.75,
        "PascalBoxes_PerformanceByCategory/AP@0.5IOU/cat": 0.5,
        "PascalBoxes_PerformanceByCategory/AP@0.5IOU/dog": 1.0,
    }
    assert config.SerializeToString() == given


def test_one_file(folder):
    reader = _reader(folder, "found.tfrecord-00000-of-00002")
    assert program.read_data_and_evaluate(reader, eval_pb2.EvalConfig())[MEAN] == 1


def test_what_cannot_be_read(folder):
    for number in range(2):
        (folder / f"gone-0000{number}-of-00003").write_bytes(b"")
    with pytest.raises(ValueError, match="00002-of-00003"):
        program.read_data_and_evaluate(_reader(folder, "gone@3"), eval_pb2.EvalConfig())
    reader = text_format.Parse("external_input_reader {}", input_reader_pb2.InputReader())
    with pytest.raises(ValueError, match="tf_record_input_reader"):
        program.read_data_and_evaluate(reader, eval_pb2.EvalConfig())


def test_write_metrics(tmp_path):
    program.write_metrics({MEAN: 0.25, "x, y": float("nan")}, str(tmp_path / "new"))
    with open(tmp_path / "new" / "metrics.csv", newline="") as file:
        assert list(csv.reader(file)) == [[MEAN, "0.25"], ["x, y", "nan"]]


def test_program(folder):
    (folder / "eval.config").write_text("")
    (folder / "input.config").write_text(text_format.MessageToString(_reader(folder)))

    def call(*arguments):
        return subprocess.run(
            [sys.executable, program.__file__, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    missing = call(f"--eval_dir={folder}/out")
    assert missing.returncode == 1
    assert "--eval_config_path is required" in missing.stderr
    assert "Traceback" not in missing.stderr
    done = call(
        f"--eval_dir={folder}/out",
        f"--eval_config_path={folder}/eval.config",
        f"--input_config_path={folder}/input.config",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert f"{MEAN} 0.7500" in [" ".join(line.split()) for line in lines]
    assert lines[-2] == "2 pictures evaluated, 1 records without boxes skipped."
    assert lines[-1] == f"metrics: {folder}/out/metrics.csv"
    with open(folder / "out" / "metrics.csv", newline="") as file:
        assert next(csv.reader(file)) == [MEAN, "0.75"]


def test_records_without_detections_are_an_error_of_the_program(folder, monkeypatch):
    with tf.io.TFRecordWriter(str(folder / "truth.record")) as writer:
        writer.write(b"")
        writer.write(b"")
    reader = _reader(folder, "truth.record")
    (folder / "input.config").write_text(text_format.MessageToString(reader))
    (folder / "eval.config").write_text("")
    given = types.SimpleNamespace(
        eval_dir=str(folder / "out"),
        eval_config_path=str(folder / "eval.config"),
        input_config_path=str(folder / "input.config"),
    )
    monkeypatch.setattr(program, "FLAGS", given)
    with pytest.raises(DataError, match=r"truth\.record: none of the 2 records has objects and"):
        program._evaluate()
    assert not list((folder / "out").iterdir())


def test_a_damaged_record_is_named(folder):
    path = folder / "found.tfrecord-00000-of-00002"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match=f"{path}: record 2 is damaged"):
        program.read_data_and_evaluate(_reader(folder), eval_pb2.EvalConfig())
