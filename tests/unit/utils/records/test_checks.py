"""The truth is the pipeline that reads records for training: what it refuses has to be skipped."""

import io
import math
import pathlib

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image

from object_detection.builders import dataset_builder
from object_detection.protos import input_reader_pb2
from object_detection.utils import dataset_util as to
from object_detection.utils.records import checks, findings, reader_rules

NAN, INF = math.nan, math.inf
HEIGHT, WIDTH, K, BOXES = 12, 16, 2, 2
BOX, POINT = "image/object/bbox/", "image/object/keypoint/"
ABSENT = object()


def picture(file_format="JPEG", height=HEIGHT, width=WIDTH, mode="RGB"):
    buffer = io.BytesIO()
    Image.new(mode, (width, height)).save(buffer, file_format)
    return buffer.getvalue()


def feature(values):
    values = list(values)
    if values and isinstance(values[0], bytes):
        return to.bytes_list_feature(values)
    if values and isinstance(values[0], int):
        return to.int64_list_feature(values)
    return to.float_list_feature(values)


def record(**changes):
    """A record of two boxes with two points each; `changes` are by name, `__` for `/`."""
    values = {
        "image/encoded": [picture()],
        "image/format": [b"jpeg"],
        "image/source_id": [b"a.jpg"],
        "image/height": [HEIGHT],
        "image/width": [WIDTH],
        f"{BOX}ymin": [0.1, 0.2],
        f"{BOX}xmin": [0.1, 0.2],
        f"{BOX}ymax": [0.5, 0.6],
        f"{BOX}xmax": [0.5, 0.6],
        "image/object/class/label": [1, 2],
        f"{POINT}y": [0.2, 0.3, 0.4, NAN],
        f"{POINT}x": [0.2, 0.3, 0.4, NAN],
    }
    values |= {name.replace("__", "/"): value for name, value in changes.items()}
    features = {name: feature(value) for name, value in values.items() if value is not ABSENT}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString()


def four(*corners):
    """Corners of two boxes (ymin, xmin, ymax, xmax) as changes."""
    columns = zip(*corners, strict=True)
    names = ("ymin", "xmin", "ymax", "xmax")
    return {f"image__object__bbox__{name}": list(c) for name, c in zip(names, columns, strict=True)}


NO_BOXES = {
    **{f"image__object__bbox__{side}": [] for side in ("ymin", "xmin", "ymax", "xmax")},
    "image__object__class__label": ABSENT,
    "image__object__keypoint__y": [],
    "image__object__keypoint__x": ABSENT,
}
GOOD = (0.1, 0.1, 0.5, 0.5)

# What may be asked for at once: a record need not have it.
MORE = {
    "load_track_id": True,
    "load_keypoint_depth_features": True,
    "load_context_features": True,
    "load_dense_pose": True,
}

