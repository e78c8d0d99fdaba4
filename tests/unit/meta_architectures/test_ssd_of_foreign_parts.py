"""An SSD of parts that know only the methods for single pictures, with numbers by hand."""

import functools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import (
    anchor_generator,
    box_coder,
    box_list,
    box_predictor,
    losses,
    matcher,
    post_processing,
    region_similarity_calculator,
    target_assigner,
)
from object_detection.core import standard_fields as fields
from object_detection.core.balanced_positive_negative_sampler import (
    BalancedPositiveNegativeSampler,
)
from object_detection.errors import ConfigError
from object_detection.meta_architectures import ssd_meta_arch
from object_detection.utils import ops

ANCHORS = [[0, 0, 0.5, 0.5], [0, 0.5, 0.5, 1], [0.5, 0, 1, 0.5], [1.0, 1.0, 1.5, 1.5]]


class _Extractor(ssd_meta_arch.SSDFeatureExtractor):
    def __init__(self):
        super().__init__(
            is_training=True,
            depth_multiplier=0,
            min_depth=0,
            pad_to_multiple=1,
            conv_hyperparams_fn=None,
        )

    def preprocess(self, resized_inputs):
        return resized_inputs / 2.0

    def extract_features(self, preprocessed_inputs):
        with tf.variable_scope("mock_model"):
            return [slim.conv2d(preprocessed_inputs, 8, 1, scope="layer1")]


class _Anchors(anchor_generator.AnchorGenerator):
    def name_scope(self):
        return "MockAnchors"

    def num_anchors_per_location(self):
        return [1]

    def _generate(self, feature_map_shape_list, im_height, im_width):
        return [box_list.BoxList(tf.constant(ANCHORS))]


class _Predictor(box_predictor.BoxPredictor):
    def __init__(self, num_classes, columns):
        super().__init__(is_training=True, num_classes=num_classes)
        self._columns = columns

    def _predict(self, image_features, num_predictions_per_location):
        shape = tf.shape(image_features[0])
        anchors = shape[1] * shape[2]
        codes = tf.zeros(tf.stack([shape[0], anchors, 1, 4]))
        logits = tf.zeros(tf.stack([shape[0], anchors, self._columns]))
        return {
            box_predictor.BOX_ENCODINGS: [codes],
            box_predictor.CLASS_PREDICTIONS_WITH_BACKGROUND: [logits],
            "something_more": [tf.ones(tf.stack([shape[0], anchors, 3]))],
        }


class _Coder(box_coder.BoxCoder):
    @property
    def code_size(self):
        return 4

    def _encode(self, boxes, anchors):
        return boxes.get() - anchors.get()

    def _decode(self, rel_codes, anchors):
        return box_list.BoxList(rel_codes + anchors.get())


class _Matcher(matcher.Matcher):
    def _match(self, similarity_matrix, valid_rows):
        return tf.constant([0, 1, -1, -2], tf.int32)


class _Similarity(region_similarity_calculator.RegionSimilarityCalculator):
    def _compare(self, boxlist1, boxlist2):
        return tf.zeros([boxlist1.num_boxes(), boxlist2.num_boxes()])


def _model(num_classes=1, add_background_class=True, **options):
    columns = num_classes + 1 if add_background_class else num_classes
    settings = {
        "is_training": True,
        "anchor_generator": _Anchors(),
        "box_predictor": _Predictor(num_classes, columns),
        "box_coder": _Coder(),
        "feature_extractor": _Extractor(),
        "encode_background_as_zeros": False,
        "image_resizer_fn": lambda image: [tf.identity(image), tf.shape(image)],
        "non_max_suppression_fn": functools.partial(
            post_processing.batch_multiclass_non_max_suppression,
            score_thresh=-20.0,
            iou_thresh=1.0,
            max_size_per_class=5,
            max_total_size=5,
        ),
        "score_conversion_fn": tf.identity,
        "classification_loss": losses.WeightedSigmoidClassificationLoss(),
        "localization_loss": losses.WeightedSmoothL1LocalizationLoss(),
        "classification_loss_weight": 1.0,
        "localization_loss_weight": 1.0,
        "normalize_loss_by_num_matches": False,
        "hard_example_miner": None,
        "target_assigner_instance": target_assigner.TargetAssigner(
            _Similarity(), _Matcher(), _Coder(), negative_class_weight=0.5
        ),
        "add_summaries": False,
        "add_background_class": add_background_class,
    }
    return ssd_meta_arch.SSDMetaArch(**{**settings, **options})


