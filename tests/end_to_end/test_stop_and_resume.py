"""A real detector, trained at once and with a kill between: bit for bit the same, and exported."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.dataset_tools import drawn_faces

REPO = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

ENVIRONMENT = {
    **os.environ,
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
TRAINING = """
  data_augmentation_options { ssd_random_crop {} }
  data_augmentation_options { random_distort_color {} }
  optimizer {
    momentum_optimizer {
      learning_rate { exponential_decay_learning_rate { initial_learning_rate: 0.01 decay_steps: 3 }
        warmup_steps: 3 warmup_start_factor: 0.1 }
    }
    use_moving_average: true
    moving_average_warmup: true
  }
  evaluation { every_steps: 3 best_metric: "Losses/classification_loss"
    early_stopping { patience: 9 } }
"""


def _program(*arguments):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=REPO,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Records of eight drawn pictures, and the config of a tiny SSD."""
    folder = tmp_path_factory.mktemp("work")
    labels = drawn_faces.write_pictures(folder / "pictures", 8, seed=0, workers=1)
    _program(
        "scripts/txt_to_tfr_retface_v2.py",
        f"--itxt={labels}",
        f"--idir={folder / 'pictures' / 'images'}",
        f"--opath={folder / 'faces'}.record",
    )
    text = (REPO / "keypoint_examples" / "pipeline_demo.config").read_text()
    optimizer = text[text.index("  optimizer {") : text.index("  gradient_clipping_by_norm")]
    for old, new in (
        (optimizer, TRAINING),
        ("demo_output/train.record", f"{folder}/faces.record"),
        ("demo_output/val.record", f"{folder}/faces.record"),
        ("height: 192 width: 192", "height: 96 width: 96"),
        ("depth_multiplier: 0.25", "depth_multiplier: 0.1"),
        ("batch_size: 16", "batch_size: 3"),
        ("num_steps: 2500", "num_steps: 7"),
        ("num_visualizations: 20", "num_visualizations: 1 use_moving_averages: true"),
        ("shuffle_buffer_size: 2048", "shuffle_buffer_size: 5"),
        ("keypoint_examples/", f"{REPO}/keypoint_examples/"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "x.config").write_text(text)
    return folder


def _command(work, train_dir):
    return [
        "object_detection/legacy/train.py",
        f"--pipeline_config_path={work / 'x.config'}",
        f"--train_dir={train_dir}",
        "--log_every_steps=1",
        "--save_every_secs=0",
        "--seed=4",
    ]


def _values(checkpoint):
    reader = tf.train.load_checkpoint(checkpoint)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


@pytest.fixture(scope="module")
def at_once(work):
    """What a training without a stop said; its directory has the same name."""
    return _program(*_command(work, work / "at_once"))


def test_killed_and_gone_on_with_equals_trained_at_once(work, at_once):
    said = at_once
    with subprocess.Popen(
        [sys.executable, *_command(work, work / "killed")],
        cwd=REPO,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    ) as process:
        for line in process.stdout:
            if line.startswith("step 4/"):
                process.kill()
                break
        process.stdout.read()
        assert process.wait() == -signal.SIGKILL
    rest = _program(*_command(work, work / "killed"))
    assert "Resuming from" in rest
    expected, found = (_values(str(work / name / "model.ckpt-7")) for name in ("at_once", "killed"))
    assert set(found) == set(expected)
    assert sum("/Momentum" in name for name in expected) > 50
    assert sum("/ExponentialMovingAverage" in name for name in expected) > 50
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, name)
    # The losses on the console and the evaluations, too.
    for line in (line for line in rest.splitlines() if line.startswith(("step ", "eval "))):
        assert line.split(" pictures")[0].split(";")[0].split(" (")[0] in said, line
    histories = [
        json.loads((work / name / "eval" / "history.json").read_text())
        for name in ("at_once", "killed")
    ]
    assert [entry["step"] for entry in histories[0]] == [3, 6, 7]
    assert histories[0] == histories[1]
    assert "WARNING" not in said


HYPERPARAMS = """regularizer { l2_regularizer { weight: 0.0 } }
  initializer { truncated_normal_initializer { stddev: 0.05 } }"""
