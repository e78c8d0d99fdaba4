"""An SSD that predicts whether keypoints can be seen, and one that weighs occluded ones."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import model_builder
from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError
from object_detection.protos import model_pb2

Boxes = fields.BoxListFields
NAN = float("nan")
KEYPOINT, VISIBILITY = "Loss/keypoint_loss", "Loss/keypoint_visibility_loss"
CONFIG = """
ssd {
  num_classes: 1
  box_coder { keypoint_box_coder { num_keypoints: 2 } }
  matcher { argmax_matcher { force_match_for_each_row: true } }
  similarity_calculator { iou_similarity {} }
  image_resizer { fixed_shape_resizer { height: 48 width: 64 } }
  encode_background_as_zeros: true
  normalize_loss_by_num_matches: true
  loss {
    classification_loss { weighted_sigmoid {} }
    localization_loss { weighted_smooth_l1 {} }
    keypoint_loss {}
  }
  post_processing { batch_non_max_suppression { score_threshold: 1e-8 iou_threshold: 0.3
    max_detections_per_class: 4 max_total_detections: 4 } score_converter: SIGMOID }
  anchor_generator { ssd_anchor_generator { num_layers: 2 aspect_ratios: 1.0 } }
  box_predictor { convolutional_box_predictor { kernel_size: 1 box_code_size: 8 use_dropout: false
    conv_hyperparams { regularizer { l2_regularizer {} }
      initializer { truncated_normal_initializer { stddev: 0.5 } } } } }
  feature_extractor { type: "ssd_mobilenet_v1" num_layers: 2 min_depth: 8 depth_multiplier: 0.1
    conv_hyperparams { regularizer { l2_regularizer {} }
      initializer { truncated_normal_initializer {} } batch_norm {} } }
}
"""


def _model(loss="", is_training=True):
    config = text_format.Parse(CONFIG, model_pb2.DetectionModel())
    text_format.Merge(loss, config.ssd.loss)
    return model_builder.build(config, is_training=is_training, add_summaries=False)


def _groundtruth():
    """Two pictures of two and one object. The last row of the second is padding."""
    points = np.random.RandomState(3).uniform(0.2, 0.8, [2, 2, 2, 2]).astype(np.float32)
    return {
        Boxes.boxes: np.array(
            [[[0.1, 0.1, 0.5, 0.45], [0.4, 0.5, 0.95, 0.9]], [[0.2, 0.3, 0.8, 0.8], [0] * 4]],
            np.float32,
        ),
        Boxes.classes: np.ones([2, 2, 1], np.float32),
        Boxes.weights: np.array([[1, 1], [1, 0]], np.float32),
        Boxes.keypoints: points,
        Boxes.keypoint_visibilities: np.ones([2, 2, 2], bool),
        Boxes.keypoint_flags: np.full([2, 2, 2], 2, np.int32),
    }


class _Scene:
    """Predictions of one model, and the losses that models make of them; groundtruth is fed.

    A model is the text of its losses, or this and the fields of the groundtruth that it lacks.
    """

    def __init__(self, *models):
        built = [
            (_model(one), ()) if isinstance(one, str) else (_model(one[0]), one[1:])
            for one in models
        ]
        images = np.random.RandomState(1).uniform(0, 255, [2, 48, 64, 3]).astype(np.float32)
        preprocessed, shapes = built[0][0].preprocess(tf.constant(images))
        self.predictions = built[0][0].predict(preprocessed, shapes)
        self._feed = {
            field: tf.placeholder(tf.as_dtype(value.dtype), [None, None, *value.shape[2:]])
            for field, value in _groundtruth().items()
        }
        self.losses = []
        for model, lacks in built:
            model.provide_groundtruth_batch(
                {field: tensor for field, tensor in self._feed.items() if field not in lacks}
            )
            self.losses.append(model.loss(self.predictions, shapes))
        total = tf.add_n(tf.nest.flatten(self.losses))
        names = {"box_encodings", "keypoint_visibilities"} & set(self.predictions)
        self._gradients = tf.gradients(total, [self.predictions[name] for name in sorted(names)])
        self._session = tf.Session()
        self._session.run(tf.global_variables_initializer())

    def __call__(self, groundtruth):
        """Losses of each model, and the gradient by the codes of the sum of all."""
        feed = {self._feed[field]: groundtruth[field] for field in self._feed}
        losses, gradients = self._session.run((self.losses, self._gradients), feed)
        assert all(np.isfinite(one).all() for one in (*tf.nest.flatten(losses), *gradients))
        return losses, gradients[0]

    def predicted(self, name):
        return self._session.run(self.predictions[name])


def test_the_switch_makes_an_output_a_loss_and_variables():
    plain = _Scene("")
    before = [variable.op.name for variable in tf.global_variables()]
    with tf.Graph().as_default():
        scene = _Scene("keypoint_loss { visibility {} }")
        after = {variable.op.name: variable for variable in tf.global_variables()}
    assert "keypoint_visibilities" not in plain.predictions
    assert VISIBILITY not in plain.losses[0]
    assert scene.losses[0][VISIBILITY].shape.as_list() == []
    assert scene.losses[0][VISIBILITY].op.name == "Loss/keypoint_visibility_loss"
    own = {
        f"BoxPredictor_{number}/KeypointVisibilityPredictor/{kind}"
        for number in (0, 1)
        for kind in ("weights", "biases")
    }
    assert set(after) == set(before) | own
    count = scene.predictions["box_encodings"].shape.as_list()[1]
    assert scene.predictions["keypoint_visibilities"].shape.as_list() == [2, count, 2]


def _no_boxes(truth):
    return {field: value[:, :0] for field, value in truth.items()}


def test_targets_of_visibility():
    """One object at a time counts, so that the loss is a mean over its own two keypoints."""
    scene = _Scene("keypoint_loss { visibility { weight: 2 } }")
    logits = scene.predicted("keypoint_visibilities")
    assert scene(_no_boxes(_groundtruth()))[0][0][VISIBILITY] == 0

    def loss(change):
        truth = _groundtruth()
        truth[Boxes.weights][:] = [[1, 0], [0, 0]]
        change(truth)
        (losses,), of_codes = scene(truth)
        # All anchors of a match have a gradient of the box; those are whose logits count.
        matched = np.abs(of_codes).sum(axis=-1) > 0
        assert matched.any()
        return losses[VISIBILITY], logits[matched]

    def expected(rows, first, second):
        signs = np.array([1 if first else -1, 1 if second else -1])
        return 2 * np.mean(np.log1p(np.exp(-rows.astype(np.float64) * signs)))

    def occlude(truth):
        truth[Boxes.keypoint_flags][0, 0, 1] = 1

    def leave(truth):
        """As a crop leaves it: the flag stays."""
        truth[Boxes.keypoints][0, 0, 0] = NAN
        truth[Boxes.keypoint_visibilities][0, 0, 0] = False

    def leave_all(truth):
        truth[Boxes.keypoints][0, 0] = NAN
        truth[Boxes.keypoint_visibilities][0, 0] = False

    def unlabelled(truth):
        leave_all(truth)
        truth[Boxes.keypoint_flags][0, 0] = 0

    for change, seen in (
        (lambda truth: None, (True, True)),
        (occlude, (True, False)),
        (leave, (False, True)),
        (leave_all, (False, False)),
    ):
        value, rows = loss(change)
        np.testing.assert_allclose(value, expected(rows, *seen), rtol=1e-4)
    value, _ = loss(unlabelled)
    assert value == 0


def test_without_flags_what_is_there_can_be_seen():
    truth = _groundtruth()
    truth[Boxes.keypoint_visibilities][0, 0] = [True, False]
    truth[Boxes.keypoint_visibilities][1, 0] = False
    truth[Boxes.keypoint_flags] = np.where(truth[Boxes.keypoint_visibilities], 2, 0)
    loss = "keypoint_loss { visibility {} }"
    (flagged, without), _ = _Scene(loss, (loss, Boxes.keypoint_flags))(truth)
    assert flagged[VISIBILITY] > 0
    for name, value in flagged.items():
        np.testing.assert_allclose(value, without[name], rtol=1e-5)


def test_occluded_points_by_their_weight():
    """With weight 0 they are as if they were not there; with 1 as if they were visible."""
    truth, visible, absent = _groundtruth(), _groundtruth(), _groundtruth()
    truth[Boxes.keypoint_flags][0, :, 1] = 1
    absent[Boxes.keypoint_visibilities][0, :, 1] = False
    scene = _Scene(*(f"keypoint_loss {{ occluded_weight: {one} }}" for one in (0, 0.5, 1)))
    none, half, full = (losses[KEYPOINT] for losses in scene(truth)[0])
    np.testing.assert_allclose(full, scene(visible)[0][2][KEYPOINT], rtol=1e-6)
    np.testing.assert_allclose(none, scene(absent)[0][2][KEYPOINT], rtol=1e-5)
    assert min(none, full) < half < max(none, full)


def test_scores_go_with_their_detection(run):
    model = _model("keypoint_loss { visibility {} }", is_training=False)
    images = np.random.RandomState(1).uniform(0, 255, [2, 48, 64, 3]).astype(np.float32)
    preprocessed, shapes = model.preprocess(tf.constant(images))
    predictions = model.predict(preprocessed, shapes)
    detections, logits = run(
        (model.postprocess(predictions, shapes), predictions["keypoint_visibilities"])
    )
    scores = detections["detection_keypoint_scores"]
    assert scores.shape == (2, 4, 2)
    for picture, count in enumerate(detections["num_detections"].astype(int)):
        assert count > 1
        anchors = detections["detection_anchor_indices"][picture, :count]
        np.testing.assert_allclose(
            scores[picture, :count], 1 / (1 + np.exp(-logits[picture, anchors])), rtol=1e-5
        )
        assert not scores[picture, count:].any()


def test_a_predictor_that_predicts_no_visibility():
    with pytest.raises(ConfigError, match="needs a predictor that gives keypoint_visibilities"):
        _Scene("keypoint_loss {}", "keypoint_loss { visibility {} }")
