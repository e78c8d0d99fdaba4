"""Exports of a model of one convolution, read back as users do."""

import json
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection import exporter
from object_detection.builders import graph_rewriter_builder, model_builder
from object_detection.core.model import DetectionModel
from object_detection.errors import CheckpointError, ConfigError, ExportError
from object_detection.protos import graph_rewriter_pb2, pipeline_pb2
from object_detection.utils import config_util, ops
from object_detection.utils.dataset_util import bytes_feature

BOXES = [[[0, 0, 0.5, 0.5], [0.5, 0.5, 0.75, 1]], [[0.5, 0.5, 1, 1], [0, 0, 0, 0]]]
FIXED = {
    "detection_boxes": np.array(BOXES, np.float32),
    "detection_scores": np.array([[0.75, 0.5], [0.25, 0]], np.float32),
    "detection_classes": np.array([[0, 1], [1, 0]], np.float32),
    "num_detections": np.array([2, 1], np.float32),
    "detection_multiclass_scores": np.arange(8, dtype=np.float32).reshape(2, 2, 2),
    "detection_keypoints": np.arange(48, dtype=np.float32).reshape(2, 2, 6, 2),
    "detection_keypoint_scores": np.arange(24, dtype=np.float32).reshape(2, 2, 6),
    "detection_masks": np.arange(64, dtype=np.float32).reshape(2, 2, 4, 4),
    "detection_features": np.arange(20, dtype=np.float32).reshape(2, 2, 5),
    "detection_anchor_indices": np.array([[7, 2], [1, 0]], np.float32),
    "raw_detection_boxes": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "raw_detection_scores": np.arange(12, dtype=np.float32).reshape(2, 3, 2),
}
ALWAYS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")


class FakeModel(DetectionModel):
    """Says the same of any two pictures; `raw_detection_scores` are means of its convolution."""

    def __init__(self, names=tuple(FIXED), side_input=None):
        super().__init__(num_classes=2)
        self._names, self._side_input = names, side_input

    def preprocess(self, inputs):
        return tf.identity(inputs), tf.ones([tf.shape(inputs)[0], 3], tf.int32)

    def predict(self, preprocessed_inputs, true_image_shapes, **side_inputs):
        image = slim.conv2d(preprocessed_inputs, 3, 1, activation_fn=None, scope="conv")
        if self._side_input:
            image += side_inputs[self._side_input]
        return {"image": image}

    def postprocess(self, prediction_dict, true_image_shapes, **params):
        with tf.control_dependencies(list(prediction_dict.values())):
            result = {name: tf.constant(FIXED[name]) for name in self._names}
        mean = tf.reduce_mean(prediction_dict["image"], axis=[1, 2, 3])
        result["raw_detection_scores"] = tf.tile(mean[:, tf.newaxis, tf.newaxis], [1, 3, 2])
        return result

    def loss(self, prediction_dict, true_image_shapes):
        raise NotImplementedError

    def regularization_losses(self):
        raise NotImplementedError

    def restore_map(self, fine_tune_checkpoint_type="detection", **_):
        raise NotImplementedError

    def restore_from_objects(self, fine_tune_checkpoint_type="detection"):
        raise NotImplementedError

    def updates(self):
        raise NotImplementedError


def _quantization():
    config = graph_rewriter_pb2.GraphRewriter()
    config.quantization.delay = 500000
    return config


def _checkpoint(folder, averages=False, quantize=False, step=True, frozen=()):
    """Weights 0, with averages 1; the biases 3 tell where a value comes from."""
    prefix = str(folder / "trained" / "model.ckpt")
    with tf.Graph().as_default(), tf.Session() as session:
        model = FakeModel()
        model.predict(*model.preprocess(tf.placeholder(tf.float32, [None, None, None, 3])))
        variables = tf.trainable_variables()
        kernel = next(v for v in variables if v.op.name == "conv/weights")
        moving = tf.train.ExponentialMovingAverage(0.0)
        averaged = [v for v in variables if averages and v.op.name not in frozen]
        if averaged:
            moving.apply(averaged)
        if step:
            tf.train.get_or_create_global_step()
        if quantize:
            graph_rewriter_builder.build(_quantization(), is_training=False)()
        session.run(tf.global_variables_initializer())
        session.run([v.assign(tf.fill(v.shape, 3.0)) for v in variables])
        session.run(kernel.assign(tf.zeros(kernel.shape)))
        for variable in averaged:
            average = moving.average(variable)
            session.run(average.assign(tf.ones(average.shape)))
        tf.train.Saver().save(session, prefix)
    return prefix


