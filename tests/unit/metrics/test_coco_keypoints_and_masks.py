import logging

import numpy as np
import pytest

from object_detection.core import standard_fields as fields
from object_detection.metrics import coco_evaluation

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

NAN = float("nan")
KEYPOINTS = [{"id": 2, "name": "nose"}, {"id": 0, "name": "left_eye"}]
SIGMAS = {"left_eye": 0.025, "nose": 0.026}
MAP = "Keypoints_Precision/mAP ByCategory/person"
BOX = np.array([[0.0, 0.0, 100.0, 100.0]])
# Three keypoints in the arrays, of which the class has the first and the last.
POINTS = np.array([[[20.0, 20.0], [NAN, NAN], [60.0, 70.0]]])


def _keypoint_evaluator(sigmas=SIGMAS):
    return coco_evaluation.CocoKeypointEvaluator(1, KEYPOINTS, "person", sigmas)


def _truth(points=POINTS, **more):
    return {
        Inputs.groundtruth_boxes: np.repeat(BOX, len(points), 0),
        Inputs.groundtruth_classes: np.ones(len(points), int),
        Inputs.groundtruth_keypoints: points,
        **more,
    }


def _found(points=POINTS, classes=None, scores=None):
    return {
        Detections.detection_boxes: np.repeat(BOX, len(points), 0),
        Detections.detection_scores: np.full(len(points), 0.9) if scores is None else scores,
        Detections.detection_classes: np.ones(len(points), int) if classes is None else classes,
        Detections.detection_keypoints: points,
    }


def _keypoint_metrics(truth, found, **settings):
    evaluator = _keypoint_evaluator(**settings)
    evaluator.add_single_ground_truth_image_info("a", truth)
    evaluator.add_single_detected_image_info("a", found)
    return evaluator.evaluate()


def test_names_of_the_keypoint_metrics():
    metrics = _keypoint_metrics(_truth(POINTS[:0]), _found(POINTS[:0]))
    assert metrics == {
        f"Keypoints_{name} ByCategory/person": -1
        for name in (
            "Precision/mAP",
            "Precision/mAP@.50IOU",
            "Precision/mAP@.75IOU",
            "Precision/mAP (medium)",
            "Precision/mAP (large)",
            "Recall/AR@1",
            "Recall/AR@10",
            "Recall/AR@100",
            "Recall/AR@100 (medium)",
            "Recall/AR@100 (large)",
        )
    }


def _moved(dy, which=0):
    points = POINTS.copy()
    points[0, which, 0] += dy
    return points


# OKS of one keypoint at distance d: exp(-d^2 / (2 * area * (2 sigma)^2)); here the area is 1e4.
# With d = 5 and sigma 0.025: exp(-25 / 50) = 0.6065; the other keypoint is exact: mean 0.803, which
# passes 7 of COCO's 10 thresholds (0.5, 0.55, ..., 0.8). Only one keypoint labelled: 3 of them.
@pytest.mark.parametrize(
    ("truth", "found", "expected"),
    [
        pytest.param(_truth(), _found(), 1.0, id="exact"),
        pytest.param(_truth(), _found(_moved(5)), 0.7, id="one keypoint is off"),
        pytest.param(_truth(), _found(_moved(50, 1)), 1.0, id="not a keypoint of the class"),
        pytest.param(
            _truth(**{Inputs.groundtruth_keypoint_visibilities: np.array([[2, 2, 0]])}),
            _found(_moved(5)),
            0.3,
            id="only the one that is off is labelled",
        ),
        pytest.param(
            _truth(**{Inputs.groundtruth_keypoint_visibilities: np.array([[0, 2, 1]])}),
            _found(_moved(5)),
            1.0,
            id="the one that is off is not labelled",
        ),
        pytest.param(
            _truth(**{Inputs.groundtruth_area: np.array([400.0])}),
            _found(_moved(5)),
            0.1,
            id="area",
        ),
        pytest.param(_truth(), _found(POINTS, classes=np.array([2])), 0.0, id="another class"),
        pytest.param(_truth(_moved(NAN)), _found(_moved(5)), 1.0, id="NaN is not labelled"),
        pytest.param(
            _truth(
                np.concatenate([POINTS, POINTS]),
                **{Inputs.groundtruth_is_crowd: np.array([0, 1])},
            ),
            _found(),
            1.0,
            id="a crowd need not be found",
        ),
    ],
)
def test_keypoint_average_precision(truth, found, expected):
    assert _keypoint_metrics(truth, found)[MAP] == pytest.approx(expected)


def test_area_of_400_by_hand():
    # exp(-25 / 2) of one, 1 of the other: mean 0.5, which COCO counts at the threshold 0.5 alone.
    oks = (np.exp(-25 / (2 * 400 * 0.05**2)) + 1) / 2
    assert 0.5 < oks < 0.55


