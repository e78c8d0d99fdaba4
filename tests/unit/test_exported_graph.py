"""Exported graphs of a small SSD against the network that they were made from."""

import hashlib
import json
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection import exporter
from object_detection.builders import model_builder
from object_detection.errors import CheckpointError, ConfigError, ExportError
from object_detection.exporter import directory, frozen
from object_detection.inference import detector, raw_detections
from object_detection.protos import pipeline_pb2

SIZE, KEYPOINTS = 64, 3
CONFIG = """
model { ssd {
  num_classes: 2
  image_resizer { fixed_shape_resizer { height: 64 width: 64 } }
  feature_extractor { type: "ssd_mobilenet_v1" depth_multiplier: 0.25 min_depth: 8
    conv_hyperparams { HYPERPARAMS } }
  box_coder { keypoint_box_coder { num_keypoints: 3 } }
  matcher { argmax_matcher {} }
  similarity_calculator { iou_similarity {} }
  anchor_generator { ssd_anchor_generator { num_layers: 6 aspect_ratios: 1 } }
  box_predictor { convolutional_box_predictor {
    box_code_size: 10 kernel_size: 3 conv_hyperparams { HYPERPARAMS } } }
  loss {
    classification_loss { weighted_sigmoid {} }
    localization_loss { weighted_smooth_l1 {} }
  }
  post_processing {
    batch_non_max_suppression { score_threshold: 0.2 iou_threshold: 0.5
      max_detections_per_class: 20 max_total_detections: 25 }
    score_converter: SIGMOID
  }
} }
""".replace(
    "HYPERPARAMS",
    "activation: RELU_6 batch_norm { scale: true } regularizer { l2_regularizer {} } "
    "initializer { truncated_normal_initializer { stddev: 0.03 } }",
)
OUTPUTS = (
    "detection_boxes",
    "detection_scores",
    "detection_classes",
    "num_detections",
    "detection_keypoints",
    "detection_multiclass_scores",
    "detection_anchor_indices",
    "raw_detection_boxes",
    "raw_detection_scores",
)
IMAGES = np.random.RandomState(0).randint(0, 256, [3, SIZE, SIZE, 3]).astype(np.uint8)


def _pipeline(text=""):
    return text_format.Parse(CONFIG + text, pipeline_pb2.TrainEvalPipelineConfig())


@pytest.fixture(scope="module")
def network(tmp_path_factory, lively_checkpoint):
    """A checkpoint with numbers that tell, and what its network says of the pictures."""
    prefix = str(tmp_path_factory.mktemp("checkpoint") / "model.ckpt")
    lively_checkpoint(_pipeline(), prefix, SIZE)
    with tf.Graph().as_default(), tf.Session() as session:
        model = model_builder.build(_pipeline().model, is_training=False)
        images = tf.placeholder(tf.float32, [None, None, None, 3])
        inputs, shapes = model.preprocess(images)
        detections = model.postprocess(model.predict(inputs, shapes), shapes)
        tf.train.Saver(tf.global_variables()).restore(session, prefix)
        values = session.run(
            {name: detections[name] for name in OUTPUTS}, {images: IMAGES.astype(np.float32)}
        )
    values["detection_classes"] += 1  # ids of the label map
    return prefix, values


@pytest.fixture(scope="module")
def export(network, tmp_path_factory):
    """`export(text, input_shape)`: the directory of that export, made once."""
    made = {}

    def of(text="", input_shape=None):
        key = (text, input_shape)
        if key not in made:
            made[key] = tmp_path_factory.mktemp("exported")
            with tf.Graph().as_default():
                exporter.export_inference_graph(
                    "image_tensor",
                    _pipeline(text),
                    network[0],
                    str(made[key]),
                    input_shape=input_shape,
                )
        return made[key]

    return of


INSIDE = tuple(
    f"Postprocessor/raw_{name}" for name in ("box_locations", "box_scores", "keypoint_locations")
)
RAW = "export_config { raw_detections: true }"
BFLOAT16 = "export_config { compute_type: BFLOAT16 }"


def _run(folder, images, names=OUTPUTS):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(detector.load_frozen_graph(str(folder)), name="")
        return session.run({name: f"{name}:0" for name in names}, {"image_tensor:0": images})


def _types(folder):
    return [node.op for node in detector.load_frozen_graph(str(folder)).node]


def test_numbers_are_those_of_the_network(network, export):
    expected = network[1]
    assert expected["num_detections"].min() > 5  # there is something to compare
    assert np.ptp(expected["raw_detection_scores"], axis=0).max() > 0.1  # pictures matter
    found = _run(export(), IMAGES)
    for name in OUTPUTS:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-4, err_msg=name)


