import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import calibration_builder, post_processing_builder
from object_detection.core.post_processing.blending import Blending
from object_detection.protos import calibration_pb2, post_processing_pb2


def _build(text):
    config = text_format.Parse(text, post_processing_pb2.PostProcessing())
    return post_processing_builder.build(config)


def _sigmoid(x):
    return 1 / (1 + np.exp(-np.array(x)))


def test_suppression():
    suppress, _ = _build(
        """batch_non_max_suppression {
             score_threshold: 0.25 iou_threshold: 0.5 max_detections_per_class: 7
             max_total_detections: 9 use_static_shapes: true use_class_agnostic_nms: true
             max_classes_per_detection: 2 soft_nms_sigma: 0.5 use_partitioned_nms: true
             change_coordinate_frame: false use_hard_nms: true use_cpu_nms: true }"""
    )
    assert suppress.keywords == {
        "score_thresh": 0.25,
        "iou_thresh": 0.5,
        "max_size_per_class": 7,
        "max_total_size": 9,
        "use_static_shapes": True,
        "use_class_agnostic_nms": True,
        "max_classes_per_detection": 2,
        "soft_nms_sigma": 0.5,
        "use_partitioned_nms": True,
        "use_combined_nms": False,
        "change_coordinate_frame": False,
        "use_hard_nms": True,
        "use_cpu_nms": True,
        "blend": None,
    }


def test_defaults_of_suppression():
    keywords = _build("")[0].keywords
    assert keywords["score_thresh"] == 0.0
    assert keywords["iou_thresh"] == pytest.approx(0.6)
    assert keywords["max_size_per_class"] == keywords["max_total_size"] == 100
    assert keywords["change_coordinate_frame"]


def test_blending():
    text = "blend_overlapping { iou_threshold: 0.25 score_power: 2 max_candidates: 7 }"
    suppress, _ = _build(f"batch_non_max_suppression {{ {text} }}")
    assert suppress.keywords["blend"] == (0.25, 2.0, 7)
    suppress, _ = _build("batch_non_max_suppression { blend_overlapping {} }")
    assert suppress.keywords["blend"] == pytest.approx(Blending())


@pytest.mark.parametrize(
    "text",
    [
        "blend_overlapping { iou_threshold: 0 }",
        "blend_overlapping { iou_threshold: 1.1 }",
        "blend_overlapping { iou_threshold: nan }",
        "blend_overlapping { score_power: -1 }",
        "blend_overlapping { score_power: inf }",
        "blend_overlapping { max_candidates: 0 }",
        "blend_overlapping {} soft_nms_sigma: 0.5",
        "iou_threshold: 1.5",
        "iou_threshold: -0.1",
        "max_detections_per_class: 101",
        "soft_nms_sigma: -1",
        "use_combined_nms: true use_class_agnostic_nms: true",
    ],
)
def test_settings_that_contradict_each_other(text):
    with pytest.raises(ValueError, match="batch_non_max_suppression"):
        _build(f"batch_non_max_suppression {{ {text} }}")


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("", "identity", [[0.5, 2.0]]),
        ("score_converter: IDENTITY logit_scale: 2", "identity", [[0.25, 1.0]]),
        ("score_converter: SIGMOID", "sigmoid", _sigmoid([[0.5, 2.0]])),
        ("score_converter: SIGMOID logit_scale: 2", "sigmoid", _sigmoid([[0.25, 1.0]])),
        ("score_converter: SOFTMAX", "softmax", [_sigmoid([-1.5, 1.5])]),
        ("score_converter: SOFTMAX logit_scale: 2", "softmax", [_sigmoid([-0.75, 0.75])]),
    ],
)
def test_score_converters(text, name, expected, run):
    _, convert = _build(text)
    assert convert.__name__ == f"{name}_with_logit_scale"
    np.testing.assert_allclose(run(convert(tf.constant([[0.5, 2.0]]))), expected, rtol=1e-6)


POINTS = "x_y_pair { x: 0 y: 0 } x_y_pair { x: 0.5 y: 0.2 } x_y_pair { x: 1 y: 1 }"


def test_calibration_follows_the_conversion(run):
    _, convert = _build(
        f"score_converter: SIGMOID "
        f"calibration_config {{ function_approximation {{ x_y_pairs {{ {POINTS} }} }} }}"
    )
    assert convert.__name__ == "calibrate_with_function_approximation"
    np.testing.assert_allclose(run(convert(tf.zeros([1, 2, 3]))), np.full([1, 2, 3], 0.2))