# Options of the reader, changes, the code; None: nothing is wrong.
CASES = {
    "whole": ({}, {}, None),
    "no boxes": ({}, NO_BOXES, None),
    "png": ({}, {"image__encoded": [picture("PNG")], "image__format": [b"png"]}, None),
    "lists that may be absent": (
        {},
        {
            "image__object__weight": [1.0, 0.5],
            "image__object__difficult": [0, 1],
            "image__object__area": [3.0, 4.0],
            "image__object__keypoint__visibility": [2, 1, 0, 2],
        },
        None,
    ),
    "absent picture": ({}, {"image__encoded": ABSENT}, "no_picture"),
    "empty picture": ({}, {"image__encoded": [b""]}, "no_picture"),
    "no picture in the list": ({}, {"image__encoded": []}, "wrong_feature"),
    "two pictures": ({}, {"image__encoded": [picture(), picture()]}, "wrong_feature"),
    "picture of numbers": ({}, {"image__encoded": [1]}, "wrong_feature"),
    "two names": ({}, {"image__source_id": [b"a", b"b"]}, "wrong_feature"),
    "name of numbers": ({}, {"image__filename": [1]}, "wrong_feature"),
    "cut picture": ({}, {"image__encoded": [picture()[:-40]]}, "picture_does_not_decode"),
    "text for a picture": ({}, {"image__encoded": [b"a picture"]}, "picture_does_not_decode"),
    "a corner less": ({}, {"image__object__bbox__xmax": [0.5]}, "unequal_corners"),
    "no ymin": ({}, {"image__object__bbox__ymin": ABSENT}, "unequal_corners"),
    "corners as integers": ({}, {"image__object__bbox__ymin": [0, 0]}, "wrong_feature"),
    "a class less": ({}, {"image__object__class__label": [1]}, "unequal_classes"),
    "no classes": ({}, {"image__object__class__label": ABSENT}, "unequal_classes"),
    "classes alone": (
        {},
        {**NO_BOXES, "image__object__class__label": [1]},
        "unequal_classes",
    ),
    "classes as floats": ({}, {"image__object__class__label": [1.0, 2.0]}, "wrong_feature"),
    "a weight more": ({}, {"image__object__weight": [1.0] * 3}, "unequal_rows"),
    "a flag less": ({}, {"image__object__difficult": [1]}, "unequal_rows"),
    "group_of": ({}, {"image__object__group_of": [1]}, "unequal_rows"),
    "is_crowd": ({}, {"image__object__is_crowd": [0, 0, 0]}, "unequal_rows"),
    "an area less": ({}, {"image__object__area": [1.0]}, "unequal_rows"),
    "a segment's area less": ({}, {"image__object__segment__area": [1.0]}, "unequal_rows"),
    "an area that does not count": (
        {},
        {"image__object__area": [1.0, 2.0], "image__object__segment__area": [1.0]},
        None,
    ),
    "an empty list of another type": ({}, {"image__object__is_crowd": []}, "wrong_feature"),
    "class of the picture as text": ({}, {"image__class__label": [b"a"]}, "wrong_feature"),
    "a point less": ({}, {"image__object__keypoint__x": [0.2] * 3}, "unequal_keypoints"),
    "points of one box": (
        {},
        {"image__object__keypoint__y": [0.2] * 2, "image__object__keypoint__x": [0.2] * 2},
        "unequal_keypoints",
    ),
    "no points": (
        {},
        {"image__object__keypoint__y": [], "image__object__keypoint__x": []},
        "unequal_keypoints",
    ),
    "points without boxes": (
        {},
        {
            **NO_BOXES,
            "image__object__keypoint__y": [0.2] * 2,
            "image__object__keypoint__x": [0.2] * 2,
        },
        "unequal_keypoints",
    ),
    "points that are not asked for": (
        {"num_keypoints": 0},
        {"image__object__keypoint__y": [0.2]},
        None,
    ),
    "names": (
        {"label_map": True},
        {"image__object__class__text": [b"a", b"Display of b"], "image__object__class__label": [9]},
        None,
    ),
    "a name less": (
        {"label_map": True},
        {"image__object__class__text": [b"a"]},
        "unequal_classes",
    ),
    "names without a label map": ({}, {"image__object__class__text": [b"a"]}, None),
    "points by name": (
        {"use_keypoint_label_map": True},
        {
            "image__object__keypoint__y": [0.2, 0.3],
            "image__object__keypoint__x": [0.2, 0.3],
            "image__object__keypoint__text": [b"nose", b"chin"],
        },
        None,
    ),
    "a name of a point less": (
        {"use_keypoint_label_map": True},
        {"image__object__keypoint__text": [b"nose"]},
        "unequal_keypoints",
    ),
    "points by name, not the same for each box": (
        {"use_keypoint_label_map": True},
        {
            "image__object__keypoint__y": [0.2] * 3,
            "image__object__keypoint__x": [0.2] * 3,
            "image__object__keypoint__text": [b"nose"] * 3,
        },
        "unequal_keypoints",
    ),
    "masks": (
        {"load_instance_masks": True},
        {"image__object__mask": [1.0] * (BOXES * HEIGHT * WIDTH)},
        None,
    ),
    "no masks": ({"load_instance_masks": True}, {}, None),
    "part of a mask": (
        {"load_instance_masks": True},
        {"image__object__mask": [1.0] * (HEIGHT * WIDTH + 1)},
        "unequal_masks",
    ),
    "a mask less": (
        {"load_instance_masks": True},
        {"image__object__mask": [1.0] * (HEIGHT * WIDTH)},
        "unequal_masks",
    ),
    "a mask's weight less": (
        {"load_instance_masks": True},
        {
            "image__object__mask": [1.0] * (BOXES * HEIGHT * WIDTH),
            "image__object__mask__weight": [1.0],
        },
        "unequal_rows",
    ),
    "png masks": (
        {"load_instance_masks": True, "mask_type": input_reader_pb2.PNG_MASKS},
        {"image__object__mask": [picture("PNG", mode="L")] * BOXES},
        None,
    ),
    "a png mask less": (
        {"load_instance_masks": True, "mask_type": input_reader_pb2.PNG_MASKS},
        {"image__object__mask": [picture("PNG", mode="L")]},
        "unequal_masks",
    ),
    "a broken png mask": (
        {"load_instance_masks": True, "mask_type": input_reader_pb2.PNG_MASKS},
        {"image__object__mask": [picture("PNG", mode="L"), b"no"]},
        "unequal_masks",
    ),
    "png masks of two sizes": (
        {"load_instance_masks": True, "mask_type": input_reader_pb2.PNG_MASKS},
        {
            "image__object__mask": [
                picture("PNG", mode="L"),
                picture("PNG", mode="L", height=HEIGHT + 1),
            ]
        },
        "unequal_masks",
    ),
    "a channel": (
        {"num_additional_channels": 1},
        {"image__additional_channels__encoded": [picture("PNG", mode="L")]},
        None,
    ),
    "no channel": ({"num_additional_channels": 1}, {}, "unequal_channels"),
    "a broken channel": (
        {"num_additional_channels": 1},
        {"image__additional_channels__encoded": [b"no"]},
        "unequal_channels",
    ),
    "a channel in colours": (
        {"num_additional_channels": 1},
        {"image__additional_channels__encoded": [picture("JPEG")]},
        None,
    ),
    "a channel in inks": (
        {"num_additional_channels": 1},
        {"image__additional_channels__encoded": [picture("JPEG", mode="CMYK")]},
        "unequal_channels",
    ),
    "masks of other kinds": (
        {"load_instance_masks": True, "mask_type": input_reader_pb2.PNG_MASKS},
        {"image__object__mask": [picture("PNG", mode="P"), picture("PNG", mode="RGBA")]},
        None,
    ),
    "masks of JPEG and GIF": (
        {"load_instance_masks": True, "mask_type": input_reader_pb2.PNG_MASKS},
        {"image__object__mask": [picture("JPEG"), picture("GIF")]},
        "unequal_masks",
    ),
    "tracks": (MORE, {"image__object__track__label": [5, 6]}, None),
    "a track less": (MORE, {"image__object__track__label": [5]}, "unequal_rows"),
    "depths": (
        MORE,
        {"image__object__keypoint__z": [1.0] * 4, "image__object__keypoint__z__weights": [1.0] * 4},
        None,
    ),
    "context": (
        MORE,
        {"image__context_features": [1.0] * 6, "image__context_feature_length": [3]},
        None,
    ),
    "part of context": (
        MORE,
        {"image__context_features": [1.0] * 5, "image__context_feature_length": [3]},
        "unequal_lists",
    ),
    "context without length": (
        MORE,
        {"image__context_features": [1.0] * 5},
        "unequal_lists",
    ),
    "dense pose": (
        MORE,
        {
            "image__object__densepose__num": [1, 2],
            "image__object__densepose__part_index": [1, 2, 3],
            **{f"image__object__densepose__{axis}": [0.1] * 3 for axis in "yxvu"},
        },
        None,
    ),
    "dense pose, a point less": (
        MORE,
        {
            "image__object__densepose__num": [1, 2],
            "image__object__densepose__part_index": [1, 2],
            **{f"image__object__densepose__{axis}": [0.1] * 2 for axis in "yxvu"},
        },
        "unequal_lists",
    ),
    "dense pose, a list less": (
        MORE,
        {
            "image__object__densepose__num": [1, 2],
            "image__object__densepose__part_index": [1, 2, 3],
            **{f"image__object__densepose__{axis}": [0.1] * 3 for axis in "yxv"},
        },
        "unequal_lists",
    ),
}

