import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.metrics import calibration_evaluation, calibration_metrics

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
NAME = "CalibrationError/ExpectedCalibrationError"


def expected_error(right, scores, nbins=20):
    """By the definition: mean over all of the gap between confidence and accuracy of its bin."""
    right, scores = np.array(right, float), np.array(scores, float)
    bins = np.minimum((scores * nbins).astype(int), nbins - 1)
    gaps = [abs(right[bins == one].mean() - scores[bins == one].mean()) for one in bins]
    return float(np.mean(gaps)) if gaps else 0.0


@pytest.mark.parametrize(
    ("right", "scores", "nbins"),
    [
        pytest.param([], [], 20, id="none"),
        pytest.param([1], [1.0], 20, id="sure and right"),
        pytest.param([0], [1.0], 20, id="sure and wrong"),
        pytest.param([0, 1], [0.0, 1.0], 2, id="ends"),
        pytest.param([1, 0, 1, 1], [0.55, 0.56, 0.57, 0.81], 20, id="one full bin"),
        pytest.param([1, 0, 1, 1, 0], [0.1, 0.2, 0.7, 0.8, 0.9], 2, id="two bins"),
        pytest.param([1, 0, 1, 1, 0], [0.1, 0.2, 0.7, 0.8, 0.9], 1, id="one bin"),
    ],
)
def test_calibration_error(right, scores, nbins):
    value, update = calibration_metrics.expected_calibration_error(
        tf.constant(right, tf.int64), tf.constant(scores, tf.float32), nbins
    )
    assert value.shape == update.shape == []
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        assert session.run(value) == 0
        assert session.run(update) == pytest.approx(expected_error(right, scores, nbins), abs=1e-6)


def test_calibration_error_of_a_stream():
    right, scores = tf.placeholder(tf.bool, [None]), tf.placeholder(tf.float32, [None])
    value, update = calibration_metrics.expected_calibration_error(right, scores)
    calibration_metrics.expected_calibration_error(right, scores)
    batches = [([1, 0, 1], [0.51, 0.52, 0.9]), ([0, 0], [0.53, 0.91]), ([1], [1.0])]
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        for batch in batches:
            session.run(update, {right: batch[0], scores: batch[1]})
        everything = (np.concatenate(columns) for columns in zip(*batches, strict=True))
        assert session.run(value) == pytest.approx(expected_error(*everything), abs=1e-6)


# Strips 10 long: three of shift is IoU 7/13, five is 1/3.
AT_0, AT_3, AT_5, AT_50 = ([left, 0, left + 10, 1] for left in (0, 3, 5, 50))


@pytest.mark.parametrize(
    ("truth", "found", "options", "expected"),
    [
        pytest.param([], [], {}, [], id="nothing"),
        pytest.param([], [(AT_0, 1)], {}, [0], id="nothing there"),
        pytest.param([(AT_0, 1)], [], {}, [], id="nothing found"),
        pytest.param([(AT_0, 1)], [(AT_0, 1), (AT_3, 1), (AT_5, 1)], {}, [1, 1, 0], id="overlap"),
        pytest.param(
            [(AT_0, 1)], [(AT_3, 1), (AT_5, 1)], {"iou_threshold": 0.3}, [1, 1], id="as wanted"
        ),
        pytest.param([(AT_0, 1)], [(AT_0, 2)], {}, [0], id="of another class"),
        # The nearest box decides, be there another of the class in reach.
        pytest.param([(AT_0, 1), (AT_3, 2)], [(AT_0, 2), (AT_3, 2)], {}, [0, 1], id="nearest"),
        pytest.param([(AT_50, 2), (AT_0, 1)], [(AT_0, 1), (AT_50, 2)], {}, [1, 1], id="both"),
    ],
)
def test_one_picture(run, truth, found, options, expected):
    evaluator = calibration_evaluation.CalibrationDetectionEvaluator(CATEGORIES, **options)

    def columns(pairs):
        # A row of padding, which would match the other side's.
        rows = [*pairs, (AT_50, 1)]
        return (
            tf.constant([box for box, _ in rows], tf.float32),
            tf.constant([label for _, label in rows], tf.int64),
            tf.constant(len(pairs)),
        )

    matched = evaluator.match_single_image_info([*columns(truth), *columns(found)])
    assert matched.dtype == tf.int64
    np.testing.assert_array_equal(run(matched), expected)


def _arrays():
    return {
        Inputs.key: np.array(["a", "b"]),
        Inputs.groundtruth_boxes: np.array([[AT_0, AT_50], [AT_3, AT_0]], np.float32),
        Inputs.groundtruth_classes: np.array([[1, 2], [1, 1]]),
        Detections.detection_boxes: np.array([[AT_0, AT_50], [AT_50, AT_0]], np.float32),
        Detections.detection_scores: np.array([[0.9, 0.7], [0.6, 0.3]], np.float32),
        Detections.detection_classes: np.array([[1, 1], [1, 1]]),
    }


@pytest.mark.parametrize(
    ("more", "right", "scores"),
    [
        pytest.param({}, [1, 0, 0, 1], [0.9, 0.7, 0.6, 0.3], id="all"),
        pytest.param(
            {"num_det_boxes_per_image": [1, 2]}, [1, 0, 1], [0.9, 0.6, 0.3], id="padded detections"
        ),
        pytest.param(
            {"num_groundtruth_boxes_per_image": [2, 0]},
            [1, 0, 0, 0],
            [0.9, 0.7, 0.6, 0.3],
            id="padded truth",
        ),
        pytest.param({Inputs.is_annotated: [False, True]}, [0, 1], [0.6, 0.3], id="annotated"),
    ],
)
def test_metric_of_a_batch(more, right, scores):
    evaluator = calibration_evaluation.CalibrationDetectionEvaluator(CATEGORIES)
    arrays = {**_arrays(), **more}
    tensors = {key: tf.constant(value) for key, value in arrays.items()}
    ((name, (value, update)),) = evaluator.get_estimator_eval_metric_ops(tensors).items()
    assert name == NAME
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        session.run(update)
        assert session.run(value) == pytest.approx(expected_error(right, scores), abs=1e-6)


@pytest.mark.parametrize("ranks_known", [True, False])
def test_metric_picture_by_picture(ranks_known):
    evaluator = calibration_evaluation.CalibrationDetectionEvaluator(CATEGORIES)
    arrays = _arrays()
    tensors = {
        key: tf.placeholder(
            tf.as_dtype(value.dtype.type),
            [None] * (value.ndim - 1) if ranks_known or key == Inputs.key else None,
        )
        for key, value in arrays.items()
    }
    value, update = evaluator.get_estimator_eval_metric_ops(tensors)[NAME]
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        for row in range(2):
            session.run(update, {tensors[key]: array[row] for key, array in arrays.items()})
        expected = expected_error([1, 0, 0, 1], [0.9, 0.7, 0.6, 0.3])
        assert session.run(value) == pytest.approx(expected, abs=1e-6)


def test_only_in_the_graph():
    evaluator = calibration_evaluation.CalibrationDetectionEvaluator(CATEGORIES)
    for call in (
        lambda: evaluator.add_single_ground_truth_image_info("a", {}),
        lambda: evaluator.add_single_detected_image_info("a", {}),
        evaluator.evaluate,
        evaluator.clear,
    ):
        with pytest.raises(NotImplementedError):
            call()