def _predicted(model, images=None):
    images = tf.zeros([2, 2, 2, 3]) if images is None else images
    inputs, shapes = model.preprocess(images)
    return model.predict(inputs, shapes), shapes


BOXES = [[0.0, 0.0, 0.5, 0.5], [0.0, 0.5, 0.5, 0.9]]


def _provide(model, **more):
    model.provide_groundtruth(
        [tf.constant(BOXES), tf.constant(BOXES)],
        [tf.constant([[1.0], [1.0]]), tf.constant([[1.0], [1.0]])],
        **more,
    )


def _losses(model, run, **more):
    predictions, shapes = _predicted(model)
    _provide(model, **more)
    values = run(model.loss(predictions, shapes))
    assert sorted(values) == ["Loss/classification_loss", "Loss/localization_loss"]
    return values["Loss/localization_loss"], values["Loss/classification_loss"]


def test_inputs_that_are_neither_float32_nor_bytes_are_refused():
    assert _model().takes_bytes
    assert _model().preprocess(tf.zeros([1, 2, 2, 3], tf.uint8))[0].dtype == tf.float32
    with pytest.raises(ValueError, match="float32 or uint8, got float64"):
        _model().preprocess(tf.zeros([1, 2, 2, 3], tf.float64))


@pytest.mark.parametrize(
    "shape", [[3, 4, 5, 3], [3, None, None, 3], [None, 4, 5, 3], [1, None, 5, 3], [None] * 3 + [3]]
)
def test_preprocessing_keeps_what_is_known_of_shapes(shape):
    inputs, shapes = _model().preprocess(tf.placeholder(tf.float32, shape))
    assert inputs.shape.as_list() == shape
    assert shapes.shape.as_list() == [shape[0], 3]


@pytest.mark.parametrize("shape", [[2, 2, 2, 3], [None, None, None, 3], [None, 2, 2, 3]])
def test_predictions(shape, run):
    model = _model()
    for attribute in ("anchors", "batched_prediction_tensor_names"):
        with pytest.raises(RuntimeError, match="predict"):
            getattr(model, attribute)
    images = tf.placeholder(tf.float32, shape)
    inputs, shapes = model.preprocess(images)
    predictions = model.predict(inputs, shapes)
    values = run([predictions, shapes, inputs], {images: np.full([2, 2, 2, 3], 4.0)})
    assert values[1].tolist() == [[2, 2, 3]] * 2
    assert (values[2] == 2).all()
    result = values[0]
    assert result["box_encodings"].shape == (2, 4, 4)
    assert result["class_predictions_with_background"].shape == (2, 4, 2)
    assert result["something_more"].shape == (2, 4, 3)
    assert result["feature_maps"][0].shape == (2, 2, 2, 8)
    np.testing.assert_allclose(result["anchors"], ANCHORS)
    np.testing.assert_allclose(result["final_anchors"], [ANCHORS] * 2)
    assert set(model.batched_prediction_tensor_names) == set(predictions) - {"anchors"}


def test_raw_detections(run):
    predictions, _ = _predicted(_model(return_raw_detections_during_predict=True))
    values = run(predictions)
    np.testing.assert_allclose(values["raw_detection_boxes"], [ANCHORS] * 2)
    assert values["raw_detection_feature_map_indices"].tolist() == [[0] * 4] * 2