LABEL_MAP = """
item { id: 1 name: "a" keypoints { id: 0 label: "nose" } keypoints { id: 1 label: "chin" } }
item { id: 2 name: "b" display_name: "Display of b" }
item { id: 3 name: "c" }
"""


@pytest.fixture(scope="module")
def label_map(tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.pbtxt"
    path.write_text(LABEL_MAP)
    return path


def reader_of(options, label_map, record_path="x"):
    options = {"num_keypoints": K, **options}
    if options.pop("label_map", False) or options.get("use_keypoint_label_map"):
        options["label_map_path"] = str(label_map)
    reader = input_reader_pb2.InputReader(shuffle=False, num_epochs=1, **options)
    reader.tf_record_input_reader.input_path.append(str(record_path))
    return reader


def pipeline_refuses(reader, count):
    """For each record, whether reading it for training ends in an error."""
    with tf.Graph().as_default(), tf.Session() as session:
        dataset = dataset_builder.build(reader)
        following = dataset_builder.make_initializable_iterator(dataset).get_next()
        session.run(tf.tables_initializer())

        def refuses_next():
            try:
                session.run(following)
            except (tf.errors.InvalidArgumentError, tf.errors.UnknownError):
                return True
            return False

        refused = [refuses_next() for _ in range(count)]
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(following)
    return refused


def judge(content, options, label_map, num_classes=2):
    rules = reader_rules.of_reader(reader_of(options, label_map), num_classes)
    return checks.judge(content, rules)


@pytest.mark.parametrize("name", CASES)
def test_code(name, label_map):
    options, changes, code = CASES[name]
    judged = judge(record(**changes), options, label_map)
    found = [fault.reason for fault in judged.faults]
    assert found == ([] if code is None else [code])
    assert all(fault.action == findings.SKIPPED and fault.detail for fault in judged.faults)


@pytest.mark.slow
def test_what_the_pipeline_refuses(tmp_path, label_map):
    """All cases of equal options in one file, so that there are few graphs."""
    groups = {}
    for name, (options, _, _) in CASES.items():
        groups.setdefault(str(options), []).append(name)
    for number, names in enumerate(groups.values()):
        path = tmp_path / f"{number}.record"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for name in names:
                writer.write(record(**CASES[name][1]))
        reader = reader_of(CASES[names[0]][0], label_map, path)
        refused = pipeline_refuses(reader, len(names))
        expected = [CASES[name][2] is not None for name in names]
        assert dict(zip(names, refused, strict=True)) == dict(zip(names, expected, strict=True))


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        pytest.param({}, {"image__object__keypoint__visibility": [2, 2, 2]}, id="visibilities"),
        pytest.param(
            {"load_keypoint_depth_features": True},
            {"image__object__keypoint__z": [1.0]},
            id="depths",
        ),
    ],
)
def test_lists_that_would_be_passed_over_silently(options, changes, label_map):
    judged = judge(record(**changes), options, label_map)
    assert [fault.reason for fault in judged.faults] == ["unequal_keypoints"]


