import hashlib
import io
import json
import math
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image

from object_detection.dataset_tools import retinaface_tf_record
from object_detection.errors import ConfigError, DataError

REPO = pathlib.Path(__file__).resolve().parents[3]
KEYS = {
    *(
        f"image/{name}"
        for name in ("height", "width", "filename", "source_id", "key/sha256", "encoded", "format")
    ),
    *(f"image/object/bbox/{name}" for name in ("xmin", "xmax", "ymin", "ymax")),
    *(f"image/object/class/{name}" for name in ("text", "label")),
    *(f"image/object/{name}" for name in ("difficult", "truncated", "view")),
    *(f"image/object/keypoint/{name}" for name in ("x", "y", "visibility")),
}
POINTS = "20 30 0.0 40 30 0.0 30 40 1.0 -1 -1 -1 -2 50 0.0 0.5"


def read(path):
    """The record as plain dicts of lists, by tf.train.Example alone."""
    examples = []
    for serialized in tf.io.tf_record_iterator(str(path)):
        example = tf.train.Example.FromString(serialized)
        examples.append(
            {
                key: list(getattr(feature, feature.WhichOneof("kind")).value)
                if feature.WhichOneof("kind")
                else []
                for key, feature in example.features.feature.items()
            }
        )
    return examples


@pytest.fixture
def folder(tmp_path):
    """Makes pictures of 100 x 80 pixels and a label file; gives a converter of them."""

    def convert(labels, pictures=("a.jpg",), **settings):
        (tmp_path / "images").mkdir(exist_ok=True)
        for number, name in enumerate(pictures):
            Image.new("RGB", (100, 80), (number, 90, 200)).save(tmp_path / "images" / name)
        (tmp_path / "label.txt").write_text(labels)
        report = retinaface_tf_record.convert(
            retinaface_tf_record.Settings(
                **{
                    "itxt": str(tmp_path / "label.txt"),
                    "idir": str(tmp_path / "images"),
                    "opath": str(tmp_path / "out" / "faces.record"),
                    "progress": False,
                    "num_workers": 1,
                    **settings,
                }
            )
        )
        for kind in ("pictures", "faces"):
            count = report[kind]
            assert count["seen"] == count["written"] + count["left_out"], kind
        assert json.loads((tmp_path / "out" / "faces.record.report.json").read_text()) == report
        assert not list((tmp_path / "out").glob(".*"))
        return report

    convert.root = tmp_path
    convert.record = tmp_path / "out" / "faces.record"
    return convert


def test_example_has_exactly_the_documented_content(folder):
    folder(f"# a.jpg\n10 20 40 50 {POINTS}\n80 60 30 40\n")
    (example,) = read(folder.record)
    content = (folder.root / "images" / "a.jpg").read_bytes()
    nan = math.nan
    expected = {
        "image/height": [80],
        "image/width": [100],
        "image/filename": [b"a.jpg"],
        "image/source_id": [str(folder.root / "images" / "a.jpg").encode()],
        "image/key/sha256": [hashlib.sha256(content).hexdigest().encode()],
        "image/encoded": [content],
        "image/format": [b"jpeg"],
        "image/object/bbox/xmin": [0.1, 0.8],
        "image/object/bbox/xmax": [0.5, 1.0],
        "image/object/bbox/ymin": [0.25, 0.75],
        "image/object/bbox/ymax": [0.875, 1.0],
        "image/object/class/text": [b"face"] * 2,
        "image/object/class/label": [1, 1],
        "image/object/difficult": [0, 0],
        "image/object/truncated": [0, 0],
        "image/object/view": [b"", b""],
        "image/object/keypoint/x": [0.2, 0.4, 0.3, nan, -0.02] + [nan] * 5,
        "image/object/keypoint/y": [0.375, 0.375, 0.5, nan, 0.625] + [nan] * 5,
        "image/object/keypoint/visibility": [2, 2, 1, 0, 2] + [0] * 5,
    }
    assert set(example) == KEYS == set(expected)
    for key, values in expected.items():
        if values and isinstance(values[0], bytes):
            assert example[key] == values, key
        else:
            np.testing.assert_allclose(example[key], values, rtol=1e-6, err_msg=key)
    label_map = (folder.root / "out" / "faces_label_map.pbtxt").read_text()
    assert "id: 1" in label_map
    assert "name: 'face'" in label_map


