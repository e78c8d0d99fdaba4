import json

import numpy as np
import pytest

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError, ShapeError
from object_detection.metrics import coco_evaluation

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


PER_CLASS = "DetectionBoxes_PerformanceByCategory/mAP"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, {}, id="not asked for"),
        pytest.param(
            {"include_metrics_per_category": True},
            {f"{PER_CLASS}/face": 1.0, f"{PER_CLASS}/hand": 0.0},
            id="average precision of each",
        ),
        pytest.param({"super_categories": {"all": ["face", "hand"]}}, {}, id="groups alone"),
        pytest.param(
            {
                "include_metrics_per_category": True,
                "super_categories": {"all": ["face", "hand"], "faces": ["face"], "no": ["tail"]},
            },
            {
                f"{PER_CLASS}/face": 1.0,
                f"{PER_CLASS}/hand": 0.0,
                "DetectionBoxes_PerformanceBySuperCategory/all": 0.5,
                "DetectionBoxes_PerformanceBySuperCategory/faces": 1.0,
                "DetectionBoxes_PerformanceBySuperCategory/no": -1.0,
            },
            id="groups",
        ),
    ],
)
def test_metrics_of_each_class(options, expected):
    metrics = _metrics([(_truth([BOX, OTHER], [1, 2]), _found([BOX], [0.9]))], **options)
    by_class = {name: value for name, value in metrics.items() if "Category" in name}
    assert by_class == pytest.approx(expected)
    assert len(metrics) == 12 + len(expected)


def test_all_metrics_of_each_class():
    # The box of 40 x 40 pixels is of COCO's middle size (32 to 96 pixels square), found exactly.
    metrics = _metrics(
        [(_truth([BOX, OTHER], [1, 2]), _found([BOX], [0.9]))],
        include_metrics_per_category=True,
        all_metrics_per_category=True,
    )
    face = {
        name.removeprefix("DetectionBoxes_").removesuffix(" ByCategory/face"): value
        for name, value in metrics.items()
        if name.endswith(" ByCategory/face")
    }
    expected = {
        "Precision mAP": 1,
        "Precision mAP@.50IOU": 1,
        "Precision mAP@.75IOU": 1,
        "Precision mAP (small)": -1,
        "Precision mAP (medium)": 1,
        "Precision mAP (large)": -1,
        "Recall AR@1": 1,
        "Recall AR@10": 1,
        "Recall AR@100": 1,
        "Recall AR@100 (small)": -1,
        "Recall AR@100 (medium)": 1,
        "Recall AR@100 (large)": -1,
    }
    assert face == pytest.approx(expected)
    # The numbers over all classes are not those of the last class.
    assert metrics["DetectionBoxes_Precision/mAP"] == pytest.approx(0.5)


def test_detections_of_classes_that_nobody_looked_for_may_be_left_out():
    labelled = {Inputs.groundtruth_labeled_classes: np.array([0, 1, 0])}
    pairs = [
        (_truth([BOX], [1], **labelled), _found([BOX, OTHER], [0.8, 0.9], [1, 2])),
        (
            _truth([OTHER], [2], **{Inputs.groundtruth_labeled_classes: np.array([0, 1, 1])}),
            _found([OTHER], [0.8], [2]),
        ),
    ]
    # Of the two detections of hands the better one is false, unless that picture does not count.
    assert _metrics(pairs)[AP50] == pytest.approx((1 + 0.5) / 2)
    assert _metrics(pairs, skip_predictions_for_unlabeled_class=True)[AP50] == pytest.approx(1)
    labelled[Inputs.groundtruth_labeled_classes] = np.array([1, 0])
    with pytest.raises(ShapeError, match="groundtruth_labeled_classes"):
        _metrics(
            [(_truth([BOX], [1], **labelled), _found([], []))],
            skip_predictions_for_unlabeled_class=True,
        )


def test_what_is_added_twice_counts_once_with_a_warning(caplog):
    evaluator = coco_evaluation.CocoDetectionEvaluator(CATEGORIES)
    evaluator.add_single_ground_truth_image_info("a", _truth([BOX]))
    evaluator.add_single_detected_image_info("a", _found([BOX], [0.9]))
    assert not caplog.records
    evaluator.add_single_ground_truth_image_info("a", _truth([BOX, OTHER]))
    evaluator.add_single_detected_image_info("a", _found([OTHER], [1.0]))
    assert ["added before" in record.message for record in caplog.records] == [True, True]
    assert evaluator.evaluate()[AP50] == pytest.approx(1)


def test_optional_arrays_without_rows_are_none():
    empty = {Inputs.groundtruth_is_crowd: np.zeros(0), Inputs.groundtruth_area: np.zeros(0)}
    assert _metrics([(_truth([BOX], **empty), _found([BOX], [0.9]))])[AP50] == pytest.approx(1)


def test_given_areas_say_which_size_an_object_has():
    area = {Inputs.groundtruth_area: np.array([10.0])}
    metrics = _metrics([(_truth([BOX], **area), _found([BOX], [0.9]))])
    assert metrics["DetectionBoxes_Precision/mAP (small)"] == pytest.approx(1)
    assert metrics["DetectionBoxes_Precision/mAP (medium)"] == -1


def test_detections_as_a_file(tmp_path):
    evaluator = coco_evaluation.CocoDetectionEvaluator(CATEGORIES)
    evaluator.add_single_ground_truth_image_info("a", _truth([BOX]))
    evaluator.add_single_detected_image_info("a", _found([BOX], [0.87654321]))
    evaluator.dump_detections_to_json_file(None)
    evaluator.dump_detections_to_json_file("")
    path = tmp_path / "found.json"
    evaluator.dump_detections_to_json_file(str(path))
    assert json.loads(path.read_text()) == [
        {"image_id": "a", "category_id": 1, "bbox": [10, 10, 40, 40], "score": 0.8765}
    ]


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
