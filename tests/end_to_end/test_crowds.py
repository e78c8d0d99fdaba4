"""A picture of 250 boxes: all of them count by one setting; without it, programs say what is lost."""

import pathlib

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection import inputs
from object_detection.builders import dataset_builder, model_builder
from object_detection.core import standard_fields as fields
from object_detection.legacy import evaluator, trainer
from object_detection.utils import config_util, dataset_util

REPO = pathlib.Path(__file__).resolve().parents[2]
Inputs = fields.InputDataFields
COUNT, ROWS, COLUMNS = 250, 10, 25

pytestmark = pytest.mark.filterwarnings("ignore:Seed .* from outer graph")


def _write_crowd(path):
    """A grid of boxes, column by column on the centres of a 25 x 25 feature map."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS].reshape(2, -1)
    sides = {
        "ymin": rows / ROWS,
        "ymax": (rows + 1) / ROWS,
        "xmin": columns / COLUMNS,
        "xmax": (columns + 1) / COLUMNS,
    }
    with tf.Session() as session:
        png = session.run(tf.io.encode_png(tf.zeros([400, 400, 3], tf.uint8)))
    feature = {
        "image/encoded": dataset_util.bytes_feature(png),
        "image/object/class/label": dataset_util.int64_list_feature([1] * COUNT),
    }
    for side, values in sides.items():
        feature[f"image/object/bbox/{side}"] = dataset_util.float_list_feature(values.tolist())
    for axis, low, high in (("y", "ymin", "ymax"), ("x", "xmin", "xmax")):
        middle = np.repeat((sides[low] + sides[high]) / 2, 5)
        feature[f"image/object/keypoint/{axis}"] = dataset_util.float_list_feature(middle.tolist())
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(example.SerializeToString())


@pytest.fixture(scope="module", params=["", "max_boxes_per_image: 250"], ids=["unset", "set"])
def crowd(request, tmp_path_factory):
    """Whether the setting is there, the configs, and a folder."""
    folder = tmp_path_factory.mktemp("crowd")
    with tf.Graph().as_default():
        _write_crowd(folder / "a.record")
    text = (REPO / "keypoint_examples" / "pipeline_demo.config").read_text()
    for old, new in (
        ("demo_output/train.record", str(folder / "a.record")),
        ("demo_output/val.record", str(folder / "a.record")),
        ("height: 192 width: 192", "height: 400 width: 400"),
        ("depth_multiplier: 0.25", "depth_multiplier: 0.05"),
        ("min_depth: 16", "min_depth: 4"),
        # Anchors of about the boxes' size.
        ("scales: [0.16,", "scales: [0.06,"),
        ("score_threshold: 0.01", "score_threshold: 0"),
        ("iou_threshold: 0.5", "iou_threshold: 1"),
        ("max_detections_per_class: 50", ""),
        ("max_total_detections: 50", ""),
        ("batch_size: 16", "batch_size: 1"),
        ("num_steps: 2500", "num_steps: 3"),
        ("num_visualizations: 20", "num_visualizations: 0"),
        ("keypoint_examples/", f"{REPO}/keypoint_examples/"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "x.config"
    path.write_text(text + request.param)
    return bool(request.param), config_util.get_configs_from_pipeline_file(str(path)), folder


def test_targets(crowd, run, monkeypatch):
    """Each box that is kept has an anchor of its own."""
    is_set, configs, _ = crowd
    model = model_builder.build(configs["model"], is_training=True)
    dataset = inputs.training_dataset(
        configs["train_config"], configs["train_input_config"], configs["model"], model, seed=1
    )
    batch = dataset_builder.make_initializable_iterator(dataset).get_next()
    inputs.provide_batch(model, batch)
    assigned, assign = [], model._assign_targets

    def remember(*arguments):
        assigned.append(assign(*arguments))
        return assigned[-1]

    monkeypatch.setattr(model, "_assign_targets", remember)
    shapes = batch[Inputs.true_image_shape]
    model.loss(model.predict(batch[Inputs.image], shapes), shapes)
    (targets,) = assigned
    match, boxes, before = run(
        (targets.match, batch[Inputs.groundtruth_boxes], batch[inputs.NUM_BOXES_BEFORE_CUT])
    )
    kept = COUNT if is_set else 100
    assert boxes.shape == (1, kept, 4)
    assert len(set(match[match >= 0].tolist())) == kept
    assert before.tolist() == [COUNT]


@pytest.mark.slow
def test_training_and_evaluation_say_what_is_lost(crowd):
    is_set, configs, folder = crowd
    said = []
    options = trainer.LoopOptions(log_every_steps=1, seed=1, on_cpu=True)
    trainer.train_model(configs, str(folder / "run"), options, say=said.append)
    warnings = [line for line in said if "Warning" in line]
    lost = "max_number_of_boxes is 100, and a picture has up to 250 boxes. Set max_boxes_per_image: 250"
    if is_set:
        assert not warnings
    else:
        # After the first step, when that has doubled, and what is new at the end.
        counts = [line.split(" are cut")[0] for line in warnings]
        assert counts == [
            "Warning: 150 boxes of 1 pictures (of 1)",
            "Warning: 300 boxes of 2 pictures (of 2)",
            "Warning: 450 boxes of 3 pictures (of 3)",
        ]
        assert all(lost in line for line in warnings)
    said.clear()
    (result,) = evaluator.evaluate_checkpoints(
        configs, str(folder / "run"), str(folder / "eval"), run_once=True, say=said.append
    )
    assert result.num_pictures == 1
    warnings = [line for line in said if "Warning" in line]
    if is_set:
        assert not warnings
    else:
        (warning,) = warnings
        assert (
            "150 boxes of 1 pictures (of 1) cannot be found: model.ssd.post_processing" in warning
        )
        assert "is 100, and a picture has up to 250 boxes" in warning


@pytest.mark.slow
def test_detections(crowd, run):
    is_set, configs, _ = crowd
    model = model_builder.build(configs["model"], is_training=False)
    found = model.call(tf.zeros([1, 400, 400, 3]))
    assert run(found["detection_boxes"]).shape == (1, COUNT if is_set else 100, 4)
