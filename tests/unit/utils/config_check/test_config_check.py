"""Each contradiction in a config is named with its field, and all come in one message."""

import copy
import pathlib

import pytest
from google.protobuf import text_format

from object_detection.builders import (
    anchor_generator_builder,
    box_coder_builder,
    matcher_builder,
)
from object_detection.errors import ConfigError
from object_detection.protos import pipeline_pb2, train_pb2
from object_detection.utils import config_check, config_util
from object_detection.utils.config_check import model_check

REPO = pathlib.Path(__file__).resolve().parents[4]


@pytest.fixture
def config(tmp_path):
    """The demo's config with files that exist."""
    text = (REPO / "keypoint_examples" / "pipeline_demo.config").read_text()
    for part in ("train", "val"):
        (tmp_path / f"{part}.record").write_bytes(b"some")
    text = text.replace("demo_output/", f"{tmp_path}/")
    text = text.replace("keypoint_examples/", f"{REPO}/keypoint_examples/")
    parsed = text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())
    # Without the name of the set, each number stands for itself.
    explicit = config_util.completed(parsed)
    for message, field in (
        (explicit, "keypoints"),
        (explicit.eval_config, "oks_sigmas"),
        (explicit.eval_config, "keypoint_names"),
    ):
        message.ClearField(field)
    return explicit


def _check(config):
    configs = config_util.create_configs_from_pipeline_proto(config)
    config_check.check_pipeline(configs, "x.config", for_training=True, for_eval=True)


def _flip(config):
    return config.train_config.data_augmentation_options[0].random_horizontal_flip


def test_the_config_itself_is_fine(config):
    _check(config)


def _set_num_keypoints(config):
    config.train_input_reader.num_keypoints = 4


def _set_code_size(config):
    predictor = config.model.ssd.box_predictor.convolutional_box_predictor
    predictor.box_code_size = 13


def _clear_permutation(config):
    _flip(config).ClearField("keypoint_flip_permutation")


def _flip_upside_down_without_permutation(config):
    config.train_config.data_augmentation_options.add().random_vertical_flip.SetInParent()


def _set_short_turn(config):
    turn = config.train_config.data_augmentation_options.add().random_rotation90
    turn.keypoint_rot_permutation[:] = [1, 0]


def _name_three_keypoints(config):
    path = pathlib.Path(config.train_input_reader.tf_record_input_reader.input_path[0]).parent
    label_map = path / "three.pbtxt"
    points = "".join(f"keypoints {{ id: {number} label: 'p{number}' }}" for number in range(3))
    label_map.write_text(f"item {{ id: 1 name: 'face' {points} }}")
    config.train_input_reader.label_map_path = str(label_map)


def _repeat_in_permutation(config):
    _flip(config).keypoint_flip_permutation[:] = [1, 1, 2, 4, 3]


def _cycle_in_permutation(config):
    _flip(config).keypoint_flip_permutation[:] = [1, 2, 0, 4, 3]


def _remove_record(config):
    config.eval_input_reader[0].tf_record_input_reader.input_path[:] = ["nowhere.record"]


def _set_other_classes(config):
    config.model.ssd.num_classes = 0


def _set_absent_label_map(config):
    config.train_input_reader.label_map_path = "nowhere.pbtxt"


def _set_other_architecture(config):
    config.model.center_net.num_classes = 1


def _set_mask_head(config):
    config.model.ssd.mask_head_config.mask_height = 3


def _set_absent_checkpoint(config):
    config.train_config.fine_tune_checkpoint = "nowhere.ckpt"


def _set_rewriter(config):
    config.graph_rewriter.quantization.weight_bits = 1


def _set_bfloat16_and_quantization(config):
    config.train_config.use_bfloat16 = True
    config.graph_rewriter.quantization.delay = 5


def _set_bfloat16_of_two_stages(config):
    config.train_config.use_bfloat16 = True
    config.model.faster_rcnn.num_classes = 1


def _set_checkpoint_of_objects(config):
    config.train_config.fine_tune_checkpoint_version = train_pb2.V2


def _set_masks(config):
    config.train_input_reader.load_instance_masks = True


