"""An SSD whose keypoints have their own loss, beside one whose boxes and keypoints share it."""

import glob

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.box_coders.faster_rcnn_box_coder import FasterRcnnBoxCoder
from object_detection.builders import model_builder
from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError
from object_detection.legacy import trainer
from object_detection.meta_architectures.ssd_meta_arch import SSDMetaArch
from object_detection.protos import model_pb2, train_pb2

Boxes = fields.BoxListFields
Inputs = fields.InputDataFields
NAN = float("nan")
LOCATION, CLASS, KEYPOINT = (
    f"Loss/{kind}_loss" for kind in ("localization", "classification", "keypoint")
)

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
  }
  post_processing { batch_non_max_suppression {} score_converter: SIGMOID }
  anchor_generator { ssd_anchor_generator { num_layers: 2 aspect_ratios: 1.0 } }
  box_predictor { convolutional_box_predictor { kernel_size: 1 box_code_size: 8 use_dropout: false
    conv_hyperparams { regularizer { l2_regularizer {} }
      initializer { truncated_normal_initializer { stddev: 0.5 } } } } }
  feature_extractor { type: "ssd_mobilenet_v1" num_layers: 2 min_depth: 8 depth_multiplier: 0.1
    conv_hyperparams { regularizer { l2_regularizer {} }
      initializer { truncated_normal_initializer {} } batch_norm {} } }
}
"""
MINER = "hard_example_miner { num_hard_examples: 2 loss_type: CLASSIFICATION }"
KINDS = {
    "huber": "huber {}",
    "l1": "l1 {}",
    "wing": "wing {}",
    "oks": "oks { sigmas: [0.5, 0.9] }",
}


def _config(loss="", ssd=""):
    config = text_format.Parse(CONFIG, model_pb2.DetectionModel())
    text_format.Merge(loss, config.ssd.loss)
    text_format.Merge(ssd, config.ssd)
    return config


def _model(loss="", ssd=""):
    return model_builder.build(_config(loss, ssd), is_training=True, add_summaries=False)


def _groundtruth():
    """Two pictures: two objects, the last row padding; one object. Not all points are visible."""
    boxes = np.zeros([2, 3, 4], np.float32)
    boxes[0, 0], boxes[0, 1], boxes[1, 0] = (
        [0.1, 0.1, 0.5, 0.45],
        [0.4, 0.5, 0.95, 0.9],
        [0.2, 0.3, 0.8, 0.8],
    )
    visible = np.ones([2, 3, 2], bool)
    visible[0, 1, 0] = False
    return {
        Boxes.boxes: boxes,
        Boxes.classes: np.ones([2, 3, 1], np.float32),
        Boxes.weights: np.array([[1, 1, 0], [1, 0, 0]], np.float32),
        Boxes.keypoints: np.random.RandomState(3).uniform(0.2, 0.8, [2, 3, 2, 2]).astype("f4"),
        Boxes.keypoint_visibilities: visible,
    }


class _Scene:
    """One model's predictions, and the losses that several models make of them."""

    def __init__(self, **models):
        self._models = {name: _model(*texts) for name, texts in models.items()}
        first = next(iter(self._models.values()))
        images = np.random.RandomState(1).uniform(0, 255, [2, 48, 64, 3]).astype(np.float32)
        preprocessed, shapes = first.preprocess(tf.constant(images))
        predictions = first.predict(preprocessed, shapes)
        self._feed = {
            field: tf.placeholder(tf.as_dtype(value.dtype), [None, None, *value.shape[2:]])
            for field, value in _groundtruth().items()
        }
        self._annotated = tf.placeholder_with_default([True, True], [None])
        self.losses, self._gradients = {}, {}
        codes = predictions["box_encodings"]
        for name, model in self._models.items():
            model.provide_groundtruth_batch({**self._feed, Inputs.is_annotated: self._annotated})
            self.losses[name] = model.loss(predictions, shapes)
            total = tf.add_n(list(self.losses[name].values()))
            self._gradients[name] = tf.gradients(total, codes)
        self._session = tf.Session()
        self._session.run(tf.global_variables_initializer())

    def __call__(self, groundtruth=None, annotated=(True, True)):
        groundtruth = _groundtruth() if groundtruth is None else groundtruth
        feed = {self._feed[field]: groundtruth[field] for field in self._feed}
        feed[self._annotated] = annotated
        return self._session.run((self.losses, self._gradients), feed)


def _finite(values):
    assert all(np.all(np.isfinite(value)) for value in tf.nest.flatten(values))


def test_only_the_message_makes_a_third_loss():
    scene = _Scene(shared=("",), own=("keypoint_loss {}",))
    assert list(scene.losses["shared"]) == [LOCATION, CLASS]
    assert list(scene.losses["own"]) == [LOCATION, CLASS, KEYPOINT]
    assert scene.losses["own"][KEYPOINT].op.name == "Loss_1/keypoint_loss"
    assert scene.losses["own"][KEYPOINT].shape.as_list() == []