@pytest.fixture
def model(monkeypatch):
    """Puts a fake model in place of the one that a config describes."""

    def use(*args, **kwargs):
        monkeypatch.setattr(model_builder, "build", lambda *_, **__: FakeModel(*args, **kwargs))

    use()
    return use


def _export(folder, prefix, input_type="image_tensor", pipeline=None, **settings):
    output = folder / "exported"
    # The fake says the same of all pictures, which the check refuses.
    settings.setdefault("check", False)
    exporter.export_inference_graph(
        input_type,
        pipeline or pipeline_pb2.TrainEvalPipelineConfig(),
        prefix,
        str(output),
        **settings,
    )
    return output


def _averaging():
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    pipeline.eval_config.use_moving_averages = True
    return pipeline


def _frozen(output):
    definition = tf.GraphDef()
    definition.ParseFromString((output / "frozen_inference_graph.pb").read_bytes())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
    return graph


def _run(graph, feed, names=ALWAYS):
    with tf.Session(graph=graph) as session:
        return session.run({name: f"{name}:0" for name in names}, feed)


def _jpeg(size=4):
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(tf.io.encode_jpeg(tf.ones([size, size, 3], tf.uint8)))


def _example(size=4):
    feature = {"image/encoded": bytes_feature(_jpeg(size)), "image/format": bytes_feature(b"jpeg")}
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def test_files_of_an_export(model, tmp_path):
    output = _export(tmp_path, _checkpoint(tmp_path), write_inference_graph=True)
    files = {
        os.path.relpath(os.path.join(folder, name), output)
        for folder, _, names in os.walk(output)
        for name in names
    }
    assert files >= {
        "frozen_inference_graph.pb",
        "inference_graph.pbtxt",
        "saved_model/saved_model.pb",
        "model.ckpt.index",
        "model.ckpt.meta",
        "model.ckpt.data-00000-of-00001",
        "checkpoint",
        "pipeline.config",
    }


def test_every_output_has_its_name_and_type(model, tmp_path):
    graph = _frozen(_export(tmp_path, _checkpoint(tmp_path)))
    images = np.full([2, 4, 4, 3], 9, np.uint8)
    result = _run(graph, {"image_tensor:0": images}, FIXED)
    for name, value in FIXED.items():
        assert result[name].dtype == np.float32, name
        if name == "detection_classes":
            value = value + 1  # ids of the label map
        elif name == "raw_detection_scores":
            value = np.full([2, 3, 2], 3.0)  # biases of the checkpoint
        np.testing.assert_array_equal(result[name], value, err_msg=name)


def test_outputs_that_the_model_does_not_have(model, tmp_path):
    model(names=ALWAYS)
    graph = _frozen(_export(tmp_path, _checkpoint(tmp_path)))
    names = {operation.name for operation in graph.get_operations()}
    assert names >= set(ALWAYS)
    assert not names & {"detection_keypoints", "detection_masks", "raw_detection_boxes"}


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (None, [None, None, None, 3]),
        ([1, 20, 30, 3], [1, 20, 30, 3]),
        ([None, None, 8, 3], [None, None, 8, 3]),
    ],
)
def test_shape_of_the_pictures(model, tmp_path, shape, expected):
    graph = _frozen(_export(tmp_path, _checkpoint(tmp_path), input_shape=shape))
    placeholder = graph.get_tensor_by_name("image_tensor:0")
    assert placeholder.shape.as_list() == expected
    assert placeholder.dtype == tf.uint8


