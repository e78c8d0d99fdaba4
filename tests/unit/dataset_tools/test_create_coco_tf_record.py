import hashlib
import io
import json
import math
import types

import numpy as np
import PIL.Image
import pycocotools.coco
import pycocotools.cocoeval
import pycocotools.mask
import pytest
import tensorflow.compat.v1 as tf

from object_detection.builders import dataset_builder
from object_detection.core.standard_fields import InputDataFields as F
from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder
from object_detection.dataset_tools import coco_checks
from object_detection.dataset_tools import create_coco_tf_record as coco
from object_detection.errors import ConfigError, DataError, PictureError
from object_detection.keypoints import schema
from object_detection.metrics import coco_evaluation, coco_tools
from object_detection.protos import input_reader_pb2

HEIGHT, WIDTH = 100, 200
CATEGORIES = {1: {"id": 1, "name": "person"}, 3: {"id": 3, "name": "car"}}
IMAGE = {"file_name": "a.jpg", "height": HEIGHT, "width": WIDTH, "id": 11}


@pytest.fixture
def pictures(tmp_path):
    image = PIL.Image.fromarray(np.full([HEIGHT, WIDTH, 3], 90, np.uint8))
    image.save(tmp_path / "a.jpg")
    return tmp_path


def annotation(number, bbox, category=1, **more):
    return {
        "id": number,
        "image_id": 11,
        "category_id": category,
        "bbox": bbox,
        "area": 50.0,
        "iscrowd": 0,
        **more,
    }


def values(example, key):
    feature = example.features.feature[key]
    return list(getattr(feature, feature.WhichOneof("kind")).value)


def test_picture_without_objects(pictures):
    key, example, *skipped = coco.create_tf_example(IMAGE, [], str(pictures), CATEGORIES)
    content = (pictures / "a.jpg").read_bytes()
    assert key == hashlib.sha256(content).hexdigest()
    assert skipped == [0, 0, 0]
    assert values(example, "image/encoded") == [content]
    assert values(example, "image/format") == [b"jpeg"]
    assert values(example, "image/filename") == [b"a.jpg"]
    assert values(example, "image/source_id") == [b"11"]
    assert values(example, "image/key/sha256") == [key.encode()]
    assert (values(example, "image/height"), values(example, "image/width")) == ([100], [200])
    assert values(example, "image/object/bbox/ymin") == []


def test_boxes_are_normalised_and_bad_ones_counted(pictures):
    annotations = [
        annotation(1, [50, 25, 100, 50], 3, iscrowd=1),
        annotation(2, [0, 0, 0, 10]),
        annotation(3, [0, 0, 10, -1]),
        annotation(4, [150, 0, 51, 10]),
        annotation(5, [0, 90, 10, 11]),
        annotation(6, [0, 0, 200, 100]),
    ]
    result = coco.create_tf_example(IMAGE, annotations, str(pictures), CATEGORIES)
    assert result.num_annotations_skipped == 4
    example = result.example
    assert values(example, "image/object/bbox/xmin") == [0.25, 0]
    assert values(example, "image/object/bbox/xmax") == [0.75, 1]
    assert values(example, "image/object/bbox/ymin") == [0.25, 0]
    assert values(example, "image/object/bbox/ymax") == [0.75, 1]
    assert values(example, "image/object/class/text") == [b"car", b"person"]
    assert values(example, "image/object/is_crowd") == [1, 0]
    assert values(example, "image/object/area") == [50, 50]
    assert "image/object/mask" not in example.features.feature
    assert "image/object/keypoint/x" not in example.features.feature


def test_masks_of_polygons_and_of_runs(pictures):
    polygons = [[0, 0, 10, 0, 10, 5, 0, 5], [100, 50, 110, 50, 110, 60, 100, 60]]
    # Column by column: 300 pixels outside, then the column x = 3, then the rest.
    runs = {"counts": [300, 100, 19600], "size": [HEIGHT, WIDTH]}
    annotations = [
        annotation(1, [0, 0, 110, 60], segmentation=polygons),
        annotation(2, [3, 0, 1, 100], segmentation=runs, iscrowd=1),
    ]
    result = coco.create_tf_example(
        IMAGE, annotations, str(pictures), CATEGORIES, include_masks=True
    )
    masks = [
        np.array(PIL.Image.open(io.BytesIO(encoded)))
        for encoded in values(result.example, "image/object/mask")
    ]
    expected = np.zeros([2, HEIGHT, WIDTH], np.uint8)
    expected[0, 0:5, 0:10] = expected[0, 50:60, 100:110] = 1
    expected[1, :, 3] = 1
    np.testing.assert_array_equal(masks, expected)