@pytest.mark.parametrize("shape", [None, (1, SIZE, SIZE, 3)], ids=["open", "known"])
def test_one_picture_as_among_others(shape, network, export):
    for index in range(3):
        found = _run(export("", shape), IMAGES[index : index + 1])
        for name in OUTPUTS:
            np.testing.assert_allclose(
                found[name][0], network[1][name][index], atol=1e-4, err_msg=name
            )


def test_nothing_of_training_is_left(export):
    types = _types(export())
    assert not set(types) & {
        "FusedBatchNormV3", "Assert", "VarHandleOp", "ReadVariableOp", "NoOp", "Print",
        "ScalarSummary", "RandomUniform",
    }  # fmt: skip
    # What is left copies outputs, or stands at the ends of the two cases of suppression.
    names = {
        node.name
        for node in detector.load_frozen_graph(str(export())).node
        if node.op == "Identity"
    }
    inside = {name for name in names if "/cond" in name}
    known = {
        f"Postprocessor/raw_{name}"
        for name in ("box_locations", "box_scores", "keypoint_locations")
    }
    assert names - inside <= {*OUTPUTS, *known}


def test_anchors_are_constants(export):
    nodes = detector.load_frozen_graph(str(export())).node
    assert {node.op for node in nodes if node.name.startswith("Anchors/")} <= {"Const"}
    number = _run(export(), IMAGES)["raw_detection_boxes"].shape[1]
    shapes = [
        tf.TensorShape(node.attr["value"].tensor.tensor_shape).as_list()
        for node in nodes
        if node.op == "Const"
    ]
    assert any(number in shape for shape in shapes)


def test_one_picture_runs_no_loop(export):
    # Of known shape the graph has none at all but that over the classes.
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(detector.load_frozen_graph(str(export())), name="")
        assert "Preprocessor" not in "".join(
            operation.name
            for operation in session.graph.get_operations()
            if operation.type == "Enter"
        )


def test_bfloat16(network, export):
    folder = export(BFLOAT16)
    graph_def = detector.load_frozen_graph(str(folder))
    kinds = {
        node.name: tf.as_dtype(node.attr["T"].type).name
        for node in graph_def.node
        if node.op in ("Conv2D", "DepthwiseConv2dNative")
    }
    last = {name for name in kinds if name.startswith("BoxPredictor")}
    assert len(last) == 6  # boxes and classes of six maps, in one each
    assert {kinds[name] for name in last} == {"float32"}
    assert {kind for name, kind in kinds.items() if name not in last} == {"bfloat16"}
    found = _run(folder, IMAGES)
    for name in ("raw_detection_scores", "raw_detection_boxes"):
        assert 0 < np.abs(found[name] - network[1][name]).mean() < 0.05, name


def test_suppression_in_numpy_gives_what_the_graph_gives(network, export):
    raw = _run(
        export(RAW),
        IMAGES,
        (
            "raw_detection_boxes",
            "raw_detection_scores",
            "raw_detection_keypoints",
            "raw_detection_windows",
        ),
    )
    settings = raw_detections.settings_beside(str(export(RAW)))
    assert settings.has_background
    assert settings.max_total == 25
    for index in range(3):
        found = raw_detections.detections_of(raw, index, settings)
        count = len(found.scores)
        assert count == network[1]["num_detections"][index]
        for name, values in {
            "detection_boxes": found.boxes,
            "detection_scores": found.scores,
            "detection_classes": found.classes,
            "detection_keypoints": found.keypoints,
            "detection_anchor_indices": found.anchors,
        }.items():
            np.testing.assert_allclose(
                values, network[1][name][index, :count], atol=1e-5, err_msg=name
            )


def test_the_raw_graph_does_nothing_but_decode(export):
    assert not set(_types(export(RAW))) & {"NonMaxSuppressionV5", "TopKV2", "Enter", "Switch"}
    names = {node.name for node in detector.load_frozen_graph(str(export(RAW))).node}
    assert not names & {"detection_boxes", "num_detections"}


def test_a_detector_of_a_raw_graph(export):
    with detector.Detector(str(export())) as whole, detector.Detector(str(export(RAW))) as raw:
        expected, found = whole.detect(IMAGES[0], 0.4), raw.detect(IMAGES[0], 0.4)
    assert len(expected.scores) > 2
    for mine, other in zip(found[:4], expected[:4], strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-3)
    assert found.keypoint_scores is None


