"""The program that looks at records before training, run as users run it."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import faults

from object_detection.dataset_tools import record_validation
from object_detection.errors import ConfigError

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "scripts" / "validate_tfrecord.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    faults.write_clean(folder / "clean.record", 60)
    plan = faults.plant(folder / "clean.record", folder / "bad.record", share=0.05, seed=1)
    (folder / "plan.json").write_text(json.dumps([one.as_found for one in plan]))
    (folder / "map.pbtxt").write_text("item { id: 1 name: 'face' }")
    both = f"label_map_path: '{folder}/map.pbtxt' num_keypoints: 5 tf_record_input_reader"
    (folder / "pipeline.config").write_text(
        "model { ssd { num_classes: 1 } }"
        f"train_input_reader {{ {both} {{ input_path: '{folder}/clean.rec*' }} }}"
        f"eval_input_reader {{ {both} {{ input_path: '{folder}/bad.record' }} }}"
    )
    return folder


def flags(folder, name):
    return [
        f"--records={folder / name}",
        f"--label_map={folder / 'map.pbtxt'}",
        "--num_keypoints=5",
        "--num_classes=1",
    ]


def program(arguments):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done


def test_clean_records_end_with_0(folder):
    done = program(flags(folder, "clean.record"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "60, all are used" in done.stdout


def test_faults_end_with_1_and_a_report(folder, tmp_path):
    report = tmp_path / "found.json"
    done = program([*flags(folder, "bad.record"), f"--report={report}"])
    assert (done.returncode, done.stderr) == (1, "")
    plan = json.loads((folder / "plan.json").read_text())
    (content,) = json.loads(report.read_text())["readers"]
    assert [[one["number"], one["reason"], one["action"]] for one in content["findings"]] == plan
    for _, reason, action in plan:
        assert f"{action:8}" in done.stdout
        assert reason in done.stdout
    # Each with its file, the number of the record and the name of the picture.
    first = next(one for one in content["findings"] if one["source_id"])
    assert f"record {first['number']} ({first['source_id']})" in done.stdout
    assert len(done.stdout.splitlines()) < 100


def test_readers_of_a_config(folder, tmp_path):
    report = tmp_path / "found.json"
    arguments = [f"--pipeline_config_path={folder / 'pipeline.config'}", f"--report={report}"]
    said, clean = record_validation.run(arguments)
    assert not clean
    train, evaluation = json.loads(report.read_text())["readers"]
    assert (train["reader"], train["records"], train["left_out"]) == ("train_input_reader", 60, 0)
    plan = json.loads((folder / "plan.json").read_text())
    assert evaluation["reader"] == "eval_input_reader"
    assert [one["reason"] for one in evaluation["findings"]] == [reason for _, reason, _ in plan]
    assert said.index("train_input_reader") < said.index("eval_input_reader")


def test_notes_alone_are_no_failure(folder, tmp_path):
    only = [fault for fault in faults.FAULTS if fault.action == "noted"]
    path = tmp_path / "noted.record"
    faults.plant(folder / "clean.record", path, share=0.05, seed=1, faults=only)
    said, clean = record_validation.run(flags(tmp_path, "noted.record")[:1] + ["--num_keypoints=5"])
    assert clean
    assert "size_differs" in said


@pytest.mark.parametrize("workers", [0, 2])
def test_a_name_that_is_no_text(folder, tmp_path, workers):
    strange = os.fsencode(tmp_path) + b"/\xff.record"
    with open(strange, "wb") as file:
        file.write((folder / "bad.record").read_bytes())
    report = tmp_path / "found.json"
    done = subprocess.run(
        [
            sys.executable,
            str(SCRIPT),
            b"--records=" + strange,
            f"--num_workers={workers}",
            f"--report={report}",
        ],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    (content,) = json.loads(report.read_text())["readers"]
    assert os.fsencode(content["findings"][0]["path"]) == strange


def test_several_patterns_and_processes(folder):
    arguments = ["--num_keypoints=5", "--num_workers=2", "--records"]
    said, clean = record_validation.run([*arguments, f"{folder}/cl*", f"{folder}/clean.record"])
    assert clean
    assert "(1 file)" in said


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        pytest.param(["--records=absent*"], "absent", id="no file"),
        pytest.param(["--records=gs://bucket/a"], "gs://bucket/a", id="elsewhere"),
        pytest.param(["--pipeline_config_path=absent"], "pipeline_config_path", id="no config"),
        pytest.param(["--records=x", "--num_workers=-1"], "num_workers", id="workers"),
        pytest.param(["--records=x", "--num_classes=0"], "num_classes", id="classes"),
        pytest.param(["--records=x", "--max_megapixels=nan"], "max_megapixels", id="megapixels"),
        pytest.param(["--records=x", "--label_map=absent"], "label_map", id="label map"),
        pytest.param(["--records=x", "--report=/"], "report", id="report"),
        pytest.param(["--pipeline_config_path=x", "--num_keypoints=5"], "num_keypoints", id="both"),
        pytest.param(["--pipeline_config_path=x", "--label_map=y"], "label_map", id="both maps"),
    ],
)
def test_wrong_flags(arguments, word):
    with pytest.raises(ConfigError, match=word):
        record_validation.run(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="none"),
        pytest.param(["--records=a", "--pipeline_config_path=b"], id="both"),
        pytest.param(["--records=a", "--num_keypoints=five"], id="no number"),
        pytest.param(["--record=a", "--nothing"], id="unknown"),
    ],
)
def test_flags_that_do_not_parse(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        record_validation.run(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err