def test_keypoints(pictures):
    points = [0] * 51
    points[:6] = [20, 50, 2, 40, 25, 1]
    labelled = {
        1: {"id": 1, "keypoints": points, "num_keypoints": 2},
        9: {"id": 9, "keypoints": points, "num_keypoints": 2},
    }
    annotations = [annotation(5, [0, 0, 9, 9], 3), annotation(1, [0, 0, 50, 50])]
    result = coco.create_tf_example(
        IMAGE, annotations, str(pictures), CATEGORIES, keypoint_annotations_dict=labelled
    )
    assert result.num_keypoint_annotation_skipped == 1
    example = result.example
    assert values(example, "image/object/keypoint/num") == [0, 2]
    x, y, seen = (
        np.reshape(values(example, f"image/object/keypoint/{key}"), [2, 17])
        for key in ("x", "y", "visibility")
    )
    np.testing.assert_allclose(x[1, :3], [0.1, 0.2, 0])
    np.testing.assert_allclose(y[1, :3], [0.5, 0.25, 0])
    assert not x[0].any()
    np.testing.assert_array_equal(seen[1, :3], [2, 1, 0])
    assert not seen[0].any()
    assert values(example, "image/object/keypoint/text") == coco._COCO_KEYPOINT_NAMES * 2
    labelled[1]["keypoints"] = [1, 2]
    with pytest.raises(DataError, match="annotation 1: has 2 numbers"):
        coco.create_tf_example(
            IMAGE, annotations, str(pictures), CATEGORIES, keypoint_annotations_dict=labelled
        )


def test_keypoint_names_are_those_of_the_data_set(shared_data):
    path = shared_data / "coco_persons/coco_mini/annotations/person_keypoints_val2017.json"
    (category,) = json.loads(path.read_text())["categories"]
    assert [name.decode() for name in coco._COCO_KEYPOINT_NAMES] == category["keypoints"]
    assert len(set(coco._COCO_PART_NAMES)) == 24


def test_densepose_points_lie_in_the_picture(pictures):
    labelled = {
        1: {
            "dp_I": [1, 24],
            "dp_x": [0, 300],
            "dp_y": [128, 64],
            "dp_U": [0.1, 0.2],
            "dp_V": [0.3, 0.4],
        },
        2: {"id": 2},
    }
    annotations = [annotation(2, [0, 0, 9, 9]), annotation(1, [50, 25, 100, 50])]
    result = coco.create_tf_example(
        IMAGE, annotations, str(pictures), CATEGORIES, densepose_annotations_dict=labelled
    )
    assert result.num_densepose_annotation_skipped == 1
    example = result.example
    assert values(example, "image/object/densepose/num") == [0, 2]
    assert values(example, "image/object/densepose/part_index") == [0, 23]
    # 300 is beyond the grid of 256, so it lies on the box's edge.
    np.testing.assert_allclose(values(example, "image/object/densepose/x"), [0.25, 0.75])
    np.testing.assert_allclose(values(example, "image/object/densepose/y"), [0.5, 0.375])
    np.testing.assert_allclose(values(example, "image/object/densepose/u"), [0.1, 0.2])
    np.testing.assert_allclose(values(example, "image/object/densepose/v"), [0.3, 0.4])


def test_only_persons(pictures):
    annotations = [annotation(1, [0, 0, 9, 9], 3), annotation(2, [0, 0, 5, 5])]
    result = coco.create_tf_example(
        IMAGE, annotations, str(pictures), CATEGORIES, remove_non_person_annotations=True
    )
    assert values(result.example, "image/object/class/text") == [b"person"]
    assert result.num_annotations_skipped == 1
    for objects, kept in ((annotations, True), (annotations[:1], False)):
        result = coco.create_tf_example(
            IMAGE, objects, str(pictures), CATEGORIES, remove_non_person_images=True
        )
        assert (result.example is not None) == kept


