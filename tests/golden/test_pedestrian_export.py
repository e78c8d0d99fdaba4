"""Anchors, decoding and suppression against the numbers of a real export of the OD API."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.anchor_generators.multiple_grid_anchor_generator import create_ssd_anchors
from object_detection.box_coders.faster_rcnn_box_coder import FasterRcnnBoxCoder
from object_detection.builders import post_processing_builder
from object_detection.core.box_list import BoxList
from object_detection.protos import post_processing_pb2

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
