import numpy as np
import pytest

from object_detection.metrics.per_image_evaluation import PerImageEvaluation

# Strips 10 wide; one pixel of shift is IoU 9/11, three are 7/13, five are 5/15.
AT_0, AT_1, AT_3, AT_5, AT_50 = ([left, 0, left + 10, 1] for left in (0, 1, 3, 5, 50))


def judge(
    detected,
    truth,
    *,
    difficult=None,
    group_of=None,
    classes=1,
    labels=None,
    truth_labels=None,
    masks=None,
    truth_masks=None,
    **options,
):
    """`detected` is (score, box) each."""
    options = {"nms_iou_threshold": 1.0, "nms_max_output_boxes": 100, **options}
    evaluation = PerImageEvaluation(classes, **options)
    return evaluation.compute_object_detection_metrics(
        detected_boxes=np.array([box for _, box in detected], float).reshape(-1, 4),
        detected_scores=np.array([score for score, _ in detected], float),
        detected_class_labels=np.array(labels or [0] * len(detected), int),
        groundtruth_boxes=np.array(truth, float).reshape(-1, 4),
        groundtruth_class_labels=np.array(truth_labels or [0] * len(truth), int),
        groundtruth_is_difficult_list=np.array(difficult or [False] * len(truth), bool),
        groundtruth_is_group_of_list=np.array(group_of or [False] * len(truth), bool),
        detected_masks=masks,
        groundtruth_masks=truth_masks,
    )


@pytest.mark.parametrize(
    ("detected", "truth", "options", "expected"),
    [
        pytest.param([], [], {}, [], id="nothing"),
        pytest.param([], [AT_0], {}, [], id="nothing found"),
        pytest.param([(0.9, AT_0)], [], {}, [(0.9, 0)], id="nothing there"),
        pytest.param([(0.9, AT_0)], [AT_0], {}, [(0.9, 1)], id="exact"),
        pytest.param([(0.9, AT_3)], [AT_0], {}, [(0.9, 1)], id="IoU 7/13"),
        pytest.param([(0.9, AT_5)], [AT_0], {}, [(0.9, 0)], id="IoU 1/3"),
        pytest.param(
            [(0.9, AT_5)], [AT_0], {"matching_iou_threshold": 1 / 3}, [(0.9, 1)], id="as wanted"
        ),
        # The best score takes the box, though another fits better.
        pytest.param(
            [(0.7, AT_0), (0.8, AT_3)], [AT_0], {}, [(0.8, 1), (0.7, 0)], id="best score first"
        ),
        # Both fit the box at 0 best, so the second is wrong and the box at 5 is not found.
        pytest.param(
            [(0.9, AT_0), (0.8, AT_1)], [AT_0, AT_5], {}, [(0.9, 1), (0.8, 0)], id="no second best"
        ),
        pytest.param(
            [(0.9, AT_0), (0.8, AT_50)], [AT_50, AT_0], {}, [(0.9, 1), (0.8, 1)], id="two of two"
        ),
        pytest.param([(0.9, [0, 0, 0, 1])], [AT_0], {}, [], id="a detection without height"),
        pytest.param([(0.9, [0, 2, 10, 1])], [AT_0], {}, [], id="an inverted detection"),
        pytest.param(
            [(0.9, AT_0), (0.8, AT_1)],
            [AT_0],
            {"nms_iou_threshold": 0.5},
            [(0.9, 1)],
            id="suppressed",
        ),
        pytest.param(
            [(0.9, AT_50), (0.8, AT_0)],
            [AT_0],
            {"nms_max_output_boxes": 1},
            [(0.9, 0)],
            id="only the best counts",
        ),
        pytest.param(
            [(0.9, AT_0), (0.8, AT_1), (0.7, AT_50)],
            [AT_0],
            {"difficult": [True]},
            [(0.7, 0)],
            id="difficult ones ignore all who match",
        ),
        pytest.param(
            [(0.9, AT_0), (0.8, AT_50)],
            [AT_0, AT_50],
            {"difficult": [True, False]},
            [(0.8, 1)],
            id="one of two is difficult",
        ),
        pytest.param(
            [(0.9, AT_0), (0.8, AT_50)],
            [AT_0],
            {"group_of": [True]},
            [(0.8, 0)],
            id="a group without weight ignores who lies in it",
        ),
        # Two small boxes lie in the group; the group counts once, with the better score, last.
        pytest.param(
            [(0.9, AT_50), (0.8, [1, 0, 2, 1]), (0.7, [3, 0, 4, 1])],
            [AT_0],
            {"group_of": [True], "group_of_weight": 0.5},
            [(0.9, 0), (0.8, 0.5)],
            id="a group counts once",
        ),
        # Half of the detection lies in the group: the share is of the detection, not the IoU.
        pytest.param(
            [(0.6, [-20, 0, 20, 1])],
            [[0, 0, 100, 1]],
            {"group_of": [True], "group_of_weight": 1.0},
            [(0.6, 1)],
            id="half within a group",
        ),
        pytest.param(
            [(0.9, AT_0), (0.8, AT_0)],
            [AT_0, AT_0],
            {"group_of": [True, False], "group_of_weight": 1.0},
            [(0.9, 1), (0.8, 1)],
            id="single box first, the rest to the group",
        ),
        pytest.param(
            [(0.9, AT_0)],
            [AT_0],
            {"group_of": [True], "difficult": [True], "group_of_weight": 1.0},
            [],
            id="a difficult group",
        ),
    ],
)
def test_one_class(detected, truth, options, expected):
    (scores,), (labels,), _ = judge(detected, truth, **options)
    assert list(zip(scores, labels.astype(float), strict=True)) == expected


