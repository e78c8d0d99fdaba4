import re

import pytest
from google.protobuf import text_format

from object_detection.errors import ConfigError
from object_detection.protos import (
    input_reader_pb2,
    model_pb2,
    pipeline_pb2,
    train_pb2,
)
from object_detection.utils import config_util

PIPELINE = """
model { ssd {
  num_classes: 3
  image_resizer { fixed_shape_resizer { height: 30 width: 40 } }
  loss {
    classification_loss { weighted_sigmoid_focal { gamma: 2 alpha: 0.5 } }
    classification_weight: 7 localization_weight: 9
  }
} }
train_config {
  batch_size: 4
  fine_tune_checkpoint: "old.ckpt"
  load_all_detection_checkpoint_vars: true
  optimizer { momentum_optimizer { learning_rate { constant_learning_rate { learning_rate: 1 } } } }
}
train_input_reader { label_map_path: "a" tf_record_input_reader { input_path: "t" } }
eval_config { num_examples: 5 }
eval_input_reader { name: "one" label_map_path: "b" tf_record_input_reader { input_path: "e" } }
eval_input_reader { name: "two" shuffle: true }
graph_rewriter { quantization { delay: 7 } }
"""


def _pipeline(text=PIPELINE):
    return text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())


@pytest.fixture
def configs():
    return config_util.create_configs_from_pipeline_proto(_pipeline())


def _write(folder, text, name="pipeline.config"):
    path = folder / name
    path.write_text(text)
    return str(path)


def test_a_file_is_taken_apart_and_put_together(tmp_path):
    configs = config_util.get_configs_from_pipeline_file(_write(tmp_path, PIPELINE))
    assert set(configs) == {
        "model",
        "train_config",
        "train_input_config",
        "eval_config",
        "eval_input_configs",
        "eval_input_config",
        "graph_rewriter_config",
    }
    assert configs["eval_input_config"].name == "one"
    assert config_util.create_pipeline_proto_from_configs(configs) == _pipeline()


def test_no_eval_reader_and_no_rewriter(tmp_path):
    configs = config_util.create_configs_from_pipeline_proto(_pipeline("train_config {}"))
    assert "eval_input_config" not in configs
    assert "graph_rewriter_config" not in configs
    assert len(configs["eval_input_configs"]) == 0


@pytest.mark.parametrize("as_message", [False, True])
def test_override_of_a_file(tmp_path, as_message):
    override = "train_config { batch_size: 9 } model { ssd { num_classes: 8 } }"
    configs = config_util.get_configs_from_pipeline_file(
        _write(tmp_path, PIPELINE), _pipeline(override) if as_message else override
    )
    assert configs["train_config"].batch_size == 9
    assert configs["model"].ssd.num_classes == 8
    assert configs["model"].ssd.loss.classification_weight == 7


def test_a_wrong_name_in_a_file_is_explained(tmp_path):
    path = _write(tmp_path, "train_config {\n batch_sise: 3 }")
    with pytest.raises(ConfigError, match=r"pipeline.config:2.*batch_size"):
        config_util.get_configs_from_pipeline_file(path)


def test_saved_config_reads_back(tmp_path):
    folder = tmp_path / "new" / "folder"
    config_util.save_pipeline_config(_pipeline(), str(folder))
    assert _pipeline((folder / "pipeline.config").read_text()) == _pipeline()


