import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.metrics import open_images_evaluation

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields
NAN = float("nan")

CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
HERE, PART, AWAY = [0, 0, 10, 10], [0, 0, 2, 2], [50, 50, 60, 60]


def truth(boxes, classes, **more):
    return {
        Inputs.groundtruth_boxes: np.array(boxes, np.float32).reshape(-1, 4),
        Inputs.groundtruth_classes: np.array(classes, int),
        **{key: np.array(value) for key, value in more.items()},
    }


def found(boxes, scores, classes, **more):
    return {
        Detections.detection_boxes: np.array(boxes, np.float32).reshape(-1, 4),
        Detections.detection_scores: np.array(scores, np.float32),
        Detections.detection_classes: np.array(classes, int),
        **more,
    }


def add(evaluator, key, one, other):
    evaluator.add_single_ground_truth_image_info(key, one)
    evaluator.add_single_detected_image_info(key, other)


@pytest.mark.parametrize(
    ("flags", "weight", "expected"),
    [
        # Two cats to find; one found, and a part of the other.
        pytest.param({}, 0.0, 0.5, id="absent"),
        pytest.param({Inputs.groundtruth_group_of: []}, 0.0, 0.5, id="no word about the boxes"),
        pytest.param({Inputs.groundtruth_group_of: [0, 1]}, 0.0, 1, id="a group without weight"),
        pytest.param({Inputs.groundtruth_group_of: [0, 1]}, 1.0, 1, id="a group like a box"),
        # Nothing is difficult in Open Images.
        pytest.param({Inputs.groundtruth_difficult: [1, 1]}, 0.0, 0.5, id="difficult"),
    ],
)
def test_groups(flags, weight, expected):
    evaluator = open_images_evaluation.OpenImagesDetectionEvaluator(
        CATEGORIES, group_of_weight=weight
    )
    group = [50, 50, 90, 90]
    add(
        evaluator,
        "a",
        truth([HERE, group], [1, 1], **flags),
        found([HERE, AWAY], [0.9, 0.8], [1, 1]),
    )
    metrics = evaluator.evaluate()
    assert list(metrics) == [
        "OpenImagesV2_Precision/mAP@0.5IOU",
        "OpenImagesV2_PerformanceByCategory/AP@0.5IOU/cat",
        "OpenImagesV2_PerformanceByCategory/AP@0.5IOU/dog",
    ]
    assert metrics["OpenImagesV2_Precision/mAP@0.5IOU"] == expected
    assert np.isnan(metrics["OpenImagesV2_PerformanceByCategory/AP@0.5IOU/dog"])


def test_a_group_that_nobody_found_counts_as_missed():
    evaluator = open_images_evaluation.OpenImagesDetectionEvaluator(
        CATEGORIES, group_of_weight=1.0, evaluate_corlocs=True
    )
    flags = {Inputs.groundtruth_group_of: [0, 1]}
    add(evaluator, "a", truth([HERE, AWAY], [1, 1], **flags), found([HERE], [0.9], [1]))
    metrics = evaluator.evaluate()
    assert metrics["OpenImagesV2_Precision/mAP@0.5IOU"] == 0.5
    assert metrics["OpenImagesV2_Precision/meanCorLoc@0.5IOU"] == 1
    assert metrics["OpenImagesV2_PerformanceByCategory/CorLoc@0.5IOU/cat"] == 1


@pytest.mark.parametrize(
    ("verdicts", "dog"),
    [
        # A dog is to be found in picture b, where it is. Picture a has a false one, better scored.
        pytest.param({}, 1, id="no verdict on dogs"),
        pytest.param({Inputs.groundtruth_image_classes: [1, 2]}, 0.5, id="verified"),
        pytest.param({Inputs.groundtruth_labeled_classes: [2]}, 0.5, id="by the other name"),
        pytest.param(
            {
                Inputs.groundtruth_image_classes: [1],
                Inputs.groundtruth_labeled_classes: [1, 2],
            },
            1,
            id="the first name counts",
        ),
    ],
)
def test_verdicts(verdicts, dog):
    evaluator = open_images_evaluation.OpenImagesDetectionChallengeEvaluator(CATEGORIES)
    given = truth([HERE], [1], **verdicts)
    copies = {key: value.copy() for key, value in given.items()}
    add(evaluator, "a", given, found([HERE, AWAY], [0.9, 0.8], [1, 2]))
    add(evaluator, "b", truth([HERE], [2]), found([HERE, AWAY], [0.7, 0.6], [2, 1]))
    metrics = evaluator.evaluate()
    prefix = "OpenImagesDetectionChallenge_PerformanceByCategory/AP@0.5IOU/"
    assert metrics[f"{prefix}dog"] == dog
    assert metrics[f"{prefix}cat"] == 1
    assert metrics["OpenImagesDetectionChallenge_Precision/mAP@0.5IOU"] == (1 + dog) / 2
    for key, value in copies.items():
        np.testing.assert_array_equal(given[key], value)


