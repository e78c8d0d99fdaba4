"""Two-stage detectors of small parts: shapes, proposals, detections and losses by hand."""

import functools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim
from google.protobuf import text_format

from object_detection.anchor_generators.grid_anchor_generator import GridAnchorGenerator
from object_detection.builders import (
    box_predictor_builder,
    hyperparams_builder,
    post_processing_builder,
)
from object_detection.core import losses, post_processing, target_assigner
from object_detection.core.balanced_positive_negative_sampler import (
    BalancedPositiveNegativeSampler,
)
from object_detection.core.batch_norm import batch_norm
from object_detection.errors import ConfigError
from object_detection.meta_architectures import faster_rcnn_meta_arch, rfcn_meta_arch
from object_detection.protos import box_predictor_pb2, hyperparams_pb2, post_processing_pb2
from object_detection.utils import spatial_transform_ops

HYPERPARAMS = """op: %s activation: RELU regularizer { l2_regularizer { weight: 0.0005 } }
  initializer { truncated_normal_initializer { stddev: 0.03 } }"""
MASKS = (
    """predict_instance_masks: true mask_height: %d mask_width: %d masks_are_class_agnostic: %s
  mask_prediction_conv_depth: 4 conv_hyperparams { """
    + HYPERPARAMS % "CONV"
    + " }"
)


class SmallExtractor(faster_rcnn_meta_arch.FasterRCNNFeatureExtractor):
    """One 1x1 convolution a stage, so that features have the size of the picture."""

    def __init__(self):
        super().__init__(is_training=False, first_stage_features_stride=32)

    def preprocess(self, resized_inputs):
        return tf.identity(resized_inputs)

    def _extract_proposal_features(self, preprocessed_inputs, scope):
        with tf.variable_scope("small"):
            return slim.conv2d(preprocessed_inputs, 3, 1, scope="layer1"), {}

    def _extract_box_classifier_features(self, proposal_feature_maps, scope):
        with tf.variable_scope("small"):
            return slim.conv2d(proposal_feature_maps, 3, 1, scope="layer2")


def resizer(image, masks=None, pad_to=None):
    """Pads below and to the right; leaves the scale."""
    padded = image if pad_to is None else tf.image.pad_to_bounding_box(image, 0, 0, pad_to, pad_to)
    if masks is None:
        return [padded, tf.shape(image)]
    if pad_to is not None:
        masks = tf.image.pad_to_bounding_box(masks[..., tf.newaxis], 0, 0, pad_to, pad_to)[..., 0]
    return [padded, masks, tf.shape(image)]


def predictor(is_training, num_classes, mask_size=None, shared_box=False, agnostic_masks=False):
    text = f"""mask_rcnn_box_predictor {{ fc_hyperparams {{ {HYPERPARAMS % "FC"} }}
      share_box_across_classes: {str(shared_box).lower()}
      {MASKS % (mask_size, mask_size, str(agnostic_masks).lower()) if mask_size else ""} }}"""
    config = text_format.Parse(text, box_predictor_pb2.BoxPredictor())
    return box_predictor_builder.build(hyperparams_builder.build, config, is_training, num_classes)


def rfcn_predictor(is_training, num_classes):
    text = f"""rfcn_box_predictor {{ conv_hyperparams {{ {HYPERPARAMS % "CONV"} }}
      num_spatial_bins_height: 2 num_spatial_bins_width: 2 crop_height: 4 crop_width: 4 depth: 8 }}"""
    config = text_format.Parse(text, box_predictor_pb2.BoxPredictor())
    return box_predictor_builder.build(hyperparams_builder.build, config, is_training, num_classes)


def build(
    is_training,
    stages=2,
    num_classes=2,
    second_stage_batch_size=2,
    max_proposals=8,
    first_stage_minibatch_size=2,
    pad_to=None,
    mask_size=None,
    shared_box=False,
    agnostic_masks=False,
    classification_loss=None,
    rfcn=False,
    box_predictor=None,
    **settings,
):
    hyperparams = text_format.Parse(HYPERPARAMS % "CONV", hyperparams_pb2.Hyperparams())
    post_processing_config = text_format.Parse(
        """batch_non_max_suppression { score_threshold: -20.0 iou_threshold: 1.0
           max_detections_per_class: 5 max_total_detections: 5 } score_converter: IDENTITY""",
        post_processing_pb2.PostProcessing(),
    )
    second_nms, convert = post_processing_builder.build(post_processing_config)
    parts = {
        "is_training": is_training,
        "num_classes": num_classes,
        "image_resizer_fn": functools.partial(resizer, pad_to=pad_to),
        "feature_extractor": SmallExtractor(),
        "number_of_stages": stages,
        "first_stage_anchor_generator": GridAnchorGenerator(
            (0.5, 1.0, 2.0), (0.5, 1.0, 2.0), base_anchor_size=[4, 4], anchor_stride=[4, 4]
        ),
        "first_stage_target_assigner": target_assigner.create_target_assigner(
            "FasterRCNN", "proposal"
        ),
        "first_stage_atrous_rate": 1,
        "first_stage_box_predictor_arg_scope_fn": hyperparams_builder.build(
            hyperparams, is_training
        ),
        "first_stage_box_predictor_kernel_size": 3,
        "first_stage_box_predictor_depth": 16,
        "first_stage_minibatch_size": first_stage_minibatch_size,
        "first_stage_sampler": BalancedPositiveNegativeSampler(positive_fraction=0.5),
        "first_stage_non_max_suppression_fn": functools.partial(
            post_processing.batch_multiclass_non_max_suppression,
            score_thresh=-1.0,
            iou_thresh=1.0,
            max_size_per_class=max_proposals,
            max_total_size=max_proposals,
        ),
        "first_stage_max_proposals": max_proposals,
        "first_stage_localization_loss_weight": 1.0,
        "first_stage_objectness_loss_weight": 1.0,
        "crop_and_resize_fn": spatial_transform_ops.multilevel_matmul_crop_and_resize,
        "second_stage_target_assigner": target_assigner.create_target_assigner(
            "FasterRCNN", "detection"
        ),
        "second_stage_batch_size": second_stage_batch_size,
        "second_stage_sampler": BalancedPositiveNegativeSampler(positive_fraction=1.0),
        "second_stage_non_max_suppression_fn": second_nms,
        "second_stage_score_conversion_fn": convert,
        "second_stage_localization_loss_weight": 1.0,
        "second_stage_classification_loss_weight": 1.0,
        "second_stage_classification_loss": (
            classification_loss or losses.WeightedSoftmaxClassificationLoss()
        ),
        "hard_example_miner": None,
    } | settings
    if rfcn:
        return rfcn_meta_arch.RFCNMetaArch(
            second_stage_rfcn_box_predictor=rfcn_predictor(is_training, num_classes), **parts
        )
    return faster_rcnn_meta_arch.FasterRCNNMetaArch(
        initial_crop_size=3,
        maxpool_kernel_size=1,
        maxpool_stride=1,
        second_stage_mask_rcnn_box_predictor=(
            box_predictor
            or predictor(is_training, num_classes, mask_size, shared_box, agnostic_masks)
        ),
        **parts,
    )


