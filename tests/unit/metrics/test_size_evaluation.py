import contextlib
import io
import itertools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from pycocotools import coco, cocoeval

from object_detection.core import standard_fields as fields
from object_detection.errors import DataError
from object_detection.metrics import size_evaluation

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

CATEGORIES = [{"id": 1, "name": "face"}]


def _square(side, at=0.0):
    return [at, at, at + side, at + side]


def _truth(boxes, scale=1.0, **more):
    return {
        Inputs.groundtruth_boxes: np.array(boxes, float).reshape(-1, 4),
        Inputs.groundtruth_classes: np.ones(len(boxes), int),
        Inputs.original_image_spatial_shape: np.array([400, 400]),
        Inputs.true_image_shape: np.array([400 * scale, 400 * scale, 3]),
        **more,
    }


def _found(boxes, scores=None):
    return {
        Detections.detection_boxes: np.array(boxes, float).reshape(-1, 4),
        Detections.detection_scores: np.full(len(boxes), 0.9)
        if scores is None
        else np.array(scores),
        Detections.detection_classes: np.ones(len(boxes), int),
    }


def _evaluator(*pictures, **settings):
    evaluator = size_evaluation.SizeEvaluator(CATEGORIES, **settings)
    for number, (truth, found) in enumerate(pictures):
        evaluator.add_single_ground_truth_image_info(number, truth)
        evaluator.add_single_detected_image_info(number, found)
    return evaluator


def _rows(*pictures, **settings):
    return {row.name: tuple(row[1:]) for row in _evaluator(*pictures, **settings).rows()}


NOTHING = (0, -1.0, -1.0)


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        pytest.param((_truth([]), _found([])), {}, id="nothing"),
        pytest.param((_truth([]), _found([_square(10)])), {}, id="false alarms alone"),
        pytest.param((_truth([_square(20)]), _found([])), {"16-32": (1, 0, 0)}, id="not found"),
        pytest.param(
            (_truth([_square(8), _square(16, 50)]), _found([_square(8), _square(16, 50)])),
            {"8-16": (1, 1, 1), "16-32": (1, 1, 1)},
            id="an edge begins its range",
        ),
        # A false alarm with a better score halves the precision, of its own range alone.
        pytest.param(
            (
                _truth([_square(20), _square(100, 100)]),
                _found([_square(20, 300), _square(20), _square(100, 100)], [0.9, 0.5, 0.4]),
            ),
            {"16-32": (1, 0.5, 1), ">= 96": (1, 1, 1)},
            id="a false alarm counts by its own width",
        ),
        # IoU (31 / 33)^2: found, though the detection's width lies in the next range.
        pytest.param(
            (_truth([_square(31)]), _found([_square(33)])),
            {"16-32": (1, 1, 1)},
            id="found by a wider box",
        ),
        pytest.param(
            (_truth([_square(200)], 0.05), _found([_square(200)])),
            {"8-16": (1, 1, 1)},
            id="ten pixels in the network's input",
        ),
        pytest.param(
            (
                _truth(
                    [_square(20), _square(20, 100)],
                    **{Inputs.groundtruth_is_crowd: np.array([False, True])},
                ),
                _found([_square(20), _square(20, 100)], [0.5, 0.9]),
            ),
            {"16-32": (1, 1, 1)},
            id="a crowd counts neither way",
        ),
    ],
)
def test_rows(picture, expected):
    names = ("< 8", "8-16", "16-32", "32-96", ">= 96")
    wanted = {name: expected.get(name, NOTHING) for name in names}
    found = _rows(picture)
    assert found.keys() == wanted.keys()
    for name in names:
        assert found[name] == pytest.approx(wanted[name]), name


def _random_pictures(random):
    for _ in range(20):
        sides = np.exp(random.uniform(np.log(4), np.log(150), random.randint(0, 8)))
        boxes = np.array([_square(side, random.uniform(0, 250)) for side in sides]).reshape(-1, 4)
        moved = boxes + random.uniform(-0.15, 0.15, boxes.shape) * (boxes[:, 2:3] - boxes[:, :1])
        corners = moved[random.rand(len(moved)) < 0.8, :2]
        sides = (moved[:, 2:] - moved[:, :2]).max(axis=1)[: len(corners)]
        found = np.c_[corners, corners + sides[:, None]]
        found = np.r_[found, [_square(side, 200) for side in random.uniform(4, 150, 3)]]
        yield boxes, found, random.rand(len(found))


