"""Every SSD feature extractor: sizes of its maps, training steps with keypoints, a frozen graph."""

import math

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import hyperparams_builder, model_builder, optimizer_builder
from object_detection.core import mixed_precision
from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError
from object_detection.protos import hyperparams_pb2, model_pb2, optimizer_pb2

Boxes = fields.BoxListFields
EXTRACTORS = model_builder.SSD_FEATURE_EXTRACTOR_CLASS_MAP

SSD = (16, 32, 64, 128, 256, 512)
PYRAMID = (8, 16, 32, 64, 128)
POOLED = (16, 32, 64, 128, 256, 512)

# Name in the config -> stride of each map; None where the network does not pad.
STRIDES = {
    "embedded_ssd_mobilenet_v1": SSD[:5],
    "ssd_inception_v2": SSD,
    "ssd_inception_v3": None,
    "ssd_mobiledet_cpu": SSD,
    "ssd_mobiledet_dsp": SSD,
    "ssd_mobiledet_edgetpu": SSD,
    "ssd_mobiledet_gpu": SSD,
    "ssd_mobilenet_edgetpu": SSD,
    "ssd_mobilenet_v1": SSD,
    "ssd_mobilenet_v1_fpn": PYRAMID,
    "ssd_mobilenet_v1_ppn": POOLED,
    "ssd_mobilenet_v2": SSD,
    "ssd_mobilenet_v2_fpn": PYRAMID,
    "ssd_mobilenet_v2_mnasfpn": PYRAMID[:4],
    "ssd_mobilenet_v3_large": SSD,
    "ssd_mobilenet_v3_small": SSD,
    "ssd_resnet50_v1_fpn": PYRAMID,
    "ssd_resnet101_v1_fpn": PYRAMID,
    "ssd_resnet152_v1_fpn": PYRAMID,
    "ssd_resnet50_v1_ppn": POOLED,
    "ssd_resnet101_v1_ppn": POOLED,
    "ssd_resnet152_v1_ppn": POOLED,
    "ssd_spaghettinet": SSD[:5],
}
ONE_SIZE = {"embedded_ssd_mobilenet_v1": 256}
OWN = {"ssd_spaghettinet": "spaghettinet_arch_name: 'spaghettinet_edgetpu_s'"}
HYPERPARAMS = """
  activation: RELU_6
  regularizer { l2_regularizer { weight: 0.00004 } }
  initializer { truncated_normal_initializer { stddev: 0.03 } }
  batch_norm { decay: 0.9 epsilon: 0.001 train: true scale: true center: true }
"""
CONFIG = """
ssd {
  num_classes: 1
  box_coder { keypoint_box_coder { num_keypoints: 5 } }
  matcher { argmax_matcher { matched_threshold: 0.5 unmatched_threshold: 0.5
    ignore_thresholds: false negatives_lower_than_unmatched: true
    force_match_for_each_row: true } }
  similarity_calculator { iou_similarity {} }
  image_resizer { fixed_shape_resizer { height: %(size)d width: %(size)d } }
  encode_background_as_zeros: true
  loss {
    classification_loss { weighted_sigmoid_focal { alpha: 0.75 } }
    localization_loss { weighted_smooth_l1 {} }
  }
  normalize_loss_by_num_matches: true
  post_processing {
    batch_non_max_suppression { score_threshold: 1e-8 iou_threshold: 0.6
      max_detections_per_class: 10 max_total_detections: 10 }
    score_converter: SIGMOID
  }
  %(anchors)s
  box_predictor { %(predictor)s }
  feature_extractor { type: '%(type)s' min_depth: 8 depth_multiplier: 0.25
    override_base_feature_extractor_hyperparams: true
    %(pyramid)s conv_hyperparams { %(hyperparams)s } }
}
"""
SSD_ANCHORS = """anchor_generator { ssd_anchor_generator { num_layers: %d
  min_scale: 0.2 max_scale: 0.95 aspect_ratios: [1.0, 0.8] reduce_boxes_in_lowest_layer: false } }"""
PYRAMID_ANCHORS = """anchor_generator { multiscale_anchor_generator { min_level: 3 max_level: %d
  anchor_scale: 4.0 aspect_ratios: [1.0, 0.5] scales_per_octave: 2 } }"""
PREDICTOR = """convolutional_box_predictor { kernel_size: 1 box_code_size: 14 use_dropout: false
  conv_hyperparams { %s } }"""
SHARED_PREDICTOR = """weight_shared_convolutional_box_predictor { depth: 16
  num_layers_before_predictor: 1 kernel_size: 3 box_code_size: 14 conv_hyperparams { %s } }"""