ANCHORS = [[0, 0, 16, 16], [0, 16, 16, 32], [16, 0, 32, 16], [16, 16, 32, 32]]
OBJECTNESS = [
    [[-10, 13], [10, -10], [10, -11], [-10, 12]],
    [[10, -10], [-10, 13], [-10, 12], [10, -11]],
]
QUARTERS = [[0, 0, 0.5, 0.5], [0, 0.5, 0.5, 1], [0.5, 0, 1, 0.5], [0.5, 0.5, 1, 1]]
TWO_STAGES = {
    "rpn_box_predictor_features",
    "rpn_features_to_crop",
    "image_shape",
    "rpn_box_encodings",
    "rpn_objectness_predictions_with_background",
    "anchors",
    "feature_maps",
    "refined_box_encodings",
    "class_predictions_with_background",
    "num_proposals",
    "proposal_boxes",
    "proposal_boxes_normalized",
    "final_anchors",
    "box_classifier_features",
}
DETECTIONS = {
    "detection_boxes",
    "detection_scores",
    "detection_classes",
    "detection_multiclass_scores",
    "detection_anchor_indices",
    "num_detections",
    "raw_detection_boxes",
    "raw_detection_scores",
}


def _constants(values):
    return [tf.constant(value, tf.float32) for value in values]


def _provide(model, boxes, classes, **more):
    model.provide_groundtruth(_constants(boxes), _constants(classes), **more)


def _provide_two(model, size=None):
    """Two pictures, of two boxes and of one."""
    masks = None if size is None else _constants([np.ones([2, *size]), np.ones([1, *size])])
    _provide(
        model,
        [[[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]], [[0, 0.5, 0.5, 1]]],
        [[[1, 0], [0, 1]], [[1, 0]]],
        groundtruth_masks_list=masks,
    )


# Shapes.


@pytest.mark.parametrize("static", [True, False], ids=["static", "dynamic"])
def test_the_first_stage_cuts_anchors_in_inference_and_keeps_their_number(static, run):
    model = build(is_training=False, stages=1)
    shape = [2, 10, 20, 3] if static else [None, None, None, 3]
    images = tf.placeholder(tf.float32, shape)
    inputs, true_shapes = model.preprocess(images)
    predictions = model.predict(inputs, true_shapes)
    assert set(predictions) == {
        "rpn_box_predictor_features",
        "rpn_features_to_crop",
        "image_shape",
        "rpn_box_encodings",
        "rpn_objectness_predictions_with_background",
        "anchors",
        "feature_maps",
    }
    assert set(model.batched_prediction_tensor_names) == set(predictions) - {
        "image_shape",
        "anchors",
    }
    if static:
        assert predictions["rpn_box_encodings"].shape.as_list() == [2, 1800, 4]
        assert predictions["anchors"].shape.as_list() == [1800, 4]
    found = run(predictions, {images: np.zeros([2, 10, 20, 3])})
    assert found["rpn_box_predictor_features"][0].shape == (2, 10, 20, 16)
    assert found["rpn_features_to_crop"][0].shape == (2, 10, 20, 3)
    assert list(found["image_shape"]) == [2, 10, 20, 3]
    assert found["rpn_box_encodings"].shape == (2, 10 * 20 * 9, 4)
    assert found["rpn_objectness_predictions_with_background"].shape == (2, 10 * 20 * 9, 2)
    assert found["anchors"].shape == (10 * 20 * 9, 4)
    assert found["anchors"].min() == 0
    np.testing.assert_array_equal(found["anchors"].max(axis=0), [10, 20, 10, 20])


@pytest.mark.parametrize("cut", [True, False], ids=["cut", "left out"])
def test_anchors_across_the_border_in_training(cut, run):
    model = build(is_training=True, stages=1, clip_anchors_to_image=cut)
    images = tf.zeros([2, 32, 40, 3])
    predictions = model.predict(*model.preprocess(images))
    found, anchors = run([predictions, model.anchors.get()])
    np.testing.assert_array_equal(found["anchors"], anchors)
    count = len(anchors)
    every = 32 * 40 * 9
    assert count == every if cut else 0 < count < every
    assert found["rpn_box_encodings"].shape == (2, count, 4)
    assert found["rpn_objectness_predictions_with_background"].shape == (2, count, 2)
    assert (anchors[:, :2] >= 0).all()
    assert (anchors[:, 2:] <= [32, 40]).all()


def test_before_predict_there_are_no_anchors_and_no_names():
    model = build(is_training=False)
    with pytest.raises(RuntimeError, match="predict"):
        _ = model.anchors
    with pytest.raises(RuntimeError, match="predict"):
        _ = model.batched_prediction_tensor_names