def test_default_sigmas_are_announced(caplog):
    with caplog.at_level(logging.WARNING):
        metrics = _keypoint_metrics(_truth(), _found(_moved(10)), sigmas=None)
    assert "0.05" in caplog.text
    # exp(-100 / (2 * 1e4 * 0.01)) = 0.6065 and 1: as with half the distance and half the sigma.
    assert metrics[MAP] == pytest.approx(0.7)


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(
            lambda one: one.add_single_ground_truth_image_info("a", _masks_truth([])),
            id="truth without keypoints",
        ),
        pytest.param(
            lambda one: one.add_single_detected_image_info("a", _found()), id="no truth before"
        ),
        pytest.param(
            lambda one: one.add_single_ground_truth_image_info("a", _truth(POINTS[:, :2])),
            id="too few keypoints",
        ),
        pytest.param(lambda one: _keypoint_evaluator({"nose": 0.1}), id="a sigma is missing"),
    ],
)
def test_what_keypoint_evaluation_refuses(action):
    with pytest.raises(ValueError):
        action(_keypoint_evaluator())


SIZE = (20, 20)


def _square(top, left, side=10):
    mask = np.zeros(SIZE, np.uint8)
    mask[top : top + side, left : left + side] = 1
    return mask


def _stack(masks):
    return np.array(masks, np.uint8).reshape(-1, *SIZE)


def _masks_truth(masks, classes=None, **more):
    return {
        Inputs.groundtruth_boxes: np.tile([0.0, 0.0, 10.0, 10.0], (len(masks), 1)),
        Inputs.groundtruth_classes: np.array(classes or [1] * len(masks)),
        Inputs.groundtruth_instance_masks: _stack(masks),
        **more,
    }


def _masks_found(masks, classes=None, scores=None):
    return {
        Detections.detection_scores: np.array(scores or [0.9] * len(masks)),
        Detections.detection_classes: np.array(classes or [1] * len(masks)),
        Detections.detection_masks: _stack(masks),
    }


CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]


def _evaluate(evaluator, pairs):
    for number, (truth, found) in enumerate(pairs):
        evaluator.add_single_ground_truth_image_info(number, truth)
        evaluator.add_single_detected_image_info(number, found)
    return evaluator.evaluate()


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param([(_masks_truth([]), _masks_found([]))], -1, id="nothing"),
        pytest.param(
            [(_masks_truth([_square(0, 0)]), _masks_found([_square(0, 0)]))], 1, id="exact"
        ),
        # 10 x 8 of 10 x 12 pixels: IoU 2/3, which passes 0.5, 0.55, 0.6 and 0.65.
        pytest.param(
            [(_masks_truth([_square(0, 0)]), _masks_found([_square(0, 2)]))], 0.4, id="IoU 2/3"
        ),
        pytest.param(
            [
                (
                    _masks_truth(
                        [_square(0, 0), _square(10, 0)],
                        **{Inputs.groundtruth_is_crowd: np.array([0, 1])},
                    ),
                    _masks_found([_square(0, 0), _square(12, 2, 5)], scores=[0.5, 0.9]),
                )
            ],
            1,
            id="in a crowd",
        ),
        pytest.param(
            [(_masks_truth([_square(0, 0) * 7]), _masks_found([_square(0, 0) * 3]))],
            1,
            id="any value above 0 is inside",
        ),
    ],
)
def test_mask_average_precision(pairs, expected):
    metrics = _evaluate(coco_evaluation.CocoMaskEvaluator(CATEGORIES[:1]), pairs)
    assert metrics["DetectionMasks_Precision/mAP"] == pytest.approx(expected)


def test_mask_metrics_of_each_class():
    truth = _masks_truth([_square(0, 0), _square(10, 10)], [1, 2])
    metrics = _evaluate(
        coco_evaluation.CocoMaskEvaluator(
            CATEGORIES,
            include_metrics_per_category=True,
            super_categories={"pets": ["cat", "dog"]},
        ),
        [(truth, _masks_found([_square(0, 0)]))],
    )
    assert metrics["DetectionMasks_PerformanceByCategory/mAP/cat"] == pytest.approx(1)
    assert metrics["DetectionMasks_PerformanceByCategory/mAP/dog"] == pytest.approx(0)
    assert metrics["DetectionMasks_PerformanceBySuperCategory/pets"] == pytest.approx(0.5)


def test_masks_become_zeros_and_ones():
    masks = coco_evaluation.convert_masks_to_binary(np.array([[[-1.0, 0.0, 0.2, 7.0]]]))
    assert masks.dtype == np.uint8
    assert masks.tolist() == [[[0, 0, 1, 1]]]


def test_masks_as_a_file(tmp_path):
    evaluator = coco_evaluation.CocoMaskEvaluator(CATEGORIES)
    _evaluate(evaluator, [(_masks_truth([_square(0, 0)]), _masks_found([_square(0, 0)]))])
    evaluator.dump_detections_to_json_file(str(tmp_path / "masks.json"))
    assert '"counts"' in (tmp_path / "masks.json").read_text()
    evaluator.clear()
    assert evaluator.evaluate()["DetectionMasks_Precision/mAP"] == -1


