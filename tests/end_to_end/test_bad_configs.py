"""Every mistake in a config ends in one message that names the line or the field, before TensorFlow.

Configs are made wrong in a systematic way: each is an example with one change that cannot be meant.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys

import pytest
from google.protobuf import text_format

from object_detection.errors import ConfigError, DataError
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_check, config_util
from object_detection.utils.config_check import config_ranges

REPO = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = REPO / "keypoint_examples"
DEMO = (EXAMPLES / "pipeline_demo.config").read_text()
STRONG = (EXAMPLES / "pipeline_wider_kp_strong.config").read_text()
PERSONS = (EXAMPLES / "pipeline_coco_persons_mobilenet_v1_fpn.config").read_text()
TEXTS = {"demo": DEMO, "strong": STRONG, "persons": PERSONS}

_TOKEN = re.compile(r"""#[^\n]*|"[^"\n]*"|[A-Za-z_]\w*|[-+.\w]+|[{}\[\]:,]""")


@pytest.fixture
def folder(tmp_path):
    """A folder with all that the examples name."""
    for place in ("data", "demo_output"):
        (tmp_path / place).mkdir()
    names = ["data/mobilenet_v1_1.0_224.ckpt", "data/resnet_v1_50.ckpt"]
    for name in ("train", "val", "wider_train", "wider_val", "ytf_train", "ytf_val"):
        names += [f"data/{name}.record", f"demo_output/{name}.record"]
    names += ["data/coco_train.record-00000-of-00100", "data/coco_val.record-00000-of-00050"]
    for name in names:
        (tmp_path / name).write_bytes(b"content")
    for path in EXAMPLES.glob("*.pbtxt"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def _placed(text, folder):
    """The text with the paths of the folder; in the same lines."""
    text = re.sub(r'"(data|demo_output)/', rf'"{folder}/\1/', text)
    return text.replace('"keypoint_examples/', f'"{folder}/')


def _check(path):
    """As train.py, eval.py and the others do."""
    configs = config_util.get_configs_from_pipeline_file(str(path))
    config_check.check_pipeline(configs, str(path), for_training=True, for_eval=True)


def _said(text, folder):
    """The message that a config ends in."""
    path = folder / "x.config"
    path.write_text(_placed(text, folder))
    with pytest.raises((ConfigError, DataError)) as caught:
        _check(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert len(message.splitlines()) <= 22
    assert all(len(line) < 1000 for line in message.splitlines())
    return message


@pytest.mark.parametrize("name", TEXTS)
def test_the_examples_themselves_are_fine(name, folder):
    (folder / "x.config").write_text(_placed(TEXTS[name], folder))
    _check(folder / "x.config")


def _tokens(text):
    """Tokens of a text outside of comments, each with its line."""
    return [
        (match, text.count("\n", 0, match.start()) + 1)
        for match in _TOKEN.finditer(text)
        if not match[0].startswith("#")
    ]


def _fields(text):
    """Each field that is set: its token, line, and the token of its value or opening bracket."""
    tokens = _tokens(text)
    for (token, line), (following, _), (value, _) in zip(
        tokens, tokens[1:], tokens[2:], strict=False
    ):
        if re.fullmatch(r"[a-z_]\w*", token[0]):
            if following[0] == "{":
                yield token, line, following
            elif following[0] == ":":
                yield token, line, value


def _with(text, match, new):
    return text[: match.start()] + new + text[match.end() :]


def _all_names(descriptor=pipeline_pb2.TrainEvalPipelineConfig.DESCRIPTOR, seen=frozenset()):
    names = set()
    for field in descriptor.fields:
        names.add(field.name)
        if field.message_type and field.message_type.full_name not in seen:
            names |= _all_names(field.message_type, seen | {field.message_type.full_name})
    return names


NAMES = _all_names()


def _typos():
    """A letter left out of each name that the examples use, once for each text."""
    for source in ("demo", "strong"):
        text = TEXTS[source]
        used = set()
        for token, line, _ in _fields(text):
            name = token[0]
            typo = name[:2] + name[3:] if len(name) > 5 else f"{name}{name[-1]}"
            if name in used or typo in NAMES:
                continue
            used.add(name)
            yield pytest.param(_with(text, token, typo), line, typo, name, id=f"{source}-{name}")


TYPOS = list(_typos())


@pytest.mark.parametrize(("text", "line", "typo", "name"), TYPOS)
def test_a_typo_is_named_with_its_line_and_what_was_meant(text, line, typo, name, folder):
    said = _said(text, folder)
    assert f"x.config:{line}: " in said
    assert f"{typo!r} is no field" in said
    # Short names may be near to more than one.
    assert f"Did you mean {name!r}?" in said or len(name) < 6


def _other_types():
    """A value of another kind for each field that the examples set."""
    used = set()
    for source in ("demo", "persons"):
        text = TEXTS[source]
        for token, line, value in _fields(text):
            if token[0] in used:
                continue
            used.add(token[0])
            is_list = value[0] == "["
            if is_list:
                continue
            wrong = {
                "{": ": 5 #",
                '"': "5",
            }.get(value[0][0], '"text"' if value[0][0] in "-+.0123456789" else "BOGUS")
            if value[0][0] == "{":
                # The message's content becomes that of the message around it.
                wrong = ": 5 {"
            yield pytest.param(_with(text, value, wrong), line, token[0], id=f"{source}-{token[0]}")


OTHER_TYPES = list(_other_types())


@pytest.mark.parametrize(("text", "line", "name"), OTHER_TYPES)
def test_a_value_of_another_type_is_named_with_its_line(text, line, name, folder):
    said = _said(text, folder)
    assert re.search(rf"x\.config:{line}: (\S*\.)?{name}(\[0\])?: ", said), said


@pytest.mark.parametrize("bracket", "{}")
@pytest.mark.parametrize("number", range(30))
def test_a_missing_bracket_is_named_with_a_line(number, bracket, folder):
    brackets = [match for match, _ in _tokens(DEMO) if match[0] == bracket]
    match = brackets[number * len(brackets) // 30]
    line = DEMO.count("\n", 0, match.start()) + 1
    said = _said(_with(DEMO, match, ""), folder)
    first = re.search(r"x\.config:(\d+): ", said)
    # Where a "}" is missing, the "{" that it would close is named, or what comes after.
    assert first, said
    assert bracket == "}" or int(first[1]) >= line


def _numbers(message, where=""):
    """Each number that a message sets: message that holds it, field, path."""
    for field, value in message.ListFields():
        path = f"{where}.{field.name}" if where else field.name
        repeated = isinstance(field.default_value, list)
        if field.message_type:
            for index, one in enumerate(value if repeated else [value]):
                yield from _numbers(one, f"{path}[{index}]" if repeated else path)
        elif config_ranges.is_number(field) and not repeated:
            yield message, field, path


def _beyond(text):
    """Each number of an example just out of its range, and if it may be broken, NaN."""
    config = text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())
    for message, field, path in list(_numbers(config)):
        limits = config_ranges.RANGES[
            f"{config_ranges.short_name(message.DESCRIPTOR)}.{field.name}"
        ]
        broken = field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE)
        unsigned = field.cpp_type in (field.CPPTYPE_UINT32, field.CPPTYPE_UINT64)
        values = [limits.low - 1, limits.high + 1]
        values += [float("nan"), float("inf"), float("-inf")] if broken else []
        for value in values:
            if not broken and (abs(value) > 2**31 - 1 or (unsigned and value < 0)):
                continue
            if limits.holds(value) or (broken and abs(value) == float("inf") in limits):
                continue
            before = getattr(message, field.name)
            setattr(message, field.name, value if broken else int(value))
            yield pytest.param(text_format.MessageToString(config), path, id=f"{path}={value:g}")
            setattr(message, field.name, before)


BEYOND = [*_beyond(DEMO), *_beyond(PERSONS)]


@pytest.mark.parametrize(("text", "path"), BEYOND)
def test_a_number_out_of_its_range_is_named_with_its_line(text, path, folder):
    said = _said(text, folder)
    name = path.rpartition(".")[2]
    lines = [number for number, row in enumerate(text.splitlines(), 1) if f" {name}: " in row]
    found = re.search(rf"x\.config:(\d+): {re.escape(path)}: ", said)
    assert found, said
    assert int(found[1]) in lines


# By hand: what is replaced in the demo's config, by what, and what the message says.
BY_HAND = [
    ("height: 192", "height: -1", r":14: .*fixed_shape_resizer\.height: is -1, must be from 1"),
    ("height: 192", "height: 0", r"fixed_shape_resizer\.height: is 0"),
    ("height: 192", "height: 1000000000", r"height: is 1000000000, must be from 1 to 16384"),
    ("height: 192", "height: 99999999999", "height: is '99999999999'; give a whole number"),
    ("height: 192", "height: 192.5", r"height: is '192\.5'; give a whole number"),
    ("batch_size: 16", "batch_size: 0", "train_config.batch_size: is 0, must be from 1"),
    ("batch_size: 16", "batch_size: -4", "train_config.batch_size: is '-4'; give a whole number"),
    ("batch_size: 16", "batch_size: 1000000000", "train_config.batch_size: is 1000000000"),
    ("num_classes: 1", "num_classes: 0", "model.ssd.num_classes: is 0, must be at least 1"),
    ("num_classes: 1", "num_classes: 1000000", "model.ssd.num_classes: is 1000000"),
    ("depth_multiplier: 0.25", "depth_multiplier: nan", "depth_multiplier: is nan"),
    ("depth_multiplier: 0.25", "depth_multiplier: inf", "depth_multiplier: is inf"),
    (
        "depth_multiplier: 0.25",
        "depth_multiplier: 0",
        "depth_multiplier: is 0, must be from above 0",
    ),
    ("iou_threshold: 0.5", "iou_threshold: 1.5", "iou_threshold: is 1.5, must be from 0 to 1"),
    ("weight: 0.00004", "weight: -1", "l2_regularizer.weight: is -1, must be 0 or more"),
    ("kernel_size: 3", "kernel_size: 0", "kernel_size: is 0, must be from 1 to 64"),
    ("scales: [0.16,", "scales: [-0.16,", r"scales\[0\]: is -0\.16, must be from above 0"),
    (
        "max_total_detections: 50",
        "max_total_detections: 9",
        "max_detections_per_class: is 50, above",
    ),
    ("matched_threshold: 0.5", "matched_threshold: 0.3", "unmatched_threshold: is 0.4, above"),
    (
        "total_steps: 2500",
        "total_steps: 50",
        "warmup_steps: is 100, above total_steps, which is 50",
    ),
    (
        "warmup_learning_rate: 0.0002",
        "warmup_learning_rate: 1",
        "warmup_learning_rate: is 1, above",
    ),
    ("learning_rate_base: 0.005", "learning_rate_base: -1", "learning_rate_base: is -1"),
    ("random_horizontal_flip {}", "random_horizontal_flip { probability: 2 }", "probability: is 2"),
    ("random_horizontal_flip {}", "", r"data_augmentation_options\[0\]: nothing is set; choose"),
    (
        "random_horizontal_flip {}",
        "random_horizontal_flip { keypoint_flip_permutation: [0, 1, 2, 3, 4] }",
        r":84: .*keypoint_flip_permutation is \[0, 1, 2, 3, 4\], but the mirror partners",
    ),
    ("activation: RELU_6", "activation: RELU_7", "'RELU_7' is unknown. Did you mean 'RELU_6'?"),
    ("activation: RELU_6", "activation: 9", "'9' is unknown. Allowed: NONE, RELU"),
    ("score_converter: SIGMOID", "score_converter: sigmoid", "'sigmoid' is unknown.* SIGMOID"),
    ("use_dropout: false", "use_dropout: no", "use_dropout: is 'no'; write true or false"),
    (
        '"ssd_mobilenet_v1"',
        '"ssd_mobilnet_v1"',
        "'ssd_mobilnet_v1' is not known. Did you mean 'ssd_",
    ),
    ('type: "ssd_mobilenet_v1"', "", "feature_extractor.type: is not set. Allowed: embedded"),
    (
        'schema: "face5"',
        'schema: "face6"',
        ":9: keypoints.schema: Unknown .* Did you mean 'face68'",
    ),
    ('schema: "face5"', 'schema: "mine.json"', "mine.json: the keypoint schema cannot be read"),
    (
        "keypoint_box_coder {}",
        "faster_rcnn_box_coder {}",
        "box_coder is faster_rcnn_box_coder, whose",
    ),
    ("keypoint_box_coder {}", "keypoint_box_coder { num_keypoints: 4 }", "num_keypoints is 4, but"),
    ("kernel_size: 3", "kernel_size: 3 box_code_size: 4", r"box_code_size is 4, but .* = 14"),
    ("shuffle: false", "shuffle: false num_keypoints: 17", "eval_input_reader.num_keypoints is 17"),
    (
        "keypoint_box_coder {}",
        "keypoint_box_coder {} square_box_coder {}",
        "excludes keypoint_box_",
    ),
    ("argmax_matcher {", "bipartite_matcher {} argmax_matcher {", "excludes bipartite_matcher of"),
    ("adam_optimizer {", "rms_prop_optimizer {} adam_optimizer {", "excludes rms_prop_optimizer"),
    ("batch_size: 16", "batch_size: 16 batch_size: 8", "set to another value in line 81; leave"),
    (
        "image_resizer { fixed_shape_resizer { height: 192 width: 192 } }",
        "",
        "image_resizer: nothing",
    ),
    ("similarity_calculator { iou_similarity {} }", "", "similarity_calculator: nothing is set"),
    ("box_coder { keypoint_box_coder {} }", "box_coder { faster_rcnn_box_coder {} }", "hold none"),
    ("localization_loss { weighted_smooth_l1 {} }", "", "loss.localization_loss: nothing is set"),
    (
        "classification_loss { weighted_sigmoid_focal { alpha: 0.75 gamma: 2.0 } }",
        "",
        ":61: model.ssd.loss.classification_loss: nothing is set; choose one of: bootstrapped",
    ),
    (
        '"demo_output/train.record"',
        '"demo_output/trian.record"',
        ":105: .* Near it: '.*train.record'",
    ),
    (
        '"demo_output/train.record"',
        '"data/../demo_ouput/train.record"',
        "does not exist; near it: '.*demo_output'",
    ),
    ('"demo_output/train.record"', '"demo_output/"', "is a folder; give a file, such as"),
    ("tf_record_input_reader {", "external_input_reader {} #", "external_input_reader"),
    (
        'input_path: "demo_output/train.record"',
        "",
        ":105: train_input_reader.tf_record_input_reader.input_path: is empty",
    ),
    (
        "num_steps: 2500",
        'fine_tune_checkpoint: "demo_output/model.ckpt"',
        r"no .*model\.ckpt\.index",
    ),
    (
        "num_steps: 2500",
        'fine_tune_checkpoint: "demo_output/"',
        "fine_tune_checkpoint: .*is a folder",
    ),
    (
        '"keypoint_examples/face_label_map.pbtxt"',
        '"face_labels.pbtxt"',
        "there is no file 'face_lab",
    ),
    ('"keypoint_examples/face_label_map.pbtxt"', '"/dev"', "label_map_path: '/dev' is a folder"),
    ('label_map_path: "keypoint_examples/face_label_map.pbtxt"', "", "label_map_path: is not set"),
]


@pytest.mark.parametrize(("old", "new", "words"), BY_HAND)
def test_contradictions_absences_and_values_by_hand(old, new, words, folder):
    assert old in DEMO
    assert re.search(words, _said(DEMO.replace(old, new, 1), folder).replace("\n", " "))


def _cut(text, head):
    """The text without the block that begins with `head`."""
    start = text.index(head)
    depth, at = 0, text.index("{", start)
    while True:
        depth += (text[at] == "{") - (text[at] == "}")
        at += 1
        if not depth:
            return text[:start] + "\n" * text.count("\n", start, at) + text[at:]


PARTS = {
    "model {": "model: nothing is set",
    "feature_extractor {": "model.ssd.feature_extractor.type: is not set",
    "matcher {": "model.ssd.matcher: nothing is not available; allowed: argmax_matcher",
    "anchor_generator {": "model.ssd.anchor_generator: nothing is not available; allowed: grid",
    "box_predictor {": "model.ssd.box_predictor: nothing is not available",
    "loss {": "model.ssd.loss.classification_loss: nothing is set",
    "optimizer {": "train_config.optimizer: nothing is set; choose one of: adam_optimizer",
    "adam_optimizer {": "train_config.optimizer: nothing is set",
    "learning_rate {": "train_config.optimizer.adam_optimizer.learning_rate: nothing is set",
    "cosine_decay_learning_rate {": "train_config.optimizer.adam_optimizer.learning_rate: nothing",
    "train_input_reader {": "train_input_reader.input_reader: is not set",
    "tf_record_input_reader {": "train_input_reader.input_reader: is not set",
    "eval_input_reader {": "eval_input_reader: is not set",
}


@pytest.mark.parametrize("head", PARTS)
def test_a_part_that_is_missing_is_named(head, folder):
    said = _said(_cut(DEMO, head), folder)
    # The line is that of the message around it; the config itself has none.
    outermost = head in ("model {", "train_input_reader {", "eval_input_reader {")
    line = "" if outermost else r":\d+"
    assert re.search(rf"^  \S*x\.config{line}: {re.escape(PARTS[head])}", said, re.MULTILINE), said


LABEL_MAPS = [
    ("itme { id: 1 name: 'face' }", r"map\.pbtxt:1: 'itme' is no field .* mean 'item'"),
    ("item {\n id: 1\n nmae: 'face'\n}", r"map\.pbtxt:3: item\[0\]: 'nmae' .* mean 'name'"),
    ("item { id: 1 name: 'face'", r"map\.pbtxt:1: item\[0\]: the { of this line is never closed"),
    ("item { id: 0 name: 'face' }", r"map\.pbtxt:1: item 0 \('face'\) has id 0"),
    ("\nitem { id: -3 name: 'face' }", r"map\.pbtxt:2: item 0 \('face'\) has id -3"),
    ("item { id: 1 }", r"map\.pbtxt:1: the item with id 1 has no name"),
    ("item { id: 1 name: 'a' }\nitem { id: 2 name: 'b' }", r"map\.pbtxt:2: 'b' has id 2, but"),
    (
        "item { id: 1 name: 'a' }\nitem { id: 0 name: 'a' display_name: 'background' }",
        "one name has",
    ),
    ("item { id: 'one' name: 'face' }", r"id: is \"'one'\"; give a whole number"),
    ("", "has no item; name the classes"),
    ("\x00\x01\x02", "not a label map|no field|stands where"),
    ("{" * 100_000, r"map\.pbtxt:1: '{' stands where a name"),
    ("item { id: 1 name: 'face' keypoints { id: 0 label: 'x' } }", "has 1"),
]


@pytest.mark.parametrize(("content", "words"), LABEL_MAPS)
def test_a_bad_label_map_is_named_with_its_line(content, words, folder):
    (folder / "map.pbtxt").write_text(content)
    text = DEMO.replace("keypoint_examples/face_label_map.pbtxt", f"{folder}/map.pbtxt")
    said = _said(text, folder)
    assert re.search(words, said.replace("\n", " ")), said
    assert "label_map_path" in said


def test_two_classes_of_one_id_are_named_unless_they_are_synonyms(folder):
    (folder / "map.pbtxt").write_text("item { id: 1 name: 'a' }\nitem { id: 1 name: 'b' }\n")
    text = DEMO.replace("keypoint_examples/face_label_map.pbtxt", f"{folder}/map.pbtxt")
    (folder / "x.config").write_text(_placed(text, folder))
    _check(folder / "x.config")  # one class with two names
    said = _said(text.replace("num_classes: 1", "num_classes: 2"), folder)
    assert f"{folder}/map.pbtxt:2: id 1 is that of 'a', too, and id 2 is of no item" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "model: nothing is set"),
        (b"\xff\xfe\x00\x01" * 50, r"x\.config:1: byte 0xff is not UTF-8 text"),
        (b"\x00" * 5000, "stands where a name of a field should"),
        (b"{" * 100_000, "'{' stands where"),
        (b"model { ssd { " + b"loss { " * 100_000, "is no field of Loss"),
        (b"foo { " * 100_000, "'foo' is no field"),
        (b"[" * 100_000, "stands where"),
        (b"eval_config { oks_sigmas: " + b"[" * 100_000, r"'\[' is not a number"),
        (b"num_classes " * 1000, "num_classes"),
        (b'"' + b"secret " * 1000, "stands where"),
        (b"model { ssd { num_classes: " + b"9" * 100_000 + b"} }", "give a whole number"),
        (b"x" * 10_000_001, "has more than 10 MB"),
    ],
)
def test_a_file_that_is_no_config_is_refused_without_its_content(content, words, folder):
    path = folder / "x.config"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        _check(path)
    assert re.search(words, str(caught.value))
    # At most a line or so of what a stranger wrote, and no character that changes a console.
    assert len(str(caught.value)) < 5000
    assert str(caught.value).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing.config", "nothing.config: the pipeline config cannot be read: there is no such"),
        ("pipelin.config", "Near it: '.*pipeline.config'"),
        ("data", "it is a folder; give a file"),
        ("pipeline.config/x", "pipeline.config' is no folder"),
    ],
)
def test_a_config_that_is_not_there(name, words, folder):
    (folder / "pipeline.config").write_text("")
    with pytest.raises(ConfigError, match=words):
        _check(folder / name)