def _config(name):
    fpn, ppn = name.endswith("fpn"), name.endswith("_ppn")
    top = 2 + len(STRIDES[name] or SSD)
    values = {
        "type": name,
        "size": ONE_SIZE.get(name, 160),
        "anchors": PYRAMID_ANCHORS % top if fpn else SSD_ANCHORS % (top - 2),
        "predictor": (SHARED_PREDICTOR if fpn or ppn else PREDICTOR) % HYPERPARAMS,
        "pyramid": (
            f"fpn {{ min_level: 3 max_level: {top} additional_layer_depth: 32 }}" if fpn else ""
        )
        + OWN.get(name, ""),
        "hyperparams": HYPERPARAMS,
    }
    return text_format.Parse(CONFIG % values, model_pb2.DetectionModel())


def _extractor(name, **more):
    hyperparams = text_format.Parse(HYPERPARAMS, hyperparams_pb2.Hyperparams())
    settings = {
        "is_training": True,
        "depth_multiplier": 0.25,
        "min_depth": 8,
        "pad_to_multiple": 1,
        "conv_hyperparams_fn": hyperparams_builder.build(hyperparams, True),
        "override_base_feature_extractor_hyperparams": True,
    }
    if name in OWN:
        settings["spaghettinet_arch_name"] = "spaghettinet_edgetpu_s"
    return EXTRACTORS[name](**(settings | more))


def test_every_extractor_has_a_case():
    assert set(STRIDES) == set(EXTRACTORS)


@pytest.mark.parametrize("size", [(300, 300), (301, 257), (321, 320)], ids=str)
@pytest.mark.parametrize("name", sorted(STRIDES))
def test_sizes_of_maps(name, size):
    if name in ONE_SIZE:
        size = (ONE_SIZE[name],) * 2
    if STRIDES[name] is None and size != (300, 300):
        pytest.skip("no formula for networks that do not pad; see the one size by hand")
    maps = _extractor(name).extract_features(tf.zeros([1, *size, 3]))
    sizes = [tuple(one.shape.as_list()[1:3]) for one in maps]
    if STRIDES[name] is None:
        assert sizes == [(side, side) for side in (35, 17, 8, 4, 2, 1)]
    else:
        assert sizes == [
            tuple(math.ceil(side / stride) for side in size) for stride in STRIDES[name]
        ]


def _variables_and_types(name, dtype):
    """Name -> shape and type of each variable, and the types of the maps."""
    with tf.Graph().as_default(), mixed_precision.bfloat16_scope():
        size = ONE_SIZE.get(name, 160)
        maps = _extractor(name).extract_features(tf.zeros([1, size, size, 3], dtype))
        variables = {one.op.name: (one.shape.as_list(), one.dtype) for one in tf.global_variables()}
        return variables, [one.dtype for one in maps]


@pytest.mark.parametrize("name", sorted(STRIDES))
def test_bfloat16_pictures_give_maps_of_it_and_the_same_variables(name):
    variables, types = _variables_and_types(name, tf.bfloat16)
    assert set(types) == {tf.bfloat16}
    assert variables == _variables_and_types(name, tf.float32)[0]


@pytest.mark.parametrize("name", sorted(STRIDES))
def test_open_sizes_keep_batch_and_depth(name):
    images = tf.placeholder(tf.float32, [2, None, None, 3])
    for one in _extractor(name).extract_features(images):
        assert one.shape.as_list()[0] == 2
        assert one.shape.as_list()[3] is not None


PADDED_BY_HAND = [
    "ssd_mobilenet_v1",
    "ssd_mobilenet_v2",
    "ssd_mobilenet_v1_fpn",
    "ssd_mobilenet_v2_mnasfpn",
    "ssd_mobilenet_v3_large",
    "ssd_spaghettinet",
]


@pytest.mark.parametrize("name", PADDED_BY_HAND)
def test_explicit_padding_does_not_change_sizes(name, run):
    images = tf.zeros([1, 128, 128, 3])
    with tf.variable_scope("plain"):
        plain = _extractor(name).extract_features(images)
    with tf.variable_scope("padded"):
        padded = _extractor(name, use_explicit_padding=True).extract_features(images)
    assert [one.shape for one in run(plain)] == [one.shape for one in run(padded)]


@pytest.mark.parametrize("name", ["ssd_inception_v2", "ssd_inception_v3"])
def test_networks_without_settings_of_their_own_say_so(name):
    with pytest.raises(ConfigError, match="override_base_feature_extractor_hyperparams: true"):
        _extractor(name, override_base_feature_extractor_hyperparams=False)