@pytest.mark.parametrize(("x", "expected"), [(-0.5, 0), (0, 0), (0.25, 0.25), (1, 1), (1.5, 1)])
def test_clip_to_unit(x, expected):
    assert coco.clip_to_unit(x) == expected


@pytest.mark.parametrize(
    ("image", "annotations", "words"),
    [
        ({**IMAGE, "file_name": "none.jpg"}, [], r"none\.jpg: missing"),
        (IMAGE, [annotation(7, [0, 0, 5, 5], 8)], "annotation 7: category_id 8"),
        (
            IMAGE,
            [{"id": 7, "bbox": [0, 0, 1, 1]}],
            r"a\.jpg: annotation 7: has no area, category_id",
        ),
    ],
)
def test_bad_input_is_named(pictures, image, annotations, words):
    with pytest.raises(DataError, match=words):
        coco.create_tf_example(image, annotations, str(pictures), CATEGORIES)


def write_json(path, annotations):
    content = {
        "images": [IMAGE, {**IMAGE, "id": 12}, {**IMAGE, "id": 13}],
        "categories": list(CATEGORIES.values()),
        "annotations": annotations,
    }
    path.write_text(json.dumps(content))
    return str(path)


@pytest.fixture
def program(monkeypatch):
    """The program with flags of its own."""

    def run(**given):
        empty = {
            f"{split}_{what}": ""
            for split in ("train", "val", "test", "testdev")
            for what in (
                "image_dir",
                "annotations_file",
                "keypoint_annotations_file",
                "densepose_annotations_file",
            )
        }
        switches = dict.fromkeys(
            ("include_masks", "remove_non_person_annotations", "remove_non_person_images"), False
        )
        values = types.SimpleNamespace(**{**empty, **switches, **given})
        monkeypatch.setattr(coco, "FLAGS", values)
        return coco.main(None)

    return run


def test_program_writes_shards(pictures, program):
    names = write_json(pictures / "a.json", [annotation(1, [0, 0, 9, 9])])
    output = pictures / "new" / "folder"
    said = program(val_image_dir=str(pictures), val_annotations_file=names, output_dir=str(output))
    assert "3 of 3 pictures" in said
    assert len(list(output.iterdir())) == 50 + 1
    assert json.loads((output / "coco_val.record.report.json").read_text())["pictures"] == {
        "seen": 3,
        "written": 3,
        "left_out": 0,
    }
    found = [
        example
        for path in sorted(output.glob("coco_val.record-?????-of-00050"))
        for example in tf.io.tf_record_iterator(str(path))
    ]
    assert len(found) == 3


def test_nothing_is_left_of_a_conversion_that_failed(pictures):
    names = write_json(pictures / "a.json", [annotation(1, [0, 0, 9, 9], 77)])
    before = sorted(pictures.iterdir())
    with pytest.raises(DataError, match="category_id 77"):
        coco._create_tf_record_from_coco_annotations(
            names, str(pictures), str(pictures / "x.record"), False, 2
        )
    assert sorted(pictures.iterdir()) == before