@pytest.mark.parametrize("input_type", ["encoded_image_string_tensor", "tf_example"])
@pytest.mark.parametrize("shape", [None, [2, 4, 4, 3]])
def test_encoded_inputs(model, tmp_path, input_type, shape):
    graph = _frozen(_export(tmp_path, _checkpoint(tmp_path), input_type, input_shape=shape))
    placeholder = graph.get_tensor_by_name(f"{input_type}:0")
    assert placeholder.shape.as_list() == [shape[0] if shape else None]
    one = _example() if input_type == "tf_example" else _jpeg()
    result = _run(graph, {placeholder: [one, one]})
    np.testing.assert_array_equal(result["detection_boxes"], BOXES)
    other = _example(8) if input_type == "tf_example" else _jpeg(8)
    with pytest.raises(tf.errors.InvalidArgumentError):
        _run(graph, {placeholder: [one, other]})


def test_the_saved_model(model, tmp_path):
    output = _export(tmp_path, _checkpoint(tmp_path), "tf_example")
    with tf.Session(graph=tf.Graph()) as session:
        meta = tf.saved_model.loader.load(session, ["serve"], str(output / "saved_model"))
        signature = meta.signature_def["serving_default"]
        assert signature.method_name == "tensorflow/serving/predict"
        assert set(signature.inputs) == {"inputs"}
        assert set(signature.outputs) == set(FIXED)
        boxes, keypoints = session.run(
            [signature.outputs[name].name for name in ("detection_boxes", "detection_keypoints")],
            {signature.inputs["inputs"].name: [_example(), _example()]},
        )
    np.testing.assert_array_equal(boxes, BOXES)
    np.testing.assert_array_equal(keypoints, FIXED["detection_keypoints"])


def test_the_checkpoint_with_its_graph(model, tmp_path):
    output = _export(tmp_path, _checkpoint(tmp_path))
    assert tf.train.latest_checkpoint(str(output)) == str(output / "model.ckpt")
    with tf.Graph().as_default(), tf.Session() as session:
        saver = tf.train.import_meta_graph(str(output / "model.ckpt.meta"))
        saver.restore(session, str(output / "model.ckpt"))
        scores = session.run(
            "raw_detection_scores:0", {"image_tensor:0": np.zeros([2, 4, 4, 3], np.uint8)}
        )
    assert np.all(scores == 3)
    reader = tf.train.load_checkpoint(str(output / "model.ckpt"))
    assert set(reader.get_variable_to_shape_map()) == {"conv/weights", "conv/biases", "global_step"}


def test_averages_take_the_place_of_the_variables(model, tmp_path):
    pipeline = _averaging()
    output = _export(tmp_path, _checkpoint(tmp_path, averages=True), pipeline=pipeline)
    images = np.full([2, 4, 4, 3], 9, np.uint8)
    # Kernels and biases of 1 over three channels of 9.
    scores = _run(_frozen(output), {"image_tensor:0": images}, ["raw_detection_scores"])
    assert np.all(scores["raw_detection_scores"] == 28)
    reader = tf.train.load_checkpoint(str(output / "model.ckpt"))
    assert np.all(reader.get_tensor("conv/weights") == 1)
    # What is exported needs the option no longer; the caller's message stays.
    assert "use_moving_averages: false" in (output / "pipeline.config").read_text()
    assert pipeline.eval_config.use_moving_averages
    assert not [name for name in os.listdir(output) if "averages" in name]


def test_a_checkpoint_of_averages(tmp_path):
    prefix = _checkpoint(tmp_path, averages=True)
    new = str(tmp_path / "new.ckpt")
    with tf.Graph().as_default() as graph:
        model = FakeModel()
        model.predict(*model.preprocess(tf.placeholder(tf.float32, [None, None, None, 3])))
    exporter.replace_variable_values_with_moving_averages(graph, prefix, new)
    reader = tf.train.load_checkpoint(new)
    assert set(reader.get_variable_to_shape_map()) == {"conv/weights", "conv/biases"}
    assert np.all(reader.get_tensor("conv/biases") == 1)
    exporter.replace_variable_values_with_moving_averages(
        graph, prefix, new, no_ema_collection=["biases"]
    )
    reader = tf.train.load_checkpoint(new)
    assert np.all(reader.get_tensor("conv/biases") == 3)
    assert np.all(reader.get_tensor("conv/weights") == 1)