def test_huber_and_the_box_add_up_to_the_shared_loss():
    """Sums over anchors: shared = box + keypoints, where divisors and weights are 1."""
    groundtruth = _groundtruth()
    scene = _Scene(
        shared=("", "normalize_loss_by_num_matches: false"),
        own=("keypoint_loss {}", "normalize_loss_by_num_matches: false"),
        mean=("keypoint_loss { huber {} weight: 3 }",),
    )
    # Weights so small that the number of points is below 1, the least divisor.
    groundtruth[Boxes.weights] *= 1e-3
    losses, gradients = scene(groundtruth)
    shared, own = losses["shared"], losses["own"]
    assert own[KEYPOINT] > 1e-4
    np.testing.assert_allclose(shared[LOCATION], own[LOCATION] + own[KEYPOINT], rtol=1e-5)
    np.testing.assert_allclose(shared[CLASS], own[CLASS])
    np.testing.assert_allclose(losses["mean"][KEYPOINT], 3 * own[KEYPOINT], rtol=1e-6)
    for one, other in zip(gradients["shared"], gradients["own"], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-7)


def test_the_divisor_is_the_number_of_visible_points():
    scene = _Scene(shared=("", "normalize_loss_by_num_matches: false"), own=("keypoint_loss {}",))
    # Three objects of a match each or more, with one visible point: as many points as matches.
    groundtruth = _groundtruth()
    groundtruth[Boxes.keypoint_visibilities][..., 1] = False
    groundtruth[Boxes.keypoint_visibilities][..., 0] = True
    some = scene(groundtruth)[0]
    groundtruth[Boxes.keypoint_visibilities][:] = False
    none = scene(groundtruth)[0]
    # Matches: of the box's losses, one is divided by their number and the other is not.
    matches = none["shared"][LOCATION] / none["own"][LOCATION]
    assert matches > 2.9
    of_points = some["shared"][LOCATION] - none["shared"][LOCATION]
    np.testing.assert_allclose(some["own"][KEYPOINT], of_points / matches, rtol=1e-4)


@pytest.mark.parametrize("miner", ["", MINER], ids=["all anchors", "miner"])
def test_invisible_points_reach_neither_value_nor_gradient(miner):
    scene = _Scene(**{kind: (f"keypoint_loss {{ {KINDS[kind]} }} {miner}",) for kind in KINDS})
    groundtruth = _groundtruth()
    hidden = ~groundtruth[Boxes.keypoint_visibilities]
    results = []
    for filler in (0.0, NAN, 1e9):
        groundtruth[Boxes.keypoints][hidden] = filler
        results.append(scene(groundtruth))
        _finite(results[-1])
    for other in results[1:]:
        for one, two in zip(tf.nest.flatten(results[0]), tf.nest.flatten(other), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-8)
    groundtruth[Boxes.keypoints][hidden] = 0.5
    groundtruth[Boxes.keypoint_visibilities][:] = True
    shown = scene(groundtruth)[0]
    for kind in KINDS:
        assert results[0][0][kind][KEYPOINT] > 0
        assert abs(shown[kind][KEYPOINT] - results[0][0][kind][KEYPOINT]) > 1e-4
        np.testing.assert_allclose(shown[kind][LOCATION], results[0][0][kind][LOCATION], rtol=1e-5)


def _no_boxes():
    return {field: value[:, :0] for field, value in _groundtruth().items()}


def _no_points():
    groundtruth = _groundtruth()
    groundtruth[Boxes.keypoints][:] = NAN
    groundtruth[Boxes.keypoint_visibilities][:] = False
    return groundtruth


@pytest.mark.parametrize("make", [_no_boxes, _no_points])
def test_nothing_to_learn(make):
    scene = _Scene(**{kind: (f"keypoint_loss {{ {KINDS[kind]} }}",) for kind in KINDS})
    losses, gradients = scene(make())
    _finite((losses, gradients))
    for kind in KINDS:
        assert losses[kind][KEYPOINT] == 0
        assert losses[kind][CLASS] > 0
        of_points = gradients[kind][0][..., 4:]
        assert not of_points.any()


def test_the_box_loss_is_divided_by_four_numbers():
    by_size = "normalize_loc_loss_by_codesize: true"
    scene = _Scene(
        shared=("",),
        shared_by_size=("", by_size),
        own=("keypoint_loss {}",),
        own_by_size=("keypoint_loss {}", by_size),
    )
    losses, _ = scene()
    for name, numbers in (("shared", 8), ("own", 4)):
        ratio = losses[name][LOCATION] / losses[f"{name}_by_size"][LOCATION]
        np.testing.assert_allclose(ratio, numbers, rtol=1e-5)
    np.testing.assert_allclose(losses["own"][KEYPOINT], losses["own_by_size"][KEYPOINT], rtol=1e-6)