def test_pictures_that_cannot_be_used_are_left_out_with_their_reasons(pictures, program):
    (pictures.parent / "secret.jpg").write_bytes((pictures / "a.jpg").read_bytes())
    (pictures / "cut.jpg").write_bytes((pictures / "a.jpg").read_bytes()[:-30])
    changes = [
        ({}, None),
        ({"file_name": "none.jpg"}, "missing"),
        ({"file_name": "../secret.jpg"}, "path_outside"),
        ({"file_name": str(pictures.parent / "secret.jpg")}, "path_outside"),
        ({"file_name": "cut.jpg"}, "does_not_decode"),
        ({"file_name": ["a.jpg"]}, "bad_annotation"),
        ({"file_name": "\ud800.jpg"}, "bad_annotation"),
        ({"height": 0}, "bad_annotation"),
        ({"height": "x"}, "bad_annotation"),
        ({"width": 1e400}, "bad_annotation"),
        ({"height": 10**6, "width": 10**6}, "too_large"),
    ]
    images = [{**IMAGE, **change, "id": number} for number, (change, _) in enumerate(changes)]
    content = {"images": images, "categories": list(CATEGORIES.values()), "annotations": []}
    (pictures / "a.json").write_text(json.dumps(content))
    flags = {"val_image_dir": str(pictures), "val_annotations_file": str(pictures / "a.json")}
    said = program(**flags, output_dir=str(pictures / "out"))
    assert f"1 of {len(images)} pictures" in said
    assert "2 path_outside" in said
    report = json.loads((pictures / "out" / "coco_val.record.report.json").read_text())
    assert [entry["reason"] for entry in report["pictures_left_out"]] == [
        reason for _, reason in changes if reason
    ]
    content["images"] = images[1:]
    (pictures / "a.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="All 10 pictures are left out"):
        program(**flags, output_dir=str(pictures / "other"))
    assert [path.name for path in (pictures / "other").iterdir()] == ["coco_val.record.report.json"]


@pytest.mark.parametrize(
    "change",
    [
        {"bbox": [0, 0, 1]},
        {"bbox": [0, 0, 1, math.nan]},
        {"bbox": "0011"},
        {"category_id": "1"},
        {"area": None},
        {"iscrowd": 7},
        {"segmentation": None},
        {"segmentation": []},
        {"segmentation": [[0, 0, 5, 5]]},
        {"segmentation": [[0, 0, 5, 0, 5, 1e300]]},
        {"segmentation": [[0, 0, 5, 0, 5, 401]]},
        {"segmentation": [[0, 0, 5, 0, 5, "5"]]},
        {"segmentation": [[0, 0] + [0, 100, 100, 0] * 30_000]},
        {"segmentation": [[0, 0] * 100_001]},
        {"segmentation": {"counts": [1, 2], "size": [HEIGHT, WIDTH]}},
        {"segmentation": {"counts": [-1, HEIGHT * WIDTH + 1], "size": [HEIGHT, WIDTH]}},
        {"segmentation": {"counts": [HEIGHT * WIDTH], "size": [WIDTH, HEIGHT]}},
        {"segmentation": {"counts": "0T3", "size": [HEIGHT, WIDTH]}},
        {"segmentation": {"counts": "o" * 40, "size": [HEIGHT, WIDTH]}},
        {"segmentation": {"counts": "\x7f\xff", "size": [HEIGHT, WIDTH]}},
        {"segmentation": {"counts": None, "size": [HEIGHT, WIDTH]}},
    ],
)
def test_annotations_that_are_not_as_documented_leave_the_picture_out(pictures, change):
    polygon = [[0, 0, 10, 0, 10, 5, 0, 5]]
    with pytest.raises(PictureError) as error:
        coco.create_tf_example(
            IMAGE,
            [{**annotation(1, [0, 0, 9, 9], segmentation=polygon), **change}],
            str(pictures),
            CATEGORIES,
            include_masks=True,
        )
    assert error.value.reason == "bad_annotation"
    assert "annotation 1" in str(error.value)


def test_run_length_codes_are_read_as_pycocotools_writes_them():
    random = np.random.default_rng(0)
    for share in (0.0, 0.001, 0.1, 0.5, 1.0):
        mask = (random.random([HEIGHT, WIDTH]) < share).astype(np.uint8)
        code = pycocotools.mask.encode(np.asfortranarray(mask))["counts"].decode()
        flat = mask.ravel(order="F")
        edges = np.flatnonzero(np.diff(flat)) + 1
        expected = np.diff([0, *edges, flat.size]).tolist()
        assert coco_checks._runs(code) == ([0] if flat[0] else []) + expected
        coco_checks.check_segmentation(
            {"segmentation": {"counts": code, "size": [HEIGHT, WIDTH]}}, HEIGHT, WIDTH
        )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "--train_image_dir"),
        ({"test_image_dir": "x"}, "--test_image_dir and --testdev_annotations_file"),
    ],
)
def test_program_asks_for_what_it_needs(program, options, words):
    with pytest.raises(ConfigError, match=words):
        program(**options)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "{}",
        "[]",
        "7",
        "[" * 100_000,
        '{"images": 3, "categories": []}',
        '{"images": [3], "categories": []}',
        '{"images": [{}], "categories": []}',
        '{"images": [{"id": []}], "categories": []}',
        '{"images": [{"id": "\\ud800"}], "categories": []}',
        '{"images": [], "categories": [{"id": 1, "name": "\\ud800"}]}',
        '{"images": [], "categories": [{"id": 1}]}',
        '{"images": [], "categories": [{"id": 1, "name": "a"}], "annotations": [{"id": 1}]}',
    ],
)
def test_what_is_not_coco_is_refused(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError, match=r"a\.json"):
        coco._create_tf_record_from_coco_annotations(
            str(tmp_path / "a.json"), str(tmp_path), str(tmp_path / "x"), False, 1
        )