def _scale_padded_pictures(config):
    config.train_input_reader.fast_jpeg_scaling = True
    step = train_pb2.TrainConfig().data_augmentation_options.add()
    step.random_pad_image.SetInParent()
    config.train_config.data_augmentation_options.append(step)


def _scale_pictures_of_evaluation(config):
    config.eval_input_reader[0].fast_jpeg_scaling = True


def _set_scores_that_are_not_read(config):
    config.train_config.use_multiclass_scores = True


def _set_two_kinds_of_targets(config):
    config.train_config.merge_multiple_label_boxes = True
    config.train_config.use_multiclass_scores = True


def _set_weights_of_keypoints(config):
    config.model.ssd.loss.keypoint_loss.per_keypoint_weights[:] = [1, 1]


def _set_keypoint_loss_of_boxes(config):
    config.model.ssd.loss.keypoint_loss.l1.SetInParent()
    config.model.ssd.box_coder.faster_rcnn_box_coder.SetInParent()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_set_weights_of_keypoints, r"keypoint_loss\.per_keypoint_weights: has 2 numbers, .* is 5"),
        (_set_keypoint_loss_of_boxes, r"model\.ssd\.loss\.keypoint_loss: needs codes"),
        (_set_num_keypoints, "train_input_reader.num_keypoints: is 4"),
        (_set_code_size, r"box_code_size: is 13, .* needs 4 \+ 2 \* 5 = 14"),
        (_clear_permutation, r"\[0\].random_horizontal_flip.keypoint_flip_permutation: is not set"),
        (_flip_upside_down_without_permutation, r"\[1\].random_vertical_flip.* is not set"),
        (_set_short_turn, r"keypoint_rot_permutation: \[1, 0\] should hold each of 0..4 once"),
        (_name_three_keypoints, r"three.pbtxt:1 has 3 keypoints, but model.*num_keypoints is 5"),
        (_repeat_in_permutation, r"\[1, 1, 2, 4, 3\] should hold each of 0..4 once"),
        (_cycle_in_permutation, "does not pair the keypoints"),
        (_remove_record, "eval_input_reader.tf_record_input_reader.input_path: no file matches"),
        (_set_other_classes, "num_classes: is 0"),
        (_set_absent_label_map, "nowhere.pbtxt"),
        (_set_other_architecture, "model.center_net: not available"),
        (_set_mask_head, "mask_head_config: not available"),
        (_set_absent_checkpoint, "fine_tune_checkpoint: there is no nowhere.ckpt.index"),
        (_set_rewriter, "graph_rewriter.quantization.weight_bits: is 1"),
        (_set_bfloat16_and_quantization, "use_bfloat16: excludes graph_rewriter"),
        (_set_bfloat16_of_two_stages, "use_bfloat16: only models of model.ssd have it"),
        (_set_checkpoint_of_objects, "fine_tune_checkpoint_version: is V2"),
        (_set_masks, "train_input_reader.load_instance_masks: no model"),
        (_scale_padded_pictures, r"fast_jpeg_scaling: .*\.random_pad_image counts in pixels"),
        (_scale_pictures_of_evaluation, "eval_input_reader.fast_jpeg_scaling: is of training only"),
        (_set_scores_that_are_not_read, "needs train_input_reader.load_multiclass_scores"),
        (_set_two_kinds_of_targets, "merge_multiple_label_boxes: excludes"),
    ],
)
def test_contradictions_are_named(spoil, words, config):
    spoil(config)
    with pytest.raises(ConfigError, match=words):
        _check(config)


def test_a_keypoint_loss_is_fine(config):
    loss = config.model.ssd.loss.keypoint_loss
    loss.oks.sigmas[:] = [0.025, 0.025, 0.026, 0.03, 0.03]
    loss.per_keypoint_weights[:] = [1, 1, 0.5, 1, 1]
    _check(config)


def test_what_is_available_is_what_the_builders_have():
    tables = {
        "box_coder": box_coder_builder.BOX_CODERS,
        "matcher": matcher_builder.MATCHERS,
        "anchor_generator": anchor_generator_builder.ANCHOR_GENERATORS,
    }
    for name, table in tables.items():
        assert set(model_check.IMPLEMENTED[name]) == set(table), name