@pytest.mark.parametrize(
    "make",
    [coco_evaluation.CocoMaskEvaluator, coco_evaluation.CocoPanopticSegmentationEvaluator],
)
def test_what_mask_evaluators_refuse_or_ignore(make, caplog):
    evaluator = make(CATEGORIES)
    with pytest.raises(ValueError, match="groundtruth"):
        evaluator.add_single_detected_image_info("a", _masks_found([]))
    evaluator.add_single_ground_truth_image_info("a", _masks_truth([_square(0, 0)]))
    other = {**_masks_found([]), Detections.detection_masks: np.ones([0, 5, 20], np.uint8)}
    with pytest.raises(ValueError, match="pixels"):
        evaluator.add_single_detected_image_info("a", other)
    evaluator.add_single_detected_image_info("a", _masks_found([_square(0, 0)]))
    evaluator.add_single_detected_image_info("a", _masks_found([_square(5, 5)]))
    evaluator.add_single_ground_truth_image_info("a", _masks_truth([_square(5, 5)]))
    assert caplog.text.count("added before") == 2
    assert 1 in evaluator.evaluate().values()


def _panoptic(pairs, **settings):
    return _evaluate(
        coco_evaluation.CocoPanopticSegmentationEvaluator(
            CATEGORIES, include_metrics_per_category=True, **settings
        ),
        pairs,
    )


@pytest.mark.parametrize(
    ("truth", "found", "cat", "dog", "mean"),
    [
        pytest.param(_masks_truth([]), _masks_found([]), None, None, (0, 0, 0), id="none"),
        # The class that does not occur takes no part in the mean.
        pytest.param(
            _masks_truth([_square(0, 0)]),
            _masks_found([_square(0, 0)]),
            (1, 1, 1),
            None,
            (1, 1, 1),
            id="exact",
        ),
        # IoU 2/3 of one found; one missed: recognition 1 / 1.5.
        pytest.param(
            _masks_truth([_square(0, 0), _square(10, 10)]),
            _masks_found([_square(0, 2)]),
            (4 / 9, 2 / 3, 2 / 3),
            None,
            (4 / 9, 2 / 3, 2 / 3),
            id="one found, one missed",
        ),
        # The cat is found; a false dog halves the mean.
        pytest.param(
            _masks_truth([_square(0, 0)]),
            _masks_found([_square(0, 0), _square(10, 10)], [1, 2]),
            (1, 1, 1),
            (0, 0, 0),
            (0.5, 0.5, 0.5),
            id="a false one of another class",
        ),
        # Exactly half does not count: 10 x 10 against 10 x 5.
        pytest.param(
            _masks_truth([_square(0, 0)]),
            _masks_found([_square(0, 0) * (np.arange(20) < 5)]),
            (0, 0, 0),
            None,
            (0, 0, 0),
            id="IoU at the threshold",
        ),
        # In the crowd: 5 x 5 wholly; beside it the same would be false.
        pytest.param(
            _masks_truth(
                [_square(0, 0), _square(10, 0)], **{Inputs.groundtruth_is_crowd: np.array([0, 1])}
            ),
            _masks_found([_square(0, 0), _square(12, 2, 5), _square(12, 12, 5)]),
            (1 / 1.5, 1, 1 / 1.5),
            None,
            (1 / 1.5, 1, 1 / 1.5),
            id="in a crowd and beside it",
        ),
    ],
)
def test_panoptic_quality(truth, found, cat, dog, mean):
    metrics = _panoptic([(truth, found)])
    names = ("PanopticQuality", "SegmentationQuality", "RecognitionQuality")
    expected = {f"{name}@0.50IOU": value for name, value in zip(names, mean, strict=True)}
    seen = {category: values for category, values in (("cat", cat), ("dog", dog)) if values}
    expected |= {"NumValidClasses": len(seen), "NumTotalClasses": 2}
    for category, values in seen.items():
        expected |= {
            f"{name}@0.50IOU_ByCategory/{category}": value
            for name, value in zip(names, values, strict=True)
        }
    assert metrics == pytest.approx(expected)


def test_panoptic_thresholds():
    half = _square(0, 0) * (np.arange(20) < 5)
    pair = (_masks_truth([_square(0, 0)]), _masks_found([half]))
    metrics = _panoptic([pair], iou_threshold=0.3)
    assert metrics["SegmentationQuality@0.30IOU"] == pytest.approx(0.5)
    crowd = {Inputs.groundtruth_is_crowd: np.array([1])}
    # 4 of its 10 columns lie in the crowd.
    pair = (_masks_truth([_square(0, 0)], **crowd), _masks_found([_square(0, 6)]))
    assert _panoptic([pair])["PanopticQuality@0.50IOU"] == 0
    evaluator = coco_evaluation.CocoPanopticSegmentationEvaluator(CATEGORIES, ioa_threshold=0.3)
    _evaluate(evaluator, [pair])
    assert not evaluator._tally(1).seen
