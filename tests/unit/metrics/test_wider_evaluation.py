import numpy as np
import pytest

from object_detection.errors import DataError
from object_detection.metrics import wider_evaluation
from object_detection.metrics.wider_evaluation import Picture


def picture(name, boxes, *, hard=None):
    """A picture whose faces all count in all sets but `hard`."""
    boxes = np.array(boxes, float).reshape(-1, 4)
    everything = np.ones(len(boxes), bool)
    counted = {"easy": everything, "medium": everything}
    counted["hard"] = everything if hard is None else np.array(hard, bool)
    return Picture(name, boxes, counted)


@pytest.mark.parametrize(
    ("box", "other", "expected"),
    [
        pytest.param([0, 0, 0, 0], [0, 0, 0, 0], 1.0, id="one pixel"),
        pytest.param([0, 0, 9, 9], [10, 0, 9, 9], 0.0, id="neighbours"),
        pytest.param([0, 0, 10, 10], [10, 0, 10, 10], 11 / 231, id="a shared column"),
        pytest.param([0, 0, 9, 9], [0, 0, 9, 4], 0.5, id="half"),
    ],
)
def test_iou_counts_the_last_pixel(box, other, expected):
    found = wider_evaluation.pixel_iou(np.array([box], float), np.array([other], float))
    assert found[0, 0] == pytest.approx(expected)


def test_counts_by_hand():
    # Faces 0 and 2 count. In order: finds 0, ignored, background, 0 again, finds 2.
    iou = np.array([[0.9, 0, 0], [0, 0.5, 0], [0.49, 0, 0.1], [0.6, 0, 0], [0, 0.3, 0.7]])
    recalled, proposals = wider_evaluation.count_hits(iou, np.array([True, False, True]))
    assert recalled.tolist() == [1, 1, 1, 1, 2]
    assert proposals.tolist() == [1, 1, 2, 3, 4]


def test_average_precision_by_hand():
    # Envelope 1, 2/3, 2/3 over recalls 1/3, 1/3, 2/3.
    value = wider_evaluation.average_precision(
        np.array([1 / 3, 1 / 3, 2 / 3]), np.array([1.0, 0.5, 2 / 3])
    )
    assert value == pytest.approx(1 / 3 + 2 / 9)


def test_no_detection_and_no_face():
    face = picture("a/b", [[0, 0, 10, 10]])
    assert wider_evaluation.evaluate([face], {}) == {"easy": 0.0, "medium": 0.0, "hard": 0.0}
    nobody = picture("a/b", [])
    assert np.isnan(list(wider_evaluation.evaluate([nobody], {"a/b": []}).values())).all()


def test_a_whole_set_by_hand():
    """Three faces, one of which the hard set ignores; five detections in two pictures."""
    truth = [
        picture("a/1", [[0, 0, 20, 20], [50, 50, 20, 20]], hard=[True, False]),
        picture("a/2", [[10, 10, 30, 30]]),
    ]
    detections = {
        "a/1": [[100, 0, 20, 20, 0.6], [0, 0, 20, 20, 1.0], [50, 50, 20, 20, 0.8]],
        "a/2": [[10, 10, 30, 30, 0.5], [10, 10, 30, 30, 0.0]],
    }
    # easy, by falling score: hit, hit, miss, hit, miss; recalls 1/3, 2/3, 2/3, 1, 1;
    # precisions 1, 1, 2/3, 3/4, 3/5.
    # hard: hit, ignored, miss, hit, miss; recalls 1/2, 1/2, 1/2, 1, 1; precisions 1, 1, 1/2, 2/3, 1/2.
    found = wider_evaluation.evaluate(truth, detections)
    assert found["easy"] == pytest.approx(2 / 3 + 1 / 3 * 3 / 4, abs=1e-12)
    assert found["medium"] == pytest.approx(2 / 3 + 1 / 3 * 3 / 4, abs=1e-12)
    assert found["hard"] == pytest.approx(1 / 2 + 1 / 2 * 2 / 3, abs=1e-12)
    # Scores are stretched: only their order and ratio of distances matter.
    moved = {
        name: np.array(rows) * [1, 1, 1, 1, 3] + [0, 0, 0, 0, 7]
        for name, rows in detections.items()
    }
    assert wider_evaluation.evaluate(truth, moved) == pytest.approx(found)