def test_real_persons_reach_the_reader(shared_data, tmp_path, run):
    """Boxes, 17 keypoints and masks of real pictures, compared with the JSON file."""
    folder = shared_data / "coco_persons" / "mmpose_tests_coco"
    content = json.loads((folder / "test_coco.json").read_text())
    path = str(folder / "test_coco.json")
    coco._create_tf_record_from_coco_annotations(
        path, str(folder), str(tmp_path / "p.record"), True, 2, keypoint_annotations_file=path
    )
    reader = input_reader_pb2.InputReader(
        num_keypoints=17,
        shuffle=False,
        num_epochs=1,
        load_instance_masks=True,
        mask_type=input_reader_pb2.PNG_MASKS,
    )
    reader.tf_record_input_reader.input_path.append(str(tmp_path / "p.record-?????-of-00002"))
    following = dataset_builder.make_initializable_iterator(
        dataset_builder.build(reader)
    ).get_next()
    by_picture = {}
    with tf.Session() as session:
        session.run(tf.tables_initializer())
        for _ in content["images"]:
            sample = session.run(following)
            by_picture[int(sample[F.source_id])] = sample
    for image in content["images"]:
        sample = by_picture[image["id"]]
        objects = [one for one in content["annotations"] if one["image_id"] == image["id"]]
        size = np.array([image["height"], image["width"]])
        left, top, width, height = np.array([one["bbox"] for one in objects]).T
        np.testing.assert_allclose(
            sample[F.groundtruth_boxes] * np.tile(size, 2),
            np.stack([top, left, top + height, left + width], axis=1),
            atol=1e-3,
        )
        points = np.array([one["keypoints"] for one in objects], float).reshape([-1, 17, 3])
        expected = np.where(points[..., 2:] > 0, points[..., 1::-1], np.nan)
        np.testing.assert_allclose(sample[F.groundtruth_keypoints] * size, expected, atol=1e-3)
        np.testing.assert_array_equal(
            sample[F.groundtruth_keypoint_visibilities], points[..., 2] > 0
        )
        areas = sample[F.groundtruth_instance_masks].sum(axis=(1, 2))
        crowd = sample[F.groundtruth_is_crowd]
        np.testing.assert_allclose(areas[~crowd], sample[F.groundtruth_area][~crowd], rtol=0.1)


def test_decoder_reads_keypoints_by_name(pictures, tmp_path, run):
    label_map = tmp_path / "map.pbtxt"
    label_map.write_text(
        "item { id: 1 name: 'person' keypoints { id: 0 label: 'left_eye' } "
        "keypoints { id: 1 label: 'nose' } }"
    )
    points = [0] * 51
    points[:6] = [20, 50, 2, 40, 25, 1]
    result = coco.create_tf_example(
        IMAGE,
        [annotation(1, [0, 0, 50, 50])],
        str(pictures),
        CATEGORIES,
        keypoint_annotations_dict={1: {"keypoints": points, "num_keypoints": 2}},
    )
    decoder = TfExampleDecoder(
        label_map_proto_file=str(label_map), num_keypoints=2, use_keypoint_label_map=True
    )
    source = tf.placeholder(tf.string, [])
    sample = run(decoder.decode(source), {source: result.example.SerializeToString()})
    np.testing.assert_allclose(sample[F.groundtruth_keypoints], [[[0.25, 0.2], [0.5, 0.1]]])


