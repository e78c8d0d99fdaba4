"""Targets of keypoints on a grid of pixels, by hand."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.target_assigner import CenterNetKeypointTargetAssigner

NAN = float("nan")
# The output has 20 x 40 pixels.
SIZE = 80, 160
KEYPOINTS = [
    [[0.1, 0.11], [NAN, NAN], [0.52, 0.5]],
    [[0.3, 0.3], [0.4, 0.4], [0.5, 0.5]],
    [[0.9, 0.9], [0.2, 0.2], [NAN, NAN]],
]
CLASSES = [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]


def _truth():
    return [tf.constant(KEYPOINTS)], [tf.constant(CLASSES)]


def test_heatmaps(run):
    assigner = CenterNetKeypointTargetAssigner(4, 1, [0, 2], keypoint_std_dev=[1.0, 2.0])
    heatmaps, present, weights = assigner.assign_keypoint_heatmap_targets(*SIZE, *_truth())
    assert heatmaps.shape.as_list() == [1, 20, 40, 2]
    heatmap, present, weights = (value[0] for value in run((heatmaps, present, weights)))
    rows, columns = np.indices([20, 40])

    def gaussian(y, x, sigma):
        return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2))

    expected = np.maximum(gaussian(2, 4, 1), gaussian(18, 36, 1))
    np.testing.assert_allclose(heatmap[..., 0], expected, atol=1e-6)
    np.testing.assert_allclose(heatmap[..., 1], gaussian(10, 20, 2), atol=1e-6)
    assert present.tolist() == [2, 1]
    assert weights.shape == (20, 40)
    assert (weights == 1).all()


def test_sparse_heatmaps_are_the_same(run):
    both = [
        CenterNetKeypointTargetAssigner(
            4, 1, [0, 2], compute_heatmap_sparse=sparse
        ).assign_keypoint_heatmap_targets(*SIZE, *_truth())
        for sparse in (False, True)
    ]
    dense, sparse = run(both)
    for one, other in zip(dense, sparse, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_heatmaps_with_boxes(run):
    boxes = [tf.constant([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5], [0.5, 0.75, 1.0, 1.0]])]
    keypoint_weights = [tf.constant([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])]
    assigner = CenterNetKeypointTargetAssigner(4, 1, [0, 2])
    heatmap, present, weights = (
        value[0]
        for value in run(
            assigner.assign_keypoint_heatmap_targets(
                *SIZE, *_truth(), keypoint_weights, gt_boxes_list=boxes
            )
        )
    )
    # The third instance has no keypoint that counts, so its box is left out.
    expected = np.ones([20, 40])
    expected[10:, 30:] = 0
    np.testing.assert_array_equal(weights, expected)
    assert present.tolist() == [1, 1]
    # Corners of a box of 20 x 40 pixels may move by 2.4, so the deviation is 5 / 6.
    np.testing.assert_allclose(heatmap[2, 5, 0], np.exp(-0.5 / (5 / 6) ** 2), rtol=1e-5)


def test_pictures_without_instances(run):
    assigner = CenterNetKeypointTargetAssigner(4, 0, [0, 1], peak_radius=1)
    nothing = [tf.zeros([0, 2, 2])], [tf.zeros([0, 1])]
    boxes = [tf.zeros([0, 4])]
    heatmaps, offsets, joints, depths = run([
        assigner.assign_keypoint_heatmap_targets(*SIZE, *nothing, gt_boxes_list=boxes),
        assigner.assign_keypoints_offset_targets(*SIZE, *nothing),
        assigner.assign_joint_regression_targets(*SIZE, *nothing, boxes),
        assigner.assign_keypoints_depth_targets(*SIZE, *nothing, [tf.zeros([0, 2])], [tf.zeros([0, 2])]),
    ])  # fmt: skip
    assert not heatmaps[0].any()
    assert heatmaps[1].tolist() == [[0, 0]]
    assert [value.shape for value in offsets] == [(0, 3), (0, 2), (0,)]
    assert [value.shape for value in joints] == [(0, 4), (0, 2), (0,)]
    assert [value.shape for value in depths] == [(0, 3), (0, 1), (0,)]


@pytest.mark.parametrize("per_keypoint", [False, True])
def test_offsets(per_keypoint, run):
    assigner = CenterNetKeypointTargetAssigner(4, 1, [0, 2], per_keypoint_offset=per_keypoint)
    places, offsets, weights = run(
        assigner.assign_keypoints_offset_targets(
            *SIZE, *_truth(), gt_weights_list=[tf.constant([1.0, 1.0, 0.5])]
        )
    )
    pixels = [[2, 4], [10, 20], [6, 12], [10, 20], [18, 36], [0, 0]]
    kinds = [0, 1] * 3
    expected = [
        [0, *pixel, kind] if per_keypoint else [0, *pixel]
        for pixel, kind in zip(pixels, kinds, strict=True)
    ]
    assert places.tolist() == expected
    np.testing.assert_allclose(
        offsets, [[0, 0.4], [0.4, 0], [0, 0], [0, 0], [0, 0], [0, 0]], atol=1e-5
    )
    np.testing.assert_allclose(weights, [1, 1, 0, 0, 0.5, 0])


def test_offsets_around_peaks(run):
    assigner = CenterNetKeypointTargetAssigner(4, 0, [0], peak_radius=1)
    places, offsets, weights = run(
        assigner.assign_keypoints_offset_targets(
            *SIZE, [tf.constant([[[0.02, 0.5]]])], [tf.ones([1, 1])]
        )
    )
    assert places.tolist() == [[0, 0, 0], [0, 0, 19], [0, 0, 20], [0, 0, 21], [0, 1, 20]]
    assert weights.tolist() == [0, 1, 1, 1, 1]
    np.testing.assert_allclose(offsets[1:], [[0.4, 1], [0.4, 0], [0.4, -1], [-0.6, 0]], atol=1e-5)


@pytest.mark.parametrize(("radius", "per_keypoint"), [(0, True), (1, False)])
def test_depths(radius, per_keypoint, run):
    assigner = CenterNetKeypointTargetAssigner(
        4, 1, [0, 2], peak_radius=radius, per_keypoint_depth=per_keypoint
    )
    depths = np.arange(9, dtype=np.float32).reshape(3, 3)
    depth_weights = np.array([[1, 1, 0.5], [1, 1, 1], [0.25, 1, 1]], np.float32)
    places, values, weights = run(
        assigner.assign_keypoints_depth_targets(
            *SIZE, *_truth(), [tf.constant(depths)], [tf.constant(depth_weights)]
        )
    )
    neighbours = 5 if radius else 1
    assert places.shape == (6 * neighbours, 4 if per_keypoint else 3)
    np.testing.assert_array_equal(values[:, 0], np.repeat([0, 2, 3, 5, 6, 8], neighbours))
    if not radius:
        np.testing.assert_allclose(weights, [1, 0.5, 0, 0, 0.25, 0])
    else:
        np.testing.assert_allclose(weights[:10], [1] * 5 + [0.5] * 5)


def test_joints(run):
    assigner = CenterNetKeypointTargetAssigner(4, 1, [0, 2])
    boxes = [tf.constant([[0.0, 0.0, 0.6, 0.5], [0.0, 0.0, 1.0, 1.0], [0.8, 0.8, 1.0, 1.0]])]
    places, offsets, weights = run(
        assigner.assign_joint_regression_targets(*SIZE, *_truth(), boxes)
    )
    assert places.tolist() == [
        [0, 6, 10, 0], [0, 6, 10, 1], [0, 10, 20, 0], [0, 10, 20, 1], [0, 18, 36, 0], [0, 18, 36, 1],
    ]  # fmt: skip
    np.testing.assert_allclose(offsets[[0, 1, 4]], [[-4, -5.6], [4.4, 10], [0, 0]], atol=1e-4)
    assert weights.tolist() == [1, 1, 0, 0, 1, 0]


def test_joints_around_centers(run):
    assigner = CenterNetKeypointTargetAssigner(4, 0, [0, 1], peak_radius=1)
    places, offsets, weights = run(
        assigner.assign_joint_regression_targets(
            *SIZE, [tf.constant([[[0.5, 0.5], [0.0, 0.0]]])], [tf.ones([1, 1])],
            [tf.constant([[0.0, 0.0, 1.0, 1.0]])],
        )
    )  # fmt: skip
    cross = [[9, 20], [10, 19], [10, 20], [10, 21], [11, 20]]
    assert places.tolist() == [[0, *pixel, kind] for kind in (0, 1) for pixel in cross]
    targets = np.repeat([[10, 20], [0, 0]], 5, axis=0)
    np.testing.assert_allclose(offsets, targets - places[:, 1:3])
    assert (weights == 1).all()


def test_joints_without_boxes_start_in_the_middle_of_the_keypoints(run):
    assigner = CenterNetKeypointTargetAssigner(4, 1, [0, 1, 2])
    places, offsets, _ = run(assigner.assign_joint_regression_targets(*SIZE, *_truth()))
    # The keypoints (2, 4.4) and (10.4, 20) lie around (6.2, 12.2).
    assert places[:3].tolist() == [[0, 6, 12, 0], [0, 6, 12, 1], [0, 6, 12, 2]]
    np.testing.assert_allclose(offsets[[0, 2]], [[-4, -7.6], [4.4, 8]], atol=1e-4)
    assert places[3:6, 1:3].tolist() == [[0, 0]] * 3  # of another class