# Faces of 21 x 21 pixels, corners 0 to 20; a box moved by d columns shares 21 - d of them with its
# face: IoU (21 - d) / (21 + d), which is 14/28 at d = 7 and 13/29 at d = 8.
_FACE = [0, 0, 20, 20]


def _moved(by, score):
    return [by, 0, 20, 20, score]


@pytest.mark.parametrize(
    ("faces", "counted", "rows", "expected"),
    [
        pytest.param([_FACE], [True], [_moved(7, 1)], 1.0, id="IoU of 0.5 is enough"),
        pytest.param([_FACE], [True], [_moved(8, 1)], 0.0, id="IoU of 13/29 is not"),
        # A second find of a face costs precision: 1 at recall 1/2, then 2/3 at 1.
        pytest.param(
            [_FACE, [40, 0, 20, 20]],
            [True, True],
            [_moved(0, 1), _moved(1, 0.5), _moved(40, 0)],
            0.5 * 1 + 0.5 * 2 / 3,
            id="found twice",
        ),
        # The better overlapped face is meant, though the other has not been found yet; the ignored
        # one swallows its detection.
        pytest.param(
            [_FACE, [4, 0, 20, 20]],
            [True, False],
            [_moved(3, 1), _moved(0, 0)],
            1.0,
            id="falls to the ignored face",
        ),
        pytest.param(
            [_FACE, [4, 0, 20, 20]],
            [True, False],
            [_moved(2, 1)],
            1.0,
            id="of equal overlaps the first face",
        ),
        # 1000 thresholds: 0.9995 and 1 stand at the same one, where a hit has been joined by a miss;
        # it is the first threshold that anything reaches.
        pytest.param(
            [_FACE, [100, 0, 20, 20]],
            [True, True],
            [_moved(0, 1), _moved(50, 0.9995), _moved(100, 0)],
            2 / 3,
            id="scores closer than a threshold count together",
        ),
        # 2/3 at recall 1 lifts 1/2 at recall 1/2, as a curve that never rises wants it; between the
        # thresholds 0.999 and 0.998 the hit stands alone.
        pytest.param(
            [_FACE, [100, 0, 20, 20]],
            [True, True],
            [_moved(0, 1), _moved(50, 0.9985), _moved(100, 0)],
            0.5 * 1 + 0.5 * 2 / 3,
            id="scores further apart count one by one",
        ),
    ],
)
def test_by_hand(faces, counted, rows, expected):
    truth = [picture("a/1", faces, hard=counted)]
    found = wider_evaluation.evaluate(truth, {"a/1": rows})["hard"]
    assert found == pytest.approx(expected, abs=1e-12)


def _official(pictures, detections, name):
    """The protocol in plain loops, a step of its description at a time (arXiv:1511.06523)."""
    scores = [row[4] for rows in detections.values() for row in rows]
    low, high = min(scores), max(scores)
    found, proposed = np.zeros(1000), np.zeros(1000)
    for one in pictures:
        rows = sorted(detections.get(one.name, []), key=lambda row: -row[4])
        if not rows or not len(one.boxes):
            continue
        state = [0] * len(one.boxes)
        after = []  # (score, faces found, proposals) after each detection
        proposals = 0
        for x, y, width, height, score in rows:
            overlaps = []
            for other_x, other_y, other_width, other_height in one.boxes:
                across = min(x + width, other_x + other_width) - max(x, other_x) + 1
                down = min(y + height, other_y + other_height) - max(y, other_y) + 1
                common = max(across, 0) * max(down, 0)
                whole = (width + 1) * (height + 1) + (other_width + 1) * (other_height + 1)
                overlaps.append(common / (whole - common))
            face = int(np.argmax(overlaps))
            ignored = overlaps[face] >= 0.5 and not one.counted[name][face]
            if overlaps[face] >= 0.5 and not ignored:
                state[face] = 1
            proposals += not ignored
            after.append(((score - low) / (high - low), sum(state), proposals))
        for number in range(1000):
            reached = [row for row in after if row[0] >= 1 - (number + 1) / 1000]
            if reached:
                found[number] += reached[-1][1]
                proposed[number] += reached[-1][2]
    faces = sum(int(one.counted[name].sum()) for one in pictures)
    area = before = 0.0
    for number in range(1000):
        best = max(
            (found[i] / proposed[i] for i in range(number, 1000) if proposed[i]), default=0.0
        )
        area += (found[number] / faces - before) * best
        before = found[number] / faces
    return area


