import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import box_predictor_builder, hyperparams_builder
from object_detection.core.box_predictor import MASK_PREDICTIONS
from object_detection.errors import ConfigError
from object_detection.predictors.convolutional_box_predictor import (
    ConvolutionalBoxPredictor,
    WeightSharedConvolutionalBoxPredictor,
)
from object_detection.predictors.heads import box_head, class_head, mask_head
from object_detection.predictors.mask_rcnn_box_predictor import MaskRCNNBoxPredictor
from object_detection.predictors.rfcn_box_predictor import RfcnBoxPredictor
from object_detection.protos import box_predictor_pb2

HYPERPARAMS = """regularizer { l1_regularizer {} } initializer { truncated_normal_initializer {} }
  activation: NONE"""
NORM = HYPERPARAMS + " batch_norm { train: true }"


def _build(text, is_training=True, num_classes=10, argscope_fn=hyperparams_builder.build, **more):
    config = text_format.Parse(text, box_predictor_pb2.BoxPredictor())
    return box_predictor_builder.build(argscope_fn, config, is_training, num_classes, **more)


def _shapes(predictions):
    return {key: [one.shape.as_list() for one in value] for key, value in predictions.items()}


def _names():
    return {variable.op.name: variable.shape.as_list() for variable in tf.global_variables()}


def test_the_hyperparams_message_and_the_mode_reach_the_function_that_makes_the_arg_scope():
    seen = []

    def argscope_fn(message, is_training):
        seen.append((message.op, message.regularizer.l1_regularizer.weight, is_training))
        return None

    _build(
        """mask_rcnn_box_predictor { fc_hyperparams { op: FC regularizer { l1_regularizer {
          weight: 3 } } } conv_hyperparams { regularizer { l1_regularizer { weight: 4 } } } }""",
        is_training=False,
        argscope_fn=argscope_fn,
    )
    assert sorted(seen) == [(1, 4.0, False), (2, 3.0, False)]


def test_convolutional_defaults():
    predictor = _build(f"convolutional_box_predictor {{ conv_hyperparams {{ {HYPERPARAMS} }} }}")
    assert isinstance(predictor, ConvolutionalBoxPredictor)
    assert predictor.num_classes == 10
    assert not predictor.is_keras_model
    predictions = predictor.predict([tf.zeros([2, 4, 4, 8])], [3])
    assert _shapes(predictions) == {
        "box_encodings": [[2, 48, 1, 4]],
        "class_predictions_with_background": [[2, 48, 11]],
    }
    assert _names() == {
        "BoxEncodingPredictor/weights": [1, 1, 8, 12],
        "BoxEncodingPredictor/biases": [12],
        "ClassPredictor/weights": [1, 1, 8, 33],
        "ClassPredictor/biases": [33],
    }


def test_convolutional_options(run):
    predictor = _build(
        f"""convolutional_box_predictor {{ min_depth: 2 max_depth: 16 num_layers_before_predictor: 2
          use_dropout: false kernel_size: 3 box_code_size: 14 apply_sigmoid_to_scores: true
          class_prediction_bias_init: 2.0 use_depthwise: true
          box_encodings_clip_range {{ min: -0.5 max: 0.25 }}
          conv_hyperparams {{ {HYPERPARAMS} }} }}""",
        add_background_class=False,
    )
    predictions = predictor.predict([tf.random_normal([1, 2, 2, 8], stddev=9.0, seed=1)], [1])
    assert _names()["Conv2d_1_1x1_8/weights"] == [1, 1, 8, 8]
    assert _names()["BoxEncodingPredictor_depthwise/depthwise_weights"] == [3, 3, 8, 1]
    assert _names()["BoxEncodingPredictor/weights"] == [1, 1, 8, 14]
    assert _names()["ClassPredictor/biases"] == [10]
    boxes, scores, biases = run(
        [
            predictions["box_encodings"][0],
            predictions["class_predictions_with_background"][0],
            next(v for v in tf.global_variables() if v.op.name == "ClassPredictor/biases"),
        ]
    )
    assert (boxes.min(), boxes.max()) == (-0.5, 0.25)
    assert 0 <= scores.min() < scores.max() <= 1
    assert (biases == 2.0).all()


def test_weight_shared_options():
    predictor = _build(
        f"""weight_shared_convolutional_box_predictor {{ depth: 4 num_layers_before_predictor: 1
          kernel_size: 5 box_code_size: 7 share_prediction_tower: true
          conv_hyperparams {{ {NORM} }} }}"""
    )
    assert isinstance(predictor, WeightSharedConvolutionalBoxPredictor)
    predictions = predictor.predict([tf.zeros([1, 2, 2, 3]), tf.zeros([1, 1, 1, 3])], [2, 2])
    assert _shapes(predictions) == {
        "box_encodings": [[1, 8, 7], [1, 2, 7]],
        "class_predictions_with_background": [[1, 8, 11], [1, 2, 11]],
    }
    prefix = "WeightSharedConvolutionalBoxPredictor/"
    names = {name.removeprefix(prefix): shape for name, shape in _names().items()}
    assert names["PredictionTower/conv2d_0/weights"] == [5, 5, 3, 4]
    assert names["BoxPredictor/weights"] == [5, 5, 4, 14]
    assert "PredictionTower/conv2d_0/BatchNorm/feature_1/beta" in names
    assert not any("PredictionTower/conv2d_0/biases" in name for name in names)


