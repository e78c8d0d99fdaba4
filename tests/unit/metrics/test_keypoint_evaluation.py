import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError, ShapeError
from object_detection.metrics import keypoint_evaluation

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields
NAN = float("nan")

CATEGORIES = [{"id": 1, "name": "face"}]
BOX, FAR = [10, 10, 50, 50], [60, 60, 80, 80]  # sides 40 and 20
POINTS = [[20.0, 20.0], [20.0, 40.0]]


def _truth(boxes, points, **more):
    return {
        Inputs.groundtruth_boxes: np.array(boxes, float).reshape(-1, 4),
        Inputs.groundtruth_classes: np.ones(len(boxes), int),
        Inputs.groundtruth_keypoints: np.array(points, float).reshape(-1, 2, 2),
        Inputs.original_image_spatial_shape: np.array([100, 100]),
        Inputs.true_image_shape: np.array([100, 100, 3]),
        **more,
    }


def _found(boxes, scores, points, classes=None):
    return {
        Detections.detection_boxes: np.array(boxes, float).reshape(-1, 4),
        Detections.detection_scores: np.array(scores, float),
        Detections.detection_classes: np.array(classes or [1] * len(boxes)),
        Detections.detection_keypoints: np.array(points, float).reshape(-1, 2, 2),
    }


def _metrics(truth, found, **options):
    evaluator = keypoint_evaluation.KeypointErrorEvaluator(CATEGORIES, **options)
    evaluator.add_single_ground_truth_image_info("a", truth)
    evaluator.add_single_detected_image_info("a", found)
    return evaluator.evaluate()


def _shifted(by):
    return [[y, x + by] for y, x in POINTS]


@pytest.mark.parametrize(
    ("truth", "found", "nme", "failures", "matched", "instances"),
    [
        pytest.param(_truth([], []), _found([], [], []), NAN, NAN, NAN, 0, id="nothing"),
        pytest.param(
            _truth([BOX], [[[NAN, NAN]] * 2]),
            _found([BOX], [0.9], [POINTS]),
            NAN,
            NAN,
            NAN,
            0,
            id="no landmarks",
        ),
        pytest.param(_truth([BOX], [POINTS]), _found([], [], []), NAN, NAN, 0, 1, id="not found"),
        pytest.param(
            _truth([BOX], [POINTS]),
            _found([FAR], [0.9], [POINTS]),
            NAN,
            NAN,
            0,
            1,
            id="found elsewhere",
        ),
        pytest.param(
            _truth([BOX], [POINTS]),
            _found([BOX], [0.9], [POINTS], [2]),
            NAN,
            NAN,
            0,
            1,
            id="of another class",
        ),
        # 4 px of sqrt(40 * 40) = 40 px: exactly the threshold, which is no failure.
        pytest.param(
            _truth([BOX], [POINTS]), _found([BOX], [0.9], [_shifted(4)]), 0.1, 0, 1, 1, id="10 %"
        ),
        pytest.param(
            _truth([BOX], [POINTS]), _found([BOX], [0.9], [_shifted(8)]), 0.2, 1, 1, 1, id="20 %"
        ),
        # The best score takes the face, though the other has the better points.
        pytest.param(
            _truth([BOX], [POINTS]),
            _found([BOX, BOX], [0.8, 0.9], [POINTS, _shifted(2)]),
            0.05,
            0,
            1,
            1,
            id="best score first",
        ),
        pytest.param(
            _truth([BOX, FAR], [POINTS, POINTS]),
            _found([FAR], [0.9], [_shifted(4)]),
            0.2,
            1,
            0.5,
            2,
            id="one of two, each by its own size",
        ),
    ],
)
def test_metrics(truth, found, nme, failures, matched, instances):
    # Points move as one here, so that each has the mean's error.
    correct = [NAN if np.isnan(nme) else float(nme <= share) for share in (0.05, 0.1)]
    expected = {
        "Keypoints/NME": nme,
        "Keypoints/FailureRate@.10": failures,
        "Keypoints/AUC@.10": max(1 - nme / 0.1, 0) if nme == nme else NAN,
        "Keypoints/PCK@.05": correct[0],
        "Keypoints/PCK@.10": correct[1],
        "Keypoints/Matched": matched,
        "Keypoints/Instances": instances,
    }
    for name in ("keypoint_0", "keypoint_1"):
        expected[f"PerKeypoint/Error/{name}"] = nme
        expected[f"PerKeypoint/PCK@.05/{name}"] = correct[0]
        expected[f"PerKeypoint/PCK@.10/{name}"] = correct[1]
    assert _metrics(truth, found) == pytest.approx(expected, nan_ok=True)