@pytest.mark.parametrize("is_training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("static", [True, False], ids=["static", "dynamic"])
def test_two_stages(is_training, static, run):
    model = build(is_training=is_training, return_raw_detections_during_predict=True)
    images = tf.placeholder(tf.float32, [2, 12, 12, 3] if static else [None, None, None, 3])
    inputs, true_shapes = model.preprocess(images)
    _provide_two(model)
    predictions = model.predict(inputs, true_shapes)
    assert set(predictions) == TWO_STAGES | {
        "raw_detection_boxes",
        "raw_detection_feature_map_indices",
    }
    proposals = 2 if is_training else 8
    assert model.max_num_proposals == proposals
    if static:
        assert predictions["proposal_boxes"].shape.as_list() == [2, proposals, 4]
        assert predictions["refined_box_encodings"].shape.as_list() == [2 * proposals, 2, 4]
        assert predictions["box_classifier_features"].shape.as_list() == [2 * proposals, 3, 3, 3]
    found = run(predictions, {images: np.zeros([2, 12, 12, 3])})
    assert found["refined_box_encodings"].shape == (2 * proposals, 2, 4)
    assert found["class_predictions_with_background"].shape == (2 * proposals, 3)
    assert found["num_proposals"].shape == (2,)
    assert found["proposal_boxes"].shape == (2, proposals, 4)
    np.testing.assert_allclose(
        found["proposal_boxes_normalized"], found["proposal_boxes"] / 12, atol=1e-6
    )
    assert found["box_classifier_features"].shape == (2 * proposals, 3, 3, 3)
    assert found["raw_detection_boxes"].shape == (2, proposals, 2, 4)
    assert found["raw_detection_feature_map_indices"].dtype == np.int32
    assert found["raw_detection_feature_map_indices"].shape == (2, proposals, 2)


def test_one_box_for_all_classes(run):
    model = build(is_training=False, shared_box=True)
    predictions = model.predict(*model.preprocess(tf.zeros([1, 12, 12, 3])))
    assert run(predictions["refined_box_encodings"]).shape == (8, 1, 4)


@pytest.mark.parametrize("agnostic", [True, False], ids=["one mask", "a mask a class"])
def test_three_stages_in_inference(agnostic, run):
    model = build(is_training=False, stages=3, mask_size=14, agnostic_masks=agnostic)
    images = tf.placeholder(tf.float32, [None, None, None, 3])
    inputs, true_shapes = model.preprocess(images)
    predictions = model.predict(inputs, true_shapes)
    assert set(predictions) == TWO_STAGES | DETECTIONS | {"mask_predictions", "detection_masks"}
    detections = model.postprocess(predictions, true_shapes)
    lists = {"rpn_box_predictor_features", "rpn_features_to_crop", "feature_maps"}
    assert set(detections) == set(predictions) - lists
    assert lists <= set(predictions)
    found = run(detections, {images: np.zeros([2, 12, 12, 3])})
    assert found["detection_masks"].shape == (2, 5, 14, 14)
    assert found["mask_predictions"].shape == (10, 1 if agnostic else 2, 14, 14)
    # A picture of zeros has logits of zero.
    np.testing.assert_allclose(found["detection_masks"], 0.5)
    assert found["detection_boxes"].shape == (2, 5, 4)


def test_three_stages_in_training(run):
    model = build(is_training=True, stages=3, mask_size=14)
    inputs, true_shapes = model.preprocess(tf.zeros([2, 12, 12, 3]))
    _provide_two(model, [12, 12])
    predictions = model.predict(inputs, true_shapes)
    assert set(predictions) == TWO_STAGES | {"mask_predictions"}
    losses = model.loss(predictions, true_shapes)
    found, losses = run([predictions, losses])
    assert found["mask_predictions"].shape == (4, 2, 14, 14)
    assert set(losses) == {
        "Loss/RPNLoss/localization_loss",
        "Loss/RPNLoss/objectness_loss",
        "Loss/BoxClassifierLoss/localization_loss",
        "Loss/BoxClassifierLoss/classification_loss",
        "Loss/BoxClassifierLoss/mask_loss",
    }
    # Logits of zero: two classes, three classes.
    assert losses["Loss/RPNLoss/objectness_loss"] == pytest.approx(np.log(2))
    assert losses["Loss/BoxClassifierLoss/classification_loss"] == pytest.approx(np.log(3))


def test_features_of_several_levels(run):
    class TwoMaps(SmallExtractor):
        def _extract_proposal_features(self, preprocessed_inputs, scope):
            net, _ = super()._extract_proposal_features(preprocessed_inputs, scope)
            return [net, net[:, ::2, ::2]], {}

    class TwoGrids(GridAnchorGenerator):
        def num_anchors_per_location(self):
            return super().num_anchors_per_location() * 2

        def _generate(self, feature_map_shape_list, **params):
            return [super(TwoGrids, self)._generate([shape])[0] for shape in feature_map_shape_list]

    model = build(
        is_training=False, feature_extractor=TwoMaps(), first_stage_anchor_generator=TwoGrids()
    )
    found = run(model.predict(*model.preprocess(tf.zeros([1, 12, 16, 3]))))
    assert [one.shape for one in found["rpn_features_to_crop"]] == [(1, 12, 16, 3), (1, 6, 8, 3)]
    assert found["anchors"].shape == (9 * (12 * 16 + 6 * 8), 4)
    assert found["box_classifier_features"].shape == (8, 3, 3, 3)


@pytest.mark.parametrize("is_training", [True, False], ids=["training", "inference"])
def test_rfcn(is_training, run):
    model = build(is_training=is_training, rfcn=True)
    inputs, true_shapes = model.preprocess(tf.zeros([2, 12, 12, 3]))
    _provide_two(model)
    predictions = model.predict(inputs, true_shapes)
    assert set(predictions) == TWO_STAGES
    losses = model.loss(predictions, true_shapes)
    detections = model.postprocess(predictions, true_shapes)
    found, losses, detections = run([predictions, losses, detections])
    regions = 2 * model.max_num_proposals
    assert found["box_classifier_features"].shape == (2, 12, 12, 3)
    assert found["refined_box_encodings"].shape == (regions, 2, 4)
    assert found["class_predictions_with_background"].shape == (regions, 3)
    assert losses["Loss/BoxClassifierLoss/classification_loss"] == pytest.approx(np.log(3))
    assert set(detections) == DETECTIONS


# Proposals.


def _first_stage_predictions(size=32):
    return {
        "rpn_box_encodings": tf.zeros([2, 4, 4]),
        "rpn_objectness_predictions_with_background": tf.constant(OBJECTNESS, tf.float32),
        "rpn_features_to_crop": [tf.ones([2, 8, 8, 10])],
        "anchors": tf.constant(ANCHORS, tf.float32),
        "image_shape": tf.constant([2, size, size, 3]),
    }


def test_proposals_in_inference(run):
    model = build(is_training=False, stages=1)
    found = run(
        model.postprocess(_first_stage_predictions(), tf.constant([[32, 32, 3], [32, 32, 3]]))
    )
    assert set(found) == {
        "detection_boxes",
        "detection_scores",
        "detection_multiclass_scores",
        "num_detections",
        "raw_detection_boxes",
        "raw_detection_scores",
    }
    order = [[0, 3, 1, 2], [1, 2, 0, 3]]
    for picture in (0, 1):
        np.testing.assert_allclose(
            found["detection_boxes"][picture],
            [QUARTERS[place] for place in order[picture]] + [[0] * 4] * 4,
            atol=1e-6,
        )
    np.testing.assert_allclose(found["detection_scores"], [[1, 1] + [0] * 6] * 2, atol=1e-6)
    scores = [[0, 1], [0, 1], [1, 0], [1, 0], [0, 0], [0, 0], [0, 0], [0, 0]]
    np.testing.assert_allclose(found["detection_multiclass_scores"], [scores] * 2, atol=1e-6)
    np.testing.assert_allclose(found["num_detections"], [4, 4])
    np.testing.assert_allclose(found["raw_detection_boxes"], [QUARTERS] * 2, atol=1e-6)
    np.testing.assert_allclose(
        found["raw_detection_scores"],
        [[[0, 1], [1, 0], [1, 0], [0, 1]], [[1, 0], [0, 1], [0, 1], [1, 0]]],
        atol=1e-6,
    )


def test_proposals_end_with_the_true_picture(run):
    """Of the padded 32 x 32 pixels the first picture has 16 x 24."""
    model = build(is_training=False, stages=1)
    found = run(
        model.postprocess(_first_stage_predictions(), tf.constant([[16, 24, 3], [32, 32, 3]]))
    )
    np.testing.assert_allclose(found["num_detections"], [2, 4])
    np.testing.assert_allclose(
        found["detection_boxes"][0, :3], [[0, 0, 0.5, 0.5], [0, 0.5, 0.5, 0.75], [0] * 4], atol=1e-6
    )


def test_proposals_in_training_are_a_sample(run):
    model = build(is_training=True, stages=1)
    _provide(
        model,
        [[QUARTERS[0], QUARTERS[3]], [QUARTERS[1], QUARTERS[2]]],
        [np.eye(2), np.eye(2)],
        groundtruth_weights_list=_constants([[1, 1], [1, 1]]),
    )
    found = run(
        model.postprocess(_first_stage_predictions(), tf.constant([[32, 32, 3], [32, 32, 3]]))
    )
    expected = [[QUARTERS[0], QUARTERS[3]], [QUARTERS[1], QUARTERS[2]]]
    np.testing.assert_allclose(found["detection_boxes"], expected, atol=1e-6)
    np.testing.assert_allclose(found["detection_scores"], [[1, 1], [1, 1]], atol=1e-6)
    np.testing.assert_allclose(found["num_detections"], [2, 2])
    np.testing.assert_allclose(
        found["detection_multiclass_scores"], [[[0, 1], [0, 1]]] * 2, atol=1e-6
    )


def test_a_sample_is_balanced_and_padded(run):
    """Half of four may be objects; a picture of no boxes has background only."""
    model = build(
        is_training=True,
        stages=1,
        second_stage_batch_size=6,
        second_stage_sampler=BalancedPositiveNegativeSampler(positive_fraction=1 / 6),
    )
    _provide(model, [[QUARTERS[0], QUARTERS[3]], np.zeros([0, 4])], [np.eye(2), np.zeros([0, 2])])
    found = run(
        model.postprocess(_first_stage_predictions(), tf.constant([[32, 32, 3], [32, 32, 3]]))
    )
    # One of two objects and both rows of background; all four rows of background.
    np.testing.assert_allclose(found["num_detections"], [3, 4])
    assert found["detection_boxes"].shape == (2, 6, 4)
    np.testing.assert_allclose(found["detection_scores"][0, :3], [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found["detection_boxes"][0, 3:], 0)


# Detections.


def _second_stage_predictions(masks=None, shared=False):
    boxes = np.zeros([2, 8, 4], np.float32)
    boxes[0, :3] = [[1, 1, 2, 3], [0, 0, 1, 1], [0.5, 0.5, 0.6, 0.6]]
    boxes[1, :2] = [[2, 3, 6, 8], [1, 2, 5, 3]]
    predictions = {
        "refined_box_encodings": tf.zeros([16, 1 if shared else 2, 4]),
        "class_predictions_with_background": tf.ones([16, 3]),
        "num_proposals": tf.constant([3, 2]),
        "proposal_boxes": tf.constant(boxes),
        "image_shape": tf.constant([2, 36, 48, 3]),
    }
    if masks is not None:
        predictions["mask_predictions"] = tf.fill([16, masks, 14, 14], 30.0)
    return predictions, boxes / [36, 48, 36, 48]


@pytest.mark.parametrize(
    ("masks", "shared"),
    [(None, False), (None, True), (2, False), (1, False), (2, True), (1, True)],
    ids=str,
)
def test_detections(masks, shared, run):
    model = build(is_training=False)
    predictions, boxes = _second_stage_predictions(masks, shared)
    found = run(model.postprocess(predictions, tf.constant([[36, 48, 3], [36, 48, 3]])))
    assert set(found) == DETECTIONS | ({"detection_masks"} if masks else set())
    np.testing.assert_allclose(found["num_detections"], [5, 4])
    np.testing.assert_allclose(found["detection_scores"], [[1] * 5, [1] * 4 + [0]])
    np.testing.assert_allclose(found["detection_classes"], [[0, 0, 0, 1, 1], [0, 0, 1, 1, 0]])
    np.testing.assert_allclose(
        found["detection_multiclass_scores"], [[[1] * 3] * 5, [[1] * 3] * 4 + [[0] * 3]]
    )
    np.testing.assert_allclose(
        found["detection_anchor_indices"], [[0, 1, 2, 0, 1], [0, 1, 0, 1, 0]]
    )
    for picture, rows in ((0, [0, 1, 2, 0, 1]), (1, [0, 1, 0, 1])):
        np.testing.assert_allclose(
            found["detection_boxes"][picture, : len(rows)], boxes[picture, rows], atol=1e-6
        )
    np.testing.assert_allclose(found["raw_detection_boxes"], boxes, atol=1e-6)
    np.testing.assert_allclose(found["raw_detection_scores"], np.ones([2, 8, 3]))
    if masks:
        np.testing.assert_allclose(found["detection_masks"][0], np.ones([5, 14, 14]))


def test_detections_are_in_units_of_the_true_picture(run):
    model = build(is_training=False)
    predictions, boxes = _second_stage_predictions()
    found = run(model.postprocess(predictions, tf.constant([[18, 24, 3], [4, 4, 3]])))
    np.testing.assert_allclose(found["detection_boxes"][0, 0], boxes[0, 0] * 2, atol=1e-6)
    # [2, 3, 6, 8] is cut at 4 x 4 pixels.
    np.testing.assert_allclose(found["detection_boxes"][1, 0], [0.5, 0.75, 1, 1], atol=1e-6)
    np.testing.assert_allclose(found["raw_detection_boxes"][1, 0], [0.5, 0.75, 1, 1], atol=1e-6)


def test_raw_boxes_are_those_of_the_best_class(run):
    model = build(is_training=False, max_proposals=1)
    codes = np.zeros([1, 2, 4], np.float32)
    codes[0, 1] = [0, 0, 5 * np.log(2), 0]  # the second class: twice as high
    predictions = {
        "refined_box_encodings": tf.constant(codes),
        "class_predictions_with_background": tf.constant([[9.0, 1.0, 2.0]]),
        "num_proposals": tf.constant([1]),
        "proposal_boxes": tf.constant([[[8.0, 8.0, 16.0, 16.0]]]),
        "image_shape": tf.constant([1, 32, 32, 3]),
    }
    found = run(model.postprocess(predictions, tf.constant([[32, 32, 3]])))
    np.testing.assert_allclose(found["raw_detection_boxes"], [[[4 / 32, 0.25, 20 / 32, 0.5]]])
    np.testing.assert_allclose(found["detection_classes"][0, :2], [1, 0])


def test_features_of_detections(run):
    model = build(
        is_training=False, output_final_box_features=True, output_final_box_rpn_features=True
    )
    inputs, true_shapes = model.preprocess(tf.random.uniform([2, 12, 12, 3]))
    predictions = model.predict(inputs, true_shapes)
    detections = model.postprocess(predictions, true_shapes)
    found = run(detections)
    assert set(found) == DETECTIONS | {"detection_features", "cropped_rpn_box_features"}
    assert found["detection_features"].shape == (2, 5, 3, 3, 3)
    assert found["cropped_rpn_box_features"].shape == (2, 5, 3, 3, 3)
    del predictions["rpn_features_to_crop"]
    with pytest.raises(ValueError, match="rpn_features_to_crop"):
        model.postprocess(predictions, true_shapes)


def test_regions_of_detections_lie_in_the_padded_picture(run):
    """The features are the columns of the picture, which is padded to twice its width."""

    class Columns(SmallExtractor):
        def _extract_proposal_features(self, preprocessed_inputs, scope):
            shape = tf.shape(preprocessed_inputs)
            columns = tf.cast(tf.range(shape[2]), tf.float32)[tf.newaxis, tf.newaxis, :, tf.newaxis]
            return tf.tile(columns, [shape[0], shape[1], 1, 3]), {}

    model = build(
        is_training=False,
        pad_to=33,
        feature_extractor=Columns(),
        output_final_box_rpn_features=True,
    )
    inputs, true_shapes = model.preprocess(tf.zeros([1, 16, 16, 3]))
    predictions = model.predict(inputs, true_shapes)
    predictions["proposal_boxes"] = tf.tile(tf.constant([[[0.0, 0.0, 16.0, 16.0]]]), [1, 8, 1])
    predictions["refined_box_encodings"] = tf.zeros([8, 2, 4])
    predictions["num_proposals"] = tf.constant([8])
    found = run(model.postprocess(predictions, true_shapes))
    np.testing.assert_allclose(found["detection_boxes"][0, 0], [0, 0, 1, 1], atol=1e-6)
    # 16 of 33 pixels: crops go from the centre of the first to 16 / 33 of the way to the last.
    last = 16 / 33 * 32
    np.testing.assert_allclose(
        found["cropped_rpn_box_features"][0, 0, 0, :, 0], [0, last / 2, last], rtol=1e-5
    )


# Losses.


def _perfect(pictures, proposals=6, masks=None, classes=((0, 1, 0), (0, 0, 1))):
    """Predictions that are right about boxes in the upper left and the lower right quarter."""
    boxes = np.zeros([pictures, proposals, 4], np.float32)
    boxes[:, :4] = [ANCHORS[0], ANCHORS[3], ANCHORS[1], ANCHORS[2]]
    logits = np.zeros([pictures, proposals, 3], np.float32)
    logits[:, :4] = -10 + 20 * np.array([*classes, (1, 0, 0), (1, 0, 0)])
    predictions = {
        "rpn_box_encodings": tf.zeros([pictures, 4, 4]),
        "rpn_objectness_predictions_with_background": tf.constant(
            OBJECTNESS[:1] * pictures, tf.float32
        ),
        "image_shape": tf.constant([pictures, 32, 32, 3]),
        "anchors": tf.constant(ANCHORS, tf.float32),
        "refined_box_encodings": tf.zeros([pictures * proposals, 2, 4]),
        "class_predictions_with_background": tf.constant(logits.reshape([-1, 3])),
        "proposal_boxes": tf.constant(boxes),
        "num_proposals": tf.constant([4] * pictures),
    }
    if masks is not None:
        predictions["mask_predictions"] = tf.constant(masks, tf.float32)
    return predictions


TRUE_SHAPES = [[32, 32, 3], [32, 32, 3]]
TWO_BOXES = [[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]]


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_perfect_predictions_have_no_loss(stages, run):
    model = build(
        is_training=True,
        stages=stages,
        second_stage_batch_size=6,
        first_stage_minibatch_size=4,
        mask_size=2 if stages == 3 else None,
    )
    masks = np.ones([2, 32, 32])
    _provide(
        model,
        [TWO_BOXES, TWO_BOXES],
        [np.eye(2), np.eye(2)],
        groundtruth_masks_list=_constants([masks, masks]) if stages == 3 else None,
    )
    predictions = _perfect(2, masks=np.full([12, 2, 2, 2], 20.0) if stages == 3 else None)
    losses = run(model.loss(predictions, tf.constant(TRUE_SHAPES)))
    assert len(losses) == 2 * min(stages, 2) + (stages == 3)
    for name, value in losses.items():
        assert value == pytest.approx(0, abs=1e-5), name


def test_losses_by_hand(run):
    """One picture; the codes of one anchor and of one proposal are wrong by 1 and by 0.5."""
    model = build(
        is_training=True,
        second_stage_batch_size=6,
        first_stage_minibatch_size=4,
        first_stage_localization_loss_weight=2.0,
        second_stage_localization_loss_weight=3.0,
        second_stage_classification_loss_weight=5.0,
        first_stage_objectness_loss_weight=7.0,
    )
    _provide(model, [TWO_BOXES], [np.eye(2)])
    predictions = _perfect(1)
    codes = np.zeros([1, 4, 4], np.float32)
    codes[0, 0, 0] = 1
    codes[0, 1] = 100  # of background
    refined = np.zeros([6, 2, 4], np.float32)
    refined[0, 0, 2] = 0.5
    refined[0, 1] = 100  # of another class
    refined[2] = 100  # of background
    refined[5] = 100  # of padding
    predictions["rpn_box_encodings"] = tf.constant(codes)
    predictions["refined_box_encodings"] = tf.constant(refined)
    logits = np.zeros([6, 3], np.float32)
    predictions["class_predictions_with_background"] = tf.constant(logits)
    predictions["rpn_objectness_predictions_with_background"] = tf.zeros([1, 4, 2])
    losses = run(model.loss(predictions, tf.constant(TRUE_SHAPES[:1])))
    assert losses["Loss/RPNLoss/localization_loss"] == pytest.approx(2 * 0.5 / 4)
    assert losses["Loss/RPNLoss/objectness_loss"] == pytest.approx(7 * np.log(2))
    assert losses["Loss/BoxClassifierLoss/localization_loss"] == pytest.approx(3 * 0.125 / 4)
    assert losses["Loss/BoxClassifierLoss/classification_loss"] == pytest.approx(5 * np.log(3))


def test_a_picture_without_boxes_and_one_without_annotation(run):
    model = build(is_training=True, second_stage_batch_size=6, first_stage_minibatch_size=4)
    _provide(
        model,
        [np.zeros([0, 4]), TWO_BOXES],
        [np.zeros([0, 2]), np.eye(2)],
        is_annotated_list=[tf.constant(True), tf.constant(False)],
    )
    losses = run(model.loss(_perfect(2), tf.constant(TRUE_SHAPES)))
    # Two of four anchors and of four proposals are sure of an object, and wrong: 22 to 23, 20.
    assert losses["Loss/RPNLoss/objectness_loss"] == pytest.approx((23 + 22) / 4 / 2, rel=1e-5)
    assert losses["Loss/BoxClassifierLoss/classification_loss"] == pytest.approx(40 / 4 / 2)
    assert losses["Loss/RPNLoss/localization_loss"] == 0
    assert losses["Loss/BoxClassifierLoss/localization_loss"] == 0


def test_a_box_of_weight_zero_is_background(run):
    model = build(is_training=True, second_stage_batch_size=6, first_stage_minibatch_size=4)
    _provide(model, [TWO_BOXES], [np.eye(2)], groundtruth_weights_list=_constants([[1, 0]]))
    losses = run(model.loss(_perfect(1), tf.constant(TRUE_SHAPES[:1])))
    assert losses["Loss/BoxClassifierLoss/classification_loss"] == pytest.approx(20 / 4)
    assert losses["Loss/RPNLoss/objectness_loss"] == pytest.approx(22 / 4)


def test_of_several_labels_the_first_has_the_box(run):
    """A sigmoid learns all labels of a box; the box and the mask are those of the first."""
    model = build(
        is_training=True,
        second_stage_batch_size=6,
        first_stage_minibatch_size=4,
        classification_loss=losses.WeightedSigmoidClassificationLoss(),
    )
    _provide(model, [TWO_BOXES], [[[1, 1], [0, 1]]])
    predictions = _perfect(1, classes=((0, 1, 1), (0, 0, 1)))
    refined = np.zeros([6, 2, 4], np.float32)
    refined[0, 1] = 100  # the box of the second label takes no part
    predictions["refined_box_encodings"] = tf.constant(refined)
    found = run(model.loss(predictions, tf.constant(TRUE_SHAPES[:1])))
    for name, value in found.items():
        assert value == pytest.approx(0, abs=2e-4), name


def test_the_hardest_example(run):
    """The first box has 4/5 of the anchor's sides: 2 * smooth_l1(5 * log(4/5)) of 3 proposals."""
    model = build(
        is_training=True,
        second_stage_batch_size=6,
        max_proposals=6,
        hard_example_miner=losses.HardExampleMiner(
            num_hard_examples=1, iou_threshold=0.99, loss_type="cls"
        ),
    )
    assert model.max_num_proposals == 6
    _provide(model, [[[0.05, 0.05, 0.45, 0.45], [0.02, 0.52, 0.48, 0.98]]], [np.eye(2)])
    boxes = np.zeros([1, 6, 4], np.float32)
    boxes[0, :3] = ANCHORS[:3]
    logits = np.zeros([6, 3], np.float32)
    logits[:3] = [[-10, 10, -10], [-10, -10, 10], [10, -10, -10]]
    predictions = _perfect(1) | {
        "proposal_boxes": tf.constant(boxes),
        "num_proposals": tf.constant([3]),
        "class_predictions_with_background": tf.constant(logits),
    }
    found = run(model.loss(predictions, tf.constant(TRUE_SHAPES[:1])))
    assert found["Loss/BoxClassifierLoss/localization_loss"] == pytest.approx(
        2 * (-5 * np.log(0.8) - 0.5) / 3, rel=1e-5
    )
    assert found["Loss/BoxClassifierLoss/classification_loss"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("given_as", ["lists", "a batch"])
def test_mask_loss_by_hand(given_as, run):
    """A region of a mask of ones: logits 0 of its class cost log 2, those of the other nothing."""
    model = build(is_training=True, stages=3, second_stage_batch_size=6, mask_size=2)
    masks = np.ones([2, 32, 32], np.float32)
    if given_as == "lists":
        _provide(model, [TWO_BOXES], [np.eye(2)], groundtruth_masks_list=_constants([masks]))
    else:
        model.provide_groundtruth_batch(
            {
                "boxes": tf.constant([TWO_BOXES]),
                "classes": tf.eye(2)[tf.newaxis],
                "weights": tf.ones([1, 2]),
                "masks": tf.constant(masks[np.newaxis]),
            }
        )
    logits = np.full([6, 2, 2, 2], 20.0)
    logits[0, 0, 0, 0] = 0  # one of the four pixels of one of two masks
    logits[0, 1] = -20  # of another class
    logits[2:] = -20  # of background and padding
    found = run(model.loss(_perfect(1, masks=logits), tf.constant(TRUE_SHAPES[:1])))
    assert found["Loss/BoxClassifierLoss/mask_loss"] == pytest.approx(np.log(2) / 8, rel=1e-4)


def test_masks_are_resized_with_the_picture(run):
    """A mask of 16 x 16 pixels of a picture that is padded to 32 x 32."""
    model = build(is_training=True, stages=3, second_stage_batch_size=6, mask_size=3, pad_to=32)
    masks = np.ones([1, 16, 16], np.float32)
    _provide(
        model,
        [[[0, 0, 1, 1]]],
        [[[1, 0]]],
        groundtruth_masks_list=_constants([masks]),
    )
    boxes = np.zeros([1, 6, 4], np.float32)
    boxes[0, 0] = [0, 0, 32, 32]
    logits = np.full([6, 2, 3, 3], -20.0)
    logits[0, 0, 0, 0] = 20  # the crop's corners and middles: 0, 15.5 and 31 of 0..31
    predictions = _perfect(1, masks=logits) | {
        "proposal_boxes": tf.constant(boxes),
        "num_proposals": tf.constant([1]),
    }
    found = run(model.loss(predictions, tf.constant([[16, 16, 3]])))
    # At 15.5 the mask is half there: 0.5 * 20 in two places, and a quarter in the middle.
    assert found["Loss/BoxClassifierLoss/mask_loss"] == pytest.approx((10 + 10 + 5) / 9, rel=1e-4)


def test_masks_that_are_predicted_need_masks():
    model = build(is_training=True, stages=3, second_stage_batch_size=6, mask_size=2)
    _provide(model, [TWO_BOXES], [np.eye(2)])
    with pytest.raises(ValueError, match="masks"):
        model.loss(_perfect(1, masks=np.zeros([6, 2, 2, 2])), tf.constant(TRUE_SHAPES[:1]))


def test_gradients_are_finite_and_reach_both_stages(run):
    model = build(is_training=True, stages=3, mask_size=4)
    inputs, true_shapes = model.preprocess(tf.random.uniform([2, 12, 12, 3]))
    _provide_two(model, [12, 12])
    total = tf.add_n(list(model.loss(model.predict(inputs, true_shapes), true_shapes).values()))
    variables = tf.trainable_variables()
    gradients = dict(
        zip([v.op.name for v in variables], tf.gradients(total, variables), strict=True)
    )
    assert all(gradient is not None for gradient in gradients.values())
    for name, value in run(gradients).items():
        assert np.isfinite(value).all(), name


# Variables.


def test_names_of_variables_and_losses_of_regularisation():
    model = build(is_training=True, stages=3, mask_size=4)
    inputs, true_shapes = model.preprocess(tf.zeros([2, 12, 12, 3]))
    _provide_two(model, [12, 12])
    model.predict(inputs, true_shapes)
    weights = [
        "FirstStageFeatureExtractor/small/layer1",
        "Conv",
        "FirstStageBoxPredictor/BoxEncodingPredictor",
        "FirstStageBoxPredictor/ClassPredictor",
        "SecondStageFeatureExtractor/small/layer2",
        "SecondStageBoxPredictor/BoxEncodingPredictor",
        "SecondStageBoxPredictor/ClassPredictor",
        "SecondStageBoxPredictor/Conv",
        "SecondStageBoxPredictor/Conv_1",
    ]
    expected = {f"{name}/{part}" for name in weights for part in ("weights", "biases")}
    assert {variable.op.name for variable in tf.global_variables()} == expected
    assert len(model.regularization_losses()) == 7
    assert model.updates() == []


def test_restore_maps():
    model = build(is_training=False)
    model.predict(*model.preprocess(tf.zeros([2, 12, 12, 3])))
    tf.get_variable("another_variable", [1])
    of_classification = model.restore_map(fine_tune_checkpoint_type="classification")
    assert set(of_classification) == {
        f"small/{layer}/{part}" for layer in ("layer1", "layer2") for part in ("weights", "biases")
    }
    of_detection = model.restore_map(fine_tune_checkpoint_type="detection")
    assert {variable.op.name for variable in of_detection.values()} == set(of_detection)
    assert len(of_detection) == 4
    everything = model.restore_map("detection", load_all_detection_checkpoint_vars=True)
    assert {"another_variable", "Conv/weights"} <= set(everything)
    with pytest.raises(ValueError, match="fine_tune_checkpoint_type"):
        model.restore_map(fine_tune_checkpoint_type="both")
    with pytest.raises(ConfigError, match="restore_map"):
        model.restore_from_objects()


def test_scopes():
    model = build(is_training=False)
    assert model.first_stage_feature_extractor_scope == "FirstStageFeatureExtractor"
    assert model.second_stage_feature_extractor_scope == "SecondStageFeatureExtractor"
    assert model.first_stage_box_predictor_scope == "FirstStageBoxPredictor"
    assert model.second_stage_box_predictor_scope == "SecondStageBoxPredictor"
    assert isinstance(model.feature_extractor, SmallExtractor)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"is_training": True, "second_stage_batch_size": 9}, "no greater than"),
        ({"is_training": False, "stages": 4}, "number_of_stages"),
        ({"is_training": False, "stages": 0}, "number_of_stages"),
        ({"is_training": False, "stages": 3}, "predict_instance_masks"),
        ({"is_training": False, "stages": 3, "rfcn": True}, "R-FCN"),
        ({"is_training": False, "rfcn": True, "output_final_box_features": True}, "R-FCN"),
    ],
    ids=["batch", "four stages", "no stage", "no masks", "R-FCN with masks", "R-FCN's features"],
)
def test_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        build(**settings)


