"""Anchors, decoding and suppression against the numbers of a real export of the OD API."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format
from PIL import Image

from object_detection import exporter
from object_detection.anchor_generators.multiple_grid_anchor_generator import create_ssd_anchors
from object_detection.box_coders.faster_rcnn_box_coder import FasterRcnnBoxCoder
from object_detection.builders import model_builder, post_processing_builder
from object_detection.core.box_list import BoxList
from object_detection.protos import model_pb2, pipeline_pb2, post_processing_pb2

MAPS = [(19, 19), (10, 10), (5, 5), (3, 3), (2, 2), (1, 1)]


@pytest.fixture(scope="module")
def golden(shared_compat):
    with np.load(shared_compat / "golden" / "ssdlite_mobilenet_v2_pedestrian.npz") as file:
        return dict(file)


def test_anchors(golden, run):
    generator = create_ssd_anchors(
        num_layers=6,
        min_scale=0.2,
        max_scale=0.95,
        aspect_ratios=(1.0, 2.0, 0.5, 3.0, 1.0 / 3),
        reduce_boxes_in_lowest_layer=True,
    )
    boxes = np.concatenate(run([one.get() for one in generator.generate(MAPS)]))
    # The export rounds 1/3 to 0.3333.
    np.testing.assert_allclose(boxes, golden["anchors"], atol=1e-4)


def test_decoded_boxes(golden, run):
    coder = FasterRcnnBoxCoder([10.0, 10.0, 5.0, 5.0])
    codes, anchors = golden["box_encodings"][0], golden["anchors"]
    boxes = run(coder.decode(tf.constant(codes), BoxList(tf.constant(anchors))).get())
    np.testing.assert_allclose(boxes, golden["decoded_boxes"], atol=1e-5)


def test_detections(golden, run):
    config = text_format.Parse(
        """batch_non_max_suppression { score_threshold: 1e-8 iou_threshold: 0.6
             max_detections_per_class: 100 max_total_detections: 100 }
           score_converter: SIGMOID""",
        post_processing_pb2.PostProcessing(),
    )
    suppress, convert = post_processing_builder.build(config)
    scores = convert(tf.constant(golden["class_predictions_with_background"]))
    found = suppress(
        tf.constant(golden["decoded_boxes"])[tf.newaxis, :, tf.newaxis],
        scores[:, :, 1:],
        clip_window=tf.constant([0.0, 0.0, 1.0, 1.0]),
    )
    boxes, detection_scores, classes, count, converted = run([*found[:3], found[5], scores])
    np.testing.assert_allclose(converted, golden["scores"], atol=1e-6)
    assert count[0] == golden["num_detections"][0]
    np.testing.assert_allclose(detection_scores, golden["detection_scores"], atol=1e-6)
    np.testing.assert_allclose(boxes, golden["detection_boxes"], atol=1e-5)
    np.testing.assert_array_equal(classes + 1, golden["detection_classes"])


# The config of the export, as far as its numbers tell.
CONFIG = """
ssd {
  num_classes: 1
  box_coder { faster_rcnn_box_coder { y_scale: 10 x_scale: 10 height_scale: 5 width_scale: 5 } }
  matcher { argmax_matcher {} }
  similarity_calculator { iou_similarity {} }
  image_resizer { fixed_shape_resizer { height: 300 width: 300 } }
  loss { classification_loss { weighted_sigmoid {} } localization_loss { weighted_smooth_l1 {} } }
  post_processing {
    batch_non_max_suppression { score_threshold: 1e-8 iou_threshold: 0.6
      max_detections_per_class: 100 max_total_detections: 100 }
    score_converter: SIGMOID
  }
  anchor_generator { ssd_anchor_generator { num_layers: 6 min_scale: 0.2 max_scale: 0.95
    aspect_ratios: [1.0, 2.0, 0.5, 3.0, 0.3333] } }
  box_predictor { convolutional_box_predictor {
    min_depth: 0 max_depth: 0 num_layers_before_predictor: 0 use_dropout: false
    kernel_size: 3 use_depthwise: true box_code_size: 4
    conv_hyperparams { activation: RELU_6
      regularizer { l2_regularizer { weight: 0.00004 } }
      initializer { truncated_normal_initializer { stddev: 0.03 } }
      batch_norm { train: true scale: true center: true decay: 0.9997 epsilon: 0.001 } } } }
  feature_extractor { type: 'ssd_mobilenet_v2' min_depth: 16 depth_multiplier: 1.0
    use_depthwise: true
    conv_hyperparams { activation: RELU_6
      regularizer { l2_regularizer { weight: 0.00004 } }
      initializer { truncated_normal_initializer { stddev: 0.03 } }
      batch_norm { train: true scale: true center: true decay: 0.9997 epsilon: 0.001 } } }
}
"""


@pytest.mark.slow
def test_the_restored_checkpoint_gives_the_export_s_numbers(golden, shared_data):
    model = model_builder.build(
        text_format.Parse(CONFIG, model_pb2.DetectionModel()), is_training=False
    )
    images = tf.constant(golden["image"][None], tf.float32)
    inputs, shapes = model.preprocess(images)
    predictions = model.predict(inputs, shapes)
    detections = model.postprocess(predictions, shapes)
    folder = shared_data / "checkpoints" / "ssdlite_mobilenet_v2_pedestrian"
    wanted = {variable.op.name: variable for variable in tf.global_variables()}
    with tf.Session() as session:
        tf.train.Saver(wanted).restore(session, str(folder / "model.ckpt"))
        inputs, predictions, detections = session.run([inputs, predictions, detections])
    np.testing.assert_allclose(inputs, golden["preprocessed"], atol=1e-3)
    np.testing.assert_allclose(predictions["anchors"], golden["anchors"], atol=1e-5)
    for name in ("box_encodings", "class_predictions_with_background"):
        np.testing.assert_allclose(predictions[name], golden[name], atol=1e-3, err_msg=name)
    for name in ("detection_boxes", "detection_scores", "num_detections"):
        np.testing.assert_allclose(detections[name], golden[name], atol=1e-3, err_msg=name)


def _detections_of_a_frozen_graph(path, pictures):
    """`detection_*` and `num_detections` of each picture, by a graph in a session of its own."""
    graph_def = tf.GraphDef()
    graph_def.ParseFromString(path.read_bytes())
    names = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(graph_def, name="")
        return [
            session.run({name: f"{name}:0" for name in names}, {"image_tensor:0": picture[None]})
            for picture in pictures
        ]


@pytest.mark.slow
def test_our_export_detects_what_the_published_one_does(shared_data, tmp_path):
    folder = shared_data / "checkpoints" / "ssdlite_mobilenet_v2_pedestrian"
    paths = sorted((shared_data / "coco_persons" / "coco_mini" / "val2017").glob("*.jpg"))[:20]
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    assert len(pictures) == 20
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    pipeline.model.CopyFrom(text_format.Parse(CONFIG, model_pb2.DetectionModel()))
    exporter.export_inference_graph(
        "image_tensor", pipeline, str(folder / "model.ckpt"), str(tmp_path / "exported")
    )
    ours = _detections_of_a_frozen_graph(
        tmp_path / "exported" / "frozen_inference_graph.pb", pictures
    )
    theirs = _detections_of_a_frozen_graph(folder / "frozen_inference_graph.pb", pictures)
    found = 0
    for mine, published in zip(ours, theirs, strict=True):
        for name, expected in published.items():
            np.testing.assert_allclose(mine[name], expected, atol=1e-3, err_msg=name)
        found += int((published["detection_scores"] > 0.5).sum())
    assert found >= 3  # people were found: the comparison is not only about noise