TWO_STAGES = f"""
model {{ faster_rcnn {{
  num_classes: 1
  image_resizer {{ fixed_shape_resizer {{ height: 64 width: 96 }} }}
  feature_extractor {{ type: "faster_rcnn_mobilenet_v1" }}
  first_stage_anchor_generator {{ grid_anchor_generator {{ scales: [0.125, 0.25]
    aspect_ratios: [0.5, 1, 2] }} }}
  first_stage_box_predictor_conv_hyperparams {{ op: CONV {HYPERPARAMS} }}
  first_stage_box_predictor_depth: 16
  first_stage_max_proposals: 12
  second_stage_batch_size: 6
  initial_crop_size: 4
  maxpool_kernel_size: 2
  maxpool_stride: 2
  second_stage_box_predictor {{ mask_rcnn_box_predictor {{ fc_hyperparams {{ op: FC {HYPERPARAMS} }} }} }}
  second_stage_post_processing {{ batch_non_max_suppression {{}} score_converter: SOFTMAX }}
}} }}
train_config {{
  batch_size: 2
  num_steps: 6
  data_augmentation_options {{ random_horizontal_flip {{}} }}
  data_augmentation_options {{ ssd_random_crop {{}} }}
  optimizer {{ momentum_optimizer {{ learning_rate {{
    constant_learning_rate {{ learning_rate: 0.003 }} }} }} use_moving_average: false }}
}}
train_input_reader {{
  label_map_path: "{REPO}/keypoint_examples/face_label_map.pbtxt"
  shuffle_buffer_size: 5
  tf_record_input_reader {{ input_path: "FOLDER/faces.record" }}
}}
eval_config {{ num_visualizations: 0 }}
eval_input_reader {{
  label_map_path: "{REPO}/keypoint_examples/face_label_map.pbtxt"
  tf_record_input_reader {{ input_path: "FOLDER/faces.record" }}
}}
"""


def test_two_stages_that_stopped_go_on_with_the_same_samples_of_anchors_and_proposals(work):
    config = work / "two_stages.config"
    config.write_text(TWO_STAGES.replace("FOLDER", str(work)))
    for name, steps in (("two_at_once", 6), ("two_stopped", 3), ("two_stopped", 6)):
        said = _program(
            "object_detection/legacy/train.py",
            f"--pipeline_config_path={config}",
            f"--train_dir={work / name}",
            f"--num_train_steps={steps}",
            "--seed=4",
        )
    assert "Training from step 3 to 6" in said
    expected, found = (
        _values(str(work / name / "model.ckpt-6")) for name in ("two_at_once", "two_stopped")
    )
    assert set(found) == set(expected)
    begun = _values(str(work / "two_stopped" / "model.ckpt-3"))
    assert sum(bool(np.any(begun[name] != value)) for name, value in expected.items()) > 50
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, name)


def test_the_best_checkpoint_is_exported_with_its_averages(work, at_once):
    best = work / "at_once" / "best"
    kept = json.loads((best / "metrics.json").read_text())
    checkpoint = best / kept["checkpoint"]
    _program(
        "object_detection/export_inference_graph.py",
        "--pipeline_config_path",
        best / "pipeline.config",
        "--trained_checkpoint_prefix",
        checkpoint,
        "--output_directory",
        work / "exported",
        # After seven steps the network says the same of all pictures, which is refused.
        "--nocheck",
    )
    trained, exported = (_values(str(path)) for path in (checkpoint, work / "exported/model.ckpt"))
    averaged = 0
    for name, value in exported.items():
        average = trained.get(f"{name}/ExponentialMovingAverage")
        np.testing.assert_array_equal(value, trained[name] if average is None else average, name)
        averaged += average is not None and bool(np.any(average != trained[name]))
    # Weights are averages, the statistics of batch normalisation are themselves.
    assert averaged > 20
    assert any(name.endswith("moving_variance") for name in exported)
    assert not any(name.endswith("ExponentialMovingAverage") for name in exported)


def _asked_to_end(arguments, is_time):
    """Sends SIGTERM to a program once something is so; gives its exit status and all it said."""
    with subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=REPO,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=ENVIRONMENT,
    ) as process:
        end = time.monotonic() + 300
        while not is_time() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        process.terminate()
        said = process.stdout.read()
        return process.wait(), said


@pytest.mark.parametrize("program", ["train", "eval", "export_inference_graph"])
def test_a_program_that_is_asked_to_end_leaves_nothing_partial(work, at_once, tmp_path, program):
    """Training while TensorFlow is loaded; the others in the midst of their work."""
    best = work / "at_once" / "best"
    begin = time.monotonic()
    arguments, is_time = {
        "train": (_command(work, tmp_path / "run"), lambda: time.monotonic() > begin + 1),
        "eval": (
            [
                "object_detection/legacy/eval.py",
                f"--pipeline_config_path={work / 'x.config'}",
                f"--checkpoint_dir={best}",
                f"--eval_dir={tmp_path / 'eval'}",
                "--run_once",
            ],
            lambda: any(tmp_path.glob("eval/.pictures-*.partial")),
        ),
        "export_inference_graph": (
            [
                "object_detection/export_inference_graph.py",
                f"--pipeline_config_path={best / 'pipeline.config'}",
                f"--trained_checkpoint_prefix={next(best.glob('*.index')).with_suffix('')}",
                f"--output_directory={tmp_path / 'exported'}",
            ],
            lambda: any(tmp_path.glob(".exported-*.partial")),
        ),
    }[program]
    status, said = _asked_to_end(arguments, is_time)
    assert status == 130, said
    assert said.endswith(f"{program}: interrupted.\n")
    assert "Traceback" not in said
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    # What it found of the records is whole, and there for the next start.
    assert left <= {"records_report.json", "records_scan.json"}
    assert not any(".partial" in path.name for path in tmp_path.rglob("*"))
