"""Each contradiction of a training's settings is named with its field, before TensorFlow starts."""

import pytest
from google.protobuf import text_format

from object_detection.protos import eval_pb2, input_reader_pb2, train_pb2
from object_detection.utils.config_check import training_check

MOMENTUM = "optimizer { use_moving_average: false momentum_optimizer { learning_rate { %s } } }"


def _problems(text, **configs):
    train = text_format.Parse(text, train_pb2.TrainConfig())
    return [
        *training_check.optimizer_problems(train),
        *training_check.evaluation_problems(train, configs),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gradient_clipping_by_norm: -1", "gradient_clipping_by_norm: is -1.0, should be 0"),
        ("gradient_clipping_by_global_norm: nan", "gradient_clipping_by_global_norm: is nan"),
        (
            "gradient_clipping_by_norm: 1 gradient_clipping_by_global_norm: 1",
            "excludes gradient_clipping_by_norm",
        ),
        ("non_finite { policy: SKIP max_times: 0 }", "non_finite.max_times: must be at least 1"),
        ("non_finite { policy: ROLL_BACK max_times: 0 }", "non_finite.max_times: must be"),
        ("optimizer { moving_average_decay: 1 }", "moving_average_decay: is 1, should be"),
        (
            "optimizer { use_moving_average: false moving_average_warmup: true }",
            "moving_average_warmup: has no effect without use_moving_average",
        ),
        (
            MOMENTUM % "warmup_steps: 1 warmup_start_factor: 1.5",
            "momentum_optimizer.learning_rate.warmup_start_factor: is 1.5, should be 0 to 1",
        ),
        (MOMENTUM % "warmup_start_factor: 0.5", "has no effect without warmup_steps"),
        (
            MOMENTUM % "warmup_steps: 1 cosine_decay_learning_rate {}",
            "warmup_steps: cosine_decay_learning_rate.warmup_steps is 10000; two warm-ups",
        ),
        (
            MOMENTUM
            % "warmup_steps: 1 manual_step_learning_rate { warmup: true schedule { step: 5 } }",
            "manual_step_learning_rate.warmup is True; two warm-ups",
        ),
        (MOMENTUM % "manual_step_learning_rate {}", "manual_step_learning_rate.schedule: is empty"),
        (
            MOMENTUM % "manual_step_learning_rate { schedule { step: 5 } schedule { step: 5 } }",
            "manual_step_learning_rate.schedule[1].step: is 5, not after step 5",
        ),
        (
            MOMENTUM % "cosine_decay_learning_rate { warmup_learning_rate: 1 }",
            "warmup_learning_rate: is 1, above learning_rate_base, which is 0.002",
        ),
        ("evaluation { every_steps: 0 }", "every_steps: must be at least 1"),
        (
            'evaluation { best_metric: "m" best_reader: "train" }',
            "best_reader: no eval_input_reader has the name 'train'; there are 'val', 'test'.",
        ),
        ("evaluation { better: LOWER }", "evaluation.better: needs best_metric"),
        ("evaluation { early_stopping {} }", "evaluation.early_stopping: needs best_metric"),
        (
            'evaluation { best_metric: "m" early_stopping { patience: 0 } }',
            "early_stopping.patience: must be at least 1",
        ),
        (
            'evaluation { best_metric: "m" early_stopping { min_change: -0.1 } }',
            "early_stopping.min_change: is -0.1",
        ),
    ],
)
def test_contradictions_are_named(text, words):
    readers = [input_reader_pb2.InputReader(name=name) for name in ("val", "test")]
    (found,) = _problems(text, eval_config=eval_pb2.EvalConfig(), eval_input_configs=readers)
    assert found.startswith("train_config.")
    assert words in found


@pytest.mark.parametrize(
    "configs", [{}, {"eval_config": eval_pb2.EvalConfig(), "eval_input_configs": []}]
)
def test_an_evaluation_needs_something_to_evaluate_on(configs):
    (found,) = _problems("evaluation {}", **configs)
    assert "needs eval_config and eval_input_reader" in found


@pytest.mark.parametrize(
    "text",
    [
        "",
        MOMENTUM % "warmup_steps: 5 cosine_decay_learning_rate { warmup_steps: 0 }",
        MOMENTUM % "warmup_steps: 5 warmup_start_factor: 0.1",
        MOMENTUM % "cosine_decay_learning_rate {}",
        "gradient_clipping_by_global_norm: 10",
    ],
)
def test_what_is_fine(text):
    assert _problems(text) == []
