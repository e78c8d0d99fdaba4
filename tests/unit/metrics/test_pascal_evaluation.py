import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.metrics import pascal_evaluation
from object_detection.utils import object_detection_evaluation

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields
NAN = float("nan")

CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 4, "name": "elk"}]
HERE, THERE, AWAY = [0, 0, 10, 10], [20, 20, 30, 30], [50, 50, 60, 60]


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


# cat: a wrong one above the right one, AP 1/2. dog: one of two, AP 1/2. elk: nothing to find.
PICTURES = [
    ("a", truth([HERE, THERE], [1, 2]), found([HERE, THERE, AWAY], [0.8, 0.6, 0.5], [1, 2, 4])),
    ("b", truth([THERE], [2]), found([AWAY], [0.9], [1])),
]


def fill(evaluator, pictures=PICTURES):
    for key, one, other in pictures:
        evaluator.add_single_ground_truth_image_info(key, one)
        evaluator.add_single_detected_image_info(key, other)
    return evaluator


def assert_metrics(metrics, expected):
    assert list(metrics) == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(metrics[name], value, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    ("evaluator", "expected"),
    [
        pytest.param(
            pascal_evaluation.PascalDetectionEvaluator(CATEGORIES),
            {
                "PascalBoxes_Precision/mAP@0.5IOU": 0.5,
                "PascalBoxes_PerformanceByCategory/AP@0.5IOU/cat": 0.5,
                "PascalBoxes_PerformanceByCategory/AP@0.5IOU/dog": 0.5,
                "PascalBoxes_PerformanceByCategory/AP@0.5IOU/elk": NAN,
            },
            id="Pascal",
        ),
        pytest.param(
            pascal_evaluation.WeightedPascalDetectionEvaluator(CATEGORIES, 0.75),
            {
                "WeightedPascalBoxes_Precision/mAP@0.75IOU": 4 / 9,
                "WeightedPascalBoxes_PerformanceByCategory/AP@0.75IOU/cat": 0.5,
                "WeightedPascalBoxes_PerformanceByCategory/AP@0.75IOU/dog": 0.5,
                "WeightedPascalBoxes_PerformanceByCategory/AP@0.75IOU/elk": NAN,
            },
            id="weighted",
        ),
        pytest.param(
            pascal_evaluation.PrecisionAtRecallDetectionEvaluator(
                CATEGORIES, recall_lower_bound=0.25, recall_upper_bound=0.5
            ),
            {
                # The cat is found at recall 1 only.
                "PrecisionAtRecallBoxes_Precision/mAP@0.5IOU@[0.2,0.5]Recall": 0.25,
                "PrecisionAtRecallBoxes_PerformanceByCategory/AP@0.5IOU/cat": 0,
                "PrecisionAtRecallBoxes_PerformanceByCategory/AP@0.5IOU/dog": 0.5,
                "PrecisionAtRecallBoxes_PerformanceByCategory/AP@0.5IOU/elk": NAN,
            },
            id="at recall",
        ),
        pytest.param(
            pascal_evaluation.ObjectDetectionEvaluator(
                CATEGORIES, evaluate_corlocs=True, evaluate_precision_recall=True
            ),
            {
                "Precision/mAP@0.5IOU": 0.5,
                "Precision/meanCorLoc@0.5IOU": 0.75,
                "PerformanceByCategory/AP@0.5IOU/cat": 0.5,
                "PerformanceByCategory/Precision@0.5IOU/cat": [0, 0.5],
                "PerformanceByCategory/Recall@0.5IOU/cat": [0, 1],
                "PerformanceByCategory/CorLoc@0.5IOU/cat": 1,
                "PerformanceByCategory/AP@0.5IOU/dog": 0.5,
                "PerformanceByCategory/Precision@0.5IOU/dog": [1],
                "PerformanceByCategory/Recall@0.5IOU/dog": [0.5],
                "PerformanceByCategory/CorLoc@0.5IOU/dog": 0.5,
                "PerformanceByCategory/AP@0.5IOU/elk": NAN,
                "PerformanceByCategory/Precision@0.5IOU/elk": NAN,
                "PerformanceByCategory/Recall@0.5IOU/elk": NAN,
                "PerformanceByCategory/CorLoc@0.5IOU/elk": NAN,
            },
            id="everything",
        ),
    ],
)
def test_metrics(evaluator, expected):
    assert_metrics(fill(evaluator).evaluate(), expected)


def test_clear_keeps_the_settings():
    evaluator = pascal_evaluation.PrecisionAtRecallDetectionEvaluator(
        CATEGORIES, recall_upper_bound=0.5
    )
    name = "PrecisionAtRecallBoxes_Precision/mAP@0.5IOU@[0.0,0.5]Recall"
    before = fill(evaluator).evaluate()[name]
    evaluator.clear()
    assert np.isnan(evaluator.evaluate()[name])
    assert fill(evaluator).evaluate()[name] == before


