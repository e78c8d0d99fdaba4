"""One named set fills a config, contradictions name both places, and saved configs stand alone."""

import json
import pathlib

import pytest
from google.protobuf import text_format

from object_detection.errors import ConfigError
from object_detection.keypoints import schema as schemas
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_util, keypoint_config

REPO = pathlib.Path(__file__).resolve().parents[3]
EXAMPLES = sorted((REPO / "keypoint_examples").glob("pipeline_*.config"))

BARE = """
model { ssd {
  box_coder { keypoint_box_coder {} }
  box_predictor { convolutional_box_predictor {} }
  loss { keypoint_loss { oks {} } }
} }
train_config {
  data_augmentation_options { ssd_random_crop {} }
  data_augmentation_options { random_horizontal_flip { probability: 0.25 } }
  data_augmentation_options { random_vertical_flip {} }
}
train_input_reader {}
eval_config { parameterized_metric { coco_keypoint_metrics { class_label: "x" } } }
eval_input_reader {} eval_input_reader {}
"""
TOOL = {
    "keypoints": [
        {"name": "left", "mirror": "right", "sigma": 0.1, "color": "#010203"},
        {"name": "tip"},
        {"name": "right", "color": "#0000ff"},
    ],
    "limbs": [["left", "tip"], ["tip", "right"]],
}


def _parse(text):
    return text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())


def _changes(before, after, path=""):
    """Dotted paths of the fields that `after` has and `before` has not, or has otherwise."""
    names = {field.name for field, _ in before.ListFields()}
    for field, value in after.ListFields():
        here = f"{path}{field.name}"
        old = getattr(before, field.name)
        if field.name not in names and not (field.message_type and not field.is_repeated):
            yield here
        elif field.message_type and field.is_repeated and len(old) == len(value):
            for number, (one, other) in enumerate(zip(old, value, strict=True)):
                yield from _changes(one, other, f"{here}[{number}].")
        elif field.message_type and not field.is_repeated:
            yield from _changes(old, value, f"{here}.")
        elif old != value:
            yield here


@pytest.mark.parametrize(
    "text",
    [
        "",
        "model { ssd {} }",
        "model { faster_rcnn {} } train_input_reader { label_map_path: 'none.pbtxt' }",
        "model { ssd { box_coder { keypoint_box_coder { num_keypoints: 2 } } } } eval_config {}",
    ],
    ids=["empty", "no coder", "two stages", "K by hand"],
)
def test_without_a_set_nothing_changes(text):
    config = _parse(text)
    assert config_util.completed(config) is config


def test_all_follows_from_the_name_of_a_set():
    before = _parse(BARE + 'keypoints { schema: "face5" }')
    after = config_util.completed(before)
    # Counted by hand: 5 points, eyes and corners of the mouth change places.
    assert after.model.ssd.box_coder.keypoint_box_coder.num_keypoints == 5
    assert after.model.ssd.box_predictor.convolutional_box_predictor.box_code_size == 14
    sigmas = [0.025, 0.025, 0.026, 0.025, 0.025]
    assert list(after.model.ssd.loss.keypoint_loss.oks.sigmas) == pytest.approx(sigmas)
    steps = after.train_config.data_augmentation_options
    assert list(steps[1].random_horizontal_flip.keypoint_flip_permutation) == [1, 0, 2, 4, 3]
    assert steps[1].random_horizontal_flip.probability == 0.25
    assert list(steps[2].random_vertical_flip.keypoint_flip_permutation) == [1, 0, 2, 4, 3]
    readers = [after.train_input_reader, *after.eval_input_reader]
    assert [reader.num_keypoints for reader in readers] == [5, 5, 5]
    edges = [(edge.start, edge.end) for edge in after.eval_config.keypoint_edge]
    assert edges == [(0, 2), (1, 2), (2, 3), (2, 4), (3, 4)]
    names = ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"]
    assert list(after.eval_config.keypoint_names) == names
    assert list(after.eval_config.oks_sigmas) == pytest.approx(sigmas)
    coco = after.eval_config.parameterized_metric[0].coco_keypoint_metrics
    assert dict(coco.keypoint_label_to_sigmas) == pytest.approx(
        dict(zip(names, sigmas, strict=True))
    )
    # The message that was given stays, and completing twice is completing once.
    assert before == _parse(BARE + 'keypoints { schema: "face5" }')
    assert config_util.completed(after) is after