def test_a_temperature_goes_before_the_conversion(run):
    _, convert = _build(
        """score_converter: SIGMOID
           calibration_config { temperature_scaling_calibration { scaler: 2 } }"""
    )
    np.testing.assert_allclose(run(convert(tf.constant([[[3.0]]]))), [[[_sigmoid(1.5)]]], rtol=1e-6)


def _calibrate(text):
    return calibration_builder.build(text_format.Parse(text, calibration_pb2.CalibrationConfig()))


SCORES = np.array([[[-1.0, 0.0, 0.25], [0.5, 0.75, 1.0]], [[2.0, 0.1, 0.9], [0.6, 0.4, 0.5]]])


@pytest.mark.parametrize("known", [True, False], ids=["known", "found out later"])
def test_function_approximation(known, run):
    calibrate = _calibrate(f"function_approximation {{ x_y_pairs {{ {POINTS} }} }}")
    scores = tf.placeholder_with_default(
        SCORES.astype(np.float32), SCORES.shape if known else [None, None, 3]
    )
    values = calibrate(scores)
    assert values.shape.as_list() == scores.shape.as_list()
    np.testing.assert_allclose(run(values), np.interp(SCORES, [0, 0.5, 1], [0, 0.2, 1]), atol=1e-6)


def test_one_point_is_a_constant(run):
    calibrate = _calibrate("function_approximation { x_y_pairs { x_y_pair { x: 0.5 y: 0.3 } } }")
    np.testing.assert_allclose(run(calibrate(tf.constant([0.1, 0.5, 0.9]))), [0.3] * 3)


def test_function_approximations_of_classes(run):
    calibrate = _calibrate(
        f"""class_id_function_approximations {{
              class_id_xy_pairs_map {{ key: 0 value {{ {POINTS} }} }}
              class_id_xy_pairs_map {{ key: 2 value {{
                x_y_pair {{ x: 0 y: 0.5 }} x_y_pair {{ x: 1 y: 0.6 }} }} }} }}"""
    )
    expected = SCORES.copy()
    expected[..., 0] = np.interp(SCORES[..., 0], [0, 0.5, 1], [0, 0.2, 1])
    expected[..., 2] = np.interp(SCORES[..., 2], [0, 1], [0.5, 0.6])
    np.testing.assert_allclose(run(calibrate(tf.constant(SCORES, tf.float32))), expected, atol=1e-6)


def test_sigmoids(run):
    scores = tf.constant(SCORES, tf.float32)
    plain = _calibrate("sigmoid_calibration { sigmoid_parameters {} }")(scores)
    moved = _calibrate("sigmoid_calibration { sigmoid_parameters { a: -2 b: 1 } }")(scores)
    one = _calibrate(
        """class_id_sigmoid_calibrations {
             class_id_sigmoid_parameters_map { key: 1 value { a: -2 b: 1 } } }"""
    )(scores)
    plain, moved, one = run([plain, moved, one])
    np.testing.assert_allclose(plain, _sigmoid(SCORES), rtol=1e-5)
    np.testing.assert_allclose(moved, _sigmoid(2 * SCORES - 1), rtol=1e-5)
    np.testing.assert_allclose(one[..., 1], _sigmoid(2 * SCORES[..., 1] - 1), rtol=1e-5)
    np.testing.assert_allclose(one[..., [0, 2]], SCORES[..., [0, 2]])


def test_temperature(run):
    calibrate = _calibrate("temperature_scaling_calibration { scaler: 2 }")
    np.testing.assert_allclose(run(calibrate(tf.constant([[[1.0, 3.0]]]))), [[[0.5, 1.5]]])
    with pytest.raises(ValueError, match="scaler"):
        _calibrate("temperature_scaling_calibration { scaler: 0 }")(tf.zeros([1, 1, 1]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Choose one of"),
        ("function_approximation {}", "at least one"),
        (
            """function_approximation { x_y_pairs {
                 x_y_pair { x: 1 y: 0 } x_y_pair { x: 0 y: 1 } } }""",
            "should rise",
        ),
    ],
)
def test_calibrations_that_cannot_be(text, message):
    with pytest.raises(ValueError, match=message):
        _calibrate(text)


def test_other_messages():
    with pytest.raises(ValueError, match="CalibrationConfig message"):
        calibration_builder.build(post_processing_pb2.PostProcessing())
    with pytest.raises(ValueError, match="PostProcessing message"):
        post_processing_builder.build(calibration_pb2.CalibrationConfig())
