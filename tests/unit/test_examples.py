"""Each example config builds the network and the losses that it names."""

import pathlib

import pytest
import tensorflow.compat.v1 as tf

from object_detection.builders import model_builder
from object_detection.utils import config_util

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "keypoint_examples"
# What the examples say of themselves in their first lines: K, and the side of the network's input.
PERSONS, FACES = 17, 5
ABOUT = {
    "pipeline_coco_persons_mobilenet_v1_fpn": (PERSONS, 320),
    "pipeline_demo": (FACES, 192),
    "pipeline_wider_kp_dao_incv2": (FACES, 300),
    "pipeline_wider_kp_light": (FACES, 320),
    "pipeline_wider_kp_mobilenet_v1": (FACES, 300),
    "pipeline_wider_kp_resnet50_fpn": (FACES, 640),
    "pipeline_wider_kp_strong": (FACES, 640),
}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.config")), ids=lambda path: path.stem)
def test_examples_build_for_training(path):
    keypoints, side = ABOUT[path.stem]
    assert f"{side} x {side}" in path.read_text()
    config = config_util.get_configs_from_pipeline_file(str(path))["model"]
    model = model_builder.build(config, is_training=True)
    images, true_shapes = model.preprocess(tf.zeros([2, 200, 100, 3]))
    assert images.shape.as_list() == [2, side, side, 3]
    predictions = model.predict(images, true_shapes)
    assert predictions["box_encodings"].shape.as_list()[-1] == 4 + 2 * keypoints
    model.provide_groundtruth(
        groundtruth_boxes_list=[tf.constant([[0.1, 0.2, 0.5, 0.4]])] * 2,
        groundtruth_classes_list=[tf.ones([1, 1])] * 2,
        groundtruth_keypoints_list=[tf.fill([1, keypoints, 2], 0.3)] * 2,
        groundtruth_keypoint_visibilities_list=[tf.fill([1, keypoints], True)] * 2,
    )
    losses = model.loss(predictions, true_shapes)
    assert ("Loss/keypoint_loss" in losses) == ("keypoint_loss {" in path.read_text())
    gradients = tf.gradients(tf.add_n(list(losses.values())), tf.trainable_variables()[-1:])
    assert gradients[0] is not None
