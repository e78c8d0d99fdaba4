import json
import re

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from object_detection.errors import ConfigError
from object_detection.metrics import coco_tools

# Decoding of masks by pycocotools, on current numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

NAN = float("nan")
CATEGORIES = [{"id": 1, "name": "face"}, {"id": 2, "name": "hand"}, {"id": 3, "name": "foot"}]
BOXES = np.array([[1.0, 2.0, 5.0, 8.0], [0.0, 0.0, 2.0, 3.0]])
KEYPOINTS = np.array([[[1.0, 2.0], [NAN, NAN], [3.0, 4.0]], [[0.0, 0.0], [1.0, 1.0], [2.0, 3.0]]])
MASKS = np.array([[[0, 1, 0], [0, 1, 1]], [[1, 0, 0], [0, 0, 0]]], np.uint8)


def _truth(classes=(1, 3), **more):
    return coco_tools.ExportSingleImageGroundtruthToCoco(
        "a", 7, {1, 3}, BOXES, np.array(classes), **more
    )


def _found(classes=(1, 3), scores=(0.5, 0.25), **more):
    return coco_tools.ExportSingleImageDetectionBoxesToCoco(
        "a", {1, 3}, BOXES, np.array(scores), np.array(classes), **more
    )


def test_truth_without_rows():
    none = np.zeros([0, 4]), np.zeros(0)
    assert coco_tools.ExportSingleImageGroundtruthToCoco("a", 1, {1}, *none) == []


def test_truth_of_boxes():
    first = {"id": 7, "image_id": "a", "category_id": 1, "bbox": [2, 1, 6, 4], "area": 24}
    second = {"id": 8, "image_id": "a", "category_id": 3, "bbox": [0, 0, 3, 2], "area": 6}
    assert _truth() == [{**first, "iscrowd": 0}, {**second, "iscrowd": 0}]
    given = {"groundtruth_is_crowd": np.array([0, 1]), "groundtruth_area": np.array([2.5, 0.0])}
    assert _truth(**given) == [
        {**first, "iscrowd": 0, "area": 2.5},
        {**second, "iscrowd": 1, "area": 0},
    ]


def test_ids_say_which_row_was_meant_where_classes_are_left_out():
    assert [row["id"] for row in _truth((2, 3))] == [8]


def test_truth_of_masks():
    rows = _truth(groundtruth_masks=MASKS)
    for row, mask in zip(rows, MASKS, strict=True):
        assert isinstance(row["segmentation"]["counts"], str)
        np.testing.assert_array_equal(coco_mask.decode(row["segmentation"]), mask)


@pytest.mark.parametrize(
    ("visibilities", "expected", "numbers"),
    [
        pytest.param(
            None,
            [[2, 1, 2, 0, 0, 0, 4, 3, 2], [0, 0, 2, 1, 1, 2, 3, 2, 2]],
            [2, 3],
            id="all visible but the one that is none",
        ),
        pytest.param(
            [[2, 2, 1], [0, 2, 0]],
            [[2, 1, 2, 0, 0, 0, 4, 3, 1], [0, 0, 0, 1, 1, 2, 3, 2, 0]],
            [2, 1],
            id="COCO's v",
        ),
        pytest.param(
            [[True, True, False], [False, False, False]],
            [[2, 1, 1, 0, 0, 0, 4, 3, 0], [0, 0, 0, 1, 1, 0, 3, 2, 0]],
            [1, 0],
            id="booleans",
        ),
    ],
)
def test_truth_of_keypoints(visibilities, expected, numbers):
    seen = None if visibilities is None else np.array(visibilities)
    rows = _truth(groundtruth_keypoints=KEYPOINTS, groundtruth_keypoint_visibilities=seen)
    assert [row["keypoints"] for row in rows] == expected
    assert [row["num_keypoints"] for row in rows] == numbers


def test_detections():
    first = {"image_id": "a", "category_id": 1, "bbox": [2, 1, 6, 4], "score": 0.5}
    assert _found((1, 2)) == [first]
    (row,) = _found((1, 2), detection_keypoints=KEYPOINTS)
    assert row == {**first, "keypoints": [2, 1, 2, 0, 0, 0, 4, 3, 2], "num_keypoints": 3}


