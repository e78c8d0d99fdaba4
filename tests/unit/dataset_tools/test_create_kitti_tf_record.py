import json
import types

import numpy as np
import PIL.Image
import pytest
import tensorflow.compat.v1 as tf

from object_detection.dataset_tools import create_kitti_tf_record as kitti
from object_detection.errors import ConfigError, DataError

LINES = """\
Car 0.25 1 -1.5 10 20 30 60 1.5 1.6 4.2 2.5 1.7 30.5 -1.6
Pedestrian 0.0 0 0.2 50 10 70 40 1.8 0.5 0.9 -3 1.5 8 0.3
DontCare -1 -1 -10 65 10 90 40 -1 -1 -1 -1000 -1000 -1000 -10
Van 0.0 2 0.1 60 0 80 20 2.0 1.9 5.0 1 2 3 4
"""


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "000000.txt"
    path.write_text(LINES)
    return kitti.read_annotation_file(str(path))


def values(example, key):
    feature = example.features.feature[key]
    return list(getattr(feature, feature.WhichOneof("kind")).value)


def test_label_file_by_columns(labels):
    assert labels["type"].tolist() == ["car", "pedestrian", "dontcare", "van"]
    assert labels["occluded"].tolist() == [1, 0, -1, 2]
    np.testing.assert_array_equal(labels["truncated"], [0.25, 0, -1, 0])
    np.testing.assert_array_equal(labels["alpha"], [-1.5, 0.2, -10, 0.1])
    first = {name: column[0] for name, column in labels.items() if "bbox" in name}
    assert first == {
        "2d_bbox_left": 10,
        "2d_bbox_top": 20,
        "2d_bbox_right": 30,
        "2d_bbox_bottom": 60,
        "3d_bbox_height": 1.5,
        "3d_bbox_width": 1.6,
        "3d_bbox_length": 4.2,
        "3d_bbox_x": 2.5,
        "3d_bbox_y": 1.7,
        "3d_bbox_z": 30.5,
        "3d_bbox_rot_y": -1.6,
    }


def test_empty_label_file(tmp_path):
    (tmp_path / "a.txt").write_text("")
    labels = kitti.read_annotation_file(str(tmp_path / "a.txt"))
    assert {len(column) for column in labels.values()} == {0}
    assert len(kitti.filter_annotations(labels, ["car", "dontcare"])["type"]) == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [("car 1 2", r"a\.txt, line 2"), (f"car {'x ' * 14}", "15 columns"), (None, "cannot be read")],
)
def test_bad_label_file_is_named(tmp_path, line, words):
    if line is not None:
        (tmp_path / "a.txt").write_text(f"{LINES.splitlines()[0]}\n{line}\n")
    with pytest.raises(DataError, match=words):
        kitti.read_annotation_file(str(tmp_path / "a.txt"))


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param(["car", "van"], ["car", "van"], id="two"),
        pytest.param(["car", "pedestrian"], ["car", "pedestrian"], id="regions do not matter"),
        # The regions reach over the pedestrian (x 65-70) and the van.
        pytest.param(["car", "pedestrian", "van", "dontcare"], ["car"], id="regions matter"),
        pytest.param(["dontcare"], [], id="only regions"),
    ],
)
def test_filter(labels, classes, expected):
    found = kitti.filter_annotations(labels, classes)
    assert found["type"].tolist() == expected
    assert {len(column) for column in found.values()} == {len(expected)}


def test_what_only_touches_a_region_stays():
    labels = {
        "type": np.array(["car", "dontcare"]),
        "2d_bbox_left": np.array([0, 10]),
        "2d_bbox_top": np.array([0, 0]),
        "2d_bbox_right": np.array([10, 20]),
        "2d_bbox_bottom": np.array([10, 10]),
    }
    assert kitti.filter_annotations(labels, ["car", "dontcare"])["type"].tolist() == ["car"]


def picture(path, kind="PNG"):
    PIL.Image.fromarray(np.full([80, 100, 3], 90, np.uint8)).save(path, kind)
    return str(path)