@pytest.mark.parametrize(
    ("changes", "code", "action"),
    [
        pytest.param(four((NAN, 0.1, 0.5, 0.5), GOOD), "box_not_finite", "skipped", id="NaN"),
        pytest.param(four((0.1, 0.1, INF, 0.5), GOOD), "box_not_finite", "skipped", id="infinite"),
        pytest.param(four((0.5, 0.1, 0.1, 0.5), GOOD), "box_inverted", "repaired", id="inverted"),
        pytest.param(
            four((0.1, 0.1, 0.1, 0.5), GOOD), "box_without_area", "skipped", id="no height"
        ),
        pytest.param(
            four((0.1, 1.0, 0.2, 1.5), GOOD), "box_not_in_picture", "repaired", id="beside it"
        ),
        pytest.param(
            four((-0.3, 0.1, 0.0, 0.5), GOOD), "box_not_in_picture", "repaired", id="above it"
        ),
        pytest.param(
            four((-0.1, 0.1, 0.5, 0.5), GOOD), "box_outside", "repaired", id="over the edge"
        ),
        pytest.param(four((0.1, 0.1, 0.5, 1.1), GOOD), "box_outside", "repaired", id="right edge"),
        pytest.param(four((-1e-4, 0.1, 0.5, 1.0009), GOOD), None, None, id="rounding"),
        pytest.param(four((0.0, 0.0, 1.0, 1.0), GOOD), None, None, id="the whole picture"),
        pytest.param(
            {"image__object__class__label": [0, 1]}, "class_out_of_range", "skipped", id="0"
        ),
        pytest.param(
            {"image__object__class__label": [-1, 1]}, "class_out_of_range", "skipped", id="-1"
        ),
        pytest.param(
            {"image__object__class__label": [3, 1]}, "class_out_of_range", "skipped", id="3"
        ),
        pytest.param(
            {"image__object__keypoint__y": [NAN, 0.3, 0.4, NAN]},
            "keypoint_not_finite",
            "repaired",
            id="half a point",
        ),
        pytest.param(
            {"image__object__keypoint__y": [-INF, 0.3, 0.4, NAN]},
            "keypoint_not_finite",
            "repaired",
            id="infinite point",
        ),
        pytest.param(
            {
                "image__object__keypoint__y": [NAN, 0.3, 0.4, NAN],
                "image__object__keypoint__visibility": [0, 2, 2, 0],
            },
            None,
            None,
            id="half a point that is not labelled",
        ),
        pytest.param({"image__width": [WIDTH + 1]}, "size_differs", "noted", id="width"),
        pytest.param({"image__height": [HEIGHT - 1]}, "size_differs", "noted", id="height"),
        pytest.param({"image__height": [0.5]}, None, None, id="height that nobody reads"),
        pytest.param({"image__format": [b"png"]}, "format_differs", "noted", id="format"),
        pytest.param({"image__format": [b"JPG"]}, None, None, id="jpg"),
        pytest.param({"image__format": [b"\xff\xfe"]}, "format_differs", "noted", id="no format"),
    ],
)
def test_what_is_mended_or_noted(changes, code, action, label_map):
    judged = judge(record(**changes), {}, label_map)
    found = [(fault.reason, fault.action) for fault in judged.faults]
    assert found == ([] if code is None else [(code, action)])
    assert judged.source_id == "a.jpg"