def test_official_files_and_random_detections_equal_plain_loops(shared_data):
    """Every 80th picture of the benchmark, faces found well, badly, twice or not, false alarms."""
    pytest.importorskip("scipy")
    folder = shared_data / "widerface_val_ground_truth"
    pictures = wider_evaluation.load_ground_truth(folder)[::80]
    random = np.random.RandomState(0)
    detections = {}
    for one in pictures:
        sides = np.maximum(one.boxes[:, 2:], 4)
        rows = []
        for _ in range(2):
            moved = one.boxes + random.randn(len(sides), 4) * np.tile(sides, 2) * 0.12
            kept = random.rand(len(sides)) < 0.6
            rows.append(np.c_[moved, random.rand(len(sides)).round(3)][kept])
        rows.append(np.c_[random.uniform(0, 900, [5, 2]), np.full([5, 2], 30), random.rand(5) ** 2])
        detections[one.name] = np.concatenate(rows)
    found = wider_evaluation.evaluate(pictures, detections)
    for name in ("easy", "medium", "hard"):
        assert 0.1 < found[name] < 0.9
        assert found[name] == pytest.approx(_official(pictures, detections, name), abs=1e-9), name


def test_equal_scores_stand_at_the_first_threshold():
    truth = [picture("a/1", [[0, 0, 20, 20]])]
    rows = [[0, 0, 20, 20, 0.7], [100, 0, 20, 20, 0.7]]
    assert wider_evaluation.evaluate(truth, {"a/1": rows})["easy"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("detections", "message"),
    [
        ({"a/2": [[0, 0, 1, 1, 1]]}, "'a/2', which the ground truth does not have"),
        ({"a/1": [[0, 0, 1, 1]]}, "finite rows"),
        ({"a/1": [[0, 0, 1, 1, float("nan")]]}, "finite rows"),
    ],
)
def test_wrong_detections_are_named(detections, message):
    with pytest.raises(DataError, match=message):
        wider_evaluation.evaluate([picture("a/1", [[0, 0, 9, 9]])], detections)


def test_official_files(shared_data):
    pytest.importorskip("scipy")
    pictures = wider_evaluation.load_ground_truth(shared_data / "widerface_val_ground_truth")
    assert len(pictures) == 3226
    # Faces counted in each set, as published with the benchmark's evaluation.
    counts = {
        name: sum(int(one.counted[name].sum()) for one in pictures)
        for name in ("easy", "medium", "hard")
    }
    assert counts == {"easy": 7211, "medium": 13319, "hard": 31958}
    perfect = {one.name: np.c_[one.boxes, np.ones(len(one.boxes))] for one in pictures}
    found = wider_evaluation.evaluate(pictures, perfect)
    assert all(0.99 < value <= 1.0 for value in found.values()), found
    # The other way round: two faces of three are lost, so at most a third can be recalled.
    third = {name: rows[::3] for name, rows in perfect.items()}
    assert all(0.2 < value < 0.5 for value in wider_evaluation.evaluate(pictures, third).values())


def test_missing_files_are_named(tmp_path):
    pytest.importorskip("scipy")
    with pytest.raises(DataError, match=r"wider_face_val\.mat: cannot be read"):
        wider_evaluation.load_ground_truth(tmp_path)