@pytest.mark.parametrize(
    "labels", [pytest.param("# a.jpg\n", id="none"), pytest.param("# a.jpg\n0 0 0 0\n", id="zeros")]
)
def test_picture_without_faces_is_written_without_boxes(folder, labels):
    report = folder(labels)
    (example,) = read(folder.record)
    assert set(example) == KEYS
    assert [key for key in KEYS if key.startswith("image/object") and example[key]] == []
    assert report["pictures"]["written"] == 1
    assert report["faces"]["seen"] == 0


@pytest.mark.parametrize(
    ("mode", "boxes_written", "pictures_left_out", "faces_left_out"),
    [
        ("skip_image", [1], ["a.jpg", "b.jpg"], []),
        ("drop", [1, 1, 1], [], [2, 5]),
        ("keep", [2, 1, 1], [], [5]),
    ],
)
def test_small_faces(folder, mode, boxes_written, pictures_left_out, faces_left_out):
    report = folder(
        "# a.jpg\n0 0 2 50\n10 10 20 20\n# b.jpg\n120 10 20 20\n10 10 20 20\n# c.jpg\n0 0 3 3\n",
        ("a.jpg", "b.jpg", "c.jpg"),
        small_faces=mode,
    )
    written = [len(example["image/object/bbox/xmin"]) for example in read(folder.record)]
    assert written == boxes_written
    assert [entry["picture"] for entry in report["pictures_left_out"]] == pictures_left_out
    assert [entry["line"] for entry in report["faces_left_out"]] == faces_left_out


@pytest.mark.parametrize(("thres", "written"), [(0.02, 2), (0.0201, 1), (0.0, 2)])
def test_threshold_is_a_share_of_the_width(folder, thres, written):
    report = folder("# a.jpg\n0 0 2 50\n# b.jpg\n", ("a.jpg", "b.jpg"), thres=thres)
    assert report["pictures"]["written"] == written


def test_width_is_measured_after_the_cut(folder):
    report = folder("# a.jpg\n98 10 20 20\n# b.jpg\n", ("a.jpg", "b.jpg"))
    assert report["reasons"]["pictures"] == {"too_narrow": 1}


def test_damage_is_reported_and_the_rest_converted(folder):
    images = folder.root / "images"
    images.mkdir()
    Image.new("RGB", (100, 80)).save(images / "whole.jpg", quality=95)
    (images / "cut.jpg").write_bytes((images / "whole.jpg").read_bytes()[:-40])
    report = folder(
        "1 2 3 4\n# cut.jpg\n1 1 20 20\n1 1 30 30\n# missing.jpg\n1 1 20 20\n"
        "# a.jpg\n1 1 20 20\n1 1 20\n# b.jpg\n1 1 20 20 word\n# c.jpg\n1 1 20 20\n",
        ("a.jpg", "b.jpg", "c.jpg"),
    )
    assert {entry["picture"]: entry["reason"] for entry in report["pictures_left_out"]} == {
        "cut.jpg": "picture_does_not_decode",
        "missing.jpg": "picture_missing",
        "a.jpg": "bad_label_line",
        "b.jpg": "bad_label_line",
    }
    details = {entry["picture"]: entry["detail"] for entry in report["pictures_left_out"]}
    assert details["a.jpg"].startswith("line 9: 3 columns")
    assert [note["line"] for note in report["notes"]] == [1]
    assert report["faces"] == {
        "seen": 7,
        "written": 1,
        "left_out": 6,
        "left_out_with_their_picture": 6,
    }
    assert [example["image/filename"] for example in read(folder.record)] == [[b"c.jpg"]]


def test_shards_hold_everything_once_and_workers_do_not_change_the_order(folder):
    names = [f"{number:02d}.jpg" for number in range(40)]
    labels = "".join(f"# {name}\n10 10 20 20\n" for name in names)
    report = folder(labels, names, num_shards=3, num_workers=2)
    shards = [pathlib.Path(name) for name in report["records"]]
    assert [shard.name for shard in shards] == [
        f"faces.record-{number:05d}-of-00003" for number in range(3)
    ]
    found = [[e["image/filename"][0].decode() for e in read(shard)] for shard in shards]
    assert found == [names[0::3], names[1::3], names[2::3]]
    folder(labels, names, num_workers=2)
    several = folder.record.read_bytes()
    folder(labels, names, num_workers=1)
    assert folder.record.read_bytes() == several