def test_detected_masks():
    rows = coco_tools.ExportSingleImageDetectionMasksToCoco(
        "a", {1, 3}, MASKS, np.array([0.5, 0.25]), np.array([2, 3])
    )
    (row,) = rows
    assert (row["image_id"], row["category_id"], row["score"]) == ("a", 3, 0.25)
    np.testing.assert_array_equal(coco_mask.decode(row["segmentation"]), MASKS[1])


SCORES, CLASSES = np.array([0.5, 0.25]), np.array([1, 3])


@pytest.mark.parametrize(
    "export",
    [
        pytest.param(lambda: _truth((1, 3, 1)), id="truth: more classes than boxes"),
        pytest.param(lambda: _truth(((1, 3),)), id="truth: classes of rank 2"),
        pytest.param(
            lambda: coco_tools.ExportSingleImageGroundtruthToCoco(
                "a", 1, {1}, np.zeros([2, 5]), CLASSES
            ),
            id="truth: five edges",
        ),
        pytest.param(
            lambda: _truth(groundtruth_is_crowd=np.zeros([2, 1])), id="truth: crowd of rank 2"
        ),
        pytest.param(lambda: _truth(groundtruth_keypoints=KEYPOINTS[:1]), id="truth: keypoints"),
        pytest.param(lambda: _truth(groundtruth_masks=MASKS[0]), id="truth: mask of rank 2"),
        pytest.param(lambda: _found((1, 3, 1)), id="found: more classes"),
        pytest.param(lambda: _found(scores=[[0.5, 0.25]]), id="found: scores of rank 2"),
        pytest.param(
            lambda: coco_tools.ExportSingleImageDetectionBoxesToCoco(
                "a", {1}, np.zeros([8]), SCORES, CLASSES
            ),
            id="found: boxes of rank 1",
        ),
        pytest.param(
            lambda: coco_tools.ExportSingleImageDetectionMasksToCoco(
                "a", {1}, MASKS[:1], SCORES, CLASSES
            ),
            id="masks: one is missing",
        ),
        pytest.param(
            lambda: coco_tools.ExportSingleImageDetectionMasksToCoco(
                "a", {1}, MASKS, SCORES[:, None], CLASSES
            ),
            id="masks: scores of rank 2",
        ),
        pytest.param(
            lambda: coco_tools.ExportGroundtruthToCOCO(["a"], [BOXES, BOXES], [CLASSES], []),
            id="set: lists of two lengths",
        ),
        pytest.param(
            lambda: coco_tools.ExportSegmentsToCOCO(["a"], [MASKS], [SCORES], [CLASSES], []),
            id="set: masks of rank 3",
        ),
        pytest.param(
            lambda: coco_tools.ExportKeypointsToCOCO(
                ["a"], [KEYPOINTS[0]], [SCORES], [CLASSES], CATEGORIES
            ),
            id="set: keypoints of rank 2",
        ),
        pytest.param(
            lambda: coco_tools.ExportKeypointsToCOCO(
                ["a"], [KEYPOINTS], [SCORES], [CLASSES], CATEGORIES[:1]
            ),
            id="set: a class that is not there",
        ),
        pytest.param(lambda: coco_tools.COCOWrapper({}, "lines"), id="unknown type"),
        pytest.param(lambda: coco_tools.COCOEvalWrapper(iou_type="lines"), id="unknown iou type"),
    ],
)
def test_what_does_not_fit_is_a_value_error(export):
    with pytest.raises(ValueError):
        export()


def test_truth_of_many_pictures(tmp_path):
    path = tmp_path / "truth.json"
    dataset = coco_tools.ExportGroundtruthToCOCO(
        ["a", "b"],
        [BOXES, BOXES[1:]],
        [np.array([2, 9]), np.array([1])],
        CATEGORIES,
        output_path=str(path),
    )
    assert dataset == {
        "annotations": [
            {
                "id": 1,
                "image_id": "a",
                "category_id": 2,
                "bbox": [2, 1, 6, 4],
                "area": 24,
                "iscrowd": 0,
            },
            {
                "id": 3,
                "image_id": "b",
                "category_id": 1,
                "bbox": [0, 0, 3, 2],
                "area": 6,
                "iscrowd": 0,
            },
        ],
        "images": [{"id": "a"}, {"id": "b"}],
        "categories": CATEGORIES,
    }
    text = path.read_text()
    assert json.loads(text) == dataset
    # Four decimals, one number a line.
    assert re.search(r'"bbox":\s+\[\n\s+2\.0000,', text)


