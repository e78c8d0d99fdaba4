"""What the kill test looks at, on folders made by hand; the test itself, short."""

import json
import pathlib
import subprocess
import sys

import pytest
import tensorflow.compat.v1 as tf

from object_detection.legacy import kill_test
from object_detection.utils import export_manifest

REPO = pathlib.Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("names", "has_begun", "moment"),
    [
        ([], False, "starting"),
        (["seed.txt"], True, "training"),
        ([".model.ckpt-3-abcdefgh.partial/x", "eval/.pictures-abcdefgh.partial"], True, "saving"),
        ([".removed model.ckpt-3-abcdefgh.partial/x"], True, "saving"),
        ([".checkpoint-abcdefgh.partial"], True, "saving"),
        ([".best-abcdefgh.partial/x", "eval/metrics.json"], True, "keeping the best"),
        ([".best.former/x"], True, "keeping the best"),
        (["eval/.pictures-abcdefgh.partial/x"], True, "evaluating"),
        (["eval/report/.sizes-abcdefgh.partial.csv"], True, "evaluating"),
        (["eval/metrics.json", "best/metrics.json"], True, "training"),
    ],
)
def test_what_a_kill_has_hit(tmp_path, names, has_begun, moment):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    assert kill_test.moment_of(tmp_path, has_begun) == moment
    assert kill_test.moment_of(tmp_path / "absent", False) == "starting"


def test_files_below(tmp_path):
    for name in ("events.out.tfevents.1", "a", ".b", "c/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert kill_test.files_below(tmp_path) == [".b", "a", "c/d"]


def test_an_export_is_what_is_there_and_what_the_manifest_says(tmp_path):
    assert kill_test.export_contents(tmp_path) == {"export.json": "is absent"}
    graph = tf.GraphDef(node=[{"name": "n", "op": "NoOp"}])
    (tmp_path / "frozen_inference_graph.pb").write_bytes(graph.SerializeToString())
    (tmp_path / "a").write_text("1")
    manifest = {"format": 1, "files": export_manifest.describe_folder(str(tmp_path))}
    (tmp_path / "export.json").write_text(json.dumps(manifest))
    found = kill_test.export_contents(tmp_path)
    assert sorted(found) == ["a", "frozen_inference_graph.pb"]
    graph.node[0].name = "m"
    (tmp_path / "frozen_inference_graph.pb").write_bytes(graph.SerializeToString())
    assert "sha256" in kill_test.export_contents(tmp_path)["export.json"]
    manifest = {"format": 1, "files": export_manifest.describe_folder(str(tmp_path))}
    (tmp_path / "export.json").write_text(json.dumps(manifest))
    other = kill_test.export_contents(tmp_path)
    assert other["a"] == found["a"]
    assert other["frozen_inference_graph.pb"] != found["frozen_inference_graph.pb"]


def _run(folder, *flags):
    return subprocess.run(
        [sys.executable, "scripts/kill_test.py", f"--output={folder}", *flags],
        cwd=REPO,
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.mark.slow
def test_a_few_kills_lose_nothing(tmp_path):
    done = _run(tmp_path / "out", "--kills=3", "--export_kills=0")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["problems"] == []
    assert result["kills"] == sum(result["kills_by_moment"].values()) == 3
    # Weights, momenta, averages of some fifty layers, in two checkpoints.
    assert result["compared"] > 300
    assert done.stdout.endswith("no difference and no leftover.\n")


def test_a_folder_of_other_things_is_not_emptied(tmp_path):
    (tmp_path / "mine").touch()
    done = _run(tmp_path)
    assert done.returncode == 1
    assert "holds other things" in done.stderr
    assert (tmp_path / "mine").exists()