def test_several_files(tmp_path):
    pipeline = _pipeline()
    parts = {
        "model_config_path": pipeline.model,
        "train_config_path": pipeline.train_config,
        "train_input_config_path": pipeline.train_input_reader,
        "eval_config_path": pipeline.eval_config,
        "eval_input_config_path": pipeline.eval_input_reader[0],
        "graph_rewriter_config_path": pipeline.graph_rewriter,
    }
    paths = {
        name: _write(tmp_path, text_format.MessageToString(part), name)
        for name, part in parts.items()
    }
    configs = config_util.get_configs_from_multiple_files(**paths)
    assert configs["model"] == pipeline.model
    assert configs["train_config"] == pipeline.train_config
    assert configs["train_input_config"] == pipeline.train_input_reader
    assert configs["eval_config"] == pipeline.eval_config
    assert configs["eval_input_configs"] == [pipeline.eval_input_reader[0]]
    assert configs["graph_rewriter_config"].quantization.delay == 7
    assert config_util.get_configs_from_multiple_files() == {}
    rewriter = config_util.get_graph_rewriter_config_from_file(paths["graph_rewriter_config_path"])
    assert rewriter.quantization.delay == 7


def test_clear_fine_tune_checkpoint(tmp_path):
    new = tmp_path / "new.config"
    config_util.clear_fine_tune_checkpoint(_write(tmp_path, PIPELINE), str(new))
    train_config = _pipeline(new.read_text()).train_config
    assert train_config.fine_tune_checkpoint == ""
    assert not train_config.load_all_detection_checkpoint_vars
    assert train_config.batch_size == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "classification"),
        ("from_detection_checkpoint: true", "detection"),
        ("from_detection_checkpoint: true fine_tune_checkpoint_type: 'x'", "x"),
    ],
)
def test_fine_tune_checkpoint_type(text, expected):
    config = text_format.Parse(text, train_pb2.TrainConfig())
    config_util.update_fine_tune_checkpoint_type(config)
    assert config.fine_tune_checkpoint_type == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fixed_shape_resizer { height: 3 width: 5 }", [3, 5]),
        ("keep_aspect_ratio_resizer { min_dimension: 7 max_dimension: 7 }", [7, 7]),
        ("keep_aspect_ratio_resizer { min_dimension: 3 max_dimension: 7 }", [-1, -1]),
        (
            "keep_aspect_ratio_resizer { min_dimension: 3 max_dimension: 7 pad_to_max_dimension: true }",
            [7, 7],
        ),
        ("identity_resizer {}", [-1, -1]),
        ("conditional_shape_resizer {}", [-1, -1]),
    ],
)
def test_spatial_size(text, expected):
    model = _pipeline(f"model {{ ssd {{ image_resizer {{ {text} }} }} }}").model
    resizer = config_util.get_image_resizer_config(model)
    assert config_util.get_spatial_image_size(resizer) == expected


def test_what_a_model_does_not_have():
    for text in ("", "experimental_model { name: 'x' }"):
        model = text_format.Parse(text, model_pb2.DetectionModel())
        with pytest.raises(ValueError, match="model"):
            config_util.get_image_resizer_config(model)
        with pytest.raises(ValueError, match="model"):
            config_util.get_number_of_classes(model)
    with pytest.raises(ValueError, match="image_resizer"):
        config_util.get_spatial_image_size(_pipeline("").model.ssd.image_resizer)


def test_context_settings():
    text = (
        "faster_rcnn { context_config { max_num_context_features: 10 context_feature_length: 5 } }"
    )
    model = text_format.Parse(text, model_pb2.DetectionModel())
    assert config_util.get_max_num_context_features(model) == 10
    assert config_util.get_context_feature_length(model) == 5
    ssd = text_format.Parse("ssd {}", model_pb2.DetectionModel())
    assert config_util.get_max_num_context_features(ssd) is None
    assert config_util.get_context_feature_length(ssd) is None


def test_types_of_optimizer_and_schedule(configs):
    assert config_util.get_optimizer_type(configs["train_config"]) == "momentum_optimizer"
    optimizer = configs["train_config"].optimizer.momentum_optimizer
    assert config_util.get_learning_rate_type(optimizer) == "constant_learning_rate"
    assert config_util.get_optimizer_type(train_pb2.TrainConfig()) is None


