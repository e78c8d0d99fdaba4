import numpy as np
import pytest

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
    metrics = _metrics(truth, found)
    expected = {
        "Keypoints/NME": nme,
        "Keypoints/FailureRate@.10": failures,
        "Keypoints/Matched": matched,
        "Keypoints/Instances": instances,
    }
    assert metrics == pytest.approx(expected, nan_ok=True)


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