def test_a_weight_shared_predictor_and_no_coder():
    text = "model { ssd { box_predictor { weight_shared_convolutional_box_predictor {} } } }"
    after = config_util.completed(_parse(text + 'keypoints { schema: "coco17" }'))
    ssd = after.model.ssd
    assert ssd.box_predictor.weight_shared_convolutional_box_predictor.box_code_size == 38
    assert ssd.box_coder.keypoint_box_coder.num_keypoints == 17
    # Parts that are not there are not made.
    assert {field.name for field, _ in after.ListFields()} == {"model", "keypoints"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_say_by_name_what_they_said_by_numbers(path):
    raw = _parse(path.read_text())
    if raw.keypoints.schema != "face5":
        pytest.skip("an example of other keypoints")
    raw.ClearField("max_boxes_per_image")  # which fills other fields
    after = config_util.completed(raw)
    changed = set(_changes(raw, after))
    predictor = raw.model.ssd.box_predictor.WhichOneof("box_predictor_oneof")
    expected = {
        "model.ssd.box_coder.keypoint_box_coder.num_keypoints": 5,
        f"model.ssd.box_predictor.{predictor}.box_code_size": 14,
        "train_input_reader.num_keypoints": 5,
        **{
            f"eval_input_reader[{number}].num_keypoints": 5
            for number in range(len(raw.eval_input_reader))
        },
    }
    flips = {
        f"train_config.data_augmentation_options[{number}].random_horizontal_flip"
        ".keypoint_flip_permutation": [1, 0, 2, 4, 3]
        for number, step in enumerate(raw.train_config.data_augmentation_options)
        if step.HasField("random_horizontal_flip")
    }
    assert flips
    # Of evaluation: names, sigmas and lines, which were not said at all.
    metrics = {f"eval_config.{one}" for one in ("oks_sigmas", "keypoint_names", "keypoint_edge")}
    others = {one for one in changed if one.endswith(".oks.sigmas")}
    assert changed - others == {*expected, *flips, *metrics}
    for where, value in {**expected, **flips}.items():
        found = after
        for step in where.replace("[", ".").replace("]", "").split("."):
            found = found[int(step)] if step.isdigit() else getattr(found, step)
        assert (list(found) if isinstance(value, list) else found) == value, where


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "model { ssd { box_coder { keypoint_box_coder { num_keypoints: 68 } } } }",
            r'box_coder\.num_keypoints is 68, but keypoints\.schema "face5" \(.*face5\.json\) has 5',
        ),
        (
            "model { ssd { box_predictor { convolutional_box_predictor { box_code_size: 4 } } } }",
            r"box_code_size is 4, but .*face5.*4 \+ 2 \* 5 = 14",
        ),
        (
            "model { ssd { loss { keypoint_loss { oks { sigmas: [0.1] } } } } }",
            r"oks\.sigmas has 1 numbers, but .*face5",
        ),
        ("train_input_reader { num_keypoints: 0 }", r"train_input_reader\.num_keypoints is 0, but"),
        ("eval_input_reader { num_keypoints: 4 }", r"eval_input_reader\[2\]\.num_keypoints is 4"),
        (
            """train_config { data_augmentation_options { random_horizontal_flip {
               keypoint_flip_permutation: [0, 1, 2, 3, 4] } } }""",
            r"options\[3\]\.random_horizontal_flip.* is \[0, 1, 2, 3, 4\], but .*face5.* are \[1, 0",
        ),
        ("eval_config { keypoint_edge { start: 0 end: 5 } }", r"joins 0 and 5, but .*face5"),
        ("eval_config { keypoint_names: 'nose' }", r"keypoint_names are \['nose'\], but .*face5"),
        ("eval_config { oks_sigmas: 0.1 }", r"eval_config\.oks_sigmas has 1 numbers, but"),
        (
            """eval_config { parameterized_metric { coco_keypoint_metrics {
               keypoint_label_to_sigmas { key: "chin" value: 0.1 } } } }""",
            r"metric\[1\].*names 'chin', which is no keypoint of .*face5",
        ),
        (
            "model { faster_rcnn {} }",
            r"face5.* has 5 keypoints, but model\.faster_rcnn predicts no",
        ),
        (
            "model { ssd { box_coder { faster_rcnn_box_coder {} } } }",
            r"face5.* has 5 keypoints, but model\.ssd\.box_coder is faster_rcnn_box_coder",
        ),
        ("keypoints { keypoint { name: 'a' } }", "both schema 'face5' and keypoints of its own"),
        ("keypoints { schema: 'face_5' }", "Did you mean 'face5'"),
        ("keypoints { schema: '' }", r"keypoints: names no set\. Give schema \(coco17, face5"),
        ("keypoints { schema: 'none.json' }", r"none\.json: the keypoint schema cannot be read"),
    ],
)
def test_contradictions_name_both_places(change, words):
    config = _parse(BARE + 'keypoints { schema: "face5" }')
    text_format.Merge(change, config)
    with pytest.raises(ConfigError, match=words):
        config_util.create_configs_from_pipeline_proto(config)


