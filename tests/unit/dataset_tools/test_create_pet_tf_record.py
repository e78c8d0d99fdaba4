import io
import json
import types

import numpy as np
import PIL.Image
import pytest
import tensorflow.compat.v1 as tf

from object_detection.dataset_tools import create_pet_tf_record as pets
from object_detection.errors import ConfigError, DataError

LABELS = {"great_pyrenees": 15, "Bengal": 6}
XML = """<annotation><filename>{name}.jpg</filename>
  <size><width>10</width><height>8</height></size>
  <object><name>dog</name><pose>Frontal</pose><truncated>0</truncated><difficult>0</difficult>
  <bndbox><xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>4</ymax></bndbox></object></annotation>"""
CORNERS = {"xmin": "1", "ymin": "2", "xmax": "5", "ymax": "4"}
# 1 animal, 2 background, 3 border.
TRIMAP = np.full([8, 10], 2, np.uint8)
TRIMAP[1:7, 3:8] = 3
TRIMAP[2:6, 4:7] = 1


def values(example, key):
    feature = example.features.feature[key]
    return list(getattr(feature, feature.WhichOneof("kind")).value)


def write_pictures(folder, name):
    PIL.Image.fromarray(np.full([8, 10, 3], 90, np.uint8)).save(folder / f"{name}.jpg")
    PIL.Image.fromarray(TRIMAP).save(folder / f"{name}.png")


@pytest.fixture
def convert(tmp_path):
    write_pictures(tmp_path, "great_pyrenees_12")
    one = {"difficult": 1, "truncated": "0", "pose": "Frontal", "bndbox": CORNERS}
    data = {
        "filename": "great_pyrenees_12.jpg",
        "size": {"width": "10", "height": "8"},
        "object": [one, {**one, "difficult": 0}],
    }

    def run(change=None, **options):
        mask = str(tmp_path / "great_pyrenees_12.png")
        return pets.dict_to_tf_example(
            {**data, **(change or {})}, mask, LABELS, str(tmp_path), **options
        )

    return run


def boxes(example):
    return [
        values(example, f"image/object/bbox/{side}") for side in ("ymin", "xmin", "ymax", "xmax")
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Abyssinian_12.jpg", "Abyssinian"),
        ("great_pyrenees_100.jpg", "great_pyrenees"),
        ("Bengal_1.JPG", "Bengal"),
    ],
)
def test_breed(name, expected):
    assert pets.get_class_name_from_filename(name) == expected


@pytest.mark.parametrize("name", ["", "12.jpg", "Bengal.jpg", "Bengal_1.png"])
def test_name_without_a_breed_is_refused(name):
    with pytest.raises(DataError, match=r"Abyssinian_12\.jpg"):
        pets.get_class_name_from_filename(name)


def test_faces(convert):
    example = convert()
    np.testing.assert_allclose(boxes(example), np.outer([0.25, 0.1, 0.5, 0.5], [1, 1]))
    assert values(example, "image/object/class/text") == [b"great_pyrenees"] * 2
    assert values(example, "image/object/class/label") == [15, 15]
    assert values(example, "image/object/difficult") == [1, 0]
    assert values(example, "image/object/truncated") == [0, 0]
    assert values(example, "image/object/view") == [b"Frontal"] * 2
    assert values(example, "image/filename") == [b"great_pyrenees_12.jpg"]
    assert values(example, "image/source_id") == [b"great_pyrenees_12.jpg"]
    assert "image/object/mask" not in example.features.feature
    assert values(convert(ignore_difficult_instances=True), "image/object/difficult") == [0]


@pytest.mark.parametrize("mask_type", ["png", "numerical"])
def test_whole_animals(convert, mask_type):
    example = convert(faces_only=False, mask_type=mask_type)
    # Rows 1 to 6 of 8, columns 3 to 7 of 10.
    np.testing.assert_allclose(
        boxes(example), np.outer([1 / 8, 0.3, 6 / 8, 0.7], [1, 1]), rtol=1e-6
    )
    stored = values(example, "image/object/mask")
    if mask_type == "png":
        masks = [np.array(PIL.Image.open(io.BytesIO(encoded))) for encoded in stored]
    else:
        masks = np.reshape(stored, [2, 8, 10])
    np.testing.assert_array_equal(masks, [TRIMAP != 2] * 2)
    nothing = convert({"object": []}, faces_only=False, mask_type=mask_type)
    assert values(nothing, "image/object/mask") == []


