import numpy as np
import pytest

from object_detection.metrics.average_precision import ObjectDetectionEvaluation

NAN = float("nan")
HERE, THERE, AWAY = [0, 0, 10, 10], [20, 20, 30, 30], [50, 50, 60, 60]


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def add(evaluation, key, truth, labels, found=(), scores=(), classes=(), **flags):
    evaluation.add_single_ground_truth_image_info(
        key, boxes(*truth), np.array(labels, int), **flags
    )
    evaluation.add_single_detected_image_info(
        key, boxes(*found), np.array(scores, float), np.array(classes, int)
    )


@pytest.fixture
def two_pictures():
    """Class 0: found, and a wrong one above it. Class 1: one of two. Class 2: none to find."""

    def make(**options):
        evaluation = ObjectDetectionEvaluation(3, **options)
        add(
            evaluation,
            "a",
            [HERE, THERE],
            [0, 1],
            [HERE, THERE, AWAY],
            [0.8, 0.6, 0.5],
            [0, 1, 2],
        )
        add(evaluation, "b", [THERE], [1], [AWAY], [0.9], [0])
        return evaluation

    return make


def test_needs_a_class():
    with pytest.raises(ValueError):
        ObjectDetectionEvaluation(0)


def test_evaluate(two_pictures):
    found = two_pictures().evaluate()
    np.testing.assert_allclose(found.average_precisions, [0.5, 0.5, NAN])
    assert found.mean_ap == pytest.approx(0.5)
    np.testing.assert_allclose(found.precisions[0], [0, 0.5])
    np.testing.assert_allclose(found.recalls[0], [0, 1])
    np.testing.assert_allclose(found.precisions[1], [1])
    np.testing.assert_allclose(found.recalls[1], [0.5])
    assert np.isnan(found.precisions[2])
    assert np.isnan(found.recalls[2])
    np.testing.assert_allclose(found.corlocs, [1, 0.5, NAN])
    assert found.mean_corloc == pytest.approx(0.75)
    assert found._fields == (
        "average_precisions",
        "mean_ap",
        "precisions",
        "recalls",
        "corlocs",
        "mean_corloc",
    )


def test_weighted_mean(two_pictures):
    # One ranking of 0.9 wrong, 0.8 right, 0.6 right; three to find. Class 2 is left out.
    found = two_pictures(use_weighted_mean_ap=True).evaluate()
    assert found.mean_ap == pytest.approx(2 / 3 * 2 / 3)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        pytest.param((0.0, 1.0), 1 / 4 * 1 + 1 / 4 * 2 / 3, id="all"),
        pytest.param((0.0, 0.25), 1 / 4, id="beginning"),
        pytest.param((0.3, 1.0), 2 / 4 * 2 / 3, id="end"),
        pytest.param((0.6, 1.0), 0, id="never reached"),
    ],
)
def test_bounds_of_recall(bounds, expected):
    # Right, wrong, right; four to find.
    low, high = bounds
    evaluation = ObjectDetectionEvaluation(1, recall_lower_bound=low, recall_upper_bound=high)
    truth = [HERE, THERE, [70, 70, 80, 80], [90, 90, 99, 99]]
    add(evaluation, 1, truth, [0] * 4, [HERE, AWAY, THERE], [0.9, 0.8, 0.7], [0] * 3)
    assert evaluation.evaluate().mean_ap == pytest.approx(expected)


def test_nothing_to_find():
    for weighted in (False, True):
        evaluation = ObjectDetectionEvaluation(2, use_weighted_mean_ap=weighted)
        found = evaluation.evaluate()
        assert np.isnan(found.mean_ap)
        assert np.isnan(found.mean_corloc)
        assert np.isnan(found.average_precisions).all()