def test_all_contradictions_come_together_with_the_file(tmp_path):
    path = tmp_path / "x.config"
    path.write_text(
        BARE + "keypoints { schema: 'face5' } eval_config { oks_sigmas: 1 keypoint_names: 'a' }"
    )
    with pytest.raises(ConfigError) as caught:
        config_util.get_configs_from_pipeline_file(str(path))
    first, *rest = str(caught.value).splitlines()
    assert first == f"{path}: the config cannot be used:"
    assert len(rest) == 2


def test_choices_of_the_user_stay():
    text = """keypoints { schema: "face5" }
    model { ssd { loss { keypoint_loss { oks { sigmas: [0.1, 0.1, 0.1, 0.1, 0.2] } } } } }
    eval_config { keypoint_edge { start: 1 end: 0 } oks_sigmas: [0.3, 0.3, 0.3, 0.3, 0.3] }"""
    config = _parse(text)
    after = config_util.completed(config)
    assert after.model.ssd.loss == config.model.ssd.loss
    assert after.eval_config.keypoint_edge == config.eval_config.keypoint_edge
    assert after.eval_config.oks_sigmas == config.eval_config.oks_sigmas


@pytest.mark.parametrize("place", ["beside the config", "where the program runs"])
def test_a_file_of_ones_own_is_written_out(tmp_path, monkeypatch, place):
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home, elsewhere):
        folder.mkdir()
    monkeypatch.chdir(elsewhere)
    (home if place == "beside the config" else elsewhere).joinpath("tool.json").write_text(
        json.dumps(TOOL)
    )
    (home / "x.config").write_text(BARE + 'keypoints { schema: "tool.json" }')
    configs = config_util.get_configs_from_pipeline_file(str(home / "x.config"))
    assert configs["model"].ssd.box_coder.keypoint_box_coder.num_keypoints == 3
    config_util.save_pipeline_config(
        config_util.create_pipeline_proto_from_configs(configs), str(tmp_path / "saved")
    )
    # The saved config needs neither the file nor the folder.
    for file in tmp_path.rglob("tool.json"):
        file.unlink()
    saved = str(tmp_path / "saved" / "pipeline.config")
    again = config_util.get_configs_from_pipeline_file(saved)
    assert config_util.create_pipeline_proto_from_configs(
        again
    ) == config_util.create_pipeline_proto_from_configs(configs)
    one = keypoint_config.schema_of(again["keypoints"])
    assert one.names == ("left", "tip", "right")
    assert one.flip_permutation == (2, 1, 0)
    assert one.sigmas == (0.1, 0.025, 0.025)
    assert one.colors == ("#010203", "#2ca02c", "#0000ff")
    assert one.edges == ((0, 1), (1, 2))


@pytest.mark.parametrize("name", schemas.shipped())
def test_writing_a_set_out_loses_nothing(name):
    one = schemas.load(name)
    message = pipeline_pb2.KeypointSet()
    keypoint_config.write_out(one, message)
    again = keypoint_config.schema_of(message)
    for part in ("names", "mirror", "limbs", "sigmas", "colors"):
        assert getattr(again, part) == getattr(one, part)


def test_limbs_need_keypoints():
    with pytest.raises(ConfigError, match="has limbs, but no keypoint"):
        keypoint_config.schema_of(
            pipeline_pb2.KeypointSet(
                schema="face5", limb=[pipeline_pb2.SchemaLimb(start="a", end="b")]
            )
        )


def _label_map(folder, text, name="map.pbtxt"):
    path = folder / name
    path.write_text(text)
    return path


POINTS = "keypoints { id: 1 label: 'tip' } keypoints { id: 0 label: 'left' }"
OF_LABELS = """
model { ssd { box_coder { keypoint_box_coder {} } box_predictor { convolutional_box_predictor {} } } }
train_config { data_augmentation_options { random_horizontal_flip {} } }
train_input_reader { label_map_path: "%s" } eval_input_reader { label_map_path: "%s" }
"""