def test_example(labels, tmp_path):
    path = picture(tmp_path / "7.png")
    annotations = kitti.filter_annotations(labels, ["car", "pedestrian"])
    example = kitti.prepare_example(path, annotations, {"car": 1, "pedestrian": 2})
    assert (values(example, "image/height"), values(example, "image/width")) == ([80], [100])
    assert (
        values(example, "image/filename") == values(example, "image/source_id") == [path.encode()]
    )
    assert values(example, "image/format") == [b"png"]
    for side, expected in {
        "xmin": [0.1, 0.5],
        "xmax": [0.3, 0.7],
        "ymin": [0.25, 0.125],
        "ymax": [0.75, 0.5],
    }.items():
        np.testing.assert_allclose(values(example, f"image/object/bbox/{side}"), expected)
    assert values(example, "image/object/class/text") == [b"car", b"pedestrian"]
    assert values(example, "image/object/class/label") == [1, 2]
    assert values(example, "image/object/difficult") == [0, 0]
    for key, expected in {
        "truncated": [0.25, 0],
        "alpha": [-1.5, 0.2],
        "3d_bbox/height": [1.5, 1.8],
        "3d_bbox/width": [1.6, 0.5],
        "3d_bbox/length": [4.2, 0.9],
        "3d_bbox/x": [2.5, -3],
        "3d_bbox/y": [1.7, 1.5],
        "3d_bbox/z": [30.5, 8],
        "3d_bbox/rot_y": [-1.6, 0.3],
    }.items():
        np.testing.assert_allclose(values(example, f"image/object/{key}"), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "names", "words"), [("JPEG", {"car": 1}, "is no PNG"), ("PNG", {"x": 1}, "'car'.*x")]
)
def test_what_does_not_fit_is_refused(labels, tmp_path, kind, names, words):
    path = picture(tmp_path / "7.png", kind)
    with pytest.raises(DataError, match=rf"7\.png.*{words}"):
        kitti.prepare_example(path, kitti.filter_annotations(labels, ["car"]), names)


def test_program(tmp_path, monkeypatch):
    images = tmp_path / "data_object_image_2" / "training" / "image_2"
    labels = tmp_path / "training" / "label_2"
    images.mkdir(parents=True)
    labels.mkdir(parents=True)
    for number in (0, 1, 2):
        picture(images / f"{number:06d}.png")
        (labels / f"{number:06d}.txt").write_text(LINES)
    (tmp_path / "map.pbtxt").write_text("item { id: 1 name: 'car' }")
    given = types.SimpleNamespace(
        data_dir=str(tmp_path),
        output_path=str(tmp_path / "out" / "kitti"),
        label_map_path=str(tmp_path / "map.pbtxt"),
        classes_to_use="car,dontcare",
        validation_set_size=1,
    )
    monkeypatch.setattr(kitti, "FLAGS", given)
    kitti.main(None)
    counts = {
        split: len(list(tf.io.tf_record_iterator(f"{given.output_path}_{split}.tfrecord")))
        for split in ("train", "val")
    }
    assert counts == {"train": 2, "val": 1}
    assert len(list((tmp_path / "out").iterdir())) == 2 + 1
    (labels / "000002.txt").unlink()
    (labels / "000003.txt").write_text(LINES)
    (images / "000003.png").write_bytes(b"no picture")
    (labels / "000004.txt").write_text(LINES.replace("0.25", "nan"))
    picture(images / "000004.png")
    assert "1 and 1 pictures; 3 pictures left out" in kitti.main(None)
    report = json.loads((tmp_path / "out" / "kitti.report.json").read_text())
    assert {one["picture"]: one["reason"] for one in report["pictures_left_out"]} == {
        "000002.png": "missing_annotation",
        "000003.png": "does_not_decode",
        "000004.png": "bad_annotation",
    }
    picture(images / "x.png")
    with pytest.raises(DataError, match=r"x\.png: a number"):
        kitti.main(None)
    given.data_dir = ""
    with pytest.raises(ConfigError, match="--data_dir"):
        kitti.main(None)