def test_detections_of_many_pictures(tmp_path):
    path = tmp_path / "found.json"
    results = coco_tools.ExportDetectionsToCOCO(
        ["a", np.int64(5)],
        [BOXES, BOXES[:0]],
        [SCORES, SCORES[:0]],
        [CLASSES, CLASSES[:0]],
        CATEGORIES,
        output_path=str(path),
    )
    assert [row["category_id"] for row in results] == [1, 3]
    assert json.loads(path.read_text()) == results


def test_segments_of_many_pictures(tmp_path):
    path = tmp_path / "segments.json"
    results = coco_tools.ExportSegmentsToCOCO(
        ["a", "b"],
        [MASKS[..., None], MASKS[:1, ..., None]],
        [SCORES, SCORES[:1]],
        [CLASSES, CLASSES[:1]],
        CATEGORIES,
        output_path=str(path),
    )
    written = json.loads(path.read_text())
    assert written == results
    np.testing.assert_array_equal(
        [coco_mask.decode(row["segmentation"]) for row in written], [*MASKS, MASKS[0]]
    )


def test_keypoints_of_many_pictures(tmp_path):
    path = tmp_path / "keypoints.json"
    # In COCO's order: x, then y.
    points = np.array([[[100, 200], [300.9, 400], [500, 600]], [[1, 2], [NAN, 1], [5, 6]]])
    categories = [{"id": 1, "name": "face", "num_keypoints": 2}, {"id": 3, "name": "foot"}]
    results = coco_tools.ExportKeypointsToCOCO(
        ["a", "b"],
        [points, points[1:]],
        [SCORES, SCORES[:1]],
        [CLASSES, CLASSES[:1]],
        categories,
        output_path=str(path),
    )
    assert results == [
        {"image_id": "a", "category_id": 1, "keypoints": [100, 200, 1, 300, 400, 1], "score": 0.5},
        {"image_id": "b", "category_id": 1, "keypoints": [1, 2, 1, 0, 0, 0], "score": 0.5},
    ]
    assert json.loads(path.read_text()) == results


def _dataset(**more):
    return {
        "annotations": [
            {
                "id": 1,
                "image_id": "a",
                "category_id": 1,
                "bbox": [100.0, 100.0, 100.0, 100.0],
                "area": 1e4,
                "iscrowd": 0,
                **more,
            }
        ],
        "images": [{"id": "a"}, {"id": "b"}],
        "categories": CATEGORIES[:2],
    }


def test_results_get_ids_and_areas_and_stay_as_they_were():
    results = [{"image_id": "a", "category_id": 1, "bbox": [1.0, 2.0, 3.0, 4.0], "score": 0.5}]
    loaded = coco_tools.COCOWrapper(_dataset()).LoadAnnotations(results)
    assert loaded.dataset["annotations"] == [{**results[0], "id": 1, "area": 12, "iscrowd": 0}]
    assert "id" not in results[0]
    masks = [
        {"image_id": "a", "category_id": 1, "segmentation": coco_mask.encode(np.asfortranarray(m))}
        for m in MASKS
    ]
    loaded = coco_tools.COCOWrapper(_dataset(), "segmentation").LoadAnnotations(masks)
    rows = loaded.dataset["annotations"]
    assert [(row["id"], row["area"], row["bbox"]) for row in rows] == [
        (1, 3, [1, 0, 2, 2]),
        (2, 1, [0, 0, 1, 1]),
    ]


@pytest.mark.parametrize("results", [({},), [{"image_id": "c"}]], ids=["no list", "other picture"])
def test_results_that_cannot_be_loaded(results):
    with pytest.raises(ValueError):
        coco_tools.COCOWrapper(_dataset()).LoadAnnotations(results)