def test_detections(run):
    model = _model()
    predictions, shapes = _predicted(model)
    predictions["class_predictions_with_background"] = tf.constant(
        [[[0.0, 1.0], [0.0, 3.0], [0.0, 2.0], [0.0, 9.0]]] * 2
    )
    detections = run(model.postprocess(predictions, shapes))
    np.testing.assert_allclose(
        detections["detection_boxes"][0], [ANCHORS[1], ANCHORS[2], ANCHORS[0], [0] * 4, [0] * 4]
    )
    np.testing.assert_allclose(detections["detection_scores"][1], [3, 2, 1, 0, 0])
    np.testing.assert_allclose(detections["detection_multiclass_scores"][0][0], [0, 3])
    assert detections["detection_anchor_indices"].dtype == np.int32
    assert detections["detection_anchor_indices"][0, :3].tolist() == [1, 2, 0]
    assert detections["num_detections"].dtype == np.float32
    assert detections["num_detections"].tolist() == [3, 3]  # the last anchor lies outside
    np.testing.assert_allclose(detections["raw_detection_boxes"], [ANCHORS] * 2)
    assert detections["raw_detection_scores"].shape == (2, 4, 2)
    assert detections["detection_classes"][0].tolist() == [0] * 5
    with pytest.raises(ValueError, match="box_encodings"):
        model.postprocess({"anchors": tf.constant(ANCHORS)}, shapes)


LOG2 = np.log(2.0)
# Anchor 1 should move by -0.1 in xmax; four logits of 0 cost log 2 a column. Of four anchors two
# have a box, one is background with weight 0.5, one is ignored.
LOCATION, CLASS = 2 * 0.5 * 0.1**2, 2 * 2.5 * 2 * LOG2


@pytest.mark.parametrize(
    ("options", "location", "classification"),
    [
        pytest.param({}, LOCATION, CLASS, id="plain"),
        pytest.param(
            {"normalize_loss_by_num_matches": True}, LOCATION / 4, CLASS / 4, id="by matches"
        ),
        pytest.param(
            {"normalize_loc_loss_by_codesize": True}, LOCATION / 4, CLASS, id="by code size"
        ),
        pytest.param(
            {"localization_loss_weight": 3.0, "classification_loss_weight": 0.5},
            LOCATION * 3,
            CLASS / 2,
            id="weights",
        ),
        pytest.param(
            {"classification_loss": losses.WeightedSoftmaxClassificationLoss()},
            LOCATION,
            CLASS / 2,
            id="softmax",
        ),
        pytest.param({"add_background_class": False}, LOCATION, CLASS / 2, id="no background"),
        pytest.param(
            {"hard_example_miner": losses.HardExampleMiner(None, iou_threshold=1.0)},
            LOCATION,
            CLASS,
            id="miner that keeps all",
        ),
        pytest.param(
            {"random_example_sampler": BalancedPositiveNegativeSampler(positive_fraction=1.0)},
            LOCATION,
            2 * 2 * 2 * LOG2,
            id="sampler without negatives",
        ),
        pytest.param(
            {
                "classification_loss": losses.WeightedSoftmaxClassificationLoss(),
                "expected_loss_weights_fn": lambda classes: (
                    2.0 * classes[..., 1],
                    3.0 * classes[..., 0],
                ),
            },
            2 * LOCATION,
            2 * (2 * 2 + 3 * 0.5) * LOG2,
            id="expected, one loss an anchor",
        ),
        pytest.param(
            {
                "expected_loss_weights_fn": lambda classes: (
                    2.0 * classes[..., 1],
                    3.0 * classes[..., 0],
                ),
            },
            2 * LOCATION,
            # Columns that are 1: each of the three anchors has one; the others count 3.
            2 * (2 + 3) * 2.5 * LOG2,
            id="expected, a loss for each class",
        ),
    ],
)  # fmt: skip
def test_losses(options, location, classification, run):
    values = _losses(_model(**options), run)
    np.testing.assert_allclose(values, (location, classification), rtol=1e-5)


