"""What users do wrong: one message that helps, no traceback, nothing half written, a quiet console."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import tensorflow.compat.v1 as tf

from object_detection.dataset_tools import drawn_faces

REPO = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = REPO / "object_detection"
pytestmark = pytest.mark.slow


def _run(*arguments):
    """A program as users start it, whatever the tests' own environment says."""
    environment = {
        name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"
    }
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=REPO,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=environment,
        timeout=300,
        check=False,
    )


def _fails(*arguments):
    """What a program says that ends in one message."""
    done = _run(*arguments)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    # A line of absl's log would be one more.
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith(f"{pathlib.Path(arguments[0]).stem}: ")
    return lines[0]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Records of a few drawn faces, and a config that trains one step on them."""
    folder = tmp_path_factory.mktemp("wrong_use")
    labels = drawn_faces.write_pictures(folder / "train", 4, seed=0, workers=1)
    done = _run(
        "scripts/txt_to_tfr_retface_v2.py",
        f"--itxt={labels}",
        f"--idir={folder / 'train' / 'images'}",
        f"--opath={folder / 'train.record'}",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    text = (REPO / "keypoint_examples" / "pipeline_demo.config").read_text()
    for old, new in (
        ("demo_output/train.record", str(folder / "train.record")),
        ("demo_output/val.record", str(folder / "train.record")),
        ("height: 192 width: 192", "height: 96 width: 96"),
        ("depth_multiplier: 0.25", "depth_multiplier: 0.1"),
        # Else all pictures are alike to so small a network after one step; an export would be refused.
        ("stddev: 0.03", "stddev: 0.3"),
        ("batch_size: 16", "batch_size: 2"),
        ("num_steps: 2500", "num_steps: 1"),
        ("shuffle_buffer_size: 2048", "shuffle_buffer_size: 4"),
        ("keypoint_examples/", f"{REPO}/keypoint_examples/"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "x.config").write_text(text)
    return folder


@pytest.fixture(scope="module")
def trained(work):
    """The directory of a training whose console was quiet."""
    done = _run(PACKAGE / "legacy/train.py", *_flags(work / "x.config", work / "run"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return work / "run"


def _flags(config, train_dir):
    return f"--pipeline_config_path={config}", f"--train_dir={train_dir}"


def test_evaluation_export_detection_and_inspection_are_quiet(work, trained):
    checkpoint = tf.train.latest_checkpoint(str(trained))
    exported = work / "exported"
    for arguments in (
        (
            PACKAGE / "legacy/eval.py",
            f"--pipeline_config_path={work / 'x.config'}",
            f"--checkpoint_dir={trained}",
            f"--eval_dir={work / 'eval'}",
            "--run_once",
        ),
        (
            PACKAGE / "export_inference_graph.py",
            f"--pipeline_config_path={work / 'x.config'}",
            f"--trained_checkpoint_prefix={checkpoint}",
            f"--output_directory={exported}",
        ),
        (
            "scripts/detect.py",
            f"--model={exported}",
            f"--output={work / 'found'}",
            work / "train" / "images",
        ),
        (
            "scripts/inspect_dataset.py",
            f"--pipeline_config_path={work / 'x.config'}",
            f"--output={work / 'inspected'}",
        ),
        (
            PACKAGE / "inference/infer_detections.py",
            f"--input_tfrecord_paths={work / 'train.record'}",
            f"--inference_graph={exported}",
            f"--output_tfrecord_path={work / 'found.record'}",
        ),
    ):
        done = _run(*arguments)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        assert done.stdout


def test_a_word_that_is_no_flag_is_refused(work, tmp_path):
    said = _fails(PACKAGE / "legacy/train.py", *_flags(work / "x.config", tmp_path / "t"), "False")
    assert "'False' is no flag" in said
    assert not (tmp_path / "t").exists()


def test_an_output_that_is_a_file_is_named(work, tmp_path):
    (tmp_path / "file").touch()
    said = _fails(PACKAGE / "legacy/train.py", *_flags(work / "x.config", tmp_path / "file"))
    assert f"--train_dir={tmp_path / 'file'}: is a file" in said


def test_training_on_a_damaged_record_names_it(work, tmp_path):
    cut = tmp_path / "cut.record"
    cut.write_bytes((work / "train.record").read_bytes()[:500])
    text = (work / "x.config").read_text()
    (tmp_path / "x.config").write_text(text.replace(str(work / "train.record"), str(cut)))
    said = _fails(PACKAGE / "legacy/train.py", *_flags(tmp_path / "x.config", tmp_path / "t"))
    assert "1 of 1 records (100.0%) cannot be used" in said
    assert "1 truncated" in said
    assert str(tmp_path / "t" / "records_report.json") in said


def test_the_config_of_another_model_does_not_replace_the_trainings_own(work, trained, tmp_path):
    text = (work / "x.config").read_text()
    text = text.replace("depth_multiplier: 0.1", "depth_multiplier: 0.3")
    (tmp_path / "x.config").write_text(text.replace("num_steps: 1", "num_steps: 2"))
    before = (trained / "pipeline.config").read_text()
    done = _run(PACKAGE / "legacy/train.py", *_flags(tmp_path / "x.config", trained))
    assert done.returncode == 1
    assert "train_dir holds a checkpoint of another model" in done.stderr
    assert len(done.stderr.splitlines()) < 20
    assert (trained / "pipeline.config").read_text() == before


def test_a_moved_training_evaluates_its_own_checkpoint(work, trained, tmp_path):
    moved = tmp_path / "moved"
    moved.mkdir()
    for file in trained.iterdir():
        if file.is_file():
            (moved / file.name).write_bytes(file.read_bytes())
    assert tf.train.latest_checkpoint(str(moved)).startswith(str(moved))


def test_ctrl_c_ends_the_converter_and_its_workers(work, tmp_path):
    block = (work / "train" / "label.txt").read_text()
    (tmp_path / "long.txt").write_text(block * 2000)
    with subprocess.Popen(
        [
            sys.executable,
            "scripts/txt_to_tfr_retface_v2.py",
            f"--itxt={tmp_path / 'long.txt'}",
            f"--idir={work / 'train' / 'images'}",
            f"--opath={tmp_path / 'out' / 'a.record'}",
            "--num_workers=2",
        ],
        cwd=REPO,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 120
        while not list((tmp_path / "out").glob("*.partial")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.5)
        # As a terminal does: to all processes at once.
        os.killpg(process.pid, signal.SIGINT)
        try:
            assert process.wait(60) == 130
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        assert process.stderr.read() == "txt_to_tfr_retface_v2: interrupted.\n"
    assert not list((tmp_path / "out").iterdir())