@pytest.mark.parametrize(
    "items",
    [
        f"item {{ id: 1 name: 'tool' {POINTS} }} item {{ id: 2 name: 'box' }}",
        f"item {{ id: 1 name: 'tool' {POINTS} }} item {{ id: 2 name: 'knife' {POINTS} }}",
        """item { id: 1 name: 'tool' keypoints { id: 0 label: 'left' } }
        item { id: 2 name: 'knife' keypoints { id: 1 label: 'tip' } }""",
    ],
    ids=["one class", "two alike", "two of their own"],
)
def test_a_label_map_gives_names_and_number(tmp_path, items):
    path = _label_map(tmp_path, items)
    configs = config_util.create_configs_from_pipeline_proto(_parse(OF_LABELS % (path, path)))
    ssd = configs["model"].ssd
    assert ssd.box_coder.keypoint_box_coder.num_keypoints == 2
    assert ssd.box_predictor.convolutional_box_predictor.box_code_size == 8
    assert configs["train_input_config"].num_keypoints == 2
    assert configs["eval_input_configs"][0].num_keypoints == 2
    assert list(configs["eval_config"].keypoint_names) == ["left", "tip"]
    # Which one is whose mirror image, it does not say: the check of the config asks for it.
    flip = configs["train_config"].data_augmentation_options[0].random_horizontal_flip
    assert not flip.keypoint_flip_permutation
    # A copy of the config elsewhere does not need the label map.
    assert keypoint_config.schema_of(configs["keypoints"]).names == ("left", "tip")


def test_parts_in_files_of_their_own_get_it_too(tmp_path):
    path = _label_map(tmp_path, f"item {{ id: 1 name: 'tool' {POINTS} }}")
    parts = _parse(OF_LABELS % (path, path))
    model, reader = tmp_path / "model", tmp_path / "reader"
    model.write_text(text_format.MessageToString(parts.model))
    reader.write_text(text_format.MessageToString(parts.train_input_reader))
    configs = config_util.get_configs_from_multiple_files(
        model_config_path=str(model), train_input_config_path=str(reader)
    )
    assert set(configs) == {"model", "train_input_config", "keypoints"}
    assert configs["train_input_config"].num_keypoints == 2


@pytest.mark.parametrize(
    ("items", "extra", "words"),
    [
        (
            "item { id: 1 name: 'a' keypoints { id: 0 label: 'left' } }",
            "",
            r"second.pbtxt has 1 keypoints, but .*map.pbtxt has 2|map.pbtxt has 2 keypoints, but",
        ),
        (f"item {{ id: 1 name: 'a' {POINTS} }}", "keypoints { schema: 'face5' }", "face5.json has"),
        (
            f"item {{ id: 1 name: 'a' {POINTS} }}",
            "train_input_reader { num_keypoints: 3 }",
            r"train_input_reader.num_keypoints is 3, but train_input_reader.label_map_path .*map.pbtxt has 2",
        ),
        (
            "item { id: 1 name: 'a' keypoints { id: 1 label: 'x' } keypoints { id: 2 label: 'y' } }",
            "",
            r"second.pbtxt: keypoints should be numbered 0 to 1, got \[1, 2\]",
        ),
        (
            "item { id: 1 name: 'a' keypoints { id: 0 label: 'x' } keypoints { id: 1 label: 'x' } }",
            "",
            "second.pbtxt: two keypoints of a class have one name",
        ),
        (
            f"item {{ id: 1 name: 'a' {POINTS} }} item {{ id: 2 name: 'b' keypoints {{ label: 'x' }} }}",
            "",
            "second.pbtxt: .*appears twice",
        ),
    ],
)
def test_label_maps_that_contradict(tmp_path, items, extra, words):
    first = _label_map(tmp_path, f"item {{ id: 1 name: 'tool' {POINTS} }}")
    second = _label_map(tmp_path, items, "second.pbtxt")
    config = _parse(OF_LABELS % (first, second))
    text_format.Merge(extra, config)
    with pytest.raises(ConfigError, match=words):
        config_util.completed(config)


def test_a_named_set_and_a_label_map_that_agree(tmp_path):
    path = REPO / "keypoint_examples" / "person_label_map.pbtxt"
    config = _parse(OF_LABELS % (path, path) + 'keypoints { schema: "coco17" }')
    assert config_util.completed(config).train_input_reader.num_keypoints == 17


def test_a_set_of_other_order_is_named(tmp_path):
    points = "".join(
        f"keypoints {{ id: {number} label: '{name}' }}"
        for number, name in enumerate(reversed(schemas.load("face5").names))
    )
    path = _label_map(tmp_path, f"item {{ id: 1 name: 'face' {points} }}")
    config = _parse(OF_LABELS % (path, path) + 'keypoints { schema: "face5" }')
    with pytest.raises(ConfigError, match=r"Keypoint 0 is 'left_eye' in .*'right_mouth' in .*map"):
        config_util.completed(config)