def test_difficult_and_groups_in_what_there_is_to_find():
    evaluation = ObjectDetectionEvaluation(2, group_of_weight=0.25)
    evaluation.add_single_ground_truth_image_info(
        "a",
        boxes(HERE, THERE, AWAY, AWAY),
        np.array([0, 0, 0, 1]),
        np.array([False, True, False, False]),
        np.array([False, False, True, False]),
    )
    np.testing.assert_allclose(evaluation.num_gt_instances_per_class, [1.25, 1])
    np.testing.assert_array_equal(evaluation.num_gt_imgs_per_class, [1, 1])
    evaluation.add_single_detected_image_info(
        "a", boxes(AWAY, HERE, THERE), np.array([0.9, 0.8, 0.7]), np.array([0, 0, 0])
    )
    # The single box, then the group by its weight; both always right.
    np.testing.assert_allclose(evaluation.scores_per_class[0], [[0.8, 0.9]])
    np.testing.assert_allclose(evaluation.tp_fp_labels_per_class[0], [[1, 0.25]])
    np.testing.assert_allclose(evaluation.evaluate().average_precisions, [1, 0])


def test_twice_the_same_picture_counts_once(two_pictures):
    evaluation = two_pictures()
    add(evaluation, "a", [HERE, HERE], [0, 0], [AWAY], [0.99], [0])
    assert evaluation.num_gt_instances_per_class.tolist() == [1, 2, 0]
    assert evaluation.evaluate().average_precisions[0] == pytest.approx(0.5)


def test_detections_without_truth_are_wrong():
    evaluation = ObjectDetectionEvaluation(1)
    evaluation.add_single_detected_image_info(
        "b", boxes(HERE), np.array([0.9]), np.array([0]), np.ones([1, 2, 2], np.uint8)
    )
    add(evaluation, "a", [HERE], [0], [HERE], [0.5], [0])
    assert evaluation.evaluate().mean_ap == pytest.approx(0.5)


def test_lengths_must_agree():
    evaluation = ObjectDetectionEvaluation(1)
    for scores, classes in (([0.5, 0.4], [0]), ([0.5], [0, 0])):
        with pytest.raises(ValueError, match="Picture a"):
            evaluation.add_single_detected_image_info(
                "a", boxes(HERE), np.array(scores), np.array(classes)
            )


def test_states_of_two_workers(two_pictures):
    whole = two_pictures()
    first, second = ObjectDetectionEvaluation(3), ObjectDetectionEvaluation(3)
    add(first, "a", [HERE, THERE], [0, 1], [HERE, THERE, AWAY], [0.8, 0.6, 0.5], [0, 1, 2])
    add(second, "b", [THERE], [1], [AWAY], [0.9], [0])
    state = second.get_internal_state()
    first.merge_internal_state(tuple(state))
    for ours, expected in zip(first.evaluate(), whole.evaluate(), strict=True):
        if isinstance(expected, list):
            ours, expected = np.hstack(ours), np.hstack(expected)
        np.testing.assert_allclose(ours, expected)
    # The second worker's state is its own.
    assert second.num_gt_instances_per_class.tolist() == [0, 1, 0]
    assert len(state.scores_per_class[0]) == 1


def test_clear_detections(two_pictures):
    evaluation = two_pictures()
    evaluation.evaluate()
    evaluation.clear_detections()
    assert np.isnan(evaluation.average_precision_per_class).all()
    np.testing.assert_allclose(evaluation.evaluate().average_precisions, [0, 0, NAN])
    evaluation.add_single_detected_image_info("a", boxes(HERE), np.array([0.9]), np.array([0]))
    np.testing.assert_allclose(evaluation.evaluate().average_precisions, [1, 0, NAN])


def test_masks_of_the_truth_alone_are_refused():
    evaluation = ObjectDetectionEvaluation(1)
    mask = np.ones([1, 2, 2], np.uint8)
    evaluation.add_single_ground_truth_image_info(
        "a", boxes(HERE), np.array([0]), groundtruth_masks=mask
    )
    with pytest.raises(ValueError, match="masks"):
        evaluation.add_single_detected_image_info("a", boxes(AWAY), np.array([0.9]), np.array([0]))