def test_a_miner_does_not_choose_keypoints():
    weights = "expected_loss_weights: EXPECTED_SAMPLING"
    scene = _Scene(
        all=("keypoint_loss {}",),
        mined=(f"keypoint_loss {{}} {MINER}",),
        expected=(f"keypoint_loss {{}} {weights}",),
    )
    losses, _ = scene()
    assert losses["mined"][CLASS] < losses["all"][CLASS]
    for chosen in ("mined", "expected"):
        np.testing.assert_allclose(losses[chosen][KEYPOINT], losses["all"][KEYPOINT], rtol=1e-6)


def test_pictures_that_nobody_annotated_do_not_count():
    scene = _Scene(own=("keypoint_loss { l1 {} }",))
    second_alone = scene(annotated=(False, True))[0]["own"][KEYPOINT]
    groundtruth = _groundtruth()
    groundtruth[Boxes.weights][0] = 0
    without_first = scene(groundtruth)[0]["own"][KEYPOINT]
    np.testing.assert_allclose(second_alone, without_first, rtol=1e-6)
    assert abs(second_alone - scene()[0]["own"][KEYPOINT]) > 1e-4


def test_codes_without_keypoints_are_refused():
    config = _config("keypoint_loss {}")
    config.ssd.box_coder.faster_rcnn_box_coder.SetInParent()
    with pytest.raises(ConfigError, match=r"loss\.keypoint_loss: needs"):
        model_builder.build(config, is_training=True)


def test_the_constructor_refuses_codes_without_keypoints():
    names = SSDMetaArch.__init__.__code__.co_varnames[1:17]
    parts = {**dict.fromkeys(names), "box_coder": FasterRcnnBoxCoder()}
    with pytest.raises(ConfigError, match=r"keypoint_loss needs .* have 4 numbers"):
        SSDMetaArch(**parts, keypoint_loss=lambda errors: 0.0)


def test_descent_brings_the_points_to_the_truth():
    """Codes as variables of their own: what each kind pulls them to."""
    models = {kind: _model(f"keypoint_loss {{ {text} }}") for kind, text in KINDS.items()}
    predictions = models["l1"].predict(tf.zeros([2, 48, 64, 3]), None)
    anchors = predictions["anchors"]
    count = anchors.shape.as_list()[0]
    truth = {field: tf.constant(value) for field, value in _groundtruth().items()}
    steps, losses = [], []
    for model in models.values():
        codes = tf.get_variable(
            f"codes_{len(steps)}", [2, count, 8], initializer=tf.zeros_initializer
        )
        model.provide_groundtruth_batch(truth)
        losses.append(
            model.loss(
                {
                    **predictions,
                    "box_encodings": codes,
                    "class_predictions_with_background": tf.zeros([2, count, 2]),
                },
                None,
            )[KEYPOINT]
        )
        steps.append(tf.train.AdamOptimizer(0.2).minimize(losses[-1], var_list=[codes]))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = session.run(losses)
        for _ in range(60):
            session.run(steps)
        after = session.run(losses)
    assert np.all(np.array(after) < 0.3 * np.array(before)), (before, after)


def _sample():
    truth = {field: value[0, :2] for field, value in _groundtruth().items()}
    truth[Boxes.keypoints][1, 0] = NAN
    image = np.random.RandomState(1).uniform(0, 255, [48, 64, 3])
    return {
        Inputs.image: tf.constant(image, tf.float32),
        Inputs.groundtruth_classes: tf.constant([1, 1]),
        Inputs.groundtruth_boxes: tf.constant(truth[Boxes.boxes]),
        Inputs.groundtruth_keypoints: tf.constant(truth[Boxes.keypoints]),
        Inputs.groundtruth_keypoint_visibilities: tf.constant(truth[Boxes.keypoint_visibilities]),
    }


@pytest.mark.filterwarnings("ignore:Seed .* from outer graph")
def test_training_draws_its_curve(tmp_path):
    config = text_format.Parse(
        """
        batch_size: 1 num_steps: 3
        optimizer { use_moving_average: false adam_optimizer {
          learning_rate { constant_learning_rate { learning_rate: 0.01 } } } }
        """,
        train_pb2.TrainConfig(),
    )
    outcome = trainer.train(
        create_tensor_dict_fn=_sample,
        create_model_fn=lambda: _model("keypoint_loss { wing {} }"),
        train_config=config,
        master="",
        task=0,
        num_clones=1,
        worker_replicas=1,
        clone_on_cpu=True,
        ps_tasks=0,
        worker_job_name="worker",
        is_chief=True,
        train_dir=str(tmp_path),
    )
    assert outcome.step == 3
    assert outcome.losses[KEYPOINT] > 0
    np.testing.assert_allclose(
        outcome.losses["Loss/TotalLoss"],
        sum(value for name, value in outcome.losses.items() if name != "Loss/TotalLoss"),
        rtol=1e-5,
    )
    events = glob.glob(str(tmp_path / "events*"))
    tags = {
        value.tag for event in tf.train.summary_iterator(events[0]) for value in event.summary.value
    }
    assert {"Losses/keypoint_loss", "Losses/localization_loss"} <= tags
