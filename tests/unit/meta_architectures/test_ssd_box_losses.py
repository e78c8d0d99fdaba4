"""An SSD whose localisation loss is one of boxes: what it sees, and what is refused."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import model_builder
from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError
from object_detection.protos import model_pb2
from object_detection.utils.config_check import detection_check

Boxes = fields.BoxListFields
LOCATION, KEYPOINT = "Loss/localization_loss", "Loss/keypoint_loss"
HEIGHT, WIDTH = 48, 96

CONFIG = """
ssd {
  num_classes: 1
  matcher { argmax_matcher { force_match_for_each_row: true } }
  similarity_calculator { iou_similarity {} }
  image_resizer { fixed_shape_resizer { height: 48 width: 96 } }
  encode_background_as_zeros: true
  normalize_loss_by_num_matches: false
  loss { classification_loss { weighted_sigmoid {} } }
  post_processing { batch_non_max_suppression {} score_converter: SIGMOID }
  anchor_generator { ssd_anchor_generator { num_layers: 2 aspect_ratios: 1.0 } }
  box_predictor { convolutional_box_predictor { kernel_size: 1 use_dropout: false
    conv_hyperparams { regularizer { l2_regularizer {} }
      initializer { truncated_normal_initializer {} } } } }
  feature_extractor { type: "ssd_mobilenet_v1" num_layers: 2 min_depth: 8 depth_multiplier: 0.1
    conv_hyperparams { regularizer { l2_regularizer {} }
      initializer { truncated_normal_initializer {} } batch_norm {} } }
}
"""
BOX_LOSSES = ["weighted_iou", "weighted_giou", "weighted_diou", "weighted_ciou"]
TRUTH = np.array([[[0.1, 0.1, 0.5, 0.45], [0.4, 0.5, 0.95, 0.9]]], np.float32)


def _config(loss, keypoints=0, more=""):
    config = text_format.Parse(CONFIG, model_pb2.DetectionModel())
    coder = config.ssd.box_coder
    if keypoints:
        coder.keypoint_box_coder.num_keypoints = keypoints
    else:
        coder.faster_rcnn_box_coder.SetInParent()
    predictor = config.ssd.box_predictor.convolutional_box_predictor
    predictor.box_code_size = 4 + 2 * keypoints
    text_format.Merge(f"localization_loss {{ {loss} {{}} }} {more}", config.ssd.loss)
    return config


class _Scene:
    """Codes as a placeholder, and what each loss of boxes makes of them and the same truth."""

    def __init__(self, keypoints, more=""):
        configs = {kind: _config(kind, keypoints, more) for kind in BOX_LOSSES}
        models = {
            kind: model_builder.build(config, is_training=True, add_summaries=False)
            for kind, config in configs.items()
        }
        first = models[BOX_LOSSES[0]]
        pictures = tf.random.stateless_uniform([1, HEIGHT, WIDTH, 3], [1, 2]) * 255
        preprocessed, shapes = first.preprocess(pictures)
        predictions = first.predict(preprocessed, shapes)
        self._codes = tf.placeholder(tf.float32, [1, *predictions["box_encodings"].shape[1:]])
        predictions["box_encodings"] = self._codes
        truth = {
            Boxes.boxes: TRUTH,
            Boxes.classes: np.ones([1, 2, 1], np.float32),
            Boxes.weights: np.ones([1, 2], np.float32),
        }
        if keypoints:
            truth[Boxes.keypoints] = np.full([1, 2, keypoints, 2], 0.5, np.float32)
        self._losses, self._gradients = {}, {}
        for kind, model in models.items():
            model.provide_groundtruth_batch(
                {name: tf.constant(value) for name, value in truth.items()}
            )
            self._losses[kind] = model.loss(predictions, shapes)
            self._gradients[kind] = tf.gradients(self._losses[kind][LOCATION], self._codes)[0]
        self._session = tf.Session()
        self._session.run(tf.global_variables_initializer())
        self.anchors = self._session.run(predictions["anchors"])
        self.zeros = np.zeros(self._codes.shape.as_list(), np.float32)

    def __call__(self, kind, codes):
        """The losses, and the gradient of that of boxes by the codes."""
        tensors = self._losses[kind], self._gradients[kind]
        return self._session.run(tensors, {self._codes: codes})


@pytest.fixture(scope="module")
def scene():
    with tf.Graph().as_default():
        yield _Scene(0)


def _iou_of(anchor, truth):
    common = np.prod(
        np.maximum(np.minimum(anchor[2:], truth[2:]) - np.maximum(anchor, truth)[:2], 0)
    )
    areas = [np.prod(box[2:] - box[:2]) for box in (anchor, truth)]
    return common / (sum(areas) - common)


def _pixels(box):
    return box * np.array([HEIGHT, WIDTH] * 2)


def test_the_loss_is_that_of_boxes(scene):
    """Codes of 0 are the anchors; those matched are the best of each box."""
    losses, _ = scene("weighted_iou", scene.zeros)
    overlaps = [max(_iou_of(anchor, truth) for anchor in scene.anchors) for truth in TRUTH[0]]
    assert losses[LOCATION] == pytest.approx(sum(1 - overlap for overlap in overlaps), rel=1e-4)


def test_distances_are_of_pixels(scene):
    """A picture twice as wide as high: its distances are not those of shares."""
    losses, _ = scene("weighted_diou", scene.zeros)
    expected = 0.0
    for truth in TRUTH[0]:
        overlaps = [_iou_of(anchor, truth) for anchor in scene.anchors]
        anchor = _pixels(scene.anchors[np.argmax(overlaps)])
        goal = _pixels(truth)
        apart = (anchor[:2] + anchor[2:] - goal[:2] - goal[2:]) / 2
        around = np.maximum(anchor, goal)[2:] - np.minimum(anchor, goal)[:2]
        expected += 1 - max(overlaps) + np.sum(apart**2) / np.sum(around**2)
    assert losses[LOCATION] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", BOX_LOSSES[1:])
def test_descent_finds_the_boxes(kind, scene):
    codes = scene.zeros.copy()
    matched = scene(kind, codes)[1][0].any(axis=1)
    assert matched.sum() == 2
    # Six tenths of an anchor away.
    codes[0, matched, :2] = [6.0, -6.0]
    losses, gradient = scene(kind, codes)
    assert losses[LOCATION] > 2
    # The minimum is a kink: steps have to get shorter.
    for step in np.linspace(5.0, 0.0, 150, endpoint=False):
        codes -= step * gradient
        losses, gradient = scene(kind, codes)
    assert losses[LOCATION] < 0.1


@pytest.mark.parametrize("number", [300.0, 1e4, 1e30, -1e30])
def test_huge_codes_stay_finite(number, scene):
    for kind in BOX_LOSSES:
        losses, gradient = scene(kind, scene.zeros + number)
        assert np.isfinite(losses[LOCATION])
        assert np.isfinite(gradient).all()


def test_keypoints_have_their_own_loss():
    scene = _Scene(2, "keypoint_loss {}")
    for kind in BOX_LOSSES:
        codes = scene.zeros.copy()
        losses, gradient = scene(kind, codes)
        assert gradient[..., :4].any()
        assert not gradient[..., 4:].any()
        codes[..., 4:] = 3.0
        moved, _ = scene(kind, codes)
        assert moved[LOCATION] == losses[LOCATION]
        assert moved[KEYPOINT] != losses[KEYPOINT]


@pytest.mark.parametrize("kind", BOX_LOSSES)
def test_keypoints_without_a_loss_are_refused(kind):
    config = _config(kind, keypoints=2)
    with pytest.raises(ConfigError, match="add keypoint_loss"):
        model_builder.build(config, is_training=True)
    (problem,) = detection_check.box_loss_problems(config.ssd.loss, 2)
    assert f"localization_loss.{kind}" in problem
    assert "keypoint_loss {}" in problem
    assert not list(detection_check.box_loss_problems(config.ssd.loss, 0))
    config.ssd.loss.keypoint_loss.SetInParent()
    assert not list(detection_check.box_loss_problems(config.ssd.loss, 2))


def test_losses_of_codes_need_none():
    assert not list(detection_check.box_loss_problems(_config("weighted_l2", 2).ssd.loss, 2))