def test_classes_do_not_meet():
    scores, labels, found = judge(
        [(0.9, AT_0), (0.8, AT_0), (0.7, AT_50)],
        [AT_0, AT_50],
        classes=3,
        labels=[0, 1, 1],
        truth_labels=[1, 1],
    )
    assert [row.tolist() for row in scores] == [[0.9], [0.8, 0.7], []]
    assert [row.astype(float).tolist() for row in labels] == [[0], [1, 1], []]
    assert found.tolist() == [0, 1, 0]
    assert found.dtype == int


@pytest.mark.parametrize(
    ("detected", "truth", "found"),
    [
        pytest.param([], [AT_0], 0, id="nothing found"),
        pytest.param([(0.9, AT_0)], [], 0, id="nothing there"),
        pytest.param([(0.9, AT_50), (0.8, AT_0)], [AT_0], 0, id="only the best counts"),
        pytest.param([(0.8, AT_50), (0.9, AT_3)], [AT_50, AT_0], 1, id="the best one matches"),
    ],
)
def test_best_detection(detected, truth, found):
    assert judge(detected, truth)[2].tolist() == [found]


def test_no_boxes_of_any_shape():
    nothing = np.array([])
    scores, labels, found = PerImageEvaluation(2).compute_object_detection_metrics(
        nothing, nothing, nothing, nothing, nothing, nothing, nothing
    )
    assert [len(row) for row in (*scores, *labels)] == [0] * 4
    assert found.tolist() == [0, 0]


PIXELS = np.array([[[1, 1, 0, 0]], [[1, 1, 1, 0]], [[0, 0, 0, 1]]], np.uint8)


def test_masks_decide():
    # All boxes are alike. The first mask is 2/3 of the truth's, the last is apart.
    (scores,), (labels,), found = judge(
        [(0.9, AT_0), (0.8, AT_0)],
        [AT_0],
        masks=PIXELS[[2, 0]],
        truth_masks=PIXELS[[1]],
    )
    assert scores.tolist() == [0.9, 0.8]
    assert labels.tolist() == [0, 1]
    assert found.tolist() == [0]


def test_mask_in_a_group():
    (scores,), (labels,), _ = judge(
        [(0.9, AT_0), (0.8, AT_0)],
        [AT_0],
        masks=PIXELS[[2, 0]],
        truth_masks=np.array([[[1, 0, 0, 0]]], np.uint8),
        group_of=[True],
        group_of_weight=0.25,
    )
    assert list(zip(scores, labels, strict=True)) == [(0.9, 0), (0.8, 0.25)]


def test_masks_without_truth_and_the_reverse():
    (scores,), (labels,), _ = judge(
        [(0.9, AT_0)], [], masks=PIXELS[:1], truth_masks=np.zeros([0, 1, 4], np.uint8)
    )
    assert (scores.tolist(), labels.astype(float).tolist()) == ([0.9], [0])
    _, (labels,), found = judge(
        [], [AT_0], masks=np.zeros([0, 1, 4], np.uint8), truth_masks=PIXELS[:1]
    )
    assert labels.size == 0
    assert found.tolist() == [0]


@pytest.mark.parametrize("side", ["masks", "truth_masks"])
def test_masks_on_one_side_only(side):
    with pytest.raises(ValueError, match="masks"):
        judge([(0.9, AT_0)], [AT_0], **{side: PIXELS[:1]})


def _common(a, b):
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    return max(height, 0) * max(width, 0)


def _area(a):
    return (a[2] - a[0]) * (a[3] - a[1])


def by_the_rules(detected, truth, difficult, group_of, weight):
    """The rules of the module's docstring, one detection after the other."""
    singles = [row for row in range(len(truth)) if not group_of[row]]
    groups = [row for row in range(len(truth)) if group_of[row]]
    taken, group_scores, rows = set(), {}, []
    for score, box in sorted(detected, key=lambda pair: -pair[0]):
        overlaps = {}
        for row in singles:
            common = _common(box, truth[row])
            overlaps[row] = common / (_area(box) + _area(truth[row]) - common)
        best = max(singles, key=overlaps.get, default=None)
        matches = best is not None and overlaps[best] >= 0.5
        if matches and difficult[best]:
            continue
        if matches and best not in taken:
            taken.add(best)
            rows.append((score, 1.0))
            continue
        shares = {row: _common(box, truth[row]) / _area(box) for row in groups}
        group = max(groups, key=shares.get, default=None)
        if group is not None and shares[group] >= 0.5:
            group_scores[group] = max(score, group_scores.get(group, 0))
        else:
            rows.append((score, 0.0))
    counted = [(group_scores[row], weight) for row in groups if row in group_scores and weight]
    return [*rows, *counted]


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_crowded_pictures_follow_the_rules(weight):
    random = np.random.default_rng(7)
    seen = set()
    for _ in range(60):

        def draw(count, spread):
            corners = random.integers(0, spread, [count, 2])
            return np.concatenate([corners, corners + random.integers(2, 7, [count, 2])], 1)

        truth, boxes = draw(random.integers(1, 8), 9), draw(12, 9)
        group_of = random.random(len(truth)) < 0.3
        difficult = ~group_of & (random.random(len(truth)) < 0.3)
        detected = list(zip(random.permutation(12) / 16 + 0.01, boxes.tolist(), strict=True))
        (scores,), (labels,), _ = judge(
            detected,
            truth,
            difficult=difficult.tolist(),
            group_of=group_of.tolist(),
            group_of_weight=weight,
        )
        expected = by_the_rules(detected, truth.tolist(), difficult, group_of, weight)
        assert list(zip(scores, labels.astype(float), strict=True)) == expected
        seen |= set(labels.astype(float).tolist())
    assert seen == {0.0, 1.0} | ({weight} if weight else set())
