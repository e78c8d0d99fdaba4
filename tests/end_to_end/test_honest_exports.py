"""Exports of all examples against their checkpoints, and exports that somebody changed."""

import hashlib
import json
import logging
import pathlib
import re
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image

from object_detection import exporter
from object_detection.builders import model_builder
from object_detection.errors import CheckpointError, ExportError, ObjectDetectionError
from object_detection.inference import (
    detect_pictures,
    detection_inference,
    detector,
    export_verification,
)
from object_detection.utils import config_util

REPO = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = sorted((REPO / "keypoint_examples").glob("*.config"))
# One run of these takes seconds: fewer pictures.
LARGE = 640
pytestmark = pytest.mark.slow


def _pictures(count):
    """Real ones if there are some on this machine, else coarse noise."""
    folder = REPO.parent / "shared" / "data" / "widerface_subset" / "val" / "images"
    found = sorted(folder.rglob("*.jpg"))[:count]
    if found:
        return [np.array(Image.open(path).convert("RGB")) for path in found]
    random = np.random.RandomState(0)
    coarse = random.randint(0, 256, [count, 20, 30, 3]).astype(np.uint8)
    return [np.array(Image.fromarray(one).resize((450, 300))) for one in coarse]


def _pipeline(path, text=""):
    configs = config_util.get_configs_from_pipeline_file(str(path), text or None)
    pipeline = config_util.create_pipeline_proto_from_configs(configs)
    pipeline.eval_config.use_moving_averages = False
    return config_util.completed(pipeline)


def _size(pipeline):
    resizer = config_util.get_image_resizer_config(pipeline.model)
    return max(config_util.get_spatial_image_size(resizer))


def _of_the_checkpoint(pipeline, prefix, pictures):
    """What the network itself gives of all anchors, and finds, for each picture."""
    with tf.Graph().as_default(), tf.Session() as session:
        model = model_builder.build(pipeline.model, is_training=False)
        images = tf.placeholder(tf.float32, [1, None, None, 3])
        inputs, shapes = model.preprocess(images)
        outputs = model.postprocess(model.predict(inputs, shapes), shapes)
        tf.train.Saver(tf.global_variables()).restore(session, prefix)
        names = ("raw_detection_boxes", "raw_detection_scores", "num_detections")
        wanted = {name: outputs[name] for name in names}
        return [session.run(wanted, {images: picture[None]}) for picture in pictures]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_gives_what_its_checkpoint_gives(path, lively_checkpoint, tmp_path):
    pipeline = _pipeline(path)
    size = _size(pipeline)
    prefix = lively_checkpoint(pipeline, str(tmp_path / "model.ckpt-0"), size)
    shape = [1, None, None, 3] if size >= LARGE else None
    with tf.Graph().as_default():
        report = exporter.export_inference_graph(
            "image_tensor", pipeline, prefix, str(tmp_path / "out"), input_shape=shape
        )
    assert report.number >= 4
    assert report.detections > 0
    pictures = _pictures(2 if size >= LARGE else 4)
    with tf.Graph().as_default(), tf.Session() as session:
        graph_def = tf.GraphDef.FromString(
            (tmp_path / "out/frozen_inference_graph.pb").read_bytes()
        )
        tf.import_graph_def(graph_def, name="")
        expected = _of_the_checkpoint(pipeline, prefix, pictures)
        for picture, values in zip(pictures, expected, strict=True):
            found = session.run(
                {name: f"{name}:0" for name in values}, {"image_tensor:0": picture[None]}
            )
            # Twice what the check allows: processors round in other places.
            boxes = values["raw_detection_boxes"]
            scale = np.maximum(np.abs(boxes).max(axis=2, keepdims=True), 1.0)
            np.testing.assert_allclose(
                found["raw_detection_boxes"] / scale, boxes / scale, atol=2e-4
            )
            scores = values["raw_detection_scores"]
            np.testing.assert_allclose(found["raw_detection_scores"], scores, atol=2e-4)
    # What is compared depends on the picture, by much more than may differ.
    first, other = (values["raw_detection_scores"] for values in expected[:2])
    assert np.abs(first - other).max() > 0.01


@pytest.fixture(scope="module")
def checkpoints(lively_checkpoint, tmp_path_factory):
    """Two checkpoints of the demo's network, of smaller input."""
    folder = tmp_path_factory.mktemp("checkpoints")
    pipeline = _pipeline(
        REPO / "keypoint_examples" / "pipeline_demo.config",
        "model { ssd { image_resizer { fixed_shape_resizer { height: 96 width: 96 } } } }",
    )
    return pipeline, [
        lively_checkpoint(pipeline, str(folder / f"model.ckpt-{seed}"), 96, seed) for seed in (1, 2)
    ]


@pytest.fixture(scope="module")
def exported(checkpoints, tmp_path_factory):
    """Exports of both checkpoints."""
    pipeline, prefixes = checkpoints
    made = []
    for prefix in prefixes:
        made.append(tmp_path_factory.mktemp("exported") / "out")
        with tf.Graph().as_default():
            exporter.export_inference_graph("image_tensor", pipeline, prefix, str(made[-1]))
    return made


@pytest.fixture
def copy(exported, tmp_path):
    return pathlib.Path(shutil.copytree(exported[0], tmp_path / "copy"))


def _verify(folder, *flags):
    return export_verification.run(["--model", str(folder), *flags])