def test_pictures_should_be_float32_or_bytes(run):
    model = build(is_training=False)
    with pytest.raises(ValueError, match="float32 or uint8, got int32"):
        model.preprocess(tf.zeros([1, 12, 12, 3], tf.int32))
    pictures = np.random.RandomState(0).randint(0, 256, [2, 12, 12, 3])
    given = [tf.constant(pictures, dtype) for dtype in (tf.uint8, tf.float32)]
    of_bytes, of_numbers = run([model.preprocess(one)[0] for one in given])
    np.testing.assert_array_equal(of_bytes, of_numbers)


# Degenerate batches.


def test_a_batch_without_any_box(run):
    model = build(is_training=True, stages=3, mask_size=4)
    inputs, true_shapes = model.preprocess(tf.zeros([2, 12, 12, 3]))
    _provide(
        model,
        [np.zeros([0, 4])] * 2,
        [np.zeros([0, 2])] * 2,
        groundtruth_masks_list=_constants([np.zeros([0, 12, 12])] * 2),
    )
    predictions = model.predict(inputs, true_shapes)
    losses = run(model.loss(predictions, true_shapes))
    assert losses["Loss/RPNLoss/localization_loss"] == 0
    assert losses["Loss/RPNLoss/objectness_loss"] == pytest.approx(np.log(2))
    assert losses["Loss/BoxClassifierLoss/localization_loss"] == 0
    assert losses["Loss/BoxClassifierLoss/classification_loss"] == pytest.approx(np.log(3))
    assert losses["Loss/BoxClassifierLoss/mask_loss"] == 0