SCHEDULES = [
    pytest.param(
        "constant_learning_rate { learning_rate: 1 }",
        "constant_learning_rate { learning_rate: 0.5 }",
        id="constant",
    ),
    pytest.param(
        "exponential_decay_learning_rate { initial_learning_rate: 1 min_learning_rate: 0.1 }",
        "exponential_decay_learning_rate { initial_learning_rate: 0.5 min_learning_rate: 0.1 }",
        id="exponential",
    ),
    pytest.param(
        "manual_step_learning_rate { initial_learning_rate: 2 schedule { step: 3 learning_rate: 1 } }",
        "manual_step_learning_rate { initial_learning_rate: 0.5 "
        "schedule { step: 3 learning_rate: 0.25 } }",
        id="steps keep their proportion",
    ),
    pytest.param(
        "cosine_decay_learning_rate { learning_rate_base: 1 warmup_learning_rate: 0.5 }",
        "cosine_decay_learning_rate { learning_rate_base: 0.5 warmup_learning_rate: 0.25 }",
        id="warm-up keeps its proportion",
    ),
]


@pytest.mark.parametrize(("before", "after"), SCHEDULES)
@pytest.mark.parametrize(
    "optimizer", ["rms_prop_optimizer", "momentum_optimizer", "adam_optimizer"]
)
def test_new_learning_rate(configs, optimizer, before, after):
    def message(schedule):
        return text_format.Parse(
            f"optimizer {{ {optimizer} {{ learning_rate {{ {schedule} }} }} }}",
            train_pb2.TrainConfig(),
        ).optimizer

    configs["train_config"].optimizer.CopyFrom(message(before))
    config_util.merge_external_params_with_configs(configs, {"learning_rate": 0.5})
    assert configs["train_config"].optimizer == message(after)


def _ssd_loss(c):
    return c["model"].ssd.loss


