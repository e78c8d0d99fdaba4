"""Lines of fields, and what is wrong in a text, against texts whose lines can be counted by eye."""

import time

import pytest

from object_detection.protos import pipeline_pb2
from object_detection.utils import config_text

ROOT = pipeline_pb2.TrainEvalPipelineConfig.DESCRIPTOR

TEXT = """# 1
model {
  ssd { num_classes: 3

    image_resizer <
      fixed_shape_resizer { height: 7, width: 8; }
    >  # closed
  }
}
eval_input_reader { shuffle: true }
eval_input_reader: {
  sample_from_datasets_weights: [1,
    2]
  sample_from_datasets_weights: 3
}
train_config { fine_tune_checkpoint: "a"
  "b" }
"""


def _read(text, source="x", places=None):
    places = config_text.Places() if places is None else places
    return config_text.problems(text, ROOT, source, places), places


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("model", 2),
        ("model.ssd", 3),
        ("model.ssd.num_classes", 3),
        ("model.ssd.image_resizer", 5),
        ("model.ssd.image_resizer.fixed_shape_resizer.width", 6),
        # What is not there has the line of what is around it.
        ("model.ssd.matcher.argmax_matcher", 3),
        ("model.ssd.image_resizer.fixed_shape_resizer.resize_method", 6),
        # The first of a repeated field goes by its name, too.
        ("eval_input_reader", 10),
        ("eval_input_reader[0].shuffle", 10),
        ("eval_input_reader[1]", 11),
        ("eval_input_reader[1].num_keypoints", 11),
        ("eval_input_reader[1].sample_from_datasets_weights", 12),
        ("eval_input_reader[1].sample_from_datasets_weights[1]", 13),
        ("eval_input_reader[1].sample_from_datasets_weights[2]", 14),
        ("train_config.fine_tune_checkpoint", 16),
    ],
)
def test_lines(path, line):
    problems, places = _read(TEXT)
    assert problems == []
    assert places.of(path) == f"x:{line}"


def test_a_text_as_a_whole_has_no_line_and_nothing_is_known_without_a_text():
    _, places = _read("")
    assert places.of("train_config.optimizer") == "x"
    assert config_text.Places().of("model.ssd") == ""


def test_a_second_text_goes_on():
    _, places = _read("train_config { batch_size: 1\nnum_steps: 2 }\neval_input_reader {}", "a")
    _, places = _read("\ntrain_config { batch_size: 3 } eval_input_reader {}", "b", places)
    assert places.of("train_config.batch_size") == "b:2"
    assert places.of("train_config.num_steps") == "a:2"
    # What is missing is missing in the first.
    assert places.of("train_config.optimizer") == "a:1"
    assert places.of("model") == "a"
    assert places.of("eval_input_reader[0]") == "a:3"
    assert places.of("eval_input_reader[1]") == "b:2"


def test_problems_come_in_the_order_of_lines():
    _, places = _read("train_config { batch_size: 1\nnum_steps: 2 }\nmodel { ssd {} }", "a")
    located = places.located(
        ["some.pbtxt:3: odd", "model.ssd: c.", "train_config.num_steps is b.", "train_config: a."]
    )
    assert located == [
        "a:1: train_config: a.",
        "a:2: train_config.num_steps is b.",
        "a:3: model.ssd: c.",
        "some.pbtxt:3: odd",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("model { ssd { num_clases: 1 } }", ["1 model.ssd: 'num_clases' is no field of Ssd."]),
        (
            "batch_size: 3",
            ["1 'batch_size' is no field of TrainEvalPipelineConfig. It is a field of"],
        ),
        # All of it, in one go; contents of unknown fields are passed by.
        (
            "modle { a { b: [1, 2] } c: 'x' 'y' }\ntrain_config { batch_size: x\nuse_bfloat16: 2 }",
            [
                "1 'modle' is no",
                "2 train_config.batch_size: is 'x'",
                "3 train_config.use_bfloat16: is",
            ],
        ),
        (
            "model { ssd {\ntrain_config { batch_size: 3 }",
            [
                "2 model.ssd: 'train_config' is no field of Ssd. It belongs outside of all other fields"
            ],
        ),
        ("model {\n ssd {\n}", ["1 model: the { of this line is never closed; add a }."]),
        ("model <\n ssd {\n}", ["1 model: the < of this line is never closed; add a >."]),
        ("model {} }", ["1 '}' closes nothing; leave it out."]),
        ("model { > }", ["1 '>' in model closes nothing"]),
        ("model: 5", ["1 model: is a message; write model { ... }."]),
        ("train_config { batch_size { } }", ["1 train_config.batch_size: is no message; write"]),
        ("train_config { batch_size 5 }", ["1 train_config.batch_size: a ':' is missing"]),
        ("train_config { batch_size: }", ["1 train_config.batch_size: its value is missing"]),
        ("train_config { batch_size: [1] }", ["1 train_config.batch_size: takes one value"]),
        (
            "train_config { batch_size: 1\nbatch_size: 2 }",
            ["2 train_config.batch_size: was set to"],
        ),
        # The same once more is no contradiction, however it is written.
        ("train_config { batch_size: 16 batch_size: 0x10 bias_grad_multiplier: .5 }", []),
        ("train_config { bias_grad_multiplier: nan }", []),
        ("eval_config { oks_sigmas: [0.1, 0.2 0.3] }", ["1 eval_config.oks_sigmas: '0.3' stands"]),
        ("eval_config { oks_sigmas: [0.1,\n0.2 }", ["2 eval_config.oks_sigmas: '}' stands"]),
        ("eval_config { oks_sigmas: [0.1,", ["1 eval_config.oks_sigmas: the [ of this line"]),
        (
            "train_config { fine_tune_checkpoint: 'a }",
            ["1 train_config.fine_tune_checkpoint: \"'a }"],
        ),
        ("model { ssd {} center_net {} }", ["1 model.center_net: excludes ssd of line 1"]),
        ("[extension.name] { }", ["1 '[' stands where a name of a field should."]),
        ("model { ssd { loss { ", ["1 model.ssd.loss: the { of this line is never closed"]),
        (
            "train_config { replicas_to_aggregate: -3 batch_size: -3 }",
            ["1 train_config.batch_size: is"],
        ),
        (
            "train_config { non_finite { policy: SKPI } }",
            ["'SKPI' is unknown. Did you mean 'SKIP'?"],
        ),
    ],
)
def test_problems(text, expected):
    found = [f"{line} {said}" for line, said in _read(text)[0]]
    expected_first = [row for row in found if any(words in row for words in expected)]
    assert len(expected_first) == len(expected), found
    if not expected:
        assert found == []


def test_at_most_twenty_problems():
    assert len(_read("foo: 1\n" * 100)[0]) == 20


@pytest.mark.parametrize(
    "text", ["foo { " * 50_000, "eval_config { oks_sigmas: [" + "0.5, " * 50_000 + "0.5] }"]
)
def test_time_grows_with_the_length_of_a_line_not_with_its_square(text):
    start = time.process_time()
    _read(text)
    # A third of a second to two; with the square it would be half a minute.
    assert time.process_time() - start < 10
