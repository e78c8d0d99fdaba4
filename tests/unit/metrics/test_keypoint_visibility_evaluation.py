import numpy as np
import pytest

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError, ShapeError
from object_detection.metrics import keypoint_visibility_evaluation
from object_detection.metrics.keypoint_visibility_evaluation import KeypointVisibilityEvaluator

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields
NAN = float("nan")
NAMES = ("Accuracy", "Visible", "Hidden", "AUC", "Keypoints")


@pytest.mark.parametrize(
    ("scores", "positive", "expected"),
    [
        pytest.param([], [], NAN, id="nothing"),
        pytest.param([0.1, 0.9], [1, 1], NAN, id="one kind"),
        pytest.param([0.1, 0.9], [0, 1], 1, id="in order"),
        pytest.param([0.9, 0.1], [0, 1], 0, id="the other way round"),
        pytest.param([0.5, 0.5, 0.5], [0, 1, 1], 0.5, id="all the same"),
        pytest.param([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75, id="3 of 4 pairs"),
        pytest.param([0.5, 0.2, 0.5, 0.9], [1, 0, 0, 0], 1.5 / 3, id="a draw"),
    ],
)
def test_area_by_hand(scores, positive, expected):
    area = keypoint_visibility_evaluation.area_under_roc(np.array(scores), np.array(positive, bool))
    np.testing.assert_allclose(area, expected)


def test_area_by_all_pairs():
    random = np.random.RandomState(0)
    scores = random.randint(0, 20, 300)
    positive = random.uniform(size=300) < 0.3 + scores / 50
    pairs = scores[positive][:, None] - scores[~positive][None]
    expected = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
    area = keypoint_visibility_evaluation.area_under_roc(scores, positive)
    np.testing.assert_allclose(area, expected)


BOXES = np.array([[0, 0, 10, 10], [20, 20, 40, 40], [50, 50, 60, 60]], float)


def _truth(flags, boxes=BOXES):
    return {
        Inputs.groundtruth_boxes: boxes,
        Inputs.groundtruth_classes: np.ones(len(boxes), int),
        Inputs.groundtruth_keypoint_flags: np.array(flags),
    }


def _found(of_keypoints, boxes=BOXES, classes=None):
    count = len(boxes)
    return {
        Detections.detection_boxes: boxes,
        Detections.detection_scores: np.linspace(0.9, 0.5, count),
        Detections.detection_classes: np.ones(count, int) if classes is None else classes,
        Detections.detection_keypoint_scores: np.array(of_keypoints),
    }


def _evaluate(*pictures):
    evaluator = KeypointVisibilityEvaluator([{"id": 1, "name": "face"}])
    for name, (truth, found) in enumerate(pictures):
        evaluator.add_single_ground_truth_image_info(name, truth)
        evaluator.add_single_detected_image_info(name, found)
    metrics = evaluator.evaluate()
    return [metrics[f"KeypointVisibility/{name}"] for name in NAMES]


@pytest.mark.parametrize(
    ("pictures", "expected"),
    [
        pytest.param([], [NAN, NAN, NAN, NAN, 0], id="no picture"),
        pytest.param(
            [(_truth(np.zeros([0, 2]), BOXES[:0]), _found(np.zeros([0, 2]), BOXES[:0]))],
            [NAN, NAN, NAN, NAN, 0],
            id="no object",
        ),
        pytest.param(
            [(_truth([[0, 0], [0, 0], [0, 0]]), _found([[1, 0], [1, 0], [1, 0]]))],
            [NAN, NAN, NAN, NAN, 0],
            id="nobody placed a keypoint",
        ),
        pytest.param(
            [(_truth([[2, 1], [2, 0], [0, 0]]), _found([[0.9, 0.1], [0.3, 0.6], [0.9, 0.9]]))],
            [2 / 4, 1 / 2, 1 / 2, 3 / 4, 4],
            id="occluded and absent ones are hidden",
        ),
        pytest.param(
            [(_truth([[2], [1], [2]]), _found([[0.5], [0.9], [0.1]], BOXES + [[0], [30], [0]]))],
            [1 / 2, 1 / 2, NAN, NAN, 2],
            id="an object that was not found",
        ),
        pytest.param(
            [(_truth([[2], [1], [2]]), _found([[0.9], [0.9], [0.9]], classes=[1, 2, 1]))],
            [1, 1, NAN, NAN, 2],
            id="another class",
        ),
        pytest.param(
            [
                (_truth([[2]], BOXES[:1]), _found([[0.7]], BOXES[:1])),
                (_truth([[1]], BOXES[:1]), _found([[0.2]], BOXES[:1])),
            ],
            [1, 1, 1, 1, 2],
            id="two pictures",
        ),
    ],
)
def test_by_hand(pictures, expected):
    np.testing.assert_allclose(_evaluate(*pictures), expected)


def test_what_does_not_fit():
    evaluator = KeypointVisibilityEvaluator([{"id": 1, "name": "face"}])
    truth, found = _truth([[2, 2]] * 3), _found([[1, 1]] * 3)
    with pytest.raises(DataError, match="before its groundtruth"):
        evaluator.add_single_detected_image_info("a", found)
    with pytest.raises(DataError, match="num_keypoints in the input reader"):
        evaluator.add_single_ground_truth_image_info(
            "a", {key: truth[key] for key in truth if "flags" not in key}
        )
    evaluator.add_single_ground_truth_image_info("a", truth)
    with pytest.raises(ShapeError, match=r"\[3, 5\].* 2 keypoints"):
        evaluator.add_single_detected_image_info("a", _found(np.ones([3, 5])))
    with pytest.raises(DataError, match=r"keypoint_loss\.visibility"):
        evaluator.add_single_detected_image_info(
            "a", {key: found[key] for key in found if "keypoint" not in key}
        )
    evaluator.clear()
    assert evaluator.evaluate()["KeypointVisibility/Keypoints"] == 0
