"""Evaluators in a graph: pictures alone and in padded batches give what they give in numpy."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.metrics import coco_evaluation, keypoint_evaluation

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

CATEGORIES = [{"id": 1, "name": "face"}]
MAP = "DetectionBoxes_Precision/mAP"
BOX, OTHER = [10.0, 10.0, 50.0, 50.0], [60.0, 60.0, 90.0, 90.0]


def _picture(key="a", truth=(BOX,), found=(BOX,)):
    return {
        Inputs.key: np.array(key),
        Inputs.groundtruth_boxes: np.array(truth, np.float32).reshape(-1, 4),
        Inputs.groundtruth_classes: np.ones(len(truth), np.int64),
        Detections.detection_boxes: np.array(found, np.float32).reshape(-1, 4),
        Detections.detection_scores: np.linspace(0.9, 0.5, len(found), dtype=np.float32),
        Detections.detection_classes: np.ones(len(found), np.int64),
    }


def _run(ops, updates=1, feed=None):
    """The values after some updates; all metrics have one update."""
    with tf.Session() as session:
        update = next(iter(ops.values()))[1]
        for number in range(updates):
            session.run(update, feed(number) if feed else None)
        return session.run({name: value for name, (value, _) in ops.items()})


def _placeholders(picture, batch=False):
    axes = [None] if batch else []
    return {
        name: tf.placeholder(
            tf.string if value.dtype.kind == "U" else value.dtype,
            axes + [None] * value.ndim if not batch else [None] * value.ndim,
        )
        for name, value in picture.items()
    }


def test_pictures_one_by_one():
    # The second picture has none of its two objects found, the third nothing at all.
    pictures = [
        _picture("a"),
        _picture("b", [BOX, OTHER], []),
        _picture("c", [], []),
        _picture("a", [OTHER], []),  # that identity was there
    ]
    tensors = _placeholders(pictures[0])
    ops = coco_evaluation.CocoDetectionEvaluator(CATEGORIES).get_estimator_eval_metric_ops(tensors)
    assert len(ops) == 12
    assert all(value.dtype == tf.float32 and value.shape.rank == 0 for value, _ in ops.values())
    metrics = _run(
        ops, 4, lambda number: {tensors[name]: pictures[number][name] for name in tensors}
    )
    # One of three objects found, with precision 1 up to recall 1/3: 34 of COCO's 101 recalls.
    assert metrics[MAP] == pytest.approx(34 / 101)


def _batch(**more):
    """Two pictures, padded with what would count as wrong."""
    return {
        Inputs.key: np.array(["a", "b"]),
        Inputs.groundtruth_boxes: np.array([[BOX, OTHER], [OTHER, BOX]], np.float32),
        Inputs.groundtruth_classes: np.ones([2, 2], np.int64),
        Detections.detection_boxes: np.array([[BOX, OTHER], [BOX, OTHER]], np.float32),
        Detections.detection_scores: np.array([[0.9, 0.8], [0.7, 0.6]], np.float32),
        Detections.detection_classes: np.ones([2, 2], np.int64),
        **more,
    }


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({}, 1.0, id="no padding"),
        # The second detection is false: precision 1 up to recall 1/3, then 3/4.
        pytest.param(
            {"num_groundtruth_boxes_per_image": [1, 2]},
            (34 + 67 * 0.75) / 101,
            id="truth is padded",
        ),
        # Found: one of two in the first, both in the second.
        pytest.param({"num_det_boxes_per_image": [1, 2]}, 76 / 101, id="detections are padded"),
        pytest.param(
            {"num_groundtruth_boxes_per_image": [1], "num_det_boxes_per_image": [1]},
            51 / 101,
            id="one number for all: the first is found, the second not",
        ),
        pytest.param({"num_groundtruth_boxes": [0, 0]}, -1.0, id="nothing there"),
        pytest.param({"is_annotated": [False, False]}, -1.0, id="not annotated"),
        pytest.param(
            {"is_annotated": [False, True], "num_detections": [2.0, 0.0]},
            0.0,
            id="only the second is annotated",
        ),
    ],
)
def test_padded_batches(more, expected):
    tensors = {name: tf.constant(value) for name, value in _batch(**more).items()}
    ops = coco_evaluation.CocoDetectionEvaluator(CATEGORIES).get_estimator_eval_metric_ops(tensors)
    assert _run(ops)[MAP] == pytest.approx(expected, abs=1e-6)


def test_one_fetch_evaluates_and_forgets():
    evaluator = coco_evaluation.CocoDetectionEvaluator(
        CATEGORIES, include_metrics_per_category=True, super_categories={"all": ["face"]}
    )
    ops = evaluator.get_estimator_eval_metric_ops(_picture())
    with tf.Session() as session:
        for _ in range(2):
            session.run(ops[MAP][1])
            values = session.run({name: value for name, (value, _) in ops.items()})
            assert values[MAP] == 1
            assert values["DetectionBoxes_PerformanceByCategory/mAP/face"] == 1
            assert values["DetectionBoxes_PerformanceBySuperCategory/all"] == 1
        assert session.run(ops[MAP][0]) == -1


def test_what_is_missing_is_named():
    picture = _picture()
    del picture[Detections.detection_scores]
    with pytest.raises(ValueError, match="lacks detection_scores"):
        coco_evaluation.CocoDetectionEvaluator(CATEGORIES).add_eval_dict(picture)


def test_keypoints():
    points = np.array([[[20.0, 20.0], [60.0, 70.0]]], np.float32)
    more = {
        Inputs.groundtruth_keypoints: points,
        Inputs.groundtruth_keypoint_visibilities: np.array([[True, False]]),
        Detections.detection_keypoints: points + [[[0.0, 0.0], [9.0, 9.0]]],
    }
    names = [{"id": 0, "name": "eye"}, {"id": 1, "name": "nose"}]
    metrics = _run(
        coco_evaluation.CocoKeypointEvaluator(1, names, "face").get_estimator_eval_metric_ops(
            {**_picture(), **more}
        )
    )
    assert len(metrics) == 10
    assert metrics["Keypoints_Precision/mAP ByCategory/face"] == pytest.approx(1)
    metrics = _run(
        keypoint_evaluation.KeypointErrorEvaluator(CATEGORIES).get_estimator_eval_metric_ops(
            {**_picture(), **more}
        )
    )
    assert metrics["Keypoints/NME"] == 0
    assert metrics["Keypoints/Matched"] == 1


def _masks(evaluator, **more):
    masks = np.zeros([2, 1, 20, 20], np.uint8)
    masks[:, :, :10, :10] = 1
    found = masks.copy()
    # Outside the second picture, which is 12 x 12.
    found[1, :, 12:, 12:] = 1
    boxes = np.array([[[0.0, 0.0, 10.0, 10.0]]] * 2, np.float32)
    tensors = {
        Inputs.key: np.array(["a", "b"]),
        Inputs.groundtruth_boxes: boxes,
        Inputs.groundtruth_classes: np.ones([2, 1], np.int64),
        Inputs.groundtruth_instance_masks: masks,
        Detections.detection_boxes: boxes,
        Detections.detection_scores: np.array([[0.9], [0.8]], np.float32),
        Detections.detection_classes: np.ones([2, 1], np.int64),
        Detections.detection_masks: found,
        **more,
    }
    return _run(evaluator.get_estimator_eval_metric_ops(tensors))


SIZES = {Inputs.original_image_spatial_shape: np.array([[20, 20], [12, 12]], np.int32)}


def test_masks_end_where_their_picture_ends():
    name = "DetectionMasks_Precision/mAP@.75IOU"
    # Without the sizes the second mask has 164 pixels, 100 of them right: IoU 0.61.
    assert _masks(coco_evaluation.CocoMaskEvaluator(CATEGORIES))[name] == pytest.approx(51 / 101)
    assert _masks(coco_evaluation.CocoMaskEvaluator(CATEGORIES), **SIZES)[name] == 1


def test_panoptic_quality_in_a_batch():
    evaluator = coco_evaluation.CocoPanopticSegmentationEvaluator(CATEGORIES, True)
    metrics = _masks(evaluator, **SIZES)
    assert metrics["PanopticQuality@0.50IOU"] == 1
    assert len(metrics) == 8
    assert metrics["NumValidClasses"] == 1
    counts = {"num_gt_masks_per_image": [1, 1], "num_det_masks_per_image": [1, 0]}
    metrics = _masks(coco_evaluation.CocoPanopticSegmentationEvaluator(CATEGORIES), **counts)
    assert metrics["RecognitionQuality@0.50IOU"] == pytest.approx(1 / 1.5)


def test_masks_of_one_picture():
    masks = np.ones([1, 8, 8], np.uint8)
    picture = {
        **_picture(),
        Inputs.groundtruth_instance_masks: masks,
        Detections.detection_masks: masks,
        Inputs.original_image_spatial_shape: np.array([8, 8]),
    }
    ops = coco_evaluation.CocoMaskEvaluator(CATEGORIES).get_estimator_eval_metric_ops(picture)
    assert _run(ops)["DetectionMasks_Precision/mAP"] == 1