def test_a_box_is_counted_once_and_all_boxes_are_named(label_map):
    corners = four((1.5, 0.1, 1.2, 0.5), (0.5, 0.5, 0.4, 0.6))
    judged = judge(record(**corners), {"num_keypoints": 0}, label_map)
    assert [fault.reason for fault in judged.faults] == ["box_not_in_picture", "box_inverted"]
    assert judged.faults[0].detail.startswith("box 1 of 2: ymin, xmin, ymax, xmax = 1.5, 0.1")
    assert judged.faults[1].detail.startswith("box 2 of 2:")


def test_boxes_whose_place_nobody_can_know_are_named(label_map):
    corners = four((NAN, 0.1, 0.5, 0.5), (0.5, 0.5, 0.5, 0.6))
    (fault,) = judge(record(**corners), {"num_keypoints": 0}, label_map).faults
    assert (fault.reason, fault.action) == ("box_not_finite", "skipped")
    assert fault.detail.startswith("box 1 of 2: ymin, xmin, ymax, xmax = nan, 0.1")


def test_names_the_model_does_not_have(label_map):
    names = {"image__object__class__text": [b"a", b"c"]}
    for content, count, codes in (
        (record(**names), 3, []),
        # The label map has it, but the model has only two classes.
        (record(**names), 2, ["class_unknown"]),
        (record(image__object__class__text=[b"a", b"\xff"]), 3, ["class_unknown"]),
    ):
        judged = judge(content, {"label_map": True}, label_map, count)
        assert [fault.reason for fault in judged.faults] == codes