@pytest.mark.parametrize("categories", [[], [{"id": 0, "name": "background"}]])
def test_ids_start_at_1(categories):
    with pytest.raises(ValueError):
        pascal_evaluation.PascalDetectionEvaluator(categories)


def test_names_of_classes_are_made_plain():
    categories = [{"id": 1, "name": "caf\u00e9"}, {"id": 2, "name": "na\u00efve".encode()}]
    names = list(pascal_evaluation.PascalDetectionEvaluator(categories).evaluate())
    assert names[1:] == [
        "PascalBoxes_PerformanceByCategory/AP@0.5IOU/cafe\u0301",
        "PascalBoxes_PerformanceByCategory/AP@0.5IOU/nai\u0308ve",
    ]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param({}, 0.5, id="absent"),
        pytest.param({Inputs.groundtruth_difficult: []}, 0.5, id="no word about the boxes"),
        pytest.param({Inputs.groundtruth_difficult: [0, 0]}, 0.5, id="none"),
        pytest.param({Inputs.groundtruth_difficult: [1, 0]}, 0, id="the one found"),
        pytest.param({Inputs.groundtruth_difficult: [0, 1]}, 1, id="the one not found"),
    ],
)
def test_difficult(flags, expected):
    evaluator = pascal_evaluation.PascalDetectionEvaluator(CATEGORIES[:1])
    fill(evaluator, [("a", truth([HERE, THERE], [1, 1], **flags), found([HERE], [0.9], [1]))])
    assert evaluator.evaluate()["PascalBoxes_Precision/mAP@0.5IOU"] == expected


def test_the_same_picture_is_refused_and_counts_once():
    evaluator = fill(pascal_evaluation.PascalDetectionEvaluator(CATEGORIES))
    with pytest.raises(ValueError, match="'a' was added before"):
        fill(evaluator)
    assert evaluator.evaluate()["PascalBoxes_Precision/mAP@0.5IOU"] == 0.5
    assert evaluator.get_internal_state().num_gt_instances_per_class.tolist() == [1, 2, 0, 0]


def test_merged_evaluators_equal_one():
    one, first, second = (pascal_evaluation.PascalDetectionEvaluator(CATEGORIES) for _ in range(3))
    fill(one)
    fill(first, PICTURES[:1])
    fill(second, PICTURES[1:])
    first.merge_internal_state(["b"], second.get_internal_state())
    assert_metrics(first.evaluate(), one.evaluate())


MASKS = np.array([[[1, 1, 0, 0]], [[1, 1, 1, 0]], [[0, 0, 0, 1]]], np.uint8)


@pytest.mark.parametrize(
    ("kind", "prefix"),
    [
        (pascal_evaluation.PascalInstanceSegmentationEvaluator, "PascalMasks"),
        (pascal_evaluation.WeightedPascalInstanceSegmentationEvaluator, "WeightedPascalMasks"),
    ],
)
def test_masks(kind, prefix):
    evaluator = kind(CATEGORIES)
    one = truth([HERE, AWAY], [1, 1], **{Inputs.groundtruth_instance_masks: MASKS[[0, 2]]})
    # The boxes match in the first only, the masks (IoU 2/3 and 1) in both.
    other = found([HERE, THERE], [0.9, 0.8], [1, 1], detection_masks=MASKS[[1, 2]])
    fill(evaluator, [("a", one, other)])
    metrics = evaluator.evaluate()
    assert metrics[f"{prefix}_Precision/mAP@0.5IOU"] == 1
    assert metrics[f"{prefix}_PerformanceByCategory/AP@0.5IOU/cat"] == 1


def test_masks_are_needed():
    evaluator = pascal_evaluation.PascalInstanceSegmentationEvaluator(CATEGORIES)
    with pytest.raises(ValueError, match="groundtruth_instance_masks"):
        evaluator.add_single_ground_truth_image_info("a", truth([HERE], [1]))
    with pytest.raises(ValueError, match="detection_masks"):
        evaluator.add_single_detected_image_info("a", found([HERE], [0.9], [1]))


@pytest.mark.parametrize(
    ("skip", "labeled", "expected"),
    [
        pytest.param(False, [1], 0.5, id="all count"),
        pytest.param(True, [1], 1, id="dogs were not looked for"),
        pytest.param(True, [2, 0], 0.5, id="they were, and padding"),
        pytest.param(True, None, 0.5, id="not said"),
    ],
)
def test_classes_nobody_looked_for(skip, labeled, expected):
    evaluator = pascal_evaluation.PrecisionAtRecallDetectionEvaluator(
        CATEGORIES, skip_predictions_for_unlabeled_class=skip
    )
    labels = {} if labeled is None else {Inputs.groundtruth_labeled_classes: labeled}
    fill(
        evaluator,
        [
            ("a", truth([HERE], [1], **labels), found([HERE, AWAY], [0.9, 0.8], [1, 2])),
            ("b", truth([HERE], [2]), found([HERE], [0.7], [2])),
        ],
    )
    metrics = evaluator.evaluate()
    assert metrics["PrecisionAtRecallBoxes_PerformanceByCategory/AP@0.5IOU/dog"] == expected
    assert metrics["PrecisionAtRecallBoxes_PerformanceByCategory/AP@0.5IOU/cat"] == 1