def _groundtruth():
    boxes = np.array([[[0.1, 0.1, 0.6, 0.5], [0.4, 0.5, 0.95, 0.9]]], np.float32)
    points = np.random.RandomState(3).uniform(0.2, 0.8, [1, 2, 5, 2]).astype(np.float32)
    points[0, 0, 1] = np.nan
    return {
        Boxes.boxes: tf.constant(boxes),
        Boxes.classes: tf.ones([1, 2, 1]),
        Boxes.weights: tf.ones([1, 2]),
        Boxes.keypoints: tf.constant(points),
    }


def _train(config, images, folder):
    """Three steps; returns the path of the checkpoint."""
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        model = model_builder.build(config, is_training=True)
        inputs, shapes = model.preprocess(tf.constant(images))
        predictions = model.predict(inputs, shapes)
        model.provide_groundtruth_batch(_groundtruth())
        losses = model.loss(predictions, shapes)
        total = tf.add_n([*losses.values(), *model.regularization_losses()])
        optimizer, _ = optimizer_builder.build(
            text_format.Parse(
                "momentum_optimizer { learning_rate { constant_learning_rate { learning_rate: 0.01 }"
                " } }",
                optimizer_pb2.Optimizer(),
            )
        )
        gradients = [
            (tf.clip_by_norm(gradient, 1.0), variable)
            for gradient, variable in optimizer.compute_gradients(total)
            if gradient is not None
        ]
        with tf.control_dependencies(model.updates()):
            step = optimizer.apply_gradients(gradients)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for _ in range(3):
                value, _ = session.run([total, step])
                assert np.isfinite(value)
            return tf.train.Saver().save(session, str(folder / "model.ckpt"))


def _losses(config, images, dtype, values):
    """Losses of one step; variables that `values` does not have yet are drawn, and put into it."""
    with tf.Graph().as_default(), tf.Session() as session:
        model = model_builder.build(config, is_training=True)
        inputs, shapes = model.preprocess(tf.constant(images))
        with mixed_precision.bfloat16_scope():
            predictions = model.predict(tf.cast(inputs, dtype), shapes)
        for key in ("box_encodings", "class_predictions_with_background"):
            assert predictions[key].dtype == tf.float32
        model.provide_groundtruth_batch(_groundtruth())
        losses = model.loss(predictions, shapes)
        session.run(tf.global_variables_initializer())
        for variable in tf.global_variables():
            values.setdefault(variable.op.name, session.run(variable))
            variable.load(values[variable.op.name], session)
        return session.run(losses)


@pytest.mark.parametrize("name", ["ssd_inception_v2", "ssd_mobilenet_v2_fpn"])
def test_losses_in_bfloat16_are_those_of_float32(name):
    config = _config(name)
    images = np.random.RandomState(1).uniform(0, 255, [1, 160, 160, 3]).astype(np.float32)
    values = {}
    exact, rounded = (_losses(config, images, one, values) for one in (tf.float32, tf.bfloat16))
    assert exact.keys() == rounded.keys()
    for key, value in exact.items():
        assert rounded[key] == pytest.approx(value, rel=0.03), key
        assert rounded[key] != value


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(STRIDES))
def test_trains_with_keypoints_and_freezes(name, tmp_path):
    config = _config(name)
    size = config.ssd.image_resizer.fixed_shape_resizer.height
    images = np.random.RandomState(1).uniform(0, 255, [1, size, size, 3]).astype(np.float32)
    checkpoint = _train(config, images, tmp_path)
    with tf.Graph().as_default() as graph, tf.Session() as session:
        model = model_builder.build(config, is_training=False)
        picture = tf.placeholder(tf.float32, [1, None, None, 3], name="picture")
        outputs = {
            key: tf.identity(value, name=key)
            for key, value in model.call(picture).items()
            if key.startswith("detection_") or key == "num_detections"
        }
        assert outputs["detection_keypoints"].shape.as_list() == [1, 10, 5, 2]
        tf.train.Saver(tf.global_variables()).restore(session, checkpoint)
        expected = session.run(outputs, {picture: images})
        frozen = tf.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), list(outputs)
        )
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(frozen, name="")
        found = session.run({key: f"{key}:0" for key in expected}, {"picture:0": images})
    assert expected["num_detections"][0] > 0
    np.testing.assert_allclose(found["detection_scores"], expected["detection_scores"], atol=1e-4)
    # Rows of equal scores may change places: compare each with its nearest.
    ours, theirs = (
        np.concatenate(
            [one["detection_boxes"][0], one["detection_keypoints"][0].reshape(10, -1)], 1
        )
        for one in (found, expected)
    )
    distance = np.abs(ours[:, None] - theirs).max(axis=-1)
    assert distance.min(axis=1).max() < 1e-4
    assert distance.min(axis=0).max() < 1e-4