def test_a_picture_smaller_than_every_anchor(run):
    """In training no anchor is left: no proposals, no losses, nothing that is not a number."""
    model = build(
        is_training=True,
        first_stage_anchor_generator=GridAnchorGenerator(
            (2.0,), (1.0,), base_anchor_size=[64, 64], anchor_stride=[4, 4]
        ),
    )
    inputs, true_shapes = model.preprocess(tf.zeros([2, 12, 12, 3]))
    _provide_two(model)
    predictions = model.predict(inputs, true_shapes)
    count, losses = run([predictions["num_proposals"], model.loss(predictions, true_shapes)])
    np.testing.assert_array_equal(count, [0, 0])
    assert set(losses.values()) == {0}


def test_boxes_that_are_no_numbers_take_no_part(run):
    model = build(is_training=True, second_stage_batch_size=6, first_stage_minibatch_size=4)
    nan = float("nan")
    _provide(model, [[*TWO_BOXES, [nan] * 4, [0.5, 0.5, 0.5, 0.5]]], [np.eye(2)[[0, 1, 0, 0]]])
    losses = run(model.loss(_perfect(1), tf.constant(TRUE_SHAPES[:1])))
    for name, value in losses.items():
        assert value == pytest.approx(0, abs=1e-5), name


def test_masks_of_detections_are_judged_in_evaluation(run):
    """The mask of the detection of a whole picture against one of ones: logits 0 cost log 2."""
    model = build(is_training=False, stages=3, mask_size=3, max_proposals=6)
    _provide(
        model,
        [[[0, 0, 1, 1]]],
        [[[1, 0]]],
        groundtruth_masks_list=_constants([np.ones([1, 32, 32])]),
    )
    detections = np.zeros([1, 5, 4], np.float32)
    detections[0, :2] = [[0, 0, 1, 1], [0, 0, 0.1, 0.1]]
    predictions = _perfect(1, masks=np.zeros([5, 2, 3, 3])) | {
        "detection_boxes": tf.constant(detections),
        "num_detections": tf.constant([2.0]),
    }
    losses = run(model.loss(predictions, tf.constant([[32, 32, 3]])))
    assert losses["Loss/BoxClassifierLoss/mask_loss"] == pytest.approx(np.log(2))