def _entries_adapted(folder):
    """Whoever changes a file can change what export.json says of it."""
    content = json.loads((folder / "export.json").read_text())
    for name in content["files"]:
        data = (folder / name).read_bytes()
        entry = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        content["files"][name] = entry
    (folder / "export.json").write_text(json.dumps(content))


def _change_a_weight(folder):
    path = folder / "frozen_inference_graph.pb"
    graph_def = tf.GraphDef.FromString(path.read_bytes())
    node = next(
        node
        for node in graph_def.node
        if node.op == "Const" and len(node.attr["value"].tensor.tensor_shape.dim) == 4
    )
    value = tf.make_ndarray(node.attr["value"].tensor).copy()
    value[1, 1, 1, 0] *= 1.05
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    path.write_bytes(graph_def.SerializeToString())


def _swap_the_config(folder):
    path = folder / "pipeline.config"
    text, count = re.subn(r"iou_threshold: [\d.]+", "iou_threshold: 0.15", path.read_text())
    assert count
    path.write_text(text)


def _cut_the_saved_model(folder):
    path = folder / "saved_model" / "saved_model.pb"
    path.write_bytes(path.read_bytes()[:-1000])


def _swap_the_checkpoint(folder, other):
    for path in other.glob("model.ckpt.[di]*"):
        shutil.copy(path, folder / path.name)


def test_as_it_was_exported(exported, checkpoints, tmp_path):
    for number, image in enumerate(_pictures(3)):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    said = _verify(exported[0], "--images", f"{tmp_path}/*.png")
    assert "files are those that were exported" in said
    assert "5 pictures" in said  # of the first and its mirror image a batch, too
    assert "largest difference" in said
    assert "gives what" in _verify(exported[0], "--checkpoint", checkpoints[1][0])
    with pytest.raises(ExportError, match="does not have the value"):
        _verify(exported[0], "--checkpoint", checkpoints[1][1])


def test_a_changed_export_is_refused(copy, exported, tmp_path):
    changes = {
        _change_a_weight: "frozen_inference_graph.pb: its sha256",
        _swap_the_config: "pipeline.config: ",
        _cut_the_saved_model: "saved_model.pb: has",
        lambda folder: _swap_the_checkpoint(folder, exported[1]): "model.ckpt.data-00000-of-00001",
        lambda folder: (folder / "model.ckpt.index").unlink(): "model.ckpt.index: is absent",
    }
    for number, (change, message) in enumerate(changes.items()):
        folder = pathlib.Path(shutil.copytree(copy, tmp_path / str(number)))
        change(folder)
        with pytest.raises(CheckpointError, match=message):
            _verify(folder)


def test_nothing_runs_a_changed_graph(copy, tmp_path):
    picture = tmp_path / "x.png"
    Image.fromarray(_pictures(1)[0]).save(picture)
    _change_a_weight(copy)
    message = "frozen_inference_graph.pb: its sha256"
    with pytest.raises(CheckpointError, match=message):
        detector.Detector(str(copy))
    with pytest.raises(CheckpointError, match=message):
        detect_pictures.run(
            ["--model", str(copy), "--output", str(tmp_path / "found"), str(picture)]
        )
    with pytest.raises(CheckpointError, match=message):
        detection_inference.build_inference_graph(
            tf.placeholder(tf.uint8, [1, None, None, 3]), str(copy)
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_change_a_weight, "frozen_inference_graph.pb: does not give"),
        (_swap_the_config, "does not give .*detection_"),
        (_cut_the_saved_model, "saved_model.pb: is not a SavedModel"),
    ],
    ids=["weight", "config", "SavedModel"],
)
def test_a_change_that_export_json_hides_is_found_by_comparison(copy, change, message):
    change(copy)
    _entries_adapted(copy)
    with pytest.raises(ObjectDetectionError, match=message):
        _verify(copy)


def test_another_checkpoint_that_export_json_hides(copy, exported):
    _swap_the_checkpoint(copy, exported[1])
    _entries_adapted(copy)
    with pytest.raises(ExportError, match="does not give"):
        _verify(copy)


def test_a_directory_without_export_json_loads_and_one_line_says_so(copy, caplog):
    (copy / "export.json").unlink()
    picture = _pictures(1)[0]
    with caplog.at_level(logging.WARNING), detector.Detector(str(copy)) as model:
        model.detect(picture)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("object_")]
    assert len(lines) == 1
    assert "cannot be verified" in lines[0]
    assert "there is no export.json" in _verify(copy)


def test_averages_are_compared_with_averages(checkpoints, tmp_path):
    pipeline, (prefix, other) = checkpoints
    averaging = type(pipeline)()
    averaging.CopyFrom(pipeline)
    averaging.eval_config.use_moving_averages = True
    both = str(tmp_path / "both")
    values, averages = (tf.train.load_checkpoint(path) for path in (prefix, other))
    with tf.Graph().as_default(), tf.Session() as session:
        for name in values.get_variable_to_shape_map():
            tf.Variable(values.get_tensor(name), name=name)
            if "moving_" not in name and name != "global_step":
                tf.Variable(averages.get_tensor(name), name=f"{name}/ExponentialMovingAverage")
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, both)
    with tf.Graph().as_default():
        exporter.export_inference_graph("tf_example", averaging, both, str(tmp_path / "out"))
    content = json.loads((tmp_path / "out" / "export.json").read_text())
    assert content["checkpoint"]["moving_averages"]
    assert "gives what" in _verify(tmp_path / "out", "--checkpoint", both)
    with pytest.raises(ExportError):
        _verify(tmp_path / "out", "--checkpoint", prefix)