def test_bad_input_is_named(convert, tmp_path):
    with pytest.raises(ConfigError, match="mask_type 'gif'"):
        convert(mask_type="gif")
    with pytest.raises(DataError, match=r"none_1\.jpg: missing"):
        convert({"filename": "none_1.jpg"})
    PIL.Image.fromarray(np.full([8, 10], 2, np.uint8)).save(tmp_path / "great_pyrenees_12.png")
    with pytest.raises(DataError, match="background"):
        convert(faces_only=False)
    PIL.Image.fromarray(TRIMAP).save(tmp_path / "great_pyrenees_12.png", "JPEG")
    with pytest.raises(ValueError, match=r"12\.png: is no PNG"):
        convert()


@pytest.fixture
def folder(tmp_path):
    for name in ("images", "annotations/xmls", "annotations/trimaps", "out"):
        (tmp_path / name).mkdir(parents=True)
    names = [f"Bengal_{number}" for number in range(10)]
    for name in names:
        write_pictures(tmp_path / "images", name)
        (tmp_path / "images" / f"{name}.png").rename(
            tmp_path / "annotations" / "trimaps" / f"{name}.png"
        )
        (tmp_path / "annotations" / "xmls" / f"{name}.xml").write_text(XML.format(name=name))
    (tmp_path / "annotations" / "trainval.txt").write_text(
        "".join(f"{name} 1 1 1\n" for name in names)
    )
    (tmp_path / "map.pbtxt").write_text("item { id: 6 name: 'Bengal' }")
    return tmp_path


def records(pattern):
    return [
        values(tf.train.Example.FromString(record), "image/filename")[0].decode()
        for path in sorted(pattern.parent.glob(pattern.name))
        for record in tf.io.tf_record_iterator(str(path))
    ]


def test_what_cannot_be_used_is_left_out(folder):
    (folder / "annotations" / "Bengal_5.xml").write_text(XML.format(name="Bengal_5"))
    (folder / "Bengal_5.jpg").write_bytes((folder / "images" / "Bengal_5.jpg").read_bytes())
    (folder / "annotations" / "xmls" / "Bengal_6.xml").write_text(XML.format(name="../Bengal_5"))
    (folder / "annotations" / "xmls" / "Bengal_1.xml").unlink()
    (folder / "images" / "Bengal_2.jpg").write_bytes(b"no picture")
    written = pets.create_tf_record(
        str(folder / "out" / "x"),
        3,
        LABELS,
        str(folder / "annotations"),
        str(folder / "images"),
        [*(f"Bengal_{number}" for number in range(4)), "../Bengal_5", "Bengal_6"],
    )
    assert written == 2
    report = json.loads((folder / "out" / "x.report.json").read_text())
    assert {one["picture"]: one["reason"] for one in report["pictures_left_out"]} == {
        "Bengal_1": "missing_annotation",
        "Bengal_2": "does_not_decode",
        "../Bengal_5": "path_outside",
        "Bengal_6": "path_outside",
    }
    assert records(folder / "out" / "x-?????-of-00003") == ["Bengal_0.jpg", "Bengal_3.jpg"]


@pytest.mark.parametrize(
    ("faces_only", "name"), [(True, "pet_faces"), (False, "pets_fullbody_with_masks")]
)
def test_program(folder, monkeypatch, faces_only, name):
    given = types.SimpleNamespace(
        data_dir=str(folder),
        output_dir=str(folder / "out"),
        label_map_path=str(folder / "map.pbtxt"),
        faces_only=faces_only,
        mask_type="png",
        num_shards=2,
    )
    monkeypatch.setattr(pets, "FLAGS", given)
    pets.main(None)
    parts = [records(folder / "out" / f"{name}_{split}.record-*") for split in ("train", "val")]
    assert [len(part) for part in parts] == [7, 3]
    assert sorted(parts[0] + parts[1]) == [f"Bengal_{number}.jpg" for number in range(10)]
    (folder / "annotations" / "trainval.txt").unlink()
    with pytest.raises(DataError, match=r"trainval\.txt"):
        pets.main(None)
    given.data_dir = str(folder / "none")
    with pytest.raises(ConfigError, match="--data_dir"):
        pets.main(None)
    given.data_dir = ""
    with pytest.raises(ConfigError, match="--data_dir"):
        pets.main(None)
