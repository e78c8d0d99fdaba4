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