def test_without_pictures():
    metrics = keypoint_evaluation.KeypointErrorEvaluator(
        CATEGORIES, keypoint_names=["a", "b"], min_object_width=8, size_between=["a", "b"]
    ).evaluate()
    assert (
        metrics.pop("Keypoints/Instances") == metrics.pop("Keypoints/Instances (width >= 8)") == 0
    )
    assert "PerKeypoint/Error/b" in metrics
    assert "Keypoints/NME (by a to b)" in metrics
    assert np.isnan(list(metrics.values())).all()


def test_invisible_keypoints_do_not_count():
    visible = {Inputs.groundtruth_keypoint_visibilities: np.array([[True, False]])}
    found = _found([BOX], [0.9], [[POINTS[0], [1e9, 1e9]]])
    assert _metrics(_truth([BOX], [POINTS], **visible), found)["Keypoints/NME"] == 0


def test_wide_objects_only():
    metrics = _metrics(
        _truth([BOX, FAR], [POINTS, POINTS]),
        _found([BOX, FAR], [0.9, 0.9], [_shifted(4), POINTS]),
        min_object_width=30,
    )
    assert metrics["Keypoints/NME"] == pytest.approx(0.05)
    assert metrics["Keypoints/NME (width >= 30)"] == pytest.approx(0.1)
    assert metrics["Keypoints/Instances (width >= 30)"] == 1


# Sides are 40; the first face's points are 0 and 8 px off, the second's first one alone is labelled
# and 4 px off; the third is not found.
_FACES = _truth(
    [BOX, [110, 110, 150, 150], [210, 210, 250, 250]],
    [POINTS, [[120.0, 120.0], [NAN, NAN]], POINTS],
)
_SOME = _found(
    [BOX, [110, 110, 150, 150]],
    [0.9, 0.8],
    [[POINTS[0], [POINTS[1][0], POINTS[1][1] + 8]], [[124.0, 120.0], [0.0, 0.0]]],
)


def test_each_keypoint_by_its_name():
    metrics = _metrics(_FACES, _SOME, keypoint_names=["left", "right"], pck_thresholds=[0.1, 0.2])
    # Shares of 40: left 0 and 0.1, right 0.2; the faces 0.1 and 0.1.
    expected = {
        "Keypoints/NME": 0.1,
        "Keypoints/FailureRate@.10": 0.0,
        "Keypoints/AUC@.10": 0.0,
        "Keypoints/PCK@.10": 2 / 3,
        "Keypoints/PCK@.20": 1.0,
        "Keypoints/Matched": 2 / 3,
        "Keypoints/Instances": 3,
        "PerKeypoint/Error/left": 0.05,
        "PerKeypoint/PCK@.10/left": 1.0,
        "PerKeypoint/PCK@.20/left": 1.0,
        "PerKeypoint/Error/right": 0.2,
        "PerKeypoint/PCK@.10/right": 0.0,
        "PerKeypoint/PCK@.20/right": 1.0,
    }
    assert metrics == pytest.approx(expected)


def _evaluator(truth, found, **options):
    evaluator = keypoint_evaluation.KeypointErrorEvaluator(CATEGORIES, **options)
    evaluator.add_single_ground_truth_image_info("a", truth)
    evaluator.add_single_detected_image_info("a", found)
    return evaluator