def test_a_config_that_contradicts_itself(tmp_path):
    with pytest.raises(ConfigError, match="excludes graph_rewriter"):
        exporter.export_inference_graph(
            "image_tensor", _pipeline(f"graph_rewriter {{}} {BFLOAT16}"), "x", str(tmp_path / "x")
        )


def test_an_export_says_what_it_was_compared_with(network, export):
    for text, additional in (("", "detection_boxes"), (RAW, "raw_detection_keypoints")):
        said = json.loads((export(text) / "export.json").read_text())
        outputs = said["check"]["outputs"]
        assert {*INSIDE, additional} <= set(outputs)
        for name in INSIDE:
            assert 0 < outputs[name]["largest_difference"] < 1e-4
            assert outputs[name]["difference_between_pictures"] > 0.01
        assert said["checkpoint"]["prefix"] == network[0]
        assert said["checkpoint"]["step"] == 0
        assert said["options"]["input_type"] == "image_tensor"
        assert not said["check"]["results_hardly_depend_on_pictures"]
        digest = hashlib.sha256((export(text) / "frozen_inference_graph.pb").read_bytes())
        assert said["files"]["frozen_inference_graph.pb"]["sha256"] == digest.hexdigest()
        listed = {path for path in export(text).rglob("*") if path.is_file()}
        assert {str(path.relative_to(export(text))) for path in listed} == {
            *said["files"],
            "export.json",
        }
    assert said["check"]["number_of_pictures"] == 5


def _spoilt(monkeypatch, spoil):
    """Lets the last step of an export hand on a graph that `spoil` has changed."""
    make = frozen.for_inference

    def spoiling(*arguments, **settings):
        graph_def = make(*arguments, **settings)
        spoil(graph_def)
        return graph_def

    monkeypatch.setattr(frozen, "for_inference", spoiling)


def _change_a_weight(graph_def):
    """One number of the first kernel, by what a bug in folding might do."""
    node = next(
        node
        for node in graph_def.node
        if node.op == "Const" and len(node.attr["value"].tensor.tensor_shape.dim) == 4
    )
    value = tf.make_ndarray(node.attr["value"].tensor).copy()
    assert value.shape[:3] == (3, 3, 3)
    value[1, 1, 1, 0] *= 1.05
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))


def _change_the_suppression(graph_def):
    suppressions = {
        node.input[3].split(":")[0] for node in graph_def.node if node.op.startswith("NonMaxSup")
    }
    nodes = {node.name: node for node in graph_def.node}
    for name in suppressions:
        while nodes[name].op != "Const":
            name = nodes[name].input[0].split(":")[0]
        nodes[name].attr["value"].tensor.CopyFrom(tf.make_tensor_proto(np.float32(0.9)))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(_change_a_weight, "raw_"), (_change_the_suppression, "detection_")],
    ids=["a weight", "suppression"],
)
def test_an_export_that_gives_something_else_does_not_appear(
    network, tmp_path, monkeypatch, spoil, message
):
    _spoilt(monkeypatch, spoil)
    with pytest.raises(ExportError, match=f"frozen_inference_graph.pb: does not give.*{message}"):
        exporter.export_inference_graph(
            "image_tensor", _pipeline(), network[0], str(tmp_path / "out")
        )
    assert os.listdir(tmp_path) == []


def test_a_saved_model_that_gives_something_else(network, tmp_path, monkeypatch):
    write = directory.write_saved_model

    def write_another(path, graph_def, *others):
        changed = tf.GraphDef()
        changed.CopyFrom(graph_def)
        _change_a_weight(changed)
        write(path, changed, *others)

    monkeypatch.setattr(directory, "write_saved_model", write_another)
    with pytest.raises(ExportError, match="saved_model: does not give"):
        exporter.export_inference_graph(
            "image_tensor", _pipeline(), network[0], str(tmp_path / "out")
        )


def test_a_network_that_gives_no_numbers(network, tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        reader = tf.train.load_checkpoint(network[0])
        for name in reader.get_variable_to_shape_map():
            value = reader.get_tensor(name)
            broken = name.endswith("/biases")
            tf.Variable(np.full_like(value, np.nan) if broken else value, name=name)
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, str(tmp_path / "broken"))
    with pytest.raises(CheckpointError, match="not finite"):
        exporter.export_inference_graph(
            "image_tensor", _pipeline(), str(tmp_path / "broken"), str(tmp_path / "out")
        )
    assert not (tmp_path / "out").exists()