def test_squares_equal_pycocotools_by_area():
    """The width of a square says its area, by which pycocotools can tell ranges apart."""
    pictures = list(_random_pictures(np.random.RandomState(0)))
    truths, results = [], []
    for number, (boxes, found, scores) in enumerate(pictures):
        for y, x, bottom, right in boxes:
            box = [x, y, right - x, bottom - y]
            truths.append({"bbox": box, "area": box[2] ** 2, "image_id": number, "iscrowd": 0})
        for (y, x, bottom, right), score in zip(found, scores, strict=True):
            box = [x, y, right - x, bottom - y]
            results.append({"bbox": box, "image_id": number, "category_id": 1, "score": score})
    dataset = coco.COCO()
    dataset.dataset = {
        "images": [{"id": number} for number in range(len(pictures))],
        "categories": CATEGORIES,
        "annotations": [
            {**one, "id": number, "category_id": 1} for number, one in enumerate(truths, 1)
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        dataset.createIndex()
        reference = cocoeval.COCOeval(dataset, dataset.loadRes(results), "bbox")
        edges = [0, 8, 16, 32, 96, 1e5]
        reference.params.areaRng = [[0, 1e10]] + [
            [low**2, high**2] for low, high in itertools.pairwise(edges)
        ]
        reference.evaluate()
        reference.accumulate()
    evaluator = _evaluator(
        *((_truth(boxes), _found(found, scores)) for boxes, found, scores in pictures)
    )
    precision = reference.eval["precision"][0, :, 0, :, 2]
    recall = reference.eval["recall"][0, 0, :, 2]
    rows = evaluator.rows()
    assert [row.average_precision for row in rows] == pytest.approx(precision.mean(axis=0)[1:])
    assert [row.recall for row in rows] == pytest.approx(recall[1:])
    assert 0 < rows[2].average_precision < 1
    curves = evaluator.curves()
    assert list(curves) == ["all", *(row.name for row in rows)]
    for number, curve in enumerate(curves.values()):
        np.testing.assert_allclose(curve.precisions, precision[:, number], atol=1e-12)
        np.testing.assert_allclose(curve.scores, reference.eval["scores"][0, :, 0, number, 2])
    np.testing.assert_allclose(evaluator.curves()["all"].recalls, np.linspace(0, 1, 101))


def test_more_detections_for_crowds():
    crowd = [_square(20, 22 * number) for number in range(120)]
    assert _rows((_truth(crowd), _found(crowd)))["16-32"][2] == pytest.approx(100 / 120)
    rows = _rows((_truth(crowd), _found(crowd)), max_detections=120)
    assert rows["16-32"] == pytest.approx((120, 1, 1))


def test_other_classes_are_left_out():
    truth, found = _truth([_square(20)]), _found([_square(20, 200), _square(20)], [0.9, 0.5])
    found[Detections.detection_classes] = np.array([7, 1])
    assert _rows((truth, found))["16-32"] == (1, pytest.approx(1), 1)


def test_metrics_in_the_graph(run):
    truth, found = _truth([_square(20)]), _found([_square(20)])
    evaluator = size_evaluation.SizeEvaluator(CATEGORIES)
    ops = evaluator.get_estimator_eval_metric_ops(
        {
            "key": tf.constant("a"),
            **{name: tf.constant(one) for name, one in (truth | found).items()},
        }
    )
    run(next(iter(ops.values()))[1])
    values = run({name: value for name, (value, _) in ops.items()})
    assert values == pytest.approx(_evaluator((truth, found)).evaluate())
    assert values["BySize/AP@.50 (16-32 px)"] == pytest.approx(1)
    assert values["BySize/Objects (8-16 px)"] == 0


def test_what_it_refuses_and_forgets():
    evaluator = size_evaluation.SizeEvaluator(CATEGORIES)
    with pytest.raises(DataError, match="came before"):
        evaluator.add_single_detected_image_info(0, _found([]))
    truth = _truth([_square(20)])
    del truth[Inputs.true_image_shape]
    with pytest.raises(DataError, match="lacks true_image_shape"):
        evaluator.add_single_ground_truth_image_info(0, truth)
    evaluator = _evaluator((_truth([_square(20)]), _found([_square(20)])))
    assert evaluator.rows()[2].objects == 1
    evaluator.clear()
    assert evaluator.rows()[2] == ("16-32", *NOTHING)
    assert evaluator.curves() == {}