@pytest.mark.parametrize(
    ("key", "value", "read", "expected"),
    [
        ("batch_size", 16.4, lambda c: c["train_config"].batch_size, 16),
        ("batch_size", 0.1, lambda c: c["train_config"].batch_size, 1),
        (
            "momentum_optimizer_value",
            1.1,
            lambda c: c["train_config"].optimizer.momentum_optimizer.momentum_optimizer_value,
            1.0,
        ),
        (
            "classification_localization_weight_ratio",
            4.0,
            lambda c: (_ssd_loss(c).classification_weight, _ssd_loss(c).localization_weight),
            (4.0, 1.0),
        ),
        (
            "focal_loss_gamma",
            1.5,
            lambda c: _ssd_loss(c).classification_loss.weighted_sigmoid_focal.gamma,
            1.5,
        ),
        (
            "focal_loss_alpha",
            0.25,
            lambda c: _ssd_loss(c).classification_loss.weighted_sigmoid_focal.alpha,
            0.25,
        ),
        ("train_steps", 300, lambda c: c["train_config"].num_steps, 300),
        ("eval_steps", 20, lambda c: c["eval_config"].num_examples, 20),
        (
            "label_map_path",
            "map",
            lambda c: (
                [c["train_input_config"].label_map_path]
                + [r.label_map_path for r in c["eval_input_configs"]]
            ),
            ["map"] * 3,
        ),
        ("label_map_path", "", lambda c: c["train_input_config"].label_map_path, "a"),
        ("label_map_path", None, lambda c: c["train_input_config"].label_map_path, "a"),
        (
            "mask_type",
            input_reader_pb2.PNG_MASKS,
            lambda c: (
                [c["train_input_config"].mask_type] + [r.mask_type for r in c["eval_input_configs"]]
            ),
            [input_reader_pb2.PNG_MASKS] * 3,
        ),
        (
            "sample_1_of_n_eval_examples",
            3,
            lambda c: (
                [c["train_input_config"].sample_1_of_n_examples]
                + [r.sample_1_of_n_examples for r in c["eval_input_configs"]]
            ),
            [1, 3, 3],
        ),
        ("eval_num_epochs", 2, lambda c: [r.num_epochs for r in c["eval_input_configs"]], [2, 2]),
        ("eval_with_moving_averages", True, lambda c: c["eval_config"].use_moving_averages, True),
        (
            "retain_original_images_in_eval",
            False,
            lambda c: c["eval_config"].retain_original_images,
            False,
        ),
        (
            "retain_original_image_additional_channels_in_eval",
            True,
            lambda c: c["eval_config"].retain_original_image_additional_channels,
            True,
        ),
        ("train_shuffle", False, lambda c: c["train_input_config"].shuffle, False),
        ("use_bfloat16", True, lambda c: c["train_config"].use_bfloat16, True),
        ("num_classes", 2, lambda c: c["model"].ssd.num_classes, 2),
        ("train_config.batch_size", 5, lambda c: c["train_config"].batch_size, 5),
        ("model.ssd.num_classes", 6, lambda c: c["model"].ssd.num_classes, 6),
        (
            "train_config.update_trainable_variables",
            ["a", "b"],
            lambda c: list(c["train_config"].update_trainable_variables),
            ["a", "b"],
        ),
        (
            "graph_rewriter_config.quantization.weight_bits",
            4,
            lambda c: c["graph_rewriter_config"].quantization.weight_bits,
            4,
        ),
        (
            "eval_input_configs:two:shuffle",
            False,
            lambda c: c["eval_input_configs"][1].shuffle,
            False,
        ),
        (
            "train_input_path",
            "new",
            lambda c: list(c["train_input_config"].tf_record_input_reader.input_path),
            ["new"],
        ),
        (
            "train_input_path",
            ["n1", "n2"],
            lambda c: list(c["train_input_config"].tf_record_input_reader.input_path),
            ["n1", "n2"],
        ),
        (
            "append_train_input_path",
            "more",
            lambda c: list(c["train_input_config"].tf_record_input_reader.input_path),
            ["t", "more"],
        ),
        (
            "eval_input_configs:one:input_path",
            "new",
            lambda c: list(c["eval_input_configs"][0].tf_record_input_reader.input_path),
            ["new"],
        ),
        (
            "sample_from_datasets_weights",
            [0.5],
            lambda c: list(c["train_input_config"].sample_from_datasets_weights),
            [0.5],
        ),
        ("load_pretrained", True, lambda c: c["train_config"].batch_size, 4),
    ],
)
def test_one_key(configs, key, value, read, expected):
    assert config_util.merge_external_params_with_configs(configs, kwargs_dict={key: value})
    assert read(configs) == expected


def test_hyper_parameters_win_over_the_rest(configs):
    class Parameters:
        def values(self):
            return {"batch_size": 7}

    config_util.merge_external_params_with_configs(
        configs, Parameters(), {"batch_size": 3, "train_steps": 11}
    )
    assert configs["train_config"].batch_size == 7
    assert configs["train_config"].num_steps == 11


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("eval_input_configs:two:shuffle:more", True, ValueError),
        ("eval_input_configs:three:shuffle", True, ValueError),
        ("other_configs:two:shuffle", True, ValueError),
        ("eval_shuffle", True, ValueError),  # two readers, and no name
        ("train_config.batch_sise", 3, ValueError),
        ("train_config.optimiser.momentum_optimizer", 3, ValueError),
        ("train_config.batch_size", "many", ValueError),
        ("sample_from_datasets_weights", [0.5, 0.5], ValueError),
        ("std_dev_multiplier", 2.0, ValueError),
    ],
)
def test_keys_that_are_refused(configs, key, value, error):
    with pytest.raises(error):
        config_util.merge_external_params_with_configs(configs, {key: value})


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ("train_config { optimizer { adam_optimizer {} } }", "momentum_optimizer_value"),
        ("train_config { optimizer { adam_optimizer {} } }", "learning_rate"),
        (
            "model { ssd { loss { classification_loss { weighted_sigmoid {} } } } }",
            "focal_loss_alpha",
        ),
        ("model { center_net {} }", "focal_loss_gamma"),
        ("model { center_net {} }", "classification_localization_weight_ratio"),
    ],
)
def test_keys_that_the_config_has_no_place_for(change, key):
    configs = config_util.create_configs_from_pipeline_proto(_pipeline(change))
    with pytest.raises(TypeError):
        config_util.merge_external_params_with_configs(configs, {key: 0.5})


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("train_shuffle", (True, "train_input_config", None, "shuffle")),
        ("eval_input_path", (True, "eval_input_configs", None, "input_path")),
        ("eval_input_configs:one:x", (True, "eval_input_configs", "one", "x")),
        ("train_input_config::shuffle", (True, "train_input_config", "", "shuffle")),
        ("batch_size", (False, None, None, "batch_size")),
    ],
)
def test_parsed_keys(configs, key, expected):
    assert config_util.check_and_parse_input_config_key(configs, key) == expected


