import math

import numpy as np
import pytest

from object_detection.metrics.dataset_statistics import DatasetStatistics

ANCHORS = np.array([[0.0, 0, 10, 10], [0, 20, 40, 60]])


def test_nothing_added():
    summary = DatasetStatistics(ANCHORS, 0.5, num_keypoints=2).summary()
    assert (summary.pictures, summary.objects, summary.most_objects) == (0, 0, 0)
    assert math.isnan(summary.matched)
    assert all(map(math.isnan, summary.keypoint_shares))


def test_numbers_by_hand():
    statistics = DatasetStatistics(ANCHORS, 0.5, num_keypoints=2, max_objects=1)
    nan = [np.nan, np.nan]
    statistics.add(np.zeros([0, 4]), np.zeros(0), np.zeros([0, 2, 2]))
    # Overlaps 1 and 0.25 (a box of 5 x 5 in one of 10 x 10).
    statistics.add(
        np.array([[0, 0, 10, 10], [0, 0, 5, 5]]), [1, 1], np.array([[[1, 1], nan], [nan, nan]])
    )
    # Overlap 0.75: 30 of 40 rows.
    statistics.add(np.array([[0, 20, 30, 60]]), [2], np.array([[[5, 30], [6, 31]]]))
    summary = statistics.summary()
    assert (summary.pictures, summary.pictures_without_objects) == (3, 1)
    assert (summary.objects, summary.most_objects, summary.objects_cut) == (3, 2, 1)
    assert summary.objects_of_class == {1: 2, 2: 1}
    assert summary.matched == pytest.approx(2 / 3)
    assert summary.keypoint_shares == pytest.approx([2 / 3, 1 / 3])
    assert summary.objects_without_keypoints == 1
    assert summary.width_percentiles[50] == 10
    assert summary.height_to_width == 1
    rows = {row.low: (row.objects, row.matched) for row in summary.width_rows}
    assert rows[4] == (1, 0.0)
    assert rows[8] == (1, 1.0)
    assert rows[32] == (1, 1.0)
    assert rows[16][0] == 0
    assert math.isnan(rows[16][1])


def test_a_picture_without_keypoint_labels():
    statistics = DatasetStatistics(ANCHORS, 0.5, num_keypoints=1)
    statistics.add(np.array([[0, 0, 10, 10]]), [1])
    assert statistics.summary().keypoint_shares == [0.0]