def test_variables_without_average_keep_their_value(model, tmp_path):
    prefix = _checkpoint(tmp_path, averages=True, frozen=["conv/biases"], step=False)
    output = _export(tmp_path, prefix, pipeline=_averaging())
    reader = tf.train.load_checkpoint(str(output / "model.ckpt"))
    assert np.all(reader.get_tensor("conv/weights") == 1)
    assert np.all(reader.get_tensor("conv/biases") == 3)
    assert reader.get_tensor("global_step") == 0


def test_no_averages_to_take(model, tmp_path):
    with pytest.raises(CheckpointError, match="no moving averages"):
        _export(tmp_path, _checkpoint(tmp_path), pipeline=_averaging())
    assert not (tmp_path / "exported").exists()


def test_a_checkpoint_without_step(model, tmp_path):
    output = _export(tmp_path, _checkpoint(tmp_path, step=False))
    assert tf.train.load_variable(str(output / "model.ckpt"), "global_step") == 0


def test_a_checkpoint_of_another_model(model, tmp_path):
    path = str(tmp_path / "other")
    with tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable("conv/weights", [1, 1, 3, 5])
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, path)
    with pytest.raises(CheckpointError, match="does not fit"):
        _export(tmp_path, path)


def test_the_exported_config_needs_no_file_of_keypoints(model, tmp_path):
    path = tmp_path / "tool.json"
    path.write_text('{"keypoints": [{"name": "left", "mirror": "right"}, {"name": "right"}]}')
    pipeline = pipeline_pb2.TrainEvalPipelineConfig(max_boxes_per_image=200)
    pipeline.keypoints.schema = str(path)
    pipeline.model.ssd.num_classes = 1
    pipeline.train_input_reader.SetInParent()
    output = _export(tmp_path, _checkpoint(tmp_path), pipeline=pipeline)
    path.unlink()
    saved = config_util.get_configs_from_pipeline_file(str(output / "pipeline.config"))
    assert [row.name for row in saved["keypoints"].keypoint] == ["left", "right"]
    assert saved["model"].ssd.box_coder.keypoint_box_coder.num_keypoints == 2
    assert saved["train_input_config"].num_keypoints == 2
    suppression = saved["model"].ssd.post_processing.batch_non_max_suppression
    assert suppression.max_total_detections == 200


def test_codes_of_another_size_are_named_before_anything_is_built(tmp_path):
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    pipeline.model.ssd.box_coder.keypoint_box_coder.num_keypoints = 5
    pipeline.model.ssd.box_predictor.convolutional_box_predictor.box_code_size = 12
    with pytest.raises(ConfigError, match=r"box_code_size: is 12, .* 4 \+ 2 \* 5 = 14"):
        _export(tmp_path, "none", pipeline=pipeline)


def test_quantised_export(model, tmp_path):
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    pipeline.graph_rewriter.CopyFrom(_quantization())
    output = _export(tmp_path, _checkpoint(tmp_path, quantize=True), pipeline=pipeline)
    types = [operation.type for operation in _frozen(output).get_operations()]
    assert types.count("FakeQuantWithMinMaxVars") == 3  # picture, weights, result


def test_the_graph_can_be_looked_at_and_a_second_export_does_not_mind(model, tmp_path):
    prefix = _checkpoint(tmp_path)
    _export(tmp_path, prefix)
    assert [v.op.name for v in tf.trainable_variables()] == ["conv/weights", "conv/biases"]
    graph = _export(tmp_path, prefix) / "frozen_inference_graph.pb"
    definition = tf.GraphDef()
    definition.ParseFromString(graph.read_bytes())
    assert "image_tensor" in {node.name for node in definition.node}