def test_an_old_record_survives_a_failure(folder, monkeypatch):
    folder("# a.jpg\n10 10 20 20\n")
    before = folder.record.read_bytes()

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(retinaface_tf_record, "make_example", fail)
    with pytest.raises(KeyboardInterrupt):
        folder("# a.jpg\n10 10 30 30\n")
    assert folder.record.read_bytes() == before
    assert not list(folder.record.parent.glob(".*"))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"itxt": "/nowhere/label.txt"}, ConfigError),
        ({"idir": "/nowhere"}, ConfigError),
        ({"opath": "."}, ConfigError),
        ({"thres": 1.5}, ConfigError),
        ({"small_faces": "shrink"}, ConfigError),
        ({"num_shards": 0}, ConfigError),
    ],
)
def test_wrong_settings_are_refused_by_name(tmp_path, change, error):
    (tmp_path / "label.txt").write_text("# a.jpg\n")
    settings = {
        "itxt": str(tmp_path / "label.txt"),
        "idir": str(tmp_path),
        "opath": str(tmp_path / "x.record"),
    }
    with pytest.raises(error, match=f"--{next(iter(change))}"):
        retinaface_tf_record.convert(retinaface_tf_record.Settings(**{**settings, **change}))


def test_label_file_without_pictures_is_refused(folder):
    with pytest.raises(DataError, match="names no picture"):
        folder("1 2 3 4\n")


def test_names_in_any_bytes_are_reported_and_opened(folder):
    labels = b'# none\xe9.jpg\n1 2 3 4\n# "a\\\xc3\xbc\xff.jpg\n1 2 1 40\n1 2 40 40\n'
    (folder.root / "bytes.txt").write_bytes(labels)
    odd = '"a\\ü\udcff.jpg'
    report = folder("", (odd,), itxt=str(folder.root / "bytes.txt"), small_faces="drop")
    assert [entry["picture"] for entry in report["pictures_left_out"]] == ["none\udce9.jpg"]
    assert report["faces_left_out"] == [
        {
            "picture": odd,
            "line": 4,
            "reason": "too_narrow",
            "detail": "0.0100 of the width, at least 0.026 wanted",
        }
    ]
    assert [example["image/filename"] for example in read(folder.record)] == [[os.fsencode(odd)]]


@pytest.mark.parametrize("num_workers", [1, 2])
def test_report_of_many_pictures_is_in_the_order_of_the_label_file(folder, num_workers):
    names = [f"{number:02d}.jpg" for number in range(50)]
    # Of each picture: a face that is written, one that is too narrow, one without area.
    labels = "".join(f"# {name}\n10 10 20 20\n10 10 1 20\n10 10 20 0\n" for name in names)
    report = folder(labels, names[:-1], small_faces="drop", num_workers=num_workers)
    assert [entry["line"] for entry in report["faces_left_out"]] == [
        line for number in range(49) for line in (4 * number + 3, 4 * number + 4)
    ]
    assert [entry["picture"] for entry in report["faces_left_out"]] == [
        name for name in names[:-1] for _ in range(2)
    ]
    assert report["reasons"] == {
        "pictures": {"picture_missing": 1},
        "faces": {"too_narrow": 49, "no_area": 49},
    }


def test_flags_have_the_documented_defaults():
    settings = retinaface_tf_record.parse_flags(["--itxt=a", "--idir", "b", "--opath=c"])
    assert settings == retinaface_tf_record.Settings("a", "b", "c", 0.026, "skip_image", 1, 0, True)


