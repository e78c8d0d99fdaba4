import json
import types

import numpy as np
import PIL.Image
import pytest
import tensorflow.compat.v1 as tf

from object_detection.dataset_tools import create_pascal_tf_record as pascal
from object_detection.errors import ConfigError, DataError

OBJECT = """
  <object>
    <name>{name}</name><pose>Left</pose><truncated>1</truncated><difficult>{difficult}</difficult>
    <bndbox><xmin>20</xmin><ymin>10</ymin><xmax>50</xmax><ymax>40</ymax></bndbox>
  </object>"""
XML = """<annotation>
  <folder>{folder}</folder><filename>a.jpg</filename>
  <size><width>100</width><height>80</height><depth>3</depth></size>{objects}
</annotation>"""
LABELS = {"dog": 12, "cat": 8}


def values(example, key):
    feature = example.features.feature[key]
    return list(getattr(feature, feature.WhichOneof("kind")).value)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "VOC2007" / "JPEGImages"
    folder.mkdir(parents=True)
    PIL.Image.fromarray(np.full([80, 100, 3], 90, np.uint8)).save(folder / "a.jpg")
    corners = {"xmin": "20", "ymin": "10", "xmax": "50", "ymax": "40"}
    return {
        "folder": "VOC2007",
        "filename": "a.jpg",
        "size": {"width": "100", "height": "80"},
        "object": [
            {"name": "dog", "difficult": 1, "truncated": 0, "pose": "Left", "bndbox": corners},
            {"name": "cat", "difficult": "0", "truncated": "1", "pose": None, "bndbox": corners},
        ],
    }


@pytest.mark.parametrize(("ignore", "kept"), [(False, [0, 1]), (True, [1])])
def test_example(data, tmp_path, ignore, kept):
    example = pascal.dict_to_tf_example(data, str(tmp_path), LABELS, ignore)
    assert (values(example, "image/height"), values(example, "image/width")) == ([80], [100])
    assert values(example, "image/filename") == values(example, "image/source_id") == [b"a.jpg"]
    assert values(example, "image/format") == [b"jpeg"]
    for key, both in {
        "bbox/xmin": [0.2, 0.2],
        "bbox/xmax": [0.5, 0.5],
        "bbox/ymin": [0.125, 0.125],
        "bbox/ymax": [0.5, 0.5],
        "class/text": [b"dog", b"cat"],
        "class/label": [12, 8],
        "difficult": [1, 0],
        "truncated": [0, 1],
        "view": [b"Left", b""],
    }.items():
        found = values(example, f"image/object/{key}")
        expected = [both[row] for row in kept]
        if key.startswith("bbox"):
            np.testing.assert_allclose(found, expected)
        else:
            assert found == expected, key


def test_picture_without_objects_and_in_another_folder(data, tmp_path):
    del data["object"]
    data["folder"] = ""
    folder = str(tmp_path / "VOC2007" / "JPEGImages")
    example = pascal.dict_to_tf_example(data, folder, LABELS, image_subdirectory="")
    assert values(example, "image/object/bbox/xmin") == []


def test_bad_input_is_named(data, tmp_path):
    with pytest.raises(DataError, match=r"a\.jpg: class 'dog' is not in the label map"):
        pascal.dict_to_tf_example(data, str(tmp_path), {"cat": 1})
    path = tmp_path / "VOC2007" / "JPEGImages" / "a.jpg"
    PIL.Image.open(path).save(path, "PNG")
    with pytest.raises(ValueError, match=r"a\.jpg: is no JPEG"):
        pascal.dict_to_tf_example(data, str(tmp_path), LABELS)
    path.unlink()
    with pytest.raises(DataError, match=r"a\.jpg: missing"):
        pascal.dict_to_tf_example(data, str(tmp_path), LABELS)


@pytest.fixture
def flags(data, tmp_path, monkeypatch):
    for year, names in (("VOC2007", ["one", "two"]), ("VOC2012", ["three"])):
        folder = tmp_path / year
        (folder / "Annotations").mkdir(parents=True)
        (folder / "ImageSets" / "Main").mkdir(parents=True)
        (folder / "ImageSets" / "Main" / "aeroplane_val.txt").write_text(
            "".join(f"{name} -1\n" for name in names)
        )
        for name in names:
            objects = OBJECT.format(name="dog", difficult=0) + OBJECT.format(
                name="cat", difficult=1
            )
            # All share one picture.
            text = XML.format(folder="VOC2007", objects=objects)
            (folder / "Annotations" / f"{name}.xml").write_text(text)
    (tmp_path / "map.pbtxt").write_text("item { id: 1 name: 'dog' } item { id: 2 name: 'cat' }")
    given = types.SimpleNamespace(
        data_dir=str(tmp_path),
        set="val",
        annotations_dir="Annotations",
        year="merged",
        output_path=str(tmp_path / "out" / "val.record"),
        label_map_path=str(tmp_path / "map.pbtxt"),
        ignore_difficult_instances=False,
    )
    monkeypatch.setattr(pascal, "FLAGS", given)
    return given


