"""Crops by hand: the window is given, the numbers are worked out."""

from unittest import mock

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor
from object_detection.errors import ConfigError

NAN = float("nan")
# Rows 2 to 6 and columns 5 to 15 of 10 x 20 pixels.
WINDOW = ([2, 5, 0], [4, 10, -1], [[[0.2, 0.25, 0.6, 0.75]]])
BOXES = [
    [0.0, 0.0, 0.15, 0.2],  # outside
    [0.3, 0.3, 0.5, 0.5],  # inside
    [0.4, 0.0, 0.8, 0.5],  # a quarter inside: rows 0.4-0.6 of 0.4-0.8, columns 0.25-0.5 of 0-0.5
    [0.3, 0.3, 0.3, 0.5],  # without an area
]
INSIDE = [0.25, 0.1, 0.75, 0.5]
POINTS = [
    [[0.1, 0.1], [NAN, NAN]],
    [[0.4, 0.5], [0.2, 0.25]],
    [[0.5, 0.5], [0.7, 0.3]],
    [[0.3, 0.3], [0.3, 0.4]],
]


@pytest.fixture
def window():
    values = [tf.constant(value) for value in WINDOW]
    with mock.patch.object(tf.image, "sample_distorted_bounding_box", return_value=values):
        yield


def _image():
    return tf.reshape(tf.range(200.0), [10, 20, 1])


def _crop(**settings):
    return preprocessor.random_crop_image(
        _image(), tf.constant(BOXES), tf.constant([1, 2, 3, 4]), tf.constant([0.1, 0.2, 0.3, 0.4]),
        **settings,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("threshold", "labels"),
    [
        pytest.param(0.3, [2], id="too little is left of the third"),
        pytest.param(0.2, [2, 3], id="enough is left"),
        pytest.param(0.0, [2, 3], id="a box outside never stays"),
        pytest.param(1.0, [2], id="whole boxes only"),
    ],
)
def test_which_boxes_stay(threshold, labels, window, run):
    image, _, kept, weights = run(_crop(overlap_thresh=threshold))
    assert kept.tolist() == labels
    np.testing.assert_allclose(weights, np.array(labels) / 10)
    np.testing.assert_array_equal(image[..., 0], np.arange(200).reshape(10, 20)[2:6, 5:15])


def test_boxes_and_keypoints_in_the_frame_of_the_window(window, run):
    _, boxes, _, _, keypoints, visible = run(
        _crop(
            overlap_thresh=0.2,
            keypoints=tf.constant(POINTS),
            keypoint_visibilities=tf.constant([[True, False], [True, True], [False, True], [True] * 2]),
        )
    )  # fmt: skip
    np.testing.assert_allclose(boxes, [INSIDE, [0.5, 0.0, 1.0, 0.5]], atol=1e-6)
    expected = [[[0.5, 0.5], [0.0, 0.0]], [[0.75, 0.5], [NAN, NAN]]]
    np.testing.assert_allclose(keypoints, expected, atol=1e-6)
    assert visible.tolist() == [[True, True], [False, False]]


def test_objects_that_stay_whole(window, run):
    """Boxes that reach beyond the picture bring their keypoints there."""
    _, boxes, _, _, keypoints = run(
        _crop(overlap_thresh=0.2, clip_boxes=False, keypoints=tf.constant(POINTS))
    )
    np.testing.assert_allclose(boxes, [INSIDE, [0.5, -0.5, 1.5, 0.5]], atol=1e-6)
    expected = [[[0.5, 0.5], [0.0, 0.0]], [[0.75, 0.5], [1.25, 0.1]]]
    np.testing.assert_allclose(keypoints, expected, atol=1e-6)


def test_masks_and_the_order_of_the_results(window, run):
    rows = tf.range(4.0)
    masks = tf.tile(_image()[tf.newaxis, ..., 0], [4, 1, 1])
    results = run(
        _crop(
            label_confidences=rows,
            multiclass_scores=rows[:, tf.newaxis],
            masks=masks,
            mask_weights=rows + 0.5,
            keypoints=tf.constant(POINTS),
            more_rows={"mine": rows},
        )
    )
    assert [part.shape for part in results] == [
        (4, 10, 1), (1, 4), (1,), (1,), (1,), (1, 1), (1, 4, 10), (1,), (1, 2, 2), (1,),
    ]  # fmt: skip
    np.testing.assert_array_equal(results[6][0], np.arange(200).reshape(10, 20)[2:6, 5:15])
    assert results[7].tolist() == [1.5]
    assert results[9].tolist() == [1.0]


def test_points_of_densepose_move_to_the_front(window, run):
    surface = np.zeros([4, 3, 4], np.float32)
    surface[1] = [[0.1, 0.5, 0.1, 0.2], [0.4, 0.5, 0.3, 0.4], [0.4, 0.4, 0.5, 0.6]]
    *_, counts, parts, coords = run(
        _crop(
            densepose_num_points=tf.constant([0, 2, 0, 0]),
            densepose_part_ids=tf.constant([[0] * 3, [7, 8, 9], [0] * 3, [0] * 3]),
            densepose_surface_coords=tf.constant(surface),
        )
    )
    assert counts.tolist() == [1]
    assert parts.tolist() == [[8]]
    np.testing.assert_allclose(coords, [[[0.5, 0.5, 0.3, 0.4]]], atol=1e-6)