def test_additional_outputs(model, tmp_path):
    prefix = _checkpoint(tmp_path)
    output = _export(tmp_path, prefix, additional_output_tensor_names=["conv/BiasAdd:0"])
    images = np.full([2, 4, 4, 3], 9, np.uint8)
    result = _run(_frozen(output), {"image_tensor:0": images}, ["conv/BiasAdd"])
    assert np.all(result["conv/BiasAdd"] == 3)
    with pytest.raises(ConfigError, match="nowhere"):
        _export(tmp_path, prefix, additional_output_tensor_names=["nowhere"])


def test_side_inputs(model, tmp_path):
    model(side_input="shift")
    output = _export(
        tmp_path,
        _checkpoint(tmp_path),
        use_side_inputs=True,
        side_input_shapes="1",
        side_input_names="shift",
        side_input_types="float",
    )
    feed = {"image_tensor:0": np.zeros([2, 4, 4, 3], np.uint8), "shift:0": [5.0]}
    scores = _run(_frozen(output), feed, ["raw_detection_scores"])
    assert np.all(scores["raw_detection_scores"] == 8)
    with tf.Session(graph=tf.Graph()) as session:
        meta = tf.saved_model.loader.load(session, ["serve"], str(output / "saved_model"))
        assert set(meta.signature_def["serving_default"].inputs) == {"inputs", "shift"}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("1", "a", "float"), ([[1]], ["a"], [tf.float32])),
        (
            ("2,-1/3/4", "a,b,c", "int,string,tf.uint8"),
            ([[2, None], [3], [4]], ["a", "b", "c"], [tf.int32, tf.string, tf.uint8]),
        ),
    ],
)
def test_side_inputs_of_flags(texts, expected):
    assert exporter.parse_side_inputs(*texts) == expected


@pytest.mark.parametrize(
    "texts",
    [
        (None, "a", "float"),
        ("1", "", "float"),
        ("1", "a", None),
        ("one", "a", "float"),
        ("1", "a", "colour"),
        ("1/2", "a", "float"),
    ],
)
def test_side_inputs_that_cannot_be_read(texts):
    with pytest.raises(ValueError, match="ide"):
        exporter.parse_side_inputs(*texts)


def test_the_graph_alone():
    called = []
    outputs, placeholders = exporter.build_detection_graph(
        "image_tensor", FakeModel(), None, "mine", lambda: called.append(True)
    )
    assert called
    assert placeholders["inputs"].name == "image_tensor:0"
    assert tf.get_collection("mine") == list(outputs.values())
    assert tf.train.get_global_step() is not None
    with pytest.raises(ValueError, match="colour_tensor"):
        exporter.build_detection_graph("colour_tensor", FakeModel(), None, "mine", None)


@pytest.mark.parametrize("shape", [[1, 2, 3], [3]])
def test_an_input_shape_of_another_rank(shape):
    with pytest.raises(ValueError, match="4 numbers"):
        exporter.build_detection_graph("image_tensor", FakeModel(), shape, "mine", None)


def test_graph_and_checkpoint(tmp_path):
    exporter.build_detection_graph("tf_example", FakeModel(), None, "inference_op", None)
    saver = tf.train.Saver()
    path = str(tmp_path / "output" / "model.ckpt")
    os.makedirs(os.path.dirname(path))
    definition = tf.get_default_graph().as_graph_def()
    definition.node[0].device = "/job:worker"
    exporter.write_graph_and_checkpoint(
        definition, path, saver.as_saver_def(), _checkpoint(tmp_path)
    )
    assert definition.node[0].device == "/job:worker"
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(path + ".meta").restore(session, path)
        assert not any(op.device for op in tf.get_default_graph().get_operations())
        scores = session.run("raw_detection_scores:0", {"tf_example:0": [_example()] * 2})
    assert np.all(scores == 3)


def test_saved_model_of_one_tensor(tmp_path):
    x = tf.placeholder(tf.float32, [], name="x")
    y = tf.multiply(x, 2.0, name="y")
    folder = str(tmp_path / "saved")
    exporter.write_saved_model(folder, tf.get_default_graph().as_graph_def(), x, {"double": y})
    with tf.Session(graph=tf.Graph()) as session:
        meta = tf.saved_model.loader.load(session, ["serve"], folder)
        signature = meta.signature_def["serving_default"]
        assert signature.inputs["inputs"].name == "x:0"
        assert session.run(signature.outputs["double"].name, {"x:0": 4.0}) == 8