@pytest.mark.parametrize(
    ("category", "agnostic", "expected"),
    [(1, False, 1.0), (2, False, 0.0), (2, True, 1.0)],
    ids=["its class", "another class", "classes do not count"],
)
def test_evaluation(category, agnostic, expected):
    truth = coco_tools.COCOWrapper(_dataset())
    found = truth.LoadAnnotations(
        [
            {
                "image_id": "a",
                "category_id": category,
                "bbox": [100.0, 100.0, 100.0, 100.0],
                "score": 0.8,
            }
        ]
    )
    evaluation = coco_tools.COCOEvalWrapper(truth, found, agnostic_mode=agnostic)
    assert evaluation.GetCategoryIdList() == [1, 2]
    assert evaluation.GetCategory(2) == {"id": 2, "name": "hand"}
    assert evaluation.GetAgnosticMode() is agnostic
    metrics, per_category = evaluation.ComputeMetrics(include_metrics_per_category=True)
    assert metrics["Precision/mAP"] == pytest.approx(expected)
    assert list(metrics) == [name for name, _ in coco_tools.COCO_METRIC_NAMES_AND_INDEX]
    names = () if agnostic else ("face", "hand")
    assert list(per_category) == [f"PerformanceByCategory/mAP/{name}" for name in names]


def test_lists_are_taken_for_arrays():
    boxes = [[1.0, 2.0, 5.0, 8.0]]
    (row,) = coco_tools.ExportDetectionsToCOCO(["a"], [boxes], [[0.5]], [[1]], CATEGORIES)
    assert row["bbox"] == [2, 1, 6, 4]
    points = [[[1.0, 2.0]]]
    categories = [{"id": 1, "num_keypoints": 1}]
    (row,) = coco_tools.ExportKeypointsToCOCO(["a"], [points], [[0.5]], [[1]], categories)
    assert row["keypoints"] == [1, 2, 1]


def test_more_than_a_hundred_detections():
    """A hundred false alarms before each hit; each limit is seen by its own recall."""
    names = coco_tools.box_metric_names()
    assert names == [name for name, _ in coco_tools.COCO_METRIC_NAMES_AND_INDEX]
    boxes = [[200 * number, 0, 50, 50] for number in range(102)]
    truth = coco_tools.COCOWrapper(
        {
            "images": [{"id": 1}],
            "categories": [{"id": 1, "name": "a"}],
            "annotations": [
                {
                    "id": 1,
                    "image_id": 1,
                    "category_id": 1,
                    "bbox": boxes[9],
                    "area": 2500,
                    "iscrowd": 0,
                },
                {
                    "id": 2,
                    "image_id": 1,
                    "category_id": 1,
                    "bbox": boxes[101],
                    "area": 2500,
                    "iscrowd": 0,
                },
            ],
        }
    )
    found = truth.LoadAnnotations(
        [
            {"image_id": 1, "category_id": 1, "bbox": box, "score": 1 - number / 200}
            for number, box in enumerate(boxes)
        ]
    )
    hundred, _ = coco_tools.COCOEvalWrapper(truth, found).ComputeMetrics()
    assert hundred["Recall/AR@10"] == hundred["Recall/AR@100"] == 0.5
    metrics, per_category = coco_tools.COCOEvalWrapper(
        truth, found, max_detections=102
    ).ComputeMetrics(include_metrics_per_category=True, all_metrics_per_category=True)
    assert list(metrics) == coco_tools.box_metric_names(102)
    assert metrics["Recall/AR@10"] == metrics["Recall/AR@100"] == 0.5
    assert metrics["Recall/AR@102"] == metrics["Recall/AR@102 (medium)"] == 1
    assert metrics["Precision/mAP (large)"] == -1
    # The 10th and the 102nd are right: precisions 1/10 up to recall 1/2, then 2/102.
    expected = (51 * 1 / 10 + 50 * 2 / 102) / 101
    assert metrics["Precision/mAP"] == pytest.approx(expected)
    assert per_category["Recall AR@102 ByCategory/a"] == 1
    with pytest.raises(ConfigError, match="at least 100"):
        coco_tools.COCOEvalWrapper(truth, found, max_detections=50)