def test_the_sigmoid_of_a_score_converter_is_for_inference_only():
    converters = box_predictor_pb2.WeightSharedConvolutionalBoxPredictor
    convert = box_predictor_builder.build_score_converter
    assert convert(converters.IDENTITY, True) is tf.identity
    assert convert(converters.IDENTITY, False) is tf.identity
    assert convert(converters.SIGMOID, True) is tf.identity
    assert convert(converters.SIGMOID, False) is tf.sigmoid
    with pytest.raises(ValueError, match=r"known: .*SIGMOID"):
        convert(7, False)


def test_mask_rcnn_without_masks():
    predictor = _build(f"mask_rcnn_box_predictor {{ fc_hyperparams {{ op: FC {HYPERPARAMS} }} }}")
    assert isinstance(predictor, MaskRCNNBoxPredictor)
    assert isinstance(predictor._box_prediction_head, box_head.MaskRCNNBoxHead)
    assert isinstance(predictor._class_prediction_head, class_head.MaskRCNNClassHead)
    assert predictor.get_third_stage_prediction_heads() == []
    predictions = predictor.predict([tf.zeros([6, 3, 3, 5])], [1], prediction_stage=2)
    assert {key: one.shape.as_list() for key, one in predictions.items()} == {
        "box_encodings": [6, 1, 10, 4],
        "class_predictions_with_background": [6, 1, 11],
    }


def test_mask_rcnn_with_masks():
    predictor = _build(
        f"""mask_rcnn_box_predictor {{ fc_hyperparams {{ op: FC {HYPERPARAMS} }} box_code_size: 14
          conv_hyperparams {{ {HYPERPARAMS} }} predict_instance_masks: true
          mask_prediction_conv_depth: 8 mask_prediction_num_conv_layers: 3
          mask_height: 6 mask_width: 9 convolve_then_upsample_masks: true
          share_box_across_classes: true }}"""
    )
    assert isinstance(predictor._third_stage_heads[MASK_PREDICTIONS], mask_head.MaskRCNNMaskHead)
    features = [tf.zeros([2, 3, 3, 5])]
    boxes = predictor.predict(features, [1], scope="Second")
    masks = predictor.predict(features, [1], scope="Third", prediction_stage=3)
    assert boxes["box_encodings"].shape.as_list() == [2, 1, 1, 14]
    assert {key: one.shape.as_list() for key, one in masks.items()} == {
        MASK_PREDICTIONS: [2, 1, 10, 6, 9]
    }
    assert _names()["Third/Conv/weights"] == [3, 3, 5, 8]


@pytest.mark.parametrize(
    ("text", "box_shape", "crop"),
    [
        pytest.param("", [2, 1, 10, 4], 3 * 3, id="defaults"),
        pytest.param(
            """num_spatial_bins_height: 2 num_spatial_bins_width: 2 depth: 6 box_code_size: 8
              crop_height: 4 crop_width: 4""",
            [2, 1, 10, 8], 2 * 2, id="all options",
        ),
    ],
)  # fmt: skip
def test_rfcn(text, box_shape, crop, run):
    predictor = _build(f"rfcn_box_predictor {{ {text} conv_hyperparams {{ {HYPERPARAMS} }} }}")
    assert isinstance(predictor, RfcnBoxPredictor)
    predictions = predictor.predict(
        [tf.zeros([1, 8, 8, 5])], [1], proposal_boxes=tf.constant([[[0, 0, 1, 1], [0, 0, 0.5, 1]]])
    )
    assert run(predictions["box_encodings"][0]).shape == tuple(box_shape)
    assert _names()["refine_locations/biases"] == [crop * 10 * box_shape[-1]]
    assert _names()["predict_classes/biases"] == [crop * 11]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "No box_predictor is set", id="no predictor"),
        pytest.param(
            "weight_shared_convolutional_box_predictor { apply_conv_hyperparams_to_heads: true }",
            "apply_conv_hyperparams_to_heads",
            id="hyperparams of heads",
        ),
        pytest.param(
            "mask_rcnn_box_predictor { predict_keypoints: true }", "MaskRCNNKeypointHead",
            id="keypoints of no known number",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        _build(text)


def test_another_message_is_refused():
    with pytest.raises(ValueError, match="BoxPredictor message"):
        box_predictor_builder.build(
            hyperparams_builder.build, box_predictor_pb2.RfcnBoxPredictor(), True, 1
        )