def _placeholders(batched):
    lead = [None] if batched else []
    return {
        Inputs.key: tf.placeholder(tf.string, lead),
        Inputs.groundtruth_boxes: tf.placeholder(tf.float32, [*lead, None, 4]),
        Inputs.groundtruth_classes: tf.placeholder(tf.int64, [*lead, None]),
        Inputs.groundtruth_difficult: tf.placeholder(tf.bool, [*lead, None]),
        Inputs.original_image: tf.placeholder(tf.uint8),
        Detections.detection_boxes: tf.placeholder(tf.float32, [*lead, None, 4]),
        Detections.detection_scores: tf.placeholder(tf.float32, [*lead, None]),
        Detections.detection_classes: tf.placeholder(tf.int64, [*lead, None]),
    }


EXPECTED_IN_GRAPH = {
    "PascalBoxes_Precision/mAP@0.5IOU": 0.5,
    "PascalBoxes_PerformanceByCategory/AP@0.5IOU/cat": 0.5,
    "PascalBoxes_PerformanceByCategory/AP@0.5IOU/dog": 0.5,
    "PascalBoxes_PerformanceByCategory/AP@0.5IOU/elk": NAN,
}


def test_in_the_graph_picture_by_picture():
    evaluator = object_detection_evaluation.PascalDetectionEvaluator(CATEGORIES)
    tensors = _placeholders(batched=False)
    ops = evaluator.get_estimator_eval_metric_ops(tensors)
    assert all(value.dtype == tf.float32 for value, _ in ops.values())
    update = ops["PascalBoxes_Precision/mAP@0.5IOU"][1]
    with tf.Session() as session:
        for _ in range(2):
            for key, one, other in PICTURES:
                values = {
                    Inputs.key: key,
                    Inputs.groundtruth_difficult: np.zeros(
                        len(one[Inputs.groundtruth_classes]), bool
                    ),
                    **one,
                    **other,
                }
                session.run(update, {tensors[name]: value for name, value in values.items()})
            # Reading the values starts anew, so the second round finds the same.
            metrics = session.run({name: value for name, (value, _) in ops.items()})
            assert_metrics(metrics, EXPECTED_IN_GRAPH)


def test_in_the_graph_in_batches():
    evaluator = object_detection_evaluation.PascalDetectionEvaluator(CATEGORIES)
    tensors = _placeholders(batched=True)
    numbers = {
        "num_groundtruth_boxes_per_image": tf.placeholder(tf.int32, [None]),
        "num_det_boxes_per_image": tf.placeholder(tf.int32, [None]),
    }
    tensors |= numbers

    def padded(side, key, length):
        rows = [picture[side][key] for picture in PICTURES]
        # Padding that would count, were it not taken off.
        return np.stack(
            [
                np.concatenate([row, np.ones([length - len(row), *row.shape[1:]], row.dtype)])
                for row in rows
            ]
        )

    feed = {
        Inputs.key: np.array(["a", "b"]),
        Inputs.groundtruth_difficult: np.zeros([2, 2], bool),
        "num_groundtruth_boxes_per_image": [2, 1],
        "num_det_boxes_per_image": [3, 1],
        **{key: padded(1, key, 2) for key in PICTURES[0][1]},
        **{key: padded(2, key, 3) for key in PICTURES[0][2]},
    }
    ops = evaluator.get_estimator_eval_metric_ops(tensors)
    with tf.Session() as session:
        session.run(
            ops["PascalBoxes_Precision/mAP@0.5IOU"][1],
            {tensors[name]: value for name, value in feed.items()},
        )
        metrics = session.run({name: value for name, (value, _) in ops.items()})
    assert_metrics(metrics, EXPECTED_IN_GRAPH)


def test_add_eval_dict_alone(run):
    evaluator = pascal_evaluation.PascalDetectionEvaluator(CATEGORIES[:1])
    picture = {**truth([HERE], [1]), **found([HERE], [0.9], [1]), Inputs.key: "a"}
    run(evaluator.add_eval_dict({key: tf.constant(value) for key, value in picture.items()}))
    assert evaluator.evaluate()["PascalBoxes_Precision/mAP@0.5IOU"] == 1


def test_what_a_base_does_not_offer():
    class Counter(object_detection_evaluation.DetectionEvaluator):
        def add_single_ground_truth_image_info(self, image_id, groundtruth_dict): ...

        def add_single_detected_image_info(self, image_id, detections_dict): ...

        def evaluate(self):
            return {}

        def clear(self): ...

    evaluator = Counter(CATEGORIES)
    with pytest.raises(NotImplementedError):
        evaluator.observe_result_dict_for_single_example({})
    with pytest.raises(NotImplementedError):
        evaluator.get_estimator_eval_metric_ops({})
    with pytest.raises(TypeError):
        object_detection_evaluation.DetectionEvaluator(CATEGORIES)