def test_update_of_a_reader(configs):
    seen = []
    config_util.update_input_reader_config(
        configs,
        "train_input_config",
        field_name="input_path",
        value="p",
        path_updater=lambda input_config, input_path: seen.append((input_config, input_path)),
    )
    assert seen == [(configs["train_input_config"], "p")]
    with pytest.raises(ValueError, match="not found"):
        config_util.update_input_reader_config(configs, "eval_input_configs", "three", "shuffle", 1)
    configs["eval_input_configs"][1].name = "one"
    with pytest.raises(ValueError, match="duplicate"):
        config_util.update_input_reader_config(configs, "eval_input_configs", "one", "shuffle", 1)
    with pytest.raises(ValueError, match="no single reader"):
        config_util.update_input_reader_config(configs, None, None, "shuffle", 1)
    del configs["eval_input_configs"][1]
    config_util.update_input_reader_config(
        configs, "eval_input_configs", field_name="num_epochs", value=4
    )
    assert configs["eval_input_configs"][0].num_epochs == 4


def test_unnecessary_averages():
    names = {"a/ExponentialMovingAverage": 1, "b/ExponentialMovingAverage": 2, "global_step": 3}
    assert config_util.remove_unnecessary_ema(dict(names)) == names
    assert config_util.remove_unnecessary_ema(dict(names), ["b"]) == {
        "a/ExponentialMovingAverage": 1,
        "b": 2,
        "global_step": 3,
    }


@pytest.mark.parametrize(
    ("text", "key", "value", "words"),
    [
        (
            "manual_step_learning_rate { initial_learning_rate: 0 }",
            "learning_rate",
            0.5,
            "the initial_learning_rate of the config is 0",
        ),
        (
            "cosine_decay_learning_rate { learning_rate_base: 0 }",
            "learning_rate",
            0.5,
            "the learning_rate_base of the config is 0",
        ),
        ("", "train_steps", "many", "'many' should be a whole number"),
        ("", "train_steps", float("inf"), "'inf' should be a whole number"),
        ("", "train_config.batch_size", 2**40, "'1099511627776' does not fit batch_size"),
        ("", "train_config.batch_sise", 3, "no field 'batch_sise'. Did you mean 'batch_size'?"),
        ("", "model.sssd.num_classes", 3, "no field 'sssd'. Did you mean 'ssd'?"),
        ("", "train_config.batch_size.x", 3, "batch_size is no single message"),
        ("", "train_config.data_augmentation_options.mosaic", 3, "options is no single message"),
    ],
)
def test_overrides_that_cannot_be_meant(text, key, value, words):
    rate = f"optimizer {{ momentum_optimizer {{ learning_rate {{ {text} }} }} }}"
    configs = config_util.create_configs_from_pipeline_proto(
        _pipeline(f"model {{ ssd {{}} }} train_config {{ {rate} }}")
    )
    with pytest.raises(ConfigError, match=re.escape(words)):
        config_util.merge_external_params_with_configs(configs, {key: value})