def test_groups_count_in_the_challenge():
    evaluator = open_images_evaluation.OpenImagesDetectionChallengeEvaluator(CATEGORIES)
    flags = {Inputs.groundtruth_group_of: [1]}
    add(evaluator, "a", truth([HERE], [1], **flags), found([PART], [0.9], [1]))
    add(evaluator, "b", truth([HERE], [1]), found([AWAY], [0.8], [1]))
    # The group first, the box missed.
    assert evaluator.evaluate()["OpenImagesDetectionChallenge_Precision/mAP@0.5IOU"] == 0.5


def test_a_picture_without_truth_has_no_verdict():
    evaluator = open_images_evaluation.OpenImagesChallengeEvaluator(CATEGORIES)
    evaluator.add_single_detected_image_info("b", found([HERE], [0.9], [1]))
    add(evaluator, "a", truth([HERE], [1]), found([HERE], [0.5], [1]))
    assert evaluator.evaluate()["OpenImagesDetectionChallenge_Precision/mAP@0.5IOU"] == 1
    evaluator.clear()
    assert np.isnan(evaluator.evaluate()["OpenImagesDetectionChallenge_Precision/mAP@0.5IOU"])
    add(evaluator, "a", truth([HERE], [1]), found([HERE], [0.5], [1]))
    assert evaluator.evaluate()["OpenImagesDetectionChallenge_Precision/mAP@0.5IOU"] == 1


@pytest.mark.parametrize(
    "kind",
    [
        open_images_evaluation.OpenImagesInstanceSegmentationChallengeEvaluator,
        lambda categories: open_images_evaluation.OpenImagesChallengeEvaluator(
            categories, evaluate_masks=True
        ),
    ],
)
def test_masks(kind):
    masks = np.array([[[1, 1, 0, 0]], [[1, 1, 1, 0]], [[0, 0, 0, 1]]], np.uint8)
    evaluator = kind(CATEGORIES)
    flags = {
        Inputs.groundtruth_instance_masks: masks[[0, 2]],
        Inputs.groundtruth_image_classes: [1],
    }
    # The dog has no verdict, so its mask goes with it.
    other = found([AWAY] * 3, [0.9, 0.8, 0.7], [2, 1, 1], detection_masks=masks[[0, 1, 2]])
    add(evaluator, "a", truth([HERE, HERE], [1, 1], **flags), other)
    metrics = evaluator.evaluate()
    assert metrics["OpenImagesInstanceSegmentationChallenge_Precision/mAP@0.5IOU"] == 1
    with pytest.raises(ValueError, match="masks"):
        evaluator.add_single_ground_truth_image_info("b", truth([HERE], [1]))


def test_in_the_graph():
    evaluator = open_images_evaluation.OpenImagesDetectionChallengeEvaluator(CATEGORIES)
    picture = {
        **truth(
            [HERE, AWAY],
            [1, 2],
            **{
                Inputs.groundtruth_group_of: [False, True],
                Inputs.groundtruth_image_classes: [1, 2],
            },
        ),
        **found([HERE, [51, 51, 52, 52]], [0.9, 0.8], [1, 2]),
        Inputs.key: "a",
    }
    ops = evaluator.get_estimator_eval_metric_ops(
        {key: tf.constant(value) for key, value in picture.items()}
    )
    name = "OpenImagesDetectionChallenge_Precision/mAP@0.5IOU"
    with tf.Session() as session:
        session.run(ops[name][1])
        assert session.run(ops[name][0]) == 1