def test_frozen_batch_norm_has_no_updates():
    class Normalized(SmallExtractor):
        def _extract_proposal_features(self, preprocessed_inputs, scope):
            net, ends = super()._extract_proposal_features(preprocessed_inputs, scope)
            return batch_norm(net), ends

    for frozen in (False, True):
        with tf.Graph().as_default():
            model = build(
                is_training=True,
                stages=1,
                feature_extractor=Normalized(),
                freeze_batchnorm=frozen,
            )
            model.predict(*model.preprocess(tf.zeros([1, 12, 12, 3])))
            assert bool(model.updates()) != frozen


@pytest.mark.parametrize(
    "shape", [(3, None, None, 3), (None, 10, 10, 3), (None, None, None, 3), (2, 10, 10, 3)], ids=str
)
def test_preprocess_keeps_what_is_known_of_shapes(shape):
    images, true_shapes = build(is_training=False).preprocess(tf.placeholder(tf.float32, shape))
    assert images.shape.as_list() == list(shape)
    assert true_shapes.shape.as_list() == [shape[0], 3]


def test_samplers_that_insist_on_known_sizes(run):
    model = build(
        is_training=True,
        clip_anchors_to_image=True,
        use_static_shapes=True,
        first_stage_sampler=BalancedPositiveNegativeSampler(0.5, is_static=True),
        second_stage_sampler=BalancedPositiveNegativeSampler(1.0, is_static=True),
    )
    inputs, true_shapes = model.preprocess(tf.zeros([2, 12, 12, 3]))
    _provide_two(model)
    losses = run(model.loss(model.predict(inputs, true_shapes), true_shapes))
    assert losses["Loss/BoxClassifierLoss/classification_loss"] == pytest.approx(np.log(3))
