"""The SSD model as a whole: what may and may not reach its losses."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import model_builder
from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError
from object_detection.meta_architectures import ssd_keypoints
from object_detection.protos import model_pb2

Boxes = fields.BoxListFields
NAN = float("nan")

CONFIG = """
ssd {
  num_classes: 1
  box_coder { keypoint_box_coder { num_keypoints: 5 } }
  matcher { argmax_matcher { matched_threshold: 0.5 unmatched_threshold: 0.5
    ignore_thresholds: false negatives_lower_than_unmatched: true
    force_match_for_each_row: true } }
  similarity_calculator { iou_similarity {} }
  image_resizer { fixed_shape_resizer { height: 64 width: 64 } }
  encode_background_as_zeros: true
  loss {
    classification_loss { weighted_sigmoid {} }
    localization_loss { weighted_smooth_l1 {} }
    %(miner)s
    classification_weight: 1 localization_weight: 1
  }
  normalize_loss_by_num_matches: true
  post_processing {
    batch_non_max_suppression { score_threshold: 1e-8 iou_threshold: 0.6
      max_detections_per_class: 10 max_total_detections: 10 }
    score_converter: SIGMOID
  }
  anchor_generator { ssd_anchor_generator { num_layers: 6 min_scale: 0.2 max_scale: 0.95
    aspect_ratios: 1.0 aspect_ratios: 0.8 } }
  box_predictor { convolutional_box_predictor {
    min_depth: 0 max_depth: 0 num_layers_before_predictor: 0 use_dropout: false
    kernel_size: 1 box_code_size: 14
    conv_hyperparams { activation: RELU_6
      regularizer { l2_regularizer { weight: 0.00004 } }
      initializer { truncated_normal_initializer { stddev: 0.03 } } } } }
  feature_extractor { type: '%(extractor)s' min_depth: 8 depth_multiplier: 0.1
    conv_hyperparams { activation: RELU_6
      regularizer { l2_regularizer { weight: 0.00004 } }
      initializer { truncated_normal_initializer { stddev: 0.03 } }
      batch_norm { decay: 0.97 epsilon: 0.001 train: true scale: true center: true } } }
}
"""
MINER = """hard_example_miner { num_hard_examples: 3000 iou_threshold: 0.99
  loss_type: CLASSIFICATION max_negatives_per_positive: 3 min_negatives_per_image: 3 }"""


def _config(extractor="ssd_mobilenet_v1", miner=MINER):
    text = CONFIG % {"extractor": extractor, "miner": miner}
    return text_format.Parse(text, model_pb2.DetectionModel())


def _groundtruth():
    """Two pictures: three faces, the last row padding; one face."""
    boxes = np.zeros([2, 3, 4], np.float32)
    boxes[0, 0], boxes[0, 1], boxes[1, 0] = (
        [0.1, 0.1, 0.5, 0.45],
        [0.4, 0.5, 0.95, 0.9],
        [0.2, 0.3, 0.8, 0.8],
    )
    points = np.random.RandomState(3).uniform(0.2, 0.8, [2, 3, 5, 2]).astype(np.float32)
    return {
        Boxes.boxes: boxes,
        Boxes.classes: np.ones([2, 3, 1], np.float32),
        Boxes.weights: np.array([[1, 1, 0], [1, 0, 0]], np.float32),
        Boxes.keypoints: points,
        Boxes.keypoint_visibilities: np.ones([2, 3, 5], bool),
    }


class _Step:
    """Loss and gradients of one model as a function of the groundtruth's numbers."""

    def __init__(self, miner=MINER):
        images = np.random.RandomState(1).uniform(0, 255, [2, 64, 64, 3]).astype(np.float32)
        self._model = model_builder.build(_config(miner=miner), is_training=True)
        inputs, shapes = self._model.preprocess(tf.constant(images))
        predictions = self._model.predict(inputs, shapes)
        self._feed = {
            field: tf.placeholder(tf.as_dtype(value.dtype), [None, None, *value.shape[2:]])
            for field, value in _groundtruth().items()
        }
        self._model.provide_groundtruth_batch(self._feed)
        losses = self._model.loss(predictions, shapes)
        gradients = tf.gradients(tf.add_n(list(losses.values())), tf.trainable_variables())
        self._fetches = (losses, [tensor for tensor in gradients if tensor is not None])
        self._session = tf.Session()
        self._session.run(tf.global_variables_initializer())

    def __call__(self, groundtruth):
        feed = {self._feed[field]: groundtruth[field] for field in self._feed}
        return self._session.run(self._fetches, feed)