def test_a_keypoint_schema_is_looked_for_beside_the_config(folder):
    (folder / "mine.json").write_text("{}")
    said = _said(DEMO.replace('schema: "face5"', 'schema: "mime.json"'), folder)
    assert f"x.config:9: keypoints.schema: {folder}/mime.json: the keypoint schema cannot" in said
    assert f"Near it: '{folder}/mine.json'" in said
    said = _said(DEMO.replace('schema: "face5"', 'schema: "mine.json"'), folder)
    assert f"x.config:9: keypoints.schema: {folder}/mine.json: should be an object with" in said


def test_mistakes_of_an_override_and_of_several_files_say_which(folder):
    path = folder / "x.config"
    path.write_text(_placed(DEMO, folder))
    with pytest.raises(ConfigError, match=r"^config_override:2: train_config: 'batch_sise' is no"):
        config_util.get_configs_from_pipeline_file(str(path), "train_config {\nbatch_sise: 3 }")
    configs = config_util.get_configs_from_pipeline_file(
        str(path), "train_config { batch_size: 0 }"
    )
    with pytest.raises(ConfigError, match=r"  config_override:1: train_config\.batch_size: is 0"):
        config_check.check_pipeline(configs, str(path), for_training=True)
    pipeline = config_util.create_pipeline_proto_from_configs(
        config_util.get_configs_from_pipeline_file(str(path))
    )
    pipeline.train_config.ClearField("optimizer")
    pipeline.model.ssd.num_classes = 0
    for name in ("model", "train_config", "train_input_reader"):
        (folder / name).write_text(text_format.MessageToString(getattr(pipeline, name)))
    configs = config_util.get_configs_from_multiple_files(
        model_config_path=str(folder / "model"),
        train_config_path=str(folder / "train_config"),
        train_input_config_path=str(folder / "train_input_reader"),
    )
    with pytest.raises(ConfigError) as caught:
        config_check.check_pipeline(configs, "these", for_training=True)
    assert f"  {folder}/model:2: model.ssd.num_classes: is 0" in str(caught.value)
    assert f"  {folder}/train_config: train_config.optimizer: nothing is set" in str(caught.value)


