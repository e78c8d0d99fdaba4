"""Differences between configs, against lines written by hand."""

from google.protobuf import text_format

from object_detection.protos import pipeline_pb2
from object_detection.utils import config_changes

OLD = """
model { ssd { num_classes: 1 image_resizer { fixed_shape_resizer { height: 8 width: 8 } } } }
train_config {
  batch_size: 16
  fine_tune_checkpoint: "a"
  data_augmentation_options { random_horizontal_flip {} }
  optimizer { momentum_optimizer { learning_rate { constant_learning_rate { learning_rate: 0.1 } } } }
}
train_input_reader { label_map_path: "x" tf_record_input_reader { input_path: "a" } }
"""


def _changes(old, new):
    messages = [
        text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig()) for text in (old, new)
    ]
    return config_changes.changes(*messages)


def test_nothing_changed():
    assert _changes("", "") == []
    assert _changes(OLD, OLD) == []


def test_a_value_that_is_the_default_is_no_change():
    assert _changes("train_config { }", "train_config { num_steps: 0 }") == []


def test_values_messages_and_lists():
    new = OLD.replace("batch_size: 16", "batch_size: 32").replace("rate: 0.1 ", "rate: 0.02 ")
    new = new.replace('input_path: "a"', 'input_path: "a" input_path: "b"')
    new = new.replace("random_horizontal_flip {}", "random_horizontal_flip { probability: 0.25 }")
    new = new.replace('fine_tune_checkpoint: "a"', "")
    rate = "optimizer.momentum_optimizer.learning_rate.constant_learning_rate.learning_rate"
    assert _changes(OLD, new) == [
        "train_config.batch_size: 16 -> 32",
        "train_config.data_augmentation_options[0].random_horizontal_flip.probability: 0.5 -> 0.25",
        f"train_config.{rate}: 0.1 -> 0.02",
        "train_config.fine_tune_checkpoint: 'a' -> ''",
        "train_input_reader.tf_record_input_reader.input_path: ['a'] -> ['a', 'b']",
    ]


def test_messages_that_come_and_go():
    step = "data_augmentation_options { random_horizontal_flip {} }"
    new = OLD.replace(step, f"{step} data_augmentation_options {{ ssd_random_crop {{}} }}")
    new = new.replace("batch_size: 16", "batch_size: 16 evaluation {}")
    assert _changes(OLD, new) == [
        "train_config.data_augmentation_options: 1 entries -> 2 entries",
        "train_config.evaluation: absent -> set",
    ]
    assert _changes(new, OLD)[1] == "train_config.evaluation: set -> absent"


def test_enumerations_have_names():
    old, new = (
        f"train_config {{ evaluation {{ better: {word} }} }}" for word in ("LOWER", "HIGHER")
    )
    assert _changes(old, new) == ["train_config.evaluation.better: LOWER -> HIGHER"]