def _same(first, second):
    for ours, theirs in zip(tf.nest.flatten(first), tf.nest.flatten(second), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def _finite(result):
    assert all(np.all(np.isfinite(value)) for value in tf.nest.flatten(result))


@pytest.mark.parametrize("miner", ["", MINER], ids=["all anchors", "hard example miner"])
def test_invisible_keypoints_never_reach_loss_or_gradient(miner):
    step = _Step(miner)
    groundtruth = _groundtruth()
    groundtruth[Boxes.keypoint_visibilities][0, 0, 2:] = False
    groundtruth[Boxes.keypoint_visibilities][1, 0, 0] = False
    hidden = ~groundtruth[Boxes.keypoint_visibilities]
    results = []
    for filler in (0.0, 1e9, NAN):
        points = groundtruth[Boxes.keypoints].copy()
        points[hidden] = filler
        results.append(step({**groundtruth, Boxes.keypoints: points}))
        _finite(results[-1])
    _same(results[0], results[1])
    _same(results[0], results[2])
    visible = dict(groundtruth)
    visible[Boxes.keypoint_visibilities] = np.ones([2, 3, 5], bool)
    name = "Loss/localization_loss"
    assert abs(step(visible)[0][name] - results[0][0][name]) > 1e-4


def test_batch_with_all_keypoints_invisible_trains():
    step = _Step()
    groundtruth = _groundtruth()
    groundtruth[Boxes.keypoints][:] = NAN
    groundtruth[Boxes.keypoint_visibilities][:] = False
    losses, gradients = step(groundtruth)
    _finite((losses, gradients))
    assert losses["Loss/localization_loss"] > 0


def test_padding_rows_take_no_part():
    step = _Step()
    groundtruth = _groundtruth()
    first = step(groundtruth)
    groundtruth[Boxes.boxes][0, 2] = [0.0, 0.0, 1.0, 1.0]
    groundtruth[Boxes.boxes][1, 1] = [0.5, 0.5, 0.5, 0.5]
    groundtruth[Boxes.boxes][1, 2] = NAN
    _same(first, step(groundtruth))


@pytest.mark.parametrize("rows", [0, 2])
def test_batch_without_boxes_trains(rows):
    step = _Step()
    groundtruth = {field: value[:, :rows] for field, value in _groundtruth().items()}
    groundtruth[Boxes.weights] = np.zeros([2, rows], np.float32)
    losses, gradients = step(groundtruth)
    _finite((losses, gradients))
    assert losses["Loss/localization_loss"] == 0


def test_lists_and_padded_batch_give_the_same_loss(run):
    groundtruth = _groundtruth()
    model = model_builder.build(_config(), is_training=False)
    inputs, shapes = model.preprocess(tf.random.stateless_uniform([2, 64, 64, 3], [1, 2]) * 255)
    predictions = model.predict(inputs, shapes)
    model.provide_groundtruth_batch({k: tf.constant(v) for k, v in groundtruth.items()})
    batched = model.loss(predictions, shapes)
    counts = (2, 1)
    rows = {
        field: [tf.constant(value[b, :count]) for b, count in enumerate(counts)]
        for field, value in groundtruth.items()
    }
    model.provide_groundtruth(
        rows[Boxes.boxes],
        rows[Boxes.classes],
        groundtruth_keypoints_list=rows[Boxes.keypoints],
        groundtruth_keypoint_visibilities_list=rows[Boxes.keypoint_visibilities],
    )
    listed = model.loss(predictions, shapes)
    _same(*run((batched, listed)))


def test_detections_have_static_shapes_and_keypoints(run):
    model = model_builder.build(_config(), is_training=False)
    images = tf.placeholder_with_default(
        np.zeros([1, 50, 70, 3], np.float32), [None, None, None, 3]
    )
    inputs, shapes = model.preprocess(images)
    detections = model.postprocess(model.predict(inputs, shapes), shapes)
    assert detections["detection_boxes"].shape.as_list()[1:] == [10, 4]
    assert detections["detection_keypoints"].shape.as_list()[1:] == [10, 5, 2]
    values = run(detections)
    assert values["detection_keypoints"].shape == (1, 10, 5, 2)
    assert np.all(np.diff(values["detection_scores"][0]) <= 0)


def test_keypoints_with_visibility_none_are_unchanged():
    keypoints = tf.zeros([1, 2, 5, 2])
    assert ssd_keypoints.hide_invisible_keypoints(keypoints, None) is keypoints


def test_restore_map_refuses_unknown_types():
    model = model_builder.build(_config(), is_training=False)
    with pytest.raises(ConfigError, match="'detection' or 'full'"):
        model.restore_map("imagenet")


def test_unknown_extractor_names_the_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'ssd_mobilenet_v1'"):
        model_builder.build(_config("ssd_mobilnet_v1"), is_training=False)