def test_weights_of_groundtruth(run):
    weights = [tf.constant([1.0, 0.5]), tf.constant([1.0, 1.0])]
    location, classification = _losses(_model(), run, groundtruth_weights_list=weights)
    np.testing.assert_allclose(location, 1.5 * 0.5 * 0.1**2, rtol=1e-5)
    np.testing.assert_allclose(classification, (2.0 + 2.5) * 2 * LOG2, rtol=1e-5)


def test_pictures_without_annotation_cost_nothing(run):
    annotated = [tf.constant(True), tf.constant(False)]
    values = _losses(_model(), run, is_annotated_list=annotated)
    np.testing.assert_allclose(values, (LOCATION / 2, CLASS / 2), rtol=1e-5)


def test_confidences_as_targets(run):
    confidences = [tf.constant([[1.0], [-1.0]]), tf.constant([[0.0], [1.0]])]
    options = {"use_confidences_as_targets": True, "implicit_example_weight": 0.25}
    location, classification = _losses(
        _model(**options), run, groundtruth_confidences_list=confidences
    )
    # Only anchors of confidence 1 learn boxes; of those, the second picture's anchor 1 is off.
    np.testing.assert_allclose(location, 0.5 * 0.1**2, rtol=1e-5)
    # Weights of background and class. First picture: (1, 1), (1/4, 1), (1/4, 1/4) twice; second:
    # (1/4, 1/4), (1, 1), (1/4, 1/4) twice. An anchor that is ignored counts as one without a box.
    expected = (2 + 1.25 + 0.5 + 0.5) + (0.5 + 2 + 0.5 + 0.5)
    np.testing.assert_allclose(classification, expected * LOG2, rtol=1e-5)
    with pytest.raises(ConfigError, match="groundtruth_confidences_list"):
        _losses(_model(**options), run)
    evaluated = _losses(_model(is_training=False, **options), run)
    np.testing.assert_allclose(evaluated, (LOCATION, CLASS), rtol=1e-5)


def test_groundtruth_that_the_loss_does_not_need_is_kept():
    model = _model()
    masks = [tf.zeros([2, 4, 4])] * 2
    _provide(model, groundtruth_masks_list=masks, training_step=7)
    assert model.groundtruth_lists(fields.BoxListFields.masks) is masks
    assert model.training_step == 7
    assert not model.groundtruth_has_field(fields.BoxListFields.keypoints)
    with pytest.raises(RuntimeError, match="keypoints"):
        model.groundtruth_lists(fields.BoxListFields.keypoints)


@pytest.mark.parametrize(
    ("kind", "everything", "names"),
    [
        ("classification", False, {"mock_model/layer1/weights", "mock_model/layer1/biases"}),
        (
            "detection",
            False,
            {"FeatureExtractor/mock_model/layer1/weights", "FeatureExtractor/mock_model/layer1/biases"},
        ),
        (
            "detection",
            True,
            {
                "FeatureExtractor/mock_model/layer1/weights",
                "FeatureExtractor/mock_model/layer1/biases",
                "another",
            },
        ),
        (
            "full",
            False,
            {
                "FeatureExtractor/mock_model/layer1/weights",
                "FeatureExtractor/mock_model/layer1/biases",
                "another",
            },
        ),
    ],
)  # fmt: skip
def test_variables_to_restore(kind, everything, names):
    model = _model()
    _predicted(model)
    tf.get_variable("another", [1])
    assert set(model.restore_map(kind, everything)) == names


def test_objects_to_restore_are_refused():
    with pytest.raises(ConfigError, match="restore_map"):
        _model().restore_from_objects("detection")


def test_two_backgrounds_are_refused():
    with pytest.raises(ConfigError, match="exclude each other"):
        _model(explicit_background_class=True)


def test_equalization_loss_is_refused():
    _model(equalization_loss_config=ops.EqualizationLossConfig(weight=0.0, exclude_prefixes=[]))
    with pytest.raises(ConfigError, match="equalization_loss is not available"):
        _model(equalization_loss_config=ops.EqualizationLossConfig(2.0, ["FeatureExtractor"]))
