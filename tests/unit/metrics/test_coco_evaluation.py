import numpy as np
import pytest

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError, ShapeError
from object_detection.metrics import coco_evaluation, coco_tools

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

CATEGORIES = [{"id": 1, "name": "face"}, {"id": 2, "name": "hand"}]
AP50 = "DetectionBoxes_Precision/mAP@.50IOU"
WIDE = "DetectionBoxes_Precision/mAP@.50IOU (width >= 16)"


def _truth(boxes, classes=None, scale=1.0, **more):
    boxes = np.array(boxes, float).reshape(-1, 4)
    return {
        Inputs.groundtruth_boxes: boxes,
        Inputs.groundtruth_classes: np.array(classes or [1] * len(boxes)),
        Inputs.original_image_spatial_shape: np.array([100, 100]),
        Inputs.true_image_shape: np.array([100 * scale, 100 * scale, 3]),
        **more,
    }


def _found(boxes, scores, classes=None):
    boxes = np.array(boxes, float).reshape(-1, 4)
    return {
        Detections.detection_boxes: boxes,
        Detections.detection_scores: np.array(scores, float),
        Detections.detection_classes: np.array(classes or [1] * len(boxes)),
    }


def _metrics(pairs, **options):
    evaluator = coco_evaluation.CocoDetectionEvaluator(CATEGORIES, **options)
    for number, (truth, found) in enumerate(pairs):
        evaluator.add_single_ground_truth_image_info(number, truth)
        evaluator.add_single_detected_image_info(number, found)
    return evaluator.evaluate()


BOX, OTHER, SMALL = [10, 10, 50, 50], [60, 60, 90, 90], [2, 2, 8, 12]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param([(_truth([]), _found([], []))], -1, id="nothing to find"),
        pytest.param([(_truth([]), _found([BOX], [0.9]))], -1, id="only a false one"),
        pytest.param([(_truth([BOX]), _found([], []))], 0, id="nothing found"),
        pytest.param([(_truth([BOX]), _found([BOX], [0.9]))], 1, id="exact"),
        pytest.param([(_truth([BOX]), _found([BOX], [0.9], [2]))], 0, id="of another class"),
        # Recall 1 with precision 1/2: the interpolated precision is 1/2 at all recalls.
        pytest.param(
            [(_truth([BOX]), _found([OTHER, BOX], [0.9, 0.8]))], 0.5, id="false one first"
        ),
        pytest.param([(_truth([BOX]), _found([OTHER, BOX], [0.1, 0.8]))], 1, id="false one last"),
        # IoU 1/2 exactly counts (40 x 40 against 40 x 20).
        pytest.param([(_truth([BOX]), _found([[10, 10, 50, 30]], [0.9]))], 1, id="IoU 0.5"),
        pytest.param([(_truth([BOX]), _found([[10, 10, 50, 29]], [0.9]))], 0, id="IoU below 0.5"),
        # One of two found: precision 1 up to recall 0.5, which is 51 of COCO's 101 recalls.
        pytest.param([(_truth([BOX, OTHER]), _found([BOX], [0.9]))], 51 / 101, id="one of two"),
        pytest.param(
            [(_truth([BOX]), _found([BOX, BOX], [0.9, 0.8])), (_truth([]), _found([], []))],
            1,
            id="twice the same, and an empty picture",
        ),
    ],
)
def test_average_precision(pairs, expected):
    assert _metrics(pairs)[AP50] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("truth", "found", "scale", "expected"),
    [
        pytest.param([SMALL], ([], []), 1, -1, id="nothing wide to find"),
        pytest.param([BOX, SMALL], ([BOX], [0.9]), 1, 1, id="a missed narrow one costs nothing"),
        pytest.param([BOX], ([SMALL, BOX], [0.9, 0.8]), 1, 1, id="nor does a narrow detection"),
        pytest.param([BOX], ([OTHER, BOX], [0.9, 0.8]), 1, 0.5, id="a wide false one does"),
        pytest.param([SMALL], ([SMALL], [0.9]), 2, 1, id="wide in a larger input"),
    ],
)
def test_average_precision_of_wide_objects(truth, found, scale, expected):
    metrics = _metrics([(_truth(truth, scale=scale), _found(*found))], min_object_width=16)
    assert metrics[WIDE] == pytest.approx(expected, abs=1e-6)


def test_detections_in_a_crowd_do_not_count():
    crowd = _truth([BOX, OTHER], **{Inputs.groundtruth_is_crowd: np.array([0, 1])})
    assert _metrics([(crowd, _found([OTHER, BOX], [0.9, 0.8]))])[AP50] == pytest.approx(1)


def test_metrics_of_each_class():
    pairs = [(_truth([BOX, OTHER], [1, 2]), _found([BOX], [0.9]))]
    metrics = _metrics(
        pairs,
        include_metrics_per_category=True,
        all_metrics_per_category=True,
        super_categories={"all": ["face", "hand"]},
    )
    prefix = "DetectionBoxes_Precision mAP"
    assert metrics[f"{prefix} ByCategory/face"] == pytest.approx(1)
    assert metrics[f"{prefix}@.50IOU ByCategory/hand"] == pytest.approx(0)
    assert metrics[f"{prefix} BySuperCategory/all"] == pytest.approx(0.5)


def test_clear_forgets_everything():
    evaluator = coco_evaluation.CocoDetectionEvaluator(CATEGORIES)
    evaluator.add_single_ground_truth_image_info("a", _truth([BOX]))
    evaluator.clear()
    assert evaluator.evaluate()[AP50] == -1


def test_detections_before_groundtruth_are_refused():
    evaluator = coco_evaluation.CocoDetectionEvaluator(CATEGORIES)
    with pytest.raises(DataError, match="before its groundtruth"):
        evaluator.add_single_detected_image_info("a", _found([BOX], [0.9]))


def test_rows_that_do_not_fit_are_refused():
    evaluator = coco_evaluation.CocoDetectionEvaluator(CATEGORIES)
    with pytest.raises(ShapeError, match="groundtruth_classes has 2 rows"):
        evaluator.add_single_ground_truth_image_info("a", _truth([BOX], [1, 1]))


def test_keypoints_become_coco_triples():
    nan = float("nan")
    rows = coco_tools.ExportSingleImageGroundtruthToCoco(
        "a",
        7,
        {1},
        np.array([[1.0, 2.0, 5.0, 8.0]]),
        np.array([1]),
        groundtruth_keypoints=np.array([[[1.0, 2.0], [nan, nan], [3.0, 4.0]]]),
        groundtruth_keypoint_visibilities=np.array([[True, True, False]]),
    )
    assert rows[0]["id"] == 7
    assert rows[0]["bbox"] == [2, 1, 6, 4]
    assert rows[0]["area"] == 24
    assert rows[0]["keypoints"] == [2, 1, 2, 0, 0, 0, 0, 0, 0]
    assert rows[0]["num_keypoints"] == 1