def test_densepose_is_complete_or_absent(window):
    with pytest.raises(ConfigError, match="belong together"):
        _crop(densepose_num_points=tf.zeros([4], tf.int32))


def test_static_shapes():
    image, boxes, labels, weights = _crop()
    assert image.shape.as_list() == [None, None, 1]
    assert boxes.shape.as_list() == [None, 4]
    assert labels.shape.as_list() == weights.shape.as_list() == [None]


def test_weights_may_be_absent(window):
    results = preprocessor.random_crop_image(_image(), tf.constant(BOXES), tf.range(4), None)
    assert len(results) == 3


@pytest.mark.parametrize(
    ("ratio", "box", "pixels"),
    [
        # 10 of 20 columns, from the fifth on.
        pytest.param(1.0, [0.3, 0.1, 0.5, 0.5], (slice(0, 10), slice(5, 15)), id="square"),
        pytest.param(4.0, [0.1, 0.3, 0.5, 0.5], (slice(2, 7), slice(0, 20)), id="wide"),
        pytest.param(2.0, [0.3, 0.3, 0.5, 0.5], (slice(0, 10), slice(0, 20)), id="as it is"),
    ],
)
def test_a_crop_of_the_middle(ratio, box, pixels, run):
    image, boxes, labels, _ = run(
        preprocessor.random_crop_to_aspect_ratio(
            _image(), tf.constant(BOXES[1:2]), tf.constant([5]), tf.constant([1.0]),
            aspect_ratio=ratio, center_crop=True,
        )
    )  # fmt: skip
    np.testing.assert_array_equal(image[..., 0], np.arange(200).reshape(10, 20)[pixels])
    if ratio == 4.0:
        box = [(0.3 - 0.2) / 0.5, 0.3, (0.5 - 0.2) / 0.5, 0.5]
    np.testing.assert_allclose(boxes, [box], atol=1e-6)
    assert labels.tolist() == [5]


def test_settings_of_different_length():
    with pytest.raises(ValueError, match="one length"):
        preprocessor.ssd_random_crop(
            _image(), tf.constant(BOXES), tf.range(4), tf.ones([4]), random_coef=(0.1, 0.2)
        )


def test_each_setting_brings_its_own_threshold():
    """The window is the whole picture; only the second setting drops the box outside of it."""
    values = [tf.constant(v) for v in ([0, 0, 0], [10, 20, -1], [[[0.0, 0.0, 1.0, 1.0]]])]
    with mock.patch.object(tf.image, "sample_distorted_bounding_box", return_value=values):
        result = preprocessor.ssd_random_crop(
            _image(), tf.constant([[-0.5, 0.0, 0.5, 1.0]]), tf.range(1), tf.ones([1]),
            min_object_covered=(0.0, 0.0), aspect_ratio_range=((0.5, 2.0),) * 2,
            area_range=((0.1, 1.0),) * 2, overlap_thresh=(0.4, 0.6), clip_boxes=(True, False),
            random_coef=(0.0, 0.0),
        )[1]  # fmt: skip
    with tf.Session() as session:
        boxes = [session.run(result) for _ in range(12)]
    assert {len(one) for one in boxes} == {0, 1}
    assert all(one.tolist() == [[0.0, 0.0, 0.5, 1.0]] for one in boxes if len(one))


@pytest.mark.parametrize(
    ("function", "settings"),
    [
        (preprocessor.random_crop_pad_image, {"random_coef": 1.0}),
        (preprocessor.ssd_random_crop_pad, {"random_coef": (1.0,) * 6}),
    ],
)
def test_a_picture_that_is_only_padded(function, settings, run):
    """Without a crop the window is the picture, so 10 x 20 pixels lie on the canvas as they are."""
    color = [7.0] if function is preprocessor.random_crop_pad_image else ([7.0],) * 6
    image, boxes, labels, weights, keypoints = run(
        function(
            _image(), tf.constant([[0.0, 0.0, 1.0, 1.0]]), tf.constant([3]), tf.constant([0.5]),
            keypoints=tf.constant([[[0.0, 0.0], [1.0, 1.0]]]), pad_color=color, **settings,
        )
    )  # fmt: skip
    height, width = image.shape[:2]
    assert 10 <= height < 20
    assert 20 <= width < 40
    corners = boxes[0] * [height, width, height, width]
    top, left, bottom, right = np.round(corners).astype(int)
    np.testing.assert_allclose(corners, [top, left, bottom, right], atol=1e-4)
    np.testing.assert_array_equal(image[top:bottom, left:right, 0], np.arange(200).reshape(10, 20))
    image[top:bottom, left:right] = 7
    assert (image == 7).all()
    np.testing.assert_allclose(keypoints[0], boxes[0].reshape(2, 2), atol=1e-6)
    assert (labels.tolist(), weights.tolist()) == ([3], [0.5])