def test_too_large(label_map):
    reader = reader_of({}, label_map)
    rules = reader_rules.of_reader(reader, 2, max_megapixels=HEIGHT * WIDTH / 1e6)
    assert not checks.judge(record(), rules).faults
    rules = reader_rules.of_reader(reader, 2, max_megapixels=(HEIGHT * WIDTH - 1) / 1e6)
    (fault,) = checks.judge(record(), rules).faults
    assert (fault.reason, fault.action) == ("picture_too_large", "skipped")
    assert f"{WIDTH} x {HEIGHT}" in fault.detail


@pytest.mark.parametrize(
    ("content", "word"),
    [
        pytest.param(b"some text that is no message", "no message", id="text"),
        pytest.param(b"", "image/", id="nothing"),
        pytest.param(
            tf.train.SequenceExample(
                feature_lists=tf.train.FeatureLists(
                    feature_list={"image/encoded": tf.train.FeatureList(feature=[])}
                )
            ).SerializeToString(),
            "SequenceExample",
            id="sequence",
        ),
        pytest.param(tf.train.Example().SerializeToString(), "image/", id="empty message"),
        pytest.param(
            tf.train.Example(
                features=tf.train.Features(feature={"other": to.int64_feature(1)})
            ).SerializeToString(),
            "image/",
            id="other keys",
        ),
    ],
)
def test_other_messages(content, word, label_map):
    (fault,) = judge(content, {}, label_map).faults
    assert (fault.reason, fault.action) == ("not_an_example", "skipped")
    assert word in fault.detail


def test_names_of_records_are_made_fit_for_a_console(label_map):
    judged = judge(record(image__source_id=[b"\x1b[2Ja\n\xff" + b"x" * 1000]), {}, label_map)
    assert judged.source_id.startswith("?[2Ja?")
    assert len(judged.source_id) <= 200


def test_sequences_are_not_judged_by_the_rules_of_examples(label_map):
    reader = input_reader_pb2.InputReader(
        input_type=input_reader_pb2.TF_SEQUENCE_EXAMPLE, label_map_path=str(label_map)
    )
    assert not reader_rules.of_reader(reader, 1).examples


def test_every_code_has_words():
    source = "".join(path.read_text() for path in pathlib.Path(checks.__file__).parent.glob("*.py"))
    for reason in findings.reasons():
        assert findings.text(reason)
        assert source.count(f'"{reason}"') + ("picture" in reason) >= 2, f"nobody finds {reason}"


@pytest.mark.slow
def test_damaged_messages_that_are_taken_are_read(tmp_path, label_map):
    """Changed, lost and doubled bytes of a record; whatever they make of it ends in a judgement."""
    random = np.random.default_rng(0)
    path = tmp_path / "damaged.record"
    reader = reader_of({}, label_map, path)
    rules = reader_rules.of_reader(reader, 2)
    taken = 0
    with tf.io.TFRecordWriter(str(path)) as writer:
        for _ in range(1500):
            damaged = bytearray(record())
            for _ in range(random.integers(1, 4)):
                place = int(random.integers(len(damaged)))
                kind = random.integers(3)
                if kind == 0:
                    damaged[place] = random.integers(256)
                elif kind == 1:
                    del damaged[place : place + int(random.integers(1, 20))]
                else:
                    damaged[place:place] = damaged[place : place + int(random.integers(1, 20))]
            judged = checks.judge(bytes(damaged), rules)
            for fault in judged.faults:
                assert fault.reason in findings.reasons()
                assert fault.action in findings.ACTIONS
                assert fault.detail
            if all(fault.action != findings.SKIPPED for fault in judged.faults):
                writer.write(bytes(damaged))
                taken += 1
    assert taken > 50
    assert not any(pipeline_refuses(reader, taken))