def test_outputs_only():
    outputs = exporter.add_output_tensor_nodes(
        {name: tf.constant(value) for name, value in FIXED.items()}, "mine"
    )
    assert set(outputs) == set(FIXED)
    assert all(tensor.op.name == name for name, tensor in outputs.items())
    assert {tensor.name for tensor in tf.get_collection("mine")} == {f"{name}:0" for name in FIXED}


def test_profile_by_hand():
    images = tf.placeholder(tf.float32, [1, 4, 4, 3])
    slim.conv2d(images, 5, 1, activation_fn=None, scope="conv")
    with tf.variable_scope("BatchNorm"):
        tf.get_variable("gamma", [5])
    profile = exporter.profile_inference_graph(tf.get_default_graph())
    assert profile.num_parameters == 3 * 5 + 5
    # A multiplication and an addition for each weight and pixel; biases and regularisers aside.
    assert profile.num_float_operations == 2 * 16 * 15


def test_the_enlargement_is_rewritten_by_name():
    images = tf.placeholder(tf.float32, [8, 10, 10, 8])
    tf.identity(ops.nearest_neighbor_upsampling(images, 2))
    exporter.rewrite_nn_resize_op()
    types = [operation.type for operation in tf.get_default_graph().get_operations()]
    assert types.count("ResizeNearestNeighbor") == 1


CHECKED = (*ALWAYS, "raw_detection_scores")


@pytest.mark.parametrize(
    "input_type", ["image_tensor", "encoded_image_string_tensor", "tf_example"]
)
@pytest.mark.parametrize("shape", [None, [3, 8, None, 3]])
def test_every_input_is_checked(model, tmp_path, input_type, shape):
    model(names=CHECKED, side_input="shift")
    report = exporter.export_inference_graph(
        input_type,
        _averaging(),
        _checkpoint(tmp_path, averages=True),
        str(tmp_path / "exported"),
        input_shape=shape,
        additional_output_tensor_names=["conv/BiasAdd:0"],
        use_side_inputs=True,
        side_input_shapes="1",
        side_input_names="shift",
        side_input_types="float",
    )
    assert report.number == (6 if shape else 5)
    content = json.loads((tmp_path / "exported" / "export.json").read_text())
    assert content["checkpoint"]["moving_averages"]
    assert content["options"]["side_input_names"] == "shift"
    outputs = content["check"]["outputs"]
    # The outputs, and that additional one of which the fake makes them.
    assert outputs["conv/BiasAdd"]["largest_difference"] == 0
    assert sum(entry.get("rows", 0) for entry in outputs.values()) > 0
    assert not any(entry.get("rows_without_partner") for entry in outputs.values())


def test_results_that_are_the_same_for_all_pictures_are_refused(model, tmp_path):
    model(names=CHECKED)
    with pytest.raises(ExportError, match="gives the same raw_detection_scores for all"):
        _export(tmp_path, _checkpoint(tmp_path), check=True)
    assert os.listdir(tmp_path) == ["trained"]


def test_results_that_are_not_finite_are_refused(model, tmp_path):
    prefix = _checkpoint(tmp_path)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.Variable(tf.fill([1, 1, 3, 3], np.inf), name="conv/weights")
        tf.Variable(tf.zeros([3]), name="conv/biases")
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, prefix)
    with pytest.raises(CheckpointError, match="gives raw_detection_scores that are not finite"):
        _export(tmp_path, prefix, check=True)


def test_what_was_not_checked_says_so(model, tmp_path, caplog):
    output = _export(tmp_path, _checkpoint(tmp_path), check=False)
    assert "not compared with its checkpoint" in caplog.text
    content = json.loads((output / "export.json").read_text())
    assert content["check"].startswith("not checked")
    assert content["checkpoint"]["step"] == 0
    assert set(content["checkpoint"]["files"]) == {
        "model.ckpt.index",
        "model.ckpt.data-00000-of-00001",
    }