def test_by_the_distance_between_two_keypoints():
    evaluator = _evaluator(
        _FACES,
        _SOME,
        keypoint_names=["left_eye", "right_eye"],
        size_between=["left_eye", "right_eye"],
        failure_threshold=0.25,
    )
    metrics = evaluator.evaluate()
    # 20 px apart: 0 and 0.4 of it; of the second face one eye is not labelled, so it has no size.
    suffix = " (by left_eye to right_eye)"
    assert metrics[f"Keypoints/NME{suffix}"] == pytest.approx(0.2)
    assert metrics[f"Keypoints/AUC@.25{suffix}"] == pytest.approx(0.2)
    assert metrics[f"Keypoints/FailureRate@.25{suffix}"] == 0
    assert metrics[f"Keypoints/PCK@.10{suffix}"] == 0.5
    assert metrics["Keypoints/NME"] == pytest.approx(0.1)
    curves = evaluator.error_curves()
    assert list(curves) == ["box size", "left_eye to right_eye"]
    np.testing.assert_allclose(curves["left_eye to right_eye"], [[0.2], [1.0]])


def test_curve_and_table_of_widths():
    # The network sees half the size: widths 20, 20, 20 and, of a picture of its own, 10.
    half = {
        Inputs.original_image_spatial_shape: np.array([300, 300]),
        Inputs.true_image_shape: np.array([150, 150, 3]),
    }
    evaluator = _evaluator({**_FACES, **half}, _SOME)
    far = [[65.0, 65.0], [65.0, 75.0]]
    evaluator.add_single_ground_truth_image_info("b", {**_truth([FAR], [far]), **half})
    evaluator.add_single_detected_image_info(
        "b", _found([FAR], [0.9], [[[y, x + 4] for y, x in far]])
    )
    errors, shares = evaluator.error_curves()["box size"]
    np.testing.assert_allclose(errors, [0.1, 0.2])
    np.testing.assert_allclose(shares, [2 / 3, 1.0])
    rows = evaluator.errors_by_width([0, 10, 20, np.inf])
    assert [count for count, _ in rows] == [0, 1, 2]
    np.testing.assert_allclose([error for _, error in rows], [NAN, 0.2, 0.1])
    assert [row.labelled for row in evaluator.keypoint_rows()] == [3, 2]


def test_names_and_metrics_agree_in_the_graph(run):
    truth = {name: value for name, value in _FACES.items() if "shape" not in name}
    tensors = {name: tf.constant(value) for name, value in {**truth, **_SOME}.items()}
    options = {"size_between": ["keypoint_0", "keypoint_1"]}
    evaluator = keypoint_evaluation.KeypointErrorEvaluator(CATEGORIES, **options)
    ops = evaluator.get_estimator_eval_metric_ops({"key": tf.constant("a"), **tensors})
    run(next(iter(ops.values()))[1])
    found = run({name: value for name, (value, _) in ops.items()})
    assert found == pytest.approx(_evaluator(_FACES, _SOME, **options).evaluate(), rel=1e-6)


@pytest.mark.parametrize(
    ("names", "between", "message"),
    [
        (["a", "b", "c"], [], "has 3 names"),
        (["a", "b"], ["a", "eye"], "No keypoint is called 'eye'"),
        ([], ["a", "b"], "No keypoint is called 'a'; there are keypoint_0, keypoint_1"),
    ],
)
def test_names_that_do_not_fit(names, between, message):
    with pytest.raises(ValueError, match=message):
        _metrics(_FACES, _SOME, keypoint_names=names, size_between=between)


def test_another_number_of_keypoints_is_refused():
    found = _found([BOX], [0.9], [POINTS])
    found[Detections.detection_keypoints] = np.zeros([1, 3, 2])
    with pytest.raises(ShapeError, match="has 2 keypoints"):
        _metrics(_truth([BOX], [POINTS]), found)


def test_groundtruth_without_keypoints_is_refused():
    truth = _truth([BOX], [POINTS])
    del truth[Inputs.groundtruth_keypoints]
    with pytest.raises(DataError, match="num_keypoints"):
        _metrics(truth, _found([BOX], [0.9], [POINTS]))