def test_all_problems_come_together(config):
    _set_num_keypoints(config)
    _remove_record(config)
    with pytest.raises(ConfigError) as caught:
        _check(config)
    message = str(caught.value)
    assert message.startswith("x.config:")
    assert "num_keypoints" in message
    assert "input_path" in message


def test_unknown_fields_are_named_with_their_line(tmp_path):
    path = tmp_path / "x.config"
    path.write_text("model {\n  ssd {\n    num_clases: 1\n  }\n}\n")
    with pytest.raises(ConfigError, match=r"3.*num_clases(.|\n)*num_classes"):
        config_util.get_configs_from_pipeline_file(str(path))


@pytest.mark.parametrize("path", sorted((REPO / "keypoint_examples").glob("*.config")))
def test_examples_parse_and_agree_with_themselves(path):
    configs = config_util.get_configs_from_pipeline_file(str(path))
    problems = []
    try:
        config_check.check_pipeline(configs, str(path), for_training=True, for_eval=True)
    except ConfigError as error:
        problems = str(error).splitlines()[1:]
    # Data and checkpoints are the user's; nothing else may be wrong.
    assert all("no file matches" in one or "there is no" in one for one in problems), problems


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("oks_sigmas: [0.1, 0.1, 0, 0.1, 0.1]", r"oks_sigmas: 0 should be a share"),
        ("oks_sigmas: [0.1, 0.1]", r"oks_sigmas: has 2 entries, but .*num_keypoints is 5"),
        ("keypoint_names: ['a', 'b', 'c', 'd', 'a']", "keypoint_names: .* should all differ"),
        ("keypoint_names: ['a']", "keypoint_names: has 1 entries"),
        ("oks_max_detections: 0", "oks_max_detections: is 0"),
        ("max_detections: 99", "max_detections: is 99, must be at least 100"),
        ("pck_thresholds: [0.05, 0]", "pck_thresholds: 0 must be above 0"),
        ("keypoint_failure_threshold: nan", "keypoint_failure_threshold: is nan"),
        ("keypoint_size_between: 'left_eye'", "keypoint_size_between: .* two different"),
        ("keypoint_size_between: ['a', 'a']", "keypoint_size_between: .* two different"),
    ],
)
def test_settings_of_keypoint_metrics(text, words, config):
    text_format.Merge(text, config.eval_config)
    with pytest.raises(ConfigError, match=words):
        _check(config)


@pytest.mark.parametrize(
    ("files", "prefix", "words"),
    [
        ([], "a/model.ckpt-3", "there is no {}/a/model.ckpt-3.index. '{}/a' does not exist."),
        (["model.ckpt-30.index"], "model.ckpt-3", "Near it: '{}/model.ckpt-30.index'."),
        (["m.index"], "m", "there is {0}/m.index, but no {0}/m.data-00000-of-00001 beside it."),
        (["m.index", "m.data-00000-of-00001"], "m.index", "write {}/m, without .index."),
        (
            ["m.index", "m.data-00000-of-00001"],
            "m.data-00000-of-00001",
            "write {}/m, without .data-00000-of-00001.",
        ),
        (["m.index"], "", "is a folder; give the prefix of a checkpoint, such as {}/m."),
        (["m.index", "m.data-00000-of-00002", "m.data-00001-of-00002"], "m", None),
        (["older.ckpt"], "older.ckpt", None),
    ],
)
def test_checkpoints_that_cannot_be_read(files, prefix, words, tmp_path):
    for name in files:
        (tmp_path / name).touch()
    problems = list(config_check.checkpoint_problems(f"{tmp_path}/{prefix}"))
    assert len(problems) == (words is not None)
    assert all(words.format(tmp_path, tmp_path) in problem for problem in problems)


def test_copies_of_configs_know_their_lines_too(tmp_path):
    path = tmp_path / "x.config"
    path.write_text("model {\n ssd {\n num_classes: 0 } }")
    configs = copy.deepcopy(config_util.get_configs_from_pipeline_file(str(path)))
    with pytest.raises(ConfigError, match=r"x\.config:3: model\.ssd\.num_classes: is 0"):
        config_check.check_pipeline(configs, str(path))