@pytest.mark.slow
def test_command_runs_from_anywhere(folder):
    folder("# a.jpg\n10 10 20 20\n")
    script = REPO / "scripts" / "txt_to_tfr_retface_v2.py"
    command = [sys.executable, str(script), "--itxt=label.txt", "--idir=images", "--opath=x.record"]
    done = subprocess.run(command, cwd=folder.root, capture_output=True, text=True, check=True)
    assert "1 seen = 1 written + 0 left out" in done.stdout
    assert read(folder.root / "x.record")[0]["image/source_id"] == [b"images/a.jpg"]
    first = (folder.root / "x.record").read_bytes()
    subprocess.run(command, cwd=folder.root, capture_output=True, check=True)
    assert (folder.root / "x.record").read_bytes() == first
    command[2] = "--itxt=none.txt"
    failed = subprocess.run(command, cwd=folder.root, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert "none.txt" in failed.stderr


def test_genuine_pictures_equal_their_label_file(shared_data, tmp_path):
    """Reads label file and record independently of the converter's own reader."""
    source = shared_data / "widerface_fullsize"
    report = retinaface_tf_record.convert(
        retinaface_tf_record.Settings(
            str(source / "label.txt"),
            str(source / "images"),
            str(tmp_path / "w.record"),
            thres=0.0,
            small_faces="keep",
            num_workers=1,
            progress=False,
        )
    )
    blocks = (source / "label.txt").read_text().split("# ")[1:]
    examples = read(tmp_path / "w.record")
    assert len(examples) == len(blocks) == report["pictures"]["seen"] == 32
    for block, example in zip(blocks, examples, strict=True):
        name, *lines = block.splitlines()
        assert example["image/source_id"] == [f"{source}/images/{name}".encode()]
        with Image.open(source / "images" / name) as image:
            width, height = image.size
        assert (example["image/width"], example["image/height"]) == ([width], [height])
        rows = np.array([line.split() for line in lines], float).reshape(-1, 20)
        x, y, w, h = rows[:, :4].T
        rows = rows[(np.minimum(x + w, width) > x) & (np.minimum(y + h, height) > y)]
        x, y, w, h = rows[:, :4].T
        for key, values in (
            ("xmin", x / width),
            ("ymin", y / height),
            ("xmax", np.minimum(x + w, width) / width),
            ("ymax", np.minimum(y + h, height) / height),
        ):
            np.testing.assert_allclose(example[f"image/object/bbox/{key}"], values, rtol=1e-6)
        points = rows[:, 4:19].reshape(-1, 3)
        missing = (points == -1).all(axis=1)
        points = np.where(missing[:, None], np.nan, points)
        np.testing.assert_allclose(
            example["image/object/keypoint/x"], points[:, 0] / width, rtol=1e-6
        )
        np.testing.assert_allclose(
            example["image/object/keypoint/y"], points[:, 1] / height, rtol=1e-6
        )
        np.testing.assert_array_equal(
            np.array(example["image/object/keypoint/visibility"]) == 0, missing
        )
    assert report["faces"]["left_out"] == report["reasons"]["faces"]["no_area"]


def test_label_file_without_its_pictures_reports_every_one(shared_data, tmp_path):
    labels = shared_data / "widerface_labels_genuine_parts" / "val_label.txt.gz"
    (tmp_path / "images").mkdir()
    settings = retinaface_tf_record.Settings(
        str(labels),
        str(tmp_path / "images"),
        str(tmp_path / "v.record"),
        num_workers=1,
        progress=False,
    )
    with pytest.raises(DataError) as error:
        retinaface_tf_record.convert(settings)
    said = str(error.value)
    assert "3226 picture_missing" in said
    assert f"Is --idir={tmp_path / 'images'} the folder that its path starts from?" in said
    report = json.loads((tmp_path / "v.record.report.json").read_text())
    assert report["reasons"]["pictures"] == {"picture_missing": 3226}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "v.record.report.json"]


def test_another_reason_for_an_empty_record_is_named_and_an_old_record_stays(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    (tmp_path / "label.txt").write_text("# a.jpg\n1 2 3 4\n")
    (tmp_path / "a.record").write_bytes(b"old")
    flags = [
        f"--itxt={tmp_path / 'label.txt'}",
        f"--idir={tmp_path}",
        f"--opath={tmp_path / 'a.record'}",
    ]
    with pytest.raises(DataError) as error:
        retinaface_tf_record.run(flags)
    assert "The first, a.jpg: picture_" in str(error.value)
    assert "Is --idir" not in str(error.value)
    assert (tmp_path / "a.record").read_bytes() == b"old"


def test_paths_out_of_the_folder_are_left_out_with_their_reason(tmp_path):
    picture = io.BytesIO()
    Image.new("RGB", (40, 30)).save(picture, "JPEG")
    (tmp_path / "images").mkdir()
    for path in (tmp_path / "secret.jpg", tmp_path / "images" / "a.jpg"):
        path.write_bytes(picture.getvalue())
    names = ["../secret.jpg", str(tmp_path / "secret.jpg"), "a.jpg", "x/../../secret.jpg"]
    (tmp_path / "label.txt").write_text("".join(f"# {name}\n1 2 20 20\n" for name in names))
    report = retinaface_tf_record.convert(
        retinaface_tf_record.Settings(
            str(tmp_path / "label.txt"),
            str(tmp_path / "images"),
            str(tmp_path / "a.record"),
            num_workers=1,
            progress=False,
        )
    )
    assert report["reasons"]["pictures"] == {"path_outside": 3}
    (example,) = read(tmp_path / "a.record")
    assert example["image/source_id"] == [f"{tmp_path}/images/a.jpg".encode()]


def test_what_is_no_file_is_not_replaced(tmp_path):
    (tmp_path / "label.txt").write_text("# a.jpg\n")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match="is no regular file"):
        retinaface_tf_record.convert(
            retinaface_tf_record.Settings(str(tmp_path / "label.txt"), str(tmp_path), str(pipe))
        )
    assert pipe.is_fifo()