def _noisy_results(content, seed):
    """COCO results: each labelled person a few pixels off, twice with other scores; and strays."""
    random = np.random.RandomState(seed)
    results = []
    for one in content["annotations"]:
        points = np.reshape(one["keypoints"], [17, 3]).astype(float)
        size = np.sqrt(one["area"])
        for _ in range(2):
            moved = points[:, :2] + random.normal(
                0, random.choice([0.01, 0.05, 0.2]) * size, [17, 2]
            )
            results.append(
                {
                    "image_id": one["image_id"],
                    "category_id": 1,
                    "bbox": one["bbox"],
                    "keypoints": np.hstack([moved, np.full([17, 1], 2.0)]).ravel().tolist(),
                    "score": float(random.uniform()),
                }
            )
    return results


def test_the_evaluator_sees_in_records_what_coco_sees_in_its_file(shared_data, tmp_path):
    """Points, areas, crowds and persons without points: OKS-AP of the record is that of the JSON."""
    folder = shared_data / "coco_persons" / "coco_mini"
    path = str(folder / "annotations" / "person_keypoints_train2017.json")
    coco._create_tf_record_from_coco_annotations(
        path, str(folder / "train2017"), str(tmp_path / "x.record"), False, 1, path
    )
    content = json.loads((folder / "annotations" / "person_keypoints_train2017.json").read_text())
    results = _noisy_results(content, seed=3)

    truth = pycocotools.coco.COCO(path)
    expected = pycocotools.cocoeval.COCOeval(truth, truth.loadRes(results), "keypoints")
    expected.evaluate()
    expected.accumulate()
    expected.summarize()

    evaluator = coco_evaluation.CocoKeypointEvaluator(
        1,
        [{"id": index, "name": name} for index, name in enumerate(schema.load("coco17").names)],
        "person",
        dict(zip(schema.load("coco17").names, schema.load("coco17").sigmas, strict=True)),
    )
    serialized = tf.placeholder(tf.string, [])
    decoded = TfExampleDecoder(num_keypoints=17).decode(serialized)
    keys = (
        F.groundtruth_boxes,
        F.groundtruth_classes,
        F.groundtruth_keypoints,
        F.groundtruth_keypoint_visibilities,
        F.groundtruth_is_crowd,
        F.groundtruth_area,
    )
    fetched = {key: decoded[key] for key in (*keys, F.source_id, F.original_image_spatial_shape)}
    with tf.Session() as session:
        session.run(tf.tables_initializer())
        for record in tf.io.tf_record_iterator(str(tmp_path / "x.record-00000-of-00001")):
            found = session.run(fetched, {serialized: record})
            size = found.pop(F.original_image_spatial_shape)
            number = int(found.pop(F.source_id))
            found[F.groundtruth_boxes] *= np.tile(size, 2)
            found[F.groundtruth_keypoints] *= size
            evaluator.add_single_ground_truth_image_info(number, found)
            mine = [one for one in results if one["image_id"] == number]
            x, y, width, height = np.reshape([one["bbox"] for one in mine], [-1, 4]).T
            points = np.reshape([one["keypoints"] for one in mine], [-1, 17, 3])
            evaluator.add_single_detected_image_info(
                number,
                {
                    "detection_boxes": np.stack([y, x, y + height, x + width], axis=1),
                    "detection_scores": np.array([one["score"] for one in mine]),
                    "detection_classes": np.ones(len(mine), int),
                    "detection_keypoints": points[..., 1::-1],
                },
            )
    ours = evaluator.evaluate()
    assert 0.2 < expected.stats[0] < 0.8
    for metric, index in coco_tools.COCO_KEYPOINT_METRIC_NAMES_AND_INDEX:
        found = ours[f"Keypoints_{metric} ByCategory/person"]
        np.testing.assert_allclose(found, expected.stats[index], atol=1e-6, err_msg=metric)
