"""A training on records with every kind of fault: it goes on with the good ones, and says so."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import faults

REPO = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

COUNT = 40  # records, two of them with each fault


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with records, the config of a tiny SSD for them, and the plan of their faults."""
    folder = tmp_path_factory.mktemp("work")
    faults.write_clean(folder / "clean.record", COUNT)
    plan = faults.plant(folder / "clean.record", folder / "bad.record", share=0.05, seed=3)
    assert len(plan) == 2 * len(faults.FAULTS)
    text = (REPO / "keypoint_examples" / "pipeline_demo.config").read_text()
    for old, new in (
        ("demo_output/train.record", f"{folder}/bad.record"),
        ("demo_output/val.record", f"{folder}/clean.record"),
        ("height: 192 width: 192", "height: 64 width: 64"),
        ("depth_multiplier: 0.25", "depth_multiplier: 0.1"),
        ("batch_size: 16", "batch_size: 8"),
        ("shuffle_buffer_size: 2048", "shuffle_buffer_size: 8 bad_records { max_share: 0.7 }"),
        ("keypoint_examples/", f"{REPO}/keypoint_examples/"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "x.config").write_text(text)
    return folder, plan


def _train(folder, config, train_dir, steps):
    return subprocess.run(
        [
            sys.executable,
            "object_detection/legacy/train.py",
            f"--pipeline_config_path={folder / config}",
            f"--train_dir={folder / train_dir}",
            f"--num_train_steps={steps}",
            "--log_every_steps=1",
            "--seed=1",
        ],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"},
    )


def test_a_training_goes_on_with_the_good_records_and_says_so(work):
    folder, plan = work
    at_once, before, after = (
        _train(folder, "x.config", train_dir, steps)
        for train_dir, steps in (("at_once", 5), ("stopped", 2), ("stopped", 5))
    )
    left_out = sum(one.fault.action == "skipped" for one in plan)
    for done in (at_once, before, after):
        assert done.returncode == 0, done.stderr
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("Records")]
        assert f"{left_out} of {COUNT} are left out, 8 mended" in line
    report = json.loads((folder / "at_once" / "records_report.json").read_text())
    found = sorted((one["number"], one["reason"], one["action"]) for one in report["findings"])
    assert found == sorted(one.as_found for one in plan)
    # The 18 records that are left come in the order that they would have had without a stop, each
    # once in an epoch: all that was learnt from them is the same.
    values = [
        tf.train.load_checkpoint(str(folder / name / "model.ckpt-5"))
        for name in ("at_once", "stopped")
    ]
    names = values[0].get_variable_to_shape_map()
    assert len(names) > 50
    for name in names:
        np.testing.assert_array_equal(*(one.get_tensor(name) for one in values), name)


def test_the_next_start_does_not_look_through_the_records_again(work):
    folder, _ = work
    assert _train(folder, "x.config", "again", 1).returncode == 0
    cache = folder / "again" / "records_scan.json"
    # What it takes from there cannot be what it would have found itself.
    content = json.loads(cache.read_text())
    content["files"][0]["findings"][0]["detail"] = "of an earlier scan"
    cache.write_text(json.dumps(content))
    written = cache.stat().st_mtime_ns
    done = _train(folder, "x.config", "again", 1)
    assert done.returncode == 0, done.stderr
    assert "Nothing to do" in done.stdout
    assert cache.stat().st_mtime_ns == written
    assert "of an earlier scan" in (folder / "again" / "records_report.json").read_text()


def test_too_many_bad_records_end_in_one_message_before_the_first_step(work):
    folder, _ = work
    text = (folder / "x.config").read_text()
    (folder / "strict.config").write_text(text.replace("max_share: 0.7", "max_share: 0.5"))
    done = _train(folder, "strict.config", "strict", 5)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("train: train_input_reader: 26 of 40 records (65.0%) cannot be")
    assert len(done.stderr.splitlines()) == 1
    assert "step 1" not in done.stdout
    assert not list((folder / "strict").glob("model.ckpt*"))
    assert (folder / "strict" / "records_report.json").exists()