def test_there_are_enough():
    many = len(TYPOS) + len(OTHER_TYPES) + len(BEYOND) + len(BY_HAND) + len(PARTS) + len(LABEL_MAPS)
    assert many > 400


# A program runs as users start it; afterwards it is known whether it imported TensorFlow.
WRAPPER = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    if "tensorflow" in sys.modules:
        sys.stderr.write("TensorFlow was imported")
"""


@pytest.mark.parametrize(
    ("program", "flags", "old", "new", "words"),
    [
        (
            "object_detection/legacy/train.py",
            ["--train_dir=out"],
            "batch_size: 16",
            "batch_sise: 16",
            ":81: train_config: 'batch_sise' is no field",
        ),
        (
            "object_detection/legacy/train.py",
            ["--train_dir=out"],
            "height: 192",
            "height: 1000000000",
            "height: is 1000000000",
        ),
        (
            "object_detection/legacy/eval.py",
            ["--checkpoint_dir=out", "--eval_dir=out", "--run_once"],
            "min_score_threshold: 0.4",
            "min_score_threshold: 4",
            "eval_config.min_score_threshold: is 4",
        ),
        (
            "object_detection/legacy/eval.py",
            ["--checkpoint_dir=out", "--eval_dir=out", "--eval_training_data"],
            '"demo_output/train.record"',
            '"demo_output/trian.record"',
            "train_input_reader.tf_record_input_reader.input_path: no file matches",
        ),
        (
            "object_detection/export_inference_graph.py",
            ["--trained_checkpoint_prefix=out/model.ckpt", "--output_directory=out"],
            "iou_threshold: 0.5",
            "iou_threshold: nan",
            "iou_threshold: is nan",
        ),
        (
            "scripts/inspect_dataset.py",
            ["--output=out"],
            '"ssd_mobilenet_v1"',
            '"ssd_mobilenet_v7"',
            "'ssd_mobilenet_v7' is not known. Did you mean 'ssd_mobilenet_v",
        ),
    ],
)
def test_programs_say_so_before_tensorflow(program, flags, old, new, words, folder):
    assert old in DEMO
    (folder / "x.config").write_text(_placed(DEMO.replace(old, new, 1), folder))
    (folder / "out").mkdir()
    (folder / "out" / "model.ckpt.index").write_bytes(b"")
    before = sorted(path.name for path in (folder / "out").iterdir())
    done = subprocess.run(
        [sys.executable, "-c", WRAPPER, str(REPO / program), "--pipeline_config_path=x.config"]
        + flags,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "TensorFlow was imported" not in done.stderr
    assert done.stderr.startswith(f"{pathlib.Path(program).stem}: x.config:")
    assert words in done.stderr
    assert sorted(path.name for path in (folder / "out").iterdir()) == before
    with contextlib.suppress(OSError):
        (folder / "out").rmdir()