@pytest.mark.parametrize(("year", "ignore", "count"), [("merged", False, 3), ("VOC2012", True, 1)])
def test_program(flags, year, ignore, count):
    flags.year, flags.ignore_difficult_instances = year, ignore
    assert f"{count} pictures" in pascal.main(None)
    records = list(tf.io.tf_record_iterator(flags.output_path))
    assert len(records) == count
    example = tf.train.Example.FromString(records[0])
    assert values(example, "image/object/class/label") == ([1] if ignore else [1, 2])


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("set", "all", ConfigError, "--set=all: choose one of train"),
        ("year", "VOC2010", ConfigError, "--year=VOC2010"),
        ("output_path", "", ConfigError, "--output_path"),
        ("set", "train", DataError, "aeroplane_train.txt: there is no such list"),
        ("annotations_dir", "none", ConfigError, "--annotations_dir=none"),
    ],
)
def test_program_names_what_is_wrong(flags, name, value, error, words):
    setattr(flags, name, value)
    with pytest.raises(error, match=words):
        pascal.main(None)


BOMB = "".join(
    f"<!ENTITY b{level} '{f'&b{level - 1};' * 10 if level else 'boom' * 10}'>"
    for level in range(10)
)
OBJECTS = OBJECT.format(name="dog", difficult=0)
GOOD = XML.format(folder="VOC2007", objects=OBJECTS)


def _changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<a", "bad_annotation"),
        ("<a/>", "bad_annotation"),
        ("<annotation/>", "bad_annotation"),
        ("", "bad_annotation"),
        ("\0\1\2", "bad_annotation"),
        ("<a>" * 100_000, "bad_annotation"),
        (f"<!DOCTYPE a [{BOMB}]>" + _changed("Left", "&b9;"), "bad_annotation"),
        (
            '<!DOCTYPE a [<!ENTITY x SYSTEM "../one.txt">]>' + _changed("Left", "&x;"),
            "bad_annotation",
        ),
        ('<!DOCTYPE a SYSTEM "http://localhost:1/a.dtd">' + GOOD, "bad_annotation"),
        (_changed("a.jpg", "../../../secret.jpg"), "path_outside"),
        (_changed("a.jpg", "/etc/hostname"), "path_outside"),
        (_changed("VOC2007</folder", "../..</folder"), "path_outside"),
        (_changed("VOC2007</folder", "<b/></folder"), "bad_annotation"),
        (_changed("<filename>a.jpg</filename>", ""), "bad_annotation"),
        (_changed("<filename>a.jpg</filename>", "<filename><b>a</b></filename>"), "bad_annotation"),
        (_changed("<size>", "<other>").replace("</size>", "</other>"), "bad_annotation"),
        (_changed("<width>100</width>", "<width>0</width>"), "bad_annotation"),
        (_changed("<width>100</width>", "<width>9999999</width>"), "too_large"),
        (_changed("<xmin>20</xmin>", "<xmin>nan</xmin>"), "bad_annotation"),
        (_changed("<xmin>20</xmin>", ""), "bad_annotation"),
        (_changed("<name>dog</name>", ""), "bad_annotation"),
        (_changed("<truncated>1</truncated>", "<truncated>x</truncated>"), "bad_annotation"),
        (_changed("<pose>Left</pose>", "<pose><b>x</b></pose>"), "bad_annotation"),
        (_changed(OBJECTS, "<object>dog</object>"), "bad_annotation"),
    ],
)
def test_a_bad_annotation_leaves_its_picture_out(flags, tmp_path, text, reason):
    (tmp_path / "secret.jpg").write_bytes((tmp_path / "VOC2007/JPEGImages/a.jpg").read_bytes())
    (tmp_path / "VOC2007" / "Annotations" / "one.xml").write_text(text)
    flags.year = "VOC2007"
    assert f"1 pictures; 1 pictures left out (1 {reason})" in pascal.main(None)
    report = json.loads((tmp_path / "out" / "val.record.report.json").read_text())
    (entry,) = report["pictures_left_out"]
    assert (entry["picture"], entry["reason"]) == ("one", reason)
    assert entry["detail"]
    assert len(list(tf.io.tf_record_iterator(flags.output_path))) == 1


def test_names_in_lists_do_not_lead_out_either(flags, tmp_path):
    (tmp_path / "three.xml").write_text(GOOD)
    path = tmp_path / "VOC2012" / "ImageSets" / "Main" / "aeroplane_val.txt"
    path.write_text(f"../../three 1\n{tmp_path}/three 1\n")
    flags.year = "VOC2012"
    with pytest.raises(DataError, match="All 2 pictures are left out"):
        pascal.main(None)
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["val.record.report.json"]


def test_facts():
    assert pascal.SETS == ["train", "val", "trainval", "test"]
    assert pascal.YEARS == ["VOC2007", "VOC2012", "merged"]
