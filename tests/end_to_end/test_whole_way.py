"""The programs as users run them, on a few drawn faces and a tiny model."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image

from object_detection.builders import model_builder
from object_detection.dataset_tools import drawn_faces
from object_detection.utils import config_util

REPO = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

SIZES = ((200, 320), (97, 61), (480, 360))  # height, width


def _program(*arguments, check=True):
    """Runs a program in a process of its own; returns what it said."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=REPO,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    if check:
        assert done.returncode == 0, done.stdout
    else:
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stdout, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Records, a config for a tiny model, and four steps of training."""
    folder = tmp_path_factory.mktemp("work")
    for seed, part in enumerate(("train", "val")):
        labels = drawn_faces.write_pictures(folder / part, 8, seed=seed, workers=1)
        _program(
            "scripts/txt_to_tfr_retface_v2.py",
            f"--itxt={labels}",
            f"--idir={folder / part / 'images'}",
            f"--opath={folder / part}.record",
        )
    text = (REPO / "keypoint_examples" / "pipeline_demo.config").read_text()
    for old, new in (
        ("demo_output/train.record", str(folder / "train.record")),
        ("demo_output/val.record", str(folder / "val.record")),
        ("height: 192 width: 192", "height: 96 width: 96"),
        ("depth_multiplier: 0.25", "depth_multiplier: 0.1"),
        ("batch_size: 16", "batch_size: 4"),
        ("num_steps: 2500", "num_steps: 4"),
        ("num_visualizations: 20", "num_visualizations: 2"),
        ("shuffle_buffer_size: 2048", "shuffle_buffer_size: 8"),
        ("keypoint_examples/", f"{REPO}/keypoint_examples/"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "x.config").write_text(text)
    said = _train(folder)
    (folder / "said.txt").write_text(said)
    return folder


def _train(folder, *flags, config="x.config", check=True):
    return _program(
        "object_detection/legacy/train.py",
        f"--pipeline_config_path={folder / config}",
        f"--train_dir={folder / 'train_dir'}",
        "--log_every_steps=2",
        *flags,
        check=check,
    )


@pytest.fixture(scope="module")
def exported(work):
    """Input type -> directory of the exported model."""
    checkpoint = tf.train.latest_checkpoint(str(work / "train_dir"))
    for kind in ("image_tensor", "encoded_image_string_tensor", "tf_example"):
        _program(
            "object_detection/export_inference_graph.py",
            "--input_type",
            kind,
            "--pipeline_config_path",
            work / "x.config",
            "--trained_checkpoint_prefix",
            checkpoint,
            "--output_directory",
            work / "exported" / kind,
        )
    return work / "exported"


def test_training_says_how_it_goes(work):
    said = (work / "said.txt").read_text()
    assert re.search(
        r"step 4/4: localization_loss [\d.]+, classification_loss [\d.]+, .*"
        r"pictures/s .* waiting for data, ETA 0:00:00",
        said,
    ), said
    assert tf.train.latest_checkpoint(str(work / "train_dir")).endswith("model.ckpt-4")
    assert list((work / "train_dir").glob("events.out.tfevents.*"))


def test_training_resumes_and_then_has_nothing_to_do(work, tmp_path):
    _train(tmp_path, config=work / "x.config")
    said = _train(tmp_path, "--num_train_steps=6", config=work / "x.config")
    assert "Resuming from" in said
    assert "Training from step 4 to 6" in said
    assert "Nothing to do" in _train(tmp_path, config=work / "x.config")


def test_a_stop_request_saves_and_ends(work, tmp_path):
    command = [
        sys.executable,
        "object_detection/legacy/train.py",
        f"--pipeline_config_path={work / 'x.config'}",
        f"--train_dir={tmp_path}",
        "--num_train_steps=1000000",
        "--log_every_steps=1",
    ]
    with subprocess.Popen(
        command, cwd=REPO, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        for line in process.stdout:
            if line.startswith("step 3"):
                process.send_signal(signal.SIGTERM)
                break
        said = process.stdout.read()
        assert process.wait(60) == 130
    assert "Interrupted at step" in said
    assert tf.train.latest_checkpoint(str(tmp_path))


def test_fine_tuning_reports_what_it_restores(work, tmp_path):
    checkpoint = tf.train.latest_checkpoint(str(work / "train_dir"))
    text = (work / "x.config").read_text()
    text = text.replace(
        "gradient_clipping_by_norm: 10.0",
        f'gradient_clipping_by_norm: 10.0 fine_tune_checkpoint: "{checkpoint}" '
        'fine_tune_checkpoint_type: "detection" load_all_detection_checkpoint_vars: true',
    )
    (tmp_path / "x.config").write_text(text)
    said = _train(tmp_path)
    assert "Fine-tuning from" in said
    assert "Momentum" not in said


def test_flags_of_clusters_are_refused(work):
    said = _train(work, "--num_clones=2", check=False)
    assert "--num_clones=2: training on several clones or machines is not available" in said


def test_a_config_that_contradicts_itself_is_refused(work, tmp_path):
    text = (work / "x.config").read_text().replace("kernel_size: 3", "box_code_size: 12")
    (tmp_path / "x.config").write_text(text)
    said = _train(tmp_path, check=False)
    assert "box_code_size is 12, but keypoints.schema" in said
    assert "has 5 keypoints: codes need 4 + 2 * 5 = 14" in said
    assert not (tmp_path / "train_dir").exists()


def test_evaluation_writes_metrics_and_pictures(work, tmp_path):
    arguments = (
        "object_detection/legacy/eval.py",
        f"--pipeline_config_path={work / 'x.config'}",
        f"--checkpoint_dir={work / 'train_dir'}",
        f"--eval_dir={tmp_path}",
        "--run_once",
    )
    _program(*arguments)
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert written["step"] == 4
    assert written["pictures"] == 8
    assert 0 <= written["metrics"]["DetectionBoxes_Precision/mAP@.50IOU"] <= 1
    assert "Keypoints/NME" in written["metrics"]
    pictures = sorted((tmp_path / "pictures").glob("*.jpg"))
    assert len(pictures) == 2
    with (
        Image.open(work / "val" / "images" / "0000.jpg") as picture,
        Image.open(pictures[0]) as drawn,
    ):
        assert drawn.width > 2 * picture.width
    assert list(tmp_path.glob("events.out.tfevents.*"))


def test_evaluation_without_a_checkpoint_says_so(work, tmp_path):
    said = _program(
        "object_detection/legacy/eval.py",
        f"--pipeline_config_path={work / 'x.config'}",
        f"--checkpoint_dir={tmp_path}",
        f"--eval_dir={tmp_path / 'eval'}",
        "--run_once",
        check=False,
    )
    assert "there is no checkpoint" in said


def test_files_of_an_export(exported):
    names = {path.name for path in (exported / "image_tensor").iterdir()}
    assert {
        "frozen_inference_graph.pb",
        "saved_model",
        "model.ckpt.index",
        "model.ckpt.meta",
        "checkpoint",
        "pipeline.config",
    } <= names


def _pictures():
    random = np.random.RandomState(7)
    for height, width in SIZES:
        coarse = random.randint(0, 256, [height // 16 + 1, width // 16 + 1, 3]).astype(np.uint8)
        yield np.array(Image.fromarray(coarse).resize((width, height)))


def _of_the_checkpoint(work):
    """Detections of the model itself, without export, for each picture."""
    configs = config_util.get_configs_from_pipeline_file(str(work / "x.config"))
    model = model_builder.build(configs["model"], is_training=False)
    images = tf.placeholder(tf.float32, [1, None, None, 3])
    outputs = model.call(images)
    with tf.Session() as session:
        tf.train.Saver(tf.global_variables()).restore(
            session, tf.train.latest_checkpoint(str(work / "train_dir"))
        )
        return [session.run(outputs, {images: picture[None]}) for picture in _pictures()]


# A user's program: it imports nothing of ours.
FROZEN = textwrap.dedent(
    """
    import sys
    import numpy as np
    import tensorflow as tf

    folder, kind, pictures, out = sys.argv[1:]
    graph_def = tf.compat.v1.GraphDef()
    graph_def.ParseFromString(open(folder + "/frozen_inference_graph.pb", "rb").read())
    names = ["boxes", "scores", "classes", "keypoints"]
    results = {}
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(graph_def, name="")
        for number, image in np.load(pictures).items():
            if kind == "image_tensor":
                fed = image[None]
            else:
                fed = tf.io.encode_png(image)
                if kind == "tf_example":
                    encoded = session.run(fed)
                    feature = {
                        "image/encoded": tf.train.Feature(
                            bytes_list=tf.train.BytesList(value=[encoded])
                        ),
                        "image/format": tf.train.Feature(
                            bytes_list=tf.train.BytesList(value=[b"png"])
                        ),
                    }
                    fed = tf.train.Example(features=tf.train.Features(feature=feature))
                    fed = [fed.SerializeToString()]
                else:
                    fed = [session.run(fed)]
            outputs = {name: f"detection_{name}:0" for name in names}
            outputs["count"] = "num_detections:0"
            for name, value in session.run(outputs, {f"{kind}:0": fed}).items():
                results[f"{number}/{name}"] = value
    np.savez(out, **results)
    assert not any(name.split(".")[0] == "object_detection" for name in sys.modules)
    """
)


@pytest.mark.parametrize("kind", ["image_tensor", "encoded_image_string_tensor", "tf_example"])
def test_the_frozen_graph_equals_the_checkpoint(kind, work, exported, tmp_path):
    np.savez(tmp_path / "pictures.npz", *_pictures())
    (tmp_path / "run_frozen.py").write_text(FROZEN)
    _program(
        tmp_path / "run_frozen.py",
        exported / kind,
        kind,
        tmp_path / "pictures.npz",
        tmp_path / "found.npz",
    )
    found = np.load(tmp_path / "found.npz")
    for number, expected in enumerate(_of_the_checkpoint(work)):
        assert expected["num_detections"][0] > 0
        for ours, theirs, offset in (
            ("detection_boxes", "boxes", 0),
            ("detection_scores", "scores", 0),
            ("detection_classes", "classes", 1),
            ("detection_keypoints", "keypoints", 0),
            ("num_detections", "count", 0),
        ):
            np.testing.assert_allclose(
                found[f"arr_{number}/{theirs}"], expected[ours] + offset, atol=1e-4, err_msg=theirs
            )


def test_the_saved_model_serves(exported, work):
    with tf.Graph().as_default(), tf.Session() as session:
        loaded = tf.saved_model.load(session, ["serve"], str(exported / "image_tensor/saved_model"))
        signature = loaded.signature_def["serving_default"]
        picture = next(_pictures())
        boxes = session.run(
            signature.outputs["detection_boxes"].name,
            {signature.inputs["inputs"].name: picture[None]},
        )
    np.testing.assert_allclose(boxes, _of_the_checkpoint(work)[0]["detection_boxes"], atol=1e-4)


def test_detecting_with_the_frozen_graph(work, exported, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no picture")
    said = _program(
        "scripts/detect.py",
        "--model",
        exported / "image_tensor",
        "--output",
        tmp_path / "out",
        "--label_map",
        "keypoint_examples/face_label_map.pbtxt",
        "--min_score",
        "0",
        work / "val" / "images",
        broken,
    )
    assert "left out" in said
    written = json.loads((tmp_path / "out" / "detections.json").read_text())["pictures"]
    assert len(written) == 9
    assert "is no picture of a known format" in written[-1]["error"]
    for entry in written[:-1]:
        for one in entry["detections"]:
            assert one["name"] == "face"
            assert len(one["keypoints"]) == 5
            assert 0 <= one["box"][0] <= one["box"][2] <= entry["height"]
    assert sum(len(entry["detections"]) for entry in written[:-1]) > 0
    assert len(list((tmp_path / "out" / "pictures").glob("*.jpg"))) == 8


def test_time_of_startup():
    """Mistakes in flags are reported without waiting for TensorFlow."""
    began = time.monotonic()
    said = _program("object_detection/legacy/train.py", check=False)
    assert "Give --pipeline_config_path" in said or "--train_dir is required" in said
    assert time.monotonic() - began < 15
