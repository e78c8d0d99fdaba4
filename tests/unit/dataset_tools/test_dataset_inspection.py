import json
import math
import pathlib
import re

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image

from object_detection.builders import record_scans
from object_detection.dataset_tools import dataset_inspection, drawn_faces, retinaface_tf_record
from object_detection.errors import ConfigError, DataError
from object_detection.metrics import dataset_statistics
from object_detection.utils import config_util

REPO = pathlib.Path(__file__).resolve().parents[3]


def test_sizes_are_matched_wherever_they_lie():
    anchors = np.array([[0, 0, 10, 10], [100, 100, 140, 120]])
    sizes = np.array([[10, 10], [40, 20], [10, 4], [40, 19]])
    # Overlaps 1, 1, 0.4, 0.95.
    assert dataset_inspection._matched(sizes, anchors, 0.5) == 0.75
    assert math.isnan(dataset_inspection._matched(np.zeros([0, 2]), anchors, 0.5))


def test_tables_of_nothing():
    summary = dataset_statistics.DatasetStatistics(np.zeros([0, 4]), 0.5, 1).summary()
    text = dataset_inspection.as_text(dataset_inspection.tables(summary, {}, ["nose"]))
    assert re.search(r"^  objects +0$", text, re.MULTILINE)
    assert text.count("nan") == len(dataset_statistics.PERCENTILES) + 1


def test_keypoints_are_called_as_in_the_label_map():
    categories = {1: {"keypoints": {"nose": 1}}, 2: {"keypoints": {"tail": 2}}, 3: {}}
    assert dataset_inspection._label_map_points(categories, 4) == ["0", "nose", "tail", "3"]
    assert dataset_inspection._label_map_points({}, 0) == []


def test_names_in_the_page_are_no_markup():
    page = dataset_inspection.as_html("<b>", [("T", [("a",), ("<script>",)])], ["1 < 2"], {})
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "1 &lt; 2" in page


@pytest.fixture
def config(tmp_path):
    """The demo's config on six drawn pictures."""
    labels = drawn_faces.write_pictures(tmp_path / "train", 6, seed=3, workers=1)
    images, record = tmp_path / "train" / "images", tmp_path / "train.record"
    retinaface_tf_record.run([f"--itxt={labels}", f"--idir={images}", f"--opath={record}"])
    text = (REPO / "keypoint_examples" / "pipeline_demo.config").read_text()
    text = text.replace("demo_output/train.record", str(record))
    text = text.replace("demo_output/val.record", str(record))
    path = tmp_path / "demo.config"
    path.write_text(text.replace("keypoint_examples/", f"{REPO}/keypoint_examples/"))
    return path


def _faces_of_pictures(record):
    for serialized in tf.python_io.tf_record_iterator(str(record)):
        feature = tf.train.Example.FromString(serialized).features.feature
        yield len(feature["image/object/bbox/ymin"].float_list.value)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*tf_record_iterator")
def test_report_of_drawn_faces(config, tmp_path):
    text = config.read_text()
    config.write_text(text.replace("train_config {", "train_config { max_number_of_boxes: 1"))
    said = dataset_inspection.run(
        [f"--pipeline_config_path={config}", f"--output={tmp_path / 'out'}", "--num_drawn=2"]
    )
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    # The label file is the truth: as many pictures and faces as the converter kept.
    report = json.loads((tmp_path / "train.record.report.json").read_text())
    assert summary["pictures"] == report["pictures"]["written"]
    assert summary["objects"] == report["faces"]["written"]
    assert sum(row["objects"] for row in summary["width_rows"]) == summary["objects"]
    assert "ssd_anchor_generator {" in said
    assert "\n  left_mouth  " in said  # keypoints by their names
    # Each picture keeps one face.
    crowded = [count for count in _faces_of_pictures(tmp_path / "train.record") if count > 1]
    assert crowded
    lost, most = sum(crowded) - len(crowded), max(crowded)
    assert summary["objects_cut"] == lost
    assert (
        f"Warning: {lost} boxes of {len(crowded)} pictures (of {summary['pictures']}) are cut: "
        f"train_config.max_number_of_boxes is 1, and a picture has up to {most} boxes. Set "
        f"max_boxes_per_image: {most}, and leave max_number_of_boxes out."
    ) in said
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<img ") == 2 * (1 + 3)  # two pictures, each also augmented three times
    with Image.open(tmp_path / "out" / "augmentations.png") as sheet:
        assert sheet.height > 2 * 320
        assert sheet.width > 4 * 320


def test_wrong_flags_are_named(config, tmp_path):
    with pytest.raises(ConfigError, match="--num_drawn is -1"):
        dataset_inspection.run(
            [f"--pipeline_config_path={config}", f"--output={tmp_path}", "--num_drawn=-1"]
        )


def test_a_damaged_record_is_named(config, tmp_path):
    record = tmp_path / "train.record"
    record.write_bytes(record.read_bytes()[:-3])
    configs = config_util.get_configs_from_pipeline_file(str(config))
    with pytest.raises(DataError, match=f"{record}: record 6 is damaged"):
        list(dataset_inspection.views(configs, None))


def test_what_cannot_be_used_is_left_out_of_what_is_seen(config, tmp_path):
    record = tmp_path / "train.record"
    whole = config_util.get_configs_from_pipeline_file(str(config))
    count = len(list(dataset_inspection.views(whole, None)))
    record.write_bytes(record.read_bytes()[:-3])
    configs = config_util.get_configs_from_pipeline_file(str(config))
    reader = configs["train_input_config"]
    reader.bad_records.max_share = 0.5
    said = []
    selection = record_scans.RecordScans().selection(
        reader, 1, str(tmp_path / "out"), said.append, "train_input_reader"
    )
    assert len(list(dataset_inspection.views(configs, None, selection))) == count - 1
    assert f"1 of {count} are left out, 0 mended: 1 truncated." in said[0]


def test_a_folder_that_cannot_be_written_is_found_before_the_work(config, tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_inspection, "geometry", lambda _: pytest.fail("the work began"))
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"--output=.*is a file"):
        dataset_inspection.run(
            [f"--pipeline_config_path={config}", f"--output={tmp_path / 'file'}"]
        )
